//! The drawing of the showing: the code first, one status line under it, and words about the object where room is left.
//!
//! The words never cost the code anything. What does not fit beside it is on a screen of its own (`i`), never cut.

use crate::tui::across::fit;
use crate::tui::across::show::{Show, Shown};
use crate::tui::take_in::Place;
use crate::tui::theme::{Theme, Tone};
use crate::tui::widgets::qr_code::{self, Modules, Shape};
use crate::tui::widgets::row::{Row, draw_all, wrapped};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Columns the words beside a code take: no fewer, no more.
const LEAST_PANEL: u16 = 26;
const MOST_PANEL: u16 = 46;
/// Words people compare; the status line of a small terminal has room for some of them.
const WORDS: usize = 12;
const FEW_WORDS: usize = 4;

pub fn view(show: &Show, theme: Theme, buffer: &mut Buffer) {
    let area = buffer.area;
    let (body, status) = split(area);
    match show.shown() {
        Shown::TooSmall(width, height) => {
            let needed = format!("too small: {width}x{height} needed, this is {}x{}", area.width, area.height);
            let mut rows = wrapped(Row::gap(), Tone::Strong, &needed, usize::from(area.width));
            let more = "Enlarge the terminal or make its letters smaller. q leaves.";
            rows.extend(wrapped(Row::gap(), Tone::Plain, more, usize::from(area.width)));
            draw_all(&rows, area, theme, buffer);
        }
        Shown::Failed(why) => {
            draw_all(&wrapped(Row::gap(), Tone::Bad, why, usize::from(area.width)), area, theme, buffer);
        }
        _ if show.details => {
            let width = usize::from(area.width);
            let mut rows: Vec<Row> = about(show, width).into_iter().flatten().collect();
            rows.push(Row::gap());
            rows.extend(
                keys(show).into_iter().flat_map(|(key, does)| wrapped(key_row(key), Tone::Plain, &does, width)),
            );
            draw_all(&rows, area, theme, buffer);
        }
        Shown::Single { code, quiet } | Shown::Following { code, quiet, .. } => {
            draw_code(show, code, *quiet, body, status, theme, buffer);
        }
    }
}

fn draw_code(
    show: &Show,
    code: &impl Modules,
    quiet: usize,
    body: Rect,
    status: Rect,
    theme: Theme,
    buffer: &mut Buffer,
) {
    let look = show.look(quiet);
    let (columns, rows) = look.room_for(code.size());
    let (beside, above) = (body.width.saturating_sub(columns), body.height.saturating_sub(rows));
    let mut words_fit = true;
    let place = if beside > LEAST_PANEL {
        let panel = beside.min(MOST_PANEL);
        let place = Rect { width: body.width - panel, ..body };
        let panel = Rect { x: place.right() + 1, width: panel - 1, ..body };
        draw_all(&sections(show, usize::from(panel.width), usize::from(panel.height)), panel, theme, buffer);
        place
    } else {
        let lines = sections(show, usize::from(body.width), usize::from(above));
        let taken = u16::try_from(lines.len()).unwrap_or(above);
        words_fit = taken > 0;
        draw_all(&lines, Rect { height: taken, ..body }, theme, buffer);
        Rect { y: body.y + taken, height: body.height - taken, ..body }
    };
    qr_code::draw(code, look, place, buffer);
    status_line(show, words_fit, usize::from(status.width)).draw(status, theme, buffer);
}

/// The code's part of the terminal, and the status line's.
fn split(area: Rect) -> (Rect, Rect) {
    let height = area.height.saturating_sub(1);
    (Rect { height, ..area }, Rect { y: area.y + height, height: area.height - height, ..area })
}

/// As many whole sections as fit, in order of what people need most.
fn sections(show: &Show, width: usize, height: usize) -> Vec<Row> {
    let mut all = Vec::new();
    for section in about(show, width) {
        let gap = usize::from(!all.is_empty());
        if all.len() + gap + section.len() > height {
            break;
        }
        all.extend((0..gap).map(|_| Row::gap()));
        all.extend(section);
    }
    all
}

