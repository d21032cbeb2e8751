//! What a device is and where it comes from: the manifest of one device, to which its certificate may commit (PKI-RULES 2.3)
//! without telling any of it.
//!
//! ```text
//! a6                                  map; keys rise, 7 and 8 are left out where there is nothing to say
//!   00 66 "LAMP-1"                    device id
//!   01 64 "lamp"   02 66 "LAMP-W"     product, SKU
//!   03 65 "1.4.0"  04 58 20 <32>      firmware: version, SHA-256
//!   05 50 <16>     06 58 20 <32>      bundle id, order digest
//!   07 a1 63 "soc" 64 "9f3c"          hardware ids by kind
//!   08 54 <1..20>                     serial number of the certificate this one replaces
//! ```

use crate::basics::{Digest, limits};
use crate::factory::cbor::{Reader, Writer, same_octets};
use crate::factory::{BundleId, DeviceId, Refusal};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const WHAT: &str = "lineage";
const KEYS: u64 = 9;

/// The firmware a device may be given with its identity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Firmware {
    pub version: String,
    pub sha256: Digest,
}

/// Everything one device's identity is bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lineage {
    pub device: DeviceId,
    pub product: String,
    pub sku: String,
    pub firmware: Firmware,
    pub bundle: BundleId,
    pub order: Digest,
    /// Kind ("soc", "secure-element", "board", "lot", ...) to id.
    pub hardware: BTreeMap<String, String>,
    /// Content of the INTEGER of the certificate that this one replaces.
    pub replaces: Option<Vec<u8>>,
}

impl Lineage {
    /// The octets, deterministic.
    #[must_use]
    pub fn to_octets(&self) -> Vec<u8> {
        let mut octets = Vec::with_capacity(256);
        let mut w = Writer::new(&mut octets);
        w.map(7 + u64::from(!self.hardware.is_empty()) + u64::from(self.replaces.is_some()));
        w.number(0).text(self.device.as_str());
        w.number(1).text(&self.product).number(2).text(&self.sku);
        w.number(3).text(&self.firmware.version).number(4).octets(self.firmware.sha256.octets());
        w.number(5).octets(self.bundle.octets()).number(6).octets(self.order.octets());
        if !self.hardware.is_empty() {
            w.number(7);
            write_texts(&mut w, &self.hardware);
        }
        if let Some(serial) = &self.replaces {
            w.number(8).octets(serial);
        }
        octets
    }

    /// Reads exactly what [`Lineage::to_octets`] writes.
    ///
    /// # Errors
    /// Where it is anything else.
    pub fn parse(octets: &[u8]) -> Result<Self, Refusal> {
        if octets.len() > limits::LINEAGE_OCTETS {
            return Err(Refusal::malformed(WHAT, format!("at most {} octets", limits::LINEAGE_OCTETS), octets.len()));
        }
        let mut r = Reader::new(WHAT, octets);
        let entries = r.map(KEYS)?;
        let key = |expected: u64, r: &mut Reader<'_>| match r.number()? {
            found if found == expected => Ok(()),
            found => Err(Refusal::malformed(WHAT, format!("key {expected}"), found)),
        };
        key(0, &mut r)?;
        let device = DeviceId::parse(r.text(limits::DEVICE_ID_CHARS)?)?;
        key(1, &mut r)?;
        let product = r.text(limits::PRODUCT_OCTETS)?.to_owned();
        key(2, &mut r)?;
        let sku = r.text(limits::PRODUCT_OCTETS)?.to_owned();
        key(3, &mut r)?;
        let version = r.text(limits::PRODUCT_OCTETS)?.to_owned();
        key(4, &mut r)?;
        let sha256 = Digest::from_octets(r.octets_of()?);
        key(5, &mut r)?;
        let bundle = BundleId::from_octets(r.octets_of()?);
        key(6, &mut r)?;
        let order = Digest::from_octets(r.octets_of()?);
        let firmware = Firmware { version, sha256 };
        let (hardware, replaces) = (BTreeMap::new(), None);
        let mut lineage = Self { device, product, sku, firmware, bundle, order, hardware, replaces };
        for _ in 7..entries {
            match r.number()? {
                7 => lineage.hardware = read_texts(&mut r)?,
                8 => lineage.replaces = Some(r.octets(20)?.to_vec()),
                other => return Err(Refusal::malformed(WHAT, "key 7 or 8", other)),
            }
        }
        same_octets(WHAT, &lineage.to_octets(), octets)?;
        Ok(lineage)
    }

    /// What a certificate commits to: SHA-256 of the octets.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.to_octets())
    }
}

/// Deterministic: by length of the key, then by its octets (RFC 8949 4.2.1 on the encoded keys, all shorter than 24 octets or
/// written with the same head length).
pub(super) fn write_texts(w: &mut Writer<'_>, texts: &BTreeMap<String, String>) {
    let mut sorted: Vec<_> = texts.iter().collect();
    sorted.sort_by_key(|(key, _)| (key.len(), key.as_str()));
    w.map(sorted.len() as u64);
    for (key, value) in sorted {
        w.text(key).text(value);
    }
}

pub(super) fn read_texts(r: &mut Reader<'_>) -> Result<BTreeMap<String, String>, Refusal> {
    let mut texts = BTreeMap::new();
    for _ in 0..r.map(limits::HARDWARE_IDS)? {
        let key = r.text(limits::HARDWARE_KIND_OCTETS)?.to_owned();
        texts.insert(key, r.text(limits::PRODUCT_OCTETS)?.to_owned());
    }
    Ok(texts)
}
