//! What every question has in common: who acts, what to do, what the script says aloud, what is shown, the field, why
//! the last answer was not taken, what comes next.

use crate::ceremony::{Ask, Line};
use crate::tui::layout::{self, Page};
use crate::tui::model::{Asking, Model, Reply};
use crate::tui::screens::{choice, dice, initials, object, phrase, share, text};
use crate::tui::theme::Tone;
use crate::tui::widgets::row::{Row, labelled, value_column, wrapped};

/// Columns from which a digest's hexadecimal and its words stand side by side.
const SIDE_BY_SIDE: usize = 100;

#[must_use]
pub fn page(model: &Model<'_>, asking: &Asking<'_>, width: usize) -> Page {
    let prompt = asking.prompt;
    let mut top = acts(model, &prompt.who, width);
    top.extend(wrapped(Row::gap(), Tone::Strong, &prompt.title, width));
    top.push(Row::gap());

    let mut lines = Vec::new();
    if layout::says_above(model) {
        let aloud = layout::said_aloud(model, width);
        if !aloud.is_empty() {
            lines.extend(aloud);
            lines.push(Row::gap());
        }
    }
    let others = prompt.lines.iter().filter(|line| !layout::is_what_is_said(model, line));
    lines.extend(others.flat_map(|line| line_rows(line, width)));

    let mut bottom = vec![Row::gap()];
    if matches!(prompt.ask, Ask::Object { .. }) {
        // Above the refusal: where there is little room, what was not taken and the field stay in sight.
        bottom.extend(object::ways(model.room.ways_in, width));
    }
    if let Some(refusal) = &prompt.refusal {
        bottom.extend(wrapped(Row::of(Tone::Bad, "✗ "), Tone::Bad, &format!("not taken: {refusal}"), width));
    }
    let (field, focus) = reply_rows(model, asking, width);
    let focus = bottom.len() + focus;
    bottom.extend(field);
    if !prompt.next.is_empty() {
        bottom.extend(wrapped(Row::of(Tone::Faint, "next: "), Tone::Faint, &prompt.next, width));
    }
    Page { top, lines, bottom, focus }
}

/// The first rows of every screen that somebody answers: who it is, and in which role.
pub(super) fn acts(model: &Model<'_>, who: &str, width: usize) -> Vec<Row> {
    let Some(name) = model.acting() else { return Vec::new() };
    wrapped(Row::of(Tone::Now, "▶ "), Tone::Now, &format!("{name}{}", role(model, who)), width)
}

/// The field of a question, and which of its rows has the cursor.
fn reply_rows(model: &Model<'_>, asking: &Asking<'_>, width: usize) -> (Vec<Row>, usize) {
    let rows = match (&asking.prompt.ask, &asking.reply) {
        (_, Reply::Form(form)) => return form.rows(width),
        (Ask::Initials { person }, Reply::Line(field)) => initials::rows(&model.room, person, field, width),
        (Ask::Text { label, example }, Reply::Line(field)) => text::rows(label, example, field, width),
        (Ask::Phrase { phrase }, Reply::Line(field)) => phrase::rows(phrase, field, width),
        (Ask::Choice { options }, Reply::Line(field)) => choice::rows(options, field, width),
        (Ask::Object { .. }, Reply::Line(field)) => object::rows(field, width),
        (Ask::Dice { least }, Reply::Secret(field)) => dice::rows(*least, field, width),
        (Ask::Share { purpose, .. }, Reply::Secret(field)) => share::rows(purpose, field, width),
        // invariant: `screens::begin` gives every question the reply of its kind.
        (_, Reply::Line(_) | Reply::Secret(_)) => Vec::new(),
    };
    let focus = rows.len().saturating_sub(1);
    (rows, focus)
}

/// In which role somebody acts: the step's where it is theirs, else all they hold.
fn role(model: &Model<'_>, who: &str) -> String {
    let role = match model.room.step() {
        Some(step) if step.who == who => step.role.clone(),
        _ => model.room.plan.person(who).map(|person| person.roles.join(", ")).unwrap_or_default(),
    };
    if role.is_empty() { role } else { format!(" · {role}") }
}

/// One line of a prompt; nothing of it is ever cut.
fn line_rows(line: &Line, width: usize) -> Vec<Row> {
    match line {
        Line::Text { text } => wrapped(Row::gap(), Tone::Plain, text.as_str(), width),
        Line::Value { label, value } => labelled(label, Tone::Strong, value.as_str(), width),
        Line::Good { text } => wrapped(Row::of(Tone::Good, "✓ "), Tone::Plain, text.as_str(), width),
        Line::Bad { text } => wrapped(Row::of(Tone::Bad, "✗ "), Tone::Bad, text.as_str(), width),
        Line::Gap => vec![Row::gap()],
        Line::Digest { label, digest, words } if width >= SIDE_BY_SIDE => {
            let half = width / 2;
            let words = labelled(label, Tone::Strong, words, half.saturating_sub(2));
            let hex = wrapped(Row::gap(), Tone::Plain, &digest.grouped(), width - half);
            side_by_side(words, hex, half)
        }
        Line::Digest { label, digest, words } => {
            // Both in one column, also under a label that is too long to stand beside them.
            let mut rows = labelled(label, Tone::Strong, words, width);
            let column = value_column(label, width);
            rows.extend(wrapped(Row::of(Tone::Plain, &" ".repeat(column)), Tone::Plain, &digest.grouped(), width));
            rows
        }
    }
}

fn side_by_side(left: Vec<Row>, right: Vec<Row>, column: usize) -> Vec<Row> {
    let (mut left, mut right) = (left.into_iter(), right.into_iter());
    let mut rows = Vec::new();
    loop {
        match (left.next(), right.next()) {
            (None, None) => return rows,
            (a, b) => rows.push(a.unwrap_or_default().padded(column).then(b.unwrap_or_default())),
        }
    }
}

/// Something is being done that needs nobody.
#[must_use]
pub fn busy(what: &str, width: usize) -> Page {
    let mut lines = wrapped(Row::of(Tone::Now, "▶ "), Tone::Strong, &format!("The machine's work now: {what}"), width);
    lines.push(Row::gap());
    lines.extend(wrapped(
        Row::gap(),
        Tone::Plain,
        "Nobody types anything; the next question follows by itself.",
        width,
    ));
    Page { top: vec![Row::gap()], lines, bottom: Vec::new(), focus: 0 }
}
