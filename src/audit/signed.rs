//! Stages 2 and 3 of verifying: checkpoints, then attestations against the record they attest.

use crate::audit::folder::{self, Files, TEXT_OCTETS};
use crate::audit::signatures::{self, Trusted};
use crate::audit::verdict::{Claims, Refuted, Status, What};
use crate::basics::{Digest, SafeText, canonical};
use crate::keys::ssh::allowed_signers::AllowedSigner;
use crate::transcript::attestation::{Attestation, FORMAT};
use crate::transcript::{Checkpoint, Kind, Record};
use std::collections::{BTreeMap, BTreeSet};

/// What a verifier brought to tell a record from a whole forgery.
#[derive(Clone, Debug, Default)]
pub struct Pin {
    pub signers: Option<Vec<AllowedSigner>>,
    pub expect: Option<Digest>,
}

/// Whether the last line closes the record.
#[must_use]
pub fn is_closed(record: &Record) -> bool {
    record.opens().last().is_some_and(|open| open.kind == Kind::Closed)
}

/// Every checkpoint agrees with the chain and is signed by the run key of its time.
///
/// # Errors
/// The first, by size, that does not.
pub fn checkpoints(files: &Files, record: &Record, claims: &mut Claims) -> Result<(), Refuted> {
    let lines = record.heads.len();
    let names = folder::names(files, "checkpoints").map_err(|problem| Refuted::at(What::Checkpoint, lines, problem))?;
    let sizes: BTreeSet<usize> = names.iter().filter_map(|name| size_of(name)).collect();
    for &size in &sizes {
        checkpoint(files, record, size).map_err(|problem| Refuted::at(What::Checkpoint, size, problem))?;
    }
    if is_closed(record) && !sizes.contains(&lines) {
        return Err(Refuted::at(
            What::Checkpoint,
            lines,
            "expected a checkpoint of the last line of a closed record, found none",
        ));
    }
    claims.add("checkpoints", Status::ok_if(!sizes.is_empty()), format!("{} signed by run keys", sizes.len()));
    Ok(())
}

/// `000025.checkpoint` and `000025.checkpoint.sig` are of size 25.
fn size_of(name: &str) -> Option<usize> {
    let digits = name.strip_suffix(".sig").unwrap_or(name).strip_suffix(".checkpoint")?;
    (digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_digit())).then(|| digits.parse().ok())?
}

fn checkpoint(files: &Files, record: &Record, size: usize) -> Result<(), String> {
    let at = size.checked_sub(1).ok_or("expected a size of at least 1")?;
    let head =
        *record.heads.get(at).ok_or_else(|| format!("expected at most {} lines, found {size}", record.heads.len()))?;
    let expected = Checkpoint {
        realm: record.header.realm,
        ceremony: record.header.ceremony.clone(),
        size: u32::try_from(size).map_err(|_| "expected a smaller size")?,
        head,
    };
    let path = format!("checkpoints/{}", expected.file_name());
    let body = folder::read(files, &path, TEXT_OCTETS)?;
    if body != expected.body().as_bytes() {
        return Err("the checkpoint disagrees with the chain: expected origin, size and head of this record".to_owned());
    }
    let signature = folder::read(files, &format!("{path}.sig"), TEXT_OCTETS)?;
    let key = run_keys(record, at).last().cloned().ok_or("expected a run key before it, found none")?;
    let key = signatures::public_key(&key).ok_or("expected a run key of a known type")?;
    if !signatures::signed(body, signature, &[key], &record.header.realm.namespace("checkpoint")) {
        return Err("expected a signature by the run key of its time, found another".to_owned());
    }
    Ok(())
}

/// Run keys introduced by the first `entries` entries, in order.
#[must_use]
pub fn run_keys(record: &Record, entries: usize) -> Vec<String> {
    record
        .lines
        .iter()
        .take(entries)
        .filter(|line| line.open().is_some_and(|open| open.kind == Kind::RunKey))
        .filter_map(|line| Some(line.body()?.get("public_key")?.as_str()?.to_owned()))
        .collect()
}

/// Artefacts the record issues, the last entry of a name counting.
#[must_use]
pub fn artifacts(record: &Record) -> BTreeMap<String, (String, u64)> {
    let mut artifacts = BTreeMap::new();
    for line in record.lines.iter().filter(|line| line.open().is_some_and(|open| open.kind == Kind::Artifact)) {
        let text = |key: &str| line.body().and_then(|body| body.get(key)?.as_str()).unwrap_or_default().to_owned();
        let size = line.body().and_then(|body| body.get("size")?.as_u64()).unwrap_or(u64::MAX);
        artifacts.insert(text("name"), (text("sha256"), size));
    }
    artifacts
}

