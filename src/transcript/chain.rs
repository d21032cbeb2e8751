//! The hash chain: how a line is made from the line before it, and how a whole record is read back or refused.

use crate::basics::{Digest, Instant, Realm, SafeText, canonical, limits};
use crate::transcript::entry::{CompleteLine, Entry, FORMAT, Header, HeaderLine, Level, Line, Open, WithheldLine};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The end of a record to which the next entry is chained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    pub realm: Realm,
    pub head: Digest,
    /// Number of the next entry; also how many lines there are.
    pub next: u32,
}

/// The first line that does not belong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("entry {entry}: {problem}")]
pub struct BadEntry {
    pub entry: u32,
    pub problem: String,
}

impl Chain {
    /// Starts a record; returns the chain and the header line with its line break.
    ///
    /// # Errors
    /// Where the header has no canonical form.
    pub fn start(header: Header) -> Result<(Self, Vec<u8>), canonical::CanonicalError> {
        let realm = header.realm;
        let head = header_head(&header)?;
        let mut octets = canonical::to_octets(&Line::Header(HeaderLine { head, header }))?;
        octets.push(b'\n');
        Ok((Self { realm, head, next: 1 }, octets))
    }

    /// Chains one entry; returns its line with its line break.
    ///
    /// # Errors
    /// Where the body has no canonical form.
    pub fn append(&mut self, entry: &Entry, time: Instant, salt: Digest) -> Result<Vec<u8>, canonical::CanonicalError> {
        let open = entry.open(self.next, time);
        let leaf = leaf_of(self.realm, &salt, &entry.body)?;
        let head = next_head(self.realm, &self.head, &open, &leaf)?;
        let line = Line::Complete(CompleteLine { body: entry.body.clone(), head, open, salt });
        let mut octets = canonical::to_octets(&line)?;
        octets.push(b'\n');
        self.head = head;
        self.next += 1;
        Ok(octets)
    }
}

fn header_head(header: &Header) -> Result<Digest, canonical::CanonicalError> {
    Ok(Digest::tagged("header", header.realm, &[&canonical::to_octets(header)?]))
}

fn leaf_of(
    realm: Realm,
    salt: &Digest,
    body: &crate::transcript::entry::Body,
) -> Result<Digest, canonical::CanonicalError> {
    Ok(Digest::tagged("leaf", realm, &[salt.octets(), &canonical::to_octets(body)?]))
}

fn next_head(realm: Realm, before: &Digest, open: &Open, leaf: &Digest) -> Result<Digest, canonical::CanonicalError> {
    Ok(Digest::tagged("entry", realm, &[before.octets(), &canonical::to_octets(open)?, leaf.octets()]))
}

/// A record whose every line was checked against the one before it.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    pub header: Header,
    /// All lines after the header.
    pub lines: Vec<Line>,
    /// Heads of all lines, the header's first.
    pub heads: Vec<Digest>,
}

impl Record {
    /// Reads and checks a whole record.
    ///
    /// # Errors
    /// The first line that is not as the specification says.
    pub fn read(octets: &[u8]) -> Result<Self, BadEntry> {
        Self::read_of(octets, None)
    }

    /// As [`Record::read`]; the header must also name the digest of `script`, before any later line is looked at.
    ///
    /// # Errors
    /// As [`Record::read`].
    pub fn read_of(octets: &[u8], script: Option<Digest>) -> Result<Self, BadEntry> {
        let bad = |entry: usize, problem: String| BadEntry { entry: u32::try_from(entry).unwrap_or(u32::MAX), problem };
        if octets.len() > limits::TRANSCRIPT_OCTETS {
            return Err(bad(
                0,
                format!("expected at most {} octets of transcript, found {}", limits::TRANSCRIPT_OCTETS, octets.len()),
            ));
        }
        let mut lines = octets.split_inclusive(|octet| *octet == b'\n').enumerate();
        let Some((_, first)) = lines.next() else {
            return Err(bad(0, "expected a header line, found an empty file".to_owned()));
        };
        let header = read_header(first, script).map_err(|problem| bad(0, problem))?;
        let mut heads = vec![header_head(&header).map_err(|e| bad(0, e.to_string()))?];
        let mut chained = Vec::new();
        for (number, octets) in lines {
            let before = heads.last().copied().unwrap_or(Digest::from_octets([0; 32]));
            let line = read_entry(octets, number, header.realm, &before).map_err(|problem| bad(number, problem))?;
            heads.push(*line.head());
            chained.push(line);
        }
        Ok(Self { header, lines: chained, heads })
    }

    /// The end of the record, to which a resumed ceremony appends.
    #[must_use]
    pub fn chain(&self) -> Chain {
        Chain { realm: self.header.realm, head: self.head(), next: u32::try_from(self.heads.len()).unwrap_or(u32::MAX) }
    }

    /// The head of the last line.
    #[must_use]
    pub fn head(&self) -> Digest {
        // invariant: `read` pushes the header's head before anything else.
        self.heads.last().copied().unwrap_or(Digest::from_octets([0; 32]))
    }

