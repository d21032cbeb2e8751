//! An exception sheet: expected, happened, decided, by whom. Here as the machine asks for one, already begun; `exception`
//! opens an empty one.

use crate::basics::limits;
use crate::ceremony::event::Answer;
use crate::ceremony::exception::{self, Sheet};
use crate::tui::model::{Done, Room};
use crate::tui::screens::{Submitted, initials};
use crate::tui::widgets::field::{Field, Paste};
use crate::tui::widgets::form::{Content, Form, Need, Slot};

const EXPECTED: &str = "expected";
const HAPPENED: &str = "happened";
const DECIDED: &str = "decided";
/// Labels of the two who sign a sheet.
pub const BY: [&str; 2] = ["by (initials)", "and by (initials)"];

#[must_use]
pub fn begin(expected: &str, happened: &str, decided: &str) -> Form {
    let mut slots = texts(expected, happened, decided);
    slots.extend(initials_of_two(BY));
    Form::new(slots)
}

/// The three texts of a sheet.
#[must_use]
pub fn texts(expected: &str, happened: &str, decided: &str) -> Vec<Slot> {
    [(EXPECTED, expected), (HAPPENED, happened), (DECIDED, decided)]
        .into_iter()
        .map(|(label, text)| Slot {
            label,
            content: Content::Text(Field::filled(text, limits::TYPED_CHARS, Paste::Taken)),
            need: Need::Needed,
        })
        .collect()
}

/// The initials of two people, typed by themselves.
#[must_use]
pub fn initials_of_two(labels: [&'static str; 2]) -> Vec<Slot> {
    labels
        .into_iter()
        .map(|label| Slot {
            label,
            content: Content::Text(Field::new(initials::MOST, Paste::Refused)),
            need: Need::Needed,
        })
        .collect()
}

/// The initials typed into [`initials_of_two`].
#[must_use]
pub fn two(form: &Form, labels: [&str; 2]) -> Vec<String> {
    labels.iter().map(|label| form.text(label)).collect()
}

/// The sheet as typed.
#[must_use]
pub fn of(form: &Form, skip: bool) -> Sheet {
    Sheet {
        expected: form.text(EXPECTED),
        happened: form.text(HAPPENED),
        decided: form.text(DECIDED),
        by: two(form, BY),
        skip,
    }
}

#[must_use]
pub fn submit(room: &Room<'_>, form: &Form) -> Submitted {
    checked(room, of(form, false), |sheet| Answer::Exception { sheet })
}

/// A sheet that the machine would refuse stays on the screen, so that nobody writes it twice.
#[must_use]
pub fn checked(room: &Room<'_>, sheet: Sheet, answer: impl FnOnce(Sheet) -> Answer) -> Submitted {
    match exception::check(room.plan, &sheet) {
        Ok(_) => Submitted::done(Done::answer(answer(sheet))),
        Err(reason) => Submitted::Tell(reason),
    }
}
