//! Opening the key of an authority that an earlier ceremony made. The list of operations is complete and fixed before the first
//! share: serial numbers reserved, to-be-signed octets built. Each custodian who unlocks sees that list, approves its digest, and
//! gives the last head of the chain from their own paper; the strongroom signs what the list holds and nothing else.

use crate::basics::Digest;
use crate::ceremony::effect::Effect;
use crate::ceremony::event::{Answer, Moment, Outcome, ShareVerdict};
use crate::ceremony::evidence::read_back;
use crate::ceremony::prompt::{Ask, Line, Prompt};
use crate::ceremony::state::{AuthorityState, Prepared, QuorumState, State, Unlocking};
use crate::ceremony::steps::{self, Input, Room, Signs, StepNext, asking, issue};
use crate::plan::{Plan, Step};

/// Where an unlocking stands; derived from the state each time.
enum Phase<'a> {
    /// A serial number for the certificate of this step.
    Reserve(&'a Step),
    /// The acting person and those who confirm look at what is coming; with the last of them the list is fixed.
    Look,
    OpenRoom,
    /// The holder of this share approves the list.
    Approve(u8),
    /// The holder of this share gives the head of the chain.
    Head(u8),
    Share,
    Unlock,
}

/// The steps from the present one on that this authority's key signs, in order.
fn signing<'p>(plan: &'p Plan, state: &State, authority: &str) -> Vec<(&'p Step, Signs)> {
    let rest = (state.step..plan.steps.len()).filter(|at| !state.skipped.contains(at));
    rest.filter_map(|at| {
        let (step, kind) = (plan.steps.get(at)?, steps::kind_at(plan, at)?);
        let signs = kind.signs(plan, step, state)?;
        // What the present step has signed already is not signed again.
        let signed = at == state.step && state.local.moment > issue::SIGN;
        (signs.authority == authority && !signed).then_some((step, signs))
    })
    .collect()
}

/// Whether the authority was made in an earlier ceremony, so that its key is opened this way.
#[must_use]
pub fn applies(plan: &Plan, authority: &str) -> bool {
    plan.authority(authority).is_some_and(|planned| planned.standing)
}

fn parts<'s>(state: &'s State, authority: &str) -> Option<(&'s AuthorityState, &'s QuorumState)> {
    let made = state.authorities.get(authority)?;
    Some((made, state.quorums.get(&made.quorum)?))
}

fn phase<'p>(plan: &'p Plan, state: &State, authority: &str) -> Option<Phase<'p>> {
    let (made, quorum) = parts(state, authority)?;
    if made.open {
        return None;
    }
    let nothing = Unlocking::default();
    let unlocking = state.unlocking.get(authority).unwrap_or(&nothing);
    if unlocking.list.is_empty() {
        let steps = signing(plan, state, authority);
        if steps.is_empty() {
            return None;
        }
        let reserve = steps.iter().find(|(step, signs)| signs.serial && !unlocking.serials.contains_key(&step.id));
        return Some(reserve.map_or(Phase::Look, |(step, _)| Phase::Reserve(step)));
    }
    if !state.strongroom {
        return Some(Phase::OpenRoom);
    }
    if let Some(index) = quorum.typed.iter().find(|index| !quorum.approved.contains(index)) {
        return Some(Phase::Approve(*index));
    }
    if let Some(index) = quorum.typed.iter().find(|index| !quorum.headed.contains(index)) {
        return Some(Phase::Head(*index));
    }
    Some(if quorum.typed.len() < usize::from(quorum.threshold) { Phase::Share } else { Phase::Unlock })
}

/// The digest of a list: what custodians approve.
#[must_use]
pub fn list_digest(plan: &Plan, list: &[Prepared]) -> Digest {
    let digests: Vec<&[u8]> = list.iter().map(|prepared| prepared.digest.octets().as_slice()).collect();
    Digest::tagged("unlock-list", plan.realm, &digests)
}

