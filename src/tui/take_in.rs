//! A camera's screen: what it sees, what is wrong with it, how much of the object is there. Whoever holds the code looks here and not at
//! the code.
//!
//! [`Seen`] is the model and [`draw`] is pure; the loop asks the camera, then the keys. Nothing here decides what is welcome: the intake
//! does.

use crate::basics::SafeText;
use crate::devices::camera::Camera;
use crate::devices::frame_source::{FrameSource, Heard};
use crate::transfer::intake::{Arrival, Intake, Object};
use crate::transfer::picture::Luma;
use crate::transfer::{Progress, Taken};
use crate::tui::input::{Input, InputSource, Key, TerminalInput};
use crate::tui::terminal::{Signals, Terminal, wipe, wipe_where_resized};
use crate::tui::theme::{Theme, Tone};
use crate::tui::widgets::row::{Row, draw_all, wrapped};
use ratatui::backend::Backend;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Color;
use std::time::{Duration, Instant};

#[cfg(test)]
mod tests;

/// How long the camera is waited for before keys are looked at.
const WAIT: Duration = Duration::from_millis(50);
/// How often the screen is drawn.
const DRAWN: Duration = Duration::from_millis(150);
/// Cells of the bar of parts.
const BAR: usize = 20;

/// How the taking in ended.
pub enum Ending {
    Object(Object),
    /// By a key or a signal.
    Left,
    /// The camera or the terminal is gone.
    Lost(String),
}

/// What the screen says.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    pub source: String,
    /// What is waited for, in words.
    pub waiting_for: String,
    /// What the camera sees: a code, or what is wrong.
    pub looks: String,
    pub rate: f32,
    pub progress: Progress,
    /// The last thing that was refused.
    pub note: String,
}

/// Takes an object in from a camera on this terminal, which is left as it was found.
///
/// # Errors
/// Where there is no terminal.
pub fn on_this_terminal(
    camera: &mut Camera,
    intake: &mut Intake,
    waiting_for: &str,
    no_color: bool,
) -> Result<Ending, String> {
    let theme = Theme::of_environment(no_color);
    let signals = Signals::take_over()?;
    let mut terminal = Terminal::enter((80, 24), "nothing was written; scan again".to_owned())?;
    Ok(run(camera, intake, waiting_for, theme, terminal.screen(), &mut TerminalInput::new(signals)))
}

/// The loop: the camera, the keys, the screen.
pub fn run<B: Backend>(
    camera: &mut Camera,
    intake: &mut Intake,
    waiting_for: &str,
    theme: Theme,
    screen: &mut ratatui::Terminal<B>,
    input: &mut impl InputSource,
) -> Ending {
    let mut seen = Seen { source: camera.name(), waiting_for: waiting_for.to_owned(), ..Seen::default() };
    let mut drawn: Option<Instant> = None;
    loop {
        match camera.hear(WAIT) {
            Err(error) => return Ending::Lost(format!("{error}: {}", error.hint)),
            Ok(Heard::Ended) => return Ending::Lost("the camera ended".to_owned()),
            Ok(Heard::Nothing) => {}
            Ok(Heard::Looks(looks)) => seen.looks = looks,
            Ok(Heard::Refused { reason, .. }) => seen.looks = reason,
            Ok(Heard::Text(text)) => {
                "sees a code".clone_into(&mut seen.looks);
                match intake.take(&text) {
                    Arrival::Object(object) => {
                        let _ = wipe(screen);
                        return Ending::Object(object);
                    }
                    arrival => note(&mut seen, arrival),
                }
            }
        }
        seen.progress = intake.progress();
        if drawn.is_none_or(|drawn| drawn.elapsed() >= DRAWN) {
            if drawn.is_some() {
                seen.rate = camera.rate();
            }
            let shown = wipe_where_resized(screen).and_then(|()| {
                screen.draw(|frame| draw(&seen, camera.preview(), theme, frame.buffer_mut())).map(|_| ())
            });
            if let Err(error) = shown {
                return Ending::Lost(format!("the terminal cannot be written: {error}"));
            }
            drawn = Some(Instant::now());
        }
        match input.next(Duration::ZERO) {
            Input::Key(Key::Char('q' | 'Q') | Key::Esc | Key::Ctrl('c')) | Input::Signal(_) => {
                let _ = wipe(screen);
                return Ending::Left;
            }
            Input::Lost(why) => return Ending::Lost(why),
            Input::Key(_) | Input::Paste(_) | Input::Resize { .. } | Input::Tick => {}
        }
    }
}

/// What an arrival that is no object yet is worth saying.
fn note(seen: &mut Seen, arrival: Arrival) {
    match arrival {
        Arrival::Unexpected { expected, found } => {
            seen.note = format!("expected {expected}, found {found}: not taken, going on");
        }
        Arrival::Calibration(layout) => seen.note = layout.words(),
        Arrival::Part(Taken::Restarted(why)) => seen.note = format!("starting again: {why}"),
        Arrival::Part(Taken::Unreadable(error)) => seen.note = format!("unreadable: {error}"),
        Arrival::Part(_) | Arrival::Object(_) => {}
    }
}

/// The words above, the camera's picture below.
pub fn draw(seen: &Seen, preview: Option<&Luma>, theme: Theme, buffer: &mut Buffer) {
    let area = buffer.area;
    let width = usize::from(area.width);
    let mut rows = vec![Row::of(Tone::Strong, "Hold the code to the camera.").with(Tone::Faint, "   q leaves")];
    let camera = format!("{}   {}   {:.0} a second", SafeText::of(&seen.source), SafeText::of(&seen.looks), seen.rate);
    rows.extend(wrapped(Row::gap(), Tone::Plain, &camera, width));
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
