//! What the public bodies of a record whose chain holds say: run keys, artifacts, how many exceptions, whether it is closed.

use crate::basics::{Digest, safe_text};
use crate::transcript::entry::Body;
use crate::transcript::{Kind, Line, Record};
use serde_json::Value;
use std::collections::BTreeMap;

/// How a record ends so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    Closed,
    Aborted,
    Open,
}

/// Facts both verifiers read off the lines, before they ask what the lines mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Lines, the header line included.
    pub total: usize,
    pub closed: bool,
    pub ending: Ending,
    pub exceptions: usize,
    pub withheld: usize,
    /// Line number and key, `None` where the body has no text there.
    pub run_keys: Vec<(usize, Option<String>)>,
    /// Digest and size by name; the last of a name counts.
    pub artifacts: BTreeMap<String, (Digest, u64)>,
}

impl Facts {
    #[must_use]
    pub fn of(record: &Record) -> Self {
        let ending = match record.opens().last().map(|open| open.kind) {
            Some(Kind::Closed) => Ending::Closed,
            Some(Kind::Abort) => Ending::Aborted,
            _ => Ending::Open,
        };
        let mut facts = Self {
            total: record.heads.len(),
            closed: ending == Ending::Closed,
            ending,
            exceptions: record.opens().filter(|open| open.kind == Kind::Exception).count(),
            withheld: record.lines.iter().filter(|line| matches!(line, Line::Withheld(_))).count(),
            run_keys: Vec::new(),
            artifacts: BTreeMap::new(),
        };
        for (index, line) in record.lines.iter().enumerate() {
            let (Some(open), Some(body)) = (line.open(), line.body()) else { continue };
            match open.kind {
                Kind::RunKey => {
                    let key = body.get("public_key").and_then(Value::as_str).map(str::to_owned);
                    facts.run_keys.push((index + 1, key));
                }
                Kind::Artifact => {
                    if let Some((name, digest, size)) = artifact(body) {
                        facts.artifacts.insert(name.to_owned(), (digest, size));
                    }
                }
                _ => {}
            }
        }
        facts
    }

    /// Digests of the artifacts, as attestations and the closing name them.
    #[must_use]
    pub fn digests(&self) -> BTreeMap<String, Digest> {
        self.artifacts.iter().map(|(name, (digest, _))| (name.clone(), *digest)).collect()
    }
}

/// What an intent was to write: the artefact's name, SHA-256 and size of its content.
pub fn meant(body: &Body) -> Option<(String, (Digest, u64))> {
    let effect = body.get("effect")?;
    let text = |key| effect.get(key).and_then(serde_json::Value::as_str);
    let (name, content) = (text("name")?, text("content")?);
    (text("effect") == Some("write-artifact"))
        .then(|| (name.to_owned(), (Digest::of(content.as_bytes()), content.len() as u64)))
}

/// Name, digest and size of an `artifact` entry, where the name is a plain one.
#[must_use]
pub fn artifact(body: &Body) -> Option<(&str, Digest, u64)> {
    let name = body.get("name")?.as_str()?;
    let plain = !matches!(name, "" | "." | "..") && !name.contains('/') && name.chars().all(safe_text::is_printable);
    let digest = Digest::parse(body.get("sha256")?.as_str()?)?;
    let size = body.get("size")?.as_u64()?;
    plain.then_some((name, digest, size))
}
