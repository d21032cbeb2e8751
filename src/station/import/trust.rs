//! From the issuing certificate of a bundle to the pinned root, and from a device's certificate to the issuing one.

use crate::basics::{Instant, limits};
use crate::devices::durable_file;
use crate::factory::{Class, Manifest, Refusal, manifest};
use crate::keys::PublicKey;
use crate::pki::Certificate;
use crate::station::StationError;
use crate::station::import::shown;
use der::{Decode, Encode};
use std::path::Path;
use x509_cert::ext::pkix::{BasicConstraints, KeyUsage};

/// What device certificates of this bundle are checked with.
pub(super) struct Issuer {
    pub key: PublicKey,
    /// Its subject, as every device certificate must name it.
    pub name: Vec<u8>,
}

const MOST: usize = 8;

/// Reads `chain.pem`: the issuing certificate first, each signed by the next, the last by the pinned root or the root itself.
pub(super) fn issuer(root: &Certificate, folder: &Path, what: &Manifest, now: Instant) -> Result<Issuer, StationError> {
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
        may_sign(certificate, below).map_err(|found| refuse(&format!("{name} to be an authority"), &found))?;
    }
    for (child, parent) in chain.iter().zip(chain.iter().skip(1)) {
        let by = Issuer { key: parent.public_key().clone(), name: parent.subject_der().to_vec() };
        signed_by(child, &by).map_err(|found| {
            refuse(&format!("{} signed by {}", shown(&child.subject_text()), shown(&parent.subject_text())), &found)
        })?;
    }
    Ok(Issuer { key: first.public_key().clone(), name: first.subject_der().to_vec() })
}

/// Whether `child` names this issuer and is signed by its key.
pub(super) fn signed_by(child: &Certificate, issuer: &Issuer) -> Result<(), String> {
    let parsed = x509_cert::Certificate::from_der(child.der()).map_err(|e| e.to_string())?;
    let named = parsed.tbs_certificate().issuer().to_der().map_err(|e| e.to_string())?;
    if named != issuer.name {
        return Err("another issuer's name".to_owned());
    }
    if child.signature_algorithm() != issuer.key.algorithm() {
        return Err("the signature algorithm of another key".to_owned());
    }
    issuer.key.verify(child.tbs_der(), child.signature()).map_err(|e| e.to_string())
}

fn may_sign(certificate: &Certificate, below: usize) -> Result<(), String> {
    let parsed = x509_cert::Certificate::from_der(certificate.der()).map_err(|e| e.to_string())?;
    let inner = parsed.tbs_certificate();
    let constraints = inner.get_extension::<BasicConstraints>().ok().flatten();
    let (_, constraints) = constraints.ok_or("no basic constraints")?;
    if !constraints.ca {
        return Err("the certificate of an end entity".to_owned());
    }
    if constraints.path_len_constraint.is_some_and(|most| usize::from(most) < below) {
        return Err("a shorter path allowed".to_owned());
    }
    match inner.get_extension::<KeyUsage>().ok().flatten() {
        Some((_, usage)) if !usage.key_cert_sign() => Err("a key that may not sign certificates".to_owned()),
        _ => Ok(()),
    }
}
