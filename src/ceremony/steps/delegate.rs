//! `delegate`: an authority in a factory's own module may carry out an order. It is certified by this script, from the factory's request, and
//! what its certificate cannot hold is judged here: the order, the quota, a short life, names and purposes. What it issues comes back in logs
//! (`check-log`).

use crate::basics::{Digest, Instant, canonical, limits};
use crate::ceremony::batch;
use crate::ceremony::effect::Effect;
use crate::ceremony::event::{Moment, Outcome};
use crate::ceremony::prompt::{Ask, Line, Prompt};
use crate::ceremony::state::State;
use crate::ceremony::steps::{Input, Room, StepMachine, StepNext, asking, issue};
use crate::factory::{Class, Mode, Order, Refusal};
use crate::pki::instants;
use crate::plan::standing::StandingDelegated;
use crate::plan::standing::factory::refuses;
use crate::plan::{CertifiedKey, Plan, PlannedCertificate, Step};
use crate::script::{Fact, Lookup, NameOf, RoomRules, Shape, StepKey, StepKind, kind, kind::Params};
use crate::transcript::Entry;

pub struct Delegate;

/// Moments.
const LOOK: u32 = 0;
const WRITE: u32 = issue::WRITE;

impl StepKind for Delegate {
    fn word(&self) -> &'static str {
        "delegate"
    }
    fn summary(&self) -> &'static str {
        "An order goes to an authority in the factory's own module, which this script certifies: short-lived, constrained, and within the quota."
    }
    fn keys(&self) -> &'static [StepKey] {
        &[
            StepKey {
                name: "certificate",
                shape: Shape::Name(NameOf::Certificate),
                needed: true,
                meaning: "name of a [[certificate]] with a `request`: the authority in the factory's module",
            },
            StepKey {
                name: "order",
                shape: Shape::Text,
                needed: true,
                meaning: "name of an order of mode delegated that a step `take-object` took in",
            },
            StepKey {
                name: "factory",
                shape: Shape::Text,
                needed: true,
                meaning: "whose module it is: enrolled here or in an earlier ceremony",
            },
        ]
    }
    fn room(&self, params: &Params, lookup: &dyn Lookup) -> RoomRules {
        let (certificate, factory) =
            (kind::text(params, "certificate").to_owned(), kind::text(params, "factory").to_owned());
        let delegated = Fact::OrderDelegated(certificate.clone());
        let mut needs = vec![
            Fact::PeoplePresent,
            Fact::MachineChecked,
            Fact::ClockConfirmed,
            Fact::ObjectTaken(kind::text(params, "order").to_owned()),
        ];
        if lookup.enrols(&factory) {
            needs.push(Fact::FactoryEnrolled(factory));
        }
        RoomRules {
            needs,
            first: vec![delegated.clone(), Fact::CertificateIssued(certificate)],
            gives: vec![delegated],
            ..RoomRules::default()
        }
    }
    fn confirmers(&self) -> usize {
        1
    }
    fn activity(&self, params: &Params) -> Vec<String> {
        let (certificate, order) = (kind::text(params, "certificate"), kind::text(params, "order"));
        vec![
            format!("Read every line of order {order}, and how long authority {certificate} lives."),
            "Nothing in its certificate caps how many it issues: its logs come back and are checked.".to_owned(),
        ]
    }
}

