//! From a camera's octets to grey values. In every raw format here the grey values lie in the open; no colour is computed.

use super::Shape;
use crate::transfer::picture::{Luma, LumaError};

/// The formats we take, the one that costs least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PixelFormat {
    /// One octet a pixel.
    Grey,
    /// Y and U, Y and V: every other octet is grey.
    Yuyv,
    /// U and Y, V and Y.
    Uyvy,
    /// All grey values first, then colours at half resolution.
    Nv12,
    /// All grey values first, then two planes of colours.
    Yuv420,
    /// A JPEG picture a frame.
    Jpeg,
}

impl PixelFormat {
    /// In the order in which they are asked for.
    pub const ALL: [Self; 6] = [Self::Grey, Self::Yuyv, Self::Uyvy, Self::Nv12, Self::Yuv420, Self::Jpeg];

    /// The four-character codes of V4L2 for it.
    #[must_use]
    pub fn codes(self) -> &'static [[u8; 4]] {
        match self {
            Self::Grey => const { &[*b"GREY", *b"Y800"] },
            Self::Yuyv => const { &[*b"YUYV"] },
            Self::Uyvy => const { &[*b"UYVY"] },
            Self::Nv12 => const { &[*b"NV12", *b"NV21"] },
            Self::Yuv420 => const { &[*b"YU12", *b"YV12"] },
            Self::Jpeg => const { &[*b"MJPG", *b"JPEG"] },
        }
    }

    #[must_use]
    pub fn of_code(code: [u8; 4]) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.codes().contains(&code))
    }

    /// Octets a pixel's grey value and what lies between it and the next take.
    fn pitch(self) -> usize {
        if matches!(self, Self::Yuyv | Self::Uyvy) { 2 } else { 1 }
    }
}

/// A frame that can be read.
#[derive(Debug, PartialEq, Eq)]
pub enum Captured<'a> {
    Grey(Luma),
    Jpeg(&'a [u8]),
}

/// Why a frame cannot.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum CaptureError {
    #[error("expected a frame of {expected} octets, found {found}")]
    Short { expected: usize, found: usize },
    #[error(transparent)]
    Size(#[from] LumaError),
}

/// Takes the grey values out of a frame.
///
/// # Errors
/// Where the frame is shorter than its shape says.
pub fn captured(shape: Shape, octets: &[u8]) -> Result<Captured<'_>, CaptureError> {
    if shape.format == PixelFormat::Jpeg {
        return Ok(Captured::Jpeg(octets));
    }
    let pixels = Luma::pixels_of(shape.width, shape.height)?;
    let pitch = shape.format.pitch();
    let row = shape.width * pitch;
    // A driver that says 0 means: without gaps.
    let stride = shape.stride.max(row);
    let expected = stride * (shape.height - 1) + row;
    if octets.len() < expected {
        return Err(CaptureError::Short { expected, found: octets.len() });
    }
    let first = usize::from(shape.format == PixelFormat::Uyvy);
    let mut grey = Vec::with_capacity(pixels);
    for line in octets.chunks(stride).take(shape.height) {
        grey.extend(line.iter().take(row).skip(first).step_by(pitch));
    }
    Ok(Captured::Grey(Luma::new(shape.width, shape.height, grey)?))
}
