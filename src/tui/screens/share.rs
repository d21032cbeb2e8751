//! A share typed from its custodian's card, on numbered lines and in groups as the card has them. It is overwritten when
//! it is sent on; `again` asks to see the share once more where it is being proven.

use crate::basics::Secret;
use crate::ceremony::event::Answer;
use crate::tui::model::Done;
use crate::tui::screens::Submitted;
use crate::tui::theme::Tone;
use crate::tui::widgets::row::{Row, wrapped};
use crate::tui::widgets::secret_field::{Alphabet, SecretField};

/// Characters of a share's text.
pub const TEXT: usize = 80;
/// A few more than a share has, so that typing one too many is seen and not swallowed.
const MOST: usize = 84;
const LINE: usize = 20;
const GROUP: usize = 4;
const AGAIN: &str = "AGAIN";

#[must_use]
pub fn begin() -> SecretField {
    SecretField::new(MOST, Alphabet::Share)
}

#[must_use]
pub fn rows(purpose: &str, field: &SecretField, width: usize) -> Vec<Row> {
    let again = if purpose == "prove" { "; `again` and Enter shows the share once more" } else { "" };
    let wanted = format!("type your card line by line, then Enter; ? for what you cannot read{again}");
    let mut rows = wrapped(Row::gap(), Tone::Faint, &wanted, width);
    rows.extend(typed_rows(field.typed()));
    rows.push(Row::of(Tone::Faint, &format!("   {} of {TEXT} characters", field.len())));
    rows
}

/// Four numbered lines of five groups, and a fifth for what is too much.
fn typed_rows(typed: &Secret) -> Vec<Row> {
    let characters = typed.expose();
    let lines = (characters.len() / LINE + 1).max(TEXT / LINE).min(TEXT / LINE + usize::from(characters.len() > TEXT));
    let at = (characters.len() / LINE).min(lines - 1);
    (0..lines)
        .map(|index| {
            let line = characters.get(index * LINE..).unwrap_or_default();
            let line = line.get(..LINE).unwrap_or(line);
            let tone = if index == at { Tone::Now } else { Tone::Faint };
            let mut row = Row::of(tone, &format!("{}{}", if index == at { "› " } else { "  " }, index + 1))
                .with(Tone::Plain, " ");
            for group in line.chunks(GROUP) {
                row = row.with(Tone::Plain, " ").with_secret(Tone::Strong, group);
            }
            if index == at { row.with(Tone::Now, if line.len() % GROUP == 0 { " ▏" } else { "▏" }) } else { row }
        })
        .collect()
}

#[must_use]
pub fn submit(purpose: &str, field: &mut SecretField) -> Submitted {
    if field.is_empty() {
        return Submitted::Stay;
    }
    if purpose == "prove" && field.typed().same_as(AGAIN.as_bytes()) {
        field.clear();
        return Submitted::done(Done::answer(Answer::Chosen { key: AGAIN.to_ascii_lowercase() }));
    }
    Submitted::done(Done::secret(field.take()))
}
