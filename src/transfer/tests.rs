//! Tests of the transfer: envelopes, frames, what a receiver does with good, hostile and shuffled ones.

mod envelopes;
mod examples;
mod frames;
mod matrices;
mod poison;
mod transfers;
mod urs;

use crate::basics::Realm;
use crate::transfer::{Envelope, Kind};

/// A small generator whose numbers are the same everywhere (SplitMix64).
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    pub(super) fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    pub(super) fn octets(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next() as u8).collect()
    }

    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

pub(super) fn envelope(octets: usize, seed: u64) -> Envelope {
    Envelope::new(Kind::Certificate, Realm::Rehearsal, "root.crt", Dice(seed).octets(octets)).unwrap()
}

/// `few` runs by default, `many` with `ANCHORITE_TESTS=transfer` or `full`.
pub(super) fn sample(few: u64, many: u64) -> u64 {
    match std::env::var("ANCHORITE_TESTS").as_deref() {
        Ok("transfer" | "full") => many,
        _ => few,
    }
}