/// The operation that a step signs, where the list of its authority holds it.
#[must_use]
pub fn prepared<'s>(state: &'s State, step: &Step) -> Option<&'s Prepared> {
    state.unlocking.values().flat_map(|unlocking| &unlocking.list).find(|prepared| prepared.step == step.id)
}

/// The operation of a list that is being approved once more by its step: the key that signs it is open.
#[must_use]
pub fn approving(state: &State, step: &Step) -> Option<Digest> {
    let prepared = prepared(state, step)?;
    state.authorities.get(prepared.operation.authority()).filter(|made| made.open).map(|_| prepared.digest)
}

/// It was signed: it leaves the list, and its serial number is no longer one that may burn.
pub fn signed(state: &mut State, step: &Step) {
    for unlocking in state.unlocking.values_mut() {
        unlocking.list.retain(|prepared| prepared.step != step.id);
        unlocking.serials.remove(&step.id);
    }
}

/// What the unlocking wants next; nothing where the key is open, or nothing is to be signed with it.
#[must_use]
pub fn next(room: &Room<'_>, authority: &str) -> Option<StepNext> {
    let phase = phase(room.plan, room.state, authority)?;
    let (made, quorum) = parts(room.state, authority)?;
    let planned = room.plan.quorum(&made.quorum)?;
    let nothing = Unlocking::default();
    let unlocking = room.state.unlocking.get(authority).unwrap_or(&nothing);
    let digest = list_digest(room.plan, &unlocking.list);
    let listed = |lines: &mut Vec<Line>| {
        for prepared in &unlocking.list {
            lines.push(Line::Gap);
            lines.push(Line::value("sign", &prepared.operation.title()));
            lines.extend(issue::rendered(room.plan, made, &prepared.operation));
            lines.push(Line::digest("operation", prepared.digest));
        }
        lines.push(Line::Gap);
        lines.push(Line::digest("the list", digest));
    };
    Some(match phase {
        Phase::Reserve(_) => {
            StepNext::Do(Box::new(Effect::ReserveSerial { authority: authority.to_owned(), index: room.state.serials }))
        }
        Phase::Look => {
            let people = asking::signatories(room.step);
            let who = people.get(unlocking.answered as usize)?;
            let mut lines = vec![Line::text(&format!(
                "The key of {authority} is about to be opened. It will sign this, in this order, and nothing else:"
            ))];
            let steps = signing(room.plan, room.state, authority);
            lines.extend(steps.iter().map(|(step, signs)| Line::value(&format!("step {}", step.number), &signs.title)));
            StepNext::Ask(Box::new(Prompt {
                lines,
                next: people.get(unlocking.answered as usize + 1).map_or_else(
                    || "every operation is built and shown; then custodians unlock".to_owned(),
                    |other| format!("{} does the same", room.plan.name_of(other)),
                ),
                ..asking::initials_prompt(room.plan, who, "Is that what the key is opened for?")
            }))
        }
        Phase::OpenRoom => StepNext::Do(Box::new(Effect::OpenStrongroom { session: room.state.sessions + 1 })),
        Phase::Share => {
            let here = |index: &u8| room.plan.person(planned.custodian(*index)).is_some();
            let waiting: Vec<u8> =
                (1..=quorum.count).filter(|index| !quorum.typed.contains(index)).filter(here).collect();
            let next = *waiting.first()?;
            let holder = planned.custodian(next).to_owned();
            let names: Vec<String> = waiting.iter().map(|index| room.plan.name_of(planned.custodian(*index))).collect();
            let mut lines = vec![Line::text(&format!(
                "Any {} custodians open the key of {authority}, for exactly this:",
                quorum.threshold
            ))];
            listed(&mut lines);
            lines.push(Line::value("unlocked", &format!("{} of {}", quorum.typed.len(), quorum.threshold)));
            lines.push(Line::value("not yet", &names.join(", ")));
            StepNext::Ask(Box::new(Prompt {
                lines,
                next: "whoever typed it approves the list, and gives the head they noted".to_owned(),
                ..asking::prompt_for(
                    &holder,
                    "Unlock with a share",
                    Ask::Share {
                        quorum: made.quorum.clone(),
                        index: 0,
                        card: next,
                        count: quorum.count,
                        holder: holder.clone(),
                        purpose: "unlock".to_owned(),
                    },
                )
            }))
        }
        Phase::Approve(index) => {
            let phrase = digest.words(3).join(" ");
            let holder = planned.custodian(index).to_owned();
            let mut lines = vec![Line::text(&format!(
                "{}, your share opens the key of {authority} for this list and nothing else. Read every line.",
                room.plan.name_of(&holder)
            ))];
            listed(&mut lines);
            StepNext::Ask(Box::new(Prompt {
                lines,
                next: "you give the head you noted at the end of the last ceremony".to_owned(),
                rehearsal_answer: Some(phrase.clone()),
                grave: true,
                ..asking::prompt_for(&holder, "Approve exactly this list", Ask::Phrase { phrase })
            }))
        }
        Phase::Head(index) => {
            let holder = planned.custodian(index).to_owned();
            let standing = room.plan.standing.as_ref()?;
            StepNext::Ask(Box::new(Prompt {
                lines: vec![
                    Line::text(&format!(
                        "{}, from your own paper, not from this screen: the last head of the chain.",
                        room.plan.name_of(&holder)
                    )),
                    Line::value("after", &standing.ceremony),
                    Line::text("Its twelve words, or all its 64 digits. If they disagree, the key stays closed."),
                ],
                next: "the next custodian, or the key is opened".to_owned(),
                rehearsal_answer: Some(standing.head.twelve_words()),
                ..asking::prompt_for(
                    &holder,
                    "Give the last head of the chain",
                    Ask::Text {
                        label: "twelve words or 64 digits".to_owned(),
                        example: "orbit falcon granite ...".to_owned(),
                    },
                )
            }))
        }
        Phase::Unlock => StepNext::Do(Box::new(Effect::Unlock {
            authority: authority.to_owned(),
            quorum: made.quorum.clone(),
            sealed: made.sealed,
            public_key: crate::basics::digest::hex_encode(made.public_key.spki_der()),
            operations: unlocking.list.iter().map(|prepared| prepared.operation.title()).collect(),
            digests: unlocking.list.iter().map(|prepared| prepared.digest).collect(),
        })),
    })
}

