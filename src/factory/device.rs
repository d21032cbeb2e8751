//! The names of a device and of a bundle.

use crate::basics::digest::{hex_decode, hex_encode};
use crate::basics::limits;
use crate::factory::Refusal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What names a device: 1 to 64 of `A-Z a-z 0-9 - . :`, so that it is a PrintableString (X.520 serialNumber), one word on a
/// command line and never a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceId(String);

impl DeviceId {
    /// # Errors
    /// Where the text is empty, too long, begins with `-` or `.`, or has another character.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let plain = |octet: u8| octet.is_ascii_alphanumeric() || b"-.:".contains(&octet);
        let starts = text.bytes().next().is_some_and(|octet| octet.is_ascii_alphanumeric());
        if !starts || text.len() > limits::DEVICE_ID_CHARS || !text.bytes().all(plain) {
            let expected = format!(
                "1 to {} of A-Z, a-z, 0-9, \"-\", \".\" and \":\", a letter or digit first",
                limits::DEVICE_ID_CHARS
            );
            return Err(Refusal::malformed("device id", expected, format!("\"{text}\"")));
        }
        Ok(Self(text.to_owned()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for DeviceId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for DeviceId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for DeviceId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// What names a bundle: 16 octets that were drawn for it, written as 32 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BundleId([u8; 16]);

impl BundleId {
    #[must_use]
    pub const fn from_octets(octets: [u8; 16]) -> Self {
        Self(octets)
    }

    #[must_use]
    pub const fn octets(&self) -> &[u8; 16] {
        &self.0
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        hex_decode(text)?.try_into().ok().map(Self)
    }

    #[must_use]
    pub fn hex(&self) -> String {
        hex_encode(&self.0)
    }
}

impl std::fmt::Display for BundleId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.hex())
    }
}

impl std::fmt::Debug for BundleId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.hex())
    }
}

impl Serialize for BundleId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.hex())
    }
}

impl<'de> Deserialize<'de> for BundleId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("expected 32 lower-case hexadecimal digits"))
    }
}
