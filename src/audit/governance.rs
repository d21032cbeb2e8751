//! Who may approve is confirmed before anything is done: unless an earlier record pins it, two people read the words of the
//! governance folder from paper. A record that began its steps without that says less than it seems to.

use crate::audit::verdict::Status;
use crate::basics::{Digest, SafeText};
use crate::transcript::entry::{Body, Open};
use crate::transcript::{Kind, Record};
use serde_json::Value;
use std::collections::BTreeSet;

/// What is to be claimed of it, from the entries before entry `first_step`; nothing of a rehearsal, which has no governance.
///
/// # Errors
/// Where fewer than two people confirmed it.
pub fn confirmed(record: &Record, first_step: usize) -> Result<Option<(Status, String)>, String> {
    let header = &record.header;
    if header.realm.is_rehearsal() {
        return Ok(None);
    }
    let opened = record.lines.first().and_then(|line| line.body());
    let asked = opened.and_then(words).is_some_and(|words| !words.is_empty());
    if !header.previous_head.is_empty() && opened.is_none() {
        return Ok(Some((Status::Unchecked, "withheld in this copy".to_owned())));
    }
    if !header.previous_head.is_empty() && !asked {
        let detail = format!("pinned by the record that ended at {}", header.previous_head);
        return Ok(Some((Status::Recorded, detail)));
    }
    let before = record.lines.get(..first_step.saturating_sub(1)).unwrap_or_default();
    let (mut people, mut hidden) = (BTreeSet::new(), 0_usize);
    for line in before {
        match (line.open().filter(|open| is_agreement(open)), line.body()) {
            (Some(_), None) => hidden += 1,
            (Some(_), Some(body)) => {
                let signs = |who: &&str| header.signers.iter().any(|signer| signer.person == **who);
                people.extend(confirming(body, opened).filter(signs));
            }
            (None, _) => {}
        }
    }
    let found = people.len() + hidden;
    if found < 2 {
        return Err(format!(
            "expected two people to have confirmed the governance before the first step, found {found}"
        ));
    }
    if hidden > 0 || opened.is_none() {
        return Ok(Some((Status::Unchecked, "withheld in this copy".to_owned())));
    }
    let people: Vec<&str> = people.into_iter().collect();
    Ok(Some((Status::Recorded, format!("confirmed by {}", people.join(", ")))))
}

/// The words two people confirmed are those of the governance the header names; a verifier without the list of words cannot say.
///
/// # Errors
/// Where they are others.
pub fn words_are_the_headers(record: &Record) -> Result<(), String> {
    let header = &record.header;
    let Some(opened) = record.lines.first().and_then(|line| line.body()) else { return Ok(()) };
    let expected = Digest::parse(&header.governance_digest).map(|digest| digest.twelve_words()).unwrap_or_default();
    let found = words(opened).unwrap_or_default();
    let pinned = found.is_empty() && !header.previous_head.is_empty();
    if found == expected || pinned {
        return Ok(());
    }
    Err(format!(
        "expected the governance words \"{expected}\" of the header's digest, found \"{}\"",
        SafeText::cut(found, 200)
    ))
}

fn is_agreement(open: &Open) -> bool {
    open.kind == Kind::Answer && open.outcome == "agreed" && open.step.is_empty()
}

/// Who read the words from paper, where this answer is that: the words are those the record was opened with.
fn confirming<'r>(body: &'r Body, opened: Option<&Body>) -> Option<&'r str> {
    let read = body.get("governance").and_then(Value::as_str).filter(|words| !words.is_empty())?;
    let who = body.get("asked").and_then(|asked| asked.get("who")?.as_str()).filter(|who| !who.is_empty())?;
    (opened.is_none() || opened.and_then(words) == Some(read)).then_some(who)
}

/// The governance words a record was opened with.
fn words(opened: &Body) -> Option<&str> {
    opened.get("event")?.get("governance_words")?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::basics::{Instant, Realm};
    use crate::transcript::entry::{FORMAT, Header, Tool};
    use crate::transcript::{Chain, Entry};
    use serde_json::json;

    /// A production record that was opened with these words.
    fn opened_with(words: &str, governance: Digest, previous_head: &str) -> Record {
        let (mut chain, mut octets) = Chain::start(Header {
            approval_digest: String::new(),
            argv: Vec::new(),
            binding_digest: String::new(),
            ceremony: "test".to_owned(),
            format: FORMAT.to_owned(),
            governance_digest: governance.hex(),
            machine: Default::default(),
            plan_digest: governance,
            previous_head: previous_head.to_owned(),
            realm: Realm::Production,
            script_digest: governance,
            serial_seed_commitment: governance,
            signers: Vec::new(),
            started: Instant(1),
            tool: Tool { digest: String::new(), version: String::new() },
        })
        .unwrap();
        let entry = Entry::new(Kind::Opened, "done").with("event", json!({ "governance_words": words }));
        octets.extend(chain.append(&entry, Instant(2), governance).unwrap());
        Record::read(&octets).unwrap()
    }

    #[test]
    fn the_words_people_confirmed_are_those_of_the_headers_governance() {
        let (ours, other) = (Digest::of(b"ours"), Digest::of(b"other"));
        assert_eq!(words_are_the_headers(&opened_with(&ours.twelve_words(), ours, "")), Ok(()));
        for words in [&other.twelve_words(), ""] {
            assert!(words_are_the_headers(&opened_with(words, ours, "")).is_err(), "{words}");
        }
        let last = other.hex();
        assert_eq!(words_are_the_headers(&opened_with("", ours, &last)), Ok(()));
        assert_eq!(words_are_the_headers(&opened_with(&ours.twelve_words(), ours, &last)), Ok(()));
        assert!(words_are_the_headers(&opened_with(&other.twelve_words(), ours, &last)).is_err());
    }
}
