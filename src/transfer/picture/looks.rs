//! What is wrong with a picture in which nothing was read, from cheap counts: said to whoever holds the camera.

use super::luma::Luma;
use super::scaling::quantile;
use super::stages::Outcome;
use serde::{Deserialize, Serialize};

/// How a picture looks, from one pixel in about 60,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Looks {
    /// Mean grey value.
    pub mean: u8,
    /// Grey values between the darkest and the lightest twentieth.
    pub contrast: u8,
    /// The steepest hundredth of the steps between neighbours, in hundredths of the contrast: 60 and more is sharp, under 20 blurred.
    pub sharpness: u8,
}

/// Why nothing was read, the likeliest reason first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trouble {
    TooDark,
    TooBright,
    /// An even surface: a covered lens, a wall.
    NoContrast,
    Blurred,
    /// A code is seen, and its modules are too small; tenths of a pixel.
    TooDense {
        module_tenths: u32,
    },
    /// A code is seen whole enough to find and not to read.
    Damaged,
    NoCode,
    OutOfTime,
}

impl Trouble {
    /// In words, with what to do.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::TooDark => "too dark: turn the light on".to_owned(),
            Self::TooBright => "too bright: lower the brightness of the screen, or turn away from the light".to_owned(),
            Self::NoContrast => "nothing to see: the lens is covered, or looks at an even surface".to_owned(),
            Self::Blurred => "blurred: hold still, or hold it further away until it is sharp".to_owned(),
            Self::TooDense { module_tenths } => format!(
                "sees a code, too dense: a module is {}.{} pixels; come closer, or show a smaller code",
                module_tenths / 10,
                module_tenths % 10
            ),
            Self::Damaged => {
                "sees a code and cannot read it: show the whole code and its light border, flat, without glare"
                    .to_owned()
            }
            Self::NoCode => "no code in the picture".to_owned(),
            Self::OutOfTime => "no code found in the time a frame has".to_owned(),
        }
    }
}

impl Looks {
    #[must_use]
    pub fn of(luma: &Luma) -> Self {
        // About 250 x 250 places, pairs of neighbours.
        let step = (luma.width().min(luma.height()) / 250).max(1);
        let mut values = [0_usize; 256];
        let mut steps = [0_usize; 256];
        let (mut sum, mut count) = (0_usize, 0_usize);
        for row in luma.rows().step_by(step) {
            for pair in row.windows(3).step_by(step) {
                let [left, value, right] = *pair else { continue };
                // Over two pixels: a sharp edge that falls between two is seen whole.
                for (histogram, at) in [(&mut values, value), (&mut steps, left.abs_diff(right))] {
                    if let Some(counted) = histogram.get_mut(usize::from(at)) {
                        *counted += 1;
                    }
                }
                sum += usize::from(value);
                count += 1;
            }
        }
        let octet = |value: i32| u8::try_from(value.clamp(0, 255)).unwrap_or(0);
        let contrast = quantile(&values, count - count / 20) - quantile(&values, count / 20);
        let steep = quantile(&steps, count - count / 100);
        Self {
            mean: u8::try_from(sum / count.max(1)).unwrap_or(u8::MAX),
            contrast: octet(contrast),
            sharpness: octet(steep * 100 / contrast.max(1)),
        }
    }
}

/// A module that small is not read from a camera's picture, whatever the decoder.
const DENSE: f32 = 2.2;

pub(super) fn trouble(looks: &Looks, outcome: &Outcome) -> Trouble {
    let seen = outcome.finders >= 3;
    if seen && outcome.module > 0.0 && outcome.module < DENSE {
        return Trouble::TooDense { module_tenths: (outcome.module * 10.0) as u32 };
    }
    if looks.mean < 40 && looks.contrast < 60 {
        return Trouble::TooDark;
    }
    if looks.mean > 235 && looks.contrast < 40 && looks.contrast > 8 {
        return Trouble::TooBright;
    }
    if looks.contrast <= 8 {
        return Trouble::NoContrast;
    }
    if looks.sharpness < 22 {
        return Trouble::Blurred;
    }
    if seen {
        return Trouble::Damaged;
    }
    if outcome.out_of_time { Trouble::OutOfTime } else { Trouble::NoCode }
}
