//! `medium read` and `medium write`: files go over whole, and both sides read the same words.

use super::{files_of, leave, open, parsed, show, show_digest};
use crate::basics::{Digest, Realm, SafeText, limits};
use crate::cli::{ExitCode, Failure, output};
use crate::devices::durable_file;
use crate::devices::medium::{Access, ExportState, Medium, Place, write_export};
use crate::transfer::volume::{ExportName, FileName, Label};
use serde_json::json;
use std::path::{Path, PathBuf};

/// What is to be taken from a medium.
pub struct Wanted {
    pub export: Option<String>,
    pub loose: Option<String>,
    pub expect: Option<String>,
}

/// Takes an export, or a loose file.
pub fn read(path: &Path, wanted: &Wanted, out: &Path, label: Option<&str>, json: bool) -> Result<ExitCode, Failure> {
    if out.symlink_metadata().is_ok() {
        return Err(Failure::new(
            ExitCode::Usage,
            format!("{}: exists already; nothing is overwritten", out.display()),
        ));
    }
    match &wanted.loose {
        Some(name) => read_loose(path, name, wanted, out, label, json),
        None => read_export(path, wanted, out, label, json),
    }
}

fn read_export(path: &Path, wanted: &Wanted, out: &Path, label: Option<&str>, json: bool) -> Result<ExitCode, Failure> {
    let (place, medium, volume) = open(path, label, Access::Read)?;
    let export = match &wanted.export {
        Some(name) => parsed(name, ExportName::parse)?,
        None => only_export(&medium)?,
    };
    let read = medium.read(export)?;
    let digest = read.manifest.digest().map_err(|e| Failure::from(e.to_string()))?;
    expect(wanted.expect.as_deref(), &digest)?;
    // The folder gets its name when every file in it is whole.
    let temp = partial(out);
    let written = durable_file::new_folder(&temp).and_then(|()| {
        read.files.iter().try_for_each(|(name, octets)| durable_file::create(&temp.join(name.as_str()), octets))?;
        durable_file::move_to(&temp, out)
    });
    if let Err(error) = written {
        for (name, _) in &read.files {
            let _ = durable_file::remove(&temp.join(name.as_str()));
        }
        let _ = std::fs::remove_dir(&temp);
        return Err(error.into());
    }
    if json {
        output::json(&json!({
            "id": volume.id.hex(), "label": volume.label.as_str(), "export": export.to_string(), "realm": read.manifest.realm(),
            "digest": digest, "words": digest.twelve_words(), "files": files_of(&read.manifest), "out": out,
        }))?;
    } else {
        output::data(&format!("from {volume} into {}", out.display()));
        show(&read.manifest, &digest);
    }
    leave(place, medium, path)?;
    Ok(ExitCode::Done)
}

/// The export where there is one that ended; where there are several, somebody has to say which.
fn only_export(medium: &Medium) -> Result<ExportName, Failure> {
    let exports = medium.contents()?.exports;
    let listed = exports.iter().filter(|(_, state)| matches!(state, ExportState::Listed(_)));
    let names: Vec<ExportName> = listed.map(|(name, _)| *name).collect();
    match (names.as_slice(), exports.into_iter().next()) {
        ([one], _) => Ok(*one),
        ([], Some((_, ExportState::Refused(why)))) => Err(why.into()),
        ([], _) => Err(Failure::new(ExitCode::Missing, "there is no export on this medium").with_hint(
            "`anchorite medium list` shows what is on it; files put there with plain tools are read with --loose",
        )),
        (several, _) => {
            let names: Vec<String> = several.iter().map(ToString::to_string).collect();
            Err(Failure::new(ExitCode::Usage, format!("expected one export, found {}", names.join(", ")))
                .with_hint("name the one you want"))
        }
    }
}

fn read_loose(
    path: &Path,
    name: &str,
    wanted: &Wanted,
    out: &Path,
    label: Option<&str>,
    json: bool,
) -> Result<ExitCode, Failure> {
    let name = parsed(name, FileName::parse)?;
    let place = Place::at(path, Access::Read)?;
    let medium = Medium::open(&place)?;
    if let Some(label) = label {
        medium.expect(Some(&parsed(label, Label::parse)?))?;
    }
    let octets = medium.loose(&name)?;
    let digest = Digest::of(&octets);
    expect(wanted.expect.as_deref(), &digest)?;
    durable_file::create(out, &octets)?;
    if json {
        output::json(&json!({
            "name": name.as_str(), "size": octets.len(), "digest": digest, "words": digest.twelve_words(), "out": out,
        }))?;
    } else {
        output::data(&format!("INBOX/{name} · loose · {} octets into {}", octets.len(), out.display()));
        show_digest(&digest);
        output::words("no manifest vouches for a loose file: compare these words with whoever made it");
    }
    leave(place, medium, path)?;
    Ok(ExitCode::Done)
}

/// Compares with what was read aloud, before anything is written.
fn expect(said: Option<&str>, digest: &Digest) -> Result<(), Failure> {
    let Some(said) = said else { return Ok(()) };
    let words = said.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    let digits: String = words.chars().filter(|c| !c.is_whitespace()).collect();
    if words == digest.twelve_words() || digits == digest.hex() {
        return Ok(());
    }
    let message = format!("expected {}, found {} ({digest})", SafeText::cut(said, 200), digest.twelve_words());
    Err(Failure::new(ExitCode::Refuted, message).with_hint("nothing was taken: one of both sides has something else"))
}

/// Writes files as a new export.
pub fn write(
    path: &Path,
    files: &[PathBuf],
    label: Option<&str>,
    realm: Realm,
    json: bool,
) -> Result<ExitCode, Failure> {
    let files = files.iter().map(|file| source(file)).collect::<Result<Vec<_>, _>>()?;
    let (place, medium, volume) = open(path, label, Access::Write)?;
    let mut progress = |done: usize, of: usize| {
        if done.is_multiple_of(100) || done == of {
            output::words(&format!("written {done} of {of} files"));
        }
    };
    let written = write_export(&medium, realm, &files, &mut progress)?;
    let (place, medium) = if place.is_ours() {
        // Where we mounted it ourselves the device is read again, from nothing the kernel still holds.
        drop(medium);
        let place = place.again()?;
        let medium = Medium::open(&place)?;
        medium.check(written.manifest.export())?;
        (place, medium)
    } else {
        (place, medium)
    };
    if json {
        output::json(&json!({
            "id": volume.id.hex(), "label": volume.label.as_str(), "export": written.manifest.export().to_string(),
            "realm": realm, "digest": written.digest, "words": written.digest.twelve_words(),
            "files": files_of(&written.manifest),
        }))?;
    } else {
        output::data(&format!("to {volume}, written and read back"));
        show(&written.manifest, &written.digest);
    }
    leave(place, medium, path)?;
    Ok(ExitCode::Done)
}

fn source(path: &Path) -> Result<(FileName, Vec<u8>), Failure> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = parsed(&name, FileName::parse).map_err(|f| f.with_hint("rename the file first"))?;
    Ok((name, durable_file::read(path, limits::MEDIUM_FILE_OCTETS)?))
}

fn partial(out: &Path) -> PathBuf {
    let name = out.file_name().unwrap_or_default().to_string_lossy();
    out.with_file_name(format!(".{name}.partial"))
}
