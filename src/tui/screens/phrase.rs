//! Words typed back before something that cannot be undone. The machine compares them.

use crate::basics::limits;
use crate::ceremony::event::Answer;
use crate::tui::model::Done;
use crate::tui::screens::{Submitted, field_rows, text};
use crate::tui::theme::Tone;
use crate::tui::widgets::field::{Field, Paste};
use crate::tui::widgets::row::{Row, wrapped};

/// Room for the phrase and for typing errors, never a paste: typing is how we know that it was read.
#[must_use]
pub fn begin(phrase: &str) -> Field {
    Field::new(phrase.chars().count().clamp(limits::TYPED_CHARS / 4, limits::TYPED_CHARS), Paste::Refused)
}

#[must_use]
pub fn rows(phrase: &str, field: &Field, width: usize) -> Vec<Row> {
    let mut rows = wrapped(Row::of(Tone::Faint, "type this back, or `no`: "), Tone::Strong, phrase, width);
    rows.extend(field_rows(field, width));
    rows
}

#[must_use]
pub fn submit(field: &Field) -> Submitted {
    if field.text().eq_ignore_ascii_case("no") {
        Submitted::done(Done::answer(Answer::No))
    } else {
        text::submit(field)
    }
}
