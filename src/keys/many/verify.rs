//! Verification of a whole batch in one equation, by other implementations than the one that made it: the points by `fiat-crypto`'s field
//! (`points.rs`), the rest by the `p256` crate. For weights z of 16 bits, taken from SHA-256 over everything in the batch, one for each
//! place i (its signature, its key pair, or both):
//!
//! ```text
//! sum z_i (e_i/s_i G + r_i/s_i Q + d_i G) = sum z_i (R_i + P_i)
//! ```
//! A wrong signature or key slips through with chance 2^-16, and where both of one place are wrong, besides where they differ from what
//! they should be by exactly opposite points. This is against faults, and nobody who could choose a fault needs one here.

use super::points::{Curve, Point, sums};
use super::{ALGORITHM, KeyPair, ManySigner, Signature, Unverified, invert_all, reduced};
use crate::keys::KeyError;
use p256::elliptic_curve::sec1::FromSec1Point as _;
use p256::elliptic_curve::{Group as _, PrimeField as _};
use p256::{AffinePoint, ProjectivePoint, Scalar, Sec1Point};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// Digits of a weight, each from -128 to 127, the most significant first.
const DIGITS: usize = 2;
/// Bits of the size of a digit.
const BITS: usize = 8;

type Weight = [i8; DIGITS];

/// Verifies signatures and key pairs and gives the signatures out.
///
/// # Errors
/// Where the equation does not hold, or a point is none: something in the batch is wrong, and none of it may be used.
pub fn verify_all(signer: &ManySigner, signatures: Unverified, pairs: &[KeyPair]) -> Result<Vec<Signature>, KeyError> {
    let signatures = signatures.0;
    let weights = weights(&signatures, pairs);
    let points = weighted_points(&signatures, pairs, &weights).ok_or(KeyError::Signing(ALGORITHM))?;
    let scalars = weighted_scalars(signer, &signatures, pairs, &weights).ok_or(KeyError::Signing(ALGORITHM))?;
    if points == scalars { Ok(signatures) } else { Err(KeyError::Signing(ALGORITHM)) }
}

/// A weight for each place.
fn weights(signatures: &[Signature], pairs: &[KeyPair]) -> Vec<Weight> {
    let mut all = Sha256::new();
    for signature in signatures {
        all.update(signature.digest);
        all.update(signature.r.to_repr());
        all.update(signature.s.to_repr());
    }
    pairs.iter().for_each(|pair| all.update(pair.point));
    let seed = all.finalize();
    let places = signatures.len().max(pairs.len());
    // One hash gives the weights of sixteen places.
    let weights = (0..places.div_ceil(32 / DIGITS)).flat_map(|n| {
        let mut hasher = Sha256::new();
        hasher.update(seed);
        hasher.update((n as u64).to_be_bytes());
        let digits: [u8; 32] = hasher.finalize().into();
        let (weights, _) = digits.as_chunks::<DIGITS>();
        weights.iter().map(|weight| weight.map(u8::cast_signed)).collect::<Vec<_>>()
    });
    weights.take(places).collect()
}

/// The right side. Points of one digit are added first, then such sums for each bit of the digit: few additions a point, and all of them
/// in a dozen rounds.
fn weighted_points(signatures: &[Signature], pairs: &[KeyPair], weights: &[Weight]) -> Option<ProjectivePoint> {
    let curve = Curve::new()?;
    let mut places = Vec::with_capacity(weights.len());
    for place in 0..weights.len() {
        let (signature, pair) = (signatures.get(place), pairs.get(place));
        let octets = signature.map(|signature| &signature.point).into_iter().chain(pair.map(|pair| &pair.point));
        places.push(octets.map(|octets| curve.point(octets)).collect::<Option<Vec<Point>>>()?);
    }
    let places = sums(places)?;
    // For each digit of the weights, 128 groups: of its size from 1 to 128.
    let mut by_size = vec![Vec::new(); DIGITS * 128];
    for (place, weight) in places.into_iter().zip(weights) {
        for (n, digit) in weight.iter().enumerate().filter(|(_, digit)| **digit != 0) {
            let group = by_size.get_mut(n * 128 + usize::from(digit.unsigned_abs()) - 1)?;
            group.extend(place.map(|point| if *digit < 0 { point.negated() } else { point }));
        }
    }
    let by_size = sums(by_size)?;
    let mut by_bit = Vec::with_capacity(DIGITS * BITS);
    for sizes in by_size.chunks(128) {
        for bit in (0..BITS).rev() {
            let with = sizes.iter().zip(1_u32..).filter(|(_, size)| size >> bit & 1 == 1);
            by_bit.push(with.filter_map(|(sum, _)| *sum).collect::<Vec<Point>>());
        }
    }
    let mut total = ProjectivePoint::IDENTITY;
    for sum in sums(by_bit)? {
        total = total.double();
        if let Some(sum) = sum {
            total += point_of(sum)?;
        }
    }
    Some(total)
}

/// The left side.
fn weighted_scalars(
    signer: &ManySigner,
    signatures: &[Signature],
    pairs: &[KeyPair],
    weights: &[Weight],
) -> Option<ProjectivePoint> {
    let mut inverses: Vec<Scalar> = signatures.iter().map(|signature| signature.s).collect();
    invert_all(&mut inverses)?;
    let (mut of_generator, mut of_key) = (Zeroizing::new(Scalar::ZERO), Scalar::ZERO);
    let weights = weights.iter().map(scalar_of);
    for ((signature, inverse), weight) in signatures.iter().zip(&inverses).zip(weights.clone()) {
        let weighted = weight * inverse;
        *of_generator += weighted * reduced(&signature.digest);
        of_key += weighted * signature.r;
    }
    for (pair, weight) in pairs.iter().zip(weights) {
        *of_generator += weight * reduced(&pair.scalar);
    }
    Some(ProjectivePoint::mul_by_generator(&of_generator) + ProjectivePoint::from(signer.public) * of_key)
}

fn scalar_of(weight: &Weight) -> Scalar {
    let number = weight.iter().fold(0_i64, |number, digit| number * 256 + i64::from(*digit));
    let size = Scalar::from(number.unsigned_abs());
    if number < 0 { -size } else { size }
}

fn point_of(point: Point) -> Option<AffinePoint> {
    Option::from(AffinePoint::from_sec1_point(&Sec1Point::from_bytes(point.to_octets()).ok()?))
}
