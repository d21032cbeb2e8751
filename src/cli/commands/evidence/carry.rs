//! Attestations out and signatures in, by medium. What is on the stick is a whole export; signatures come back in its inbox, put there
//! with plain tools, or in exports of this program.

use super::{add, record_of};
use crate::basics::limits;
use crate::cli::commands::medium::{leave, open, show_digest};
use crate::cli::{ExitCode, Failure, output};
use crate::devices::durable_file;
use crate::devices::medium::{Access, ExportState, Medium, write_export};
use crate::runner::closing;
use crate::transcript::{Attestation, Kind};
use crate::transfer::volume::FileName;
use std::path::Path;

/// Writes attestations, last checkpoint, certificates and CRLs as one export.
pub fn export(folder: &Path, path: &Path, label: Option<&str>) -> Result<ExitCode, Failure> {
    let record = record_of(folder)?;
    if record.opens().last().is_none_or(|open| open.kind != Kind::Closed) {
        return Err(Failure::new(
            ExitCode::Missing,
            format!("{}: expected a closed record, found an open one", folder.display()),
        )
        .with_hint("attestations speak of the last line: they are written when the record is closed"));
    }
    let mut files = Vec::new();
    let mut take = |path: &Path| -> Result<(), Failure> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = FileName::parse(&name).map_err(|e| Failure::from(e.to_string()))?;
        files.push((name, durable_file::read(path, limits::EVIDENCE_FILE_OCTETS)?));
        Ok(())
    };
    for signer in &record.header.signers {
        take(&folder.join(Attestation::file_name(&signer.person)))?;
    }
    let checkpoint = format!("{:06}.checkpoint", record.lines.len() + 1);
    take(&folder.join("checkpoints").join(&checkpoint))?;
    take(&folder.join("checkpoints").join(format!("{checkpoint}.sig")))?;
    for name in crate::audit::facts::Facts::of(&record).artifacts.keys() {
        take(&folder.join("artifacts").join(name))?;
    }
    let (place, medium, volume) = open(path, label, Access::Write)?;
    let written = write_export(&medium, record.header.realm, &files, &mut |_, _| ())?;
    output::data(&format!("{} on {volume}: {} files", written.manifest.export(), files.len()));
    show_digest(&written.digest);
    let namespace = record.header.realm.namespace("evidence");
    output::words(&format!(
        "each participant, on their own device: ssh-keygen -Y sign -n {namespace} -f KEY attestation.WHO.json; put attestation.WHO.json.sig into INBOX"
    ));
    leave(place, medium, path)?;
    Ok(ExitCode::Done)
}

/// Takes every signature that is there and was not yet; says of each what became of it.
pub fn collect(folder: &Path, path: &Path, label: Option<&str>) -> Result<ExitCode, Failure> {
    let record = record_of(folder)?;
    let (place, medium, _) = open(path, label, Access::Read)?;
    let (mut added, mut bad) = (0, Vec::new());
    for signer in &record.header.signers {
        let who = &signer.person;
        let name = format!("{}.sig", Attestation::file_name(who));
        if folder.join(&name).exists() {
            output::data(&format!("{who:<16} signed already"));
            continue;
        }
        let file = FileName::parse(&name).map_err(|e| Failure::from(e.to_string()))?;
        let outcome = match found(&medium, &file)? {
            Some(armoured) => add(folder, &record, signer, armoured),
            None => {
                output::data(&format!("{who:<16} nothing here"));
                continue;
            }
        };
        match outcome {
            Ok(()) => {
                added += 1;
                output::data(&format!("{who:<16} signed"));
            }
            Err(failure) => {
                output::data(&format!("{who:<16} refused"));
                bad.push(failure);
            }
        }
    }
    if added > 0 {
        closing::list_files(folder)?;
    }
    leave(place, medium, path)?;
    let all = bad.iter().map(|failure| failure.message.as_str()).collect::<Vec<_>>().join("\n");
    match (bad.into_iter().next(), added) {
        (Some(first), _) => Err(Failure { message: all, ..first }),
        (None, 0) => Err(Failure::new(ExitCode::Missing, format!("{}: no new signature here", path.display()))
            .with_hint("expected attestation.WHO.json.sig in the folder INBOX of the medium, or in an export")),
        (None, _) => Ok(ExitCode::Done),
    }
}

/// A file of the inbox, else of the newest export that has it.
fn found(medium: &Medium, name: &FileName) -> Result<Option<Vec<u8>>, Failure> {
    let contents = medium.contents()?;
    if contents.loose.iter().any(|loose| loose.name.as_str() == name.as_str()) {
        return Ok(Some(medium.loose(name)?));
    }
    let lists = |state: &ExportState| match state {
        ExportState::Listed(manifest) => manifest.files().iter().any(|file| file.name == *name),
        ExportState::Refused(_) => false,
    };
    let newest = contents.exports.iter().filter(|(_, state)| lists(state)).map(|(export, _)| *export).max();
    let Some(export) = newest else { return Ok(None) };
    Ok(medium.read(export)?.files.into_iter().find(|(file, _)| file == name).map(|(_, octets)| octets))
}
