//! Rows of text: every screen is rows until it is drawn, so that what fits, what scrolls and what was seen to the end
//! can be counted without a terminal.
//!
//! Text enters through [`SafeText`] here, once, whatever it is. A row is overwritten when it is dropped: some hold a part
//! of a share.

use crate::basics::SafeText;
use crate::tui::theme::{Theme, Tone};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;
use zeroize::Zeroizing;

/// Text of one tone.
pub struct Run {
    tone: Tone,
    text: Zeroizing<String>,
}

/// One line of the screen.
#[derive(Default)]
pub struct Row {
    runs: Vec<Run>,
}

impl Row {
    /// An empty line.
    #[must_use]
    pub fn gap() -> Self {
        Self::default()
    }

    #[must_use]
    pub fn of(tone: Tone, text: &str) -> Self {
        Self::default().with(tone, text)
    }

    /// The row with more text at its end.
    #[must_use]
    pub fn with(mut self, tone: Tone, text: &str) -> Self {
        self.runs.push(Run { tone, text: Zeroizing::new(safe(text)) });
        self
    }

    /// The row with characters of a share at its end. They were checked when they were typed or made.
    #[must_use]
    pub fn with_secret(mut self, tone: Tone, characters: &[u8]) -> Self {
        let mut text = Zeroizing::new(String::with_capacity(characters.len() * 2));
        // invariant: at most two octets of UTF-8 for each octet taken as Latin-1, so the text never grows.
        text.extend(characters.iter().copied().map(char::from));
        self.runs.push(Run { tone, text });
        self
    }

    /// The row with spaces at its end until it is `columns` wide.
    #[must_use]
    pub fn padded(self, columns: usize) -> Self {
        let missing = columns.saturating_sub(self.width());
        self.with(Tone::Plain, &" ".repeat(missing))
    }

    /// The row with all of another row at its end.
    #[must_use]
    pub fn then(mut self, mut other: Row) -> Self {
        self.runs.append(&mut other.runs);
        self
    }

    /// Columns it takes.
    #[must_use]
    pub fn width(&self) -> usize {
        self.runs.iter().map(|run| columns(&run.text)).sum()
    }

    /// The text alone, for tests and for the property that themes do not change it.
    #[must_use]
    pub fn text(&self) -> Zeroizing<String> {
        let mut all = Zeroizing::new(String::new());
        for run in &self.runs {
            all.push_str(&run.text);
        }
        all
    }

    /// Draws into the first line of `area`, cutting what is outside.
    pub fn draw(&self, area: Rect, theme: Theme, buffer: &mut Buffer) {
        let area = area.intersection(buffer.area);
        if area.is_empty() {
            return;
        }
        let mut x = area.x;
        for run in &self.runs {
            let left = usize::from(area.right().saturating_sub(x));
            if left == 0 {
                break;
            }
            (x, _) = buffer.set_stringn(x, area.y, run.text.as_str(), left, theme.style(run.tone));
        }
    }
}

/// Draws rows from the top of `area` until it is full.
pub fn draw_all(rows: &[Row], area: Rect, theme: Theme, buffer: &mut Buffer) {
    for (row, y) in rows.iter().zip(area.y..area.bottom()) {
        row.draw(Rect { y, height: 1, ..area }, theme, buffer);
    }
}

/// Columns a text takes.
#[must_use]
pub fn columns(text: &str) -> usize {
    Span::raw(text).width()
}

/// Text in rows of at most `width` columns: nothing is cut. `first` begins the first row, the others are indented to
/// the same column.
#[must_use]
pub fn wrapped(first: Row, tone: Tone, text: &str, width: usize) -> Vec<Row> {
    let indent = first.width();
    let mut rows = Vec::new();
    let mut first = Some(first);
    for line in lines_of(&safe(text), width.saturating_sub(indent).max(1)) {
        let begun = first.take().unwrap_or_else(|| Row::of(Tone::Plain, &" ".repeat(indent)));
        rows.push(begun.with(tone, &line));
    }
    rows
}

/// Paragraphs of text with line breaks, e.g. what a script says aloud.
#[must_use]
pub fn paragraphs(tone: Tone, text: &str, width: usize) -> Vec<Row> {
    text.trim().lines().flat_map(|line| wrapped(Row::gap(), tone, line.trim_end(), width)).collect()
}

/// The column of a value under its label.
const UNDER: usize = 2;

/// A label and its value: side by side where there is room, else the value under its label.
#[must_use]
pub fn labelled(label: &str, tone: Tone, value: &str, width: usize) -> Vec<Row> {
    let (label, column) = (safe(label), value_column(label, width));
    if column > UNDER {
        return wrapped(Row::of(Tone::Faint, &label).padded(column), tone, value, width);
    }
    let mut rows = wrapped(Row::gap(), Tone::Faint, &label, width);
    rows.extend(wrapped(Row::of(Tone::Plain, &" ".repeat(UNDER)), tone, value, width));
    rows
}

/// The column in which the value of a label begins.
#[must_use]
pub fn value_column(label: &str, width: usize) -> usize {
    const LABEL: usize = 12;
    if columns(&safe(label)) <= LABEL && width >= LABEL + 20 { LABEL + 1 } else { UNDER }
}

/// Pieces side by side with `between` them, on as many rows as they need; `last` stands at the right edge.
#[must_use]
pub fn flowed(pieces: Vec<Row>, between: &str, last: Row, width: usize) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    let mut row = Row::gap();
    for piece in pieces {
        if row.runs.is_empty() {
            row = piece;
        } else if row.width() + columns(between) + piece.width() <= width {
            row = row.with(Tone::Faint, between).then(piece);
        } else {
            rows.push(std::mem::replace(&mut row, piece));
        }
    }
    rows.push(row);
    let mut rows: Vec<Row> = rows.into_iter().flat_map(|row| folded(row, width)).collect();
    if last.width() > 0 {
        let fits = rows.last().is_some_and(|row| row.width() + 2 + last.width() <= width);
        let begun = if fits { rows.pop().unwrap_or_default() } else { Row::gap() };
        let column = width.saturating_sub(last.width());
        rows.extend(folded(begun.padded(column).then(last), width));
    }
    rows
}

/// A row that is too wide, on several.
fn folded(row: Row, width: usize) -> Vec<Row> {
    if row.width() <= width {
        return vec![row];
    }
    let tone = row.runs.last().map_or(Tone::Plain, |run| run.tone);
    wrapped(Row::gap(), tone, &row.text(), width)
}

fn safe(text: &str) -> String {
    SafeText::of(text).as_str().to_owned()
}

/// Breaks at spaces where it can and anywhere where it must. Spaces are kept, except one at a break.
fn lines_of(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for character in text.chars() {
        let wide = columns(character.encode_utf8(&mut [0; 4]));
        if used + wide > width && !line.is_empty() {
            let rest = match line.rfind(' ') {
                _ if character == ' ' => String::new(),
                Some(at) => line.split_off(at + 1),
                None => String::new(),
            };
            if line.ends_with(' ') {
                line.pop();
            }
            lines.push(std::mem::replace(&mut line, rest));
            used = columns(&line);
            if character == ' ' {
                continue;
            }
        }
        line.push(character);
        used += wide;
    }
    lines.push(line);
    lines
}
