//! `statement`: a text is read aloud, and those named agree by their initials.

use crate::ceremony::event::Moment;
use crate::ceremony::prompt::Line;
use crate::ceremony::state::State;
use crate::ceremony::steps::{Input, Room, StepMachine, StepNext, asking};
use crate::plan::{Plan, Step};
use crate::script::{Lookup, RoomRules, StepKey, StepKind, kind::Params};
use crate::transcript::Entry;

pub struct Statement;

impl StepKind for Statement {
    fn word(&self) -> &'static str {
        "statement"
    }
    fn summary(&self) -> &'static str {
        "A text is read aloud; the acting person and those who confirm agree by their initials."
    }
    fn keys(&self) -> &'static [StepKey] {
        &[]
    }
    fn room(&self, _: &Params, _: &dyn Lookup) -> RoomRules {
        RoomRules::default()
    }
    fn confirmers(&self) -> usize {
        0
    }
    fn activity(&self, _: &Params) -> Vec<String> {
        vec!["Read the text aloud. Each person named agrees by initials.".to_owned()]
    }
}

impl StepMachine for Statement {
    fn next(&self, room: &Room<'_>) -> StepNext {
        asking::ask_all(room, &room.step.title, vec![Line::text(&room.step.say)], "the next step")
    }

    fn take(
        &self,
        plan: &Plan,
        step: &Step,
        state: &mut State,
        _: &Moment,
        input: &Input<'_>,
    ) -> Result<Vec<Entry>, String> {
        let Input::Answer(answer) = input else { return Err("expected initials".to_owned()) };
        asking::take_all(plan, step, &mut state.local.answered, answer)?;
        Ok(Vec::new())
    }
}
