//! What issuing a certificate and issuing a CRL have in common: unlock if the key is not open, show exactly what will be
//! signed, have it approved by digest, sign, verify what came back, write it once.

use crate::basics::Digest;
use crate::ceremony::batch;
use crate::ceremony::effect::{self, BundleRevocation, Effect, Operation};
use crate::ceremony::event::{Answer, Moment, Outcome, ShareVerdict};
use crate::ceremony::evidence::{QuorumMet, quorum_met, read_back};
use crate::ceremony::prompt::{Ask, Line, Prompt};
use crate::ceremony::state::{AuthorityState, State};
use crate::ceremony::steps::{Room, StepNext, asking, unlocking};
use crate::pki::lint::Clean;
use crate::pki::render;
use crate::plan::{Plan, Step};
use crate::transcript::{Entry, Kind};

/// Moments of an issuance.
pub const PREPARE: u32 = 0;
pub const APPROVE: u32 = 1;
pub const SIGN: u32 = 2;
pub const WRITE: u32 = 3;
pub const WRITTEN: u32 = 4;

/// The operation's digest and to-be-signed octets, in this plan and for this authority's key.
///
/// # Errors
/// Where the operation cannot be built into to-be-signed octets.
pub fn operation_digest(
    plan: &Plan,
    authority: &AuthorityState,
    operation: &Operation,
) -> Result<(Digest, Vec<u8>), String> {
    effect::operation_digest(plan.realm, &plan.ceremony, &plan.profiles, authority.public_key.spki_der(), operation)
}

/// The titles of everything this authority's key may still be used for in this plan: the list a strongroom is opened for.
#[must_use]
pub fn operations(plan: &Plan, state: &State, authority: &str) -> Vec<String> {
    (state.step..plan.steps.len())
        .filter_map(|at| super::kind_at(plan, at)?.signs(plan, plan.steps.get(at)?, state))
        .filter(|signs| signs.authority == authority)
        .map(|signs| signs.title)
        .collect()
}

/// What an operation's to-be-signed octets say, field by field.
#[must_use]
pub fn rendered(plan: &Plan, authority: &AuthorityState, operation: &Operation) -> Vec<Line> {
    if let Operation::Batch { .. } = operation {
        return batch::lines(operation);
    }
    let rendered = operation_digest(plan, authority, operation).and_then(|(_, tbs)| {
        match operation {
            Operation::Crl { .. } => render::crl_tbs_lines(&tbs),
            Operation::RootCertificate { .. } | Operation::Certificate { .. } | Operation::Batch { .. } => {
                render::certificate_tbs_lines(&tbs)
            }
        }
        .map_err(|e| e.to_string())
    });
    match rendered {
        Ok(rendered) => {
            let hidden = summed_up(operation);
            let entries = |label: &str| label.strip_prefix("Revoked ").and_then(|n| n.parse::<usize>().ok());
            let shown = rendered.iter().filter(|(label, _)| entries(label).is_none_or(|n| !hidden.contains(&n)));
            let mut lines = Vec::new();
            if let Operation::Crl { bundles, .. } = operation {
                // First, and also where each entry is shown: people compare bundle and records with their paper, not serial numbers.
                for group in bundles {
                    lines.push(Line::value("Revoked identities", &group_text(group)));
                    if !hidden.is_empty() {
                        lines.push(Line::digest("their serial numbers are of seed", group.serial_seed));
                    }
                }
            }
            lines.extend(shown.map(|(label, value)| Line::value(label, value)));
            lines
        }
        Err(error) => vec![Line::Bad { text: crate::basics::SafeText::of(&error) }],
    }
}

/// Most entries of bundles that are shown one by one.
const ENTRIES_SHOWN: u32 = 40;

/// Which entries of a list are not shown one by one: those of bundles, where they are many. Bundle, records and the seed of their
/// serial numbers are, and say the same.
fn summed_up(operation: &Operation) -> std::ops::Range<usize> {
    let Operation::Crl { revoked, bundles, .. } = operation else { return 0..0 };
    let many = bundles.iter().map(|group| group.records.count()).fold(0, u32::saturating_add);
    if many <= ENTRIES_SHOWN { 0..0 } else { revoked.len() + 1..revoked.len() + 1 + many as usize }
}

/// Bundle, how many, which records, why and since when.
#[must_use]
pub fn group_text(group: &BundleRevocation) -> String {
    let (bundle, count, records) = (&group.bundle, group.records.count(), &group.records);
    let identities = if count == 1 { "identity · record" } else { "identities · records" };
    format!("bundle {bundle} · {count} {identities} {records} · {} · {}", group.reason.word(), group.date)
}

/// The operation this step is about: as it was prepared here, or as the list holds that its key was opened for.
#[must_use]
pub fn current<'s>(state: &'s State, step: &Step) -> Option<(&'s Operation, Digest)> {
    match (&state.local.operation, state.local.digest) {
        (Some(operation), Some(digest)) => Some((operation, digest)),
        _ => unlocking::prepared(state, step).map(|prepared| (&prepared.operation, prepared.digest)),
    }
}

