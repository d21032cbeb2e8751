//! `bundle requests`: judges a factory's requests again, and compares with the record of the ceremony that judged them.

use crate::audit::{evidence, replay_seeing};
use crate::basics::{Digest, limits};
use crate::bundles::before::{IssuedBefore, Of};
use crate::bundles::{requests, untold};
use crate::ceremony::event::{Outcome, What};
use crate::ceremony::{batch, steps};
use crate::cli::args::bundle::JudgeRequests;
use crate::cli::{ExitCode, Failure, earlier, output};
use crate::devices::{durable_file, whole_folder};
use crate::factory::requests::{Found, Judge, Known, Prints, Statement, refusals};
use crate::plan::Standing;
use crate::transcript::Record;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// What the record says of a collection.
struct Recorded {
    found: Found,
    at: crate::basics::Instant,
    /// Authorities that were withdrawn by then.
    withdrawn: Result<BTreeSet<String>, String>,
}

pub(super) fn requests(args: &JudgeRequests) -> Result<ExitCode, Failure> {
    let folder = earlier::evidence_of(&args.evidence);
    let files = whole_folder::read(&folder)?;
    let octets = files.get("transcript.jsonl").map(Vec::as_slice).unwrap_or_default();
    let refuted = |problem: String| Failure::new(ExitCode::Refuted, format!("{}: {problem}", folder.display()));
    let record = Record::read(octets).map_err(|e| refuted(e.to_string()))?;
    let plan = evidence::plan_of(&files, &record, &steps::kinds()).map_err(|e| refuted(e.problem))?;
    let mut seen = Vec::new();
    let replayed = replay_seeing(&plan, &record, &mut |state, _, what| {
        if let What::Done { outcome: Outcome::RequestsJudged { at, found, .. } } = what {
            seen.push(Recorded { found: (**found).clone(), at: *at, withdrawn: batch::withdrawn(state) });
        }
    });
    let state = replayed.map_err(|e| refuted(format!("the record does not replay: {e}")))?.state;
    let name = &args.name;
    let judged = state.judged.get(name).ok_or_else(|| refuted(format!("it judged no requests {name}")))?;
    let recorded = seen.into_iter().find(|recorded| recorded.found == judged.found);
    let recorded = recorded.ok_or_else(|| refuted(format!("no event judged {name}")))?;
    let object = state.objects.get(name).ok_or_else(|| refuted(format!("no statement {name} came in")))?;
    let statement = crate::basics::digest::hex_decode(&object.octets).unwrap_or_default();
    let statement = Statement::read(&statement, plan.realm).map_err(|e| refuted(e.to_string()))?.statement;
    let mut orders = state.objects.keys().filter_map(|name| batch::order(&state, name).ok());
    let order = orders.find(|(_, digest)| *digest == judged.order);
    let (order, digest) = order.ok_or_else(|| refuted("the order of these requests did not come in".to_owned()))?;
    let standing = plan.standing.as_ref();
    let devices = match (standing.and_then(|standing| standing.device_keys), &args.device_keys) {
        (None, _) => Prints::default(),
        (Some(expected), Some(path)) => {
            let octets = durable_file::read(path, limits::EVIDENCE_FILE_OCTETS)?;
            if Digest::of(&octets) != expected {
                return Err(refuted(format!("{}: expected the list with SHA-256 {expected}", path.display())));
            }
            Prints::parse(&octets).map_err(|e| refuted(e.to_string()))?
        }
        (Some(expected), None) => {
            return Err(Failure::new(
                ExitCode::Missing,
                format!("the device keys certified before, SHA-256 {expected}"),
            )
            .with_hint(
                "--device-keys names the file *.device-keys.bin of the evidence of the ceremony that certified last",
            ));
        }
    };
    let keys = standing.map(|standing| standing.keys.iter().copied().collect()).unwrap_or_default();
    let known = Known { keys, devices: devices.clone() };
    let judge = Judge::new(&order, digest, &statement, known, recorded.at, recorded.found.shard_records);
    let judge = judge.map_err(|e| refuted(e.to_string()))?;
    let before = before(args, standing, &recorded.withdrawn.map_err(refuted)?)?;
    let again = requests::judge(&args.file, &statement, judge, &before, devices, &mut |_, _| Ok(()), &mut untold)?;
    let keys = Digest::of(&again.device_keys.to_octets());
    let refusals = refusals(&plan.ceremony, &statement, &judged.statement, &again.refused).map_err(refuted)?;
    let refusals = Some(Digest::of(&refusals)) == state.artifacts.get(&steps::refusals_file(name)).copied();
    if again.found != recorded.found || keys != judged.device_keys || !refusals {
        return Err(refuted(format!(
            "requests {name}: judged again, they come to something else than the record says"
        )));
    }
    let (count, accepted, attested) = (again.found.count, again.found.accepted, again.found.attested);
    if args.json {
        output::json(&json!({
            "count": count, "accepted": accepted, "attested": attested, "root": again.root, "shards": again.found.shards,
            "refused": again.refused, "order": judged.order, "statement": judged.statement,
        }))?;
    } else {
        output::data(&format!(
            "{name}: {accepted} of {count} accepted, {attested} of them attested, as the record says"
        ));
        for refused in &again.refused {
            let reasons: Vec<String> = refused.reasons.iter().map(ToString::to_string).collect();
            output::data(&format!("  refused {}, {}: {}", refused.request, refused.device, reasons.join("; ")));
        }
    }
    Ok(ExitCode::Done)
}

/// What was issued before the ceremony.
fn before(
    args: &JudgeRequests,
    standing: Option<&Standing>,
    withdrawn: &BTreeSet<String>,
) -> Result<IssuedBefore, Failure> {
    let none = BTreeMap::new();
    let factories = standing.map_or(&none, |standing| &standing.factories);
    IssuedBefore::of(factories, withdrawn, None, |of| {
        let issued = args.issued.as_ref().ok_or_else(|| {
            let what = match of {
                Of::Bundle(bundle) => format!("bundle {}", bundle.name),
                Of::Log(log) => format!("log {} of a factory's own authority, SHA-256 {}", log.sequence, log.sha256),
            };
            Failure::new(ExitCode::Missing, format!("what was kept of {what}, issued before"))
                .with_hint("--issued names the folder `issued` of the ceremony")
        })?;
        Ok(issued.join(of.file()))
    })
}
