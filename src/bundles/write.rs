//! Writing a bundle: the strongroom makes one shard while the one before is put on disk. Memory is a few shards and one run of the
//! index, however many records there are.

use super::folder::Partial;
use super::kept::Kept;
use super::sorted::Sorter;
use super::{BundleError, Progress};
use crate::basics::digest::hex_encode;
use crate::basics::{Digest, Instant, limits};
use crate::factory::index::{IndexHeader, Row};
use crate::factory::manifest::{self, BundleFile, CeremonyRef, Manifest, Validity, shard_name};
use crate::factory::merkle::{self, Tree};
use crate::factory::{BatchTerms, Class, IssuedHeader, IssuedRecord, Listed, Refusal};
use crate::strongroom::Strongroom;
use crate::strongroom::protocol::{Request, Response};
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};

/// Shards that wait for the disk.
const WAITING: usize = 2;

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

/// A shard, from the strongroom to the disk.
struct Made {
    shard: u32,
    content: crate::basics::Secret,
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
    progress: &mut Progress<'_>,
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
        let asked = Asking { room, making, shards }.each(|made, done| {
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

/// Asks the strongroom for shards and takes one after the other. It makes further ones while we put these on disk.
struct Asking<'a> {
    room: &'a mut Strongroom,
    making: &'a Making<'a>,
    shards: u32,
}

impl Asking<'_> {
    fn each(mut self, mut take: impl FnMut(Made, u32)) -> Result<(), BundleError> {
        let mut asked = 0;
        for shard in 0..self.shards {
            if shard == asked {
                asked += self.send(shard)?;
            }
            let made = self.receive(shard)?;
            take(made, shard + 1);
        }
        Ok(())
    }

    /// Asks for as many as go into one question; gives their number.
    fn send(&mut self, first: u32) -> Result<u32, BundleError> {
        // A listed order sends the devices of a shard along, and so do requests: a pipe may not hold those of the next beside an answer.
        let counted = self.making.listed.is_empty() && self.making.requested.is_none();
        let count = if counted { limits::SHARDS_AT_ONCE.min(self.shards - first) } else { 1 };
        let (record, records) = self.making.terms.range(first);
        let listed = self.making.listed.get(record as usize..(record + records) as usize).unwrap_or_default();
        // Public, but this is the channel that takes more than a message.
        let requested = self.making.requested.map(|requested| requested(first)).transpose()?;
        let requested = requested.map(crate::basics::Secret::take);
        self.room.send(Request::IssueShards { first, count, devices: listed.to_vec() }, requested)?;
        Ok(count)
    }

    fn receive(&mut self, expected: u32) -> Result<Made, BundleError> {
        match self.room.receive()? {
            (Response::ShardIssued { shard }, Some(content)) if shard == expected => Ok(Made { shard, content }),
            (other, _) => Err(refused(other)),
        }
    }
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
    for Made { shard: number, content } in made {
        let cut = || BundleError::Strongroom(format!("shard {number} was cut short"));
        let (first, count) = terms.range(number);
        let (digests, rest) = content.expose().split_at_checked(count as usize * 32).ok_or_else(cut)?;
        let (length, rest) = rest.split_first_chunk().ok_or_else(cut)?;
        let (public, sealed) = rest.split_at_checked(u32::from_be_bytes(*length) as usize).ok_or_else(cut)?;
        // One of each shard: what is kept must be what the digests are of, or nothing kept would ever be found again.
        let (shown, _) = IssuedRecord::read(public)?;
        let (expected, found) = (digests.get(..32).unwrap_or_default(), shown.digest(terms.realm, &terms.bundle));
        if shown.index != first || found.octets() != expected {
            return Err(BundleError::Strongroom(format!("shard {number}: what is kept is not what was sealed")));
        }
        kept.put(public)?;
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
