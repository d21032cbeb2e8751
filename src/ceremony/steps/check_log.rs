//! `check-log`: a log of what an authority in a factory's module issued came back. The statement that the factory's receipt key signed came in as
//! an object; the file it speaks of is known by its SHA-256 and is judged certificate by certificate, beside the logs before it. What it
//! issued counts against order and quota; every incident stands as a finding until people explain it.

mod account;

use crate::ceremony::effect::Effect;
use crate::ceremony::event::{Moment, Outcome};
use crate::ceremony::prompt::Line;
use crate::ceremony::state::{Local, State};
use crate::ceremony::steps::{Input, Room, StepMachine, StepNext, asking, issue};
use crate::factory::issuance_log::LogStatement;
use crate::plan::{Plan, Step};
use crate::script::{Fact, Lookup, NameOf, RoomRules, Shape, StepKey, StepKind, kind, kind::Params};
use crate::transcript::Entry;

pub struct CheckLog;

/// Moments.
const CHECK: u32 = 0;
const LOOK: u32 = 1;
const WRITE: u32 = 2;

impl StepKind for CheckLog {
    fn word(&self) -> &'static str {
        "check-log"
    }
    fn summary(&self) -> &'static str {
        "What a factory's own authority issued is checked, certificate by certificate, and counted; every incident blocks its next order until explained."
    }
    fn keys(&self) -> &'static [StepKey] {
        &[
            StepKey {
                name: "log",
                shape: Shape::Text,
                needed: true,
                meaning: "name of a factory's statement about a log that a step `take-object` took in; its file is NAME.log.pem",
            },
            StepKey {
                name: "order",
                shape: Shape::Text,
                needed: true,
                meaning: "name of the order that a step `take-object` took in",
            },
            StepKey { name: "factory", shape: Shape::Text, needed: true, meaning: "whose log it must be" },
            StepKey {
                name: "profile",
                shape: Shape::Text,
                needed: true,
                meaning: "profile of the certificates in it, which the order must name",
            },
            StepKey {
                name: "seen",
                shape: Shape::Names(NameOf::Object),
                needed: false,
                meaning: "names of certificates that were met elsewhere, each taken in by a step `take-object`",
            },
        ]
    }
    fn room(&self, params: &Params, _: &dyn Lookup) -> RoomRules {
        let mut needs = vec![
            Fact::PeoplePresent,
            Fact::ClockConfirmed,
            Fact::ObjectTaken(kind::text(params, "log").to_owned()),
            Fact::ObjectTaken(kind::text(params, "order").to_owned()),
        ];
        needs.extend(kind::names(params, "seen").iter().cloned().map(Fact::ObjectTaken));
        RoomRules { needs, ..RoomRules::default() }
    }
    fn confirmers(&self) -> usize {
        1
    }
    fn activity(&self, params: &Params) -> Vec<String> {
        let (log, factory) = (kind::text(params, "log"), kind::text(params, "factory"));
        vec![
            format!("Insert the medium with {log}.log.pem; every certificate of {factory} in it is checked."),
            "Read how many there are, against the order and the quota, and every incident.".to_owned(),
            "An incident blocks the factory's next order until it is explained.".to_owned(),
        ]
    }
}

impl StepMachine for CheckLog {
    fn next(&self, room: &Room<'_>) -> StepNext {
        let (state, params) = (room.state, &room.step.params);
        let name = kind::text(params, "log");
        match state.local.moment {
            CHECK => match account::effect(room.plan, state, params) {
                Ok(effect) => StepNext::Do(Box::new(effect)),
                Err(problem) => refused(room, &problem),
            },
            LOOK => match account::of(room.plan, state, params) {
                Ok(account) => {
                    asking::ask_all(room, "Is that what its authority issued?", account.lines(), "it is written down")
                }
                Err(problem) => refused(room, &problem),
            },
            WRITE => StepNext::Do(Box::new(Effect::WriteArtifact {
                name: format!("{name}.log-account.json"),
                content: state.local.content.clone(),
            })),
            _ => StepNext::Done,
        }
    }

    fn take(
        &self,
        plan: &Plan,
        step: &Step,
        state: &mut State,
        _: &Moment,
        input: &Input<'_>,
    ) -> Result<Vec<Entry>, String> {
        match (state.local.moment, input) {
            (CHECK, Input::Outcome(Outcome::LogChecked { at, found })) => {
                state.local.logged = Some((*at, found.as_ref().clone()));
                let agrees = account::of(plan, state, &step.params).map(|_| ());
                if agrees.is_err() {
                    state.local.logged = None;
                }
                agrees?;
                state.local.moment = LOOK;
                Ok(Vec::new())
            }
            (LOOK, Input::Answer(answer)) => {
                let account = account::of(plan, state, &step.params)?;
                if asking::take_all(plan, step, &mut state.local.answered, answer)? {
                    state.local.content = account.report()?;
                    account.settle(state)?;
                    state.local.moment = WRITE;
                }
                Ok(Vec::new())
            }
            (WRITE, Input::Outcome(Outcome::ArtifactWritten { file })) => Ok(issue::written(step, state, file)),
            // Whoever answers a log that is refused hears why, once more.
            (CHECK, Input::Answer(_)) => {
                account::effect(plan, state, &step.params)?;
                Err("expected the log to be looked at first".to_owned())
            }
            _ => Err("expected initials".to_owned()),
        }
    }

    fn lost(&self, state: &mut State, _: &Effect) {
        // Checking has no effect but the copy of the file, which is known by its digest.
        if state.local.moment < WRITE {
            state.local = Local { moment: CHECK, excepted: state.local.excepted, ..Local::default() };
        }
    }
}

/// What people compare of a statement.
#[must_use]
pub fn statement_lines(said: &LogStatement) -> Vec<Line> {
    vec![
        Line::value("factory", &said.factory),
        Line::value("log", &format!("number {}, made {}", said.sequence, said.made)),
        Line::value("certificates", &format!("{}, in {} octets", said.count, said.size)),
        Line::digest("by authority", said.issuer),
        Line::digest("for order", said.order),
        Line::digest("their file", said.sha256),
    ]
}

fn refused(room: &Room<'_>, problem: &str) -> StepNext {
    asking::refused_for(room, "This log is refused", problem, "Nothing of it counts.")
}
