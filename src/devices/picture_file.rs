//! From the octets of a PNG or JPEG file to grey values, within limits. Foreign octets: called only in the process of
//! `picture_reader/process.rs`, which may use little and can be killed.

use crate::basics::limits;
use crate::transfer::picture::{Luma, LumaError};
use serde::{Deserialize, Serialize};
use std::io::Cursor;
use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

/// Why a picture gives no grey values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "fault", rename_all = "kebab-case")]
pub enum PictureError {
    #[error("expected a PNG or JPEG picture, found something else")]
    NotAPicture,
    #[error("picture bomb: {reason}")]
    Bomb { reason: String },
    #[error("the picture ends before it is complete")]
    Truncated,
    #[error("the picture is malformed: {reason}")]
    Malformed { reason: String },
    #[error("picture bomb: its decoding used more than its {limit}, and was ended")]
    Ended { limit: String },
    #[error("the picture reader cannot be started: {reason}")]
    NoReader { reason: String },
}

impl From<LumaError> for PictureError {
    fn from(error: LumaError) -> Self {
        match error {
            LumaError::TooLarge { .. } => Self::Bomb { reason: error.to_string() },
            LumaError::Empty { .. } | LumaError::Length { .. } => Self::Malformed { reason: error.to_string() },
        }
    }
}

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
const JPEG: &[u8] = b"\xff\xd8\xff";

/// Whether a file that begins like this is for [`decode`].
#[must_use]
pub fn is_picture(start: &[u8]) -> bool {
    start.starts_with(PNG) || start.starts_with(JPEG)
}

/// Decodes a picture.
///
/// # Errors
/// Where it is no picture, too large, cut short or malformed.
pub fn decode(octets: &[u8]) -> Result<Luma, PictureError> {
    if octets.len() > limits::PICTURE_FILE_OCTETS {
        let (limit, found) = (limits::PICTURE_FILE_OCTETS, octets.len());
        return Err(PictureError::Bomb { reason: format!("expected at most {limit} octets, found {found}") });
    }
    if octets.starts_with(PNG) {
        png(octets)
    } else if octets.starts_with(JPEG) {
        jpeg(octets)
    } else if !octets.is_empty() && (PNG.starts_with(octets) || JPEG.starts_with(octets)) {
        Err(PictureError::Truncated)
    } else {
        Err(PictureError::NotAPicture)
    }
}

fn png(octets: &[u8]) -> Result<Luma, PictureError> {
    // Only what the image needs; text and profiles are never inflated.
    let mut decoder =
        png::Decoder::new_with_limits(Cursor::new(octets), png::Limits { bytes: limits::PICTURE_DECODER_OCTETS });
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    decoder.set_transformations(png::Transformations::EXPAND | png::Transformations::STRIP_16);
    let (width, height) = decoder.read_header_info().map_err(png_error)?.size();
    let side = |pixels: u32| usize::try_from(pixels).unwrap_or(usize::MAX);
    let pixels = Luma::pixels_of(side(width), side(height))?;
    let mut reader = decoder.read_info().map_err(png_error)?;
    let (color, _) = reader.output_color_type();
    let size = reader.output_buffer_size().filter(|size| *size <= pixels.saturating_mul(4));
    let size =
        size.ok_or_else(|| PictureError::Malformed { reason: "its rows are longer than its pixels".to_owned() })?;
    let mut buffer = vec![0; size];
    reader.next_frame(&mut buffer).map_err(png_error)?;
    let grey = match color {
        png::ColorType::Grayscale | png::ColorType::Indexed => buffer,
        png::ColorType::GrayscaleAlpha => over_white(
            &buffer,
            |pixel| match *pixel {
                [grey, alpha] => (u32::from(grey), u32::from(alpha)),
                _ => (0, 0),
            },
            2,
        ),
        png::ColorType::Rgb => buffer.chunks_exact(3).map(grey_of).collect(),
        png::ColorType::Rgba => over_white(
            &buffer,
            |pixel| match *pixel {
                [_, _, _, alpha] => (u32::from(grey_of(pixel)), u32::from(alpha)),
                _ => (0, 0),
            },
            4,
        ),
    };
    Ok(Luma::new(side(width), side(height), grey)?)
}

/// What shines through is paper: a code on a transparent background is meant for a white page.
fn over_white(buffer: &[u8], grey_and_alpha: impl Fn(&[u8]) -> (u32, u32), channels: usize) -> Vec<u8> {
    let blend = |pixel| {
        let (grey, alpha) = grey_and_alpha(pixel);
        u8::try_from((grey * alpha + 255 * (255 - alpha)) / 255).unwrap_or(u8::MAX)
    };
    buffer.chunks_exact(channels).map(blend).collect()
}

/// ITU-R BT.601 luma in 1/256.
fn grey_of(pixel: &[u8]) -> u8 {
    let [red, green, blue, ..] = *pixel else { return 0 };
    let sum = 77 * u32::from(red) + 150 * u32::from(green) + 29 * u32::from(blue);
    u8::try_from(sum >> 8).unwrap_or(u8::MAX)
}

fn png_error(error: png::DecodingError) -> PictureError {
    match error {
        png::DecodingError::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            PictureError::Truncated
        }
        png::DecodingError::LimitsExceeded => {
            PictureError::Bomb { reason: "its parts need more memory than a picture may".to_owned() }
        }
        other => {
            let reason = other.to_string();
            // The inflater does not say it in another way.
            if reason.contains("end of file")
                || reason.contains("UnexpectedEof")
                || reason.contains("No more image data")
            {
                return PictureError::Truncated;
            }
            PictureError::Malformed { reason }
        }
    }
}

/// A JPEG file, or a frame of a camera that sends them.
fn jpeg(octets: &[u8]) -> Result<Luma, PictureError> {
    let options = DecoderOptions::new_safe()
        .set_max_width(limits::PICTURE_SIDE)
        .set_max_height(limits::PICTURE_SIDE)
        .jpeg_set_max_scans(limits::PICTURE_JPEG_SCANS)
        .jpeg_set_out_colorspace(ColorSpace::Luma);
    // A JPEG ends with its end marker; a decoder that fills the rest with grey would hide that a half is missing.
    let tail = octets.rchunks(TAIL_OCTETS).next().unwrap_or_default();
    let complete = tail.windows(2).any(|pair| pair == [0xff, 0xd9]);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(octets), options);
    decoder.decode_headers().map_err(|error| jpeg_error(&error, complete))?;
    let (width, height) = decoder.dimensions().unwrap_or_default();
    Luma::pixels_of(width, height)?;
    let grey = decoder.decode().map_err(|error| jpeg_error(&error, complete))?;
    if !complete {
        return Err(PictureError::Truncated);
    }
    Ok(Luma::new(width, height, grey)?)
}

/// Phones put a few octets after the end marker.
const TAIL_OCTETS: usize = 64 * 1024;

fn jpeg_error(error: &DecodeErrors, complete: bool) -> PictureError {
    match error {
        DecodeErrors::LargeDimensions(_) => {
            PictureError::Bomb { reason: format!("expected at most {} pixels a side", limits::PICTURE_SIDE) }
        }
        DecodeErrors::ExhaustedData => PictureError::Truncated,
        _ if !complete => PictureError::Truncated,
        other => PictureError::Malformed { reason: format!("{other:?}").chars().take(200).collect() },
    }
}

#[cfg(test)]
pub(crate) mod tests;
