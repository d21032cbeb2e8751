//! The Merkle tree of RFC 9162 2.1 over the records of a bundle, and over the outcomes of a receipt.
//!
//! ```text
//! leaf(d)    = SHA-256(00 || d)               d: in a bundle the 32 octets of a record digest
//! node(l, r) = SHA-256(01 || l || r)
//! root       = of n leaves: node(root of the first k, root of the rest), k the largest power of two below n
//! ```
//! Everything is computed in one pass over the leaves, with one value a level kept, so a million of them need no memory.

use crate::basics::Digest;
use sha2::{Digest as _, Sha256};

/// The hash of a leaf, as `leaves.bin` holds it.
#[must_use]
pub fn leaf(data: &[u8]) -> Digest {
    let mut hasher = Sha256::new();
    hasher.update([0]);
    hasher.update(data);
    Digest::from_octets(hasher.finalize().into())
}

fn node(left: &Digest, right: &Digest) -> Digest {
    let mut hasher = Sha256::new();
    hasher.update([1]);
    hasher.update(left.octets());
    hasher.update(right.octets());
    Digest::from_octets(hasher.finalize().into())
}

/// A tree that grows leaf by leaf; holds the roots of its complete subtrees only.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    leaves: u64,
    /// Largest first, one for each bit of `leaves`.
    complete: Vec<Digest>,
}

impl Tree {
    /// Adds a leaf's hash.
    pub fn push(&mut self, leaf: Digest) {
        let mut joined = leaf;
        for _ in 0..self.leaves.trailing_ones() {
            if let Some(left) = self.complete.pop() {
                joined = node(&left, &joined);
            }
        }
        self.complete.push(joined);
        self.leaves += 1;
    }

    #[must_use]
    pub const fn len(&self) -> u64 {
        self.leaves
    }

    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.leaves == 0
    }

    /// The root of the leaves so far; SHA-256 of nothing where there are none.
    #[must_use]
    pub fn root(&self) -> Digest {
        let joined = self.complete.iter().rev().copied().reduce(|right, left| node(&left, &right));
        joined.unwrap_or_else(|| Digest::of(&[]))
    }
}

/// The root of leaves that are all here.
#[must_use]
pub fn root(leaves: impl IntoIterator<Item = Digest>) -> Digest {
    let mut tree = Tree::default();
    leaves.into_iter().for_each(|leaf| tree.push(leaf));
    tree.root()
}

/// The inclusion proof of leaf `index` among `size` leaves, which `leaves` gives in order (RFC 9162 2.1.3.1): the siblings, nearest
/// first. `None` where there are not that many.
#[must_use]
pub fn proof(index: u64, size: u64, leaves: impl IntoIterator<Item = Digest>) -> Option<Vec<Digest>> {
    let mut siblings: Vec<(u64, u64, Tree)> =
        ranges(index, size)?.into_iter().map(|(from, until)| (from, until, Tree::default())).collect();
    let mut seen = 0_u64;
    for leaf in leaves {
        for (from, until, tree) in &mut siblings {
            if (*from..*until).contains(&seen) {
                tree.push(leaf);
            }
        }
        seen += 1;
    }
    (seen == size).then(|| siblings.into_iter().map(|(_, _, tree)| tree.root()).collect())
}

/// The leaves under each sibling on the way from a leaf to the root.
fn ranges(index: u64, size: u64) -> Option<Vec<(u64, u64)>> {
    if index >= size {
        return None;
    }
    let (mut from, mut until, mut found) = (0, size, Vec::new());
    while until - from > 1 {
        let split = from + largest_power_below(until - from);
        if index < split {
            found.push((split, until));
            until = split;
        } else {
            found.push((from, split));
            from = split;
        }
    }
    found.reverse();
    Some(found)
}

/// The largest power of two below `n`, for n of 2 or more.
const fn largest_power_below(n: u64) -> u64 {
    1 << (63 - (n - 1).leading_zeros())
}

/// Whether a proof leads from a leaf's hash at `index` of `size` to `root` (RFC 9162 2.1.3.2).
#[must_use]
pub fn included(leaf: &Digest, index: u64, size: u64, proof: &[Digest], root: &Digest) -> bool {
    let Some(ranges) = ranges(index, size) else { return false };
    if ranges.len() != proof.len() {
        return false;
    }
    let joined = ranges.iter().zip(proof).fold(*leaf, |joined, ((from, _), sibling)| {
        if *from > index { node(&joined, sibling) } else { node(sibling, &joined) }
    });
    joined == *root
}
