//! age's native hybrid recipient `mlkem768x25519`: an X-Wing key (ML-KEM-768 and X25519) as text. Its identity is the 32-octet
//! seed of X-Wing; its recipient the encapsulation key, 1,184 octets of ML-KEM-768 and 32 of X25519.
//!
//! ```text
//! age1pq1 <1,946 characters> <6 of checksum>      1,959 characters: longer than the checksum's own guarantee, as age.md has it
//! ```

use super::RecipientError;
use bech32::primitives::decode::CheckedHrpstring;
use bech32::primitives::iter::{ByteIterExt, Fe32IterExt};
use bech32::{Bech32, Checksum, Fe1024, Hrp};
use hpke::kem::XWing;
use hpke::{Deserializable, Kem, Serializable};

/// How every such recipient begins.
pub const RECIPIENT_START: &str = "age1pq1";
pub(super) const PREFIX: &str = "age1pq";
/// HPKE's `info`.
pub const HPKE_INFO: &[u8] = b"age-encryption.org/mlkem768x25519";

/// The key that files are sealed to, as the HPKE library holds it.
pub type Public = <XWing as Kem>::PublicKey;
/// The key that opens them; wiped when dropped.
pub type Private = <XWing as Kem>::PrivateKey;

/// Bech32 without its bound of 90 characters, which age lifts: the checksum still finds what a reader mistypes, and nobody types it.
enum LongBech32 {}

impl Checksum for LongBech32 {
    type MidstateRepr = <Bech32 as Checksum>::MidstateRepr;
    type CorrectionField = Fe1024;
    const ROOT_GENERATOR: Fe1024 = Bech32::ROOT_GENERATOR;
    const ROOT_EXPONENTS: std::ops::RangeInclusive<usize> = Bech32::ROOT_EXPONENTS;
    const CODE_LENGTH: usize = 2_048;
    const CHECKSUM_LENGTH: usize = Bech32::CHECKSUM_LENGTH;
    const GENERATOR_SH: [u32; 5] = Bech32::GENERATOR_SH;
    const TARGET_RESIDUE: u32 = Bech32::TARGET_RESIDUE;
}

/// The recipient of an identity.
///
/// # Errors
/// Never for 32 octets; the library's error is passed on rather than hidden.
pub fn recipient_of(identity: &[u8; 32]) -> Result<String, RecipientError> {
    let private = Private::from_bytes(identity).map_err(|_| RecipientError::Refused)?;
    text(&XWing::sk_to_pk(&private)).ok_or(RecipientError::Refused)
}

fn text(public: &Public) -> Option<String> {
    let prefix = Hrp::parse(PREFIX).ok()?;
    Some(public.to_bytes().iter().copied().bytes_to_fes().with_checksum::<LongBech32>(&prefix).chars().collect())
}

/// Reads a recipient.
///
/// # Errors
/// Where the text is not one, or the same key would be written differently.
pub fn parse(recipient: &str) -> Result<Public, RecipientError> {
    let refuse = |found| RecipientError::Recipient(found);
    let checked = CheckedHrpstring::new::<LongBech32>(recipient).map_err(|_| refuse("another text"))?;
    let octets: Vec<u8> = checked.byte_iter().collect();
    let public = Public::from_bytes(&octets).map_err(|_| refuse("other octets"))?;
    if text(&public).as_deref() != Some(recipient) {
        return Err(refuse("another spelling"));
    }
    Ok(public)
}
