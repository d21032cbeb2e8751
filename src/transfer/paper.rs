//! An envelope on paper: six codes to an A4 page, each with its number, what it is part of and words to compare.
//!
//! It lays out and draws, as PDF or as pictures, and gives octets: it writes no file and never prints. The same envelope
//! gives the same octets every time. There is no second chance on paper, so the codes carry more correction than on a
//! screen, and more of them are printed than are needed: any pages that got wet may be left out.

mod letters;
pub mod pdf;
pub mod picture;

use crate::basics::limits;
use crate::transfer::matrix::{Level, Matrix, QUIET};
use crate::transfer::sender::{single_within, symbol_octets_at};
use crate::transfer::{Envelope, Sender};

/// The code on paper: 77 modules, 0.8 mm each.
pub const VERSION: u8 = 15;
/// A4 in points, 1/72 inch.
pub const PAGE: (f64, f64) = (595.276, 841.89);
const MARGIN: f64 = 42.0;
const COLUMNS: usize = 2;
const ROWS: usize = 3;
const CODES: usize = COLUMNS * ROWS;
/// Where the codes begin, and what each has with its label.
const TOP: f64 = 118.0;
const CELL: (f64, f64) = (255.5, 226.0);
/// A code with its quiet zone.
const SIDE: f64 = 200.0;
/// Sources up to which the stronger level is taken: one page.
const FEW: usize = 4;

/// Why an envelope is not printed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PaperError {
    #[error("on paper: expected at most {most} codes, found {found}: send it on a medium")]
    Many { most: usize, found: usize },
    #[error("on paper: {0}")]
    Code(String),
}

/// One thing on a page. Places are points from the top left.
#[derive(Clone, Debug)]
pub enum Item {
    Text {
        x: f64,
        y: f64,
        size: f64,
        weight: Weight,
        text: String,
    },
    /// The place of the first module, the quiet zone not counted.
    Code {
        x: f64,
        y: f64,
        module: f64,
        matrix: Matrix,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    Regular,
    Bold,
}

/// What is on one page.
#[derive(Clone, Debug, Default)]
pub struct Page {
    pub items: Vec<Item>,
}

/// All pages of an envelope.
#[derive(Clone, Debug)]
pub struct Pages {
    pub pages: Vec<Page>,
    pub title: String,
    /// Codes on the pages, and how many of them are enough.
    pub codes: usize,
    pub enough: usize,
}

/// Lays an envelope out.
///
/// # Errors
/// Where it would take too many codes.
pub fn lay_out(envelope: &Envelope) -> Result<Pages, PaperError> {
    let (texts, level, enough) = texts(envelope)?;
    let matrices = texts.iter().map(|text| Matrix::of(text, None, level));
    let matrices: Vec<Matrix> =
        matrices.collect::<Result<_, _>>().map_err(|error| PaperError::Code(error.to_string()))?;
    let codes = matrices.len();
    let count = codes.div_ceil(CODES);
    let pages = matrices.chunks(CODES).enumerate().map(|(page, matrices)| {
        let mut items = heading(envelope, codes, enough, page + 1, count);
        for (place, matrix) in matrices.iter().enumerate() {
            items.extend(labelled(envelope, matrix, place, page * CODES + place + 1, codes));
        }
        Page { items }
    });
    let title = format!("{} {} ({})", envelope.kind(), envelope.name(), envelope.realm());
    Ok(Pages { pages: pages.collect(), title, codes, enough })
}

/// The texts of the codes, their level, and how many are enough. One code that holds it all is printed twice.
fn texts(envelope: &Envelope) -> Result<(Vec<String>, Level, usize), PaperError> {
    if let Some(text) = single_within(envelope, VERSION, Level::Q) {
        return Ok((vec![text.clone(), text], Level::Q, 1));
    }
    let octets = envelope.to_octets().len();
    let sources = |level| octets.div_ceil(symbol_octets_at(VERSION, level).max(1));
    let level = if sources(Level::Q) <= FEW { Level::Q } else { Level::M };
    let enough = sources(level);
    // A third more than are needed, and two at least.
    let codes = enough + enough.div_ceil(3).max(2);
    if codes > limits::PRINTED_CODES {
        return Err(PaperError::Many { most: limits::PRINTED_CODES, found: codes });
    }
    let sender =
        Sender::new(envelope, symbol_octets_at(VERSION, level)).map_err(|error| PaperError::Code(error.to_string()))?;
    Ok(((0_u64..).take(codes).map(|number| sender.frame(number)).collect(), level, enough))
}

fn heading(envelope: &Envelope, codes: usize, enough: usize, page: usize, pages: usize) -> Vec<Item> {
    let text = |y, size, weight, text: String| Item::Text { x: MARGIN, y, size, weight, text };
    let digest = envelope.digest();
    let octets = envelope.octets().len();
    let enough = if enough == 1 { "each is enough".to_owned() } else { format!("any {enough} are enough") };
    vec![
        text(
            50.0,
            12.0,
            Weight::Bold,
            format!("{}  {}  {}", envelope.realm().banner(), envelope.kind(), envelope.name()),
        ),
        text(
            64.0,
            9.0,
            Weight::Regular,
            format!("{octets} octets in {codes} codes, {enough}. Page {page} of {pages}."),
        ),
        text(80.0, 10.0, Weight::Bold, digest.twelve_words()),
        text(94.0, 8.0, Weight::Regular, digest.grouped()),
        text(
            810.0,
            8.0,
            Weight::Regular,
            "Scan or photograph the pages, then: anchorite qr scan FOLDER --out FILE".to_owned(),
        ),
    ]
}

fn labelled(envelope: &Envelope, matrix: &Matrix, place: usize, number: usize, codes: usize) -> Vec<Item> {
    let (column, row) = (place % COLUMNS, place / COLUMNS);
    #[allow(clippy::cast_precision_loss)] // invariant: at most 2 columns, 3 rows, 177 modules.
    let (x, y, modules) =
        (MARGIN + column as f64 * CELL.0, TOP + row as f64 * CELL.1, (matrix.size() + 2 * QUIET) as f64);
    let module = SIDE / modules;
    #[allow(clippy::cast_precision_loss)]
    let quiet = QUIET as f64 * module;
    let words = envelope.digest().words(4).join(" ");
    let label = |y, text| Item::Text { x: x + quiet, y, size: 7.0, weight: Weight::Regular, text };
    vec![
        Item::Code { x: x + quiet, y: y + quiet, module, matrix: matrix.clone() },
        label(y + SIDE + 4.0, format!("{number}/{codes}  {words}")),
        label(y + SIDE + 13.0, format!("{} {}", envelope.kind(), envelope.name())),
    ]
}
