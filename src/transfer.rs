//! Across the gap: what leaves or enters the room is one [`Envelope`], and everything that carries it is here as pure
//! text and octets. Frames for animated codes, single codes, UR for other programs, and the modules of a QR code.
//!
//! It never reads a file, a camera or a clock, and it never decides whether an envelope is welcome: whoever asked for one
//! compares its kind and realm, and people compare the words of its digest. Devices and front ends call it; it uses
//! `basics` and nothing else. Nothing here authenticates: signatures and the words do. The formats are specified in
//! `media/README.md`, sections "Envelope", "Frames" and "UR".

pub mod calibration;
mod code;
pub mod envelope;
pub mod frame;
pub mod intake;
pub mod matrix;
pub mod never;
pub mod paper;
pub mod picture;
pub mod receiver;
pub mod sender;
pub mod ur;
pub mod volume;

pub use envelope::{Envelope, EnvelopeError, Kind};
pub use frame::{Frame, FrameError, TransferId};
pub use matrix::{Level, Matrix, MatrixError};
pub use receiver::{Progress, Receiver, Restart, Taken};
pub use sender::{Sender, SenderError};
pub use ur::{UrError, UrReceiver, UrSender};

#[cfg(test)]
mod tests;
