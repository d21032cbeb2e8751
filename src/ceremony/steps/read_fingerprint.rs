//! `read-fingerprint`: the acting person reads the certificate's fingerprint aloud as words; those who confirm type what
//! they hear.

use crate::ceremony::effect::parse_certificate;
use crate::ceremony::event::{Answer, Moment};
use crate::ceremony::evidence::read_back;
use crate::ceremony::prompt::{Ask, Line, Prompt};
use crate::ceremony::state::State;
use crate::ceremony::steps::{Input, Room, StepMachine, StepNext, asking};
use crate::plan::{Plan, Step};
use crate::script::{Fact, Lookup, NameOf, RoomRules, Shape, StepKey, StepKind, kind, kind::Params};
use crate::transcript::Entry;

pub struct ReadFingerprint;

impl StepKind for ReadFingerprint {
    fn word(&self) -> &'static str {
        "read-fingerprint"
    }
    fn summary(&self) -> &'static str {
        "The certificate's fingerprint is read aloud as twelve words; somebody else types what they hear."
    }
    fn keys(&self) -> &'static [StepKey] {
        &[StepKey {
            name: "authority",
            shape: Shape::Name(NameOf::Authority),
            needed: true,
            meaning: "name of an [[authority]]",
        }]
    }
    fn room(&self, params: &Params, _: &dyn Lookup) -> RoomRules {
        RoomRules {
            needs: vec![Fact::AuthorityCertified(kind::text(params, "authority").to_owned())],
            ..RoomRules::default()
        }
    }
    fn confirmers(&self) -> usize {
        1
    }
    fn activity(&self, params: &Params) -> Vec<String> {
        vec![
            format!(
                "Read the twelve words of the fingerprint of {} aloud; the other person types what they hear.",
                kind::text(params, "authority")
            ),
            "Everybody writes the twelve words onto their own sheet.".to_owned(),
        ]
    }
}

impl StepMachine for ReadFingerprint {
    fn next(&self, room: &Room<'_>) -> StepNext {
        let name = kind::text(&room.step.params, "authority");
        let Some(certificate) = room.state.authorities.get(name).and_then(|a| parse_certificate(&a.certificate).ok())
        else {
            return StepNext::Done;
        };
        let Some(listener) = room.step.confirm.get(room.state.local.answered as usize) else { return StepNext::Done };
        let digest = certificate.digest();
        StepNext::Ask(Box::new(Prompt {
            lines: vec![
                Line::text(&format!("{} reads aloud:", room.plan.name_of(&room.step.who))),
                Line::digest("fingerprint", digest),
                Line::text(&format!(
                    "{} does not look at the screen while typing what they hear.",
                    room.plan.name_of(listener)
                )),
            ],
            next: "the next step".to_owned(),
            rehearsal_answer: Some(digest.twelve_words()),
            ..asking::prompt_for(
                listener,
                &format!("Type the fingerprint of {name} as you hear it"),
                Ask::Text { label: "twelve words".to_owned(), example: "orbit falcon granite ...".to_owned() },
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
        let Input::Answer(Answer::Typed { text }) = input else { return Err("expected twelve words".to_owned()) };
        let name = kind::text(&step.params, "authority");
        let authority = state.authorities.get(name).ok_or("no certificate was issued")?;
        let words = parse_certificate(&authority.certificate)?.digest().twelve_words();
        if read_back(&words, text).is_none() {
            let wrong = words
                .split(' ')
                .zip(text.split_whitespace().map(str::to_lowercase).chain(std::iter::repeat(String::new())))
                .position(|(expected, typed)| expected != typed)
                .map_or_else(|| "there are more than twelve".to_owned(), |at| format!("word {} differs", at + 1));
            return Err(format!("these are not the words of the fingerprint: {wrong}. Read aloud again"));
        }
        state.local.answered += 1;
        Ok(Vec::new())
    }
}
