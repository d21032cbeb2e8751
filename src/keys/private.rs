//! Signing keys. A key is a function of uniform octets that the caller drew ([`Algorithm::material_octets`]), so a rehearsal draws the same key again
//! and a test needs no random source. The type cannot be printed, cloned or serialised; it is wiped when dropped.
//!
//! How material becomes a key (FIPS 186-5 A.2.2, testing candidates; no reduction, hence no bias at all):
//! - P-384: octets 0..48 as a big-endian integer; refused unless in 1..=n-1 (refused once in 2^194 draws).
//! - P-256: octets 0..32 likewise, else octets 32..64, else refused (once in 2^64 draws).
//! - Ed25519: octets 0..32 are the seed of RFC 8032 5.1.5.
//! - ML-DSA: octets 0..32 are the seed of FIPS 204 algorithm 6.
//! - SLH-DSA: octets 0..3n are SK.seed, SK.prf and PK.seed of FIPS 205 algorithm 18 (n = 16 or 32).
//!
//! ```compile_fail
//! fn printable<T: std::fmt::Debug>() {}
//! printable::<anchorite::keys::SigningKey>();
//! ```
//! ```compile_fail
//! fn copied<T: Clone>() {}
//! copied::<anchorite::keys::SigningKey>();
//! ```
//! ```compile_fail
//! fn written<T: serde::Serialize>() {}
//! written::<anchorite::keys::SigningKey>();
//! ```
//! ```
//! fn ordinary<T: std::fmt::Debug + Clone + serde::Serialize>() {}
//! ordinary::<anchorite::keys::PublicKey>();
//! ```

mod post_quantum;

use self::post_quantum::PostQuantum;
use super::{Algorithm, KeyError, PublicKey};
use crate::basics::Secret;
use const_oid::ObjectIdentifier;
use der::asn1::{BitStringRef, OctetStringRef};
use der::pem::LineEnding;
use der::{Decode, SecretDocument};
use pkcs8::{EncodePrivateKey, EncodePublicKey, PrivateKeyInfoRef};
use signature::Signer;
use spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};
use zeroize::Zeroizing;

const PEM_LABEL: &str = "PRIVATE KEY";
const ID_EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const ID_ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// A private key that signs.
pub struct SigningKey {
    inner: Inner,
    public: PublicKey,
}

/// Boxed, so that moving a `SigningKey` moves a pointer and leaves no copy of the secret behind. Each wipes itself.
enum Inner {
    P384(Box<p384::SecretKey>),
    P256(Box<p256::SecretKey>),
    Ed25519(Box<ed25519_dalek::SigningKey>),
    PostQuantum(Algorithm, Box<dyn PostQuantum>),
}

impl SigningKey {
    /// The key that `material` (uniform octets) stands for: see the module comment.
    ///
    /// # Errors
    /// Where there are not [`Algorithm::material_octets`], or no candidate in them is a private key of the curve: draw again.
    pub fn from_material(algorithm: Algorithm, material: &[u8]) -> Result<Self, KeyError> {
        let expected = algorithm.material_octets();
        if material.len() != expected {
            return Err(KeyError::MaterialLength { expected, found: material.len() });
        }
        let inner = match algorithm {
            Algorithm::EcdsaP384 => material
                .get(..48)
                .and_then(|octets| p384::SecretKey::from_slice(octets).ok())
                .map(|key| Inner::P384(Box::new(key))),
            Algorithm::EcdsaP256 => material
                .chunks_exact(32)
                .find_map(|octets| p256::SecretKey::from_slice(octets).ok())
                .map(|key| Inner::P256(Box::new(key))),
            Algorithm::Ed25519 => material
                .first_chunk::<32>()
                .map(|seed| Inner::Ed25519(Box::new(ed25519_dalek::SigningKey::from_bytes(seed)))),
            Algorithm::MlDsa44
            | Algorithm::MlDsa65
            | Algorithm::MlDsa87
            | Algorithm::SlhDsaSha2_128s
            | Algorithm::SlhDsaSha2_256s => {
                post_quantum::from_material(algorithm, material).map(|key| Inner::PostQuantum(algorithm, key))
            }
        };
        Self::with_public(inner.ok_or(KeyError::MaterialOutOfRange)?)
    }

