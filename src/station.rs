//! Row 7: the factory's side. It enrols, imports sealed bundles, hands identities to production lines, takes proofs and says in signed
//! receipts what became of every one.
//!
//! Two rules hold everything together. **Reserve before open**: an identity is reserved for one line, durably, before a single octet of
//! it is decrypted, and nothing leads back from there; a process that dies in between costs one identity and never repeats one.
//! **Sealed at rest**: shards stay the age files that came in. A draw opens one chunk of one shard (at most 64 KiB before its record and the
//! record), in memory that is overwritten, checks the record against the digest that the signed manifest covers, and writes it to the line.
//!
//! It never writes a private key to a file unless asked, never puts one in a message, and opens no socket but with the feature `postgres`. Draw-once guards against
//! accidents: who owns the station's keys can open every shard. Formats: `media/STATION.md`. Only `cli` and `tui` call it.

pub mod anchor;
mod audit;
pub mod chain;
pub mod draw;
pub mod element_signer;
pub mod enrol;
pub mod export;
pub mod handing_over;
pub mod home;
pub mod import;
mod issuance_log;
mod keyring;
pub mod ledger;
pub mod outcome;
#[cfg(feature = "postgres")]
pub mod postgres;
pub mod receipt;
pub mod reconcile;
mod requests;
pub mod sqlite;
pub mod state;
pub mod status;
pub mod store;
pub mod unseal;

pub use home::{Home, Station};
pub use state::State;

use crate::basics::canonical::CanonicalError;
use crate::basics::{Instant, SafeText};
use crate::devices::durable_file::FileError;
use crate::factory::Refusal;
use crate::keys::KeyError;
use crate::keys::ssh::SshError;
use std::path::PathBuf;

/// Why the station refuses.
#[derive(Debug, thiserror::Error)]
pub enum StationError {
    #[error("{}: expected a station, found none", .0.display())]
    Missing(PathBuf),
    #[error("{}: expected no file, found one; a station is never overwritten", .0.display())]
    Exists(PathBuf),
    #[error("{}: expected a store of this program, version {expected}, found {found}", path.display())]
    Version { path: PathBuf, expected: i64, found: i64 },
    #[error("{}: expected a local disk, found a file system that other machines write to", .0.display())]
    Network(PathBuf),
    #[error("PostgreSQL: {0}")]
    Server(String),
    #[error("the store is damaged: {0}")]
    Damaged(&'static str),
    #[error("{what}: {problem}")]
    Configuration { what: &'static str, problem: String },
    #[error(
        "the store ends at entry {found}, and its anchor has seen entry {expected}: this is an older state that was put back; \
         what was drawn since then is not in it"
    )]
    Restored { expected: u64, found: u64 },
    #[error(
        "entry {seq} of the store has another head than its anchor has seen: these are two histories of one station"
    )]
    OtherHistory { seq: u64 },
    #[error(
        "the store is not the file that its anchor knows: it was copied, moved or put back, and the other one may be drawing too"
    )]
    Copied,
    #[error("the anchor cannot be used: {0}")]
    NoAnchor(String),
    #[error(
        "this machine's clock says {}, and entry {seq} of the ledger was written when it said {}: expected a time not before that, \
         and at most 180 days after it", now.rfc3339(), last.rfc3339()
    )]
    Clock { now: Instant, seq: u64, last: Instant },
    #[error("nothing to draw: {0}")]
    NothingReleased(Nothing),
    #[error("{thing}: expected an identity of this station, found none of that device id or record")]
    Unknown { thing: SafeText },
    #[error("{device}: expected it {expected}, found it {found}")]
    WrongState { device: SafeText, expected: &'static str, found: State },
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("the record of {device} cannot be opened: {problem}; it stays reserved and is offered to nobody")]
    Unopened { device: SafeText, problem: String },
    #[error("{device} is reserved and was not handed over: {problem}")]
    NotHandedOver { device: SafeText, problem: String },
    #[error("the change is in the ledger, and its anchor could not follow: {0}")]
    Unanchored(FileError),
    #[error("the ledger does not hold: entry {seq}: {problem}")]
    Chain { seq: u64, problem: String },
    #[error(transparent)]
    File(#[from] FileError),
    #[error("store: {0}")]
    Database(#[from] rusqlite::Error),
    #[error("ledger: {0}")]
    Canonical(#[from] CanonicalError),
    #[error(transparent)]
    Ssh(#[from] SshError),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error("{0}")]
    Other(String),
}

/// Why nothing is drawn, and what people do about it.
#[derive(Debug)]
pub struct Nothing {
    pub why: String,
    pub hint: &'static str,
}

impl From<String> for Nothing {
    fn from(why: String) -> Self {
        let hint = "`anchorite station status DIR` says what is there; `release` lets lines draw, `import` brings more";
        Self { why, hint }
    }
}

impl std::fmt::Display for Nothing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.why)
    }
}

impl StationError {
    /// What people do about it; empty where the message says it all.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Missing(_) => "nothing was changed; a station is made by `anchorite station init DIR`",
            Self::Network(_) => "nothing was changed; put the station on a disk of this machine",
            Self::Restored { .. } | Self::OtherHistory { .. } => {
                "nothing was drawn. Put the newest state back, or say what happened with `anchorite station reconcile DIR --because TEXT`: \
                 it takes out of reach whatever may have been drawn since"
            }
            Self::Copied => {
                "nothing was drawn. Make sure that the other copy is gone, then `anchorite station reconcile DIR --because TEXT`"
            }
            Self::NoAnchor(_) => {
                "nothing was drawn. `anchorite station reconcile DIR --because TEXT --at-least N` makes another: N is how many may have been \
                 drawn that this store does not know of"
            }
            Self::Clock { .. } => {
                "nothing was changed. Set the clock. Where it is right now, and was wrong then or the station stood still, \
                 `anchorite station reconcile DIR --because TEXT` writes that down, and the clock is held against that entry from then on"
            }
            Self::NothingReleased(nothing) => nothing.hint,
            Self::Unopened { .. } => "draw another one, and say `scrap` for this",
            Self::NotHandedOver { .. } => {
                "it is offered to nobody again; `anchorite station scrap DIR DEVICE --reason TEXT` says what became of it"
            }
            Self::Unanchored(_) => "nothing was handed out; the next change brings the anchor up to the ledger",
            Self::Chain { .. } => {
                "nothing was changed; somebody wrote into the store: keep it for whoever investigates"
            }
            _ => "",
        }
    }
}

#[cfg(test)]
mod tests;
