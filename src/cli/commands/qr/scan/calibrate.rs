//! `qr scan --keyboard --calibrate`: shows the calibration code and says what the scanner makes of it.

use crate::cli::{ExitCode, Failure, output};
use crate::devices::frame_source::{FrameSource, Heard};
use crate::devices::hand_scanner::KeyboardScanner;
use crate::transfer::calibration::{Layout, TEXT};
use crate::transfer::matrix::QUIET;
use crate::transfer::{Level, Matrix};
use std::time::Duration;

pub(super) fn calibrate() -> Result<ExitCode, Failure> {
    let matrix =
        Matrix::of(TEXT, None, Level::M).map_err(|error| Failure::new(ExitCode::Failure, error.to_string()))?;
    for line in drawn(&matrix) {
        output::words(&line);
    }
    output::words("scan this code");
    let mut scanner = KeyboardScanner::on_standard_input()?;
    let mut code = ExitCode::Missing;
    loop {
        match scanner.hear(Duration::from_millis(500))? {
            Heard::Text(line) => {
                let layout = Layout::of(&line);
                output::words(&crate::basics::SafeText::of(&layout.words()).to_string());
                if matches!(layout, Layout::Right | Layout::LowerCase) {
                    return Ok(ExitCode::Done);
                }
                code = ExitCode::Refuted;
            }
            Heard::Ended => return Ok(code),
            Heard::Refused { reason, .. } => output::words(&reason),
            Heard::Looks(_) | Heard::Nothing => {}
        }
    }
}

/// Two modules a cell: a cell whose halves agree is a space on its colour, another a lower half block with both colours said.
fn drawn(matrix: &Matrix) -> Vec<String> {
    let side = matrix.size() + 2 * QUIET;
    let dark = |column: usize, row: usize| match (column.checked_sub(QUIET), row.checked_sub(QUIET)) {
        (Some(column), Some(row)) if column < matrix.size() && row < matrix.size() => matrix.dark(column, row),
        _ => false,
    };
    let cell = |column: usize, row: usize| match (dark(column, row), dark(column, row + 1)) {
        (true, true) => "\u{1b}[48;2;0;0;0m ",
        (false, false) => "\u{1b}[48;2;255;255;255m ",
        (true, false) => "\u{1b}[48;2;0;0;0;38;2;255;255;255m▄",
        (false, true) => "\u{1b}[48;2;255;255;255;38;2;0;0;0m▄",
    };
    let line = |row| (0..side).map(|column| cell(column, row)).collect::<String>() + "\u{1b}[0m";
    (0..side).step_by(2).map(line).collect()
}
