//! What is being written outside the station's folder while it may hold a private key. A note inside says where, so that what a killed process
//! left behind is found, overwritten and removed by whoever opens the station next.
//!
//! ```text
//! handing-over/<16 hexadecimal digits>      path of the unfinished file or folder, NUL, device id (empty while nothing is drawn)
//! ```
//! A note is locked for as long as its writer lives, and goes when what it speaks of has its name or is gone.

use crate::basics::digest::hex_encode;
use crate::basics::{SafeText, limits};
use crate::devices::durable_file::{self, FileError};
use crate::station::{Station, StationError};
use rustix::fs::{FallocateFlags, FlockOperation, Mode, OFlags, fallocate, flock, open};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::fs::File;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

const FOLDER: &str = "handing-over";
/// More than any form of one identity takes.
const ROOM: u64 = 128 * 1024;

/// A note of something unfinished. It goes with this, unless what it speaks of is still there.
pub struct HandingOver {
    note: PathBuf,
    file: File,
    unfinished: PathBuf,
}

/// What a process that was killed had left.
pub struct Left {
    pub path: PathBuf,
    /// Whose private key may have been in it; empty where none was.
    pub device: SafeText,
    /// Why it is still there.
    pub problem: Option<String>,
}

impl HandingOver {
    /// Says whose key is about to be written.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn begins(&mut self, device: &str) -> Result<(), FileError> {
        let failed = |cause| FileError { path: self.note.clone(), what: "writing", cause };
        self.file.write_all(device.as_bytes()).and_then(|()| self.file.sync_data()).map_err(failed)
    }
}

impl Drop for HandingOver {
    fn drop(&mut self) {
        if self.unfinished.symlink_metadata().is_err() {
            let _ = std::fs::remove_file(&self.note);
        }
    }
}

impl Station {
    /// Before anything is drawn that `unfinished` is to hold: the note, and whether there is room.
    ///
    /// # Errors
    /// Where the disk refuses, here or there.
    pub fn handing_over(&self, unfinished: &Path) -> Result<HandingOver, StationError> {
        let folder = self.folder.join(FOLDER);
        durable_file::folder(&folder)?;
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(|e| StationError::Other(format!("the machine's random source: {e}")))?;
        let note = folder.join(hex_encode(&random));
        let path = note.clone();
        let failed = |what| {
            let path = path.clone();
            move |cause| FileError { path, what, cause }
        };
        let file = loop {
            let flags = OFlags::CREATE | OFlags::WRONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
            let file =
                File::from(open(&note, flags, Mode::RUSR | Mode::WUSR).map_err(|e| failed("creating")(e.into()))?);
            flock(&file, FlockOperation::LockExclusive).map_err(|e| failed("locking")(e.into()))?;
            // Somebody may have swept it away between the two calls.
            if file.metadata().map_err(failed("looking at"))?.nlink() > 0 {
                break file;
            }
        };
        let mut over = HandingOver { note, file, unfinished: unfinished.to_owned() };
        let octets = [unfinished.as_os_str().as_bytes(), &[0]].concat();
        over.file.write_all(&octets).and_then(|()| over.file.sync_all()).map_err(failed("writing"))?;
        durable_file::sync_folder(&folder)?;
        if let Err(error) = has_room(unfinished) {
            // Whatever is there is another's.
            let _ = std::fs::remove_file(&over.note);
            return Err(error.into());
        }
        Ok(over)
    }

    /// Overwrites and removes what processes that are gone had left unfinished.
    ///
    /// # Errors
    /// Where the notes cannot be read.
    pub fn sweep(&self) -> Result<Vec<Left>, StationError> {
        let folder = self.folder.join(FOLDER);
        let failed = |cause| FileError { path: folder.clone(), what: "reading the folder", cause };
        let notes = match std::fs::read_dir(&folder) {
            Ok(notes) => notes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(error).into()),
        };
        let (mut living, mut dead) = (Vec::new(), Vec::new());
        for note in notes.take(limits::STATION_NOTES) {
            let note = note.map_err(failed)?.path();
            let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
            let Ok(file) = open(&note, flags, Mode::empty()) else { continue };
            let lives = flock(&file, FlockOperation::NonBlockingLockExclusive).is_err();
            // One that ended in between has taken its note along.
            let Ok(octets) = durable_file::read(&note, limits::SMALL_FILE_OCTETS) else { continue };
            let (path, device) = read(&octets);
            if lives { living.push(path) } else { dead.push((note, file, path, device)) }
        }
        let mut all = Vec::new();
        for (note, _locked, path, device) in dead {
            // Somebody else may be writing to that place by now.
            if path.symlink_metadata().is_err() || living.contains(&path) {
                durable_file::remove_if_there(&note)?;
                continue;
            }
            let problem = wiped(&path).err().map(|error| error.to_string());
            if problem.is_none() {
                durable_file::remove_if_there(&note)?;
            }
            all.push(Left { path, device, problem });
        }
        Ok(all)
    }
}

fn read(note: &[u8]) -> (PathBuf, SafeText) {
    let mut parts = note.split(|octet| *octet == 0);
    let path = PathBuf::from(OsStr::from_bytes(parts.next().unwrap_or_default()));
    let device = String::from_utf8_lossy(parts.next().unwrap_or_default());
    (path, SafeText::cut(&device, limits::DEVICE_ID_CHARS))
}

/// A file of ours, or a folder of ours that has nothing but files.
fn wiped(path: &Path) -> Result<(), FileError> {
    let failed = |what| move |cause| FileError { path: path.to_owned(), what, cause };
    let found = path.symlink_metadata().map_err(failed("looking at"))?;
    if !durable_file::is_partial(&path.to_string_lossy()) || found.uid() != rustix::process::getuid().as_raw() {
        let cause = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
        return Err(failed("expected an unfinished file or folder of ours, found another")(cause));
    }
    if !found.is_dir() {
        return overwritten(path);
    }
    for inner in std::fs::read_dir(path).map_err(failed("reading the folder"))? {
        overwritten(&inner.map_err(failed("reading the folder"))?.path())?;
    }
    std::fs::remove_dir(path).map_err(failed("removing"))
}

/// Flash keeps old blocks; a disk that turns does not.
fn overwritten(path: &Path) -> Result<(), FileError> {
    let failed = |what| move |cause| FileError { path: path.to_owned(), what, cause };
    let flags = OFlags::WRONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let mut file = File::from(open(path, flags, Mode::empty()).map_err(|e| failed("opening")(e.into()))?);
    let length = file.metadata().map_err(failed("looking at"))?.len();
    std::io::copy(&mut std::io::Read::take(std::io::repeat(0), length), &mut file).map_err(failed("overwriting"))?;
    file.sync_all().map_err(failed("making durable"))?;
    durable_file::remove(path)
}

/// An identity that finds no room after it was reserved is spent: asked before.
fn has_room(unfinished: &Path) -> Result<(), FileError> {
    let failed = |what| move |cause: Errno| FileError { path: unfinished.to_owned(), what, cause: cause.into() };
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let file = open(unfinished, flags, Mode::RUSR | Mode::WUSR).map_err(failed("creating"))?;
    let room = match fallocate(&file, FallocateFlags::KEEP_SIZE, 0, ROOM) {
        Err(full @ (Errno::NOSPC | Errno::DQUOT)) => Err(failed("expected room for 128 KiB")(full)),
        // Not every file system can say.
        _ => Ok(()),
    };
    durable_file::remove(unfinished)?;
    room
}
