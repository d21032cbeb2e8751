//! Removable media: whatever is plugged in is hostile until its manifest and every digest hold, and a power cut may come at any call.
//!
//! A medium is a mounted folder, or a block device that we mount ourselves where we may. Everything inside is opened beneath the
//! medium's own folder, once, and looked at and read through that one descriptor. Layout: `transfer::volume`, `media/README.md`.

mod blocks;
mod error;
mod inside;
mod offered;
mod place;
mod reader;
mod writer;

pub use blocks::{Stick, removable, sticks};
pub use error::MediumError;
pub use inside::OddName;
pub use offered::{Offer, Offers, copy_file, file_in};
pub use place::{Access, Place};
pub use reader::{Contents, ExportState, Loose, Medium, ReadExport};
pub use writer::{Content, Written, initialise, write_contents, write_export};
