//! `issue-certificate`: an authority certifies another key: one made here, one that came in as a request, another authority's, or
//! one it certified before. Shown, approved by digest, signed, verified with the key in the issuer's certificate, written once.

use crate::basics::Realm;
use crate::basics::digest::{hex_decode, hex_encode};
use crate::ceremony::effect::{
    Certified, Effect, Operation, certificate_request, certificate_title, parse_certificate,
};
use crate::ceremony::event::{Moment, Outcome};
use crate::ceremony::prompt::Line;
use crate::ceremony::state::{AuthorityState, State};
use crate::ceremony::steps::{Input, Room, Signs, StepMachine, StepNext, issue, unlocking};
use crate::keys::SubjectKey;
use crate::pki::name::{Subject, marked};
use crate::pki::request::{self, Acceptable, Known};
use crate::pki::{Certificate, lint, oids};
use crate::plan::standing::Issued;
use crate::plan::standing::delegated::DelegatedCertificate;
use crate::plan::{CertifiedKey, Plan, PlannedCertificate, Step};
use crate::script::{Fact, Lookup, NameOf, RoomRules, Shape, StepKey, StepKind, kind, kind::Params};
use crate::transcript::Entry;

pub struct IssueCertificate;

/// Milliseconds by which a certificate may begin before it is signed (CA/B BR 7.1.2.7: 48 hours).
const BACKDATED: u64 = 48 * 3_600_000;

impl StepKind for IssueCertificate {
    fn word(&self) -> &'static str {
        "issue-certificate"
    }
    fn summary(&self) -> &'static str {
        "A certificate of the script is shown, approved by digest, signed by its issuer, verified and written."
    }
    fn keys(&self) -> &'static [StepKey] {
        &[StepKey {
            name: "certificate",
            shape: Shape::Name(NameOf::Certificate),
            needed: true,
            meaning: "name of a [[certificate]]",
        }]
    }
    fn room(&self, params: &Params, lookup: &dyn Lookup) -> RoomRules {
        let name = kind::text(params, "certificate").to_owned();
        let mut rules = RoomRules {
            first: vec![Fact::CertificateIssued(name.clone())],
            gives: vec![Fact::CertificateIssued(name.clone())],
            ..RoomRules::default()
        };
        let Some(certifying) = lookup.certified(&name) else { return rules };
        rules.needs.push(Fact::AuthorityCertified(certifying.issuer.clone()));
        if lookup.stands(&certifying.issuer) {
            rules.needs.push(Fact::Unlocked(certifying.issuer));
        }
        if let Some(authority) = certifying.authority {
            rules.needs.push(Fact::KeyMade(authority.clone()));
            rules.needs.push(Fact::SharesConsistent(lookup.quorum_of(&authority).unwrap_or_default()));
            rules.first.push(Fact::AuthorityCertified(authority.clone()));
            rules.gives.push(Fact::AuthorityCertified(authority));
        }
        rules.needs.extend(certifying.request.map(Fact::RequestTaken));
        // No exception certifies an authority in a factory's module whose order was refused.
        rules.needs.extend(certifying.delegated.then_some(Fact::OrderDelegated(name)));
        if let Some(cross) = certifying.cross {
            let here = lookup.quorum_of(&cross).is_some();
            rules.needs.push(if here { Fact::AuthorityCertified(cross) } else { Fact::ObjectTaken(cross) });
        }
        rules
    }
    fn confirmers(&self) -> usize {
        1
    }
    fn activity(&self, params: &Params) -> Vec<String> {
        vec![
            format!(
                "Read every line of certificate {} on the screen against the sheet.",
                kind::text(params, "certificate")
            ),
            "Each approver types the first three words of the operation digest.".to_owned(),
        ]
    }
    fn uses_strongroom(&self) -> bool {
        true
    }
}

impl StepMachine for IssueCertificate {
    fn next(&self, room: &Room<'_>) -> StepNext {
        let Some(planned) = planned(room.plan, room.step) else { return StepNext::Done };
        let local = &room.state.local;
        if local.moment <= issue::SIGN
            && let Some(step) = issue::unlock(room, &planned.issuer)
        {
            return step;
        }
        let Some(authority) = room.state.authorities.get(&planned.issuer) else { return StepNext::Done };
        let Some((operation, _)) = issue::current(room.state, room.step) else {
            return StepNext::Do(Box::new(Effect::ReserveSerial {
                authority: planned.issuer.clone(),
                index: room.state.serials,
            }));
        };
        let lines = match local.moment {
            issue::PREPARE | issue::APPROVE => shown(room, authority, planned, operation),
            _ => Vec::new(),
        };
        issue::next_after_prepared(room, lines, &format!("{}.crt.pem", planned.name))
    }

