//! Where the texts of the codes come from.

use crate::basics::{Digest, Realm};
use crate::tui::widgets::qr_code::Modules;
use qrcodegen::{Mask, QrCode, QrCodeEcc, QrSegment, Version};

/// What is shown, as people compare it on both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    pub realm: Realm,
    pub kind: String,
    pub name: String,
    pub octets: usize,
    /// Of the whole envelope.
    pub digest: Digest,
}

/// An object as the texts of codes, at any density.
pub trait Frames {
    /// The object in the text of one code that any reader takes, if there is such a code.
    fn single(&self) -> Option<String>;
    /// Octets of the object that one code of this version carries.
    fn octets(&self, version: u8) -> usize;
    /// Codes of this version that hold the object once.
    fn sources(&self, version: u8) -> u32;
    /// The text of a code, counted from 0, without end.
    ///
    /// # Errors
    /// Where the object has no codes of this version.
    fn text(&mut self, version: u8, number: u64) -> Result<String, String>;
}

/// The modules of a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    pub version: u8,
    pub text: String,
    size: usize,
    dark: Vec<bool>,
}

impl Code {
    /// One of the codes that follow each other: level L, since what is lost comes again in another shape, and a mask
    /// given by its number, since choosing the best of eight takes eight times as long.
    ///
    /// # Errors
    /// Where the text does not fit the version.
    pub fn following(text: &str, version: u8, number: u64) -> Result<Self, String> {
        let version = Version::new(version.clamp(Version::MIN.value(), Version::MAX.value()));
        let mask = u8::try_from(number % 8).unwrap_or_default();
        Self::of(text, version, version, Some(Mask::new(mask)))
    }

    /// The one code of an object: as small as it can be, with the most correction that costs no space.
    ///
    /// # Errors
    /// Where no code is large enough.
    pub fn single(text: &str) -> Result<Self, String> {
        Self::of(text, Version::MIN, Version::MAX, None)
    }

    fn of(text: &str, least: Version, most: Version, mask: Option<Mask>) -> Result<Self, String> {
        let segments = QrSegment::make_segments(text);
        let code = QrCode::encode_segments_advanced(&segments, QrCodeEcc::Low, least, most, mask, mask.is_none())
            .map_err(|error| format!("expected a text that fits a code of version {}: {error}", most.value()))?;
        let dark = (0..code.size()).flat_map(|y| (0..code.size()).map(move |x| (x, y)));
        let dark = dark.map(|(x, y)| code.get_module(x, y)).collect();
        let size = usize::try_from(code.size()).unwrap_or_default();
        Ok(Self { version: code.version().value(), text: text.to_owned(), size, dark })
    }
}

impl Modules for Code {
    fn size(&self) -> usize {
        self.size
    }

    fn is_dark(&self, column: usize, row: usize) -> bool {
        column < self.size && self.dark.get(row * self.size + column).copied().unwrap_or(false)
    }
}
