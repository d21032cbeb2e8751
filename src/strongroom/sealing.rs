//! Sealing to a quorum's recipient: plain age v1 files, so that decades later the standard `age` tool opens them. The one
//! place where the `age` crate is used on content; it draws its own randomness.

use crate::basics::{Secret, limits};
use crate::keys::recipient;
use age::x25519::{Identity, Recipient};
use std::io::{Read, Write};
use zeroize::Zeroizing;

/// Seals octets to one recipient.
///
/// # Errors
/// Where the recipient is none or sealing fails.
pub fn seal(recipient: &str, content: &Secret) -> Result<Vec<u8>, String> {
    let recipient: Recipient = recipient.parse().map_err(|e: &str| format!("recipient: {e}"))?;
    let encryptor = age::Encryptor::with_recipients(std::iter::once(&recipient as &dyn age::Recipient))
        .map_err(|e| e.to_string())?;
    let mut sealed = Vec::new();
    let mut writer = encryptor.wrap_output(&mut sealed).map_err(|e| e.to_string())?;
    writer.write_all(content.expose()).map_err(|e| e.to_string())?;
    writer.finish().map_err(|e| e.to_string())?;
    Ok(sealed)
}

/// Opens a sealed file with the identity that shares gave back.
///
/// # Errors
/// Where the file is not an age file for this identity, or is too long.
pub fn open(identity: &[u8; 32], sealed: &[u8]) -> Result<Secret, String> {
    if sealed.len() > limits::SEALED_FILE_OCTETS {
        return Err(format!(
            "expected a sealed key of at most {} octets, found {}",
            limits::SEALED_FILE_OCTETS,
            sealed.len()
        ));
    }
    let text = recipient::identity_text(identity);
    let identity: Identity = text.expose_text().parse().map_err(|e: &str| format!("identity: {e}"))?;
    let decryptor = age::Decryptor::new(sealed).map_err(|e| format!("expected an age v1 file: {e}"))?;
    let mut reader = decryptor
        .decrypt(std::iter::once(&identity as &dyn age::Identity))
        .map_err(|e| format!("the sealed key does not open: {e}"))?;
    let mut content = Zeroizing::new(Vec::with_capacity(limits::SEALED_FILE_OCTETS));
    reader.read_to_end(&mut content).map_err(|e| format!("the sealed key is damaged: {e}"))?;
    Ok(Secret::take(std::mem::take(&mut *content)))
}
