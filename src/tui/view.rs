//! Draws the model. Pure: the same model, theme and size give the same cells.

use crate::tui::layout::{self, Fit, Page};
use crate::tui::model::{Model, Stage};
use crate::tui::screens;
use crate::tui::theme::{Theme, Tone};
use crate::tui::widgets::agenda::{self, Detail};
use crate::tui::widgets::row::{Row, draw_all};
use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Draws everything.
pub fn view(model: &Model<'_>, theme: Theme, frame: &mut Frame<'_>) {
    let area = frame.area();
    let buffer = frame.buffer_mut();
    if model.is_too_small() {
        screens::too_small::draw(model, theme, area, buffer);
        return;
    }
    let places = layout::places(model);
    draw_all(&places.header, places.header_area, theme, buffer);
    draw_all(&places.hints, places.hints_area, theme, buffer);
    if layout::shows_code(model) {
        if let Stage::Reveal(revealing) = &model.stage {
            screens::reveal::draw_code(model, revealing, places.body, theme, buffer);
        }
        return;
    }
    for rule in places.rules {
        draw_all(&[Row::of(Tone::Faint, &"─".repeat(usize::from(rule.width)))], rule, theme, buffer);
    }
    if let Some(agenda) = places.agenda {
        let detail = if model.width >= layout::WIDE { Detail::Full } else { Detail::Titles };
        let (width, height) = (usize::from(agenda.width), usize::from(agenda.height));
        draw_all(&agenda::rows(&model.room, detail, width.saturating_sub(2), height), agenda, theme, buffer);
        draw_edge(agenda, theme, buffer);
    }
    if let Some(aloud) = places.aloud {
        let inner = layout::aloud_area(aloud);
        draw_all(&layout::said_aloud(model, usize::from(inner.width)), inner, theme, buffer);
        draw_edge(Rect { width: 1, ..aloud }, theme, buffer);
    }
    let (page, fit, area) = layout::page(model);
    draw_page(&page, fit, area, theme, buffer);
}

/// A line down the right edge of an area.
fn draw_edge(area: Rect, theme: Theme, buffer: &mut Buffer) {
    for y in area.y..area.bottom() {
        Row::of(Tone::Faint, "│").draw(
            Rect { x: area.right().saturating_sub(1), y, width: 1, height: 1 },
            theme,
            buffer,
        );
    }
}

fn draw_page(page: &Page, fit: Fit, area: Rect, theme: Theme, buffer: &mut Buffer) {
    let more = Row::of(
        Tone::Notice,
        &if fit.from + fit.window < page.lines.len() {
            format!("▼ lines {} to {} of {}: PgDn for the rest", fit.from + 1, fit.from + fit.window, page.lines.len())
        } else {
            format!("▲ lines {} to {} of {}: the end", fit.from + 1, fit.from + fit.window, page.lines.len())
        },
    );
    let lines = page.lines.iter().skip(fit.from).take(fit.window);
    let more = fit.scrolls.then_some(&more);
    let bottom = page.bottom.iter().skip(fit.bottom_from).take(fit.bottom);
    let rows = page.top.iter().chain(lines).chain(more).chain(bottom);
    for (row, y) in rows.zip(area.y..area.bottom()) {
        row.draw(Rect { y, height: 1, ..area }, theme, buffer);
    }
}
