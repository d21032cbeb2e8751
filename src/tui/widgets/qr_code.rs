//! A QR code on a terminal. The colours are its content: dark on light whatever the theme says, under NO_COLOR too.
//!
//! Two rows of modules share a line. Equal halves are a space with a background; unequal halves are a lower half block
//! with both colours given, which meets its neighbours without the hairlines that full blocks leave in antialiased
//! fonts. Where a font's lower half block does not reach the end of its cell (Liberation Mono at most sizes), the upper one or
//! two spaces a module draw the same. Never stretched, never cut, never without its quiet zone.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};

/// Which modules of a code are dark.
pub trait Modules {
    /// Modules along one side, without the quiet zone.
    fn size(&self) -> usize;
    /// Whether a module is dark; outside the code nothing is.
    fn is_dark(&self, column: usize, row: usize) -> bool;
}

impl Modules for crate::custody::qr::Matrix {
    fn size(&self) -> usize {
        self.size()
    }

    fn is_dark(&self, column: usize, row: usize) -> bool {
        self.is_dark(column, row)
    }
}

/// How many cells a module takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One column, half a row.
    Halves,
    /// The same with upper half blocks.
    Uppers,
    /// Two columns, one row.
    Wide,
}

impl Shape {
    /// Columns and rows that `side` modules take.
    #[must_use]
    pub fn room_for(self, side: usize) -> (u16, u16) {
        let (columns, rows) = match self {
            Shape::Halves | Shape::Uppers => (side, side.div_ceil(2)),
            Shape::Wide => (side.saturating_mul(2), side),
        };
        (u16::try_from(columns).unwrap_or(u16::MAX), u16::try_from(rows).unwrap_or(u16::MAX))
    }
}

/// What the terminal is told to paint with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    /// Black, and this level of grey for white: what no theme changes.
    Exact(u8),
    /// The nearest of the 256-colour cube, for terminals that misread exact colours. Not its 16 to 21, which some
    /// themes use.
    Cube(u8),
    /// The sixteen colours of a bare console, where a background is never bright.
    Sixteen,
}

impl Ink {
    /// What a terminal understands, from its `TERM`, `COLORTERM` and `TERM_PROGRAM`.
    #[must_use]
    pub fn of(term: &str, colorterm: &str, program: &str) -> Self {
        if is_bare_console(term) {
            Ink::Sixteen
        } else if ["truecolor", "24bit"].contains(&colorterm) || !misreads_exact_colours(term, program) {
            Ink::Exact(u8::MAX)
        } else {
            Ink::Cube(u8::MAX)
        }
    }

    /// What this program's terminal understands.
    #[must_use]
    pub fn of_environment() -> Self {
        let variable =
            |name: &str| std::env::var_os(name).map(|v| v.to_string_lossy().into_owned()).unwrap_or_default();
        Self::of(&variable("TERM"), &variable("COLORTERM"), &variable("TERM_PROGRAM"))
    }

    /// The same with another level of white. A bare console has only one.
    #[must_use]
    pub const fn with_white(self, level: u8) -> Self {
        match self {
            Ink::Exact(_) => Ink::Exact(level),
            Ink::Cube(_) => Ink::Cube(level),
            Ink::Sixteen => Ink::Sixteen,
        }
    }

    #[must_use]
    pub const fn dark(self) -> Color {
        match self {
            Ink::Exact(_) => Color::Rgb(0, 0, 0),
            Ink::Cube(_) => Color::Indexed(232),
            Ink::Sixteen => Color::Black,
        }
    }

    #[must_use]
    pub const fn light(self) -> Color {
        match self {
            Ink::Exact(level) => Color::Rgb(level, level, level),
            Ink::Cube(238..) => Color::Indexed(231),
            // Greys of the cube: 232 is 8, and each next one is lighter by 10.
            Ink::Cube(level) => Color::Indexed(232 + level.saturating_sub(8) / 10),
            Ink::Sixteen => Color::Gray,
        }
    }
}

/// Whether `TERM` names a console with sixteen colours and no half blocks to rely on.
#[must_use]
pub fn is_bare_console(term: &str) -> bool {
    ["linux", "dumb", "ansi", "cons25"].contains(&term) || term.starts_with("vt")
}

/// GNU screen before 5 and the terminal of macOS before 26 take the parts of an exact colour for attributes.
fn misreads_exact_colours(term: &str, program: &str) -> bool {
    program == "Apple_Terminal" || term == "screen" || term.starts_with("screen.") || term.starts_with("screen-")
}

/// How a code is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    pub shape: Shape,
    /// Modules of empty space on every side.
    pub quiet: usize,
    pub ink: Ink,
}

impl Look {
    /// A share's code beside its text, on whatever terminal the ceremony runs.
    pub const SHARE: Self = Self { shape: Shape::Halves, quiet: 4, ink: Ink::Cube(u8::MAX) };

    /// Columns and rows a code of `size` modules takes, with its quiet zone.
    #[must_use]
    pub fn room_for(self, size: usize) -> (u16, u16) {
        self.shape.room_for(size.saturating_add(2 * self.quiet))
    }
}

/// Draws in the middle of `area`; nothing at all where it does not fit.
pub fn draw(code: &(impl Modules + ?Sized), look: Look, area: Rect, buffer: &mut Buffer) {
    let area = area.intersection(buffer.area);
    let (width, height) = look.room_for(code.size());
    if area.width < width || area.height < height {
        return;
    }
    let (left, top) = (area.x + (area.width - width) / 2, area.y + (area.height - height) / 2);
    let dark = |column: u16, row: u16| match (
        usize::from(column).checked_sub(look.quiet),
        usize::from(row).checked_sub(look.quiet),
    ) {
        (Some(column), Some(row)) => code.is_dark(column, row),
        _ => false,
    };
    let (black, white) = (look.ink.dark(), look.ink.light());
    for line in 0..height {
        for column in 0..width {
            let halves = match look.shape {
                Shape::Halves | Shape::Uppers => {
                    (dark(column, line.saturating_mul(2)), dark(column, line.saturating_mul(2) + 1))
                }
                Shape::Wide => (dark(column / 2, line), dark(column / 2, line)),
            };
            let (symbol, foreground, background) = match (halves, look.shape) {
                ((false, false), _) => (" ", black, white),
                ((true, true), _) => (" ", white, black),
                ((true, false), Shape::Uppers) => ("▀", black, white),
                ((false, true), Shape::Uppers) => ("▀", white, black),
                ((true, false), _) => ("▄", white, black),
                ((false, true), _) => ("▄", black, white),
            };
            if let Some(cell) = buffer.cell_mut((left + column, top + line)) {
                cell.set_symbol(symbol).set_style(Style::reset().fg(foreground).bg(background));
            }
        }
    }
}
