//! What a medium offers to somebody who waits for one object: files of exports, of the inbox, and on top of sticks that other machines
//! wrote. Each is looked at beneath the medium's own folder, and read only where it may be the one.

use super::inside::{self, OddName};
use super::reader::read_listed;
use super::{Medium, MediumError};
use crate::basics::{Realm, SafeText, limits};
use crate::transfer::volume::{ExportName, FileName, INBOX, VOLUME, is_of_another_system};
use rustix::fd::AsFd;
use rustix::fs::{Mode, OFlags, open};
use std::path::Path;

/// A file that a medium offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Where it is on the medium: `EXP-0001/issuing.csr.pem`.
    pub at: String,
    pub octets: Vec<u8>,
}

/// Everything of a medium that could be an object, and what of it was refused and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offers {
    pub files: Vec<Offer>,
    pub refused: Vec<String>,
}

impl Offers {
    fn refuse(&mut self, why: impl std::fmt::Display) {
        if self.refused.len() < limits::OFFERED_REFUSALS {
            self.refused.push(SafeText::cut(&why.to_string(), 200).to_string());
        }
    }

    /// Keeps a file, or says why it was none.
    fn keep(&mut self, at: String, read: Result<Option<Vec<u8>>, MediumError>) -> Result<(), MediumError> {
        match read {
            Ok(Some(octets)) => self.files.push(Offer { at, octets }),
            Ok(None) => {}
            // The medium itself is gone: the rest of it cannot be looked at.
            Err(error @ MediumError::Io { .. }) => return Err(error),
            Err(error) => self.refuse(error),
        }
        Ok(())
    }

    fn full(&mut self) -> bool {
        let full = self.files.len() >= limits::OFFERED_FILES;
        if full {
            self.refuse(format!(
                "more than {} files on it: those after them were not looked at",
                limits::OFFERED_FILES
            ));
        }
        full
    }
}

impl Medium {
    /// Files of at most `most` octets. An export of the other realm is refused whole.
    ///
    /// # Errors
    /// Where the medium cannot be listed, or was pulled meanwhile.
    pub fn offers(&self, realm: Realm, most: usize) -> Result<Offers, MediumError> {
        let mut offers = Offers::default();
        let names = inside::names(self.root(), "the medium")?;
        for export in names.into_iter().flatten().filter_map(|name| ExportName::parse(&name).ok()) {
            self.export_offers(export, realm, most, &mut offers)?;
        }
        self.inbox_offers(most, &mut offers)?;
        self.loose_offers(self.root(), "the medium", "", most, &mut offers)?;
        Ok(offers)
    }

    /// The files of one export, each as its manifest says; those that are too long to be what is waited for are left alone.
    fn export_offers(
        &self,
        export: ExportName,
        realm: Realm,
        most: usize,
        offers: &mut Offers,
    ) -> Result<(), MediumError> {
        let (folder, manifest) = match self.manifest(export) {
            Ok(found) => found,
            Err(error @ MediumError::Io { .. }) => return Err(error),
            Err(error) => {
                offers.refuse(error);
                return Ok(());
            }
        };
        if manifest.realm() != realm {
            offers.refuse(format!("{export}: expected an export for {realm}, found one for {}", manifest.realm()));
            return Ok(());
        }
        for listed in manifest.files().iter().filter(|listed| listed.size <= most as u64) {
            if offers.full() {
                break;
            }
            let read = read_listed(&folder, export, listed).map(Some);
            offers.keep(format!("{export}/{}", listed.name), read)?;
        }
        Ok(())
    }

    fn inbox_offers(&self, most: usize, offers: &mut Offers) -> Result<(), MediumError> {
        let folder = match inside::folder(self.root(), INBOX, INBOX) {
            Err(MediumError::Io { cause: rustix::io::Errno::NOENT, .. }) => return Ok(()),
            // No folder at all, but a file or link of that name.
            Err(error @ MediumError::Kind { .. }) => {
                offers.refuse(error);
                return Ok(());
            }
            other => other?,
        };
        self.loose_offers(folder.as_fd(), INBOX, &format!("{INBOX}/"), most, offers)
    }

    /// Files lying in a folder of the medium; folders in it are left alone, everything else that is no file is named.
    fn loose_offers(
        &self,
        folder: rustix::fd::BorrowedFd<'_>,
        called: &str,
        before: &str,
        most: usize,
        offers: &mut Offers,
    ) -> Result<(), MediumError> {
        for name in inside::names(folder, called)? {
            let name = match name {
                Ok(name) => name,
                Err(OddName(shown)) => {
                    offers.refuse(format!("{before}{shown}: expected a name of letters, digits, dots and hyphens"));
                    continue;
                }
            };
            let ours = before.is_empty() && (name == VOLUME || name == INBOX || ExportName::parse(&name).is_ok());
            // Names that open with a dot are what other systems leave behind.
            if ours || is_of_another_system(&name) || name.starts_with('.') || inside::is_folder(folder, &name) {
                continue;
            }
            if offers.full() {
                return Ok(());
            }
            let at = format!("{before}{}", SafeText::cut(&name, 80));
            let read = FileName::parse(&name)
                .map_err(MediumError::volume(called))
                .and_then(|name| inside::read(folder, name.as_str(), &at, most));
            offers.keep(at, read)?;
        }
        Ok(())
    }
}

impl Medium {
    /// Copies a file of `size` octets from the top of the medium or from its inbox into a new file of this machine; says whether there
    /// was one.
    ///
    /// # Errors
    /// Where the medium cannot be read, or the disk refuses.
    pub fn copy_loose(&self, name: &FileName, size: u64, to: &Path) -> Result<bool, MediumError> {
        let at = format!("{INBOX}/{name}");
        match inside::folder(self.root(), INBOX, INBOX) {
            Ok(inbox) if inside::copy(inbox.as_fd(), name.as_str(), &at, size, to)? => return Ok(true),
            Ok(_) | Err(MediumError::Io { cause: rustix::io::Errno::NOENT, .. }) => {}
            Err(error) => return Err(error),
        }
        inside::copy(self.root(), name.as_str(), name.as_str(), size, to)
    }
}

/// Copies a file of `size` octets of this machine into a new one, beneath its folder and in pieces.
///
/// # Errors
/// Where it is not there, no regular file of that size, or the disk refuses.
pub fn copy_file(from: &Path, size: u64, to: &Path) -> Result<(), MediumError> {
    let (folder, name) = (from.parent().unwrap_or(Path::new(".")), from.file_name().unwrap_or_default());
    let shown = from.display().to_string();
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = open(folder, flags, Mode::empty()).map_err(MediumError::io(&shown, "opening"))?;
    match inside::copy(root.as_fd(), &name.to_string_lossy(), &shown, size, to)? {
        true => Ok(()),
        false => Err(MediumError::Size { at: shown, expected: size, found: 0 }),
    }
}

/// A file of a folder of this machine, by its name and beneath it; `None` where there is none of that name.
///
/// # Errors
/// Where the folder cannot be opened, or the name is no regular file of at most `most` octets.
pub fn file_in(folder: &Path, name: &FileName, most: usize) -> Result<Option<Vec<u8>>, MediumError> {
    let shown = folder.display().to_string();
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = open(folder, flags, Mode::empty()).map_err(MediumError::io(&shown, "opening"))?;
    inside::read(root.as_fd(), name.as_str(), name.as_str(), most)
}
