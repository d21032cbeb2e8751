//! Files that are whole or not there. The system calls, in order:
//!
//! ```text
//! create: open(temp, CREAT|EXCL) write fsync renameat2(NOREPLACE) fsync(file) open(dir) fsync(dir)
//! append: open(APPEND) write fdatasync
//! ```
//! The second fsync of the file is not a slip: FAT forgets the content of a renamed file without it.

use rustix::fs::{CWD, Mode, OFlags, RenameFlags, fdatasync, fsync, open, renameat_with};
use rustix::io::retry_on_intr;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// Why a file could not be written or read.
#[derive(Debug, thiserror::Error)]
#[error("{}: {what}: {}", path.display(), in_words(cause))]
pub struct FileError {
    pub path: PathBuf,
    pub what: &'static str,
    pub cause: std::io::Error,
}

/// Without the number that the standard library puts after the system's words.
fn in_words(cause: &std::io::Error) -> String {
    let words = cause.to_string();
    words.split(" (os error ").next().unwrap_or_default().to_owned()
}

impl FileError {
    fn of<E: Into<std::io::Error>>(path: &Path, what: &'static str) -> impl FnOnce(E) -> Self {
        let path = path.to_owned();
        move |cause| Self { path, what, cause: cause.into() }
    }
}

/// Writes a new file, readable by its owner only. Never overwrites; where the same content is there already, that is success:
/// a resumed ceremony writes again what it had written.
///
/// # Errors
/// Where the name is taken by other content, or the disk refuses.
pub fn create(path: &Path, octets: &[u8]) -> Result<(), FileError> {
    if path.exists() {
        let there = read(path, octets.len() + 1)?;
        if there == octets {
            // Written by a run that died, or was told of an error, before it knew that the file lasts.
            let file = File::open(path).map_err(FileError::of(path, "opening"))?;
            retry_on_intr(|| fsync(&file)).map_err(FileError::of(path, "making durable"))?;
            return sync_folder(path.parent().unwrap_or(Path::new(".")));
        }
        let cause = std::io::Error::from(std::io::ErrorKind::AlreadyExists);
        return Err(FileError {
            path: path.to_owned(),
            what: "expected no file, or the same content, found another",
            cause,
        });
    }
    put(path, octets, RenameFlags::NOREPLACE)
}

/// Gives a file, if there is one, a name that says no record names it; its content stays for whoever investigates.
///
/// # Errors
/// Where the disk refuses.
pub fn set_aside(path: &Path) -> Result<(), FileError> {
    if !path.exists() {
        return Ok(());
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let free = (1..=9_999_u32)
        .map(|n| path.with_file_name(format!("{name}.unrecorded-{n}")))
        .find(|free| !free.exists())
        .unwrap_or_else(|| path.with_file_name(format!("{name}.unrecorded")));
    std::fs::rename(path, free).map_err(FileError::of(path, "setting aside"))?;
    sync_folder(path.parent().unwrap_or(Path::new(".")))
}

/// Writes a file that is derived from others and may be derived again.
///
/// # Errors
/// Where the disk refuses; the old file is then still whole.
pub fn replace(path: &Path, octets: &[u8]) -> Result<(), FileError> {
    put(path, octets, RenameFlags::empty())
}

fn put(path: &Path, octets: &[u8], flags: RenameFlags) -> Result<(), FileError> {
    let temp = temporary(path);
    // Left by a run that died between these calls; its content was never whole under the final name.
    let _ = std::fs::remove_file(&temp);
    let written = write_temp(&temp, octets).and_then(|file| {
        match retry_on_intr(|| renameat_with(CWD, &temp, CWD, path, flags)) {
            // FAT and some others know no flags: the name was checked above, and one ceremony has one writer.
            Err(rustix::io::Errno::INVAL) => std::fs::rename(&temp, path).map_err(FileError::of(path, "renaming"))?,
            other => other.map_err(FileError::of(path, "renaming"))?,
        }
        retry_on_intr(|| fsync(&file)).map_err(FileError::of(path, "making durable"))?;
        sync_folder(path.parent().unwrap_or(Path::new(".")))
    });
    if written.is_err() {
        let _ = std::fs::remove_file(&temp);
    }
    written
}

fn write_temp(temp: &Path, octets: &[u8]) -> Result<File, FileError> {
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let mut file = File::from(open(temp, flags, Mode::RUSR | Mode::WUSR).map_err(FileError::of(temp, "creating"))?);
    file.write_all(octets).map_err(FileError::of(temp, "writing"))?;
    retry_on_intr(|| fsync(&file)).map_err(FileError::of(temp, "making durable"))?;
    Ok(file)
}

fn temporary(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.partial"))
}

/// Gives a file another name that nothing has, durably.
///
/// # Errors
/// Where the name is taken, or the disk refuses.
pub fn move_to(from: &Path, to: &Path) -> Result<(), FileError> {
    retry_on_intr(|| renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE))
        .map_err(FileError::of(to, "renaming"))?;
    for path in [to, from] {
        sync_folder(path.parent().unwrap_or(Path::new(".")))?;
    }
    Ok(())
}

