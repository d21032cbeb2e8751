//! The text of one frame, and of a single code: capital letters and digits, so that a QR code holds it in one
//! alphanumeric segment, a hand-held imager can type it, and no program on the way guesses a character set.
//!
//! A frame is `AF1` and the RFC 4648 base32 (capitals, no padding) of
//!
//! ```text
//! id (16) | K (2) | ESI (3) | symbol (T) | CRC-32C of all before it (4)
//! ```
//!
//! numbers big endian. T follows from the length of the text. The id only says which frames belong together; it is
//! checked against what was received at the very end, by [`TransferId::of`].
//!
//! A single code is `AE1` and the base32 of
//!
//! ```text
//! envelope | 0 to 4 zero octets | CRC-32C of all before it (4)
//! ```
//!
//! with as many zero octets as make all of it a multiple of five: then the base32 has no padding to be missed, and
//! `cut -c4- | base32 -d | tail -n +2 | head -c LENGTH` gives the content with nothing but coreutils.

use crate::basics::{Digest, SafeText, limits};
use crate::transfer::{Envelope, EnvelopeError, UrError};
use data_encoding::BASE32_NOPAD;

pub(super) const FRAME: &str = "AF1";
pub(super) const SINGLE: &str = "AE1";
/// Octets of a frame beside its symbol.
pub(super) const OVERHEAD: usize = 16 + 2 + 3 + 4;
/// An encoding symbol id has 24 bits (RFC 6330, 3.2).
pub(super) const ESI_END: u32 = 1 << 24;

/// Names a transfer on the way. It routes and protects nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransferId([u8; 16]);

impl TransferId {
    /// The first 16 octets of `tagged("transfer", realm, envelope digest, K, T)`: another size of symbols is another
    /// transfer.
    pub(super) fn of(envelope: &Envelope, symbols: u16, symbol_octets: u16) -> Self {
        let digest = envelope.digest();
        let parts: [&[u8]; 3] = [digest.octets(), &symbols.to_be_bytes(), &symbol_octets.to_be_bytes()];
        let tagged = Digest::tagged("transfer", envelope.realm(), &parts);
        Self(tagged.octets().first_chunk().copied().unwrap_or_default())
    }

    #[must_use]
    pub const fn from_octets(octets: [u8; 16]) -> Self {
        Self(octets)
    }

    #[must_use]
    pub const fn octets(&self) -> &[u8; 16] {
        &self.0
    }
}

impl std::fmt::Display for TransferId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&crate::basics::digest::hex_encode(&self.0))
    }
}

impl std::fmt::Debug for TransferId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

/// Why a text is no frame.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    #[error("frame: expected at most 4296 characters, found {0}")]
    Long(usize),
    #[error("frame: expected it to open with AF1, AE1 or UR:BYTES/, found {0}")]
    Foreign(SafeText),
    #[error("frame: expected only A-Z and 2-7 after {magic}, found {found} at character {place}")]
    Character { magic: &'static str, found: SafeText, place: usize },
    #[error("frame: its {0} characters are no whole number of octets")]
    Torn(usize),
    #[error("frame: its checksum is wrong")]
    Checksum,
    #[error("frame: expected a symbol of at least 16 octets, found {0}")]
    Symbol(usize),
    #[error(
        "frame: expected 1 to 8192 source symbols and at most 4194304 octets together, found {symbols} of {symbol_octets}"
    )]
    Size { symbols: usize, symbol_octets: usize },
    #[error("single code: expected 0 to 4 zero octets after the envelope")]
    Padding,
    #[error("single code: {0}")]
    Envelope(EnvelopeError),
    #[error("{0}")]
    Ur(#[from] UrError),
}

/// One frame with a good checksum and bounded numbers; its symbol may still be anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    id: TransferId,
    symbols: u16,
    esi: u32,
    symbol: Vec<u8>,
}

impl Frame {
    /// # Errors
    /// Where a number is out of its bounds.
    pub fn new(id: TransferId, symbols: u16, esi: u32, symbol: Vec<u8>) -> Result<Self, FrameError> {
        let (count, octets) = (usize::from(symbols), symbol.len());
        if octets < limits::FRAME_LEAST_SYMBOL_OCTETS {
            return Err(FrameError::Symbol(octets));
        }
        let chars = FRAME.len() + BASE32_NOPAD.encode_len(octets + OVERHEAD);
        if chars > limits::FRAME_CHARS {
            return Err(FrameError::Long(chars));
        }
        // The last symbol may be padding but for one octet.
        if count == 0 || count > limits::FRAME_SYMBOLS || (count - 1) * octets >= limits::ENVELOPE_OCTETS {
            return Err(FrameError::Size { symbols: count, symbol_octets: octets });
        }
        Ok(Self { id, symbols, esi: esi & (ESI_END - 1), symbol })
    }

