//! Row 1: keys as values. Which algorithms there are, public keys in their one accepted encoding, signatures, and the
//! text forms of recipients and OpenSSH keys. It never draws a random octet, reads a file or seals anything: whoever
//! makes a key (the strongroom, or a rehearsal) hands its material in, so the same material always gives the same key.

pub mod many;
pub mod private;
pub mod public;
pub mod recipient;
pub mod rsa;
pub mod ssh;
pub mod strength;
pub mod subject;

pub use private::SigningKey;
pub use public::PublicKey;
pub use subject::{SignatureScheme, SubjectKey};

use const_oid::ObjectIdentifier;
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
    /// Pure ML-DSA (FIPS 204, RFC 9881), empty context. HashML-DSA has no place in certificates (RFC 9881 8).
    MlDsa44,
    MlDsa65,
    MlDsa87,
    /// Pure SLH-DSA (FIPS 205, RFC 9909), empty context, the small signatures of two of its twelve parameter sets.
    SlhDsaSha2_128s,
    SlhDsaSha2_256s,
}

impl Algorithm {
    pub const ALL: [Algorithm; 8] = [
        Algorithm::EcdsaP384,
        Algorithm::EcdsaP256,
        Algorithm::Ed25519,
        Algorithm::MlDsa44,
        Algorithm::MlDsa65,
        Algorithm::MlDsa87,
        Algorithm::SlhDsaSha2_128s,
        Algorithm::SlhDsaSha2_256s,
    ];

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
            Algorithm::MlDsa44 => "ml-dsa-44",
            Algorithm::MlDsa65 => "ml-dsa-65",
            Algorithm::MlDsa87 => "ml-dsa-87",
            Algorithm::SlhDsaSha2_128s => "slh-dsa-sha2-128s",
            Algorithm::SlhDsaSha2_256s => "slh-dsa-sha2-256s",
        }
    }

    /// The name people read on screens and pages.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Algorithm::EcdsaP384 => "ECDSA P-384 with SHA-384",
            Algorithm::EcdsaP256 => "ECDSA P-256 with SHA-256",
            Algorithm::Ed25519 => "Ed25519",
            Algorithm::MlDsa44 => "ML-DSA-44",
            Algorithm::MlDsa65 => "ML-DSA-65",
            Algorithm::MlDsa87 => "ML-DSA-87",
            Algorithm::SlhDsaSha2_128s => "SLH-DSA-SHA2-128s",
            Algorithm::SlhDsaSha2_256s => "SLH-DSA-SHA2-256s",
        }
    }

    /// All words, for messages that say what was expected.
    #[must_use]
    pub fn words() -> String {
        Self::ALL.map(Self::word).join(", ")
    }

    /// The object identifier that names both key and signature of a post-quantum algorithm; `None` for the classical ones,
    /// whose keys and signatures are named apart.
    #[must_use]
    pub const fn post_quantum_oid(self) -> Option<ObjectIdentifier> {
        const ML_DSA_44: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.3.17");
        const ML_DSA_65: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.3.18");
        const ML_DSA_87: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.3.19");
        const SLH_DSA_SHA2_128S: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.3.20");
        const SLH_DSA_SHA2_256S: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.3.24");
        match self {
            Algorithm::EcdsaP384 | Algorithm::EcdsaP256 | Algorithm::Ed25519 => None,
            Algorithm::MlDsa44 => Some(ML_DSA_44),
            Algorithm::MlDsa65 => Some(ML_DSA_65),
            Algorithm::MlDsa87 => Some(ML_DSA_87),
            Algorithm::SlhDsaSha2_128s => Some(SLH_DSA_SHA2_128S),
            Algorithm::SlhDsaSha2_256s => Some(SLH_DSA_SHA2_256S),
        }
    }

    fn of_post_quantum_oid(oid: &ObjectIdentifier) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.post_quantum_oid().as_ref() == Some(oid))
    }

    /// Whether a large quantum computer would leave its signatures standing.
    #[must_use]
    pub const fn is_post_quantum(self) -> bool {
        self.post_quantum_oid().is_some()
    }

    /// Octets of material that [`SigningKey::from_material`] takes: 64, and the 3n of FIPS 205 where that is more.
    #[must_use]
    pub const fn material_octets(self) -> usize {
        match self {
            Algorithm::SlhDsaSha2_256s => 96,
            _ => 64,
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
        Self::from_word(&word)
            .ok_or_else(|| format!("expected a key algorithm ({}), found \"{}\"", Self::words(), word.escape_default()))
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
