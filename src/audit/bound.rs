//! What of the folder the record binds beyond its own lines: whose keys `allowed_signers` may hold, the approval, governance and
//! profiles of a production run. `SHA256SUMS` binds nothing: whoever rewrites the folder rewrites it too. What is left over
//! is named in the verdict.

use crate::audit::folder::{self, FILE_OCTETS, Files, TEXT_OCTETS};
use crate::audit::signatures::Trusted;
use crate::audit::verdict::{Claims, Refuted, Status, What};
use crate::basics::{Digest, Realm, SafeText, canonical, limits};
use crate::plan::standing::FORMAT;
use crate::transcript::{Record, sums};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Of the folder's own `allowed_signers`: each key is one the header, and so the head, gives that person.
///
/// # Errors
/// A key that is not.
pub fn own_signers(record: &Record, own: &Trusted) -> Result<(), String> {
    for (who, keys) in own {
        let theirs = record.header.signers.iter().filter(|signer| signer.person == *who);
        let known: BTreeSet<String> =
            theirs.map(|s| s.public_key.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect();
        if !keys.iter().all(|key| known.contains(key)) {
            return Err(format!("expected of {who} the keys of the header's signers, found others"));
        }
    }
    Ok(())
}

const APPROVAL: &str = "approval/approval.json";
const GOVERNANCE: &str = "approval/governance.toml";
const APPROVERS: &str = "approval/allowed_signers";

/// In production `approval/` is the one the header names, and names the profiles. A rehearsal has none; what it has
/// nevertheless must be the header's. Gives the paths that are bound by it.
///
/// # Errors
/// The file that is missing or another.
pub fn approval(files: &Files, record: &Record, claims: &mut Claims) -> Result<BTreeSet<String>, Refuted> {
    let header = &record.header;
    let production = !header.realm.is_rehearsal();
    let mut bound = BTreeSet::new();
    let bad = |path: &'static str| move |problem: String| Refuted::named(What::File, path, problem);
    let mut approved = None;
    if production || folder::exists(files, APPROVAL) {
        let octets = folder::read(files, APPROVAL, TEXT_OCTETS).map_err(bad(APPROVAL))?;
        let found = Digest::of(octets).hex();
        if found != header.approval_digest {
            let expected = &header.approval_digest;
            return Err(bad(APPROVAL)(format!("expected the approval {expected} of the header, found {found}")));
        }
        bound.insert(APPROVAL.to_owned());
        claims.add("approval", Status::Recorded, "the one the header names");
        approved = Some(octets);
    }
    if production || folder::exists(files, GOVERNANCE) {
        let toml = folder::read(files, GOVERNANCE, TEXT_OCTETS).map_err(bad(GOVERNANCE))?;
        let signers = folder::read(files, APPROVERS, TEXT_OCTETS).map_err(bad(GOVERNANCE))?;
        let found = Digest::tagged("governance", header.realm, &[toml, signers]).hex();
        if found != header.governance_digest {
            let expected = &header.governance_digest;
            return Err(bad(GOVERNANCE)(format!("expected the governance {expected} of the header, found {found}")));
        }
        bound.extend([GOVERNANCE.to_owned(), APPROVERS.to_owned()]);
    }
    if let (true, Some(octets)) = (production, approved) {
        let profiles = approved_profiles(octets, record).map_err(bad(APPROVAL))?;
        let present = folder::names(files, "profiles").map_err(bad("profiles"))?;
        let names: BTreeSet<&str> = present.iter().copied().chain(profiles.keys().map(String::as_str)).collect();
        for name in names {
            let path = format!("profiles/{name}");
            profile(files, &path, profiles.get(name).filter(|_| present.contains(name)))
                .map_err(|problem| Refuted::named(What::File, &path, problem))?;
            bound.insert(path);
        }
    }
    Ok(bound)
}

/// File name to digest, of an approval that is for this record.
fn approved_profiles(octets: &[u8], record: &Record) -> Result<BTreeMap<String, String>, String> {
    let approval: Value = canonical::parse(octets, TEXT_OCTETS).map_err(|e| e.to_string())?;
    let header = &record.header;
    let (plan, script, realm) = (header.plan_digest.hex(), header.script_digest.hex(), header.realm.to_string());
    let expected =
        [("ceremony", &header.ceremony), ("plan_digest", &plan), ("realm", &realm), ("script_digest", &script)];
    for (key, expected) in expected {
        if approval.get(key).and_then(Value::as_str) != Some(expected.as_str()) {
            return Err(format!("{key}: expected {expected} as in the header, found another"));
        }
    }
    let profiles = approval.get("profiles").and_then(Value::as_object).ok_or("profiles: expected an object")?;
    profiles
        .iter()
        .map(|(name, digest)| {
            let digest = digest.as_str().ok_or_else(|| "profiles: expected digests".to_owned())?;
            Ok((format!("{name}.toml"), digest.to_owned()))
        })
        .collect()
}

fn profile(files: &Files, path: &str, approved: Option<&String>) -> Result<(), String> {
    let approved = approved.ok_or("expected every profile of the approval, and no others")?;
    let found = Digest::of(folder::read(files, path, FILE_OCTETS)?).hex();
    if found == *approved { Ok(()) } else { Err(format!("expected {approved} as in approval.json, found {found}")) }
}

/// What the ceremony before left, as this one took it up.
pub const STANDING: &str = "standing.json";
/// Every key of it, and no other but `factories`.
const STANDING_KEYS: [&str; 7] = ["authorities", "ceremony", "format", "head", "keys", "quorums", "realm"];

/// A script that follows a ceremony has what stands after that one beside it, and entry 1 its digest. Gives the path where the record
/// in this copy binds it.
///
/// # Errors
/// The file is missing or another, or of another ceremony.
pub fn standing(
    files: &Files,
    record: &Record,
    follows: &str,
    claims: &mut Claims,
) -> Result<BTreeSet<String>, Refuted> {
    let bad = |problem: String| Refuted::named(What::File, STANDING, problem);
    let body = record.lines.first().and_then(|line| line.body());
    let said = body.map(|body| body.get("standing").cloned().unwrap_or_else(|| Value::String(String::new())));
    if follows.is_empty() {
        let nothing = said.is_none_or(|said| said == Value::String(String::new()));
        let problem = "expected none, because the script follows no ceremony; entry 1 names one";
        return if nothing { Ok(BTreeSet::new()) } else { Err(bad(problem.to_owned())) };
    }
    let octets = folder::read(files, STANDING, limits::STANDING_OCTETS).map_err(bad)?;
    let found = Digest::of(octets).hex();
    if let Some(said) = &said
        && *said != Value::String(found.clone())
    {
        return Err(bad(format!("expected the file whose SHA-256 entry 1 names, found {found}")));
    }
    let value: Value = canonical::parse(octets, limits::STANDING_OCTETS).map_err(|e| bad(e.to_string()))?;
    let (ceremony, head) = follows_what(&value, record.header.realm).map_err(bad)?;
    if ceremony != follows {
        let shown = SafeText::cut(&ceremony, 80);
        return Err(bad(format!("expected what stands after {}, found {shown}", SafeText::cut(follows, 80))));
    }
    if !record.header.realm.is_rehearsal() && head != record.header.previous_head {
        let expected = &record.header.previous_head;
        return Err(bad(format!("expected what stands after the record that ended at {expected}, found {head}")));
    }
    let detail = format!("{follows}, whose record ended at {head}");
    match said {
        Some(_) => {
            claims.add("follows", Status::Recorded, detail);
            Ok(BTreeSet::from([STANDING.to_owned()]))
        }
        None => {
            claims.add("follows", Status::Unchecked, format!("{detail}; entry 1, which binds it, is withheld here"));
            Ok(BTreeSet::new())
        }
    }
}

/// The ceremony and its last head, of a file of the right shape.
fn follows_what(value: &Value, realm: Realm) -> Result<(String, String), String> {
    let object = value.as_object().ok_or("expected an object, found another value")?;
    // Factories are there where a ceremony of the chain enrolled one, device keys where it certified some that devices made.
    let optional = ["device_keys", "factories"];
    if !object.keys().map(String::as_str).filter(|key| !optional.contains(key)).eq(STANDING_KEYS) {
        return Err(format!("expected the keys {}, found others", STANDING_KEYS.join(", ")));
    }
    let is_digest = |text: &str| Digest::parse(text).is_some();
    let text = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or_default();
    let tables = ["authorities", "quorums"].into_iter().all(|key| object.get(key).is_some_and(Value::is_object))
        && object.get("factories").is_none_or(Value::is_object)
        && object.get("device_keys").is_none_or(|keys| keys.as_str().is_some_and(is_digest));
    let digests = object.get("keys").and_then(Value::as_array);
    let digests = digests.is_some_and(|keys| keys.iter().all(|key| key.as_str().is_some_and(is_digest)));
    if text("format") != FORMAT || text("realm") != realm.word() || !tables || !digests || !is_digest(text("head")) {
        return Err(format!("expected {FORMAT} of the {realm} realm, found another"));
    }
    Ok((text("ceremony").to_owned(), text("head").to_owned()))
}

/// Files that nothing in the record says anything about.
#[must_use]
pub fn loose(files: &Files, bound: &BTreeSet<String>) -> BTreeSet<String> {
    let paths = folder::paths(files).into_iter();
    paths.filter(|path| !of_the_record(path) && !bound.contains(*path)).map(str::to_owned).collect()
}

/// Paths other stages compare with the record, or have a claim of their own for.
fn of_the_record(path: &str) -> bool {
    let checkpoint = path.strip_prefix("checkpoints/").is_some_and(|name| super::signed::size_of(name).is_some());
    let attestation = path.strip_prefix("attestation.").is_some_and(|rest| {
        let who = rest.strip_suffix(".json.sig").or_else(|| rest.strip_suffix(".json"));
        who.is_some_and(|who| !who.is_empty() && !who.contains('/'))
    });
    matches!(path, "script.toml" | "transcript.jsonl" | "allowed_signers" | sums::FILE_NAME)
        || path.starts_with("artifacts/")
        || checkpoint
        || attestation
}
