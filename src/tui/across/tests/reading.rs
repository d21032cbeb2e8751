//! What decoders make of what is drawn: the cells as pixels, as a terminal would paint them.

use super::room::*;
use crate::tui::across::fit::{self, Density};
use crate::tui::across::show::{Settings, Show, Shown, WHITES};
use crate::tui::input::Key;
use crate::tui::theme::Theme;
use crate::tui::widgets::qr_code::{Ink, Shape};
use ratatui::buffer::Buffer;
use ratatui::style::Color;
use rxing::common::HybridBinarizer;
use rxing::qrcode::QRCodeReader;
use rxing::{BinaryBitmap, DecodeHintValue, DecodeHints, Luma8LuminanceSource, Reader};

/// Pixels of a cell, as small and larger letters have them.
const CELLS: [(usize, usize); 5] = [(4, 8), (3, 6), (6, 12), (8, 16), (2, 4)];

fn grey(colour: Color) -> u8 {
    match colour {
        Color::Rgb(level, ..) => level,
        Color::Indexed(231) => 255,
        Color::Indexed(grey @ 232..) => 8 + 10 * (grey - 232),
        Color::Gray => 170,
        // The terminal's own background.
        _ => 0,
    }
}

fn painted(buffer: &Buffer, cell: (usize, usize)) -> (usize, usize, Vec<u8>) {
    let (cell_width, cell_height) = cell;
    let (width, height) = (usize::from(buffer.area.width) * cell_width, usize::from(buffer.area.height) * cell_height);
    let pixel = |x: usize, y: usize| {
        let cell = &buffer[(u16::try_from(x / cell_width).unwrap(), u16::try_from(y / cell_height).unwrap())];
        let lower = y % cell_height >= cell_height / 2;
        let inked = cell.symbol() == "▄" && lower || cell.symbol() == "▀" && !lower;
        grey(if inked { cell.fg } else { cell.bg })
    };
    let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).map(|(x, y)| pixel(x, y)).collect();
    (width, height, pixels)
}

fn rqrr_reads(buffer: &Buffer) -> String {
    let (width, height, pixels) = painted(buffer, (4, 8));
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| pixels[y * width + x]);
    let grids = image.detect_grids();
    assert_eq!(grids.len(), 1, "one code is drawn");
    grids[0].decode().unwrap().1
}

/// rxing misses some modules that are large for their code; what it takes at one size of letters is read.
fn rxing_reads(buffer: &Buffer) -> String {
    let hints = DecodeHints::default().with(DecodeHintValue::TryHarder(true));
    let read = CELLS.into_iter().find_map(|cell| {
        let (width, height, pixels) = painted(buffer, cell);
        let (width, height) = (u32::try_from(width).unwrap(), u32::try_from(height).unwrap());
        let source = Luma8LuminanceSource::new(pixels, width, height).unwrap();
        let mut picture = BinaryBitmap::new(HybridBinarizer::new(source));
        QRCodeReader::new().decode_with_hints(&mut picture, &hints).ok()
    });
    read.unwrap_or_else(|| panic!("rxing reads nothing in a code of {} columns", buffer.area.width))
        .getText()
        .to_owned()
}

fn expected(show: &Show) -> String {
    match show.shown() {
        Shown::Following { code, .. } | Shown::Single { code, .. } => code.text.clone(),
        other => panic!("expected a code, found {other:?}"),
    }
}

fn with_version(version: u8) -> Settings {
    Settings { density: Density::Asked(version), ..settings() }
}

#[test]
fn two_decoders_read_every_version_with_either_quiet_zone() {
    for version in fit::VERSIONS {
        for (width, height) in [fit::terminal_for(version, Shape::Halves), fit::least_terminal(version, Shape::Halves)]
        {
            let show = many(with_version(version), (width, height));
            let buffer = buffer(&show, Theme::Colour);
            assert!(matches!(show.shown(), Shown::Following { code, .. } if code.version == version));
            assert_eq!(rxing_reads(&buffer), expected(&show), "version {version}");
            assert_eq!(rqrr_reads(&buffer), expected(&show), "version {version}");
        }
    }
}

