//! A public key in its one accepted encoding: the DER of its SubjectPublicKeyInfo (RFC 5280 4.1.2.7, RFC 5480, RFC
//! 8410, RFC 9881, RFC 9909). Everything that names a key names the SHA-256 of these octets.
//!
//! ```text
//! 30 2a 30 05 06 03 2b 65 70 03 21 00 <32 octets>                                  Ed25519, 44 octets
//! 30 59 30 13 06 07 2a8648ce3d0201 06 08 2a8648ce3d030107 03 42 00 04 <64 octets>   P-256, 91 octets
//! 30 76 30 10 06 07 2a8648ce3d0201 06 05 2b81040022       03 62 00 04 <96 octets>   P-384, 120 octets
//! 30 82 07b2 30 0b 06 09 608648016503040312 03 82 07a1 00 <1952 octets>            ML-DSA-65, 1,974 octets
//! 30 50 30 0b 06 09 608648016503040318 03 41 00 <64 octets>                        SLH-DSA-SHA2-256s, 82 octets
//! ```

mod post_quantum;

use super::{Algorithm, KeyError};
use crate::basics::Digest;
use crate::basics::digest::{hex_decode, hex_encode};
use const_oid::ObjectIdentifier;
use der::{Decode, Encode};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use signature::Verifier;
use spki::SubjectPublicKeyInfoRef;

const ID_EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const SECP256R1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const SECP384R1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const ID_ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// A valid public key of a known algorithm: made only by parsing, so the point is on its curve and is not the identity.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey {
    algorithm: Algorithm,
    spki_der: Vec<u8>,
    key_bits: Vec<u8>,
}

impl PublicKey {
    /// Parses the DER of a SubjectPublicKeyInfo: named curve, uncompressed point, no other spelling.
    ///
    /// # Errors
    /// Where the octets are not DER, the algorithm is not one of ours, the point is not a valid one, or the same key
    /// would be written differently.
    pub fn from_spki_der(octets: &[u8]) -> Result<Self, KeyError> {
        let refuse = |found| KeyError::PublicKey(found);
        let parsed = SubjectPublicKeyInfoRef::from_der(octets).map_err(|_| refuse("octets that are not one"))?;
        let key_bits = parsed.subject_public_key.as_bytes().ok_or(refuse("a key with unused bits"))?;
        let algorithm = algorithm_of(&parsed).ok_or(refuse("another algorithm"))?;
        if parsed.to_der().ok().as_deref() != Some(octets) {
            return Err(refuse("the same key in another spelling"));
        }
        if !is_valid_key(algorithm, key_bits) {
            return Err(refuse(match post_quantum::octets(algorithm) {
                Some(_) => "a key of another length than its algorithm's",
                None => "a point that is not on the curve, is the identity, or is not in its usual form",
            }));
        }
        Ok(Self { algorithm, spki_der: octets.to_vec(), key_bits: key_bits.to_vec() })
    }

