//! Pages: what is on them is what a receiver needs, and a stranger's reader takes the files.

use crate::basics::Realm;
use crate::transfer::paper::{self, Item, PAGE, Page, PaperError, pdf, picture};
use crate::transfer::{Envelope, Kind, Receiver, Taken};

fn envelope(octets: usize) -> Envelope {
    let content = (0..octets).map(|n| u8::try_from(n * n % 251).unwrap()).collect();
    Envelope::new(Kind::Crl, Realm::Production, "root-2026.1.crl", content).unwrap()
}

/// The codes of a page's picture as a decoder reads them, each with what is around it.
fn read(page: &Page) -> (usize, Vec<String>) {
    let png = picture::to_octets(page).unwrap();
    let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
    let mut octets = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut octets).unwrap();
    let (width, height) = (usize::try_from(info.width).unwrap(), usize::try_from(info.height).unwrap());
    let row = width.div_ceil(8);
    let white = |x: usize, y: usize| octets[y * row + x / 8] & (0x80 >> (x % 8)) != 0;
    let codes = page.items.iter().filter_map(|item| match item {
        Item::Code { x, y, .. } => Some((dots(*x) - 60, dots(*y) - 60)),
        Item::Text { .. } => None,
    });
    let texts = codes.map(|(left, top)| {
        let grey = |x, y| if left + x >= width || top + y >= height || white(left + x, top + y) { 255 } else { 0 };
        let mut image = rqrr::PreparedImage::prepare_from_greyscale(900, 900, grey);
        let grids = image.detect_grids();
        assert_eq!(grids.len(), 1);
        grids[0].decode().unwrap().1
    });
    (width, texts.collect())
}

/// Dots at 300 to the inch.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn dots(points: f64) -> usize {
    (points * 300.0 / 72.0) as usize
}

#[test]
fn every_code_of_every_page_is_read_back_and_any_that_are_enough_give_the_whole() {
    let envelope = envelope(3000);
    let pages = paper::lay_out(&envelope).unwrap();
    assert_eq!((pages.codes, pages.enough, pages.pages.len()), (12, 9, 2));
    let texts: Vec<String> = pages.pages.iter().flat_map(|page| read(page).1).collect();
    assert_eq!(texts.len(), 12);
    let mut receiver = Receiver::new();
    // The last ones, with every repair code among them.
    let taken: Vec<Taken> = texts.iter().rev().take(10).map(|text| receiver.take(text)).collect();
    assert!(taken.contains(&Taken::Whole), "{taken:?}");
    assert_eq!(receiver.whole().unwrap(), envelope);
}

#[test]
fn what_fits_one_code_is_printed_twice_and_each_is_enough() {
    let pages = paper::lay_out(&envelope(100)).unwrap();
    assert_eq!((pages.codes, pages.enough, pages.pages.len()), (2, 1, 1));
    let (width, texts) = read(&pages.pages[0]);
    assert_eq!((width, texts.len()), (2480, 2));
    assert!(texts.iter().all(|text| Receiver::new().take(text) == Taken::Whole));
}

#[test]
fn every_label_says_which_code_it_is_and_stays_on_the_page() {
    let pages = paper::lay_out(&envelope(3000)).unwrap();
    let words = envelope(3000).digest().words(4).join(" ");
    let mut labels = Vec::new();
    for item in pages.pages.iter().flat_map(|page| &page.items) {
        match item {
            Item::Text { x, y, size, text, .. } => {
                #[allow(clippy::cast_precision_loss)]
                let width = text.len() as f64 * size * 0.56;
                assert!(*x > 0.0 && x + width < PAGE.0 && *y > 0.0 && *y < PAGE.1, "{text}");
                labels.push(text.clone());
            }
            Item::Code { x, y, module, matrix } => {
                #[allow(clippy::cast_precision_loss)]
                let side = matrix.size() as f64 * module;
                assert!(*module >= 1.8, "a module of {module} points is too small to photograph");
                assert!(x + side < PAGE.0 && y + side < 800.0);
            }
        }
    }
    for number in 1..=12 {
        assert!(labels.contains(&format!("{number}/12  {words}")));
    }
    assert!(labels.iter().any(|label| label.starts_with("PRODUCTION  crl  root-2026.1.crl")));
    assert!(labels.contains(&envelope(3000).digest().twelve_words()));
}

#[test]
fn a_pdf_file_is_the_same_every_time_and_its_table_says_where_everything_is() {
    let file = pdf::to_octets(&paper::lay_out(&envelope(3000)).unwrap());
    assert_eq!(file, pdf::to_octets(&paper::lay_out(&envelope(3000)).unwrap()));
    let text = String::from_utf8(file).unwrap();
    let start: usize = text.lines().rev().nth(1).unwrap().parse().unwrap();
    let mut table = text[start..].lines();
    assert_eq!((table.next(), table.next()), (Some("xref"), Some("0 10")));
    for (number, entry) in table.skip(1).take(9).enumerate() {
        let at: usize = entry[..10].parse().unwrap();
        assert!(text[at..].starts_with(&format!("{} 0 obj\n", number + 1)), "{entry}");
        assert_eq!(entry.len(), 19, "an entry is twenty octets with its line break");
    }
    for contents in text.split("<< /Length ").skip(1) {
        let length: usize = contents[..contents.find(' ').unwrap()].parse().unwrap();
        let stream = contents.find("stream\n").unwrap() + 7;
        assert!(contents[stream + length..].starts_with("endstream"));
    }
}

#[test]
fn what_would_take_a_book_is_refused() {
    assert!(matches!(paper::lay_out(&envelope(200_000)), Err(PaperError::Many { most: 300, found: 301.. })));
}
