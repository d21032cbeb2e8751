//! The checksum of a share's text: BIP-93's short BCH code over GF(32), thirteen characters, as the `bech32` crate
//! computes it. Any eight wrong characters are always noticed.
//!
//! It never corrects (`correction` does) and knows nothing of headers. Only `share` and `correction` call it.
//!
//! A symbol is five bits, 0 to 31, written as one character of `QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L`. Before the data come
//! the symbols of the prefix, expanded as BIP-173 does with the lower-case letters: `ks` is `3 3 0 11 19`, `kr` is
//! `3 3 0 11 18`; so a share of one realm never has a valid checksum in the other.

use crate::basics::Realm;
use bech32::primitives::checksum::{Engine, PackedFe32};
use bech32::{Checksum, Fe32, Fe1024};

/// Symbols of header and value.
pub(super) const PAYLOAD: usize = 64;
/// Symbols of the checksum.
pub(super) const CHECK: usize = 13;
/// Symbols of header, value and checksum.
pub(super) const DATA: usize = PAYLOAD + CHECK;
/// Characters of a share's text: the prefix, then the data.
pub(super) const TEXT: usize = PREFIX + DATA;
/// Characters of the prefix.
pub(super) const PREFIX: usize = 3;

/// The code of BIP-93 with its generator and its target, under our prefixes.
pub(super) enum ShareCode {}

impl Checksum for ShareCode {
    type MidstateRepr = u128;
    type CorrectionField = Fe1024;
    const ROOT_GENERATOR: Fe1024 = Fe1024::new([Fe32::_9, Fe32::_9]);
    const ROOT_EXPONENTS: std::ops::RangeInclusive<usize> = 9..=16;
    const CODE_LENGTH: usize = 93;
    const CHECKSUM_LENGTH: usize = CHECK;
    const GENERATOR_SH: [u128; 5] =
        [0x19dc500ce73fde210, 0x1bfae00def77fe529, 0x1fbd920fffe7bee52, 0x1739640bdeee3fdad, 0x07729a039cfc75f5a];
    const TARGET_RESIDUE: u128 = 0x10ce0795c2fd1e62a;
}

/// The prefix of a realm's shares, separator included.
pub(super) const fn prefix(realm: Realm) -> &'static str {
    match realm {
        Realm::Production => "KS1",
        Realm::Rehearsal => "KR1",
    }
}

/// The thirteen check symbols for a payload.
pub(super) fn check_symbols(realm: Realm, payload: &[u8]) -> [u8; CHECK] {
    let mut engine = started(realm);
    for &symbol in payload {
        engine.input_fe(element(symbol));
    }
    engine.input_target_residue();
    let residue = *engine.residue();
    std::array::from_fn(|place| residue.unpack(CHECK - 1 - place))
}

/// What is left over after all symbols: zero where the checksum holds. Coefficient i belongs to the symbol i from the
/// end.
pub(super) fn remainder(realm: Realm, data: &[u8]) -> [Fe32; CHECK] {
    let mut engine = started(realm);
    for &symbol in data {
        engine.input_fe(element(symbol));
    }
    let difference = *engine.residue() ^ ShareCode::TARGET_RESIDUE;
    std::array::from_fn(|power| element(difference.unpack(power)))
}

/// Whether the checksum holds.
pub(super) fn holds(realm: Realm, data: &[u8]) -> bool {
    data.len() == DATA && remainder(realm, data).iter().all(|left| *left == Fe32::Q)
}

/// The symbol a character stands for, in either case.
pub(super) fn symbol(character: char) -> Option<u8> {
    Fe32::from_char(character).ok().map(Fe32::to_u8)
}

/// The upper-case character of a symbol.
pub(super) fn character(symbol: u8) -> u8 {
    // invariant: the alphabet is ASCII, so one character is one octet.
    u8::try_from(element(symbol).to_char().to_ascii_uppercase()).unwrap_or(b'?')
}

/// Five bits as a field element.
pub(super) fn element(symbol: u8) -> Fe32 {
    // invariant: five bits are always an element.
    Fe32::try_from(symbol & 0x1f).unwrap_or(Fe32::Q)
}

fn started(realm: Realm) -> Engine<ShareCode> {
    let last = match realm {
        Realm::Production => Fe32::N,
        Realm::Rehearsal => Fe32::J,
    };
    let mut engine = Engine::new();
    for symbol in [Fe32::R, Fe32::R, Fe32::Q, Fe32::T, last] {
        engine.input_fe(symbol);
    }
    engine
}
