//! The files of a bundle in a folder. A bundle is written into `.NAME.partial` and gets its name when everything in it lasts and was
//! read back; what has that name is whole. The system calls, in order:
//!
//! ```text
//! mkdir(.NAME.partial) mkdir(shards)
//! each file:  open(CREAT|EXCL) write
//! syncfs; each file: fadvise(DONTNEED), read whole, compared with what was written
//! manifest.json: open(CREAT|EXCL) write fsync
//! fsync(folders) rename(NAME, NOREPLACE) fsync(folder above)
//! ```
//! If we die before the rename there is no bundle: what is left has keys only sealed, and is refused as half-written.

use crate::basics::{Digest, SafeText};
use crate::devices::durable_file::{self, FileError};
use crate::factory::manifest::BundleFile;
use crate::factory::{Class, Refusal};
use rustix::fs::{Advice, Mode, OFlags, fadvise, fsync, open, syncfs};
use rustix::io::retry_on_intr;
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};

/// Octets read or written at once.
const PIECE: usize = 256 * 1024;

pub(super) fn failed<E: Into<std::io::Error>>(path: &Path, what: &'static str) -> impl FnOnce(E) -> FileError {
    let path = path.to_owned();
    move |cause| FileError { path, what, cause: cause.into() }
}

/// A bundle that is being written.
pub(super) struct Partial {
    name: PathBuf,
    path: PathBuf,
    finished: bool,
}

