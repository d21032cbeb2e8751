//! The order in which the picture is looked at. Measured, not guessed (`tests/transfer/decode_rates.py`): most pictures end at the first
//! stage, and what a later stage reads no earlier one does.

use super::luma::Luma;
use super::{rqrr_reader, rxing_reader, scaling};
use rxing::common::{BitMatrix, GlobalHistogramBinarizer, HybridBinarizer};
use rxing::{Binarizer, Luma8Source};
use serde::{Deserialize, Serialize};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// One way of looking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    Full,
    Half,
    Inverted,
    Global,
    GlobalHalf,
    GlobalThird,
    Flattened,
    Smoothed,
    Closed,
    Bordered,
    Sharpened,
    Rqrr,
}

const STAGES: [Stage; 12] = [
    Stage::Full,
    Stage::Half,
    Stage::Inverted,
    Stage::Global,
    Stage::GlobalHalf,
    Stage::GlobalThird,
    Stage::Flattened,
    Stage::Smoothed,
    Stage::Closed,
    Stage::Bordered,
    Stage::Sharpened,
    Stage::Rqrr,
];

/// More pixels than this are reduced before anything else looks: a code that fills a tenth of a phone's picture is still large.
const FIRST_PIXELS: usize = 3_000_000;

/// What all stages gave together.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub codes: Vec<Vec<u8>>,
    pub stage: Option<Stage>,
    pub panics: u32,
    /// The most finder patterns a stage saw, and the pixels of a module there.
    pub finders: usize,
    pub module: f32,
    pub out_of_time: bool,
}

pub(super) fn run(luma: &Luma, go_on: &mut dyn FnMut() -> bool) -> Outcome {
    let mut outcome = Outcome::default();
    let mut n = 1;
    while luma.pixels() / (n * n) > FIRST_PIXELS {
        n += 1;
    }
    let smaller = scaling::reduced(luma, n);
    if let Some(smaller) = &smaller {
        look(smaller, &mut outcome, go_on);
    }
    if outcome.codes.is_empty() && !outcome.out_of_time {
        look(luma, &mut outcome, go_on);
    }
    outcome
}

fn look(luma: &Luma, outcome: &mut Outcome, go_on: &mut dyn FnMut() -> bool) {
    let half = std::cell::OnceCell::new();
    for stage in STAGES {
        if !go_on() {
            outcome.out_of_time = true;
            return;
        }
        let half = || half.get_or_init(|| scaling::reduced(luma, 2)).as_ref();
        let view = match stage {
            Stage::Full => through(&hybrid(luma), go_on),
            Stage::Half => half().map_or_else(Default::default, |half| through(&hybrid(half), go_on)),
            Stage::Inverted => through(&inverted(luma), go_on),
            Stage::Global => through(&global(luma), go_on),
            Stage::GlobalHalf => half().map_or_else(Default::default, |half| through(&global(half), go_on)),
            Stage::GlobalThird => {
                scaling::reduced(luma, 3).map_or_else(Default::default, |third| through(&global(&third), go_on))
            }
            Stage::Flattened => through(&hybrid(&scaling::flattened(luma)), go_on),
            Stage::Smoothed => through(&hybrid(&scaling::flattened(&scaling::box_mean(luma, 1))), go_on),
            Stage::Closed => through(&hybrid(&scaling::closed(luma)), go_on),
            Stage::Bordered => {
                scaling::bordered(luma).map_or_else(Default::default, |bordered| through(&global(&bordered), go_on))
            }
            Stage::Sharpened => through(&hybrid(&scaling::sharpened(luma)), go_on),
            Stage::Rqrr => {
                let codes = rqrr_reader::read(luma);
                let panicked = codes.is_none();
                rxing_reader::View { codes: codes.unwrap_or_default(), panicked, ..Default::default() }
            }
        };
        outcome.panics += u32::from(view.panicked);
        if view.finders > outcome.finders {
            (outcome.finders, outcome.module) = (view.finders, view.module);
        }
        if !view.codes.is_empty() {
            (outcome.codes, outcome.stage) = (view.codes, Some(stage));
            return;
        }
    }
}

fn through(image: &Option<BitMatrix>, go_on: &mut dyn FnMut() -> bool) -> rxing_reader::View {
    image.as_ref().map_or_else(Default::default, |image| rxing_reader::read(image, go_on))
}

fn source(luma: &Luma) -> Option<Luma8Source<'_>> {
    let (width, height) = (u32::try_from(luma.width()).ok()?, u32::try_from(luma.height()).ok()?);
    Luma8Source::new_with_slice(luma.octets(), width, height).ok()
}

/// A threshold for each square of 8 pixels, from its surroundings.
fn hybrid(luma: &Luma) -> Option<BitMatrix> {
    catch_unwind(AssertUnwindSafe(|| HybridBinarizer::new(source(luma)?).get_black_matrix().ok().cloned()))
        .ok()
        .flatten()
}

/// One threshold for the whole picture.
fn global(luma: &Luma) -> Option<BitMatrix> {
    catch_unwind(AssertUnwindSafe(|| GlobalHistogramBinarizer::new(source(luma)?).get_black_matrix().ok().cloned()))
        .ok()
        .flatten()
}

fn inverted(luma: &Luma) -> Option<BitMatrix> {
    let light_on_dark = luma.with(luma.octets().iter().map(|value| 255 - value).collect());
    hybrid(&light_on_dark)
}
