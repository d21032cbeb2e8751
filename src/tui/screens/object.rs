//! An object from across the gap: which way it comes in. What it is read with has a screen of its own (`tui::take_in`).

use crate::basics::limits;
use crate::runner::front_end::{Given, WayIn};
use crate::tui::model::Done;
use crate::tui::screens::{Submitted, field_rows};
use crate::tui::theme::Tone;
use crate::tui::widgets::field::{Field, Paste};
use crate::tui::widgets::row::{Row, wrapped};

#[must_use]
pub const fn begin() -> Field {
    Field::new(limits::TYPED_CHARS, Paste::Taken)
}

/// The ways in, each with its key.
#[must_use]
pub fn ways(ways: &[WayIn], width: usize) -> Vec<Row> {
    let mut rows: Vec<Row> = ways
        .iter()
        .flat_map(|way| {
            let first = Row::of(Tone::Key, &format!("  {} ", way.key)).padded(5);
            wrapped(first, Tone::Plain, &way.words(), width)
        })
        .collect();
    if ways.is_empty() {
        rows.extend(wrapped(Row::of(Tone::Bad, "✗ "), Tone::Bad, "the binding names no way in for objects", width));
    }
    rows
}

#[must_use]
pub fn rows(field: &Field, width: usize) -> Vec<Row> {
    field_rows(field, width)
}

/// Only what is offered is an answer.
#[must_use]
pub fn submit(ways: &[WayIn], field: &Field) -> Submitted {
    let typed = field.text().trim();
    match WayIn::chosen(ways, typed) {
        Ok(_) => Submitted::done(Done::Given(Given::TakeIn(typed.to_owned()))),
        Err(expected) => Submitted::Tell(expected),
    }
}
