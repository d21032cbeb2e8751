//! `delegate`: an authority in a factory's own module may carry out an order. It is certified by this script, from the factory's request, or was by
//! an earlier one that handed it none; what its certificate cannot hold is judged here: the order, the quota, a short life, names and purposes.
//! What it issues comes back in logs (`check-log`).

mod authority;

use authority::Authority;

use crate::basics::{Digest, Instant, canonical};
use crate::ceremony::batch;
use crate::ceremony::effect::Effect;
use crate::ceremony::event::{Moment, Outcome};
use crate::ceremony::prompt::Line;
use crate::ceremony::state::State;
use crate::ceremony::steps::{Input, Room, StepMachine, StepNext, asking, issue};
use crate::factory::{Class, Mode, Order, Refusal};
use crate::plan::standing::StandingDelegated;
use crate::plan::standing::factory::refuses;
use crate::plan::{Plan, Step};
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
        "An order goes to an authority in the factory's own module, which this script or an earlier one certifies: short-lived, constrained, and within the quota."
    }
    fn keys(&self) -> &'static [StepKey] {
        &[
            StepKey {
                name: "certificate",
                shape: Shape::Name(NameOf::Certificate),
                needed: false,
                meaning: "name of a [[certificate]] with a `request`: the authority in the factory's module",
            },
            StepKey {
                name: "adopts",
                shape: Shape::Text,
                needed: false,
                meaning: "in its place, name of a certificate that an earlier ceremony issued to the factory's module without an order",
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
    fn one_of(&self) -> &'static [&'static str] {
        &["certificate", "adopts"]
    }
    fn room(&self, params: &Params, lookup: &dyn Lookup) -> RoomRules {
        let (name, factory) = (authority::name(params).to_owned(), kind::text(params, "factory").to_owned());
        let delegated = Fact::OrderDelegated(name.clone());
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
            first: vec![delegated.clone(), Fact::CertificateIssued(name)],
            gives: vec![delegated],
            ..RoomRules::default()
        }
    }
    fn confirmers(&self) -> usize {
        1
    }
    fn activity(&self, params: &Params) -> Vec<String> {
        let (name, order) = (authority::name(params), kind::text(params, "order"));
        vec![
            format!("Read every line of order {order}, and how long authority {name} lives."),
            "Nothing in its certificate caps how many it issues: its logs come back and are checked.".to_owned(),
        ]
    }
}

impl StepMachine for Delegate {
    fn next(&self, room: &Room<'_>) -> StepNext {
        let (state, params) = (room.state, &room.step.params);
        let name = authority::name(params);
        match state.local.moment {
            // What has to do with the time is judged when somebody answers.
            LOOK => match judged(room.plan, state, params, Instant(0)) {
                Ok(Judged { order, digest, authority }) => {
                    let mut lines = batch::order_lines(&order);
                    lines.push(Line::digest("order", digest));
                    let (from, until) = (authority.from, authority.until);
                    lines.push(Line::value("authority", &format!("{name}, {from} to {until}")));
                    if let Some(certificate) = &authority.certificate {
                        lines.push(Line::value("certified", "in an earlier ceremony, which handed it no order"));
                        lines.push(Line::digest("certificate", certificate.sha256));
                    }
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
                let Judged { order, digest, authority } = judged(plan, state, &step.params, moment.time)?;
                let delegated = StandingDelegated {
                    name: authority.name,
                    order: digest,
                    product: order.product,
                    sku: order.sku,
                    firmware: order.firmware,
                    profile: order.profile,
                    count: order.count,
                    expires: order.expires,
                    ceremony: plan.ceremony.clone(),
                    certificate: authority.certificate,
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

/// Whether a step of the script hands over the order of this name.
pub fn hands_over(plan: &Plan, name: &str) -> bool {
    plan.steps.iter().any(|step| step.kind == Delegate.word() && kind::text(&step.params, "order") == name)
}

/// The artefact that says what an authority may carry out.
fn delegated_file(certificate: &str) -> String {
    format!("{certificate}.delegated.json")
}

struct Judged {
    order: Order,
    digest: Digest,
    authority: Authority,
}

/// The order and the authority, where nothing speaks against them at this time.
fn judged(plan: &Plan, state: &State, params: &Params, now: Instant) -> Result<Judged, String> {
    let (order, digest) = batch::order(state, kind::text(params, "order"))?;
    let factory = kind::text(params, "factory");
    let authority = Authority::of(plan, state, params)?;
    let mut found = refuses(&state.factories, &batch::withdrawn(state)?, plan.realm, &order, digest, now);
    if order.mode != Mode::Delegated {
        found.push(Refusal::new(Class::Policy, "order: mode", "delegated", order.mode));
    }
    if order.factory != factory {
        found.push(Refusal::new(Class::WrongFactory, "order: factory", factory, &order.factory));
    }
    found.extend(authority.refusals(&order));
    if found.is_empty() {
        return Ok(Judged { order, digest, authority });
    }
    let each: Vec<String> = found.iter().map(ToString::to_string).collect();
    Err(each.join("; "))
}

fn refused(room: &Room<'_>, problem: &str) -> StepNext {
    asking::refused_for(room, "This order is refused", problem, "Nobody may carry it out.")
}
