//! Row 6: the outside world behind small, named devices. What a ceremony knows of the machine comes through here.
//!
//! Nothing here decides anything; each device does one thing and says what went wrong.

pub mod air_gap;
pub mod clock;
pub mod durable_file;
pub mod entropy;
pub mod medium;
pub mod whole_folder;

pub use clock::Clock;
