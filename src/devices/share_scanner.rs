//! A share taken from the code on its card, by a camera or a hand-held imager. The device is read in a process of its own: pictures of
//! the code stay there, one line with the share comes back, and the kernel takes the rest when the process ends.

use crate::basics::{Secret, limits};
use crate::devices::camera::Camera;
use crate::devices::frame_source::{FrameSource, Heard};
use crate::devices::hand_scanner::SerialScanner;
use crate::devices::picture_reader::PictureReader;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Signal, set_parent_process_death_signal};
use std::io::Write;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;
use zeroize::Zeroize;

/// The word with which the program starts itself as a share scanner; the device follows it.
pub const ARGUMENT: &str = "share-scanner-process";

const WAIT: Duration = Duration::from_millis(200);

/// The scanning process, seen from outside. Dropped, it is ended.
pub struct ShareScanner {
    child: Child,
    out: ChildStdout,
    line: Secret,
}

impl ShareScanner {
    /// Starts scanning with a device.
    ///
    /// # Errors
    /// Where the path is no device, or the process does not start.
    pub fn start(device: &Path) -> Result<Self, String> {
        use std::os::unix::fs::FileTypeExt;
        let is_device = std::fs::metadata(device).is_ok_and(|found| found.file_type().is_char_device());
        if !is_device {
            // A folder or file of pictures would be a share on a disk.
            return Err(format!("{}: expected a camera or a serial scanner, found no such device", device.display()));
        }
        let mut command = Command::new("/proc/self/exe");
        command.arg(ARGUMENT).arg(device).env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        Self::of(command)
    }

    fn of(mut command: Command) -> Result<Self, String> {
        let mut child = command.spawn().map_err(|e| format!("the scanner's process did not start: {e}"))?;
        let out = child.stdout.take().ok_or("the scanner's process has no output")?;
        Ok(Self { child, out, line: Secret::with_capacity(limits::SECRET_CHARS) })
    }

    /// The share, once a code held one; `None` where none came within the time given.
    ///
    /// # Errors
    /// Where the process ended without one: the device cannot be used, or was pulled.
    pub fn poll(&mut self, within: Duration) -> Result<Option<Secret>, String> {
        let wait = Timespec { tv_sec: 0, tv_nsec: i64::from(within.subsec_nanos()) };
        if poll(&mut [PollFd::new(&self.out, PollFlags::IN)], Some(&wait)).map_err(|e| e.to_string())? == 0 {
            return Ok(None);
        }
        let mut octet = zeroize::Zeroizing::new([0]);
        while rustix::io::read(&self.out, &mut *octet) == Ok(1) {
            match octet.first() {
                Some(b'\n') => {
                    let line = std::mem::replace(&mut self.line, Secret::with_capacity(0));
                    return Ok(Some(line));
                }
                Some(octet) if self.line.push(*octet) => {}
                _ => break,
            }
        }
        Err("the camera or scanner gave no share and ended: is it plugged in, and is it the bound one?".to_owned())
    }
}

impl Drop for ShareScanner {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The process: reads the device until a code looks like a share, writes it and ends.
///
/// # Errors
/// Where the device cannot be used.
pub fn serve(device: &Path) -> Result<(), String> {
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(|e| e.to_string())?;
    let mut source: Box<dyn FrameSource> = match Camera::open(device, PictureReader::in_process()) {
        Ok(camera) => Box::new(camera),
        Err(_) => Box::new(SerialScanner::open(device).map_err(|e| e.to_string())?),
    };
    let mut out = std::io::stdout().lock();
    first_share(source.as_mut(), &mut out)
}

fn first_share(source: &mut dyn FrameSource, out: &mut impl Write) -> Result<(), String> {
    loop {
        match source.hear(WAIT).map_err(|e| e.to_string())? {
            Heard::Text(mut text) => {
                let found = is_a_share(&text);
                if found {
                    out.write_all(text.trim().as_bytes()).map_err(|e| e.to_string())?;
                    out.write_all(b"\n").and_then(|()| out.flush()).map_err(|e| e.to_string())?;
                }
                text.zeroize();
                if found {
                    return Ok(());
                }
            }
            Heard::Ended => return Err("the device ended".to_owned()),
            Heard::Refused { .. } | Heard::Looks(_) | Heard::Nothing => {}
        }
    }
}

/// Whether a code holds a share's text, whichever: what fits is the strongroom's to say.
fn is_a_share(text: &str) -> bool {
    let text = text.trim();
    text.len() == SHARE_CHARS && (text.starts_with("KS1") || text.starts_with("KR1"))
}

/// Characters of a share's text (`media/README.md`, Shares).
const SHARE_CHARS: usize = 80;

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;

    const SHARE: &str = "KR1QXWLE5GPQGPSZMS0UDX02ZATJ54NNYZML2KGP8J9QS24VV6RT5NUAX6UE423004607MSL295C0T6P";

    struct Heap(VecDeque<Heard>);

    impl FrameSource for Heap {
        fn name(&self) -> String {
            "a heap".to_owned()
        }

        fn hear(&mut self, _: Duration) -> Result<Heard, crate::devices::frame_source::SourceError> {
            Ok(self.0.pop_front().unwrap_or(Heard::Ended))
        }
    }

    #[test]
    fn the_first_code_that_holds_a_share_is_given_and_nothing_else() {
        let text = |text: &str| Heard::Text(text.to_owned());
        let heard =
            [text("AE1SOMETHING"), Heard::Nothing, text("KS1TOO SHORT"), text(&format!("{SHARE}\r\n")), text("AF1")];
        let mut out = Vec::new();
        first_share(&mut Heap(heard.into()), &mut out).unwrap();
        assert_eq!(out, format!("{SHARE}\n").as_bytes());
        assert!(first_share(&mut Heap([text("AE1SOMETHING")].into()), &mut Vec::new()).is_err());
    }

    #[test]
    fn what_the_process_says_arrives_as_a_secret_and_its_end_is_noticed() {
        let of = |script: &str| {
            let mut command = Command::new("sh");
            command.args(["-c", script]).stdout(Stdio::piped());
            ShareScanner::of(command).unwrap()
        };
        let until =
            |scanner: &mut ShareScanner| (0..100).find_map(|_| scanner.poll(Duration::from_millis(100)).transpose());
        let mut scanner = of(&format!("sleep 0.2; printf '{SHARE}\\n'"));
        assert!(until(&mut scanner).unwrap().unwrap().same_as(SHARE.as_bytes()));
        assert!(until(&mut of("exit 1")).unwrap().is_err());
        assert!(until(&mut of("head -c 1000 /dev/zero")).unwrap().is_err(), "no line without end");
    }

    #[test]
    fn a_file_of_pictures_is_no_scanner() {
        let folder = tempfile::tempdir().unwrap();
        for path in [folder.path().to_owned(), folder.path().join("none")] {
            let said = ShareScanner::start(&path).err().unwrap();
            assert!(said.contains("expected a camera or a serial scanner"), "{said}");
        }
    }
}
