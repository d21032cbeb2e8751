//! Reads a medium: which one it is, what is on it, and an export whole or not at all.

use super::inside::{self, OddName};
use super::{MediumError, Place};
use crate::basics::{Digest, SafeText, limits};
use crate::transfer::volume::{
    ExportName, FileName, INBOX, Label, ListedFile, MANIFEST, Manifest, VOLUME, Volume, is_of_another_system,
};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{Advice, AtFlags, Mode, OFlags, fadvise, fstat, open, statat};
use std::collections::BTreeSet;

/// An open medium.
pub struct Medium {
    root: OwnedFd,
    volume: Option<Volume>,
}

/// What is on a medium.
#[derive(Debug, Default)]
pub struct Contents {
    pub exports: Vec<(ExportName, ExportState)>,
    pub loose: Vec<Loose>,
    /// Names on top that nobody of ours put there: never opened.
    pub foreign: Vec<SafeText>,
}

/// What is known of an export before its files are read.
#[derive(Debug)]
pub enum ExportState {
    Listed(Manifest),
    Refused(MediumError),
}

/// A file of the inbox.
#[derive(Debug)]
pub struct Loose {
    pub name: SafeText,
    /// Its octets' digest, or why it is refused.
    pub digest: Result<(u64, Digest), MediumError>,
}

/// An export as read: every file as its manifest says.
pub struct ReadExport {
    pub manifest: Manifest,
    pub files: Vec<(FileName, Vec<u8>)>,
}

impl Medium {
    /// Opens a medium and reads which one it is; one without `VOLUME` opens too, and has no volume.
    ///
    /// # Errors
    /// Where the folder does not open or `VOLUME` is none.
    pub fn open(place: &Place) -> Result<Self, MediumError> {
        let shown = place.folder().display().to_string();
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = open(place.folder(), flags, Mode::empty()).map_err(MediumError::io(&shown, "opening"))?;
        Self { root, volume: None }.known()
    }

    /// The same medium with its volume as it is now.
    pub(super) fn known(self) -> Result<Self, MediumError> {
        let octets = inside::read(self.root(), VOLUME, VOLUME, limits::VOLUME_OCTETS)?;
        let volume =
            octets.map(|octets| Volume::parse(&octets)).transpose().map_err(MediumError::volume("the medium"))?;
        Ok(Self { volume, ..self })
    }

    /// Whether a file system of its own is mounted here: its device is not its parent's. Asked of what is open, so that a medium
    /// pulled after the answer cannot leave its mount point in its place.
    ///
    /// # Errors
    /// Where the folder cannot be looked at.
    pub fn has_its_own_mount(&self) -> Result<bool, MediumError> {
        let here = fstat(&self.root).map_err(MediumError::io("the medium", "looking at"))?;
        let parent = statat(&self.root, "..", AtFlags::SYMLINK_NOFOLLOW)
            .map_err(MediumError::io("the folder above the medium", "looking at"))?;
        Ok(here.st_dev != parent.st_dev)
    }

    #[must_use]
    pub const fn volume(&self) -> Option<&Volume> {
        self.volume.as_ref()
    }

    /// The volume, which must be there and, where a label is expected, have it.
    ///
    /// # Errors
    /// Where it was never initialised, or is another medium: which one is said.
    pub fn expect(&self, label: Option<&Label>) -> Result<&Volume, MediumError> {
        let volume = self.volume.as_ref().ok_or(MediumError::NotInitialised)?;
        match label {
            Some(expected) if *expected != volume.label => {
                Err(MediumError::WrongLabel { found: volume.clone(), expected: expected.clone() })
            }
            _ => Ok(volume),
        }
    }

