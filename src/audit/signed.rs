//! Stages 2 and 3 of verification: the checkpoints run keys signed, and the attestations people signed over the last head.

use crate::audit::bound;
use crate::audit::facts::Facts;
use crate::audit::folder::{self, Files, TEXT_OCTETS};
use crate::audit::signatures::{self, Trusted, public_key, signed};
use crate::audit::verdict::{Claims, Refuted, Status, What};
use crate::basics::{Digest, SafeText, canonical};
use crate::keys::ssh::allowed_signers::AllowedSigner;
use crate::transcript::attestation::{Attestation, FORMAT};
use crate::transcript::{Checkpoint, Record};
use std::collections::BTreeSet;

/// What the verifier brought: without either, a wholly forged folder is consistent too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pin {
    /// Their own signers file; see [`signatures::pin_file`].
    pub signers: Option<Vec<AllowedSigner>>,
    /// The head as somebody in the room noted it.
    pub expect: Option<Digest>,
}

/// Checks every checkpoint, by size; returns how many there are.
///
/// # Errors
/// The first that is not the one this record has, or is not signed by the run key of its time.
pub fn checkpoints(files: &Files, record: &Record, facts: &Facts) -> Result<usize, Refuted> {
    let names = folder::names(files, "checkpoints").map_err(|e| Refuted::at(What::Checkpoint, facts.total, e))?;
    let found: BTreeSet<usize> = names.iter().filter_map(|name| size_of(name)).collect();
    let mut sizes = found.clone();
    if facts.closed {
        sizes.insert(facts.total);
    }
    for size in sizes {
        checkpoint(files, record, facts, size).map_err(|problem| Refuted::at(What::Checkpoint, size, problem))?;
    }
    Ok(found.len())
}

/// `000214.checkpoint` or `000214.checkpoint.sig` -> 214.
pub(super) fn size_of(name: &str) -> Option<usize> {
    let digits = name.strip_suffix(".sig").unwrap_or(name).strip_suffix(".checkpoint")?;
    (digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_digit())).then(|| digits.parse().ok())?
}

fn checkpoint(files: &Files, record: &Record, facts: &Facts, size: usize) -> Result<(), String> {
    let head = size.checked_sub(1).and_then(|last| record.heads.get(last)).copied();
    let head = head.ok_or_else(|| format!("expected a size from 1 to {} lines, found {size}", facts.total))?;
    let expected = Checkpoint {
        realm: record.header.realm,
        ceremony: record.header.ceremony.clone(),
        size: u32::try_from(size).unwrap_or(u32::MAX),
        head,
    };
    let path = format!("checkpoints/{}", expected.file_name());
    let body = folder::read(files, &path, TEXT_OCTETS)?;
    let signature = folder::read(files, &format!("{path}.sig"), TEXT_OCTETS)?;
    if expected.ceremony.contains('\n') || body != expected.body().as_bytes() {
        let found = String::from_utf8_lossy(body.get(..200).unwrap_or(body)).into_owned();
        let expected = expected.body();
        return Err(format!("expected {}, found {}", SafeText::cut(&expected, 200), SafeText::cut(&found, 200)));
    }
    let (_, key) = facts
        .run_keys
        .iter()
        .rfind(|(line, _)| *line < size)
        .ok_or("expected a run-key entry before it, found none")?;
    let key =
        key.as_deref().and_then(public_key).ok_or("expected the public key of a known type in the run-key entry")?;
    if !signed(body, signature, &[key], &record.header.realm.namespace("checkpoint")) {
        return Err("expected a signature by the run key, found one that does not verify".to_owned());
    }
    Ok(())
}

/// Checks every signed attestation, and the head the verifier brought; says whether the record is pinned.
///
/// # Errors
/// The first attestation that says something else than this record, or is not signed by who it names; another head.
pub fn attestations(
    files: &Files,
    record: &Record,
    facts: &Facts,
    pin: &Pin,
    claims: &mut Claims,
) -> Result<bool, Refuted> {
    let missing = missing(files, record, facts, pin.signers.as_deref(), claims)?;
    if let Some(head) = pin.expect.filter(|head| *head != record.head()) {
        let problem = format!("head: expected {head}, found {}", record.head());
        return Err(Refuted::named(What::Head, "expect", problem));
    }
    let pinned = missing.is_empty() && (pin.signers.is_some() || pin.expect.is_some());
    let missing: Vec<String> = missing.into_iter().collect();
    let detail = match (pinned, missing.as_slice()) {
        (true, _) => "by the signers or the head you brought".to_owned(),
        (false, []) => "bring your own allowed_signers, or the head".to_owned(),
        (false, missing) => format!("missing: {}", missing.join(", ")),
    };
    claims.add("pinned", Status::ok_if(pinned), detail);
    Ok(pinned)
}

