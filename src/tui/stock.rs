//! The station's dashboard: stock, lines, refusals, what is due. It looks and changes nothing; people act with the other verbs.
//!
//! `update` and `rows` are pure; `watch` is the loop around them.

use crate::basics::{Instant, SafeText};
use crate::devices::{Clock, clock::SystemClock};
use crate::station::State;
use crate::station::status::{BAR_MINUTES, BundleStatus, LineStatus, Status};
use crate::tui::input::{Input, InputSource, Key, TerminalInput};
use crate::tui::model::{LEAST_HEIGHT, LEAST_WIDTH};
use crate::tui::terminal::{Signals, Terminal};
use crate::tui::theme::{Theme, Tone};
use crate::tui::widgets::row::{Row, columns, draw_all, flowed, wrapped};
use ratatui::Frame;
use ratatui::layout::Rect;
use std::time::Duration;

/// How often the store is looked at.
const RENEW: Duration = Duration::from_secs(1);

/// What is on the screen.
pub struct Stock {
    /// What the store said last, or why it could not be read.
    pub seen: Result<Status, String>,
    pub now: Instant,
    pub scroll: usize,
    pub width: u16,
    pub height: u16,
}

/// Shows the dashboard until somebody leaves it.
///
/// # Errors
/// Where there is no terminal, or it is too small.
pub fn watch(no_color: bool, look: &mut dyn FnMut() -> Result<Status, String>) -> Result<(), String> {
    let theme = Theme::of_environment(no_color);
    let signals = Signals::take_over()?;
    let instead = "nothing was changed\nhint: `anchorite station status` says the same line by line".to_owned();
    let mut terminal = Terminal::enter((LEAST_WIDTH, LEAST_HEIGHT), instead)
        .map_err(|message| message.replace("`--plain` works", "`anchorite station status` works"))?;
    let mut input = TerminalInput::new(signals);
    let size = terminal.screen().size().map_err(|e| e.to_string())?;
    let mut stock = Stock { seen: look(), now: SystemClock.now(), scroll: 0, width: size.width, height: size.height };
    let mut looked = std::time::Instant::now();
    loop {
        terminal.screen().draw(|frame| view(&stock, theme, frame)).map_err(|e| e.to_string())?;
        let wait = RENEW.saturating_sub(looked.elapsed());
        if !update(&mut stock, &input.next(wait)) {
            return Ok(());
        }
        if looked.elapsed() >= RENEW {
            (stock.seen, stock.now, looked) = (look(), SystemClock.now(), std::time::Instant::now());
        }
    }
}

/// Folds an input in; `false` where somebody leaves.
pub fn update(stock: &mut Stock, input: &Input) -> bool {
    let body = usize::from(stock.height.saturating_sub(4));
    let most = rows(stock).len().saturating_sub(body);
    match input {
        Input::Key(Key::Char('q' | 'Q') | Key::Esc | Key::Ctrl('c')) | Input::Signal(_) | Input::Lost(_) => {
            return false;
        }
        Input::Key(Key::Down) => stock.scroll += 1,
        Input::Key(Key::Up) => stock.scroll = stock.scroll.saturating_sub(1),
        Input::Key(Key::PageDown) => stock.scroll += body,
        Input::Key(Key::PageUp) => stock.scroll = stock.scroll.saturating_sub(body),
        Input::Key(Key::Home) => stock.scroll = 0,
        Input::Key(Key::End) => stock.scroll = most,
        Input::Resize { width, height } => (stock.width, stock.height) = (*width, *height),
        _ => {}
    }
    stock.scroll = stock.scroll.min(most);
    true
}

/// Draws it. Pure: the same state and size give the same cells.
pub fn view(stock: &Stock, theme: Theme, frame: &mut Frame<'_>) {
    let area = frame.area();
    let buffer = frame.buffer_mut();
    if area.width < LEAST_WIDTH || area.height < LEAST_HEIGHT {
        let said = format!("expected at least {LEAST_WIDTH}x{LEAST_HEIGHT}, found {}x{}", area.width, area.height);
        draw_all(&wrapped(Row::gap(), Tone::Notice, &said, usize::from(area.width)), area, theme, buffer);
        return;
    }
    let line = |y: u16, height: u16| Rect { y, height, ..area };
    let rule = Row::of(Tone::Faint, &"─".repeat(usize::from(area.width)));
    draw_all(&[header(stock)], line(0, 1), theme, buffer);
    draw_all(std::slice::from_ref(&rule), line(1, 1), theme, buffer);
    let body = rows(stock);
    let shown = body.get(stock.scroll.min(body.len())..).unwrap_or_default();
    draw_all(shown, line(2, area.height - 4), theme, buffer);
    draw_all(std::slice::from_ref(&rule), line(area.height - 2, 1), theme, buffer);
    let mut hints = Row::of(Tone::Key, " q").with(Tone::Plain, " leave");
    if body.len() > usize::from(area.height - 4) {
        let last = (stock.scroll + usize::from(area.height - 4)).min(body.len());
        hints = hints
            .with(Tone::Key, "   ↑↓ PgUp PgDn")
            .with(Tone::Plain, &format!(" scroll: lines {} to {last} of {}", stock.scroll + 1, body.len()));
    }
    draw_all(&[hints], line(area.height - 1, 1), theme, buffer);
}

