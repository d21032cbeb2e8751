//! What the machine asks the outside world to do. Data only; `runner::perform` holds the one match on it. Each is written
//! to the record as an intent before it is performed.

use crate::basics::digest::hex_decode;
use crate::basics::{Digest, Instant, Realm, canonical};
use crate::ceremony::batch;
use crate::factory::{BatchTerms, BundleId};
use crate::keys::recipient::RecipientKind;
use crate::keys::{Algorithm, SubjectKey};
use crate::pki::additions::{Additions, Policy};
use crate::pki::name::Subject;
use crate::pki::profile::Profile;
use crate::pki::{Certificate, CertificateRequest, CrlRequest, Issuer, Reason, Revoked, certificate, crl};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One side effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "effect", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Effect {
    ProbeMachine,
    /// A new key that signs this run's checkpoints from here on.
    MakeRunKey {
        run: u32,
    },
    /// Starts the process that will hold secrets; `session` counts from 1.
    OpenStrongroom {
        session: u32,
    },
    /// The authority's key and its quorum's identity are made, the key sealed, the identity split, every k-subset checked.
    MakeKey {
        authority: String,
        algorithm: Algorithm,
        quorum: String,
        /// Left out where it is the classical one.
        #[serde(default, skip_serializing_if = "RecipientKind::is_left_out")]
        recipient: RecipientKind,
        generation: u8,
        threshold: u8,
        count: u8,
        step: String,
        operations: Vec<String>,
        /// The recipient of a live quorum: then only the key is made, and sealed to it.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        sealed_to: String,
    },
    /// One custodian sees one share, once.
    ShowShare {
        quorum: String,
        generation: u8,
        index: u8,
        count: u8,
        holder: String,
    },
    /// A strongroom that never held the secret rebuilds the polynomial from the shares as typed back.
    CheckConsistency {
        quorum: String,
        threshold: u8,
        recipient: String,
    },
    /// Opens the sealed key of one authority with the shares typed in, for the operations listed.
    Unlock {
        authority: String,
        quorum: String,
        sealed: Digest,
        public_key: String,
        operations: Vec<String>,
        /// Where the operations are complete before the key is opened: their digests, and nothing else is signed.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        digests: Vec<Digest>,
    },
    /// The serial number is durable before anything carries it.
    ReserveSerial {
        authority: String,
        index: u32,
    },
    Sign {
        operation: Box<Operation>,
        digest: Digest,
    },
    /// A nonce that nobody knows is sealed to a factory's recipient and written as an artefact.
    Challenge {
        factory: String,
        recipient: String,
        /// SHA-256 of the signed enrolment request.
        request: Digest,
        step: String,
        /// Name of the artefact.
        file: String,
    },
    /// The strongroom makes the batch, and the bundle is written beside the evidence and checked.
    IssueBundle {
        operation: Box<Operation>,
        digest: Digest,
    },
    /// Writes once into the evidence folder.
    WriteArtifact {
        name: String,
        content: String,
    },
    /// Writes files of the evidence and the vault to a removable medium and reads them back.
    /// Shown as codes until somebody leaves the screen; `kind` is a word of [`crate::transfer::envelope::Kind`].
    ShowCode {
        kind: String,
        name: String,
    },
    WriteMedium {
        medium: String,
        artifacts: Vec<String>,
        sealed: Vec<String>,
        /// Bundles of this ceremony, by name: each as one tar file.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        bundles: Vec<BundleId>,
    },
    EndStrongroom,
    RevealSerialSeed,
}

impl Effect {
    /// What is being done, as people read it.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Effect::ProbeMachine => "look at the machine".to_owned(),
            Effect::MakeRunKey { .. } => "make the key that signs this run's checkpoints".to_owned(),
            Effect::OpenStrongroom { .. } => "start the strongroom".to_owned(),
            Effect::MakeKey { authority, quorum, sealed_to, .. } if !sealed_to.is_empty() => {
                format!("make the key of {authority} and seal it to quorum {quorum}")
            }
            Effect::MakeKey { authority, quorum, .. } => {
                format!("make the key of {authority} and the identity of quorum {quorum}")
            }
            Effect::ShowShare { index, count, quorum, .. } => {
                format!("show share {index} of {count} of quorum {quorum}")
            }
            Effect::CheckConsistency { quorum, .. } => {
                format!("check the shares of quorum {quorum} against each other")
            }
            Effect::Unlock { authority, .. } => format!("unlock the key of {authority}"),
            Effect::ReserveSerial { authority, .. } => format!("reserve a serial number for {authority}"),
            Effect::Sign { operation, .. } => format!("sign {}", operation.title()),
            Effect::Challenge { factory, .. } => format!("seal a challenge to factory {factory}"),
            Effect::IssueBundle { operation, .. } => format!("issue {}", operation.title()),
            Effect::WriteArtifact { name, .. } => format!("write {name}"),
            Effect::WriteMedium { medium, .. } => format!("write medium {medium}"),
            Effect::ShowCode { name, .. } => format!("show {name} as codes"),
            Effect::EndStrongroom => "end the strongroom".to_owned(),
            Effect::RevealSerialSeed => "reveal the seed of the serial numbers".to_owned(),
        }
    }
}

