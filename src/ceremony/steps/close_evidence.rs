//! `close-evidence`: the seed of the serial numbers is revealed and the record ends. Attestations are signed over its head
//! afterwards, outside the record.

use crate::ceremony::effect::Effect;
use crate::ceremony::event::{Answer, Moment, Outcome};
use crate::ceremony::evidence::read_back;
use crate::ceremony::prompt::{Ask, Line, Prompt};
use crate::ceremony::state::State;
use crate::ceremony::steps::{Input, Room, StepMachine, StepNext, asking};
use crate::plan::{Plan, Step};
use crate::script::{Fact, Lookup, RoomRules, StepKey, StepKind, kind::Params};
use crate::transcript::Entry;

pub struct CloseEvidence;

const PHRASE: &str = "close the record";

impl StepKind for CloseEvidence {
    fn word(&self) -> &'static str {
        "close-evidence"
    }
    fn summary(&self) -> &'static str {
        "The record is closed; nothing can be added afterwards but signatures. Always the last step."
    }
    fn keys(&self) -> &'static [StepKey] {
        &[]
    }
    fn room(&self, _: &Params, _: &dyn Lookup) -> RoomRules {
        RoomRules {
            needs: vec![Fact::SignedOff],
            first: vec![Fact::Closed],
            gives: vec![Fact::Closed],
            ..RoomRules::default()
        }
    }
    fn confirmers(&self) -> usize {
        0
    }
    fn activity(&self, _: &Params) -> Vec<String> {
        vec![
            format!("Type `{PHRASE}`. Everybody notes the head of the record."),
            "Each participant takes their attestation away to sign on their own device.".to_owned(),
        ]
    }
}

impl StepMachine for CloseEvidence {
    fn next(&self, room: &Room<'_>) -> StepNext {
        match room.state.local.moment {
            0 => {
                let mut lines = vec![
                    Line::value("steps", &format!("{} of {} behind us", room.state.step, room.plan.steps.len())),
                    Line::value("exceptions", &room.state.exceptions.len().to_string()),
                ];
                for agreement in &room.state.agreements {
                    let word = if agreement.agree { "agrees" } else { "does not agree" };
                    lines.push(Line::value(
                        &room.plan.name_of(&agreement.person),
                        &format!("{word} {}", agreement.remark),
                    ));
                }
                StepNext::Ask(Box::new(Prompt {
                    lines,
                    next: "the record is closed and its head is shown: note it".to_owned(),
                    rehearsal_answer: Some(PHRASE.to_owned()),
                    grave: true,
                    ..asking::prompt_for(&room.step.who, "Close the record", Ask::Phrase { phrase: PHRASE.to_owned() })
                }))
            }
            1 => StepNext::Do(Box::new(Effect::RevealSerialSeed)),
            _ => StepNext::Done,
        }
    }

    fn take(&self, _: &Plan, _: &Step, state: &mut State, _: &Moment, input: &Input<'_>) -> Result<Vec<Entry>, String> {
        match (state.local.moment, input) {
            (0, Input::Answer(Answer::Typed { text })) => {
                read_back(PHRASE, text).ok_or_else(|| format!("expected the words `{PHRASE}`"))?;
                state.local.moment = 1;
            }
            (1, Input::Outcome(Outcome::SerialSeed { seed })) => {
                state.serial_seed = seed.hex();
                state.local.moment = 2;
            }
            _ => return Err(format!("expected the words `{PHRASE}`")),
        }
        Ok(Vec::new())
    }
}
