//! Writes one self-contained, printable HTML page. Every value passes through one escape and is made visible first; there is
//! no script, no link and nothing fetched.

use crate::basics::{Digest, Realm, SafeText};

/// A page being written.
pub struct Page {
    text: String,
}

const STYLE: &str = "@page{size:A4;margin:18mm}body{font:10.5pt/1.4 sans-serif;color:#000;max-width:190mm}\
h1{font-size:20pt;margin:0 0 4mm}h2{font-size:14pt;margin:8mm 0 2mm;break-after:avoid}table{border-collapse:collapse;width:100%;margin:2mm 0}\
th,td{border:.3pt solid #555;padding:1.2mm 2mm;text-align:left;vertical-align:top;overflow-wrap:anywhere}th{background:#eee}tr{break-inside:avoid}\
code{font-family:monospace;overflow-wrap:anywhere}.page{break-before:page}.say{font-style:italic}.blank td{height:9mm}\
.mark{border:1pt solid #000;padding:2mm;font-weight:bold;text-align:center;letter-spacing:2pt}";

/// Text made safe for a page.
#[must_use]
pub fn escape(foreign: &str) -> String {
    SafeText::of(foreign)
        .as_str()
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

impl Page {
    /// Begins a page; a rehearsal's says so before anything else.
    #[must_use]
    pub fn new(title: &str, realm: Realm) -> Self {
        let title = escape(title);
        let mark = if realm.is_rehearsal() {
            "<p class=\"mark\">REHEARSAL · nothing here is valid anywhere</p>\n"
        } else {
            ""
        };
        let text = format!(
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title><style>{STYLE}</style></head><body>\n{mark}<h1>{title}</h1>\n"
        );
        Self { text }
    }

    pub fn heading(&mut self, heading: &str) {
        self.text.push_str(&format!("<h2>{}</h2>\n", escape(heading)));
    }

    /// A heading on a new sheet of paper.
    pub fn sheet(&mut self, heading: &str) {
        self.text.push_str(&format!("<h2 class=\"page\">{}</h2>\n", escape(heading)));
    }

    pub fn paragraph(&mut self, text: &str) {
        self.text.push_str(&format!("<p>{}</p>\n", escape(text)));
    }

    /// A digest as words and as grouped hexadecimal.
    pub fn digest(&mut self, label: &str, digest: Digest) {
        self.text.push_str(&format!(
            "<p><b>{}</b> {}<br><code>{}</code></p>\n",
            escape(label),
            digest.twelve_words(),
            digest.grouped()
        ));
    }

    /// A table; cells may have several lines.
    pub fn table<R: AsRef<[String]>>(&mut self, columns: &[&str], rows: impl IntoIterator<Item = R>) {
        self.text.push_str("<table><tr>");
        for column in columns {
            self.text.push_str(&format!("<th>{}</th>", escape(column)));
        }
        self.text.push_str("</tr>\n");
        for row in rows {
            self.text.push_str("<tr>");
            for cell in row.as_ref() {
                let lines: Vec<String> = cell.split('\n').map(escape).collect();
                self.text.push_str(&format!("<td>{}</td>", lines.join("<br>")));
            }
            self.text.push_str("</tr>\n");
        }
        self.text.push_str("</table>\n");
    }

    /// Text whose lines and columns stay as they are.
    pub fn verbatim(&mut self, text: &str) {
        let lines: Vec<String> = text.split('\n').map(escape).collect();
        self.text.push_str(&format!("<pre>{}</pre>\n", lines.join("\n")));
    }

    /// A table of two columns: labels and blanks to fill in by hand.
    pub fn blanks(&mut self, labels: &[&str]) {
        self.text.push_str("<table class=\"blank\">\n");
        for label in labels {
            self.text.push_str(&format!("<tr><th style=\"width:30%\">{}</th><td></td></tr>\n", escape(label)));
        }
        self.text.push_str("</table>\n");
    }

    #[must_use]
    pub fn finish(mut self) -> String {
        self.text.push_str("</body></html>\n");
        self.text
    }
}
