//! `take-request`: a certificate request comes in from across the gap. The acting person types its digest as whoever keeps its key reads it
//! out; the others compare it with the owner's paper. What is asked for in it is judged before that, and shown with it.

use crate::basics::limits;
use crate::ceremony::event::Moment;
use crate::ceremony::prompt::Line;
use crate::ceremony::state::{RequestState, State};
use crate::ceremony::steps::taking_in::{self, Wanted};
use crate::ceremony::steps::{Input, Room, StepMachine, StepNext};
use crate::pki::request::{self, Known, Rules};
use crate::plan::{CertifiedKey, Plan, Step};
use crate::script::{Fact, Lookup, RoomRules, Shape, StepKey, StepKind, kind, kind::Params};
use crate::transcript::Entry;
use crate::transfer::envelope::Kind;
use std::collections::BTreeSet;

pub struct TakeRequest;

impl StepKind for TakeRequest {
    fn word(&self) -> &'static str {
        "take-request"
    }
    fn summary(&self) -> &'static str {
        "A certificate request is taken in by code or medium; its digest is typed as its owner reads it out, and agreed to."
    }
    fn keys(&self) -> &'static [StepKey] {
        &[StepKey {
            name: "name",
            shape: Shape::NewName,
            needed: true,
            meaning: "what the request is called in this script, like issuing-2026",
        }]
    }
    fn room(&self, params: &Params, _: &dyn Lookup) -> RoomRules {
        let taken = Fact::RequestTaken(kind::text(params, "name").to_owned());
        RoomRules {
            needs: vec![Fact::PeoplePresent],
            first: vec![taken.clone()],
            gives: vec![taken],
            ..RoomRules::default()
        }
    }
    fn confirmers(&self) -> usize {
        1
    }
    fn activity(&self, params: &Params) -> Vec<String> {
        let wanted = wanted(params);
        vec![
            format!("Take in {} by camera, scanner or medium.", wanted.what),
            "Whoever keeps its key reads the SHA-256 of its DER from paper or from beside the key, as twelve words or 64 digits; type what you hear."
                .to_owned(),
            "The others compare every line of what is shown with the owner's paper.".to_owned(),
        ]
    }
}

fn wanted(params: &Params) -> Wanted {
    let name = kind::text(params, "name").to_owned();
    Wanted { kind: Kind::Csr, what: format!("the certificate request of {name}"), name, most: limits::TAKEN_IN_OCTETS }
}

/// What this ceremony makes of a request by itself: lines for people, or every reason why it is refused. Called when it comes in, so that
/// nobody compares what cannot be certified, and again for the lines.
fn judge_here(rules: &Rules, known: &Known, der: &[u8]) -> Result<Vec<Line>, String> {
    let judged = request::judge(der, rules, known);
    if judged.acceptable.is_none() {
        let reasons: Vec<String> = judged.reasons.iter().map(ToString::to_string).collect();
        return Err(format!("{} reasons against this request: {}", reasons.len(), reasons.join("; ")));
    }
    let mut lines: Vec<Line> = judged.lines.iter().map(|(label, value)| Line::value(label, value)).collect();
    lines.extend(judged.remarks.iter().map(|remark| Line::value("not given", &remark.to_string())));
    Ok(lines)
}

/// What the judge is told: the keys of the chain, but the one that a renewal says it keeps.
fn known(plan: &Plan, state: &State, name: &str) -> Known {
    let keeps = plan
        .certificates
        .iter()
        .any(|planned| matches!(&planned.of, CertifiedKey::SameKey { request, .. } if request == name));
    Known { certified: if keeps { BTreeSet::new() } else { state.keys.clone() }, ..Known::default() }
}

fn rules(plan: &Plan, name: &str) -> Rules {
    plan.requests.get(name).cloned().unwrap_or_default()
}

impl StepMachine for TakeRequest {
    fn next(&self, room: &Room<'_>) -> StepNext {
        let wanted = wanted(&room.step.params);
        let (rules, known) = (rules(room.plan, &wanted.name), known(room.plan, room.state, &wanted.name));
        taking_in::next(room, &wanted, &move |der: &[u8]| judge_here(&rules, &known, der))
    }

    fn take(
        &self,
        plan: &Plan,
        step: &Step,
        state: &mut State,
        _: &Moment,
        input: &Input<'_>,
    ) -> Result<Vec<Entry>, String> {
        let wanted = wanted(&step.params);
        let (rules, known) = (rules(plan, &wanted.name), known(plan, state, &wanted.name));
        let judge = move |der: &[u8]| judge_here(&rules, &known, der);
        if let Some(taken) = taking_in::take(plan, step, state, input, &wanted, &judge)? {
            state.requests.insert(wanted.name, RequestState { der: taken.octets, sha256: taken.sha256 });
        }
        Ok(Vec::new())
    }
}
