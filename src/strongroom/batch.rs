//! Issuing in thousands: an authority's key, open for one batch, makes device keys, signs their certificates and lets the keys out
//! only sealed to the factory's recipient. What limits it is in this process's memory alone: each shard in order and once, the
//! count of the terms, and a deadline of the machine's boot clock, which runs while it sleeps. When the process ends, so does
//! the batch.
//!
//! Where devices made their keys themselves, the accepted requests come with each shard, and are those whose digests the approved terms
//! hold; a record then carries no key.
//!
//! A device's key is the draw of order and index, so a shard that was lost on its way can be made again in the same session only
//! by starting the batch anew.

mod in_order;
mod make;

use crate::basics::{Digest, limits};
use crate::custody::draw::Draws;
use crate::factory::requests::Accepted;
use crate::factory::sample::{self, Linted};
use crate::factory::{BatchTerms, DeviceId, HardwareIds, Listed, Mode, shard::ShardHeader};
use crate::keys::many::ManySigner;
use crate::keys::{Algorithm, SigningKey, SubjectKey};
use crate::pki::ladder;
use crate::pki::template::Wrapping;
use crate::pki::{Certificate, Profile, certificate, serial};
use crate::strongroom::sealing;
use rustix::time::{ClockId, clock_gettime};
use std::collections::BTreeMap;

/// One record in so many is linted whole after it was signed, the first and the last of every shard always.
const LINT_EVERY: u32 = 1_024;
/// Shards made side by side, on however many cores: each takes some 12 MiB, and further cores are shared among them.
const AT_ONCE: usize = 3;

/// A batch in progress.
pub(super) struct Batch {
    pub(super) authority: String,
    terms: BatchTerms,
    /// The terms of keys that their vendors attested, where they differ.
    attested: Option<BatchTerms>,
    issuer: Certificate,
    profile: Profile,
    /// By length of the device id, and whether its key is attested: each was linted under a throw-away key before anything is signed
    /// from it.
    templates: BTreeMap<(usize, bool), Linted>,
    many: Option<ManySigner>,
    wrapping: Wrapping,
    next: u32,
    /// Seconds of the boot clock.
    deadline: u64,
}

/// One identity that is due: whose, and for which key where the device made its own.
pub(super) struct Due {
    device: DeviceId,
    hardware: HardwareIds,
    attested: bool,
    key: Option<SubjectKey>,
}

impl Due {
    /// A device whose key is made here.
    fn ours(listed: Listed) -> Self {
        Self { device: listed.id, hardware: listed.hardware, attested: false, key: None }
    }

    /// A device that made its key itself.
    fn theirs(accepted: Accepted, algorithm: Algorithm) -> Result<Self, String> {
        let Accepted { device, attested, spki, hardware } = accepted;
        let key = SubjectKey::from_spki_der(&spki).map_err(|e| format!("key of {device}: {e}"))?;
        if key.as_public_key().map(crate::keys::PublicKey::algorithm) != Some(algorithm) {
            return Err(format!("key of {device}: expected one of {algorithm}, found {}", key.title()));
        }
        Ok(Self { device, hardware, attested, key: Some(key) })
    }
}

impl Batch {
    /// Opens a batch: everything is checked, nothing is signed yet.
    pub(super) fn open(
        authority: String,
        terms: BatchTerms,
        issuer_der: &[u8],
        profile: &Profile,
        key: &SigningKey,
    ) -> Result<Self, String> {
        let problems: Vec<String> = terms.check().iter().map(ToString::to_string).collect();
        if !problems.is_empty() {
            return Err(problems.join("; "));
        }
        if terms.mode == Mode::Delegated {
            return Err("expected a batch that is issued here, found one whose factory issues".to_owned());
        }
        let found = Digest::of(issuer_der);
        if found != terms.issuer {
            return Err(format!("issuing certificate: expected {}, found {found}", terms.issuer));
        }
        let issuer = Certificate::parse(issuer_der).map_err(|e| e.to_string())?;
        if issuer.public_key() != Some(&key.public_key()) {
            return Err("the issuing certificate carries another key than the one that is open".to_owned());
        }
        let wrapping = Wrapping::of(key.algorithm()).map_err(|e| e.to_string())?;
        // Refused before the first key is drawn, not after.
        sealing::seal_octets(&terms.recipient, &[])?;
        let deadline = boot_seconds().saturating_add(terms.seconds);
        let (templates, profile, many) = (BTreeMap::new(), profile.clone(), ManySigner::of(key));
        let attested = terms.for_attested();
        Ok(Self { authority, terms, attested, issuer, profile, templates, many, wrapping, next: 0, deadline })
    }

    pub(super) fn shards(&self) -> u32 {
        self.terms.shards()
    }

