//! The work of one shard, where cores are to spare in parts: keys, octets to be signed, signatures, all of a part verified in one
//! equation, records.

use super::{Batch, Due};
use crate::basics::{Digest, limits, secret};
use crate::custody::draw::Draws;
use crate::factory::Mode;
use crate::factory::kept;
use crate::factory::record::{self, DeviceKey};
use crate::factory::sample::identifier;
use crate::keys::many::{self, KeyPair};
use crate::keys::{Algorithm, SigningKey, SubjectKey};
use crate::pki::template::Places;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// What one thread made of its part of a shard.
pub(super) struct Made {
    /// Records, one after the other.
    pub(super) records: Zeroizing<Vec<u8>>,
    pub(super) digests: Vec<Digest>,
    /// What of the records is public, likewise.
    pub(super) public: Vec<u8>,
    /// Those that are linted, with their index.
    pub(super) certificates: Vec<(u32, Vec<u8>)>,
}

impl Made {
    /// Forgets the records: they hold private keys, and are wiped at once and fast instead of octet by octet.
    pub(super) fn wipe(&mut self) {
        secret::wipe(&mut self.records);
        self.records.clear();
    }
}

/// What is signed for one device.
struct ToSign {
    tbs: Vec<u8>,
    /// Octets of the lineage, to which the certificate commits.
    lineage: Vec<u8>,
}

enum Keys {
    P256(Vec<KeyPair>),
    One(Vec<SigningKey>),
    /// Made in the devices: nothing is held of them here.
    Theirs,
}

/// Makes the records of a shard; nothing is given out unless every signature and key verified.
pub(super) fn shard(
    batch: &Batch,
    key: &SigningKey,
    draws: &Draws,
    first: u32,
    devices: &[Due],
    threads: usize,
) -> Result<Vec<Made>, String> {
    let part = devices.len().div_ceil(threads.max(1)).max(1);
    let parts: Vec<(u32, &[Due])> =
        devices.chunks(part).zip((first..).step_by(part)).map(|(devices, first)| (first, devices)).collect();
    each(&parts, |(first, devices)| {
        let (keys, to_sign) = prepare(batch, draws, *first, devices)?;
        let signatures = signatures(batch, key, &to_sign, &keys)?;
        finish(batch, *first, devices, &to_sign, &signatures, &keys)
    })
}

impl Keys {
    /// At most so many octets of a record are its key's, as far as one says it of all.
    fn octets(&self) -> usize {
        match self {
            Self::P256(_) => many::PKCS8_OCTETS,
            Self::One(ones) => ones.first().and_then(|one| one.to_pkcs8_der().ok()).map_or(0, |der| der.len() + 16),
            Self::Theirs => 0,
        }
    }
}

/// Runs the same work on every part, each on a thread of its own.
pub(super) fn each<P: Sync, T: Send>(
    parts: &[P],
    work: impl Fn(&P) -> Result<T, String> + Sync,
) -> Result<Vec<T>, String> {
    if let [alone] = parts {
        return Ok(vec![work(alone)?]);
    }
    std::thread::scope(|scope| {
        let threads: Vec<_> = parts.iter().map(|part| scope.spawn(|| work(part))).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|_| Err("a thread of the batch ended early".to_owned())))
            .collect()
    })
}

fn prepare(batch: &Batch, draws: &Draws, first: u32, devices: &[Due]) -> Result<(Keys, Vec<ToSign>), String> {
    let step = format!("batch {}", batch.terms.order);
    let octets = batch.algorithm().material_octets();
    let material = |index| draws.expand(&step, "device-key", index, 0, octets);
    let mut all = Vec::with_capacity(devices.len());
    let keys = match batch.algorithm() {
        _ if batch.terms.mode == Mode::DeviceGenerated => {
            for (index, due) in (first..).zip(devices) {
                let key = due.key.as_ref().ok_or("a device without its key")?;
                all.push(to_be_signed(batch, index, due, key.spki_der(), &identifier(key)?)?);
            }
            Keys::Theirs
        }
        Algorithm::EcdsaP256 => {
            let mut pairs = Vec::with_capacity(devices.len());
            for (index, device) in (first..).zip(devices) {
                let pair = KeyPair::from_material(material(index).expose()).map_err(|e| e.to_string())?;
                all.push(to_be_signed(batch, index, device, &pair.spki_der(), &identifier_of(pair.point()))?);
                pairs.push(pair);
            }
            Keys::P256(pairs)
        }
        algorithm => {
            let mut ones = Vec::with_capacity(devices.len());
            for (index, device) in (first..).zip(devices) {
                let one = SigningKey::from_material(algorithm, material(index).expose()).map_err(|e| e.to_string())?;
                let public = SubjectKey::from(one.public_key());
                all.push(to_be_signed(batch, index, device, public.spki_der(), &identifier(&public)?)?);
                ones.push(one);
            }
            Keys::One(ones)
        }
    };
    Ok((keys, all))
}

