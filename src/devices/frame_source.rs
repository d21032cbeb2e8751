//! Whatever codes are read from: one question, asked again and again by whoever collects frames. Nothing here knows what a text means.

use crate::transfer::picture::Luma;
use std::time::Duration;

/// What a source answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// The text of a code.
    Text(String),
    /// A picture or line that gave nothing, and why: the next one may.
    Refused { name: String, reason: String },
    /// How the present picture looks: for whoever holds the camera.
    Looks(String),
    /// Nothing within the time given.
    Nothing,
    /// There will be no more.
    Ended,
}

/// A camera, scanner, folder, file.
pub trait FrameSource {
    /// What it is called in sentences.
    fn name(&self) -> String;

    /// The next thing it has, waiting about as long as said.
    ///
    /// # Errors
    /// Where the source itself is gone: unplugged, unreadable.
    fn hear(&mut self, within: Duration) -> Result<Heard, SourceError>;

    /// What it sees, where it sees anything: for whoever holds a code before it.
    fn preview(&self) -> Option<&Luma> {
        None
    }

    /// Pictures a second since this was asked last, where it takes pictures.
    fn rate(&mut self) -> Option<f32> {
        None
    }
}

/// Why a source cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{name}: {what}")]
pub struct SourceError {
    pub name: String,
    pub what: String,
    /// What to do.
    pub hint: String,
}

impl SourceError {
    pub fn new(name: impl Into<String>, what: impl std::fmt::Display, hint: impl Into<String>) -> Self {
        Self { name: name.into(), what: what.to_string(), hint: hint.into() }
    }
}
