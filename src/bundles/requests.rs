//! The file of a collection of requests: found by its digest, read one request after the other in constant memory, judged in two passes.

use super::before::IssuedBefore;
use super::folder::{failed, is_the_one, open_file};
use super::{BundleError, Progress};
use crate::basics::{Digest, limits};
use crate::factory::requests::{Collected, Found, Judge, Prints, Refused, Statement, Verdict};
use crate::factory::{Class, Refusal, merkle};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Octets read at once.
const PIECE: usize = 1024 * 1024;

/// The requests of a file, one after the other.
pub struct Entries {
    file: File,
    path: PathBuf,
    octets: Vec<u8>,
    /// Where the next request begins in `octets`.
    at: usize,
    ended: bool,
    next: u32,
}

impl Entries {
    /// Opens a file; links are not followed.
    ///
    /// # Errors
    /// Where it is no regular file.
    pub fn open(path: &Path) -> Result<Self, BundleError> {
        let (folder, name) = (path.parent().unwrap_or(Path::new(".")), path.file_name().unwrap_or_default());
        let (file, _) = open_file(folder, &name.to_string_lossy())?;
        Ok(Self { file, path: path.to_owned(), octets: Vec::new(), at: 0, ended: false, next: 0 })
    }

    /// The next request with its own octets; nothing after the last.
    ///
    /// # Errors
    /// Where what comes next is no request, or there are more than a collection may have.
    pub fn read(&mut self) -> Result<Option<(Collected, &[u8])>, BundleError> {
        if self.octets.len() - self.at < limits::COLLECTED_REQUEST_OCTETS && !self.ended {
            self.octets.drain(..self.at);
            self.at = 0;
            let wanted = (PIECE + limits::COLLECTED_REQUEST_OCTETS - self.octets.len()) as u64;
            let read = (&mut self.file).take(wanted).read_to_end(&mut self.octets);
            self.ended = (read.map_err(failed(&self.path, "reading"))? as u64) < wanted;
        }
        let rest = self.octets.get(self.at..).unwrap_or_default();
        if rest.is_empty() {
            return Ok(None);
        }
        if self.next >= limits::COLLECTED_REQUESTS {
            let most = limits::COLLECTED_REQUESTS;
            return Err(Refusal::new(Class::Count, "requests", format!("at most {most}"), "more").into());
        }
        let (collected, used) = Collected::read(rest).map_err(|refusal| {
            let what = format!("request {}: {}", self.next, refusal.what);
            Refusal { what, ..refusal }
        })?;
        let start = self.at;
        self.at += used;
        self.next += 1;
        Ok(Some((collected, self.octets.get(start..self.at).unwrap_or_default())))
    }
}

/// What judging a file came to.
#[derive(Debug)]
pub struct Judged {
    pub found: Found,
    /// RFC 9162 root over the requests.
    pub root: Digest,
    /// Every one that was refused.
    pub refused: Vec<Refused>,
    /// The device keys that were certified before, and those of the accepted requests.
    pub device_keys: Prints,
}

/// Judges the requests of a file, which must be the one that the statement speaks of. `filled` is given the accepted requests of each
/// shard; `before` is what the chain issued; `progress` counts the requests that were judged.
///
/// # Errors
/// Where the file is another, or something in it is no request; what `filled` says.
pub fn judge(
    path: &Path,
    statement: &Statement,
    mut judge: Judge<'_>,
    before: &IssuedBefore,
    mut device_keys: Prints,
    filled: &mut dyn FnMut(u32, Vec<u8>) -> Result<(), BundleError>,
    progress: &mut Progress<'_>,
) -> Result<Judged, BundleError> {
    is_the_one(path, (statement.size, statement.sha256))?;
    let mut entries = Entries::open(path)?;
    while let Some((collected, _)) = entries.read()? {
        judge.count(&collected);
    }
    for bundle in &before.bundles {
        bundle
            .each(statement.realm, &mut |record, stands| Ok(judge.issued_before(&bundle.bundle, record, stands)?))?;
    }
    for log in &before.logs {
        log.each(judge.at(), &mut |one| judge.logged_before(one.certificate, one.device, one.stands))?;
    }
    let (mut entries, mut tree, mut refused) = (Entries::open(path)?, merkle::Tree::default(), Vec::new());
    let (mut shards, mut kept) = (0, Ok(()));
    let mut keep = |octets: Vec<u8>| {
        if kept.is_ok() {
            kept = filled(shards, octets);
        }
        shards += 1;
    };
    while let Some((collected, octets)) = entries.read()? {
        tree.push(merkle::leaf(octets));
        match judge.judge(&collected, &mut keep) {
            Verdict::Accepted(accepted) => device_keys.add(&accepted.spki),
            Verdict::Refused(one) => refused.push(one),
        }
        progress(entries.next, statement.count);
    }
    let found = judge.finish(&mut keep);
    kept?;
    let said = (statement.count, statement.root);
    if said != (found.count, tree.root()) {
        let expected = format!("{} requests under root {}", said.0, said.1);
        let found = format!("{} under {}", found.count, tree.root());
        return Err(Refusal::new(Class::Tampered, "requests", expected, found).into());
    }
    Ok(Judged { found, root: tree.root(), refused, device_keys })
}
