//! Tests of the cascade.

use super::*;
use crate::transfer::{Level, Matrix};
use mutate::{Dice, Picture, mutated};

#[path = "../../../tests/transfer/mutate.rs"]
mod mutate;

/// A code with its quiet zone, `scale` pixels a module.
pub(crate) fn code(text: &str, scale: usize) -> Luma {
    drawn(&Matrix::of(text, None, Level::L).unwrap(), scale, 4, 15, 240)
}

fn drawn(matrix: &Matrix, scale: usize, quiet: usize, dark: u8, light: u8) -> Luma {
    let side = (matrix.size() + 2 * quiet) * scale;
    let at = |place: usize| (place / scale).checked_sub(quiet).filter(|place| *place < matrix.size());
    let value = |n: usize| match (at(n % side), at(n / side)) {
        (Some(column), Some(row)) if matrix.dark(column, row) => dark,
        _ => light,
    };
    Luma::new(side, side, (0..side * side).map(value).collect()).unwrap()
}

/// `inner` in the middle of an even surface.
fn on(value: u8, width: usize, height: usize, inner: &Luma) -> Luma {
    let mut octets = vec![value; width * height];
    let (left, top) = ((width - inner.width()) / 2, (height - inner.height()) / 2);
    for (y, row) in inner.rows().enumerate() {
        octets[(top + y) * width + left..][..row.len()].copy_from_slice(row);
    }
    Luma::new(width, height, octets).unwrap()
}

fn read(luma: &Luma) -> Reading {
    read_codes(luma, &mut || true)
}

const TEXT: &str = "AF1ABCDEFGHIJKLMNOPQRSTUVWXYZ234567ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

#[test]
fn a_clean_code_is_read_at_the_first_stage() {
    for scale in [1, 2, 3, 7] {
        let reading = read(&code(TEXT, scale));
        assert_eq!((reading.texts(), reading.trouble), (vec![TEXT.to_owned()], None), "{scale}");
        if scale > 1 {
            assert_eq!(reading.stage, Some(Stage::Full));
        }
    }
}

#[test]
fn each_later_stage_reads_what_no_earlier_one_does() {
    let matrix = Matrix::of(TEXT, None, Level::L).unwrap();
    let inverted = drawn(&matrix, 4, 4, 240, 15);
    assert_eq!((read(&inverted).stage, read(&inverted).texts()), (Some(Stage::Inverted), vec![TEXT.to_owned()]));

    // A code without a light border on a dark screen.
    let borderless = on(10, 400, 300, &drawn(&matrix, 4, 0, 10, 230));
    assert_eq!((read(&borderless).stage, read(&borderless).texts()), (Some(Stage::Bordered), vec![TEXT.to_owned()]));

    // Two dark rows between cells of two modules: glyphs that do not fill their cells.
    let mut seams = drawn(&matrix, 8, 4, 10, 240).octets().to_vec();
    let width = (matrix.size() + 8) * 8;
    for (y, row) in seams.chunks_mut(width).enumerate() {
        if y % 16 >= 14 {
            row.fill(10);
        }
    }
    let seams = Luma::new(width, width, seams).unwrap();
    assert_eq!((read(&seams).stage, read(&seams).texts()), (Some(Stage::Closed), vec![TEXT.to_owned()]));
}

#[test]
fn every_code_of_a_page_is_read_once() {
    let (one, other) = (code("AF1ONE", 5), code("AF1TWO", 5));
    let side = one.width();
    let mut page = vec![255; side * side * 3];
    for (place, luma) in [&one, &other, &one].into_iter().enumerate() {
        for (y, row) in luma.rows().enumerate() {
            page[y * side * 3 + place * side..][..side].copy_from_slice(row);
        }
    }
    let mut texts = read(&Luma::new(side * 3, side, page).unwrap()).texts();
    texts.sort();
    assert_eq!(texts, ["AF1ONE", "AF1TWO"]);
}

#[test]
fn a_code_in_a_phones_large_picture_is_read_from_a_smaller_view() {
    let luma = on(180, 4_000, 3_000, &code(TEXT, 24));
    assert_eq!(read(&luma).texts(), [TEXT]);
}

#[test]
fn octets_that_are_no_text_come_back_as_they_are() {
    let octets: Vec<u8> = (0..=255).rev().collect();
    let code = qrcodegen::QrCode::encode_binary(&octets, qrcodegen::QrCodeEcc::Low).unwrap();
    let side = usize::try_from(code.size()).unwrap() + 8;
    let at = |place: usize| i32::try_from(place / 3).unwrap() - 4;
    let grey =
        (0..side * side * 9).map(|n| if code.get_module(at(n % (side * 3)), at(n / (side * 3))) { 0 } else { 255 });
    let reading = read(&Luma::new(side * 3, side * 3, grey.collect()).unwrap());
    assert_eq!(reading.codes, [octets]);
    assert!(reading.texts().is_empty());
}

