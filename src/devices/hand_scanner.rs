//! A hand-held imager: on USB serial, or one that types as a keyboard. Both give lines; neither sends a picture.

mod lines;

use crate::basics::limits;
use crate::devices::frame_source::{FrameSource, Heard, SourceError};
use lines::Lines;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags, open};
use rustix::termios::{ControlModes, OptionalActions, isatty, tcgetattr, tcsetattr};
use std::fs::File;
use std::io::Read;
use std::os::fd::AsFd;
use std::path::Path;
use std::time::Duration;

/// What USB serial imagers say they run at; over USB the number means nothing, over a real line most are set to it.
const SPEED: u32 = 115_200;
/// An imager without a suffix ends a code by pausing.
const PAUSE: Duration = Duration::from_millis(120);

/// An imager on a serial device, `/dev/ttyACM0`.
pub struct SerialScanner {
    name: String,
    device: File,
    lines: Lines,
}

impl SerialScanner {
    /// Opens the device as a raw line of 8 bits without parity.
    ///
    /// # Errors
    /// Where it cannot be opened or is no serial device.
    pub fn open(path: &Path) -> Result<Self, SourceError> {
        let name = path.display().to_string();
        let set = || -> std::io::Result<File> {
            let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
            let device = File::from(open(path, flags, Mode::empty())?);
            if !isatty(&device) {
                return Err(std::io::Error::other("expected a serial device, found another file"));
            }
            let mut line = tcgetattr(&device)?;
            line.make_raw();
            line.control_modes |= ControlModes::CS8 | ControlModes::CREAD | ControlModes::CLOCAL;
            line.control_modes &= !(ControlModes::PARENB | ControlModes::CSTOPB | ControlModes::CRTSCTS);
            line.set_speed(SPEED)?;
            tcsetattr(&device, OptionalActions::Flush, &line)?;
            Ok(device)
        };
        let hint =
            "set the imager to USB-CDC (virtual COM port) with its manual's programming code; it is then /dev/ttyACM0";
        let device = set().map_err(|error| SourceError::new(&name, error, hint))?;
        Ok(Self { name, device, lines: Lines::default() })
    }
}

impl FrameSource for SerialScanner {
    fn name(&self) -> String {
        format!("scanner {}", self.name)
    }

    fn hear(&mut self, within: Duration) -> Result<Heard, SourceError> {
        let heard = hear_lines(&mut self.device, &mut self.lines, within).map_err(|error| {
            SourceError::new(&self.name, error, "plug the scanner in again: nothing received is lost")
        })?;
        match heard {
            // A serial device that ends was pulled.
            Heard::Ended => {
                Err(SourceError::new(&self.name, "the scanner is gone", "plug it in again: nothing received is lost"))
            }
            other => Ok(other),
        }
    }
}

/// An imager that types, or a person, or a pipe: lines on standard input.
pub struct KeyboardScanner {
    input: File,
    lines: Lines,
}

impl KeyboardScanner {
    /// Listens to standard input. The terminal stays as it is: it gives whole lines of at most 4,095 characters, which is version 37.
    ///
    /// # Errors
    /// Where there is no standard input.
    pub fn on_standard_input() -> Result<Self, SourceError> {
        let fd = std::io::stdin().as_fd().try_clone_to_owned();
        let fd = fd.map_err(|error| SourceError::new("standard input", error, ""))?;
        Ok(Self { input: File::from(fd), lines: Lines::default() })
    }
}

impl FrameSource for KeyboardScanner {
    fn name(&self) -> String {
        "scanner that types".to_owned()
    }

    fn hear(&mut self, within: Duration) -> Result<Heard, SourceError> {
        hear_lines(&mut self.input, &mut self.lines, within)
            .map_err(|error| SourceError::new("standard input", error, ""))
    }
}

fn hear_lines(device: &mut File, lines: &mut Lines, within: Duration) -> std::io::Result<Heard> {
    if let Some(line) = lines.next_line() {
        return Ok(said(line));
    }
    let wait = if lines.has_part() { PAUSE } else { within };
    let timeout = Timespec::try_from(wait).map_err(|_| std::io::Error::from(std::io::ErrorKind::InvalidInput))?;
    match poll(&mut [PollFd::new(&*device, PollFlags::IN)], Some(&timeout)) {
        Ok(0) => {
            lines.pause();
            return Ok(lines.next_line().map_or(Heard::Nothing, said));
        }
        Err(rustix::io::Errno::INTR) => return Ok(Heard::Nothing),
        other => other?,
    };
    let mut octets = [0; limits::SCANNER_OCTETS];
    match device.read(&mut octets) {
        Ok(0) => {
            lines.pause();
            Ok(lines.next_line().map_or(Heard::Ended, said))
        }
        Ok(read) => {
            lines.push(octets.get(..read).unwrap_or_default());
            Ok(lines.next_line().map_or(Heard::Nothing, said))
        }
        Err(error) if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::Interrupted) => {
            Ok(Heard::Nothing)
        }
        // What a pulled USB serial device answers.
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error()) => Ok(Heard::Ended),
        Err(error) => Err(error),
    }
}

fn said(line: Result<String, String>) -> Heard {
    match line {
        Ok(text) => Heard::Text(text),
        Err(reason) => Heard::Refused { name: "scanner".to_owned(), reason },
    }
}

#[cfg(test)]
mod tests;
