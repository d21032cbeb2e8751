//! One of a few. A key alone chooses, except where that could not be undone: there Enter must follow.

use crate::ceremony::event::Answer;
use crate::ceremony::prompt::ChoiceOption;
use crate::tui::input::Key;
use crate::tui::model::Done;
use crate::tui::screens::{Submitted, field_rows};
use crate::tui::theme::Tone;
use crate::tui::widgets::field::{Field, Paste};
use crate::tui::widgets::row::{Row, wrapped};

/// Characters of the longest key a choice may have.
const MOST: usize = 32;

#[must_use]
pub const fn begin() -> Field {
    Field::new(MOST, Paste::Refused)
}

#[must_use]
pub fn rows(options: &[ChoiceOption], field: &Field, width: usize) -> Vec<Row> {
    let mut rows: Vec<Row> = options
        .iter()
        .flat_map(|option| {
            let first = Row::of(Tone::Key, &format!("  {} ", option.key)).padded(6);
            wrapped(first, Tone::Plain, &option.title, width)
        })
        .collect();
    rows.extend(field_rows(field, width));
    rows
}

#[must_use]
pub fn key(options: &[ChoiceOption], grave: bool, field: &mut Field, key: Key) -> Submitted {
    if key == Key::Enter {
        return if field.is_empty() { Submitted::Stay } else { submit(options, field.text()) };
    }
    if let Err(note) = field.key(key) {
        return Submitted::Tell(note);
    }
    let typed = field.text();
    let alone = options.iter().filter(|option| option.key.starts_with(typed)).count() == 1;
    if !grave && typed.chars().count() == 1 && alone && options.iter().any(|option| option.key == typed) {
        return submit(options, typed);
    }
    Submitted::Stay
}

/// Only offered keys are answers: anything else would be refused and recorded for nothing.
fn submit(options: &[ChoiceOption], typed: &str) -> Submitted {
    let found = options.iter().find(|option| option.key == typed);
    let found = found.or_else(|| options.iter().find(|option| option.key.eq_ignore_ascii_case(typed)));
    match found {
        Some(option) => Submitted::done(Done::answer(Answer::Chosen { key: option.key.clone() })),
        None => {
            let keys: Vec<&str> = options.iter().map(|option| option.key.as_str()).collect();
            Submitted::Tell(format!("expected one of {}", keys.join(", ")))
        }
    }
}
