//! What a Matter device is commissioned with: discriminator and the SPAKE2+ verifier of its passcode. A record may hold them as extras, or whoever
//! flashes gives them as options; where both say something they must say the same.
//!
//! Extras: `discriminator`, `iterations` and `passcode` as decimal digits; `salt` (16 to 32 octets), `verifier` (97), `rd-id-uid` (16 to 32) and
//! `enable-key` (16) as they are.

use super::Options;
use crate::basics::Secret;
use crate::basics::digest::hex_decode;
use crate::factory::{Record, Refusal};
use zeroize::Zeroizing;

/// Of one device.
pub(super) struct Setup {
    pub discriminator: u16,
    pub iterations: u32,
    pub salt: Zeroizing<Vec<u8>>,
    /// w0 and L: 32 octets, and a point of 65.
    pub verifier: Zeroizing<Vec<u8>>,
}

impl Setup {
    /// All of it, or nothing where nothing is known.
    ///
    /// # Errors
    /// Where a part is known and another is not, a value is out of range, or record and options differ.
    pub(super) fn of(record: &Record, options: &Options) -> Result<Option<Self>, Refusal> {
        let given = options.commissioning.as_ref();
        let discriminator =
            number(record, "discriminator", given.and_then(|c| c.discriminator).map(u32::from), 0..=4_095)?;
        let iterations = number(record, "iterations", given.and_then(|c| c.iterations), 1_000..=100_000)?;
        let salt = octets(record, "salt", given.and_then(|c| c.salt.as_deref()), 16..=32)?;
        let verifier = octets(record, "verifier", given.and_then(|c| c.verifier.as_deref()), 97..=97)?;
        if verifier.as_ref().is_some_and(|verifier| verifier.get(32) != Some(&4)) {
            return Err(refuse(record, "verifier", "w0 and an uncompressed point", "others"));
        }
        let missing: Vec<&str> = [
            ("discriminator", discriminator.is_none()),
            ("iterations", iterations.is_none()),
            ("salt", salt.is_none()),
            ("verifier", verifier.is_none()),
        ]
        .into_iter()
        .filter_map(|(name, missing)| missing.then_some(name))
        .collect();
        match (discriminator, iterations, salt, verifier) {
            (Some(discriminator), Some(iterations), Some(salt), Some(verifier)) => {
                let discriminator = u16::try_from(discriminator).unwrap_or_default();
                Ok(Some(Self { discriminator, iterations, salt, verifier }))
            }
            (None, None, None, None) => Ok(None),
            _ => Err(refuse(
                record,
                "commissioning",
                "discriminator, iterations, salt and verifier, or none of them",
                &format!("no {}", missing.join(", no ")),
            )),
        }
    }
}

/// An extra of exactly this many octets, as it is.
pub(super) fn extra<'r>(
    record: &'r Record,
    name: &str,
    length: std::ops::RangeInclusive<usize>,
) -> Result<Option<&'r Secret>, Refusal> {
    match record.extras.get(name) {
        Some(value) if !length.contains(&value.len()) => {
            let expected = format!("{} to {} octets", length.start(), length.end());
            Err(refuse(record, name, &expected, &value.len().to_string()))
        }
        value => Ok(value),
    }
}

/// A passcode of Matter, where the record holds one: 1 to 99999998 and none of those everybody tries (Matter Core 5.1.7.1).
pub(super) fn passcode(record: &Record) -> Result<Option<&Secret>, Refusal> {
    let Some(digits) = extra(record, "passcode", 1..=8)? else { return Ok(None) };
    let value = digits.expose_text().parse::<u32>().ok().filter(|value| (1..=99_999_998).contains(value));
    let plain = digits.expose().first() != Some(&b'0') && digits.expose().iter().all(u8::is_ascii_digit);
    let same = |value: u32| value.is_multiple_of(11_111_111);
    match value {
        Some(value) if plain && !same(value) && !matches!(value, 12_345_678 | 87_654_321) => Ok(Some(digits)),
        _ => Err(refuse(record, "passcode", "a passcode that Matter allows", "another")),
    }
}

/// A number from extras or options. Extras hold decimal digits without leading zeros.
fn number(
    record: &Record,
    name: &str,
    given: Option<u32>,
    range: std::ops::RangeInclusive<u32>,
) -> Result<Option<u32>, Refusal> {
    let held = match record.extras.get(name) {
        None => None,
        Some(digits) => {
            let text = digits.expose_text();
            let value = text.parse::<u32>().ok().filter(|value| value.to_string() == text);
            Some(value.ok_or_else(|| refuse(record, name, "decimal digits in the record", "others"))?)
        }
    };
    if let (Some(held), Some(given)) = (held, given)
        && held != given
    {
        return Err(refuse(record, name, "the record's value in the options, or none", "another"));
    }
    match held.or(given) {
        Some(value) if !range.contains(&value) => {
            Err(refuse(record, name, &format!("{} to {}", range.start(), range.end()), &value.to_string()))
        }
        value => Ok(value),
    }
}

fn octets(
    record: &Record,
    name: &str,
    given: Option<&str>,
    length: std::ops::RangeInclusive<usize>,
) -> Result<Option<Zeroizing<Vec<u8>>>, Refusal> {
    let expected = format!("{} to {} octets as hexadecimal digits", length.start(), length.end());
    let given = match given {
        None => None,
        Some(hex) => {
            let octets = hex_decode(hex).filter(|octets| length.contains(&octets.len())).map(Zeroizing::new);
            Some(octets.ok_or_else(|| refuse(record, name, &expected, "others"))?)
        }
    };
    match (extra(record, name, length)?, given) {
        (Some(held), Some(given)) if !held.same_as(&given) => {
            Err(refuse(record, name, "the record's value in the options, or none", "another"))
        }
        (Some(held), _) => Ok(Some(Zeroizing::new(held.expose().to_vec()))),
        (None, given) => Ok(given),
    }
}

/// The value itself is never shown: it may be secret.
fn refuse(record: &Record, name: &str, expected: &str, found: &str) -> Refusal {
    Refusal::malformed(format!("{name} of {}", record.device), expected, found)
}
