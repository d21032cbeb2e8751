//! P-256 in thousands: key pairs from material, and signatures by one key, as octets equal to what [`SigningKey`] gives one at a
//! time (RFC 6979), at a tenth of its cost. Three things make it fast:
//!
//! - Multiples of the base point come from `graviola` (s2n-bignum's assembly, machine-checked, constant time) where the processor
//!   has what it needs, else from the `p256` crate's tables.
//! - One inversion for a whole batch (Montgomery's trick) instead of one a signature.
//! - Verification of a whole batch in one equation by other implementations (`many/verify.rs`).
//!
//! Nonces are those of RFC 6979 (`many/nonce.rs`); nothing here draws anything.

mod nonce;
mod points;
mod verify;

pub use verify::verify_all;

use super::{KeyError, SigningKey};
use crate::basics::Secret;
use nonce::Nonces;
use p256::elliptic_curve::PrimeField as _;
use p256::elliptic_curve::ops::Reduce as _;
use p256::elliptic_curve::sec1::ToSec1Point as _;
use p256::{AffinePoint, FieldBytes, Scalar};
use zeroize::{Zeroize, Zeroizing};

const ALGORITHM: super::Algorithm = super::Algorithm::EcdsaP256;
/// Octets of an uncompressed point: 04, x, y.
pub const POINT_OCTETS: usize = 65;
/// Octets of the PKCS#8 DER of a P-256 key as [`SigningKey::to_pkcs8_der`] writes it.
pub const PKCS8_OCTETS: usize = 138;
/// Octets of the SubjectPublicKeyInfo.
pub const SPKI_OCTETS: usize = 91;

/// One key pair; the private half is wiped when dropped.
pub struct KeyPair {
    scalar: Zeroizing<[u8; 32]>,
    point: [u8; POINT_OCTETS],
}

impl KeyPair {
    /// The pair of 64 octets of material: the same as [`SigningKey::from_material`] makes.
    ///
    /// # Errors
    /// Where no candidate in them is a private key of the curve: draw again.
    pub fn from_material(material: &[u8]) -> Result<Self, KeyError> {
        let expected = ALGORITHM.material_octets();
        if material.len() != expected {
            return Err(KeyError::MaterialLength { expected, found: material.len() });
        }
        let candidates = material.chunks_exact(32).filter_map(|octets| <&[u8; 32]>::try_from(octets).ok());
        let mut pairs = candidates.filter_map(|octets| {
            let point = times_generator(octets)?;
            Some(Self { scalar: Zeroizing::new(*octets), point })
        });
        pairs.next().ok_or(KeyError::MaterialOutOfRange)
    }

    /// The public key, uncompressed.
    #[must_use]
    pub const fn point(&self) -> &[u8; POINT_OCTETS] {
        &self.point
    }

    /// The SubjectPublicKeyInfo.
    #[must_use]
    pub fn spki_der(&self) -> [u8; SPKI_OCTETS] {
        let mut der = [0; SPKI_OCTETS];
        join(&mut der, &[&SPKI_BEFORE_POINT, &self.point]);
        der
    }

    /// The PKCS#8 DER, octet for octet that of [`SigningKey::to_pkcs8_der`].
    #[must_use]
    pub fn pkcs8_der(&self) -> Secret {
        let mut der = vec![0; PKCS8_OCTETS];
        join(&mut der, &[&PKCS8_BEFORE_SCALAR, self.scalar.as_slice(), &PKCS8_BEFORE_POINT, &self.point]);
        Secret::take(der)
    }
}

/// SEQUENCE { SEQUENCE { id-ecPublicKey, prime256v1 }, BIT STRING 00 ...
const SPKI_BEFORE_POINT: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
/// SEQUENCE { 0, SEQUENCE { id-ecPublicKey, prime256v1 }, OCTET STRING { SEQUENCE { 1, OCTET STRING ...
const PKCS8_BEFORE_SCALAR: [u8; 36] = [
    0x30, 0x81, 0x87, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08,
    0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x04, 0x6d, 0x30, 0x6b, 0x02, 0x01, 0x01, 0x04, 0x20,
];
/// [1] BIT STRING 00 ...
const PKCS8_BEFORE_POINT: [u8; 5] = [0xa1, 0x44, 0x03, 0x42, 0x00];

fn join(into: &mut [u8], parts: &[&[u8]]) {
    let mut rest = into;
    for part in parts {
        // invariant: the lengths of every caller's parts make up its array's.
        let Some((slots, others)) = rest.split_at_mut_checked(part.len()) else { return };
        slots.copy_from_slice(part);
        rest = others;
    }
}

/// A signature before it is DER, and the point its r came from.
pub struct Signature {
    digest: [u8; 32],
    r: Scalar,
    s: Scalar,
    point: [u8; POINT_OCTETS],
}

