//! A medium's layout, pure: the file `VOLUME` that says which medium this is, the `MANIFEST` of one export, and the names that
//! every file system keeps as they are. Specified in `media/README.md`, section "The volume".
//!
//! ```text
//! VOLUME             {"format":"anchorite-volume/1","id":"00112233445566778899aabbccddeeff","label":"vault-a"}
//! INBOX/             files put there with plain tools
//! EXP-0001/NAME      the files of one export
//! EXP-0001/MANIFEST  {"export":"EXP-0001","files":[{"name":...,"sha256":...,"size":...}],"format":"anchorite-export/1",
//!                     "medium":"00112233445566778899aabbccddeeff","realm":"production"}
//! ```
//! Both are RFC 8785 canonical JSON and nothing after it: `encode(parse(x)) == x`.

mod manifest;
mod names;

pub use manifest::{ListedFile, Manifest};
pub use names::{ExportName, FileName, Label, is_of_another_system};

use crate::basics::canonical::{self, CanonicalError};
use crate::basics::digest::{hex_decode, hex_encode};
use crate::basics::{SafeText, limits};
use serde::{Deserialize, Serialize};

/// The file on top of a medium that says which one it is.
pub const VOLUME: &str = "VOLUME";
/// The file of an export that lists all the others, written last.
pub const MANIFEST: &str = "MANIFEST";
/// The folder for files put on the medium with plain tools.
pub const INBOX: &str = "INBOX";

const FORMAT: &str = "anchorite-volume/1";

/// Why octets or names are none of a volume.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VolumeError {
    #[error("{what}: {cause}")]
    Canonical { what: &'static str, cause: CanonicalError },
    #[error("{what}: expected format {expected}, found {found}")]
    Format { what: &'static str, expected: &'static str, found: SafeText },
    #[error("expected a medium id of 32 lower-case hexadecimal digits, found {0}")]
    Id(SafeText),
    #[error("expected a label of lower-case letters, digits and hyphens, at most {most}, found {found}")]
    Label { most: usize, found: SafeText },
    #[error("expected the name of an export, EXP-0001 to EXP-9999, found {0}")]
    Export(SafeText),
    #[error("{found}: {why}")]
    Name { found: SafeText, why: &'static str },
    #[error("{MANIFEST}: expected 1 to {most} files, found {found}")]
    Count { most: usize, found: usize },
    #[error("{MANIFEST}: expected the names in order, each once, found {second} after {first}")]
    Order { first: FileName, second: FileName },
    #[error("{MANIFEST}: {first} and {second} are one name where case does not count")]
    Case { first: FileName, second: FileName },
    #[error("{MANIFEST}: {name}: expected at most {most} octets, listed with {found}")]
    Size { name: FileName, most: u64, found: u64 },
    #[error("{MANIFEST}: expected at most {most} octets in all, listed with {found}")]
    Total { most: u64, found: u64 },
}

/// Sixteen octets that name one medium for ever.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MediumId([u8; 16]);

impl MediumId {
    #[must_use]
    pub const fn from_octets(octets: [u8; 16]) -> Self {
        Self(octets)
    }

    /// # Errors
    /// Where the text is not 32 lower-case hexadecimal digits.
    pub fn parse(text: &str) -> Result<Self, VolumeError> {
        let octets = hex_decode(text).and_then(|octets| octets.try_into().ok());
        octets.map(Self).ok_or_else(|| VolumeError::Id(SafeText::cut(text, 60)))
    }

    #[must_use]
    pub fn hex(&self) -> String {
        hex_encode(&self.0)
    }
}

impl std::fmt::Display for MediumId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.hex())
    }
}

impl std::fmt::Debug for MediumId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.hex())
    }
}

/// Which medium this is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume {
    pub id: MediumId,
    pub label: Label,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenVolume {
    format: String,
    id: String,
    label: String,
}

impl Volume {
    /// Reads the file `VOLUME`.
    ///
    /// # Errors
    /// Where the octets are not exactly what [`Volume::to_octets`] writes.
    pub fn parse(octets: &[u8]) -> Result<Self, VolumeError> {
        let written: WrittenVolume = canonical::parse(octets, limits::VOLUME_OCTETS)
            .map_err(|cause| VolumeError::Canonical { what: VOLUME, cause })?;
        if written.format != FORMAT {
            let found = SafeText::cut(&written.format, 60);
            return Err(VolumeError::Format { what: VOLUME, expected: FORMAT, found });
        }
        Ok(Self { id: MediumId::parse(&written.id)?, label: Label::parse(&written.label)? })
    }

    /// The octets of the file.
    ///
    /// # Errors
    /// Never for three texts; the writer of JSON says so in its type.
    pub fn to_octets(&self) -> Result<Vec<u8>, VolumeError> {
        let written =
            WrittenVolume { format: FORMAT.to_owned(), id: self.id.hex(), label: self.label.as_str().to_owned() };
        canonical::to_octets(&written).map_err(|cause| VolumeError::Canonical { what: VOLUME, cause })
    }
}

impl std::fmt::Display for Volume {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}` (id {})", self.label, self.id)
    }
}

#[cfg(test)]
mod tests;
