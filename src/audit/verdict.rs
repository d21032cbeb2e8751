//! What a verifier answers, for programs (`--json`, transcripts/README.md) and for people.
//!
//! ```text
//! {"verdict":"refuted","exit":4,"first_bad":{"what":"entry","where":7},"problem":"...","claims":[...]}
//! ```

use crate::basics::{SafeText, safe_text};
use serde::Serialize;

/// Characters of a name in a place, of a claim and of the problem.
const NAME_CHARS: usize = 300;
const PROBLEM_CHARS: usize = 600;

/// How much of a claim the verifier has seen for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Re-derived.
    Ok,
    /// Said by the record.
    Recorded,
    /// Absent or withheld.
    Unchecked,
}

impl Status {
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Status::Ok => "ok",
            Status::Recorded => "recorded",
            Status::Unchecked => "unchecked",
        }
    }

    /// `Ok` where it holds, `Unchecked` where nothing is known.
    #[must_use]
    pub const fn ok_if(holds: bool) -> Self {
        if holds { Status::Ok } else { Status::Unchecked }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Claim {
    pub claim: SafeText,
    pub status: Status,
    pub detail: SafeText,
}

/// What kind of place is the first bad one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum What {
    Entry,
    Checkpoint,
    Head,
    Artifact,
    File,
}

impl What {
    const fn word(self) -> &'static str {
        match self {
            What::Entry => "entry",
            What::Checkpoint => "checkpoint",
            What::Head => "head",
            What::Artifact => "artifact",
            What::File => "file",
        }
    }
}

/// A line or size, or a name with everything invisible spelled out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Place {
    Number(usize),
    Name(String),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FirstBad {
    pub what: What,
    #[serde(rename = "where")]
    pub place: Place,
}

/// The first place that refutes the record, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct Refuted {
    pub first_bad: FirstBad,
    pub problem: String,
}

impl Refuted {
    #[must_use]
    pub fn at(what: What, number: usize, problem: impl Into<String>) -> Self {
        Self { first_bad: FirstBad { what, place: Place::Number(number) }, problem: problem.into() }
    }

    #[must_use]
    pub fn named(what: What, name: &str, problem: impl Into<String>) -> Self {
        let place = Place::Name(safe_text::spelled(name, NAME_CHARS));
        Self { first_bad: FirstBad { what, place }, problem: problem.into() }
    }
}

/// The answer in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Ruling {
    /// Consistent, and by the signers or the head the verifier brought.
    Ok,
    /// Consistent, but nobody says that it is not a whole forgery.
    Unpinned,
    Refuted,
}

/// The whole answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    pub verdict: Ruling,
    pub exit: u8,
    pub first_bad: Option<FirstBad>,
    pub problem: String,
    pub claims: Vec<Claim>,
}

impl Verdict {
    /// The verdict on a folder that was looked at to its end (`Ok(pinned)`) or refuted.
    #[must_use]
    pub fn of(result: Result<bool, Refuted>, claims: Claims) -> Self {
        let (verdict, exit, first_bad, problem) = match result {
            Ok(true) => (Ruling::Ok, 0, None, String::new()),
            Ok(false) => (Ruling::Unpinned, 8, None, "consistent, signers unpinned".to_owned()),
            Err(refuted) => (Ruling::Refuted, 4, Some(refuted.first_bad), refuted.problem),
        };
        let problem = SafeText::cut(&problem, PROBLEM_CHARS).to_string();
        Self { verdict, exit, first_bad, problem, claims: claims.0 }
    }

    /// Something that only whoever brought more could see refutes what was found good.
    pub fn refute(&mut self, refuted: Refuted) {
        (self.verdict, self.exit) = (Ruling::Refuted, 4);
        self.problem = SafeText::cut(&refuted.problem, PROBLEM_CHARS).to_string();
        self.first_bad = Some(refuted.first_bad);
    }

    /// For people: a line for each claim, then the verdict.
    #[must_use]
    pub fn render(&self) -> String {
        let width = self.claims.iter().map(|claim| claim.claim.as_str().chars().count()).max().unwrap_or(0);
        let mut text = String::new();
        for Claim { claim, status, detail } in &self.claims {
            text.push_str(&format!("{:<9}  {:<width$}  {detail}\n", status.word(), claim.as_str()));
        }
        text.push_str(match self.verdict {
            Ruling::Ok => "ok",
            Ruling::Unpinned => "unpinned",
            Ruling::Refuted => "refuted",
        });
        if let Some(FirstBad { what, place }) = &self.first_bad {
            match place {
                Place::Number(number) => text.push_str(&format!(" at {} {number}", what.word())),
                Place::Name(name) => text.push_str(&format!(" at {} {name}", what.word())),
            }
        }
        if !self.problem.is_empty() {
            text.push_str(": ");
            text.push_str(&self.problem);
        }
        text.push('\n');
        text
    }
}

/// Claims as they are made, in order.
#[derive(Clone, Debug, Default)]
pub struct Claims(Vec<Claim>);

impl IntoIterator for Claims {
    type Item = Claim;
    type IntoIter = std::vec::IntoIter<Claim>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl Claims {
    pub fn add(&mut self, claim: &str, status: Status, detail: impl AsRef<str>) {
        let claim = SafeText::cut(claim, NAME_CHARS);
        self.0.push(Claim { claim, status, detail: SafeText::cut(detail.as_ref(), NAME_CHARS) });
    }
}