#[test]
fn what_is_wrong_with_a_picture_is_said() {
    let matrix = Matrix::of(TEXT, None, Level::L).unwrap();
    let trouble = |luma: &Luma| read(luma).trouble;
    assert_eq!(trouble(&Luma::new(300, 200, vec![128; 60_000]).unwrap()), Some(Trouble::NoContrast));
    let mut dice = Dice(1);
    let grain = (0..90_000).map(|_| 4 + dice.below(18) as u8).collect();
    assert_eq!(trouble(&Luma::new(300, 300, grain).unwrap()), Some(Trouble::TooDark));
    let mut blurred = drawn(&matrix, 6, 4, 10, 240);
    for _ in 0..3 {
        blurred = scaling::box_mean(&blurred, 9);
    }
    assert_eq!(trouble(&blurred), Some(Trouble::Blurred));
    // Found, and a third of its modules gone.
    let mut torn = drawn(&matrix, 6, 4, 10, 240).octets().to_vec();
    let width = (matrix.size() + 8) * 6;
    for row in torn.chunks_mut(width).skip(12 * 6).take(9 * 6) {
        row[12 * 6..24 * 6].fill(240);
    }
    assert_eq!(trouble(&Luma::new(width, width, torn).unwrap()), Some(Trouble::Damaged));
    let mut stripes = vec![230; 90_000];
    stripes.chunks_mut(30).step_by(2).for_each(|part| part.fill(20));
    assert_eq!(trouble(&Luma::new(300, 300, stripes).unwrap()), Some(Trouble::NoCode));
}

#[test]
fn time_that_is_up_ends_the_search_at_once() {
    let luma = on(180, 1_280, 720, &Luma::new(600, 600, vec![90; 360_000]).unwrap());
    let reading = read_codes(&luma, &mut || false);
    assert_eq!((reading.codes.len(), reading.stage), (0, None));
    // A code is there, and after so many questions no more time: none is answered twice with no.
    for allowed in [1, 2, 5, 50, 200] {
        let (mut asked, mut refused) = (0, 0);
        let mut go_on = || {
            asked += 1;
            refused += u32::from(asked > allowed);
            asked <= allowed
        };
        let _ = read_codes(&code(TEXT, 4), &mut go_on);
        assert!(refused <= 3, "asked {refused} times after time was up");
    }
}

#[test]
fn a_picture_of_no_size_or_too_large_is_refused_before_it_exists() {
    assert!(matches!(Luma::new(0, 5, vec![]), Err(LumaError::Empty { .. })));
    assert!(matches!(Luma::pixels_of(65_535, 65_535), Err(LumaError::TooLarge { .. })));
    assert!(matches!(Luma::pixels_of(usize::MAX, 3), Err(LumaError::TooLarge { .. })));
    assert!(matches!(Luma::new(2, 2, vec![0; 3]), Err(LumaError::Length { .. })));
}

#[test]
fn a_picture_of_a_single_pixel_or_line_gives_nothing_and_no_panic() {
    for (width, height) in [(1, 1), (1, 300), (300, 1), (2, 2), (3, 700), (7, 7), (39, 41)] {
        for value in [0, 255] {
            let reading = read(&Luma::new(width, height, vec![value; width * height]).unwrap());
            assert_eq!((reading.codes.len(), reading.panics), (0, 0));
        }
    }
}

/// Pictures, fixed seeds: a few hundred here, 100,000 with `ANCHORITE_TESTS=full` (and in `tests/transfer/decode_rates.py`, released).
#[test]
fn mutated_pictures_let_no_panic_escape_and_give_no_wrong_text() {
    let count = if std::env::var_os("ANCHORITE_TESTS").is_some_and(|size| size == "full") { 3_000 } else { 250 };
    let bases: Vec<Picture> =
        [(1, 3), (2, 3), (7, 2)].map(|(version, scale)| mutate::drawn("AF1ABCDEFGHIJK", version, scale)).into();
    for seed in 0..count {
        let picture = mutated(&bases[(seed % 3) as usize], &mut Dice(seed));
        let luma = Luma::new(picture.width, picture.height, picture.octets).unwrap();
        for text in read(&luma).texts() {
            assert_eq!(text, "AF1ABCDEFGHIJK", "seed {seed}");
        }
    }
}

#[test]
fn a_picture_on_which_rqrr_panics_is_a_picture_without_a_code() {
    // Found by mutation (`tests/transfer/mutate.rs`, seed 46416 over codes of `KC1ABCDEFGHIJK`); when it no longer panics, upstream has mended it.
    let octets = include_bytes!("../../../tests/corpora/picture/rqrr-panics.png");
    let luma = crate_png(octets);
    assert_eq!(rqrr_reader::read(&luma), None);
    let reading = read(&luma);
    assert_eq!((reading.codes.len(), reading.panics), (0, 1));
    assert!(reading.trouble.is_some());
}

fn crate_png(octets: &[u8]) -> Luma {
    let mut reader = png::Decoder::new(std::io::Cursor::new(octets)).read_info().unwrap();
    let mut grey = vec![0; reader.output_buffer_size().unwrap()];
    let shape = reader.next_frame(&mut grey).unwrap();
    assert_eq!(shape.color_type, png::ColorType::Grayscale);
    Luma::new(shape.width as usize, shape.height as usize, grey).unwrap()
}
