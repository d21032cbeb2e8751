//! A share as a QR code: the modules, for a screen or for paper.
//!
//! It never draws on a screen and never decodes: it says which modules are dark. The code holds the 80 characters in
//! alphanumeric mode, without spaces. (The `qrcode` crate does not wipe what it works on.)

use crate::basics::Secret;
use qrcode::bits::Bits;
use qrcode::{Color, EcLevel, QrCode, Version};
use zeroize::Zeroize;

/// Modules of empty space that a code needs on every side.
pub const QUIET: usize = 4;

/// Where a code will be read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Medium {
    /// Version 4, level M: 33 modules, the most that fits a small terminal beside its text.
    Screen,
    /// Version 5, level Q: 37 modules; a quarter of the code may be lost to folds and stains.
    Paper,
}

/// Why a text has no code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QrError {
    #[error("expected text that fits a QR code of version {version}: {reason}")]
    Unfit { version: i16, reason: String },
}

/// The modules of a code, without the quiet zone. They are the share: no `Debug`, no `Clone`, wiped when dropped.
pub struct Matrix {
    size: usize,
    dark: Vec<bool>,
}

impl Matrix {
    /// Modules along one side.
    #[must_use]
    pub const fn size(&self) -> usize {
        self.size
    }

    /// Whether a module is dark; outside the code nothing is.
    #[must_use]
    pub fn is_dark(&self, column: usize, row: usize) -> bool {
        column < self.size && self.dark.get(row * self.size + column).copied().unwrap_or(false)
    }

    /// All modules, row by row.
    #[must_use]
    pub fn dark(&self) -> &[bool] {
        &self.dark
    }
}

impl Drop for Matrix {
    fn drop(&mut self) {
        self.dark.as_mut_slice().zeroize();
    }
}

/// The code of a share's text.
///
/// # Errors
/// Where the text is too long or has a character outside QR's alphanumeric mode.
pub fn modules(text: &Secret, medium: Medium) -> Result<Matrix, QrError> {
    let (version, level) = match medium {
        Medium::Screen => (4, EcLevel::M),
        Medium::Paper => (5, EcLevel::Q),
    };
    let unfit = |reason: String| QrError::Unfit { version, reason };
    if !text.expose().iter().all(|octet| octet.is_ascii_uppercase() || octet.is_ascii_digit()) {
        return Err(unfit("a character outside capital letters and digits".into()));
    }
    let mut bits = Bits::new(Version::Normal(version));
    let code = bits
        .push_alphanumeric_data(text.expose())
        .and_then(|()| bits.push_terminator(level))
        .and_then(|()| QrCode::with_bits(bits, level))
        .map_err(|error| unfit(error.to_string()))?;
    let size = code.width();
    Ok(Matrix { size, dark: code.into_colors().into_iter().map(|colour| colour == Color::Dark).collect() })
}

/// The code drawn for a printer, `times` under each other, in half blocks: ink is dark, two rows of modules a line,
/// with the quiet zone. Every line is as wide as the code and its quiet zones.
#[must_use]
pub fn for_paper(matrix: &Matrix, times: usize) -> Secret {
    let pitch = matrix.size + QUIET;
    let (width, height) = (matrix.size + 2 * QUIET, times * pitch + QUIET);
    let ink = |column: usize, row: usize| match (column.checked_sub(QUIET), (row % pitch).checked_sub(QUIET)) {
        (Some(column), Some(inner)) => row / pitch < times && matrix.is_dark(column, inner),
        _ => false,
    };
    let mut drawn = Secret::with_capacity(height.div_ceil(2) * (width * '█'.len_utf8() + 1));
    for row in (0..height).step_by(2) {
        for column in 0..width {
            let glyph = match (ink(column, row), ink(column, row + 1)) {
                (true, true) => "█",
                (true, false) => "▀",
                (false, true) => "▄",
                (false, false) => " ",
            };
            for octet in glyph.bytes() {
                drawn.push(octet);
            }
        }
        drawn.push(b'\n');
    }
    drawn
}
