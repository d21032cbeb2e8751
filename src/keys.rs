//! Row 1: keys as values. Which algorithms there are, public keys in their one accepted encoding, signatures, and the
//! text forms of recipients and OpenSSH keys. It never draws a random octet, reads a file or seals anything: whoever
//! makes a key (the strongroom, or a rehearsal) hands its material in, so the same material always gives the same key.

pub mod private;
pub mod public;
pub mod recipient;
pub mod rsa;
pub mod ssh;
pub mod subject;

pub use private::SigningKey;
pub use public::PublicKey;
pub use subject::{SignatureScheme, SubjectKey};

use serde::{Deserialize, Serialize};

/// The signature algorithms a ceremony can make keys for. The word is what scripts, profiles and transcripts write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "&'static str")]
pub enum Algorithm {
    /// ECDSA on NIST P-384 with SHA-384.
    EcdsaP384,
    /// ECDSA on NIST P-256 with SHA-256.
    EcdsaP256,
    /// Pure Ed25519 (RFC 8032).
    Ed25519,
}

impl Algorithm {
    pub const ALL: [Algorithm; 3] = [Algorithm::EcdsaP384, Algorithm::EcdsaP256, Algorithm::Ed25519];

    /// The algorithm a script's word names.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.word() == word)
    }

    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Algorithm::EcdsaP384 => "ecdsa-p384",
            Algorithm::EcdsaP256 => "ecdsa-p256",
            Algorithm::Ed25519 => "ed25519",
        }
    }

    /// The name people read on screens and pages.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Algorithm::EcdsaP384 => "ECDSA P-384 with SHA-384",
            Algorithm::EcdsaP256 => "ECDSA P-256 with SHA-256",
            Algorithm::Ed25519 => "Ed25519",
        }
    }
}

impl std::fmt::Display for Algorithm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.word())
    }
}

impl From<Algorithm> for &'static str {
    fn from(algorithm: Algorithm) -> Self {
        algorithm.word()
    }
}

impl TryFrom<String> for Algorithm {
    type Error = String;

    fn try_from(word: String) -> Result<Self, String> {
        Self::from_word(&word).ok_or_else(|| {
            let known: Vec<&str> = Self::ALL.iter().map(|algorithm| algorithm.word()).collect();
            format!("expected a key algorithm ({}), found \"{}\"", known.join(", "), word.escape_default())
        })
    }
}

/// Why a key or a signature was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("public key: expected a DER SubjectPublicKeyInfo of a known algorithm, found {0}")]
    PublicKey(&'static str),
    #[error("key material: expected {expected} octets, found {found}")]
    MaterialLength { expected: usize, found: usize },
    #[error("key material: expected an integer from 1 to the group order less 1, found none; draw again")]
    MaterialOutOfRange,
    #[error("private key file: expected {0}")]
    PrivateKey(&'static str),
    #[error("signature: expected one of {algorithm} over this message by the key {key}, found another")]
    Signature { algorithm: Algorithm, key: String },
    #[error("signature: expected {scheme} over this message by the key {key}, found another")]
    SubjectSignature { scheme: String, key: String },
    #[error("signing with {0} failed")]
    Signing(Algorithm),
}

#[cfg(test)]
mod tests;