/// Everything there is to say, in sections.
fn about(show: &Show, width: usize) -> Vec<Vec<Row>> {
    let subject = &show.subject;
    let text = |tone, text: &str| wrapped(Row::gap(), tone, text, width);
    let realm = if subject.realm.is_rehearsal() { Tone::Rehearsal } else { Tone::Production };
    let mut what = text(realm, subject.realm.banner());
    what.extend(text(Tone::Strong, &format!("{} {}", subject.kind, subject.name)));
    what.extend(text(Tone::Plain, &amount(show)));
    let mut words = text(Tone::Plain, "The other side shows these words when it is whole:");
    for line in subject.digest.words(WORDS).chunks(3) {
        words.push(Row::of(Tone::Strong, &format!("  {}", line.join(" "))));
    }
    let mut now = text(Tone::Strong, &state(show));
    if let Some(faster) = faster(show) {
        now.extend(text(Tone::Plain, &faster));
    }
    vec![what, words, now, text(Tone::Faint, &subject.digest.grouped())]
}

fn amount(show: &Show) -> String {
    let octets = show.subject.octets;
    match (show.shown(), show.sources()) {
        (Shown::Following { .. }, 1) => format!("{octets} octets in 1 code, then repair codes, for ever"),
        (Shown::Following { .. }, codes) => format!("{octets} octets in {codes} codes, then repair codes, for ever"),
        _ => format!("{octets} octets in one code"),
    }
}

fn state(show: &Show) -> String {
    match show.shown() {
        Shown::Following { code, number, .. } => {
            let rate = show.settings.rate;
            let seconds = u64::from(show.sources()).div_ceil(u64::from(rate.max(1)));
            let pace = if show.still {
                "stands still".to_owned()
            } else {
                format!("{rate} a second · all of it in {}", duration(seconds))
            };
            format!("code {} · {pace} · version {}", number.saturating_add(1), code.version)
        }
        Shown::Single { code, .. } => format!("one code that stands still · version {}", code.version),
        Shown::TooSmall(..) | Shown::Failed(_) => String::new(),
    }
}

fn duration(seconds: u64) -> String {
    if seconds < 120 { format!("{seconds} s") } else { format!("{} min", seconds.div_ceil(60)) }
}

fn faster(show: &Show) -> Option<String> {
    let (version, (width, height)) = show.twice_as_fast()?;
    Some(if fit::quiet_for(version, show.settings.shape, show.size).is_some() {
        format!("> up to version {version} would be twice as fast")
    } else {
        format!("a terminal of {width}x{height} would be twice as fast")
    })
}

/// What the keys do now.
fn keys(show: &Show) -> Vec<(&'static str, String)> {
    let mut all = Vec::new();
    let follows = matches!(show.shown(), Shown::Following { .. });
    if follows && !show.still {
        all.push(("+ -", "speed".to_owned()));
    }
    all.push(("< >", "size".to_owned()));
    all.push(("b", format!("brightness {}", show.white())));
    if follows && show.still {
        all.push(("s", "go on".to_owned()));
        all.push(("←→", "step".to_owned()));
    } else if follows {
        all.push(("s", "still".to_owned()));
    }
    let other = match show.settings.shape {
        Shape::Halves => "upper blocks",
        Shape::Uppers => "double width",
        Shape::Wide => "half blocks",
    };
    all.push(("i", if show.details { "the code".to_owned() } else { "details".to_owned() }));
    let leaves = match show.settings.place {
        Place::Alone => "leave",
        // Leaving is something else there.
        Place::Ceremony => "done",
    };
    all.push(("q", leaves.to_owned()));
    all.push(("w", other.to_owned()));
    all
}

fn key_row(key: &str) -> Row {
    Row::of(Tone::Key, &format!(" {key} "))
}

/// One line, of whole pieces only: the keys, or where nothing else of the object is on the screen, the object first.
fn status_line(show: &Show, words_are_up: bool, width: usize) -> Row {
    let mut pieces = Vec::new();
    if !words_are_up {
        if let Shown::Following { number, .. } = show.shown() {
            pieces.push(Row::of(Tone::Strong, &format!(" {}", number.saturating_add(1))));
        }
        pieces.push(Row::of(Tone::Strong, &format!(" {}", show.subject.digest.words(FEW_WORDS).join(" "))));
        pieces.push(key_row("i").with(Tone::Plain, "more"));
        pieces.push(Row::of(Tone::Plain, &format!(" {} {}", show.subject.kind, show.subject.name)));
        pieces.push(Row::of(Tone::Plain, &format!(" {}", amount(show))));
    }
    pieces.extend(keys(show).into_iter().map(|(key, does)| key_row(key).with(Tone::Plain, &does)));
    let mut line = Row::gap();
    for piece in pieces {
        if line.width() + 1 + piece.width() <= width {
            line = if line.width() == 0 { piece } else { line.with(Tone::Plain, " ").then(piece) };
        }
    }
    line
}
