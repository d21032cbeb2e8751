//! Shamir's secret sharing over GF(2^8) modulo 0x11b, k of n, coefficients uniform including zero: `vsss-rs` behind the
//! checks that no Shamir library makes.
//!
//! It never returns a secret from shares that do not belong together. A plain library answers too few, mixed, repeated
//! or altered shares with a wrong secret and no error; here headers must agree, indices must be distinct and in 1..=n,
//! and shares beyond the threshold must lie on the polynomial. Whether the first k are the shares that were dealt is
//! told by their commitments (`check`), not here. The strongroom calls it; `consistent` also the fresh process that
//! checks shares typed back.

use super::quorum::QuorumHead;
use super::share::Share;
use crate::basics::Secret;
use rand_core::CryptoRng;
use vsss_rs::Gf256;
use zeroize::{Zeroize, Zeroizing};

/// Octets of the secret that is shared, and of each share's value.
pub const OCTETS: usize = 32;
/// Trying every subset of k stops being a check anybody waits for beyond this many.
pub const SUBSETS: u64 = 10_000;

/// Why shares cannot be made or do not belong together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SharingError {
    #[error("expected a threshold from 2 to the count of shares, {count}, found {threshold}")]
    Threshold { threshold: u8, count: u8 },
    #[error("expected a secret of {OCTETS} octets, found {found}")]
    SecretLength { found: usize },
    #[error("expected at least {expected} shares, found {found}")]
    TooFew { expected: u8, found: usize },
    #[error("expected shares of one dealing, found share {index} with another header")]
    Mixed { index: u8 },
    #[error("expected distinct shares, found share {index} twice")]
    Duplicate { index: u8 },
    #[error("expected indices from 1 to {count}, found {index}")]
    Index { index: u8, count: u8 },
    #[error("share {index} does not lie on the polynomial of the others")]
    OffPolynomial { index: u8 },
    #[error("expected a polynomial of degree {expected}, found a lower one: fewer shares than the threshold would do")]
    LowDegree { expected: u8 },
    #[error("expected one secret from every {threshold} shares, found two")]
    SubsetsDisagree { threshold: u8 },
    #[error("expected the sharing library to accept checked input, found: {0}")]
    Library(String),
}

/// Deals `identity`: n shares of which any k give it back and k-1 tell nothing.
///
/// # Errors
/// Where the threshold is not in 2..=count or the identity has not 32 octets.
pub fn split(identity: &Secret, head: &QuorumHead, rng: impl CryptoRng) -> Result<Vec<Share>, SharingError> {
    threshold_possible(*head)?;
    if identity.len() != OCTETS {
        return Err(SharingError::SecretLength { found: identity.len() });
    }
    let rows = Gf256::split_bytes(head.threshold.into(), head.count.into(), identity.expose(), rng).map_err(library)?;
    let mut rows = Zeroizing::new(rows);
    let shares = (1..=head.count).zip(rows.iter_mut()).map(|(index, row)| match row.split_first() {
        Some((found, value)) if *found == index && value.len() == OCTETS => {
            let share = Share::new(head.header(index), Secret::take(value.to_vec()));
            row.zeroize();
            Ok(share)
        }
        _ => Err(SharingError::Library(format!("a row other than that of share {index}"))),
    });
    let shares = shares.collect::<Result<Vec<_>, _>>()?;
    if shares.len() != usize::from(head.count) {
        return Err(SharingError::TooFew { expected: head.count, found: shares.len() });
    }
    Ok(shares)
}

/// The secret that at least k shares of one dealing give.
///
/// # Errors
/// Where they are too few, of different dealings, repeated, out of range, or do not lie on one polynomial.
pub fn combine(shares: &[Share]) -> Result<Secret, SharingError> {
    let (basis, others) = basis_and_others(shares)?;
    on_polynomial(&basis, &others)?;
    interpolate(&basis, 0)
}

