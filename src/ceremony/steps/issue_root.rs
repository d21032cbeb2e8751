//! `issue-root`: the self-signed certificate of an authority, approved from its rendered content and digest.

use crate::basics::digest::{hex_decode, hex_encode};
use crate::ceremony::effect::{Effect, Operation, root_request};
use crate::ceremony::event::{Moment, Outcome};
use crate::ceremony::state::State;
use crate::ceremony::steps::{Input, Room, Signs, StepMachine, StepNext, issue};
use crate::pki::additions::{Additions, Policy};
use crate::pki::{Certificate, lint, oids};
use crate::plan::{Plan, Step};
use crate::script::{Fact, Lookup, NameOf, RoomRules, Shape, StepKey, StepKind, kind, kind::Params};
use crate::transcript::Entry;

pub struct IssueRoot;

impl StepKind for IssueRoot {
    fn word(&self) -> &'static str {
        "issue-root"
    }
    fn summary(&self) -> &'static str {
        "The authority's self-signed certificate is shown, approved by digest, signed, verified and written."
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
        RoomRules {
            needs: vec![
                Fact::KeyMade(authority.clone()),
                Fact::SharesProven(quorum.clone()),
                Fact::SharesConsistent(quorum),
            ],
            first: vec![Fact::AuthorityCertified(authority.clone())],
            gives: vec![Fact::AuthorityCertified(authority)],
            ..RoomRules::default()
        }
    }
    fn confirmers(&self) -> usize {
        1
    }
    fn activity(&self, params: &Params) -> Vec<String> {
        vec![
            format!(
                "Read every line of the certificate of {} on the screen against the sheet.",
                kind::text(params, "authority")
            ),
            "Each approver types the first three words of the operation digest.".to_owned(),
        ]
    }
    fn uses_strongroom(&self) -> bool {
        true
    }
}

impl StepMachine for IssueRoot {
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
            return StepNext::Do(Box::new(Effect::ReserveSerial {
                authority: name.to_owned(),
                index: room.state.serials,
            }));
        }
        let lines = match (local.moment, &local.operation) {
            (issue::APPROVE, Some(operation)) => issue::rendered(room.plan, authority, operation),
            _ => Vec::new(),
        };
        issue::next_after_prepared(room, lines, &format!("{name}.crt.pem"))
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
        if issue::take_unlock(plan, step, state, moment, input, name)? {
            return Ok(Vec::new());
        }
        match (state.local.moment, input) {
            (issue::PREPARE, Input::Outcome(Outcome::Serial { serial, index })) => {
                let met = issue::require_quorum(state, name)?;
                let planned = plan.authority(name).ok_or("the plan has no such authority")?;
                let made = state.authorities.get(name).ok_or("no key was made for this authority")?;
                state.serials = index + 1;
                let profile =
                    plan.profiles.get(&planned.profile).ok_or("the plan has no profile for this authority")?;
                let own = profile.additions(plan.realm, &plan.oid_arc, oids::REHEARSAL_POLICY);
                let mark = Additions { policies: vec![Policy::plain(&plan.policy_oid)], ..Additions::default() };
                let marked = plan.realm.is_rehearsal() && own == mark;
                let operation = Operation::RootCertificate {
                    authority: name.to_owned(),
                    profile: planned.profile.clone(),
                    subject: Box::new(planned.subject.clone()),
                    public_key: hex_encode(made.public_key.spki_der()),
                    not_before: planned.not_before,
                    not_after: planned.not_after,
                    serial: serial.clone(),
                    policy_oid: if marked { plan.policy_oid.clone() } else { String::new() },
                    additions: (!marked && own != Additions::default()).then(|| Box::new(own)),
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
                let octets = hex_decode(der).ok_or("the strongroom gave no certificate")?;
                let certificate = Certificate::parse(&octets).map_err(|e| e.to_string())?;
                if certificate.tbs_der() != tbs {
                    return Err("what was signed is not what was approved".to_owned());
                }
                if certificate.public_key() != Some(&authority.public_key) {
                    return Err("the certificate carries another key".to_owned());
                }
                certificate.verify_self_signed().map_err(|e| e.to_string())?;
                let request = root_request(plan.realm, &plan.profiles, &operation)?;
                let clean = lint::lint_certificate(&octets, &request).map_err(|findings| issue::found(&findings))?;
                authority.certificate = hex_encode(&octets);
                issue::to_write(state, step, certificate.to_pem().map_err(|e| e.to_string())?, &clean);
            }
            (issue::WRITE, Input::Outcome(Outcome::ArtifactWritten { file })) => {
                return Ok(issue::written(step, state, file));
            }
            _ => return Err("expected the words of the operation digest".to_owned()),
        }
        Ok(Vec::new())
    }

    fn signs(&self, _: &Plan, step: &Step, _: &State) -> Option<Signs> {
        let authority = kind::text(&step.params, "authority").to_owned();
        let title = format!("the root certificate of {authority}");
        Some(Signs { authority, title, serial: true })
    }

    fn lost(&self, state: &mut State, effect: &Effect) {
        match effect {
            Effect::ReserveSerial { index, .. } => state.serials = state.serials.max(index + 1),
            Effect::Sign { .. } => issue::start_over(state),
            _ => {}
        }
    }

    fn strongroom_gone(&self, state: &mut State) {
        issue::start_over(state);
    }
}
