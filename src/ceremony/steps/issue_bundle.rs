//! `issue-bundle`: an order is carried out: the batch that custodians unlocked a standing authority for is approved by its digest,
//! made in the strongroom, sealed to the factory, written and checked; its manifest is an artefact.

use crate::basics::Digest;
use crate::ceremony::batch::{self, Base};
use crate::ceremony::effect::{Effect, Operation, parse_certificate};
use crate::ceremony::event::{Moment, Outcome};
use crate::ceremony::state::{JudgedState, State};
use crate::ceremony::steps::{Input, Room, Signs, StepMachine, StepNext, issue, unlocking};
use crate::factory::manifest::ProfileRef;
use crate::factory::order::{Order, Replaced};
use crate::factory::terms::{BatchRoom, Requested};
use crate::factory::{BatchTerms, Class, Mode, Refusal};
use crate::pki::CertificateList;
use crate::plan::samples::{self, Saying};
use crate::plan::standing::factory::{StandingBundle, StandingFactory, refuses};
use crate::plan::{Plan, Step};
use crate::script::{Fact, Lookup, NameOf, RoomRules, Shape, StepKey, StepKind, kind, kind::Params};
use crate::transcript::Entry;

pub struct IssueBundle;

impl StepKind for IssueBundle {
    fn word(&self) -> &'static str {
        "issue-bundle"
    }
    fn summary(&self) -> &'static str {
        "An order is carried out: its batch is approved by digest, made and sealed to the factory in the strongroom, written and checked."
    }
    fn keys(&self) -> &'static [StepKey] {
        &[
            StepKey {
                name: "bundle",
                shape: Shape::NewName,
                needed: true,
                meaning: "what it is called in this script, like lamps-1",
            },
            StepKey {
                name: "order",
                shape: Shape::Text,
                needed: true,
                meaning: "name of an order that a step `take-object` took in",
            },
            StepKey {
                name: "factory",
                shape: Shape::Text,
                needed: true,
                meaning: "whom the order must be for: enrolled here or in an earlier ceremony",
            },
            StepKey {
                name: "requests",
                shape: Shape::Name(NameOf::Requests),
                needed: false,
                meaning: "name of requests that a step `judge-requests` judged: devices then have the keys they made",
            },
            StepKey {
                name: "authority",
                shape: Shape::Name(NameOf::Authority),
                needed: true,
                meaning: "name of the [[authority]] with `standing = true` that issues",
            },
            StepKey {
                name: "profile",
                shape: Shape::Text,
                needed: true,
                meaning: "profile of the devices' certificates, which the order must name",
            },
            StepKey {
                name: "crl_url",
                shape: Shape::Text,
                needed: false,
                meaning: "where the authority's CRL is published",
            },
            StepKey {
                name: "issuer_url",
                shape: Shape::Text,
                needed: false,
                meaning: "where the authority's certificate is published",
            },
            StepKey {
                name: "lineage_oid",
                shape: Shape::Text,
                needed: false,
                meaning: "private extension with the digest of each device's lineage; `.7` is under `oid_arc`",
            },
            StepKey {
                name: "hardware_type",
                shape: Shape::Text,
                needed: false,
                meaning: "hwType of a hardwareModuleName with the device's id; `.8` is under `oid_arc`",
            },
            StepKey {
                name: "shard_records",
                shape: Shape::Integer { least: 1, most: crate::basics::limits::SHARD_RECORDS as u64 },
                needed: false,
                meaning: "identities in one sealed file; 1000 where it is left out, and what `judge-requests` says where keys came as requests",
            },
            StepKey {
                name: "seconds",
                shape: Shape::Integer { least: 1, most: crate::basics::limits::BATCH_SECONDS },
                needed: false,
                meaning: "how long the authority may sign; 3600 where it is left out",
            },
        ]
    }
    fn room(&self, params: &Params, lookup: &dyn Lookup) -> RoomRules {
        let authority = kind::text(params, "authority").to_owned();
        let factory = kind::text(params, "factory").to_owned();
        let bundle = Fact::BundleIssued(kind::text(params, "bundle").to_owned());
        let mut needs = vec![
            Fact::AuthorityCertified(authority.clone()),
            Fact::Unlocked(authority),
            Fact::ObjectTaken(kind::text(params, "order").to_owned()),
        ];
        let requests = kind::text(params, "requests").to_owned();
        if !requests.is_empty() {
            needs.push(Fact::RequestsJudged(requests));
        }
        if lookup.enrols(&factory) {
            needs.push(Fact::FactoryEnrolled(factory));
        }
        RoomRules {
            needs,
            // One session of the strongroom makes one batch, and the next manifest names this one.
            first: vec![Fact::AnyBundleIssued],
            gives: vec![Fact::AnyBundleIssued, bundle],
            ..RoomRules::default()
        }
    }
    fn confirmers(&self) -> usize {
        1
    }
    fn activity(&self, params: &Params) -> Vec<String> {
        vec![
            format!(
                "Read every line of bundle {} for factory {} against order {}.",
                kind::text(params, "bundle"),
                kind::text(params, "factory"),
                kind::text(params, "order")
            ),
            "Each approver types the first three words of the batch's digest.".to_owned(),
            "The identities are made, sealed and written; the bundle is checked by its own manifest.".to_owned(),
        ]
    }
    fn uses_strongroom(&self) -> bool {
        true
    }
}

