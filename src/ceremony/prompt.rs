//! What a front end shows and what it asks for. Front ends hold no decisions: each [`Ask`] has one screen and one plain
//! rendering.

use crate::basics::{Digest, SafeText};
use serde::Serialize;

/// One thing to do, said in the imperative, with who acts first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Prompt {
    /// The acting person's id.
    pub who: String,
    pub title: String,
    pub lines: Vec<Line>,
    pub ask: Ask,
    /// What happens next, so that nobody is surprised.
    pub next: String,
    /// What a simulated person would answer; only ever filled in a rehearsal.
    pub rehearsal_answer: Option<String>,
    /// Why the last answer was not taken.
    pub refusal: Option<String>,
    /// Whether answering does something that cannot be undone: type-ahead is dropped.
    pub grave: bool,
}

/// One line of a prompt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "line", rename_all = "kebab-case")]
pub enum Line {
    Text {
        text: SafeText,
    },
    Value {
        label: String,
        value: SafeText,
    },
    /// Shown as grouped hex and as words, side by side.
    Digest {
        label: String,
        digest: Digest,
        words: String,
    },
    Good {
        text: SafeText,
    },
    Bad {
        text: SafeText,
    },
    Gap,
}

impl Line {
    #[must_use]
    pub fn text(text: &str) -> Self {
        Line::Text { text: SafeText::of(text) }
    }

    #[must_use]
    pub fn value(label: &str, value: &str) -> Self {
        Line::Value { label: label.to_owned(), value: SafeText::of(value) }
    }

    #[must_use]
    pub fn digest(label: &str, digest: Digest) -> Self {
        Line::Digest { label: label.to_owned(), digest, words: digest.twelve_words() }
    }

    /// The line as plain text, for the record and the plain front end.
    #[must_use]
    pub fn plain(&self) -> String {
        match self {
            Line::Text { text } => text.to_string(),
            Line::Value { label, value } => format!("{label:<12} {value}"),
            Line::Digest { label, digest, words } => format!("{label:<12} {words}\n{:<12} {}", "", digest.grouped()),
            Line::Good { text } => format!("✓ {text}"),
            Line::Bad { text } => format!("✗ {text}"),
            Line::Gap => String::new(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChoiceOption {
    pub key: String,
    pub title: String,
}

/// What kind of answer is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "ask", rename_all = "kebab-case")]
pub enum Ask {
    /// The person agrees by their own initials; `no` asks again or opens an exception.
    Initials {
        person: String,
    },
    /// A value typed by hand: a number read off a bag, a time, words read aloud.
    Text {
        label: String,
        example: String,
    },
    /// Typed back before something that cannot be undone.
    Phrase {
        phrase: String,
    },
    Choice {
        options: Vec<ChoiceOption>,
    },
    /// Dice as rolled, digits 1 to 6; secret.
    Dice {
        least: u32,
    },
    /// A share typed from its custodian's card; secret.
    /// `index` 0 takes any share of the quorum; `card` is the one the named holder would take.
    Share {
        quorum: String,
        index: u8,
        card: u8,
        count: u8,
        holder: String,
        purpose: String,
    },
    /// An object from across the gap: a certificate request, a certificate, a list of revocations, an order.
    Object {
        /// A word of [`crate::transfer::envelope::Kind`]: another kind is refused.
        kind: String,
        /// What it is called here, e.g. `issuing-2026.csr.pem`; a rehearsal takes the file of this name.
        name: String,
        /// For people: "the certificate request of issuing-2026".
        what: String,
        /// Octets of content it may have.
        most: u64,
    },
    /// Agree or do not agree, with a remark.
    SignOff {
        person: String,
    },
    /// An exception sheet that must be filled before anything else can happen.
    Sheet {
        expected: String,
        happened: String,
        decided: String,
    },
}
