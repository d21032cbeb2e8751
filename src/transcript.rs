//! Row 1: the record. Its lines, its hash chain, its checkpoints and attestations, and their verification.
//!
//! Knows nothing of ceremonies: what an entry means is the business of `ceremony` and `audit`. Never does I/O; lines
//! are made here and written by `devices`. The format's specification is `transcripts/README.md`.

pub mod attestation;
pub mod chain;
pub mod checkpoint;
pub mod entry;
pub mod sums;

pub use attestation::Attestation;
pub use chain::{BadEntry, Chain, Record};
pub use checkpoint::Checkpoint;
pub use entry::{Entry, Header, Kind, Level, Line, Open, Signer};
