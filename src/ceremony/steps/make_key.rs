//! `make-key`: one authority's key and its quorum's identity are made in the strongroom; the key is sealed at once and the
//! identity split, every k-subset checked before any share is seen. Nothing is live yet.

use crate::basics::digest::hex_decode;
use crate::ceremony::effect::Effect;
use crate::ceremony::event::{Answer, Moment, Outcome};
use crate::ceremony::evidence::{quorum_met, read_back};
use crate::ceremony::prompt::{Ask, Line, Prompt};
use crate::ceremony::state::{AuthorityState, QuorumState, State};
use crate::ceremony::steps::{Input, Room, StepMachine, StepNext, asking, issue};
use crate::keys::PublicKey;
use crate::keys::recipient::RecipientKind;
use crate::plan::{Plan, Quorum, Step};
use crate::script::{Fact, Lookup, NameOf, RoomRules, Shape, StepKey, StepKind, kind, kind::Params};
use crate::transcript::Entry;
use std::collections::BTreeSet;

pub struct MakeKey;

impl StepKind for MakeKey {
    fn word(&self) -> &'static str {
        "make-key"
    }
    fn summary(&self) -> &'static str {
        "An authority's key and its quorum's identity are made, the key sealed to the quorum, the identity split into shares."
    }
    fn keys(&self) -> &'static [StepKey] {
        &[StepKey {
            name: "authority",
            shape: Shape::Name(NameOf::Authority),
            needed: true,
            meaning: "name of an [[authority]]",
        }]
    }
    fn room(&self, params: &Params, lookup: &dyn Lookup) -> RoomRules {
        let authority = kind::text(params, "authority").to_owned();
        let quorum = lookup.quorum_of(&authority).unwrap_or_default();
        let mut rules = RoomRules {
            needs: vec![Fact::PeoplePresent, Fact::MachineChecked, Fact::ClockConfirmed],
            first: vec![Fact::KeyMade(authority.clone())],
            gives: vec![Fact::KeyMade(authority.clone()), Fact::AnyKeyMade],
            ..RoomRules::default()
        };
        if lookup.makes_quorum(&authority) {
            rules.first.push(Fact::QuorumMade(quorum.clone()));
            rules.gives.push(Fact::QuorumMade(quorum));
        } else {
            // Nothing is sealed to a quorum that is not live.
            rules.needs.push(Fact::SharesConsistent(quorum));
        }
        rules
    }
    fn confirmers(&self) -> usize {
        1
    }
    fn activity(&self, params: &Params) -> Vec<String> {
        vec![
            format!(
                "Type `make {0}` and have it confirmed. The strongroom makes the key of {0} and seals it.",
                kind::text(params, "authority")
            ),
            "Read the twelve words of the public key aloud; everybody writes the first three down.".to_owned(),
        ]
    }
    fn uses_strongroom(&self) -> bool {
        true
    }
}

