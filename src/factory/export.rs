//! Records as other people's tools want them. Public values come as text; what holds a private key comes as a [`Secret`], to be
//! written where whoever asked said, and nowhere else. Nothing is invented: a value is in the record, or in the [`Options`] that its
//! product's maker wrote, or the export is refused with its name. The fields are in `media/EXPORTS.md`.
//!
//! - of one drawn identity ([`Form`]): PEM and DER files, PKCS#12, Espressif's Matter and secure-cert partitions, Nordic's Matter JSON;
//! - of a batch, public values only: CSV ([`csv_line`]), lines for two cloud registries ([`cloud`]), a signed element manifest ([`element`]).

pub mod cloud;
pub mod element;
mod esp_matter;
mod esp_secure_cert;
mod files;
mod form;
mod matter;
mod nordic;
mod options;
mod pkcs12;
mod registry;
mod setup;
mod writing;

pub use form::{Form, Made};
pub use options::Options;
pub use pkcs12::{Password, Protection};
pub use registry::{CSV_HEADER, csv_line};

use crate::basics::Secret;
use crate::factory::record::DeviceKey;
use crate::factory::{Record, Refusal};
use crate::pki::{Certificate, pem};

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

fn certificate_pem(record: &Record) -> Result<String, Refusal> {
    pem::to_pem(pem::CERTIFICATE, &record.certificate)
        .map_err(|e| Refusal::malformed(format!("certificate of {}", record.device), "PEM", e))
}

/// The private key's DER.
fn key<'r>(record: &'r Record, what: &str) -> Result<&'r Secret, Refusal> {
    match &record.key {
        DeviceKey::Pkcs8(key) => Ok(key),
        DeviceKey::None => {
            Err(Refusal::malformed(format!("{what} of {}", record.device), "a private key in the bundle", "none"))
        }
    }
}

/// The certificates of a chain in PEM, issuing certificate first, each as DER.
///
/// # Errors
/// Where it is not certificates in PEM, or none.
pub fn chain_of(chain: &str) -> Result<Vec<Vec<u8>>, Refusal> {
    let blocks = chain.split_inclusive("-----END CERTIFICATE-----\n");
    let read =
        |block| pem::from_pem(pem::CERTIFICATE, block).map_err(|e| Refusal::malformed("chain", "certificates", e));
    let certificates: Vec<Vec<u8>> = blocks.map(read).collect::<Result<_, _>>()?;
    if certificates.is_empty() {
        return Err(Refusal::malformed("chain", "certificates", "none"));
    }
    Ok(certificates)
}

/// The issuing certificate of a chain, as PEM.
fn issuing_pem(chain: &str) -> Result<&str, Refusal> {
    chain
        .split_inclusive("-----END CERTIFICATE-----\n")
        .next()
        .filter(|block| !block.is_empty())
        .ok_or_else(|| Refusal::malformed("chain", "certificates", "none"))
}

#[cfg(test)]
mod tests;
