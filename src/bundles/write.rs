//! Writing a bundle: the strongroom makes one shard while the one before is put on disk. Memory is a few shards and one run of the
//! index, however many records there are.

use super::BundleError;
use super::folder::Partial;
use super::kept::Kept;
use super::sorted::Sorter;
use crate::basics::digest::hex_encode;
use crate::basics::{Digest, Instant, limits};
use crate::factory::index::{IndexHeader, Row};
use crate::factory::manifest::{self, BundleFile, CeremonyRef, Manifest, Validity, shard_name};
use crate::factory::merkle::{self, Tree};
use crate::factory::{BatchTerms, Class, IssuedHeader, IssuedRecord, Listed, Refusal};
use crate::strongroom::Strongroom;
use crate::strongroom::protocol::{Request, Response};
use std::collections::VecDeque;
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};

/// Shards that wait for the disk.
const WAITING: usize = 2;
/// Shards made at once, on however many cores: the strongroom has 12 MiB for each, and shares further cores among them.
const AT_ONCE: usize = 4;

/// Everything a bundle is made from, beside what the strongroom makes.
pub struct Making<'m> {
    pub terms: &'m BatchTerms,
    /// The authority that is open in the strongroom.
    pub authority: &'m str,
    pub issuer_der: &'m [u8],
    /// `chain.pem`: the issuing certificate first.
    pub chain: &'m [u8],
    /// `crl.pem`: the issuing authority's list.
    pub crl: &'m [u8],
    pub sequence: u64,
    /// Digest of the manifest before this one.
    pub previous: Option<Digest>,
    pub issued: Instant,
    pub expires: Instant,
    pub policy: Option<Digest>,
    pub ceremony: CeremonyRef,
    pub nonce: Digest,
    pub salt: [u8; 8],
    /// The devices, where the order lists them.
    pub listed: &'m [Listed],
    /// New file for what is public of each record (`factory/kept.rs`): it stays on the ceremony side.
    pub kept: &'m Path,
    /// The accepted requests of a shard, where devices made their keys.
    pub requested: Option<&'m Requests<'m>>,
}

/// Gives the octets of the accepted requests of a shard.
pub type Requests<'r> = dyn Fn(u32) -> Result<Vec<u8>, BundleError> + Sync + 'r;

/// A bundle that lies in its folder.
#[derive(Debug)]
pub struct Written {
    pub manifest: Manifest,
    /// SHA-256 of `manifest.json`: what its signers sign and people compare.
    pub digest: Digest,
}

/// Shards, from the strongroom to the disk.
struct Made {
    first: u32,
    content: crate::basics::Secret,
    sizes: Vec<u32>,
}

/// Opens the batch in the strongroom and writes the bundle into the new folder `out`. `progress` is told how many shards there are of
/// how many.
///
/// # Errors
/// Where the strongroom refuses, or the disk does; there is then no folder `out`.
pub fn write(
    room: &mut Strongroom,
    making: &Making<'_>,
    out: &Path,
    progress: &mut dyn FnMut(u32, u32),
) -> Result<Written, BundleError> {
    let terms = making.terms;
    let open = Request::OpenBatch {
        authority: making.authority.to_owned(),
        issuer: hex_encode(making.issuer_der),
        terms: Box::new(terms.clone()),
        digest: terms.digest()?,
    };
    let shards = match room.ask(open, None)? {
        (Response::BatchOpened { shards }, _) => shards,
        (other, _) => return Err(refused(other)),
    };
    let partial = Partial::new(out)?;
    let (sender, receiver) = sync_channel(WAITING);
    let (asked, put) = std::thread::scope(|scope| {
        let disk = scope.spawn(|| put(making, &partial, receiver));
        let asked = Asking::new(room, making, shards).each(|made, done| {
            progress(done, shards);
            // Where the disk has failed nobody receives; its error is what is reported.
            let _ = sender.send(made);
        });
        drop(sender);
        (asked, disk.join())
    });
    let put = put.unwrap_or_else(|_| Err(BundleError::Strongroom("the writing thread ended early".to_owned())));
    asked?;
    let (mut files, root, kept) = put?;
    for (name, octets) in [(manifest::CHAIN, making.chain), (manifest::CRL, making.crl)] {
        let mut file = partial.file(name)?;
        file.put(octets)?;
        files.push(file.done()?);
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    let manifest = manifest_of(making, root, files);
    let octets = manifest.to_octets()?;
    partial.last(&manifest.files)?;
    // Before the bundle has its name: whoever has a bundle of ours finds what is to be known about it.
    kept.finish()?;
    partial.finish((manifest::NAME, &octets))?;
    Ok(Written { digest: Digest::of(&octets), manifest })
}

fn refused(response: Response) -> BundleError {
    match response {
        Response::Refused { reason } => BundleError::Strongroom(reason),
        other => BundleError::Strongroom(format!("expected a shard, found {other:?}")),
    }
}

/// Asks the strongroom for shard after shard: one for each core at once, and for the next ones before it has given these out, so that it does
/// not wait for us.
struct Asking<'a> {
    room: &'a mut Strongroom,
    making: &'a Making<'a>,
    shards: u32,
    /// What has been asked for and not come: first shard and number.
    waiting: VecDeque<(u32, u32)>,
    /// The next to be asked for.
    next: u32,
}

