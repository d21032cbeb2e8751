//! Takes one message. Pure: time, keys and sizes are in the message; what came of it is in the model and in `Done`.

use crate::ceremony::Ask;
use crate::ceremony::event::Answer;
use crate::runner::front_end::{Given, Seen};
use crate::tui::input::{Input, Key};
use crate::tui::keymap::{self, Action};
use crate::tui::layout;
use crate::tui::model::{
    Done, Happening, Leaving, Message, Model, Overlay, Phase, REVEAL_MILLISECONDS, Reply, Stage,
    TYPE_AHEAD_MILLISECONDS,
};
use crate::tui::screens::{self, Submitted};

/// The next model, and what ended the screen where something did.
#[must_use]
pub fn update<'a>(mut model: Model<'a>, message: Message) -> (Model<'a>, Option<Done>) {
    model.clock = message.clock;
    cover_in_time(&mut model, message.at);
    let done = match message.what {
        Happening::Drawn => {
            drawn(&mut model, message.at);
            None
        }
        Happening::Input(input) => taken(&mut model, message.at, input),
    };
    (model, done)
}

fn taken(model: &mut Model<'_>, at: u64, input: Input) -> Option<Done> {
    match input {
        Input::Tick => None,
        Input::Resize { width, height } => {
            (model.width, model.height) = (width, height);
            if model.is_too_small() {
                hide(model);
            }
            None
        }
        Input::Signal(signal) => {
            hide(model);
            Some(Done::Leave(Leaving::Outside(signal.why().to_owned())))
        }
        Input::Lost(why) => {
            hide(model);
            Some(Done::Leave(Leaving::Outside(why)))
        }
        Input::Paste(_) if model.is_too_small() => None,
        Input::Paste(_) if too_early(model, at) => None,
        Input::Paste(text) => {
            model.note = screens::pasted(model, &text).err();
            None
        }
        Input::Key(_) if model.is_too_small() => None,
        Input::Key(_) if too_early(model, at) => None,
        Input::Key(key) => {
            model.note = None;
            act(model, at, key)
        }
    }
}

/// Keys typed before a grave screen could be read are dropped, and the screen says so.
fn too_early(model: &mut Model<'_>, at: u64) -> bool {
    let early = model.is_guarded()
        && model.reading.first_drawn.is_none_or(|drawn| at < drawn.saturating_add(TYPE_AHEAD_MILLISECONDS));
    if early {
        model.note = Some("earlier keys were dropped".to_owned());
    }
    early
}

/// After the model has been drawn: what is on the screen now has been seen.
fn drawn(model: &mut Model<'_>, at: u64) {
    if model.is_too_small() {
        return;
    }
    model.reading.first_drawn.get_or_insert(at);
    if model.overlay.is_none() && !layout::shows_code(model) {
        let (page, fit, _) = layout::page(model);
        model.reading.end_seen |= fit.from + fit.window >= page.lines.len();
    }
}

/// A share that has been on the screen for a minute is covered again.
fn cover_in_time(model: &mut Model<'_>, at: u64) {
    let Stage::Reveal(revealing) = &mut model.stage else { return };
    revealing.at = at;
    if let Phase::Text { since } | Phase::Code { since } = revealing.phase
        && at >= since.saturating_add(REVEAL_MILLISECONDS)
    {
        revealing.phase = Phase::Hidden;
    }
}

fn hide(model: &mut Model<'_>) {
    if let Stage::Reveal(revealing) = &mut model.stage
        && matches!(revealing.phase, Phase::Text { .. } | Phase::Code { .. })
    {
        revealing.phase = Phase::Hidden;
    }
}

fn act(model: &mut Model<'_>, at: u64, key: Key) -> Option<Done> {
    match keymap::action_for(model, key) {
        Action::Type => return typed(model, key),
        Action::Simulate => return simulate(model),
        Action::Scan => return scan(&*model),
        Action::WrittenDown => return written_down(model),
        Action::Finish => return Some(Done::Read),
        Action::ShowText => show_text(model, at),
        Action::TurnOver => turn_over(model),
        Action::Hide => hide(model),
        Action::Help => open(model, Overlay::Help),
        Action::Exception => open(model, screens::exception::begin(&model.room)),
        Action::Pause => open(model, screens::pause::begin()),
        Action::Abort => open(model, screens::abort::begin(&model.room)),
        Action::Leave => {
            hide(model);
            let under = model.overlay.take().map(Box::new);
            open(model, screens::leave::begin(under));
        }
        Action::Close => close(model),
        Action::NextField => with_form(model, crate::tui::widgets::form::Form::to_next),
        Action::PreviousField => with_form(model, crate::tui::widgets::form::Form::to_previous),
        Action::LineUp => scroll(model, |offset, _| offset.saturating_sub(1)),
        Action::LineDown => scroll(model, |offset, _| offset + 1),
        Action::PageUp => scroll(model, |offset, window| offset.saturating_sub(window.saturating_sub(1).max(1))),
        Action::PageDown => scroll(model, |offset, window| offset + window.saturating_sub(1).max(1)),
    }
    None
}

