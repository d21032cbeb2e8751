//! The anchor: a second, smaller witness of where the ledger stands, kept outside the station's folder, so that a folder that
//! somebody put back from a copy does not pass for the one that went on.
//!
//! ```text
//! anchorite-anchor/v1 <store id> <file id> <seq> <head> <SHA-256 of the line so far>      two slots of 512 octets, written in turn
//! ```
//! It follows the ledger: written after each commit and before anything is handed out. So the ledger may be ahead of it (we died in
//! between), with the anchor's head in its chain; behind it, or in another chain, it is an older state, and is refused until reconciled.
//! The slot is not fsynced at each draw: that would double the price of a draw, and a power cut then only leaves an anchor that lags.
//! The file id holds the machine and the store file's inode and birth: a copy of the folder is another store.
//!
//! What it cannot see: a copy of the whole machine or file system that brings store and anchor back together, and a snapshot taken in the
//! seconds between the last write-back and a power cut. The ceremony side sees those: receipts are numbered and name the ledger's head, and
//! the line that confirms an identity this store never gave out is told so.

use crate::basics::Digest;
use crate::devices::durable_file::{self, FileError};
use crate::station::chain::Position;
use rustix::fs::{FlockOperation, Mode, OFlags, flock, fsync, open};
use rustix::io::retry_on_intr;
use std::fs::File;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

const FORMAT: &str = "anchorite-anchor/v1";
const SLOT: usize = 512;

/// What the anchor says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    pub store: String,
    pub file: String,
    pub position: Position,
}

/// An open anchor, locked for one writer at a time.
pub struct Anchor {
    path: PathBuf,
    file: File,
}

/// The lock on an anchor; dropping it lets the next process in, first come, first served.
pub struct Held<'a>(&'a Anchor);

impl Anchor {
    /// Makes the anchor of a new store.
    ///
    /// # Errors
    /// Where one is there already.
    pub fn create(path: &Path, mark: &Mark) -> Result<(), FileError> {
        if path.symlink_metadata().is_ok() {
            let cause = std::io::Error::from(std::io::ErrorKind::AlreadyExists);
            return Err(FileError { path: path.to_owned(), what: "expected no anchor, found one", cause });
        }
        let mut octets = slot(mark);
        octets.resize(2 * SLOT, b' ');
        durable_file::create(path, &octets)
    }

    /// Opens the anchor.
    ///
    /// # Errors
    /// Where there is none.
    pub fn open(path: &Path) -> Result<Self, FileError> {
        let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let file = open(path, flags, Mode::empty()).map_err(|cause| failed(path, "opening the anchor", cause))?;
        Ok(Self { path: path.to_owned(), file: File::from(file) })
    }

    /// Waits for its turn.
    ///
    /// # Errors
    /// Where the file system has no locks.
    pub fn hold(&self) -> Result<Held<'_>, FileError> {
        retry_on_intr(|| flock(&self.file, FlockOperation::LockExclusive))
            .map_err(|cause| failed(&self.path, "locking the anchor", cause))?;
        Ok(Held(self))
    }
}

impl Held<'_> {
    /// The latest whole mark; `None` where both slots are damaged.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn read(&self) -> Result<Option<Mark>, FileError> {
        Ok(self.slots()?.into_iter().flatten().max_by_key(|mark| mark.position.seq))
    }

    fn slots(&self) -> Result<[Option<Mark>; 2], FileError> {
        let mut octets = [0; 2 * SLOT];
        self.0.file.read_exact_at(&mut octets, 0).map_err(|cause| FileError {
            path: self.0.path.clone(),
            what: "reading the anchor",
            cause,
        })?;
        let (first, second) = octets.split_at(SLOT);
        Ok([parse(first), parse(second)])
    }

    /// Writes the next mark over the older slot.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn write(&self, mark: &Mark) -> Result<(), FileError> {
        let seq = |slot: &Option<Mark>| slot.as_ref().map_or(0, |mark| mark.position.seq + 1);
        let [first, second] = self.slots()?;
        let at = if seq(&first) <= seq(&second) { 0 } else { SLOT };
        self.put(mark, at)
    }

    /// Writes a mark over both slots, durably: after reconciling, the older mark must not win.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn reset(&self, mark: &Mark) -> Result<(), FileError> {
        self.put(mark, 0)?;
        self.put(mark, SLOT)?;
        self.settle()
    }

    /// Makes what was written durable.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn settle(&self) -> Result<(), FileError> {
        retry_on_intr(|| fsync(&self.0.file)).map_err(|cause| failed(&self.0.path, "making the anchor durable", cause))
    }

    fn put(&self, mark: &Mark, at: usize) -> Result<(), FileError> {
        let path = &self.0.path;
        self.0.file.write_all_at(&slot(mark), at as u64).map_err(|cause| FileError {
            path: path.clone(),
            what: "writing the anchor",
            cause,
        })
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        // Closing the file gives the lock back too; there is nobody to tell of an error.
        let _ = flock(&self.0.file, FlockOperation::Unlock);
    }
}

