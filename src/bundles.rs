//! Row 7: bundles as folders: written from what a strongroom makes, checked by whoever has one. Nothing in here sees a private key:
//! shards come sealed and stay sealed. Formats: `factory`, `media/BUNDLE.md`.

pub mod before;
mod check;
pub mod collect;
mod folder;
pub mod kept;
pub mod logged;
mod parts;
mod prove;
pub mod rederive;
pub mod requests;
mod sign;
mod sorted;
mod write;

pub use check::{Checked, Expected, check};
pub use folder::{is_the_one, open_file};
pub use parts::{Part, join, split};
pub use prove::{Proof, prove};
pub use sign::sign;
pub use write::{Making, Requests, Written, write};

use crate::devices::durable_file::FileError;
use crate::factory::Refusal;
use crate::strongroom::protocol::FrameError;

/// Is told how many of how many are done, of work that takes longer than a moment.
pub type Progress<'p> = dyn FnMut(u32, u32) + 'p;

/// Where nobody waits for it.
pub const fn untold(_done: u32, _of: u32) {}

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
