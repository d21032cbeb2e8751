//! P-256 in thousands: key pairs from material, and signatures by one key, as octets equal to what [`SigningKey`] gives one at a
//! time (RFC 6979), at a tenth of its cost. Three things make it fast:
//!
//! - Multiples of the base point come from `graviola` (s2n-bignum's assembly, machine-checked, constant time) where the processor
//!   has what it needs, else from the `p256` crate's tables.
//! - One inversion for a whole batch (Montgomery's trick) instead of one a signature.
//! - Verification of a whole batch in one equation by the `p256` crate, another implementation: for weights z of 24 bits taken from
//!   SHA-256 over everything in it, `sum z (e/s G + r/s Q) = sum z R` for the signatures and `(sum z d) G = sum z P` for the
//!   key pairs. A wrong signature or key slips through with chance 2^-24: this is against faults, and nobody who could choose a
//!   fault needs one here.
//!
//! Nonces are those of RFC 6979 by the `rfc6979` crate; nothing here draws anything.

use super::{KeyError, SigningKey};
use p256::elliptic_curve::ops::Reduce as _;
use p256::elliptic_curve::sec1::{FromSec1Point as _, ToSec1Point as _};
use p256::elliptic_curve::{Curve as _, Group as _, PrimeField as _};
use p256::{AffinePoint, FieldBytes, NistP256, ProjectivePoint, Scalar, Sec1Point, U256};
use sha2::{Digest as _, Sha256};
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
    pub fn pkcs8_der(&self) -> Zeroizing<[u8; PKCS8_OCTETS]> {
        let mut der = Zeroizing::new([0; PKCS8_OCTETS]);
        join(der.as_mut_slice(), &[&PKCS8_BEFORE_SCALAR, self.scalar.as_slice(), &PKCS8_BEFORE_POINT, &self.point]);
        der
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
    let octets = parts.iter().flat_map(|part| part.iter());
    into.iter_mut().zip(octets).for_each(|(slot, octet)| *slot = *octet);
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
    octets: Zeroizing<[u8; 32]>,
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
        Some(Self { scalar: reduced(&octets), public: *secret.public_key().as_affine(), octets })
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
            let mut nonce = Zeroizing::new([0_u8; 32]);
            rfc6979::KGenerator::<Sha256, U256>::new(self.octets.as_slice(), digest, &[], NistP256::ORDER.as_ref())
                .fill_next_k(nonce.as_mut_slice());
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

/// What one window of the weights gives: the sum of the points under it. Windows are independent, so threads share them.
pub struct Batch<'b> {
    signatures: Vec<&'b Signature>,
    pairs: Vec<&'b KeyPair>,
    weights: Vec<[i8; WINDOWS]>,
    points: Vec<AffinePoint>,
}

/// Digits of a weight, each from -128 to 127 and the most significant first; each is one window.
pub const WINDOWS: usize = 3;

impl<'b> Batch<'b> {
    /// Everything that is to be verified in one equation.
    ///
    /// # Errors
    /// Where a point is not on the curve.
    pub fn new(signatures: &'b [Unverified], pairs: &'b [Vec<KeyPair>]) -> Result<Self, KeyError> {
        let signatures: Vec<&Signature> = signatures.iter().flat_map(|some| &some.0).collect();
        let pairs: Vec<&KeyPair> = pairs.iter().flatten().collect();
        let octets = signatures.iter().map(|s| &s.point).chain(pairs.iter().map(|pair| &pair.point));
        let points: Option<Vec<AffinePoint>> = octets.map(point_of).collect();
        let points = points.ok_or(KeyError::Signing(ALGORITHM))?;
        let mut all = Sha256::new();
        for signature in &signatures {
            all.update(signature.digest);
            all.update(signature.r.to_repr());
            all.update(signature.s.to_repr());
        }
        pairs.iter().for_each(|pair| all.update(pair.point));
        let seed = all.finalize();
        // One hash gives the weights of ten points.
        let weights = (0..points.len().div_ceil(32 / WINDOWS)).flat_map(|n| {
            let mut hasher = Sha256::new();
            hasher.update(seed);
            hasher.update((n as u64).to_be_bytes());
            let digits: [u8; 32] = hasher.finalize().into();
            let (weights, _) = digits.as_chunks::<WINDOWS>();
            weights.iter().map(|weight| weight.map(u8::cast_signed)).collect::<Vec<_>>()
        });
        let weights = weights.take(points.len()).collect();
        Ok(Self { signatures, pairs, weights, points })
    }

