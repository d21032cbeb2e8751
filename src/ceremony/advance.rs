//! The one function that decides. `advance` takes the state and an event and gives the next state, the entries to write
//! (the first carries the event), and what comes next: a prompt, an effect, or the end.

use crate::basics::{Digest, canonical, limits};
use crate::ceremony::effect::Effect;
use crate::ceremony::event::{Answer, Event, Outcome, What};
use crate::ceremony::exception;
use crate::ceremony::interruption;
use crate::ceremony::prompt::{Line, Prompt};
use crate::ceremony::state::{Finish, GovernanceToConfirm, Interruption, Local, State};
use crate::ceremony::steps::{self, Input, Room, StepNext, unlocking};
use crate::plan::{Plan, Step};
use crate::transcript::{Entry, Kind, Level, Signer};
use serde_json::{Value, json};

/// What the outside world has to do now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    Ask(Box<Prompt>),
    Do(Box<Effect>),
    Finished(Finish),
}

/// What came of one event.
#[derive(Clone, Debug)]
pub struct Turn {
    pub state: State,
    pub entries: Vec<Entry>,
    /// An act ended, a run began or the record closed: the head is to be signed.
    pub checkpoint: bool,
}

/// The event that opens every record.
#[must_use]
pub fn opening(governance_words: &str, signers: Vec<Signer>) -> What {
    What::Opened { governance_words: governance_words.to_owned(), signers }
}

/// What comes next in a state. Derived, never stored: a resumed ceremony asks again what was being asked.
#[must_use]
pub fn next(plan: &Plan, state: &State) -> Next {
    if let Some(finish) = state.finished {
        return Next::Finished(finish);
    }
    if let Some(effect) = &state.waiting {
        return Next::Do(Box::new(effect.clone()));
    }
    match wanted(plan, state) {
        StepNext::Ask(mut prompt) => {
            prompt.refusal.clone_from(&state.refusal);
            match state.local.excepted {
                0 => {}
                1 => prompt.lines.push(Line::value("exceptions", "1 is open at this step")),
                more => prompt.lines.push(Line::value("exceptions", &format!("{more} are open at this step"))),
            }
            if !plan.realm.is_rehearsal() {
                prompt.rehearsal_answer = None;
            }
            Next::Ask(prompt)
        }
        StepNext::Do(effect) => Next::Do(effect),
        StepNext::Done => Next::Finished(Finish::Closed),
    }
}

/// What the interruption, the run key or the present step wants.
fn wanted(plan: &Plan, state: &State) -> StepNext {
    if !state.run_key_live {
        let run = u32::try_from(state.run_keys.len() + 1).unwrap_or(u32::MAX);
        return StepNext::Do(Box::new(Effect::MakeRunKey { run }));
    }
    if let Some(interruption) = state.due() {
        return StepNext::Ask(Box::new(interruption::prompt(plan, state, &interruption)));
    }
    match (plan.steps.get(state.step), steps::kind_at(plan, state.step)) {
        (Some(step), Some(kind)) => match kind.next(&Room { plan, step, state }) {
            // A session ends as soon as no later step needs it, and before the step that ends it is done.
            StepNext::Done if state.strongroom && !strongroom_needed_after(plan, state.step) => {
                StepNext::Do(Box::new(Effect::EndStrongroom))
            }
            next => next,
        },
        _ => StepNext::Done,
    }
}

fn strongroom_needed_after(plan: &Plan, step: usize) -> bool {
    (step + 1..plan.steps.len()).any(|later| steps::kind_at(plan, later).is_some_and(|kind| kind.uses_strongroom()))
}

/// Takes one event. Pure: the same state and event give the same turn.
#[must_use]
pub fn advance(plan: &Plan, mut state: State, event: &Event) -> Turn {
    let asked = match next(plan, &state) {
        Next::Ask(prompt) => Some(*prompt),
        _ => None,
    };
    let noted: String = event.moment.head.hex().chars().take(8).collect();
    state.heads.push(noted);
    let mut turn = Turn { state, entries: Vec::new(), checkpoint: false };
    take(plan, &mut turn, event, asked.as_ref());
    settle(plan, &mut turn);
    finish_entries(plan, &mut turn, event, asked.as_ref());
    turn
}