impl StepMachine for IssueBundle {
    fn next(&self, room: &Room<'_>) -> StepNext {
        let (local, authority) = (&room.state.local, kind::text(&room.step.params, "authority"));
        if local.moment <= issue::SIGN
            && let Some(step) = issue::unlock(room, authority)
        {
            return step;
        }
        let Some((operation, digest)) = issue::current(room.state, room.step) else { return StepNext::Done };
        match local.moment {
            issue::SIGN => {
                StepNext::Do(Box::new(Effect::IssueBundle { operation: Box::new(operation.clone()), digest }))
            }
            issue::PREPARE | issue::APPROVE => issue::next_after_prepared(room, batch::lines(operation), ""),
            _ => issue::next_after_prepared(room, Vec::new(), &manifest_name(&room.step.params)),
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
        if issue::take_unlock(plan, step, state, moment, input, kind::text(&step.params, "authority"))? {
            return Ok(Vec::new());
        }
        match (state.local.moment, input) {
            (issue::APPROVE, Input::Answer(answer)) => issue::take_approval(plan, step, state, answer)?,
            (issue::SIGN, Input::Outcome(Outcome::BundleIssued { manifest })) => issued(plan, step, state, manifest)?,
            (issue::WRITE, Input::Outcome(Outcome::ArtifactWritten { file })) => {
                return Ok(issue::written(step, state, file));
            }
            _ => return Err("expected the words of the batch's digest".to_owned()),
        }
        Ok(Vec::new())
    }

    fn signs(&self, _: &Plan, step: &Step, state: &State) -> Option<Signs> {
        let of = |key| kind::text(&step.params, key).to_owned();
        let judged = state.judged.get(kind::text(&step.params, "requests"));
        let ordered = || batch::order(state, kind::text(&step.params, "order")).map_or(0, |(order, _)| order.count);
        let count = judged.map_or_else(ordered, |judged| judged.found.accepted);
        let (bundle, factory, authority) = (of("bundle"), of("factory"), of("authority"));
        let title = format!("batch {bundle} of {count} for {factory} by {authority}");
        Some(Signs { authority, title, serial: true })
    }

    fn operation(
        &self,
        plan: &Plan,
        step: &Step,
        state: &State,
        serial: &str,
        moment: &Moment,
    ) -> Result<Operation, String> {
        operation(plan, step, state, serial, moment)
    }

    fn lost(&self, state: &mut State, effect: &Effect) {
        match effect {
            // Whatever of it lies on the disk is set aside; its serial, and with it its id, is burnt with the list.
            Effect::IssueBundle { .. } => {
                issue::start_over(state);
                close(state, effect);
            }
            other => unlocking::lost(state, other),
        }
    }

    fn strongroom_gone(&self, state: &mut State) {
        issue::start_over(state);
    }
}

/// A batch that failed is void: the list it was on is fixed and approved anew, with another serial.
fn close(state: &mut State, effect: &Effect) {
    let Effect::IssueBundle { operation, .. } = effect else { return };
    if let Some(unlocking) = state.unlocking.remove(operation.authority()) {
        state.burnt.extend(unlocking.serials.into_values());
    }
    // One session makes one batch: another begins with another.
    state.strongroom = false;
    for made in state.authorities.values_mut() {
        made.open = false;
    }
    for quorum in state.quorums.values_mut() {
        quorum.typed.clear();
        quorum.approved.clear();
        quorum.headed.clear();
    }
}

fn manifest_name(params: &Params) -> String {
    format!("{}.manifest.json", kind::text(params, "bundle"))
}

fn operation(plan: &Plan, step: &Step, state: &State, serial: &str, moment: &Moment) -> Result<Operation, String> {
    let of = |key| kind::text(&step.params, key);
    let optional = |key| Some(of(key).to_owned()).filter(|text| !text.is_empty());
    let (name, authority) = (of("bundle").to_owned(), of("authority").to_owned());
    let (order, order_digest) = batch::order(state, of("order"))?;
    let withdrawn = batch::withdrawn(state)?;
    let refused = refuses(&state.factories, &withdrawn, plan.realm, &order, order_digest, moment.time);
    let mut refused: Vec<String> = refused.iter().map(ToString::to_string).collect();
    let mut expect = |holds: bool, problem: String| {
        if !holds {
            refused.push(problem);
        }
    };
    let said =
        format!("authority {authority}: expected one that stands, found its own certificate on a revocation list");
    expect(!batch::revoked(state)?.contains(&authority), said);
    let judged = optional("requests").map(|requests| judged(state, &requests, order_digest)).transpose()?;
    ordered(step, &order).into_iter().for_each(|problem| expect(false, problem));
    let taken = state.factories.values().flat_map(|factory| &factory.bundles).any(|bundle| bundle.name == name);
    expect(!taken, format!("bundle {name}: this chain has one of that name: choose another"));
    if !refused.is_empty() {
        return Err(refused.join("; "));
    }
    let factory = state.factories.get(&order.factory).ok_or("the factory was not enrolled")?;
    let replaced = match &order.replaces {
        None => None,
        Some(asked) => Some(replaced(factory, asked)?),
    };
    let issuing = state.authorities.get(&authority).ok_or("no key was made for the issuer")?;
    let issuer = parse_certificate(&issuing.certificate)?;
    let list = crate::basics::digest::hex_decode(&issuing.crl).unwrap_or_default();
    CertificateList::parse(&list)
        .map_err(|_| format!("{authority} has no revocation list yet: a bundle carries its issuer's list"))?;
    let profile = plan.profiles.get(&order.profile).ok_or_else(|| format!("there is no profile {}", order.profile))?;
    let sha256 = *plan.profile_digests.get(&order.profile).ok_or("the profile has no digest")?;
    let saying = Saying { realm: plan.realm, oid_arc: &plan.oid_arc, params: &step.params, profile };
    let attested_policies = saying.attested_policies(&order)?;
    let (sequence, previous) = factory.next();
    let fixed = Base {
        realm: plan.realm,
        ceremony: &plan.ceremony,
        step: &step.id,
        serial,
        order: order_digest,
        factory: &order.factory,
        sequence,
        previous,
        expires: order.expires,
    }
    .fixed();
    let room = BatchRoom {
        bundle: fixed.bundle,
        recipient: factory.recipient.clone(),
        profile: ProfileRef { name: order.profile.clone(), sha256 },
        issuer: issuer.digest(),
        shard_records: judged.map_or_else(
            || u32::try_from(kind::number(&step.params, "shard_records", 1_000)).unwrap_or(1_000),
            |judged| judged.found.shard_records,
        ),
        additions: saying.additions(),
        attested_policies,
        requested: judged.map(|judged| Requested {
            requests: judged.statement,
            accepted: judged.found.accepted,
            shards: judged.found.shards.clone(),
            replaced: judged.found.replaced.clone(),
        }),
        lineage_oid: saying.identifier("lineage_oid"),
        hardware_type: saying.identifier("hardware_type"),
        serial_seed: fixed.serial_seed,
        replaced_seed: replaced.map(|bundle| bundle.serial_seed),
        seconds: kind::number(&step.params, "seconds", 3_600),
    };
    let terms = BatchTerms::new(&order, order_digest, room).map_err(|e| e.to_string())?;
    let problems: Vec<String> = terms.check().iter().map(ToString::to_string).collect();
    if !problems.is_empty() {
        return Err(problems.join("; "));
    }
    Ok(Operation::Batch {
        authority,
        name,
        issuer_der: issuing.certificate.clone(),
        terms: Box::new(terms),
        serial: serial.to_owned(),
        sequence,
        previous,
        expires: order.expires,
        step: step.id.clone(),
        head: moment.head,
    })
}

/// The requests that were judged under this name, for this order.
fn judged<'s>(state: &'s State, name: &str, order: Digest) -> Result<&'s JudgedState, String> {
    let judged = state.judged.get(name).filter(|judged| judged.agreed);
    let judged = judged.ok_or_else(|| format!("requests {name}: nothing of them was judged and agreed to"))?;
    if judged.order != order {
        return Err(format!("requests {name}: expected those for order {order}, found some for {}", judged.order));
    }
    Ok(judged)
}

