//! `issue-crl`: an authority's first revocation list, empty, approved from its rendered content and digest.

use crate::basics::digest::{hex_decode, hex_encode};
use crate::ceremony::effect::{Effect, Operation, crl_request, parse_certificate};
use crate::ceremony::event::{Moment, Outcome};
use crate::ceremony::prompt::Line;
use crate::ceremony::state::State;
use crate::ceremony::steps::{Input, Room, StepMachine, StepNext, issue};
use crate::pki::{CertificateList, lint, render};
use crate::plan::{Plan, Step};
use crate::script::{Fact, NameOf, RoomRules, Shape, StepKey, StepKind, kind, kind::Params};
use crate::transcript::Entry;

pub struct IssueCrl;

impl StepKind for IssueCrl {
    fn word(&self) -> &'static str {
        "issue-crl"
    }
    fn summary(&self) -> &'static str {
        "The authority's first CRL, with nothing revoked, is shown, approved by digest, signed, verified and written."
    }
    fn keys(&self) -> &'static [StepKey] {
        &[
            StepKey {
                name: "authority",
                shape: Shape::Name(NameOf::Authority),
                needed: true,
                meaning: "name of an [[authority]]",
            },
            StepKey {
                name: "this_update",
                shape: Shape::Date,
                needed: true,
                meaning: "thisUpdate, a date like \"2026-11-22T00:00:00Z\"",
            },
            StepKey {
                name: "next_update",
                shape: Shape::Date,
                needed: true,
                meaning: "nextUpdate, within the profile's days",
            },
        ]
    }
    fn room(&self, params: &Params, _: &dyn Fn(&str) -> Option<String>) -> RoomRules {
        let authority = kind::text(params, "authority").to_owned();
        RoomRules {
            needs: vec![Fact::RootIssued(authority.clone())],
            first: vec![Fact::CrlIssued(authority.clone())],
            gives: vec![Fact::CrlIssued(authority)],
            ..RoomRules::default()
        }
    }
    fn confirmers(&self) -> usize {
        1
    }
    fn activity(&self, params: &Params) -> Vec<String> {
        vec![
            format!(
                "Read the CRL of {} on the screen: number 1, from {} until {}, nothing revoked.",
                kind::text(params, "authority"),
                kind::text(params, "this_update"),
                kind::text(params, "next_update")
            ),
            "Each approver types the first three words of the operation digest.".to_owned(),
        ]
    }
    fn uses_strongroom(&self) -> bool {
        true
    }
}

impl StepMachine for IssueCrl {
    fn next(&self, room: &Room<'_>) -> StepNext {
        let name = kind::text(&room.step.params, "authority");
        let local = &room.state.local;
        if local.moment <= issue::SIGN
            && let Some(step) = issue::unlock(room, name)
        {
            return step;
        }
        let Some(authority) = room.state.authorities.get(name) else { return StepNext::Done };
        if local.moment == issue::PREPARE {
            // The operation is bound to the head, so somebody must have acted since: both people see what comes.
            return super::asking::ask_all(
                room,
                &format!("Next: CRL 1 of {name}"),
                vec![
                    Line::value("from", kind::text(&room.step.params, "this_update")),
                    Line::value("until", kind::text(&room.step.params, "next_update")),
                    Line::text(
                        "Nothing is revoked. An empty list now proves later that the list was kept from the first day.",
                    ),
                ],
                "the CRL is shown as it will be signed",
            );
        }
        let mut lines = Vec::new();
        if local.moment == issue::APPROVE
            && let Some(operation) = &local.operation
            && let Ok((_, tbs)) = issue::operation_digest(room.plan, authority, operation)
        {
            match render::crl_tbs_lines(&tbs) {
                Ok(rendered) => lines.extend(rendered.iter().map(|(label, value)| Line::value(label, value))),
                Err(error) => lines.push(Line::text(&error.to_string())),
            }
        }
        issue::next_after_prepared(room, lines, &format!("{name}.1.crl.pem"))
    }

    fn take(
        &self,
        plan: &Plan,
        step: &Step,
        state: &mut State,
        moment: &Moment,
        input: &Input<'_>,
    ) -> Result<Vec<Entry>, String> {
        let name = kind::text(&step.params, "authority");
        if issue::take_unlock(state, name, input)? {
            return Ok(Vec::new());
        }
        match (state.local.moment, input) {
            (issue::PREPARE, Input::Answer(answer)) => {
                let met = issue::require_quorum(state, name)?;
                if !super::asking::take_all(plan, step, &mut state.local.answered, answer)? {
                    return Ok(Vec::new());
                }
                let made = state.authorities.get(name).ok_or("no key was made for this authority")?;
                let operation = Operation::Crl {
                    authority: name.to_owned(),
                    profile: plan.authority(name).map(|a| a.profile.clone()).unwrap_or_default(),
                    issuer_der: made.certificate.clone(),
                    number: made.crl_number + 1,
                    this_update: kind::date(&step.params, "this_update"),
                    next_update: kind::date(&step.params, "next_update"),
                    step: step.id.clone(),
                    head: moment.head,
                };
                issue::prepare(plan, state, operation, moment, &met)?;
            }
            (issue::APPROVE, Input::Answer(answer)) => issue::take_approval(plan, step, state, answer)?,
            (issue::SIGN, Input::Outcome(Outcome::Signed { der })) => {
                let operation = state.local.operation.clone().ok_or("nothing was approved")?;
                let authority = state.authorities.get_mut(name).ok_or("no key was made for this authority")?;
                let (_, tbs) = issue::operation_digest(plan, authority, &operation)?;
                let octets = hex_decode(der).ok_or("the strongroom gave no CRL")?;
                let list = CertificateList::parse(&octets).map_err(|e| e.to_string())?;
                if list.tbs_der() != tbs {
                    return Err("what was signed is not what was approved".to_owned());
                }
                let issuer = parse_certificate(&authority.certificate)?;
                let profile = plan
                    .authority(name)
                    .and_then(|a| plan.profiles.get(&a.profile))
                    .ok_or("the plan has no profile for this authority")?;
                list.verify(&issuer).map_err(|e| e.to_string())?;
                let clean = lint::lint_crl(&octets, &crl_request(&issuer, &operation)?, profile)
                    .map_err(|findings| issue::found(&findings))?;
                authority.crl_number = list.number();
                issue::to_write(state, list.to_pem().map_err(|e| e.to_string())?, &clean);
                debug_assert_eq!(hex_encode(list.der()), *der);
            }
            (issue::WRITE, Input::Outcome(Outcome::ArtifactWritten { file })) => {
                return Ok(issue::written(step, state, file));
            }
            _ => return Err("expected the words of the operation digest".to_owned()),
        }
        Ok(Vec::new())
    }

    fn lost(&self, state: &mut State, effect: &Effect) {
        if matches!(effect, Effect::Sign { .. }) {
            issue::start_over(state);
        }
    }

    fn strongroom_gone(&self, state: &mut State) {
        issue::start_over(state);
    }
}