/// Pinned signers without a good attestation here.
fn missing(
    files: &Files,
    record: &Record,
    facts: &Facts,
    pins: Option<&[AllowedSigner]>,
    claims: &mut Claims,
) -> Result<BTreeSet<String>, Refuted> {
    let namespace = record.header.realm.namespace("evidence");
    let (written, signed_by) = signatories(files).map_err(|e| Refuted::named(What::Head, "allowed_signers", e))?;
    let here = folder::exists(files, "allowed_signers") || pins.is_none() && !signed_by.is_empty();
    let own = if here {
        folder::read(files, "allowed_signers", TEXT_OCTETS).and_then(|octets| signatures::allowed(octets, &namespace))
    } else {
        Ok(Trusted::new())
    };
    let own = own
        .and_then(|own| bound::own_signers(record, &own).map(|()| own))
        .map_err(|e| Refuted::named(What::Head, "allowed_signers", e))?;
    let trusted = pins.map_or(own, |pins| signatures::pinned(pins, &namespace));
    for who in written.difference(&signed_by) {
        claims.add(&format!("attestation {who}"), Status::Unchecked, "not signed");
    }
    let mut good = BTreeSet::new();
    for who in &signed_by {
        let name = Attestation::file_name(who);
        let refuted = |problem: String| Refuted::named(What::Head, &name, problem);
        let octets = folder::read(files, &name, TEXT_OCTETS).map_err(refuted)?;
        let signature = folder::read(files, &format!("{name}.sig"), TEXT_OCTETS).map_err(refuted)?;
        let said = attestation(record, facts, octets, who).map_err(refuted)?;
        let listed = trusted.get(who);
        if !listed.map_or(pins.is_some(), |keys| signed(octets, signature, keys, &namespace)) {
            return Err(refuted(format!("expected a signature by {who}, found one that does not verify")));
        }
        match listed {
            Some(_) if said.agree => {
                good.insert(who.clone());
            }
            Some(_) => {
                let detail = format!("does not agree: {}", said.remark);
                claims.add(&format!("attestation {who}"), Status::Recorded, detail);
            }
            None => {
                let detail = format!("not in the signers file for {namespace}");
                claims.add(&format!("attestation {who}"), Status::Unchecked, detail);
            }
        }
    }
    let names: Vec<&str> = good.iter().map(String::as_str).collect();
    let names = if names.is_empty() { "nobody".to_owned() } else { names.join(", ") };
    let detail = format!("{} signed, in agreement: {names}", good.len());
    claims.add("attestations", Status::ok_if(!good.is_empty()), detail);
    let missing: BTreeSet<String> = match pins {
        None => BTreeSet::new(),
        Some(_) if trusted.is_empty() => BTreeSet::from([format!("anybody who may sign for {namespace}")]),
        Some(_) => trusted.into_keys().filter(|who| !good.contains(who)).collect(),
    };
    for who in &missing {
        let detail = "expected an attestation in agreement, found none";
        claims.add(&format!("signer {who}"), Status::Unchecked, detail);
    }
    Ok(missing)
}

/// Who has an attestation or its signature here, and who has a signature.
pub(super) fn signatories(files: &Files) -> Result<(BTreeSet<String>, BTreeSet<String>), String> {
    let (mut all, mut signed) = (BTreeSet::new(), BTreeSet::new());
    for name in folder::names(files, "")? {
        let Some(rest) = name.strip_prefix("attestation.") else { continue };
        let signature = rest.strip_suffix(".json.sig").filter(|who| !who.is_empty());
        if let Some(who) = signature.or_else(|| rest.strip_suffix(".json").filter(|who| !who.is_empty())) {
            all.insert(who.to_owned());
            signed.extend(signature.map(str::to_owned));
        }
    }
    Ok((all, signed))
}

/// The statement itself against the record.
fn attestation(record: &Record, facts: &Facts, octets: &[u8], who: &str) -> Result<Attestation, String> {
    let said: Attestation = canonical::parse(octets, TEXT_OCTETS).map_err(|e| e.to_string())?;
    let differs = |what: &str| Err(format!("signed head differs: {what} is not that of the record"));
    let run_keys = facts.run_keys.iter().map(|(_, key)| key.as_deref());
    let header = &record.header;
    if said.head != record.head() {
        return Err(format!("signed head differs: expected {}, found {}", record.head(), said.head));
    }
    match () {
        () if said.format != FORMAT => differs("format"),
        () if said.who != who => differs("who"),
        () if said.artifacts != facts.digests() => differs("artifacts"),
        () if usize::try_from(said.entries) != Ok(facts.total - 1) => differs("entries"),
        () if usize::try_from(said.exceptions) != Ok(facts.exceptions) => differs("exceptions"),
        () if !said.run_keys.iter().map(|key| Some(key.as_str())).eq(run_keys) => differs("run_keys"),
        () if said.ceremony != header.ceremony => differs("ceremony"),
        () if said.plan_digest != header.plan_digest => differs("plan_digest"),
        () if said.realm != header.realm => differs("realm"),
        () if said.script_digest != header.script_digest => differs("script_digest"),
        () => Ok(said),
    }
}
