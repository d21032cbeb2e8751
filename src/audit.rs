//! Row 5: what a record means. Replays it through the machine, checks a whole evidence folder against its script, and renders
//! the report. Pure: folders arrive as octets by path.

mod before;
pub mod bound;
pub mod disclosure;
pub mod evidence;
pub mod facts;
pub mod folder;
mod governance;
pub mod issued;
pub mod meaning;
pub mod replay;
pub mod report;
mod script_steps;
pub mod signatures;
pub mod signed;
pub mod standing;
pub mod verdict;

pub use evidence::{Pin, verify, verify_after, verify_record};
pub use folder::Files;
pub use replay::{Replayed, replay, replay_seeing};
pub use verdict::Verdict;
