//! The header: never absent, never cut. Realm, ceremony, act, plan; step, minutes left in the act, clock, head.

use crate::tui::model::Model;
use crate::tui::theme::Tone;
use crate::tui::widgets::row::{Row, flowed};

/// Hexadecimal digits of the head that are shown: people note them, and a resume asks for eight.
const HEAD_DIGITS: usize = 8;

/// The rows of the header, at any width.
#[must_use]
pub fn rows(model: &Model<'_>, width: usize) -> Vec<Row> {
    let room = &model.room;
    let realm = if room.plan.realm.is_rehearsal() { Tone::Rehearsal } else { Tone::Production };
    let mut first =
        vec![Row::of(realm, &format!(" {} ", room.plan.realm.banner())), Row::of(Tone::Strong, &room.plan.title)];
    let mut second = Vec::new();
    match room.step() {
        Some(step) => {
            let title = room.plan.acts.get(step.act as usize).map_or("", String::as_str);
            first.push(Row::of(
                Tone::Plain,
                format!("act {} of {} {title}", step.act + 1, room.plan.acts.len()).trim_end(),
            ));
            let minutes = room.plan.minutes_left_in_act(room.state.step);
            second.push(Row::of(Tone::Strong, &format!(" step {} of {}", step.number, room.plan.steps.len())));
            second.push(Row::of(Tone::Plain, &step.title));
            second.push(Row::of(Tone::Plain, &format!("{minutes} min left in act")));
        }
        None => {
            first.push(Row::of(Tone::Plain, &format!("{} acts", room.plan.acts.len())));
            second.push(Row::of(Tone::Strong, &format!(" all {} steps behind us", room.plan.steps.len())));
        }
    }
    let plan = Row::of(Tone::Faint, " plan ").with(Tone::Plain, &room.plan_digest.label());
    let head: String = room.head.hex().chars().take(HEAD_DIGITS).collect();
    let clock =
        Row::of(Tone::Strong, &model.clock.hours_minutes()).with(Tone::Faint, " UTC · head ").with(Tone::Strong, &head);
    placed(flowed(first, " │ ", Row::gap(), width), plan, flowed(second, " · ", Row::gap(), width), clock, width)
}

/// Plan and clock stand at the right of the first and the second group where there is room, else together below.
fn placed(mut first: Vec<Row>, plan: Row, mut second: Vec<Row>, clock: Row, width: usize) -> Vec<Row> {
    let fits = |rows: &[Row], right: &Row| rows.last().is_some_and(|row| row.width() + 2 + right.width() < width);
    let at_right = |rows: &mut Vec<Row>, right: Row| {
        let row = rows.pop().unwrap_or_default();
        rows.push(row.padded(width.saturating_sub(right.width() + 1)).then(right));
    };
    let mut below = Vec::new();
    if fits(&first, &plan) {
        at_right(&mut first, plan);
    } else {
        below.push(plan);
    }
    if fits(&second, &clock) {
        at_right(&mut second, clock);
    } else {
        if below.is_empty() {
            below.push(Row::gap());
        }
        at_right(&mut below, clock);
    }
    first.into_iter().chain(second).chain(below).collect()
}
