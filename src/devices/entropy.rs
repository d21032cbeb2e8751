//! Random octets that are not secret: salts and seeds of the record. Keys are made in the strongroom, from its own draws.

use crate::basics::Digest;

/// 32 octets from the kernel.
///
/// # Errors
/// Where the kernel has none.
pub fn octets32() -> Result<Digest, String> {
    let mut octets = [0; 32];
    getrandom::fill(&mut octets).map_err(|e| format!("the machine's random source: {e}"))?;
    Ok(Digest::from_octets(octets))
}

/// A seed for a rehearsal that was given none.
///
/// # Errors
/// Where the kernel has none.
pub fn seed() -> Result<u64, String> {
    let mut octets = [0; 8];
    getrandom::fill(&mut octets).map_err(|e| format!("the machine's random source: {e}"))?;
    Ok(u64::from_be_bytes(octets))
}

/// 16 octets that name something for ever.
///
/// # Errors
/// Where the kernel has none.
pub fn octets16() -> Result<[u8; 16], String> {
    let mut octets = [0; 16];
    getrandom::fill(&mut octets).map_err(|e| format!("the machine's random source: {e}"))?;
    Ok(octets)
}
