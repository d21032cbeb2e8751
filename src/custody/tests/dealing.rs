//! Sharing: what k shares give, what fewer never give, and every trap of Shamir libraries.

use super::*;
use crate::custody::{SharingError, combine, consistent};
use proptest::prelude::*;

/// GF(2^8) modulo 0x11b written independently: log and antilog tables over the generator 3.
struct Field {
    log: [u8; 256],
    exp: [u8; 255],
}

impl Field {
    fn new() -> Self {
        let (mut log, mut exp, mut element) = ([0; 256], [0; 255], 1_u16);
        for power in 0..255_u8 {
            exp[usize::from(power)] = element as u8;
            log[usize::from(element as u8)] = power;
            element ^= element << 1;
            if element & 0x100 != 0 {
                element ^= 0x11b;
            }
        }
        Self { log, exp }
    }

    fn mul(&self, a: u8, b: u8) -> u8 {
        if a == 0 || b == 0 {
            return 0;
        }
        self.exp[(usize::from(self.log[usize::from(a)]) + usize::from(self.log[usize::from(b)])) % 255]
    }

    fn div(&self, a: u8, b: u8) -> u8 {
        if a == 0 {
            return 0;
        }
        self.exp[(255 + usize::from(self.log[usize::from(a)]) - usize::from(self.log[usize::from(b)])) % 255]
    }

    fn at_zero(&self, points: &[(u8, u8)]) -> u8 {
        points.iter().enumerate().fold(0, |sum, (i, (x, y))| {
            let others = points.iter().enumerate().filter(|(j, _)| *j != i);
            sum ^ others.fold(*y, |term, (_, (other, _))| self.mul(term, self.div(*other, other ^ x)))
        })
    }
}

