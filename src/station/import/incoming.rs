//! The folder a bundle lies in: foreign. Opened once; everything in it beneath that, no links, regular files, bounded, and only names that a
//! manifest has.

use crate::basics::{Digest, limits};
use crate::devices::durable_file::{self, FileError};
use crate::factory::enrolment::Pins;
use crate::factory::{Class, Manifest, Refusal, manifest};
use crate::station::StationError;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{FileType, Mode, OFlags, ResolveFlags, fstat, open, openat2};
use rustix::io::{Errno, retry_on_intr};
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

pub(in crate::station) struct Incoming {
    path: PathBuf,
    folder: OwnedFd,
}

const PIECE: usize = 256 * 1024;

impl Incoming {
    pub(in crate::station) fn open(path: &Path) -> Result<Self, StationError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = open(path, flags, Mode::empty()).map_err(|cause| FileError {
            path: path.to_owned(),
            what: "opening the bundle's folder",
            cause: cause.into(),
        })?;
        Ok(Self { path: path.to_owned(), folder })
    }

    fn file(&self, name: &str) -> Result<Option<(File, u64)>, StationError> {
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let opened = retry_on_intr(|| openat2(self.folder.as_fd(), name, flags, Mode::empty(), resolve));
        let handle = match opened {
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP | Errno::XDEV) => {
                return Err(Refusal::new(Class::Foreign, name, "a file of the bundle", "a link").into());
            }
            other => other.map_err(|cause| self.failed(name, "opening", cause))?,
        };
        let seen = fstat(&handle).map_err(|cause| self.failed(name, "looking at", cause))?;
        if FileType::from_raw_mode(seen.st_mode) != FileType::RegularFile {
            return Err(Refusal::new(Class::Foreign, name, "a regular file", "something else").into());
        }
        Ok(Some((File::from(handle), u64::try_from(seen.st_size).unwrap_or(u64::MAX))))
    }

    pub(in crate::station) fn read(&self, name: &str, most: usize) -> Result<Vec<u8>, StationError> {
        self.read_if_there(name, most)?
            .ok_or_else(|| Refusal::new(Class::Count, name, "a file of this name", "none").into())
    }

    pub(super) fn read_if_there(&self, name: &str, most: usize) -> Result<Option<Vec<u8>>, StationError> {
        let Some((file, size)) = self.file(name)? else { return Ok(None) };
        let mut octets = Vec::new();
        if size <= most as u64 {
            let read = file.take(most as u64 + 1).read_to_end(&mut octets);
            read.map_err(|cause| FileError { path: self.path.join(name), what: "reading", cause })?;
        }
        if size > most as u64 || octets.len() > most {
            return Err(Refusal::new(Class::Count, name, format!("at most {most} octets"), size).into());
        }
        Ok(Some(octets))
    }

    /// Refuses names that neither the manifest lists nor a signature has.
    pub(super) fn holds_only(&self, what: &Manifest) -> Result<(), StationError> {
        for (inside, prefix) in [(".", ""), ("shards", "shards/")] {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
            let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
            let handle = openat2(self.folder.as_fd(), inside, flags, Mode::empty(), resolve)
                .map_err(|cause| self.failed(inside, "opening", cause))?;
            let mut listed =
                rustix::fs::Dir::read_from(&handle).map_err(|cause| self.failed(inside, "listing", cause))?;
            let mut left = limits::MEDIUM_ENTRIES;
            while let Some(entry) = listed.read() {
                let entry = entry.map_err(|cause| self.failed(inside, "listing", cause))?;
                let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
                let ours = name == manifest::NAME
                    || (name.starts_with(manifest::NAME) && name.ends_with(".sig"))
                    || ["shards", ".", "..", "shards/.", "shards/.."].contains(&name.as_str())
                    || what.file(&name).is_some();
                if !ours || left == 0 {
                    return Err(Refusal::new(Class::Foreign, "bundle", "the files of its manifest only", name).into());
                }
                left -= 1;
            }
        }
        Ok(())
    }

    /// Copies the bundle, comparing every file with the manifest on the way; all durable when this returns.
    pub(super) fn copy(&self, what: &Manifest, octets: &[u8], pins: &Pins, to: &Path) -> Result<(), StationError> {
        durable_file::new_folder(to)?;
        durable_file::new_folder(&to.join("shards"))?;
        for file in &what.files {
            self.copy_one(&file.name, file.size, &file.sha256, &to.join(&file.name))?;
        }
        durable_file::create(&to.join(manifest::NAME), octets)?;
        for signer in &pins.signers {
            let name = manifest::signature_name(&signer.who);
            if let Some(armoured) = self.read_if_there(&name, limits::SMALL_FILE_OCTETS)? {
                durable_file::create(&to.join(name), &armoured)?;
            }
        }
        durable_file::sync_folder(&to.join("shards"))?;
        Ok(durable_file::sync_folder(to)?)
    }

    fn copy_one(&self, name: &str, size: u64, sha256: &Digest, to: &Path) -> Result<(), StationError> {
        let failed = |what| move |cause| FileError { path: to.to_owned(), what, cause };
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let made = open(to, flags, Mode::RUSR | Mode::WUSR);
        let mut file = File::from(made.map_err(|cause| failed("creating")(cause.into()))?);
        self.compare(name, size, sha256, &mut |piece| Ok(file.write_all(piece).map_err(failed("writing"))?))?;
        file.sync_all().map_err(failed("making durable"))?;
        Ok(())
    }

    /// Reads a file that must have this size and digest, piece by piece.
    pub(in crate::station) fn compare(
        &self,
        name: &str,
        size: u64,
        sha256: &Digest,
        each: &mut dyn FnMut(&[u8]) -> Result<(), StationError>,
    ) -> Result<(), StationError> {
        let Some((mut from, found)) = self.file(name)? else {
            return Err(Refusal::new(Class::Count, name, "a file of this name", "none").into());
        };
        if found != size {
            return Err(Refusal::new(Class::Tampered, name, format!("{size} octets"), format!("{found} octets")).into());
        }
        let (mut piece, mut left, mut hasher) = (vec![0; PIECE], size, Sha256::new());
        while left > 0 {
            let most = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
            let slot = piece.get_mut(..most).unwrap_or_default();
            from.read_exact(slot).map_err(|cause| FileError { path: self.path.join(name), what: "reading", cause })?;
            hasher.update(&*slot);
            each(slot)?;
            left -= most as u64;
        }
        let found = Digest::from_octets(hasher.finalize().into());
        if found != *sha256 {
            return Err(Refusal::new(Class::Tampered, name, sha256, found).into());
        }
        Ok(())
    }

    fn failed(&self, name: &str, what: &'static str, cause: Errno) -> FileError {
        FileError { path: self.path.join(name), what, cause: cause.into() }
    }
}