    fn take(
        &self,
        plan: &Plan,
        step: &Step,
        state: &mut State,
        moment: &Moment,
        input: &Input<'_>,
    ) -> Result<Vec<Entry>, String> {
        let planned = planned(plan, step).ok_or("the plan has no such certificate")?;
        if issue::take_unlock(plan, step, state, moment, input, &planned.issuer)? {
            return Ok(Vec::new());
        }
        match (state.local.moment, input) {
            (issue::PREPARE, Input::Outcome(Outcome::Serial { serial, index })) => {
                let met = issue::require_quorum(state, &planned.issuer)?;
                state.serials = index + 1;
                let operation = self.operation(plan, step, state, serial, moment)?;
                issue::prepare(plan, state, operation, moment, &met)?;
            }
            (issue::APPROVE, Input::Answer(answer)) => issue::take_approval(plan, step, state, answer)?,
            (issue::SIGN, Input::Outcome(Outcome::Signed { der })) => signed(plan, step, state, planned, der)?,
            (issue::WRITE, Input::Outcome(Outcome::ArtifactWritten { file })) => {
                return Ok(issue::written(step, state, file));
            }
            _ => return Err("expected the words of the operation digest".to_owned()),
        }
        Ok(Vec::new())
    }

    fn signs(&self, plan: &Plan, step: &Step, _: &State) -> Option<Signs> {
        let planned = planned(plan, step)?;
        let title = certificate_title(&planned.name, &planned.issuer);
        Some(Signs { authority: planned.issuer.clone(), title, serial: true })
    }

    fn operation(
        &self,
        plan: &Plan,
        step: &Step,
        state: &State,
        serial: &str,
        moment: &Moment,
    ) -> Result<Operation, String> {
        let planned = planned(plan, step).ok_or("the plan has no such certificate")?;
        let issuer = state.authorities.get(&planned.issuer).ok_or("no key was made for the issuer")?;
        let profile =
            plan.profiles.get(&planned.profile).ok_or_else(|| format!("there is no profile {}", planned.profile))?;
        let mut additions = profile.additions(plan.realm, &plan.oid_arc, oids::REHEARSAL_POLICY);
        if !planned.crl_url.is_empty() {
            additions.crl_urls = vec![planned.crl_url.clone()];
        }
        if !planned.issuer_url.is_empty() {
            additions.issuer_urls = vec![planned.issuer_url.clone()];
        }
        let subject = certified(plan, state, planned)?;
        if planned.not_after <= moment.time {
            return Err(format!(
                "certificate {} would end at {}, and the confirmed clock says {}",
                planned.name, planned.not_after, moment.time
            ));
        }
        // A script is written for its day: a certificate that begins long before it was signed says something untrue.
        if plan.realm == Realm::Production && planned.not_before.0.saturating_add(BACKDATED) < moment.time.0 {
            return Err(format!(
                "certificate {} would begin at {}, more than two days before the confirmed clock's {}",
                planned.name, planned.not_before, moment.time
            ));
        }
        Ok(Operation::Certificate {
            authority: planned.issuer.clone(),
            name: planned.name.clone(),
            profile: planned.profile.clone(),
            issuer_der: issuer.certificate.clone(),
            subject,
            not_before: planned.not_before,
            not_after: planned.not_after,
            serial: serial.to_owned(),
            additions,
            step: step.id.clone(),
            head: moment.head,
        })
    }

    fn lost(&self, state: &mut State, effect: &Effect) {
        match effect {
            Effect::Sign { .. } => issue::start_over(state),
            other => unlocking::lost(state, other),
        }
    }

    fn strongroom_gone(&self, state: &mut State) {
        issue::start_over(state);
    }
}

fn planned<'p>(plan: &'p Plan, step: &Step) -> Option<&'p PlannedCertificate> {
    plan.certificate(kind::text(&step.params, "certificate"))
}

