//! Row 5: what a record means. Replays it through the machine, checks a whole evidence folder against its script, and renders
//! the report. Pure: folders arrive as octets by path.

pub mod evidence;
pub mod meaning;
pub mod replay;
pub mod report;
pub mod verdict;

pub use replay::{Replayed, replay};
