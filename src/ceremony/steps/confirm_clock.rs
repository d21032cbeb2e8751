//! `confirm-clock`: the acting person and everybody who confirms type the time their own watch shows, UTC.

use crate::ceremony::event::{Answer, Moment};
use crate::ceremony::prompt::{Ask, Line, Prompt};
use crate::ceremony::state::State;
use crate::ceremony::steps::{Input, Room, StepMachine, StepNext, asking};
use crate::plan::{Plan, Step};
use crate::script::{Fact, Lookup, RoomRules, StepKey, StepKind, kind::Params};
use crate::transcript::Entry;

/// How far a watch may be from the machine's clock.
const TOLERANCE_MINUTES: i64 = 2;

pub struct ConfirmClock;

impl StepKind for ConfirmClock {
    fn word(&self) -> &'static str {
        "confirm-clock"
    }
    fn summary(&self) -> &'static str {
        "Two people type the time their own watches show; the machine's clock must be within two minutes of both."
    }
    fn keys(&self) -> &'static [StepKey] {
        &[]
    }
    fn room(&self, _: &Params, _: &dyn Lookup) -> RoomRules {
        RoomRules { gives: vec![Fact::ClockConfirmed], ..RoomRules::default() }
    }
    fn confirmers(&self) -> usize {
        1
    }
    fn activity(&self, _: &Params) -> Vec<String> {
        vec!["Each person named reads their own watch and types the time, UTC, hours and minutes (14:02).".to_owned()]
    }
}

impl StepMachine for ConfirmClock {
    fn next(&self, room: &Room<'_>) -> StepNext {
        let people = asking::signatories(room.step);
        match people.get(room.state.local.answered as usize) {
            Some(who) => StepNext::Ask(Box::new(Prompt {
                lines: vec![
                    Line::text("The machine's clock stamps every entry and cannot be checked from inside."),
                    Line::text("Look at your own watch, not at the screen, and type the time in UTC."),
                ],
                next: "the clock is confirmed when everybody named has typed".to_owned(),
                rehearsal_answer: Some("now".to_owned()),
                ..asking::prompt_for(
                    who,
                    "What time is it?",
                    Ask::Text { label: "time on your watch, UTC".to_owned(), example: "14:02".to_owned() },
                )
            })),
            None => StepNext::Done,
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
        let Input::Answer(Answer::Typed { text }) = input else { return Err("expected a time like 14:02".to_owned()) };
        let minutes = minutes_of_day(text).ok_or("expected a time like 14:02")?;
        let own = moment.time.civil();
        let machine = i64::from(own.hour) * 60 + i64::from(own.minute);
        let apart = (minutes - machine).rem_euclid(1440);
        let offset = if apart > 720 { apart - 1440 } else { apart };
        if offset.abs() > TOLERANCE_MINUTES && state.local.excepted == 0 {
            return Err(format!(
                "the machine says {}, your watch {}: set the clock before you go on, or open an exception",
                moment.time.hours_minutes(),
                crate::basics::SafeText::cut(text, 12)
            ));
        }
        let people = asking::signatories(step);
        let answering = people.get(state.local.answered as usize).map_or("", String::as_str);
        let who = plan.name_of(answering);
        let role = plan.person(answering).and_then(|p| p.roles.first()).map_or(step.role.as_str(), String::as_str);
        state.local.answered += 1;
        if offset.abs() > TOLERANCE_MINUTES {
            let number = u32::try_from(state.exceptions.len()).unwrap_or(u32::MAX);
            let entry = Entry::new(crate::transcript::Kind::Answer, "given")
                .at(&step.id)
                .by(role)
                .under(number)
                .with("clock_differs_for", who)
                .with("minutes", offset.unsigned_abs());
            return Ok(vec![entry]);
        }
        Ok(Vec::new())
    }
}

/// `14:02` or `1402` as minutes of the day.
fn minutes_of_day(text: &str) -> Option<i64> {
    let digits: String = text.trim().chars().filter(|c| *c != ':').collect();
    if digits.len() != 4 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes) = (digits.get(..2)?.parse::<i64>().ok()?, digits.get(2..)?.parse::<i64>().ok()?);
    (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
}
