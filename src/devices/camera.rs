//! A V4L2 camera: grey values of its newest frame, decoded in the picture reader's process, and what is wrong with what it sees.

pub mod pixel_format;
mod v4l;

use crate::basics::limits;
use crate::devices::frame_source::{FrameSource, Heard, SourceError};
use crate::devices::picture_file::PictureError;
use crate::devices::picture_reader::{PictureReader, no_code};
use crate::transfer::picture::{Luma, Reading};
use pixel_format::{Captured, PixelFormat};
use std::collections::VecDeque;
use std::path::Path;
use std::time::{Duration, Instant};

pub use v4l::{Found, list};

/// A camera that sends nothing for so long is gone, whatever its driver says.
const WATCHDOG: Duration = Duration::from_secs(5);

/// What takes pictures: a device, or a test's list.
pub trait Lens {
    /// Width, height and format of what comes.
    fn shape(&self) -> Shape;

    /// The newest frame, waiting about as long as said; `None` where none came.
    ///
    /// # Errors
    /// Where the device is gone.
    fn newest(&mut self, within: Duration) -> std::io::Result<Option<Vec<u8>>>;
}

/// What a lens delivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    pub width: usize,
    pub height: usize,
    /// Octets from one row to the next.
    pub stride: usize,
    pub format: PixelFormat,
}

/// A camera as a source of frames.
pub struct Camera {
    name: String,
    lens: Box<dyn Lens>,
    reader: PictureReader,
    texts: VecDeque<String>,
    last: Instant,
    frames: u64,
    since: Instant,
    preview: Option<Luma>,
}

impl Camera {
    /// Opens a device such as `/dev/video0`.
    ///
    /// # Errors
    /// Where it cannot be opened, is no camera, or offers no format we read.
    pub fn open(device: &Path, reader: PictureReader) -> Result<Self, SourceError> {
        let name = device.display().to_string();
        let lens = v4l::V4l::open(device).map_err(|error| {
            SourceError::new(&name, error, "`anchorite qr scan --list-cameras` says which there are")
        })?;
        Ok(Self::with_lens(name, Box::new(lens), reader))
    }

    /// Over any lens.
    #[must_use]
    pub fn with_lens(name: String, lens: Box<dyn Lens>, reader: PictureReader) -> Self {
        let now = Instant::now();
        Self { name, lens, reader, texts: VecDeque::new(), last: now, frames: 0, since: now, preview: None }
    }

    #[must_use]
    pub fn shape(&self) -> Shape {
        self.lens.shape()
    }

    fn read(&mut self, octets: &[u8]) -> Result<Reading, String> {
        match pixel_format::captured(self.lens.shape(), octets).map_err(|error| error.to_string())? {
            Captured::Jpeg(octets) => {
                self.preview = None;
                self.reader.read_jpeg_frame(octets).map_err(|error| error.to_string())
            }
            Captured::Grey(luma) => {
                // Nothing was inflated: a frame that takes too long says that this machine is slow or busy.
                let reading = self.reader.read_frame(&luma).map_err(|error| match error {
                    PictureError::Ended { limit } => format!("looking for a code took more than its {limit}"),
                    other => other.to_string(),
                });
                self.preview = Some(luma);
                reading
            }
        }
    }
}

impl FrameSource for Camera {
    fn name(&self) -> String {
        let shape = self.lens.shape();
        format!("camera {}  {}x{}", self.name, shape.width, shape.height)
    }

    fn preview(&self) -> Option<&Luma> {
        self.preview.as_ref()
    }

    fn rate(&mut self) -> Option<f32> {
        let seconds = self.since.elapsed().as_secs_f32();
        let rate = if seconds > 0.0 { self.frames as f32 / seconds } else { 0.0 };
        (self.frames, self.since) = (0, Instant::now());
        Some(rate)
    }

    fn hear(&mut self, within: Duration) -> Result<Heard, SourceError> {
        if let Some(text) = self.texts.pop_front() {
            return Ok(Heard::Text(text));
        }
        let gone = |what: String| {
            SourceError::new(
                self.name.clone(),
                what,
                "plug the camera in again, or take another source: nothing received is lost",
            )
        };
        let Some(octets) = self.lens.newest(within).map_err(|error| gone(error.to_string()))? else {
            if self.last.elapsed() > WATCHDOG {
                return Err(gone(format!("no picture for {} seconds", WATCHDOG.as_secs())));
            }
            return Ok(Heard::Nothing);
        };
        self.last = Instant::now();
        self.frames += 1;
        if octets.len() > limits::PICTURE_FILE_OCTETS {
            return Ok(Heard::Looks("the frame is too large".to_owned()));
        }
        Ok(match self.read(&octets) {
            // A camera's broken frame is followed by a whole one.
            Err(reason) => Heard::Looks(reason),
            Ok(reading) => {
                self.texts.extend(reading.texts());
                self.texts.pop_front().map_or_else(|| Heard::Looks(no_code(reading.trouble)), Heard::Text)
            }
        })
    }
}

#[cfg(test)]
mod tests;
