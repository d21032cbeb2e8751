//! A video file, through `ffmpeg` where it is installed: grey pictures on a pipe. `ffmpeg` parses foreign octets with all it has; it is
//! the operator's choice to use it, and not needed for anything.

use crate::basics::limits;
use crate::devices::frame_source::{FrameSource, Heard, SourceError};
use crate::devices::picture_reader::PictureReader;
use crate::transfer::picture::Luma;
use std::collections::VecDeque;
use std::io::{BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

/// More than twice as fast as codes are shown; more often is the same code again.
const FILTER: &str = "fps=15,scale='min(1920,iw)':-2,format=gray";

/// The pictures of a video.
pub struct Video {
    name: String,
    reader: PictureReader,
    ffmpeg: Child,
    pictures: BufReader<ChildStdout>,
    texts: VecDeque<String>,
    frames: u32,
    read: u32,
}

impl Video {
    /// Starts `ffmpeg` on the file.
    ///
    /// # Errors
    /// Where `ffmpeg` is not installed, or the file cannot be read.
    pub fn open(path: &Path, reader: PictureReader) -> Result<Self, SourceError> {
        let name = path.display().to_string();
        // A name that begins with a dash, or has a colon in it, is a name and no option or protocol.
        let full = std::fs::canonicalize(path).map_err(|error| SourceError::new(&name, error, ""))?;
        let mut input = std::ffi::OsString::from("file:");
        input.push(full);
        let spawned = Command::new("ffmpeg")
            .args(["-nostdin", "-hide_banner", "-loglevel", "error", "-protocol_whitelist", "file", "-i"])
            .arg(input)
            .args(["-an", "-sn", "-vf", FILTER, "-f", "image2pipe", "-c:v", "pgm", "-"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let mut ffmpeg = spawned.map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => SourceError::new(
                &name,
                "a video is read through ffmpeg, which is not installed",
                "install it (Debian: apt-get install ffmpeg), or give single pictures (PNG, JPEG) instead",
            ),
            _ => SourceError::new(&name, format!("ffmpeg: {error}"), ""),
        })?;
        let pictures = ffmpeg.stdout.take().ok_or_else(|| SourceError::new(&name, "ffmpeg has no output", ""))?;
        let pictures = BufReader::with_capacity(1 << 20, pictures);
        Ok(Self { name, reader, ffmpeg, pictures, texts: VecDeque::new(), frames: 0, read: 0 })
    }

    /// Frames seen, and frames in which a code was read.
    #[must_use]
    pub fn counts(&self) -> (u32, u32) {
        (self.frames, self.read)
    }
}

impl Drop for Video {
    fn drop(&mut self) {
        let _ = self.ffmpeg.kill();
        let _ = self.ffmpeg.wait();
    }
}

impl FrameSource for Video {
    fn name(&self) -> String {
        format!("video {}", self.name)
    }

    fn hear(&mut self, _within: Duration) -> Result<Heard, SourceError> {
        if let Some(text) = self.texts.pop_front() {
            return Ok(Heard::Text(text));
        }
        let broken = |error: std::io::Error| SourceError::new(self.name.clone(), format!("ffmpeg: {error}"), "");
        if self.frames >= limits::VIDEO_FRAMES {
            return Ok(Heard::Ended);
        }
        let Some(luma) = read_pgm(&mut self.pictures).map_err(broken)? else {
            if self.frames == 0 {
                return Err(SourceError::new(
                    &self.name,
                    "ffmpeg found no picture in it",
                    "give a video, or pictures (PNG, JPEG)",
                ));
            }
            return Ok(Heard::Ended);
        };
        self.frames += 1;
        // One frame that cannot be read is nothing special in a video.
        let Ok(reading) = self.reader.read_frame(&luma) else { return Ok(Heard::Nothing) };
        self.texts.extend(reading.texts());
        self.read += u32::from(!self.texts.is_empty());
        Ok(self.texts.pop_front().map_or(Heard::Nothing, Heard::Text))
    }
}

/// One binary PGM picture: `P5 1280 720 255` and the grey values. `None` at the end.
fn read_pgm(pipe: &mut impl Read) -> std::io::Result<Option<Luma>> {
    let malformed = || std::io::Error::from(std::io::ErrorKind::InvalidData);
    let Some(magic) = word(pipe)? else { return Ok(None) };
    if magic != "P5" {
        return Err(malformed());
    }
    let mut number =
        || -> std::io::Result<usize> { word(pipe)?.and_then(|word| word.parse().ok()).ok_or_else(malformed) };
    let (width, height, most) = (number()?, number()?, number()?);
    let pixels = Luma::pixels_of(width, height).map_err(|_| malformed())?;
    if most != 255 {
        return Err(malformed());
    }
    let mut octets = vec![0; pixels];
    match pipe.read_exact(&mut octets) {
        // The last picture of a video that was cut short.
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
        Ok(()) => Luma::new(width, height, octets).map(Some).map_err(|_| malformed()),
    }
}

fn word(pipe: &mut impl Read) -> std::io::Result<Option<String>> {
    let mut word = String::new();
    let mut octet = [0];
    while word.len() < 10 {
        if pipe.read(&mut octet)? == 0 {
            return Ok(None);
        }
        match octet {
            [space] if space.is_ascii_whitespace() => return Ok(Some(word)),
            [other] => word.push(char::from(other)),
        }
    }
    Err(std::io::ErrorKind::InvalidData.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_follow_each_other_on_the_pipe_and_a_cut_one_ends_it() {
        let mut stream: &[u8] = b"P5\n2 1\n255\n\x01\x02P5\n1 2\n255\n\x03\x04P5\n2 2\n255\n\x05";
        let mut next = || read_pgm(&mut stream).unwrap();
        assert_eq!(next(), Some(Luma::new(2, 1, vec![1, 2]).unwrap()));
        assert_eq!(next(), Some(Luma::new(1, 2, vec![3, 4]).unwrap()));
        assert_eq!(next(), None);
    }

    #[test]
    fn a_picture_bomb_on_the_pipe_is_refused_before_it_is_allocated() {
        for bomb in [
            &b"P5\n60000 60000\n255\n"[..],
            b"P5\n0 9\n255\n",
            b"P6\n1 1\n255\n",
            b"P5\n99999999999 1\n",
            b"P5\n1 1\n65535\n",
        ] {
            assert!(read_pgm(&mut &*bomb).is_err());
        }
    }
}
