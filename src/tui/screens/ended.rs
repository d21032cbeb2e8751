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
        .flat_map(|line| hanging(line, width))
        .collect();
    let bottom = vec![Row::gap(), Row::of(Tone::Faint, "press q or Enter to leave the screen")];
    Page { top, lines, bottom, focus: 1 }
}

/// A line that begins with a label and spaces goes on under its value.
fn hanging(line: &str, width: usize) -> Vec<Row> {
    const WIDEST: usize = 20;
    let text = line.trim_start();
    let leading = line.len() - text.len();
    let label = text.find("  ").map_or(0, |at| text.len() - text.get(at..).unwrap_or_default().trim_start().len());
    match line.split_at_checked(leading + label) {
        Some((first, rest)) if first.chars().count() <= WIDEST && !rest.is_empty() => {
            wrapped(Row::of(Tone::Plain, first), Tone::Plain, rest, width)
        }
        _ => wrapped(Row::gap(), Tone::Plain, line, width),
    }
}
