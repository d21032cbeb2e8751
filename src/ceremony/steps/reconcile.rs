//! `reconcile`: a receipt that came in is balanced, record by record and state by state, against what was issued. What does not add up
//! stands as a finding until a later receipt settles it or people explain it, and no order of that factory is carried out meanwhile.

mod balance;

use crate::ceremony::effect::Effect;
use crate::ceremony::event::{Moment, Outcome};
use crate::ceremony::state::State;
use crate::ceremony::steps::{Input, Room, StepMachine, StepNext, asking, issue};
use crate::plan::{Plan, Step};
use crate::script::{Fact, Lookup, RoomRules, Shape, StepKey, StepKind, kind, kind::Params};
use crate::transcript::Entry;

pub struct Reconcile;

/// Moments.
const ACCOUNT: u32 = 0;
const LOOK: u32 = 1;
const WRITE: u32 = 2;
/// The receipt is from the future: `content` says so, and nothing leads on from there. Above every other moment.
const AHEAD: u32 = 16;

impl StepKind for Reconcile {
    fn word(&self) -> &'static str {
        "reconcile"
    }
    fn summary(&self) -> &'static str {
        "A factory's receipt is balanced against what was issued; what is not explained stands as a finding and blocks the next order."
    }
    fn keys(&self) -> &'static [StepKey] {
        &[StepKey {
            name: "receipt",
            shape: Shape::Text,
            needed: true,
            meaning: "name of a receipt that a step `take-object` took in",
        }]
    }
    fn room(&self, params: &Params, _: &dyn Lookup) -> RoomRules {
        let receipt = kind::text(params, "receipt").to_owned();
        RoomRules {
            needs: vec![Fact::PeoplePresent, Fact::ClockConfirmed, Fact::ObjectTaken(receipt)],
            ..RoomRules::default()
        }
    }
    fn confirmers(&self) -> usize {
        1
    }
    fn activity(&self, params: &Params) -> Vec<String> {
        vec![
            format!(
                "Read the balance of receipt {}: every state, and what is not explained.",
                kind::text(params, "receipt")
            ),
            "What does not add up blocks the factory's next order until a later receipt settles it, or it is explained."
                .to_owned(),
        ]
    }
}

impl StepMachine for Reconcile {
    fn next(&self, room: &Room<'_>) -> StepNext {
        let name = kind::text(&room.step.params, "receipt");
        if room.state.local.moment == AHEAD {
            return refused(room, &room.state.local.content);
        }
        if room.state.local.moment == WRITE {
            return StepNext::Do(Box::new(Effect::WriteArtifact {
                name: format!("{name}.balance.json"),
                content: room.state.local.content.clone(),
            }));
        }
        if room.state.local.moment > WRITE {
            return StepNext::Done;
        }
        match balance::of(room.plan, room.state, name) {
            Ok(Some(balance)) => {
                asking::ask_all(room, "Is that what became of them?", balance.lines(), "it is written down")
            }
            Ok(None) => match balance::accounting(room.plan, room.state, name) {
                Ok(effect) => StepNext::Do(Box::new(effect)),
                Err(problem) => refused(room, &problem),
            },
            Err(problem) => refused(room, &problem),
        }
    }

    fn take(
        &self,
        plan: &Plan,
        step: &Step,
        state: &mut State,
        moment: &Moment,
        input: &Input<'_>,
    ) -> Result<Vec<Entry>, String> {
        let name = kind::text(&step.params, "receipt");
        match (state.local.moment, input) {
            (ACCOUNT, Input::Outcome(Outcome::Accounted { account })) => {
                // What time it is, only an entry says: so this is seen here, and told from then on.
                if let Err(problem) = balance::not_ahead(plan, state, name, moment.time) {
                    (state.local.moment, state.local.content) = (AHEAD, problem);
                    return Ok(Vec::new());
                }
                state.local.accounted = Some(account.as_deref().cloned());
                // What contradicts the receipt that it is about is no account of it.
                let balanced = balance::of(plan, state, name).map(|_| ());
                if balanced.is_err() {
                    state.local.accounted = None;
                }
                balanced?;
                state.local.moment = LOOK;
                Ok(Vec::new())
            }
            // A receipt of another count is balanced by its numbers: its records are not looked at.
            (ACCOUNT | LOOK, Input::Answer(answer)) => {
                // Whoever answers a receipt that is refused hears why, once more.
                let balance = balance::of(plan, state, name)?.ok_or("expected the records to be looked at first")?;
                balance::not_ahead(plan, state, name, moment.time)?;
                if asking::take_all(plan, step, &mut state.local.answered, answer)? {
                    state.local.content = balance.report(moment.time)?;
                    balance.settle(state)?;
                    state.local.moment = WRITE;
                }
                Ok(Vec::new())
            }
            (WRITE, Input::Outcome(Outcome::ArtifactWritten { file })) => Ok(issue::written(step, state, file)),
            (AHEAD, Input::Answer(_)) => Err(state.local.content.clone()),
            _ => Err("expected initials".to_owned()),
        }
    }
}

fn refused(room: &Room<'_>, problem: &str) -> StepNext {
    asking::refused_for(room, "This receipt is refused", problem, "Nothing is balanced.")
}