    /// Makes the next shards and gives each out as soon as it and those before it are there, in parts that follow one another
    /// (`Response::ShardIssued`); `give` says whether more are wanted. Of a shard that fails nothing is let out, nor of any after it.
    pub(super) fn issue(
        &mut self,
        (first, count): (u32, u32),
        (listed, requested): (&[Listed], &[u8]),
        (key, draws, throwaway): (&SigningKey, &Draws, &SigningKey),
        give: &mut dyn FnMut(u32, Vec<Vec<u8>>) -> bool,
    ) -> Result<(), String> {
        if first != self.next || first >= self.shards() {
            return Err(format!("shard {first}: expected shard {} of {}", self.next, self.shards()));
        }
        if count == 0 || count > self.shards() - first || count > limits::SHARDS_AT_ONCE {
            let most = limits::SHARDS_AT_ONCE.min(self.shards() - first);
            return Err(format!("expected 1 to {most} shards to be asked for at once, found {count}"));
        }
        self.in_time()?;
        for shard in first..first + count {
            for due in self.due(shard, listed, requested)? {
                self.prepare(&due, draws, throwaway)?;
            }
        }
        let mut given = first;
        let issued = self.make((first, count), (listed, requested), (key, draws), &mut |shard, parts| {
            given = shard + 1;
            give(shard, parts)
        });
        // What failed was not let out, and may be asked for again; but not when the time is over.
        self.next = if self.in_time().is_ok() { given } else { self.shards() };
        issued
    }

    fn make(
        &self,
        (first, count): (u32, u32),
        (listed, requested): (&[Listed], &[u8]),
        (key, draws): (&SigningKey, &Draws),
        give: &mut dyn FnMut(u32, Vec<Vec<u8>>) -> bool,
    ) -> Result<(), String> {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let end = first + count;
        let one = |shard: u32, threads: usize| {
            self.in_time()?;
            self.shard(shard, &self.due(shard, listed, requested)?, threads, key, draws)
        };
        // The first is made alone, by all: it shows how many fit into memory.
        let made = one(first, cores)?;
        let workers = together(made.iter().map(Vec::len).sum(), cores);
        if !give(first, made) {
            return Ok(());
        }
        // So are the last, or one core would make the very last while the others wait for it.
        let alone = |shard: u32| (end - shard) as usize <= workers;
        let threads = |shard| if alone(shard) { cores } else { cores.div_ceil(workers) };
        in_order::each(first + 1..end, workers, |shard| one(shard, threads(shard)), give)
    }

    /// Whether the batch may go on.
    fn in_time(&self) -> Result<(), String> {
        match boot_seconds().checked_sub(self.deadline) {
            Some(over) if over > 0 => Err(format!("the time of this batch was over {over} seconds ago")),
            _ => Ok(()),
        }
    }

    /// One shard, on `threads` cores.
    fn shard(
        &self,
        shard: u32,
        devices: &[Due],
        threads: usize,
        key: &SigningKey,
        draws: &Draws,
    ) -> Result<Vec<Vec<u8>>, String> {
        let (first, count) = self.terms.range(shard);
        let header = ShardHeader {
            realm: self.terms.realm,
            bundle: self.terms.bundle,
            shard,
            first,
            count,
            factory: self.terms.factory.clone(),
            recipient: self.terms.recipient.clone(),
        };
        let mut made = make::shard(self, key, draws, first, devices, threads)?;
        self.lint(first, devices, &made)?;
        let header = header.to_octets();
        let mut plain: Vec<&[u8]> = vec![&header];
        plain.extend(made.iter().map(|part| part.records.as_slice()));
        let total: usize = plain.iter().map(|part| part.len()).sum();
        // An age file has a head of some 200 octets (2,000 for a hybrid recipient) and 16 more in 65,536.
        if total > limits::SHARD_OCTETS - 512 * 1024 {
            return Err(format!("shard {shard}: expected at most {} octets, found {total}", limits::SHARD_OCTETS));
        }
        let public: usize = made.iter().map(|part| part.public.len()).sum();
        let length = u32::try_from(public).map_err(|_| format!("shard {shard}: too many octets"))?;
        let mut digests = Vec::with_capacity(count as usize * 32 + 4);
        made.iter().flat_map(|part| &part.digests).for_each(|digest| digests.extend_from_slice(digest.octets()));
        digests.extend_from_slice(&length.to_be_bytes());
        let mut sealed = Vec::with_capacity(total + total / 4_096 + 4_096);
        sealing::seal_parts(&self.terms.recipient, &plain, &mut sealed)?;
        made.iter_mut().for_each(make::Made::wipe);
        let mut parts = vec![digests];
        parts.extend(made.into_iter().map(|part| part.public));
        parts.push(sealed);
        let (most, found) = (limits::STRONGROOM_CONTENT_OCTETS, parts.iter().map(Vec::len).sum::<usize>());
        if found > most {
            return Err(format!("shard {shard}: expected at most {most} octets with what is public, found {found}"));
        }
        Ok(parts)
    }

