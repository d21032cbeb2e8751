//! Keys of others that we certify: every kind that we make ourselves, and beside them RSA of 2,048 to 4,096 bits and ECDSA
//! on P-521, which modules and older factories have. Parsed as strictly as our own.
//!
//! ```text
//! 30 82 01 22 30 0d 06 09 2a864886f70d010101 05 00 03 82 01 0f 00 <RSAPublicKey>      RSA, 2,048 bits, 294 octets
//! 30 81 9b 30 10 06 07 2a8648ce3d0201 06 05 2b81040023 03 81 86 00 04 <132 octets>    P-521, 158 octets
//! ```

use super::rsa::RsaPublicKey;
use super::{Algorithm, KeyError, PublicKey};
use crate::basics::Digest;
use crate::basics::digest::{hex_decode, hex_encode};
use const_oid::ObjectIdentifier;
use der::asn1::AnyRef;
use der::{Decode, Encode};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::Digest as _;
use signature::hazmat::PrehashVerifier as _;
use spki::SubjectPublicKeyInfoRef;

const ID_EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const SECP521R1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");
const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// Sizes of RSA keys that we certify, in bits of the modulus.
pub const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=4096;

/// A hash a signature is made over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    pub const ALL: [Hash; 3] = [Hash::Sha256, Hash::Sha384, Hash::Sha512];

    #[must_use]
    pub fn of(self, octets: &[u8]) -> Vec<u8> {
        match self {
            Hash::Sha256 => sha2::Sha256::digest(octets).to_vec(),
            Hash::Sha384 => sha2::Sha384::digest(octets).to_vec(),
            Hash::Sha512 => sha2::Sha512::digest(octets).to_vec(),
        }
    }

    /// `SHA-256`.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Hash::Sha256 => "SHA-256",
            Hash::Sha384 => "SHA-384",
            Hash::Sha512 => "SHA-512",
        }
    }

    /// What stands before the digest in PKCS#1 v1.5 (RFC 8017 9.2, note 1): a DigestInfo with NULL parameters.
    pub(super) const fn digest_info_prefix(self) -> &'static [u8] {
        match self {
            Hash::Sha256 => b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20",
            Hash::Sha384 => b"\x30\x41\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\x04\x30",
            Hash::Sha512 => b"\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40",
        }
    }
}

/// How a holder of such a key signed. ECDSA and RSA go with any of three hashes, whatever the curve: OpenSSL signs requests
/// for P-384 keys with SHA-256 unless it is told otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SignatureScheme {
    Ecdsa(Hash),
    /// PKCS#1 v1.5.
    RsaPkcs1(Hash),
    /// PSS with MGF1 on the same hash and a salt of this many octets.
    RsaPss(Hash, usize),
    /// An algorithm that takes the message itself: Ed25519 and the post-quantum ones.
    Pure(Algorithm),
}

impl std::fmt::Display for SignatureScheme {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ecdsa(hash) => write!(f, "ECDSA with {}", hash.title()),
            Self::RsaPkcs1(hash) => write!(f, "RSA PKCS#1 v1.5 with {}", hash.title()),
            Self::RsaPss(hash, salt) => write!(f, "RSA-PSS with {} and {salt} octets of salt", hash.title()),
            Self::Pure(algorithm) => f.write_str(algorithm.title()),
        }
    }
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Kind {
    Own(PublicKey),
    Rsa(RsaPublicKey),
    EcdsaP521,
}

/// A valid public key of a kind that we certify.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubjectKey {
    kind: Kind,
    spki_der: Vec<u8>,
    key_bits: Vec<u8>,
}