    fn with_public(inner: Inner) -> Result<Self, KeyError> {
        let spki = match &inner {
            Inner::P384(key) => key.public_key().to_public_key_der(),
            Inner::P256(key) => key.public_key().to_public_key_der(),
            Inner::Ed25519(key) => key.verifying_key().to_public_key_der(),
            Inner::PostQuantum(algorithm, key) => post_quantum_spki(*algorithm, &key.public_octets()),
        };
        let spki = spki.map_err(|_| KeyError::PublicKey("a key that cannot be encoded"))?;
        Ok(Self { public: PublicKey::from_spki_der(spki.as_bytes())?, inner })
    }

    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.public.algorithm()
    }

    /// The key itself, for [`super::many`].
    pub(super) fn p256(&self) -> Option<&p256::SecretKey> {
        match &self.inner {
            Inner::P256(key) => Some(key),
            _ => None,
        }
    }

    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        self.public.clone()
    }

    /// Signs: the same message always gives the same octets (RFC 6979 for ECDSA, as DER; RFC 8032 for Ed25519; the
    /// deterministic variants of FIPS 204 and 205). The
    /// signature is verified before it is handed out, so a fault during signing does not leave the process.
    ///
    /// # Errors
    /// Where the curve crate refuses, or the signature does not verify.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let failed = |_| KeyError::Signing(self.algorithm());
        let signature = match &self.inner {
            Inner::P384(key) => {
                let signer = p384::ecdsa::SigningKey::from(key.as_ref());
                let signature: p384::ecdsa::DerSignature = signer.try_sign(message).map_err(failed)?;
                signature.as_bytes().to_vec()
            }
            Inner::P256(key) => {
                let signer = p256::ecdsa::SigningKey::from(key.as_ref());
                let signature: p256::ecdsa::DerSignature = signer.try_sign(message).map_err(failed)?;
                signature.as_bytes().to_vec()
            }
            Inner::Ed25519(key) => key.try_sign(message).map_err(failed)?.to_bytes().to_vec(),
            Inner::PostQuantum(algorithm, key) => key.sign(message).ok_or(KeyError::Signing(*algorithm))?,
        };
        self.public.verify(message, &signature)?;
        Ok(signature)
    }

    /// PKCS#8 DER. ECDSA carries its public key inside the SEC1 structure; the others are version 1 without a public key,
    /// because OpenSSL 3.0 cannot read version 2. ML-DSA is its seed, SLH-DSA its raw octets.
    ///
    /// # Errors
    /// Where an ML-DSA key was read from a file without its seed; the encoder refuses no valid key.
    pub fn to_pkcs8_der(&self) -> Result<Secret, KeyError> {
        Ok(Secret::take(self.pkcs8()?.to_bytes().to_vec()))
    }

    /// The same, as `-----BEGIN PRIVATE KEY-----` text with line feeds.
    ///
    /// # Errors
    /// As [`SigningKey::to_pkcs8_der`].
    pub fn to_pkcs8_pem(&self) -> Result<Secret, KeyError> {
        let pem = self.pkcs8()?.to_pem(PEM_LABEL, LineEnding::LF);
        let pem = pem.map_err(|_| KeyError::PrivateKey("a key that can be encoded"))?;
        Ok(Secret::take(pem.as_bytes().to_vec()))
    }

    fn pkcs8(&self) -> Result<SecretDocument, KeyError> {
        let document = match &self.inner {
            Inner::P384(key) => key.to_pkcs8_der(),
            Inner::P256(key) => key.to_pkcs8_der(),
            Inner::Ed25519(key) => ed25519_pkcs8(key.as_bytes()),
            Inner::PostQuantum(algorithm, key) => {
                let octets = key.private_octets();
                let octets =
                    octets.ok_or(KeyError::PrivateKey("an ML-DSA key with its seed, the only form that is written"))?;
                post_quantum_pkcs8(*algorithm, &octets)
            }
        };
        document.map_err(|_| KeyError::PrivateKey("a key that can be encoded"))
    }

    /// Reads what [`SigningKey::to_pkcs8_pem`] wrote, and nothing else: the octets must be those it would write again.
    ///
    /// # Errors
    /// As [`SigningKey::from_foreign_pkcs8_pem`], or where the file is spelled differently.
    pub fn from_pkcs8_pem(pem: &[u8]) -> Result<Self, KeyError> {
        let key = Self::from_foreign_pkcs8_pem(pem)?;
        // Comparing the whole text leaves no room for a second block or for words around it.
        if !key.to_pkcs8_pem()?.same_as(pem) {
            return Err(KeyError::PrivateKey("the key spelled as this tool writes it"));
        }
        Ok(key)
    }

    /// Reads what [`SigningKey::to_pkcs8_der`] wrote.
    ///
    /// # Errors
    /// As [`SigningKey::from_pkcs8_pem`].
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, KeyError> {
        let refuse = |_| KeyError::PrivateKey("the DER of a PKCS#8 private key");
        let pem =
            SecretDocument::try_from(der).and_then(|der| der.to_pem(PEM_LABEL, LineEnding::LF)).map_err(refuse)?;
        Self::from_pkcs8_pem(pem.as_bytes())
    }

    /// Reads a PKCS#8 PEM file of another program: of ML-DSA the seed, the expanded key or both.
    ///
    /// # Errors
    /// Where the text is not PEM with that label, the algorithm is not ours, the key is out of range, or its parts do not
    /// belong together.
    pub fn from_foreign_pkcs8_pem(pem: &[u8]) -> Result<Self, KeyError> {
        let refuse = |expected| KeyError::PrivateKey(expected);
        let text = std::str::from_utf8(pem).map_err(|_| refuse("PEM text"))?;
        let (label, document) = SecretDocument::from_pem(text).map_err(|_| refuse("PEM text with one block"))?;
        if label != PEM_LABEL {
            return Err(refuse("a PEM block with the label PRIVATE KEY"));
        }
        let info = PrivateKeyInfoRef::from_der(document.as_bytes()).map_err(|_| refuse("a PKCS#8 private key"))?;
        let said = info.public_key;
        let inner = match info.algorithm.oid {
            ID_ED25519 => {
                ed25519_seed(&info).map(|seed| Inner::Ed25519(Box::new(ed25519_dalek::SigningKey::from_bytes(seed))))
            }
            ID_EC_PUBLIC_KEY => p384::SecretKey::try_from(info.clone())
                .map(|key| Inner::P384(Box::new(key)))
                .or_else(|_| p256::SecretKey::try_from(info).map(|key| Inner::P256(Box::new(key))))
                .ok(),
            oid => {
                let algorithm = Algorithm::of_post_quantum_oid(&oid).ok_or(refuse("a key of a known algorithm"))?;
                if info.algorithm.parameters.is_some() {
                    return Err(refuse("a post-quantum algorithm without parameters"));
                }
                let key = post_quantum::read(algorithm, info.private_key.as_bytes()).map_err(refuse)?;
                Some(Inner::PostQuantum(algorithm, key))
            }
        };
        let key = Self::with_public(inner.ok_or(refuse("a valid key of a known curve"))?)?;
        if said.is_some_and(|said| said.as_bytes() != Some(key.public.key_bits().as_slice())) {
            return Err(refuse("the public key of the private key beside it"));
        }
        Ok(key)
    }
}

