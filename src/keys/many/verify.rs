//! Verification of a whole batch in one equation by the `p256` crate, another implementation than the one that made it. For weights z of
//! 24 bits, taken from SHA-256 over everything in the batch, one for each place i (its signature, its key pair, or both):
//!
//! ```text
//! sum z_i (e_i/s_i G + r_i/s_i Q + d_i G) = sum z_i (R_i + P_i)
//! ```
//! A wrong signature or key slips through with chance 2^-24, and where both of one place are wrong, besides where they differ from what
//! they should be by exactly opposite points. This is against faults, and nobody who could choose a fault needs one here.

use super::{ALGORITHM, KeyPair, ManySigner, POINT_OCTETS, Signature, Unverified, invert_all, reduced};
use crate::keys::KeyError;
use p256::elliptic_curve::sec1::FromSec1Point as _;
use p256::elliptic_curve::{Group as _, PrimeField as _};
use p256::{AffinePoint, ProjectivePoint, Scalar, Sec1Point};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// What is to be verified in one equation. Its windows are independent, so threads share them.
pub struct Batch<'b> {
    signatures: Vec<&'b Signature>,
    pairs: Vec<&'b KeyPair>,
    weights: Vec<[i8; WINDOWS]>,
    /// R + P of each place, or the one of them that is there.
    points: Vec<ProjectivePoint>,
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
        let places = signatures.len().max(pairs.len());
        let mut points = Vec::with_capacity(places);
        for place in 0..places {
            let (signature, pair) = (signatures.get(place), pairs.get(place));
            let mut sum = ProjectivePoint::IDENTITY;
            for octets in signature.map(|signature| &signature.point).into_iter().chain(pair.map(|pair| &pair.point)) {
                sum += point_of(octets).ok_or(KeyError::Signing(ALGORITHM))?;
            }
            points.push(sum);
        }
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
        for ((signature, inverse), weight) in self.signatures.iter().zip(&inverses).zip(weights.clone()) {
            let weighted = weight * inverse;
            *of_generator += weighted * reduced(&signature.digest);
            of_key += weighted * signature.r;
        }
        for (pair, weight) in self.pairs.iter().zip(weights) {
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

fn point_of(octets: &[u8; POINT_OCTETS]) -> Option<AffinePoint> {
    Option::from(AffinePoint::from_sec1_point(&Sec1Point::from_bytes(octets).ok()?))
}
