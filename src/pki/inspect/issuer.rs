//! A certificate or list against the certificate of its issuer: name, key identifier, powers, dates, signature.

use super::Findings;
use super::certificate::CertificateFacts;
use super::list::ListFacts;
use super::primitives::hex;
use super::tree;
use crate::keys::subject::{Hash, SignatureScheme};
use crate::keys::{Algorithm, SubjectKey};
use crate::pki::oids;
use der::Decode;
use spki::AlgorithmIdentifierOwned;

pub fn judge_certificate(facts: &CertificateFacts, issuer: &CertificateFacts, findings: &mut Findings) {
    let same = facts.issuer.der == issuer.subject.der;
    findings.expect(same, "issuer.name", "expected the issuer's subject, octet for octet, found another name");
    judge_identifier(facts.extensions.aki.as_deref(), issuer, findings);
    findings.expect(issuer.extensions.is_authority, "issuer.authority", "expected an authority (cA), found none");
    let signs = issuer.extensions.key_usages.is_none_or(|usages| usages.cert_sign());
    findings.expect(signs, "issuer.authority", "expected key usage keyCertSign, found none");
    let limit = issuer.extensions.path_len;
    if facts.extensions.is_authority && !facts.is_self_issued() {
        findings.expect(limit != Some(0), "issuer.path-length", "expected no authority below path length 0, found one");
        if let (Some(limit), Some(own)) = (limit, facts.extensions.path_len) {
            let shorter = own < limit || limit == 0;
            findings.expect(
                shorter,
                "issuer.path-length",
                format!("expected a path length below {limit}, found {own}"),
            );
        }
    }
    if let (Some(from), Some(begins)) = (facts.not_before, issuer.not_before) {
        findings.expect(from >= begins, "issuer.validity", format!("expected a begin from {begins} on, found {from}"));
    }
    if let (Some(until), Some(ends)) = (facts.not_after, issuer.not_after) {
        findings.expect(until <= ends, "issuer.validity", format!("expected an end up to {ends}, found {until}"));
    }
    judge_signature(&facts.tbs, &facts.signature_algorithm, &facts.signature, issuer, findings);
}

/// A certificate that names itself as its issuer and the key identifier too is signed by its own key.
pub fn judge_self_signature(facts: &CertificateFacts, findings: &mut Findings) {
    let own = facts.extensions.aki.is_none() || facts.extensions.aki == facts.extensions.ski;
    if own {
        judge_signature(&facts.tbs, &facts.signature_algorithm, &facts.signature, facts, findings);
    }
}

pub fn judge_list(facts: &ListFacts, issuer: &CertificateFacts, findings: &mut Findings) {
    let same = facts.issuer.der == issuer.subject.der;
    findings.expect(same, "issuer.name", "expected the issuer's subject, octet for octet, found another name");
    judge_identifier(facts.aki.as_deref(), issuer, findings);
    let signs = issuer.extensions.key_usages.is_some_and(|usages| usages.crl_sign());
    findings.expect(signs, "issuer.signs-lists", "expected key usage cRLSign, found none");
    if let (Some(this), Some(begins)) = (facts.this_update, issuer.not_before) {
        findings.expect(
            this >= begins,
            "issuer.validity",
            format!("expected this update from {begins} on, found {this}"),
        );
    }
    judge_signature(&facts.tbs, &facts.signature_algorithm, &facts.signature, issuer, findings);
}

fn judge_identifier(found: Option<&[u8]>, issuer: &CertificateFacts, findings: &mut Findings) {
    if let (Some(found), Some(expected)) = (found, issuer.extensions.ski.as_deref()) {
        let message = format!("expected the issuer's key identifier {}, found {}", hex(expected), hex(found));
        findings.expect(found == expected, "issuer.key-identifier", message);
    }
}

fn judge_signature(tbs: &[u8], algorithm: &[u8], signature: &[u8], issuer: &CertificateFacts, findings: &mut Findings) {
    let rule = "issuer.signature";
    let Ok(key) = SubjectKey::from_spki_der(&issuer.spki) else {
        return findings
            .add(rule, "expected a key this program verifies with, found another: the signature was not checked");
    };
    let Some(scheme) = scheme(algorithm) else {
        return findings
            .add(rule, "expected an algorithm this program verifies, found another: the signature was not checked");
    };
    if let Err(error) = key.verify(tbs, signature, scheme) {
        findings.add(rule, error.to_string());
    }
}

/// How a signature with this AlgorithmIdentifier is checked.
fn scheme(algorithm: &[u8]) -> Option<SignatureScheme> {
    let mut quiet = Findings::default();
    let node = tree::read(algorithm, &mut quiet)?;
    let hash = |place: u32| match place {
        0 => Hash::Sha256,
        1 => Hash::Sha384,
        _ => Hash::Sha512,
    };
    match node.children.first().and_then(tree::oid)?.as_str() {
        "1.2.840.10045.4.3.2" => Some(SignatureScheme::Ecdsa(hash(0))),
        "1.2.840.10045.4.3.3" => Some(SignatureScheme::Ecdsa(hash(1))),
        "1.2.840.10045.4.3.4" => Some(SignatureScheme::Ecdsa(hash(2))),
        "1.2.840.113549.1.1.11" => Some(SignatureScheme::RsaPkcs1(hash(0))),
        "1.2.840.113549.1.1.12" => Some(SignatureScheme::RsaPkcs1(hash(1))),
        "1.2.840.113549.1.1.13" => Some(SignatureScheme::RsaPkcs1(hash(2))),
        "1.2.840.113549.1.1.10" => pss(&node),
        _ => {
            let identifier = AlgorithmIdentifierOwned::from_der(algorithm).ok()?;
            let known: Option<Algorithm> = oids::signature_algorithm(&identifier);
            known.map(SignatureScheme::Pure)
        }
    }
}

/// RSASSA-PSS-params (RFC 4055 3.1): [0] hash, [1] MGF1 with the same, [2] salt length.
fn pss(node: &tree::Node<'_>) -> Option<SignatureScheme> {
    let parameters = node.child(1, tree::SEQUENCE)?;
    let hash_of = |algorithm: &tree::Node<'_>| {
        Some(match algorithm.children.first().and_then(tree::oid)?.as_str() {
            "2.16.840.1.101.3.4.2.1" => Hash::Sha256,
            "2.16.840.1.101.3.4.2.2" => Hash::Sha384,
            "2.16.840.1.101.3.4.2.3" => Hash::Sha512,
            _ => return None,
        })
    };
    let hash = hash_of(parameters.tagged(0xa0)?.children.first()?)?;
    let mask = parameters.tagged(0xa1)?.children.first()?;
    let salt = match parameters.tagged(0xa2) {
        Some(salt) => match salt.child(0, tree::INTEGER)?.content {
            [salt] if salt & 0x80 == 0 => usize::from(*salt),
            _ => return None,
        },
        None => 20,
    };
    let same = mask.children.first().and_then(tree::oid)? == "1.2.840.113549.1.1.8"
        && mask.children.get(1).and_then(hash_of) == Some(hash);
    same.then_some(SignatureScheme::RsaPss(hash, salt))
}
