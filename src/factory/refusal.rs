//! Why something from a factory, or for one, is refused: a class that is counted, and the thing, what was expected, what was found.

use crate::basics::SafeText;
use serde::Serialize;

/// The kinds of refusal that are counted apart: each is another story about how the object came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Not of the format, or the same value in another spelling.
    Malformed,
    /// Of the other realm.
    WrongRealm,
    /// For another factory.
    WrongFactory,
    /// Sealed to another recipient.
    WrongRecipient,
    /// Of another order.
    WrongOrder,
    /// Taken in before.
    Replay,
    /// Not the one that follows.
    Sequence,
    /// Another one in the place of one that is known.
    Fork,
    Expired,
    /// A signature that does not verify, or is missing.
    BadSignature,
    /// Fewer signers than the threshold that was pinned.
    TooFewSignatures,
    /// More than was ordered or allowed.
    Quota,
    /// Not as many as said.
    Count,
    /// Octets that are not those the manifest lists.
    Tampered,
    /// A part of another bundle, or of another place in this one.
    Foreign,
    /// A certificate that does not lead to the pinned root, or a list that is not its issuer's.
    Chain,
    /// On its issuer's revocation list.
    Revoked,
    /// A private key that does not belong to its certificate.
    KeyMismatch,
    /// Not allowed by the profile or the order.
    Policy,
}

impl Class {
    /// The word in reports and ledgers.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::WrongRealm => "wrong-realm",
            Self::WrongFactory => "wrong-factory",
            Self::WrongRecipient => "wrong-recipient",
            Self::WrongOrder => "wrong-order",
            Self::Replay => "replay",
            Self::Sequence => "sequence",
            Self::Fork => "fork",
            Self::Expired => "expired",
            Self::BadSignature => "bad-signature",
            Self::TooFewSignatures => "too-few-signatures",
            Self::Quota => "quota",
            Self::Count => "count",
            Self::Tampered => "tampered",
            Self::Foreign => "foreign",
            Self::Chain => "chain",
            Self::Revoked => "revoked",
            Self::KeyMismatch => "key-mismatch",
            Self::Policy => "policy",
        }
    }
}

impl std::fmt::Display for Class {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.word())
    }
}

/// A refusal. What came from outside is in it as [`SafeText`] only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{what}: expected {expected}, found {found} ({class})")]
pub struct Refusal {
    pub class: Class,
    pub what: String,
    pub expected: String,
    pub found: String,
}

impl Refusal {
    /// Characters of a foreign text in one refusal.
    const SHOWN: usize = 100;

    pub fn new(class: Class, what: impl Into<String>, expected: impl ToString, found: impl ToString) -> Self {
        let found = SafeText::cut(&found.to_string(), Self::SHOWN).to_string();
        Self { class, what: what.into(), expected: expected.to_string(), found }
    }

    pub(crate) fn malformed(what: impl Into<String>, expected: impl ToString, found: impl ToString) -> Self {
        Self::new(Class::Malformed, what, expected, found)
    }
}

/// `Ok` where two values are equal, else a refusal that shows both.
///
/// # Errors
/// Where they differ.
pub fn same<T: PartialEq + std::fmt::Display>(
    class: Class,
    what: &str,
    expected: &T,
    found: &T,
) -> Result<(), Refusal> {
    if expected == found { Ok(()) } else { Err(Refusal::new(class, what, expected, found)) }
}
