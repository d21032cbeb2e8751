//! What opens a file that is sealed to a recipient. Opening draws no randomness, so it is here, and whoever holds an identity uses
//! it: the strongroom with the one that shares gave back, a station with its own. Sealing is the strongroom's.
//!
//! ```text
//! -> mlkem768x25519 <1,120 octets of encapsulated key, base64>        age's native hybrid (C2SP age.md): HPKE base mode (RFC 9180) with
//! <32 octets: the file key, sealed>                                   X-Wing, HKDF-SHA256 and ChaCha20-Poly1305
//! ```

use super::hybrid::{HPKE_INFO, Private};
use super::{RecipientError, RecipientKind, hybrid, identity_text};
use crate::basics::SafeText;
use age::DecryptError;
use age_core::format::{FILE_KEY_BYTES, FileKey, Stanza};
use bech32::Bech32;
use bech32::primitives::decode::CheckedHrpstring;
use data_encoding::BASE64_NOPAD;
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::XWing;
use hpke::{Deserializable, Kem, OpModeR, single_shot_open};
use x_wing::{DecapsulationKeyRejectNonContrib, TryDecapsulate};
use zeroize::Zeroizing;

/// The file key and the tag of ChaCha20-Poly1305.
const BODY: usize = FILE_KEY_BYTES + 16;

/// An identity that opens files. It cannot be printed or copied; the hybrid seed is wiped when dropped.
///
/// ```compile_fail
/// fn printable<T: std::fmt::Debug>() {}
/// printable::<anchorite::keys::recipient::identity::Identity>();
/// ```
pub struct Identity(Kind);

enum Kind {
    X25519(age::x25519::Identity),
    MlKem768X25519(Zeroizing<[u8; 32]>),
}

impl Identity {
    /// The identity of 32 octets.
    ///
    /// # Errors
    /// Where the age crate does not accept them; it accepts all.
    pub fn of(kind: RecipientKind, octets: &[u8; 32]) -> Result<Self, RecipientError> {
        match kind {
            RecipientKind::X25519 => {
                let text = identity_text(kind, octets);
                Ok(Self(Kind::X25519(text.expose_text().parse().map_err(|_| RecipientError::Refused)?)))
            }
            RecipientKind::MlKem768X25519 => Ok(Self(Kind::MlKem768X25519(Zeroizing::new(*octets)))),
        }
    }

    /// Reads an identity as the `age` tool writes it: `AGE-SECRET-KEY-1...` or `AGE-SECRET-KEY-PQ-1...`.
    ///
    /// # Errors
    /// Where it is neither, or the same octets would be written differently. The message never has the text in it.
    pub fn parse(text: &str) -> Result<Self, RecipientError> {
        let refuse = || RecipientError::Identity;
        if !text.starts_with(RecipientKind::MlKem768X25519.identity_prefix()) {
            return Ok(Self(Kind::X25519(text.parse().map_err(|_| refuse())?)));
        }
        let checked = CheckedHrpstring::new::<Bech32>(text).map_err(|_| refuse())?;
        let mut seed = Zeroizing::new([0; 32]);
        let mut octets = checked.byte_iter();
        for slot in seed.iter_mut() {
            *slot = octets.next().ok_or_else(refuse)?;
        }
        let one_spelling = identity_text(RecipientKind::MlKem768X25519, &seed).same_as(text.as_bytes());
        if octets.next().is_some() || !one_spelling {
            return Err(refuse());
        }
        Ok(Self(Kind::MlKem768X25519(seed)))
    }

    #[must_use]
    pub const fn kind(&self) -> RecipientKind {
        match self.0 {
            Kind::X25519(_) => RecipientKind::X25519,
            Kind::MlKem768X25519(_) => RecipientKind::MlKem768X25519,
        }
    }

    /// The recipient that files for it are sealed to.
    ///
    /// # Errors
    /// As [`hybrid::recipient_of`].
    pub fn recipient(&self) -> Result<String, RecipientError> {
        match &self.0 {
            Kind::X25519(identity) => Ok(identity.to_public().to_string()),
            Kind::MlKem768X25519(seed) => hybrid::recipient_of(seed),
        }
    }
}

