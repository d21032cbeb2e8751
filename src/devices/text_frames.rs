//! A text file of frames: one a line, or one text over many lines such as a PEM file.

use crate::basics::limits;
use crate::devices::durable_file;
use crate::devices::frame_source::{FrameSource, Heard, SourceError};
use std::collections::VecDeque;
use std::path::Path;
use std::time::Duration;

/// The lines of a file.
pub struct TextFrames {
    name: String,
    lines: VecDeque<String>,
}

impl TextFrames {
    /// Reads the file. A text that begins like PEM is one text, not lines.
    ///
    /// # Errors
    /// Where it cannot be read, is too long or is no text.
    pub fn open(path: &Path) -> Result<Self, SourceError> {
        let name = path.display().to_string();
        let octets = durable_file::read(path, limits::FRAME_FILE_OCTETS)
            .map_err(|error| SourceError::new(&name, format!("{}: {}", error.what, error.cause), ""))?;
        let text = String::from_utf8(octets).map_err(|_| {
            SourceError::new(
                &name,
                "expected a text file of frames, found octets that are no text",
                "give a picture, a folder or a video instead",
            )
        })?;
        let lines = if text.trim_start().starts_with("-----BEGIN ") {
            VecDeque::from([text])
        } else {
            text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
        };
        Ok(Self { name, lines })
    }
}

impl FrameSource for TextFrames {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn hear(&mut self, _within: Duration) -> Result<Heard, SourceError> {
        Ok(self.lines.pop_front().map_or(Heard::Ended, Heard::Text))
    }
}