/// The bundle a part of which an order replaces: one of this factory, with these records, none of which was withdrawn or replaced before.
fn replaced<'f>(factory: &'f StandingFactory, asked: &Replaced) -> Result<&'f StandingBundle, String> {
    let bundle = factory.bundles.iter().find(|bundle| bundle.bundle == asked.bundle);
    let bundle = bundle
        .ok_or_else(|| format!("order: replaces: no bundle {} was sealed to this factory (foreign)", asked.bundle))?;
    if asked.records.last().is_none_or(|last| last >= bundle.count) {
        return Err(format!(
            "order: replaces.records: expected records below {}, found {}",
            bundle.count, asked.records
        ));
    }
    let twice = asked.records.without(&bundle.stands(&factory.bundles)?)?;
    if !twice.is_empty() {
        return Err(format!(
            "order: replaces.records: expected certificates of bundle {} that stand, found records {twice}, which were revoked or replaced (replay)",
            bundle.name
        ));
    }
    Ok(bundle)
}

/// What of an order differs from what the script says of this step.
fn ordered(step: &Step, order: &Order) -> Vec<String> {
    let of = |key| kind::text(&step.params, key).to_owned();
    let mode = if of("requests").is_empty() { Mode::Injected } else { Mode::DeviceGenerated };
    let said = [
        (Class::WrongFactory, "factory", of("factory"), order.factory.clone()),
        (Class::Policy, "profile", of("profile"), order.profile.clone()),
        (Class::Policy, "mode", mode.to_string(), order.mode.to_string()),
    ];
    let differs = said.into_iter().filter(|(_, _, expected, found)| expected != found);
    let refused = differs.map(|(class, key, expected, found)| {
        Refusal::new(class, format!("order: {key}"), format!("{expected}, as the script says"), found).to_string()
    });
    refused.collect()
}

