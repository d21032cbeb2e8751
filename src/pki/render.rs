//! What people read before they approve: every field of the octets to be signed, one line each, in the order in which
//! they are encoded. Read from the octets, never from the request that made them. Nothing is cut or left out: an
//! extension we do not know is shown as hexadecimal. Every value has passed `SafeText`.

mod extension;

use super::{PkiError, instants, name, oids, signed};
use crate::basics::digest::{group, hex_encode};
use crate::basics::{Digest, SafeText};
use crate::keys::PublicKey;
use der::{Decode, Encode};
use extension::extension_line;
use spki::AlgorithmIdentifierOwned;
use x509_cert::certificate::{CertificateInner, Raw, TbsCertificateInner, Version};
use x509_cert::crl::{CertificateList, RevokedCert, TbsCertList};

/// A label and its value, both safe to draw.
pub type Line = (String, String);

/// Every field of a TBSCertificate.
///
/// # Errors
/// Where the octets are not one.
pub fn certificate_tbs_lines(tbs: &[u8]) -> Result<Vec<Line>, PkiError> {
    let parsed = TbsCertificateInner::<Raw>::from_der(tbs)
        .map_err(|_| PkiError::malformed("certificate", "the DER of a TBSCertificate"))?;
    let key = parsed.subject_public_key_info().to_der().map_err(PkiError::encoding("certificate"))?;
    let mut lines = vec![
        line("Version", version(parsed.version())),
        line("Serial number", group(&hex_encode(parsed.serial_number().as_bytes()), 4)),
        line("Signature algorithm", algorithm(parsed.signature())),
        line("Issuer", name::text(parsed.issuer())),
        line("Valid from", instants::to_instant(parsed.validity().not_before).rfc3339()),
        line("Valid until", instants::to_instant(parsed.validity().not_after).rfc3339()),
        line("Subject", name::text(parsed.subject())),
        line(
            "Key algorithm",
            PublicKey::from_spki_der(&key).map_or_else(
                |_| format!("unknown, {}", parsed.subject_public_key_info().algorithm.oid),
                |key| key.algorithm().title().to_owned(),
            ),
        ),
        line("Key", group(&hex_encode(parsed.subject_public_key_info().subject_public_key.raw_bytes()), 4)),
        line("Key SHA-256 (SPKI)", Digest::of(&key).grouped()),
    ];
    for (label, identifier) in
        [("Issuer unique id", parsed.issuer_unique_id()), ("Subject unique id", parsed.subject_unique_id())]
    {
        lines.extend(identifier.iter().map(|bits| line(label, hex_encode(bits.raw_bytes()))));
    }
    lines.extend(parsed.extensions().into_iter().flatten().map(extension_line));
    lines.push(line("To be signed SHA-256", Digest::of(tbs).grouped()));
    Ok(lines)
}

/// Every field of a certificate: those of [`certificate_tbs_lines`], then the signature and the certificate's digest.
///
/// # Errors
/// Where the octets are not a certificate.
pub fn certificate_lines(der: &[u8]) -> Result<Vec<Line>, PkiError> {
    let parsed = CertificateInner::<Raw>::from_der(der)
        .map_err(|_| PkiError::malformed("certificate", "the DER of a certificate"))?;
    let mut lines = certificate_tbs_lines(signed::to_be_signed("certificate", der)?)?;
    lines.push(line("Signed with", algorithm(parsed.signature_algorithm())));
    lines.push(line("Signature", group(&hex_encode(parsed.signature().raw_bytes()), 4)));
    lines.push(line("Certificate SHA-256", Digest::of(der).grouped()));
    Ok(lines)
}

/// Every field of a TBSCertList.
///
/// # Errors
/// Where the octets are not one.
pub fn crl_tbs_lines(tbs: &[u8]) -> Result<Vec<Line>, PkiError> {
    let parsed = TbsCertList::<Raw>::from_der(tbs)
        .map_err(|_| PkiError::malformed("revocation list", "the DER of a TBSCertList"))?;
    let next_update = parsed.next_update.map(|time| instants::to_instant(time).rfc3339());
    let entries = parsed.revoked_certificates.as_deref();
    let count = match entries {
        None => "none".to_owned(),
        Some(entries) => entries.len().to_string(),
    };
    let mut lines = vec![
        line("Version", version(parsed.version)),
        line("Signature algorithm", algorithm(&parsed.signature)),
        line("Issuer", name::text(&parsed.issuer)),
        line("This update", instants::to_instant(parsed.this_update).rfc3339()),
        line("Next update", next_update.unwrap_or_else(|| "none".to_owned())),
        line("Revoked certificates", count),
    ];
    for (index, entry) in entries.unwrap_or_default().iter().enumerate() {
        lines.push(line(&format!("Revoked {}", index + 1), entry_text(entry)));
    }
    lines.extend(parsed.crl_extensions.iter().flatten().map(extension_line));
    lines.push(line("To be signed SHA-256", Digest::of(tbs).grouped()));
    Ok(lines)
}

/// Every field of a revocation list: those of [`crl_tbs_lines`], then the signature and the list's digest.
///
/// # Errors
/// Where the octets are not a revocation list.
pub fn crl_lines(der: &[u8]) -> Result<Vec<Line>, PkiError> {
    let parsed = CertificateList::<Raw>::from_der(der)
        .map_err(|_| PkiError::malformed("revocation list", "the DER of a revocation list"))?;
    let mut lines = crl_tbs_lines(signed::to_be_signed("revocation list", der)?)?;
    lines.push(line("Signed with", algorithm(&parsed.signature_algorithm)));
    lines.push(line("Signature", group(&hex_encode(parsed.signature.raw_bytes()), 4)));
    lines.push(line("Revocation list SHA-256", Digest::of(der).grouped()));
    Ok(lines)
}

/// Values are cut nowhere: a key or a signature is longer than what `SafeText::of` keeps of foreign text.
fn line(label: &str, value: impl AsRef<str>) -> Line {
    let value = SafeText::cut(value.as_ref(), usize::MAX);
    (SafeText::of(label).to_string(), value.to_string())
}

fn version(version: Version) -> &'static str {
    match version {
        Version::V1 => "1",
        Version::V2 => "2",
        Version::V3 => "3",
    }
}

fn algorithm(identifier: &AlgorithmIdentifierOwned) -> String {
    let known = oids::signature_algorithm(identifier).map(crate::keys::Algorithm::title);
    let parameters = if identifier.parameters.is_some() { ", with parameters" } else { "" };
    format!("{} ({}{parameters})", known.unwrap_or("unknown"), identifier.oid)
}

fn entry_text(entry: &RevokedCert<Raw>) -> String {
    let serial = group(&hex_encode(entry.serial_number.as_bytes()), 4);
    let date = instants::to_instant(entry.revocation_date);
    let extensions = entry.crl_entry_extensions.iter().flatten().map(|extension| {
        let (label, value) = extension_line(extension);
        format!("; {label}: {value}")
    });
    format!("{serial} on {date}{}", extensions.collect::<String>())
}
