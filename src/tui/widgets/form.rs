//! Several fields under each other, for sheets, pauses and sign-offs. Enter goes to the next field and only submits from
//! the last; a choice has no default.

use crate::tui::input::Key;
use crate::tui::theme::Tone;
use crate::tui::widgets::field::Field;
use crate::tui::widgets::row::{Row, columns, wrapped};

/// One of two, chosen by a key; nothing is chosen until somebody does.
pub struct Either {
    pub yes: (char, &'static str),
    pub no: (char, &'static str),
    pub chosen: Option<bool>,
}

pub enum Content {
    Text(Field),
    Either(Either),
}

/// Whether a field may be left empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    Needed,
    Optional,
}

pub struct Slot {
    pub label: &'static str,
    pub content: Content,
    pub need: Need,
}

/// What became of a key.
pub enum Step {
    Stay,
    /// All fields are filled and Enter was pressed in the last.
    Submit,
    Tell(String),
}

pub struct Form {
    slots: Vec<Slot>,
    at: usize,
}

impl Form {
    #[must_use]
    pub const fn new(slots: Vec<Slot>) -> Self {
        Self { slots, at: 0 }
    }

    /// The text of a field, by its label; empty where there is none.
    #[must_use]
    pub fn text(&self, label: &str) -> String {
        self.slots
            .iter()
            .filter(|slot| slot.label == label)
            .find_map(|slot| match &slot.content {
                Content::Text(field) => Some(field.text().to_owned()),
                Content::Either(_) => None,
            })
            .unwrap_or_default()
    }

    /// What was chosen in a field, by its label.
    #[must_use]
    pub fn chosen(&self, label: &str) -> Option<bool> {
        self.slots.iter().filter(|slot| slot.label == label).find_map(|slot| match &slot.content {
            Content::Either(either) => either.chosen,
            Content::Text(_) => None,
        })
    }

    /// Whether the field at hand is text and untouched, so that keys like `?` are not meant for it.
    #[must_use]
    pub fn is_untouched(&self) -> bool {
        match self.slots.get(self.at).map(|slot| &slot.content) {
            Some(Content::Text(field)) => field.is_untouched(),
            _ => true,
        }
    }

    pub fn to_next(&mut self) {
        self.at = (self.at + 1).min(self.slots.len().saturating_sub(1));
    }

    pub fn to_previous(&mut self) {
        self.at = self.at.saturating_sub(1);
    }

    /// Takes a key of the field at hand.
    pub fn key(&mut self, key: Key) -> Step {
        if key == Key::Enter {
            return self.enter();
        }
        match self.slots.get_mut(self.at).map(|slot| &mut slot.content) {
            Some(Content::Text(field)) => field.key(key).map_or_else(Step::Tell, |()| Step::Stay),
            Some(Content::Either(either)) => match key {
                Key::Char(c) if c.eq_ignore_ascii_case(&either.yes.0) => {
                    either.chosen = Some(true);
                    Step::Stay
                }
                Key::Char(c) if c.eq_ignore_ascii_case(&either.no.0) => {
                    either.chosen = Some(false);
                    Step::Stay
                }
                Key::Char(_) => Step::Tell(format!("press {} or {}", either.yes.0, either.no.0)),
                Key::Backspace => {
                    either.chosen = None;
                    Step::Stay
                }
                _ => Step::Stay,
            },
            None => Step::Stay,
        }
    }

    /// Takes a paste into the field at hand.
    ///
    /// # Errors
    /// What to tell the room where it was not taken.
    pub fn paste(&mut self, pasted: &str) -> Result<(), String> {
        match self.slots.get_mut(self.at).map(|slot| &mut slot.content) {
            Some(Content::Text(field)) => field.paste(pasted),
            _ => Err("pasting is not taken here: press a key".to_owned()),
        }
    }

    /// Enter does nothing on a field that is empty and must not be; from the last one it submits if none is missing.
    fn enter(&mut self) -> Step {
        if self.slots.get(self.at).is_some_and(is_missing) {
            return Step::Stay;
        }
        let agreed = matches!(
            self.slots.get(self.at).map(|slot| &slot.content),
            Some(Content::Either(Either { chosen: Some(true), .. }))
        );
        if self.at + 1 < self.slots.len() {
            self.at += 1;
            // Whoever agrees goes on to what is needed: initials typed next must not land in a remark. Tab still goes there.
            if agreed {
                while self.slots.get(self.at).is_some_and(|slot| slot.need == Need::Optional)
                    && self.at + 1 < self.slots.len()
                {
                    self.at += 1;
                }
            }
            return Step::Stay;
        }
        match self.slots.iter().position(is_missing) {
            None => Step::Submit,
            Some(missing) => {
                self.at = missing;
                let label = self.slots.get(missing).map_or("", |slot| slot.label);
                Step::Tell(format!("still empty: {label}"))
            }
        }
    }

    /// The rows, and which of them holds the cursor.
    #[must_use]
    pub fn rows(&self, width: usize) -> (Vec<Row>, usize) {
        let label = self.slots.iter().map(|slot| columns(slot.label)).max().unwrap_or(0).min(width / 3);
        let (mut rows, mut focus) = (Vec::new(), 0);
        for (index, slot) in self.slots.iter().enumerate() {
            let at = index == self.at;
            let (glyph, tone) = if at { ("▶ ", Tone::Now) } else { ("  ", Tone::Faint) };
            let mut first = Row::of(tone, glyph).with(tone, slot.label);
            if columns(slot.label) > label {
                rows.extend(wrapped(Row::of(tone, glyph), tone, slot.label, width));
                first = Row::gap();
            }
            let first = first.padded(label + 4);
            match &slot.content {
                Content::Text(field) => rows.extend(field.rows(first, at, width)),
                Content::Either(either) => rows.extend(either.rows(first, width)),
            }
            if at {
                focus = rows.len().saturating_sub(1);
            }
        }
        (rows, focus)
    }
}

impl Either {
    fn rows(&self, first: Row, width: usize) -> Vec<Row> {
        let mark = |on: bool| if on { "(x)" } else { "( )" };
        let text = format!(
            "{} {} {}   {} {} {}",
            mark(self.chosen == Some(true)),
            self.yes.0,
            self.yes.1,
            mark(self.chosen == Some(false)),
            self.no.0,
            self.no.1
        );
        wrapped(first, Tone::Plain, &text, width)
    }
}

fn is_missing(slot: &Slot) -> bool {
    slot.need == Need::Needed
        && match &slot.content {
            Content::Text(field) => field.is_empty(),
            Content::Either(either) => either.chosen.is_none(),
        }
}
