//! The acceptance test of the whole design: the recorded events, fed through `advance` again, give the recorded entries, octet
//! for octet.

use crate::ceremony::{Event, Moment, State, What, advance};
use crate::plan::Plan;
use crate::transcript::{BadEntry, Entry, Record};

/// Where a record leads.
pub struct Replayed {
    pub state: State,
    /// Entries of the last turn that the record lacks: the machine died while writing them.
    pub missing: Vec<Entry>,
    /// Lines after the header before the last turn.
    pub before: usize,
    /// Whether the head was to be signed at the end of the last turn.
    pub checkpoint: bool,
    /// Time of the last event, which the missing entries share.
    pub time: crate::basics::Instant,
}

/// Replays a record; every body must be there.
///
/// # Errors
/// The first entry that the machine would not have written.
pub fn replay(plan: &Plan, record: &Record) -> Result<Replayed, BadEntry> {
    replay_seeing(plan, record, &mut |_, _, _| {})
}

/// The same; `see` is shown every event with the state that it meets and the number of its entry.
///
/// # Errors
/// As [`replay`].
pub fn replay_seeing(
    plan: &Plan,
    record: &Record,
    see: &mut dyn FnMut(&State, u32, &What),
) -> Result<Replayed, BadEntry> {
    let mut state = State::default();
    let mut at = 0_usize;
    let mut last = Replayed {
        state: State::default(),
        missing: Vec::new(),
        before: 0,
        checkpoint: false,
        time: record.header.started,
    };
    while let Some(line) = record.lines.get(at) {
        last.before = at;
        let number = u32::try_from(at + 1).unwrap_or(u32::MAX);
        let bad = |problem: &str| BadEntry { entry: number, problem: problem.to_owned() };
        let (Some(open), Some(body)) = (line.open(), line.body()) else { return Err(bad("its body is withheld")) };
        let event = body.get("event").ok_or_else(|| bad("expected an event here, found an entry nothing led to"))?;
        let what: What = serde_json::from_value(event.clone()).map_err(|_| bad("expected an event of this version"))?;
        let head = record.heads.get(at).copied().ok_or_else(|| bad("there is no head before it"))?;
        see(&state, number, &what);
        let turn = advance(plan, state, &Event { moment: Moment { time: open.time, head }, what });
        let mut entries = turn.entries.into_iter();
        let mut missing = Vec::new();
        if entries.len() == 0 {
            return Err(bad("the machine would have written nothing"));
        }
        for entry in entries.by_ref() {
            let Some(line) = record.lines.get(at) else {
                missing.push(entry);
                continue;
            };
            let number = u32::try_from(at + 1).unwrap_or(u32::MAX);
            let same = line.open() == Some(&entry.open(number, open.time)) && line.body() == Some(&entry.body);
            if !same {
                return Err(BadEntry {
                    entry: number,
                    problem: "the machine would have written something else".to_owned(),
                });
            }
            at += 1;
        }
        state = turn.state;
        last.missing = missing;
        last.checkpoint = turn.checkpoint;
        last.time = open.time;
    }
    last.state = state;
    Ok(last)
}
