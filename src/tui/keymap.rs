//! Which keys do something now. The hint bar, the help and `update` read the same list, so a key that is shown works
//! and a key that works can be found.

use crate::ceremony::Ask;
use crate::tui::input::Key;
use crate::tui::layout;
use crate::tui::model::{Asking, Model, Overlay, Phase, Reply, Stage};

/// What a key does, apart from typing into a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Goes to the field at hand.
    Type,
    Help,
    Exception,
    Pause,
    Abort,
    Leave,
    Simulate,
    /// A share is taken from the code on its card.
    Scan,
    /// Closes what lies over the question.
    Close,
    NextField,
    PreviousField,
    LineUp,
    LineDown,
    PageUp,
    PageDown,
    ShowText,
    /// Between text and code.
    TurnOver,
    Hide,
    WrittenDown,
    /// The ending has been read.
    Finish,
}

/// How a binding is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    pub key: &'static str,
    pub does: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    pub keys: Vec<Key>,
    pub action: Action,
    pub hint: Option<Hint>,
}

fn shown(keys: &[Key], action: Action, key: &'static str, does: &'static str) -> Binding {
    Binding { keys: keys.to_vec(), action, hint: Some(Hint { key, does }) }
}

fn silent(keys: &[Key], action: Action) -> Binding {
    Binding { keys: keys.to_vec(), action, hint: None }
}

/// Everything that is possible now.
#[must_use]
pub fn bindings(model: &Model<'_>) -> Vec<Binding> {
    match &model.overlay {
        Some(overlay) => of_overlay(model, overlay),
        None => of_stage(model),
    }
}

/// What a key does now.
#[must_use]
pub fn action_for(model: &Model<'_>, key: Key) -> Action {
    bindings(model).into_iter().find(|binding| binding.keys.contains(&key)).map_or(Action::Type, |b| b.action)
}

fn of_stage(model: &Model<'_>) -> Vec<Binding> {
    let mut all = without_scrolling(model);
    if matches!(model.stage, Stage::Ask(_) | Stage::Ended(_)) {
        all.extend(scrolling(model));
    }
    all
}

/// What is possible when nothing lies over the stage, scrolling left out: the help, which lists this, scrolls itself.
#[must_use]
pub fn without_scrolling(model: &Model<'_>) -> Vec<Binding> {
    match &model.stage {
        Stage::Ask(asking) => of_question(model, asking),
        Stage::Reveal(revealing) => of_reveal(model, revealing.phase),
        Stage::Corrections(_) => {
            vec![shown(&[], Action::Type, "Enter", "answer"), shown(&[Key::F(1)], Action::Help, "F1", "help"), leave()]
        }
        Stage::Busy(_) => Vec::new(),
        Stage::Ended(_) => vec![shown(
            &[Key::Enter, Key::Char('q'), Key::Ctrl('c')],
            Action::Finish,
            "q",
            "or Enter: leave the screen",
        )],
    }
}

fn leave() -> Binding {
    shown(&[Key::Ctrl('c')], Action::Leave, "Ctrl-C", "leave")
}

fn of_question(model: &Model<'_>, asking: &Asking<'_>) -> Vec<Binding> {
    let mut all = Vec::new();
    if !model.may_answer() {
        all.push(shown(&[], Action::Type, "PgDn", "read to the end, then answer"));
    } else {
        let does = match asking.prompt.ask {
            Ask::SignOff { .. } | Ask::Sheet { .. } => "next field, then submit",
            Ask::Choice { .. } => "answer (or just the key)",
            _ => "answer",
        };
        all.push(shown(&[], Action::Type, "Enter", does));
        if matches!(asking.prompt.ask, Ask::Share { .. }) {
            all.push(shown(&[Key::F(2)], Action::Scan, "F2", "scan the card"));
        }
        if model.room.is_rehearsal() {
            all.push(shown(&[Key::F(5)], Action::Simulate, "F5", "simulated person answers"));
        }
    }
    let untouched = is_untouched(&asking.reply);
    if matches!(asking.reply, Reply::Form(_)) {
        all.push(silent(&[Key::Tab, Key::Down], Action::NextField));
        all.push(silent(&[Key::BackTab, Key::Up], Action::PreviousField));
    }
    if !matches!(asking.prompt.ask, Ask::Sheet { .. }) {
        all.push(either(untouched, '!', Key::F(10), Action::Exception, ("!", "F10"), "exception"));
    }
    let letter = untouched && model.may_answer() && !could_begin_with_p(model, &asking.prompt.ask);
    all.push(either(letter, 'p', Key::F(8), Action::Pause, ("p", "F8"), "pause"));
    all.push(either(untouched, '?', Key::F(1), Action::Help, ("?", "F1"), "help"));
    all.push(silent(&[Key::F(12)], Action::Abort));
    all.push(leave());
    all
}

/// A function key always, and a character as well while the field at hand is untouched.
fn either(
    character_too: bool,
    character: char,
    key: Key,
    action: Action,
    names: (&'static str, &'static str),
    does: &'static str,
) -> Binding {
    if character_too {
        shown(&[Key::Char(character), key], action, names.0, does)
    } else {
        shown(&[key], action, names.1, does)
    }
}