fn post_quantum_identifier(algorithm: Algorithm) -> pkcs8::Result<AlgorithmIdentifierRef<'static>> {
    let oid = algorithm.post_quantum_oid().ok_or(pkcs8::Error::ParametersMalformed)?;
    Ok(AlgorithmIdentifierRef { oid, parameters: None })
}

fn post_quantum_spki(algorithm: Algorithm, octets: &[u8]) -> spki::Result<der::Document> {
    let algorithm = post_quantum_identifier(algorithm).map_err(|_| spki::Error::KeyMalformed)?;
    SubjectPublicKeyInfoRef { algorithm, subject_public_key: BitStringRef::from_bytes(octets)? }.try_into()
}

fn post_quantum_pkcs8(algorithm: Algorithm, octets: &[u8]) -> pkcs8::Result<SecretDocument> {
    let info = PrivateKeyInfoRef::new(post_quantum_identifier(algorithm)?, OctetStringRef::new(octets)?);
    Ok(SecretDocument::encode_msg(&info)?)
}

/// The `CurvePrivateKey ::= OCTET STRING` of RFC 8410 7 inside the outer OCTET STRING: 04 20 and the seed. Not by way of
/// `ed25519::KeypairBytes`, which is not wiped: `ed25519-dalek` does not turn on that crate's `zeroize`.
fn ed25519_pkcs8(seed: &[u8; 32]) -> pkcs8::Result<SecretDocument> {
    let mut inner = Zeroizing::new([0_u8; 34]);
    let (header, rest) = inner.split_at_mut(2);
    header.copy_from_slice(&[0x04, 0x20]);
    rest.copy_from_slice(seed);
    let algorithm = AlgorithmIdentifierRef { oid: ID_ED25519, parameters: None };
    let info = PrivateKeyInfoRef::new(algorithm, OctetStringRef::new(inner.as_slice())?);
    Ok(SecretDocument::encode_msg(&info)?)
}

fn ed25519_seed<'a>(info: &PrivateKeyInfoRef<'a>) -> Option<&'a [u8; 32]> {
    match info.private_key.as_bytes() {
        [0x04, 0x20, seed @ ..] => seed.try_into().ok(),
        _ => None,
    }
}
