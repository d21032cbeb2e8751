//! Custody: who holds which part of a secret, on paper. Quorums and their generations, secret sharing, shares as text,
//! codes and cards, and the one place where a share is proven.
//!
//! It never reads a file, a clock, the environment or a random source: randomness arrives as octets (`draw`), shares
//! arrive as text, and what a quorum is supposed to be arrives as a [`QuorumRecord`]. It never prints, stores or logs a
//! share. The strongroom deals and combines; steps, drills and recovery check. It uses `basics` and nothing else.
//!
//! The format is specified in `media/README.md`, section "Shares". Dealing belongs in a short-lived process: the sharing
//! library (`vsss-rs`) does not wipe its polynomial, and no hash function here wipes its state on the stack.

pub mod card;
pub mod check;
mod checksum;
mod correction;
pub mod draw;
pub mod qr;
pub mod quorum;
pub mod share;
pub mod sharing;
pub mod stray;
mod typed;

pub use check::{ShareFault, ShareProven, check};
pub use draw::{DrawError, DrawRng, Draws};
pub use quorum::{QuorumHead, QuorumId, QuorumRecord, Retired, ShareHeader, quorum_id};
pub use share::{Correction, Parsed, Share, lines};
pub use sharing::{SharingError, combine, consistent, split};
pub use typed::{Place, ShareError};

#[cfg(test)]
mod tests;
