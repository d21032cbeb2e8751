//! A picture as grey values.

use crate::basics::limits;

/// Grey values, row by row from the top left; 0 is black.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Luma {
    width: usize,
    height: usize,
    octets: Vec<u8>,
}

/// Why these octets are no picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LumaError {
    #[error("expected a picture of at least 1 x 1 pixels, found {width} x {height}")]
    Empty { width: usize, height: usize },
    #[error("expected a picture of at most {limit} pixels, found {width} x {height}")]
    TooLarge { width: usize, height: usize, limit: usize },
    #[error("expected {expected} grey values for {width} x {height} pixels, found {found}")]
    Length { width: usize, height: usize, expected: usize, found: usize },
}

impl Luma {
    /// A picture of `width` x `height` grey values.
    ///
    /// # Errors
    /// Where it is empty, too large, or the octets are not as many as its pixels.
    pub fn new(width: usize, height: usize, octets: Vec<u8>) -> Result<Self, LumaError> {
        let expected = Self::pixels_of(width, height)?;
        if octets.len() != expected {
            return Err(LumaError::Length { width, height, expected, found: octets.len() });
        }
        Ok(Self { width, height, octets })
    }

    /// How many pixels a picture of this size has, where it may be taken in at all: asked before anything is allocated.
    ///
    /// # Errors
    /// Where it is empty or too large.
    pub fn pixels_of(width: usize, height: usize) -> Result<usize, LumaError> {
        if width == 0 || height == 0 {
            return Err(LumaError::Empty { width, height });
        }
        let limit = limits::PICTURE_PIXELS;
        // A side alone is bounded too: run lengths along a row are counted in 16 bits.
        let too_large = LumaError::TooLarge { width, height, limit };
        if width > limits::PICTURE_SIDE || height > limits::PICTURE_SIDE {
            return Err(too_large);
        }
        width.checked_mul(height).filter(|pixels| *pixels <= limit).ok_or(too_large)
    }

    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    #[must_use]
    pub fn height(&self) -> usize {
        self.height
    }

    #[must_use]
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    #[must_use]
    pub fn pixels(&self) -> usize {
        self.octets.len()
    }

    /// The rows from the top.
    pub fn rows(&self) -> impl Iterator<Item = &[u8]> {
        self.octets.chunks_exact(self.width)
    }

    /// The grey value at a place; black outside.
    #[must_use]
    pub fn at(&self, x: usize, y: usize) -> u8 {
        if x >= self.width {
            return 0;
        }
        self.octets.get(y * self.width + x).copied().unwrap_or(0)
    }

    /// The same size with other values: for the filters beside this file, which keep the length.
    pub(super) fn with(&self, octets: Vec<u8>) -> Self {
        debug_assert_eq!(octets.len(), self.octets.len());
        Self { width: self.width, height: self.height, octets }
    }
}
