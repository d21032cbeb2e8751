//! `evidence`: what leaves a closed ceremony to be signed elsewhere, and the signatures that come back, by medium or by code. Private
//! keys stay where they are; a signature is checked before it is added.

mod carry;

use crate::basics::{SafeText, limits};
use crate::cli::args::EvidenceVerb;
use crate::cli::{ExitCode, Failure, output};
use crate::devices::durable_file;
use crate::keys::ssh::{SshPublicKey, verify};
use crate::runner::closing;
use crate::transcript::{Attestation, Record, Signer};
use std::path::Path;

/// Works on an evidence folder.
///
/// # Errors
/// Where the record is bad, a medium is missing or another one, or a signature is not its person's over their attestation.
pub fn evidence(verb: EvidenceVerb) -> Result<ExitCode, Failure> {
    match verb {
        EvidenceVerb::Sign { folder, who, signature } => sign(&folder, &who, &signature),
        EvidenceVerb::Export { folder, medium, label } => carry::export(&folder, &medium, label.as_deref()),
        EvidenceVerb::Collect { folder, medium, label } => carry::collect(&folder, &medium, label.as_deref()),
    }
}

fn record_of(folder: &Path) -> Result<Record, Failure> {
    let octets = durable_file::read(&folder.join("transcript.jsonl"), limits::TRANSCRIPT_OCTETS)?;
    Record::read(&octets).map_err(|bad| Failure::new(ExitCode::Refuted, bad.to_string()))
}

fn sign(folder: &Path, who: &str, signature: &Path) -> Result<ExitCode, Failure> {
    let record = record_of(folder)?;
    let signer = record.header.signers.iter().find(|s| s.person == who).ok_or_else(|| {
        let known: Vec<&str> = record.header.signers.iter().map(|s| s.person.as_str()).collect();
        Failure::new(ExitCode::Usage, format!("{}: not a participant of this ceremony", SafeText::cut(who, 60)))
            .with_hint(format!("participants: {}", known.join(", ")))
    })?;
    let armoured = durable_file::read(signature, limits::SMALL_FILE_OCTETS)?;
    add(folder, &record, signer, armoured)?;
    closing::list_files(folder)?;
    output::data(&format!("{who} has signed head {}", record.head().grouped()));
    Ok(ExitCode::Done)
}

/// Adds one signature where it is its person's over their attestation. The list of files is the caller's to write.
fn add(folder: &Path, record: &Record, signer: &Signer, armoured: Vec<u8>) -> Result<(), Failure> {
    let who = &signer.person;
    let path = folder.join(Attestation::file_name(who));
    let attestation = durable_file::read(&path, limits::SMALL_FILE_OCTETS)?;
    let armoured = String::from_utf8(armoured).map_err(|_| Failure::from("the signature is not text".to_owned()))?;
    let key = SshPublicKey::parse(&signer.public_key).map_err(|e| Failure::from(e.to_string()))?;
    let namespace = record.header.realm.namespace("evidence");
    verify(&key, &namespace, &attestation, &armoured).map_err(|e| {
        Failure::new(ExitCode::Refuted, format!("the signature of {who}: {e}")).with_hint(format!(
            "sign the file itself: ssh-keygen -Y sign -n {namespace} -f YOUR_KEY {}",
            path.display()
        ))
    })?;
    Ok(durable_file::create(&path.with_extension("json.sig"), armoured.as_bytes())?)
}
