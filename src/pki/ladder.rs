//! The issuance ladder's pure rungs. Before the real key signs, the very same octets are signed by a throw-away key and
//! linted, so a defect is found while nothing that counts exists yet; afterwards the octets that were signed are compared
//! with those that were approved, and the result is linted again. The strongroom climbs it; it never skips a rung.

use super::lint::{CrlLintClean, Finding, LintClean, certificate_findings, crl_findings, lint_certificate, lint_crl};
use super::{PkiError, certificate, crl, signed};
use crate::keys::{PublicKey, SigningKey};
use crate::pki::certificate::CertificateRequest;
use crate::pki::crl::CrlRequest;
use crate::pki::profile::Profile;

/// Evidence that the octets to be signed were linted clean under a throw-away key: made in this file only.
#[derive(Debug)]
#[must_use]
pub struct ThrowawayClean(());

/// Checks the octets of a certificate before the issuer's key signs them. The throw-away key is of the issuer's kind.
///
/// # Errors
/// All findings: octets that the request does not build, a throw-away key that is not one, and those of the lint.
pub fn check_before(
    request: &CertificateRequest<'_>,
    tbs: &[u8],
    throwaway: &SigningKey,
) -> Result<ThrowawayClean, Vec<Finding>> {
    as_built(certificate::build_tbs(request), tbs)?;
    throwaway_is_one(throwaway, request.signer())?;
    let der = signed_by(throwaway, tbs, certificate::assemble)?;
    clean(certificate_findings(&der, request, &throwaway.public_key()))
}

/// The same for a revocation list.
///
/// # Errors
/// As [`check_before`].
pub fn check_crl_before(
    request: &CrlRequest<'_>,
    profile: &Profile,
    tbs: &[u8],
    throwaway: &SigningKey,
) -> Result<ThrowawayClean, Vec<Finding>> {
    as_built(crl::build_tbs(request), tbs)?;
    throwaway_is_one(throwaway, request.issuer.public_key())?;
    let der = signed_by(throwaway, tbs, crl::assemble)?;
    clean(crl_findings(&der, request, profile, &throwaway.public_key()))
}

/// Checks the finished certificate: it holds the approved octets, verifies, and is linted again.
///
/// # Errors
/// All findings.
pub fn check_after(
    request: &CertificateRequest<'_>,
    approved_tbs: &[u8],
    der: &[u8],
) -> Result<LintClean, Vec<Finding>> {
    as_approved(approved_tbs, signed::to_be_signed("certificate", der))?;
    lint_certificate(der, request)
}

/// The same for a revocation list.
///
/// # Errors
/// All findings.
pub fn check_crl_after(
    request: &CrlRequest<'_>,
    profile: &Profile,
    approved_tbs: &[u8],
    der: &[u8],
) -> Result<CrlLintClean, Vec<Finding>> {
    as_approved(approved_tbs, signed::to_be_signed("revocation list", der))?;
    lint_crl(der, request, profile)
}

fn as_built(built: Result<Vec<u8>, PkiError>, tbs: &[u8]) -> Result<(), Vec<Finding>> {
    let built = built.map_err(|error| finding("ladder.buildable", error.to_string()))?;
    if built == tbs {
        return Ok(());
    }
    Err(finding("ladder.as-built", "expected the octets that the request builds, found others".to_owned()))
}

fn as_approved(approved: &[u8], signed: Result<&[u8], PkiError>) -> Result<(), Vec<Finding>> {
    let signed = signed.map_err(|error| finding("ladder.readable", error.to_string()))?;
    if approved == signed {
        return Ok(());
    }
    Err(finding("ladder.as-approved", "expected the octets that were approved, found others".to_owned()))
}

/// A key of the same kind, so that the same octets can carry its signature; and never the real one, which would make the
/// rehearsal the issuance.
fn throwaway_is_one(throwaway: &SigningKey, real: Option<&PublicKey>) -> Result<(), Vec<Finding>> {
    let Some(real) = real else {
        return Err(finding("ladder.throwaway-key", "expected an issuer with a key that signs here".to_owned()));
    };
    if throwaway.algorithm() != real.algorithm() {
        let (expected, found) = (real.algorithm(), throwaway.algorithm());
        return Err(finding("ladder.throwaway-key", format!("expected one for {expected}, found one for {found}")));
    }
    if &throwaway.public_key() == real {
        return Err(finding("ladder.throwaway-key", "expected another key than the issuer's, found it".to_owned()));
    }
    Ok(())
}

type Assemble = fn(&[u8], crate::keys::Algorithm, &[u8]) -> Result<Vec<u8>, PkiError>;

fn signed_by(throwaway: &SigningKey, tbs: &[u8], assemble: Assemble) -> Result<Vec<u8>, Vec<Finding>> {
    let refused = |error: PkiError| finding("ladder.signable", error.to_string());
    let signature = throwaway.sign(tbs).map_err(|error| refused(error.into()))?;
    assemble(tbs, throwaway.algorithm(), &signature).map_err(refused)
}

fn clean(findings: Vec<Finding>) -> Result<ThrowawayClean, Vec<Finding>> {
    if findings.is_empty() { Ok(ThrowawayClean(())) } else { Err(findings) }
}

fn finding(rule: &'static str, message: String) -> Vec<Finding> {
    vec![Finding { rule, message }]
}
