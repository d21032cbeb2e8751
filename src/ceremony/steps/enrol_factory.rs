//! `enrol-factory`: a station's request that came in is judged, both sides compare words over the telephone, and the station proves
//! that it can open what is sealed to it: a challenge leaves as codes, its answer comes back and is what the record committed to.

use crate::basics::digest::hex_decode;
use crate::basics::{Digest, limits};
use crate::ceremony::batch::committed;
use crate::ceremony::effect::{Effect, parse_certificate};
use crate::ceremony::event::{Answer as Given, Moment, Outcome};
use crate::ceremony::evidence::read_back;
use crate::ceremony::object;
use crate::ceremony::prompt::{Ask, Line, Prompt};
use crate::ceremony::state::{Local, State};
use crate::ceremony::steps::{Input, Room, StepMachine, StepNext, asking, issue};
use crate::factory::enrolment::{Enrolment, Signed};
use crate::keys::recipient::{self, RecipientKind};
use crate::pki::Certificate;
use crate::plan::standing::StandingFactory;
use crate::plan::{Plan, PlannedFactory, Step};
use crate::script::{Fact, Lookup, NameOf, RoomRules, Shape, StepKey, StepKind, kind, kind::Params};
use crate::transcript::Entry;
use crate::transfer::envelope::Kind;

pub struct EnrolFactory;

/// Moments of an enrolment.
const WORDS: u32 = 0;
const CHALLENGE: u32 = 1;
const SHOW: u32 = 2;
const ANSWER: u32 = 3;
const AGREE: u32 = 4;
const WRITE: u32 = 5;

impl StepKind for EnrolFactory {
    fn word(&self) -> &'static str {
        "enrol-factory"
    }
    fn summary(&self) -> &'static str {
        "A factory's request is judged, words are compared by telephone both ways, and its station answers a challenge sealed to it."
    }
    fn keys(&self) -> &'static [StepKey] {
        &[
            StepKey {
                name: "factory",
                shape: Shape::Name(NameOf::Factory),
                needed: true,
                meaning: "name of a [[factory]]",
            },
            StepKey {
                name: "enrolment",
                shape: Shape::Text,
                needed: true,
                meaning: "name of an enrolment request that a step `take-object` took in",
            },
        ]
    }
    fn room(&self, params: &Params, _: &dyn Lookup) -> RoomRules {
        let enrolled = Fact::FactoryEnrolled(kind::text(params, "factory").to_owned());
        RoomRules {
            needs: vec![
                Fact::PeoplePresent,
                Fact::MachineChecked,
                Fact::ClockConfirmed,
                Fact::ObjectTaken(kind::text(params, "enrolment").to_owned()),
            ],
            first: vec![enrolled.clone()],
            gives: vec![enrolled],
            ..RoomRules::default()
        }
    }
    fn confirmers(&self) -> usize {
        1
    }
    fn activity(&self, params: &Params) -> Vec<String> {
        let factory = kind::text(params, "factory");
        vec![
            format!("Telephone {factory}, at a number you know from elsewhere. Read the words of its request to them."),
            "They read the words of the root certificate that they pinned; type what you hear.".to_owned(),
            format!("Show the challenge to whoever carries it; {factory} opens it and its answer is taken in."),
        ]
    }
    fn uses_strongroom(&self) -> bool {
        true
    }
}

