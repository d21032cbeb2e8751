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
                &format!("act {} of {} {title}", step.act + 1, room.plan.acts.len()).trim_end().to_owned(),
            ));
            let minutes = room.plan.minutes_left_in_act(room.state.step);
            second.push(Row::of(Tone::Strong, &format!(" step {} of {}", step.number, room.plan.steps.len())));
            second.push(Row::of(Tone::Plain, &step.title));
            second.push(Row::of(Tone::Plain, &format!("about {minutes} min left in act")));
        }
        None => {
            first.push(Row::of(Tone::Plain, &format!("{} acts", room.plan.acts.len())));
            second.push(Row::of(Tone::Strong, &format!(" all {} steps behind us", room.plan.steps.len())));
        }
    }
    let plan = Row::of(Tone::Faint, "plan ").with(Tone::Plain, &format!("{} ", room.plan_digest.label()));
    let head: String = room.head.hex().chars().take(HEAD_DIGITS).collect();
    let clock = Row::of(Tone::Strong, &model.clock.hours_minutes())
        .with(Tone::Faint, " UTC · head ")
        .with(Tone::Strong, &head)
        .with(Tone::Plain, " ");
    let mut rows = flowed(first, " │ ", plan, width);
    rows.extend(flowed(second, " · ", clock, width));
    rows
}
