//! Records as other people's tools want them. Public values come as text; what holds a private key comes as a [`Secret`], to be
//! written where whoever asked said, and nowhere else.
//!
//! - PEM: `certificate.pem`, `key.pem`, and the chain; what `openssl`, cloud registries and Espressif's secure-cert tool read.
//! - CSV: one line a device, public values only, for registries.
//! - Espressif Matter: the files and the CSV that `nvs_partition_gen.py generate` makes a `fctry` partition of.

mod esp_matter;

pub use esp_matter::esp_matter;

use crate::basics::Secret;
use crate::basics::digest::hex_encode;
use crate::factory::record::DeviceKey;
use crate::factory::{Record, Refusal};
use crate::pki::{Certificate, pem};
use data_encoding::BASE64;
use zeroize::Zeroizing;

/// A file of an export; the name has no folder in it.
pub struct ExportedFile {
    pub name: String,
    /// May hold a private key.
    pub octets: Secret,
}

fn file(name: &str, octets: Vec<u8>) -> ExportedFile {
    ExportedFile { name: name.to_owned(), octets: Secret::take(octets) }
}

fn certificate(record: &Record) -> Result<Certificate, Refusal> {
    Certificate::parse(&record.certificate)
        .map_err(|e| Refusal::malformed(format!("certificate of {}", record.device), "one of ours", e))
}

/// A device's certificate, its key where the bundle has it, and the chain (certificate first) as PEM.
///
/// # Errors
/// Where the certificate is not one of ours.
pub fn pem_files(record: &Record, chain: &str) -> Result<Vec<ExportedFile>, Refusal> {
    let own = certificate(record)?.to_pem().map_err(|e| Refusal::malformed("certificate", "PEM", e))?;
    let full = format!("{own}{chain}");
    let mut files = vec![file("certificate.pem", own.into_bytes()), file("chain.pem", full.into_bytes())];
    if let DeviceKey::Pkcs8(key) = &record.key {
        files.push(ExportedFile { name: "key.pem".to_owned(), octets: key_pem(key) });
    }
    Ok(files)
}

/// `-----BEGIN PRIVATE KEY-----`, lines of 64.
fn key_pem(der: &Secret) -> Secret {
    let encoded = Zeroizing::new(BASE64.encode(der.expose()));
    let mut text = Secret::with_capacity(encoded.len() + encoded.len() / 64 + 64);
    let mut put = |part: &[u8]| part.iter().for_each(|octet| _ = text.push(*octet));
    put(b"-----BEGIN PRIVATE KEY-----\n");
    for line in encoded.as_bytes().chunks(64) {
        put(line);
        put(b"\n");
    }
    put(b"-----END PRIVATE KEY-----\n");
    text
}

/// The first line of a registry.
pub const CSV_HEADER: &str = "device,certificate_serial,certificate_sha256,not_before,not_after,product,sku,firmware,order,certificate_der_base64";

/// One device of a registry (RFC 4180, without its line end). No secret is in it.
///
/// # Errors
/// Where the certificate is not one of ours.
pub fn csv_line(record: &Record) -> Result<String, Refusal> {
    let certificate = certificate(record)?;
    let lineage = &record.lineage;
    let fields = [
        record.device.as_str().to_owned(),
        hex_encode(certificate.serial()),
        certificate.digest().hex(),
        certificate.not_before().rfc3339(),
        certificate.not_after().rfc3339(),
        lineage.product.clone(),
        lineage.sku.clone(),
        lineage.firmware.version.clone(),
        lineage.order.hex(),
        BASE64.encode(&record.certificate),
    ];
    Ok(fields.iter().map(|field| quoted(field)).collect::<Vec<_>>().join(","))
}

/// A field that a spreadsheet would take for a formula gets quotes and an apostrophe before it.
fn quoted(field: &str) -> String {
    let formula = field.starts_with(['=', '+', '-', '@']);
    if !formula && !field.contains([',', '"', '\n', '\r']) {
        return field.to_owned();
    }
    let mark = if formula { "'" } else { "" };
    format!("\"{mark}{}\"", field.replace('"', "\"\""))
}

/// The PEM blocks of a chain as DER.
pub(super) fn first_of_chain(chain: &str) -> Result<Vec<u8>, Refusal> {
    let first = chain.split_inclusive("-----END CERTIFICATE-----\n").next().unwrap_or_default();
    pem::from_pem(pem::CERTIFICATE, first).map_err(|e| Refusal::malformed("chain", "a certificate", e))
}
