//! The report's table of what came in from across the gap.

use super::Seen;
use crate::basics::SafeText;
use crate::basics::html::Page;
use crate::ceremony::event::{Answer, What};

/// Every object that was taken in, also one that people took again: where it stands in the record, what it was and by which way.
pub(super) fn came_in(page: &mut Page, entries: &[Seen<'_>]) {
    let rows: Vec<Vec<String>> = entries
        .iter()
        .filter(|entry| entry.open.outcome == "agreed")
        .filter_map(|entry| {
            let Some(What::Answered { answer: Answer::Object { kind, name, via, digest, sha256, octets }, .. }) =
                &entry.what
            else {
                return None;
            };
            Some(vec![
                entry.open.step.clone(),
                format!("{} {}", SafeText::cut(kind, 40), SafeText::cut(name, 64)),
                format!("{} octets\n{sha256}", octets.len() / 2),
                digest.twelve_words(),
                via.words().to_owned(),
            ])
        })
        .collect();
    if !rows.is_empty() {
        page.heading("Came in");
        page.table(&["Step", "Object", "SHA-256 of it", "Words of its envelope", "By"], rows);
    }
}