/// Takes the listed operation over, the first time somebody answers to it.
fn take_over(state: &mut State, step: &Step) {
    let listed = unlocking::prepared(state, step).map(|prepared| (prepared.operation.clone(), prepared.digest));
    if let (PREPARE, Some((operation, digest))) = (state.local.moment, listed) {
        state.local.operation = Some(operation);
        state.local.digest = Some(digest);
        state.local.answered = 0;
        state.local.moment = APPROVE;
    }
}

/// Opens the authority's key where the present strongroom does not hold it: k custodians type their shares.
pub fn unlock(room: &Room<'_>, name: &str) -> Option<StepNext> {
    if unlocking::applies(room.plan, name) {
        return unlocking::next(room, name);
    }
    let authority = room.state.authorities.get(name)?;
    if authority.open {
        return None;
    }
    if !room.state.strongroom {
        return Some(StepNext::Do(Box::new(Effect::OpenStrongroom { session: room.state.sessions + 1 })));
    }
    let quorum = room.state.quorums.get(&authority.quorum)?;
    let operations = operations(room.plan, room.state, name);
    if quorum.typed.len() < usize::from(quorum.threshold) {
        let planned = room.plan.quorum(&authority.quorum)?;
        let here = |index: &u8| room.plan.person(planned.custodian(*index)).is_some();
        let not_yet: Vec<u8> = (1..=quorum.count).filter(|index| !quorum.typed.contains(index)).filter(here).collect();
        let waiting: Vec<String> = not_yet.iter().map(|index| room.plan.name_of(planned.custodian(*index))).collect();
        let mut lines =
            vec![Line::text(&format!("Any {} custodians open the key of {name}, for exactly this:", quorum.threshold))];
        lines.extend(operations.iter().map(|operation| Line::value("sign", operation)));
        lines.push(Line::value("unlocked", &format!("{} of {}", quorum.typed.len(), quorum.threshold)));
        lines.push(Line::value("not yet", &waiting.join(", ")));
        let next = *not_yet.first()?;
        let holder = planned.custodian(next).to_owned();
        return Some(StepNext::Ask(Box::new(Prompt {
            lines,
            next: "the next custodian, then what is signed is shown".to_owned(),
            ..asking::prompt_for(
                &holder,
                "Unlock with a share",
                Ask::Share {
                    quorum: authority.quorum.clone(),
                    index: 0,
                    card: next,
                    count: quorum.count,
                    holder: holder.clone(),
                    purpose: "unlock".to_owned(),
                },
            )
        })));
    }
    Some(StepNext::Do(Box::new(Effect::Unlock {
        authority: name.to_owned(),
        quorum: authority.quorum.clone(),
        sealed: authority.sealed,
        public_key: crate::basics::digest::hex_encode(authority.public_key.spki_der()),
        operations,
        digests: Vec::new(),
    })))
}

/// Takes a share typed to unlock, or the unlocking itself; says whether the input was one of these.
///
/// # Errors
/// Why the share is refused.
pub fn take_unlock(
    plan: &Plan,
    step: &Step,
    state: &mut State,
    moment: &Moment,
    input: &super::Input<'_>,
    name: &str,
) -> Result<bool, String> {
    if state.local.moment > SIGN {
        return Ok(false);
    }
    if unlocking::applies(plan, name) {
        if unlocking::take(plan, step, state, moment, input, name)? {
            return Ok(true);
        }
        take_over(state, step);
        return Ok(false);
    }
    let Some(authority) = state.authorities.get_mut(name) else { return Ok(false) };
    match input {
        super::Input::Answer(Answer::Share { verdict: ShareVerdict::Proven { index, .. }, .. }) if !authority.open => {
            let name = authority.quorum.clone();
            unlocking::share_counts(plan, state, &name, *index)?;
            Ok(true)
        }
        super::Input::Answer(Answer::Share { verdict: ShareVerdict::Refused { reason, .. }, .. }) => {
            Err(reason.clone())
        }
        super::Input::Outcome(Outcome::Unlocked) => {
            authority.open = true;
            if let Some(quorum) = state.quorums.get_mut(&authority.quorum) {
                quorum.typed.clear();
            }
            Ok(true)
        }
        _ => Ok(false),
    }
}

/// The quorum behind an authority is live, or why it is not.
///
/// # Errors
/// Where not every share is proven and found consistent.
pub fn require_quorum(state: &State, name: &str) -> Result<QuorumMet, String> {
    state
        .authorities
        .get(name)
        .and_then(|authority| state.quorums.get(&authority.quorum))
        .and_then(quorum_met)
        .ok_or_else(|| format!("the quorum of {name} is not live: not all its shares are proven and consistent"))
}

