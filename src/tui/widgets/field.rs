//! A field of plain text: nothing typed here is secret. Bounded, edited with a cursor, no undo and no yank buffer.

use crate::tui::input::Key;
use crate::tui::theme::Tone;
use crate::tui::widgets::row::{Row, wrapped};

/// Whether a field takes what a terminal pastes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paste {
    Taken,
    /// Initials and phrases are typed, so that somebody has read them.
    Refused,
}

/// One line of text.
pub struct Field {
    text: String,
    /// Characters before the cursor.
    cursor: usize,
    most: usize,
    paste: Paste,
}

impl Field {
    /// An empty field for at most `most` characters.
    #[must_use]
    pub const fn new(most: usize, paste: Paste) -> Self {
        Self { text: String::new(), cursor: 0, most, paste }
    }

    /// A field that begins with a text; it is not cut, and can only get shorter where it is too long.
    #[must_use]
    pub fn filled(text: &str, most: usize, paste: Paste) -> Self {
        Self { text: text.to_owned(), cursor: text.chars().count(), most, paste }
    }

    #[must_use]
    pub fn text(&self) -> &str {
        self.text.trim()
    }

    /// Whether nothing at all stands in it, spaces included.
    #[must_use]
    pub const fn is_untouched(&self) -> bool {
        self.text.is_empty()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text().is_empty()
    }

    /// Takes an editing key.
    ///
    /// # Errors
    /// What to tell the room where the key could not be taken.
    pub fn key(&mut self, key: Key) -> Result<(), String> {
        let length = self.length();
        match key {
            Key::Char(_) if length >= self.most => return Err(self.full()),
            Key::Char(character) => {
                let at = self.octet(self.cursor);
                self.text.insert(at, character);
                self.cursor += 1;
            }
            Key::Backspace if self.cursor > 0 => {
                self.cursor -= 1;
                self.remove(self.cursor);
            }
            Key::Delete if self.cursor < length => self.remove(self.cursor),
            Key::Left => self.cursor = self.cursor.saturating_sub(1),
            Key::Right => self.cursor = (self.cursor + 1).min(length),
            Key::Home => self.cursor = 0,
            Key::End => self.cursor = length,
            Key::Ctrl('u') => {
                self.text.clear();
                self.cursor = 0;
            }
            _ => {}
        }
        Ok(())
    }

    /// Takes a paste whole or not at all. Line breaks and tabs become spaces.
    ///
    /// # Errors
    /// What to tell the room where it was not taken.
    pub fn paste(&mut self, pasted: &str) -> Result<(), String> {
        if self.paste == Paste::Refused {
            return Err("pasting is not taken here: type it".to_owned());
        }
        let wanted: Vec<char> = pasted
            .trim()
            .chars()
            .map(|c| if c.is_whitespace() { ' ' } else { c })
            .filter(|c| !c.is_control())
            .collect();
        if self.length() + wanted.len() > self.most {
            return Err(format!("nothing was pasted: expected at most {} characters in all", self.most));
        }
        for character in wanted {
            let at = self.octet(self.cursor);
            self.text.insert(at, character);
            self.cursor += 1;
        }
        Ok(())
    }

    /// The text with its cursor, on as many rows as it needs.
    #[must_use]
    pub fn rows(&self, first: Row, focused: bool, width: usize) -> Vec<Row> {
        if !focused {
            return wrapped(first, Tone::Plain, &self.text, width);
        }
        let at = self.octet(self.cursor);
        let (before, after) = self.text.split_at(at);
        wrapped(first, Tone::Now, &format!("{before}▏{after}"), width)
    }

    fn full(&self) -> String {
        format!("the field is full: at most {} characters", self.most)
    }

    fn length(&self) -> usize {
        self.text.chars().count()
    }

    /// The octet at which a character begins.
    fn octet(&self, character: usize) -> usize {
        self.text.char_indices().nth(character).map_or(self.text.len(), |(at, _)| at)
    }

    fn remove(&mut self, character: usize) {
        let at = self.octet(character);
        if at < self.text.len() {
            self.text.remove(at);
        }
    }
}
