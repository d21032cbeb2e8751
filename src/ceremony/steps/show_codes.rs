//! `show-codes`: what was issued, and the last checkpoint, leave the room as codes on the screen. Whoever took a thing in on the other
//! side reads the words of its digest aloud, and somebody here types what they hear: what arrived is what left.

use crate::basics::Digest;
use crate::ceremony::effect::Effect;
use crate::ceremony::event::{Answer, Moment, Outcome};
use crate::ceremony::evidence::read_back;
use crate::ceremony::prompt::{Ask, Line, Prompt};
use crate::ceremony::state::State;
use crate::ceremony::steps::{Input, Room, StepMachine, StepNext, asking};
use crate::plan::{Plan, Step};
use crate::script::{Fact, Lookup, NameOf, RoomRules, Shape, StepKey, StepKind, kind, kind::Params};
use crate::transcript::Entry;
use crate::transfer::envelope;

pub struct ShowCodes;

/// What stands for the checkpoint that is the last one when it is shown.
const LAST_CHECKPOINT: &str = "last-checkpoint";

impl StepKind for ShowCodes {
    fn word(&self) -> &'static str {
        "show-codes"
    }
    fn summary(&self) -> &'static str {
        "What was issued for the named authorities, and the last checkpoint, are shown as codes; the words of each digest are read back from the other side."
    }
    fn keys(&self) -> &'static [StepKey] {
        &[
            StepKey {
                name: "authorities",
                shape: Shape::Names(NameOf::Authority),
                needed: false,
                meaning: "whose certificate and CRL",
            },
            StepKey {
                name: "certificates",
                shape: Shape::Names(NameOf::Certificate),
                needed: false,
                meaning: "names of [[certificate]]",
            },
        ]
    }
    fn room(&self, params: &Params, _: &dyn Lookup) -> RoomRules {
        let mut needs: Vec<Fact> =
            kind::names(params, "authorities").iter().cloned().map(Fact::AuthorityCertified).collect();
        needs.extend(kind::names(params, "certificates").iter().cloned().map(Fact::CertificateIssued));
        RoomRules { needs, ..RoomRules::default() }
    }
    fn confirmers(&self) -> usize {
        1
    }
    fn activity(&self, params: &Params) -> Vec<String> {
        vec![
            format!(
                "Certificate and CRL of {}, then the last checkpoint, are shown as codes. The other side takes each in.",
                of_whom(params).join(", ")
            ),
            "The other side reads the twelve words of each aloud; the other person here types what they hear."
                .to_owned(),
        ]
    }
}

impl StepMachine for ShowCodes {
    fn next(&self, room: &Room<'_>) -> StepNext {
        let items = items(room.step, room.state);
        let Some(name) = items.get(room.state.local.answered as usize) else { return StepNext::Done };
        let kind = kind_of(name);
        // Empty until it is on the screen: the words are those of what was really shown.
        let Some(digest) = room.state.local.digest else {
            return StepNext::Do(Box::new(Effect::ShowCode { kind: kind.word().to_owned(), name: name.clone() }));
        };
        let listener = room.step.confirm.first().map_or(room.step.who.as_str(), String::as_str);
        let left = items.len() - room.state.local.answered as usize - 1;
        StepNext::Ask(Box::new(Prompt {
            lines: vec![
                Line::value("shown", &room.state.local.content),
                Line::text(
                    "The other side reads aloud the twelve words it sees. Type what you hear, not what you see here:",
                ),
                Line::digest("digest", digest),
                Line::text("Nothing arrived, or other words? Type `again`, and it is shown once more."),
            ],
            next: match left {
                0 => "the next step".to_owned(),
                1 => "one more thing is shown".to_owned(),
                more => format!("{more} more things are shown"),
            },
            rehearsal_answer: Some(digest.twelve_words()),
            ..asking::prompt_for(
                listener,
                &format!("What did the other side read of {name}?"),
                Ask::Text {
                    label: "twelve words, or `again`".to_owned(),
                    example: "orbit falcon granite ...".to_owned(),
                },
            )
        }))
    }

    fn take(
        &self,
        _: &Plan,
        step: &Step,
        state: &mut State,
        _: &Moment,
        input: &Input<'_>,
    ) -> Result<Vec<Entry>, String> {
        match (state.local.digest, input) {
            (None, Input::Outcome(Outcome::CodeShown { kind, name, size, digest })) => {
                let expected = items(step, state).get(state.local.answered as usize).map(|name| kind_of(name).word());
                if expected != Some(kind.as_str()) {
                    return Err(format!("expected a {} to be shown, found a {kind}", expected.unwrap_or("nothing")));
                }
                state.local.digest = Some(*digest);
                state.local.content = format!("{kind} {name}, {size} octets");
            }
            (Some(_), Input::Answer(Answer::Typed { text })) if text.trim().eq_ignore_ascii_case("again") => {
                state.local.digest = None;
            }
            (Some(digest), Input::Answer(Answer::Typed { text })) => {
                arrived(digest, text)?;
                state.local.digest = None;
                state.local.answered += 1;
            }
            _ => return Err("expected the twelve words of the other side, or `again`".to_owned()),
        }
        Ok(Vec::new())
    }
}

/// The other side has what was shown.
fn arrived(digest: Digest, heard: &str) -> Result<(), String> {
    read_back(&digest.twelve_words(), heard).map(|_equal| ()).ok_or_else(|| {
        "these are not the words of what was shown: have them read again, or type `again` to show it once more"
            .to_owned()
    })
}

/// Certificates of the named authorities, then their CRLs, then the last checkpoint.
fn items(step: &Step, state: &State) -> Vec<String> {
    let names = of_whom(&step.params);
    let of = |artifact: &&String| names.iter().any(|name| artifact.starts_with(&format!("{name}.")));
    let mut items: Vec<String> = state.artifacts.keys().filter(of).cloned().collect();
    items.sort_by_key(|name| kind_of(name));
    items.push(LAST_CHECKPOINT.to_owned());
    items
}

fn kind_of(item: &str) -> envelope::Kind {
    if item == LAST_CHECKPOINT {
        envelope::Kind::Checkpoint
    } else if item.ends_with(".crl.pem") {
        envelope::Kind::Crl
    } else {
        envelope::Kind::Certificate
    }
}

/// Authorities and certificates whose files these are.
pub(super) fn of_whom(params: &Params) -> Vec<String> {
    ["authorities", "certificates", "bundles"].into_iter().flat_map(|key| kind::names(params, key)).cloned().collect()
}
