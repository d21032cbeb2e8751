//! A share, for its custodian alone: covered first, then as text or as a code, covered again by any key or after a
//! minute. The text goes from its [`Secret`](crate::basics::Secret) to the cells and nowhere else.

use crate::custody::qr::{self, Medium};
use crate::custody::share;
use crate::tui::layout::Page;
use crate::tui::model::{Model, Phase, REVEAL_MILLISECONDS, Revealing};
use crate::tui::theme::{Theme, Tone};
use crate::tui::widgets::qr_code::{self, Look};
use crate::tui::widgets::row::{Row, draw_all, wrapped};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

#[must_use]
pub fn page(model: &Model<'_>, revealing: &Revealing<'_>, width: usize) -> Page {
    let name = model.room.plan.name_of(&revealing.share.holder);
    let mut top = wrapped(Row::gap(), Tone::Strong, &title(revealing), width);
    let mut lines = Vec::new();
    match revealing.phase {
        Phase::Covered => {
            top.extend(wrapped(Row::gap(), Tone::Plain, &format!("For {name} alone."), width));
            lines.push(Row::gap());
            for text in [
                format!("{name}, come to the screen with your blank card and a pen."),
                "Everybody else, look away; no camera sees the screen.".to_owned(),
                "When you are alone with it, press r. Any key hides the share again, and so does a minute.".to_owned(),
            ] {
                lines.extend(wrapped(Row::gap(), Tone::Plain, &text, width));
            }
        }
        Phase::Text { .. } => {
            let left = seconds_left(revealing);
            let alone = format!("For {name} alone: hidden again in {left} s, or by any key.");
            top.extend(wrapped(Row::gap(), Tone::Notice, &alone, width));
            lines.push(Row::gap());
            for line in share::lines(&revealing.share.text) {
                lines.push(Row::of(Tone::Plain, "   ").with_secret(Tone::Strong, line.expose()));
                lines.push(Row::gap());
            }
            let write = "Write it on your card, group by group. Tab shows the same as a QR code for your own reader.";
            lines.extend(wrapped(Row::gap(), Tone::Plain, write, width));
        }
        Phase::Code { .. } | Phase::Hidden => {
            top.extend(wrapped(Row::gap(), Tone::Plain, &format!("{name}, the share is hidden."), width));
            lines.push(Row::gap());
            for text in [
                "Press w when your card is written down: you type the share back from it next.",
                "Press r to see it again, for example to compare your card with it.",
            ] {
                lines.extend(wrapped(Row::gap(), Tone::Plain, text, width));
            }
        }
    }
    Page { top, lines, bottom: vec![Row::gap()], focus: 0 }
}

fn title(revealing: &Revealing<'_>) -> String {
    let share = revealing.share;
    format!(
        "Share {} of {} · quorum {} · generation {} · needs {}",
        share.index, share.count, share.quorum, share.generation, share.threshold
    )
}

fn seconds_left(revealing: &Revealing<'_>) -> u64 {
    match revealing.phase {
        Phase::Text { since } | Phase::Code { since } => {
            since.saturating_add(REVEAL_MILLISECONDS).saturating_sub(revealing.at).div_ceil(1000)
        }
        Phase::Covered | Phase::Hidden => 0,
    }
}

/// The code in the middle of `area`; where it does not fit there, it takes the screen but for one line.
pub fn draw_code(model: &Model<'_>, revealing: &Revealing<'_>, area: Rect, theme: Theme, buffer: &mut Buffer) {
    let matrix = match qr::modules(&revealing.share.text, Medium::Screen) {
        Ok(matrix) => matrix,
        Err(reason) => {
            let text = format!("this share has no code: {reason}; Tab shows it as text");
            draw_all(&wrapped(Row::gap(), Tone::Bad, &text, usize::from(area.width)), area, theme, buffer);
            return;
        }
    };
    let (width, height) = Look::SHARE.room_for(matrix.size());
    if area.width >= width && area.height >= height {
        qr_code::draw(&matrix, Look::SHARE, area, buffer);
        return;
    }
    let whole = buffer.area;
    for cell in &mut buffer.content {
        cell.reset();
    }
    let realm = model.room.plan.realm.banner();
    let status = format!(
        " {realm} · share {} of {} · any key hides it, {} s left",
        revealing.share.index,
        revealing.share.count,
        seconds_left(revealing)
    );
    let (line, rest) = (Rect { height: 1.min(whole.height), ..whole }, whole.height.saturating_sub(1));
    Row::of(Tone::Strong, &status).draw(line, theme, buffer);
    qr_code::draw(&matrix, Look::SHARE, Rect { y: whole.y.saturating_add(1), height: rest, ..whole }, buffer);
}