    pub(super) fn root(&self) -> BorrowedFd<'_> {
        self.root.as_fd()
    }

    /// Everything on top of the medium; of exports the manifests, of the inbox the digests.
    ///
    /// # Errors
    /// Where a folder cannot be listed or holds too many names.
    pub fn contents(&self) -> Result<Contents, MediumError> {
        let mut contents = Contents::default();
        for name in inside::names(self.root(), "the medium")? {
            match name {
                Ok(name) if name == VOLUME || is_of_another_system(&name) => {}
                Ok(name) if name == INBOX => contents.loose = self.inbox()?,
                Ok(name) => match ExportName::parse(&name) {
                    Ok(export) => {
                        let state =
                            self.manifest(export).map_or_else(ExportState::Refused, |(_, m)| ExportState::Listed(m));
                        contents.exports.push((export, state));
                    }
                    Err(_) => contents.foreign.push(SafeText::cut(&name, 80)),
                },
                Err(OddName(shown)) => contents.foreign.push(shown),
            }
        }
        Ok(contents)
    }

    fn inbox(&self) -> Result<Vec<Loose>, MediumError> {
        let folder = inside::folder(self.root(), INBOX, INBOX)?;
        let mut loose = Vec::new();
        for name in inside::names(folder.as_fd(), INBOX)? {
            let (name, digest) = match name {
                Ok(name) => (
                    SafeText::cut(&name, 80),
                    FileName::parse(&name)
                        .map_err(MediumError::volume(INBOX))
                        .and_then(|name| self.loose(&name))
                        .map(|octets| (octets.len() as u64, Digest::of(&octets))),
                ),
                Err(OddName(shown)) => {
                    let cause = FileName::parse(shown.as_str()).err();
                    let Some(cause) = cause else { continue };
                    (shown, Err(MediumError::Volume { at: INBOX.to_owned(), cause }))
                }
            };
            loose.push(Loose { name, digest });
        }
        Ok(loose)
    }

    /// A file of the inbox, whatever it is: nothing but its digest says that it is the right one.
    ///
    /// # Errors
    /// Where it is not there, no regular file, or too long.
    pub fn loose(&self, name: &FileName) -> Result<Vec<u8>, MediumError> {
        let at = format!("{INBOX}/{name}");
        let absent = || MediumError::NoLoose { name: name.clone() };
        let folder = match inside::folder(self.root(), INBOX, INBOX) {
            Err(MediumError::Io { cause: rustix::io::Errno::NOENT, .. }) => None,
            other => Some(other?),
        };
        let found = match &folder {
            Some(folder) => inside::read(folder.as_fd(), name.as_str(), &at, limits::MEDIUM_FILE_OCTETS)?,
            None => None,
        };
        match found {
            Some(octets) => Ok(octets),
            None if inside::names(self.root(), "the medium")?.contains(&Ok(name.as_str().to_owned())) => {
                Err(MediumError::OnTop { name: name.clone() })
            }
            None => Err(absent()),
        }
    }

    /// The manifest of an export, and its open folder.
    pub(super) fn manifest(&self, export: ExportName) -> Result<(OwnedFd, Manifest), MediumError> {
        let at = export.to_string();
        let folder = match inside::folder(self.root(), &at, &at) {
            Err(MediumError::Io { cause: rustix::io::Errno::NOENT, .. }) => {
                return Err(MediumError::NoExport { export });
            }
            other => other?,
        };
        let octets = inside::read(folder.as_fd(), MANIFEST, &format!("{at}/{MANIFEST}"), limits::MANIFEST_OCTETS)?
            .ok_or(MediumError::Unfinished { export })?;
        let manifest = Manifest::parse(&octets).map_err(MediumError::volume(&at))?;
        if manifest.export() != export {
            return Err(MediumError::WrongExport { export, named: manifest.export() });
        }
        let this = self.expect(None)?.id;
        if manifest.medium() != this {
            return Err(MediumError::WrongId { export, named: manifest.medium(), this });
        }
        let listed: BTreeSet<&str> = manifest.files().iter().map(|f| f.name.as_str()).collect();
        for name in inside::names(folder.as_fd(), &at)? {
            match name {
                Ok(name) if name == MANIFEST || listed.contains(name.as_str()) => {}
                Ok(name) => return Err(MediumError::Unlisted { export, name: SafeText::cut(&name, 80) }),
                Err(OddName(name)) => return Err(MediumError::Unlisted { export, name }),
            }
        }
        Ok((folder, manifest))
    }

    /// Reads an export whole: everything its manifest lists, nothing else, or nothing at all.
    ///
    /// # Errors
    /// The first thing that is not as the manifest says.
    pub fn read(&self, export: ExportName) -> Result<ReadExport, MediumError> {
        let (folder, manifest) = self.manifest(export)?;
        let mut files = Vec::new();
        for listed in manifest.files() {
            files.push((listed.name.clone(), read_listed(&folder, export, listed)?));
        }
        Ok(ReadExport { manifest, files })
    }

    /// Reads every octet of an export and keeps none; what the kernel holds of it is forgotten first, so that the device is read.
    ///
    /// # Errors
    /// As [`Medium::read`].
    pub fn check(&self, export: ExportName) -> Result<Manifest, MediumError> {
        let (folder, manifest) = self.manifest(export)?;
        for listed in manifest.files() {
            forget(folder.as_fd(), listed.name.as_str());
            read_listed(&folder, export, listed)?;
        }
        Ok(manifest)
    }
}

pub(super) fn read_listed(folder: &OwnedFd, export: ExportName, listed: &ListedFile) -> Result<Vec<u8>, MediumError> {
    let at = format!("{export}/{}", listed.name);
    let octets = inside::read(folder.as_fd(), listed.name.as_str(), &at, limits::MEDIUM_FILE_OCTETS)?
        .ok_or_else(|| MediumError::Gone { export, name: listed.name.clone() })?;
    if octets.len() as u64 != listed.size {
        return Err(MediumError::Size { at, expected: listed.size, found: octets.len() as u64 });
    }
    let found = Digest::of(&octets);
    if found == listed.sha256 { Ok(octets) } else { Err(MediumError::Altered { at, expected: listed.sha256, found }) }
}

/// Asks the kernel to forget what it holds of a file, so that reading it reads the device. Advice: a refusal changes nothing.
pub(super) fn forget(folder: BorrowedFd<'_>, name: &str) {
    if let Ok(handle) = inside::open_for_advice(folder, name) {
        let _ = fadvise(&handle, 0, None, Advice::DontNeed);
    }
}
