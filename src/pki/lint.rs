//! Our own lint: named rules from PKI-RULES, each looking at finished octets and at what was asked for. It reads with
//! `x509-cert` what `certificate::tbs` wrote with its own types, and trusts neither the builder nor the strict parser.
//! The outside judges (pkilint, OpenSSL, pyca/cryptography) run in tests: `tests/judge_pki.py`.

pub(super) mod certificate_rules;
pub(super) mod crl_rules;
mod octets;

use crate::keys::PublicKey;
use crate::pki::certificate::CertificateRequest;
use crate::pki::crl::CrlRequest;
use crate::pki::profile::Profile;

/// A rule that does not hold, and how.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    pub rule: &'static str,
    pub message: String,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.rule, self.message)
    }
}

/// Evidence that a certificate was linted against its request without a finding: made in [`lint_certificate`] only.
#[derive(Debug)]
#[must_use]
pub struct LintClean(());

/// Evidence that a revocation list was linted against its request without a finding: made in [`lint_crl`] only.
#[derive(Debug)]
#[must_use]
pub struct CrlLintClean(());

/// One of the two: what may be written out.
pub trait Clean: sealed::Sealed {}
impl Clean for LintClean {}
impl Clean for CrlLintClean {}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::LintClean {}
    impl Sealed for super::CrlLintClean {}
}

/// Lints the DER of a certificate, its signature by the request's issuer included.
///
/// # Errors
/// All findings, in the order of the rules.
pub fn lint_certificate(der: &[u8], request: &CertificateRequest<'_>) -> Result<LintClean, Vec<Finding>> {
    let Some(signer) = request.signer() else { return Err(no_signer()) };
    let findings = certificate_rules::findings(der, request, signer);
    if findings.is_empty() { Ok(LintClean(())) } else { Err(findings) }
}

/// Lints the DER of a revocation list, its signature by the request's issuer included.
///
/// # Errors
/// All findings, in the order of the rules.
pub fn lint_crl(der: &[u8], request: &CrlRequest<'_>, profile: &Profile) -> Result<CrlLintClean, Vec<Finding>> {
    let Some(signer) = request.issuer.public_key() else { return Err(no_signer()) };
    let findings = crl_rules::findings(der, request, profile, signer);
    if findings.is_empty() { Ok(CrlLintClean(())) } else { Err(findings) }
}

/// The findings for a certificate signed by another key than its own: for the ladder's throw-away key only.
pub(super) fn certificate_findings(der: &[u8], request: &CertificateRequest<'_>, signer: &PublicKey) -> Vec<Finding> {
    certificate_rules::findings(der, request, signer)
}

/// The same for a revocation list.
pub(super) fn crl_findings(
    der: &[u8],
    request: &CrlRequest<'_>,
    profile: &Profile,
    signer: &PublicKey,
) -> Vec<Finding> {
    crl_rules::findings(der, request, profile, signer)
}

fn no_signer() -> Vec<Finding> {
    let message = "expected an issuer with a key that signs here, found another".to_owned();
    vec![Finding { rule: "issuer.signs-here", message }]
}

/// What the rules said, one after the other: only what does not hold is left.
fn collect(verdicts: impl Iterator<Item = (&'static str, Result<(), String>)>) -> Vec<Finding> {
    verdicts.filter_map(|(rule, verdict)| verdict.err().map(|message| Finding { rule, message })).collect()
}

/// For rules: `Ok` where it holds, else the sentence.
fn expect(holds: bool, message: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(message()) }
}

/// `expected X, found Y` for a pair of values that should be equal.
fn same<T: PartialEq + std::fmt::Debug>(expected: &T, found: &T) -> Result<(), String> {
    expect(expected == found, || format!("expected {expected:?}, found {found:?}"))
}

#[cfg(test)]
mod tests;