fn typed(model: &mut Model<'_>, key: Key) -> Option<Done> {
    // While a share is shown every key that does nothing else hides it.
    if model.overlay.is_none() && matches!(model.stage, Stage::Reveal(_)) {
        hide(model);
        return None;
    }
    match screens::typed(model, key) {
        Submitted::Stay => None,
        Submitted::Close => {
            close(model);
            None
        }
        Submitted::Tell(note) => {
            model.note = Some(note);
            None
        }
        Submitted::Done(done) => Some(*done),
    }
}

fn scan(model: &Model<'_>) -> Option<Done> {
    matches!(&model.stage, Stage::Ask(asking) if matches!(asking.prompt.ask, Ask::Share { .. }))
        .then_some(Done::Given(Given::Scan))
}

fn simulate(model: &mut Model<'_>) -> Option<Done> {
    // Held twice: the keymap offers it in rehearsals only, and here it works in rehearsals only.
    if !model.room.is_rehearsal() {
        return None;
    }
    hide(model);
    match &model.stage {
        Stage::Ask(_) => Some(Done::Given(Given::Simulate)),
        Stage::Reveal(_) => Some(Done::Seen(Seen::Simulated)),
        Stage::Corrections(_) | Stage::Busy(_) | Stage::Ended(_) => None,
    }
}

fn written_down(model: &Model<'_>) -> Option<Done> {
    let Stage::Reveal(revealing) = &model.stage else { return None };
    match (revealing.saw_text, revealing.saw_code) {
        (true, true) => Some(Done::Seen(Seen::Both)),
        (false, true) => Some(Done::Seen(Seen::Code)),
        (true, false) => Some(Done::Seen(Seen::Text)),
        (false, false) => None,
    }
}

fn show_text(model: &mut Model<'_>, at: u64) {
    if let Stage::Reveal(revealing) = &mut model.stage {
        revealing.phase = Phase::Text { since: at };
        revealing.saw_text = true;
    }
}

/// Turning over does not give a share more time.
fn turn_over(model: &mut Model<'_>) {
    if let Stage::Reveal(revealing) = &mut model.stage {
        match revealing.phase {
            Phase::Text { since } => {
                revealing.phase = Phase::Code { since };
                revealing.saw_code = true;
            }
            Phase::Code { since } => revealing.phase = Phase::Text { since },
            Phase::Covered | Phase::Hidden => {}
        }
    }
}

fn open(model: &mut Model<'_>, overlay: Overlay) {
    model.overlay = Some(overlay);
    model.overlay_offset = 0;
}

fn close(model: &mut Model<'_>) {
    model.overlay = match model.overlay.take() {
        Some(Overlay::Leave { under: Some(under), .. }) => Some(*under),
        _ => None,
    };
    model.overlay_offset = 0;
}

fn with_form(model: &mut Model<'_>, turn: impl FnOnce(&mut crate::tui::widgets::form::Form)) {
    match &mut model.overlay {
        Some(Overlay::Exception(form) | Overlay::Pause(form) | Overlay::Abort(form)) => turn(form),
        Some(Overlay::Help | Overlay::Leave { .. }) => {}
        None => {
            if let Stage::Ask(asking) = &mut model.stage
                && let Reply::Form(form) = &mut asking.reply
            {
                turn(form);
            }
        }
    }
}

fn scroll(model: &mut Model<'_>, to: impl FnOnce(usize, usize) -> usize) {
    let (page, fit, _) = layout::page(model);
    let last = page.lines.len().saturating_sub(fit.window);
    let offset = to(fit.from, fit.window).min(last);
    if model.overlay.is_some() {
        model.overlay_offset = offset;
    } else {
        model.reading.offset = offset;
    }
}

/// The answer that leaves, as the record keeps it.
#[must_use]
pub fn leaving(why: &str) -> Given {
    Given::Answer(Answer::Leave { why: why.to_owned() })
}
