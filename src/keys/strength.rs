//! How strong each algorithm is, and until when. Dates are those of the transition to post-quantum cryptography; whoever
//! follows another calendar finds the one place to change here.
//!
//! | algorithm | strength | source | ends | source |
//! |---|---|---|---|---|
//! | ECDSA P-256, Ed25519 | 128 bits | NIST SP 800-57 part 1 rev. 5, table 2; SP 800-186 | 2035 | NIST IR 8547 (initial public draft, 2024), table 2: disallowed after 2035 |
//! | ECDSA P-384 | 192 bits | as above | 2035 | as above |
//! | ML-DSA-44, -65, -87 | category 2, 3, 5 | FIPS 204, table 1 | not set | |
//! | SLH-DSA-SHA2-128s, -256s | category 1, 5 | FIPS 205, table 2 | not set | |

use super::Algorithm;
use crate::basics::Instant;

/// The last moment at which a classical signature or key agreement is to be relied on: the end of 2035.
pub const CLASSICAL_RETIREMENT: Instant = Instant(2_082_758_399_000);

/// What it takes to forge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strength {
    /// Work of 2^bits on a classical computer, and little on a large quantum computer.
    ClassicalBits(u16),
    /// NIST's security category, 1 to 5: as hard as finding a key of AES-128 (1), -192 (3) or -256 (5), or a collision of
    /// SHA-256 (2) or SHA-384 (4), on either kind of computer.
    Category(u8),
}

impl Algorithm {
    #[must_use]
    pub const fn strength(self) -> Strength {
        match self {
            Algorithm::EcdsaP384 => Strength::ClassicalBits(192),
            Algorithm::EcdsaP256 | Algorithm::Ed25519 => Strength::ClassicalBits(128),
            Algorithm::MlDsa44 => Strength::Category(2),
            Algorithm::MlDsa65 => Strength::Category(3),
            Algorithm::MlDsa87 | Algorithm::SlhDsaSha2_256s => Strength::Category(5),
            Algorithm::SlhDsaSha2_128s => Strength::Category(1),
        }
    }

    /// When its signatures are no longer to be relied on; `None` where no date has been set.
    #[must_use]
    pub const fn retirement(self) -> Option<Instant> {
        match self.strength() {
            Strength::ClassicalBits(_) => Some(CLASSICAL_RETIREMENT),
            Strength::Category(_) => None,
        }
    }
}

impl std::fmt::Display for Strength {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Strength::ClassicalBits(bits) => write!(f, "{bits} bits, classical"),
            Strength::Category(category) => write!(f, "category {category}"),
        }
    }
}
