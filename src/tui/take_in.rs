//! The screen of an object that comes in: what the source sees, what is wrong with it, how much is there. Whoever holds the code looks here
//! and not at the code.
//!
//! [`draw`] is pure; the loop asks the source, then the keys. Nothing here decides what is welcome: whoever offers the source does.

use crate::basics::{SafeText, limits};
use crate::runner::front_end::{Incoming, Looked, Sight};
use crate::transfer::Progress;
use crate::transfer::picture::Luma;
use crate::tui::input::{Input, InputSource, Key, Signal, TerminalInput};
use crate::tui::terminal::{Signals, Terminal, wipe, wipe_where_resized};
use crate::tui::theme::{Theme, Tone};
use crate::tui::widgets::row::{Row, draw_all, wrapped};
use ratatui::backend::Backend;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Color;
use std::time::{Duration, Instant};
use zeroize::{Zeroize, Zeroizing};

#[cfg(test)]
mod tests;

/// How long the source is waited for before keys are looked at.
const WAIT: Duration = Duration::from_millis(50);
/// How often the screen is drawn.
const DRAWN: Duration = Duration::from_millis(150);
/// Cells of the bar of parts.
const BAR: usize = 20;

/// Where the screen stands: what going back means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// `qr scan`: leaving ends it.
    Alone,
    /// A ceremony: the question is asked again, and what came is kept.
    Ceremony,
}

/// How the taking in ended.
pub enum Ending {
    /// The object is whole, or nothing more will come.
    Ended,
    /// By a key.
    Back,
    Signal(Signal),
    /// The terminal is gone.
    Lost(String),
}

/// Takes an object in on this terminal, which is left as it was found.
///
/// # Errors
/// Where there is no terminal.
pub fn on_this_terminal(incoming: &mut dyn Incoming, no_color: bool) -> Result<Ending, String> {
    let theme = Theme::of_environment(no_color);
    let signals = Signals::take_over()?;
    let mut terminal = Terminal::enter((80, 24), "nothing was written; scan again".to_owned())?;
    Ok(run(incoming, Place::Alone, theme, terminal.screen(), &mut TerminalInput::new(signals)))
}

/// The loop: the source, the keys, the screen.
pub fn run<B: Backend>(
    incoming: &mut dyn Incoming,
    place: Place,
    theme: Theme,
    screen: &mut ratatui::Terminal<B>,
    input: &mut impl InputSource,
) -> Ending {
    let mut drawn: Option<Instant> = None;
    // Never grows: growing would leave copies behind, and somebody may scan a share's card.
    let mut line = Zeroizing::new(String::with_capacity(limits::SCANNER_LINE_OCTETS));
    loop {
        // A scanner that types is waited for at the keyboard.
        let wait = if incoming.is_typed() { Duration::ZERO } else { WAIT };
        if incoming.look(wait) == Looked::Ended {
            let _ = wipe(screen);
            return Ending::Ended;
        }
        if drawn.is_none_or(|drawn| drawn.elapsed() >= DRAWN) {
            let sight = incoming.sight();
            let shown = wipe_where_resized(screen).and_then(|()| {
                screen.draw(|frame| draw(&sight, place, incoming.preview(), theme, frame.buffer_mut())).map(|_| ())
            });
            if let Err(error) = shown {
                return Ending::Lost(format!("the terminal cannot be written: {error}"));
            }
            drawn = Some(Instant::now());
        }
        if let Some(ending) = keys(incoming, &mut line, input) {
            let _ = wipe(screen);
            return ending;
        }
    }
}

/// Keys until none waits: a scanner types hundreds at once. `Some` where it is over.
fn keys(incoming: &mut dyn Incoming, line: &mut Zeroizing<String>, input: &mut impl InputSource) -> Option<Ending> {
    let mut wait = if incoming.is_typed() { WAIT } else { Duration::ZERO };
    for _ in 0..limits::SCANNER_LINE_OCTETS {
        match input.next(wait) {
            Input::Key(Key::Esc | Key::Ctrl('c')) => return Some(Ending::Back),
            Input::Key(Key::Char('q' | 'Q')) if !incoming.is_typed() => return Some(Ending::Back),
            Input::Key(Key::Char(typed)) if incoming.is_typed() => push(line, typed),
            Input::Key(Key::Enter) if incoming.is_typed() => {
                if entered(incoming, line) == Looked::Ended {
                    return Some(Ending::Ended);
                }
            }
            Input::Paste(pasted) if incoming.is_typed() => {
                for piece in pasted.split_inclusive(['\r', '\n']) {
                    piece.chars().filter(|c| !c.is_control()).for_each(|c| push(line, c));
                    if piece.ends_with(['\r', '\n']) && entered(incoming, line) == Looked::Ended {
                        return Some(Ending::Ended);
                    }
                }
            }
            Input::Signal(signal) => return Some(Ending::Signal(signal)),
            Input::Lost(why) => return Some(Ending::Lost(why)),
            Input::Tick => return None,
            Input::Key(_) | Input::Paste(_) | Input::Resize { .. } => {}
        }
        wait = Duration::ZERO;
    }
    None
}

