//! The quorum's age recipient. Its identity is 32 octets that exist only as shares; here they become the two texts the
//! `age` tool knows (C2SP age.md, X25519). Sealing and opening are the strongroom's: `age` draws its own randomness.
//!
//! ```text
//! AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX   the identity 42 42 ... 42
//! ```

use crate::basics::Secret;
use bech32::primitives::iter::{ByteIterExt, Fe32IterExt};
use bech32::{Bech32, Hrp};

const PREFIX: &str = "age-secret-key-";
/// Prefix (15), separator (1), 32 octets in fives (52), checksum (6).
const IDENTITY_CHARS: usize = 74;

/// Why there is no recipient for an identity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecipientError {
    #[error("age identity: expected 32 octets the age crate accepts, found others")]
    Refused,
}

/// The recipient (`age1...`) that files for this identity are sealed to.
///
/// # Errors
/// Where the age crate does not accept the identity; it accepts all 32-octet ones.
pub fn recipient_of(identity: &[u8; 32]) -> Result<String, RecipientError> {
    let text = identity_text(identity);
    let identity: age::x25519::Identity = text.expose_text().parse().map_err(|_| RecipientError::Refused)?;
    Ok(identity.to_public().to_string())
}

/// The identity as the `age` tool reads it from a file: `AGE-SECRET-KEY-1...`, upper-case Bech32 (BIP-173).
#[must_use]
pub fn identity_text(identity: &[u8; 32]) -> Secret {
    let mut text = Secret::with_capacity(IDENTITY_CHARS);
    // invariant: the prefix is lower-case ASCII of 15 characters, so it parses.
    let Ok(prefix) = Hrp::parse(PREFIX) else { return text };
    // Character by character into the fixed box: a growing String would leave copies behind.
    for character in identity.iter().copied().bytes_to_fes().with_checksum::<Bech32>(&prefix).chars() {
        let mut octet = [0_u8; 4];
        character.to_ascii_uppercase().encode_utf8(&mut octet);
        text.push(octet[0]);
    }
    text
}
