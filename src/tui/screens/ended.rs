//! The run is over: what became of it, until it has been read.

use crate::runner::front_end::Ending;
use crate::tui::layout::Page;
use crate::tui::theme::Tone;
use crate::tui::widgets::row::{Row, wrapped};

#[must_use]
pub fn page(ending: &Ending, width: usize) -> Page {
    let mut top = wrapped(Row::gap(), Tone::Strong, &ending.title, width);
    top.push(Row::gap());
    let lines = ending
        .lines
        .iter()
        .flat_map(|line| line.lines().chain(line.is_empty().then_some("")))
        .flat_map(|line| wrapped(Row::gap(), Tone::Plain, line, width))
        .collect();
    let bottom = vec![Row::gap(), Row::of(Tone::Faint, "press q or Enter to leave the screen")];
    Page { top, lines, bottom, focus: 1 }
}