/// The first entry of a turn carries the event, and what was on the screen when it was answered.
fn finish_entries(plan: &Plan, turn: &mut Turn, event: &Event, asked: Option<&Prompt>) {
    if let Some(first) = turn.entries.first_mut() {
        first.body.insert("event".to_owned(), serde_json::to_value(&event.what).unwrap_or(Value::Bool(false)));
        if let (Some(prompt), What::Answered { .. }) = (asked, &event.what) {
            let lines: Vec<String> = prompt.lines.iter().map(super::prompt::Line::plain).collect();
            first.body.insert("asked".to_owned(), asked_and_shown(prompt, &lines));
        }
    }
    for entry in &mut turn.entries {
        let raised = plan.steps.iter().find(|step| step.id == entry.step).map_or(Level::Public, |step| step.level);
        if entry.kind.default_level() != Level::Public {
            entry.level = entry.level.max(raised);
        }
    }
}

/// What was asked of whom, and what the screen showed. A long list would not fit into a line of the record: the operations that it
/// shows stand in the record whole, so its digest says as much.
fn asked_and_shown(prompt: &Prompt, lines: &[String]) -> Value {
    let shown = canonical::to_octets(&lines).unwrap_or_default();
    if shown.len() <= limits::SHOWN_OCTETS {
        return json!({ "title": prompt.title, "who": prompt.who, "shown": lines });
    }
    json!({
        "title": prompt.title,
        "who": prompt.who,
        "shown_lines": lines.len(),
        "shown_sha256": Digest::of(&shown).hex(),
    })
}

fn here(plan: &Plan, state: &State) -> (String, String) {
    plan.steps.get(state.step).filter(|_| state.begun).map_or_else(Default::default, |s| (s.id.clone(), s.role.clone()))
}

/// Folds the event into the state.
fn take(plan: &Plan, turn: &mut Turn, event: &Event, asked: Option<&Prompt>) {
    let (step_id, _) = here(plan, &turn.state);
    let role = asked
        .and_then(|p| plan.person(&p.who))
        .and_then(|p| p.roles.first().cloned())
        .unwrap_or_else(|| "tool".to_owned());
    match &event.what {
        What::Opened { governance_words, signers } => {
            turn.state.opened = true;
            turn.state.signers.clone_from(signers);
            if !governance_words.is_empty() {
                turn.state.governance = Some(GovernanceToConfirm { words: governance_words.clone(), confirmed: 0 });
            }
            let mut entry = Entry::new(Kind::Opened, "done").with("ceremony", plan.ceremony.clone());
            if let Some(standing) = &plan.standing {
                turn.state.take_up(standing);
                let octets = standing.to_octets().unwrap_or_default();
                entry = entry.with("standing", Digest::of(&octets).hex());
            }
            turn.entries.push(entry);
        }
        What::Answered { answer, .. } => answered(plan, turn, event, answer, &role, &step_id),
        What::Done { outcome } => done(plan, turn, event, outcome, &step_id),
        What::Failed { reason, strongroom_gone } => {
            let effect = turn.state.waiting.take();
            let what = effect.as_ref().map_or_else(|| "the strongroom".to_owned(), Effect::describe);
            turn.entries.push(Entry::new(Kind::Outcome, "failed").at(&step_id).with("what", what.clone()));
            lose(plan, &mut turn.state, effect.as_ref());
            turn.state.interruption = Some(Interruption::Failed { what, reason: reason.clone() });
            if *strongroom_gone {
                strongroom_gone_now(plan, &mut turn.state);
            }
        }
        What::Resumed { last_head, .. } => {
            let effect = turn.state.waiting.take();
            let lost = effect.as_ref().map(Effect::describe);
            turn.entries.push(
                Entry::new(Kind::Resumed, "done").at(&step_id).with("lost_intent", lost.clone().unwrap_or_default()),
            );
            lose(plan, &mut turn.state, effect.as_ref());
            turn.state.finished = None;
            turn.state.run_key_live = false;
            turn.state.refusal = None;
            strongroom_gone_now(plan, &mut turn.state);
            turn.state.interruption = Some(Interruption::Resuming { last_head: *last_head, noted: Vec::new(), lost });
        }
    }
}

/// An effect that did not come to an outcome: its step says what that means (a reserved serial is burnt).
fn lose(plan: &Plan, state: &mut State, effect: Option<&Effect>) {
    if let (Some(effect), Some(kind)) = (effect, steps::kind_at(plan, state.step)) {
        kind.lost(state, effect);
    }
}