impl<'a> Asking<'a> {
    fn new(room: &'a mut Strongroom, making: &'a Making<'a>, shards: u32) -> Self {
        Self { room, making, shards, waiting: VecDeque::new(), next: 0 }
    }

    fn each(mut self, mut take: impl FnMut(Made, u32)) -> Result<(), BundleError> {
        // The first is made alone: it shows how many fit into one answer.
        let (mut at_once, mut ahead) = (1, 1);
        while self.next < self.shards || !self.waiting.is_empty() {
            while self.next < self.shards && self.waiting.len() < ahead {
                self.send(at_once)?;
            }
            let made = self.receive()?;
            // A listed order sends its devices along, and so do requests: a pipe may not hold them beside an answer.
            if self.making.listed.is_empty() && self.making.requested.is_none() {
                (at_once, ahead) = (together(&made.sizes), 2);
            }
            let done = made.first + u32::try_from(made.sizes.len()).unwrap_or(0);
            take(made, done);
        }
        Ok(())
    }

    fn send(&mut self, at_once: u32) -> Result<(), BundleError> {
        let (first, count) = (self.next, at_once.min(self.shards - self.next));
        let (record, records) = self.making.terms.range(first);
        let listed = self.making.listed.get(record as usize..(record + records) as usize).unwrap_or_default();
        // Public, but this is the channel that takes more than a message.
        let requested = self.making.requested.map(|requested| requested(first)).transpose()?;
        let requested = requested.map(crate::basics::Secret::take);
        self.room.send(Request::IssueShards { first, count, devices: listed.to_vec() }, requested)?;
        self.waiting.push_back((first, count));
        self.next += count;
        Ok(())
    }

    fn receive(&mut self) -> Result<Made, BundleError> {
        let expected = self.waiting.pop_front().unwrap_or_default();
        match self.room.receive()? {
            (Response::ShardsIssued { first, sizes }, Some(content))
                if (first, sizes.len()) == (expected.0, expected.1 as usize) =>
            {
                Ok(Made { first, content, sizes })
            }
            (other, _) => Err(refused(other)),
        }
    }
}

/// How many shards are asked for at once: one for each core and one more, so that none is long without work while the last
/// one is made, as far as one answer holds them with something to spare.
fn together(sizes: &[u32]) -> u32 {
    let largest = sizes.iter().max().map_or(1, |octets| octets + octets / 8).max(1) as usize;
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let fit = limits::STRONGROOM_CONTENT_OCTETS / largest;
    u32::try_from((cores + 1).min(AT_ONCE).min(fit).max(1)).map_or(1, |shards| shards.min(limits::SHARDS_AT_ONCE))
}

