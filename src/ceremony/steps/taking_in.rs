//! What `take-request` and `take-object` share: an object is asked for, then its digest as its owner has it, and only then is that digest
//! shown. Whoever carried the object, or the machine it was carried with, never says what was expected.

use crate::basics::Digest;
use crate::basics::digest::hex_encode;
use crate::ceremony::event::Answer;
use crate::ceremony::evidence::{ReadBackEqual, read_back};
use crate::ceremony::object;
use crate::ceremony::prompt::{Ask, Line, Prompt};
use crate::ceremony::state::{Incoming, Local, State};
use crate::ceremony::steps::{Input, Room, StepNext, asking};
use crate::plan::{Plan, Step};
use crate::transfer::envelope::Kind;

/// The thing a step waits for.
pub struct Wanted {
    pub kind: Kind,
    /// What the step calls it: "issuing-2026".
    pub name: String,
    /// For people: "the certificate request of issuing-2026".
    pub what: String,
    /// Octets it may have.
    pub most: u64,
}

/// What judges an object by itself: lines for people, or every reason why it is refused.
pub type Judge<'j> = dyn Fn(&[u8]) -> Result<Vec<Line>, String> + 'j;

impl Wanted {
    /// The name of its file: what a rehearsal looks for, and what a bare object is called in its envelope.
    #[must_use]
    pub fn file(&self) -> String {
        format!("{}.{}", self.name, extension(self.kind))
    }

    fn ask(&self) -> Ask {
        Ask::Object { kind: self.kind.word().to_owned(), name: self.file(), what: self.what.clone(), most: self.most }
    }
}

const fn extension(kind: Kind) -> &'static str {
    match kind {
        Kind::Csr => "csr.pem",
        Kind::Certificate => "crt.pem",
        Kind::Chain => "chain.pem",
        Kind::Crl => "crl.pem",
        Kind::Enrolment => "enrolment.json",
        Kind::Order => "order.toml",
        Kind::Requests => "requests.json",
        Kind::IssuanceLog => "log.json",
        Kind::BundleManifest => "manifest.json",
        Kind::Receipt => "receipt.json",
        Kind::Checkpoint => "checkpoint",
        Kind::QuorumRecord => "quorum.json",
        Kind::Attestation => "attestation.json",
        Kind::Signature => "sig",
    }
}

/// What comes next: the object, its digest from its owner, everybody's agreement.
#[must_use]
pub fn next(room: &Room<'_>, wanted: &Wanted, judge: &Judge<'_>) -> StepNext {
    let Some(incoming) = &room.state.local.incoming else { return ask_for_it(room, wanted) };
    match room.state.local.moment {
        0 => ask_for_its_digest(room, wanted, incoming),
        _ => {
            let mut lines = vec![
                Line::value("came in", &incoming.shown),
                Line::digest(&inside(wanted.kind), incoming.sha256),
                Line::Good { text: "equal to what its owner reads out".into() },
            ];
            let octets = crate::basics::digest::hex_decode(&incoming.octets).unwrap_or_default();
            lines.extend(judge(&octets).unwrap_or_default());
            lines.push(Line::text("Compare with the owner's paper once more: the words, and every line above."));
            asking::ask_all(room, &format!("Is this {}?", wanted.what), lines, "the next step")
        }
    }
}

fn ask_for_it(room: &Room<'_>, wanted: &Wanted) -> StepNext {
    StepNext::Ask(Box::new(Prompt {
        lines: vec![
            // What to do stays in sight on a small screen.
            Line::text("Choose what it is read with. Nothing of it is believed yet: its digest is compared next."),
            Line::value("wanted", &wanted.what),
            Line::value("as", &format!("{} for {}", wanted.kind, room.plan.realm)),
        ],
        next: "its digest, from whoever it belongs to".to_owned(),
        ..asking::prompt_for(&room.step.who, &format!("Take in {}", wanted.what), wanted.ask())
    }))
}

