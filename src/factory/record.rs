//! One device's identity, as it lies in a shard: a CBOR array.
//!
//! ```text
//! 87                          array of 7
//!   00                        index of the device in its bundle, from 0
//!   66 "LAMP-1"               device id
//!   59 01c2 <450>             certificate, DER
//!   01                        key format: 0 none, 1 PKCS#8 DER
//!   58 8a <138>               private key; empty with format 0
//!   58 9b <155>               lineage (its own CBOR, as a byte string: what the certificate commits to)
//!   a0                        extras: text to octets, for what a product adds (a Matter verifier, a set-up code)
//! ```
//!
//! **Record digest** = `tagged("record", realm, [bundle id, index as four octets, device id, certificate, lineage])`. It has no
//! secret in it: neither the key, which the certificate names, nor the extras. It is what a leaf holds and what a device signs.

use crate::basics::{Digest, Realm, Secret, limits, secret};
use crate::factory::cbor::{Reader, Writer, same_octets};
use crate::factory::lineage::Lineage;
use crate::factory::{BundleId, DeviceId, Refusal};
use std::collections::BTreeMap;
use zeroize::Zeroizing;

const WHAT: &str = "record";

/// A device's private key, as its bundle carries it.
pub enum DeviceKey {
    /// The key never left the device.
    None,
    /// The DER of a PKCS#8 PrivateKeyInfo.
    Pkcs8(Secret),
}

/// One device's identity. No `Debug`, no `Clone`: it may hold a private key.
///
/// ```compile_fail
/// fn printable<T: std::fmt::Debug>() {}
/// printable::<anchorite::factory::Record>();
/// ```
/// ```compile_fail
/// fn copied<T: Clone>() {}
/// copied::<anchorite::factory::Record>();
/// ```
pub struct Record {
    pub index: u32,
    pub device: DeviceId,
    /// DER.
    pub certificate: Vec<u8>,
    pub key: DeviceKey,
    pub lineage: Lineage,
    /// What a product adds; may be secret.
    pub extras: BTreeMap<String, Secret>,
}

impl Record {
    /// Appends the octets to `octets`, which are wiped when dropped and never grow here: room is made first.
    pub fn write(&self, octets: &mut Zeroizing<Vec<u8>>) {
        let lineage = self.lineage.to_octets();
        write(octets, self.index, &self.device, &self.certificate, &self.key, &lineage, &self.extras);
    }

    /// Reads one record from the front of `octets`; gives it and how many octets it took.
    ///
    /// # Errors
    /// Where what is there is not exactly what [`Record::write`] writes.
    pub fn read(octets: &[u8]) -> Result<(Self, usize), Refusal> {
        let mut r = Reader::new(WHAT, octets);
        r.array(7)?;
        let index = r.number_u32()?;
        let device = DeviceId::parse(r.text(limits::DEVICE_ID_CHARS)?)?;
        let certificate = r.octets(limits::DEVICE_CERTIFICATE_OCTETS)?.to_vec();
        let format = r.number()?;
        let key = r.octets(limits::DEVICE_KEY_OCTETS)?;
        let key = match (format, key.is_empty()) {
            (0, true) => DeviceKey::None,
            (1, false) => DeviceKey::Pkcs8(Secret::take(key.to_vec())),
            _ => return Err(Refusal::malformed(WHAT, "no key with format 0, or a key with format 1", format)),
        };
        let lineage = Lineage::parse(r.octets(limits::LINEAGE_OCTETS)?)?;
        let mut extras = BTreeMap::new();
        for _ in 0..r.map(limits::RECORD_EXTRAS)? {
            let name = r.text(limits::HARDWARE_KIND_OCTETS)?.to_owned();
            extras.insert(name, Secret::take(r.octets(limits::RECORD_EXTRA_OCTETS)?.to_vec()));
        }
        let used = r.position();
        let record = Self { index, device, certificate, key, lineage, extras };
        let mut again = Zeroizing::new(Vec::new());
        record.write(&mut again);
        same_octets(WHAT, &again, octets.get(..used).unwrap_or_default())?;
        if record.lineage.device != record.device {
            return Err(Refusal::malformed(
                format!("record {index}"),
                format!("a lineage of {}", record.device),
                &record.lineage.device,
            ));
        }
        Ok((record, used))
    }

    /// What stands for this record in public: see the module comment.
    #[must_use]
    pub fn digest(&self, realm: Realm) -> Digest {
        digest(realm, &self.lineage.bundle, self.index, &self.device, &self.certificate, &self.lineage.to_octets())
    }
}

/// What [`Record::write`] appends, from its parts: a batch has the lineage as octets already.
pub fn write(
    octets: &mut Zeroizing<Vec<u8>>,
    index: u32,
    device: &DeviceId,
    certificate: &[u8],
    key: &DeviceKey,
    lineage: &[u8],
    extras: &BTreeMap<String, Secret>,
) {
    let (format, key): (u64, &[u8]) = match key {
        DeviceKey::None => (0, &[]),
        DeviceKey::Pkcs8(key) => (1, key.expose()),
    };
    let extra: usize = extras.iter().map(|(name, value)| name.len() + value.len() + 12).sum();
    reserve(octets, 64 + device.as_str().len() + certificate.len() + key.len() + lineage.len() + extra);
    let mut w = Writer::new(octets);
    w.array(7).number(u64::from(index)).text(device.as_str()).octets(certificate);
    w.number(format).octets(key).octets(lineage);
    let mut sorted: Vec<_> = extras.iter().collect();
    sorted.sort_by_key(|(name, _)| (name.len(), name.as_str()));
    w.map(sorted.len() as u64);
    for (name, value) in sorted {
        w.text(name).octets(value.expose());
    }
}

/// The record digest from its parts.
#[must_use]
pub fn digest(
    realm: Realm,
    bundle: &BundleId,
    index: u32,
    device: &DeviceId,
    certificate: &[u8],
    lineage: &[u8],
) -> Digest {
    let index = index.to_be_bytes();
    Digest::tagged("record", realm, &[bundle.octets(), &index, device.as_str().as_bytes(), certificate, lineage])
}

/// What a device signs to prove that it has the key of its certificate: `nonce || record digest`, 64 octets.
#[must_use]
pub fn possession_message(nonce: &Digest, record: &Digest) -> Vec<u8> {
    [nonce.octets().as_slice(), record.octets()].concat()
}

/// The nonce of one device, fixed by the ceremony in the manifest's `nonce`: a factory cannot choose it.
#[must_use]
pub fn possession_nonce(realm: Realm, bundle_nonce: &Digest, index: u32) -> Digest {
    Digest::tagged("possession-nonce", realm, &[bundle_nonce.octets(), &index.to_be_bytes()])
}

/// Makes room without leaving an unwiped copy behind, as a growing vector would.
fn reserve(octets: &mut Zeroizing<Vec<u8>>, more: usize) {
    if octets.capacity() - octets.len() < more {
        let mut larger = Zeroizing::new(Vec::with_capacity((octets.len() + more).max(octets.capacity() * 2)));
        larger.extend_from_slice(octets);
        secret::wipe(octets);
        octets.clear();
        *octets = larger;
    }
}
