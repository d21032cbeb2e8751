//! Codes and cards: the version said, what a decoder reads, what a person reads.

use super::*;
use crate::custody::card::{Labels, RECIPE, back, front};
use crate::custody::qr::{Matrix, Medium, for_paper, modules};

fn decoded(size: usize, dark: impl Fn(usize, usize) -> bool) -> (rqrr::MetaData, String) {
    // Four pixels a module and the quiet zone, as a camera would see it.
    let side = (size + 8) * 4;
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(side, side, |x, y| {
        let (x, y) = ((x / 4).wrapping_sub(4), (y / 4).wrapping_sub(4));
        if x < size && y < size && dark(x, y) { 0 } else { 255 }
    });
    let grids = image.detect_grids();
    assert_eq!(grids.len(), 1);
    grids[0].decode().unwrap()
}

fn of(matrix: &Matrix) -> (rqrr::MetaData, String) {
    decoded(matrix.size(), |x, y| matrix.is_dark(x, y))
}

#[test]
fn the_code_on_a_screen_is_version_4_and_on_paper_version_5() {
    let text = dealt(1, Realm::Production, 3, 5)[1].to_text();
    let screen = modules(&text, Medium::Screen).unwrap();
    let paper = modules(&text, Medium::Paper).unwrap();
    assert_eq!((screen.size(), screen.dark().len(), paper.size()), (33, 33 * 33, 37));
    let (meta, read) = of(&screen);
    assert_eq!((meta.version.0, read.as_str()), (4, text.expose_text()));
    let (meta, read) = of(&paper);
    assert_eq!((meta.version.0, read.as_str()), (5, text.expose_text()));
}

#[test]
fn text_that_would_leave_alphanumeric_mode_or_not_fit_is_refused() {
    let refused = |text: &str| why(modules(&Secret::take_text(text.into()), Medium::Screen));
    let told = "expected text that fits a QR code of version 4: ";
    assert_eq!(refused("ks1q"), format!("{told}a character outside capital letters and digits"));
    assert_eq!(refused(&"Q".repeat(91)), format!("{told}data too long"));
    // What fits tells the level: 90 characters at 4-M, 87 at 5-Q (ISO/IEC 18004, table 7).
    let fits = |medium, length| modules(&Secret::take_text("Q".repeat(length)), medium).is_ok();
    assert_eq!([90, 91].map(|length| fits(Medium::Screen, length)), [true, false]);
    assert_eq!([87, 88].map(|length| fits(Medium::Paper, length)), [true, false]);
}

#[test]
fn both_codes_of_a_printed_card_can_be_read() {
    let text = dealt(1, Realm::Production, 3, 5)[1].to_text();
    let drawn = for_paper(&modules(&text, Medium::Paper).unwrap(), 2);
    let rows: Vec<Vec<char>> = drawn.expose_text().lines().map(|line| line.chars().collect()).collect();
    assert_eq!((rows.len(), rows.iter().all(|row| row.len() == 45)), (43, true));
    let ink = |x: usize, y: usize| match rows[y / 2][x] {
        '█' => true,
        '▀' => y.is_multiple_of(2),
        '▄' => y % 2 == 1,
        _ => false,
    };
    for top in [4, 4 + 37 + 4] {
        assert_eq!(decoded(37, |x, y| ink(x + 4, y + top)).1, text.expose_text());
    }
    let dark = (0..86).flat_map(|y| (0..45).map(move |x| (x, y))).filter(|(x, y)| ink(*x, *y)).count();
    let once = modules(&text, Medium::Paper).unwrap().dark().iter().filter(|d| **d).count();
    assert_eq!(dark, 2 * once);
}

#[test]
fn a_card_says_everything_and_fits_a_page() {
    let share = &dealt(1, Realm::Production, 3, 5)[1];
    let labels = Labels { quorum: NAME, holder: "custodian B\u{202e}" };
    let front = front(share, &labels).unwrap();
    let text = front.expose_text();
    for line in crate::custody::lines(&share.to_text()) {
        assert!(text.contains(line.expose_text()));
    }
    let id = share.header().quorum_id;
    for part in [
        "holder      custodian B<U+202E>\n",
        &format!("quorum      root-2026    id {id}\n"),
        "generation  1\n",
        "share       2 of 5, any 3 are needed\n",
        "date ____",
        "bag ____",
        "witness ____",
    ] {
        assert!(text.contains(part), "{part}");
    }
    let columns = |text: &str| text.lines().map(|line| line.chars().count()).max().unwrap();
    assert!(columns(text) <= 80 && text.lines().count() <= 66, "{} x {}", columns(text), text.lines().count());
    assert!(!text.contains("REHEARSAL"));
    let rehearsed = super::super::card::front(&dealt(1, Realm::Rehearsal, 3, 5)[1], &labels).unwrap();
    assert!(rehearsed.expose_text().starts_with("REHEARSAL"));
    let classical = back("AGE-SECRET-KEY-");
    assert!(classical.contains(RECIPE) && classical.lines().count() <= 70);
}

#[test]
fn the_recipe_is_short_enough_to_type() {
    assert!(RECIPE.lines().count() <= 60);
    assert!(RECIPE.is_ascii() && RECIPE.lines().all(|line| line.len() <= 80));
    for prefix in ["AGE-SECRET-KEY-", "AGE-SECRET-KEY-PQ-"] {
        assert!(back(prefix).lines().all(|line| line.len() <= 80), "{prefix}");
    }
}