/// Whose key, under which name.
fn certified(plan: &Plan, state: &State, planned: &PlannedCertificate) -> Result<Certified, String> {
    let named = || planned.subject.clone().map(Box::new).ok_or("the script names no subject".to_owned());
    match &planned.of {
        CertifiedKey::Authority(name) => {
            let made = state.authorities.get(name).ok_or_else(|| format!("no key was made for {name}"))?;
            issue::require_quorum(state, name)?;
            Ok(Certified::Key { subject: named()?, public_key: hex_encode(made.public_key.spki_der()) })
        }
        CertifiedKey::Request(name) => {
            let request = request_of(plan, state, name)?;
            never_before(state, request.key())?;
            // Where the script lets it, the request names itself; a rehearsal marks that name like any other.
            let subject = match named() {
                Ok(subject) => subject,
                Err(_) => {
                    let own = Subject::from_der(request.subject_der()).map_err(|e| e.to_string())?;
                    Box::new(marked(plan.realm, &own))
                }
            };
            Ok(Certified::Key { subject, public_key: hex_encode(request.key().spki_der()) })
        }
        CertifiedKey::Cross(name) => Ok(Certified::Cross { of: crossed(plan, state, name)? }),
        CertifiedKey::SameKey { certificate, request } => {
            let old = issued(state, certificate)?;
            not_delegated(state, certificate)?;
            if !request.is_empty() && requested(plan, state, request)? != *old.subject_key() {
                return Err(format!(
                    "request {request} has another key than {certificate}: expected the same, as the script says"
                ));
            }
            renewed(&old, old.subject_key())
        }
        CertifiedKey::NewKey { certificate, request } => {
            let (old, key) = (issued(state, certificate)?, requested(plan, state, request)?);
            not_delegated(state, certificate)?;
            if key == *old.subject_key() {
                return Err(format!(
                    "request {request} has the key of {certificate}: expected a new one, as the script says"
                ));
            }
            never_before(state, &key)?;
            renewed(&old, &key)
        }
    }
}

/// An authority in a factory's module ends when it ends: that is what bounds it. The next one gets an order of its own.
fn not_delegated(state: &State, name: &str) -> Result<(), String> {
    let mut delegated = state.factories.values().flat_map(|factory| &factory.delegated);
    match delegated.find(|own| own.name == name) {
        Some(own) => Err(format!(
            "{name} carries out order {}: it is not renewed; a step `delegate` hands the next order to another authority",
            own.order
        )),
        None => Ok(()),
    }
}

fn renewed(old: &Certificate, key: &SubjectKey) -> Result<Certified, String> {
    let subject = Box::new(old.subject().map_err(|e| e.to_string())?);
    Ok(Certified::Key { subject, public_key: hex_encode(key.spki_der()) })
}

/// A request that came in, was judged and compared: judged once more, by the rules alone.
fn request_of(plan: &Plan, state: &State, name: &str) -> Result<Acceptable, String> {
    let request = state.requests.get(name).ok_or_else(|| format!("request {name} has not come in"))?;
    let der = hex_decode(&request.der).ok_or("the request is not hexadecimal")?;
    let rules = plan.requests.get(name).cloned().unwrap_or_default();
    let judged = request::judge(&der, &rules, &Known::default());
    judged.acceptable.ok_or_else(|| {
        let reasons: Vec<String> = judged.reasons.iter().map(ToString::to_string).collect();
        format!("request {name}: {}", reasons.join("; "))
    })
}

fn requested(plan: &Plan, state: &State, name: &str) -> Result<SubjectKey, String> {
    request_of(plan, state, name).map(|request| request.key().clone())
}

/// No key is certified twice unasked: not one this chain certified, nor one of its own authorities, nor one that a list holds for
/// which a key is being opened.
fn never_before(state: &State, key: &SubjectKey) -> Result<(), String> {
    let wanted = hex_encode(key.spki_der());
    let listed = state.unlocking.values().flat_map(|unlocking| &unlocking.list);
    for operation in listed.map(|prepared| &prepared.operation) {
        if let Operation::Certificate { name, subject: Certified::Key { public_key, .. }, .. } = operation
            && *public_key == wanted
        {
            return Err(format!("the key {} is certified by {name} already: expected a new one", key.digest()));
        }
    }
    if state.keys.contains(&key.digest()) {
        return Err(format!(
            "the key {} has been certified before, or is one of this chain: expected a new one",
            key.digest()
        ));
    }
    Ok(())
}

