//! age's native hybrid recipient and identity `mlkem768x25519` (C2SP age.md) through the `age` crate's traits: HPKE base mode
//! (RFC 9180) with X-Wing, HKDF-SHA256 and ChaCha20-Poly1305.
//!
//! ```text
//! -> mlkem768x25519 <1,120 octets of encapsulated key, base64>
//! <32 octets: the file key, sealed>
//! ```

use crate::keys::recipient::RecipientKind;
use crate::keys::recipient::hybrid::{Private, Public};
use age::{DecryptError, EncryptError};
use age_core::format::{FILE_KEY_BYTES, FileKey, Stanza};
use age_core::secrecy::ExposeSecret as _;
use data_encoding::BASE64_NOPAD;
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::XWing;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable, single_shot_open, single_shot_seal_with_rng};
use std::collections::HashSet;
use x_wing::{DecapsulationKeyRejectNonContrib, TryDecapsulate};
use zeroize::Zeroizing;

const TAG: &str = RecipientKind::MlKem768X25519.stanza_tag();
const INFO: &[u8] = b"age-encryption.org/mlkem768x25519";
/// The file key and the tag of ChaCha20-Poly1305.
const BODY: usize = FILE_KEY_BYTES + 16;
/// Label of age.md: whoever wraps with it is never beside one who does not, so one classical recipient cannot undo it.
const LABEL: &str = "postquantum";

pub(super) struct Recipient(pub Public);

impl age::Recipient for Recipient {
    fn wrap_file_key(&self, file_key: &FileKey) -> Result<(Vec<Stanza>, HashSet<String>), EncryptError> {
        let mut random = rand_core::UnwrapErr(getrandom::SysRng);
        let (key, body) = single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, XWing>(
            &OpModeS::Base,
            &self.0,
            INFO,
            file_key.expose_secret(),
            &[],
            &mut random,
        )
        .map_err(|error| EncryptError::Io(std::io::Error::other(format!("HPKE: {error}"))))?;
        let stanza = Stanza { tag: TAG.to_owned(), args: vec![BASE64_NOPAD.encode(&key.to_bytes())], body };
        Ok((vec![stanza], HashSet::from([LABEL.to_owned()])))
    }
}

/// The identity: the seed that shares gave back, wiped when dropped.
pub(super) struct Identity(pub Zeroizing<[u8; 32]>);

impl age::Identity for Identity {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, DecryptError>> {
        if stanza.tag != TAG {
            return None;
        }
        self.open(stanza).transpose()
    }
}

impl Identity {
    /// `None` where it is somebody else's stanza, which cannot be told from a damaged one.
    fn open(&self, stanza: &Stanza) -> Result<Option<FileKey>, DecryptError> {
        let bad = || DecryptError::InvalidHeader;
        let [argument] = stanza.args.as_slice() else { return Err(bad()) };
        // Strict: one spelling, no padding, no bits left over.
        let octets = BASE64_NOPAD.decode(argument.as_bytes()).map_err(|_| bad())?;
        let encapsulated = <XWing as Kem>::EncappedKey::from_bytes(&octets).map_err(|_| bad())?;
        // The length is checked before anything is decrypted, so that one file key cannot be two.
        if stanza.body.len() != BODY {
            return Err(bad());
        }
        self.contributes(&octets).ok_or_else(bad)?;
        let private = Private::from_bytes(self.0.as_slice()).map_err(|_| bad())?;
        let opened = single_shot_open::<ChaCha20Poly1305, HkdfSha256, XWing>(
            &OpModeR::Base,
            &private,
            &encapsulated,
            INFO,
            &stanza.body,
            &[],
        );
        let Ok(opened) = opened.map(Zeroizing::new) else { return Ok(None) };
        // invariant: 32 octets of body are 16 of file key, or opening would have failed.
        let octets: &[u8; FILE_KEY_BYTES] = opened.as_slice().try_into().map_err(|_| bad())?;
        Ok(Some(FileKey::init_with_mut(|key| key.copy_from_slice(octets))))
    }

    /// age.md refuses an X25519 share of low order; the HPKE library does not look.
    fn contributes(&self, encapsulated: &[u8]) -> Option<()> {
        let key = DecapsulationKeyRejectNonContrib::from(*self.0);
        let secret = key.try_decapsulate(&x_wing::Ciphertext::try_from(encapsulated).ok()?).ok()?;
        drop(Zeroizing::new(secret.0));
        Some(())
    }
}

#[cfg(test)]
mod tests;