/// What is more than any code holds is dropped; the line is then no frame.
fn push(line: &mut Zeroizing<String>, typed: char) {
    if line.len() + typed.len_utf8() <= limits::SCANNER_LINE_OCTETS {
        line.push(typed);
    }
}

fn entered(incoming: &mut dyn Incoming, line: &mut Zeroizing<String>) -> Looked {
    let looked = if line.trim().is_empty() { Looked::Nothing } else { incoming.typed(line) };
    line.zeroize();
    looked
}

/// The words above, the camera's picture below.
pub fn draw(seen: &Sight, place: Place, preview: Option<&Luma>, theme: Theme, buffer: &mut Buffer) {
    let area = buffer.area;
    let width = usize::from(area.width);
    let leaves = match place {
        Place::Alone => "   q leaves",
        Place::Ceremony => "   Esc: back, nothing is lost",
    };
    let mut rows = wrapped(Row::gap(), Tone::Strong, seen.told, width);
    if let Some(last) = rows.pop() {
        if last.width() + leaves.len() <= width {
            rows.push(last.with(Tone::Faint, leaves));
        } else {
            rows.push(last);
            rows.extend(wrapped(Row::gap(), Tone::Faint, leaves.trim_start(), width));
        }
    }
    let rate = seen.rate.map_or_else(String::new, |rate| format!("   {rate:.0} a second"));
    let looks = if seen.looks.is_empty() { String::new() } else { format!("   {}", SafeText::of(&seen.looks)) };
    let source = format!("{}{looks}{rate}", SafeText::of(&seen.source));
    rows.extend(wrapped(Row::gap(), Tone::Plain, &source, width));
    rows.push(Row::of(Tone::Now, &bar(&seen.progress)).with(Tone::Strong, &parts(&seen.progress)));
    let p = &seen.progress;
    let counts =
        format!("new {} · again {} · other transfer {} · unreadable {}", p.new, p.again, p.other, p.unreadable);
    rows.extend(wrapped(Row::gap(), Tone::Plain, &counts, width));
    rows.extend(wrapped(Row::gap(), Tone::Faint, &format!("waiting for {}", SafeText::of(&seen.waiting_for)), width));
    if !seen.note.is_empty() {
        rows.extend(wrapped(Row::gap(), Tone::Notice, SafeText::of(&seen.note).as_str(), width));
    }
    let used = u16::try_from(rows.len()).unwrap_or(u16::MAX).min(area.height);
    draw_all(&rows, area, theme, buffer);
    let below = Rect { y: area.y + used, height: area.height - used, ..area };
    match preview {
        Some(luma) => picture(luma, below, buffer),
        None if seen.rate.is_none() => {}
        None => {
            let words = "no picture to show: the camera sends JPEG";
            draw_all(&wrapped(Row::gap(), Tone::Faint, words, width), below, theme, buffer);
        }
    }
}

fn bar(progress: &Progress) -> String {
    let filled = (progress.have * BAR).checked_div(progress.need).unwrap_or(0).min(BAR);
    format!("{}{}", "█".repeat(filled), "░".repeat(BAR - filled))
}

fn parts(progress: &Progress) -> String {
    if progress.need == 0 {
        "  no part yet".to_owned()
    } else {
        format!("  {} of {} parts", progress.have, progress.need)
    }
}

/// Grey values as half blocks, as large as fits, never stretched.
fn picture(luma: &Luma, area: Rect, buffer: &mut Buffer) {
    let (columns, rows) = (usize::from(area.width), usize::from(area.height) * 2);
    if columns == 0 || rows == 0 {
        return;
    }
    // Pixels of the picture to one dot: the larger of what either direction asks for.
    let step = luma.width().div_ceil(columns).max(luma.height().div_ceil(rows)).max(1);
    let grey = |x: usize, y: usize| {
        let value = luma.at((x * step).min(luma.width() - 1), (y * step).min(luma.height() - 1));
        Color::Rgb(value, value, value)
    };
    for (y, row) in (0..luma.height().div_ceil(step).div_ceil(2)).zip(area.y..area.bottom()) {
        for (x, column) in (0..luma.width().div_ceil(step)).zip(area.x..area.right()) {
            if let Some(cell) = buffer.cell_mut((column, row)) {
                cell.set_char('▀').set_fg(grey(x, y * 2)).set_bg(grey(x, y * 2 + 1));
            }
        }
    }
}