/// The certificate whose name and key are taken over: an authority's own, or one that came in.
fn crossed(plan: &Plan, state: &State, name: &str) -> Result<String, String> {
    if let Some(made) = state.authorities.get(name).filter(|_| plan.authority(name).is_some()) {
        return Ok(made.certificate.clone());
    }
    let object = state.objects.get(name).ok_or_else(|| format!("{name} has not come in"))?;
    if object.kind != crate::transfer::envelope::Kind::Certificate.word() {
        return Err(format!("{name}: expected a certificate, found a {}", object.kind));
    }
    let certificate = parse_certificate(&object.octets).map_err(|e| format!("{name}: {e}"))?;
    certificate.verify_self_signed().map_err(|e| format!("{name}: {e}"))?;
    Ok(object.octets.clone())
}

/// A certificate the chain issued.
fn issued(state: &State, name: &str) -> Result<Certificate, String> {
    let mut found = state.authorities.values().flat_map(|made| &made.issued).filter(|issued| issued.name == name);
    match (found.next_back(), found.next()) {
        (Some(last), None) => parse_certificate(&last.certificate),
        (None, _) => Err(format!("{name}: no certificate of this name was issued in this chain")),
        _ => Err(format!("{name}: more than one certificate has this name")),
    }
}

/// The certificate as it will be signed, and where its key comes from.
fn shown(
    room: &Room<'_>,
    authority: &AuthorityState,
    planned: &PlannedCertificate,
    operation: &Operation,
) -> Vec<Line> {
    let mut lines = Vec::new();
    match &planned.of {
        CertifiedKey::Authority(name) => lines.push(Line::value("key", &format!("made here, of {name}"))),
        CertifiedKey::Request(name) => lines.push(Line::value("key", &format!("of request {name}"))),
        CertifiedKey::Cross(name) => {
            lines.push(Line::value(
                "key",
                &format!("that of {name}, with its name and key identifier, octet for octet"),
            ));
        }
        CertifiedKey::SameKey { certificate, .. } => {
            lines.push(Line::value("key", &format!("the same as in {certificate}, which this renews")));
        }
        CertifiedKey::NewKey { certificate, request } => {
            lines.push(Line::value("key", &format!("a new one, of request {request}; renews {certificate}")));
        }
    }
    if let CertifiedKey::Request(name) | CertifiedKey::NewKey { request: name, .. } = &planned.of
        && let Some(request) = room.state.requests.get(name)
    {
        lines.push(Line::digest("request", request.sha256));
    }
    lines.extend(issue::rendered(room.plan, authority, operation));
    lines
}

/// What came back is what was approved, verifies with the key in the issuer's certificate, and is linted again.
fn signed(plan: &Plan, step: &Step, state: &mut State, planned: &PlannedCertificate, der: &str) -> Result<(), String> {
    let operation = state.local.operation.clone().ok_or("nothing was approved")?;
    let issuing = state.authorities.get(&planned.issuer).ok_or("no key was made for the issuer")?;
    let (_, tbs) = issue::operation_digest(plan, issuing, &operation)?;
    let octets = hex_decode(der).ok_or("the strongroom gave no certificate")?;
    let certificate = Certificate::parse(&octets).map_err(|e| e.to_string())?;
    if certificate.tbs_der() != tbs {
        return Err("what was signed is not what was approved".to_owned());
    }
    let issuer = parse_certificate(&issuing.certificate)?;
    certificate.verify(&issuer).map_err(|e| e.to_string())?;
    let request = certificate_request(plan.realm, &plan.profiles, &issuer, &operation)?;
    let clean = lint::lint_certificate(&octets, &request).map_err(|findings| issue::found(&findings))?;
    state.keys.insert(certificate.subject_key().digest());
    if let Some(issuing) = state.authorities.get_mut(&planned.issuer) {
        issuing.issued.push(Issued {
            name: planned.name.clone(),
            serial: hex_encode(certificate.serial()),
            certificate: der.to_owned(),
            step: step.id.clone(),
        });
    }
    // An authority in a factory's module that may carry out an order: from here on its logs are known by this certificate.
    let delegated = state.factories.values_mut().flat_map(|factory| &mut factory.delegated);
    for own in delegated.filter(|own| own.name == planned.name && own.certificate.is_none()) {
        own.certificate = Some(DelegatedCertificate::of(&certificate, &planned.issuer));
    }
    if let CertifiedKey::Authority(name) = &planned.of
        && let Some(own) = state.authorities.get_mut(name)
    {
        der.clone_into(&mut own.certificate);
    }
    issue::to_write(state, step, certificate.to_pem().map_err(|e| e.to_string())?, &clean);
    Ok(())
}
