//! Framed messages over two pipes. A request is a JSON part and the octets of a picture; an answer is JSON alone:
//!
//! ```text
//! 00 00 00 28 {"request":"picture","milliseconds":250} 00 01 c2 08 89 50 4e 47 ...
//! 00 00 00 39 {"answer":"read","codes":["4b433157"],"panics":0}
//! ```

use crate::basics::limits;
use crate::devices::picture_file::PictureError;
use crate::transfer::picture::{Reading, Stage, Trouble};
use data_encoding::HEXLOWER;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde::{Deserialize, Serialize};
use std::io::{Error, ErrorKind, Read, Result, Write};
use std::os::fd::AsFd;
use std::process::{ChildStdin, ChildStdout};
use std::time::Instant;

/// What is asked. The octets travel beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum Request {
    /// A PNG or JPEG file.
    Picture { milliseconds: u64 },
    /// Grey values.
    Grey { width: usize, height: usize, milliseconds: u64 },
}

/// What is answered. Believed as little as the picture: the caller parses every code itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum Answer {
    Read { codes: Vec<String>, stage: Option<Stage>, trouble: Option<Trouble>, panics: u32 },
    Refused { error: PictureError },
}

impl Answer {
    pub(super) fn of(reading: Reading) -> Self {
        let codes = reading.codes.iter().map(|octets| HEXLOWER.encode(octets)).collect();
        Self::Read { codes, stage: reading.stage, trouble: reading.trouble, panics: reading.panics }
    }

    pub(super) fn into_reading(self) -> std::result::Result<Reading, PictureError> {
        match self {
            Self::Refused { error } => Err(error),
            Self::Read { codes, stage, trouble, panics } => {
                let codes = codes.iter().filter_map(|code| HEXLOWER.decode(code.as_bytes()).ok()).collect();
                Ok(Reading { codes, stage, trouble, panics })
            }
        }
    }
}

/// The parent's end: never waits longer than it is told to.
pub(super) struct Link {
    input: ChildStdin,
    output: ChildStdout,
}

impl Link {
    pub(super) fn new(input: ChildStdin, output: ChildStdout) -> Result<Self> {
        rustix::io::ioctl_fionbio(&input, true)?;
        rustix::io::ioctl_fionbio(&output, true)?;
        Ok(Self { input, output })
    }

    pub(super) fn send(&mut self, request: &Request, octets: &[u8], deadline: Instant) -> Result<()> {
        let json = serde_json::to_vec(request)?;
        for part in [&prefix(&json)?, json.as_slice(), &prefix(octets)?, octets] {
            let mut rest = part;
            while !rest.is_empty() {
                match self.input.write(rest) {
                    Ok(0) => return Err(ErrorKind::BrokenPipe.into()),
                    Ok(written) => rest = rest.get(written..).unwrap_or_default(),
                    Err(error) => wait_after(error, &self.input, PollFlags::OUT, deadline)?,
                }
            }
        }
        Ok(())
    }

    pub(super) fn receive(&mut self, deadline: Instant) -> Result<Answer> {
        let mut length = [0; 4];
        self.fill(&mut length, deadline)?;
        let mut json = vec![0; bounded(length, limits::PICTURE_ANSWER_OCTETS)?];
        self.fill(&mut json, deadline)?;
        Ok(serde_json::from_slice(&json)?)
    }

    fn fill(&mut self, mut rest: &mut [u8], deadline: Instant) -> Result<()> {
        while !rest.is_empty() {
            match self.output.read(rest) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(read) => rest = rest.get_mut(read..).unwrap_or_default(),
                Err(error) => wait_after(error, &self.output, PollFlags::IN, deadline)?,
            }
        }
        Ok(())
    }
}

/// After a call that would block: until the pipe is ready or time is up.
fn wait_after(error: Error, pipe: &impl AsFd, flags: PollFlags, deadline: Instant) -> Result<()> {
    match error.kind() {
        ErrorKind::Interrupted => return Ok(()),
        ErrorKind::WouldBlock => {}
        _ => return Err(error),
    }
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(ErrorKind::TimedOut.into());
    }
    let left = Timespec::try_from(left).map_err(|_| Error::from(ErrorKind::TimedOut))?;
    match poll(&mut [PollFd::new(pipe, flags)], Some(&left)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn prefix(part: &[u8]) -> Result<[u8; 4]> {
    u32::try_from(part.len()).map(u32::to_be_bytes).map_err(|_| ErrorKind::InvalidInput.into())
}

fn bounded(length: [u8; 4], limit: usize) -> Result<usize> {
    usize::try_from(u32::from_be_bytes(length))
        .ok()
        .filter(|length| *length <= limit)
        .ok_or_else(|| ErrorKind::InvalidData.into())
}

/// The child's end; `None` where the pipe has ended between requests.
pub(super) fn read_request(pipe: &mut impl Read) -> Result<Option<(Request, Vec<u8>)>> {
    let mut length = [0; 4];
    match pipe.read_exact(&mut length) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let mut json = vec![0; bounded(length, limits::PICTURE_ANSWER_OCTETS)?];
    pipe.read_exact(&mut json)?;
    pipe.read_exact(&mut length)?;
    let mut octets = vec![0; bounded(length, limits::PICTURE_FILE_OCTETS)?];
    pipe.read_exact(&mut octets)?;
    Ok(Some((serde_json::from_slice(&json)?, octets)))
}

pub(super) fn write_answer(pipe: &mut impl Write, answer: &Answer) -> Result<()> {
    let json = serde_json::to_vec(answer)?;
    pipe.write_all(&prefix(&json)?)?;
    pipe.write_all(&json)?;
    pipe.flush()
}
