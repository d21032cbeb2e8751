//! The one place that sets terminal modes. Takes the terminal over, gives it back whatever happens, and turns keys, pastes and
//! signals into what a form understands.

use crate::runner::front_end::{Ending, View};
use crate::tui::draw::{self, LEAST_HEIGHT, LEAST_WIDTH, Shown};
use crate::tui::form::{Form, Outcome};
use crossterm::event::{
    self, DisableBracketedPaste, EnableBracketedPaste, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers,
};
use crossterm::execute;
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode, size};
use ratatui::backend::CrosstermBackend;
use signal_hook::consts::{SIGHUP, SIGTERM};
use std::io::{IsTerminal, Stdout, Write, stdout};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long keys pressed before a grave screen was drawn are dropped.
const TYPE_AHEAD: Duration = Duration::from_millis(300);
/// How often the clock on the screen is looked at.
const TICK: Duration = Duration::from_millis(250);

/// The terminal, taken over.
pub struct Terminal {
    pub(super) inner: ratatui::Terminal<CrosstermBackend<Stdout>>,
    stop: Arc<AtomicBool>,
    values: Vec<String>,
}

fn restore() {
    let _ = disable_raw_mode();
    let _ = execute!(stdout(), DisableBracketedPaste, LeaveAlternateScreen);
}

/// Words for people, after the terminal is theirs again; a closed pipe is not an error.
fn words(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

impl Terminal {
    /// Takes it over.
    ///
    /// # Errors
    /// Where there is no terminal or it is too small.
    pub fn open(resume_command: &str, no_color: bool) -> Result<Self, String> {
        if !(stdout().is_terminal() && std::io::stdin().is_terminal()) {
            return Err("the full screen needs a terminal, and this is none".to_owned());
        }
        let (width, height) = size().map_err(|e| format!("the terminal: {e}"))?;
        if width < LEAST_WIDTH || height < LEAST_HEIGHT {
            return Err(format!("{LEAST_WIDTH}x{LEAST_HEIGHT} needed, this is {width}x{height}"));
        }
        // Our screens carry meaning in glyphs and words only; codes must be painted even where NO_COLOR is set.
        let _ = no_color;
        crossterm::style::force_color_output(true);
        let stop = Arc::new(AtomicBool::new(false));
        for signal in [SIGTERM, SIGHUP] {
            signal_hook::flag::register(signal, Arc::clone(&stop)).map_err(|e| format!("signals: {e}"))?;
        }
        let resume = resume_command.to_owned();
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            restore();
            before(info);
            words(&format!("the record is whole up to its last entry; go on with: {resume}"));
        }));
        enable_raw_mode().map_err(|e| format!("the terminal: {e}"))?;
        execute!(stdout(), EnterAlternateScreen, EnableBracketedPaste).map_err(|e| format!("the terminal: {e}"))?;
        let inner =
            ratatui::Terminal::new(CrosstermBackend::new(stdout())).map_err(|e| format!("the terminal: {e}"))?;
        Ok(Self { inner, stop, values: Vec::new() })
    }

    /// What was typed into the form that was submitted last.
    pub fn take_values(&mut self) -> Vec<String> {
        std::mem::take(&mut self.values)
    }

    /// Draws once, without waiting for anything.
    pub fn show(&mut self, view: &View<'_>, shown: &Shown) {
        let form = Form::new(Vec::new());
        let _ = self.inner.draw(|frame| {
            draw::draw(frame, view, shown, &form);
        });
    }

    /// Gives the terminal back and leaves the ending in the scrollback.
    pub fn leave_words(&mut self, ending: &Ending) {
        restore();
        words(&ending.title);
        for line in &ending.lines {
            words(&format!("  {line}"));
        }
    }

    /// Wipes the screen, the terminal's own copy and ours.
    pub fn wipe(&mut self) {
        let _ = self.inner.clear();
    }

    /// One event, or none within a tick.
    ///
    /// # Errors
    /// Why the program must stop.
    pub fn next_event(&mut self, wait: Duration) -> Result<Option<Event>, String> {
        if self.stop.load(Ordering::Relaxed) {
            return Err("a signal asked the program to end".to_owned());
        }
        match event::poll(wait) {
            Ok(true) => event::read().map(Some).map_err(|e| format!("the terminal is gone: {e}")),
            Ok(false) => Ok(None),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => Ok(None),
            Err(error) => Err(format!("the terminal is gone: {error}")),
        }
    }

    /// Runs a form until something comes of it.
    pub fn run(&mut self, view: &View<'_>, shown: &Shown, form: &mut Form) -> Outcome {
        let begun = Instant::now();
        let mut seen = false;
        loop {
            let drawn = self.inner.draw(|frame| seen |= draw::draw(frame, view, shown, form));
            if let Err(error) = drawn {
                return Outcome::Left(format!("the terminal is gone: {error}"));
            }
            let event = match self.next_event(TICK) {
                Ok(event) => event,
                Err(why) => return Outcome::Left(why),
            };
            match event {
                Some(Event::Key(_) | Event::Paste(_)) if shown.grave && begun.elapsed() < TYPE_AHEAD => {
                    "earlier keys were dropped".clone_into(&mut form.note);
                }
                Some(Event::Paste(text)) => form.paste(&text),
                Some(Event::Key(key)) if key.kind != KeyEventKind::Release => {
                    if let Some(outcome) = self.key(view, shown, form, key, seen) {
                        return outcome;
                    }
                }
                _ => {}
            }
        }
    }

    fn key(&mut self, view: &View<'_>, shown: &Shown, form: &mut Form, key: KeyEvent, seen: bool) -> Option<Outcome> {
        form.note.clear();
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('c') if control => return Some(Outcome::Command('q')),
            KeyCode::Char(_) if control => {}
            KeyCode::F(5) if view.plan.realm.is_rehearsal() => return Some(Outcome::Simulate),
            KeyCode::F(2) => return Some(Outcome::Command('!')),
            KeyCode::F(3) => return Some(Outcome::Command('p')),
            KeyCode::F(4) => return Some(Outcome::Command('a')),
            KeyCode::Esc => return Some(Outcome::Closed),
            KeyCode::Char('!') if form.is_empty() => return Some(Outcome::Command('!')),
            KeyCode::PageDown | KeyCode::Down => form.offset += 4,
            KeyCode::PageUp | KeyCode::Up => form.offset = form.offset.saturating_sub(4),
            KeyCode::Backspace => {
                if let Some(field) = form.field() {
                    field.pop();
                }
            }
            KeyCode::Tab => form.at = (form.at + 1) % form.fields.len().max(1),
            KeyCode::Enter if shown.grave && !seen => "read to the end first: PgDn".clone_into(&mut form.note),
            KeyCode::Enter => {
                let outcome = form.enter();
                if matches!(outcome, Some(Outcome::Submitted)) {
                    self.values = form.fields.iter().map(|f| f.value.trim().to_owned()).collect();
                }
                if matches!(outcome, Some(Outcome::Secret(_))) {
                    self.wipe();
                }
                return outcome;
            }
            KeyCode::Char(character) => {
                if let Some(field) = form.field() {
                    field.push(character);
                }
            }
            _ => {}
        }
        // Scrolling never runs beyond the text.
        form.offset = form.offset.min(shown.lines.len() * 4);
        None
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        restore();
    }
}
