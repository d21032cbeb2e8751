//! After the record: attestations, the report, the list of files. All of it follows from the record and can be made again.

use crate::audit::report;
use crate::basics::{Digest, Realm, canonical, limits};
use crate::ceremony::State;
use crate::devices::durable_file;
use crate::keys::ssh::SshPublicKey;
use crate::keys::ssh::allowed_signers::{self, AllowedSigner};
use crate::plan::Plan;
use crate::runner::folder::Folder;
use crate::runner::rehearsal;
use crate::runner::run::RunError;
use crate::transcript::attestation::{Attestation, FORMAT, STATEMENT};
use crate::transcript::{Kind, Record, Signer, sums};
use std::collections::BTreeMap;
use std::path::Path;

pub const REPORT: &str = "report.html";
pub const HOW_TO_VERIFY: &str = "VERIFY.txt";

/// Writes what belongs around a record that is closed, or that was left or aborted.
///
/// # Errors
/// Where the disk refuses.
pub fn close(folder: &Folder, plan: &Plan, record: &Record, state: &State, seed: Option<u64>) -> Result<(), RunError> {
    let evidence = folder.evidence();
    let signers = allowed(&record.header.signers, plan.realm)?;
    durable_file::replace(&evidence.join("allowed_signers"), signers.as_bytes())?;
    if record.opens().last().is_some_and(|open| open.kind == Kind::Closed) {
        for (index, person) in plan.people.iter().enumerate() {
            let attestation = attestation_of(&person.id, record, state);
            let octets = canonical::to_octets(&attestation)?;
            let path = evidence.join(Attestation::file_name(&person.id));
            durable_file::create(&path, &octets)?;
            // In production the key never enters this machine: signatures come back by `evidence sign`.
            if let (Some(seed), true) = (seed, plan.realm.is_rehearsal()) {
                let key = rehearsal::participant_key(plan, seed, index)?;
                let armoured =
                    key.sign(&plan.realm.namespace("evidence"), &octets).map_err(|e| RunError::Other(e.to_string()))?;
                durable_file::create(&path.with_extension("json.sig"), armoured.as_bytes())?;
            }
        }
    }
    durable_file::replace(&evidence.join(REPORT), report::html(plan, record).as_bytes())?;
    durable_file::replace(&evidence.join(HOW_TO_VERIFY), how_to_verify(plan, record).as_bytes())?;
    list_files(&evidence)
}

/// Writes `SHA256SUMS` over what is in the folder now.
///
/// # Errors
/// Where the folder cannot be read or written.
pub fn list_files(evidence: &Path) -> Result<(), RunError> {
    let mut files = read_folder(evidence)?;
    // Left by a run that died while it wrote a file: the file itself has been written since.
    let partial: Vec<String> = files.keys().filter(|path| durable_file::is_partial(path)).cloned().collect();
    for path in &partial {
        durable_file::remove(&evidence.join(path))?;
        files.remove(path);
    }
    durable_file::replace(&evidence.join(sums::FILE_NAME), sums::render(&files).as_bytes())?;
    Ok(())
}

/// Every file of an evidence folder by its path inside it; nothing but regular files in folders.
///
/// # Errors
/// Where something else is in it, or it is larger than an evidence folder ever is.
pub fn read_folder(root: &Path) -> Result<BTreeMap<String, Vec<u8>>, RunError> {
    let mut files = BTreeMap::new();
    let mut folders = vec![(root.to_owned(), String::new(), 0_usize)];
    while let Some((folder, prefix, depth)) = folders.pop() {
        let entries = std::fs::read_dir(&folder).map_err(|e| RunError::Other(format!("{}: {e}", folder.display())))?;
        for entry in entries {
            let entry = entry.map_err(|e| RunError::Other(format!("{}: {e}", folder.display())))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = format!("{prefix}{name}");
            let kind = entry.file_type().map_err(|e| RunError::Other(format!("{path}: {e}")))?;
            if kind.is_dir() && depth < 3 {
                folders.push((entry.path(), format!("{path}/"), depth + 1));
            } else {
                let limit =
                    if path == "transcript.jsonl" { limits::TRANSCRIPT_OCTETS } else { limits::EVIDENCE_FILE_OCTETS };
                files.insert(path, durable_file::read(&entry.path(), limit)?);
            }
            if files.len() > limits::EVIDENCE_FILES {
                return Err(RunError::Other(format!(
                    "{}: expected at most {} files",
                    root.display(),
                    limits::EVIDENCE_FILES
                )));
            }
        }
    }
    Ok(files)
}

fn allowed(signers: &[Signer], realm: Realm) -> Result<String, RunError> {
    let mut allowed = Vec::new();
    for signer in signers {
        let key = SshPublicKey::parse(&signer.public_key).map_err(|e| RunError::Other(e.to_string()))?;
        allowed.push(AllowedSigner { who: signer.person.clone(), namespaces: vec![realm.namespace("evidence")], key });
    }
    Ok(allowed_signers::render(&allowed))
}

/// What one participant attests.
#[must_use]
pub fn attestation_of(person: &str, record: &Record, state: &State) -> Attestation {
    let agreement = state.agreements.iter().find(|a| a.person == person);
    Attestation {
        agree: agreement.is_some_and(|a| a.agree),
        artifacts: state.artifacts.clone(),
        ceremony: record.header.ceremony.clone(),
        entries: u32::try_from(record.lines.len()).unwrap_or(u32::MAX),
        exceptions: u32::try_from(state.exceptions.len()).unwrap_or(u32::MAX),
        format: FORMAT.to_owned(),
        head: record.head(),
        plan_digest: record.header.plan_digest,
        realm: record.header.realm,
        remark: agreement.map(|a| a.remark.clone()).unwrap_or_default(),
        run_keys: state.run_keys.clone(),
        script_digest: record.header.script_digest,
        statement: STATEMENT.to_owned(),
        who: person.to_owned(),
    }
}

fn how_to_verify(plan: &Plan, record: &Record) -> String {
    let namespace = plan.realm.namespace("evidence");
    let who = plan.people.last().map_or("WHO", |p| p.id.as_str());
    let head: Digest = record.head();
    format!(
        "{} of {} ({} realm)\n\nhead of the record\n  {}\n  {}\n\n\
         1. This copy is complete and undamaged:\n   sha256sum -c SHA256SUMS\n\n\
         2. A participant signed this record (bring the allowed_signers you trust; the one here came with the folder):\n   \
         ssh-keygen -Y verify -f allowed_signers -I {who} -n {namespace} -s attestation.{who}.json.sig < attestation.{who}.json\n\n\
         3. The record is whole, in order, and is the one that was signed:\n   \
         python3 verify.py . --signers YOUR_allowed_signers      (or --expect HEAD, as somebody in the room noted it)\n   \
         anchorite verify . --signers YOUR_allowed_signers\n",
        plan.ceremony,
        plan.title,
        plan.realm,
        head.hex(),
        head.words(23).join(" "),
    )
}
