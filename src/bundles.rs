//! Row 7: bundles as folders: written from what a strongroom makes, checked by whoever has one. Nothing in here sees a private key:
//! shards come sealed and stay sealed. Formats: `factory`, `media/BUNDLE.md`.

mod check;
pub mod collect;
mod folder;
pub mod kept;
mod parts;
mod prove;
pub mod requests;
mod sign;
mod sorted;
mod write;

pub use check::{Checked, Expected, check};
pub use folder::open_file;
pub use parts::{Part, join, split};
pub use prove::{Proof, prove};
pub use sign::sign;
pub use write::{Making, Requests, Written, write};

use crate::devices::durable_file::FileError;
use crate::factory::Refusal;
use crate::strongroom::protocol::FrameError;

/// Why a bundle could not be written, or is none.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    File(#[from] FileError),
    #[error("the strongroom made no bundle: {0}")]
    Strongroom(String),
    #[error("{0}")]
    Strange(String),
    #[error(transparent)]
    Pipe(#[from] FrameError),
}