impl StepMachine for Delegate {
    fn next(&self, room: &Room<'_>) -> StepNext {
        let (state, params) = (room.state, &room.step.params);
        let name = kind::text(params, "certificate");
        match state.local.moment {
            // What has to do with the time is judged when somebody answers.
            LOOK => match judged(room.plan, state, params, Instant(0)) {
                Ok(Judged { order, planned, digest }) => {
                    let mut lines = batch::order_lines(&order);
                    lines.push(Line::digest("order", digest));
                    lines.push(Line::value(
                        "authority",
                        &format!("{name}, {} to {}", planned.not_before, planned.not_after),
                    ));
                    lines.push(Line::text(
                        "X.509 cannot cap how many it issues: every certificate must come back in its logs.",
                    ));
                    asking::ask_all(room, &format!("May {name} carry out this order?"), lines, "it is written down")
                }
                Err(problem) => refused(room, &problem),
            },
            WRITE => StepNext::Do(Box::new(Effect::WriteArtifact {
                name: delegated_file(name),
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
        moment: &Moment,
        input: &Input<'_>,
    ) -> Result<Vec<Entry>, String> {
        match (state.local.moment, input) {
            (LOOK, Input::Answer(answer)) => {
                let Judged { order, planned, digest } = judged(plan, state, &step.params, moment.time)?;
                let delegated = StandingDelegated {
                    name: planned.name.clone(),
                    order: digest,
                    product: order.product,
                    sku: order.sku,
                    firmware: order.firmware,
                    profile: order.profile,
                    count: order.count,
                    expires: order.expires,
                    ceremony: plan.ceremony.clone(),
                    certificate: None,
                    logs: Vec::new(),
                };
                if asking::take_all(plan, step, &mut state.local.answered, answer)? {
                    let factory = state.factories.get_mut(&order.factory).ok_or("the factory was not enrolled")?;
                    let said = serde_json::json!({
                        "format": "anchorite-delegated/1", "factory": order.factory, "delegated": delegated,
                    });
                    factory.delegated.push(delegated);
                    let octets = canonical::to_octets(&said).map_err(|e| e.to_string())?;
                    state.local.content = String::from_utf8(octets).map_err(|_| "the order is no text")?;
                    state.local.moment = WRITE;
                }
                Ok(Vec::new())
            }
            (WRITE, Input::Outcome(Outcome::ArtifactWritten { file })) => Ok(issue::written(step, state, file)),
            _ => Err("expected initials".to_owned()),
        }
    }
}

/// The artefact that says what an authority may carry out.
fn delegated_file(certificate: &str) -> String {
    format!("{certificate}.delegated.json")
}

struct Judged<'p> {
    order: Order,
    digest: Digest,
    planned: &'p PlannedCertificate,
}

/// The order and the certificate, where nothing speaks against them at this time.
fn judged<'p>(plan: &'p Plan, state: &State, params: &Params, now: Instant) -> Result<Judged<'p>, String> {
    let (order, digest) = batch::order(state, kind::text(params, "order"))?;
    let (name, factory) = (kind::text(params, "certificate"), kind::text(params, "factory"));
    let planned = plan.certificate(name).ok_or_else(|| format!("the script certifies no {name}"))?;
    let mut found = refuses(&state.factories, &batch::withdrawn(state)?, plan.realm, &order, digest, now);
    let mut expect = |holds: bool, class: Class, what: String, expected: &str, said: &dyn ToString| {
        if !holds {
            found.push(Refusal::new(class, what, expected, said.to_string()));
        }
    };
    expect(order.mode == Mode::Delegated, Class::Policy, "order: mode".to_owned(), "delegated", &order.mode);
    expect(order.factory == factory, Class::WrongFactory, "order: factory".to_owned(), factory, &order.factory);
    let of_request = matches!(planned.of, CertifiedKey::Request(_));
    let what = |what: &str| format!("certificate {name}: {what}");
    expect(of_request, Class::Policy, what("key"), "that of a request: it is in the factory's module", &"another");
    let longest = instants::days_after(planned.not_before, limits::DELEGATED_DAYS);
    let short = format!("at most {} days", limits::DELEGATED_DAYS);
    expect(
        planned.not_after <= longest,
        Class::Policy,
        what("life"),
        &short,
        &format!("an end at {}", planned.not_after),
    );
    let late = format!("until {} at least, when the order is to be done", order.expires);
    expect(planned.not_after >= order.expires, Class::Policy, what("life"), &late, &planned.not_after);
    match plan.profiles.get(&planned.profile) {
        None => return Err(format!("there is no profile {}", planned.profile)),
        Some(profile) => {
            let constrained = profile
                .name_constraints
                .as_ref()
                .is_some_and(|names| !names.permitted.is_empty() || !names.excluded.is_empty());
            let none = &"none";
            expect(profile.path_len == Some(0), Class::Policy, what("path length"), "0", &"another, or none");
            expect(constrained, Class::Policy, what("name constraints"), "some", none);
            expect(!profile.extended_key_usages.is_empty(), Class::Policy, what("extended key usages"), "some", none);
        }
    }
    if found.is_empty() {
        return Ok(Judged { order, digest, planned });
    }
    let each: Vec<String> = found.iter().map(ToString::to_string).collect();
    Err(each.join("; "))
}

fn refused(room: &Room<'_>, problem: &str) -> StepNext {
    StepNext::Ask(Box::new(Prompt {
        lines: vec![
            Line::Bad { text: crate::basics::SafeText::of(problem) },
            Line::text("Nobody may carry it out. Open an exception with `!`, or stop the ceremony."),
        ],
        ..asking::prompt_for(
            &room.step.who,
            "This order is refused",
            Ask::Text { label: "`!` opens an exception".to_owned(), example: String::new() },
        )
    }))
}
