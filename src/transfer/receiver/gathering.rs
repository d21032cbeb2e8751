//! The symbols of one transfer, until they make its envelope.
//!
//! A symbol with a good checksum may still be a lie, told by somebody who copied the id. Three things catch it: two
//! contents under one id are both set aside; an envelope counts only when its digest gives the transfer's id; and where
//! it does not, subsets are tried that leave out a part each, then more symbols are asked for, then the gathering starts again.
//! All of it is bounded (`basics/limits.rs`).

use crate::basics::limits;
use crate::transfer::{Envelope, Frame, Restart, TransferId, code};
use std::collections::{BTreeMap, BTreeSet};

/// What frames of one transfer have in common. A frame that copies the id with other numbers is of another transfer.
pub(super) type Key = (TransferId, u16, usize);

/// What a frame's key is.
pub(super) fn key_of(frame: &Frame) -> Key {
    (frame.id(), frame.symbols(), frame.symbol().len())
}

/// What a symbol came to.
pub(super) enum Gathered {
    New,
    Again,
    Restarted(Restart),
    Whole(Envelope),
}

pub(super) struct Gathering {
    pub(super) key: Key,
    symbols: BTreeMap<u32, Vec<u8>>,
    disputed: BTreeSet<u32>,
    /// Symbols with which the next attempt is made.
    need: usize,
    /// An attempt gave something that is not this transfer: some symbol is a lie.
    doubted: bool,
    pub(super) restarts: u32,
    /// When the last symbol came, counted in frames of the receiver.
    pub(super) fed: u64,
}

impl Gathering {
    pub(super) fn new(key: Key) -> Self {
        let need = usize::from(key.1);
        let (symbols, disputed) = (BTreeMap::new(), BTreeSet::new());
        Self { key, symbols, disputed, need, doubted: false, restarts: 0, fed: 0 }
    }

    /// Unique useful symbols: the rank, up to one or two at the very end.
    pub(super) fn have(&self) -> usize {
        self.symbols.len()
    }

    pub(super) const fn need(&self) -> usize {
        self.need
    }

    /// Octets of all symbols that are kept.
    pub(super) fn octets(&self) -> usize {
        self.symbols.len() * self.key.2
    }

    /// Takes a frame whose key is this one's.
    pub(super) fn take(&mut self, frame: Frame) -> Gathered {
        let esi = frame.esi();
        if self.disputed.contains(&esi) {
            return Gathered::Again;
        }
        match self.symbols.get(&esi).map(|known| known == frame.symbol()) {
            Some(true) => return Gathered::Again,
            Some(false) => {
                // One of the two is a lie, and nothing says which.
                self.symbols.remove(&esi);
                self.disputed.insert(esi);
                let too_many = self.disputed.len() > usize::from(self.key.1).max(limits::TRANSFER_SUBSETS);
                return if too_many { self.restart(Restart::Disputed) } else { Gathered::Again };
            }
            None => self.symbols.insert(esi, frame.into_symbol()),
        };
        if self.symbols.len() < self.need { Gathered::New } else { self.attempt() }
    }

    fn attempt(&mut self) -> Gathered {
        if !self.doubted {
            let Some(block) = self.decode(&BTreeSet::new()) else {
                // About one set of K symbols in a hundred does not determine the block.
                self.need = self.symbols.len() + 1;
                return if self.is_full() { self.restart(Restart::Undetermined) } else { Gathered::New };
            };
            if let Some(envelope) = self.envelope_in(&block) {
                return Gathered::Whole(envelope);
            }
            self.doubted = true;
        } else if let Some(envelope) = self.subsets() {
            return Gathered::Whole(envelope);
        }
        // Twice as many to spare each time: at K to spare every single lie has been left out.
        let spare = self.symbols.len().saturating_sub(usize::from(self.key.1));
        self.need = usize::from(self.key.1) + (spare * 2).max(1);
        if self.is_full() { self.restart(Restart::Poisoned) } else { Gathered::New }
    }

    /// Whether waiting for more symbols would take more than is kept of one transfer.
    fn is_full(&self) -> bool {
        let most = 2 * usize::from(self.key.1).max(limits::TRANSFER_SUBSETS / 2);
        self.need > most
    }

    /// Leaves out one part of the symbols after the other, and again of another division, as far as the bounds allow. One
    /// lie is found in the first round at the latest; more of them when one part happens to hold them all.
    fn subsets(&self) -> Option<Envelope> {
        let spare = self.symbols.len().checked_sub(usize::from(self.key.1)).filter(|&spare| spare > 0)?;
        let block_octets = usize::from(self.key.1) * self.key.2;
        let tries = (limits::TRANSFER_SUBSET_OCTETS / block_octets.max(1)).clamp(2, limits::TRANSFER_SUBSETS);
        let parts = (0..).flat_map(|round| {
            let order = self.shuffled(round);
            order.chunks(spare).map(|part| part.iter().copied().collect::<BTreeSet<u32>>()).collect::<Vec<_>>()
        });
        parts.take(tries).find_map(|left_out| self.envelope_in(&self.decode(&left_out)?))
    }

    /// The symbols' ids, in an order that depends on the transfer, the round, the restarts and how many there are.
    fn shuffled(&self, round: u64) -> Vec<u32> {
        let seed = u64::from_be_bytes(self.key.0.octets().first_chunk().copied().unwrap_or_default());
        let seed = seed ^ round << 48 ^ u64::from(self.restarts) << 32 ^ self.symbols.len() as u64;
        let mixed = |esi: u32| {
            let x = (seed ^ u64::from(esi)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            (x ^ (x >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9)
        };
        let mut order: Vec<u32> = self.symbols.keys().copied().collect();
        order.sort_by_key(|&esi| mixed(esi) >> 20);
        order
    }

    fn decode(&self, left_out: &BTreeSet<u32>) -> Option<Vec<u8>> {
        let used = self.symbols.iter().filter(|(esi, _)| !left_out.contains(esi));
        let symbol_octets = u16::try_from(self.key.2).ok()?;
        code::decode(self.key.1, symbol_octets, used.map(|(&esi, symbol)| (esi, symbol.as_slice())))
    }

    /// The envelope in a block, where it is the one this transfer names and nothing but zeros comes after it.
    fn envelope_in(&self, block: &[u8]) -> Option<Envelope> {
        let (envelope, padding) = Envelope::parse_front(block).ok()?;
        let (id, symbols, symbol_octets) = self.key;
        let padded = padding.len() < symbol_octets && padding.iter().all(|&octet| octet == 0);
        let named = TransferId::of(&envelope, symbols, u16::try_from(symbol_octets).ok()?) == id;
        (padded && named).then_some(envelope)
    }

    fn restart(&mut self, why: Restart) -> Gathered {
        let (restarts, fed) = (self.restarts.saturating_add(1), self.fed);
        *self = Self { restarts, fed, ..Self::new(self.key) };
        Gathered::Restarted(why)
    }
}
