//! Fields to type into, and what comes of them. A secret is typed into a `Secret` of fixed size and nowhere else.

use crate::basics::{Secret, limits};

/// What kind of text a field takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taking {
    /// Plain text; paste is taken.
    Text,
    /// Typed by hand only.
    Guarded,
    /// Secret: only the count is shown.
    Dice,
    /// Secret: shown in groups of four while its custodian types.
    Share,
}

/// One field.
pub struct Field {
    pub label: String,
    pub taking: Taking,
    pub value: String,
    pub secret: Secret,
}

impl Field {
    #[must_use]
    pub fn text(label: &str, value: &str) -> Self {
        Self::of(label, Taking::Text, value)
    }

    #[must_use]
    pub fn guarded(label: &str) -> Self {
        Self::of(label, Taking::Guarded, "")
    }

    #[must_use]
    pub fn dice(label: &str) -> Self {
        Self::of(label, Taking::Dice, "")
    }

    #[must_use]
    pub fn share(label: &str) -> Self {
        Self::of(label, Taking::Share, "")
    }

    fn of(label: &str, taking: Taking, value: &str) -> Self {
        let capacity = if matches!(taking, Taking::Dice | Taking::Share) { limits::SECRET_CHARS } else { 0 };
        Self { label: label.to_owned(), taking, value: value.to_owned(), secret: Secret::with_capacity(capacity) }
    }

    #[must_use]
    pub const fn is_secret(&self) -> bool {
        matches!(self.taking, Taking::Dice | Taking::Share)
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        if self.is_secret() { self.secret.is_empty() } else { self.value.is_empty() }
    }

    pub fn push(&mut self, character: char) {
        if self.is_secret() {
            if let Ok(octet) = u8::try_from(character) {
                self.secret.push(octet);
            }
        } else if self.value.chars().count() < limits::TYPED_CHARS && !crate::basics::safe_text::is_dangerous(character)
        {
            self.value.push(character);
        }
    }

    pub fn pop(&mut self) {
        self.secret.pop();
        self.value.pop();
    }
}

/// How a form ended.
pub enum Outcome {
    Submitted,
    Secret(Secret),
    /// Esc.
    Closed,
    Simulate,
    /// `!`, `p`, `a` or `q`, pressed while nothing was typed, or by its function key.
    Command(char),
    /// A signal, or the terminal is gone.
    Left(String),
}

/// Fields, which of them is typed into, and what was last said about them.
pub struct Form {
    pub fields: Vec<Field>,
    pub at: usize,
    pub note: String,
    /// Lines of the prompt scrolled away.
    pub offset: usize,
}

impl Form {
    #[must_use]
    pub const fn new(fields: Vec<Field>) -> Self {
        Self { fields, at: 0, note: String::new(), offset: 0 }
    }

    #[must_use]
    pub fn noting(mut self, note: &str) -> Self {
        note.clone_into(&mut self.note);
        self
    }

    pub fn field(&mut self) -> Option<&mut Field> {
        self.fields.get_mut(self.at)
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fields.get(self.at).is_none_or(Field::is_empty)
    }

    /// Pasted text goes into plain text fields only.
    pub fn paste(&mut self, text: &str) {
        match self.fields.get_mut(self.at) {
            Some(field) if field.taking == Taking::Text => text.chars().for_each(|c| field.push(c)),
            _ => "nothing is pasted here: type it by hand".clone_into(&mut self.note),
        }
    }

    /// Enter: the next field, or the end; an empty answer is none, but a remark may stay empty.
    pub fn enter(&mut self) -> Option<Outcome> {
        let last = self.at + 1 >= self.fields.len();
        let field = self.fields.get_mut(self.at)?;
        let may_be_empty = field.taking == Taking::Text && last && self.at > 0;
        if field.is_empty() && !may_be_empty {
            return None;
        }
        if field.is_secret() {
            let secret = std::mem::replace(&mut field.secret, Secret::with_capacity(0));
            return Some(Outcome::Secret(secret));
        }
        if last {
            return Some(Outcome::Submitted);
        }
        self.at += 1;
        None
    }
}
