//! `medium`: sticks that carry files across the gap.

mod carry;
mod look;

use crate::basics::Digest;
use crate::cli::args::MediumVerb;
use crate::cli::{ExitCode, Failure, output};
use crate::devices::entropy;
use crate::devices::medium::{Access, Medium, MediumError, Place, initialise};
use crate::transfer::volume::{Label, Manifest, MediumId, Volume, VolumeError};
use serde::Serialize;
use std::path::Path;

/// Works on media.
///
/// # Errors
/// Where the medium is missing, another one, or not as its manifests say.
pub fn medium(verb: MediumVerb) -> Result<ExitCode, Failure> {
    match verb {
        MediumVerb::Init { medium, label, json } => init(&medium, &label, json),
        MediumVerb::List { medium: None, json } => look::sticks(json),
        MediumVerb::List { medium: Some(medium), json } => look::list(&medium, json),
        MediumVerb::Read { medium, export, loose, out, label, expect, json } => {
            let wanted = carry::Wanted { export, loose, expect };
            carry::read(&medium, &wanted, &out, label.as_deref(), json)
        }
        MediumVerb::Write { medium, files, label, realm, json } => {
            carry::write(&medium, &files, label.as_deref(), realm.into(), json)
        }
        MediumVerb::Check { medium, label, json } => look::check(&medium, label.as_deref(), json),
    }
}

fn init(path: &Path, label: &str, json: bool) -> Result<ExitCode, Failure> {
    let label = parsed(label, Label::parse)?;
    let id = MediumId::from_octets(entropy::octets16()?);
    let place = Place::at(path, Access::Write)?;
    let volume = Volume { id, label };
    let medium = initialise(Medium::open(&place)?, &volume)?;
    if json {
        output::json(&serde_json::json!({ "id": volume.id.hex(), "label": volume.label.as_str() }))?;
    } else {
        output::data(&format!("{}: this is {volume} now", path.display()));
    }
    leave(place, medium, path)?;
    Ok(ExitCode::Done)
}

/// Opens a medium to read; it must be initialised, and have the label where one is expected.
pub(super) fn open(path: &Path, label: Option<&str>, access: Access) -> Result<(Place, Medium, Volume), Failure> {
    let label = label.map(|label| parsed(label, Label::parse)).transpose()?;
    let place = Place::at(path, access)?;
    let medium = Medium::open(&place)?;
    let volume = medium.expect(label.as_ref())?.clone();
    Ok((place, medium, volume))
}

/// Closes the medium, unmounts what we mounted, and says when it may be pulled.
pub(super) fn leave(place: Place, medium: Medium, path: &Path) -> Result<(), MediumError> {
    let (ours, mounted) = (place.is_ours(), medium.has_its_own_mount()?);
    drop(medium);
    place.leave()?;
    output::words(&match (ours, mounted) {
        (true, _) => format!("{}: unmounted. Pull it now.", path.display()),
        (false, true) => format!("unmount {} before you pull it", path.display()),
        (false, false) => {
            format!("{}: nothing is mounted here: this is a plain folder of this machine", path.display())
        }
    });
    Ok(())
}

/// What was typed as an argument.
fn parsed<T>(text: &str, parse: impl FnOnce(&str) -> Result<T, VolumeError>) -> Result<T, Failure> {
    parse(text).map_err(|e| Failure::new(ExitCode::Usage, e.to_string()))
}

/// A file as reports name it.
#[derive(Serialize)]
struct ReportedFile {
    name: String,
    sha256: Digest,
    size: u64,
}

fn files_of(manifest: &Manifest) -> Vec<ReportedFile> {
    let reported = |f: &crate::transfer::volume::ListedFile| ReportedFile {
        name: f.name.as_str().to_owned(),
        sha256: f.sha256,
        size: f.size,
    };
    manifest.files().iter().map(reported).collect()
}

fn count_of(manifest: &Manifest) -> String {
    match manifest.files().len() {
        1 => "1 file".to_owned(),
        several => format!("{several} files"),
    }
}

/// An export in lines: what both sides read aloud comes first.
fn show(manifest: &Manifest, digest: &Digest) {
    output::data(&format!("{} · {} · {}", manifest.export(), manifest.realm(), count_of(manifest)));
    show_digest(digest);
    for file in manifest.files() {
        output::data(&format!("  {}  {}  {} octets", file.sha256, file.name, file.size));
    }
}

pub(super) fn show_digest(digest: &Digest) {
    output::data(&format!("digest  {}", digest.grouped()));
    output::data(&format!("words   {}", digest.twelve_words()));
}
