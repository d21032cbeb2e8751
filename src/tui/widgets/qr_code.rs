//! A QR code on a terminal. The colours are its content: black on white whatever the theme says.
//!
//! Two rows of modules share a line. Equal halves are a space with a background; unequal halves are a lower half block
//! with both colours given, which meets its neighbours without the hairlines that full blocks leave in antialiased
//! fonts. Never stretched, never without its quiet zone.

use crate::custody::qr::{Matrix, QUIET};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};

/// The fixed corners of the 256-colour cube: unlike the first sixteen colours, themes of terminals leave them alone.
const BLACK: Color = Color::Indexed(16);
const WHITE: Color = Color::Indexed(231);

/// Columns and rows a code takes, with its quiet zone.
#[must_use]
pub fn room_for(matrix: &Matrix) -> (u16, u16) {
    let side = u16::try_from(matrix.size() + 2 * QUIET).unwrap_or(u16::MAX);
    (side, side.div_ceil(2))
}

/// Draws in the middle of `area`; nothing at all where it does not fit.
pub fn draw(matrix: &Matrix, area: Rect, buffer: &mut Buffer) {
    let area = area.intersection(buffer.area);
    let (width, height) = room_for(matrix);
    if area.width < width || area.height < height {
        return;
    }
    let (left, top) = (area.x + (area.width - width) / 2, area.y + (area.height - height) / 2);
    let dark =
        |column: u16, row: u16| match (usize::from(column).checked_sub(QUIET), usize::from(row).checked_sub(QUIET)) {
            (Some(column), Some(row)) => matrix.is_dark(column, row),
            _ => false,
        };
    for line in 0..height {
        for column in 0..width {
            let (symbol, foreground, background) = match (dark(column, 2 * line), dark(column, 2 * line + 1)) {
                (false, false) => (" ", BLACK, WHITE),
                (true, true) => (" ", WHITE, BLACK),
                (true, false) => ("▄", WHITE, BLACK),
                (false, true) => ("▄", BLACK, WHITE),
            };
            if let Some(cell) = buffer.cell_mut((left + column, top + line)) {
                cell.set_symbol(symbol).set_style(Style::reset().fg(foreground).bg(background));
            }
        }
    }
}
