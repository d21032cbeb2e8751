//! Extended key usages (RFC 5280 4.2.1.12): a word for those we know, or an object identifier.

use const_oid::ObjectIdentifier;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Purpose(ObjectIdentifier);

/// Word and object identifier.
const WORDS: &[(&str, ObjectIdentifier)] = &[
    ("any", ObjectIdentifier::new_unwrap("2.5.29.37.0")),
    ("server-auth", ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.1")),
    ("client-auth", ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.2")),
    ("code-signing", ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.3")),
    ("email-protection", ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.4")),
    ("time-stamping", ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.8")),
    ("ocsp-signing", ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.9")),
];

impl Purpose {
    /// The purpose a word or an object identifier names.
    #[must_use]
    pub fn named(text: &str) -> Option<Self> {
        let known = WORDS.iter().find(|(word, _)| *word == text).map(|(_, oid)| *oid);
        known.or_else(|| ObjectIdentifier::new(text).ok()).map(Self)
    }

    #[must_use]
    pub const fn of_oid(oid: ObjectIdentifier) -> Self {
        Self(oid)
    }

    #[must_use]
    pub const fn oid(&self) -> ObjectIdentifier {
        self.0
    }

    /// The word, or the object identifier where there is none.
    #[must_use]
    pub fn word(&self) -> String {
        let known = WORDS.iter().find(|(_, oid)| *oid == self.0);
        known.map_or_else(|| self.0.to_string(), |(word, _)| (*word).to_owned())
    }

    #[must_use]
    pub fn is(&self, word: &str) -> bool {
        WORDS.iter().any(|(known, oid)| *known == word && *oid == self.0)
    }
}

/// Whether the extension is critical: for time-stamping alone it must be (RFC 3161 2.3).
#[must_use]
pub fn is_critical(purposes: &[Purpose]) -> bool {
    matches!(purposes, [one] if one.is("time-stamping"))
}

impl From<Purpose> for String {
    fn from(purpose: Purpose) -> Self {
        purpose.word()
    }
}

impl TryFrom<String> for Purpose {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::named(&text).ok_or_else(|| {
            let known: Vec<&str> = WORDS.iter().map(|(word, _)| *word).collect();
            let found = text.escape_default();
            format!("expected an extended key usage ({}, or an object identifier), found \"{found}\"", known.join(", "))
        })
    }
}
