//! Every record of a bundle, opened in memory and checked; on all cores, one shard at a time on each.

use crate::basics::{Digest, Secret, limits};
use crate::devices::durable_file::{self, FileError};
use crate::factory::index::{self, IndexHeader, Row};
use crate::factory::issued::{self, Shape};
use crate::factory::record::DeviceKey;
use crate::factory::shard::Records;
use crate::factory::{Class, DeviceId, Issuing, Manifest, Record, Refusal, hardware, manifest, merkle};
use crate::keys::SigningKey;
use crate::keys::recipient::identity::Identity as Opener;
use crate::station::state::State;
use crate::station::store::Identity;
use crate::station::{StationError, unseal};
use der::pem::LineEnding;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use zeroize::Zeroizing;

/// A shard's number and what is in it.
type ShardResult = (u32, Result<Shard, StationError>);

/// Threads at most.
const THREADS: usize = 16;

/// What every record is held against.
pub(super) struct Checking<'c> {
    pub folder: &'c Path,
    pub what: &'c Manifest,
    pub identity: &'c Opener,
    pub issuing: &'c Issuing,
}

/// What is kept of a shard's records: all of it public.
#[derive(Default)]
struct Shard {
    identities: Vec<Identity>,
    serials: Vec<Vec<u8>>,
    /// What all its certificates have in common.
    shape: Option<Shape>,
}

/// Checks every shard; gives the identities in order.
pub(super) fn check(bundle: &Checking<'_>) -> Result<Vec<Identity>, StationError> {
    let shards = bundle.what.shards();
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
                    let result = one_shard(bundle, shard);
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
    let mut all = Shard { identities: Vec::with_capacity(bundle.what.count as usize), ..Shard::default() };
    for (number, result) in done {
        let shard = result?;
        all.identities.extend(shard.identities);
        all.serials.extend(shard.serials);
        if let Some(shape) = shard.shape {
            shape.same(&mut all.shape, &format!("the certificates of shard {number:05}"))?;
        }
    }
    agrees(bundle.folder, bundle.what, all)
}

fn one_shard(bundle: &Checking<'_>, shard: u32) -> Result<Shard, StationError> {
    let name = manifest::shard_name(shard);
    let sealed = durable_file::read(&bundle.folder.join(&name), limits::MEDIUM_FILE_OCTETS)?;
    let opened = unseal::shard(bundle.identity, &sealed)
        .map_err(|found| Refusal::new(Class::WrongRecipient, &name, "a shard sealed to this station", found))?;
    let records = Records::open(&opened)?;
    records.header().expect(&bundle.what.shard_header(shard))?;
    let mut seen = Shard::default();
    let mut offset = records.header().to_octets().len() as u64;
    for record in records {
        let record = record?;
        let octets = u32::try_from(record_octets(&record)).unwrap_or(u32::MAX);
        one_record(&record, bundle, (shard, offset, octets), &mut seen)?;
        offset += u64::from(octets);
    }
    Ok(seen)
}

/// How long a record is in its shard: what it would be written as, which reading compared.
fn record_octets(record: &Record) -> usize {
    let mut octets = Zeroizing::new(Vec::new());
    record.write(&mut octets);
    octets.len()
}

fn one_record(
    record: &Record,
    bundle: &Checking<'_>,
    place: (u32, u64, u32),
    seen: &mut Shard,
) -> Result<(), StationError> {
    let what = bundle.what;
    let (certificate, shape) = issued::check(what, bundle.issuing, record)?;
    let name = issued::name(record);
    if let DeviceKey::Pkcs8(key) = &record.key {
        let refuse = |found| Refusal::new(Class::KeyMismatch, &name, "the private key of its certificate", found);
        let public = key_of(key).map_err(refuse)?.public_key();
        if public.spki_der() != certificate.subject_key().spki_der() {
            return Err(refuse("that of another".to_owned()).into());
        }
    }
    shape.same(&mut seen.shape, &name)?;
    seen.serials.push(certificate.serial().to_vec());
    let (shard, offset, octets) = place;
    seen.identities.push(Identity {
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
        hardware: record.lineage.hardware.iter().map(|(kind, id)| hardware::same_for(kind, id)).collect(),
    });
    Ok(())
}