fn to_be_signed(batch: &Batch, index: u32, due: &Due, spki: &[u8], ski: &[u8; 20]) -> Result<ToSign, String> {
    let device = due.device.as_str();
    let linted = batch.templates.get(&(device.len(), due.attested)).ok_or("no template for this device")?;
    let lineage = batch.lineage(index, due).to_octets();
    let digest = batch.terms.lineage_oid.is_some().then(|| Digest::of(&lineage));
    let serial = batch.serial(index)?;
    let places = Places { serial: &serial, device, spki, ski, lineage: digest.as_ref() };
    let mut tbs = Vec::new();
    linted.template.fill(&places, &mut tbs).map_err(|e| e.to_string())?;
    Ok(ToSign { tbs, lineage })
}

/// The signatures as they go into certificates, once all of them and all key pairs have been verified.
fn signatures(batch: &Batch, key: &SigningKey, each: &[ToSign], keys: &Keys) -> Result<Vec<Vec<u8>>, String> {
    let Some(many) = &batch.many else {
        // One at a time, each verified as it is made.
        return each.iter().map(|one| key.sign(&one.tbs)).collect::<Result<_, _>>().map_err(|e| e.to_string());
    };
    let digests: Vec<[u8; 32]> = each.iter().map(|one| Sha256::digest(&one.tbs).into()).collect();
    let pairs = if let Keys::P256(pairs) = keys { pairs.as_slice() } else { &[] };
    let signed = many.sign(&digests).map_err(|e| e.to_string())?;
    let verified = many::verify_all(many, signed, pairs).map_err(|e| e.to_string())?;
    Ok(verified.iter().map(many::Signature::to_der).collect())
}

fn finish(
    batch: &Batch,
    first: u32,
    devices: &[Due],
    signed: &[ToSign],
    signatures: &[Vec<u8>],
    keys: &Keys,
) -> Result<Made, String> {
    // Room for all of it at once: what grows is copied, and a record must not leave a copy behind.
    let longest = signed.iter().map(|one| one.tbs.len() + one.lineage.len()).max().unwrap_or(0);
    let public = longest + signatures.iter().map(Vec::len).max().unwrap_or(0) + limits::DEVICE_ID_CHARS + 64;
    let mut made = Made {
        records: Zeroizing::new(Vec::with_capacity(devices.len() * (public + keys.octets()))),
        digests: Vec::with_capacity(devices.len()),
        public: Vec::with_capacity(devices.len() * public),
        certificates: Vec::new(),
    };
    for (n, ((due, signed), signature)) in devices.iter().zip(signed).zip(signatures).enumerate() {
        let key = match keys {
            Keys::P256(pairs) => pairs.get(n).map(KeyPair::pkcs8_der),
            Keys::One(ones) => ones.get(n).map(SigningKey::to_pkcs8_der).transpose().map_err(|e| e.to_string())?,
            Keys::Theirs => None,
        };
        let index = first + u32::try_from(n).unwrap_or(u32::MAX);
        let device = &due.device;
        let key = match (key, keys) {
            (None, Keys::Theirs) => DeviceKey::None,
            (Some(key), _) => DeviceKey::Pkcs8(key),
            (None, _) => return Err("a device without a key".to_owned()),
        };
        let certificate = batch.wrapping.certificate(&signed.tbs, signature);
        let extras = BTreeMap::new();
        record::write(&mut made.records, index, device, &certificate, &key, &signed.lineage, &extras);
        let (realm, bundle) = (batch.terms.realm, &batch.terms.bundle);
        kept::write(&mut made.public, index, device, &certificate, &signed.lineage);
        made.digests.push(record::digest(realm, bundle, index, device, &certificate, &signed.lineage));
        if batch.is_linted(index) {
            made.certificates.push((index, certificate));
        }
    }
    if made.digests.len() != devices.len() {
        return Err(format!("expected {} records, made {}", devices.len(), made.digests.len()));
    }
    Ok(made)
}

fn identifier_of(point: &[u8; many::POINT_OCTETS]) -> [u8; 20] {
    let digest = Sha256::digest(point);
    std::array::from_fn(|n| digest.get(n).copied().unwrap_or_default())
}
