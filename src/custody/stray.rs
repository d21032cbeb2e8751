//! A share typed where no share was asked for: recognised before the record keeps it.
//!
//! The record is forever and public in part, so a false alarm, which costs one more line of typing, is the cheaper mistake.

use super::checksum;
use super::typed::{GROUP, GROUPS};
use crate::basics::Realm;
use zeroize::Zeroizing;

/// Characters from which a text that begins like a share is taken for one: the prefix and more than the quorum's id.
const BEGINNING: usize = 12;
/// Groups of one line of a card.
const LINE: usize = GROUPS / 4;
/// Characters of a word without blanks that is taken for a piece of a share.
const PIECE: usize = 12;
/// Groups that look like a share's, wherever they stand, from which a text is taken for one.
const SCATTERED: usize = 3;

/// Whether a text looks like a share, the beginning of one, a piece of one or one line of its card.
#[must_use]
pub fn looks_like_a_share(text: &str) -> bool {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '?').filter(|word| !word.is_empty());
    let mut compact = Zeroizing::new(String::with_capacity(text.len()));
    // A row of groups, how many of them are surely none of a digest, and how many look like a share's all by themselves.
    let (mut row, mut telling, mut scattered) = (0, 0, 0);
    let mut found = false;
    for word in words {
        compact.push_str(word);
        found |= word.len() >= PIECE && of_the_alphabet(word) && random(word);
        if word.len() == GROUP {
            row += 1;
            telling += usize::from(!hexadecimal(word));
            scattered += usize::from(of_the_alphabet(word) && has_digit(word) && !hexadecimal(word));
        } else {
            (row, telling) = (0, 0);
        }
        found |= (row >= LINE && telling >= 2 && scattered > 0) || scattered >= SCATTERED;
    }
    compact.make_ascii_uppercase();
    found
        || [Realm::Production, Realm::Rehearsal].into_iter().any(|realm| {
            let prefix = checksum::prefix(realm).to_ascii_uppercase();
            compact
                .match_indices(&prefix)
                .any(|(at, _)| compact.len() - at >= BEGINNING && random(&compact[at + prefix.len()..]))
        })
}

/// Neither words nor a digest: letters beyond hexadecimal, and digits among them.
fn random(text: &str) -> bool {
    text.bytes().filter(u8::is_ascii_digit).count() >= 2
        && text.bytes().filter(|c| c.is_ascii_alphabetic() && !c.is_ascii_hexdigit()).count() >= 2
}

fn has_digit(text: &str) -> bool {
    text.bytes().any(|c| c.is_ascii_digit())
}

fn hexadecimal(text: &str) -> bool {
    text.bytes().all(|c| c.is_ascii_hexdigit())
}

/// Only characters a share is written with, or `?` for one that cannot be read.
fn of_the_alphabet(text: &str) -> bool {
    text.bytes().all(|c| c == b'?' || (c.is_ascii_alphanumeric() && !b"1BIO".contains(&c.to_ascii_uppercase())))
}

#[cfg(test)]
mod tests {
    use super::looks_like_a_share;

    #[test]
    fn a_share_its_beginning_and_one_line_of_its_card_are_recognised() {
        for text in [
            "KS1Q 7XM2 9PLA",
            "ks1q7xm29pla",
            "my share is KS1Q-7XM2-9PLA-0TTW",
            "Q7XM 29PL A0TT W3EE 88ZK",
            "q7xm29pla0ttw3ee88zkq7xm29pla0ttw3ee88zk",
            "card says T6Z6TU4SEDHHC57ZGC3H",
            "rg0mt6z6tu4sedhhc57zgc3h3xhymf",
            "they read q7xm29pla0ttw3ee and then 88zkq7xm29pla0tt",
            "Q7XM, then 29PL, then W3EE",
        ] {
            assert!(looks_like_a_share(text), "{text}");
        }
    }

    #[test]
    fn words_initials_serials_times_and_digests_are_not() {
        for text in [
            "AB",
            "14:05",
            "BAG-00417723",
            "LT-0043",
            "able acid also apex aqua arch atom aunt away axis baby back",
            "41d0 9a07 77aa 01ff 9c3e 0011",
            "the machine of the test is no ceremony machine; agreed at 14:05 by two",
            "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "head d456 6d2f 631b a99e 746d 9a11 eb3a 0102",
            "the head was d456 6d2f 631b a99e 746d 9a11 eb3a 0102 then",
            "go on, VM03:00",
            "agreed with Ada at 2026-11-22T13:00:00Z over room 4B12 and 12B7",
        ] {
            assert!(!looks_like_a_share(text), "{text}");
        }
    }
}
