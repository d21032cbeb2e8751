//! Verifying an evidence folder: the four stages every verifier has, then what only the program that ran the ceremony can do:
//! replay, certificates re-derived, attestations against the sign-off, approval signatures, the report.

use crate::audit::facts::{Ending, Facts};
use crate::audit::folder::{self, Files, TEXT_OCTETS};
use crate::audit::replay::{Replayed, replay};
use crate::audit::verdict::{Claims, Refuted, Status, Verdict, What};
use crate::audit::{before, bound, governance, issued, meaning, report, script_steps, signed};
use crate::basics::{Digest, canonical, limits};
use crate::ceremony::state::Finish;
use crate::pki::profile::Profile;
use crate::plan::resolve::{self, ProfileFile};
use crate::plan::{Plan, Standing};
use crate::script::StepKind;
use crate::transcript::{Attestation, Record};
use std::collections::{BTreeMap, BTreeSet};

pub use crate::audit::signed::Pin;

pub use crate::audit::bound::STANDING;
const RESUME: &str = "resume it, or stop it, with `anchorite resume`";

/// Everything: what `verify.py` checks, and what needs the ceremony engine.
#[must_use]
pub fn verify(files: &Files, pin: &Pin, kinds: &[&dyn StepKind]) -> Verdict {
    verify_after(files, &[], pin, kinds)
}

/// The same, and that what this ceremony took up is what the records before it left: `earlier` is the ceremony that it follows, then
/// the one which that follows, and so on.
#[must_use]
pub fn verify_after(files: &Files, earlier: &[Files], pin: &Pin, kinds: &[&dyn StepKind]) -> Verdict {
    let mut claims = Claims::default();
    let result = stages(files, pin, &mut claims).and_then(|stages| {
        let mut loose = stages.loose;
        engine(files, &stages.record, kinds, &mut loose, &mut claims)?;
        before::compare(files, earlier, kinds, &mut claims)?;
        unbound(&loose, &mut claims);
        Ok(stages.pinned)
    });
    Verdict::of(result, claims)
}

/// What every verifier checks: chain, checkpoints, signed head, meaning.
#[must_use]
pub fn verify_record(files: &Files, pin: &Pin) -> Verdict {
    let mut claims = Claims::default();
    let result = stages(files, pin, &mut claims).map(|stages| {
        unbound(&stages.loose, &mut claims);
        stages.pinned
    });
    Verdict::of(result, claims)
}

/// What the four stages leave to be looked at.
struct Stages {
    record: Record,
    pinned: bool,
    /// Files nothing in the record says anything about.
    loose: BTreeSet<String>,
}

/// A reader takes whatever lies in the folder for part of the evidence, so what is not is named.
fn unbound(loose: &BTreeSet<String>, claims: &mut Claims) {
    let names: Vec<&str> = loose.iter().map(String::as_str).collect();
    let names = if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
    claims.add("not bound by the record", Status::ok_if(loose.is_empty()), names);
}

fn stages(files: &Files, pin: &Pin, claims: &mut Claims) -> Result<Stages, Refuted> {
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
    let facts = Facts::of(&record);
    let withheld = format!("{} of {} withheld", facts.withheld, record.lines.len());
    claims.add("bodies", Status::ok_if(facts.withheld == 0), withheld);
    let signed = signed::checkpoints(files, &record, &facts)?;
    claims.add("checkpoints", Status::ok_if(signed > 0), format!("{signed} signed by run keys"));
    let pinned = signed::attestations(files, &record, &facts, pin, claims)?;
    let script = script_steps::read(script).map_err(entry_0)?;
    if script.previous_head != header.previous_head {
        return Err(entry_0("previous_head: expected that of the script, found another".to_owned()));
    }
    let walked = meaning::walk(&record, &facts, &script.steps)?;
    let closed = facts.closed;
    claims.add("steps", Status::Ok, format!("{} of {} passed, in order", walked.passed, script.steps.len()));
    claims.add("exceptions", Status::Ok, format!("{} opened", walked.exceptions));
    if let Some((status, detail)) = walked.governance {
        claims.add("governance", status, detail);
    }
    claims.add(
        "serial seed",
        Status::ok_if(closed),
        if closed { "opens its commitment" } else { "revealed when the record is closed" },
    );
    let ending = match facts.ending {
        Ending::Closed => format!("by entry {}", record.lines.len()),
        Ending::Aborted => "aborted".to_owned(),
        Ending::Open => format!("the record is open; {RESUME}"),
    };
    claims.add("closed", Status::ok_if(closed), ending);
    let count = meaning::artifacts(files, &facts)?;
    claims.add("artifacts", Status::Ok, format!("{count} recorded and present"));
    let mut bound = bound::approval(files, &record, claims)?;
    bound.extend(bound::standing(files, &record, &script.follows, claims)?);
    match meaning::files_listed(files, facts.ending)? {
        Some(listed) => claims.add("sums", Status::Ok, format!("{listed} files as in SHA256SUMS")),
        None => {
            claims.add("sums", Status::Unchecked, format!("the record is open and there is no SHA256SUMS; {RESUME}"))
        }
    }
    claims.add("machine", Status::Recorded, format!("tool {} {}", header.tool.version, header.tool.digest));
    let loose = bound::loose(files, &bound);
    Ok(Stages { record, pinned, loose })
}

