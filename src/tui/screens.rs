//! One file for each thing that can be on the screen: what it says, what it takes, what its Enter means.
//!
//! Screens are pure. They hold no decisions of the ceremony: what a person answers goes to the machine as it is, and the
//! machine refuses. A screen only keeps back what cannot be an answer yet: an empty field, a sheet with one initial.

pub mod abort;
pub mod choice;
pub mod corrections;
pub mod dice;
pub mod ended;
pub mod exception;
pub mod help;
pub mod initials;
pub mod leave;
pub mod object;
pub mod pause;
pub mod phrase;
pub mod question;
pub mod reveal;
pub mod share;
pub mod sheet;
pub mod sign_off;
pub mod text;
pub mod too_small;

use crate::ceremony::Ask;
use crate::tui::input::Key;
use crate::tui::layout::Page;
use crate::tui::model::{Asking, Done, Model, Overlay, Reply, Room, Stage};
use crate::tui::theme::Tone;
use crate::tui::widgets::field::Field;
use crate::tui::widgets::form::{Form, Step};
use crate::tui::widgets::row::{Row, wrapped};

/// Said instead of taking an answer to what has not been on the screen to its end.
const READ_FIRST: &str = "read to the end first (PgDn)";

/// What became of a key.
pub enum Submitted {
    Stay,
    /// The overlay is closed without an answer.
    Close,
    /// Something to say to the room.
    Tell(String),
    Done(Box<Done>),
}

impl Submitted {
    #[must_use]
    pub fn done(done: Done) -> Self {
        Submitted::Done(Box::new(done))
    }
}

/// The empty field or form for a question.
#[must_use]
pub fn begin(ask: &Ask) -> Reply {
    match ask {
        Ask::Initials { .. } => Reply::Line(initials::begin()),
        Ask::Text { .. } => Reply::Line(text::begin()),
        Ask::Phrase { phrase } => Reply::Line(phrase::begin(phrase)),
        Ask::Choice { .. } => Reply::Line(choice::begin()),
        Ask::Dice { .. } => Reply::Secret(dice::begin()),
        Ask::Share { .. } => Reply::Secret(share::begin()),
        Ask::Object { .. } => Reply::Line(object::begin()),
        Ask::SignOff { .. } => Reply::Form(sign_off::begin()),
        Ask::Sheet { expected, happened, decided } => Reply::Form(sheet::begin(expected, happened, decided)),
    }
}

/// Whether a question is answered by a form.
#[must_use]
pub const fn is_form(ask: &Ask) -> bool {
    matches!(ask, Ask::SignOff { .. } | Ask::Sheet { .. })
}

/// Whether a question needs the whole width of a small terminal: forms, and the ways in with their paths.
#[must_use]
pub const fn wants_width(ask: &Ask) -> bool {
    is_form(ask) || matches!(ask, Ask::Object { .. })
}

/// What is on the screen.
#[must_use]
pub fn page(model: &Model<'_>, width: usize) -> Page {
    let mut page = match (&model.overlay, &model.stage) {
        (Some(Overlay::Help), _) => help::page(model, width),
        (Some(Overlay::Exception(form)), _) => exception::page(&model.room, form, width),
        (Some(Overlay::Pause(form)), _) => pause::page(form, width),
        (Some(Overlay::Abort(form)), _) => abort::page(form, width),
        (Some(Overlay::Leave { typed, .. }), _) => leave::page(typed, width),
        (None, Stage::Ask(asking)) => question::page(model, asking, width),
        (None, Stage::Reveal(revealing)) => reveal::page(model, revealing, width),
        (None, Stage::Corrections(confirming)) => corrections::page(model, confirming, width),
        (None, Stage::Busy(what)) => question::busy(what, width),
        (None, Stage::Ended(ending)) => ended::page(ending, width),
    };
    if let Some(note) = &model.note {
        // Above the field, so that it is the last thing to give way where there is little room.
        let note = wrapped(Row::of(Tone::Notice, "! "), Tone::Notice, note, width);
        page.focus += note.len();
        let at = page.bottom.iter().take_while(|row| row.width() == 0).count();
        page.bottom.splice(at..at, note);
    }
    page
}

