//! What the strongroom certifies of a collection: device, key, whether it is attested, hardware ids. Custodians approve its digests.
//!
//! ```text
//! 84                      array of 4
//!   6d "LAMP-00000001"    device id
//!   01                    1 where the key is attested
//!   58 5b <91>            SubjectPublicKeyInfo
//!   a1 63 "soc" 64 ".."   hardware ids by kind
//! ```

use crate::basics::{Digest, Realm, limits};
use crate::factory::cbor::{Reader, Writer, same_octets};
use crate::factory::lineage::{read_texts, write_texts};
use crate::factory::{DeviceId, Refusal};
use std::collections::BTreeMap;

const WHAT: &str = "accepted request";

/// A device whose key is to be certified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    pub device: DeviceId,
    pub attested: bool,
    /// DER.
    pub spki: Vec<u8>,
    pub hardware: BTreeMap<String, String>,
}

impl Accepted {
    /// Appends the octets.
    pub fn write(&self, octets: &mut Vec<u8>) {
        let mut w = Writer::new(octets);
        w.array(4).text(self.device.as_str()).number(u64::from(self.attested)).octets(&self.spki);
        write_texts(&mut w, &self.hardware);
    }

    /// Every one of a shard.
    ///
    /// # Errors
    /// Where the octets are not exactly what [`Accepted::write`] writes, one after the other.
    pub fn read_all(octets: &[u8]) -> Result<Vec<Self>, Refusal> {
        let (mut rest, mut all) = (octets, Vec::new());
        while !rest.is_empty() {
            if all.len() >= limits::SHARD_RECORDS {
                return Err(Refusal::malformed(WHAT, format!("at most {}", limits::SHARD_RECORDS), "more"));
            }
            let mut r = Reader::new(WHAT, rest);
            r.array(4)?;
            let device = DeviceId::parse(r.text(limits::DEVICE_ID_CHARS)?)?;
            let attested = match r.number()? {
                0 => false,
                1 => true,
                other => return Err(Refusal::malformed(WHAT, "0 or 1", other)),
            };
            let spki = r.octets(limits::DEVICE_KEY_OCTETS)?.to_vec();
            let hardware = read_texts(&mut r)?;
            let used = r.position();
            let one = Self { device, attested, spki, hardware };
            let mut again = Vec::new();
            one.write(&mut again);
            same_octets(WHAT, &again, rest.get(..used).unwrap_or_default())?;
            rest = rest.get(used..).unwrap_or_default();
            all.push(one);
        }
        Ok(all)
    }
}

/// What stands for the accepted requests of one shard: `tagged("batch-requests", realm, [octets])`.
#[must_use]
pub fn shard_digest(realm: Realm, octets: &[u8]) -> Digest {
    Digest::tagged("batch-requests", realm, &[octets])
}
