//! Foreign pictures are decoded in a process of their own: it may use little memory and time, opens nothing, and is killed when it does
//! not answer. What a hostile picture takes over holds no secret and has no way out but codes.

pub mod process;
mod protocol;

use crate::basics::limits;
use crate::devices::picture_file::PictureError;
use crate::transfer::picture::{Luma, Reading, Trouble};
use protocol::{Answer, Link, Request};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How much longer than its own deadline the process may take before it is killed: starting, decoding, a busy machine.
const GRACE: Duration = Duration::from_millis(5_000);
const FRAME_GRACE: Duration = Duration::from_millis(500);

/// Reads pictures and frames; starts its process when it is needed, and anew when it ended.
pub struct PictureReader {
    process: Option<Process>,
    how: How,
}

enum How {
    Process,
    /// In this process: for tests, whose program is not ours.
    InProcess,
}

struct Process {
    child: Child,
    link: Link,
    pictures: u32,
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl PictureReader {
    #[must_use]
    pub fn new() -> Self {
        Self { process: None, how: How::Process }
    }

    /// Answers the same requests without a process.
    #[must_use]
    pub fn in_process() -> Self {
        Self { process: None, how: How::InProcess }
    }

    /// The codes of a PNG or JPEG picture.
    ///
    /// # Errors
    /// Where it is no picture, is malformed, or its decoding ended at a limit.
    pub fn read_picture(&mut self, octets: &[u8]) -> Result<Reading, PictureError> {
        let milliseconds = limits::PICTURE_MILLISECONDS;
        self.ask(&Request::Picture { milliseconds }, octets, Duration::from_millis(milliseconds) + GRACE)
    }

    /// The codes of a frame of a camera that sends JPEG pictures.
    ///
    /// # Errors
    /// As for a picture.
    pub fn read_jpeg_frame(&mut self, octets: &[u8]) -> Result<Reading, PictureError> {
        let milliseconds = limits::FRAME_MILLISECONDS;
        self.ask(&Request::Picture { milliseconds }, octets, Duration::from_millis(milliseconds) + FRAME_GRACE)
    }

    /// The codes of a frame of a camera or video.
    ///
    /// # Errors
    /// Where its decoding ended at a limit.
    pub fn read_frame(&mut self, luma: &Luma) -> Result<Reading, PictureError> {
        let milliseconds = limits::FRAME_MILLISECONDS;
        let request = Request::Grey { width: luma.width(), height: luma.height(), milliseconds };
        self.ask(&request, luma.octets(), Duration::from_millis(milliseconds) + FRAME_GRACE)
    }

    fn ask(&mut self, request: &Request, octets: &[u8], within: Duration) -> Result<Reading, PictureError> {
        // Too much to send at all.
        if octets.len() > limits::PICTURE_FILE_OCTETS {
            let (limit, found) = (limits::PICTURE_FILE_OCTETS, octets.len());
            return Err(PictureError::Bomb { reason: format!("expected at most {limit} octets, found {found}") });
        }
        let answer = match self.how {
            How::InProcess => process::answer(request, octets),
            How::Process => self.exchange(request, octets, within)?,
        };
        answer.into_reading()
    }

    fn exchange(&mut self, request: &Request, octets: &[u8], within: Duration) -> Result<Answer, PictureError> {
        if self.process.as_ref().is_some_and(|process| process.pictures >= limits::PICTURE_PROCESS_PICTURES) {
            self.process = None;
        }
        let mut process = match self.process.take() {
            Some(process) => process,
            None => start().map_err(|error| PictureError::NoReader { reason: error.to_string() })?,
        };
        process.pictures += 1;
        let deadline = Instant::now() + within;
        let answer = process.link.send(request, octets, deadline).and_then(|()| process.link.receive(deadline));
        match answer {
            Ok(answer) => {
                self.process = Some(process);
                Ok(answer)
            }
            // Dropped, it is killed; the next picture gets a new one.
            Err(error) if error.kind() == std::io::ErrorKind::TimedOut => {
                Err(PictureError::Ended { limit: format!("{} milliseconds", within.as_millis()) })
            }
            Err(_) => Err(PictureError::Ended {
                limit: format!(
                    "{} MiB of memory or {} seconds of processor time",
                    limits::PICTURE_PROCESS_OCTETS >> 20,
                    limits::PICTURE_PROCESS_SECONDS
                ),
            }),
        }
    }
}

impl Default for PictureReader {
    fn default() -> Self {
        Self::new()
    }
}

fn start() -> std::io::Result<Process> {
    // /proc/self/exe is this very program even where its file has been replaced since.
    let mut child = Command::new("/proc/self/exe")
        .arg(process::ARGUMENT)
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    match (child.stdin.take(), child.stdout.take()) {
        (Some(input), Some(output)) => Ok(Process { child, link: Link::new(input, output)?, pictures: 0 }),
        _ => Err(std::io::Error::from(std::io::ErrorKind::BrokenPipe)),
    }
}

/// What is said of a picture in which no code was read.
#[must_use]
pub fn no_code(trouble: Option<Trouble>) -> String {
    trouble.unwrap_or(Trouble::NoCode).words()
}
