//! What the ceremony side keeps of each bundle, as a file: `ID.cbor` (`factory/kept.rs`). Written beside the bundle, read one record
//! at a time, so that its length does not matter.

use super::folder::{Cached, digest_of, failed, open_file};
use super::{BundleError, Progress};
use crate::basics::{Digest, limits};
use crate::devices::durable_file::{self, FileError};
use crate::factory::{Account, Accounting, BundleId, Class, IssuedHeader, IssuedRecord, Outcome, Refusal, merkle};
use crate::factory::{receipt, receipt::Receipt};
use rustix::fs::{Mode, OFlags, open};
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

/// Octets read or written at once.
const PIECE: usize = 256 * 1024;

/// The name of the file for a bundle.
#[must_use]
pub fn name(bundle: &BundleId) -> String {
    format!("{}.cbor", bundle.hex())
}

/// A file that is being written; it has its name when it is whole and was read back.
pub(super) struct Kept {
    path: PathBuf,
    partial: PathBuf,
    writer: BufWriter<File>,
    hasher: Sha256,
    size: u64,
    finished: bool,
}

impl Drop for Kept {
    fn drop(&mut self) {
        if !self.finished {
            // Ours alone, and new.
            let _ = std::fs::remove_file(&self.partial);
        }
    }
}

impl Kept {
    pub(super) fn new(path: &Path) -> Result<Self, FileError> {
        let last = path.file_name().unwrap_or_default().to_string_lossy();
        let partial = path.with_file_name(format!(".{last}.partial"));
        if path.symlink_metadata().is_ok() {
            let cause = std::io::Error::from(std::io::ErrorKind::AlreadyExists);
            return Err(failed(path, "expected no file of this name")(cause));
        }
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let file = File::from(open(&partial, flags, Mode::RUSR | Mode::WUSR).map_err(failed(&partial, "creating"))?);
        let writer = BufWriter::with_capacity(PIECE, file);
        Ok(Self { path: path.to_owned(), partial, writer, hasher: Sha256::new(), size: 0, finished: false })
    }

    pub(super) fn put(&mut self, octets: &[u8]) -> Result<(), FileError> {
        self.hasher.update(octets);
        self.size += octets.len() as u64;
        self.writer.write_all(octets).map_err(failed(&self.partial, "writing"))
    }

    /// Makes it last and reads it back.
    pub(super) fn last(&mut self) -> Result<(), BundleError> {
        self.writer.flush().map_err(failed(&self.partial, "writing"))?;
        self.writer.get_ref().sync_all().map_err(failed(&self.partial, "making durable"))?;
        let expected = Digest::from_octets(std::mem::take(&mut self.hasher).finalize().into());
        let last = self.partial.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let found = digest_of(self.folder(), &last, self.size, Cached::No)?;
        if found == expected { Ok(()) } else { Err(Refusal::new(Class::Tampered, &last, expected, found).into()) }
    }

    /// Gives it its name, once it lasts.
    pub(super) fn finish(mut self) -> Result<(), BundleError> {
        durable_file::move_to(&self.partial, &self.path)?;
        self.finished = true;
        durable_file::sync_folder(self.folder())?;
        Ok(())
    }

    fn folder(&self) -> &Path {
        self.partial.parent().unwrap_or(Path::new("."))
    }
}

/// Items of a file, one after the other, however long it is.
struct Items {
    path: PathBuf,
    file: BufReader<File>,
    held: Vec<u8>,
    at: usize,
    /// Most octets of one item.
    most: usize,
    ended: bool,
    hasher: Sha256,
}

impl Items {
    fn open(path: &Path, most: usize) -> Result<Self, FileError> {
        let folder = path.parent().unwrap_or(Path::new("."));
        let (file, _) = open_file(folder, &path.file_name().unwrap_or_default().to_string_lossy())?;
        let file = BufReader::with_capacity(PIECE, file);
        Ok(Self { path: path.to_owned(), file, held: Vec::new(), at: 0, most, ended: false, hasher: Sha256::new() })
    }

    /// Reads the next item with `read`, which says how many octets it took.
    fn next<T>(&mut self, read: impl FnOnce(&[u8]) -> Result<(T, usize), Refusal>) -> Result<T, BundleError> {
        self.fill()?;
        let (item, used) = read(self.held.get(self.at..).unwrap_or_default())?;
        self.at += used;
        Ok(item)
    }

    /// Whether everything has been read.
    fn is_over(&mut self) -> Result<bool, BundleError> {
        self.fill()?;
        Ok(self.at >= self.held.len())
    }

    /// SHA-256 of what was read so far, all of it where it is over.
    fn digest(self) -> Digest {
        Digest::from_octets(self.hasher.finalize().into())
    }

    /// Sees to it that one whole item is held, where there is one.
    fn fill(&mut self) -> Result<(), BundleError> {
        if self.ended || self.held.len() - self.at >= self.most {
            return Ok(());
        }
        self.held.drain(..self.at);
        self.at = 0;
        let wanted = (self.most + PIECE - self.held.len()) as u64;
        let before = self.held.len();
        (&mut self.file).take(wanted).read_to_end(&mut self.held).map_err(failed(&self.path, "reading"))?;
        self.ended = ((self.held.len() - before) as u64) < wanted;
        self.hasher.update(self.held.get(before..).unwrap_or_default());
        Ok(())
    }
}