impl StepMachine for EnrolFactory {
    fn next(&self, room: &Room<'_>) -> StepNext {
        let (state, params) = (room.state, &room.step.params);
        let factory = kind::text(params, "factory");
        let (request, digest) = match request(room.plan, state, params) {
            Ok(request) => request,
            Err(problem) => return refused(room, &problem),
        };
        let said = &request.statement;
        match state.local.moment {
            WORDS => StepNext::Ask(Box::new(words(room, &request, digest))),
            CHALLENGE if !state.strongroom => {
                StepNext::Do(Box::new(Effect::OpenStrongroom { session: state.sessions + 1 }))
            }
            CHALLENGE => StepNext::Do(Box::new(Effect::Challenge {
                factory: factory.to_owned(),
                recipient: said.recipient.clone(),
                request: digest,
                step: room.step.id.clone(),
                file: challenge_name(factory),
            })),
            SHOW => StepNext::Do(Box::new(Effect::ShowCode {
                kind: Kind::Enrolment.word().to_owned(),
                name: challenge_name(factory),
            })),
            ANSWER => StepNext::Ask(Box::new(Prompt {
                lines: vec![
                    Line::text(&format!("The challenge has left. The station of {factory} opens it and answers.")),
                    Line::text(
                        "Only who has the identity of the recipient can give this answer; nothing else is taken.",
                    ),
                ],
                next: "the answer is compared with what the record committed to".to_owned(),
                ..asking::prompt_for(
                    &room.step.who,
                    &format!("Take in the answer of {factory}"),
                    Ask::Object {
                        kind: Kind::Enrolment.word().to_owned(),
                        name: answer_name(factory),
                        what: format!("the answer of {factory}"),
                        most: limits::TAKEN_IN_OCTETS,
                    },
                )
            })),
            AGREE => {
                let mut lines = shown(room.plan, &request, digest);
                lines.push(Line::Good { text: "the station opened the challenge".into() });
                asking::ask_all(room, &format!("Enrol factory {factory}?"), lines, "it is enrolled")
            }
            WRITE => StepNext::Do(Box::new(Effect::WriteArtifact {
                name: format!("{factory}.enrolment.json"),
                content: state.local.content.clone(),
            })),
            _ => StepNext::Done,
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
        let (request, digest) = request(plan, state, &step.params)?;
        match (state.local.moment, input) {
            (WORDS, Input::Answer(Given::Typed { text })) => {
                let root = request.statement.pins.root;
                let digits: String = text.split_whitespace().collect::<String>().to_lowercase();
                if read_back(&root.twelve_words(), text).is_none() && digits != root.hex() {
                    return Err(
                        "these are not the words of our root: they pinned another one, or you speak with somebody else. Telephone again, at a number you know from elsewhere"
                            .to_owned(),
                    );
                }
                state.local.moment = CHALLENGE;
            }
            (CHALLENGE, Input::Outcome(Outcome::Challenged { commitment, file })) => {
                let entries = issue::written(step, state, file);
                state.local.challenge = Some(*commitment);
                state.local.moment = SHOW;
                return Ok(entries);
            }
            (SHOW, Input::Outcome(Outcome::CodeShown { .. })) => state.local.moment = ANSWER,
            (ANSWER, Input::Answer(answer)) => {
                let most = limits::TAKEN_IN_OCTETS;
                let arrived = object::arrived(plan.realm, Kind::Enrolment.word(), most, answer)?;
                let proof = request.answered(&arrived.octets).map_err(|e| e.to_string())?;
                if state.local.challenge != Some(committed(plan.realm, &proof)) {
                    return Err("the answer is not that of who opened the challenge: nothing was enrolled".to_owned());
                }
                state.local.moment = AGREE;
            }
            (AGREE, Input::Answer(answer)) => {
                if asking::take_all(plan, step, &mut state.local.answered, answer)? {
                    let octets = request.to_octets().map_err(|e| e.to_string())?;
                    state.local.content = String::from_utf8(octets).map_err(|_| "the request is no text")?;
                    state.local.moment = WRITE;
                }
            }
            (WRITE, Input::Outcome(Outcome::ArtifactWritten { file })) => {
                let entries = issue::written(step, state, file);
                state.local.moment = WRITE + 1;
                enrolled(plan, step, state, request, digest)?;
                return Ok(entries);
            }
            _ => return Err("expected the words that the factory reads".to_owned()),
        }
        Ok(Vec::new())
    }

    fn lost(&self, state: &mut State, effect: &Effect) {
        // A challenge that came to no outcome is made anew; its file is set aside.
        if matches!(effect, Effect::Challenge { .. }) {
            state.local = Local { moment: CHALLENGE, excepted: state.local.excepted, ..Local::default() };
        }
    }
}

fn challenge_name(factory: &str) -> String {
    format!("{factory}.challenge.age")
}

fn answer_name(factory: &str) -> String {
    format!("{factory}.answer.json")
}

fn planned<'p>(plan: &'p Plan, params: &Params) -> Result<&'p PlannedFactory, String> {
    plan.factory(kind::text(params, "factory")).ok_or_else(|| "the plan has no such factory".to_owned())
}

/// A request that does not suit is not enrolled; the people skip the step under an exception, or stop.
fn refused(room: &Room<'_>, problem: &str) -> StepNext {
    asking::refused_for(room, "This request is refused", problem, "Nothing is enrolled.")
}

