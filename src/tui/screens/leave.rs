//! Ctrl-C asks: leave now, resumable, or stay.

use crate::tui::layout::Page;
use crate::tui::model::{Done, Leaving, Overlay};
use crate::tui::screens::{Submitted, field_rows};
use crate::tui::theme::Tone;
use crate::tui::widgets::field::{Field, Paste};
use crate::tui::widgets::row::{Row, wrapped};

const LEAVE: &str = "leave";
const STAY: &str = "stay";
const MOST: usize = 12;

#[must_use]
pub const fn begin(under: Option<Box<Overlay>>) -> Overlay {
    Overlay::Leave { typed: Field::new(MOST, Paste::Refused), under }
}

#[must_use]
pub fn page(typed: &Field, width: usize) -> Page {
    let top = wrapped(Row::gap(), Tone::Strong, "Leave now?", width);
    let lines = [
        "The record keeps everything up to here, and the ceremony can be resumed from it.",
        "The strongroom ends with the program: shares that are not all proven are dealt again, and what was \
         approved but not signed is approved again.",
        "Everybody notes the head before the screen goes: it is asked for when the ceremony is resumed.",
        "",
    ];
    let lines = lines.iter().flat_map(|text| wrapped(Row::gap(), Tone::Plain, text, width)).collect();
    let mut bottom = wrapped(Row::gap(), Tone::Faint, "type `leave` and Enter to leave, or Esc to stay", width);
    bottom.extend(field_rows(typed, width));
    let focus = bottom.len().saturating_sub(1);
    Page { top, lines, bottom, focus }
}

#[must_use]
pub fn submit(typed: &Field) -> Submitted {
    if typed.text().eq_ignore_ascii_case(LEAVE) {
        Submitted::done(Done::Leave(Leaving::People))
    } else if typed.text().eq_ignore_ascii_case(STAY) {
        Submitted::Close
    } else {
        Submitted::Tell("expected `leave` or `stay`".to_owned())
    }
}
