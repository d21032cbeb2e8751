//! `SHA256SUMS` in BSD `--tag` form, the one list stock `sha256sum -c` reads without options.
//!
//! ```text
//! SHA256 (artifacts/root.crt.pem) = 9d41...
//! ```

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

/// Reads a list: sorted by the octets of the path, each path once, every line ended.
///
/// # Errors
/// The first line that is not so.
pub fn parse(octets: &[u8]) -> Result<BTreeMap<String, Digest>, String> {
    let text = std::str::from_utf8(octets).map_err(|_| "expected UTF-8 text".to_owned())?;
    let mut listed: BTreeMap<String, Digest> = BTreeMap::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (line, after) = rest.split_once('\n').ok_or("expected the last line to end with a line break")?;
        let parsed = line.strip_prefix("SHA256 (").and_then(|r| r.rsplit_once(") = "));
        let parsed =
            parsed.and_then(|(path, hex)| Some((path, Digest::parse(hex)?))).filter(|(path, _)| !path.is_empty());
        let later = |path: &str| listed.last_key_value().is_none_or(|(last, _)| last.as_str() < path);
        match parsed {
            Some((path, digest)) if later(path) => {
                listed.insert(path.to_owned(), digest);
            }
            _ => {
                return Err(format!(
                    "expected `SHA256 (path) = digest`, sorted, each path once, found {}",
                    SafeText::cut(line, 120)
                ));
            }
        }
        rest = after;
    }
    Ok(listed)
}
