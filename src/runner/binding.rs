//! The binding: a small machine-local file that maps the script's logical names to this machine's devices. It can resolve names
//! and nothing else; its digest is in the transcript.
//!
//! ```toml
//! format = "anchorite-binding/1"
//! ledger = "/srv/ledger.sqlite"
//! [media]
//! vault-a = "/media/usb1"
//! ```

use crate::basics::limits;
use crate::script::problem::Problems;
use crate::script::reader::{Reader, document};
use std::collections::BTreeMap;
use std::path::PathBuf;

pub const FORMAT: &str = "anchorite-binding/1";

/// Logical names and what they are on this machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Binding {
    pub ledger: PathBuf,
    pub media: BTreeMap<String, PathBuf>,
}

impl Binding {
    /// Reads a binding; every name must be one of `media`, and every one of `media` must be bound.
    ///
    /// # Errors
    /// All problems of the file.
    pub fn parse(file: &str, octets: &[u8], media: &[String]) -> Result<Self, Problems> {
        let text = String::from_utf8_lossy(octets);
        let mut problems = Problems::new(file, &text);
        let Some(document) = document(&text, limits::SMALL_FILE_OCTETS, &mut problems) else { return Err(problems) };
        let p = &mut problems;
        let mut r = Reader::new(document.get_ref(), 0..0, "the binding");
        let format = r.needed_text("format", p);
        if format.value != FORMAT {
            p.add(format.span, format!("expected format \"{FORMAT}\""), "");
        }
        let ledger = r.needed_text("ledger", p);
        let mut bound = BTreeMap::new();
        match r.table("media", "`media`", p) {
            Some(mut table) => {
                for name in media {
                    let path = table.needed_text(name, p);
                    if !path.value.starts_with('/') && !path.value.is_empty() {
                        p.add(
                            path.span.clone(),
                            format!("`{name}`: expected an absolute path"),
                            "the folder where the medium is mounted",
                        );
                    }
                    bound.insert(name.clone(), PathBuf::from(path.value));
                }
                table.done(p);
            }
            None if media.is_empty() => {}
            None => p.add(0..0, "the binding needs [media]", format!("bind {}", media.join(", "))),
        }
        r.done(p);
        if problems.is_empty() { Ok(Self { ledger: PathBuf::from(ledger.value), media: bound }) } else { Err(problems) }
    }
}
