//! Why a request is refused, and what is remarked about it though it is not.

use crate::basics::SafeText;
use serde::Serialize;

/// One reason: the word that scripts, tests and records know it by, the thing, what was expected of it, what was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// Lower case with hyphens, stable: `signature`, `rsa-roca`, `subject-mixed-script`.
    pub word: &'static str,
    pub what: String,
    pub expected: String,
    pub found: SafeText,
}

impl Reason {
    pub(super) fn new(
        word: &'static str,
        what: impl Into<String>,
        expected: impl Into<String>,
        found: impl AsRef<str>,
    ) -> Self {
        Self { word, what: what.into(), expected: expected.into(), found: SafeText::cut(found.as_ref(), 200) }
    }
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: expected {}, found {}", self.what, self.expected, self.found)
    }
}
