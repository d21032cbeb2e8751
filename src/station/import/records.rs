//! Every record of a bundle, opened in memory and checked; on all cores, one shard at a time on each.

use crate::basics::{Digest, Secret, limits};
use crate::devices::durable_file;
use crate::factory::record::DeviceKey;
use crate::factory::shard::Records;
use crate::factory::{Class, Manifest, Mode, Record, Refusal, manifest, merkle};
use crate::keys::SigningKey;
use crate::pki::Certificate;
use crate::station::state::State;
use crate::station::store::Identity;
use crate::station::{StationError, unseal};
use der::pem::LineEnding;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use zeroize::Zeroizing;

/// A shard's number and what is in it.
type ShardResult = (u32, Result<Vec<Identity>, StationError>);

/// Threads at most.
const THREADS: usize = 16;

/// Checks every shard; gives the identities in order.
pub(super) fn check(
    folder: &Path,
    what: &Manifest,
    identity: &Secret,
    issuer: &Certificate,
) -> Result<Vec<Identity>, StationError> {
    let shards = what.shards();
    let next = AtomicU32::new(0);
    let done: Mutex<Vec<ShardResult>> = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(THREADS);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let shard = next.fetch_add(1, Ordering::Relaxed);
                    if shard >= shards {
                        return;
                    }
                    let result = one_shard(folder, what, identity, issuer, shard);
                    if result.is_err() {
                        // Nothing after it is looked at.
                        next.store(shards, Ordering::Relaxed);
                    }
                    done.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((shard, result));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    done.sort_by_key(|(shard, _)| *shard);
    let mut all = Vec::with_capacity(what.count as usize);
    for (_, result) in done {
        all.extend(result?);
    }
    agrees(folder, what, &all)?;
    Ok(all)
}

fn one_shard(
    folder: &Path,
    what: &Manifest,
    identity: &Secret,
    issuer: &Certificate,
    shard: u32,
) -> Result<Vec<Identity>, StationError> {
    let name = manifest::shard_name(shard);
    let sealed = durable_file::read(&folder.join(&name), limits::MEDIUM_FILE_OCTETS)?;
    let opened = unseal::shard(identity, &sealed)
        .map_err(|found| Refusal::new(Class::WrongRecipient, &name, "a shard sealed to this station", found))?;
    let records = Records::open(&opened)?;
    records.header().expect(&what.shard_header(shard))?;
    let mut identities = Vec::with_capacity(records.header().count as usize);
    let mut offset = records.header().to_octets().len() as u64;
    for record in records {
        let record = record?;
        let octets = u32::try_from(record_octets(&record)).unwrap_or(u32::MAX);
        identities.push(one_record(&record, what, issuer, shard, offset, octets)?);
        offset += u64::from(octets);
    }
    Ok(identities)
}

/// How long a record is in its shard: what it would be written as, which reading compared.
fn record_octets(record: &Record) -> usize {
    let mut octets = Zeroizing::new(Vec::new());
    record.write(&mut octets);
    octets.len()
}

fn one_record(
    record: &Record,
    what: &Manifest,
    issuer: &Certificate,
    shard: u32,
    offset: u64,
    octets: u32,
) -> Result<Identity, StationError> {
    let name = format!("record {} ({})", record.index, record.device);
    let refuse = |class, expected: &str, found: String| Err(Refusal::new(class, &name, expected, found).into());
    let lineage = &record.lineage;
    if lineage.order != what.order {
        return refuse(Class::WrongOrder, &what.order.hex(), lineage.order.hex());
    }
    if (&lineage.product, &lineage.sku) != (&what.product, &what.sku) {
        return refuse(
            Class::WrongOrder,
            &format!("{} {}", what.product, what.sku),
            format!("{} {}", lineage.product, lineage.sku),
        );
    }
    let certificate = match Certificate::parse(&record.certificate) {
        Ok(certificate) => certificate,
        Err(error) => return refuse(Class::Chain, "a certificate", error.to_string()),
    };
    if let Err(found) = certificate.verify(issuer) {
        return refuse(Class::Chain, "a certificate signed by the bundle's issuer", found.to_string());
    }
    match (&record.key, what.mode) {
        (DeviceKey::Pkcs8(key), Mode::Injected) => {
            let found = key_of(key).map(|key| key.public_key());
            match found {
                Ok(public) if public.spki_der() == certificate.subject_key().spki_der() => {}
                Ok(_) => {
                    return refuse(
                        Class::KeyMismatch,
                        "the private key of its certificate",
                        "that of another".to_owned(),
                    );
                }
                Err(error) => return refuse(Class::KeyMismatch, "the private key of its certificate", error),
            }
        }
        (DeviceKey::None, Mode::DeviceGenerated | Mode::Delegated) => {}
        (DeviceKey::None, Mode::Injected) => return refuse(Class::KeyMismatch, "a private key", "none".to_owned()),
        (DeviceKey::Pkcs8(_), _) => {
            return refuse(Class::KeyMismatch, "no private key: it never left the device", "one".to_owned());
        }
    }
    Ok(Identity {
        id: 0,
        bundle: what.bundle.hex(),
        shard,
        index: record.index,
        device: record.device.as_str().to_owned(),
        record: record.digest(what.realm),
        spki: certificate.subject_key().spki_der().to_vec(),
        offset,
        octets,
        state: State::Sealed,
        line: 0,
        since: what.issued.0,
    })
}

/// The key of a PKCS#8 DER, which must be spelled as this program writes it.
fn key_of(der: &Secret) -> Result<SigningKey, String> {
    let pem = der::pem::encode_string("PRIVATE KEY", LineEnding::LF, der.expose()).map(Zeroizing::new);
    let pem = pem.map_err(|e| e.to_string())?;
    SigningKey::from_pkcs8_pem(pem.as_bytes()).map_err(|e| e.to_string())
}

/// What all records together must be: as many as said, each device and key once, under the signed root, with the leaves that came along.
fn agrees(folder: &Path, what: &Manifest, all: &[Identity]) -> Result<(), StationError> {
    if all.len() != what.count as usize {
        return Err(Refusal::new(Class::Count, "bundle", format!("{} records", what.count), all.len()).into());
    }
    for (title, mut names) in [
        ("device id", all.iter().map(|i| i.device.as_bytes()).collect::<Vec<&[u8]>>()),
        ("key", all.iter().map(|i| i.spki.as_slice()).collect()),
    ] {
        names.sort_unstable();
        if names.iter().zip(names.iter().skip(1)).any(|(one, other)| one == other) {
            return Err(Refusal::new(Class::Count, "bundle", format!("each {title} once"), "one twice").into());
        }
    }
    let leaves: Vec<Digest> = all.iter().map(|identity| merkle::leaf(identity.record.octets())).collect();
    let root = merkle::root(leaves.iter().copied());
    if root != what.records_root {
        return Err(Refusal::new(Class::Tampered, "records", format!("root {}", what.records_root), root).into());
    }
    let listed = durable_file::read(&folder.join(manifest::LEAVES), leaves.len() * 32)?;
    if !leaves.iter().flat_map(|leaf| leaf.octets()).eq(listed.iter()) {
        return Err(Refusal::new(Class::Tampered, manifest::LEAVES, "the leaves of the records", "others").into());
    }
    Ok(())
}