impl SubjectKey {
    /// Parses the DER of a SubjectPublicKeyInfo: one of ours, rsaEncryption with NULL parameters, or P-521 as a named curve
    /// with an uncompressed point.
    ///
    /// # Errors
    /// Where the octets are not DER, the algorithm is another one, the point is not a valid one, the modulus is smaller or
    /// larger than we certify or even, the exponent is even or 1, or the same key would be written differently.
    pub fn from_spki_der(octets: &[u8]) -> Result<Self, KeyError> {
        let refuse = |found| KeyError::PublicKey(found);
        let parsed = SubjectPublicKeyInfoRef::from_der(octets).map_err(|_| refuse("octets that are not one"))?;
        let parameters = parsed.algorithm.parameters;
        let is_p521 = parsed.algorithm.oid == ID_EC_PUBLIC_KEY && parsed.algorithm.parameters_oid() == Ok(SECP521R1);
        if !is_p521 && parsed.algorithm.oid != RSA_ENCRYPTION {
            return PublicKey::from_spki_der(octets).map(Self::from);
        }
        if parsed.to_der().ok().as_deref() != Some(octets) {
            return Err(refuse("the same key in another spelling"));
        }
        let key_bits = parsed.subject_public_key.as_bytes().ok_or(refuse("a key with unused bits"))?;
        let kind = if is_p521 {
            // Uncompressed only (RFC 5480 2.2): 04 || x || y.
            let is_point = key_bits.len() == 133
                && key_bits.first() == Some(&4)
                && p521::PublicKey::from_sec1_bytes(key_bits).is_ok();
            is_point.then_some(Kind::EcdsaP521).ok_or(refuse("a point that is not on the curve or is the identity"))?
        } else {
            if parameters != Some(AnyRef::NULL) {
                return Err(refuse("an RSA key whose parameters are not NULL"));
            }
            Kind::Rsa(certifiable(key_bits)?)
        };
        Ok(Self { kind, spki_der: octets.to_vec(), key_bits: key_bits.to_vec() })
    }

    #[must_use]
    pub fn spki_der(&self) -> &[u8] {
        &self.spki_der
    }

    /// The content of the BIT STRING, without its octet of unused bits: what key identifiers are made from.
    #[must_use]
    pub fn key_bits(&self) -> &[u8] {
        &self.key_bits
    }

    /// The word of records and profiles: `ecdsa-p256`, `rsa-3072`, `ecdsa-p521`.
    #[must_use]
    pub fn word(&self) -> String {
        match &self.kind {
            Kind::Own(key) => key.algorithm().word().to_owned(),
            Kind::Rsa(key) => format!("rsa-{}", key.bits()),
            Kind::EcdsaP521 => "ecdsa-p521".to_owned(),
        }
    }

    /// The name people read: of the key, since its holder may sign with several hashes.
    #[must_use]
    pub fn title(&self) -> String {
        match &self.kind {
            Kind::Own(key) => key.algorithm().title().to_owned(),
            Kind::Rsa(key) => format!("RSA {} bits", key.bits()),
            Kind::EcdsaP521 => "ECDSA P-521".to_owned(),
        }
    }

    /// The key as one of ours, where it is of an algorithm that we make keys for.
    #[must_use]
    pub const fn as_public_key(&self) -> Option<&PublicKey> {
        match &self.kind {
            Kind::Own(key) => Some(key),
            Kind::Rsa(_) | Kind::EcdsaP521 => None,
        }
    }

    #[must_use]
    pub const fn as_rsa(&self) -> Option<&RsaPublicKey> {
        match &self.kind {
            Kind::Rsa(key) => Some(key),
            Kind::Own(_) | Kind::EcdsaP521 => None,
        }
    }

