//! Serial numbers: 20 octets of HMAC-SHA-256 over an index with a seed that the record's header commits to and its closing
//! reveals. Unpredictable before, checkable after, and no hidden channel in between (RFC 5280 4.1.2.2; CA/B BR 7.1).

use crate::basics::{Digest, Realm};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The serial number of an index.
///
/// # Errors
/// Never: HMAC takes a key of any length.
pub fn of(seed: &Digest, index: u32) -> Result<[u8; 20], String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(seed.octets()).map_err(|e| e.to_string())?;
    mac.update(&index.to_be_bytes());
    let tag = mac.finalize().into_bytes();
    let mut serial = [0; 20];
    for (slot, octet) in serial.iter_mut().zip(tag.iter()) {
        *slot = *octet;
    }
    if let Some(first) = serial.first_mut() {
        // Positive, and never shorter than 20 octets.
        *first = *first & 0x7f | 0x40;
    }
    Ok(serial)
}

/// What the header commits to.
#[must_use]
pub fn commitment(realm: Realm, seed: &Digest) -> Digest {
    Digest::tagged("serial-seed", realm, &[seed.octets()])
}
