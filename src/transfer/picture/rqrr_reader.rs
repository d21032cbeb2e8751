//! `rqrr` behind a guard: it panics on some pictures, and takes minutes on noisy bitmaps it did not threshold itself. So it gets grey
//! values only, of at most a million pixels, last, and whatever it throws ends here.

use super::luma::Luma;
use super::scaling;
use crate::basics::limits;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// More pixels than this are reduced first.
const PIXELS: usize = 1_000_000;

/// What it reads; `None` where it panicked.
pub(super) fn read(luma: &Luma) -> Option<Vec<Vec<u8>>> {
    let mut n = 1;
    while luma.pixels() / (n * n) > PIXELS {
        n += 1;
    }
    let reduced = scaling::reduced(luma, n);
    let luma = reduced.as_ref().unwrap_or(luma);
    catch_unwind(AssertUnwindSafe(|| {
        let mut prepared =
            rqrr::PreparedImage::prepare_from_greyscale(luma.width(), luma.height(), |x, y| luma.at(x, y));
        let mut codes = Vec::new();
        for grid in prepared.detect_grids().into_iter().take(limits::PICTURE_CODES) {
            let mut octets = Vec::new();
            if grid.decode_to(&mut octets).is_ok() && !octets.is_empty() {
                codes.push(octets);
            }
        }
        codes
    }))
    .ok()
}
