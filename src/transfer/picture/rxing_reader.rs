//! `rxing`'s detector and decoder on one black and white view, with our own search for finder patterns around them: bounded in what it
//! tries, and asked at every step whether there is time left.

use crate::basics::limits;
use rxing::common::BitMatrix;
use rxing::common::DetectorRXingResult;
use rxing::common::cpp_essentials::{
    ConcentricPattern, FixedPattern, GetPatternRowTP, IsPattern, LocateConcentricPattern, PatternRow, PatternType,
    PatternView,
};
use rxing::qrcode::cpp_port::decoder::Decode;
use rxing::qrcode::cpp_port::detector::{FinderPatternSet, GenerateFinderPatternSets, SampleQR};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Dark, light, dark, light, dark along a line through the middle of a finder pattern, in modules.
const FINDER: FixedPattern<5, 7, false> = FixedPattern::new([1, 1, 3, 1, 1]);
/// Every third row: the middle of a finder pattern is three modules high, and a module at least a pixel.
const ROW_STEP: u32 = 3;

/// What one view gave.
#[derive(Debug, Default)]
pub(super) struct View {
    pub codes: Vec<Vec<u8>>,
    pub finders: usize,
    /// Pixels of a module, by the median finder pattern.
    pub module: f32,
    pub panicked: bool,
}

/// Reads all codes of the view.
pub(super) fn read(image: &BitMatrix, go_on: &mut dyn FnMut() -> bool) -> View {
    let mut view = View::default();
    let done = catch_unwind(AssertUnwindSafe(|| search(image, &mut view, go_on)));
    view.panicked = done.is_err();
    view
}

fn search(image: &BitMatrix, view: &mut View, go_on: &mut dyn FnMut() -> bool) {
    let mut finders = finders(image, go_on);
    view.finders = finders.len();
    if finders.len() < 3 {
        return;
    }
    let mut used: Vec<ConcentricPattern> = Vec::new();
    let triples = GenerateFinderPatternSets(&mut finders);
    view.module = finders.get(finders.len() / 2).map_or(0.0, |finder| finder.size as f32 / 7.0);
    for triple in triples.iter().filter(|triple| plausible(triple)).take(limits::PICTURE_TRIPLES) {
        if view.codes.len() >= limits::PICTURE_CODES || !go_on() {
            return;
        }
        let corners = [triple.bl, triple.tl, triple.tr];
        if corners.iter().any(|corner| used.contains(corner)) {
            continue;
        }
        let Some(octets) = decode(image, triple) else { continue };
        used.extend(corners);
        if !view.codes.contains(&octets) {
            view.codes.push(octets);
        }
    }
}

/// Finder patterns of one code are about as large as each other.
fn plausible(triple: &FinderPatternSet) -> bool {
    let sizes = [triple.bl.size, triple.tl.size, triple.tr.size];
    let (least, most) = (sizes.iter().min(), sizes.iter().max());
    least.zip(most).is_some_and(|(least, most)| *most <= least * 2)
}

fn decode(image: &BitMatrix, triple: &FinderPatternSet) -> Option<Vec<u8>> {
    let sampled = SampleQR(image, triple).ok()?;
    let decoded = Decode(sampled.getBits()).ok()?;
    let octets = decoded.content().bytes().to_vec();
    (decoded.isValid() && !octets.is_empty()).then_some(octets)
}

fn finders(image: &BitMatrix, go_on: &mut dyn FnMut() -> bool) -> Vec<ConcentricPattern> {
    let mut found: Vec<ConcentricPattern> = Vec::new();
    let mut tries = 0;
    let mut row = PatternRow::default();
    let mut y = ROW_STEP / 2;
    while y < image.height() && go_on() {
        GetPatternRowTP(image, y, &mut row, false);
        let view = row.into_pattern_view();
        let runs = view.data();
        let mut x: f32 = 0.0;
        // Light and dark runs alternate, a light one first; it may be empty.
        for (at, window) in runs.windows(5).enumerate() {
            let [a, b, c, d, e] = *window else { break };
            if at % 2 == 1 && looks_like_finder([a, b, c, d, e]) {
                let middle = rxing::point(x + f32::from(a) + f32::from(b) + f32::from(c) / 2.0, y as f32 + 0.5);
                let known = found.iter().any(|f| rxing::Point::distance(middle, f.p) < f.size as f32 / 2.0);
                if !known {
                    tries += 1;
                    // Three times its width: a code seen at a slant is higher than wide.
                    let range = i32::from(a + b + c + d + e) * 3;
                    found.extend(LocateConcentricPattern::<true, 5, 7>(image, &FINDER.into(), middle, range));
                }
                if found.len() >= limits::PICTURE_FINDERS || tries >= limits::PICTURE_FINDER_TRIES {
                    return found;
                }
            }
            x += f32::from(a);
        }
        y += ROW_STEP;
    }
    found
}

fn looks_like_finder(runs: [PatternType; 5]) -> bool {
    let [a, b, c, d, e] = runs;
    // Cheap first: the middle is the widest by far.
    if c < 3 || c < b.max(d) || u32::from(c) < 2 * u32::from(a.max(e)) || u32::from(c) > 7 * u32::from(b.min(d)) {
        return false;
    }
    IsPattern::<true, 5, 7, false>(&PatternView::from_slice(&runs), &FINDER, None, 0.0, 0.0, 0.0) != 0.0
}