    /// The identities of a shard: devices that are counted or listed, or the accepted requests whose digest was approved.
    fn due(&self, shard: u32, listed: &[Listed], requested: &[u8]) -> Result<Vec<Due>, String> {
        if self.terms.mode == Mode::DeviceGenerated {
            let accepted = self.terms.requested(shard, requested).map_err(|e| e.to_string())?;
            return accepted.into_iter().map(|accepted| Due::theirs(accepted, self.terms.algorithm)).collect();
        }
        if !requested.is_empty() {
            return Err("requests came where keys are made here".to_owned());
        }
        let devices = self.terms.devices(shard, listed).map_err(|e| e.to_string())?;
        Ok(devices.into_iter().map(Due::ours).collect())
    }

    /// The terms of one identity.
    fn terms_of(&self, due: &Due) -> &BatchTerms {
        self.attested.as_ref().filter(|_| due.attested).unwrap_or(&self.terms)
    }

    fn lineage(&self, index: u32, due: &Due) -> crate::factory::Lineage {
        self.terms.lineage(index, &due.device, &due.hardware)
    }

    /// Sees to it that there is a linted template for ids of this length.
    fn prepare(&mut self, due: &Due, draws: &Draws, throwaway: &SigningKey) -> Result<(), String> {
        let device = &due.device;
        let length = device.as_str().len();
        let terms = self.terms_of(due);
        if self.templates.contains_key(&(length, due.attested)) {
            return Ok(());
        }
        // Keys that no device gets: what is compared is where they stand.
        let sample = |n: u32| {
            let material = draws.expand("batch", "sample-key", n, 0, self.terms.algorithm.material_octets());
            SigningKey::from_material(self.terms.algorithm, material.expose()).map_err(|e| e.to_string())
        };
        let keys = [sample(0)?.public_key(), sample(1)?.public_key()].map(SubjectKey::from);
        let of = sample::Batch { terms, issuer: &self.issuer, profile: &self.profile };
        let linted = of.template(device, &keys, &due.hardware, throwaway)?;
        self.templates.insert((length, due.attested), linted);
        Ok(())
    }

    /// The last rung, for the first, the last and one in [`LINT_EVERY`] of a shard: the finished certificate against its general request.
    fn lint(&self, first: u32, devices: &[Due], made: &[make::Made]) -> Result<(), String> {
        for (index, der) in made.iter().flat_map(|part| &part.certificates) {
            let (index, n) = (*index, index.saturating_sub(first) as usize);
            let due = devices.get(n).ok_or("a certificate of no device of this shard")?;
            let parsed = Certificate::parse(der).map_err(|e| e.to_string())?;
            let lineage = self.lineage(index, due).digest();
            let key = parsed.subject_key().clone();
            if due.key.as_ref().is_some_and(|theirs| *theirs != key) {
                return Err(format!("the certificate of {} is not of the key it made", due.device));
            }
            let request = self.terms_of(due).request(
                &self.issuer,
                &self.profile,
                due.device.as_str(),
                key,
                self.serial(index)?,
                Some(lineage),
            );
            let tbs = certificate::build_tbs(&request).map_err(|e| e.to_string())?;
            let _clean = ladder::check_after(&request, &tbs, der).map_err(|findings| sample::findings(&findings))?;
        }
        Ok(())
    }

    /// Whether the finished certificate of this index is linted.
    fn is_linted(&self, index: u32) -> bool {
        let (first, count) = self.terms.range(index / self.terms.shard_records.max(1));
        index == first || index + 1 == first + count || index.is_multiple_of(LINT_EVERY)
    }

    fn serial(&self, index: u32) -> Result<[u8; 20], String> {
        serial::of(&self.terms.serial_seed, index)
    }

    fn algorithm(&self) -> Algorithm {
        self.terms.algorithm
    }
}

/// How many shards are made side by side: one for each core, as far as memory is meant to hold them.
fn together(octets: usize, cores: usize) -> usize {
    // Others are a little longer than the first: their numbers are.
    let fit = limits::STRONGROOM_CONTENT_OCTETS / (octets + octets / 8).max(1);
    cores.min(AT_ONCE).min(fit).max(1)
}

/// Seconds since the machine started, those asleep included.
fn boot_seconds() -> u64 {
    u64::try_from(clock_gettime(ClockId::Boottime).tv_sec).unwrap_or(u64::MAX)
}