/// Every attestation equals the record, every signature is by whom it must be. Gives whether the record is pinned.
///
/// # Errors
/// What differs: "signed head differs".
pub fn attestations(files: &Files, record: &Record, pin: &Pin, claims: &mut Claims) -> Result<bool, Refuted> {
    let namespace = record.header.realm.namespace("evidence");
    let trusted = pin.signers.as_ref().map(|signers| signatures::pinned(signers, &namespace));
    let names = folder::names(files, "").unwrap_or_default();
    let mut good = BTreeSet::new();
    let mut disagreeing = BTreeSet::new();
    let mut unknown = BTreeSet::new();
    for name in names {
        let Some(who) = name.strip_prefix("attestation.").and_then(|rest| rest.strip_suffix(".json.sig")) else {
            continue;
        };
        let path = format!("attestation.{who}.json");
        let at = |problem: String| Refuted::named(What::Head, &path, problem);
        let octets = folder::read(files, &path, TEXT_OCTETS).map_err(at)?;
        let attestation: Attestation = canonical::parse(octets, TEXT_OCTETS).map_err(|e| at(e.to_string()))?;
        equals(&attestation, who, record).map_err(at)?;
        let keys = match &trusted {
            Some(trusted) => trusted.get(who).cloned(),
            None => {
                let file = folder::read(files, "allowed_signers", TEXT_OCTETS)
                    .and_then(|octets| signatures::allowed(octets, &namespace))
                    .map_err(|problem| Refuted::named(What::Head, "allowed_signers", problem))?;
                Some(file.get(who).cloned().unwrap_or_default())
            }
        };
        let Some(keys) = keys else {
            unknown.insert(who.to_owned());
            continue;
        };
        let signature = folder::read(files, name, TEXT_OCTETS).map_err(at)?;
        if !signatures::signed(octets, signature, &keys, &namespace) {
            return Err(at(format!("expected a signature by {}, found another", SafeText::cut(who, 80))));
        }
        if attestation.agree {
            good.insert(who.to_owned())
        } else {
            disagreeing.insert(who.to_owned())
        };
    }
    let list = |people: &BTreeSet<String>| people.iter().cloned().collect::<Vec<_>>().join(", ");
    claims.add(
        "attestations",
        Status::ok_if(!good.is_empty()),
        format!("{} signed, in agreement: {}", good.len(), list(&good)),
    );
    if !disagreeing.is_empty() {
        claims.add("disagreement", Status::Recorded, format!("signed, and do not agree: {}", list(&disagreeing)));
    }
    if !unknown.is_empty() {
        claims.add("other signers", Status::Unchecked, format!("not among the pinned: {}", list(&unknown)));
    }
    pinned(record, pin, trusted.as_ref(), &good, claims)
}

fn pinned(
    record: &Record,
    pin: &Pin,
    trusted: Option<&Trusted>,
    good: &BTreeSet<String>,
    claims: &mut Claims,
) -> Result<bool, Refuted> {
    if let Some(expected) = pin.expect
        && expected != record.head()
    {
        return Err(Refuted::named(What::Head, "expect", format!("expected head {expected}, found {}", record.head())));
    }
    let missing: Vec<String> =
        trusted.map(|t| t.keys().filter(|who| !good.contains(*who)).cloned().collect()).unwrap_or_default();
    for who in &missing {
        claims.add(&format!("signer {who}"), Status::Unchecked, "pinned, and has no attestation in agreement here");
    }
    let by_signers = trusted.is_some_and(|trusted| !trusted.is_empty() && missing.is_empty());
    let by_head = pin.expect.is_some();
    let is_pinned = match (by_head, trusted) {
        (_, Some(_)) => by_signers,
        (by_head, None) => by_head,
    };
    let detail = if is_pinned {
        "by the head or the signers you brought"
    } else {
        "bring your own allowed_signers, or the head"
    };
    claims.add("pinned", Status::ok_if(is_pinned), detail);
    Ok(is_pinned)
}

/// Whether an attestation says exactly what the record says.
fn equals(attestation: &Attestation, who: &str, record: &Record) -> Result<(), String> {
    let header = &record.header;
    let exceptions = record.opens().filter(|open| open.kind == Kind::Exception).count();
    let artifacts: BTreeMap<String, String> =
        artifacts(record).into_iter().map(|(name, (sha256, _))| (name, sha256)).collect();
    let attested: BTreeMap<String, String> =
        attestation.artifacts.iter().map(|(name, digest)| (name.clone(), digest.hex())).collect();
    let same = [
        ("format", attestation.format == FORMAT),
        ("who", attestation.who == who),
        ("realm", attestation.realm == header.realm),
        ("ceremony", attestation.ceremony == header.ceremony),
        ("script digest", attestation.script_digest == header.script_digest),
        ("plan digest", attestation.plan_digest == header.plan_digest),
        ("head", attestation.head == record.head()),
        ("number of entries", usize::try_from(attestation.entries) == Ok(record.lines.len())),
        ("number of exceptions", usize::try_from(attestation.exceptions) == Ok(exceptions)),
        ("artefacts", attested == artifacts),
        ("run keys", attestation.run_keys == run_keys(record, record.lines.len())),
    ];
    same.iter()
        .find(|(_, same)| !same)
        .map_or(Ok(()), |(what, _)| Err(format!("the attested {what} is not that of the record")))
}
