//! The parts of one message, until they make it.
//!
//! A part with a good checksum may still be a lie, told by somebody who copied the message's numbers. As with frames: two contents of one
//! part are both set aside; octets count only with the message's CRC-32; and where they do not have it, subsets are tried that leave out some
//! parts each, then more parts are asked for, then it starts again. All of it is bounded (`basics/limits.rs`).

use super::bytewords;
use super::elimination::Elimination;
use super::mixing::Mixer;
use super::part::Message;
use crate::basics::limits;
use std::collections::{BTreeMap, BTreeSet};

/// What a part came to.
pub(super) enum Solved {
    New,
    Again,
    /// Too many parts contradict each other.
    Restarted,
    /// The CBOR of the message.
    Whole(Vec<u8>),
}

pub(super) struct Solving {
    pub(super) message: Message,
    mixer: Mixer,
    elimination: Elimination,
    /// Every part that was worth something; once there is a doubt, every part.
    parts: BTreeMap<u32, Vec<u8>>,
    disputed: BTreeSet<u32>,
    /// The parts gave something else than the message: some part is a lie.
    doubted: bool,
    /// Parts with which the next subsets are tried.
    need: usize,
    rounds: u64,
}

impl Solving {
    pub(super) fn new(message: Message) -> Self {
        let count = usize::from(message.count);
        Self {
            message,
            mixer: Mixer::new(message.count, message.checksum),
            elimination: Elimination::new(count),
            parts: BTreeMap::new(),
            disputed: BTreeSet::new(),
            doubted: false,
            need: count,
            rounds: 0,
        }
    }

    pub(super) const fn rank(&self) -> usize {
        self.elimination.rank()
    }

    /// Takes a part whose message is this one.
    pub(super) fn take(&mut self, number: u32, sum: Vec<u8>) -> Solved {
        if self.disputed.contains(&number) {
            return Solved::Again;
        }
        match self.parts.get(&number).map(|known| *known == sum) {
            Some(true) => return Solved::Again,
            Some(false) => return self.dispute(number),
            None => {}
        }
        let fragments = self.mixer.fragments_of(number);
        if self.doubted {
            self.parts.insert(number, sum);
            return if self.parts.len() < self.need { Solved::New } else { self.subsets() };
        }
        if !self.elimination.add(&fragments, sum.clone()) {
            return Solved::Again;
        }
        self.parts.insert(number, sum);
        if !self.elimination.is_solved() {
            return Solved::New;
        }
        match self.octets_of(&BTreeSet::new()) {
            Some(whole) => Solved::Whole(whole),
            None => {
                self.doubted = true;
                self.need = self.parts.len() + 2;
                Solved::New
            }
        }
    }

    /// One of two is a lie, and nothing says which: both are set aside.
    fn dispute(&mut self, number: u32) -> Solved {
        self.parts.remove(&number);
        self.disputed.insert(number);
        if self.disputed.len() > usize::from(self.message.count).max(limits::TRANSFER_SUBSETS) {
            return self.restart();
        }
        if !self.doubted {
            let mut without = Elimination::new(usize::from(self.message.count));
            for (number, sum) in &self.parts {
                without.add(&self.mixer.fragments_of(*number), sum.clone());
            }
            self.elimination = without;
        }
        Solved::Again
    }

    /// Leaves out some of the parts after the others. Half of what is to spare stays in: sums of few fragments seldom do with exactly as
    /// many as there are fragments.
    fn subsets(&mut self) -> Solved {
        let count = usize::from(self.message.count);
        let spare = self.parts.len().saturating_sub(count);
        let left_out = (spare / 2).max(1);
        for _ in 0..2 {
            self.rounds += 1;
            let order = self.shuffled();
            for out in order.chunks(left_out).take(self.tries()) {
                if let Some(whole) = self.octets_of(&out.iter().copied().collect()) {
                    return Solved::Whole(whole);
                }
            }
        }
        self.need = count + (spare * 2).max(2);
        if self.need > 3 * count.max(limits::TRANSFER_SUBSETS) { self.restart() } else { Solved::New }
    }

    /// Subsets of one order that are tried: fewer where each costs more.
    fn tries(&self) -> usize {
        let count = usize::from(self.message.count);
        let words = count.div_ceil(64) + self.message.fragment_octets.div_ceil(8);
        let cost = count.saturating_mul(count).saturating_mul(words).max(1);
        (limits::UR_SUBSET_WORDS / cost).clamp(1, limits::TRANSFER_SUBSETS)
    }

    /// The parts' numbers, in an order that depends on the message, the round and how many there are.
    fn shuffled(&self) -> Vec<u32> {
        let seed = u64::from(self.message.checksum) ^ self.rounds << 40 ^ self.parts.len() as u64;
        let mixed = |number: u32| {
            let x = (seed ^ u64::from(number)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            (x ^ (x >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9)
        };
        let mut order: Vec<u32> = self.parts.keys().copied().collect();
        order.sort_by_key(|&number| mixed(number) >> 20);
        order
    }

    /// The message of all parts but those left out, where they give one with the checksum it names.
    fn octets_of(&self, left_out: &BTreeSet<u32>) -> Option<Vec<u8>> {
        let mut elimination = Elimination::new(usize::from(self.message.count));
        for (number, sum) in self.parts.iter().filter(|(number, _)| !left_out.contains(number)) {
            elimination.add(&self.mixer.fragments_of(*number), sum.clone());
        }
        if !elimination.is_solved() {
            return None;
        }
        let padded = elimination.solve()?;
        let (whole, padding) = padded.split_at_checked(self.message.octets)?;
        let good = padding.iter().all(|&octet| octet == 0) && bytewords::crc32(whole) == self.message.checksum;
        good.then(|| whole.to_vec())
    }

    fn restart(&mut self) -> Solved {
        *self = Self::new(self.message);
        Solved::Restarted
    }
}
