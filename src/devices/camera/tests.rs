//! Cameras without a device: frames from a list.

use super::*;
use crate::transfer::picture::tests::code;
use std::io::{Error, ErrorKind};

struct Frames {
    shape: Shape,
    frames: VecDeque<std::io::Result<Option<Vec<u8>>>>,
}

impl Lens for Frames {
    fn shape(&self) -> Shape {
        self.shape
    }

    fn newest(&mut self, _within: Duration) -> std::io::Result<Option<Vec<u8>>> {
        self.frames.pop_front().unwrap_or(Ok(None))
    }
}

fn camera(shape: Shape, frames: Vec<std::io::Result<Option<Vec<u8>>>>) -> Camera {
    Camera::with_lens(
        "/dev/video7".to_owned(),
        Box::new(Frames { shape, frames: frames.into() }),
        PictureReader::in_process(),
    )
}

fn packed(luma: &Luma, format: PixelFormat, gap: usize) -> (Shape, Vec<u8>) {
    let mut octets = Vec::new();
    for row in luma.rows() {
        for value in row {
            match format {
                PixelFormat::Yuyv => octets.extend([*value, 128]),
                PixelFormat::Uyvy => octets.extend([90, *value]),
                _ => octets.push(*value),
            }
        }
        octets.extend(vec![7; gap]);
    }
    if matches!(format, PixelFormat::Nv12 | PixelFormat::Yuv420) {
        octets.extend(vec![33; luma.pixels() / 2]);
    }
    let stride = octets.len() / luma.height();
    let stride = if matches!(format, PixelFormat::Nv12 | PixelFormat::Yuv420) { luma.width() + gap } else { stride };
    (Shape { width: luma.width(), height: luma.height(), stride, format }, octets)
}

#[test]
fn every_raw_format_gives_the_grey_values_with_and_without_gaps_between_rows() {
    let luma = code("KC1ABCDEF", 3);
    for format in [PixelFormat::Grey, PixelFormat::Yuyv, PixelFormat::Uyvy, PixelFormat::Nv12, PixelFormat::Yuv420] {
        for gap in [0, 16] {
            let (shape, octets) = packed(&luma, format, gap);
            assert_eq!(pixel_format::captured(shape, &octets), Ok(Captured::Grey(luma.clone())), "{format:?} {gap}");
        }
        let (shape, octets) = packed(&luma, format, 0);
        // A driver that says nothing of a stride.
        assert_eq!(pixel_format::captured(Shape { stride: 0, ..shape }, &octets), Ok(Captured::Grey(luma.clone())));
        let short = &octets[..luma.pixels() - 1];
        assert!(matches!(pixel_format::captured(shape, short), Err(pixel_format::CaptureError::Short { .. })));
    }
    let huge = Shape { width: 60_000, height: 60_000, stride: 0, format: PixelFormat::Grey };
    assert!(matches!(pixel_format::captured(huge, &[]), Err(pixel_format::CaptureError::Size(_))));
}

#[test]
fn every_format_has_its_code_and_comes_back_from_it() {
    for format in PixelFormat::ALL {
        for code in format.codes() {
            assert_eq!(PixelFormat::of_code(*code), Some(format));
        }
    }
    assert_eq!(PixelFormat::of_code(*b"H264"), None);
}

#[test]
fn a_camera_reads_codes_and_says_what_is_wrong_with_the_frames_between() {
    let luma = code("KC1FROMACAMERA", 4);
    let (shape, octets) = packed(&luma, PixelFormat::Yuyv, 0);
    let dark: Vec<u8> = octets.iter().map(|value| value / 32).collect();
    let flat = vec![128; octets.len()];
    let frames = vec![Ok(Some(octets)), Ok(None), Ok(Some(flat)), Ok(Some(vec![0; 10])), Ok(Some(dark))];
    let mut camera = camera(shape, frames);
    let mut heard = || camera.hear(Duration::ZERO).unwrap();
    assert_eq!(heard(), Heard::Text("KC1FROMACAMERA".to_owned()));
    assert_eq!(heard(), Heard::Nothing);
    assert!(matches!(heard(), Heard::Looks(words) if words.starts_with("nothing to see")));
    assert!(matches!(heard(), Heard::Looks(words) if words.starts_with("expected a frame of")));
    // Very dark, and still read.
    assert_eq!(heard(), Heard::Text("KC1FROMACAMERA".to_owned()));
    assert_eq!(camera.name(), format!("camera /dev/video7  {}x{}", shape.width, shape.height));
}

#[test]
fn a_camera_that_is_unplugged_or_silent_is_named() {
    let shape = Shape { width: 64, height: 64, stride: 64, format: PixelFormat::Grey };
    let mut unplugged = camera(shape, vec![Err(Error::from(ErrorKind::NotFound))]);
    let error = unplugged.hear(Duration::ZERO).unwrap_err();
    assert!(error.to_string().starts_with("/dev/video7: "), "{error}");
    assert!(error.hint.contains("nothing received is lost"));

    let mut silent = camera(shape, vec![]);
    silent.last = Instant::now().checked_sub(WATCHDOG + Duration::from_secs(1)).unwrap();
    assert_eq!(silent.hear(Duration::ZERO).unwrap_err().to_string(), "/dev/video7: no picture for 5 seconds");
}
