//! Quorums: a named set of custodians with a threshold and a generation, and the header every share of it carries.
//!
//! It never holds a share. Everybody may use it: nothing here is secret.

use crate::basics::{Digest, Realm, digest};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The version that the prefixes `KS1` and `KR1` stand for.
pub const VERSION: u8 = 1;

/// The short name of one generation of one quorum: the first four octets of a tagged hash, so that a share can say where
/// it belongs. It identifies, it does not protect: two quorums may meet by chance once in 2^32, and what tells their
/// shares apart then is the commitment.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QuorumId([u8; 4]);

/// The id of a generation: `tagged("quorum", realm, name, recipient, generation as one octet)`, first four octets.
#[must_use]
pub fn quorum_id(realm: Realm, name: &str, recipient: &str, generation: u8) -> QuorumId {
    let digest = Digest::tagged("quorum", realm, &[name.as_bytes(), recipient.as_bytes(), &[generation]]);
    let [a, b, c, d, ..] = *digest.octets();
    QuorumId([a, b, c, d])
}

impl QuorumId {
    #[must_use]
    pub const fn from_octets(octets: [u8; 4]) -> Self {
        Self(octets)
    }

    #[must_use]
    pub const fn octets(self) -> [u8; 4] {
        self.0
    }

    /// Parses eight lower-case hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        digest::hex_decode(text)?.try_into().ok().map(Self)
    }

    #[must_use]
    pub fn hex(self) -> String {
        digest::hex_encode(&self.0)
    }
}

impl std::fmt::Display for QuorumId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&digest::group(&self.hex(), 4))
    }
}

impl std::fmt::Debug for QuorumId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.hex())
    }
}

impl Serialize for QuorumId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.hex())
    }
}

impl<'de> Deserialize<'de> for QuorumId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("expected 8 lower-case hexadecimal digits"))
    }
}

/// What all shares of one dealing have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuorumHead {
    pub realm: Realm,
    pub quorum_id: QuorumId,
    pub generation: u8,
    pub threshold: u8,
    pub count: u8,
}

impl QuorumHead {
    #[must_use]
    pub const fn header(self, index: u8) -> ShareHeader {
        let Self { realm, quorum_id, generation, threshold, count } = self;
        ShareHeader { version: VERSION, realm, quorum_id, generation, threshold, count, index }
    }
}

/// What a share says about itself. As read from a card it is a claim: `check` compares it with the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShareHeader {
    pub version: u8,
    pub realm: Realm,
    pub quorum_id: QuorumId,
    pub generation: u8,
    pub threshold: u8,
    pub count: u8,
    pub index: u8,
}

impl ShareHeader {
    /// The header without the index.
    #[must_use]
    pub const fn head(self) -> QuorumHead {
        let Self { version: _, realm, quorum_id, generation, threshold, count, index: _ } = self;
        QuorumHead { realm, quorum_id, generation, threshold, count }
    }

    /// The ten octets that enter the commitment: version, realm (0 production, 1 rehearsal), quorum id (4), generation,
    /// threshold, count, index. Example, share 2 of a 3-of-5: `01 00 5e1f9a03 01 03 05 02`.
    #[must_use]
    pub const fn octets(self) -> [u8; 10] {
        let [a, b, c, d] = self.quorum_id.octets();
        let realm = match self.realm {
            Realm::Production => 0,
            Realm::Rehearsal => 1,
        };
        [self.version, realm, a, b, c, d, self.generation, self.threshold, self.count, self.index]
    }
}

/// A generation that is no longer used, as the record names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retired {
    pub generation: u8,
    pub quorum_id: QuorumId,
    /// When it was retired, as people read it: `2026-11-22`.
    pub when: String,
}

/// What a verified record says about the live generation of a quorum: what shares are checked against.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuorumRecord {
    pub realm: Realm,
    pub name: String,
    pub id: QuorumId,
    pub generation: u8,
    pub threshold: u8,
    pub count: u8,
    /// The age recipient that the shares open.
    pub recipient: String,
    /// One commitment for each share, that of share 1 first.
    pub commitments: Vec<Digest>,
    /// Who holds share 1, 2, ...; may be shorter than `count`, then only the index is named.
    pub holders: Vec<String>,
    pub retired: Vec<Retired>,
}

impl QuorumRecord {
    #[must_use]
    pub const fn head(&self) -> QuorumHead {
        let Self { realm, id, generation, threshold, count, .. } = self;
        QuorumHead { realm: *realm, quorum_id: *id, generation: *generation, threshold: *threshold, count: *count }
    }

    /// The commitment of share `index`; indices start at 1.
    #[must_use]
    pub fn commitment(&self, index: u8) -> Option<&Digest> {
        self.commitments.get(usize::from(index).checked_sub(1)?)
    }

    /// The holder of share `index`, where the record names one.
    #[must_use]
    pub fn holder(&self, index: u8) -> Option<&str> {
        self.holders.get(usize::from(index).checked_sub(1)?).map(String::as_str)
    }
}
