//! Certificates and revocation lists of anybody, judged: read tolerantly, so that what is wrong can be named instead of
//! being one refusal, against DER (X.690) and RFC 5280 with its algorithm documents. Beside it stand the strict readers
//! ([`super::Certificate`], [`super::CertificateList`]), which accept only what this tool would write, and the lint against a
//! request ([`super::lint`]). Shares no code with them: the octets are taken apart here.
//!
//! A finding is something a conforming issuer must not do, or should not. No finding is no promise: validity for a
//! purpose, and paths of more than one step, are a verifier's to decide.

mod certificate;
mod extensions;
mod follows;
mod issuer;
mod list;
mod names;
mod primitives;
mod profile;
mod tree;

pub use certificate::CertificateFacts;
pub use list::ListFacts;

use super::lint::Finding;
use crate::basics::limits;

/// Findings, each with a rule and what was expected and found.
#[derive(Debug, Default)]
pub(in crate::pki) struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, rule: &'static str, message: impl Into<String>) {
        // One defect in a list of thousands of entries is one finding: the first.
        if self.0.len() < limits::PROBLEMS && !self.0.iter().any(|known| known.rule == rule && repeats(rule)) {
            self.0.push(Finding { rule, message: message.into() });
        }
    }

    fn expect(&mut self, holds: bool, rule: &'static str, message: impl Into<String>) {
        if !holds {
            self.add(rule, message);
        }
    }
}

/// Rules that would be broken again and again by one habit of an encoder.
fn repeats(rule: &str) -> bool {
    rule.starts_with("der.") || rule.starts_with("crl.entry.")
}

/// Everything wrong with a certificate, with its issuer's where that is given, and against a profile. All octets are DER.
#[must_use]
pub fn certificate(
    der: &[u8],
    issuer: Option<&[u8]>,
    profile: Option<&super::Profile>,
) -> (Option<CertificateFacts>, Vec<Finding>) {
    let mut findings = Findings::default();
    let facts = certificate::judge(der, &mut findings);
    let issuer = issuer.and_then(|octets| {
        let facts = certificate::judge(octets, &mut Findings::default());
        findings.expect(facts.is_some(), "issuer.readable", "expected a certificate, found otherwise");
        facts
    });
    if let Some(facts) = &facts {
        match &issuer {
            Some(issuer) => issuer::judge_certificate(facts, issuer, &mut findings),
            None if facts.is_self_issued() => issuer::judge_self_signature(facts, &mut findings),
            None => {}
        }
        if let Some(profile) = profile {
            profile::judge(facts, issuer.as_ref(), profile, &mut findings);
        }
    }
    (facts, findings.0)
}

/// Everything wrong with a revocation list, with its issuer's certificate and the list before it where they are given.
#[must_use]
pub fn revocation_list(
    der: &[u8],
    issuer: Option<&[u8]>,
    previous: Option<&[u8]>,
) -> (Option<ListFacts>, Vec<Finding>) {
    let mut findings = Findings::default();
    let facts = list::judge(der, &mut findings);
    if let (Some(facts), Some(octets)) = (&facts, issuer) {
        match certificate::judge(octets, &mut Findings::default()) {
            Some(issuer) => issuer::judge_list(facts, &issuer, &mut findings),
            None => findings.add("issuer.readable", "expected a certificate, found otherwise"),
        }
    }
    if let (Some(facts), Some(octets)) = (&facts, previous) {
        match list::judge(octets, &mut Findings::default()) {
            Some(previous) => follows::judge(&previous, facts, &mut findings),
            None => findings.add("previous.readable", "expected a revocation list, found otherwise"),
        }
    }
    (facts, findings.0)
}

#[cfg(test)]
mod tests;
