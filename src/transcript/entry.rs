//! The shapes of one line: the header, the open part that is never withheld, and the body that may be.
//!
//! ```text
//! {"body":{"asked":"..."},"head":"9d41..","open":{"exception":0,"kind":"answer","level":"auditor",...},"salt":"5f0c.."}
//! ```

use crate::basics::{Digest, Instant, Realm};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The format word of this version.
pub const FORMAT: &str = "anchorite-transcript/1";

/// A participant whose key signs an attestation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signer {
    pub name: String,
    pub person: String,
    /// OpenSSH one-line public key.
    pub public_key: String,
}

/// Which program wrote the record (`recorded`: a lying tool prints the right digest).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    pub digest: String,
    pub version: String,
}

/// Line 0: what was decided before anybody answered anything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    pub approval_digest: String,
    pub argv: Vec<String>,
    pub binding_digest: String,
    pub ceremony: String,
    pub format: String,
    pub governance_digest: String,
    pub machine: BTreeMap<String, String>,
    pub plan_digest: Digest,
    pub previous_head: String,
    pub realm: Realm,
    pub script_digest: Digest,
    pub serial_seed_commitment: Digest,
    pub signers: Vec<Signer>,
    pub started: Instant,
    pub tool: Tool,
}

/// What kind of thing an entry records: a closed list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    Opened,
    RunKey,
    Step,
    Answer,
    Intent,
    Outcome,
    Exception,
    Pause,
    Resumed,
    Abort,
    Artifact,
    Closed,
}

impl Kind {
    /// The level an entry of this kind has unless the script raises it.
    #[must_use]
    pub const fn default_level(self) -> Level {
        match self {
            Kind::RunKey | Kind::Step | Kind::Artifact | Kind::Closed => Level::Public,
            Kind::Opened | Kind::Intent | Kind::Outcome | Kind::Exception | Kind::Resumed | Kind::Abort => {
                Level::Auditor
            }
            Kind::Answer | Kind::Pause => Level::Complete,
        }
    }
}

/// The lowest copy that carries an entry's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    Public,
    Auditor,
    Complete,
}

impl Level {
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "public" => Some(Self::Public),
            "auditor" => Some(Self::Auditor),
            "complete" => Some(Self::Complete),
            _ => None,
        }
    }

    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Auditor => "auditor",
            Self::Complete => "complete",
        }
    }
}

/// The part of an entry that every copy carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Open {
    pub exception: u64,
    pub kind: Kind,
    pub level: Level,
    /// Operation digest, or empty.
    pub operation: String,
    pub outcome: String,
    pub role: String,
    pub seq: u32,
    pub step: String,
    pub time: Instant,
}

/// What a complete entry says beyond its open part.
pub type Body = Map<String, Value>;

/// An entry before it is chained: everything but its number and its salt.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    pub exception: u32,
    pub kind: Kind,
    pub level: Level,
    pub operation: String,
    pub outcome: &'static str,
    pub role: String,
    pub step: String,
    pub body: Body,
}

impl Entry {
    /// An entry of the kind's default level, about nothing in particular.
    #[must_use]
    pub fn new(kind: Kind, outcome: &'static str) -> Self {
        Self {
            exception: 0,
            kind,
            level: kind.default_level(),
            operation: String::new(),
            outcome,
            role: "tool".to_owned(),
            step: String::new(),
            body: Body::new(),
        }
    }

    #[must_use]
    pub fn by(mut self, role: &str) -> Self {
        role.clone_into(&mut self.role);
        self
    }

    #[must_use]
    pub fn at(mut self, step: &str) -> Self {
        step.clone_into(&mut self.step);
        self
    }

    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.body.insert(key.to_owned(), value.into());
        self
    }

    #[must_use]
    pub const fn under(mut self, exception: u32) -> Self {
        self.exception = exception;
        self
    }

    /// The open part once its place and time are known.
    #[must_use]
    pub fn open(&self, seq: u32, time: Instant) -> Open {
        Open {
            exception: u64::from(self.exception),
            kind: self.kind,
            level: self.level,
            operation: self.operation.clone(),
            outcome: self.outcome.to_owned(),
            role: self.role.clone(),
            seq,
            step: self.step.clone(),
            time,
        }
    }
}

/// One line of `transcript.jsonl` as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Line {
    Header(HeaderLine),
    Complete(CompleteLine),
    Withheld(WithheldLine),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeaderLine {
    pub head: Digest,
    pub header: Header,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CompleteLine {
    pub body: Body,
    pub head: Digest,
    pub open: Open,
    pub salt: Digest,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WithheldLine {
    pub head: Digest,
    pub leaf: Digest,
    pub open: Open,
}

impl Line {
    #[must_use]
    pub const fn head(&self) -> &Digest {
        match self {
            Line::Header(line) => &line.head,
            Line::Complete(line) => &line.head,
            Line::Withheld(line) => &line.head,
        }
    }

    #[must_use]
    pub const fn open(&self) -> Option<&Open> {
        match self {
            Line::Header(_) => None,
            Line::Complete(line) => Some(&line.open),
            Line::Withheld(line) => Some(&line.open),
        }
    }

    #[must_use]
    pub const fn body(&self) -> Option<&Body> {
        match self {
            Line::Complete(line) => Some(&line.body),
            Line::Header(_) | Line::Withheld(_) => None,
        }
    }
}
