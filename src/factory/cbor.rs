//! Deterministic CBOR (RFC 8949 4.2.1) as these formats use it: unsigned integers, byte and text strings, arrays and maps of
//! definite length. Reading is lenient about spelling here; every caller writes again what it read and compares.

use crate::factory::Refusal;
use minicbor::{Decoder, Encoder};

/// Writes into a vector that must not grow where secrets go through it: callers reserve first.
pub(super) struct Writer<'v>(Encoder<&'v mut Vec<u8>>);

// Writing to a vector cannot fail, so the results are dropped.
impl<'v> Writer<'v> {
    pub(super) fn new(octets: &'v mut Vec<u8>) -> Self {
        Self(Encoder::new(octets))
    }

    pub(super) fn array(&mut self, length: u64) -> &mut Self {
        let _ = self.0.array(length);
        self
    }

    pub(super) fn map(&mut self, length: u64) -> &mut Self {
        let _ = self.0.map(length);
        self
    }

    pub(super) fn number(&mut self, number: u64) -> &mut Self {
        let _ = self.0.u64(number);
        self
    }

    pub(super) fn octets(&mut self, octets: &[u8]) -> &mut Self {
        let _ = self.0.bytes(octets);
        self
    }

    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        let _ = self.0.str(text);
        self
    }
}

/// Reads one value after the other; each refusal names what was being read.
pub(super) struct Reader<'o> {
    decoder: Decoder<'o>,
    what: &'static str,
}

impl<'o> Reader<'o> {
    pub(super) fn new(what: &'static str, octets: &'o [u8]) -> Self {
        Self { decoder: Decoder::new(octets), what }
    }

    fn refuse(&self, expected: &str) -> Refusal {
        Refusal::malformed(self.what, expected, format!("something else at octet {}", self.decoder.position()))
    }

    /// The head of an array of exactly `length`.
    pub(super) fn array(&mut self, length: u64) -> Result<(), Refusal> {
        match self.decoder.array() {
            Ok(Some(found)) if found == length => Ok(()),
            _ => Err(self.refuse(&format!("an array of {length}"))),
        }
    }

    /// The head of an array of at most `most` values.
    pub(super) fn array_up_to(&mut self, most: u64) -> Result<u64, Refusal> {
        match self.decoder.array() {
            Ok(Some(found)) if found <= most => Ok(found),
            _ => Err(self.refuse(&format!("an array of at most {most} values"))),
        }
    }

    /// The head of a map of at most `most` entries.
    pub(super) fn map(&mut self, most: u64) -> Result<u64, Refusal> {
        match self.decoder.map() {
            Ok(Some(found)) if found <= most => Ok(found),
            _ => Err(self.refuse(&format!("a map of at most {most} entries"))),
        }
    }

    pub(super) fn number(&mut self) -> Result<u64, Refusal> {
        self.decoder.u64().map_err(|_| self.refuse("an unsigned integer"))
    }

    pub(super) fn number_u32(&mut self) -> Result<u32, Refusal> {
        let number = self.number()?;
        u32::try_from(number).map_err(|_| self.refuse("an unsigned integer below 2^32"))
    }

    pub(super) fn octets(&mut self, most: usize) -> Result<&'o [u8], Refusal> {
        match self.decoder.bytes() {
            Ok(found) if found.len() <= most => Ok(found),
            _ => Err(self.refuse(&format!("a byte string of at most {most} octets"))),
        }
    }

    pub(super) fn octets_of<const N: usize>(&mut self) -> Result<[u8; N], Refusal> {
        self.octets(N)?.try_into().map_err(|_| self.refuse(&format!("a byte string of {N} octets")))
    }

    pub(super) fn text(&mut self, most: usize) -> Result<&'o str, Refusal> {
        match self.decoder.str() {
            Ok(found) if found.len() <= most => Ok(found),
            _ => Err(self.refuse(&format!("a text string of at most {most} octets"))),
        }
    }

    pub(super) fn position(&self) -> usize {
        self.decoder.position()
    }
}

/// Refuses what was read where writing it gives other octets.
pub(super) fn same_octets(what: &'static str, written: &[u8], read: &[u8]) -> Result<(), Refusal> {
    if written == read {
        return Ok(());
    }
    let expected = "the one spelling of deterministic CBOR, and nothing after it";
    Err(Refusal::malformed(what, expected, "the same value in another spelling, or octets after it"))
}
