//! `sign-off`: everybody who answered the roll says whether they agree with how the ceremony went, with a remark. "I do not
//! agree" is recorded and stops nothing.

use crate::basics::limits;
use crate::ceremony::event::{Answer, Moment};
use crate::ceremony::prompt::{Ask, Line, Prompt};
use crate::ceremony::state::{Agreement, State};
use crate::ceremony::steps::{Input, Room, StepMachine, StepNext, asking};
use crate::plan::{Plan, Step};
use crate::script::{Fact, Lookup, RoomRules, StepKey, StepKind, kind::Params};
use crate::transcript::{Entry, attestation};

pub struct SignOff;

impl StepKind for SignOff {
    fn word(&self) -> &'static str {
        "sign-off"
    }
    fn summary(&self) -> &'static str {
        "Everybody who answered the roll agrees or does not agree, with a remark."
    }
    fn keys(&self) -> &'static [StepKey] {
        &[]
    }
    fn room(&self, _: &Params, _: &dyn Lookup) -> RoomRules {
        RoomRules {
            needs: vec![Fact::PeoplePresent],
            first: vec![Fact::SignedOff],
            gives: vec![Fact::SignedOff],
            ..RoomRules::default()
        }
    }
    fn confirmers(&self) -> usize {
        0
    }
    fn activity(&self, _: &Params) -> Vec<String> {
        vec!["Each person in turn: agree or do not agree, remark, initials.".to_owned()]
    }
}

impl StepMachine for SignOff {
    fn next(&self, room: &Room<'_>) -> StepNext {
        let answered = room.state.local.answered as usize;
        let Some(person) = room.plan.people.get(answered) else { return StepNext::Done };
        let exceptions = room.state.exceptions.len();
        let mut lines = vec![Line::text(attestation::STATEMENT), Line::value("exceptions", &exceptions.to_string())];
        for (number, sheet) in room.state.exceptions.iter().enumerate() {
            lines.push(Line::value(
                &format!("exception {}", number + 1),
                &format!("{}; decided: {}", sheet.happened, sheet.decided),
            ));
        }
        for (name, digest) in &room.state.artifacts {
            lines.push(Line::value(name, &digest.grouped()));
        }
        for (name, quorum) in &room.state.quorums {
            lines.push(Line::value(
                "quorum",
                &format!(
                    "{name}: {} of {}, generation {}, all proven; you can lose {}",
                    quorum.threshold,
                    quorum.count,
                    quorum.generation,
                    quorum.count - quorum.threshold
                ),
            ));
        }
        let next = room
            .plan
            .people
            .get(answered + 1)
            .map_or_else(|| "the evidence is closed".to_owned(), |p| format!("{} signs off", p.name));
        StepNext::Ask(Box::new(Prompt {
            lines,
            next,
            ..asking::prompt_for(
                &person.id,
                &format!("{}, do you agree?", person.name),
                Ask::SignOff { person: person.id.clone() },
            )
        }))
    }

    fn take(
        &self,
        plan: &Plan,
        _: &Step,
        state: &mut State,
        _: &Moment,
        input: &Input<'_>,
    ) -> Result<Vec<Entry>, String> {
        let Input::Answer(Answer::SignOff { initials, agree, remark }) = input else {
            return Err("expected agree or do not agree".to_owned());
        };
        let person = plan.people.get(state.local.answered as usize).ok_or("everybody has signed off")?;
        asking::agreed(plan, &person.id, &Answer::Initials { initials: initials.clone() })?;
        if remark.chars().count() > limits::TYPED_CHARS {
            return Err(format!("remark: expected at most {} characters", limits::TYPED_CHARS));
        }
        if !agree && remark.trim().is_empty() {
            return Err("not agreeing needs a remark that says why".to_owned());
        }
        state.agreements.push(Agreement { person: person.id.clone(), agree: *agree, remark: remark.clone() });
        state.local.answered += 1;
        Ok(Vec::new())
    }
}
