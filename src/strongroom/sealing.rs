//! Sealing to a quorum's recipient: plain age v1 files, so that decades later the standard `age` tool opens them. The one
//! place where the `age` crate seals; it draws its own randomness.

mod hybrid;

use crate::basics::{SafeText, Secret, limits};
use crate::keys::recipient::identity::{Identity, sealed_to};
use crate::keys::recipient::{self, RecipientKind};
use std::io::{Read, Write};
use zeroize::Zeroizing;

/// Seals octets to one recipient.
///
/// # Errors
/// Where the recipient is none or sealing fails.
pub fn seal(recipient: &str, content: &Secret) -> Result<Vec<u8>, String> {
    seal_octets(recipient, content.expose())
}

/// Seals octets that are sealed for another's eyes: a shard for a factory, a record for a line.
///
/// # Errors
/// As [`seal`].
pub fn seal_octets(recipient: &str, content: &[u8]) -> Result<Vec<u8>, String> {
    let mut sealed = Vec::new();
    seal_parts(recipient, &[content], &mut sealed)?;
    Ok(sealed)
}

/// Appends to `sealed` the file that holds these parts one after the other.
///
/// # Errors
/// As [`seal`].
pub fn seal_parts(recipient: &str, parts: &[&[u8]], sealed: &mut Vec<u8>) -> Result<(), String> {
    let recipient: Box<dyn age::Recipient> = match RecipientKind::of_recipient(recipient) {
        Some(RecipientKind::X25519) => {
            let parsed: age::x25519::Recipient = recipient.parse().map_err(|e: &str| format!("recipient: {e}"))?;
            Box::new(parsed)
        }
        Some(RecipientKind::MlKem768X25519) => {
            Box::new(hybrid::Recipient(recipient::hybrid::parse(recipient).map_err(|e| e.to_string())?))
        }
        None => return Err(format!("expected an age recipient, found `{}`", SafeText::cut(recipient, 70))),
    };
    let encryptor = age::Encryptor::with_recipients(std::iter::once(&*recipient)).map_err(|e| e.to_string())?;
    let mut writer = encryptor.wrap_output(sealed).map_err(|e| e.to_string())?;
    for part in parts {
        writer.write_all(part).map_err(|e| e.to_string())?;
    }
    writer.finish().map_err(|e| e.to_string())?;
    Ok(())
}

/// Opens a sealed file with the identity that shares gave back.
///
/// # Errors
/// Where the file is not an age file for this identity, is sealed to another kind of recipient as well, or is too long.
pub fn open(kind: RecipientKind, identity: &[u8; 32], sealed: &[u8]) -> Result<Secret, String> {
    if sealed.len() > limits::SEALED_FILE_OCTETS {
        return Err(format!(
            "expected a sealed key of at most {} octets, found {}",
            limits::SEALED_FILE_OCTETS,
            sealed.len()
        ));
    }
    sealed_to(kind, sealed).map_err(|found| {
        format!("expected a key sealed to {} and to nothing else, found a stanza `{found}` in it", kind.title())
    })?;
    let identity = Identity::of(kind, identity).map_err(|e| format!("identity: {e}"))?;
    let decryptor = age::Decryptor::new(sealed).map_err(|e| format!("expected an age v1 file: {e}"))?;
    let mut reader = decryptor
        .decrypt(std::iter::once(&identity as &dyn age::Identity))
        .map_err(|e| format!("the sealed key does not open: {e}"))?;
    let mut content = Zeroizing::new(Vec::with_capacity(limits::SEALED_FILE_OCTETS));
    reader.read_to_end(&mut content).map_err(|e| format!("the sealed key is damaged: {e}"))?;
    Ok(Secret::take(std::mem::take(&mut *content)))
}
