//! Names on a medium: what FAT, exFAT, ext4 and every desktop keep as they are and nobody can mistake.

use super::{MANIFEST, VolumeError};
use crate::basics::{SafeText, limits};

/// Device names of DOS: Windows opens the device whatever folder they are in, with and without an extension.
const DEVICES: [&str; 4] = ["CON", "PRN", "AUX", "NUL"];

/// What other systems leave on top of a stick. Never opened, never a complaint.
const OTHER_SYSTEMS: [&str; 6] =
    ["lost+found", "System Volume Information", ".Spotlight-V100", ".Trashes", ".fseventsd", ".Trash-1000"];

/// The name of one file of an export: `[A-Za-z0-9]`, then at most 63 of `[A-Za-z0-9._-]`, the last no dot, no device of DOS.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileName(String);

impl FileName {
    /// # Errors
    /// Why the name is refused.
    pub fn parse(text: &str) -> Result<Self, VolumeError> {
        let refuse = |why| Err(VolumeError::Name { found: SafeText::cut(text, 80), why });
        if text.is_empty() || text.len() > limits::MEDIUM_NAME_OCTETS {
            return refuse("expected a name of 1 to 64 characters");
        }
        if !text.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_".contains(&b)) {
            return refuse("expected letters, digits, dot, hyphen and underscore only");
        }
        if !text.starts_with(|c: char| c.is_ascii_alphanumeric()) || text.ends_with('.') {
            return refuse("expected a name that begins with a letter or digit and ends with no dot");
        }
        let stem = text.split('.').next().unwrap_or_default().to_ascii_uppercase();
        let numbered = |stem: &str, prefix| {
            stem.strip_prefix(prefix).is_some_and(|n: &str| n.len() == 1 && n.starts_with(|c: char| c.is_ascii_digit()))
        };
        if DEVICES.contains(&stem.as_str()) || numbered(&stem, "COM") || numbered(&stem, "LPT") {
            return refuse("expected no device of DOS");
        }
        if text.eq_ignore_ascii_case(MANIFEST) {
            return refuse("the manifest lists the others, not itself");
        }
        Ok(Self(text.to_owned()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for FileName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The label of a medium: lower-case letters, digits and hyphens, as names in a script.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label(String);

impl Label {
    /// # Errors
    /// Where the text is none.
    pub fn parse(text: &str) -> Result<Self, VolumeError> {
        let first = text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
        let rest = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if first && rest && text.len() <= limits::MEDIUM_NAME_OCTETS {
            return Ok(Self(text.to_owned()));
        }
        Err(VolumeError::Label { most: limits::MEDIUM_NAME_OCTETS, found: SafeText::cut(text, 80) })
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Label {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The folder of one export, `EXP-0001` to `EXP-9999`: an 8.3 name, never used twice on one medium.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExportName(u16);

impl ExportName {
    pub const FIRST: Self = Self(1);

    /// # Errors
    /// Where the text is none.
    pub fn parse(text: &str) -> Result<Self, VolumeError> {
        let digits = text.strip_prefix("EXP-").filter(|d| d.len() == 4 && d.bytes().all(|b| b.is_ascii_digit()));
        let number = digits.and_then(|d| d.parse().ok()).filter(|number| *number > 0);
        number.map(Self).ok_or_else(|| VolumeError::Export(SafeText::cut(text, 80)))
    }

    /// The next one; `None` after the last.
    #[must_use]
    pub const fn after(self) -> Option<Self> {
        if self.0 < 9_999 { Some(Self(self.0 + 1)) } else { None }
    }
}

impl std::fmt::Display for ExportName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "EXP-{:04}", self.0)
    }
}

/// Whether a name on top of a medium is what another system leaves there by itself.
#[must_use]
pub fn is_of_another_system(name: &str) -> bool {
    OTHER_SYSTEMS.contains(&name)
}
