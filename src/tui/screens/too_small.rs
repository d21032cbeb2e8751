//! Below 80x24 nothing is laid out: the screen says what it needs, and goes on when it has it.

use crate::tui::model::{LEAST_HEIGHT, LEAST_WIDTH, Model};
use crate::tui::theme::{Theme, Tone};
use crate::tui::widgets::row::{Row, draw_all, wrapped};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

pub fn draw(model: &Model<'_>, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let width = usize::from(area.width);
    let realm = if model.room.is_rehearsal() { Tone::Rehearsal } else { Tone::Production };
    let needed = format!("{LEAST_WIDTH}x{LEAST_HEIGHT} needed, this is {}x{}", model.width, model.height);
    let mut rows = wrapped(Row::gap(), realm, model.room.plan.realm.banner(), width);
    rows.extend(wrapped(Row::gap(), Tone::Strong, &needed, width));
    rows.extend(wrapped(Row::gap(), Tone::Plain, "Nothing is lost: enlarge the terminal to go on.", width));
    draw_all(&rows, area, theme, buffer);
}
