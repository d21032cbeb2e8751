//! The one way to anything on a medium: `openat2` beneath its folder, without symbolic links, other file systems or `/proc` links;
//! what was opened is looked at and read through the same descriptor.

use super::MediumError;
use crate::basics::{SafeText, limits};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, ResolveFlags, fstat, openat2, statat};
use rustix::io::{Errno, retry_on_intr};
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// A name on a medium that is no name of ours; shown, never opened.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OddName(pub SafeText);

const BENEATH: ResolveFlags = ResolveFlags::BENEATH
    .union(ResolveFlags::NO_SYMLINKS)
    .union(ResolveFlags::NO_XDEV)
    .union(ResolveFlags::NO_MAGICLINKS);

/// Opens a folder beneath another. `at` is how messages call it.
pub fn folder(parent: BorrowedFd<'_>, name: &str, at: &str) -> Result<OwnedFd, MediumError> {
    expect_kind(parent, name, at, FileType::Directory)?;
    open(parent, name, OFlags::RDONLY | OFlags::DIRECTORY).map_err(refused(at))
}

/// Reads a regular file beneath a folder, whole, of at most `most` octets; `None` where the name is not there.
pub fn read(parent: BorrowedFd<'_>, name: &str, at: &str, most: usize) -> Result<Option<Vec<u8>>, MediumError> {
    let Some((handle, size)) = regular(parent, name, at)? else { return Ok(None) };
    if size > most as u64 {
        return Err(MediumError::TooLong { at: at.to_owned(), most: most as u64, found: size });
    }
    let mut octets = Vec::new();
    let read = handle.take(most as u64 + 1).read_to_end(&mut octets);
    read.map_err(|e| MediumError::io(at, "reading")(Errno::from_io_error(&e).unwrap_or(Errno::IO)))?;
    if octets.len() as u64 != size {
        return Err(MediumError::Size { at: at.to_owned(), expected: size, found: octets.len() as u64 });
    }
    Ok(Some(octets))
}

/// Copies a regular file of `size` octets from beneath a folder into a new file, and makes that last; says whether it was there, of that
/// size. However long it is, a piece of it is in memory.
pub fn copy(parent: BorrowedFd<'_>, name: &str, at: &str, size: u64, to: &Path) -> Result<bool, MediumError> {
    let Some((handle, found)) = regular(parent, name, at)? else { return Ok(false) };
    if found != size {
        return Ok(false);
    }
    let io = |what| move |e: std::io::Error| MediumError::io(at, what)(Errno::from_io_error(&e).unwrap_or(Errno::IO));
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let copy = rustix::fs::open(to, flags, Mode::RUSR | Mode::WUSR);
    let mut copy = File::from(copy.map_err(MediumError::io(&to.display().to_string(), "creating"))?);
    let copied = std::io::copy(&mut handle.take(size), &mut copy).map_err(io("copying"))?;
    rustix::fs::fsync(&copy).map_err(MediumError::io(&to.display().to_string(), "making durable"))?;
    if copied != size {
        return Err(MediumError::Size { at: at.to_owned(), expected: size, found: copied });
    }
    Ok(true)
}

/// Opens a regular file beneath a folder; with it how many octets it has.
fn regular(parent: BorrowedFd<'_>, name: &str, at: &str) -> Result<Option<(File, u64)>, MediumError> {
    match expect_kind(parent, name, at, FileType::RegularFile) {
        Err(MediumError::Io { cause: Errno::NOENT, .. }) => return Ok(None),
        other => other?,
    }
    // What the name means may have changed since: only what the descriptor says counts from here on.
    let handle = match open(parent, name, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY) {
        Err(Errno::NOENT) => return Ok(None),
        other => other.map_err(refused(at))?,
    };
    let found = fstat(&handle).map_err(MediumError::io(at, "looking at"))?;
    let kind = FileType::from_raw_mode(found.st_mode);
    if kind != FileType::RegularFile {
        return Err(MediumError::Kind { at: at.to_owned(), expected: word(FileType::RegularFile), found: word(kind) });
    }
    Ok(Some((File::from(handle), u64::try_from(found.st_size).unwrap_or(u64::MAX))))
}

