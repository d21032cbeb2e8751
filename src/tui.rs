//! Row 8: the full-screen front end. It shows what the machine asks and brings back what people answer.
//!
//! Elm's shape: a `model`, a pure `update`, a pure `view`; `session` is the loop around them, `terminal` and `input` the
//! outside. It decides nothing of the ceremony, writes nothing but the terminal, and keeps no secret longer than it is on
//! the screen. Only `cli` opens it; `--plain` says the same words in the same order.

pub mod across;
pub mod input;
pub mod keymap;
pub mod layout;
pub mod model;
pub mod screens;
pub mod session;
pub mod stock;
pub mod take_in;
pub mod terminal;
pub mod theme;
pub mod update;
pub mod view;
pub mod widgets;

#[cfg(test)]
pub(crate) mod tests;

use crate::basics::Secret;
use crate::ceremony::Prompt;
use crate::ceremony::event::FrontEndWord;
use crate::custody::share::Correction;
use crate::runner::front_end::{Ending, FrontEnd, Given, Incoming, Look, RevealedShare, Seen, View};
use crate::transfer::envelope::Envelope;

/// The screen of a ceremony. Dropping it restores the terminal.
pub struct Screen {
    terminal: terminal::Terminal,
    session: session::Session<input::TerminalInput>,
}

impl Screen {
    /// Takes the terminal over. `resume_command` is what a panic tells people to type.
    ///
    /// # Errors
    /// Where there is no terminal or it is smaller than 80x24: both messages name `--plain`.
    pub fn open(resume_command: &str, no_color: bool) -> Result<Self, String> {
        let theme = theme::Theme::of_environment(no_color);
        let signals = terminal::Signals::take_over()?;
        let terminal = terminal::Terminal::enter(
            (model::LEAST_WIDTH, model::LEAST_HEIGHT),
            format!("the record is safe up to its last entry\nhint: go on with `{resume_command}`"),
        )?;
        Ok(Self { terminal, session: session::Session::new(input::TerminalInput::new(signals), theme) })
    }
}

impl FrontEnd for Screen {
    fn word(&self) -> FrontEndWord {
        FrontEndWord::Screen
    }

    fn ask(&mut self, view: &View<'_>, prompt: &Prompt) -> Given {
        self.session.ask(self.terminal.screen(), view, prompt)
    }

    fn reveal(&mut self, view: &View<'_>, share: &RevealedShare) -> Result<Seen, String> {
        self.session.reveal(self.terminal.screen(), view, share)
    }

    fn confirm_corrections(&mut self, view: &View<'_>, who: &str, corrections: &[Correction]) -> Result<bool, String> {
        self.session.confirm_corrections(self.terminal.screen(), view, who, corrections)
    }

    fn show_code(&mut self, _: &View<'_>, envelope: &Envelope) -> Result<(), String> {
        self.session.show_code(self.terminal.screen(), envelope)
    }

    fn scan(&mut self, view: &View<'_>, look: &mut Look<'_>) -> Result<Option<Secret>, String> {
        self.session.scan(self.terminal.screen(), view, look)
    }

    fn take_in(&mut self, _: &View<'_>, incoming: &mut dyn Incoming) -> Result<(), String> {
        self.session.take_in(self.terminal.screen(), incoming)
    }

    fn busy(&mut self, view: &View<'_>, what: &str) {
        self.session.busy(self.terminal.screen(), view, what);
    }

    fn progress(&mut self, view: &View<'_>, what: &str, done: u32, of: u32) {
        self.session.busy(self.terminal.screen(), view, &format!("{what} · {done} of {of}"));
    }

    fn ended(&mut self, view: &View<'_>, ending: &Ending) {
        self.session.ended(self.terminal.screen(), view, ending);
        self.terminal.leave_words(ending);
    }
}
