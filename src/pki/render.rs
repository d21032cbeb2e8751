//! What people read before they approve: every field of the octets to be signed, one line each, in the order in which
//! they are encoded. Read from the octets, never from the request that made them. Nothing is cut or left out: an
//! extension we do not know is shown as hexadecimal. Every value has passed `SafeText`.

use super::{PkiError, instants, name, oids, signed};
use crate::basics::digest::{group, hex_encode};
use crate::basics::{Digest, SafeText};
use crate::keys::PublicKey;
use crate::pki::crl::Reason;
use der::{Decode, Encode};
use spki::AlgorithmIdentifierOwned;
use x509_cert::certificate::{CertificateInner, Raw, TbsCertificateInner, Version};
use x509_cert::crl::{CertificateList, RevokedCert, TbsCertList};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints, CertificatePolicies, CrlReason, KeyUsage, SubjectKeyIdentifier,
};

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

fn extension_line(extension: &Extension) -> Line {
    let octets = extension.extn_value.as_bytes();
    let (label, value) = match extension.extn_id {
        oids::BASIC_CONSTRAINTS => ("Basic constraints", BasicConstraints::from_der(octets).ok().map(constraints_text)),
        oids::KEY_USAGE => ("Key usage", KeyUsage::from_der(octets).ok().map(usage_text)),
        oids::SUBJECT_KEY_IDENTIFIER => {
            let identifier = SubjectKeyIdentifier::from_der(octets).ok();
            ("Subject key identifier", identifier.map(|identifier| group(&hex_encode(identifier.0.as_bytes()), 4)))
        }
        oids::AUTHORITY_KEY_IDENTIFIER => ("Authority key identifier", authority_text(octets)),
        oids::CERTIFICATE_POLICIES => ("Certificate policies", policies_text(octets)),
        oids::CRL_NUMBER => ("Number", u64::from_der(octets).ok().map(|number| number.to_string())),
        oids::REASON_CODE => {
            let reason = CrlReason::from_der(octets).ok().and_then(Reason::of_code);
            ("reason", reason.map(|reason| reason.word().to_owned()))
        }
        _ => ("", None),
    };
    let label = if label.is_empty() { format!("Extension {}", extension.extn_id) } else { label.to_owned() };
    // What we cannot put into words completely is shown as it is encoded.
    let value = value.unwrap_or_else(|| format!("DER {}", hex_encode(octets)));
    line(&label, if extension.critical { format!("critical: {value}") } else { value })
}

fn constraints_text(constraints: BasicConstraints) -> String {
    let kind = if constraints.ca { "certification authority" } else { "no certification authority" };
    match constraints.path_len_constraint {
        None => format!("{kind}, no limit on the path below"),
        Some(length) => format!("{kind}, at most {length} authorities below"),
    }
}

fn usage_text(usage: KeyUsage) -> String {
    let named = [
        (usage.digital_signature(), "digitalSignature"),
        (usage.non_repudiation(), "nonRepudiation"),
        (usage.key_encipherment(), "keyEncipherment"),
        (usage.data_encipherment(), "dataEncipherment"),
        (usage.key_agreement(), "keyAgreement"),
        (usage.key_cert_sign(), "keyCertSign"),
        (usage.crl_sign(), "cRLSign"),
        (usage.encipher_only(), "encipherOnly"),
        (usage.decipher_only(), "decipherOnly"),
    ];
    let set: Vec<&str> = named.into_iter().filter_map(|(set, name)| set.then_some(name)).collect();
    if set.is_empty() { "none".to_owned() } else { set.join(", ") }
}

/// Only the form with a key identifier alone has words here.
fn authority_text(octets: &[u8]) -> Option<String> {
    let parsed = AuthorityKeyIdentifier::from_der(octets).ok()?;
    if parsed.authority_cert_issuer.is_some() || parsed.authority_cert_serial_number.is_some() {
        return None;
    }
    Some(group(&hex_encode(parsed.key_identifier?.as_bytes()), 4))
}

/// Only policies without qualifiers have words here.
fn policies_text(octets: &[u8]) -> Option<String> {
    let parsed = CertificatePolicies::from_der(octets).ok()?;
    let policies = parsed.0.iter().map(|policy| {
        let dotted = policy.policy_identifier.to_string();
        let mark = if oids::is_rehearsal_policy(&dotted) { " (rehearsal)" } else { "" };
        policy.policy_qualifiers.is_none().then(|| format!("{dotted}{mark}"))
    });
    policies.collect::<Option<Vec<_>>>().map(|policies| policies.join(", "))
}