fn header(stock: &Stock) -> Row {
    let clock = format!("{} UTC", stock.now.hours_minutes());
    match &stock.seen {
        Ok(status) => {
            let tone = if status.realm.is_rehearsal() { Tone::Rehearsal } else { Tone::Production };
            let head = status.head.get(..8).unwrap_or_default();
            Row::of(tone, &format!(" {} ", status.realm.banner())).with(
                Tone::Plain,
                &format!("│ {} │ {clock} │ entry {} head {head}", status.factory, grouped(status.entries)),
            )
        }
        Err(_) => Row::of(Tone::Bad, " STATION ").with(Tone::Plain, &format!("│ {clock}")),
    }
}

fn rows(stock: &Stock) -> Vec<Row> {
    let width = usize::from(stock.width);
    let status = match &stock.seen {
        Ok(status) => status,
        Err(message) => return wrapped(Row::of(Tone::Bad, " ✗ "), Tone::Bad, message, width),
    };
    let mut rows = Vec::new();
    if !status.problem.is_empty() {
        rows.extend(wrapped(Row::of(Tone::Bad, " ✗ no line can draw: "), Tone::Bad, &status.problem, width));
        rows.push(Row::gap());
    }
    rows.extend(totals(status, width));
    rows.extend(refused(status, width));
    rows.push(Row::gap());
    if status.bundles.is_empty() {
        rows.push(Row::of(Tone::Plain, " no bundle was imported yet"));
    }
    for bundle in &status.bundles {
        rows.extend(bundle_rows(bundle, width));
    }
    rows.push(Row::gap());
    if !status.lines.is_empty() {
        let title =
            format!(" line   an hour  each {BAR_MINUTES} min   out    last ok   scrapped, the last one and why");
        rows.push(Row::of(Tone::Faint, &title));
    }
    for line in &status.lines {
        rows.push(line_row(line, stock.now, width));
    }
    rows
}

fn refused(status: &Status, width: usize) -> Vec<Row> {
    let mut refused: Vec<Row> = status
        .refusals
        .iter()
        .map(|(class, count)| Row::of(Tone::Bad, class).with(Tone::Strong, &format!(" {}", grouped(*count))))
        .collect();
    if refused.is_empty() {
        refused.push(Row::of(Tone::Good, "nothing"));
    }
    refused.insert(0, Row::of(Tone::Faint, " refused"));
    flowed(refused, "  ", Row::gap(), width)
}

fn totals(status: &Status, width: usize) -> Vec<Row> {
    let all: u64 = status.bundles.iter().map(|bundle| bundle.bundle.count).sum();
    let of = |state| status.bundles.iter().filter_map(|bundle| bundle.states.get(&state)).sum::<u64>();
    let (good, bad) = (of(State::Verified) + of(State::Reported), of(State::Scrapped));
    let out = of(State::Reserved) + of(State::Injected);
    let tenths = (good * 1_000).checked_div(good + bad);
    let each = tenths.map_or_else(|| "·".to_owned(), |n| format!("{}.{} %", n / 10, n % 10));
    let number = |tone, n: u64, word: &str| Row::of(tone, &grouped(n)).with(Tone::Plain, &format!(" {word}"));
    let stock = vec![
        Row::of(Tone::Faint, " stock"),
        number(Tone::Strong, of(State::Released), "to draw"),
        number(Tone::Plain, of(State::Sealed), "sealed"),
        Row::of(Tone::Plain, &format!("of {}", grouped(all))),
    ];
    let begins = if status.today.since.0.is_multiple_of(86_400_000) {
        " today".to_owned()
    } else {
        format!(" since {}", status.today.since.hours_minutes())
    };
    let today = vec![
        Row::of(Tone::Faint, &begins),
        number(Tone::Strong, status.today.verified, "verified"),
        number(Tone::Plain, status.today.scrapped, "scrapped"),
        number(Tone::Plain, status.today.drawn, "drawn"),
        number(Tone::Strong, status.lines.iter().map(|line| line.per_hour).sum(), "verified in the last hour"),
    ];
    let ever = vec![
        Row::of(Tone::Faint, " all  "),
        number(Tone::Strong, good, "verified"),
        number(Tone::Plain, bad, "scrapped"),
        number(if out == 0 { Tone::Plain } else { Tone::Notice }, out, "outstanding"),
        Row::of(Tone::Plain, &format!("yield {each}")),
    ];
    let mut ended = vec![Row::of(Tone::Faint, " ended")];
    for state in [State::Lost, State::Returned, State::Destroyed] {
        if of(state) > 0 {
            ended.push(number(Tone::Notice, of(state), state.word()));
        }
    }
    let mut all = vec![stock, today, ever];
    if ended.len() > 1 {
        all.push(ended);
    }
    all.into_iter().flat_map(|pieces| flowed(pieces, "  ", Row::gap(), width)).collect()
}