fn ask_for_its_digest(room: &Room<'_>, wanted: &Wanted, incoming: &Incoming) -> StepNext {
    let inside = inside(wanted.kind);
    StepNext::Ask(Box::new(Prompt {
        lines: vec![
            // What to do stays in sight on a small screen, before words that are not the ones to type.
            Line::text(&format!(
                "Now the {inside} as its owner has it: from their paper, or read aloud beside the key it was made with. Never from the machine that carried it.",
            )),
            Line::text(
                "Type their twelve words, or the 64 digits that sha256sum says. Other words, or the wrong thing? Type `again`, and it is taken in anew.",
            ),
            Line::Gap,
            Line::value("came in", &incoming.shown),
            Line::digest("envelope", incoming.envelope),
            Line::text(
                "Where the other side shows an envelope, it reads these words too: they carried the same thing.",
            ),
        ],
        next: "it is shown, and agreed to".to_owned(),
        rehearsal_answer: Some(incoming.sha256.twelve_words()),
        ..asking::prompt_for(
            &room.step.who,
            &format!("Digest of {}", wanted.what),
            Ask::Text { label: format!("{inside}, or `again`"), example: "orbit falcon granite ...".to_owned() },
        )
    }))
}

/// What the compared digest is taken over.
fn inside(kind: Kind) -> String {
    if matches!(kind, Kind::Csr | Kind::Certificate | Kind::Crl) {
        "SHA-256 of its DER".to_owned()
    } else {
        "SHA-256 of the file".to_owned()
    }
}

/// Folds an answer in; `Some` once everybody has agreed to what came in.
///
/// # Errors
/// Why the answer is refused.
pub fn take(
    plan: &Plan,
    step: &Step,
    state: &mut State,
    input: &Input<'_>,
    wanted: &Wanted,
    judge: &Judge<'_>,
) -> Result<Option<Incoming>, String> {
    let Input::Answer(answer) = input else { return Err("no outcome was waited for".to_owned()) };
    match (&state.local.incoming, state.local.moment) {
        (None, _) => {
            let arrived = object::arrived(plan.realm, wanted.kind.word(), wanted.most, answer)?;
            let octets = object::inner(wanted.kind, &arrived.octets)?;
            judge(&octets)?;
            state.local.incoming = Some(Incoming {
                shown: format!(
                    "{} {}, {} octets, by {}",
                    arrived.kind,
                    arrived.name,
                    arrived.octets.len(),
                    arrived.via.words()
                ),
                envelope: arrived.envelope,
                content: arrived.sha256,
                sha256: Digest::of(&octets),
                octets: hex_encode(&octets),
            });
            Ok(None)
        }
        (Some(_), 0) if is_again(answer) => {
            state.local = Local { excepted: state.local.excepted, ..Local::default() };
            Ok(None)
        }
        (Some(incoming), 0) => {
            let Answer::Typed { text } = answer else { return Err("expected twelve words, or 64 digits".to_owned()) };
            let _: ReadBackEqual = equal(incoming, text).ok_or_else(|| {
                format!(
                    "this is not the {} that came in: have it read again, or type `again` and take the right one in",
                    inside(wanted.kind).replace("its DER", "the DER")
                )
            })?;
            state.local.moment = 1;
            Ok(None)
        }
        (Some(incoming), _) => {
            let incoming = incoming.clone();
            let all = asking::take_all(plan, step, &mut state.local.answered, answer)?;
            Ok(all.then_some(incoming))
        }
    }
}

fn is_again(answer: &Answer) -> bool {
    matches!(answer, Answer::Typed { text } if text.trim().eq_ignore_ascii_case("again"))
}

/// The digest of what is inside, or of the file as it came: whoever has one has the other.
fn equal(incoming: &Incoming, typed: &str) -> Option<ReadBackEqual> {
    let digits: String = typed.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_lowercase();
    [incoming.sha256, incoming.content]
        .into_iter()
        .find_map(|digest| read_back(&digest.twelve_words(), typed).or_else(|| read_back(&digest.hex(), &digits)))
}
