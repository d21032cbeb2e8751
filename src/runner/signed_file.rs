//! A file that a factory's signed statement speaks of: too long to cross as a code, known by its SHA-256, copied from wherever it lies.

use crate::basics::Digest;
use crate::bundles::is_the_one;
use crate::devices::durable_file;
use crate::devices::medium::{self, Access, Medium, Place};
use crate::runner::room::RealmType;
use crate::runner::run::Run;
use crate::transfer::volume::FileName;
use std::path::Path;

/// Octets and SHA-256, as the statement says.
type Said = (u64, Digest);

impl<R: RealmType> Run<'_, R> {
    /// Copies it from the folder of a rehearsal, from a bound medium, from `[incoming]`: the first that is the one.
    pub(super) fn copied(&self, file: &str, said: Said, copy: &Path) -> Result<(), String> {
        if copy.is_file() && is_the_one(copy, said).is_ok() {
            return Ok(());
        }
        durable_file::set_aside(copy).map_err(|e| e.to_string())?;
        let named = FileName::parse(file).map_err(|e| e.to_string())?;
        let mut tried = Vec::new();
        if self.plan.realm.is_rehearsal() {
            match copy_from(&self.folder.incoming().join(file), said, copy) {
                Ok(()) => return Ok(()),
                Err(problem) => tried.push(problem),
            }
        }
        for (medium, bound) in &self.room.binding.media {
            let found = Place::at(bound.path(), Access::Read).and_then(|place| {
                let medium = Medium::open(&place)?;
                let copied = medium.copy_loose(&named, said.0, copy);
                drop(medium);
                place.leave()?;
                copied
            });
            match found {
                Ok(true) if is_the_one(copy, said).is_ok() => return Ok(()),
                Ok(true) => {
                    durable_file::set_aside(copy).map_err(|e| e.to_string())?;
                    tried.push(format!("medium {medium}: {file} is not the file that the factory signed"));
                }
                Ok(false) => tried.push(format!("medium {medium}: no {file} of {} octets", said.0)),
                Err(error) => tried.push(format!("medium {medium}: {error}")),
            }
        }
        if let Some(folder) = self.room.binding.incoming.get("files") {
            match copy_from(&folder.join(file), said, copy) {
                Ok(()) => return Ok(()),
                Err(problem) => tried.push(problem),
            }
        }
        let tried = if tried.is_empty() { "no medium is bound".to_owned() } else { tried.join("; ") };
        Err(format!(
            "expected {file} with SHA-256 {}, on top of a medium, in its folder INBOX, or in the folder `files` of [incoming]; {tried}",
            said.1
        ))
    }
}

/// Copies a file of this machine, and looks whether it is the one.
fn copy_from(from: &Path, said: Said, copy: &Path) -> Result<(), String> {
    is_the_one(from, said).map_err(|e| e.to_string())?;
    medium::copy_file(from, said.0, copy).map_err(|e| e.to_string())?;
    is_the_one(copy, said).map_err(|e| e.to_string())
}
