//! Checking ML-DSA and SLH-DSA signatures: pure, with the empty context.

use crate::keys::Algorithm;
use ml_dsa::{MlDsa44, MlDsa65, MlDsa87, MlDsaParams};
use signature::Verifier;
use slh_dsa::{ParameterSet, Sha2_128s, Sha2_256s};

/// Octets of the public key; `None` for an algorithm that is not post-quantum. Every string of that length is a key:
/// RFC 9881 4 and RFC 9909 3 leave nothing else to check.
pub(super) const fn octets(algorithm: Algorithm) -> Option<usize> {
    match algorithm {
        Algorithm::MlDsa44 => Some(1_312),
        Algorithm::MlDsa65 => Some(1_952),
        Algorithm::MlDsa87 => Some(2_592),
        Algorithm::SlhDsaSha2_128s => Some(32),
        Algorithm::SlhDsaSha2_256s => Some(64),
        Algorithm::EcdsaP384 | Algorithm::EcdsaP256 | Algorithm::Ed25519 => None,
    }
}

/// Whether `signature` is one over `message` by this key.
pub(super) fn verify(algorithm: Algorithm, key: &[u8], message: &[u8], signature: &[u8]) -> Option<()> {
    match algorithm {
        Algorithm::MlDsa44 => ml_dsa::<MlDsa44>(key, message, signature),
        Algorithm::MlDsa65 => ml_dsa::<MlDsa65>(key, message, signature),
        Algorithm::MlDsa87 => ml_dsa::<MlDsa87>(key, message, signature),
        Algorithm::SlhDsaSha2_128s => slh_dsa::<Sha2_128s>(key, message, signature),
        Algorithm::SlhDsaSha2_256s => slh_dsa::<Sha2_256s>(key, message, signature),
        Algorithm::EcdsaP384 | Algorithm::EcdsaP256 | Algorithm::Ed25519 => None,
    }
}

fn ml_dsa<P: MlDsaParams>(key: &[u8], message: &[u8], signature: &[u8]) -> Option<()> {
    let key = ml_dsa::VerifyingKey::<P>::decode(key.try_into().ok()?);
    let parsed = ml_dsa::Signature::<P>::try_from(signature).ok()?;
    // One signature has one spelling: the hints of FIPS 204 algorithm 21 leave room for others.
    (parsed.encode().as_slice() == signature).then_some(())?;
    key.verify(message, &parsed).ok()
}

fn slh_dsa<P: ParameterSet>(key: &[u8], message: &[u8], signature: &[u8]) -> Option<()> {
    let key = slh_dsa::VerifyingKey::<P>::try_from(key).ok()?;
    let parsed = slh_dsa::Signature::<P>::try_from(signature).ok()?;
    key.verify(message, &parsed).ok()
}
