//! The calibration code of a scanner that types: a text with every character frames are made of. What arrives instead of it says which
//! keyboard the computer takes the scanner for.

/// Text of the calibration code: every character of a frame once, in the order of RFC 4648.
pub const TEXT: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// What a line that was typed for the calibration code says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Every character arrives as it is.
    Right,
    /// Only the letters' case is wrong, which frames do not mind.
    LowerCase,
    /// Characters that arrive as others: expected, found.
    Swapped(Vec<(char, char)>),
    /// Another number of characters: some keys give none, or two.
    Lost { expected: usize, found: usize },
}

impl Layout {
    /// What the line says, taken as the calibration code.
    #[must_use]
    pub fn of(line: &str) -> Self {
        let line = line.trim();
        let found = line.chars().count();
        let expected = TEXT.chars().count();
        if found != expected {
            return Self::Lost { expected, found };
        }
        if line == TEXT {
            return Self::Right;
        }
        let pairs = TEXT.chars().zip(line.chars());
        let swapped: Vec<_> = pairs.filter(|(expected, found)| !expected.eq_ignore_ascii_case(found)).collect();
        if swapped.is_empty() { Self::LowerCase } else { Self::Swapped(swapped) }
    }

    /// Whether a line is the calibration code at all, well or badly typed: a third of its characters are where they belong. No frame
    /// looks like that: its first characters would be `ABC`.
    #[must_use]
    pub fn is_calibration(line: &str) -> bool {
        let line = line.trim();
        let right = TEXT.chars().zip(line.chars()).filter(|(one, other)| one.eq_ignore_ascii_case(other)).count();
        line.chars().count() == TEXT.chars().count() && right * 3 >= TEXT.chars().count()
    }

    /// In words, with what to do.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Right => "calibration code: every character arrives as it is".to_owned(),
            Self::LowerCase => {
                "calibration code: letters arrive in the other case, which does not matter; Caps Lock is on?".to_owned()
            }
            Self::Swapped(swapped) => {
                let pairs: Vec<_> =
                    swapped.iter().map(|(expected, found)| format!("{expected} arrives as {found}")).collect();
                let guess = guess(swapped).map_or_else(String::new, |name| format!(" (as on a {name} keyboard)"));
                format!(
                    "calibration code: wrong keyboard layout{guess}: {}; set the scanner and this computer to the same one, US English",
                    pairs.join(", ")
                )
            }
            Self::Lost { expected, found } => {
                format!(
                    "calibration code: expected {expected} characters, found {found}: make the scanner slower (inter-character delay)"
                )
            }
        }
    }
}

fn guess(swapped: &[(char, char)]) -> Option<&'static str> {
    let is = |expected: char, found: char| {
        swapped.iter().any(|(one, other)| one.eq_ignore_ascii_case(&expected) && other.eq_ignore_ascii_case(&found))
    };
    let letters = swapped.iter().filter(|(expected, _)| expected.is_ascii_alphabetic()).count();
    if is('A', 'Q') && is('Z', 'W') {
        Some("French (AZERTY)")
    } else if is('Y', 'Z') && is('Z', 'Y') && letters == 2 {
        Some("German (QWERTZ)")
    } else if is('S', 'O') && is('D', 'E') {
        Some("Dvorak")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calibration_code_holds_every_character_of_a_frame_once() {
        let mut characters: Vec<char> = TEXT.chars().collect();
        characters.sort_unstable();
        characters.dedup();
        assert_eq!(characters.len(), 32);
        assert!(
            TEXT.bytes().all(|octet| data_encoding::BASE32_NOPAD.specification().symbols.as_bytes().contains(&octet))
        );
    }

    #[test]
    fn each_keyboard_is_recognised_by_what_arrives() {
        assert_eq!(Layout::of(TEXT), Layout::Right);
        assert_eq!(Layout::of(&TEXT.to_lowercase()), Layout::LowerCase);
        let german = "ABCDEFGHIJKLMNOPQRSTUVWXZY234567";
        assert_eq!(Layout::of(german), Layout::Swapped(vec![('Y', 'Z'), ('Z', 'Y')]));
        assert!(Layout::of(german).words().contains("German (QWERTZ) keyboard): Y arrives as Z, Z arrives as Y"));
        let french = "QBCDEFGHIJKL?NOPARSTUVZXYWé\"'(-è";
        assert!(Layout::is_calibration(french));
        assert!(Layout::of(french).words().contains("French (AZERTY)"), "{}", Layout::of(french).words());
        assert_eq!(Layout::of("ABCDEF"), Layout::Lost { expected: 32, found: 6 });
    }

    #[test]
    fn a_frame_is_not_taken_for_the_calibration_code() {
        assert!(!Layout::is_calibration("KC1AAAQEAYEAUDAOCAJBIFQYDIOB4IBC"));
        assert!(!Layout::is_calibration("https://example.com/a/b/c/d/e/f/"));
    }
}
