//! What both Matter exports take out of a device attestation certificate.

use super::{certificate, chain_of, key};
use crate::basics::Secret;
use crate::factory::{Record, Refusal};
use crate::keys::{Algorithm, PublicKey};
use crate::pki::{Certificate, Subject};

/// Octets of a P-256 private key in PKCS#8 as this tool writes it, and where the scalar stands in them; import refuses any other spelling.
const PKCS8: usize = 138;
const SCALAR: std::ops::Range<usize> = 36..68;
/// Octets of a certificate, each (Matter Core 6.2.2).
const MOST: usize = 600;

/// A device attestation certificate with what belongs to it.
pub(super) struct Attestation {
    pub vendor: u16,
    pub product: u16,
    pub public: PublicKey,
    /// 32 octets.
    pub scalar: Secret,
    /// The product attestation intermediate, DER.
    pub intermediate: Vec<u8>,
}

impl Attestation {
    /// # Errors
    /// Where the device is none of Matter: no P-256 key inside, no vendor and product in its subject, or an intermediate of another vendor.
    pub(super) fn of(record: &Record, chain: &str) -> Result<Self, Refusal> {
        let what = format!("Matter export of {}", record.device);
        let refuse = |expected: &str, found: &str| Refusal::malformed(what.clone(), expected, found);
        let own = certificate(record)?;
        let public = own.public_key().filter(|key| key.algorithm() == Algorithm::EcdsaP256).cloned();
        let public = public.ok_or_else(|| refuse("a P-256 key", &own.subject_key().word()))?;
        let subject = own.subject().map_err(|e| refuse("a subject of ours", &e.to_string()))?;
        let ids = (number(&subject.matter_vid), number(&subject.matter_pid));
        let (Some(vendor), Some(product)) = ids else {
            return Err(refuse("vendor and product in the subject", "none"));
        };
        let der = key(record, "Matter export")?;
        let scalar =
            der.expose().get(SCALAR).filter(|_| der.len() == PKCS8).map(|octets| Secret::take(octets.to_vec()));
        let scalar = scalar.ok_or_else(|| refuse("a P-256 private key inside", "another"))?;
        let intermediate = chain_of(chain)?.into_iter().next().unwrap_or_default();
        for (name, der) in [("device", &record.certificate), ("intermediate", &intermediate)] {
            if der.len() > MOST {
                return Err(refuse(&format!("a {name} certificate of at most {MOST} octets"), &der.len().to_string()));
            }
        }
        let above = Certificate::parse(&intermediate).map_err(|e| refuse("an intermediate of ours", &e.to_string()))?;
        let (of_issuer, only) = vendor_of_issuer(&above)?;
        if of_issuer != vendor || only.is_some_and(|only| only != product) {
            let found = format!("{vendor:04X} {product:04X}");
            return Err(refuse("the intermediate's vendor and product in the subject", &found));
        }
        Ok(Self { vendor, product, public, scalar, intermediate })
    }
}

/// Vendor of a product attestation intermediate, and its product where it is for one only.
///
/// # Errors
/// Where it names no vendor.
pub(super) fn vendor_of_issuer(issuer: &Certificate) -> Result<(u16, Option<u16>), Refusal> {
    let refuse =
        |found: &str| Refusal::malformed("Matter export", "an issuing certificate with a Matter vendor", found);
    let subject: Subject = issuer.subject().map_err(|e| refuse(&e.to_string()))?;
    let vendor = number(&subject.matter_vid).ok_or_else(|| refuse(&issuer.subject_text()))?;
    Ok((vendor, number(&subject.matter_pid)))
}

/// Four hexadecimal digits.
fn number(text: &Option<String>) -> Option<u16> {
    text.as_deref().and_then(|text| u16::from_str_radix(text, 16).ok())
}