/// Whether shares, usually all n as typed back, belong to one polynomial of degree k-1, and every k of them give the
/// same secret (tried one by one up to [`SUBSETS`] subsets; beyond that the polynomial alone says so).
///
/// # Errors
/// As [`combine`], and where the degree is lower: then fewer than k shares would open the quorum. (A polynomial drawn
/// fairly has a lower degree in all 32 octets once in 2^256.)
pub fn consistent(shares: &[Share], threshold: u8) -> Result<(), SharingError> {
    let (basis, others) = basis_and_others(shares)?;
    if let Some(share) = shares.first()
        && share.header().threshold != threshold
    {
        return Err(SharingError::Threshold { threshold: share.header().threshold, count: share.header().count });
    }
    on_polynomial(&basis, &others)?;
    if let Some((last, fewer)) = basis.split_last() {
        // f(last) from one share fewer is right for every octet only if the leading coefficients are all zero.
        if interpolate(fewer, last.header().index)?.same_as(last.value().expose()) {
            return Err(SharingError::LowDegree { expected: threshold.saturating_sub(1) });
        }
    }
    if subsets(shares.len(), threshold.into()) > SUBSETS {
        return Ok(());
    }
    let secret = interpolate(&basis, 0)?;
    let all: Vec<&Share> = shares.iter().collect();
    every_subset(&all, threshold.into(), &mut Vec::new(), &mut |subset| {
        if interpolate(subset, 0)?.same_as(secret.expose()) {
            Ok(())
        } else {
            Err(SharingError::SubsetsDisagree { threshold })
        }
    })
}

/// The first k shares and the rest, once all of them are fit to be combined.
fn basis_and_others(shares: &[Share]) -> Result<(Vec<&Share>, Vec<&Share>), SharingError> {
    let Some(first) = shares.first() else {
        return Err(SharingError::TooFew { expected: 2, found: 0 });
    };
    let head = first.header().head();
    for (place, share) in shares.iter().enumerate() {
        let header = share.header();
        if header.head() != head || header.version != first.header().version {
            return Err(SharingError::Mixed { index: header.index });
        }
        if header.index == 0 || header.index > head.count {
            return Err(SharingError::Index { index: header.index, count: head.count });
        }
        if shares.iter().take(place).any(|earlier| earlier.header().index == header.index) {
            return Err(SharingError::Duplicate { index: header.index });
        }
        if share.value().len() != OCTETS {
            return Err(SharingError::SecretLength { found: share.value().len() });
        }
    }
    threshold_possible(head)?;
    if shares.len() < usize::from(head.threshold) {
        return Err(SharingError::TooFew { expected: head.threshold, found: shares.len() });
    }
    let (basis, others) = shares.split_at(usize::from(head.threshold).min(shares.len()));
    Ok((basis.iter().collect(), others.iter().collect()))
}

fn threshold_possible(head: QuorumHead) -> Result<(), SharingError> {
    let QuorumHead { threshold, count, .. } = head;
    if threshold < 2 || threshold > count {
        return Err(SharingError::Threshold { threshold, count });
    }
    Ok(())
}

fn on_polynomial(basis: &[&Share], others: &[&Share]) -> Result<(), SharingError> {
    for other in others {
        let index = other.header().index;
        if !interpolate(basis, index)?.same_as(other.value().expose()) {
            return Err(SharingError::OffPolynomial { index });
        }
    }
    Ok(())
}

/// The polynomial through `points`, evaluated at `at`. The library evaluates at 0 only; as x + at is x XOR at in this
/// field, moving every index by `at` moves that place to 0.
fn interpolate(points: &[&Share], at: u8) -> Result<Secret, SharingError> {
    if let [only] = points {
        return Ok(Secret::take(only.value().expose().to_vec()));
    }
    let mut rows = Zeroizing::new(Vec::with_capacity(points.len()));
    for point in points {
        let mut row = Vec::with_capacity(1 + OCTETS);
        row.push(point.header().index ^ at);
        row.extend_from_slice(point.value().expose());
        rows.push(row);
    }
    Gf256::combine_bytes(rows.as_slice()).map(Secret::take).map_err(library)
}

/// How many ways there are to take k of n, counted up to just beyond the bound.
pub(super) fn subsets(n: usize, k: usize) -> u64 {
    let (n, k) = (n as u64, (k.min(n.saturating_sub(k))) as u64);
    (0..k)
        .try_fold(1_u64, |ways, taken| Some(ways * (n - taken) / (taken + 1)).filter(|w| *w <= SUBSETS))
        .unwrap_or(SUBSETS + 1)
}

pub(super) fn every_subset<'a>(
    rest: &[&'a Share],
    wanted: usize,
    taken: &mut Vec<&'a Share>,
    visit: &mut impl FnMut(&[&'a Share]) -> Result<(), SharingError>,
) -> Result<(), SharingError> {
    if taken.len() == wanted {
        return visit(taken);
    }
    for (place, share) in rest.iter().enumerate() {
        if rest.len() - place < wanted - taken.len() {
            break;
        }
        taken.push(share);
        every_subset(rest.get(place + 1..).unwrap_or_default(), wanted, taken, visit)?;
        taken.pop();
    }
    Ok(())
}

fn library(error: vsss_rs::Error) -> SharingError {
    SharingError::Library(error.to_string())
}
