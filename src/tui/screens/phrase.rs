//! Words typed back before something that cannot be undone. The machine compares them.

use crate::basics::limits;
use crate::tui::screens::field_rows;
use crate::tui::theme::Tone;
use crate::tui::widgets::field::{Field, Paste};
use crate::tui::widgets::row::{Row, wrapped};

/// Room for the phrase and for typing errors, never a paste: typing is how we know that it was read.
#[must_use]
pub fn begin(phrase: &str) -> Field {
    Field::new(phrase.chars().count().max(limits::TYPED_CHARS / 4).min(limits::TYPED_CHARS), Paste::Refused)
}

#[must_use]
pub fn rows(phrase: &str, field: &Field, width: usize) -> Vec<Row> {
    let mut rows = wrapped(Row::of(Tone::Faint, "type this back, then Enter: "), Tone::Strong, phrase, width);
    rows.extend(field_rows(field, width));
    rows
}