impl Signature {
    /// ECDSA-Sig-Value: SEQUENCE { r INTEGER, s INTEGER }.
    #[must_use]
    pub fn to_der(&self) -> Vec<u8> {
        let (r, s) = (self.r.to_repr(), self.s.to_repr());
        let mut body = Vec::with_capacity(72);
        body.extend([0x30, 0]);
        for number in [&r, &s] {
            // invariant: r and s are not 0, so an octet is left.
            let zeros = number.iter().take_while(|octet| **octet == 0).count();
            let digits = number.get(zeros..).unwrap_or_default();
            let padded = digits.first().is_some_and(|first| first & 0x80 != 0);
            body.extend([0x02, u8::try_from(digits.len()).unwrap_or(0) + u8::from(padded)]);
            if padded {
                body.push(0);
            }
            body.extend_from_slice(digits);
        }
        let length = u8::try_from(body.len() - 2).unwrap_or(0);
        if let Some(slot) = body.get_mut(1) {
            *slot = length;
        }
        body
    }
}

/// An authority's P-256 key, for signing in thousands. No `Debug`, no `Clone`.
pub struct ManySigner {
    nonces: Nonces,
    scalar: Scalar,
    public: AffinePoint,
}

impl Drop for ManySigner {
    fn drop(&mut self) {
        self.scalar.zeroize();
    }
}

impl ManySigner {
    /// For a key of the one algorithm this is for; `None` for others.
    #[must_use]
    pub fn of(key: &SigningKey) -> Option<Self> {
        let secret = key.p256()?;
        let octets: Zeroizing<[u8; 32]> = Zeroizing::new(secret.to_bytes().into());
        let public = *secret.public_key().as_affine();
        Some(Self { scalar: reduced(&octets), public, nonces: Nonces::of(octets) })
    }

    /// Signs SHA-256 digests; checked by [`verify_all`], which the caller owes before anything is let out.
    ///
    /// # Errors
    /// Where a nonce gives r or s of 0, which no digest is known to do.
    pub fn sign(&self, digests: &[[u8; 32]]) -> Result<Unverified, KeyError> {
        let failed = || KeyError::Signing(ALGORITHM);
        let mut nonces = Zeroizing::new(Vec::with_capacity(digests.len()));
        let mut signatures = Vec::with_capacity(digests.len());
        for digest in digests {
            let nonce = self.nonces.of_digest(digest);
            let point = times_generator(&nonce).ok_or_else(failed)?;
            let x: &[u8; 32] = point.get(1..33).and_then(|x| x.try_into().ok()).ok_or_else(failed)?;
            nonces.push(reduced(&nonce));
            signatures.push(Signature { digest: *digest, r: reduced(x), s: Scalar::ZERO, point });
        }
        invert_all(&mut nonces).ok_or_else(failed)?;
        for (signature, inverse) in signatures.iter_mut().zip(nonces.iter()) {
            signature.s = *inverse * (reduced(&signature.digest) + signature.r * self.scalar);
            if signature.r == Scalar::ZERO || signature.s == Scalar::ZERO {
                return Err(failed());
            }
        }
        Ok(Unverified(signatures))
    }
}

/// Signatures that nobody has verified yet.
pub struct Unverified(Vec<Signature>);

fn reduced(octets: &[u8; 32]) -> Scalar {
    Scalar::reduce(&FieldBytes::from(*octets))
}

/// Each value becomes its inverse, with one inversion in all; nothing where one is 0.
fn invert_all(values: &mut [Scalar]) -> Option<()> {
    let mut products = Zeroizing::new(Vec::with_capacity(values.len()));
    let mut product = Scalar::ONE;
    for value in values.iter() {
        products.push(product);
        product *= value;
    }
    let mut inverse: Scalar = Option::from(product.invert())?;
    for (value, before) in values.iter_mut().zip(products.iter()).rev() {
        let own = inverse * before;
        inverse *= *value;
        *value = own;
    }
    product.zeroize();
    inverse.zeroize();
    Some(())
}

/// The multiple of the base point, uncompressed; nothing for 0 and for the order and above.
fn times_generator(scalar: &[u8; 32]) -> Option<[u8; POINT_OCTETS]> {
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    if fast_processor() {
        let key = graviola::key_agreement::p256::StaticPrivateKey::from_bytes(scalar).ok()?;
        return Some(key.public_key_uncompressed());
    }
    times_generator_portably(scalar)
}

fn times_generator_portably(scalar: &[u8; 32]) -> Option<[u8; POINT_OCTETS]> {
    let secret = p256::SecretKey::from_slice(scalar).ok()?;
    secret.public_key().to_sec1_point(false).as_bytes().try_into().ok()
}

/// `graviola` ends the program on processors without these, so it is asked only where they are.
#[cfg(target_arch = "x86_64")]
#[must_use]
pub fn fast_processor() -> bool {
    use std::arch::is_x86_feature_detected as has;
    has!("aes") && has!("pclmulqdq") && has!("bmi1") && has!("bmi2") && has!("adx") && has!("avx") && has!("avx2")
}

#[cfg(target_arch = "aarch64")]
#[must_use]
pub fn fast_processor() -> bool {
    use std::arch::is_aarch64_feature_detected as has;
    has!("neon") && has!("aes") && has!("pmull") && has!("sha2")
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
#[must_use]
pub const fn fast_processor() -> bool {
    false
}

#[cfg(test)]
mod tests;