#[test]
fn both_read_every_code_of_a_round_and_the_one_code_that_stands_still() {
    let mut show = many(settings(), (120, 40));
    press(&mut show, &[Key::Char('s')]);
    for _ in 0..40 {
        let drawn = buffer(&show, Theme::Bare);
        assert_eq!(rxing_reads(&drawn), expected(&show));
        assert_eq!(rqrr_reads(&drawn), expected(&show));
        press(&mut show, &[Key::Right]);
    }
    let show = one((120, 40));
    assert!(matches!(show.shown(), Shown::Single { .. }));
    assert_eq!(rqrr_reads(&buffer(&show, Theme::Colour)), expected(&show));
}

#[test]
fn both_read_every_ink_every_white_and_every_shape() {
    for ink in [Ink::Exact(255), Ink::Cube(255), Ink::Sixteen] {
        for shape in [Shape::Halves, Shape::Uppers, Shape::Wide] {
            let mut show = many(Settings { ink, shape, ..settings() }, (200, 60));
            for _ in WHITES {
                let drawn = buffer(&show, Theme::Colour);
                assert_eq!(rxing_reads(&drawn), expected(&show), "{ink:?} {shape:?} {}", show.white());
                assert_eq!(rqrr_reads(&drawn), expected(&show), "{ink:?} {shape:?} {}", show.white());
                press(&mut show, &[Key::Char('b')]);
            }
        }
    }
}

#[test]
fn no_theme_changes_the_text_or_a_cell_of_the_code() {
    let shows = [
        many(settings(), (80, 24)),
        many(settings(), (120, 40)),
        many(settings(), (45, 24)),
        one((80, 24)),
        many(settings(), (20, 8)),
    ];
    for show in shows {
        let [colour, monochrome, bare] = [Theme::Colour, Theme::Monochrome, Theme::Bare].map(|t| buffer(&show, t));
        for other in [&monochrome, &bare] {
            assert_eq!(text(&colour), text(other));
            for (one, same) in colour.content.iter().zip(&other.content) {
                if matches!(one.bg, Color::Rgb(..)) || matches!(same.bg, Color::Rgb(..)) {
                    assert_eq!((one.fg, one.bg, one.modifier), (same.fg, same.bg, same.modifier));
                }
            }
        }
    }
}

/// The cells that are painted, which are the code with its quiet zone and nothing else.
fn painted_cells(buffer: &Buffer) -> usize {
    buffer.content.iter().filter(|cell| matches!(cell.bg, Color::Rgb(..))).count()
}

#[test]
fn at_every_size_there_is_a_whole_code_or_the_words_that_it_is_too_small() {
    for shape in [Shape::Halves, Shape::Wide] {
        let mut show = many(Settings { shape, ..settings() }, (0, 0));
        for width in 0..=160 {
            for height in 0..=60 {
                show = sized(show, (width, height));
                let drawn = buffer(&show, Theme::Colour);
                match show.shown() {
                    Shown::Following { code, quiet, .. } => {
                        let (columns, rows) = shape.room_for(fit::side(code.version) + 2 * quiet);
                        assert_eq!(painted_cells(&drawn), usize::from(columns) * usize::from(rows));
                        let below = (0..width).all(|x| !matches!(drawn[(x, height - 1)].bg, Color::Rgb(..)));
                        assert!(below, "the status line is its own at {width}x{height}");
                    }
                    Shown::TooSmall(..) => {
                        assert_eq!(painted_cells(&drawn), 0);
                        let said: String = text(&drawn).split_whitespace().collect();
                        let words = "toosmall:";
                        let cells = usize::from(width) * usize::from(height);
                        if cells >= 24 && width >= 6 {
                            assert!(said.starts_with(words), "{width}x{height}: {said}");
                        }
                    }
                    other => panic!("{other:?}"),
                }
            }
        }
    }
}

#[test]
fn at_80x24_the_code_is_version_5_with_its_whole_quiet_zone() {
    let show = many(settings(), (80, 24));
    assert!(matches!(show.shown(), Shown::Following { code, quiet: 4, .. } if code.version == 5));
    assert_eq!(painted_cells(&buffer(&show, Theme::Colour)), 45 * 23);
}