/// Nothing the strongroom held exists any more.
fn strongroom_gone_now(plan: &Plan, state: &mut State) {
    state.strongroom = false;
    for authority in state.authorities.values_mut() {
        authority.open = false;
    }
    for quorum in state.quorums.values_mut() {
        quorum.typed.clear();
    }
    state.void_lists();
    if let Some(kind) = steps::kind_at(plan, state.step) {
        kind.strongroom_gone(state);
    }
}

fn answered(plan: &Plan, turn: &mut Turn, event: &Event, answer: &Answer, role: &str, step_id: &str) {
    let refuse = |turn: &mut Turn, reason: String| {
        turn.entries.push(Entry::new(Kind::Answer, "refused").by(role).at(step_id).with("reason", reason.clone()));
        turn.state.refusal = Some(reason);
    };
    turn.state.refusal = None;
    match answer {
        Answer::Exception { sheet } => match exception::check(plan, sheet) {
            Ok(people) => interruption::open_exception(plan, turn, event, sheet, &people, role),
            Err(reason) => refuse(turn, reason),
        },
        Answer::Abort { sheet } => match exception::check(plan, sheet) {
            Ok(people) => {
                turn.entries.push(Entry::new(Kind::Abort, "done").by(role).at(step_id).with("people", people));
                turn.state.finished = Some(Finish::Aborted);
            }
            Err(reason) => refuse(turn, reason),
        },
        Answer::Pause { why, staying } => match interruption::check_pause(plan, why, staying) {
            Ok(()) => {
                turn.entries.push(Entry::new(Kind::Pause, "begun").by(role).at(step_id));
                let kept = turn.state.interruption.is_none();
                if kept {
                    turn.state.interruption =
                        Some(Interruption::Paused { why: why.clone(), since: event.moment.time, back: 0 });
                }
            }
            Err(reason) => refuse(turn, reason),
        },
        Answer::Leave { .. } => {
            // Who ended the program, or whether the terminal went away, the tool does not know.
            turn.entries.push(Entry::new(Kind::Pause, "begun").by("tool").at(step_id));
            turn.state.finished = Some(Finish::Left);
        }
        Answer::No => {
            refuse(turn, "the answer was no: nothing was done; agree, or open an exception with `!`".to_owned())
        }
        _ => {
            if let Some(interruption) = turn.state.due() {
                match interruption::take(plan, turn, &interruption, answer, role, step_id) {
                    Ok(()) => {}
                    Err(reason) => refuse(turn, reason),
                }
                return;
            }
            // `take` of a step works on a copy, so that a refused answer changes nothing.
            let mut tried = turn.state.clone();
            match with_step(plan, &mut tried, |kind, plan, step, state| {
                kind.take(plan, step, state, &event.moment, &Input::Answer(answer))
            }) {
                Ok(extra) => {
                    // The first who approves a listed operation is the one who takes it over into the step.
                    let listed = || unlocking::approving(&turn.state, plan.steps.get(turn.state.step)?);
                    let operation = turn.state.local.digest.or_else(listed).map(|d| d.hex()).unwrap_or_default();
                    turn.state = tried;
                    let mut entry = Entry::new(Kind::Answer, "agreed").by(role).at(step_id);
                    entry.operation = operation;
                    turn.entries.push(entry);
                    turn.entries.extend(extra);
                }
                Err(reason) => refuse(turn, reason),
            }
        }
    }
}

fn with_step<T>(
    plan: &Plan,
    state: &mut State,
    work: impl FnOnce(&dyn steps::StepMachine, &Plan, &Step, &mut State) -> Result<T, String>,
) -> Result<T, String> {
    match (plan.steps.get(state.step), steps::kind_at(plan, state.step)) {
        (Some(step), Some(kind)) => work(kind, plan, step, state),
        _ => Err("the script has no further step".to_owned()),
    }
}

