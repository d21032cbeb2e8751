//! Row 7: runs a plan. Event in, `advance`, entries made durable, effect performed, outcome back in as an event.
//!
//! The only row that knows both the machine and the outside world. Decides nothing about the ceremony.

mod accounts;
pub mod binding;
mod bundles;
pub mod closing;
pub mod folder;
pub mod front_end;
mod logs;
mod media;
pub mod perform;
pub mod production;
pub mod recover;
pub mod rehearsal;
mod requests;
pub mod room;
pub mod run;
mod signed_file;
pub mod simulated_module;
pub mod simulated_station;
pub mod strongrooms;
pub mod take_in;
mod telling;

pub use folder::Folder;
pub use front_end::FrontEnd;
pub use run::{Run, RunError};
