//! One share: a header, 32 octets of value, and the text of both that a custodian writes on a card.
//!
//! It never shows itself: no `Debug`, `Clone`, `Serialize`, and its texts are [`Secret`]. The strongroom deals, steps
//! that prove a share and recovery parse.
//!
//! The text is 80 characters, four lines of five groups of four:
//! ```text
//! KS1 | quorum id (32 bits) | generation (8) | threshold (8) | count (8) | index (8) | value (256) | checksum (65)
//! ```
//! Forty octets are exactly 64 symbols, so there is no padding to get wrong; the prefix says version and realm.
//!
//! ```compile_fail
//! fn printable<T: std::fmt::Debug>() {}
//! printable::<anchorite::custody::Share>();
//! ```
//! ```compile_fail
//! fn copied<T: Clone>() {}
//! copied::<anchorite::custody::Share>();
//! ```
//! The same probes accept what a share says about itself:
//! ```
//! fn printable<T: std::fmt::Debug + Clone>() {}
//! printable::<anchorite::custody::ShareHeader>();
//! ```

use super::checksum::{self, CHECK, PAYLOAD, PREFIX, TEXT};
use super::quorum::{QuorumHead, QuorumId, ShareHeader};
use super::typed::{self, GROUP, GROUPS, Place, ShareError, Typed};
use super::{correction, sharing::OCTETS};
use crate::basics::{Digest, Realm, Secret};
use zeroize::Zeroizing;

/// Octets of the header as the text carries it.
const HEAD: usize = 8;

/// A share: what one custodian holds.
pub struct Share {
    header: ShareHeader,
    value: Secret,
}

/// What a text turned out to be.
pub enum Parsed {
    /// Every character is right, as far as a checksum can tell.
    Exact(Share),
    /// The only share within reach of what was typed. Show the corrections and ask: the card decides.
    Corrected { share: Share, corrections: Vec<Correction> },
}

/// One group that differs from the nearest valid share. Both texts are parts of a share, hence secret.
pub struct Correction {
    /// The first wrong character, from 1, counted without spaces.
    pub position: usize,
    pub place: Place,
    pub typed: Secret,
    pub should_be: Secret,
}

impl Share {
    pub(super) const fn new(header: ShareHeader, value: Secret) -> Self {
        Self { header, value }
    }

    #[must_use]
    pub const fn header(&self) -> ShareHeader {
        self.header
    }

    pub(super) const fn value(&self) -> &Secret {
        &self.value
    }

    /// What the record keeps of a share: `tagged("share", realm, header (10 octets), value (32 octets))`. The value has
    /// 256 bits of entropy, so the digest does not give it away.
    #[must_use]
    pub fn commitment(&self) -> Digest {
        Digest::tagged("share", self.header.realm, &[&self.header.octets(), self.value.expose()])
    }

    /// The 80 characters, without spaces.
    #[must_use]
    pub fn to_text(&self) -> Secret {
        let header = self.header;
        let mut octets = Zeroizing::new(Vec::with_capacity(HEAD + OCTETS));
        octets.extend_from_slice(&header.quorum_id.octets());
        octets.extend_from_slice(&[header.generation, header.threshold, header.count, header.index]);
        octets.extend_from_slice(self.value.expose());
        let payload = regroup(&octets, 8, 5);
        let mut text = Secret::with_capacity(TEXT);
        for &octet in checksum::prefix(header.realm).as_bytes() {
            text.push(octet);
        }
        for &symbol in payload.iter().chain(&*Zeroizing::new(checksum::check_symbols(header.realm, &payload))) {
            text.push(checksum::character(symbol));
        }
        text
    }

    /// Reads a text as typed or scanned. `?` stands for a character that cannot be read.
    ///
    /// # Errors
    /// Where it is not a share, or is damaged beyond what the code can locate.
    pub fn parse(text: &str) -> Result<Parsed, ShareError> {
        let typed = typed::read(text)?;
        if typed.unreadable.is_empty() && checksum::holds(typed.realm, &typed.data) {
            return Ok(Parsed::Exact(decoded(typed.realm, &typed.data)?));
        }
        let nearest = correction::nearest(typed.realm, &typed.data, &typed.unreadable).ok_or(ShareError::Damaged)?;
        let share = decoded(typed.realm, &nearest)?;
        let corrections = differences(&typed, &share.to_text());
        Ok(Parsed::Corrected { share, corrections })
    }
}

/// The four lines of a card or a screen: `1  KS1X RK9D 2F7Q 0LWE 8MTT`.
#[must_use]
pub fn lines(text: &Secret) -> Vec<Secret> {
    text.expose()
        .chunks(GROUP * GROUPS)
        .enumerate()
        .map(|(index, characters)| {
            let number = (index + 1).to_string();
            let mut line = Secret::with_capacity(number.len() + 1 + characters.len() * 2 + GROUPS);
            for octet in number.bytes().chain([b' ']) {
                line.push(octet);
            }
            for group in characters.chunks(GROUP) {
                for &octet in [b" ", group].into_iter().flatten() {
                    line.push(octet);
                }
            }
            line
        })
        .collect()
}

/// Takes the fields out of symbols whose checksum holds.
fn decoded(realm: Realm, data: &[u8]) -> Result<Share, ShareError> {
    let octets = regroup(data.get(..PAYLOAD).unwrap_or_default(), 5, 8);
    match octets.as_slice() {
        [a, b, c, d, generation, threshold, count, index, value @ ..] if value.len() == OCTETS => {
            let quorum_id = QuorumId::from_octets([*a, *b, *c, *d]);
            let head = QuorumHead { realm, quorum_id, generation: *generation, threshold: *threshold, count: *count };
            Ok(Share::new(head.header(*index), Secret::take(value.to_vec())))
        }
        other => Err(ShareError::Length { found: PREFIX + CHECK + other.len() * 8 / 5 }),
    }
}

/// The groups in which what was typed is not what it should be.
fn differences(typed: &Typed, right: &Secret) -> Vec<Correction> {
    let groups = typed.characters.expose().chunks(GROUP).zip(right.expose().chunks(GROUP)).enumerate();
    groups
        .filter_map(|(index, (typed, should_be))| {
            let first = typed.iter().zip(should_be).position(|(a, b)| a != b)?;
            let position = index * GROUP + first;
            Some(Correction {
                position: position + 1,
                place: Place::of(position),
                typed: Secret::take(typed.to_vec()),
                should_be: Secret::take(should_be.to_vec()),
            })
        })
        .collect()
}

/// Regroups bits, most significant first; here they always come out even (40 octets are 64 symbols).
fn regroup(values: &[u8], from: u32, to: u32) -> Zeroizing<Vec<u8>> {
    let mut regrouped = Zeroizing::new(Vec::with_capacity(PAYLOAD.max(HEAD + OCTETS)));
    let (mut held, mut bits) = (0_u32, 0_u32);
    for &value in values {
        held = held << from | u32::from(value);
        bits += from;
        while bits >= to {
            bits -= to;
            regrouped.push(u8::try_from(held >> bits & ((1 << to) - 1)).unwrap_or_default());
            held &= (1 << bits) - 1;
        }
    }
    regrouped
}
