//! One share on the screen for its custodian: revealed by a key, hidden by any other key or after a minute, as text or as a
//! code that is painted black on white whatever the theme.

use crate::custody::qr::{Matrix, Medium, QUIET, modules};
use crate::custody::share::lines;
use crate::runner::front_end::{RevealedShare, Seen, View};
use crate::tui::draw::Shown;
use crate::tui::terminal::Terminal;
use crossterm::event::{Event, KeyCode, KeyEventKind};
use ratatui::style::{Color, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use std::time::{Duration, Instant};

const SHOWN_FOR: Duration = Duration::from_secs(60);

/// Shows a share until its custodian says that it is written down.
///
/// # Errors
/// Why it could not be shown to its end.
pub fn reveal(terminal: &mut Terminal, view: &View<'_>, share: &RevealedShare) -> Result<Seen, String> {
    let name = view.plan.name_of(&share.holder);
    let about = format!(
        "share {} of {} · quorum {} · generation {} · needs {}",
        share.index, share.count, share.quorum, share.generation, share.threshold
    );
    let simulate = if view.plan.realm.is_rehearsal() { ", F5 the simulated custodian writes it down" } else { "" };
    let covered = Shown::titled(
        &format!("{name}, alone before the screen?"),
        vec![
            about.clone(),
            format!("r shows it as text, Tab as a code for your own reader{simulate}."),
            "Any key hides it, so does a minute. w: it is written on the card.".to_owned(),
        ],
    );
    let (mut text_seen, mut code_seen) = (false, false);
    loop {
        terminal.show(view, &covered);
        let Some(Event::Key(key)) = terminal.next_event(Duration::from_millis(250))? else { continue };
        if key.kind == KeyEventKind::Release {
            continue;
        }
        match key.code {
            KeyCode::Char('r') => {
                show_text(terminal, share, &name, &about)?;
                text_seen = true;
            }
            KeyCode::Tab => code_seen |= show_code(terminal, share)?,
            KeyCode::F(5) if view.plan.realm.is_rehearsal() => return Ok(Seen::Simulated),
            KeyCode::Char('w') if text_seen || code_seen => {
                return Ok(match (text_seen, code_seen) {
                    (true, true) => Seen::Both,
                    (false, true) => Seen::Code,
                    _ => Seen::Text,
                });
            }
            _ => {}
        }
    }
}

fn show_text(terminal: &mut Terminal, share: &RevealedShare, name: &str, about: &str) -> Result<(), String> {
    let shown = lines(&share.text);
    let until = Instant::now() + SHOWN_FOR;
    let result = wait(terminal, until, |terminal| {
        let left = until.saturating_duration_since(Instant::now()).as_secs();
        let _ = terminal.inner.draw(|frame| {
            let mut rows = vec![Line::from(format!(" {name} alone · {about}")), Line::from("")];
            rows.extend(shown.iter().map(|line| Line::from(format!("      {}", line.expose_text()))));
            rows.extend([Line::from(""), Line::from(format!(" any key hides it; hidden by itself in {left} s"))]);
            frame.render_widget(Paragraph::new(rows), frame.area());
        });
    });
    terminal.wipe();
    result
}

/// Shows the code; says whether it fits the terminal.
fn show_code(terminal: &mut Terminal, share: &RevealedShare) -> Result<bool, String> {
    let matrix = modules(&share.text, Medium::Screen).map_err(|e| e.to_string())?;
    let rows = code(&matrix);
    let fits = terminal.inner.size().is_ok_and(|size| size.height as usize > rows.len());
    let until = Instant::now() + SHOWN_FOR;
    let result = wait(terminal, until, |terminal| {
        let _ = terminal.inner.draw(|frame| {
            let mut drawn =
                if fits { rows.clone() } else { vec![Line::from(" the code needs a higher terminal: use the text")] };
            drawn.push(Line::from(" any key hides it"));
            frame.render_widget(Paragraph::new(drawn), frame.area());
        });
    });
    terminal.wipe();
    result.map(|()| fits)
}

fn wait(terminal: &mut Terminal, until: Instant, mut draw: impl FnMut(&mut Terminal)) -> Result<(), String> {
    while Instant::now() < until {
        draw(terminal);
        if let Some(Event::Key(key)) = terminal.next_event(Duration::from_millis(250))?
            && key.kind != KeyEventKind::Release
        {
            return Ok(());
        }
    }
    Ok(())
}

/// Two rows of modules a line: spaces where both are alike, a lower half block with both colours where not. Full blocks leave
/// hairlines that defeat readers.
fn code(matrix: &Matrix) -> Vec<Line<'static>> {
    let span = matrix.size() + 2 * QUIET;
    let dark = |x: usize, y: usize| x >= QUIET && y >= QUIET && matrix.is_dark(x - QUIET, y - QUIET);
    let colour = |dark: bool| if dark { Color::Rgb(0, 0, 0) } else { Color::Rgb(255, 255, 255) };
    (0..span.div_ceil(2))
        .map(|row| {
            let cells = (0..span).map(|x| {
                let (upper, lower) = (dark(x, row * 2), dark(x, row * 2 + 1));
                let style = Style::new().bg(colour(upper)).fg(colour(lower));
                Span::styled(if upper == lower { " " } else { "▄" }, style)
            });
            Line::from(cells.collect::<Vec<_>>())
        })
        .collect()
}