/// What needs the ceremony engine of this very version; what it finds to follow from the record is no longer loose.
fn engine(
    files: &Files,
    record: &Record,
    kinds: &[&dyn StepKind],
    loose: &mut BTreeSet<String>,
    claims: &mut Claims,
) -> Result<(), Refuted> {
    if record.header.tool.version != env!("CARGO_PKG_VERSION") {
        let with = format!("replay with anchorite {}", record.header.tool.version);
        claims.add("replay", Status::Unchecked, with);
        return Ok(());
    }
    let plan = plan_of(files, record, kinds)?;
    governance::words_are_the_headers(record).map_err(|problem| Refuted::at(What::Entry, 1, problem))?;
    let complete = !record.has_withheld();
    let replayed = complete
        .then(|| replay(&plan, record))
        .transpose()
        .map_err(|bad| Refuted::at(What::Entry, usize::try_from(bad.entry).unwrap_or(usize::MAX), bad.problem))?;
    match &replayed {
        Some(replayed) => {
            ends_as_replayed(record, replayed)?;
            claims.add("replay", Status::Ok, "the same entries, octet for octet");
        }
        None => claims.add("replay", Status::Unchecked, "bodies are withheld in this copy"),
    }
    issued::derive_again(files, record, &plan, claims)?;
    if let Some(replayed) = &replayed {
        sign_off(files, replayed)?;
    }
    for approver in issued::approval_signatures(files, record, &plan, claims)? {
        loose.remove(&format!("approval/approval.json.{approver}.sig"));
    }
    report_is_ours(files, record, &plan, claims)?;
    loose.remove("report.html");
    // The plan, whose digest is the header's, says the digest of every profile it uses.
    for name in plan.profile_digests.keys() {
        loose.remove(&format!("profiles/{name}.toml"));
    }
    if plan.standing.is_some() {
        loose.remove(STANDING);
    }
    Ok(())
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
    let standing = match folder::exists(files, STANDING) {
        true => {
            let octets = folder::read(files, STANDING, limits::STANDING_OCTETS).map_err(bad)?;
            let standing = Standing::parse(octets, record.header.realm).map_err(|e| bad(format!("{STANDING}: {e}")))?;
            Some(standing)
        }
        false => None,
    };
    let plan = resolve::plan("script.toml", script, &profiles, kinds, record.header.realm, standing)
        .map_err(|problems| bad(format!("the script does not resolve: {}", problems.render())))?;
    if !plan.follows.is_empty() && plan.standing.is_none() {
        let problem = format!("expected what {} left, because the script follows it; found none", plan.follows);
        return Err(Refuted::named(What::File, STANDING, problem));
    }
    let digest = plan.digest().map_err(|e| bad(e.to_string()))?;
    if digest != record.header.plan_digest {
        return Err(bad(format!(
            "expected plan {}, found {digest} from script and profiles",
            record.header.plan_digest
        )));
    }
    let header = &record.header;
    if plan.ceremony != header.ceremony || plan.previous_head != header.previous_head {
        return Err(bad("expected the ceremony and previous head of the script, found others".to_owned()));
    }
    let people = plan.people.iter().map(|person| (person.id.as_str(), person.public_key.as_str()));
    let signers = header.signers.iter().map(|signer| (signer.person.as_str(), signer.public_key.as_str()));
    if !plan.realm.is_rehearsal() && !people.eq(signers) {
        return Err(bad("expected the people of the script and their keys as signers, found others".to_owned()));
    }
    Ok(plan)
}

/// The record ends where the machine ends it, with the signers the header names.
fn ends_as_replayed(record: &Record, replayed: &Replayed) -> Result<(), Refuted> {
    let closed = Facts::of(record).closed;
    if closed != (replayed.state.finished == Some(Finish::Closed)) || closed && !replayed.missing.is_empty() {
        return Err(Refuted::at(What::Entry, record.lines.len(), "the machine would have ended the record elsewhere"));
    }
    if replayed.state.signers != record.header.signers {
        return Err(Refuted::at(What::Entry, 1, "expected the signers of the header, found others"));
    }
    Ok(())
}

/// Attestations say of agreement what their signers said at the sign-off; who did not sign off has not agreed.
fn sign_off(files: &Files, replayed: &Replayed) -> Result<(), Refuted> {
    let (all, _) = signed::signatories(files).map_err(|e| Refuted::named(What::Head, "allowed_signers", e))?;
    for who in all {
        let path = Attestation::file_name(&who);
        let Ok(octets) = folder::read(files, &path, TEXT_OCTETS) else { continue };
        let Ok(said) = canonical::parse::<Attestation>(octets, TEXT_OCTETS) else { continue };
        let agreed = replayed.state.agreements.iter().find(|agreement| agreement.person == who);
        let expected = agreed.map_or((false, ""), |agreement| (agreement.agree, agreement.remark.as_str()));
        if (said.agree, said.remark.as_str()) != expected {
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
