//! Lines that a flashing tool writes to a station that stays: `draw --serve`, `confirm --serve`.

use crate::cli::{Failure, output};
use crate::station::StationError;
use serde_json::json;
use std::io::BufRead;

/// One line of the input, its end cut off.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    Text(String),
    /// Too long, or no text.
    Unclear,
    Ended,
}

/// Reads one line of at most `most` octets. Of one that is too long nothing is taken for a question, its end neither.
pub(super) fn line(input: &mut impl BufRead, most: usize) -> Result<Line, Failure> {
    let failed = |e| Failure::from(format!("standard input: {e}"));
    let (mut line, most) = (Vec::new(), most as u64 + 2);
    if std::io::Read::take(&mut *input, most).read_until(b'\n', &mut line).map_err(failed)? == 0 {
        return Ok(Line::Ended);
    }
    if line.len() as u64 == most && !line.ends_with(b"\n") {
        input.skip_until(b'\n').map_err(failed)?;
        return Ok(Line::Unclear);
    }
    Ok(std::str::from_utf8(&line).map_or(Line::Unclear, |text| Line::Text(text.trim_end().to_owned())))
}

/// Answers that nothing came of a line: the next one may be better.
pub(super) fn refused(error: &StationError) -> Result<(), Failure> {
    output::json(&json!({"error": error.to_string(), "hint": error.hint()}))
}

/// Answers a line that asks for nothing.
pub(super) fn unclear(expected: &str) -> Result<(), Failure> {
    output::json(&json!({"error": format!("expected {expected}"), "hint": "nothing was changed"}))
}
