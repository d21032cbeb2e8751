//! `SHA256SUMS` in BSD `--tag` form, the one list stock `sha256sum -c` reads without options.

use crate::basics::{Digest, SafeText};
use std::collections::BTreeMap;

pub const FILE_NAME: &str = "SHA256SUMS";

/// Renders the list, sorted by path.
#[must_use]
pub fn render(files: &BTreeMap<String, Vec<u8>>) -> String {
    files
        .iter()
        .filter(|(path, _)| path.as_str() != FILE_NAME)
        .map(|(path, octets)| format!("SHA256 ({path}) = {}\n", Digest::of(octets)))
        .collect()
}

/// The first file that is not as the list says, or is missing from either side.
#[must_use]
pub fn first_difference(files: &BTreeMap<String, Vec<u8>>) -> Option<(String, String)> {
    let Some(list) = files.get(FILE_NAME) else {
        return Some((FILE_NAME.to_owned(), "expected the list of files, found none".to_owned()));
    };
    let text = String::from_utf8_lossy(list);
    let mut listed = BTreeMap::new();
    for line in text.lines() {
        let parsed = line.strip_prefix("SHA256 (").and_then(|rest| rest.rsplit_once(") = "));
        let Some((path, digest)) = parsed.and_then(|(path, hex)| Some((path, Digest::parse(hex)?))) else {
            return Some((
                FILE_NAME.to_owned(),
                format!("expected `SHA256 (path) = digest`, found {}", SafeText::cut(line, 80)),
            ));
        };
        if listed.insert(path.to_owned(), digest).is_some() {
            return Some((path.to_owned(), "expected once in SHA256SUMS, found twice".to_owned()));
        }
    }
    for (path, digest) in &listed {
        match files.get(path) {
            None => return Some((path.clone(), "listed in SHA256SUMS, and missing".to_owned())),
            Some(octets) if Digest::of(octets) != *digest => {
                return Some((path.clone(), format!("expected digest {digest}, found {}", Digest::of(octets))));
            }
            Some(_) => {}
        }
    }
    files
        .keys()
        .find(|path| path.as_str() != FILE_NAME && !listed.contains_key(*path))
        .map(|path| (path.clone(), "not listed in SHA256SUMS".to_owned()))
}
