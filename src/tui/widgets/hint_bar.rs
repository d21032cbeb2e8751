//! The hint bar: what the keys do now, and nothing that they do not. Built from the keymap, so the two cannot differ.

use crate::tui::keymap;
use crate::tui::model::Model;
use crate::tui::theme::Tone;
use crate::tui::widgets::row::{Row, flowed};

/// The rows of the hint bar, at any width.
#[must_use]
pub fn rows(model: &Model<'_>, width: usize) -> Vec<Row> {
    let pieces = keymap::bindings(model)
        .into_iter()
        .filter_map(|binding| binding.hint)
        .map(|hint| Row::of(Tone::Key, &format!(" {}", hint.key)).with(Tone::Plain, &format!(" {}", hint.does)))
        .collect();
    let acting = model.acting().map_or_else(Row::gap, |names| {
        Row::of(Tone::Faint, "acting: ").with(Tone::Strong, &names).with(Tone::Plain, " ")
    });
    flowed(pieces, "  ", acting, width)
}
