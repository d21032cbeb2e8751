//! Which signature an AlgorithmIdentifier stands for. One spelling each: parameters absent for ECDSA, Ed25519 and the
//! post-quantum algorithms (RFC 5758 3.2, RFC 8410 3, RFC 9881 2), NULL for RSA with PKCS#1 v1.5 (RFC 4055 5), all four
//! fields for PSS, the mask over the same hash (RFC 4055 3.1).

use super::canonical::{CONTEXT_0, INTEGER, NULL, OBJECT_IDENTIFIER, SEQUENCE, Value, all, only};
use crate::keys::subject::Hash;
use crate::keys::{Algorithm, SignatureScheme};
use crate::pki::oids;
use const_oid::ObjectIdentifier;

const RSASSA_PSS: &str = "1.2.840.113549.1.1.10";
const MGF1: &str = "1.2.840.113549.1.1.8";

/// The scheme, or what was found instead.
pub(super) fn of(identifier: &Value<'_>) -> Result<SignatureScheme, String> {
    let parts = all(identifier.content, 0).map_err(|_| "no AlgorithmIdentifier".to_owned())?;
    let (oid, parameters) = match parts.as_slice() {
        [oid] => (oid, None),
        [oid, parameters] => (oid, Some(parameters)),
        _ => return Err("no AlgorithmIdentifier".to_owned()),
    };
    let oid = object_identifier(oid).ok_or("no AlgorithmIdentifier")?;
    let dotted = oid.to_string();
    let null = |scheme: fn(Hash) -> SignatureScheme, hash| match parameters {
        Some(value) if value.tag == NULL => Ok(scheme(hash)),
        _ => Err(format!("{} without its NULL parameters", scheme(hash))),
    };
    let absent = |scheme: SignatureScheme| match parameters {
        None => Ok(scheme),
        Some(_) => Err(format!("{scheme} with parameters")),
    };
    match dotted.as_str() {
        "1.2.840.10045.4.3.2" => absent(SignatureScheme::Ecdsa(Hash::Sha256)),
        "1.2.840.10045.4.3.3" => absent(SignatureScheme::Ecdsa(Hash::Sha384)),
        "1.2.840.10045.4.3.4" => absent(SignatureScheme::Ecdsa(Hash::Sha512)),
        "1.2.840.113549.1.1.11" => null(SignatureScheme::RsaPkcs1, Hash::Sha256),
        "1.2.840.113549.1.1.12" => null(SignatureScheme::RsaPkcs1, Hash::Sha384),
        "1.2.840.113549.1.1.13" => null(SignatureScheme::RsaPkcs1, Hash::Sha512),
        RSASSA_PSS => parameters.and_then(pss).ok_or_else(|| {
            "RSA-PSS with other parameters than a SHA-2 hash, MGF1 on the same hash and a salt".to_owned()
        }),
        _ => match Algorithm::ALL.into_iter().find(|algorithm| oids::signature_oid(*algorithm) == oid) {
            Some(algorithm) => absent(SignatureScheme::Pure(algorithm)),
            None => Err(known_and_refused(&dotted).map_or(dotted.clone(), |name| format!("{name} ({dotted})"))),
        },
    }
}

/// Algorithms that people meet and that we refuse by their name.
fn known_and_refused(dotted: &str) -> Option<&'static str> {
    Some(match dotted {
        "1.2.840.113549.1.1.4" => "RSA with MD5",
        "1.2.840.113549.1.1.5" => "RSA with SHA-1",
        "1.2.840.113549.1.1.14" => "RSA with SHA-224",
        "1.2.840.10045.4.1" => "ECDSA with SHA-1",
        "1.2.840.10045.4.3.1" => "ECDSA with SHA-224",
        "1.2.840.10040.4.3" => "DSA with SHA-1",
        "2.16.840.1.101.3.4.3.2" => "DSA with SHA-256",
        "1.3.101.113" => "Ed448",
        "2.16.840.1.101.3.4.3.32" => "HashML-DSA-44",
        "2.16.840.1.101.3.4.3.33" => "HashML-DSA-65",
        "2.16.840.1.101.3.4.3.34" => "HashML-DSA-87",
        _ => return None,
    })
}

pub(super) fn object_identifier(value: &Value<'_>) -> Option<ObjectIdentifier> {
    (value.tag == OBJECT_IDENTIFIER).then(|| ObjectIdentifier::from_bytes(value.content).ok()).flatten()
}

fn pss(parameters: &Value<'_>) -> Option<SignatureScheme> {
    if parameters.tag != SEQUENCE {
        return None;
    }
    let fields = all(parameters.content, 0).ok()?;
    // The trailer is 1 by default and then absent.
    let [hash, mask, salt] = fields.as_slice() else { return None };
    (hash.tag == CONTEXT_0 && mask.tag == CONTEXT_0 + 1 && salt.tag == CONTEXT_0 + 2).then_some(())?;
    let digest = hash_of(&only(hash.content)?)?;
    let generation = only(mask.content).filter(|value| value.tag == SEQUENCE)?;
    let parts = all(generation.content, 0).ok()?;
    let [oid, over] = parts.as_slice() else { return None };
    let same = object_identifier(oid)?.to_string() == MGF1 && hash_of(over)? == digest;
    let salt = only(salt.content).filter(|value| value.tag == INTEGER)?;
    let length = match salt.content {
        [short] if short & 0x80 == 0 => usize::from(*short),
        [high, low] if high & 0x80 == 0 => usize::from(*high) << 8 | usize::from(*low),
        _ => return None,
    };
    same.then_some(SignatureScheme::RsaPss(digest, length))
}

/// A hash's AlgorithmIdentifier, with NULL or without (RFC 4055 2.1 has readers accept both).
fn hash_of(identifier: &Value<'_>) -> Option<Hash> {
    // The signature does not cover these octets: each of them is looked at, tags included.
    (identifier.tag == SEQUENCE).then_some(())?;
    let parts = all(identifier.content, 0).ok()?;
    let oid = match parts.as_slice() {
        [oid] => oid,
        [oid, null] if null.tag == NULL => oid,
        _ => return None,
    };
    match object_identifier(oid)?.to_string().as_str() {
        "2.16.840.1.101.3.4.2.1" => Some(Hash::Sha256),
        "2.16.840.1.101.3.4.2.2" => Some(Hash::Sha384),
        "2.16.840.1.101.3.4.2.3" => Some(Hash::Sha512),
        _ => None,
    }
}
