//! Reading what a person typed or a scanner sent: case, spaces, dashes and line breaks do not matter, everything else
//! does, and what cannot be a share is refused with the place where it stands on the card.
//!
//! It never repairs. Only `share` calls it. Errors name places and foreign characters, never characters of a share:
//! errors are recorded, shares are not.

use super::checksum::{self, DATA, PREFIX, TEXT};
use super::correction::BOUND;
use crate::basics::{Realm, SafeText, Secret};
use zeroize::Zeroizing;

/// Characters in a group on a card.
pub(super) const GROUP: usize = 4;
/// Groups on a line of a card.
pub(super) const GROUPS: usize = 5;
const LINE: usize = GROUP * GROUPS;
/// Lines of a card.
pub(super) const LINES: usize = 4;

/// Where on a card: line and group, both from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub line: usize,
    pub group: usize,
}

impl Place {
    /// The place of the character `position`, from 0, of the text without spaces.
    #[must_use]
    pub const fn of(position: usize) -> Self {
        Self { line: position / LINE + 1, group: position % LINE / GROUP + 1 }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}, group {}", self.line, self.group)
    }
}

/// Why a text is not a share.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShareError {
    #[error("line 1, group 1: expected a share to begin with KS1 (production) or KR1 (rehearsal)")]
    Prefix,
    #[error("{place}: '{found}' is not in the share alphabet{}", meant(*.suggestion))]
    Alphabet { place: Place, found: SafeText, suggestion: Option<char> },
    #[error("line {line}: expected {LINE} characters, found {found}")]
    LineLength { line: usize, found: usize },
    #[error("expected a share of {TEXT} characters, found {found}")]
    Length { found: usize },
    #[error("expected at most {BOUND} unreadable characters, found {found}")]
    Unreadable { found: usize },
    #[error("the share is damaged: its checksum does not hold, and more than 4 characters are wrong")]
    Damaged,
}

fn meant(suggestion: Option<char>) -> String {
    suggestion.map(|character| format!(", did you mean {character}")).unwrap_or_default()
}

/// A text that has the shape of a share.
pub(super) struct Typed {
    pub(super) realm: Realm,
    /// All characters, upper case, `?` where unreadable.
    pub(super) characters: Secret,
    /// The symbols after the prefix; zero where unreadable.
    pub(super) data: Zeroizing<Vec<u8>>,
    /// Places in `data` of unreadable characters.
    pub(super) unreadable: Vec<usize>,
}

/// Reads a text.
pub(super) fn read(text: &str) -> Result<Typed, ShareError> {
    let mut characters = Secret::with_capacity(TEXT);
    let mut data = Zeroizing::new(Vec::with_capacity(DATA));
    let mut unreadable = Vec::new();
    for (position, character) in significant(text).enumerate().take(TEXT) {
        // invariant: both buffers have room for TEXT characters, so neither grows and leaves a copy behind.
        characters.push(u8::try_from(character).unwrap_or(b'?'));
        if position < PREFIX {
            continue;
        }
        match (character, checksum::symbol(character)) {
            (_, Some(symbol)) => data.push(symbol),
            ('?', None) => {
                unreadable.push(data.len());
                data.push(0);
            }
            (_, None) => {
                realm_of(&characters)?;
                return Err(foreign(position, character));
            }
        }
    }
    let realm = realm_of(&characters)?;
    lengths(text)?;
    if unreadable.len() > BOUND {
        return Err(ShareError::Unreadable { found: unreadable.len() });
    }
    Ok(Typed { realm, characters, data, unreadable })
}

/// The characters that count, in upper case.
fn significant(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter(|character| !character.is_whitespace() && *character != '-').map(|c| c.to_ascii_uppercase())
}

fn realm_of(characters: &Secret) -> Result<Realm, ShareError> {
    [Realm::Production, Realm::Rehearsal]
        .into_iter()
        .find(|realm| characters.expose().starts_with(checksum::prefix(*realm).as_bytes()))
        .ok_or(ShareError::Prefix)
}

fn foreign(position: usize, found: char) -> ShareError {
    let suggestion = match found {
        'B' => Some('8'),
        'O' => Some('0'),
        'I' | '1' | '|' => Some('L'),
        _ => None,
    };
    ShareError::Alphabet { place: Place::of(position), found: SafeText::of(&found.to_string()), suggestion }
}

/// Says which line is short or long where the text is in as many lines as a card.
fn lengths(text: &str) -> Result<(), ShareError> {
    let found = significant(text).count();
    if found == TEXT {
        return Ok(());
    }
    let lines: Vec<usize> = text.lines().map(|line| significant(line).count()).filter(|length| *length > 0).collect();
    if lines.len() == TEXT.div_ceil(LINE)
        && let Some((line, found)) = lines.iter().enumerate().find(|(_, length)| **length != LINE)
    {
        return Err(ShareError::LineLength { line: line + 1, found: *found });
    }
    Err(ShareError::Length { found })
}