/// A key for the field at hand.
pub fn typed(model: &mut Model<'_>, key: Key) -> Submitted {
    let room = model.room;
    match &mut model.overlay {
        Some(Overlay::Help) => return Submitted::Stay,
        Some(Overlay::Exception(form)) => return after(form.key(key), || exception::submit(&room, form)),
        Some(Overlay::Pause(form)) => return after(form.key(key), || pause::submit(&room, form)),
        Some(Overlay::Abort(form)) => return after(form.key(key), || abort::submit(&room, form)),
        Some(Overlay::Leave { typed, .. }) => return line(typed, key, leave::submit),
        None => {}
    }
    let may_answer = model.may_answer();
    match &mut model.stage {
        Stage::Ask(_) if !may_answer => Submitted::Tell(READ_FIRST.to_owned()),
        Stage::Ask(asking) => answered(&room, asking, key),
        Stage::Corrections(confirming) => line(&mut confirming.typed, key, corrections::submit),
        Stage::Reveal(_) | Stage::Busy(_) | Stage::Ended(_) => Submitted::Stay,
    }
}

fn answered(room: &Room<'_>, asking: &mut Asking<'_>, key: Key) -> Submitted {
    match (&asking.prompt.ask, &mut asking.reply) {
        (Ask::Initials { .. }, Reply::Line(field)) => line(field, key, |field| initials::submit(room, field)),
        (Ask::Choice { options }, Reply::Line(field)) => choice::key(options, asking.prompt.grave, field, key),
        (Ask::Phrase { .. }, Reply::Line(field)) => line(field, key, phrase::submit),
        (Ask::Object { .. }, Reply::Line(field)) => line(field, key, |field| object::submit(room.ways_in, field)),
        (_, Reply::Line(field)) => line(field, key, text::submit),
        (Ask::Dice { least }, Reply::Secret(field)) => match key {
            Key::Enter => dice::submit(*least, field),
            key => told(field.key(key)),
        },
        (Ask::Share { purpose, .. }, Reply::Secret(field)) => match key {
            Key::Enter => share::enter(purpose, field),
            key => told(field.key(key)),
        },
        (Ask::SignOff { .. }, Reply::Form(form)) => after(form.key(key), || sign_off::submit(form)),
        (_, Reply::Form(form)) => after(form.key(key), || sheet::submit(room, form)),
        // invariant: `begin` gives secret fields to dice and shares only.
        (_, Reply::Secret(_)) => Submitted::Stay,
    }
}

/// A paste for the field at hand.
///
/// # Errors
/// What to tell the room where it was not taken.
pub fn pasted(model: &mut Model<'_>, text: &str) -> Result<(), String> {
    const NOT_HERE: &str = "pasting is not taken here: type it";
    match &mut model.overlay {
        Some(Overlay::Exception(form) | Overlay::Pause(form) | Overlay::Abort(form)) => return form.paste(text),
        Some(_) => return Err(NOT_HERE.to_owned()),
        None => {}
    }
    if !model.may_answer() {
        return Err(READ_FIRST.to_owned());
    }
    match &mut model.stage {
        Stage::Ask(Asking { reply: Reply::Line(field), .. }) => field.paste(text),
        Stage::Ask(Asking { reply: Reply::Form(form), .. }) => form.paste(text),
        _ => Err(NOT_HERE.to_owned()),
    }
}

/// Enter submits a line that is not empty; every other key is typed into it.
fn line(field: &mut Field, key: Key, submit: impl FnOnce(&Field) -> Submitted) -> Submitted {
    match key {
        Key::Enter if field.is_empty() => Submitted::Stay,
        Key::Enter => submit(field),
        key => told(field.key(key)),
    }
}

fn told(result: Result<(), String>) -> Submitted {
    result.map_or_else(Submitted::Tell, |()| Submitted::Stay)
}

fn after(step: Step, submit: impl FnOnce() -> Submitted) -> Submitted {
    match step {
        Step::Stay => Submitted::Stay,
        Step::Tell(note) => Submitted::Tell(note),
        Step::Submit => submit(),
    }
}

/// The row of a field: `› text▏`.
fn field_rows(field: &Field, width: usize) -> Vec<Row> {
    field.rows(Row::of(Tone::Now, "› "), true, width)
}

/// A form under a title and what it is for.
fn form_page(title: &str, purpose: &[&str], form: &Form, width: usize) -> Page {
    let top = wrapped(Row::gap(), Tone::Strong, title, width);
    let mut lines: Vec<Row> = purpose.iter().flat_map(|text| wrapped(Row::gap(), Tone::Plain, text, width)).collect();
    lines.push(Row::gap());
    let (bottom, focus) = form.rows(width);
    Page { top, lines, bottom, focus }
}