fn is_untouched(reply: &Reply) -> bool {
    match reply {
        Reply::Line(field) => field.is_untouched(),
        Reply::Secret(field) => field.is_empty(),
        Reply::Form(form) => form.is_untouched(),
    }
}

/// `p` pauses only where no answer can begin with it.
fn could_begin_with_p(model: &Model<'_>, ask: &Ask) -> bool {
    let begins = |text: &str| text.trim_start().to_lowercase().starts_with('p');
    match ask {
        Ask::Initials { .. } => model.room.plan.people.iter().any(|person| begins(&person.initials)),
        Ask::Phrase { phrase } => begins(phrase),
        // Words are typed at a choice, offered ones or not: no letter of them may open something else.
        Ask::Choice { .. } | Ask::Text { .. } | Ask::Object { .. } | Ask::SignOff { .. } | Ask::Sheet { .. } => true,
        Ask::Dice { .. } | Ask::Share { .. } => false,
    }
}

/// The keys always work; they are shown where there is something to scroll.
fn scrolling(model: &Model<'_>) -> Vec<Binding> {
    let page_down = if layout::scrolls(model) {
        shown(&[Key::PageDown], Action::PageDown, "PgUp PgDn", "scroll")
    } else {
        silent(&[Key::PageDown], Action::PageDown)
    };
    let mut all = vec![page_down, silent(&[Key::PageUp], Action::PageUp)];
    // In a form the arrows go from field to field.
    let in_form = matches!(&model.stage, Stage::Ask(asking) if matches!(asking.reply, Reply::Form(_)));
    if !in_form || model.overlay.is_some() {
        all.push(silent(&[Key::Up], Action::LineUp));
        all.push(silent(&[Key::Down], Action::LineDown));
    }
    all
}

fn of_reveal(model: &Model<'_>, phase: Phase) -> Vec<Binding> {
    let mut all = match phase {
        Phase::Covered => vec![shown(&[Key::Char('r'), Key::Char('R')], Action::ShowText, "r", "reveal the share")],
        Phase::Text { .. } => vec![shown(&[Key::Tab], Action::TurnOver, "Tab", "as a QR code")],
        Phase::Code { .. } => vec![shown(&[Key::Tab], Action::TurnOver, "Tab", "as text")],
        Phase::Hidden => vec![
            shown(&[Key::Char('w'), Key::Char('W')], Action::WrittenDown, "w", "it is written down"),
            shown(&[Key::Char('r'), Key::Char('R')], Action::ShowText, "r", "reveal it again"),
        ],
    };
    if model.room.is_rehearsal() {
        all.push(shown(&[Key::F(5)], Action::Simulate, "F5", "simulated person answers"));
    }
    match phase {
        Phase::Text { .. } | Phase::Code { .. } => {
            all.push(silent(&[Key::Ctrl('c')], Action::Leave));
            all.push(shown(&[], Action::Hide, "any other key", "hide"));
        }
        Phase::Covered | Phase::Hidden => {
            all.push(shown(&[Key::Char('?'), Key::F(1)], Action::Help, "?", "help"));
            all.push(leave());
        }
    }
    all
}

fn of_overlay(model: &Model<'_>, overlay: &Overlay) -> Vec<Binding> {
    match overlay {
        Overlay::Help => {
            let mut all = vec![shown(&[Key::Esc, Key::Enter, Key::F(1), Key::Char('q')], Action::Close, "Esc", "back")];
            all.extend(scrolling(model));
            for binding in without_scrolling(model) {
                match binding.action {
                    Action::Exception => all.push(menu('e', Key::F(10), binding.action, "e", "exception")),
                    Action::Pause => all.push(menu('p', Key::F(8), binding.action, "p", "pause")),
                    Action::Abort => all.push(menu('a', Key::F(12), binding.action, "a", "abort")),
                    Action::Leave => all.push(menu('l', Key::Ctrl('c'), binding.action, "l", "leave")),
                    _ => {}
                }
            }
            all
        }
        Overlay::Exception(_) | Overlay::Pause(_) | Overlay::Abort(_) => vec![
            shown(&[], Action::Type, "Enter", "next field, then submit"),
            shown(&[Key::Tab, Key::Down], Action::NextField, "Tab", "next field"),
            silent(&[Key::BackTab, Key::Up], Action::PreviousField),
            shown(&[Key::Esc], Action::Close, "Esc", "back to the question"),
            leave(),
        ],
        Overlay::Leave { .. } => vec![
            shown(&[], Action::Type, "Enter", "leave, once `leave` is typed"),
            shown(&[Key::Esc], Action::Close, "Esc", "stay"),
            silent(&[Key::Ctrl('c')], Action::Hide),
        ],
    }
}

fn menu(character: char, key: Key, action: Action, name: &'static str, does: &'static str) -> Binding {
    shown(&[Key::Char(character), key], action, name, does)
}