fn bundle_rows(bundle: &BundleStatus, width: usize) -> Vec<Row> {
    let of = |state| bundle.states.get(&state).copied().unwrap_or(0);
    let until = Instant(bundle.bundle.expires).rfc3339();
    let day = until.get(..10).unwrap_or_default();
    let end = if bundle.expired {
        Row::of(Tone::Bad, &format!("✗ expired {day}"))
    } else {
        Row::of(Tone::Plain, &format!("until {day}"))
    };
    let name = vec![
        Row::of(Tone::Faint, " bundle").with(Tone::Strong, &format!(" {}", bundle.bundle.bundle)),
        Row::of(Tone::Plain, &format!("{} {}", bundle.bundle.product, bundle.bundle.sku)),
        end,
    ];
    let left = format!("        {} of {} to draw", grouped(of(State::Released)), grouped(bundle.bundle.count));
    let mut left = vec![Row::of(Tone::Plain, &left)];
    if bundle.receipt_due > 0 {
        left.push(Row::of(Tone::Notice, &format!("▲ {} verified, in no receipt yet", grouped(bundle.receipt_due))));
    }
    [name, left].into_iter().flat_map(|pieces| flowed(pieces, " · ", Row::gap(), width)).collect()
}

fn line_row(line: &LineStatus, now: Instant, width: usize) -> Row {
    const STEPS: [&str; 9] = ["·", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
    let highest = line.bars.iter().copied().max().unwrap_or(0).max(1);
    let bars: String = line
        .bars
        .iter()
        .map(|count| {
            let step = if *count == 0 { 0 } else { (count * 8).div_ceil(highest) };
            usize::try_from(step).ok().and_then(|at| STEPS.get(at)).copied().unwrap_or("█")
        })
        .collect();
    let at = |instant: Option<Instant>| {
        instant.map_or_else(
            || "·".to_owned(),
            |then| {
                if now.0.saturating_sub(then.0) < 86_400_000 {
                    then.hours_minutes()
                } else {
                    then.rfc3339().get(..10).unwrap_or_default().to_owned()
                }
            },
        )
    };
    let begun = Row::of(Tone::Strong, &format!(" {:<6}", line.line))
        .with(Tone::Plain, &format!(" {:>7}  ", grouped(line.per_hour)))
        .with(if line.per_hour == 0 { Tone::Notice } else { Tone::Good }, &format!("{bars:<10}"))
        .with(Tone::Plain, &format!("{:>7}   {:<9} ", grouped(line.outstanding), at(line.last_verified)));
    let failed = line.last_scrapped.as_ref().map_or_else(
        || grouped(line.scrapped),
        |(when, why)| format!("{} · {} {}", grouped(line.scrapped), at(Some(*when)), SafeText::of(why)),
    );
    // One row a line, or the lines are not on the screen together; the whole reason is in `status --json`.
    let room = width.saturating_sub(begun.width());
    begun.with(Tone::Plain, &cut(&failed, room))
}

/// As much of a text as fits, with a mark where there is more.
fn cut(text: &str, room: usize) -> String {
    if columns(text) <= room {
        return text.to_owned();
    }
    let mut shown = String::new();
    for character in text.chars() {
        shown.push(character);
        if columns(&shown) + 1 > room {
            shown.pop();
            break;
        }
    }
    shown + "…"
}

/// Thousands apart: `61,204`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests;