/// The request that came in, judged.
fn request(plan: &Plan, state: &State, params: &Params) -> Result<(Signed<Enrolment>, Digest), String> {
    let name = kind::text(params, "enrolment");
    let object = state.objects.get(name).ok_or_else(|| format!("enrolment {name} has not come in"))?;
    if object.kind != Kind::Enrolment.word() {
        return Err(format!("{name}: expected an enrolment, found a {}", object.kind));
    }
    let octets = hex_decode(&object.octets).ok_or("the request is not hexadecimal")?;
    let request = Enrolment::read(&octets, plan.realm).map_err(|e| e.to_string())?;
    let said = &request.statement;
    let planned = planned(plan, params)?;
    if said.factory != planned.name {
        return Err(format!("{name}: expected a request of factory {}, found one of {}", planned.name, said.factory));
    }
    if RecipientKind::of_recipient(&said.recipient).is_none() {
        return Err(format!(
            "{name}: recipient: expected an age recipient, found {}",
            crate::basics::SafeText::cut(&said.recipient, 70)
        ));
    }
    root(state, said.pins.root)
        .ok_or_else(|| format!("{name}: it pins root {}, which is none of this chain", said.pins.root))?;
    let signers = u32::try_from(said.pins.signers.len()).unwrap_or(u32::MAX);
    if said.pins.threshold == 0 || said.pins.threshold > signers {
        return Err(format!(
            "{name}: expected a threshold of 1 to {signers}, which is how many signers it pins, found {}",
            said.pins.threshold
        ));
    }
    let digest = request.digest().map_err(|e| e.to_string())?;
    Ok((request, digest))
}

/// The self-signed certificate of this chain with this digest.
fn root(state: &State, digest: Digest) -> Option<Certificate> {
    let own = state.authorities.values().filter_map(|made| parse_certificate(&made.certificate).ok());
    own.into_iter().find(|certificate| certificate.digest() == digest && certificate.verify_self_signed().is_ok())
}

/// What `take-object` shows of a request, and why it refuses one.
///
/// # Errors
/// Where it is none of this realm.
pub fn judge(plan: &Plan, octets: &[u8]) -> Result<Vec<Line>, String> {
    let request = Enrolment::read(octets, plan.realm).map_err(|e| e.to_string())?;
    let digest = request.digest().map_err(|e| e.to_string())?;
    Ok(shown(plan, &request, digest))
}

fn shown(plan: &Plan, request: &Signed<Enrolment>, digest: Digest) -> Vec<Line> {
    let said = &request.statement;
    let mut lines = vec![
        Line::value("factory", &said.factory),
        Line::value("recipient", &recipient::shown(&said.recipient)),
        Line::value("receipt key", said.receipt_key.line()),
        Line::digest("it pins root", said.pins.root),
        Line::value("and signers", &format!("{} of {}", said.pins.threshold, said.pins.signers.len())),
    ];
    lines.extend(said.pins.signers.iter().map(|signer| Line::value(&signer.who, &signer.key.fingerprint_label())));
    if let Some(planned) = plan.factory(&said.factory) {
        lines.push(Line::value("until", &planned.valid_until.to_string()));
        lines
            .extend(planned.quotas.iter().map(|(product, most)| Line::value("quota", &format!("{most} of {product}"))));
    }
    lines.push(Line::digest("request", digest));
    lines
}

fn words(room: &Room<'_>, request: &Signed<Enrolment>, digest: Digest) -> Prompt {
    // The root that it says is not shown beside the question for it.
    let lines = vec![
        Line::text(
            "Telephone the factory at a number you know from elsewhere. Read the words of the request to them: they compare.",
        ),
        Line::text("Then they read the words of the root they pinned, from their own screen. Type what you hear."),
        Line::Gap,
        Line::value("factory", &request.statement.factory),
        Line::digest("request", digest),
    ];
    Prompt {
        lines,
        next: "a challenge is sealed to the recipient".to_owned(),
        rehearsal_answer: Some(request.statement.pins.root.twelve_words()),
        ..asking::prompt_for(
            &room.step.who,
            &format!("What does {} say its root is?", request.statement.factory),
            Ask::Text { label: "twelve words or 64 digits".to_owned(), example: "orbit falcon granite ...".to_owned() },
        )
    }
}

/// It stands from here on. One that stood already keeps its bundles and what nobody could explain.
fn enrolled(
    plan: &Plan,
    step: &Step,
    state: &mut State,
    request: Signed<Enrolment>,
    digest: Digest,
) -> Result<(), String> {
    let planned = planned(plan, &step.params)?;
    let before = state.factories.remove(&planned.name);
    let (bundles, delegated, findings, explained) = before
        .map_or_else(Default::default, |before| (before.bundles, before.delegated, before.findings, before.explained));
    state.factories.insert(
        planned.name.clone(),
        StandingFactory {
            recipient: request.statement.recipient,
            receipt_key: request.statement.receipt_key,
            enrolment: digest,
            ceremony: plan.ceremony.clone(),
            valid_until: planned.valid_until,
            quotas: planned.quotas.clone(),
            bundles,
            delegated,
            findings,
            explained,
        },
    );
    Ok(())
}
