//! From the issuing certificate of a bundle to the pinned root.

use crate::basics::{Instant, limits};
use crate::devices::durable_file;
use crate::factory::{Class, Manifest, Refusal, manifest};
use crate::pki::Certificate;
use crate::station::StationError;
use crate::station::import::shown;
use std::path::Path;

/// Certificates of one chain.
const MOST: usize = 8;

/// Reads `chain.pem`: the issuing certificate first, each signed by the next, the last by the pinned root or the root itself.
pub(super) fn issuer(
    root: &Certificate,
    folder: &Path,
    what: &Manifest,
    now: Instant,
) -> Result<Certificate, StationError> {
    let refuse = |expected: &str, found: &str| -> StationError {
        Refusal::new(Class::Chain, manifest::CHAIN, expected, found).into()
    };
    let octets = durable_file::read(&folder.join(manifest::CHAIN), limits::EVIDENCE_FILE_OCTETS)?;
    let text = String::from_utf8(octets).map_err(|_| refuse("PEM text", "octets that are not text"))?;
    let mut chain = Vec::new();
    for block in text.split_inclusive("-----END CERTIFICATE-----\n").take(MOST + 1) {
        chain.push(Certificate::from_pem(block).map_err(|e| refuse("certificates", &e.to_string()))?);
    }
    if chain.len() > MOST {
        return Err(refuse("at most 8 certificates", "more"));
    }
    let first = chain.first().cloned().ok_or_else(|| refuse("the issuing certificate", "none"))?;
    if first.digest() != what.issuer {
        return Err(refuse(&what.issuer.hex(), &first.digest().hex()));
    }
    if chain.last().is_some_and(|last| last.digest() != root.digest()) {
        chain.push(root.clone());
    }
    for (below, certificate) in chain.iter().enumerate() {
        let name = shown(&certificate.subject_text()).to_string();
        if now < certificate.not_before() || now >= certificate.not_after() {
            return Err(refuse(&format!("{name} valid now"), "it is not"));
        }
        // The authorities between this one and the devices, itself not counted.
        may_sign(certificate, below).map_err(|found| refuse(&format!("{name} to be an authority"), found))?;
    }
    for (child, parent) in chain.iter().zip(chain.iter().skip(1)) {
        child.verify(parent).map_err(|found| {
            let expected = format!("{} signed by {}", shown(&child.subject_text()), shown(&parent.subject_text()));
            refuse(&expected, &found.to_string())
        })?;
    }
    Ok(first)
}

fn may_sign(certificate: &Certificate, below: usize) -> Result<(), &'static str> {
    if !certificate.is_authority() {
        return Err("the certificate of an end entity, or of one that may not sign certificates");
    }
    if certificate.path_len().is_some_and(|most| usize::from(most) < below) {
        return Err("a shorter path allowed");
    }
    Ok(())
}