impl Drop for Partial {
    fn drop(&mut self) {
        if !self.finished {
            // Ours alone, and new: nothing in it was ever acknowledged.
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

impl Partial {
    /// Makes the folder; neither it nor the one it becomes may exist.
    pub(super) fn new(name: &Path) -> Result<Self, FileError> {
        let last = name.file_name().unwrap_or_default().to_string_lossy();
        let path = name.with_file_name(format!(".{last}.partial"));
        if name.symlink_metadata().is_ok() {
            let cause = std::io::Error::from(std::io::ErrorKind::AlreadyExists);
            return Err(failed(name, "expected no file or folder of this name")(cause));
        }
        if path.symlink_metadata().is_ok() {
            let cause = std::io::Error::from(std::io::ErrorKind::AlreadyExists);
            return Err(failed(&path, "left by one that was not written to its end; remove it")(cause));
        }
        durable_file::new_folder(&path)?;
        let partial = Self { name: name.to_owned(), path, finished: false };
        durable_file::new_folder(&partial.path.join("shards"))?;
        Ok(partial)
    }

    pub(super) fn at(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// A new file of the bundle.
    pub(super) fn file(&self, name: &str) -> Result<NewFile, FileError> {
        let path = self.at(name);
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let file = File::from(open(&path, flags, Mode::RUSR | Mode::WUSR).map_err(failed(&path, "creating"))?);
        let writer = BufWriter::with_capacity(PIECE, file);
        Ok(NewFile { name: name.to_owned(), path, writer, hasher: Sha256::new(), size: 0 })
    }

    /// Makes everything last, reads it back, writes the manifest and gives the folder its name.
    pub(super) fn finish(
        mut self,
        files: &[BundleFile],
        manifest: (&str, &[u8]),
    ) -> Result<(), crate::bundles::BundleError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = open(&self.path, flags, Mode::empty()).map_err(failed(&self.path, "opening the folder"))?;
        retry_on_intr(|| syncfs(&folder)).map_err(failed(&self.path, "making durable"))?;
        self.read_back(files)?;
        durable_file::create(&self.at(manifest.0), manifest.1)?;
        durable_file::sync_folder(&self.path.join("shards"))?;
        durable_file::sync_folder(&self.path)?;
        durable_file::move_to(&self.path, &self.name)?;
        self.finished = true;
        retry_on_intr(|| fsync(&folder)).map_err(failed(&self.name, "making the folder durable"))?;
        Ok(())
    }
}

impl Partial {
    /// Every file as it lies on disk, on every core.
    fn read_back(&self, files: &[BundleFile]) -> Result<(), crate::bundles::BundleError> {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let check = |listed: &BundleFile| -> Result<(), crate::bundles::BundleError> {
            let found = digest_of(&self.path, &listed.name, listed.size, Cached::No)?;
            if found == listed.sha256 {
                return Ok(());
            }
            Err(Refusal::new(Class::Tampered, &listed.name, listed.sha256, found).into())
        };
        std::thread::scope(|scope| {
            let part = files.len().div_ceil(cores).max(1);
            let check = &check;
            let threads: Vec<_> =
                files.chunks(part).map(|part| scope.spawn(move || part.iter().try_for_each(check))).collect();
            threads.into_iter().try_for_each(|thread| {
                let ended = || crate::bundles::BundleError::Strongroom("a reading thread ended early".to_owned());
                thread.join().unwrap_or_else(|_| Err(ended()))
            })
        })
    }
}

/// A file that is being written; its digest grows with it.
pub(super) struct NewFile {
    name: String,
    path: PathBuf,
    writer: BufWriter<File>,
    hasher: Sha256,
    size: u64,
}

impl NewFile {
    pub(super) fn put(&mut self, octets: &[u8]) -> Result<(), FileError> {
        self.hasher.update(octets);
        self.size += octets.len() as u64;
        self.writer.write_all(octets).map_err(failed(&self.path, "writing"))
    }

    pub(super) fn done(mut self) -> Result<BundleFile, FileError> {
        self.writer.flush().map_err(failed(&self.path, "writing"))?;
        // The kernel begins to write now, not at the end when all of it would have to be waited for.
        let _ = fadvise(self.writer.get_ref(), 0, None, Advice::DontNeed);
        let sha256 = Digest::from_octets(self.hasher.finalize().into());
        Ok(BundleFile { name: self.name, size: self.size, sha256 })
    }
}

/// Whether octets may come from the machine's memory instead of the disk.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Cached {
    Yes,
    No,
}

/// Opens a regular file of a bundle, or beside one; links are not followed. Gives its size.
///
/// # Errors
/// Where it is none.
pub fn open_file(folder: &Path, name: &str) -> Result<(File, u64), FileError> {
    let path = folder.join(name);
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = File::from(open(&path, flags, Mode::empty()).map_err(failed(&path, "opening"))?);
    let seen = file.metadata().map_err(failed(&path, "looking at"))?;
    if !seen.is_file() {
        return Err(failed(&path, "expected a regular file")(std::io::Error::from(std::io::ErrorKind::InvalidInput)));
    }
    Ok((file, seen.len()))
}

/// SHA-256 of a file that must have `size` octets.
pub(super) fn digest_of(
    folder: &Path,
    name: &str,
    size: u64,
    cached: Cached,
) -> Result<Digest, crate::bundles::BundleError> {
    let (file, found) = open_file(folder, name)?;
    if found != size {
        return Err(Refusal::new(Class::Tampered, name, format!("{size} octets"), format!("{found} octets")).into());
    }
    if cached == Cached::No {
        // Advice only: where the kernel keeps the pages, they are compared all the same.
        let _ = fadvise(&file, 0, None, Advice::DontNeed);
    }
    let (mut file, mut hasher) = (file.take(size), Sha256::new());
    let mut piece = vec![0; PIECE];
    loop {
        let read = file.read(&mut piece).map_err(failed(&folder.join(name), "reading"))?;
        if read == 0 {
            return Ok(Digest::from_octets(hasher.finalize().into()));
        }
        hasher.update(piece.get(..read).unwrap_or_default());
    }
}

/// The names in a folder, those of `shards/` with it, sorted.
pub(super) fn names(folder: &Path, most: usize) -> Result<Vec<String>, crate::bundles::BundleError> {
    let mut found = Vec::new();
    for (inside, prefix) in [(folder.to_owned(), ""), (folder.join("shards"), "shards/")] {
        let seen = inside.symlink_metadata().map_err(failed(&inside, "looking at"))?;
        if !seen.is_dir() && !prefix.is_empty() {
            return Err(Refusal::new(Class::Foreign, "shards", "a folder", "something else").into());
        }
        for entry in std::fs::read_dir(&inside).map_err(failed(&inside, "listing"))? {
            let name = entry.map_err(failed(&inside, "listing"))?.file_name().to_string_lossy().into_owned();
            if prefix.is_empty() && name == "shards" {
                continue;
            }
            if found.len() >= most {
                let shown = SafeText::cut(&name, 80).to_string();
                return Err(Refusal::new(Class::Foreign, "folder", format!("at most {most} files"), shown).into());
            }
            found.push(format!("{prefix}{name}"));
        }
    }
    found.sort();
    Ok(found)
}
