//! RFC 8785 canonical JSON: one value, one sequence of octets. Digests are taken over nothing else.

use crate::basics::limits;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Why a value has no canonical form, or why octets are not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CanonicalError {
    #[error("a value of this type cannot be written as canonical JSON: {0}")]
    Unwritable(String),
    #[error("expected at most {limit} octets of JSON, found {found}")]
    TooLong { limit: usize, found: usize },
    #[error("expected JSON nested at most {limit} deep")]
    TooDeep { limit: usize },
    #[error("expected JSON of the documented shape: {0}")]
    Malformed(String),
    #[error("expected RFC 8785 canonical JSON, found the same value written differently")]
    NotCanonical,
}

/// The canonical octets of a value.
///
/// # Errors
/// Where the value contains a number that is not an integer below 2^53, or cannot be serialised.
pub fn to_octets<T: Serialize>(value: &T) -> Result<Vec<u8>, CanonicalError> {
    serde_json_canonicalizer::to_vec(value).map_err(|e| CanonicalError::Unwritable(e.to_string()))
}

/// Parses octets that must already be canonical: `to_octets(parse(x)) == x`, or refused.
///
/// # Errors
/// Where the octets are too long, too deep, of another shape, carry unknown or duplicate keys, or are not canonical.
pub fn parse<T: Serialize + DeserializeOwned>(octets: &[u8], limit: usize) -> Result<T, CanonicalError> {
    if octets.len() > limit {
        return Err(CanonicalError::TooLong { limit, found: octets.len() });
    }
    if nesting(octets) > limits::NESTING {
        return Err(CanonicalError::TooDeep { limit: limits::NESTING });
    }
    let value: T = serde_json::from_slice(octets).map_err(|e| CanonicalError::Malformed(e.to_string()))?;
    if to_octets(&value)? != octets {
        return Err(CanonicalError::NotCanonical);
    }
    Ok(value)
}

/// How deeply brackets nest outside strings; works on any octets.
#[must_use]
pub fn nesting(octets: &[u8]) -> usize {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0_usize, 0_usize, false, false);
    for &octet in octets {
        match (in_string, escaped, octet) {
            (true, true, _) => escaped = false,
            (true, false, b'\\') => escaped = true,
            (true, false, b'"') => in_string = false,
            (true, false, _) => {}
            (false, _, b'"') => in_string = true,
            (false, _, b'{' | b'[') => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            (false, _, b'}' | b']') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}
