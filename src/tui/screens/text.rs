//! A value typed by hand: a number read off a bag, a time, words read from paper. The only question that takes a paste.

use crate::basics::limits;
use crate::ceremony::event::Answer;
use crate::tui::model::Done;
use crate::tui::screens::{Submitted, field_rows};
use crate::tui::theme::Tone;
use crate::tui::widgets::field::{Field, Paste};
use crate::tui::widgets::row::{Row, wrapped};

#[must_use]
pub const fn begin() -> Field {
    Field::new(limits::TYPED_CHARS, Paste::Taken)
}

#[must_use]
pub fn rows(label: &str, example: &str, field: &Field, width: usize) -> Vec<Row> {
    let example = if example.is_empty() { String::new() } else { format!(" (for example {example})") };
    let mut rows = wrapped(Row::gap(), Tone::Faint, &format!("type, then Enter: {label}{example}"), width);
    rows.extend(field_rows(field, width));
    rows
}

/// What was typed goes to the machine as it is.
#[must_use]
pub fn submit(field: &Field) -> Submitted {
    Submitted::done(Done::answer(Answer::Typed { text: field.text().to_owned() }))
}
