//! Finding wrong characters: BCH decoding of up to four substitutions or eight unreadable characters (twice the first
//! plus the second at most eight).
//!
//! It never decides: what it finds is the nearest valid text, which a person must confirm. Only `share` calls it.
//!
//! Field arithmetic and Berlekamp-Massey come from the `bech32` crate. Its own `Corrector` is not used: given a text with
//! more errors than the code can place, it reaches `unreachable!("error guaranteed to lie in base field")` or leaves out
//! positions (bech32 0.12, `primitives/correction.rs`; our test `the_corrector_of_the_bech32_crate_panics` watches it).
//! Here everything that must hold is checked, and the corrected text must have a valid checksum.

use super::checksum::{self, DATA, ShareCode};
use crate::basics::Realm;
use bech32::primitives::{Field, LfsrIter};
use bech32::{Checksum, Fe32, Fe1024};
use zeroize::Zeroizing;

/// Twice the substitutions plus the unreadable characters may be at most this.
pub(super) const BOUND: usize = 8;
const FIRST_ROOT: i64 = 9;
const ZERO: Fe1024 = <Fe1024 as Field>::ZERO;
const ONE: Fe1024 = <Fe1024 as Field>::ONE;

/// The only valid symbols within reach of `data`, or nothing. `unreadable` are places in `data` (from 0) whose symbols
/// are not known.
pub(super) fn nearest(realm: Realm, data: &[u8], unreadable: &[usize]) -> Option<Zeroizing<Vec<u8>>> {
    if data.len() != DATA || unreadable.len() > BOUND {
        return None;
    }
    let erased: Vec<usize> = unreadable.iter().map(|place| (DATA - 1).checked_sub(*place)).collect::<Option<_>>()?;
    let mut corrected = Zeroizing::new(data.to_vec());
    for (power, change) in changes(&checksum::remainder(realm, data), &erased)? {
        let slot = corrected.get_mut((DATA - 1).checked_sub(power)?)?;
        *slot = (checksum::element(*slot) + change).to_u8();
    }
    // Follows from the values being in the base field; kept, since what leaves here is shown to people as a share.
    checksum::holds(realm, &corrected).then_some(corrected)
}

/// What to add to which symbol, counted from the end. Polynomials have their constant term first.
fn changes(remainder: &[Fe32], erased: &[usize]) -> Option<Vec<(usize, Fe32)>> {
    let left: Vec<Fe1024> = remainder.iter().map(|element| Fe1024::from(*element)).collect();
    let syndromes: Vec<Fe1024> =
        ShareCode::ROOT_EXPONENTS.map(|root| evaluate(&left, power(i64::try_from(root).unwrap_or(0)))).collect();
    let erasures = erased.iter().fold(vec![ONE], |locator, place| product(&locator, &[ONE, locator_root(*place)]));

    // Forney's syndromes: what the substitutions alone would have left.
    let shifted = product(&erasures, &syndromes);
    let unexplained: Vec<Fe1024> = shifted.into_iter().take(BOUND).skip(erased.len()).collect();
    let mut substitutions = vec![ONE];
    if !unexplained.is_empty() {
        substitutions.extend_from_slice(LfsrIter::berlekamp_massey(&unexplained).coefficients());
    }
    while substitutions.last() == Some(&ZERO) {
        substitutions.pop();
    }
    let degree = substitutions.len().checked_sub(1)?;
    if erased.len() + 2 * degree > BOUND {
        return None;
    }

    let found: Vec<usize> = (0..DATA).filter(|place| evaluate(&substitutions, root_at(*place)) == ZERO).collect();
    if found.len() != degree || found.iter().any(|place| erased.contains(place)) {
        return None;
    }

    // Forney's formula for the values.
    let locator = product(&substitutions, &erasures);
    let evaluator: Vec<Fe1024> = product(&locator, &syndromes).into_iter().take(BOUND).collect();
    let derivative: Vec<Fe1024> =
        locator.iter().enumerate().skip(1).map(|(n, c)| if n % 2 == 1 { *c } else { ZERO }).collect();
    found
        .iter()
        .chain(erased)
        .map(|place| {
            let at = root_at(*place);
            let scale = power(i64::try_from(*place).ok()? * (FIRST_ROOT - 1)) * evaluate(&derivative, at);
            if scale == ZERO {
                return None;
            }
            let change = Fe32::try_from(evaluate(&evaluator, at) / scale).ok()?;
            Some((*place, change))
        })
        .collect()
}

fn power(exponent: i64) -> Fe1024 {
    ShareCode::ROOT_GENERATOR.powi(exponent)
}

fn locator_root(place: usize) -> Fe1024 {
    power(i64::try_from(place).unwrap_or(0))
}

fn root_at(place: usize) -> Fe1024 {
    power(-i64::try_from(place).unwrap_or(0))
}

fn evaluate(polynomial: &[Fe1024], at: Fe1024) -> Fe1024 {
    polynomial.iter().rev().fold(ZERO, |sum, coefficient| sum * at + *coefficient)
}

fn product(left: &[Fe1024], right: &[Fe1024]) -> Vec<Fe1024> {
    let mut result = vec![ZERO; (left.len() + right.len()).saturating_sub(1)];
    for (i, a) in left.iter().enumerate() {
        for (b, slot) in right.iter().zip(result.iter_mut().skip(i)) {
            *slot += *a * *b;
        }
    }
    result
}