/// Opens a regular file beneath a folder for advice about it.
pub fn open_for_advice(parent: BorrowedFd<'_>, name: &str) -> Result<OwnedFd, MediumError> {
    expect_kind(parent, name, name, FileType::RegularFile)?;
    open(parent, name, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY).map_err(refused(name))
}

/// The names in a folder, in order; those that are not UTF-8 made visible. Counted to a bound, then refused.
pub fn names(folder: BorrowedFd<'_>, at: &str) -> Result<Vec<Result<String, OddName>>, MediumError> {
    let mut dir = Dir::read_from(folder).map_err(MediumError::io(at, "listing"))?;
    let mut names = Vec::new();
    while let Some(entry) = dir.read() {
        let entry = entry.map_err(MediumError::io(at, "listing"))?;
        let octets = entry.file_name().to_bytes();
        if octets == b"." || octets == b".." {
            continue;
        }
        if names.len() >= limits::MEDIUM_ENTRIES {
            return Err(MediumError::TooMany { at: at.to_owned(), most: limits::MEDIUM_ENTRIES });
        }
        let lossy = || OddName(SafeText::cut(&std::ffi::OsStr::from_bytes(octets).to_string_lossy(), 80));
        names.push(std::str::from_utf8(octets).map(str::to_owned).map_err(|_| lossy()));
    }
    names.sort();
    Ok(names)
}

/// Whether a name is a folder; what cannot be looked at is none.
pub fn is_folder(parent: BorrowedFd<'_>, name: &str) -> bool {
    let found = retry_on_intr(|| statat(parent, name, AtFlags::SYMLINK_NOFOLLOW));
    found.is_ok_and(|found| FileType::from_raw_mode(found.st_mode) == FileType::Directory)
}

/// What a name is, without opening it: a device must not even be opened.
fn expect_kind(parent: BorrowedFd<'_>, name: &str, at: &str, expected: FileType) -> Result<(), MediumError> {
    let found =
        retry_on_intr(|| statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)).map_err(MediumError::io(at, "looking at"))?;
    let found = FileType::from_raw_mode(found.st_mode);
    if found == expected {
        return Ok(());
    }
    Err(MediumError::Kind { at: at.to_owned(), expected: word(expected), found: word(found) })
}

fn open(parent: BorrowedFd<'_>, name: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
    let flags = flags | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let mut tries = 0;
    loop {
        tries += 1;
        // The kernel asks for another try where something was renamed while it walked.
        match retry_on_intr(|| openat2(parent.as_fd(), name, flags, Mode::empty(), BENEATH)) {
            Err(Errno::AGAIN) if tries < limits::OPEN_TRIES => {}
            other => return other,
        }
    }
}

/// What `openat2` refuses with, in the words of what was found.
fn refused(at: &str) -> impl FnOnce(Errno) -> MediumError {
    let at = at.to_owned();
    move |cause| match cause {
        Errno::LOOP => MediumError::Kind { at, expected: "file of the medium itself", found: "symbolic link" },
        Errno::XDEV => MediumError::Kind { at, expected: "file of the medium itself", found: "way out of the medium" },
        cause => MediumError::Io { at, doing: "opening", cause },
    }
}

const fn word(kind: FileType) -> &'static str {
    match kind {
        FileType::RegularFile => "regular file",
        FileType::Directory => "folder",
        FileType::Symlink => "symbolic link",
        FileType::Fifo => "named pipe",
        FileType::Socket => "socket",
        FileType::CharacterDevice | FileType::BlockDevice => "device node",
        FileType::Unknown => "thing of no known kind",
    }
}
