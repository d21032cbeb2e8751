//! Whether a vendor vouches for a key: a chain of certificates from the device to a root that the order pins, and either the first
//! certificate is of the very key that the request asks for, or its key signed this request for this order.
//!
//! A certificate that names the key says that the vendor made it in the device (the form of secure elements that come with their
//! certificate). An attesting key that signs says that a key the vendor knows was there when the request was made; what it is worth is
//! the vendor's to say.

use super::{Collected, Why};
use crate::basics::{Digest, Instant, limits};
use crate::keys::SubjectKey;
use crate::pki::{Certificate, oids};
use std::collections::BTreeSet;

/// The attestation certificates of a collection, and what they must lead to.
pub(super) struct Roots {
    pub(super) shared: Vec<Certificate>,
    pub(super) pinned: BTreeSet<Digest>,
    pub(super) now: Instant,
}

impl Roots {
    /// Whether the attestation of a request holds; `message` is what an attesting key signs, and `of_a_device` says whether a key was
    /// asked for or certified as a device's own: such a key vouches for nobody but itself, or one genuine device could for any
    /// number of others.
    pub(super) fn check(
        &self,
        collected: &Collected,
        key: &SubjectKey,
        message: &Digest,
        of_a_device: &dyn Fn(&[u8]) -> bool,
    ) -> Result<(), Why> {
        let mut own = Vec::new();
        for der in &collected.attestation {
            let read = Certificate::parse(der);
            own.push(read.map_err(|e| Why::new("attestation-certificate", "certificates in DER", &e.to_string()))?);
        }
        let Some(first) = own.first() else {
            return Err(Why::new("attestation-missing", "an attestation by a pinned root", "none"));
        };
        if first.is_authority() {
            return Err(Why::new("attestation-certificate", "a certificate of a device", "one of an authority"));
        }
        self.leads_to_a_root(&own)?;
        if collected.signature.is_empty() {
            if first.subject_key() == key {
                return Ok(());
            }
            let found = format!("one of key {}", Digest::of(first.subject_key().spki_der()).label());
            return Err(Why::new("attestation-key", "a certificate of the requested key", &found));
        }
        if first.subject_key() == key {
            return Err(Why::new("attestation-key", "another key that attests, or no signature", "the key itself"));
        }
        if of_a_device(first.subject_key().spki_der()) {
            return Err(Why::new(
                "attestation-key",
                "a key that attests and is no device's own",
                "the key of a device",
            ));
        }
        let signer = first.public_key();
        let signer = signer.ok_or_else(|| Why::new("attestation-key", "an attesting key we verify", "another kind"))?;
        let good = signer.verify(message.octets(), &collected.signature);
        good.map_err(|_| Why::new("attestation-signature", "one by the attesting key over this request", "another"))
    }

    /// From the first certificate on, each signed by the next, to a pinned root. Every certificate but the first is an authority, is valid
    /// now, and has room for those below it.
    fn leads_to_a_root(&self, own: &[Certificate]) -> Result<(), Why> {
        let candidates = || own.iter().skip(1).chain(&self.shared);
        let Some(mut current) = own.first() else { return Ok(()) };
        for below in 0..=limits::ATTESTATION_CHAIN {
            if self.now < current.not_before() || self.now > current.not_after() {
                let found = format!("{} to {}", current.not_before(), current.not_after());
                return Err(Why::new("attestation-expired", format!("certificates that hold at {}", self.now), &found));
            }
            understood(current)?;
            // The device's own certificate is no root, whatever an order pins.
            if below > 0 && self.pinned.contains(&current.digest()) {
                return Ok(());
            }
            let issuer = candidates().find(|issuer| *issuer != current && current.verify(issuer).is_ok());
            let Some(issuer) = issuer else {
                let found = format!("{} by {}", current.subject_text(), current.issuer_text());
                return Err(Why::new("attestation-root", "a chain to a root that the order pins", &found));
            };
            if issuer.path_len().is_some_and(|most| usize::from(most) < below) {
                return Err(Why::new("attestation-path", "a chain as long as its authorities allow", "a longer one"));
            }
            current = issuer;
        }
        Err(Why::new("attestation-root", "a chain to a root that the order pins", "one that goes on and on"))
    }
}

/// RFC 5280 4.2: what is critical must be understood. Here these are basic constraints and key usage; a constraint of names, critical or
/// not, is one that nobody here looks at.
fn understood(certificate: &Certificate) -> Result<(), Why> {
    for (oid, critical, _) in certificate.extensions() {
        let known = [oids::BASIC_CONSTRAINTS, oids::KEY_USAGE].contains(&oid);
        if (critical && !known) || oid == oids::NAME_CONSTRAINTS {
            let found = format!("{oid} in {}", certificate.subject_text());
            let expected = "critical basic constraints and key usage at most, and no name constraints";
            return Err(Why::new("attestation-extension", expected, &found));
        }
    }
    Ok(())
}