/// The steps that carry out the order of this name.
pub fn carries_out<'p>(plan: &'p Plan, name: &str) -> impl Iterator<Item = &'p Step> {
    plan.steps.iter().filter(move |step| step.kind == IssueBundle.word() && kind::text(&step.params, "order") == name)
}

/// What keeps an order of this name from being carried out by the script's steps, as far as one can know when it comes in: what of it the
/// script says otherwise, and certificates for its shortest and its longest device id that cannot be issued.
pub fn refuses_order(plan: &Plan, state: &State, name: &str, order: &Order) -> Vec<String> {
    let mut problems = Vec::new();
    for step in carries_out(plan, name) {
        let differs = ordered(step, order);
        let alike = differs.is_empty();
        problems.extend(differs);
        let (true, Some(profile)) = (alike, plan.profiles.get(&order.profile)) else { continue };
        let authority = kind::text(&step.params, "authority");
        let made = state.authorities.get(authority).filter(|made| !made.certificate.is_empty());
        // Where it has no certificate yet, one like that which the script will give it.
        let issuer = made.map_or_else(
            || {
                let planned = plan.authority(authority)?;
                samples::issuer(plan.realm, planned, plan.profiles.get(&planned.profile)?)
            },
            |made| parse_certificate(&made.certificate).ok(),
        );
        let saying = Saying { realm: plan.realm, oid_arc: &plan.oid_arc, params: &step.params, profile };
        problems.extend(issuer.iter().flat_map(|issuer| saying.problems(order, issuer)));
    }
    problems
}

/// The manifest that came back is that of the approved batch: the bundle counts against the factory's quota from here on.
fn issued(plan: &Plan, step: &Step, state: &mut State, manifest: &str) -> Result<(), String> {
    let operation = state.local.operation.clone().ok_or("nothing was approved")?;
    let (found, digest): (_, Digest) = batch::made(plan.realm, &plan.ceremony, &operation, manifest)?;
    let Operation::Batch { authority, name, terms, .. } = &operation else { return Err("expected a batch".to_owned()) };
    let factory = state.factories.get_mut(&found.factory).ok_or("the factory was not enrolled")?;
    factory.bundles.push(StandingBundle {
        name: name.clone(),
        bundle: found.bundle,
        sequence: found.sequence,
        manifest: digest,
        records_root: found.records_root,
        order: found.order,
        product: found.product,
        sku: found.sku,
        firmware: found.firmware,
        mode: found.mode,
        authority: authority.clone(),
        count: found.count,
        shard_records: found.shard_records,
        nonce: found.nonce,
        serial_seed: terms.serial_seed,
        attested: terms.attested_policies.as_ref().and_then(|of| {
            let only = of.iter().find(|policy| !terms.additions.policies.contains(policy));
            only.map(|policy| policy.oid.clone())
        }),
        issued: found.issued,
        expires: found.expires,
        ceremony: plan.ceremony.clone(),
        receipt: None,
        revoked: Vec::new(),
        replaces: terms
            .replaces
            .as_ref()
            .map(|replaced| Replaced { bundle: replaced.bundle, records: replaced.records.clone() }),
    });
    // Only now: what was accepted and never certified may be asked for again.
    if let Some(judged) = state.judged.get(kind::text(&step.params, "requests")) {
        state.device_keys = Some(judged.device_keys);
    }
    unlocking::signed(state, step);
    manifest.clone_into(&mut state.local.content);
    state.local.moment = issue::WRITE;
    Ok(())
}
