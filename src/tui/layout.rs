//! Where everything goes, at any size. `update` asks it too: what has been seen to the end depends on what fits.

use crate::basics::SafeText;
use crate::ceremony::Line;
use crate::tui::model::{Model, Phase, Stage};
use crate::tui::screens;
use crate::tui::theme::Tone;
use crate::tui::widgets::row::{Row, paragraphs};
use crate::tui::widgets::{header, hint_bar};
use ratatui::layout::Rect;

/// From this width there is room for a fuller agenda and for what the script says aloud.
pub const WIDE: u16 = 120;

/// Columns of the agenda on a small terminal.
const AGENDA: u16 = 28;

/// What a screen consists of.
#[derive(Default)]
pub struct Page {
    /// Always in sight.
    pub top: Vec<Row>,
    /// Scrolls where it does not fit.
    pub lines: Vec<Row>,
    /// Always in sight, at least the row of the cursor.
    pub bottom: Vec<Row>,
    /// The row of `bottom` that has the cursor.
    pub focus: usize,
}

/// The places of a screen.
pub struct Places {
    pub header: Vec<Row>,
    pub hints: Vec<Row>,
    pub header_area: Rect,
    pub hints_area: Rect,
    /// Lines across, above and below the body.
    pub rules: [Rect; 2],
    pub agenda: Option<Rect>,
    pub body: Rect,
    pub aloud: Option<Rect>,
}

/// How a page lies in its height.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fit {
    /// First line in sight.
    pub from: usize,
    /// Lines in sight.
    pub window: usize,
    /// Whether a row says that there are more lines.
    pub scrolls: bool,
    /// First row of `bottom` in sight, and how many are.
    pub bottom_from: usize,
    pub bottom: usize,
}

/// Places for the present screen, without its hints: those depend on whether the page scrolls.
fn places_with(model: &Model<'_>, hints: Vec<Row>) -> Places {
    let (width, height) = (model.width, model.height);
    let header = header::rows(model, usize::from(width));
    let count = |rows: &[Row]| u16::try_from(rows.len()).unwrap_or(u16::MAX).min(height);
    let (above, below) = (count(&header), count(&hints));
    let rules = u16::from(!shows_code(model));
    let header_area = Rect::new(0, 0, width, above);
    let hints_area = Rect::new(0, height - below, width, below);
    let top = above.saturating_add(rules).min(height);
    let bottom = (height - below).saturating_sub(rules).max(top.min(height - below));
    let inner = Rect::new(0, top, width, bottom.saturating_sub(top));
    let rule = |y: u16| Rect::new(0, y.min(height), width, rules.min(height.saturating_sub(y)));
    let (mut body, mut agenda, mut aloud) = (inner, None, None);
    if shows_agenda(model) {
        let wide = if width >= WIDE { (width / 4).clamp(30, 44) } else { AGENDA.min(width) };
        agenda = Some(Rect { width: wide.min(inner.width), ..inner });
        body = Rect { x: inner.x + wide.min(inner.width), width: inner.width.saturating_sub(wide), ..inner };
    }
    if says_beside(model) {
        let wide = (width / 4).clamp(30, 50).min(body.width);
        body.width -= wide;
        aloud = Some(Rect { x: body.right(), width: wide, ..inner });
    }
    Places { header, hints, header_area, hints_area, rules: [rule(above), rule(bottom)], agenda, body, aloud }
}

/// The places of the present screen.
#[must_use]
pub fn places(model: &Model<'_>) -> Places {
    places_with(model, hint_bar::rows(model, usize::from(model.width)))
}

/// The area of a page inside the body: a margin of one column on each side.
#[must_use]
pub const fn page_area(body: Rect) -> Rect {
    Rect { x: body.x.saturating_add(1), y: body.y, width: body.width.saturating_sub(2), height: body.height }
}

/// The area of what is read aloud: right of its edge, with a margin.
#[must_use]
pub const fn aloud_area(aloud: Rect) -> Rect {
    Rect { x: aloud.x.saturating_add(2), width: aloud.width.saturating_sub(3), ..aloud }
}

/// Whether the page may be taller than its place. The hint bar asks, so it cannot be asked in turn: three rows of hints
/// are assumed, more than there are.
#[must_use]
pub fn scrolls(model: &Model<'_>) -> bool {
    if model.is_too_small() || shows_code(model) {
        return false;
    }
    let area = page_area(places_with(model, vec![Row::gap(), Row::gap(), Row::gap()]).body);
    fitted(screens::page(model, usize::from(area.width)), usize::from(area.height), 0).1.scrolls
}

