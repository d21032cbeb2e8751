//! The agenda: what is done, what is skipped, what is being done, what comes. The present step is always in sight.

use crate::tui::model::Room;
use crate::tui::theme::Tone;
use crate::tui::widgets::row::{Row, wrapped};

/// How much is said of each step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    Titles,
    /// Titles, acting people and minutes.
    Full,
}

/// The rows that fit in `height`, around the present step.
#[must_use]
pub fn rows(room: &Room<'_>, detail: Detail, width: usize, height: usize) -> Vec<Row> {
    let (mut rows, mut present) = (Vec::new(), 0);
    let mut act = None;
    for (index, step) in room.plan.steps.iter().enumerate() {
        if act != Some(step.act) {
            act = Some(step.act);
            let title = room.plan.acts.get(step.act as usize).map_or("", String::as_str);
            let heading = format!("act {} {title}", step.act + 1);
            rows.extend(wrapped(Row::of(Tone::Plain, " "), Tone::Faint, &heading, width));
        }
        let (glyph, tone) = match index.cmp(&room.state.step) {
            std::cmp::Ordering::Less if room.skipped.contains(&index) => ("–", Tone::Notice),
            std::cmp::Ordering::Less => ("✓", Tone::Good),
            std::cmp::Ordering::Equal => ("▶", Tone::Now),
            std::cmp::Ordering::Greater => ("·", Tone::Faint),
        };
        if index <= room.state.step {
            present = rows.len();
        }
        let skipped = if glyph == "–" { " (skipped)" } else { "" };
        let first = Row::of(tone, &format!(" {glyph} {:>2} ", step.number));
        let title_tone = if glyph == "▶" { Tone::Now } else { Tone::Plain };
        rows.extend(wrapped(first, title_tone, &format!("{}{skipped}", step.title), width));
        if detail == Detail::Full {
            let more = format!("{} · {} min", room.plan.name_of(&step.who), step.minutes);
            rows.extend(wrapped(Row::of(Tone::Plain, "      "), Tone::Faint, &more, width));
        }
    }
    window(rows, present, height)
}

/// At most `height` rows, with the one that matters a third from the top.
fn window(rows: Vec<Row>, present: usize, height: usize) -> Vec<Row> {
    let last = rows.len().saturating_sub(height);
    let from = present.saturating_sub(height / 3).min(last);
    rows.into_iter().skip(from).take(height).collect()
}
