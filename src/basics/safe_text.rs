//! Text from outside, made visible: control characters, bidirectional controls and zero-width characters are shown as
//! `<U+202E>`, so that what a person reads is what is there. Nothing foreign reaches a screen, log or page otherwise.

use serde::Serialize;

/// Text that is safe to draw: every character has a width and no character changes the direction of another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct SafeText(String);

impl SafeText {
    /// Makes every dangerous character visible. Line breaks are dangerous too: one value is one line.
    #[must_use]
    pub fn of(foreign: &str) -> Self {
        Self::cut(foreign, crate::basics::limits::SAFE_TEXT_CHARS)
    }

    /// As [`SafeText::of`], keeping at most `most` characters of the source; what was left out is said, never silent.
    #[must_use]
    pub fn cut(foreign: &str, most: usize) -> Self {
        let mut shown = String::with_capacity(foreign.len().min(most));
        for (index, character) in foreign.chars().enumerate() {
            if index >= most {
                shown.push_str(&format!("<{} more characters>", foreign.chars().count() - most));
                break;
            }
            if is_dangerous(character) {
                shown.push_str(&format!("<U+{:04X}>", u32::from(character)));
            } else {
                shown.push(character);
            }
        }
        Self(shown)
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether a character could hide, reorder or erase what is around it.
#[must_use]
pub fn is_dangerous(character: char) -> bool {
    character.is_control()
        || matches!(u32::from(character),
            0x00AD | 0x034F | 0x061C | 0x115F..=0x1160 | 0x17B4..=0x17B5 | 0x180B..=0x180F | 0x200B..=0x200F
            | 0x2028..=0x202E | 0x2060..=0x206F | 0x3164 | 0xFE00..=0xFE0F | 0xFEFF | 0xFFA0 | 0xFFF0..=0xFFFB
            | 0xE0000..=0xE0FFF)
}

/// Whether a character is one people see: letters, marks, digits, punctuation, symbols and the ASCII space, as Unicode
/// has them (Python's `isprintable`).
#[must_use]
pub fn is_printable(character: char) -> bool {
    match character {
        ' '..='~' => true,
        '\0'..='\u{a0}' => false,
        // The debug form spells out exactly what is not printable; a letter before it keeps combining marks as they are.
        other => !['a', other].iter().collect::<String>().escape_debug().any(|c| c == '\\'),
    }
}

/// Foreign names as every verifier spells them: what cannot be seen as `\u{202e}`, at most `most` characters.
#[must_use]
pub fn spelled(foreign: &str, most: usize) -> String {
    let blank = |c: char| {
        matches!(u32::from(c), 0x034F | 0x115F..=0x1160 | 0x17B4..=0x17B5 | 0x180B..=0x180F | 0x2800 | 0x3164
            | 0xFE00..=0xFE0F | 0xFFA0 | 0xE0100..=0xE01EF)
    };
    let mut shown = String::new();
    for character in foreign.chars().take(most) {
        if is_printable(character) && !blank(character) {
            shown.push(character);
        } else {
            shown.push_str(&format!("\\u{{{:04x}}}", u32::from(character)));
        }
    }
    if foreign.chars().nth(most).is_some() {
        shown.push_str("...");
    }
    shown
}

impl std::fmt::Display for SafeText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for SafeText {
    fn from(foreign: &str) -> Self {
        Self::of(foreign)
    }
}