    /// Strict: `parse(x)?.encode() == x`. No more is allocated than the text is long.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, FrameError> {
        let octets = checked(text, FRAME)?;
        let short = || FrameError::Symbol(octets.len().saturating_sub(OVERHEAD - 4));
        let (id, rest) = octets.split_first_chunk::<16>().ok_or_else(short)?;
        let (symbols, rest) = rest.split_first_chunk::<2>().ok_or_else(short)?;
        let (&[high, middle, low], symbol) = rest.split_first_chunk::<3>().ok_or_else(short)?;
        let esi = u32::from_be_bytes([0, high, middle, low]);
        Self::new(TransferId(*id), u16::from_be_bytes(*symbols), esi, symbol.to_vec())
    }

    #[must_use]
    pub fn encode(&self) -> String {
        let mut octets = Vec::with_capacity(self.symbol.len() + OVERHEAD);
        octets.extend_from_slice(&self.id.0);
        octets.extend_from_slice(&self.symbols.to_be_bytes());
        octets.extend(self.esi.to_be_bytes().into_iter().skip(1));
        octets.extend_from_slice(&self.symbol);
        sealed(FRAME, octets)
    }

    #[must_use]
    pub const fn id(&self) -> TransferId {
        self.id
    }

    /// K: source symbols of the transfer.
    #[must_use]
    pub const fn symbols(&self) -> u16 {
        self.symbols
    }

    #[must_use]
    pub const fn esi(&self) -> u32 {
        self.esi
    }

    #[must_use]
    pub fn symbol(&self) -> &[u8] {
        &self.symbol
    }

    pub(super) fn into_symbol(self) -> Vec<u8> {
        self.symbol
    }
}

/// The text of a single code.
#[must_use]
pub fn single(envelope: &Envelope) -> String {
    let mut octets = envelope.to_octets();
    while !(octets.len() + 4).is_multiple_of(5) {
        octets.push(0);
    }
    sealed(SINGLE, octets)
}

/// The envelope of a single code.
///
/// # Errors
/// What is wrong with the text or the envelope.
pub fn parse_single(text: &str) -> Result<Envelope, FrameError> {
    let octets = checked(text, SINGLE)?;
    let (envelope, padding) = Envelope::parse_front(&octets).map_err(FrameError::Envelope)?;
    let fits = padding.len() < 5 && (octets.len() + 4).is_multiple_of(5);
    if !fits || padding.iter().any(|&octet| octet != 0) {
        return Err(FrameError::Padding);
    }
    Ok(envelope)
}

/// Characters of a single code of an envelope.
#[must_use]
pub fn single_chars(envelope_octets: usize) -> usize {
    SINGLE.len() + BASE32_NOPAD.encode_len((envelope_octets + 4).next_multiple_of(5))
}

fn sealed(magic: &str, mut octets: Vec<u8>) -> String {
    octets.extend(crc32c::crc32c(&octets).to_be_bytes());
    format!("{magic}{}", BASE32_NOPAD.encode(&octets))
}

/// The octets under a good checksum, without it.
fn checked(text: &str, magic: &'static str) -> Result<Vec<u8>, FrameError> {
    if text.len() > limits::FRAME_CHARS {
        return Err(FrameError::Long(text.len()));
    }
    let body = text.strip_prefix(magic).ok_or_else(|| FrameError::Foreign(SafeText::cut(text, 12)))?;
    if let Some(place) = body.bytes().position(|octet| !matches!(octet, b'A'..=b'Z' | b'2'..=b'7')) {
        let wrong = body.get(place..).and_then(|rest| rest.chars().next()).unwrap_or(char::REPLACEMENT_CHARACTER);
        let place = magic.len() + place + 1;
        return Err(FrameError::Character { magic, found: SafeText::of(&wrong.to_string()), place });
    }
    let mut octets = BASE32_NOPAD.decode(body.as_bytes()).map_err(|_| FrameError::Torn(body.len()))?;
    let payload = octets.len().checked_sub(4).ok_or(FrameError::Torn(body.len()))?;
    let checksum = octets.split_off(payload);
    if crc32c::crc32c(&octets).to_be_bytes() != checksum.as_slice() {
        return Err(FrameError::Checksum);
    }
    Ok(octets)
}
