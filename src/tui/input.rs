//! What reaches the front end from outside, in our own words: keys, pastes, sizes, signals and the passing of time.
//!
//! crossterm stays behind [`InputSource`]. Two traps of crossterm 0.29 are met here: after a hang-up its reader loops for
//! ever on end of file, so the descriptor is looked at first; and it waits edge-triggered, so a descriptor that stays
//! readable must not make us spin.

use crate::tui::terminal::{Signals, take_back};
use ratatui::crossterm::event::{self as crossterm, KeyCode, KeyEventKind, KeyModifiers};
use rustix::event::{PollFd, PollFlags, Timespec};
use std::io::stdin;
use std::time::Duration;
use zeroize::Zeroizing;

/// A key as screens see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    Char(char),
    Enter,
    Esc,
    Tab,
    BackTab,
    Backspace,
    Delete,
    Up,
    Down,
    Left,
    Right,
    PageUp,
    PageDown,
    Home,
    End,
    F(u8),
    Ctrl(char),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGTERM.
    Terminate,
    /// SIGHUP.
    HangUp,
    /// SIGINT: from outside where the terminal is raw, Ctrl-C where it is not.
    Interrupt,
}

impl Signal {
    /// Why the program leaves, as the record keeps it.
    #[must_use]
    pub const fn why(self) -> &'static str {
        match self {
            Signal::Terminate => "the program was told to end (SIGTERM)",
            Signal::Interrupt => "the program was interrupted (Ctrl-C, SIGINT)",
            Signal::HangUp => "the terminal hung up (SIGHUP)",
        }
    }
}

/// One thing from outside.
pub enum Input {
    Key(Key),
    /// Overwritten when dropped: somebody may paste a share where it does not belong.
    Paste(Zeroizing<String>),
    Resize {
        width: u16,
        height: u16,
    },
    /// Nothing came in the time given.
    Tick,
    Signal(Signal),
    /// The terminal is gone.
    Lost(String),
}

/// Where inputs come from.
pub trait InputSource {
    /// The next input, or [`Input::Tick`] where none comes within `wait`.
    fn next(&mut self, wait: Duration) -> Input;
}

/// The terminal's own input.
pub struct TerminalInput {
    signals: Signals,
}

/// How long to rest where the descriptor is readable but crossterm has nothing to give.
const REST: Duration = Duration::from_millis(20);

impl TerminalInput {
    #[must_use]
    pub const fn new(signals: Signals) -> Self {
        Self { signals }
    }

    /// What crossterm has ready; nothing where it has only what we do not use.
    fn ready() -> Result<Option<Input>, String> {
        let lost = |error: std::io::Error| format!("the terminal cannot be read: {error}");
        // Looked at before each of crossterm's reads: one that meets a hang-up never comes back.
        loop {
            readable(Duration::ZERO)?;
            if !crossterm::poll(Duration::ZERO).map_err(lost)? {
                return Ok(None);
            }
            if let Some(input) = translated(crossterm::read().map_err(lost)?) {
                return Ok(Some(input));
            }
        }
    }

    fn wait_for_input(&mut self, wait: Duration) -> Result<Input, String> {
        if let Some(input) = Self::ready()? {
            return Ok(input);
        }
        if wait.is_zero() || !readable(wait)? {
            // A change of size interrupts the wait; crossterm then has it ready.
            return Ok(Self::ready()?.unwrap_or(Input::Tick));
        }
        match Self::ready()? {
            Some(input) => Ok(input),
            None => {
                std::thread::sleep(REST);
                Ok(Input::Tick)
            }
        }
    }
}

impl InputSource for TerminalInput {
    fn next(&mut self, wait: Duration) -> Input {
        if let Some(signal) = self.signals.received() {
            return Input::Signal(signal);
        }
        if self.signals.went_on() {
            let lost = |error| Input::Lost(format!("the terminal cannot be taken back: {error}"));
            return take_back().map_or_else(lost, |(width, height)| Input::Resize { width, height });
        }
        let input = self.wait_for_input(wait).unwrap_or_else(Input::Lost);
        // A signal ends the wait early; what it means is more urgent than that nothing came.
        match (self.signals.received(), input) {
            (Some(signal), Input::Tick | Input::Lost(_)) => Input::Signal(signal),
            (_, input) => input,
        }
    }
}

/// Whether standard input has something to read within `wait`.
fn readable(wait: Duration) -> Result<bool, String> {
    let input = stdin();
    let mut watched = [PollFd::new(&input, PollFlags::IN)];
    let wait =
        Timespec { tv_sec: i64::try_from(wait.as_secs()).unwrap_or(i64::MAX), tv_nsec: i64::from(wait.subsec_nanos()) };
    match rustix::event::poll(&mut watched, Some(&wait)) {
        Ok(_) => {}
        Err(rustix::io::Errno::INTR) => return Ok(false),
        Err(error) => return Err(format!("the terminal cannot be read: {error}")),
    }
    let seen = watched.first().map_or(PollFlags::empty(), PollFd::revents);
    if seen.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
        return Err("the terminal is gone".to_owned());
    }
    Ok(seen.contains(PollFlags::IN))
}

fn translated(event: crossterm::Event) -> Option<Input> {
    match event {
        crossterm::Event::Key(key) if key.kind != KeyEventKind::Release => {
            key_of(key.code, key.modifiers).map(Input::Key)
        }
        crossterm::Event::Paste(text) => Some(Input::Paste(Zeroizing::new(text))),
        crossterm::Event::Resize(width, height) => Some(Input::Resize { width, height }),
        _ => None,
    }
}

fn key_of(code: KeyCode, modifiers: KeyModifiers) -> Option<Key> {
    if modifiers.contains(KeyModifiers::CONTROL) {
        return match code {
            KeyCode::Char(character) => Some(Key::Ctrl(character.to_ascii_lowercase())),
            _ => None,
        };
    }
    if modifiers.contains(KeyModifiers::ALT) {
        return None;
    }
    match code {
        KeyCode::Char(character) if !character.is_control() => Some(Key::Char(character)),
        KeyCode::Enter => Some(Key::Enter),
        KeyCode::Esc => Some(Key::Esc),
        KeyCode::Tab => Some(Key::Tab),
        KeyCode::BackTab => Some(Key::BackTab),
        KeyCode::Backspace => Some(Key::Backspace),
        KeyCode::Delete => Some(Key::Delete),
        KeyCode::Up => Some(Key::Up),
        KeyCode::Down => Some(Key::Down),
        KeyCode::Left => Some(Key::Left),
        KeyCode::Right => Some(Key::Right),
        KeyCode::PageUp => Some(Key::PageUp),
        KeyCode::PageDown => Some(Key::PageDown),
        KeyCode::Home => Some(Key::Home),
        KeyCode::End => Some(Key::End),
        KeyCode::F(number) => Some(Key::F(number)),
        _ => None,
    }
}
