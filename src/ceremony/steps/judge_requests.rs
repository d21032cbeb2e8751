//! `judge-requests`: a factory's requests are judged one by one against its order. The statement that its receipt key signed came in as an
//! object; the file it speaks of lies on a medium and is known by its SHA-256. What is refused is named with its reasons and goes back to
//! the factory; the rest proceeds as the script says.

use crate::basics::digest::hex_decode;
use crate::basics::{Digest, SafeText, limits};
use crate::ceremony::batch;
use crate::ceremony::effect::Effect;
use crate::ceremony::event::{Moment, Outcome};
use crate::ceremony::prompt::Line;
use crate::ceremony::state::{JudgedState, Local, State};
use crate::ceremony::steps::{Input, Room, StepMachine, StepNext, asking, issue};
use crate::factory::Order;
use crate::factory::enrolment::Signed;
use crate::factory::requests::{Found, Statement};
use crate::plan::standing::factory::refuses;
use crate::plan::{Plan, Step};
use crate::script::{Fact, Lookup, RoomRules, Shape, StepKey, StepKind, kind, kind::Params};
use crate::transcript::Entry;
use crate::transfer::envelope::Kind;

pub struct JudgeRequests;

/// Moments.
const JUDGE: u32 = 0;
const LOOK: u32 = 1;

/// Refused requests that are on the screen.
const SHOWN: usize = 40;
/// Requests in a shard where the script says nothing.
const SHARD_RECORDS: u64 = 1_000;

impl StepKind for JudgeRequests {
    fn word(&self) -> &'static str {
        "judge-requests"
    }
    fn summary(&self) -> &'static str {
        "A factory's certificate requests are judged one by one against its order; what is refused is named with its reasons."
    }
    fn keys(&self) -> &'static [StepKey] {
        &[
            StepKey {
                name: "requests",
                shape: Shape::NewName,
                needed: true,
                meaning: "name of a factory's statement that a step `take-object` took in; its file is NAME.requests.cbor",
            },
            StepKey {
                name: "order",
                shape: Shape::Text,
                needed: true,
                meaning: "name of the order that a step `take-object` took in",
            },
            StepKey {
                name: "factory",
                shape: Shape::Text,
                needed: true,
                meaning: "whose requests they must be: enrolled here or in an earlier ceremony",
            },
            StepKey {
                name: "on_refusal",
                shape: Shape::Word(&["stop", "go-on"]),
                needed: true,
                meaning: "where a request is refused: `stop`, or `go-on` with the others",
            },
            StepKey {
                name: "shard_records",
                shape: Shape::Integer { least: 1, most: limits::SHARD_RECORDS as u64 },
                needed: false,
                meaning: "identities in one sealed file; 1000 where it is left out",
            },
        ]
    }
    fn room(&self, params: &Params, lookup: &dyn Lookup) -> RoomRules {
        let (requests, factory) = (kind::text(params, "requests").to_owned(), kind::text(params, "factory").to_owned());
        let judged = Fact::RequestsJudged(requests.clone());
        let mut needs = vec![
            Fact::PeoplePresent,
            Fact::MachineChecked,
            Fact::ClockConfirmed,
            Fact::ObjectTaken(requests),
            Fact::ObjectTaken(kind::text(params, "order").to_owned()),
        ];
        if lookup.enrols(&factory) {
            needs.push(Fact::FactoryEnrolled(factory));
        }
        RoomRules { needs, first: vec![judged.clone()], gives: vec![judged], ..RoomRules::default() }
    }
    fn confirmers(&self) -> usize {
        1
    }
    fn activity(&self, params: &Params) -> Vec<String> {
        let (requests, factory) = (kind::text(params, "requests"), kind::text(params, "factory"));
        vec![
            format!("Insert the medium with {requests}.requests.cbor; every request of {factory} in it is judged."),
            "Read what was refused, and why. It is written down and goes back to the factory.".to_owned(),
            match kind::text(params, "on_refusal") {
                "stop" => "Where one is refused, nothing of the collection is certified.".to_owned(),
                _ => "The others are certified.".to_owned(),
            },
        ]
    }
}

