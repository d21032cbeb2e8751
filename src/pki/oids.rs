//! The object identifiers we write and the AlgorithmIdentifier of each key: parameters absent in all of them (RFC 5758
//! 3.2, RFC 8410 3).

use crate::keys::Algorithm;
use const_oid::ObjectIdentifier;
use spki::AlgorithmIdentifierOwned;

pub const COUNTRY: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.6");
pub const ORGANIZATION: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.10");
pub const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");

pub const SUBJECT_KEY_IDENTIFIER: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.14");
pub const KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.15");
pub const BASIC_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.19");
pub const CRL_NUMBER: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.20");
pub const REASON_CODE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.21");
pub const CERTIFICATE_POLICIES: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.32");
pub const AUTHORITY_KEY_IDENTIFIER: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.35");

/// IANA's enterprise number for examples (RFC 5612): every policy of a rehearsal is under it, none of production is.
pub const REHEARSAL_ARC: &str = "1.3.6.1.4.1.32473";
/// The policy a rehearsal's root carries unless its script names another under the arc.
pub const REHEARSAL_POLICY: &str = "1.3.6.1.4.1.32473.1.1";

/// Whether a policy is under the arc that marks rehearsals.
#[must_use]
pub fn is_rehearsal_policy(dotted: &str) -> bool {
    dotted.strip_prefix(REHEARSAL_ARC).is_some_and(|rest| rest.starts_with('.'))
}

/// The signature algorithm of a key of this kind.
#[must_use]
pub const fn signature_oid(algorithm: Algorithm) -> ObjectIdentifier {
    match algorithm {
        Algorithm::EcdsaP384 => const { ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.3") },
        Algorithm::EcdsaP256 => const { ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2") },
        Algorithm::Ed25519 => const { ObjectIdentifier::new_unwrap("1.3.101.112") },
    }
}

/// The AlgorithmIdentifier that goes both inside the octets to be signed and beside the signature.
#[must_use]
pub const fn signature_identifier(algorithm: Algorithm) -> AlgorithmIdentifierOwned {
    AlgorithmIdentifierOwned { oid: signature_oid(algorithm), parameters: None }
}

/// The algorithm an AlgorithmIdentifier stands for: ours, and without parameters.
#[must_use]
pub fn signature_algorithm(identifier: &AlgorithmIdentifierOwned) -> Option<Algorithm> {
    Algorithm::ALL.into_iter().find(|algorithm| &signature_identifier(*algorithm) == identifier)
}