/// The key of a PKCS#8 DER, which must be spelled as this program writes it.
fn key_of(der: &Secret) -> Result<SigningKey, String> {
    let pem = der::pem::encode_string("PRIVATE KEY", LineEnding::LF, der.expose()).map(Zeroizing::new);
    let pem = pem.map_err(|e| e.to_string())?;
    SigningKey::from_pkcs8_pem(pem.as_bytes()).map_err(|e| e.to_string())
}

/// What all records together must be: as many as said, each device and key once, under the signed root, with the leaves that came along.
fn agrees(folder: &Path, what: &Manifest, seen: Shard) -> Result<Vec<Identity>, StationError> {
    let Shard { identities: all, serials, .. } = seen;
    if all.len() != what.count as usize {
        return Err(Refusal::new(Class::Count, "bundle", format!("{} records", what.count), all.len()).into());
    }
    for (title, mut names) in [
        ("device id", all.iter().map(|i| i.device.as_bytes()).collect::<Vec<&[u8]>>()),
        ("key", all.iter().map(|i| i.spki.as_slice()).collect()),
        ("serial number", serials.iter().map(Vec::as_slice).collect()),
        ("hardware id", all.iter().flat_map(|i| &i.hardware).map(String::as_bytes).collect()),
    ] {
        names.sort_unstable();
        if names.iter().zip(names.iter().skip(1)).any(|(one, other)| one == other) {
            return Err(Refusal::new(Class::Count, "bundle", format!("each {title} once"), "one twice").into());
        }
    }
    drop(serials);
    let root = merkle::root(all.iter().map(leaf));
    if root != what.records_root {
        return Err(Refusal::new(Class::Tampered, "records", format!("root {}", what.records_root), root).into());
    }
    if !Listed::open(folder, manifest::LEAVES)?.are(all.iter().map(|identity| *leaf(identity).octets()))? {
        return Err(Refusal::new(Class::Tampered, manifest::LEAVES, "the leaves of the records", "others").into());
    }
    indexed(folder, what, &all)?;
    Ok(all)
}

fn leaf(identity: &Identity) -> Digest {
    merkle::leaf(identity.record.octets())
}

/// A file of the bundle that is held against what it must be, without being in memory.
struct Listed {
    path: PathBuf,
    file: BufReader<File>,
}

impl Listed {
    fn open(folder: &Path, name: &str) -> Result<Self, StationError> {
        let path = folder.join(name);
        let file = File::open(&path).map_err(|cause| FileError { path: path.clone(), what: "opening", cause })?;
        Ok(Self { path, file: BufReader::new(file) })
    }

    /// The next octets; nothing where so many are not left.
    fn next<const N: usize>(&mut self) -> Result<Option<[u8; N]>, StationError> {
        let mut octets = [0; N];
        match self.file.read_exact(&mut octets) {
            Ok(()) => Ok(Some(octets)),
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(None),
            Err(cause) => Err(FileError { path: self.path.clone(), what: "reading", cause }.into()),
        }
    }

    /// Whether what is left is exactly these.
    fn are<const N: usize>(mut self, expected: impl Iterator<Item = [u8; N]>) -> Result<bool, StationError> {
        for octets in expected {
            if self.next()? != Some(octets) {
                return Ok(false);
            }
        }
        Ok(self.next::<1>()?.is_none())
    }
}

/// The index finds every device where it is, and nothing else.
fn indexed(folder: &Path, what: &Manifest, all: &[Identity]) -> Result<(), StationError> {
    let mut listed = Listed::open(folder, manifest::INDEX)?;
    let refuse = |expected: &str, found: &str| Refusal::new(Class::Tampered, manifest::INDEX, expected, found);
    let header = listed.next::<{ index::HEADER_OCTETS }>()?.ok_or_else(|| refuse("a header", "less"))?;
    let header = IndexHeader::parse(&header)?;
    if (header.bundle, header.records) != (what.bundle, what.count) {
        return Err(refuse("that of this bundle", "another").into());
    }
    let mut expected = Vec::with_capacity(all.len());
    for identity in all {
        expected.push((header.salted(what.realm, &DeviceId::parse(&identity.device)?), identity));
    }
    expected.sort_unstable_by_key(|(device, _)| *device);
    let row = |(device, identity): (Digest, &Identity)| {
        Row { device, shard: identity.shard, record: identity.index, leaf: leaf(identity) }.to_octets()
    };
    if !listed.are(expected.into_iter().map(row))? {
        return Err(refuse("a row for each device of the records", "others").into());
    }
    Ok(())
}
