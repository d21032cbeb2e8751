//! PEM and DER: what OpenSSL and whoever writes his own tool read.

use super::writing::Writing;
use super::{ExportedFile, certificate_pem, file};
use crate::factory::record::DeviceKey;
use crate::factory::{Record, Refusal};

/// `certificate.pem` and `.der`, `key.pem` and `.der` where the bundle has the key, and `chain.pem`: the certificate, then those above it.
///
/// # Errors
/// Where the certificate cannot be written.
pub(super) fn files(record: &Record, chain: &str) -> Result<Vec<ExportedFile>, Refusal> {
    let own = certificate_pem(record)?;
    let full = format!("{own}{chain}");
    let mut files = vec![
        file("certificate.pem", own.into_bytes()),
        file("certificate.der", record.certificate.clone()),
        file("chain.pem", full.into_bytes()),
    ];
    if let DeviceKey::Pkcs8(key) = &record.key {
        let mut text = Writing::new(2 * key.len() + 128);
        text.pem("PRIVATE KEY", key.expose());
        files.push(ExportedFile { name: "key.pem".to_owned(), octets: text.done("private key")? });
        let mut der = Writing::new(key.len());
        der.octets(key.expose());
        files.push(ExportedFile { name: "key.der".to_owned(), octets: der.done("private key")? });
    }
    Ok(files)
}
