//! The one place that prints. Data to standard output, words to standard error; a closed pipe is not an error.

use crate::basics::Secret;
use crate::basics::safe_text::is_dangerous;
use crate::cli::Failure;
use crate::script::problem::LocatedProblem;
use serde::Serialize;
use std::io::{IsTerminal, Write};
use std::os::fd::AsFd;

/// A line of data.
pub fn data(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// A line of words for people.
pub fn words(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// What standard output is, where it is nothing that hands a private key on to a program: a file and a terminal keep it, a closed output or
/// `/dev/null` loses it.
#[must_use]
pub fn no_pipe() -> Option<&'static str> {
    use rustix::fs::FileType;
    let Ok(seen) = rustix::fs::fstat(std::io::stdout()) else { return Some("closed") };
    match FileType::from_raw_mode(seen.st_mode) {
        FileType::Fifo | FileType::Socket => None,
        FileType::RegularFile => Some("a file"),
        FileType::CharacterDevice if std::io::stdout().is_terminal() => Some("a terminal"),
        _ => Some("nothing that reads"),
    }
}

/// Data that is secret, past the standard library's buffer, which nobody overwrites.
///
/// # Errors
/// Where whoever should get it is gone.
pub fn secret_data(octets: &Secret) -> std::io::Result<()> {
    let _ = std::io::stdout().flush();
    std::fs::File::from(std::io::stdout().as_fd().try_clone_to_owned()?).write_all(octets.expose())
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
    data(&visible(&text));
    Ok(())
}

/// JSON in which no character acts on a terminal or hides: inside its strings, which is the only place for them, as `\u009b`.
fn visible(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for character in json.chars() {
        if is_dangerous(character) {
            let mut units = [0; 2];
            character.encode_utf16(&mut units).iter().for_each(|unit| shown.push_str(&format!("\\u{unit:04x}")));
        } else {
            shown.push(character);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    #[test]
    fn json_says_the_same_with_nothing_that_acts_on_a_terminal() {
        let foreign = "a\u{9b}31m\u{202e}\u{e0041}\u{7f}\nä";
        let shown = super::visible(&serde_json::to_string(foreign).unwrap());
        assert!(!shown.chars().any(super::is_dangerous), "{shown:?}");
        assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), foreign);
    }
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
    words(&quiet(&failure.message));
    if !failure.hint.is_empty() {
        words(&format!("hint: {}", quiet(&failure.hint)));
    }
}

/// A message may quote what came from outside: lines stay lines, and nothing else in it acts on a terminal.
fn quiet(message: &str) -> String {
    let mut shown = String::with_capacity(message.len());
    for character in message.chars() {
        if character != '\n' && is_dangerous(character) {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    shown
}
