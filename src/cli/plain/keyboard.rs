//! Standard input, read from the descriptor itself: the standard library's buffer would keep a typed share for as long as the program
//! lives. A signal ends the reading, so that the ceremony can be left in good order: whatever is on the screen then is cleared.

use crate::basics::{Secret, limits};
use crate::cli::output;
use crate::tui::terminal::Signals;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, retry_on_intr};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use std::io::Write;
use zeroize::Zeroizing;

/// How long a signal may go unnoticed where nothing is typed.
const TICK: Timespec = Timespec { tv_sec: 0, tv_nsec: 200_000_000 };

/// Where lines come from.
#[derive(Default)]
pub struct Keyboard {
    signals: Option<Signals>,
}

impl Keyboard {
    /// Takes signals over where the system lets us.
    #[must_use]
    pub fn watching() -> Self {
        Self { signals: Signals::take_over().ok() }
    }

    /// Why no line came, as the record keeps it.
    #[must_use]
    pub fn why(&self) -> &'static str {
        self.signals.as_ref().and_then(Signals::received).map_or("input ended", |signal| signal.why())
    }

    /// One line, trimmed; `None` at the end of input or after a signal. Of a line that is too long for any answer just so much is kept that it
    /// is refused, once.
    #[must_use]
    pub fn line(&self, question: &str) -> Option<String> {
        ask(question);
        let mut typed = Vec::new();
        let mut some = false;
        loop {
            match self.octet() {
                Some(b'\n') => break,
                Some(octet) => {
                    some = true;
                    keep(&mut typed, octet);
                }
                None if !some || self.interrupted() => return None,
                None => break,
            }
        }
        Some(String::from_utf8_lossy(&typed).trim().to_owned())
    }

    /// One line as long as a code can be, into a fixed place; what is more is dropped. `None` at the end of input or after a signal.
    #[must_use]
    pub fn code(&self) -> Option<Zeroizing<String>> {
        let mut typed = Zeroizing::new(Vec::with_capacity(limits::SCANNER_LINE_OCTETS));
        loop {
            match self.octet() {
                Some(b'\n' | b'\r') => break,
                Some(octet) if typed.len() < limits::SCANNER_LINE_OCTETS => typed.push(octet),
                Some(_) => {}
                None if typed.is_empty() || self.interrupted() => return None,
                None => break,
            }
        }
        Some(Zeroizing::new(String::from_utf8_lossy(&typed).into_owned()))
    }

    /// One line that is not echoed where the input is a terminal, octet by octet into a fixed place.
    #[must_use]
    pub fn secret_line(&self, question: &str) -> Option<Secret> {
        let stdin = std::io::stdin();
        let before = tcgetattr(&stdin).ok();
        if let Some(mut quiet) = before.clone() {
            quiet.local_modes.remove(LocalModes::ECHO);
            let _ = tcsetattr(&stdin, OptionalActions::Now, &quiet);
        }
        // Asked only now: whoever types fast must not see a share appear.
        ask(question);
        let mut secret = Secret::with_capacity(limits::SECRET_CHARS);
        let mut ended = true;
        while let Some(octet) = self.octet() {
            if matches!(octet, b'\n' | b'\r') {
                ended = false;
                break;
            }
            secret.push(octet);
        }
        if let Some(before) = before {
            let _ = tcsetattr(&stdin, OptionalActions::Now, &before);
            output::words("");
        }
        if ended && (secret.is_empty() || self.interrupted()) { None } else { Some(secret) }
    }

    /// Whether something was typed, or a signal came: asking for the line then takes no time.
    #[must_use]
    pub fn line_waits(&self) -> bool {
        let stdin = std::io::stdin();
        self.interrupted() || poll(&mut [PollFd::new(&stdin, PollFlags::IN)], Some(&Timespec::default())) != Ok(0)
    }

    fn interrupted(&self) -> bool {
        self.signals.as_ref().is_some_and(|signals| signals.received().is_some())
    }

    /// The next octet; `None` at the end of input or after a signal.
    fn octet(&self) -> Option<u8> {
        let stdin = std::io::stdin();
        loop {
            if self.interrupted() {
                return None;
            }
            match poll(&mut [PollFd::new(&stdin, PollFlags::IN)], Some(&TICK)) {
                Ok(0) | Err(Errno::INTR) => {}
                Ok(_) => break,
                Err(_) => return None,
            }
        }
        let mut octet = Zeroizing::new([0]);
        match retry_on_intr(|| rustix::io::read(rustix::stdio::stdin(), &mut *octet)) {
            Ok(1) => octet.first().copied(),
            _ => None,
        }
    }
}

/// Spaces in front count for nothing; one character more than any answer has, of four octets at most, is enough to be refused.
fn keep(typed: &mut Vec<u8>, octet: u8) {
    let leads = typed.is_empty() && octet.is_ascii_whitespace();
    if !leads && typed.len() < (limits::TYPED_CHARS + 1) * 4 {
        typed.push(octet);
    }
}

fn ask(question: &str) {
    let mut error = std::io::stderr();
    let _ = write!(error, "{question}");
    let _ = error.flush();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_of_a_long_line_is_longer_than_any_answer() {
        for character in ["a", "\u{e9}", "\u{20ac}", "\u{1f511}"] {
            let line = format!("{}{}", " ".repeat(5_000), character.repeat(5_000));
            let mut typed = Vec::new();
            line.bytes().for_each(|octet| keep(&mut typed, octet));
            let kept = String::from_utf8_lossy(&typed).chars().count();
            assert!(kept > limits::TYPED_CHARS && typed.len() < 2_000, "{character}: {kept}");
        }
    }
}
