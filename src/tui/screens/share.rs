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
    let wanted = format!("type your card line by line; Enter when all four are in; ? for what you cannot read{again}");
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

/// Enter: the share goes on when it is all there; before that Enter only ends a line, and keeps what is typed.
#[must_use]
pub fn enter(purpose: &str, field: &mut SecretField) -> Submitted {
    if purpose == "prove" && field.typed().same_as(AGAIN.as_bytes()) {
        field.clear();
        return Submitted::done(Done::answer(Answer::Chosen { key: AGAIN.to_ascii_lowercase() }));
    }
    let typed = field.len();
    if typed >= TEXT {
        return Submitted::done(Done::secret(field.take()));
    }
    let (line, inside) = (typed / LINE + 1, typed % LINE);
    Submitted::Tell(if inside == 0 {
        format!("{typed} of {TEXT} characters are in: line {line} comes next")
    } else {
        let missing = LINE - inside;
        format!(
            "line {line} has {inside} of {LINE} characters: {missing} missing; type the rest, ? for what you cannot read"
        )
    })
}
