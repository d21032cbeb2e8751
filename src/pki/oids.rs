//! The object identifiers we write and the AlgorithmIdentifier of each key: parameters absent in all of them (RFC 5758
//! 3.2, RFC 8410 3, RFC 9881 2, RFC 9909 3).

use crate::keys::Algorithm;
use const_oid::ObjectIdentifier;
use spki::AlgorithmIdentifierOwned;

pub const COUNTRY: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.6");
pub const STATE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.8");
pub const LOCALITY: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.7");
pub const SERIAL_NUMBER: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.5");
pub const ORGANIZATIONAL_UNIT: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.11");
/// Matter Core 6.1.1: under the arc of the Connectivity Standards Alliance.
pub const MATTER_VID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.37244.2.1");
pub const MATTER_PID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.37244.2.2");
pub const ORGANIZATION: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.10");
pub const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");

pub const SUBJECT_KEY_IDENTIFIER: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.14");
pub const KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.15");
pub const BASIC_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.19");
pub const CRL_NUMBER: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.20");
pub const REASON_CODE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.21");
pub const CERTIFICATE_POLICIES: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.32");
pub const AUTHORITY_KEY_IDENTIFIER: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.35");
pub const SUBJECT_ALTERNATIVE_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.17");
pub const NAME_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.30");
pub const CRL_DISTRIBUTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.31");
pub const EXTENDED_KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37");
pub const AUTHORITY_INFO: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.1.1");
/// id-pkix-ocsp-nocheck (RFC 6960 4.2.2.2.1): its value is NULL.
pub const OCSP_NO_CHECK: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.5");

pub const ACCESS_OCSP: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1");
pub const ACCESS_ISSUERS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.2");
/// id-qt-cps (RFC 5280 4.2.1.4).
pub const POLICY_CPS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.2.1");
/// id-on-hardwareModuleName (RFC 4108 5).
pub const HARDWARE_MODULE_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.8.4");
/// anyPolicy.
pub const ANY_POLICY: &str = "2.5.29.32.0";

/// Extensions that have a meaning here: a private one must be none of them.
pub const EXTENSIONS: [ObjectIdentifier; 13] = [
    SUBJECT_KEY_IDENTIFIER,
    KEY_USAGE,
    SUBJECT_ALTERNATIVE_NAME,
    BASIC_CONSTRAINTS,
    CRL_NUMBER,
    REASON_CODE,
    NAME_CONSTRAINTS,
    CRL_DISTRIBUTION,
    CERTIFICATE_POLICIES,
    AUTHORITY_KEY_IDENTIFIER,
    EXTENDED_KEY_USAGE,
    AUTHORITY_INFO,
    OCSP_NO_CHECK,
];

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
        Algorithm::MlDsa44 => const { ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.3.17") },
        Algorithm::MlDsa65 => const { ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.3.18") },
        Algorithm::MlDsa87 => const { ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.3.19") },
        Algorithm::SlhDsaSha2_128s => const { ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.3.20") },
        Algorithm::SlhDsaSha2_256s => const { ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.3.24") },
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
