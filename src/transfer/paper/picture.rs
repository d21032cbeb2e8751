//! Pages as PNG pictures: 300 dots to the inch, one bit a dot. Modules are whole dots, all of one size.

use crate::transfer::paper::{Item, PAGE, Page, PaperError, Weight, letters};

/// Dots to the inch, and to the metre as PNG has it.
const DPI: f64 = 300.0;
const DOTS_TO_THE_METRE: u32 = 11_811;

/// A page of dots, `true` is ink.
struct Sheet {
    width: usize,
    height: usize,
    ink: Vec<bool>,
}

impl Sheet {
    fn fill(&mut self, left: usize, top: usize, width: usize, height: usize) {
        for y in top..top.saturating_add(height).min(self.height) {
            for x in left..left.saturating_add(width).min(self.width) {
                if let Some(dot) = self.ink.get_mut(y * self.width + x) {
                    *dot = true;
                }
            }
        }
    }
}

/// The picture of a page as a PNG file.
///
/// # Errors
/// Where the encoder fails, which for memory it does not.
pub fn to_octets(page: &Page) -> Result<Vec<u8>, PaperError> {
    let (width, height) = (dots(PAGE.0), dots(PAGE.1));
    let mut sheet = Sheet { width, height, ink: vec![false; width * height] };
    for item in &page.items {
        draw(item, &mut sheet);
    }
    let failed = |error: png::EncodingError| PaperError::Code(error.to_string());
    let size = |dots: usize| u32::try_from(dots).unwrap_or(u32::MAX);
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, size(width), size(height));
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::One);
    encoder.set_pixel_dims(Some(png::PixelDimensions {
        xppu: DOTS_TO_THE_METRE,
        yppu: DOTS_TO_THE_METRE,
        unit: png::Unit::Meter,
    }));
    let mut writer = encoder.write_header().map_err(failed)?;
    writer.write_image_data(&packed(&sheet)).map_err(failed)?;
    writer.finish().map_err(failed)?;
    Ok(file)
}

fn draw(item: &Item, sheet: &mut Sheet) {
    match item {
        Item::Text { x, y, size, weight, text } => {
            // The letters are seven dots high where Helvetica's capitals are 0.72 of its size.
            let dot = dots(size * 0.72 / 7.0).max(2);
            let bold = usize::from(*weight == Weight::Bold);
            let (mut left, top) = (dots(*x), dots(*y).saturating_sub(7 * dot));
            for character in text.chars() {
                for (column, bits) in letters::of(character).into_iter().enumerate() {
                    for row in (0..8).filter(|row| bits >> row & 1 == 1) {
                        sheet.fill(left + column * dot, top + row * dot, dot + bold * dot / 3, dot);
                    }
                }
                left += 6 * dot;
            }
        }
        Item::Code { x, y, module, matrix } => {
            let (left, top, module) = (dots(*x), dots(*y), whole_dots(*module));
            for row in 0..matrix.size() {
                for column in (0..matrix.size()).filter(|column| matrix.dark(*column, row)) {
                    sheet.fill(left + column * module, top + row * module, module, module);
                }
            }
        }
    }
}

/// Eight dots an octet, each row begins a new one; a set bit is white.
fn packed(sheet: &Sheet) -> Vec<u8> {
    let mut octets = Vec::with_capacity(sheet.width.div_ceil(8) * sheet.height);
    for row in sheet.ink.chunks(sheet.width) {
        octets.extend(row.chunks(8).map(|dots| {
            let white = dots.iter().enumerate().filter(|(_, ink)| !**ink);
            white.fold(0_u8, |octet, (place, _)| octet | 0x80 >> place)
        }));
    }
    octets
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // invariant: a place on a page, in points.
fn dots(points: f64) -> usize {
    (points * DPI / 72.0).round().max(0.0) as usize
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // invariant: as above.
fn whole_dots(points: f64) -> usize {
    (points * DPI / 72.0).floor().max(1.0) as usize
}
