//! Evidence as types: zero-sized values made in exactly one function each, and demanded by the steps that depend on the
//! check having been made.

use crate::ceremony::state::QuorumState;

/// A value typed by a person equals what was expected.
pub struct ReadBackEqual(());

/// Compares as people read: letter case and spacing do not count.
#[must_use]
pub fn read_back(expected: &str, typed: &str) -> Option<ReadBackEqual> {
    let plain = |text: &str| text.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>().join(" ");
    (!expected.is_empty() && plain(expected) == plain(typed)).then_some(ReadBackEqual(()))
}

/// n of n shares were proven from their custodians' own copies, and found consistent.
pub struct QuorumMet(());

/// The only way to a [`QuorumMet`].
#[must_use]
pub fn quorum_met(quorum: &QuorumState) -> Option<QuorumMet> {
    let all = (1..=quorum.count).all(|index| quorum.proven.contains(&index));
    (quorum.count >= 2 && all && quorum.consistent).then_some(QuorumMet(()))
}