    /// SHA-256 of the SubjectPublicKeyInfo: the name of this key in records.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.spki_der)
    }

    /// Checks a signature: DER `ECDSA-Sig-Value` for ECDSA, otherwise what the algorithm gives.
    ///
    /// # Errors
    /// Where the scheme is not one of this kind of key, or the signature is not in its form or not over `message` by
    /// this key.
    pub fn verify(&self, message: &[u8], signature: &[u8], scheme: SignatureScheme) -> Result<(), KeyError> {
        use SignatureScheme::{Ecdsa, Pure, RsaPkcs1, RsaPss};
        let verified = match (&self.kind, scheme) {
            (Kind::Own(key), Pure(algorithm)) if key.algorithm() == algorithm => key.verify(message, signature).ok(),
            (Kind::Own(key), Ecdsa(hash)) => match key.algorithm() {
                Algorithm::EcdsaP256 => self.verify_p256(&hash.of(message), signature),
                Algorithm::EcdsaP384 => self.verify_p384(&hash.of(message), signature),
                _ => None,
            },
            (Kind::EcdsaP521, Ecdsa(hash)) => self.verify_p521(&hash.of(message), signature),
            (Kind::Rsa(key), RsaPkcs1(_) | RsaPss(..)) => key.verify(message, signature, scheme).then_some(()),
            _ => None,
        };
        verified.ok_or_else(|| KeyError::SubjectSignature { scheme: scheme.to_string(), key: self.digest().hex() })
    }

    fn verify_p256(&self, prehash: &[u8], signature: &[u8]) -> Option<()> {
        let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(&self.key_bits).ok()?;
        let parsed = p256::ecdsa::Signature::from_der(signature).ok()?;
        // The parser might forgive a long length or a padded integer: one signature has one spelling.
        (parsed.to_der().as_bytes() == signature).then_some(())?;
        key.verify_prehash(prehash, &parsed).ok()
    }

    fn verify_p384(&self, prehash: &[u8], signature: &[u8]) -> Option<()> {
        let key = p384::ecdsa::VerifyingKey::from_sec1_bytes(&self.key_bits).ok()?;
        let parsed = p384::ecdsa::Signature::from_der(signature).ok()?;
        (parsed.to_der().as_bytes() == signature).then_some(())?;
        key.verify_prehash(prehash, &parsed).ok()
    }

    fn verify_p521(&self, prehash: &[u8], signature: &[u8]) -> Option<()> {
        let key = p521::ecdsa::VerifyingKey::from_sec1_bytes(&self.key_bits).ok()?;
        let parsed = p521::ecdsa::Signature::from_der(signature).ok()?;
        (parsed.to_der().as_bytes() == signature).then_some(())?;
        key.verify_prehash(prehash, &parsed).ok()
    }
}

/// An RSA key of a size and shape that we certify. Whether its primes are any good is another question
/// (`pki::request`).
fn certifiable(key_bits: &[u8]) -> Result<RsaPublicKey, KeyError> {
    let refuse = |found| Err(KeyError::PublicKey(found));
    let Some(key) = RsaPublicKey::from_der(key_bits) else { return refuse("an RSA key in another spelling") };
    let is_odd = |number: &[u8]| number.last().is_some_and(|last| last & 1 == 1);
    match key.bits() {
        bits if bits < *RSA_BITS.start() => refuse("an RSA modulus of fewer than 2048 bits"),
        bits if bits > *RSA_BITS.end() => refuse("an RSA modulus of more than 4096 bits"),
        _ if !is_odd(key.modulus()) => refuse("an even RSA modulus"),
        _ if !is_odd(key.exponent()) || key.exponent() == [1] => refuse("an RSA exponent that is even or 1"),
        _ if key.exponent() >= key.modulus() && key.exponent().len() >= key.modulus().len() => {
            refuse("an RSA exponent larger than the modulus")
        }
        _ => Ok(key),
    }
}

impl From<PublicKey> for SubjectKey {
    fn from(key: PublicKey) -> Self {
        let (spki_der, key_bits) = (key.spki_der().to_vec(), key.key_bits());
        Self { kind: Kind::Own(key), spki_der, key_bits }
    }
}

impl std::fmt::Debug for SubjectKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SubjectKey({} {})", self.word(), self.digest())
    }
}

impl Serialize for SubjectKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex_encode(&self.spki_der))
    }
}

impl<'de> Deserialize<'de> for SubjectKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let octets = hex_decode(&text)
            .ok_or_else(|| serde::de::Error::custom("expected a public key as lower-case hexadecimal digits"))?;
        Self::from_spki_der(&octets).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
