//! `roll-call`: everybody the script names is asked in turn; each sees their roles and their own public key, and agrees
//! by initials.

use crate::ceremony::event::Moment;
use crate::ceremony::prompt::{Line, Prompt};
use crate::ceremony::state::State;
use crate::ceremony::steps::{Input, Room, StepMachine, StepNext, asking};
use crate::keys::ssh::SshPublicKey;
use crate::plan::{Plan, Step};
use crate::script::{Fact, Lookup, RoomRules, StepKey, StepKind, kind::Params};
use crate::transcript::Entry;

pub struct RollCall;

impl StepKind for RollCall {
    fn word(&self) -> &'static str {
        "roll-call"
    }
    fn summary(&self) -> &'static str {
        "Each person named in the script agrees to their roles and to the public key they will sign with."
    }
    fn keys(&self) -> &'static [StepKey] {
        &[]
    }
    fn room(&self, _: &Params, _: &dyn Lookup) -> RoomRules {
        RoomRules { gives: vec![Fact::PeoplePresent], ..RoomRules::default() }
    }
    fn confirmers(&self) -> usize {
        0
    }
    fn activity(&self, _: &Params) -> Vec<String> {
        vec![
            "Each person in turn: identity document shown to the witness, roles and words of the public key read aloud, initials.".to_owned(),
        ]
    }
}

impl StepMachine for RollCall {
    fn next(&self, room: &Room<'_>) -> StepNext {
        let answered = room.state.local.answered as usize;
        let Some(person) = room.plan.people.get(answered) else { return StepNext::Done };
        let mut lines = vec![
            Line::text(&format!("{answered} of {} present", room.plan.people.len())),
            Line::value("name", &person.name),
            Line::value("roles", &person.roles.join(", ")),
        ];
        let key =
            room.state.signers.iter().find(|s| s.person == person.id).map(|s| s.public_key.clone()).unwrap_or_default();
        if let Ok(key) = SshPublicKey::parse(&key) {
            lines.push(Line::value("key", &key.fingerprint_label()));
            lines.push(Line::value("key words", &key.digest().twelve_words()));
            lines.push(Line::text("Compare the words with the ones you brought, and read them aloud."));
            if room.plan.realm.is_rehearsal() {
                lines.push(Line::text("In this rehearsal the key is a simulated one."));
            }
        }
        let next = room
            .plan
            .people
            .get(answered + 1)
            .map_or_else(|| "the next step".to_owned(), |p| format!("{} is asked", p.name));
        StepNext::Ask(Box::new(Prompt {
            lines,
            next,
            ..asking::initials_prompt(room.plan, &person.id, &format!("{}, are you here?", person.name))
        }))
    }

    fn take(
        &self,
        plan: &Plan,
        _: &Step,
        state: &mut State,
        moment: &Moment,
        input: &Input<'_>,
    ) -> Result<Vec<Entry>, String> {
        let Input::Answer(answer) = input else { return Err("expected initials".to_owned()) };
        let person = plan.people.get(state.local.answered as usize).ok_or("everybody has answered")?;
        asking::agreed(plan, &person.id, answer)?;
        state.present.insert(person.id.clone(), moment.time);
        state.local.answered += 1;
        Ok(Vec::new())
    }
}