fn independently(shares: &[Share]) -> Vec<u8> {
    let field = Field::new();
    (0..32)
        .map(|octet| {
            let points: Vec<(u8, u8)> = shares.iter().map(|s| (s.header().index, s.value().expose()[octet])).collect();
            field.at_zero(&points)
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_k_shares_give_the_secret_and_an_independent_implementation_agrees(
        seed: u64, (k, n) in (2_u8..8).prop_flat_map(|k| (Just(k), k..12)), order in any::<prop::sample::Index>(),
    ) {
        let mut shares = dealt(seed, Realm::Production, k, n);
        consistent(&shares, k).unwrap();
        let turn = order.index(shares.len());
        shares.rotate_left(turn);
        let chosen: Vec<Share> = shares.drain(..usize::from(k)).collect();
        let secret = combine(&chosen).unwrap();
        prop_assert!(secret.same_as(identity(seed).expose()));
        prop_assert_eq!(secret.expose(), &independently(&chosen)[..]);
        // One fewer, through the independent implementation that checks nothing: not the secret.
        prop_assert!(!secret.same_as(&independently(&chosen[1..])));
        assert!(matches!(combine(&chosen[1..]), Err(SharingError::TooFew { .. })));
    }

    #[test]
    fn one_altered_octet_among_more_than_k_shares_is_noticed(seed: u64, who in 0_usize..5, octet in 0_usize..32, by in 1_u8..) {
        let mut shares = dealt(seed, Realm::Production, 3, 5);
        shares[who] = with_value(&shares[who], |value| value[octet] ^= by);
        assert!(matches!(combine(&shares), Err(SharingError::OffPolynomial { .. })));
        assert!(matches!(consistent(&shares, 3), Err(SharingError::OffPolynomial { .. })));
    }
}

#[test]
fn the_largest_dealing_works() {
    let mut shares = dealt(1, Realm::Production, 255, 255);
    assert!(combine(&shares).unwrap().same_as(identity(1).expose()));
    consistent(&shares, 255).unwrap();
    shares.pop();
    assert_eq!(why(combine(&shares)), "expected at least 255 shares, found 254");
    let shares = dealt(1, Realm::Production, 2, 255);
    consistent(&shares, 2).unwrap();
}

/// RUSTSEC-2024-0398: in `sharks` a coefficient is never zero, so a share never equals the secret.
#[test]
fn a_coefficient_is_zero_as_often_as_any_other_value() {
    let draws = draws(7);
    let head = head(Realm::Production, 2, 2);
    let mut seen = [0_u32; 256];
    for attempt in 0..700 {
        let secret = draws.expand("bias", "secret", 0, attempt, 32);
        let shares = split(&secret, &head, draws.rng("bias", "coefficients", 0, attempt)).unwrap();
        for (value, secret) in shares[0].value().expose().iter().zip(secret.expose()) {
            seen[usize::from(value ^ secret)] += 1;
        }
    }
    // 22,400 octets, 87.5 expected of each value; chi-square with 255 degrees of freedom: mean 255, deviation 22.6.
    let expected = 22_400.0 / 256.0;
    let chi: f64 = seen.iter().map(|count| (f64::from(*count) - expected).powi(2) / expected).sum();
    assert!((130.0..400.0).contains(&chi), "chi-square {chi}");
    assert!((45..140).contains(&seen[0]), "coefficient zero {} times", seen[0]);
}

#[test]
fn thresholds_of_zero_and_one_and_above_the_count_are_refused() {
    for (k, n) in [(0, 3), (1, 3), (4, 3), (0, 0), (2, 0), (2, 1)] {
        let refused = split(&identity(1), &head(Realm::Production, k, n), draws(1).rng("", "", 0, 0));
        assert_eq!(why(refused), format!("expected a threshold from 2 to the count of shares, {n}, found {k}"));
        let edited: Vec<Share> = dealt(1, Realm::Production, 2, 3)
            .iter()
            .take(usize::from(n))
            .map(|s| remade(s, head(Realm::Production, k, n).header(s.header().index)))
            .collect();
        assert!(combine(&edited).is_err());
    }
}

#[test]
fn a_secret_of_another_length_is_refused() {
    let refused = split(&Secret::take(vec![1; 31]), &head(Realm::Production, 2, 3), draws(1).rng("", "", 0, 0));
    assert_eq!(why(refused), "expected a secret of 32 octets, found 31");
    let mut shares = dealt(1, Realm::Production, 2, 3);
    shares[1] = Share::new(shares[1].header(), Secret::take(vec![1; 31]));
    assert_eq!(why(combine(&shares)), "expected a secret of 32 octets, found 31");
}

#[test]
fn index_zero_does_not_dictate_the_secret() {
    let mut shares = dealt(1, Realm::Production, 2, 3);
    shares[0] = remade(&shares[0], head(Realm::Production, 2, 3).header(0));
    assert_eq!(why(combine(&shares[..2])), "expected indices from 1 to 3, found 0");
    shares[0] = remade(&shares[0], head(Realm::Production, 2, 3).header(4));
    assert_eq!(why(combine(&shares[..2])), "expected indices from 1 to 3, found 4");
}

#[test]
fn the_same_share_twice_is_refused() {
    let shares = dealt(1, Realm::Production, 2, 3);
    assert_eq!(why(combine(&[copy(&shares[1]), copy(&shares[1])])), "expected distinct shares, found share 2 twice");
    assert_eq!(why(combine(&[])), "expected at least 2 shares, found 0");
}

#[test]
fn shares_of_different_dealings_are_refused() {
    let ours = dealt(1, Realm::Production, 2, 3);
    for other in
        [dealt(1, Realm::Rehearsal, 2, 3), dealt(1, Realm::Production, 3, 3), dealt(1, Realm::Production, 2, 4)]
    {
        let mixed = [copy(&ours[0]), copy(&other[1])];
        assert_eq!(why(combine(&mixed)), "expected shares of one dealing, found share 2 with another header");
    }
    // Two dealings under one header cannot be told apart by two shares, only by a third or by commitments.
    let again = dealt(2, Realm::Production, 2, 3);
    let mixed = [copy(&ours[0]), copy(&ours[1]), copy(&again[2])];
    assert_eq!(why(combine(&mixed)), "share 3 does not lie on the polynomial of the others");
}

#[test]
fn a_dealing_that_fewer_shares_would_open_is_not_consistent() {
    for (lower, claimed) in [(2, 3), (3, 4)] {
        let raised: Vec<Share> = dealt(1, Realm::Production, lower, 5)
            .iter()
            .map(|s| remade(s, head(Realm::Production, claimed, 5).header(s.header().index)))
            .collect();
        assert!(matches!(consistent(&raised, claimed), Err(SharingError::LowDegree { .. })));
    }
    // The worst case: every share is the secret.
    let shares = dealt(1, Realm::Production, 2, 3);
    let constant: Vec<Share> = shares.iter().map(|s| with_value(s, |v| v.fill(9))).collect();
    let told = why(consistent(&constant, 2));
    assert_eq!(told, "expected a polynomial of degree 1, found a lower one: fewer shares than the threshold would do");
    assert_eq!(why(consistent(&shares, 3)), "expected a threshold from 2 to the count of shares, 3, found 2");
}

#[test]
fn every_subset_is_tried_once_and_counted_up_to_the_bound() {
    use crate::custody::sharing::{SUBSETS, every_subset, subsets};
    let shares = dealt(1, Realm::Production, 3, 6);
    let all: Vec<&Share> = shares.iter().collect();
    let mut tried = Vec::new();
    every_subset(&all, 3, &mut Vec::new(), &mut |subset| {
        tried.push(subset.iter().map(|share| share.header().index).collect::<Vec<_>>());
        Ok(())
    })
    .unwrap();
    tried.sort();
    tried.dedup();
    assert_eq!((tried.len() as u64, subsets(6, 3)), (20, 20));
    let counts = [(5, 3), (2, 2), (255, 255), (255, 254), (15, 7), (141, 2), (142, 2), (16, 8), (255, 100)];
    let beyond = SUBSETS + 1;
    assert_eq!(counts.map(|(n, k)| subsets(n, k)), [10, 1, 1, 255, 6435, 9870, beyond, beyond, beyond]);
    let refused = every_subset(&all, 3, &mut Vec::new(), &mut |_| Err(SharingError::SubsetsDisagree { threshold: 3 }));
    assert_eq!(why(refused), "expected one secret from every 3 shares, found two");
}

/// The first share is chosen so that with the honest second one the forger's secret comes out: only the commitment tells.
#[test]
fn a_forged_share_that_dictates_the_secret_is_refused_by_its_commitment() {
    let shares = dealt(1, Realm::Production, 2, 3);
    let field = Field::new();
    // f(0) = (2 f(1) + 1 f(2)) / 3 must be 0x42 in every octet.
    let honest = shares[1].value().expose();
    let forged = with_value(&shares[0], |value| {
        for (slot, y2) in value.iter_mut().zip(honest) {
            *slot = field.div(field.mul(0x42, 3) ^ y2, 2);
        }
    });
    let told = crate::custody::check(&forged, &record(&shares), 1, &[]);
    assert!(combine(&[forged, copy(&shares[1])]).unwrap().same_as(&[0x42; 32]));
    assert!(why(told).contains("another value"));
}
