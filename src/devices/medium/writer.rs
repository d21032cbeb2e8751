//! Writes a medium. A power cut or a pulled stick at any call leaves no file that is not whole under its final name and no manifest
//! whose files are not there. The system calls of one export, in order:
//!
//! ```text
//! mkdirat(EXP-0001) fsync(root)
//! each file:  openat(temp, CREAT|EXCL) write fsync renameat2(NOREPLACE) fsync(file) fsync(dir)
//! syncfs
//! MANIFEST:   the same six, then syncfs
//! each file:  fadvise(DONTNEED), read whole, compared
//! ```
//! The second fsync of a file is not a slip: FAT gives a renamed file the size 0 on disk until then.

use super::reader::{Medium, forget};
use super::{MediumError, inside};
use crate::basics::{Digest, Realm, SafeText};
use crate::transfer::volume::{
    ExportName, FileName, INBOX, ListedFile, MANIFEST, Manifest, VOLUME, Volume, VolumeError, is_of_another_system,
};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{
    AtFlags, Mode, OFlags, RenameFlags, fstatvfs, fsync, mkdirat, openat, renameat, renameat_with, statat, syncfs,
    unlinkat,
};
use rustix::io::{Errno, retry_on_intr};
use std::borrow::Cow;
use std::fs::File;
use std::io::Write;

/// An export as written and read back.
#[derive(Debug)]
pub struct Written {
    pub volume: Volume,
    pub manifest: Manifest,
    pub digest: Digest,
}

/// Gives an empty medium its id and label, and a folder for what others put on it with plain tools.
///
/// # Errors
/// Where it has one, or holds anything, or the disk refuses.
pub fn initialise(medium: Medium, volume: &Volume) -> Result<Medium, MediumError> {
    if let Some(there) = medium.volume() {
        return Err(MediumError::Initialised(there.clone()));
    }
    for name in inside::names(medium.root(), "the medium")? {
        match name {
            Ok(name) if name == INBOX || is_of_another_system(&name) => {}
            // Left by an `init` that was cut short: the medium is as empty as before.
            Ok(name) if name == temporary(VOLUME) => {}
            Ok(name) => return Err(MediumError::NotEmpty(SafeText::cut(&name, 80))),
            Err(inside::OddName(name)) => return Err(MediumError::NotEmpty(name)),
        }
    }
    let octets = volume.to_octets().map_err(MediumError::volume(VOLUME))?;
    match mkdirat(medium.root(), INBOX, Mode::RWXU) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(cause) => return Err(MediumError::io(INBOX, "making the folder")(cause)),
    }
    put(medium.root(), VOLUME, &octets)?;
    sync_all(medium.root())?;
    forget(medium.root(), VOLUME);
    medium.known()
}

/// What is to be in a file.
pub enum Content<'c> {
    Octets(Cow<'c, [u8]>),
    /// Made when it is asked for, each time the same: an export of many large files is never in memory.
    Made(Box<dyn Fn() -> Result<Vec<u8>, String> + 'c>),
}

impl Content<'_> {
    fn octets(&self, name: &FileName) -> Result<Cow<'_, [u8]>, MediumError> {
        match self {
            Self::Octets(octets) => Ok(Cow::Borrowed(octets)),
            Self::Made(make) => {
                make().map(Cow::Owned).map_err(|problem| MediumError::Unmade { name: name.clone(), problem })
            }
        }
    }
}