/// The records of a kept file, in order. Whether they are the bundle's is known at the end: [`Records::root`].
pub struct Records {
    items: Items,
    pub header: IssuedHeader,
    next: u32,
    tree: merkle::Tree,
}

impl Records {
    /// # Errors
    /// Where there is no such file, or its header is none.
    pub fn open(path: &Path) -> Result<Self, BundleError> {
        let mut items = Items::open(path, IssuedRecord::MOST)?;
        let header = items.next(IssuedHeader::read)?;
        Ok(Self { items, header, next: 0, tree: merkle::Tree::default() })
    }

    /// The next record; `None` after the last, where nothing is left.
    ///
    /// # Errors
    /// Where it is no record, or not the next one, or octets are left after the last.
    pub fn next_record(&mut self) -> Result<Option<IssuedRecord>, BundleError> {
        if self.next == self.header.count {
            return if self.items.is_over()? {
                Ok(None)
            } else {
                let expected = format!("{} records and nothing after", self.header.count);
                Err(Refusal::new(Class::Count, "issued records", expected, "more octets").into())
            };
        }
        let record = self.items.next(IssuedRecord::read)?;
        if record.index != self.next {
            let expected = format!("record {} next", self.next);
            return Err(Refusal::new(Class::Foreign, "issued records", expected, record.index).into());
        }
        self.next += 1;
        self.tree.push(merkle::leaf(record.digest(self.header.realm, &self.header.bundle).octets()));
        Ok(Some(record))
    }

    /// The root over all records that were read.
    #[must_use]
    pub fn root(&self) -> Digest {
        self.tree.root()
    }
}

/// Where outcomes come from.
pub enum Outcomes<'o> {
    /// All of `outcomes.cbor`.
    Here(&'o [u8]),
    /// The file.
    At(&'o Path),
}

/// What an account is held against.
pub struct Against {
    pub accounting: Accounting,
    pub count: u32,
    pub records_root: Digest,
    /// SHA-256 of the outcomes, and their root, as the receipt says.
    pub outcomes: Digest,
    pub outcomes_root: Digest,
}

impl Against {
    /// What a receipt says about its outcomes, and the manifest's word about records.
    #[must_use]
    pub const fn of(mut accounting: Accounting, count: u32, records_root: Digest, receipt: &Receipt) -> Self {
        accounting.made = Some(receipt.made);
        Self {
            accounting,
            count,
            records_root,
            outcomes: receipt.outcomes_sha256,
            outcomes_root: receipt.outcomes_root,
        }
    }
}

/// Holds every outcome against the record it is about, and counts them. Memory is one record and what is found.
///
/// # Errors
/// Where either file is none, is not that of the bundle or receipt, or ends early.
pub fn account(
    kept: &Path,
    outcomes: Outcomes<'_>,
    mut against: Against,
    progress: &mut Progress<'_>,
) -> Result<Account, BundleError> {
    let mut records = Records::open(kept)?;
    let (realm, bundle) = (against.accounting.realm, against.accounting.bundle);
    crate::factory::refusal::same(Class::WrongRealm, "issued records: realm", &realm, &records.header.realm)?;
    crate::factory::refusal::same(Class::Foreign, "issued records: bundle", &bundle, &records.header.bundle)?;
    crate::factory::refusal::same(Class::Count, "issued records: count", &against.count, &records.header.count)?;
    let mut source = match outcomes {
        Outcomes::Here(octets) => Source::Here { octets, at: 0 },
        Outcomes::At(path) => Source::At(Items::open(path, MOST_OUTCOME)?),
    };
    let mut tree = merkle::Tree::default();
    while let Some(record) = records.next_record()? {
        let outcome = source.next()?;
        tree.push(outcome.leaf());
        against.accounting.take(&record, &outcome).map_err(BundleError::Strange)?;
        progress(records.next, against.count);
    }
    let found = source.digest()?;
    crate::factory::refusal::same(Class::Tampered, receipt::OUTCOMES, &against.outcomes, &found)?;
    crate::factory::refusal::same(Class::Tampered, "outcomes_root", &against.outcomes_root, &tree.root())?;
    crate::factory::refusal::same(Class::Foreign, "issued records: root", &against.records_root, &records.root())?;
    Ok(against.accounting.done())
}

/// Most octets of one outcome.
const MOST_OUTCOME: usize = limits::DEVICE_SIGNATURE_OCTETS + 128;

enum Source<'o> {
    Here { octets: &'o [u8], at: usize },
    At(Items),
}

impl Source<'_> {
    fn next(&mut self) -> Result<Outcome, BundleError> {
        match self {
            Self::Here { octets, at } => {
                let (outcome, used) = Outcome::read(octets.get(*at..).unwrap_or_default())?;
                *at += used;
                Ok(outcome)
            }
            Self::At(items) => items.next(Outcome::read),
        }
    }

    /// SHA-256 of all of it, once nothing is left.
    fn digest(self) -> Result<Digest, BundleError> {
        let over = |over: bool| {
            let refusal =
                Refusal::new(Class::Count, receipt::OUTCOMES, "nothing after the last outcome", "more octets");
            if over { Ok(()) } else { Err(BundleError::from(refusal)) }
        };
        match self {
            Self::Here { octets, at } => {
                over(at >= octets.len())?;
                Ok(Digest::of(octets))
            }
            Self::At(mut items) => {
                over(items.is_over()?)?;
                Ok(items.digest())
            }
        }
    }
}
