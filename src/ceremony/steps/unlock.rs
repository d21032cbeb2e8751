//! `unlock`: the key of an authority made in an earlier ceremony is opened for everything that this script signs with it.

use crate::ceremony::effect::Effect;
use crate::ceremony::event::Moment;
use crate::ceremony::state::State;
use crate::ceremony::steps::{Input, Room, StepMachine, StepNext, unlocking};
use crate::plan::{Plan, Step};
use crate::script::{Fact, Lookup, NameOf, RoomRules, Shape, StepKey, StepKind, kind, kind::Params};
use crate::transcript::Entry;

pub struct Unlock;

impl StepKind for Unlock {
    fn word(&self) -> &'static str {
        "unlock"
    }
    fn summary(&self) -> &'static str {
        "The list of what an earlier ceremony's key will sign is fixed; custodians approve it, give the chain's last head from paper, and unlock."
    }
    fn keys(&self) -> &'static [StepKey] {
        &[StepKey {
            name: "authority",
            shape: Shape::Name(NameOf::Authority),
            needed: true,
            meaning: "name of an [[authority]] with `standing = true`",
        }]
    }
    fn room(&self, params: &Params, lookup: &dyn Lookup) -> RoomRules {
        let authority = kind::text(params, "authority").to_owned();
        let quorum = lookup.quorum_of(&authority).unwrap_or_default();
        RoomRules {
            needs: vec![
                Fact::PeoplePresent,
                Fact::MachineChecked,
                Fact::ClockConfirmed,
                Fact::AuthorityCertified(authority.clone()),
                Fact::SharesConsistent(quorum),
            ],
            first: vec![Fact::Unlocked(authority.clone())],
            gives: vec![Fact::Unlocked(authority)],
            ..RoomRules::default()
        }
    }
    fn confirmers(&self) -> usize {
        1
    }
    fn activity(&self, params: &Params) -> Vec<String> {
        vec![
            format!("Read the list of what the key of {} will sign.", kind::text(params, "authority")),
            "Each custodian who unlocks types or scans their share, approves the list by the first three words of its digest,".to_owned(),
            "and types the last head of the chain from their own paper. Disagreement stops the ceremony.".to_owned(),
        ]
    }
    fn uses_strongroom(&self) -> bool {
        true
    }
}

impl StepMachine for Unlock {
    fn next(&self, room: &Room<'_>) -> StepNext {
        unlocking::next(room, kind::text(&room.step.params, "authority")).unwrap_or(StepNext::Done)
    }

    fn take(
        &self,
        plan: &Plan,
        step: &Step,
        state: &mut State,
        moment: &Moment,
        input: &Input<'_>,
    ) -> Result<Vec<Entry>, String> {
        let authority = kind::text(&step.params, "authority");
        match unlocking::take(plan, step, state, moment, input, authority)? {
            true => Ok(Vec::new()),
            false => Err(format!("nothing is left that the key of {authority} signs")),
        }
    }

    fn lost(&self, state: &mut State, effect: &Effect) {
        unlocking::lost(state, effect);
    }
}
