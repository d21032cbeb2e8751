//! `roll-dice`: dice thrown by hand are mixed into the entropy of the strongroom, after the machine's own part has been
//! committed to. The rolls go to the strongroom; the record knows only how many there were.

use crate::ceremony::effect::Effect;
use crate::ceremony::event::{Answer, Moment};
use crate::ceremony::prompt::{Ask, Line, Prompt};
use crate::ceremony::state::State;
use crate::ceremony::steps::{Input, Room, StepMachine, StepNext, asking};
use crate::plan::{Plan, Step};
use crate::script::{Fact, Lookup, RoomRules, Shape, StepKey, StepKind, kind, kind::Params};
use crate::transcript::Entry;

pub struct RollDice;

/// Rolls of a fair die that give 128 bits.
const DEFAULT_ROLLS: u64 = 50;

impl StepKind for RollDice {
    fn word(&self) -> &'static str {
        "roll-dice"
    }
    fn summary(&self) -> &'static str {
        "Dice thrown in the room are mixed with the machine's randomness, to which the strongroom commits first."
    }
    fn keys(&self) -> &'static [StepKey] {
        &[StepKey {
            name: "rolls",
            shape: Shape::Integer { least: 10, most: 100 },
            needed: false,
            meaning: "how many rolls at least; 50 give 128 bits",
        }]
    }
    fn room(&self, _: &Params, _: &dyn Lookup) -> RoomRules {
        RoomRules { needs: vec![Fact::PeoplePresent], first: vec![Fact::AnyKeyMade], ..RoomRules::default() }
    }
    fn confirmers(&self) -> usize {
        1
    }
    fn activity(&self, params: &Params) -> Vec<String> {
        vec![format!(
            "Throw a die {} times and type the numbers; the other person sees each throw, nobody writes them down.",
            kind::number(params, "rolls", DEFAULT_ROLLS)
        )]
    }
    fn uses_strongroom(&self) -> bool {
        true
    }
}

impl StepMachine for RollDice {
    fn next(&self, room: &Room<'_>) -> StepNext {
        if !room.state.strongroom {
            return StepNext::Do(Box::new(Effect::OpenStrongroom { session: room.state.sessions + 1 }));
        }
        if room.state.local.moment > 0 {
            return asking::ask_all(
                room,
                "Were these the throws?",
                vec![Line::text("You saw each throw, and nobody wrote the numbers down.")],
                "the next step",
            );
        }
        let least = u32::try_from(kind::number(&room.step.params, "rolls", DEFAULT_ROLLS)).unwrap_or(u32::MAX);
        StepNext::Ask(Box::new(Prompt {
            lines: vec![
                Line::text("The strongroom has drawn its own random octets and committed to them in the record."),
                Line::text(&format!(
                    "Throw a die at least {least} times and type the numbers, 1 to 6. They are never shown again."
                )),
            ],
            next: "both people confirm the throws".to_owned(),
            ..asking::prompt_for(&room.step.who, "Throw the dice", Ask::Dice { least })
        }))
    }

    fn take(
        &self,
        plan: &Plan,
        step: &Step,
        state: &mut State,
        _: &Moment,
        input: &Input<'_>,
    ) -> Result<Vec<Entry>, String> {
        let Input::Answer(answer) = input else { return Err("expected dice".to_owned()) };
        if state.local.moment > 0 {
            asking::take_all(plan, step, &mut state.local.answered, answer)?;
            return Ok(Vec::new());
        }
        let Answer::Dice { rolls } = answer else { return Err("expected dice, digits 1 to 6".to_owned()) };
        let least = kind::number(&step.params, "rolls", DEFAULT_ROLLS);
        if u64::from(*rolls) < least {
            return Err(format!("expected at least {least} rolls, found {rolls}: type all of them again"));
        }
        state.local.moment = 1;
        Ok(Vec::new())
    }

    fn strongroom_gone(&self, state: &mut State) {
        // The rolls are gone with it: they are thrown again.
        state.local.moment = 0;
        state.local.answered = 0;
    }
}
