//! age's native hybrid recipient `mlkem768x25519` (C2SP age.md) through the `age` crate's trait: what seals; what opens, and the
//! stanza, is in `keys/recipient/identity.rs`.

use crate::keys::recipient::RecipientKind;
use crate::keys::recipient::hybrid::{HPKE_INFO, Public};
use age::EncryptError;
use age_core::format::{FileKey, Stanza};
use age_core::secrecy::ExposeSecret as _;
use data_encoding::BASE64_NOPAD;
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::XWing;
use hpke::{OpModeS, Serializable, single_shot_seal_with_rng};
use std::collections::HashSet;

const TAG: &str = RecipientKind::MlKem768X25519.stanza_tag();
/// Label of age.md: whoever wraps with it is never beside one who does not, so one classical recipient cannot undo it.
const LABEL: &str = "postquantum";

pub(super) struct Recipient(pub Public);

impl age::Recipient for Recipient {
    fn wrap_file_key(&self, file_key: &FileKey) -> Result<(Vec<Stanza>, HashSet<String>), EncryptError> {
        let mut random = rand_core::UnwrapErr(getrandom::SysRng);
        let (key, body) = single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, XWing>(
            &OpModeS::Base,
            &self.0,
            HPKE_INFO,
            file_key.expose_secret(),
            &[],
            &mut random,
        )
        .map_err(|error| EncryptError::Io(std::io::Error::other(format!("HPKE: {error}"))))?;
        let stanza = Stanza { tag: TAG.to_owned(), args: vec![BASE64_NOPAD.encode(&key.to_bytes())], body };
        Ok((vec![stanza], HashSet::from([LABEL.to_owned()])))
    }
}

#[cfg(test)]
mod tests;
