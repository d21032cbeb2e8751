//! A person agrees by their own initials; `no` says that they do not.

use crate::ceremony::event::Answer;
use crate::tui::model::{Done, Room};
use crate::tui::screens::{Submitted, field_rows};
use crate::tui::theme::Tone;
use crate::tui::widgets::field::{Field, Paste};
use crate::tui::widgets::row::{Row, wrapped};

/// Characters of initials; nobody has more.
pub const MOST: usize = 12;
const NO: &str = "no";

#[must_use]
pub const fn begin() -> Field {
    Field::new(MOST, Paste::Refused)
}

#[must_use]
pub fn rows(room: &Room<'_>, person: &str, field: &Field, width: usize) -> Vec<Row> {
    let name = room.plan.name_of(person);
    let says_no = if somebody_is_no(room) { "`no` in small letters" } else { "`no`" };
    let wanted = format!("{name}: type your initials, then Enter; type {says_no} if you do not agree");
    let mut rows = wrapped(Row::gap(), Tone::Faint, &wanted, width);
    rows.extend(field_rows(field, width));
    rows
}

#[must_use]
pub fn submit(room: &Room<'_>, field: &Field) -> Submitted {
    let typed = field.text();
    let no = typed == NO || typed.eq_ignore_ascii_case(NO) && !somebody_is_no(room);
    let answer = if no { Answer::No } else { Answer::Initials { initials: typed.to_owned() } };
    Submitted::done(Done::answer(answer))
}

/// Norah Oakes is in the room: then only small letters mean no.
fn somebody_is_no(room: &Room<'_>) -> bool {
    room.plan.by_initials(NO).is_some()
}