/// The page of the present screen and how it lies.
#[must_use]
pub fn page(model: &Model<'_>) -> (Page, Fit, Rect) {
    let area = page_area(places(model).body);
    let page = screens::page(model, usize::from(area.width));
    let offset = if model.overlay.is_some() { model.overlay_offset } else { model.reading.offset };
    let (page, fit) = fitted(page, usize::from(area.height), offset);
    (page, fit, area)
}

/// A page that would scroll gives up its empty rows first.
fn fitted(mut page: Page, height: usize, offset: usize) -> (Page, Fit) {
    let loose = fit(&page, height, offset);
    if !loose.scrolls {
        return (page, loose);
    }
    while page.top.last().is_some_and(|row| row.width() == 0) {
        page.top.pop();
    }
    if page.bottom.first().is_some_and(|row| row.width() == 0) {
        page.bottom.remove(0);
        page.focus = page.focus.saturating_sub(1);
    }
    let tight = fit(&page, height, offset);
    (page, tight)
}

/// Lays a page into `height` rows, with `offset` lines scrolled away.
#[must_use]
pub fn fit(page: &Page, height: usize, offset: usize) -> Fit {
    /// Lines that stay in sight however tall the fields below are.
    const LEAST: usize = 4;
    let below_top = height.saturating_sub(page.top.len());
    let bottom = page.bottom.len().min(below_top.saturating_sub(page.lines.len().min(LEAST)));
    let place = below_top - bottom;
    let scrolls = page.lines.len() > place;
    let window = if scrolls { place.saturating_sub(1) } else { page.lines.len() };
    let from = offset.min(page.lines.len().saturating_sub(window));
    // As many rows from the top as possible, but the row of the cursor always.
    let bottom_from = if bottom == 0 { 0 } else { (page.focus + 1).saturating_sub(bottom) };
    Fit { from, window, scrolls, bottom_from, bottom }
}

/// What the script has somebody read aloud at this step.
#[must_use]
pub fn said_aloud(model: &Model<'_>, width: usize) -> Vec<Row> {
    let Some(say) = said(model) else { return Vec::new() };
    let mut rows = vec![Row::of(Tone::Faint, "read aloud")];
    rows.extend(paragraphs(Tone::Plain, say, width));
    rows
}

fn said<'m>(model: &'m Model<'_>) -> Option<&'m str> {
    let state = model.room.state;
    let say = model.room.step().map_or("", |step| step.say.as_str());
    (state.begun && state.interruption.is_none() && !say.trim().is_empty()).then_some(say)
}

/// Whether what is read aloud has a column of its own.
#[must_use]
pub fn says_beside(model: &Model<'_>) -> bool {
    let asks = matches!(model.stage, Stage::Ask(_)) && model.overlay.is_none();
    asks && model.width >= WIDE && !asks_about_what_is_said(model) && !said_aloud(model, 30).is_empty()
}

/// Whether a line is the text that is read aloud: where people agree to that very text, it is on the screen once.
#[must_use]
pub fn is_what_is_said(model: &Model<'_>, line: &Line) -> bool {
    let Some(say) = said(model) else { return false };
    matches!(line, Line::Text { text } if text.as_str() == SafeText::of(say).as_str())
}

fn asks_about_what_is_said(model: &Model<'_>) -> bool {
    matches!(&model.stage, Stage::Ask(asking) if asking.prompt.lines.iter().any(|line| is_what_is_said(model, line)))
}

/// Whether what is read aloud stands above the question: once in a step where it has no column of its own.
#[must_use]
pub fn says_above(model: &Model<'_>) -> bool {
    asks_about_what_is_said(model) || !says_beside(model) && !model.said
}

/// Forms need the whole width of a small terminal, and so does what has to be read and would not fit beside the agenda; a share is looked
/// at alone.
fn shows_agenda(model: &Model<'_>) -> bool {
    if model.overlay.is_some() {
        return false;
    }
    match &model.stage {
        Stage::Ask(_) if model.width >= WIDE => true,
        Stage::Ask(asking) => !screens::wants_width(&asking.prompt.ask) && fits_beside_the_agenda(model),
        Stage::Busy(_) => true,
        Stage::Reveal(_) | Stage::Corrections(_) | Stage::Ended(_) => false,
    }
}

/// Of a small terminal. Two rules and two rows of hints are taken off.
fn fits_beside_the_agenda(model: &Model<'_>) -> bool {
    let width = usize::from(model.width.saturating_sub(AGENDA + 2));
    let header = header::rows(model, usize::from(model.width)).len();
    let height = usize::from(model.height).saturating_sub(header + 2 + 2);
    !fitted(screens::page(model, width), height, 0).1.scrolls
}

/// Whether a code is on the screen: it gets every row but the header and the hints.
#[must_use]
pub fn shows_code(model: &Model<'_>) -> bool {
    matches!(&model.stage, Stage::Reveal(revealing) if matches!(revealing.phase, Phase::Code { .. }))
        && model.overlay.is_none()
}