impl StepMachine for JudgeRequests {
    fn next(&self, room: &Room<'_>) -> StepNext {
        let (state, params) = (room.state, &room.step.params);
        let name = kind::text(params, "requests");
        match state.local.moment {
            JUDGE => match expected(room.plan, state, params) {
                Ok(Expected { statement, .. }) => StepNext::Do(Box::new(Effect::JudgeRequests {
                    requests: name.to_owned(),
                    order: kind::text(params, "order").to_owned(),
                    size: statement.statement.size,
                    sha256: statement.statement.sha256,
                    shard_records: u32::try_from(kind::number(params, "shard_records", SHARD_RECORDS)).unwrap_or(1),
                    device_keys: state.device_keys,
                })),
                Err(problem) => refused(room, vec![Line::Bad { text: SafeText::of(&problem) }]),
            },
            LOOK => {
                let Some(judged) = state.judged.get(name) else { return StepNext::Done };
                let lines = shown(&judged.found);
                if stops(params, &judged.found) {
                    return refused(room, lines);
                }
                asking::ask_all(room, &format!("Go on with what was accepted of {name}?"), lines, "the next step")
            }
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
        let name = kind::text(&step.params, "requests");
        match (state.local.moment, input) {
            (JUDGE, Input::Outcome(Outcome::RequestsJudged { root, found, refusals, device_keys, .. })) => {
                let Expected { statement, sha256, order_digest, .. } = expected(plan, state, &step.params)?;
                let said = &statement.statement;
                if *root != said.root || found.count != said.count {
                    return Err(format!(
                        "{name}: expected {} requests under root {}, as the factory signed, found {} under {root}",
                        said.count, said.root, found.count
                    ));
                }
                let mut entries = issue::written(step, state, refusals);
                entries.extend(issue::written(step, state, device_keys));
                state.judged.insert(
                    name.to_owned(),
                    JudgedState {
                        statement: sha256,
                        order: order_digest,
                        factory: said.factory.clone(),
                        found: found.as_ref().clone(),
                        agreed: false,
                        device_keys: device_keys.sha256,
                    },
                );
                state.local.moment = LOOK;
                Ok(entries)
            }
            (LOOK, Input::Answer(answer)) => {
                if let Some(judged) = state.judged.get(name).filter(|judged| stops(&step.params, &judged.found)) {
                    let (count, refused) = (judged.found.count, judged.found.count - judged.found.accepted);
                    return Err(format!(
                        "{refused} of {count} requests are refused: nothing of this collection goes on; open an exception with `!`, or stop"
                    ));
                }
                if asking::take_all(plan, step, &mut state.local.answered, answer)? {
                    state.local.moment = LOOK + 1;
                    if let Some(judged) = state.judged.get_mut(name) {
                        judged.agreed = true;
                    }
                }
                Ok(Vec::new())
            }
            (JUDGE, Input::Answer(_)) => {
                expected(plan, state, &step.params)?;
                Err("expected the requests to be judged first".to_owned())
            }
            _ => Err("expected initials".to_owned()),
        }
    }

    fn lost(&self, state: &mut State, _: &Effect) {
        // Judging has no effect but its files, which are set aside and written again.
        state.local = Local { moment: JUDGE, excepted: state.local.excepted, ..Local::default() };
    }
}

/// Everything that must fit before a request is looked at.
struct Expected {
    statement: Signed<Statement>,
    /// Of the signed statement.
    sha256: Digest,
    order_digest: Digest,
}

fn expected(plan: &Plan, state: &State, params: &Params) -> Result<Expected, String> {
    let (name, factory) = (kind::text(params, "requests"), kind::text(params, "factory"));
    let object = state.objects.get(name).ok_or_else(|| format!("requests {name} have not come in"))?;
    if object.kind != Kind::Requests.word() {
        return Err(format!("{name}: expected a statement about requests, found a {}", object.kind));
    }
    let octets = hex_decode(&object.octets).ok_or("the statement is not hexadecimal")?;
    let statement = Statement::read(&octets, plan.realm).map_err(|e| e.to_string())?;
    let standing = state.factories.get(factory).ok_or_else(|| format!("factory {factory} was not enrolled"))?;
    statement.of_factory(factory, &standing.receipt_key).map_err(|e| e.to_string())?;
    let (order, order_digest): (Order, Digest) = batch::order(state, kind::text(params, "order"))?;
    statement.for_order(&order, &order_digest).map_err(|e| e.to_string())?;
    // The time of the last thing that happened is near enough here: it is looked at again when the batch is fixed.
    let now = statement.statement.made;
    let problems = refuses(&state.factories, &batch::withdrawn(state)?, plan.realm, &order, order_digest, now);
    let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
    if !problems.is_empty() {
        return Err(problems.join("; "));
    }
    Ok(Expected { statement, sha256: object.sha256, order_digest })
}

/// Whether nothing of the collection goes on.
fn stops(params: &Params, found: &Found) -> bool {
    found.accepted == 0 || (found.accepted < found.count && kind::text(params, "on_refusal") != "go-on")
}

fn refused(room: &Room<'_>, lines: Vec<Line>) -> StepNext {
    asking::refused(room, "These requests are refused", lines, "Nothing of it is certified.")
}

/// What people compare of a statement.
#[must_use]
pub fn statement_lines(said: &Statement) -> Vec<Line> {
    vec![
        Line::value("factory", &said.factory),
        Line::value("requests", &format!("{}, in {} octets", said.count, said.size)),
        Line::digest("for order", said.order),
        Line::digest("their file", said.sha256),
        Line::value("made", &said.made.to_string()),
    ]
}

fn shown(found: &Found) -> Vec<Line> {
    let refused = found.count.saturating_sub(found.accepted);
    let mut lines = vec![
        Line::value("requests", &found.count.to_string()),
        Line::value("accepted", &format!("{}, {} of them attested", found.accepted, found.attested)),
        Line::value("refused", &refused.to_string()),
    ];
    for refused in found.refused.iter().take(SHOWN) {
        let reasons: Vec<String> = refused.reasons.iter().map(ToString::to_string).collect();
        let text = format!("request {}, {}: {}", refused.request, refused.device, reasons.join("; "));
        lines.push(Line::Bad { text: SafeText::of(&text) });
    }
    let more = (refused as usize).saturating_sub(found.refused.len().min(SHOWN));
    if more > 0 {
        lines.push(Line::text(&format!("And {more} more: the artefact with the refusals names every one.")));
    }
    if refused == 0 {
        lines.push(Line::Good { text: "none was refused".into() });
    }
    lines
}

/// The artefact that goes back to the factory.
#[must_use]
pub fn refusals_file(requests: &str) -> String {
    format!("{requests}.refusals.json")
}

/// The artefact with the device keys that the chain has certified once these are.
#[must_use]
pub fn keys_file(requests: &str) -> String {
    format!("{requests}.device-keys.bin")
}