impl StepMachine for MakeKey {
    fn next(&self, room: &Room<'_>) -> StepNext {
        let name = kind::text(&room.step.params, "authority");
        let Some(authority) = room.plan.authority(name) else { return StepNext::Done };
        let Some(quorum) = room.plan.quorum(&authority.quorum) else { return StepNext::Done };
        match room.state.local.moment {
            0 => StepNext::Ask(Box::new(Prompt {
                lines: vec![
                    Line::value("authority", name),
                    Line::value("algorithm", authority.algorithm.title()),
                    Line::value("subject", &authority.subject.to_string()),
                    Line::value("quorum", &quorum_line(quorum)),
                    Line::text("The key is made in a process of its own, sealed at once, and exists nowhere else."),
                ],
                next: "somebody else confirms, then the key is made".to_owned(),
                rehearsal_answer: Some(format!("make {name}")),
                grave: true,
                ..asking::prompt_for(
                    &room.step.who,
                    &format!("Make the key of {name}"),
                    Ask::Phrase { phrase: format!("make {name}") },
                )
            })),
            1 => {
                let confirm = room.step.confirm.get(room.state.local.answered as usize).cloned().unwrap_or_default();
                StepNext::Ask(Box::new(Prompt {
                    lines: vec![Line::text(&format!(
                        "{} wants to make the key of {name} now.",
                        room.plan.name_of(&room.step.who)
                    ))],
                    next: "the key is made".to_owned(),
                    grave: true,
                    ..asking::initials_prompt(room.plan, &confirm, "Do you confirm?")
                }))
            }
            2 if !room.state.strongroom => {
                StepNext::Do(Box::new(Effect::OpenStrongroom { session: room.state.sessions + 1 }))
            }
            2 => StepNext::Do(Box::new(Effect::MakeKey {
                authority: name.to_owned(),
                algorithm: authority.algorithm,
                quorum: quorum.name.clone(),
                recipient: quorum.recipient,
                generation: live_generation(room.state, &quorum.name)
                    .unwrap_or_else(|| generation(room.state, &quorum.name)),
                threshold: quorum.threshold,
                count: quorum.count(),
                step: room.step.id.clone(),
                operations: issue::operations(room.plan, room.state, name),
                sealed_to: live_recipient(room.state, &quorum.name),
            })),
            _ => {
                let Some(made) = room.state.authorities.get(name) else { return StepNext::Done };
                let live = room.state.quorums.get(&quorum.name).is_some_and(|q| q.consistent);
                let (said, next) = if live {
                    (
                        format!("It is sealed to quorum {}, whose cards open it as they are.", quorum.name),
                        "the next step",
                    )
                } else {
                    let (count, threshold) = (quorum.count(), quorum.threshold);
                    (
                        format!("{count} shares were made and every {threshold} of them checked. Nobody has seen one."),
                        "the shares are dealt",
                    )
                };
                let lines = vec![
                    Line::digest("public key", made.public_key.digest()),
                    Line::digest("sealed key", made.sealed),
                    Line::text(&said),
                ];
                asking::ask_all(room, "Read the words of the public key aloud", lines, next)
            }
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
        let name = kind::text(&step.params, "authority");
        match (state.local.moment, input) {
            (0, Input::Answer(Answer::Typed { text })) => {
                read_back(&format!("make {name}"), text).ok_or_else(|| format!("expected the words `make {name}`"))?;
                state.local.moment = 1;
            }
            (1, Input::Answer(answer)) => {
                let confirm = step.confirm.get(state.local.answered as usize).ok_or("everybody has confirmed")?;
                asking::agreed(plan, confirm, answer)?;
                state.local.answered += 1;
                if state.local.answered as usize >= step.confirm.len() {
                    state.local.moment = 2;
                    state.local.answered = 0;
                }
            }
            (2, Input::Outcome(Outcome::KeyMade { public_key, recipient, quorum_id, commitments, sealed })) => {
                let authority = plan.authority(name).ok_or("the plan has no such authority")?;
                let quorum = plan.quorum(&authority.quorum).ok_or("the plan has no such quorum")?;
                let key = hex_decode(public_key)
                    .and_then(|der| PublicKey::from_spki_der(&der).ok())
                    .ok_or("the strongroom gave no public key")?;
                let sealed_to = live_recipient(state, &quorum.name);
                let shares = if sealed_to.is_empty() { usize::from(quorum.count()) } else { 0 };
                let elsewhere = !sealed_to.is_empty() && *recipient != sealed_to;
                let other_kind = RecipientKind::of_recipient(recipient) != Some(quorum.recipient);
                if key.algorithm() != authority.algorithm || commitments.len() != shares || elsewhere || other_kind {
                    return Err("the strongroom made something else than was asked for".to_owned());
                }
                let live = state.quorums.get(&quorum.name).filter(|_| shares == 0).map(|made| made.generation);
                let generation = live.unwrap_or_else(|| generation(state, &quorum.name));
                if live.is_none() {
                    state.quorums.insert(
                        quorum.name.clone(),
                        QuorumState {
                            generation,
                            id: quorum_id.clone(),
                            recipient: recipient.clone(),
                            threshold: quorum.threshold,
                            count: quorum.count(),
                            commitments: commitments.clone(),
                            shown: std::collections::BTreeSet::new(),
                            proven: BTreeSet::new(),
                            typed: BTreeSet::new(),
                            consistent: false,
                            approved: BTreeSet::new(),
                            headed: BTreeSet::new(),
                        },
                    );
                }
                state.keys.insert(key.digest());
                state.authorities.insert(
                    name.to_owned(),
                    AuthorityState {
                        public_key: key,
                        quorum: quorum.name.clone(),
                        generation,
                        sealed_name: sealed.name.clone(),
                        sealed: sealed.sha256,
                        open: true,
                        certificate: String::new(),
                        crl_number: 0,
                        crl: String::new(),
                        issued: Vec::new(),
                        serials: 0,
                    },
                );
                state.local.moment = 3;
            }
            (3.., Input::Answer(answer)) => {
                asking::take_all(plan, step, &mut state.local.answered, answer)?;
            }
            (0, _) => return Err(format!("expected the words `make {name}`")),
            _ => return Err("expected the key".to_owned()),
        }
        Ok(Vec::new())
    }

    fn strongroom_gone(&self, state: &mut State) {
        // Before a key is made both people are asked again; a key that was made is voided by the interruption.
        if state.local.moment <= 2 {
            state.local.moment = 0;
            state.local.answered = 0;
        }
    }
}

/// The classical recipient goes without saying, as it did before there was another.
fn quorum_line(quorum: &Quorum) -> String {
    let Quorum { name, threshold, recipient, .. } = quorum;
    let line = format!("{name} · any {threshold} of {}", quorum.count());
    if recipient.is_left_out() { line } else { format!("{line} · sealed to {}", recipient.title()) }
}

/// Generations count from 1 and never repeat, retired ones included.
fn generation(state: &State, quorum: &str) -> u8 {
    let retired = state.retired.iter().filter(|r| r.quorum == quorum).map(|r| r.generation).max().unwrap_or(0);
    retired + 1
}

/// The generation of a quorum that is live.
fn live_generation(state: &State, quorum: &str) -> Option<u8> {
    state.quorums.get(quorum).filter(|made| quorum_met(made).is_some()).map(|made| made.generation)
}

/// The recipient of a quorum that is live, to which a further key is sealed without opening anything; else empty.
fn live_recipient(state: &State, quorum: &str) -> String {
    let live = state.quorums.get(quorum).filter(|made| quorum_met(made).is_some());
    live.map(|made| made.recipient.clone()).unwrap_or_default()
}