    #[must_use]
    pub fn spki_der(&self) -> &[u8] {
        &self.spki_der
    }

    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// SHA-256 of the SubjectPublicKeyInfo: the name of this key in records.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.spki_der)
    }

    /// The content of the BIT STRING, without its octet of unused bits: what key identifiers are made from.
    #[must_use]
    pub fn key_bits(&self) -> Vec<u8> {
        self.key_bits.clone()
    }

    /// Checks a signature: DER `ECDSA-Sig-Value` for ECDSA, 64 octets for Ed25519; pure ML-DSA and SLH-DSA with the empty
    /// context, 2,420 to 4,627 and 7,856 or 29,792 octets.
    ///
    /// # Errors
    /// Where the signature is not in that form, or not over `message` by this key.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), KeyError> {
        let verified = match self.algorithm {
            Algorithm::EcdsaP384 => self.verify_p384(message, signature),
            Algorithm::EcdsaP256 => self.verify_p256(message, signature),
            Algorithm::Ed25519 => self.verify_ed25519(message, signature),
            Algorithm::MlDsa44
            | Algorithm::MlDsa65
            | Algorithm::MlDsa87
            | Algorithm::SlhDsaSha2_128s
            | Algorithm::SlhDsaSha2_256s => post_quantum::verify(self.algorithm, &self.key_bits, message, signature),
        };
        verified.ok_or_else(|| KeyError::Signature { algorithm: self.algorithm, key: self.digest().hex() })
    }

    fn verify_p384(&self, message: &[u8], signature: &[u8]) -> Option<()> {
        let key = p384::ecdsa::VerifyingKey::from_sec1_bytes(&self.key_bits).ok()?;
        let parsed = p384::ecdsa::Signature::from_der(signature).ok()?;
        // The parser might forgive a long length or a padded integer: one signature has one spelling.
        (parsed.to_der().as_bytes() == signature).then_some(())?;
        key.verify(message, &parsed).ok()
    }

    fn verify_p256(&self, message: &[u8], signature: &[u8]) -> Option<()> {
        let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(&self.key_bits).ok()?;
        let parsed = p256::ecdsa::Signature::from_der(signature).ok()?;
        (parsed.to_der().as_bytes() == signature).then_some(())?;
        key.verify(message, &parsed).ok()
    }

    fn verify_ed25519(&self, message: &[u8], signature: &[u8]) -> Option<()> {
        let bits: &[u8; 32] = self.key_bits.as_slice().try_into().ok()?;
        let key = ed25519_dalek::VerifyingKey::from_bytes(bits).ok()?;
        let parsed = ed25519_dalek::Signature::from_slice(signature).ok()?;
        // `verify_strict` also refuses a small-order R, which lenient verifiers disagree about.
        key.verify_strict(message, &parsed).ok()
    }
}

/// Also refuses parameters where RFC 8410 3, RFC 9881 2 and RFC 9909 3 forbid them, and elliptic curve parameters other than
/// a named curve. HashML-DSA and HashSLH-DSA have object identifiers of their own and are none of ours.
fn algorithm_of(spki: &SubjectPublicKeyInfoRef<'_>) -> Option<Algorithm> {
    match spki.algorithm.oid {
        ID_ED25519 => spki.algorithm.parameters.is_none().then_some(Algorithm::Ed25519),
        ID_EC_PUBLIC_KEY => match spki.algorithm.parameters_oid().ok()? {
            SECP256R1 => Some(Algorithm::EcdsaP256),
            SECP384R1 => Some(Algorithm::EcdsaP384),
            _ => None,
        },
        oid => {
            let algorithm = Algorithm::of_post_quantum_oid(&oid)?;
            spki.algorithm.parameters.is_none().then_some(algorithm)
        }
    }
}

fn is_valid_key(algorithm: Algorithm, key_bits: &[u8]) -> bool {
    match algorithm {
        // Uncompressed only (RFC 5480 2.2): 04 || x || y. The identity is one octet, so the length keeps it out too.
        Algorithm::EcdsaP256 => {
            key_bits.len() == 65 && key_bits.first() == Some(&4) && p256::PublicKey::from_sec1_bytes(key_bits).is_ok()
        }
        Algorithm::EcdsaP384 => {
            key_bits.len() == 97 && key_bits.first() == Some(&4) && p384::PublicKey::from_sec1_bytes(key_bits).is_ok()
        }
        Algorithm::Ed25519 => is_valid_ed25519_point(key_bits),
        Algorithm::MlDsa44
        | Algorithm::MlDsa65
        | Algorithm::MlDsa87
        | Algorithm::SlhDsaSha2_128s
        | Algorithm::SlhDsaSha2_256s => post_quantum::octets(algorithm) == Some(key_bits.len()),
    }
}

/// On the curve, not of small order (for such a key anyone can make signatures), and encoded canonically.
pub(super) fn is_valid_ed25519_point(key_bits: &[u8]) -> bool {
    let Ok(bits) = <&[u8; 32]>::try_from(key_bits) else { return false };
    ed25519_dalek::VerifyingKey::from_bytes(bits)
        .is_ok_and(|key| !key.is_weak() && key.to_edwards().compress().as_bytes() == bits)
}

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PublicKey({} {})", self.algorithm, self.digest())
    }
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex_encode(&self.spki_der))
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let octets = hex_decode(&text)
            .ok_or_else(|| serde::de::Error::custom("expected a public key as lower-case hexadecimal digits"))?;
        Self::from_spki_der(&octets).map_err(serde::de::Error::custom)
    }
}
