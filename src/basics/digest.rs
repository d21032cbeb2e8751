//! SHA-256 digests and the one way this project makes a tagged hash.
//!
//! `tagged(what, realm, parts)` is SHA-256 over `lp("anchorite/" what "/v1") || lp(realm) || lp(part) ...`, where
//! `lp(x)` is the length of `x` as four octets, big endian, then `x`. Length prefixes make the input unambiguous.

use crate::basics::{Realm, words};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

/// A SHA-256 digest: 32 octets, written as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    #[must_use]
    pub const fn from_octets(octets: [u8; 32]) -> Self {
        Self(octets)
    }

    /// Plain SHA-256, as `sha256sum` prints it.
    #[must_use]
    pub fn of(octets: &[u8]) -> Self {
        Self(Sha256::digest(octets).into())
    }

    /// The tagged hash described in the module comment.
    #[must_use]
    pub fn tagged(what: &str, realm: Realm, parts: &[&[u8]]) -> Self {
        let mut hasher = Sha256::new();
        absorb(&mut hasher, format!("anchorite/{what}/v1").as_bytes());
        absorb(&mut hasher, realm.word().as_bytes());
        for part in parts {
            absorb(&mut hasher, part);
        }
        Self(hasher.finalize().into())
    }

    /// Parses exactly 64 lower-case hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let octets = hex_decode(text)?;
        octets.try_into().ok().map(Self)
    }

    #[must_use]
    pub const fn octets(&self) -> &[u8; 32] {
        &self.0
    }

    #[must_use]
    pub fn hex(&self) -> String {
        hex_encode(&self.0)
    }

    /// Hexadecimal in groups of four, for people: `9d41 22fe ...`.
    #[must_use]
    pub fn grouped(&self) -> String {
        group(&self.hex(), 4)
    }

    /// The first `count` words (11 bits each, BIP-39 English list) of the digest, at most 23.
    #[must_use]
    pub fn words(&self, count: usize) -> Vec<&'static str> {
        words::of(&self.0, count)
    }

    /// Twelve words: what people compare aloud.
    #[must_use]
    pub fn twelve_words(&self) -> String {
        self.words(12).join(" ")
    }

    /// Three words: a label for the header line, never accepted as an expectation.
    #[must_use]
    pub fn label(&self) -> String {
        self.words(3).join("-")
    }
}

fn absorb(hasher: &mut Sha256, part: &[u8]) {
    let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
    hasher.update(length.to_be_bytes());
    hasher.update(part);
}

/// Splits ASCII text into groups of `size` characters separated by one space.
#[must_use]
pub fn group(text: &str, size: usize) -> String {
    let mut grouped = String::with_capacity(text.len() + text.len() / size.max(1));
    for (index, character) in text.chars().enumerate() {
        if index > 0 && index % size.max(1) == 0 {
            grouped.push(' ');
        }
        grouped.push(character);
    }
    grouped
}

/// Lower-case hexadecimal.
#[must_use]
pub fn hex_encode(octets: &[u8]) -> String {
    const DIGITS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    octets
        .iter()
        .flat_map(|octet| [octet >> 4, octet & 0x0f])
        .filter_map(|digit| DIGITS.get(usize::from(digit)))
        .collect()
}

/// Strict inverse of [`hex_encode`]: even length, lower case only.
#[must_use]
pub fn hex_decode(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let value = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    digits
        .chunks_exact(2)
        .map(|pair| match pair {
            [high, low] => Some(value(*high)? << 4 | value(*low)?),
            _ => None,
        })
        .collect()
}

impl std::fmt::Display for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.hex())
    }
}

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.hex())
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.hex())
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("expected 64 lower-case hexadecimal digits"))
    }
}
