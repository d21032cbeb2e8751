//! The quorum's age recipient. Its identity is 32 octets that exist only as shares; here they become the two texts the
//! `age` tool knows (C2SP age.md). Sealing is the strongroom's: it draws randomness.
//!
//! ```text
//! AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX      the identity 42 42 ... 42, X25519
//! AGE-SECRET-KEY-PQ-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ2SJ5Q2   the same octets as an X-Wing seed
//! ```

pub mod hybrid;
pub mod identity;

use crate::basics::{Digest, Secret};
use bech32::primitives::iter::{ByteIterExt, Fe32IterExt};
use bech32::{Bech32, Hrp};
use serde::{Deserialize, Serialize};

/// Prefix (18), separator (1), 32 octets in fives (52), checksum (6).
const IDENTITY_CHARS: usize = 77;

/// What kind of recipient a quorum has. The word is what scripts and transcripts write, and the tag of the age stanza but for
/// its case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum RecipientKind {
    /// Classical: age's X25519.
    #[default]
    #[serde(rename = "x25519")]
    X25519,
    /// Post-quantum and classical at once: age's native hybrid, ML-KEM-768 with X25519 (X-Wing).
    #[serde(rename = "mlkem768x25519")]
    MlKem768X25519,
}

impl RecipientKind {
    pub const ALL: [RecipientKind; 2] = [RecipientKind::X25519, RecipientKind::MlKem768X25519];

    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// The kind of a recipient as `age` writes it.
    #[must_use]
    pub fn of_recipient(recipient: &str) -> Option<Self> {
        if recipient.starts_with(hybrid::RECIPIENT_START) {
            return Some(RecipientKind::MlKem768X25519);
        }
        (recipient.starts_with("age1") && recipient.len() == 62).then_some(RecipientKind::X25519)
    }

    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            RecipientKind::X25519 => "x25519",
            RecipientKind::MlKem768X25519 => "mlkem768x25519",
        }
    }

    /// The name people read.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            RecipientKind::X25519 => "X25519 (classical)",
            RecipientKind::MlKem768X25519 => "ML-KEM-768 with X25519 (post-quantum)",
        }
    }

    /// The tag of its stanzas in an age file.
    #[must_use]
    pub const fn stanza_tag(self) -> &'static str {
        match self {
            RecipientKind::X25519 => "X25519",
            RecipientKind::MlKem768X25519 => "mlkem768x25519",
        }
    }

    /// What stands before the `1` of an identity's text.
    #[must_use]
    pub const fn identity_prefix(self) -> &'static str {
        match self {
            RecipientKind::X25519 => "AGE-SECRET-KEY-",
            RecipientKind::MlKem768X25519 => "AGE-SECRET-KEY-PQ-",
        }
    }

    #[must_use]
    pub const fn is_post_quantum(self) -> bool {
        matches!(self, RecipientKind::MlKem768X25519)
    }

    /// The kind that plans and records leave out, so that those made before there was another stay as they are.
    #[must_use]
    pub fn is_left_out(&self) -> bool {
        *self == RecipientKind::X25519
    }
}

impl std::fmt::Display for RecipientKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.word())
    }
}

/// A recipient as people compare it: as it is, or by its kind and digest where it fills a screen.
#[must_use]
pub fn shown(recipient: &str) -> String {
    match RecipientKind::of_recipient(recipient) {
        Some(RecipientKind::MlKem768X25519) => {
            let digest = Digest::of(recipient.as_bytes());
            format!("{}1..., {} characters, SHA-256 {}", hybrid::PREFIX, recipient.len(), digest.grouped())
        }
        _ => recipient.to_owned(),
    }
}

/// Why there is no recipient for an identity, or none in a text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecipientError {
    #[error("age identity: expected 32 octets the age crate accepts, found others")]
    Refused,
    #[error(
        "age identity: expected AGE-SECRET-KEY-1... or AGE-SECRET-KEY-PQ-1... as age writes it, found another text"
    )]
    Identity,
    #[error(
        "age recipient: expected `age1pq1` and 1,216 octets of an ML-KEM-768 and an X25519 key in lower-case Bech32, found {0}"
    )]
    Recipient(&'static str),
}

/// The recipient (`age1...`, `age1pq1...`) that files for this identity are sealed to.
///
/// # Errors
/// Where the age crate does not accept the identity; it accepts all 32-octet ones.
pub fn recipient_of(kind: RecipientKind, identity: &[u8; 32]) -> Result<String, RecipientError> {
    match kind {
        RecipientKind::X25519 => {
            let text = identity_text(kind, identity);
            let identity: age::x25519::Identity = text.expose_text().parse().map_err(|_| RecipientError::Refused)?;
            Ok(identity.to_public().to_string())
        }
        RecipientKind::MlKem768X25519 => hybrid::recipient_of(identity),
    }
}

/// The identity as the `age` tool reads it from a file: `AGE-SECRET-KEY-1...` or `AGE-SECRET-KEY-PQ-1...`, upper-case
/// Bech32 (BIP-173).
#[must_use]
pub fn identity_text(kind: RecipientKind, identity: &[u8; 32]) -> Secret {
    let mut text = Secret::with_capacity(IDENTITY_CHARS);
    // invariant: the prefix is ASCII of one case and less than 83 characters, so it parses.
    let Ok(prefix) = Hrp::parse(kind.identity_prefix()) else { return text };
    // Character by character into the fixed box: a growing String would leave copies behind.
    for character in identity.iter().copied().bytes_to_fes().with_checksum::<Bech32>(&prefix).chars() {
        let mut octet = [0_u8; 4];
        character.to_ascii_uppercase().encode_utf8(&mut octet);
        text.push(octet[0]);
    }
    text
}