impl age::Identity for Identity {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, DecryptError>> {
        match &self.0 {
            Kind::X25519(identity) => identity.unwrap_stanza(stanza),
            Kind::MlKem768X25519(_) if stanza.tag != RecipientKind::MlKem768X25519.stanza_tag() => None,
            Kind::MlKem768X25519(seed) => open(seed, stanza).transpose(),
        }
    }
}

/// `None` where it is somebody else's stanza, which cannot be told from a damaged one.
fn open(seed: &[u8; 32], stanza: &Stanza) -> Result<Option<FileKey>, DecryptError> {
    let bad = || DecryptError::InvalidHeader;
    let [argument] = stanza.args.as_slice() else { return Err(bad()) };
    // Strict: one spelling, no padding, no bits left over.
    let octets = BASE64_NOPAD.decode(argument.as_bytes()).map_err(|_| bad())?;
    let encapsulated = <XWing as Kem>::EncappedKey::from_bytes(&octets).map_err(|_| bad())?;
    // The length is checked before anything is decrypted, so that one file key cannot be two.
    if stanza.body.len() != BODY {
        return Err(bad());
    }
    contributes(seed, &octets).ok_or_else(bad)?;
    let private = Private::from_bytes(seed.as_slice()).map_err(|_| bad())?;
    let opened = single_shot_open::<ChaCha20Poly1305, HkdfSha256, XWing>(
        &OpModeR::Base,
        &private,
        &encapsulated,
        HPKE_INFO,
        &stanza.body,
        &[],
    );
    let Ok(opened) = opened.map(Zeroizing::new) else { return Ok(None) };
    // invariant: 32 octets of body are 16 of file key, or opening would have failed.
    let octets: &[u8; FILE_KEY_BYTES] = opened.as_slice().try_into().map_err(|_| bad())?;
    Ok(Some(FileKey::init_with_mut(|key| key.copy_from_slice(octets))))
}

/// age.md refuses an X25519 share of low order; the HPKE library does not look.
fn contributes(seed: &[u8; 32], encapsulated: &[u8]) -> Option<()> {
    let key = DecapsulationKeyRejectNonContrib::from(*seed);
    let secret = key.try_decapsulate(&x_wing::Ciphertext::try_from(encapsulated).ok()?).ok()?;
    drop(Zeroizing::new(secret.0));
    Some(())
}

/// Whether a file is sealed to one kind of recipient and no other: a classical stanza beside a post-quantum one would leave
/// what is inside as weak as if that one were not there. What age itself strews in (`...-grease`) is nobody's.
///
/// # Errors
/// The tag of the first stanza of another kind.
pub fn sealed_to(kind: RecipientKind, sealed: &[u8]) -> Result<(), SafeText> {
    let header = sealed.split(|octet| *octet == b'\n').take_while(|line| !line.starts_with(b"---"));
    for stanza in header.filter_map(|line| line.strip_prefix(b"-> ")) {
        let tag = stanza.split(|octet| *octet == b' ').next().unwrap_or_default();
        if tag != kind.stanza_tag().as_bytes() && !tag.ends_with(b"grease") {
            return Err(SafeText::cut(&String::from_utf8_lossy(tag), 40));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Identity, RecipientKind, identity_text};
    use crate::keys::recipient::recipient_of;

    #[test]
    fn an_identity_reads_back_as_it_is_written_and_any_changed_character_is_refused() {
        for kind in RecipientKind::ALL {
            let text = identity_text(kind, &[0x42; 32]);
            let read = Identity::parse(text.expose_text()).ok().unwrap();
            assert_eq!((read.kind(), read.recipient().unwrap()), (kind, recipient_of(kind, &[0x42; 32]).unwrap()));
            for at in 0..text.len() {
                let mut other = text.expose().to_vec();
                other[at] = if other[at] == b'Q' { b'P' } else { b'Q' };
                assert!(Identity::parse(std::str::from_utf8(&other).unwrap()).is_err(), "{kind}, character {at}");
            }
        }
        let pq = identity_text(RecipientKind::MlKem768X25519, &[0x42; 32]);
        let lower = pq.expose_text().to_lowercase();
        assert!(Identity::parse(&lower).is_err(), "another spelling");
        assert!(Identity::parse("destroyed").is_err() && Identity::parse("").is_err());
    }
}
