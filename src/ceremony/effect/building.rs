//! From an operation to the octets that are signed. Both the ceremony and the strongroom go this way, each for itself, so what was
//! shown and what is signed can only be the same.

use super::{Certified, Operation};
use crate::basics::digest::hex_decode;
use crate::basics::{Digest, Realm, canonical, limits};
use crate::ceremony::batch;
use crate::keys::SubjectKey;
use crate::pki::additions::{Additions, Policy};
use crate::pki::profile::Profile;
use crate::pki::{Certificate, CertificateRequest, CrlRequest, Issuer, Revoked, certificate, crl};
use crate::plan::standing::too_many_entries;
use std::collections::BTreeMap;

/// The digest approvers compare, over realm, ceremony, step, head, issuer key and the complete to-be-signed octets; and these
/// octets.
///
/// # Errors
/// Where the operation cannot be built into to-be-signed octets.
pub fn operation_digest(
    realm: Realm,
    ceremony: &str,
    profiles: &BTreeMap<String, Profile>,
    issuer_spki: &[u8],
    operation: &Operation,
) -> Result<(Digest, Vec<u8>), String> {
    let tbs = to_be_signed(realm, profiles, operation)?;
    if let Operation::Batch { .. } = operation {
        return Ok((batch::digest(realm, ceremony, operation)?, tbs));
    }
    let (step, head) = (operation.step(), operation.head());
    let parts: [&[u8]; 5] = [ceremony.as_bytes(), step.as_bytes(), head.octets(), issuer_spki, &tbs];
    Ok((Digest::tagged("operation", realm, &parts), tbs))
}

/// Builds the to-be-signed octets of an operation. The ceremony shows what comes of this, and the strongroom builds it again
/// for itself from the same data.
///
/// # Errors
/// Where a name, date, key or profile does not allow it.
pub fn to_be_signed(
    realm: Realm,
    profiles: &BTreeMap<String, Profile>,
    operation: &Operation,
) -> Result<Vec<u8>, String> {
    match operation {
        Operation::RootCertificate { .. } => {
            let request = root_request(realm, profiles, operation)?;
            certificate::build_tbs(&request).map_err(|e| e.to_string())
        }
        Operation::Certificate { issuer_der, .. } => {
            let issuer = parse_certificate(issuer_der)?;
            let request = certificate_request(realm, profiles, &issuer, operation)?;
            certificate::build_tbs(&request).map_err(|e| e.to_string())
        }
        Operation::Crl { issuer_der, .. } => {
            let issuer = parse_certificate(issuer_der)?;
            crl::build_tbs(&crl_request(&issuer, operation)?).map_err(|e| e.to_string())
        }
        // Thousands of certificates: what stands for them is what they are made from.
        Operation::Batch { terms, .. } => canonical::to_octets(terms).map_err(|e| e.to_string()),
    }
}

/// The request for a root certificate that an operation describes.
///
/// # Errors
/// Where the operation is another one, or a part of it does not parse.
pub fn root_request(
    realm: Realm,
    profiles: &BTreeMap<String, Profile>,
    operation: &Operation,
) -> Result<CertificateRequest<'static>, String> {
    let Operation::RootCertificate {
        profile,
        subject,
        public_key,
        not_before,
        not_after,
        serial,
        policy_oid,
        additions,
        ..
    } = operation
    else {
        return Err("expected a root certificate".to_owned());
    };
    let key = hex_decode(public_key).ok_or("the public key is not hexadecimal")?;
    let serial: [u8; 20] =
        hex_decode(serial).and_then(|s| s.try_into().ok()).ok_or("the serial number is not 20 octets")?;
    let policies = if policy_oid.is_empty() { Vec::new() } else { vec![Policy::plain(policy_oid)] };
    Ok(CertificateRequest {
        realm,
        issuer: Issuer::SelfSigned,
        subject: subject.as_ref().clone().into(),
        key: SubjectKey::from_spki_der(&key).map_err(|e| e.to_string())?,
        ski: None,
        not_before: *not_before,
        not_after: *not_after,
        serial,
        additions: additions.as_deref().cloned().unwrap_or(Additions { policies, ..Additions::default() }),
        profile: profiles.get(profile).cloned().ok_or_else(|| format!("there is no profile {profile}"))?,
    })
}

/// The request for a certificate of another key that an operation describes; `issuer` is the operation's issuer, parsed.
///
/// # Errors
/// Where the operation is another one, or a part of it does not parse.
pub fn certificate_request<'i>(
    realm: Realm,
    profiles: &BTreeMap<String, Profile>,
    issuer: &'i Certificate,
    operation: &Operation,
) -> Result<CertificateRequest<'i>, String> {
    let Operation::Certificate { profile, subject, not_before, not_after, serial, additions, .. } = operation else {
        return Err("expected a certificate".to_owned());
    };
    let serial: [u8; 20] =
        hex_decode(serial).and_then(|s| s.try_into().ok()).ok_or("the serial number is not 20 octets")?;
    let profile = profiles.get(profile).cloned().ok_or_else(|| format!("there is no profile {profile}"))?;
    let validity = (*not_before, *not_after);
    let request = match subject {
        Certified::Cross { of } => {
            CertificateRequest::cross(realm, issuer, &parse_certificate(of)?, validity, serial, profile)
        }
        Certified::Key { subject, public_key } => {
            let key = hex_decode(public_key).ok_or("the public key is not hexadecimal")?;
            CertificateRequest {
                realm,
                issuer: Issuer::By(issuer),
                subject: subject.as_ref().clone().into(),
                key: SubjectKey::from_spki_der(&key).map_err(|e| e.to_string())?,
                ski: None,
                not_before: *not_before,
                not_after: *not_after,
                serial,
                additions: Additions::default(),
                profile,
            }
        }
    };
    Ok(CertificateRequest { additions: additions.clone(), ..request })
}

/// The request for a CRL that an operation describes; `issuer` is the operation's issuer, parsed.
///
/// # Errors
/// Where the operation is another one.
pub fn crl_request<'i>(issuer: &'i Certificate, operation: &Operation) -> Result<CrlRequest<'i>, String> {
    let Operation::Crl { number, this_update, next_update, revoked, bundles, .. } = operation else {
        return Err("expected a CRL".to_owned());
    };
    let mut entries = revoked
        .iter()
        .map(|entry| {
            let serial = hex_decode(&entry.serial).ok_or("a revoked serial number is not hexadecimal")?;
            Ok(Revoked { serial, date: entry.date, reason: entry.reason })
        })
        .collect::<Result<Vec<_>, String>>()?;
    for group in bundles {
        entries.extend(group.entries()?);
    }
    if entries.len() > limits::REVOKED_IN_ALL {
        return Err(too_many_entries(entries.len()));
    }
    Ok(CrlRequest { issuer, number: *number, this_update: *this_update, next_update: *next_update, revoked: entries })
}

/// A certificate written as hexadecimal DER.
///
/// # Errors
/// Where it is not one of ours.
pub fn parse_certificate(der: &str) -> Result<Certificate, String> {
    let der = hex_decode(der).ok_or("the certificate is not hexadecimal")?;
    Certificate::parse(&der).map_err(|e| e.to_string())
}