    /// The sum of `digit * point` for one digit of every weight, times the digit's place.
    #[must_use]
    pub fn window(&self, window: usize) -> ProjectivePoint {
        // A negative digit takes the point away: half the buckets.
        let mut buckets = [ProjectivePoint::IDENTITY; 129];
        for (weight, point) in self.weights.iter().zip(&self.points) {
            let digit = weight.get(window).copied().unwrap_or_default();
            if let Some(bucket) = buckets.get_mut(usize::from(digit.unsigned_abs())) {
                if digit < 0 {
                    *bucket -= *point;
                } else {
                    *bucket += *point;
                }
            }
        }
        let (mut running, mut sum) = (ProjectivePoint::IDENTITY, ProjectivePoint::IDENTITY);
        for bucket in buckets.iter().skip(1).rev() {
            running += *bucket;
            sum += running;
        }
        (0..8 * (WINDOWS - 1 - window)).fold(sum, |sum, _| sum.double())
    }

    /// Whether the equation holds, given the sums of all windows.
    ///
    /// # Errors
    /// Where it does not: something in the batch is wrong, and none of it may be used.
    pub fn verify(&self, signer: &ManySigner, windows: &[ProjectivePoint]) -> Result<(), KeyError> {
        let failed = || KeyError::Signing(ALGORITHM);
        let mut inverses: Vec<Scalar> = self.signatures.iter().map(|signature| signature.s).collect();
        invert_all(&mut inverses).ok_or_else(failed)?;
        let (mut of_generator, mut of_key) = (Zeroizing::new(Scalar::ZERO), Scalar::ZERO);
        let weights = self.weights.iter().map(scalar_of);
        let (first, second) = (weights.clone(), weights.skip(self.signatures.len()));
        for ((signature, inverse), weight) in self.signatures.iter().zip(&inverses).zip(first) {
            let weighted = weight * inverse;
            *of_generator += weighted * reduced(&signature.digest);
            of_key += weighted * signature.r;
        }
        for (pair, weight) in self.pairs.iter().zip(second) {
            *of_generator += weight * reduced(&pair.scalar);
        }
        let left = ProjectivePoint::mul_by_generator(&of_generator) + ProjectivePoint::from(signer.public) * of_key;
        let right = windows.iter().fold(ProjectivePoint::IDENTITY, |sum, window| sum + window);
        if windows.len() == WINDOWS && left == right { Ok(()) } else { Err(failed()) }
    }
}

/// Verifies a batch on this thread and gives its signatures out.
///
/// # Errors
/// As [`Batch::new`] and [`Batch::verify`].
pub fn verify_all(
    signer: &ManySigner,
    signatures: Vec<Unverified>,
    pairs: &[Vec<KeyPair>],
    windows: impl FnOnce(&Batch<'_>) -> Vec<ProjectivePoint>,
) -> Result<Vec<Signature>, KeyError> {
    let batch = Batch::new(&signatures, pairs)?;
    batch.verify(signer, &windows(&batch))?;
    Ok(signatures.into_iter().flat_map(|some| some.0).collect())
}

/// All windows, one after the other.
#[must_use]
pub fn all_windows(batch: &Batch<'_>) -> Vec<ProjectivePoint> {
    (0..WINDOWS).map(|window| batch.window(window)).collect()
}

fn scalar_of(weight: &[i8; WINDOWS]) -> Scalar {
    let number = weight.iter().fold(0_i64, |number, digit| number * 256 + i64::from(*digit));
    let size = Scalar::from(number.unsigned_abs());
    if number < 0 { -size } else { size }
}

fn reduced(octets: &[u8; 32]) -> Scalar {
    Scalar::reduce(&FieldBytes::from(*octets))
}

fn point_of(octets: &[u8; POINT_OCTETS]) -> Option<AffinePoint> {
    Option::from(AffinePoint::from_sec1_point(&Sec1Point::from_bytes(octets).ok()?))
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