    /// The head of the first `size` lines, the header's counted; none where there are not so many.
    #[must_use]
    pub fn head_at(&self, size: usize) -> Option<Digest> {
        self.heads.get(size.checked_sub(1)?).copied()
    }

    /// Open parts in order.
    pub fn opens(&self) -> impl Iterator<Item = &Open> {
        self.lines.iter().filter_map(Line::open)
    }

    /// Whether any body is withheld in this copy.
    #[must_use]
    pub fn has_withheld(&self) -> bool {
        self.lines.iter().any(|line| matches!(line, Line::Withheld(_)))
    }

    /// The same record with every body above `level` withheld; the heads stay the same.
    ///
    /// # Errors
    /// Where a body has no canonical form, which reading has already excluded.
    pub fn disclose(&self, level: Level) -> Result<Vec<u8>, canonical::CanonicalError> {
        let header = Line::Header(HeaderLine { head: header_head(&self.header)?, header: self.header.clone() });
        let mut octets = canonical::to_octets(&header)?;
        octets.push(b'\n');
        for line in &self.lines {
            let kept = match line {
                Line::Complete(full) if full.open.level > level => Line::Withheld(WithheldLine {
                    head: full.head,
                    leaf: leaf_of(self.header.realm, &full.salt, &full.body)?,
                    open: full.open.clone(),
                }),
                other => other.clone(),
            };
            octets.extend_from_slice(&canonical::to_octets(&kept)?);
            octets.push(b'\n');
        }
        Ok(octets)
    }
}

/// One line without its line break, parsed: plain values only, in their one spelling.
fn read_line<T: Serialize + DeserializeOwned>(octets: &[u8]) -> Result<T, String> {
    let octets = octets.strip_suffix(b"\n").ok_or("expected a line break at the end, found a torn line")?;
    let limit = limits::TRANSCRIPT_LINE_OCTETS;
    let plain: Value = canonical::parse(octets, limit).map_err(|e| e.to_string())?;
    if !is_plain(&plain) {
        return Err("expected strings, integers below 2^53, booleans, arrays and objects".to_owned());
    }
    canonical::parse(octets, limit).map_err(|e| e.to_string())
}

fn read_header(octets: &[u8], script: Option<Digest>) -> Result<Header, String> {
    let HeaderLine { head, header } = read_line(octets)?;
    if header.format != FORMAT {
        return Err(format!("expected format {FORMAT}, found {}", SafeText::of(&header.format)));
    }
    for (name, digest) in [
        ("approval_digest", &header.approval_digest),
        ("binding_digest", &header.binding_digest),
        ("governance_digest", &header.governance_digest),
        ("previous_head", &header.previous_head),
        ("digest of the tool", &header.tool.digest),
    ] {
        digest_or_empty(name, digest)?;
    }
    if let Some(found) = script.filter(|found| *found != header.script_digest) {
        return Err(format!("script_digest: expected {}, found script.toml with {found}", header.script_digest));
    }
    let expected = header_head(&header).map_err(|e| e.to_string())?;
    if expected != head {
        return Err(format!("expected head {expected}, found {head}"));
    }
    Ok(header)
}

fn digest_or_empty(name: &str, text: &str) -> Result<(), String> {
    if text.is_empty() || Digest::parse(text).is_some() {
        return Ok(());
    }
    Err(format!("{name}: expected 64 lower-case hexadecimal digits or nothing, found {}", SafeText::cut(text, 80)))
}

fn read_entry(octets: &[u8], number: usize, realm: Realm, before: &Digest) -> Result<Line, String> {
    let line: Line = read_line(octets)?;
    let open = line.open().ok_or("expected an entry, found a second header")?;
    if usize::try_from(open.seq) != Ok(number) {
        return Err(format!("expected number {number}, found {}", open.seq));
    }
    digest_or_empty("operation", &open.operation)?;
    if open.kind.default_level() == Level::Public && open.level != Level::Public {
        return Err(format!("level: expected public for an entry of this kind, found {}", open.level.word()));
    }
    let leaf = match &line {
        Line::Complete(full) => leaf_of(realm, &full.salt, &full.body).map_err(|e| e.to_string())?,
        Line::Withheld(line) if line.open.level == Level::Public => {
            return Err("expected the body of a public entry, found it withheld".to_owned());
        }
        Line::Withheld(line) => line.leaf,
        Line::Header(_) => return Err("expected an entry, found a second header".to_owned()),
    };
    let expected = next_head(realm, before, open, &leaf).map_err(|e| e.to_string())?;
    if expected != *line.head() {
        return Err(format!("expected head {expected}, found {}", line.head()));
    }
    Ok(line)
}

/// No floats, nulls or negative numbers: what every JSON library reads the same.
fn is_plain(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(_) | Value::String(_) => true,
        Value::Number(number) => number.as_u64().is_some_and(|n| n < 1 << 53),
        Value::Array(values) => values.iter().all(is_plain),
        Value::Object(values) => values.values().all(is_plain),
    }
}
