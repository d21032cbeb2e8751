//! Espressif's `esp_secure_cert` partition: device certificate, issuing certificate and private key as PEM, and the CSV with which
//! `configure_esp_secure_cert.py --esp_secure_cert_csv` makes the partition of them. Its loader knows elliptic curves and RSA only.

use super::writing::Writing;
use super::{ExportedFile, certificate, certificate_pem, file, issuing_pem, key};
use crate::factory::{Record, Refusal};
use crate::keys::Algorithm;

/// Octets of a partition: what is in it must leave room for heads, checksums and the digest at the end.
const MOST: usize = 0x2000 - 256;

/// Bits of a key that the partition can hold.
pub(super) fn key_size(key: Option<Algorithm>) -> Result<u16, Refusal> {
    match key {
        Some(Algorithm::EcdsaP256) => Ok(256),
        Some(Algorithm::EcdsaP384) => Ok(384),
        other => {
            let found = other.map_or("another", Algorithm::word);
            Err(Refusal::malformed("secure-cert export", "a key of ecdsa-p256 or ecdsa-p384", found))
        }
    }
}

/// `esp_secure_cert.csv`, `ca-cert.pem`, `device-cert.pem`, `private-key.pem`; the tool is run in their folder.
///
/// # Errors
/// Where the key is of another algorithm, not in the bundle, or all of it is too large for a partition.
pub(super) fn esp_secure_cert(record: &Record, chain: &str) -> Result<Vec<ExportedFile>, Refusal> {
    let own = certificate(record)?;
    let bits = key_size(own.public_key().map(crate::keys::PublicKey::algorithm))?;
    let der = key(record, "secure-cert export")?;
    let mut pem = Writing::new(2 * der.len() + 128);
    pem.pem("PRIVATE KEY", der.expose());
    let pem = pem.done("private key")?;
    let (device, issuing) = (certificate_pem(record)?, issuing_pem(chain)?);
    let total = device.len() + issuing.len() + pem.len();
    if total > MOST {
        return Err(Refusal::malformed("secure-cert export", format!("at most {MOST} octets of PEM"), total));
    }
    let csv = format!(
        "tlv_type,tlv_subtype,data_value,data_type,priv_key_type,algorithm,key_size,efuse_id,efuse_key\n\
         ESP_SECURE_CERT_CA_CERT_TLV,0,ca-cert.pem,file,,,,,\n\
         ESP_SECURE_CERT_DEV_CERT_TLV,0,device-cert.pem,file,,,,,\n\
         ESP_SECURE_CERT_PRIV_KEY_TLV,0,private-key.pem,file,plaintext,ECDSA,{bits},,\n"
    );
    Ok(vec![
        file("esp_secure_cert.csv", csv.into_bytes()),
        file("ca-cert.pem", issuing.as_bytes().to_vec()),
        file("device-cert.pem", device.into_bytes()),
        ExportedFile { name: "private-key.pem".to_owned(), octets: pem },
    ])
}