fn failed(path: &Path, what: &'static str, cause: rustix::io::Errno) -> FileError {
    FileError { path: path.to_owned(), what, cause: cause.into() }
}

fn slot(mark: &Mark) -> Vec<u8> {
    let text = format!("{FORMAT} {} {} {} {}", mark.store, mark.file, mark.position.seq, mark.position.head);
    let mut octets = format!("{text} {}\n", Digest::of(text.as_bytes())).into_bytes();
    octets.resize(SLOT, b' ');
    octets
}

fn parse(slot: &[u8]) -> Option<Mark> {
    let text = std::str::from_utf8(slot).ok()?.trim_end();
    let (said, digest) = text.rsplit_once(' ')?;
    if Digest::of(said.as_bytes()) != Digest::parse(digest)? {
        return None;
    }
    let mut words = said.split(' ');
    if words.next()? != FORMAT {
        return None;
    }
    let (store, file) = (words.next()?.to_owned(), words.next()?.to_owned());
    let position = Position { seq: words.next()?.parse().ok()?, head: Digest::parse(words.next()?)? };
    words.next().is_none().then_some(Mark { store, file, position })
}

/// Which file on which machine this is: machine id, inode and time of birth, as one word.
///
/// # Errors
/// Where the file cannot be looked at.
pub fn file_id(path: &Path) -> Result<String, FileError> {
    let of = |cause| FileError { path: path.to_owned(), what: "looking at", cause };
    let seen = std::fs::metadata(path).map_err(of)?;
    let born = seen.created().ok().and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
    // A machine without an id has none to tell apart by; the inode still tells copies on one disk apart.
    let machine = std::fs::read("/etc/machine-id").unwrap_or_default();
    let born = born.map_or(0, |at| at.as_nanos());
    Ok(Digest::of(format!("{:?} {} {born}", machine, seen.ino()).as_bytes()).hex())
}

#[cfg(test)]
mod tests {
    use super::{Anchor, Mark, SLOT};
    use crate::basics::Digest;
    use crate::station::chain::Position;

    fn mark(seq: u64) -> Mark {
        let position = Position { seq, head: Digest::of(&seq.to_be_bytes()) };
        Mark { store: "s".to_owned(), file: "f".to_owned(), position }
    }

    #[test]
    fn the_latest_whole_mark_counts_whatever_a_torn_write_left_in_the_other_slot() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        Anchor::create(&path, &mark(0)).unwrap();
        let anchor = Anchor::open(&path).unwrap();
        for seq in 1..=7 {
            let held = anchor.hold().unwrap();
            held.write(&mark(seq)).unwrap();
            assert_eq!(held.read().unwrap(), Some(mark(seq)));
        }
        // The slot of the latest mark is torn: the one before it still counts, and it is the next to be kept.
        let mut octets = std::fs::read(&path).unwrap();
        let latest = if octets[..SLOT].windows(3).any(|w| w == b" 7 ") { 0 } else { SLOT };
        octets[latest + 40] ^= 1;
        std::fs::write(&path, &octets).unwrap();
        let anchor = Anchor::open(&path).unwrap();
        let held = anchor.hold().unwrap();
        assert_eq!(held.read().unwrap(), Some(mark(6)));
        held.write(&mark(8)).unwrap();
        assert_eq!(held.read().unwrap(), Some(mark(8)));
        drop(held);
        assert!(Anchor::create(&path, &mark(0)).is_err(), "never overwritten");
    }
}
