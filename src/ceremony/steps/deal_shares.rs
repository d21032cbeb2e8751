//! `deal-shares`: each custodian in turn sees their share, alone, and types it back from their own card. Two-phase: until
//! n of n are proven nothing depends on the quorum, and the generation can be thrown away at no cost.

use crate::ceremony::effect::Effect;
use crate::ceremony::event::{Answer, Moment, Outcome, ShareVerdict};
use crate::ceremony::prompt::{Ask, Line, Prompt};
use crate::ceremony::state::State;
use crate::ceremony::steps::{Input, Room, StepMachine, StepNext, asking};
use crate::plan::{Plan, Step};
use crate::script::{Fact, Lookup, NameOf, RoomRules, Shape, StepKey, StepKind, kind, kind::Params};
use crate::transcript::Entry;

pub struct DealShares;

impl StepKind for DealShares {
    fn word(&self) -> &'static str {
        "deal-shares"
    }
    fn summary(&self) -> &'static str {
        "Each custodian sees their share alone, writes it on their card, and proves the card by typing it back."
    }
    fn keys(&self) -> &'static [StepKey] {
        &[StepKey {
            name: "authority",
            shape: Shape::Name(NameOf::Authority),
            needed: true,
            meaning: "the authority whose quorum is dealt",
        }]
    }
    fn room(&self, params: &Params, lookup: &dyn Lookup) -> RoomRules {
        let authority = kind::text(params, "authority").to_owned();
        let quorum = lookup.quorum_of(&authority).unwrap_or_default();
        RoomRules {
            needs: vec![Fact::KeyMade(authority)],
            gives: vec![Fact::SharesProven(quorum)],
            ..RoomRules::default()
        }
    }
    fn confirmers(&self) -> usize {
        1
    }
    fn activity(&self, params: &Params) -> Vec<String> {
        vec![
            format!(
                "For each custodian of {}: everybody else looks away, confirmed by initials.",
                kind::text(params, "authority")
            ),
            "The custodian reveals the share, writes it on the card, hides it, and types it back from the card."
                .to_owned(),
            "The card goes into its bag; the bag number goes onto the card.".to_owned(),
        ]
    }
    fn uses_strongroom(&self) -> bool {
        true
    }
}

impl StepMachine for DealShares {
    fn next(&self, room: &Room<'_>) -> StepNext {
        let Some(quorum) =
            room.plan.authority(kind::text(&room.step.params, "authority")).and_then(|a| room.plan.quorum(&a.quorum))
        else {
            return StepNext::Done;
        };
        let Some(made) = room.state.quorums.get(&quorum.name) else { return StepNext::Done };
        let Some(index) = (1..=made.count).find(|index| !made.proven.contains(index)) else { return StepNext::Done };
        let holder = quorum.custodian(index).to_owned();
        let name = room.plan.name_of(&holder);
        match room.state.local.moment {
            0 => {
                let witness =
                    room.step.confirm.iter().find(|c| **c != holder).cloned().unwrap_or_else(|| room.step.who.clone());
                StepNext::Ask(Box::new(Prompt {
                    lines: vec![
                        Line::text(&format!("{name}, come to the screen. Everybody else, look away.")),
                        Line::text(&format!("{} confirms that they do.", room.plan.name_of(&witness))),
                        Line::value(
                            "share",
                            &format!(
                                "{index} of {} · quorum {} · generation {}",
                                made.count, quorum.name, made.generation
                            ),
                        ),
                    ],
                    next: format!("{name} reveals share {index}, writes it down and hides it"),
                    ..asking::initials_prompt(room.plan, &witness, "Does everybody else look away?")
                }))
            }
            1 => StepNext::Do(Box::new(Effect::ShowShare {
                quorum: quorum.name.clone(),
                generation: made.generation,
                index,
                count: made.count,
                holder,
            })),
            _ => StepNext::Ask(Box::new(Prompt {
                lines: vec![
                    Line::text(&format!("{name}, type your share back from your own card.")),
                    Line::value(
                        "proven",
                        &format!("{} of {}; nothing is signed before all are", made.proven.len(), made.count),
                    ),
                    Line::text("If the card is wrong, type `again` to see the share once more."),
                ],
                next: if index < made.count {
                    format!("share {} of {}", index + 1, made.count)
                } else {
                    "the shares are checked against each other".to_owned()
                },
                ..asking::prompt_for(
                    &holder,
                    &format!("Prove share {index} of {}", made.count),
                    Ask::Share {
                        quorum: quorum.name.clone(),
                        index,
                        card: index,
                        count: made.count,
                        holder: holder.clone(),
                        purpose: "prove".to_owned(),
                    },
                )
            })),
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
        let quorum = plan
            .authority(kind::text(&step.params, "authority"))
            .and_then(|a| plan.quorum(&a.quorum))
            .ok_or("the plan has no such quorum")?;
        let made = state.quorums.get_mut(&quorum.name).ok_or("no key was made for this quorum")?;
        let index = (1..=made.count).find(|index| !made.proven.contains(index)).ok_or("every share is proven")?;
        let holder = quorum.custodian(index);
        match (state.local.moment, input) {
            (0, Input::Answer(answer)) => {
                let witness = step.confirm.iter().find(|c| *c != holder).unwrap_or(&step.who);
                asking::agreed(plan, witness, answer)?;
                state.local.moment = 1;
            }
            (1, Input::Outcome(Outcome::ShareShown { .. })) => {
                made.shown.insert(index);
                state.local.moment = 2;
            }
            (2, Input::Answer(Answer::Chosen { key })) if key == "again" => state.local.moment = 0,
            (2, Input::Answer(Answer::Share { verdict, .. })) => match verdict {
                ShareVerdict::Proven { index: proven, .. } if *proven == index => {
                    made.proven.insert(index);
                    made.typed.insert(index);
                    state.local.moment = 0;
                }
                ShareVerdict::Proven { .. } => return Err("that is somebody else's share".to_owned()),
                ShareVerdict::Refused { reason, .. } => return Err(reason.clone()),
            },
            _ => return Err("expected the share typed back from its card".to_owned()),
        }
        Ok(Vec::new())
    }

    fn lost(&self, state: &mut State, effect: &Effect) {
        // Whether it was seen before the showing failed is not known; a card of it may exist.
        if let Effect::ShowShare { quorum, index, .. } = effect
            && let Some(made) = state.quorums.get_mut(quorum)
        {
            made.shown.insert(*index);
        }
    }

    fn strongroom_gone(&self, state: &mut State) {
        state.local.moment = 0;
    }
}
