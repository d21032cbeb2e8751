//! Which fragments a part of a multi-part UR is the sum of (BCR-2020-005, "Multipart UR"; the numbers follow its reference
//! code, since the paper leaves them to it).
//!
//! Parts 1 to n are the fragments in order. For a later part SHA-256 of its number and the message's CRC-32 seeds
//! xoshiro256**; a degree is drawn with probability proportional to 1/degree by Vose's alias method, and as many
//! fragments are drawn without putting back.

use crate::basics::Digest;

/// Draws the fragments of parts of one message.
pub(super) struct Mixer {
    fragments: u16,
    checksum: u32,
    /// Probability and alias of each degree, less one.
    degrees: Vec<(f64, usize)>,
}

impl Mixer {
    /// `fragments` is at least 1 and within the bound of `basics/limits.rs`.
    pub(super) fn new(fragments: u16, checksum: u32) -> Self {
        Self { fragments, checksum, degrees: degrees(usize::from(fragments)) }
    }

    /// Which fragments, from 0, part `number`, from 1, is the sum of.
    pub(super) fn fragments_of(&self, number: u32) -> Vec<u16> {
        if number <= u32::from(self.fragments) {
            return vec![u16::try_from(number.saturating_sub(1)).unwrap_or(0)];
        }
        let mut seed = number.to_be_bytes().to_vec();
        seed.extend(self.checksum.to_be_bytes());
        let mut dice = Xoshiro::new(&Digest::of(&seed));
        let (first, second) = (dice.unit(), dice.unit());
        let drawn = scaled(self.degrees.len(), first);
        let (probability, alias) = self.degrees.get(drawn).copied().unwrap_or((1.0, 0));
        let degree = 1 + if second < probability { drawn } else { alias };
        let mut left: Vec<u16> = (0..self.fragments).collect();
        let mut chosen = Vec::with_capacity(degree);
        while chosen.len() < degree && !left.is_empty() {
            let place = scaled(left.len(), dice.unit()).min(left.len() - 1);
            chosen.push(left.remove(place));
        }
        chosen
    }
}

/// Vose's alias method for weights 1, 1/2, 1/3 ... in the order of the reference code: its rounding is part of the format.
fn degrees(count: usize) -> Vec<(f64, usize)> {
    let weights: Vec<f64> = (1..=count).map(|degree| 1.0 / real(degree)).collect();
    let sum: f64 = weights.iter().sum();
    let mut table: Vec<(f64, usize)> = weights.iter().map(|weight| (weight * (real(count) / sum), 0)).collect();
    let weight = |table: &[(f64, usize)], place: usize| table.get(place).map_or(1.0, |entry| entry.0);
    let (mut small, mut large): (Vec<usize>, Vec<usize>) =
        (0..count).rev().partition(|&place| weight(&table, place) < 1.0);
    while let (Some(&less), Some(&more)) = (small.last(), large.last()) {
        small.pop();
        large.pop();
        let missing = weight(&table, less) - 1.0;
        if let Some(entry) = table.get_mut(less) {
            entry.1 = more;
        }
        if let Some(entry) = table.get_mut(more) {
            entry.0 += missing;
            if entry.0 < 1.0 { small.push(more) } else { large.push(more) }
        }
    }
    for rest in small.into_iter().chain(large) {
        if let Some(entry) = table.get_mut(rest) {
            entry.0 = 1.0;
        }
    }
    table
}

/// xoshiro256** (Blackman and Vigna), its state the four numbers of a digest, big endian.
struct Xoshiro([u64; 4]);

impl Xoshiro {
    fn new(seed: &Digest) -> Self {
        let mut state = [0; 4];
        for (number, octets) in state.iter_mut().zip(seed.octets().as_chunks::<8>().0) {
            *number = u64::from_be_bytes(*octets);
        }
        Self(state)
    }

    fn next(&mut self) -> u64 {
        let [a, b, c, d] = self.0;
        let result = b.wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let (c, d) = (c ^ a, d ^ b);
        self.0 = [a ^ d, b ^ c, c ^ b << 17, d.rotate_left(45)];
        result
    }

    /// 53 bits as a number from 0 to below 1.
    fn unit(&mut self) -> f64 {
        #[allow(clippy::cast_precision_loss)]
        let bits = (self.next() >> 11) as f64;
        bits / (1_u64 << 53) as f64
    }
}

#[allow(clippy::cast_precision_loss)]
fn real(count: usize) -> f64 {
    count as f64
}

/// `count` times a number from 0 to below 1, rounded down.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn scaled(count: usize, unit: f64) -> usize {
    (real(count) * unit) as usize
}