/// Takes an answer or outcome of the unlocking; says whether it was one.
///
/// # Errors
/// Why it is refused.
pub fn take(
    plan: &Plan,
    step: &Step,
    state: &mut State,
    moment: &Moment,
    input: &Input<'_>,
    authority: &str,
) -> Result<bool, String> {
    let Some(phase) = phase(plan, state, authority) else { return Ok(false) };
    let quorum = parts(state, authority).map(|(made, _)| made.quorum.clone()).unwrap_or_default();
    match (phase, input) {
        (Phase::Reserve(of), Input::Outcome(Outcome::Serial { serial, index })) => {
            state.serials = index + 1;
            let unlocking = state.unlocking.entry(authority.to_owned()).or_default();
            unlocking.serials.insert(of.id.clone(), serial.clone());
        }
        (Phase::Look, Input::Answer(answer)) => {
            let mut answered = state.unlocking.get(authority).map_or(0, |unlocking| unlocking.answered);
            let all = asking::take_all(plan, step, &mut answered, answer)?;
            state.unlocking.entry(authority.to_owned()).or_default().answered = answered;
            if all {
                let list = fixed(plan, state, authority, moment)?;
                state.unlocking.entry(authority.to_owned()).or_default().list = list;
            }
        }
        (Phase::Share, Input::Answer(Answer::Share { verdict: ShareVerdict::Proven { index, .. }, .. })) => {
            share_counts(plan, state, &quorum, *index)?;
        }
        (Phase::Share, Input::Answer(Answer::Share { verdict: ShareVerdict::Refused { reason, .. }, .. })) => {
            return Err(reason.clone());
        }
        (Phase::Approve(index), Input::Answer(Answer::Typed { text })) => {
            let list = state.unlocking.get(authority).map(|unlocking| unlocking.list.clone()).unwrap_or_default();
            let phrase = list_digest(plan, &list).words(3).join(" ");
            read_back(&phrase, text)
                .ok_or("these are not the first three words of this list: read its digest on the screen")?;
            if let Some(quorum) = state.quorums.get_mut(&quorum) {
                quorum.approved.insert(index);
            }
        }
        (Phase::Head(index), Input::Answer(Answer::Typed { text })) => {
            let head = plan.standing.as_ref().map(|standing| standing.head).ok_or("the plan follows no ceremony")?;
            let digits: String = text.split_whitespace().collect::<String>().to_lowercase();
            if read_back(&head.twelve_words(), text).is_none() && digits != head.hex() {
                return Err(
                    "that is not the head this ceremony goes on from: either the note is of another ceremony, or a record is missing or was exchanged. Do not go on before you know which"
                        .to_owned(),
                );
            }
            if let Some(quorum) = state.quorums.get_mut(&quorum) {
                quorum.headed.insert(index);
            }
        }
        (Phase::Unlock, Input::Outcome(Outcome::Unlocked)) => {
            if let Some(made) = state.authorities.get_mut(authority) {
                made.open = true;
            }
            if let Some(quorum) = state.quorums.get_mut(&quorum) {
                quorum.typed.clear();
                quorum.approved.clear();
                quorum.headed.clear();
            }
        }
        (Phase::Approve(_), _) => return Err("expected the first three words of the list's digest".to_owned()),
        (Phase::Head(_), _) => return Err("expected the twelve words of a head".to_owned()),
        (Phase::Share, _) => return Err("expected a share".to_owned()),
        _ => return Err("expected the key to be unlocked first".to_owned()),
    }
    Ok(true)
}

