//! Verifying an evidence folder: the four stages every verifier has, then what only the program that ran the ceremony can do:
//! replay, certificates re-derived, attestations against the sign-off, approval signatures, the report.

use crate::audit::folder::{self, Files, TEXT_OCTETS};
use crate::audit::replay::{Replayed, replay};
use crate::audit::verdict::{Claims, Refuted, Status, Verdict, What};
use crate::audit::{issued, meaning, report, signed};
use crate::basics::{Digest, limits};
use crate::pki::profile::Profile;
use crate::plan::Plan;
use crate::plan::resolve::{self, ProfileFile};
use crate::script::StepKind;
use crate::transcript::{Attestation, Record};
use std::collections::BTreeMap;

pub use crate::audit::signed::Pin;

/// Everything: what `verify.py` checks, and what needs the ceremony engine.
#[must_use]
pub fn verify(files: &Files, pin: &Pin, kinds: &[&dyn StepKind]) -> Verdict {
    let mut claims = Claims::default();
    let result = stages(files, pin, &mut claims).and_then(|(record, pinned)| {
        engine(files, &record, kinds, &mut claims)?;
        Ok(pinned)
    });
    Verdict::of(result, claims)
}

/// What every verifier checks: chain, checkpoints, signed head, meaning.
#[must_use]
pub fn verify_record(files: &Files, pin: &Pin) -> Verdict {
    let mut claims = Claims::default();
    let result = stages(files, pin, &mut claims).map(|(_, pinned)| pinned);
    Verdict::of(result, claims)
}

fn stages(files: &Files, pin: &Pin, claims: &mut Claims) -> Result<(Record, bool), Refuted> {
    let entry_0 = |problem: String| Refuted::at(What::Entry, 0, problem);
    let script = folder::read(files, "script.toml", TEXT_OCTETS).map_err(entry_0)?;
    let octets = folder::read(files, "transcript.jsonl", limits::TRANSCRIPT_OCTETS).map_err(entry_0)?;
    let record = Record::read_of(octets, Some(Digest::of(script)))
        .map_err(|bad| Refuted::at(What::Entry, usize::try_from(bad.entry).unwrap_or(usize::MAX), bad.problem))?;
    let header = &record.header;
    claims.add(
        "chain",
        Status::Ok,
        format!("{}, {}: {} entries, head {}", header.realm, header.ceremony, record.lines.len(), record.head()),
    );
    claims.add("script", Status::Ok, format!("sha256 {}", header.script_digest));
    let withheld = record.lines.iter().filter(|line| line.body().is_none()).count();
    claims.add("bodies", Status::ok_if(withheld == 0), format!("{withheld} of {} withheld", record.lines.len()));
    signed::checkpoints(files, &record, claims)?;
    let pinned = signed::attestations(files, &record, pin, claims)?;
    let steps = meaning::script_steps(script).map_err(entry_0)?;
    let (passed, exceptions) = meaning::walk(&record, &steps)?;
    let closed = signed::is_closed(&record);
    claims.add("steps", Status::Ok, format!("{passed} of {} passed, in order", steps.len()));
    claims.add("exceptions", Status::Ok, format!("{exceptions} opened"));
    claims.add(
        "serial seed",
        Status::ok_if(closed),
        if closed { "opens its commitment" } else { "revealed when the record is closed" },
    );
    let ending = if closed { format!("by entry {}", record.lines.len()) } else { "open, or aborted".to_owned() };
    claims.add("closed", Status::ok_if(closed), ending);
    let count = meaning::artifacts(files, &record)?;
    claims.add("artifacts", Status::Ok, format!("{count} recorded and present"));
    if meaning::approval(files, &record)? {
        claims.add("approval", Status::Ok, "the one the header names");
    }
    let listed = meaning::files_listed(files)?;
    claims.add("sums", Status::Ok, format!("{listed} files as in SHA256SUMS"));
    claims.add("machine", Status::Recorded, format!("tool {} {}", header.tool.version, header.tool.digest));
    Ok((record, pinned))
}

