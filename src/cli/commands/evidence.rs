//! `evidence sign`: adds a signature that its owner made elsewhere, after checking it.

use crate::basics::limits;
use crate::cli::args::EvidenceVerb;
use crate::cli::{ExitCode, Failure, output};
use crate::devices::durable_file;
use crate::keys::ssh::{SshPublicKey, verify};
use crate::runner::closing;
use crate::transcript::{Attestation, Record};

/// Adds a signature.
///
/// # Errors
/// Where the record is bad, the person is not in it, or the signature is not theirs over their attestation.
pub fn evidence(verb: EvidenceVerb) -> Result<ExitCode, Failure> {
    let EvidenceVerb::Sign { folder, who, signature } = verb;
    let octets = durable_file::read(&folder.join("transcript.jsonl"), limits::TRANSCRIPT_OCTETS)?;
    let record = Record::read(&octets).map_err(|bad| Failure::new(ExitCode::Refuted, bad.to_string()))?;
    let signer = record.header.signers.iter().find(|s| s.person == who).ok_or_else(|| {
        let known: Vec<&str> = record.header.signers.iter().map(|s| s.person.as_str()).collect();
        Failure::new(
            ExitCode::Usage,
            format!("{}: not a participant of this ceremony", crate::basics::SafeText::cut(&who, 60)),
        )
        .with_hint(format!("participants: {}", known.join(", ")))
    })?;
    let path = folder.join(Attestation::file_name(&who));
    let attestation = durable_file::read(&path, limits::SMALL_FILE_OCTETS)?;
    let armoured = durable_file::read(&signature, limits::SMALL_FILE_OCTETS)?;
    let armoured = String::from_utf8(armoured).map_err(|_| Failure::from("the signature is not text".to_owned()))?;
    let key = SshPublicKey::parse(&signer.public_key).map_err(|e| Failure::from(e.to_string()))?;
    let namespace = record.header.realm.namespace("evidence");
    verify(&key, &namespace, &attestation, &armoured).map_err(|e| {
        Failure::new(ExitCode::Refuted, format!("the signature of {who}: {e}")).with_hint(format!(
            "sign the file itself: ssh-keygen -Y sign -n {namespace} -f YOUR_KEY {}",
            path.display()
        ))
    })?;
    durable_file::create(&path.with_extension("json.sig"), armoured.as_bytes())?;
    closing::list_files(&folder)?;
    output::data(&format!("{who} has signed head {}", record.head().grouped()));
    Ok(ExitCode::Done)
}
