//! Row 6: the process that holds secrets. It makes keys, seals, deals, proves, combines, builds what it signs and signs only
//! what its list names.
//!
//! It has no files, no sockets and no `sign(octets)`. The runner talks to it through [`client::Strongroom`], over the pipes of
//! a re-executed self; tests run the same client against the same room in their own process.

mod batch;
pub mod client;
pub mod process;
pub mod protocol;
pub mod room;
pub mod sealing;

pub use client::Strongroom;
pub use protocol::{Request, Response};
