//! Operations: what a key is asked to sign, as data that people approve by digest.

use crate::basics::{Digest, Instant, limits};
use crate::factory::{BatchTerms, Places};
use crate::pki::additions::Additions;
use crate::pki::name::Subject;
use crate::pki::{Reason, Revoked, serial};
use crate::plan::standing::too_many_entries;
use serde::{Deserialize, Serialize};

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
        /// Device identities, by bundle: after those.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        bundles: Vec<BundleRevocation>,
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

/// Device identities of one bundle, withdrawn together: an entry each, in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BundleRevocation {
    /// What the chain calls the bundle.
    pub bundle: String,
    /// Their serial numbers are those of this seed (`pki::serial`), by place in the bundle.
    pub serial_seed: Digest,
    pub records: Places,
    pub date: Instant,
    pub reason: Reason,
}

impl BundleRevocation {
    /// One entry for each.
    ///
    /// # Errors
    /// Where there are more than a list holds.
    pub fn entries(&self) -> Result<Vec<Revoked>, String> {
        let found = self.records.count() as usize;
        if found > limits::REVOKED_IN_ALL {
            return Err(format!("bundle {}: {}", self.bundle, too_many_entries(found)));
        }
        let each = self.records.each().map(|index| {
            let serial = serial::of(&self.serial_seed, index)?.to_vec();
            Ok(Revoked { serial, date: self.date, reason: self.reason })
        });
        each.collect()
    }
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

    /// As people read it: the digest that a batch's title names stands under it, in words.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Operation::Batch { terms, .. } => terms.shown(),
            other => other.title(),
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

    /// What the script calls what it certifies; empty where it certifies nothing, or many.
    #[must_use]
    pub fn certified(&self) -> &str {
        match self {
            Operation::RootCertificate { authority, .. } => authority,
            Operation::Certificate { name, .. } => name,
            Operation::Crl { .. } | Operation::Batch { .. } => "",
        }
    }

    pub(super) fn step(&self) -> &str {
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
