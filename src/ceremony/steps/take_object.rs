//! `take-object`: a certificate, a CRL, an order, a statement about requests or about a log, an enrolment or a receipt comes in from across the gap, and is compared by its digest.
//! What it says is judged by the step that uses it.

use crate::basics::{Instant, limits};
use crate::ceremony::batch;
use crate::ceremony::effect::Effect;
use crate::ceremony::event::{Moment, Outcome};
use crate::ceremony::prompt::Line;
use crate::ceremony::state::{Local, ObjectState, State};
use crate::ceremony::steps::taking_in::{self, Wanted};
use crate::ceremony::steps::{Input, Room, StepMachine, StepNext};
use crate::ceremony::steps::{check_log, delegate, enrol_factory, issue_bundle, judge_requests};
use crate::factory::issuance_log::LogStatement;
use crate::factory::requests::Statement;
use crate::factory::returned::Returned;
use crate::factory::{Class, Mode, Order};
use crate::plan::standing::factory::refuses;
use crate::plan::{Plan, Step};
use crate::script::{Fact, Lookup, RoomRules, Shape, StepKey, StepKind, kind, kind::Params};
use crate::transcript::Entry;
use crate::transfer::envelope::Kind;

pub struct TakeObject;

/// The moment at which an order's devices have been looked for.
const LOOKED: u32 = 2;

/// Words of [`Kind`] that this step takes.
const OBJECTS: [&str; 7] = ["certificate", "crl", "order", "requests", "enrolment", "receipt", "issuance-log"];

impl StepKind for TakeObject {
    fn word(&self) -> &'static str {
        "take-object"
    }
    fn summary(&self) -> &'static str {
        "A certificate, CRL, order, statement of requests or of a log, enrolment or receipt is taken in by code or medium; its digest is typed as its owner reads it out, and agreed to."
    }
    fn keys(&self) -> &'static [StepKey] {
        &[
            StepKey {
                name: "object",
                shape: Shape::Word(&OBJECTS),
                needed: true,
                meaning: "what comes in: certificate, crl, order, requests, enrolment, receipt or issuance-log",
            },
            StepKey {
                name: "name",
                shape: Shape::NewName,
                needed: true,
                meaning: "what it is called in this script, like root-2026-previous",
            },
        ]
    }
    fn room(&self, params: &Params, _: &dyn Lookup) -> RoomRules {
        let taken = Fact::ObjectTaken(kind::text(params, "name").to_owned());
        RoomRules {
            needs: vec![Fact::PeoplePresent],
            first: vec![taken.clone()],
            gives: vec![taken],
            ..RoomRules::default()
        }
    }
    fn confirmers(&self) -> usize {
        1
    }
    fn activity(&self, params: &Params) -> Vec<String> {
        let what = wanted(params).map_or_else(|| "the object".to_owned(), |wanted| wanted.what);
        vec![
            format!("Take in {what} by camera, scanner or medium."),
            "Whoever it comes from reads its SHA-256 from paper (of the DER where it is a certificate or CRL), as twelve words or 64 digits; type what you hear."
                .to_owned(),
            "The others compare the words with the owner's paper.".to_owned(),
        ]
    }
}

/// `None` where the script names no kind of object, which `check` refuses.
fn wanted(params: &Params) -> Option<Wanted> {
    let kind = Kind::parse(kind::text(params, "object"))?;
    let name = kind::text(params, "name").to_owned();
    let what = match kind {
        Kind::Crl => format!("the CRL {name}"),
        Kind::Requests => format!("the factory's statement about requests {name}"),
        Kind::IssuanceLog => format!("the factory's statement about log {name}"),
        kind => format!("the {kind} {name}"),
    };
    let most = if matches!(kind, Kind::Crl | Kind::Order | Kind::Requests | Kind::Receipt) {
        limits::TAKEN_IN_LARGE_OCTETS
    } else {
        limits::TAKEN_IN_OCTETS
    };
    Some(Wanted { kind, name, what, most })
}

impl StepMachine for TakeObject {
    fn next(&self, room: &Room<'_>) -> StepNext {
        let Some(wanted) = wanted(&room.step.params) else { return StepNext::Done };
        let judge = |octets: &[u8]| judge(room.plan, wanted.kind, octets);
        match taking_in::next(room, &wanted, &judge) {
            StepNext::Done if room.state.local.moment < LOOKED && wanted.kind == Kind::Order => {
                look_for_devices(room, &wanted.name).unwrap_or(StepNext::Done)
            }
            next => next,
        }
    }

