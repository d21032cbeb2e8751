//! `check-environment`: facts about the machine, compared with what a ceremony machine should be. Reported in a
//! rehearsal; in production each failure needs an exception before anybody can agree.

use crate::basics::SafeText;
use crate::ceremony::effect::Effect;
use crate::ceremony::event::{Answer, Moment, Outcome};
use crate::ceremony::prompt::{Ask, ChoiceOption, Line, Prompt};
use crate::ceremony::state::State;
use crate::ceremony::steps::{Input, Room, StepMachine, StepNext, asking};
use crate::plan::{Plan, Step};
use crate::script::{Fact, Lookup, RoomRules, StepKey, StepKind, kind::Params};
use crate::transcript::Entry;

pub struct CheckEnvironment;

impl StepKind for CheckEnvironment {
    fn word(&self) -> &'static str {
        "check-environment"
    }
    fn summary(&self) -> &'static str {
        "Interfaces, radios, swap, core dumps, kernel and the program's own digest are read and compared with what is expected."
    }
    fn keys(&self) -> &'static [StepKey] {
        &[]
    }
    fn room(&self, _: &Params, _: &dyn Lookup) -> RoomRules {
        RoomRules { gives: vec![Fact::MachineChecked], ..RoomRules::default() }
    }
    fn confirmers(&self) -> usize {
        1
    }
    fn activity(&self, _: &Params) -> Vec<String> {
        vec![
            "Read the machine's facts aloud: network interfaces, radios, swap, core dumps, kernel, digest of the program.".to_owned(),
            "Compare the digest of the program with the sheet. In production, each fact that is not as expected needs an exception.".to_owned(),
        ]
    }
}

impl StepMachine for CheckEnvironment {
    fn next(&self, room: &Room<'_>) -> StepNext {
        if room.state.local.moment == 0 {
            return StepNext::Do(Box::new(Effect::ProbeMachine));
        }
        let lines: Vec<Line> = room
            .state
            .findings
            .iter()
            .map(|f| {
                let good = format!("{}: {}", f.name, f.found);
                if f.good {
                    Line::Good { text: SafeText::of(&good) }
                } else {
                    Line::Bad { text: SafeText::of(&format!("{good}, expected {}", f.expected)) }
                }
            })
            .collect();
        if let Some((name, number, bad)) = undecided(room.plan, room.state) {
            let title = format!("Fact {number} of {bad} needs a decision: {name}");
            let again = ChoiceOption { key: "r".to_owned(), title: "look again".to_owned() };
            return StepNext::Ask(Box::new(Prompt {
                lines,
                next: "mend it and look again, or open an exception for this one fact with `!`".to_owned(),
                ..asking::prompt_for(&room.step.who, &title, Ask::Choice { options: vec![again] })
            }));
        }
        asking::ask_all(room, "Is this the machine, and is it as it should be?", lines, "the next step")
    }

    fn take(
        &self,
        plan: &Plan,
        step: &Step,
        state: &mut State,
        _: &Moment,
        input: &Input<'_>,
    ) -> Result<Vec<Entry>, String> {
        match input {
            Input::Outcome(Outcome::Machine { findings }) => {
                state.findings.clone_from(findings);
                state.local.moment = 1;
                // What was decided was decided about the facts of then.
                state.local.excepted = 0;
            }
            Input::Answer(answer @ Answer::Chosen { .. }) => {
                asking::choice(answer, &["r"])?;
                state.local.moment = 0;
                state.local.answered = 0;
            }
            Input::Answer(answer) => {
                if let Some((name, ..)) = undecided(plan, state) {
                    return Err(format!(
                        "{name}: not as expected: press r once it is mended, or open an exception for it"
                    ));
                }
                asking::take_all(plan, step, &mut state.local.answered, answer)?;
            }
            Input::Outcome(_) => return Err("expected facts about the machine".to_owned()),
        }
        Ok(Vec::new())
    }
}

/// The first fact that is not as expected and has no exception of its own yet: its name, which it is, of how many. A rehearsal
/// only reports.
fn undecided<'s>(plan: &Plan, state: &'s State) -> Option<(&'s str, usize, usize)> {
    if plan.realm.is_rehearsal() {
        return None;
    }
    let bad: Vec<&str> = state.findings.iter().filter(|f| !f.good).map(|f| f.name.as_str()).collect();
    let decided = usize::try_from(state.local.excepted).unwrap_or(usize::MAX);
    bad.get(decided).map(|name| (*name, decided + 1, bad.len()))
}