/// Writes files as a new export and reads everything back. What was begun and failed is removed again, where the medium still answers.
///
/// # Errors
/// Where the medium is full, read-only, pulled or gives back something else; where the files make no manifest.
pub fn write_export(
    medium: &Medium,
    realm: Realm,
    files: &[(FileName, Vec<u8>)],
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Written, MediumError> {
    let mut contents = Vec::new();
    for (name, octets) in files {
        contents.push((name.clone(), Content::Octets(Cow::Borrowed(octets.as_slice()))));
    }
    write_contents(medium, realm, &contents, progress)
}

/// As [`write_export`], of files that need not all be in memory.
///
/// # Errors
/// As [`write_export`], and where one cannot be made.
pub fn write_contents(
    medium: &Medium,
    realm: Realm,
    files: &[(FileName, Content<'_>)],
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Written, MediumError> {
    let volume = medium.expect(None)?.clone();
    let export = next_name(medium)?;
    let listed = |(name, content): &(FileName, Content<'_>)| {
        let octets = content.octets(name)?;
        Ok(ListedFile { name: name.clone(), sha256: Digest::of(&octets), size: octets.len() as u64 })
    };
    let listed = files.iter().map(listed).collect::<Result<_, MediumError>>()?;
    let manifest = Manifest::new(export, volume.id, realm, listed).map_err(MediumError::volume("the export"))?;
    room_for(medium, manifest.files().iter().map(|f| f.size).sum())?;
    let at = export.to_string();
    mkdirat(medium.root(), &at, Mode::RWXU).map_err(MediumError::io(&at, "making the folder"))?;
    let written = retry_on_intr(|| fsync(medium.root()))
        .map_err(MediumError::io("the medium", "making durable"))
        .and_then(|()| inside::folder(medium.root(), &at, &at))
        .and_then(|folder| fill(&folder, &manifest, files, progress))
        .and_then(|()| read_back(medium, &manifest));
    match written {
        Ok(digest) => Ok(Written { volume, manifest, digest }),
        Err(error) => {
            remove(medium, &at, &manifest);
            Err(error)
        }
    }
}

/// A new look through the same door a reader takes: names, manifest and every octet. Gives the manifest's digest.
fn read_back(medium: &Medium, manifest: &Manifest) -> Result<Digest, MediumError> {
    let at = manifest.export().to_string();
    let folder = inside::folder(medium.root(), &at, &at)?;
    forget(folder.as_fd(), MANIFEST);
    let there = medium.check(manifest.export())?;
    let expected = manifest.digest().map_err(MediumError::volume(&at))?;
    let found = there.digest().map_err(MediumError::volume(&at))?;
    if found == expected {
        Ok(expected)
    } else {
        Err(MediumError::Altered { at: format!("{at}/{MANIFEST}"), expected, found })
    }
}

/// The name after the last one that anything has, finished or not: no name is used twice.
fn next_name(medium: &Medium) -> Result<ExportName, MediumError> {
    let names = inside::names(medium.root(), "the medium")?;
    let last = names.into_iter().flatten().filter_map(|name| ExportName::parse(&name).ok()).max();
    last.map_or(Some(ExportName::FIRST), ExportName::after).ok_or(MediumError::NoNamesLeft)
}

fn room_for(medium: &Medium, octets: u64) -> Result<(), MediumError> {
    let space = fstatvfs(medium.root()).map_err(MediumError::io("the medium", "asking for its free space"))?;
    // Some file systems do not say; then the writing finds out.
    if space.f_blocks > 0 && space.f_bavail.saturating_mul(space.f_frsize) < octets {
        return Err(MediumError::io("the medium", "making room")(Errno::NOSPC));
    }
    Ok(())
}

fn fill(
    folder: &OwnedFd,
    manifest: &Manifest,
    files: &[(FileName, Content<'_>)],
    progress: &mut dyn FnMut(usize, usize),
) -> Result<(), MediumError> {
    for (done, (name, content)) in files.iter().enumerate() {
        progress(done, files.len());
        put(folder.as_fd(), name.as_str(), &content.octets(name)?)?;
    }
    sync_all(folder.as_fd())?;
    let octets =
        manifest.to_octets().map_err(|cause: VolumeError| MediumError::Volume { at: MANIFEST.to_owned(), cause })?;
    put(folder.as_fd(), MANIFEST, &octets)?;
    sync_all(folder.as_fd())?;
    progress(files.len(), files.len());
    Ok(())
}

/// One new file, whole under its name or not there.
fn put(folder: BorrowedFd<'_>, name: &str, octets: &[u8]) -> Result<(), MediumError> {
    let temp = temporary(name);
    // Only an `init` that was cut short leaves one: an export's folder is new.
    let _ = unlinkat(folder, &temp, AtFlags::empty());
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let handle = openat(folder, &temp, flags, Mode::RUSR | Mode::WUSR).map_err(MediumError::io(name, "creating"))?;
    let mut file = File::from(handle);
    file.write_all(octets)
        .map_err(|e| MediumError::io(name, "writing")(Errno::from_io_error(&e).unwrap_or(Errno::IO)))?;
    retry_on_intr(|| fsync(&file)).map_err(MediumError::io(name, "making durable"))?;
    match retry_on_intr(|| renameat_with(folder, &temp, folder, name, RenameFlags::NOREPLACE)) {
        // Some file systems know no flags: then we look first; the folder is new and ours.
        Err(Errno::INVAL) => match statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => retry_on_intr(|| renameat(folder, &temp, folder, name)),
            Ok(_) => Err(Errno::EXIST),
            Err(cause) => Err(cause),
        },
        other => other,
    }
    .map_err(MediumError::io(name, "renaming"))?;
    // FAT has the size 0 on disk for a renamed file until it is synced again (THREATS 0.2).
    retry_on_intr(|| fsync(&file)).map_err(MediumError::io(name, "making durable under its name"))?;
    retry_on_intr(|| fsync(folder)).map_err(MediumError::io(name, "making its name durable"))
}

fn sync_all(folder: BorrowedFd<'_>) -> Result<(), MediumError> {
    retry_on_intr(|| syncfs(folder)).map_err(MediumError::io("the medium", "making everything durable"))
}

fn temporary(name: &str) -> String {
    format!(".{name}.partial")
}

/// Removes an export that failed; what the medium does not let go stays without a manifest, which is nothing.
fn remove(medium: &Medium, at: &str, manifest: &Manifest) {
    if let Ok(folder) = inside::folder(medium.root(), at, at) {
        // The manifest first: an export must not look whole while its files go.
        for name in std::iter::once(MANIFEST).chain(manifest.files().iter().map(|f| f.name.as_str())) {
            let _ = unlinkat(&folder, name, AtFlags::empty());
            let _ = unlinkat(&folder, temporary(name), AtFlags::empty());
        }
    }
    let _ = unlinkat(medium.root(), at, AtFlags::REMOVEDIR);
    let _ = fsync(medium.root());
}
