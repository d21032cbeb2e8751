//! The one place that prints. Data to standard output, words to standard error; a closed pipe is not an error.

use crate::cli::Failure;
use crate::script::problem::LocatedProblem;
use serde::Serialize;
use std::io::Write;

/// A line of data.
pub fn data(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// A line of words for people.
pub fn words(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// A line of words with secrets between them, part by part: standard error has no buffer that would keep them.
pub fn words_with_secrets(parts: &[&[u8]]) {
    let mut error = std::io::stderr().lock();
    for part in parts.iter().chain(&[&b"\n"[..]]) {
        let _ = error.write_all(part);
    }
}

/// A value as JSON, one line.
///
/// # Errors
/// Where the value cannot be written as JSON.
pub fn json<T: Serialize>(value: &T) -> Result<(), Failure> {
    let text = serde_json::to_string(value).map_err(|e| Failure::from(e.to_string()))?;
    data(&text);
    Ok(())
}

/// A failure where `--json` was asked for: one object on standard output, and the words as always.
#[derive(Serialize)]
struct FailureReport<'f> {
    error: &'f str,
    hint: &'f str,
    exit: u8,
    problems: &'f [LocatedProblem],
}

/// How every failure looks. A script that has problems was reported on, so they are the data.
pub fn failure(failure: &Failure, json_asked: bool) {
    if json_asked {
        let Failure { code, message, hint, problems } = failure;
        let _ = json(&FailureReport { error: message, hint, exit: *code as u8, problems });
    }
    words(&failure.message);
    if !failure.hint.is_empty() {
        words(&format!("hint: {}", failure.hint));
    }
}
