//! An object shown across the gap as codes: one plain code, or codes that follow each other for ever.
//!
//! The same shape as a ceremony's screen: [`show::Show`] is the model, `update` and `view` are pure, and the loop here is
//! around them. A ceremony's own loop may hold a [`show::Show`] as well: it asks for nothing but keys, sizes and the time.
//! Nothing here decides what may leave a machine, and nothing secret is ever shown this way.

pub mod fit;
pub mod frames;
pub mod show;
pub mod view;

#[cfg(test)]
mod tests;

use crate::tui::input::{Input, InputSource, Signal, TerminalInput};
use crate::tui::terminal::{Signals, Terminal, wipe, wipe_where_resized};
use crate::tui::theme::Theme;
use ratatui::backend::Backend;
use show::{Message, Show, What};
use std::time::{Duration, Instant};

/// How the showing ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// By a key.
    Left,
    Signal(Signal),
    /// The terminal is gone.
    Lost(String),
}

/// Shows on this terminal until somebody leaves. The terminal is left as it was found.
///
/// # Errors
/// Where there is no terminal.
pub fn on_this_terminal(show: Show, no_color: bool) -> Result<Ending, String> {
    let theme = Theme::of_environment(no_color);
    let signals = Signals::take_over()?;
    let mut terminal = Terminal::enter((1, 1), "nothing was written; `--plain` shows the same as lines".to_owned())?;
    Ok(run(show, theme, terminal.screen(), &mut TerminalInput::new(signals)))
}

/// Inputs taken between two drawings: a held key must not keep the next code from being drawn.
const AT_ONCE: usize = 64;

/// The loop: draw, wait until the next code is due, update.
pub fn run<B: Backend>(
    mut show: Show,
    theme: Theme,
    screen: &mut ratatui::Terminal<B>,
    input: &mut impl InputSource,
) -> Ending {
    let began = Instant::now();
    let at = || u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    if let Ok(size) = screen.size() {
        show.update(Message { at: at(), what: What::Resize { width: size.width, height: size.height } });
    }
    loop {
        let drawn = wipe_where_resized(screen)
            .and_then(|()| screen.draw(|frame| view::view(&show, theme, frame.buffer_mut())).map(|_| ()));
        if let Err(error) = drawn {
            return Ending::Lost(format!("the terminal cannot be written: {error}"));
        }
        for taken in 0..AT_ONCE {
            let wait = if taken == 0 { show.due_in(at()) } else { 0 };
            let what = match input.next(Duration::from_millis(wait)) {
                Input::Tick if taken > 0 => break,
                Input::Tick | Input::Paste(_) => What::Tick,
                Input::Key(key) => What::Key(key),
                Input::Resize { width, height } => What::Resize { width, height },
                Input::Signal(signal) => return Ending::Signal(signal),
                Input::Lost(why) => return Ending::Lost(why),
            };
            if show.update(Message { at: at(), what }).is_some() {
                let _ = wipe(screen);
                return Ending::Left;
            }
        }
    }
}