fn done(plan: &Plan, turn: &mut Turn, event: &Event, outcome: &Outcome, step_id: &str) {
    let effect = turn.state.waiting.take();
    let mut entry = Entry::new(Kind::Outcome, "done").at(step_id);
    entry.operation = turn.state.local.digest.map(|d| d.hex()).unwrap_or_default();
    match (&effect, outcome) {
        (Some(Effect::MakeRunKey { .. }), Outcome::RunKey { public_key }) => {
            turn.state.run_keys.push(public_key.clone());
            turn.state.run_key_live = true;
            turn.checkpoint = turn.state.run_keys.len() > 1;
            turn.entries.push(Entry::new(Kind::RunKey, "done").with("public_key", public_key.clone()));
        }
        (Some(Effect::OpenStrongroom { session }), Outcome::Strongroom { .. }) => {
            turn.state.strongroom = true;
            turn.state.sessions = *session;
            turn.entries.push(entry);
        }
        (Some(Effect::EndStrongroom), Outcome::StrongroomEnded) => {
            turn.entries.push(entry);
            turn.state.strongroom = false;
            turn.state.void_lists();
            for authority in turn.state.authorities.values_mut() {
                authority.open = false;
            }
        }
        (Some(_), _) => {
            let mut tried = turn.state.clone();
            let result = with_step(plan, &mut tried, |kind, plan, step, state| {
                kind.take(plan, step, state, &event.moment, &Input::Outcome(outcome))
            });
            match result {
                Ok(extra) => {
                    turn.state = tried;
                    turn.entries.push(entry);
                    turn.entries.extend(extra);
                }
                Err(reason) => {
                    let what = effect.as_ref().map(Effect::describe).unwrap_or_default();
                    entry.outcome = "failed";
                    turn.entries.push(entry.with("reason", reason.clone()));
                    lose(plan, &mut turn.state, effect.as_ref());
                    turn.state.interruption = Some(Interruption::Failed { what, reason });
                }
            }
        }
        (None, _) => {
            entry.outcome = "failed";
            turn.entries.push(entry.with("reason", "an outcome nobody was waiting for"));
        }
    }
}

/// Steps begin and end here, acts end here, and the intent of the next effect is written here.
fn settle(plan: &Plan, turn: &mut Turn) {
    // Bounded by the number of steps: each round ends a step or returns.
    for _ in 0..=plan.steps.len() {
        if turn.state.finished.is_some() {
            break;
        }
        if turn.state.run_key_live && turn.state.due().is_none() && !turn.state.begun {
            let Some(step) = plan.steps.get(turn.state.step) else { break };
            turn.state.begun = true;
            turn.entries
                .push(Entry::new(Kind::Step, "begun").by(&step.role).at(&step.id).with("title", step.title.clone()));
        }
        match wanted(plan, &turn.state) {
            StepNext::Ask(_) => break,
            StepNext::Do(effect) => {
                let step_id = here(plan, &turn.state).0;
                let described = serde_json::to_value(&effect).unwrap_or(Value::Bool(false));
                turn.entries.push(Entry::new(Kind::Intent, "meant").at(&step_id).with("effect", described));
                turn.state.waiting = Some(*effect);
                break;
            }
            StepNext::Done => end_step(plan, turn, "done", 0),
        }
    }
}

/// Ends the present step, by doing it or by skipping it under an exception.
pub(super) fn end_step(plan: &Plan, turn: &mut Turn, outcome: &'static str, exception: u32) {
    let Some(step) = plan.steps.get(turn.state.step) else {
        turn.state.finished = Some(Finish::Closed);
        return;
    };
    turn.entries.push(
        Entry::new(Kind::Step, outcome).by(&step.role).at(&step.id).under(exception).with("title", step.title.clone()),
    );
    if exception > 0 {
        turn.state.skipped.insert(turn.state.step);
        turn.state.abandon_unlocking();
    }
    turn.state.step += 1;
    turn.state.begun = false;
    turn.state.local = Local::default();
    turn.state.refusal = None;
    match plan.steps.get(turn.state.step) {
        Some(following) => turn.checkpoint |= following.act != step.act,
        None => {
            let closing = closing_entry(&turn.state);
            turn.entries.push(closing);
            turn.state.finished = Some(Finish::Closed);
            turn.checkpoint = true;
        }
    }
}

/// The last entry of a closed record; its serial seed is in the `closed` body as revealed by the last step.
fn closing_entry(state: &State) -> Entry {
    let artifacts: serde_json::Map<String, Value> =
        state.artifacts.iter().map(|(name, digest)| (name.clone(), Value::String(digest.hex()))).collect();
    Entry::new(Kind::Closed, "done")
        .with("serial_seed", state.serial_seed.clone())
        .with("exceptions", u32::try_from(state.exceptions.len()).unwrap_or(u32::MAX))
        .with("artifacts", artifacts)
}
