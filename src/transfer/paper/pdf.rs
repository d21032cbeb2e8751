//! Pages as a PDF file: the little of PDF 1.4 that text and filled rectangles need.
//!
//! ```text
//! 1 0 obj catalog   2 0 obj pages   3, 4 fonts   5 information   then for each page: the page, its contents
//! ```
//! Helvetica is one of the fonts every reader has. No date and no identifier: the same pages give the same octets. Each
//! code is one path, filled once, so that a printer draws no seams between its rows.

use crate::transfer::paper::{Item, PAGE, Page, Pages, Weight};
use std::fmt::Write;

/// The file.
#[must_use]
pub fn to_octets(pages: &Pages) -> Vec<u8> {
    const FIRST: usize = 6;
    let kids: String = (0..pages.pages.len()).map(|page| format!("{} 0 R ", FIRST + 2 * page)).collect();
    let font = |name| format!("<< /Type /Font /Subtype /Type1 /BaseFont /{name} /Encoding /WinAnsiEncoding >>");
    let mut objects = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        format!("<< /Type /Pages /Kids [ {kids}] /Count {} >>", pages.pages.len()),
        font("Helvetica"),
        font("Helvetica-Bold"),
        format!("<< /Title ({}) /Producer (anchorite) >>", escaped(&pages.title)),
    ];
    for (number, page) in pages.pages.iter().enumerate() {
        let contents = contents(page);
        objects.push(format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {} {}] /Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> \
             /Contents {} 0 R >>",
            PAGE.0,
            PAGE.1,
            FIRST + 2 * number + 1
        ));
        objects.push(format!("<< /Length {} >>\nstream\n{contents}endstream", contents.len()));
    }
    assembled(&objects)
}

/// Objects with their numbers, then the table of where each begins.
fn assembled(objects: &[String]) -> Vec<u8> {
    let mut file = String::from("%PDF-1.4\n");
    let mut table = String::new();
    for (index, object) in objects.iter().enumerate() {
        let _ = writeln!(table, "{:010} 00000 n ", file.len());
        let _ = write!(file, "{} 0 obj\n{object}\nendobj\n", index + 1);
    }
    let (start, size) = (file.len(), objects.len() + 1);
    let _ = write!(file, "xref\n0 {size}\n0000000000 65535 f \n{table}");
    let _ = write!(file, "trailer\n<< /Size {size} /Root 1 0 R /Info 5 0 R >>\nstartxref\n{start}\n%%EOF\n");
    file.into_bytes()
}

fn contents(page: &Page) -> String {
    let mut drawn = String::new();
    for item in &page.items {
        match item {
            Item::Text { x, y, size, weight, text } => {
                let font = match weight {
                    Weight::Regular => "F1",
                    Weight::Bold => "F2",
                };
                let up = PAGE.1 - y;
                let _ = writeln!(drawn, "BT /{font} {size} Tf {x:.2} {up:.2} Td ({}) Tj ET", escaped(text));
            }
            Item::Code { x, y, module, matrix } => {
                // Modules are the unit, and rows go down.
                let up = PAGE.1 - y;
                let _ = writeln!(drawn, "q {module:.4} 0 0 -{module:.4} {x:.2} {up:.2} cm");
                for row in 0..matrix.size() {
                    let mut column = 0;
                    while column < matrix.size() {
                        let run = (column..matrix.size()).take_while(|column| matrix.dark(*column, row)).count();
                        if run > 0 {
                            let _ = writeln!(drawn, "{column} {row} {run} 1 re");
                        }
                        column += run + 1;
                    }
                }
                drawn.push_str("f Q\n");
            }
        }
    }
    drawn
}

/// A PDF string of printable ASCII; anything else becomes a question mark.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '(' | ')' | '\\' => escaped.extend(['\\', character]),
            ' '..='~' => escaped.push(character),
            _ => escaped.push('?'),
        }
    }
    escaped
}