/// Exactly what custodians approve: everything the to-be-signed octets are built from. The strongroom builds them itself
/// and signs only where its digest equals the approved one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "operation", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Operation {
    RootCertificate {
        authority: String,
        profile: String,
        subject: Box<Subject>,
        public_key: String,
        not_before: Instant,
        not_after: Instant,
        serial: String,
        /// The policy that marks a rehearsal, or empty.
        policy_oid: String,
        /// What the profile puts in beside that.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        additions: Option<Box<Additions>>,
        step: String,
        head: Digest,
    },
    Crl {
        authority: String,
        profile: String,
        issuer_der: String,
        number: u64,
        this_update: Instant,
        next_update: Instant,
        /// SHA-256 of the list that this one continues; absent for the first.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        previous: Option<Digest>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        revoked: Vec<Revocation>,
        step: String,
        head: Digest,
    },
    /// A certificate that `authority` issues for another key.
    Certificate {
        authority: String,
        /// What the script calls the certificate.
        name: String,
        profile: String,
        issuer_der: String,
        subject: Certified,
        not_before: Instant,
        not_after: Instant,
        serial: String,
        additions: Additions,
        step: String,
        head: Digest,
    },
    /// A bundle of device identities that `authority` issues under an order.
    Batch {
        authority: String,
        /// What the script calls the bundle.
        name: String,
        issuer_der: String,
        terms: Box<BatchTerms>,
        /// The number it was reserved under: bundle id, nonce and serial numbers follow from it.
        serial: String,
        sequence: u64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        previous: Option<Digest>,
        /// When the bundle expires.
        expires: Instant,
        step: String,
        head: Digest,
    },
}

/// Whose key a certificate is for, and under which name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "certified", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Certified {
    Key {
        subject: Box<Subject>,
        /// DER of the SubjectPublicKeyInfo, hexadecimal.
        public_key: String,
    },
    /// Name, key and key identifier of another certificate, octet for octet: its DER, hexadecimal.
    Cross { of: String },
}

/// One entry of a revocation list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revocation {
    /// Hexadecimal.
    pub serial: String,
    pub date: Instant,
    pub reason: Reason,
}

/// What people read of issuing a certificate.
#[must_use]
pub fn certificate_title(name: &str, authority: &str) -> String {
    format!("certificate {name} by {authority}")
}

impl Operation {
    #[must_use]
    pub fn title(&self) -> String {
        match self {
            Operation::RootCertificate { authority, .. } => format!("the root certificate of {authority}"),
            Operation::Crl { authority, number, .. } => format!("CRL {number} of {authority}"),
            Operation::Certificate { authority, name, .. } => certificate_title(name, authority),
            // What the strongroom looks for on its list; it names the digest of the terms.
            Operation::Batch { terms, .. } => terms.title().unwrap_or_default(),
        }
    }

    /// The serial number it carries, hexadecimal.
    #[must_use]
    pub fn serial(&self) -> Option<&str> {
        match self {
            Operation::RootCertificate { serial, .. }
            | Operation::Certificate { serial, .. }
            | Operation::Batch { serial, .. } => Some(serial),
            Operation::Crl { .. } => None,
        }
    }

    /// The head of the record when it was prepared.
    #[must_use]
    pub const fn head(&self) -> Digest {
        match self {
            Operation::RootCertificate { head, .. }
            | Operation::Crl { head, .. }
            | Operation::Certificate { head, .. }
            | Operation::Batch { head, .. } => *head,
        }
    }

    fn step(&self) -> &str {
        match self {
            Operation::RootCertificate { step, .. }
            | Operation::Crl { step, .. }
            | Operation::Certificate { step, .. }
            | Operation::Batch { step, .. } => step,
        }
    }

    #[must_use]
    pub fn authority(&self) -> &str {
        match self {
            Operation::RootCertificate { authority, .. }
            | Operation::Crl { authority, .. }
            | Operation::Certificate { authority, .. }
            | Operation::Batch { authority, .. } => authority,
        }
    }
}

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
    let Operation::Crl { number, this_update, next_update, revoked, .. } = operation else {
        return Err("expected a CRL".to_owned());
    };
    Ok(CrlRequest {
        issuer,
        number: *number,
        this_update: *this_update,
        next_update: *next_update,
        revoked: revoked
            .iter()
            .map(|entry| {
                let serial = hex_decode(&entry.serial).ok_or("a revoked serial number is not hexadecimal")?;
                Ok(Revoked { serial, date: entry.date, reason: entry.reason })
            })
            .collect::<Result<_, String>>()?,
    })
}

/// A certificate written as hexadecimal DER.
///
/// # Errors
/// Where it is not one of ours.
pub fn parse_certificate(der: &str) -> Result<Certificate, String> {
    let der = hex_decode(der).ok_or("the certificate is not hexadecimal")?;
    Certificate::parse(&der).map_err(|e| e.to_string())
}
