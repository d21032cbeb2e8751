//! Row 6: the outside world behind small, named devices. What a ceremony knows of the machine comes through here.
//!
//! Nothing here decides anything; each device does one thing and says what went wrong.

pub mod air_gap;
pub mod camera;
pub mod clock;
pub mod durable_file;
pub mod entropy;
pub mod frame_source;
pub mod hand_scanner;
pub mod medium;
pub mod picture_file;
pub mod picture_folder;
pub mod picture_reader;
pub mod share_scanner;
pub mod text_frames;
pub mod video;
pub mod whole_folder;

pub use clock::Clock;
