//! `check-shares`: a strongroom that never held the secret rebuilds the polynomial from k shares as they were typed back,
//! checks that the others lie on it, that its degree is k-1, and that the quorum's recipient is the one the key is sealed
//! to. Only then is the quorum live.

use crate::ceremony::effect::Effect;
use crate::ceremony::event::{Answer, Moment, Outcome, ShareVerdict};
use crate::ceremony::prompt::{Ask, Line, Prompt};
use crate::ceremony::state::State;
use crate::ceremony::steps::{Input, Room, StepMachine, StepNext, asking};
use crate::keys::recipient;
use crate::plan::{Plan, Step};
use crate::script::{Fact, Lookup, NameOf, RoomRules, Shape, StepKey, StepKind, kind, kind::Params};
use crate::transcript::Entry;

pub struct CheckShares;

impl StepKind for CheckShares {
    fn word(&self) -> &'static str {
        "check-shares"
    }
    fn summary(&self) -> &'static str {
        "The shares as typed back are checked against each other and against the quorum's recipient; the quorum is live."
    }
    fn keys(&self) -> &'static [StepKey] {
        &[StepKey {
            name: "authority",
            shape: Shape::Name(NameOf::Authority),
            needed: true,
            meaning: "the authority whose quorum is checked",
        }]
    }
    fn room(&self, params: &Params, lookup: &dyn Lookup) -> RoomRules {
        let quorum = lookup.quorum_of(kind::text(params, "authority")).unwrap_or_default();
        RoomRules {
            needs: vec![Fact::SharesProven(quorum.clone())],
            gives: vec![Fact::SharesConsistent(quorum)],
            ..RoomRules::default()
        }
    }
    fn confirmers(&self) -> usize {
        1
    }
    fn activity(&self, params: &Params) -> Vec<String> {
        vec![format!(
            "The shares of {} as typed back are checked against each other; both people read the result.",
            kind::text(params, "authority")
        )]
    }
    fn uses_strongroom(&self) -> bool {
        true
    }
}

impl StepMachine for CheckShares {
    fn next(&self, room: &Room<'_>) -> StepNext {
        let Some(quorum) =
            room.plan.authority(kind::text(&room.step.params, "authority")).and_then(|a| room.plan.quorum(&a.quorum))
        else {
            return StepNext::Done;
        };
        let Some(made) = room.state.quorums.get(&quorum.name) else { return StepNext::Done };
        if made.consistent {
            let lines = vec![
                Line::Good {
                    text: crate::basics::SafeText::of(&format!(
                        "all {} shares are proven and lie on one polynomial of degree {}",
                        made.count,
                        made.threshold - 1
                    )),
                },
                Line::value(
                    "you can",
                    &format!("lose {} of {} and still open the vault", made.count - made.threshold, made.count),
                ),
                Line::value("recipient", &recipient::shown(&made.recipient)),
            ];
            return asking::ask_all(room, &format!("Quorum {} is live", quorum.name), lines, "the next step");
        }
        if !room.state.strongroom {
            return StepNext::Do(Box::new(Effect::OpenStrongroom { session: room.state.sessions + 1 }));
        }
        // After a resume the typed shares are gone with the strongroom: they are typed once more.
        if let Some(index) = (1..=made.count).find(|index| !made.typed.contains(index)) {
            let holder = quorum.custodian(index).to_owned();
            return StepNext::Ask(Box::new(Prompt {
                lines: vec![Line::text(&format!(
                    "{}, the strongroom ended before the shares were checked. Type yours from your card again.",
                    room.plan.name_of(&holder)
                ))],
                next: "the shares are checked against each other".to_owned(),
                ..asking::prompt_for(
                    &holder,
                    &format!("Type share {index} of {} again", made.count),
                    Ask::Share {
                        quorum: quorum.name.clone(),
                        index,
                        card: index,
                        count: made.count,
                        holder: holder.clone(),
                        purpose: "check".to_owned(),
                    },
                )
            }));
        }
        StepNext::Do(Box::new(Effect::CheckConsistency {
            quorum: quorum.name.clone(),
            threshold: made.threshold,
            recipient: made.recipient.clone(),
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
        let name = plan
            .authority(kind::text(&step.params, "authority"))
            .map(|a| a.quorum.clone())
            .ok_or("the plan has no such quorum")?;
        let made = state.quorums.get_mut(&name).ok_or("no key was made for this quorum")?;
        match input {
            Input::Answer(Answer::Share { verdict: ShareVerdict::Proven { index, .. }, .. }) => {
                made.typed.insert(*index);
            }
            Input::Answer(Answer::Share { verdict: ShareVerdict::Refused { reason, .. }, .. }) => {
                return Err(reason.clone());
            }
            Input::Outcome(Outcome::Consistent { .. }) => {
                made.consistent = true;
                // They were typed for the check; unlocking takes shares of its own.
                made.typed.clear();
            }
            Input::Answer(answer) if made.consistent => {
                asking::take_all(plan, step, &mut state.local.answered, answer)?;
            }
            _ => return Err("expected the result of the check".to_owned()),
        }
        Ok(Vec::new())
    }
}