    fn take(
        &self,
        plan: &Plan,
        step: &Step,
        state: &mut State,
        moment: &Moment,
        input: &Input<'_>,
    ) -> Result<Vec<Entry>, String> {
        let wanted = wanted(&step.params).ok_or("the script names no object that is taken in")?;
        if let Input::Outcome(Outcome::DevicesLookedFor { .. }) = input {
            state.local.moment = LOOKED;
            return Ok(Vec::new());
        }
        let judge = |octets: &[u8]| judge(plan, wanted.kind, octets);
        let taken = taking_in::take(plan, step, state, input, &wanted, &judge)?;
        if wanted.kind == Kind::Order && state.local.moment == 0 {
            can_be_carried_out(plan, step, state, &wanted.name, moment.time)?;
        }
        if let Some(taken) = taken {
            let kind = wanted.kind.word().to_owned();
            state.objects.insert(wanted.name, ObjectState { kind, octets: taken.octets, sha256: taken.sha256 });
        }
        Ok(Vec::new())
    }

    fn lost(&self, state: &mut State, _: &Effect) {
        // Another order may come in its place.
        state.local = Local { excepted: state.local.excepted, ..Local::default() };
    }
}

/// Devices of an order are looked for in what was issued before, where anything was: those of one for a factory's own authority too. Requests are
/// looked at when they are judged; what their order replaces, here.
fn look_for_devices(room: &Room<'_>, name: &str) -> Option<StepNext> {
    let (order, sha256) = batch::order(room.state, name).ok()?;
    let (bundles, logs) = batch::issued_before(room.state, None);
    let made = issue_bundle::carries_out(room.plan, name).next().is_some()
        && (order.mode == Mode::Injected || order.replaces.is_some());
    let needed = (made || delegate::hands_over(room.plan, name)) && !(bundles.is_empty() && logs.is_empty());
    needed.then(|| StepNext::Do(Box::new(Effect::LookForDevices { order: name.to_owned(), sha256, bundles, logs })))
}

/// An order that just came in is refused here, with every reason, where the script's steps could not carry it out: no custodian comes for it.
fn can_be_carried_out(plan: &Plan, step: &Step, state: &State, name: &str, now: Instant) -> Result<(), String> {
    let Some(incoming) = &state.local.incoming else { return Ok(()) };
    let octets = crate::basics::digest::hex_decode(&incoming.octets).unwrap_or_default();
    let Ok(order) = Order::parse(&octets) else { return Ok(()) };
    let mut problems = issue_bundle::refuses_order(plan, state, name, &order);
    let used = issue_bundle::carries_out(plan, name).next().is_some() || delegate::hands_over(plan, name);
    if used {
        let withdrawn = batch::withdrawn(state)?;
        let refused = refuses(&state.factories, &withdrawn, plan.realm, &order, incoming.sha256, now);
        // What an enrolment says is judged where no later step of the script gives another.
        let mut later = plan.steps.iter().skip_while(|later| later.id != step.id);
        let enrolled =
            !later.any(|later| later.kind == "enrol-factory" && kind::text(&later.params, "factory") == order.factory);
        let holds = |class: Class, what: &str| match class {
            Class::Replay => true,
            Class::Expired if what == "order: expires" => true,
            Class::Expired | Class::Quota | Class::WrongFactory => enrolled,
            _ => false,
        };
        problems.extend(refused.iter().filter(|one| holds(one.class, &one.what)).map(ToString::to_string));
    }
    if problems.is_empty() { Ok(()) } else { Err(format!("order {name}: {}", problems.join("; "))) }
}

/// What is no order or enrolment of this realm does not come in; what is one is shown line by line. Times and quotas are judged when its digest is given.
fn judge(plan: &Plan, kind: Kind, octets: &[u8]) -> Result<Vec<Line>, String> {
    match kind {
        Kind::Order => {
            let order = Order::parse(octets).map_err(|problems| {
                let each: Vec<String> = problems.iter().map(ToString::to_string).collect();
                each.join("; ")
            })?;
            if order.realm != plan.realm {
                return Err(format!("order: realm: expected {}, found {} (wrong-realm)", plan.realm, order.realm));
            }
            Ok(batch::order_lines(&order))
        }
        Kind::Enrolment => enrol_factory::judge(plan, octets),
        Kind::Requests => {
            let signed = Statement::read(octets, plan.realm).map_err(|e| e.to_string())?;
            Ok(judge_requests::statement_lines(&signed.statement))
        }
        Kind::IssuanceLog => {
            let signed = LogStatement::read(octets, plan.realm).map_err(|e| e.to_string())?;
            Ok(check_log::statement_lines(&signed.statement))
        }
        Kind::Receipt => {
            let said = Returned::parse(octets).map_err(|e| e.to_string())?.receipt;
            Ok(vec![
                Line::value("factory", &said.factory),
                Line::value("bundle", &said.bundle.to_string()),
                Line::value("receipt", &format!("number {}, made {}", said.sequence, said.made)),
            ])
        }
        _ => Ok(Vec::new()),
    }
}