/// Makes the names in a folder durable.
///
/// # Errors
/// Where the folder cannot be opened or synced.
pub fn sync_folder(folder: &Path) -> Result<(), FileError> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let handle = open(folder, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
        .map_err(FileError::of(folder, "opening the folder"))?;
    retry_on_intr(|| fsync(&handle)).map_err(FileError::of(folder, "making the folder durable"))
}

/// Whether this is the name of a file that was never whole.
#[must_use]
pub fn is_partial(path: &str) -> bool {
    path.rsplit('/').next().is_some_and(|name| name.starts_with('.') && name.ends_with(".partial"))
}

/// Removes a file.
///
/// # Errors
/// Where the disk refuses.
pub fn remove(path: &Path) -> Result<(), FileError> {
    std::fs::remove_file(path).map_err(FileError::of(path, "removing"))
}

/// Removes a file where there is one.
///
/// # Errors
/// Where it is there and stays.
pub fn remove_if_there(path: &Path) -> Result<(), FileError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(FileError::of(path, "removing")(error)),
        _ => Ok(()),
    }
}

/// Makes a folder that must not exist.
///
/// # Errors
/// Where it exists, or cannot be made.
pub fn new_folder(path: &Path) -> Result<(), FileError> {
    std::fs::create_dir(path).map_err(FileError::of(path, "making the folder"))?;
    sync_folder(path.parent().unwrap_or(Path::new(".")))
}

/// As [`new_folder`], and only its owner enters it, from its first moment on.
///
/// # Errors
/// As [`new_folder`].
pub fn new_private_folder(path: &Path) -> Result<(), FileError> {
    rustix::fs::mkdir(path, Mode::RWXU).map_err(FileError::of(path, "making the folder"))?;
    sync_folder(path.parent().unwrap_or(Path::new(".")))
}

/// Makes a folder inside ours, or finds it made.
///
/// # Errors
/// Where it cannot be made.
pub fn folder(path: &Path) -> Result<(), FileError> {
    if path.is_dir() { Ok(()) } else { new_folder(path) }
}

/// Reads a regular file of at most `limit` octets; symbolic links are not followed.
///
/// # Errors
/// Where it is missing, no regular file, or longer.
pub fn read(path: &Path, limit: usize) -> Result<Vec<u8>, FileError> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = File::from(open(path, flags, Mode::empty()).map_err(FileError::of(path, "opening"))?);
    let kind = file.metadata().map_err(FileError::of(path, "looking at"))?;
    if !kind.is_file() {
        let cause = std::io::Error::from(std::io::ErrorKind::InvalidInput);
        return Err(FileError { path: path.to_owned(), what: "expected a regular file", cause });
    }
    let mut octets = Vec::new();
    file.take(limit as u64 + 1).read_to_end(&mut octets).map_err(FileError::of(path, "reading"))?;
    if octets.len() > limit {
        let cause = std::io::Error::from(std::io::ErrorKind::FileTooLarge);
        return Err(FileError { path: path.to_owned(), what: "longer than its limit", cause });
    }
    Ok(octets)
}

/// A file that only grows; every append is durable when the call returns.
pub struct Appender {
    path: PathBuf,
    file: File,
}

impl Appender {
    /// Opens an existing file for appending.
    ///
    /// # Errors
    /// Where it does not exist or cannot be opened.
    pub fn open(path: &Path) -> Result<Self, FileError> {
        let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let file = File::from(open(path, flags, Mode::empty()).map_err(FileError::of(path, "opening"))?);
        Ok(Self { path: path.to_owned(), file })
    }

    /// Appends, durably. On failure the file is cut back to what it was.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn append(&mut self, octets: &[u8]) -> Result<(), FileError> {
        let before = self.file.metadata().map_err(FileError::of(&self.path, "looking at"))?.len();
        let written = self
            .file
            .write_all(octets)
            .and_then(|()| retry_on_intr(|| fdatasync(&self.file)).map_err(std::io::Error::from));
        written.map_err(|cause| {
            let _ = self.file.set_len(before);
            FileError { path: self.path.clone(), what: "appending", cause }
        })
    }
}

/// Cuts a file back to a length: a torn last line was never acknowledged.
///
/// # Errors
/// Where the disk refuses.
pub fn cut_back(path: &Path, length: u64) -> Result<(), FileError> {
    let file = std::fs::OpenOptions::new().write(true).open(path).map_err(FileError::of(path, "opening"))?;
    file.set_len(length).map_err(FileError::of(path, "cutting back"))?;
    retry_on_intr(|| fsync(&file)).map_err(FileError::of(path, "making durable"))
}