/// What needs the ceremony engine of this very version.
fn engine(files: &Files, record: &Record, kinds: &[&dyn StepKind], claims: &mut Claims) -> Result<(), Refuted> {
    if record.header.tool.version != env!("CARGO_PKG_VERSION") {
        let with = format!("replay with anchorite {}", record.header.tool.version);
        claims.add("replay", Status::Unchecked, with);
        return Ok(());
    }
    let plan = plan_of(files, record, kinds)?;
    let complete = !record.has_withheld();
    let replayed = complete
        .then(|| replay(&plan, record))
        .transpose()
        .map_err(|bad| Refuted::at(What::Entry, usize::try_from(bad.entry).unwrap_or(usize::MAX), bad.problem))?;
    match &replayed {
        Some(Replayed { missing, .. }) if !missing.is_empty() && signed::is_closed(record) => {
            return Err(Refuted::at(What::Entry, record.lines.len(), "the machine would have written more"));
        }
        Some(_) => claims.add("replay", Status::Ok, "the same entries, octet for octet"),
        None => claims.add("replay", Status::Unchecked, "bodies are withheld in this copy"),
    }
    issued::derive_again(files, record, &plan, claims)?;
    if let Some(replayed) = &replayed {
        sign_off(files, replayed)?;
    }
    issued::approval_signatures(files, record, &plan, claims)?;
    report_is_ours(files, record, &plan, claims)
}

/// The plan of the script and profiles in the folder; its digest must be the header's.
///
/// # Errors
/// Where the script does not resolve, or gives another plan.
pub fn plan_of(files: &Files, record: &Record, kinds: &[&dyn StepKind]) -> Result<Plan, Refuted> {
    let bad = |problem: String| Refuted::at(What::Entry, 0, problem);
    let script = folder::read(files, "script.toml", TEXT_OCTETS).map_err(bad)?;
    let mut profiles = BTreeMap::new();
    for name in resolve::profile_names(script, kinds) {
        let Ok(octets) = folder::read(files, &format!("profiles/{name}.toml"), limits::SMALL_FILE_OCTETS) else {
            continue;
        };
        let text = String::from_utf8_lossy(octets);
        let profile = toml::from_str::<Profile>(&text).map_err(|e| e.message().to_owned());
        profiles.insert(name, profile.map(|profile| ProfileFile { profile, digest: Digest::of(octets) }));
    }
    let plan = resolve::plan("script.toml", script, &profiles, kinds, record.header.realm)
        .map_err(|problems| bad(format!("the script does not resolve: {}", problems.render())))?;
    let digest = plan.digest().map_err(|e| bad(e.to_string()))?;
    if digest != record.header.plan_digest {
        return Err(bad(format!(
            "expected plan {}, found {digest} from script and profiles",
            record.header.plan_digest
        )));
    }
    Ok(plan)
}

/// Attestations say of agreement what their signers said at the sign-off.
fn sign_off(files: &Files, replayed: &Replayed) -> Result<(), Refuted> {
    for agreement in &replayed.state.agreements {
        let path = Attestation::file_name(&agreement.person);
        let Ok(octets) = folder::read(files, &path, TEXT_OCTETS) else { continue };
        let said = serde_json::from_slice::<Attestation>(octets).ok();
        if said.is_some_and(|said| said.agree != agreement.agree || said.remark != agreement.remark) {
            return Err(Refuted::named(
                What::Head,
                &path,
                "agrees or remarks otherwise than its signer did at the sign-off",
            ));
        }
    }
    Ok(())
}

fn report_is_ours(files: &Files, record: &Record, plan: &Plan, claims: &mut Claims) -> Result<(), Refuted> {
    let Ok(found) = folder::read(files, "report.html", folder::FILE_OCTETS) else {
        claims.add("report", Status::Unchecked, "there is none in this copy");
        return Ok(());
    };
    if found != report::html(plan, record).as_bytes() {
        return Err(Refuted::named(What::File, "report.html", "the report is not the one this record gives"));
    }
    claims.add("report", Status::Ok, "the one this record gives");
    Ok(())
}
