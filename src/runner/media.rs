//! Writes a removable medium of the ceremony: the one that the binding names, and no folder that only looks like it.

use crate::basics::limits;
use crate::ceremony::event::{
    BLOCK_DEVICE, MOUNTED_FOLDER, Outcome, PLAIN_FOLDER, SIMULATED, WrittenFile, WrittenMedium,
};
use crate::devices::durable_file;
use crate::devices::medium::{Access, Content, Medium, MediumError, Place, initialise, write_contents};
use crate::factory::BundleId;
use crate::runner::binding::Bound;
use crate::runner::room::RealmType;
use crate::runner::run::Run;
use crate::transfer::volume::{FileName, Label, Volume};

impl<R: RealmType> Run<'_, R> {
    pub(super) fn write_medium(
        &mut self,
        medium: &str,
        artifacts: &[String],
        sealed: &[String],
        bundles: &[BundleId],
    ) -> Result<Outcome, String> {
        let mut files = Vec::new();
        for bundle in bundles {
            for (name, tar) in self.bundle_as_files(bundle)? {
                files.push((FileName::parse(&name).map_err(|e| e.to_string())?, Content::Made(tar)));
            }
        }
        for (names, folder) in [(artifacts, self.folder.artifacts()), (sealed, self.folder.vault())] {
            for name in names {
                let path = folder.join(name);
                let octets = durable_file::read(&path, limits::EVIDENCE_FILE_OCTETS).map_err(|e| e.to_string())?;
                self.is_as_recorded(name, &path, &octets)?;
                let octets = Content::Octets(octets.into());
                files.push((FileName::parse(name).map_err(|e| e.to_string())?, octets));
            }
        }
        let bound = if self.plan.realm.is_rehearsal() {
            let folder = self.folder.media().join(medium);
            durable_file::folder(&folder).map_err(|e| e.to_string())?;
            Bound::Simulated(folder)
        } else {
            let bound = self.room.binding.media.get(medium).cloned();
            bound.ok_or_else(|| format!("the binding names nothing for medium {medium}"))?
        };
        let label = Label::parse(medium).map_err(|e| e.to_string())?;
        self.write_to(&bound, &label, &files).map_err(|error| format!("{error}; {}", error.hint()))
    }

    fn write_to(
        &self,
        bound: &Bound,
        label: &Label,
        files: &[(FileName, Content<'_>)],
    ) -> Result<Outcome, MediumError> {
        let place = Place::at(bound.path(), Access::Write)?;
        let word = match bound {
            Bound::Medium(_) if place.is_ours() => BLOCK_DEVICE,
            Bound::Medium(_) => MOUNTED_FOLDER,
            Bound::Folder(_) => PLAIN_FOLDER,
            Bound::Simulated(_) => SIMULATED,
        };
        let mut medium = Medium::open(&place)?;
        // Nothing is written before this: an empty mount point would take the files and the stick would leave without them.
        if word == MOUNTED_FOLDER && !medium.has_its_own_mount()? {
            return Err(MediumError::NotMounted { path: bound.path().to_owned(), expected: label.to_string() });
        }
        if medium.volume().is_none() {
            let index = self.plan.materials.iter().position(|m| m.name == label.as_str()).unwrap_or_default();
            let index = u32::try_from(index).unwrap_or(u32::MAX);
            let id = self.room.medium_id(&self.plan.ceremony, &self.draw_digest, index);
            let id = id.map_err(|found| MediumError::NoMedium { path: bound.path().to_owned(), found })?;
            medium = initialise(medium, &Volume { id, label: label.clone() })?;
        }
        medium.expect(Some(label))?;
        let written = write_contents(&medium, self.plan.realm, files, &mut |_, _| ())?;
        drop(medium);
        if place.is_ours() {
            // The device is read again, from nothing the kernel still holds; then it may be pulled.
            let place = place.again()?;
            Medium::open(&place)?.check(written.manifest.export())?;
            place.leave()?;
        }
        let written_files = written.manifest.files().iter().map(|f| WrittenFile {
            name: f.name.as_str().to_owned(),
            sha256: f.sha256,
            size: f.size,
        });
        Ok(Outcome::MediumWritten {
            files: written_files.collect(),
            medium: Some(WrittenMedium {
                place: word.to_owned(),
                id: written.volume.id.hex(),
                label: written.volume.label.as_str().to_owned(),
                export: written.manifest.export().to_string(),
                manifest: written.digest,
            }),
        })
    }
}
