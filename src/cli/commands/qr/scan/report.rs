//! What `qr scan` says: progress in words while it goes on, the object at the end.

use crate::basics::{Digest, SafeText};
use crate::cli::{Failure, output};
use crate::transfer::Progress;
use crate::transfer::intake::{Object, progress_line};
use serde::Serialize;
use std::path::Path;
use std::time::{Duration, Instant};

/// A line of progress at most so often.
const PROGRESS: Duration = Duration::from_millis(1_000);
/// What a camera sees, at most so often.
const LOOKS: Duration = Duration::from_millis(3_000);
/// Reasons for single unreadable texts; the counts go on.
const REASONS: u32 = 5;

pub(super) struct Reporter {
    said: Option<Instant>,
    last: String,
    looked: Option<Instant>,
    reasons: u32,
}

impl Reporter {
    pub(super) fn new() -> Self {
        Self { said: None, last: String::new(), looked: None, reasons: 0 }
    }

    pub(super) fn say(&self, words: &str) {
        output::words(&SafeText::of(words).to_string());
    }

    pub(super) fn refused(&self, name: &str, reason: &str) {
        self.say(&format!("{name}: {reason}"));
    }

    pub(super) fn unreadable(&mut self, reason: &str) {
        self.reasons += 1;
        if self.reasons <= REASONS {
            self.say(&format!("unreadable: {reason}"));
        }
    }

    pub(super) fn looks(&mut self, name: &str, looks: &str) {
        if self.looked.is_none_or(|looked| looked.elapsed() >= LOOKS) {
            self.looked = Some(Instant::now());
            self.say(&format!("{name}  {looks}"));
        }
    }

    pub(super) fn now_and_then(&mut self, progress: &Progress) {
        if self.said.is_none_or(|said| said.elapsed() >= PROGRESS) {
            self.progress(progress);
        }
    }

    pub(super) fn progress(&mut self, progress: &Progress) {
        let line = progress_line(progress);
        if line != self.last {
            output::words(&line);
            self.said = Some(Instant::now());
            self.last = line;
        }
    }
}

/// What arrived, for scripts.
#[derive(Serialize)]
struct Arrived<'a> {
    kind: Option<&'static str>,
    realm: Option<&'static str>,
    name: Option<&'a str>,
    octets: usize,
    /// Of the content: what `sha256sum` says of the file.
    sha256: String,
    /// Of the envelope: what both sides compare as words. Of the content where there was no envelope.
    digest: String,
    words: String,
    file: String,
    new: u64,
    again: u64,
    other: u64,
    unreadable: u64,
}

pub(super) fn arrived(object: &Object, file: &Path, progress: &Progress, json: bool) -> Result<(), Failure> {
    let (kind, realm, name, octets, digest) = match object {
        Object::Envelope(envelope) => {
            let (kind, realm) = (Some(envelope.kind().word()), Some(envelope.realm().word()));
            (kind, realm, Some(envelope.name()), envelope.octets(), envelope.digest())
        }
        Object::Plain { kind, octets } => {
            (kind.map(crate::transfer::Kind::word), None, None, octets.as_slice(), Digest::of(octets))
        }
    };
    let arrived = Arrived {
        kind,
        realm,
        name,
        octets: octets.len(),
        sha256: Digest::of(octets).hex(),
        digest: digest.hex(),
        words: digest.twelve_words(),
        file: file.display().to_string(),
        new: progress.new,
        again: progress.again,
        other: progress.other,
        unreadable: progress.unreadable,
    };
    if json {
        return output::json(&arrived);
    }
    let realm = arrived.realm.unwrap_or("no realm: a plain code says none");
    output::data(&format!(
        "{} {} ({realm})",
        arrived.kind.unwrap_or("octets"),
        arrived.name.unwrap_or("without a name")
    ));
    output::data(&format!("octets {}", arrived.octets));
    output::data(&format!("sha256 {}", arrived.sha256));
    output::data(&format!("digest {}", digest.grouped()));
    output::data(&format!("words  {}", arrived.words));
    output::data(&format!("file   {}", SafeText::of(&arrived.file)));
    output::words("compare the words with those the other side shows");
    Ok(())
}
