//! What makes an RSA modulus weak though it looks like any other: factors that are small, close, shared or of a known
//! construction. Each check finds keys that were really made; none proves that a key is good.
//!
//! Sources: Nemec, Sys, Svenda, Klinec, Matyas, "The Return of Coppersmith's Attack" (2017), for the fingerprint of the
//! Infineon library; Heninger, Durumeric, Wustrow, Halderman, "Mining Your Ps and Qs" (2012), for shared primes; badkeys
//! 0.0.21 for the product of shared primes that were met in the wild, `shared_primes_*.bin` (MIT, `PUBLISHED_KEYS.md`).

use super::reason::Reason;
use crate::basics::limits;
use crate::keys::rsa::RsaPublicKey;
use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, Gcd, NonZero, Resize};

/// Primes up to here are tried as factors.
const SMALL: u32 = 1 << 16;
/// Steps of Fermat's method: as many as badkeys takes; keys that fall at all fall in the first few.
const FERMAT_STEPS: u32 = 100;
/// Equal octets in a row that no random modulus of 4,096 bits has (one in 2^119).
const REPEATED: usize = 16;

/// Primes of 1,024 bits (of moduli of 2,048) and of 2,048 bits that several keys in the wild share, as one product each,
/// little endian.
static SHARED_2048: &[u8] = include_bytes!("shared_primes_2048.bin");
static SHARED_4096: &[u8] = include_bytes!("shared_primes_4096.bin");

/// Every weakness of a modulus.
pub(super) fn weaknesses(key: &RsaPublicKey) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let mut refuse =
        |word, expected: &str, found: &str| reasons.push(Reason::new(word, "RSA modulus", expected, found));
    let modulus = key.modulus();
    if modulus.windows(REPEATED).any(|run| run.iter().all(|octet| Some(octet) == run.first())) {
        refuse("rsa-pattern", "random octets", &format!("{REPEATED} equal ones in a row"));
    }
    let ones: u32 = modulus.iter().map(|octet| octet.count_ones()).sum();
    let share = u64::from(ones) * 100 / (key.bits().max(1) as u64);
    if key.bits() >= 2_000 && !(40..=60).contains(&share) {
        refuse("rsa-bias", "about as many ones as zeros", &format!("{share} in a hundred ones"));
    }
    let small = first_small_factor(modulus);
    if let Some(factor) = small {
        refuse("rsa-small-factor", "no prime factor below 65536", &format!("the factor {factor}"));
    } else if is_roca(modulus) {
        refuse("rsa-roca", "no modulus of the Infineon library (CVE-2017-15361)", "its fingerprint");
    }
    // What follows costs time that grows with the key, and is pointless for what has fallen already.
    if small.is_some() || key.bits() > limits::RSA_VERIFIED_BITS {
        return reasons;
    }
    let precision = (key.bits() as u32).div_ceil(64) * 64;
    let Ok(number) = BoxedUint::from_be_slice(modulus, precision) else { return reasons };
    if let Some(steps) = fermat(&number) {
        refuse(
            "rsa-close-primes",
            "primes far from each other",
            &format!("factors after {steps} steps of Fermat's method"),
        );
    }
    if is_probably_prime(&number) {
        refuse("rsa-prime", "a product of two primes", "a prime");
    }
    if shares_a_prime(&number, key.bits()) {
        refuse("rsa-shared-prime", "primes of its own", "a prime that other keys in the wild have too");
    }
    reasons
}

fn remainder(number: &[u8], divisor: u32) -> u32 {
    let divisor = u64::from(divisor);
    let mut chunks = number.rchunks(4).rev();
    let rest = chunks.by_ref().fold(0_u64, |rest, chunk| {
        let chunk_value = chunk.iter().fold(0_u64, |value, octet| value << 8 | u64::from(*octet));
        (rest << (8 * chunk.len()) | chunk_value) % divisor
    });
    u32::try_from(rest).unwrap_or(0)
}

fn first_small_factor(modulus: &[u8]) -> Option<u32> {
    small_primes().find(|prime| remainder(modulus, *prime) == 0)
}

fn small_primes() -> impl Iterator<Item = u32> {
    let mut composite = vec![false; SMALL as usize];
    let mut candidate = 1_u32;
    std::iter::from_fn(move || {
        loop {
            candidate += 1;
            if candidate >= SMALL {
                return None;
            }
            if composite.get(candidate as usize) == Some(&false) {
                let multiples = composite.iter_mut().skip(candidate as usize).step_by(candidate as usize);
                multiples.for_each(|multiple| *multiple = true);
                return Some(candidate);
            }
        }
    })
}

/// Whether the modulus is a power of 65537 modulo each of the first 39 primes: all keys of the library are, and one in
/// 2^27 of the others (the paper's 2.3).
fn is_roca(modulus: &[u8]) -> bool {
    small_primes().skip(1).take(38).all(|prime| {
        let rest = remainder(modulus, prime);
        let generator = 65_537 % prime;
        let mut power = 1;
        (0..prime).any(|_| {
            power = power * generator % prime;
            power == rest
        })
    })
}

/// The steps after which `a^2 - n` is a square, `a` going up from the root of `n`.
fn fermat(number: &BoxedUint) -> Option<u32> {
    let wide = number.bits_precision() + 128;
    let n = number.clone().resize(wide);
    let one = BoxedUint::one_with_precision(wide);
    let mut a = n.floor_sqrt_vartime();
    if a.wrapping_mul(&a) != n {
        a = a.wrapping_add(&one);
    }
    let mut difference = a.wrapping_mul(&a).wrapping_sub(&n);
    for step in 0..FERMAT_STEPS {
        let root = difference.floor_sqrt_vartime();
        if root.wrapping_mul(&root) == difference {
            return Some(step);
        }
        // (a + 1)^2 - n = a^2 - n + 2a + 1
        difference = difference.wrapping_add(&a).wrapping_add(&a).wrapping_add(&one);
        a = a.wrapping_add(&one);
    }
    None
}

/// Fermat's test to the base 2: no product of two random primes passes it.
fn is_probably_prime(number: &BoxedUint) -> bool {
    let Some(modulus) = number.to_odd().into_option() else { return false };
    let one = BoxedUint::one_with_precision(number.bits_precision());
    let two = one.wrapping_add(&one);
    let parameters = BoxedMontyParams::new_vartime(modulus);
    BoxedMontyForm::new(two, &parameters).pow(&number.wrapping_sub(&one)).retrieve() == one
}

fn shares_a_prime(number: &BoxedUint, bits: usize) -> bool {
    let product = match bits {
        2_048 => SHARED_2048,
        4_096 => SHARED_4096,
        _ => return false,
    };
    let precision = u32::try_from(product.len() * 8).unwrap_or(0);
    let (Ok(product), Some(modulus)) =
        (BoxedUint::from_le_slice(product, precision), NonZero::new(number.clone()).into_option())
    else {
        return false;
    };
    let rest = product.rem_vartime(&modulus);
    number.gcd_vartime(&rest) != BoxedUint::one_with_precision(number.bits_precision())
}
