//! A field for dice and shares: fixed capacity, typed at its end only, overwritten when it is taken or dropped. It has
//! no cursor to move, no undo and no paste, so no second copy of what was typed is ever made here.
//!
//! What lies below cannot be overwritten from here: crossterm's input buffer and the terminal itself.

use crate::basics::Secret;
use crate::tui::input::Key;

/// What may be typed into a secret field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alphabet {
    /// Digits 1 to 6.
    Dice,
    /// Letters and digits, kept as capitals, and `?` for what cannot be read on the card.
    Share,
}

pub struct SecretField {
    typed: Secret,
    alphabet: Alphabet,
    most: usize,
}

impl SecretField {
    #[must_use]
    pub fn new(most: usize, alphabet: Alphabet) -> Self {
        Self { typed: Secret::with_capacity(most), alphabet, most }
    }

    #[must_use]
    pub const fn len(&self) -> usize {
        self.typed.len()
    }

    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.typed.is_empty()
    }

    /// What was typed, for the one screen that shows it and for sending it on.
    #[must_use]
    pub const fn typed(&self) -> &Secret {
        &self.typed
    }

    /// Moves what was typed out; the field is empty afterwards.
    #[must_use]
    pub fn take(&mut self) -> Secret {
        std::mem::replace(&mut self.typed, Secret::with_capacity(self.most))
    }

    /// Overwrites what was typed.
    pub fn clear(&mut self) {
        self.typed.clear();
    }

    /// Takes an editing key. Spaces and dashes are how people read groups aloud: they are passed over.
    ///
    /// # Errors
    /// What to tell the room; never what was typed.
    pub fn key(&mut self, key: Key) -> Result<(), String> {
        match key {
            Key::Char(' ' | '-') => Ok(()),
            Key::Char(character) => {
                let octet = self.octet(character)?;
                if self.typed.push(octet) {
                    Ok(())
                } else {
                    Err(format!("the field is full: at most {} characters", self.most))
                }
            }
            Key::Backspace => {
                self.typed.pop();
                Ok(())
            }
            Key::Ctrl('u') => {
                self.typed.clear();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn octet(&self, character: char) -> Result<u8, String> {
        match (self.alphabet, character) {
            (Alphabet::Dice, '1'..='6') | (Alphabet::Share, '?') => u8::try_from(character).map_err(|_| String::new()),
            (Alphabet::Share, c) if c.is_ascii_alphanumeric() => {
                u8::try_from(c.to_ascii_uppercase()).map_err(|_| String::new())
            }
            (Alphabet::Dice, _) => Err("expected digits 1 to 6; another key was passed over".to_owned()),
            (Alphabet::Share, _) => {
                Err("expected letters and digits, or ? for one you cannot read; another key was passed over".to_owned())
            }
        }
    }
}