/// Approval, signing and writing, once the operation is in the state.
pub fn next_after_prepared(room: &Room<'_>, mut lines: Vec<Line>, artifact: &str) -> StepNext {
    let Some((operation, digest)) = current(room.state, room.step) else { return StepNext::Done };
    match room.state.local.moment {
        PREPARE | APPROVE => {
            let people = asking::signatories(room.step);
            let answered = room.state.local.answered as usize;
            let Some(who) = people.get(answered) else { return StepNext::Done };
            let phrase = digest.words(3).join(" ");
            lines.push(Line::Gap);
            lines.push(Line::digest("operation", digest));
            lines.push(Line::value("approved", &format!("{answered} of {}", people.len())));
            StepNext::Ask(Box::new(Prompt {
                lines,
                next: people.get(answered + 1).map_or_else(
                    || "it is signed".to_owned(),
                    |other| format!("{} approves the same", room.plan.name_of(other)),
                ),
                rehearsal_answer: Some(phrase.clone()),
                grave: true,
                ..asking::prompt_for(
                    who,
                    &format!("Approve exactly this: {}", operation.shown()),
                    Ask::Phrase { phrase },
                )
            }))
        }
        SIGN => StepNext::Do(Box::new(Effect::Sign { operation: Box::new(operation.clone()), digest })),
        WRITE => StepNext::Do(Box::new(Effect::WriteArtifact {
            name: artifact.to_owned(),
            content: room.state.local.content.clone(),
        })),
        _ => StepNext::Done,
    }
}

/// Takes one approver's phrase; the last one moves on to signing.
///
/// # Errors
/// Where the words are not the first three of the operation digest.
pub fn take_approval(plan: &Plan, step: &Step, state: &mut State, answer: &Answer) -> Result<(), String> {
    let digest = state.local.digest.ok_or("there is nothing to approve")?;
    let people = asking::signatories(step);
    let who = people.get(state.local.answered as usize).map(|id| plan.name_of(id)).unwrap_or_default();
    let phrase = digest.words(3).join(" ");
    let Answer::Typed { text } = answer else { return Err(format!("expected the first three words from {who}")) };
    read_back(&phrase, text).ok_or_else(|| {
        "these are not the first three words of this operation: read the digest on the screen".to_owned()
    })?;
    state.local.answered += 1;
    if state.local.answered as usize >= people.len() {
        state.local.moment = SIGN;
    }
    Ok(())
}

/// The artefact is on the disk: it enters the record.
pub fn written(step: &Step, state: &mut State, file: &crate::ceremony::event::WrittenFile) -> Vec<Entry> {
    state.artifacts.insert(file.name.clone(), file.sha256);
    state.local.moment = WRITTEN;
    vec![
        Entry { outcome: "issued", ..Entry::new(Kind::Artifact, "issued").at(&step.id) }
            .with("name", file.name.clone())
            .with("sha256", file.sha256.hex())
            .with("size", file.size),
    ]
}

/// The strongroom ended: what was approved is void, and shown and approved again. A reserved serial is burnt.
pub fn start_over(state: &mut State) {
    if state.local.moment < WRITE {
        // A listed operation stays on its list, whose serials burn with it.
        let listed = state.local.digest.is_some_and(|digest| {
            state.unlocking.values().flat_map(|unlocking| &unlocking.list).any(|prepared| prepared.digest == digest)
        });
        if let Some(serial) = state.local.operation.as_ref().and_then(Operation::serial).filter(|_| !listed) {
            state.burnt.push(serial.to_owned());
        }
        state.local.operation = None;
        state.local.digest = None;
        state.local.answered = 0;
        state.local.moment = PREPARE;
    }
}

/// What came back from signing is to be written; only what was linted without a finding.
pub fn to_write(state: &mut State, step: &Step, pem: String, _clean: &impl Clean) {
    unlocking::signed(state, step);
    state.local.content = pem;
    state.local.moment = WRITE;
}

/// Says when an operation is prepared, with its digest over the head as it then was.
///
/// # Errors
/// Where the operation cannot be built.
pub fn prepare(
    plan: &Plan,
    state: &mut State,
    operation: Operation,
    moment: &Moment,
    _met: &QuorumMet,
) -> Result<(), String> {
    let authority = state.authorities.get(operation.authority()).ok_or("no key was made for this authority")?;
    debug_assert_eq!(operation.head(), moment.head);
    let (digest, _) = operation_digest(plan, authority, &operation)?;
    state.local.digest = Some(digest);
    state.local.operation = Some(operation);
    state.local.answered = 0;
    state.local.moment = APPROVE;
    Ok(())
}

/// What a lint found, as one sentence.
#[must_use]
pub fn found(findings: &[crate::pki::lint::Finding]) -> String {
    let each: Vec<String> = findings.iter().map(|finding| format!("{}: {}", finding.rule, finding.message)).collect();
    format!("the lint found {} things: {}", findings.len(), each.join("; "))
}