/// A share typed to unlock counts once, and only where whoever holds it is among the people: a card without its custodian opens nothing.
///
/// # Errors
/// Why it does not count.
pub fn share_counts(plan: &Plan, state: &mut State, quorum: &str, index: u8) -> Result<(), String> {
    let holder = plan.quorum(quorum).map(|planned| planned.custodian(index).to_owned()).unwrap_or_default();
    if plan.person(&holder).is_none() {
        return Err(format!("share {index} is that of {holder}, who is not among the people of this script"));
    }
    match state.quorums.get_mut(quorum).is_some_and(|quorum| quorum.typed.insert(index)) {
        true => Ok(()),
        false => Err(format!("share {index} has been typed already: another custodian's is needed")),
    }
}

/// Every operation of the list, built whole: what cannot be built is said now, before anybody types a share.
fn fixed(plan: &Plan, state: &State, authority: &str, moment: &Moment) -> Result<Vec<Prepared>, String> {
    let (made, _) = parts(state, authority).ok_or("no record says that this authority was made")?;
    issue::require_quorum(state, authority)?;
    let serials = state.unlocking.get(authority).map(|unlocking| unlocking.serials.clone()).unwrap_or_default();
    // Each operation is built knowing those before it on the list: a key is certified once, also by one list.
    let mut fixing = state.clone();
    let mut list = Vec::new();
    for (step, _) in signing(plan, state, authority) {
        let position = plan.steps.iter().position(|other| other.id == step.id).unwrap_or_default();
        let kind = steps::kind_at(plan, position).ok_or("there is no such step")?;
        let serial = serials.get(&step.id).map_or("", String::as_str);
        let operation = kind.operation(plan, step, &fixing, serial, moment)?;
        let (digest, _) = issue::operation_digest(plan, made, &operation)?;
        let prepared = Prepared { step: step.id.clone(), operation, digest };
        fixing.unlocking.entry(authority.to_owned()).or_default().list.push(prepared.clone());
        list.push(prepared);
    }
    Ok(list)
}

/// An effect of the unlocking came to no outcome: a serial number that was being reserved is spent.
pub fn lost(state: &mut State, effect: &Effect) {
    if let Effect::ReserveSerial { index, .. } = effect {
        state.serials = state.serials.max(index + 1);
    }
}
