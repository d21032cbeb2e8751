//! `issue-crl`: an authority's next list. It continues the latest of the chain: the number rises by one, every entry stays, and
//! people see which are new. The first list of an authority has nothing on it.

use crate::basics::digest::{hex_decode, hex_encode};
use crate::basics::limits;
use crate::ceremony::effect::{BundleRevocation, Effect, Operation, Revocation, crl_request, parse_certificate};
use crate::ceremony::event::{Moment, Outcome};
use crate::ceremony::prompt::Line;
use crate::ceremony::state::{AuthorityState, State};
use crate::ceremony::steps::{Input, Room, Signs, StepMachine, StepNext, issue, unlocking};
use crate::pki::{CertificateList, Revoked, crl, lint};
use crate::plan::standing::Issued;
use crate::plan::standing::factory::{StandingRevoked, Withdrawn};
use crate::plan::{Plan, PlannedRevocation, Step};
use crate::script::{Fact, Lookup, NameOf, RoomRules, Shape, StepKey, StepKind, kind, kind::Params};
use crate::transcript::Entry;
use std::collections::BTreeSet;

pub struct IssueCrl;

impl StepKind for IssueCrl {
    fn word(&self) -> &'static str {
        "issue-crl"
    }
    fn summary(&self) -> &'static str {
        "The authority's next CRL, continuing its latest, is shown with what it adds, approved by digest, signed, verified and written."
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
    fn room(&self, params: &Params, lookup: &dyn Lookup) -> RoomRules {
        let authority = kind::text(params, "authority").to_owned();
        let mut needs = vec![Fact::AuthorityCertified(authority.clone())];
        if lookup.stands(&authority) {
            needs.push(Fact::Unlocked(authority.clone()));
        }
        RoomRules {
            needs,
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
                "Read the CRL of {} on the screen: its number, from {} until {}, every entry, and which of them are new.",
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
        let Some((operation, _)) = issue::current(room.state, room.step) else {
            return coming(room, name, authority);
        };
        let lines = match local.moment {
            issue::PREPARE | issue::APPROVE => shown(room.plan, authority, operation),
            _ => Vec::new(),
        };
        let number = if let Operation::Crl { number, .. } = operation { *number } else { 0 };
        issue::next_after_prepared(room, lines, &format!("{name}.{number}.crl.pem"))
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
            (issue::PREPARE, Input::Answer(answer)) => {
                let met = issue::require_quorum(state, name)?;
                if !super::asking::take_all(plan, step, &mut state.local.answered, answer)? {
                    return Ok(Vec::new());
                }
                let operation = self.operation(plan, step, state, "", moment)?;
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
                authority.crl.clone_from(der);
                on_list(plan, state, &operation);
                issue::to_write(state, step, list.to_pem().map_err(|e| e.to_string())?, &clean);
                debug_assert_eq!(hex_encode(list.der()), *der);
            }
            (issue::WRITE, Input::Outcome(Outcome::ArtifactWritten { file })) => {
                let due = kind::text(&step.params, "next_update").to_owned();
                let entries = issue::written(step, state, file);
                return Ok(entries.into_iter().map(|entry| entry.with("due", due.clone())).collect());
            }
            _ => return Err("expected the words of the operation digest".to_owned()),
        }
        Ok(Vec::new())
    }

    fn signs(&self, _: &Plan, step: &Step, state: &State) -> Option<Signs> {
        let authority = kind::text(&step.params, "authority").to_owned();
        let number = state.authorities.get(&authority).map_or(0, |made| made.crl_number) + 1;
        let title = format!("CRL {number} of {authority}");
        Some(Signs { authority, title, serial: false })
    }

    fn operation(
        &self,
        plan: &Plan,
        step: &Step,
        state: &State,
        _: &str,
        moment: &Moment,
    ) -> Result<Operation, String> {
        let name = kind::text(&step.params, "authority");
        let made = state.authorities.get(name).ok_or("no key was made for this authority")?;
        let previous = previous(made)?;
        let mut bundles = of_bundles(state, name);
        let mut grouped = BTreeSet::new();
        for group in &bundles {
            grouped.extend(group.entries()?.into_iter().map(|entry| entry.serial));
        }
        let before = previous.iter().flat_map(CertificateList::revoked);
        let mut revoked: Vec<Revocation> =
            before.filter(|entry| !grouped.contains(&entry.serial)).map(entry_of).collect();
        let was = revoked.len();
        for asked in plan.revocations.iter().filter(|revocation| revocation.authority == name) {
            if !asked.bundle.is_empty() {
                bundles.push(withdrawn(state, asked, &bundles, moment)?);
                continue;
            }
            let serial = serial_of(made, asked)?;
            if let Some(already) = revoked.iter().find(|entry| entry.serial == serial) {
                return Err(format!("{serial} has been revoked since {} ({})", already.date, already.reason.word()));
            }
            revoked.push(Revocation { serial, date: asked.reported_at, reason: asked.reason });
        }
        if revoked.len() > limits::REVOKED {
            return Err(format!("expected at most {} entries, found {}", limits::REVOKED, revoked.len()));
        }
        debug_assert!(was <= revoked.len());
        let operation = Operation::Crl {
            authority: name.to_owned(),
            profile: plan.authority(name).map(|a| a.profile.clone()).unwrap_or_default(),
            issuer_der: made.certificate.clone(),
            number: made.crl_number + 1,
            this_update: kind::date(&step.params, "this_update"),
            next_update: kind::date(&step.params, "next_update"),
            previous: previous.as_ref().map(CertificateList::digest),
            revoked,
            bundles,
            step: step.id.clone(),
            head: moment.head,
        };
        let issuer = parse_certificate(&made.certificate)?;
        let request = crl_request(&issuer, &operation)?;
        let mut problems = request.check();
        problems.extend(crl::continuity(previous.as_ref(), &request, moment.time));
        if problems.is_empty() { Ok(operation) } else { Err(problems.join("; ")) }
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

/// What of the bundles of an authority is on its lists.
fn of_bundles(state: &State, authority: &str) -> Vec<BundleRevocation> {
    let bundles = state.factories.values().flat_map(|factory| &factory.bundles);
    let of = bundles.filter(|bundle| bundle.authority == authority);
    of.flat_map(|bundle| {
        bundle.revoked.iter().map(|revoked| BundleRevocation {
            bundle: bundle.name.clone(),
            serial_seed: bundle.serial_seed,
            records: revoked.records.clone(),
            date: revoked.date,
            reason: revoked.reason,
        })
    })
    .collect()
}

/// The identities of a bundle that the script withdraws, without those that are withdrawn already.
fn withdrawn(
    state: &State,
    asked: &PlannedRevocation,
    before: &[BundleRevocation],
    moment: &Moment,
) -> Result<BundleRevocation, String> {
    let name = &asked.bundle;
    let of = state.factories.values().map(|factory| &factory.bundles);
    let found = of.filter_map(|all| Some((all.iter().find(|bundle| bundle.name == *name)?, all))).next();
    let (found, all) = found.ok_or_else(|| format!("bundle {name}: the chain made none of this name"))?;
    if found.authority != asked.authority {
        return Err(format!("bundle {name}: {} issued it, not {}", found.authority, asked.authority));
    }
    let which = asked.state.ok_or_else(|| format!("bundle {name}: nothing says which identities"))?;
    let mut records = found.to_withdraw(which, all, moment.time)?;
    // Two entries of one script may overlap: lost ones and the unverified.
    for group in before.iter().filter(|group| group.bundle == *name) {
        records = records.without(&group.records)?;
    }
    if records.is_empty() {
        return Err(format!("bundle {name}: nothing of it is left to be revoked as {}", which.word()));
    }
    let (date, reason) = (asked.reported_at, asked.reason);
    Ok(BundleRevocation { bundle: name.clone(), serial_seed: found.serial_seed, records, date, reason })
}

/// The list is signed: what is new on it of bundles is known from here on.
fn on_list(plan: &Plan, state: &mut State, operation: &Operation) {
    let Operation::Crl { authority, revoked, bundles, number, this_update, .. } = operation else { return };
    let delegated = state.factories.values_mut().flat_map(|factory| &mut factory.delegated);
    let certificates = delegated.filter_map(|own| own.certificate.as_mut()).filter(|of| of.issuer == *authority);
    for certificate in certificates.filter(|of| of.revoked.is_none()) {
        if revoked.iter().any(|entry| entry.serial == certificate.serial) {
            certificate.revoked = Some(*number);
        }
    }
    for bundle in state.factories.values_mut().flat_map(|factory| &mut factory.bundles) {
        for group in bundles.iter().filter(|group| group.bundle == bundle.name) {
            let known = bundle.revoked.iter().any(|known| {
                known.records == group.records && known.date == group.date && known.reason == group.reason
            });
            if !known {
                bundle.revoked.push(StandingRevoked {
                    records: group.records.clone(),
                    reason: group.reason,
                    date: group.date,
                    crl: *number,
                    this_update: *this_update,
                    ceremony: plan.ceremony.clone(),
                });
            }
        }
    }
}

/// The list this authority issued last.
fn previous(made: &AuthorityState) -> Result<Option<CertificateList>, String> {
    if made.crl.is_empty() {
        return Ok(None);
    }
    let der = hex_decode(&made.crl).ok_or("the latest list is not hexadecimal")?;
    CertificateList::parse(&der).map(Some).map_err(|e| e.to_string())
}

fn entry_of(revoked: &Revoked) -> Revocation {
    Revocation { serial: hex_encode(&revoked.serial), date: revoked.date, reason: revoked.reason }
}

/// The serial number a revocation of the script means: that of a certificate the chain issued by this name, or as written.
fn serial_of(made: &AuthorityState, asked: &PlannedRevocation) -> Result<String, String> {
    if asked.certificate.is_empty() {
        let own = parse_certificate(&made.certificate)?;
        if own.issuer_der() == own.subject_der() && hex_encode(own.serial()) == asked.serial {
            return Err(format!(
                "{} is the serial number of {}'s own certificate: a root does not revoke itself",
                asked.serial, asked.authority
            ));
        }
        return Ok(asked.serial.clone());
    }
    let named: Vec<&Issued> = made.issued.iter().filter(|issued| issued.name == asked.certificate).collect();
    match named.as_slice() {
        [one] => Ok(one.serial.clone()),
        [] => Err(format!("{}: no certificate of this name was issued by {}", asked.certificate, asked.authority)),
        _ => Err(format!("{}: more than one certificate has this name: give its serial", asked.certificate)),
    }
}

/// What people see before the operation is fixed: it is bound to the head, so somebody must have acted since.
fn coming(room: &Room<'_>, name: &str, authority: &AuthorityState) -> StepNext {
    let number = authority.crl_number + 1;
    let mut lines = vec![
        Line::value("from", kind::text(&room.step.params, "this_update")),
        Line::value("until", kind::text(&room.step.params, "next_update")),
    ];
    let asked = room.plan.revocations.iter().filter(|revocation| revocation.authority == name).count();
    lines.push(Line::text(&match (number, asked) {
        (1, 0) => {
            "Nothing is revoked. An empty list now proves later that the list was kept from the first day.".to_owned()
        }
        (_, 0) => "Nothing new is revoked: the list is issued again before it runs out.".to_owned(),
        (_, more) => format!("{more} revocations of the script come with it; every earlier entry stays."),
    }));
    for asked in room.plan.revocations.iter().filter(|asked| asked.authority == name && !asked.bundle.is_empty()) {
        let which = asked.state.map_or("", Withdrawn::word);
        lines.push(Line::value("bundle", &format!("{}: {which}, {}", asked.bundle, asked.reason.word())));
    }
    super::asking::ask_all(
        room,
        &format!("Next: CRL {number} of {name}"),
        lines,
        "the CRL is shown as it will be signed",
    )
}

/// The list as it will be signed, then what it changes.
fn shown(plan: &Plan, made: &AuthorityState, operation: &Operation) -> Vec<Line> {
    let mut lines = issue::rendered(plan, made, operation);
    let (Operation::Crl { revoked, bundles, .. }, Ok(Some(before))) = (operation, previous(made)) else {
        return lines;
    };
    let known: Vec<String> = before.revoked().iter().map(|entry| hex_encode(&entry.serial)).collect();
    lines.push(Line::Gap);
    lines.push(Line::value("continues", &format!("CRL {} of {}", before.number(), before.this_update())));
    lines.push(Line::digest("its digest", before.digest()));
    lines.push(Line::value("stay on it", &known.len().to_string()));
    let known: BTreeSet<String> = known.into_iter().collect();
    let new: Vec<&Revocation> = revoked.iter().filter(|entry| !known.contains(&entry.serial)).collect();
    let is_new = |group: &&BundleRevocation| {
        let entries = group.entries().unwrap_or_default();
        entries.first().is_some_and(|first| !known.contains(&hex_encode(&first.serial)))
    };
    let groups: Vec<&BundleRevocation> = bundles.iter().filter(is_new).collect();
    let count = groups.iter().map(|group| group.records.count() as usize).sum::<usize>() + new.len();
    lines.push(Line::value("new on it", &count.to_string()));
    lines.extend(groups.into_iter().map(|group| Line::value("revoked", &issue::group_text(group))));
    for entry in new {
        let issued = made.issued.iter().find(|issued| issued.serial == entry.serial);
        let name = issued.map_or("no certificate this chain's record knows", |issued| issued.name.as_str());
        lines.push(Line::value(
            "revoked",
            &format!("{} · {} · {} · {name}", entry.serial, entry.reason.word(), entry.date),
        ));
    }
    lines
}
