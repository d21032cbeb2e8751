//! Row 0: the words everything speaks. Pure values, no I/O, no clock, no randomness; every row may use it.

pub mod canonical;
pub mod counted;
pub mod digest;
pub mod html;
pub mod instant;
pub mod limits;
pub mod realm;
pub mod safe_text;
pub mod secret;
pub mod words;

pub use digest::Digest;
pub use instant::Instant;
pub use realm::Realm;
pub use safe_text::SafeText;
pub use secret::Secret;
