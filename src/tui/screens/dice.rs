//! Dice as they are thrown: typed, counted, never shown.

use crate::basics::limits;
use crate::tui::model::Done;
use crate::tui::screens::Submitted;
use crate::tui::theme::Tone;
use crate::tui::widgets::row::{Row, wrapped};
use crate::tui::widgets::secret_field::{Alphabet, SecretField};

#[must_use]
pub fn begin() -> SecretField {
    SecretField::new(limits::SECRET_CHARS, Alphabet::Dice)
}

#[must_use]
pub fn rows(least: u32, field: &SecretField, width: usize) -> Vec<Row> {
    let wanted = "type each throw, 1 to 6, then Enter; the numbers are not shown, Backspace takes the last one back";
    let mut rows = wrapped(Row::gap(), Tone::Faint, wanted, width);
    let count = format!("{} of at least {least} throws", field.len());
    rows.push(Row::of(Tone::Now, "› ").with(Tone::Strong, &count));
    rows
}

/// Too few throws are kept here: sent on, they would be lost and all thrown again.
#[must_use]
pub fn submit(least: u32, field: &mut SecretField) -> Submitted {
    let thrown = field.len();
    if thrown == 0 {
        return Submitted::Stay;
    }
    if u32::try_from(thrown).is_ok_and(|thrown| thrown < least) {
        return Submitted::Tell(format!("{thrown} of at least {least} throws: throw on"));
    }
    Submitted::done(Done::secret(field.take()))
}
