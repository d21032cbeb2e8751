//! The device itself, through V4L2. No camera was at hand when this was written: `tests/py/camera_vivid.py` runs it on a virtual one of Linux,
//! and what is not a system call is in `camera.rs` and `pixel_format.rs` and tested there over a lens that is a list.

use super::pixel_format::PixelFormat;
use super::{Lens, Shape};
use crate::basics::limits;
use linuxvideo::format::{PixFormat, PixelFormat as Code};
use linuxvideo::stream::ReadStream;
use linuxvideo::{BufType, CapabilityFlags, Device};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::{Error, ErrorKind, Result};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Modules of a code at version 40 are four pixels wide in it, and every stage of the cascade stays under 10 ms.
const WIDTH: u32 = 1280;
const HEIGHT: u32 = 720;
/// Frames taken off the queue at once, to reach the newest.
const QUEUED: usize = 8;

/// A camera that is plugged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub device: PathBuf,
    /// As its firmware calls it: foreign text.
    pub card: String,
    /// Four-character codes of what it offers.
    pub formats: Vec<String>,
    /// Whether we read one of them.
    pub usable: bool,
}

/// The cameras of this machine, in the order of their names.
///
/// # Errors
/// Where `/dev` cannot be read.
pub fn list() -> Result<Vec<Found>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/dev")? {
        let name = entry?.file_name();
        if !name.to_string_lossy().starts_with("video") || found.len() >= limits::CAMERAS {
            continue;
        }
        let device = Path::new("/dev").join(name);
        // One that is in use by another program, or no camera, is none for us.
        let Ok(opened) = Device::open(&device) else { continue };
        let Ok(capabilities) = opened.capabilities() else { continue };
        if !capabilities.device_capabilities().contains(CapabilityFlags::VIDEO_CAPTURE) {
            continue;
        }
        let codes = codes_of(&opened);
        found.push(Found {
            card: capabilities.card().to_owned(),
            usable: codes.iter().any(|code| PixelFormat::of_code(*code).is_some()),
            formats: codes.iter().map(|code| String::from_utf8_lossy(code).into_owned()).collect(),
            device,
        });
    }
    found.sort_by(|one, other| one.device.cmp(&other.device));
    Ok(found)
}

fn codes_of(device: &Device) -> Vec<[u8; 4]> {
    let formats = device.formats(BufType::VIDEO_CAPTURE).take(limits::CAMERA_FORMATS);
    formats.filter_map(|format| Some(format.ok()?.pixel_format().as_fourcc())).collect()
}

pub(super) struct V4l {
    stream: ReadStream,
    shape: Shape,
}

impl V4l {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let device = Device::open(path)?;
        if !device.capabilities()?.device_capabilities().contains(CapabilityFlags::VIDEO_CAPTURE) {
            return Err(Error::other("expected a device that captures video, found another"));
        }
        let offered = codes_of(&device);
        let wanted = PixelFormat::ALL.iter().flat_map(|format| format.codes()).find(|code| offered.contains(code));
        let code = wanted.ok_or_else(|| {
            let names: Vec<_> = offered.iter().map(|code| String::from_utf8_lossy(code).into_owned()).collect();
            Error::other(format!("expected GREY, YUYV, UYVY, NV12, YU12 or MJPG, found {}", names.join(", ")))
        })?;
        let capture = device.video_capture(PixFormat::new(WIDTH, HEIGHT, Code::from_fourcc(*code)))?;
        let agreed = capture.format();
        let format = PixelFormat::of_code(agreed.pixel_format().as_fourcc())
            .ok_or_else(|| Error::other("the camera does not keep to the format it agreed to"))?;
        let size = |pixels: u32| usize::try_from(pixels).map_err(|_| Error::from(ErrorKind::InvalidData));
        let shape = Shape {
            width: size(agreed.width())?,
            height: size(agreed.height())?,
            stride: size(agreed.bytes_per_line())?,
            format,
        };
        Ok(Self { stream: capture.into_stream()?, shape })
    }
}

impl Lens for V4l {
    fn shape(&self) -> Shape {
        self.shape
    }

    fn newest(&mut self, within: Duration) -> Result<Option<Vec<u8>>> {
        let wait = Timespec::try_from(within).map_err(|_| Error::from(ErrorKind::InvalidInput))?;
        let ready = poll(&mut [PollFd::new(&self.stream, PollFlags::IN)], Some(&wait));
        match ready {
            Ok(0) | Err(rustix::io::Errno::INTR) => return Ok(None),
            other => other?,
        };
        let mut newest = None;
        for _ in 0..QUEUED {
            newest = self.stream.dequeue(|frame| Ok((!frame.is_error()).then(|| frame.to_vec())))?.or(newest);
            if self.stream.will_block()? {
                break;
            }
        }
        Ok(newest)
    }
}