/// Puts shards, leaves, index and what is kept on disk; gives the bundle's files and its root.
fn put(
    making: &Making<'_>,
    partial: &Partial,
    made: Receiver<Made>,
) -> Result<(Vec<BundleFile>, Digest, Kept), BundleError> {
    let terms = making.terms;
    let header = IndexHeader { bundle: terms.bundle, records: terms.count, salt: making.salt };
    let (mut files, mut tree) = (Vec::new(), Tree::default());
    let mut leaves = partial.file(manifest::LEAVES)?;
    let mut sorter = Sorter::new(&partial.at("."));
    let mut kept = Kept::new(making.kept)?;
    kept.put(&IssuedHeader { realm: terms.realm, bundle: terms.bundle, count: terms.count }.to_octets())?;
    for Made { first, content, sizes } in made {
        let mut rest = content.expose();
        for (number, size) in (first..).zip(sizes) {
            let cut = || BundleError::Strongroom(format!("shard {number} was cut short"));
            let (first, count) = terms.range(number);
            let (shard, others) = rest.split_at_checked(size as usize).ok_or_else(cut)?;
            let (digests, shard) = shard.split_at_checked(count as usize * 32).ok_or_else(cut)?;
            let (length, shard) = shard.split_first_chunk().ok_or_else(cut)?;
            let (public, sealed) = shard.split_at_checked(u32::from_be_bytes(*length) as usize).ok_or_else(cut)?;
            // One of each shard: what is kept must be what the digests are of, or nothing kept would ever be found again.
            let (shown, _) = IssuedRecord::read(public)?;
            let (expected, found) = (digests.get(..32).unwrap_or_default(), shown.digest(terms.realm, &terms.bundle));
            if shown.index != first || found.octets() != expected {
                return Err(BundleError::Strongroom(format!("shard {number}: what is kept is not what was sealed")));
            }
            kept.put(public)?;
            rest = others;
            let mut file = partial.file(&shard_name(number))?;
            file.put(sealed)?;
            files.push(file.done()?);
            let listed = making.listed.get(first as usize..(first + count) as usize).unwrap_or_default();
            let devices: Vec<_> = match making.requested {
                Some(requested) => {
                    let accepted = terms.requested(number, &requested(number)?)?;
                    accepted.into_iter().map(|accepted| accepted.device).collect()
                }
                None => terms.devices(number, listed)?.into_iter().map(|listed| listed.id).collect(),
            };
            for ((record, device), digest) in (first..).zip(&devices).zip(digests.chunks_exact(32)) {
                let leaf = merkle::leaf(digest);
                tree.push(leaf);
                leaves.put(leaf.octets())?;
                sorter.push(Row { device: header.salted(terms.realm, device), shard: number, record, leaf })?;
            }
        }
    }
    if tree.len() != u64::from(terms.count) {
        return Err(Refusal::new(Class::Count, "records", terms.count, tree.len()).into());
    }
    files.push(leaves.done()?);
    std::thread::scope(|scope| -> Result<(), BundleError> {
        let lasts = scope.spawn(|| kept.last());
        let mut index = partial.file(manifest::INDEX)?;
        index.put(&header.to_octets())?;
        sorter.finish(|row| Ok(index.put(&row.to_octets())?))?;
        files.push(index.done()?);
        lasts.join().unwrap_or_else(|_| Err(BundleError::Strongroom("the reading thread ended early".to_owned())))
    })?;
    Ok((files, tree.root(), kept))
}

fn manifest_of(making: &Making<'_>, root: Digest, files: Vec<BundleFile>) -> Manifest {
    let terms = making.terms;
    Manifest {
        format: Manifest::format(),
        bundle: terms.bundle,
        realm: terms.realm,
        factory: terms.factory.clone(),
        sequence: making.sequence,
        previous: making.previous,
        order: terms.order,
        mode: terms.mode,
        product: terms.product.clone(),
        sku: terms.sku.clone(),
        firmware: terms.firmware.clone(),
        recipients: vec![terms.recipient.clone()],
        count: terms.count,
        shard_records: terms.shard_records,
        issued: making.issued,
        expires: making.expires,
        certificates: Validity { not_before: terms.not_before, not_after: terms.not_after },
        profile: terms.profile.clone(),
        policy: making.policy,
        issuer: terms.issuer,
        ceremony: making.ceremony.clone(),
        records_root: root,
        nonce: making.nonce,
        files,
    }
}
