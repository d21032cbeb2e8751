//! A certificate against a profile: the request it would have been made from is put together again, and asked what would
//! have kept it from being made; then its octets are linted against that request, as those of this tool are.

use super::Findings;
use super::certificate::CertificateFacts;
use super::tree::{self, Node};
use crate::basics::{Digest, Realm};
use crate::pki::additions::{Additions, Lineage, Policy};
use crate::pki::certificate::{Certificate, CertificateRequest, Issuer};
use crate::pki::general_name::AltName;
use crate::pki::name::{Attribute, REHEARSAL_MARK, Subject, SubjectName};
use crate::pki::profile::{Kind, Profile};
use crate::pki::{lint, oids};

pub fn judge(facts: &CertificateFacts, issuer: Option<&CertificateFacts>, profile: &Profile, findings: &mut Findings) {
    let certificate = match Certificate::parse(&facts.der) {
        Ok(certificate) => certificate,
        Err(error) => return findings.add("profile.readable", error.to_string()),
    };
    let parsed = issuer.map(|issuer| Certificate::parse(&issuer.der));
    let parsed = match parsed.transpose() {
        Ok(parsed) => parsed,
        Err(error) => return findings.add("profile.issuer-readable", error.to_string()),
    };
    if profile.kind != Kind::Root && parsed.is_none() {
        let message = format!("expected the issuer's certificate to judge a {} by, found none", profile.kind.word());
        return findings.add("profile.issuer", message);
    }
    let Ok(serial) = <[u8; 20]>::try_from(certificate.serial()) else {
        let message = format!("expected a serial number of 20 octets, found {}", certificate.serial().len());
        return findings.add("profile.serial", message);
    };
    let subject = match (profile.kind, Subject::from_der(certificate.subject_der())) {
        (Kind::Cross, _) => SubjectName::Copy(certificate.subject_der().to_vec()),
        (_, Ok(subject)) => SubjectName::Fields(subject),
        (_, Err(error)) => return findings.add("profile.subject", error.to_string()),
    };
    let request = CertificateRequest {
        realm: realm_of(&certificate),
        issuer: match (&parsed, profile.kind) {
            (Some(issuer), kind) if kind != Kind::Root => Issuer::By(issuer),
            _ => Issuer::SelfSigned,
        },
        subject,
        key: certificate.subject_key().clone(),
        ski: (profile.kind == Kind::Cross).then(|| certificate.ski().to_vec()),
        not_before: certificate.not_before(),
        not_after: certificate.not_after(),
        serial,
        additions: additions(facts),
        profile: profile.clone(),
    };
    for problem in request.check() {
        findings.add("profile.request", problem);
    }
    if let Err(broken) = lint::lint_certificate(&facts.der, &request) {
        for finding in broken {
            findings.add(finding.rule, finding.message);
        }
    }
}

/// Names tell: a rehearsal's carry its mark.
fn realm_of(certificate: &Certificate) -> Realm {
    let subject = certificate.subject().unwrap_or_default();
    let marked = [Attribute::Organization, Attribute::CommonName]
        .into_iter()
        .any(|attribute| subject.get(attribute).is_some_and(|value| value.starts_with(REHEARSAL_MARK)));
    if marked { Realm::Rehearsal } else { Realm::Production }
}

/// What the extensions carry, as far as a request of ours can say it; what it cannot say, the lint finds.
fn additions(facts: &CertificateFacts) -> Additions {
    let mut additions = Additions::default();
    let mut quiet = Findings::default();
    for (oid, _, value) in &facts.extensions.all {
        let Some(node) = tree::read(value, &mut quiet) else { continue };
        match oid.as_str() {
            "2.5.29.32" => additions.policies = node.children.iter().filter_map(policy).collect(),
            "2.5.29.17" => additions.alternative_names = node.children.iter().filter_map(alternative_name).collect(),
            "2.5.29.31" => {
                let names = node.children.iter().filter_map(|point| point.tagged(0xa0)?.tagged(0xa0));
                additions.crl_urls = names.flat_map(|names| &names.children).filter_map(uri).collect();
            }
            "1.3.6.1.5.5.7.1.1" => {
                let places = |method: &str| {
                    let with = node
                        .children
                        .iter()
                        .filter(|access| access.children.first().and_then(tree::oid).as_deref() == Some(method));
                    with.filter_map(|access| uri(access.children.get(1)?)).collect()
                };
                additions.ocsp_urls = places("1.3.6.1.5.5.7.48.1");
                additions.issuer_urls = places("1.3.6.1.5.5.7.48.2");
            }
            oid if !oids::EXTENSIONS.iter().any(|known| known.to_string() == oid) => {
                if let Ok(octets) = <[u8; 32]>::try_from(node.content) {
                    additions.lineage = Some(Lineage { oid: oid.to_owned(), digest: Digest::from_octets(octets) });
                }
            }
            _ => {}
        }
    }
    additions
}

fn policy(node: &Node<'_>) -> Option<Policy> {
    let oid = node.children.first().and_then(tree::oid)?;
    let qualifier = node.children.get(1).and_then(|list| list.children.first());
    let cps = qualifier
        .and_then(|qualifier| qualifier.children.get(1))
        .map(|text| String::from_utf8_lossy(text.content).into_owned());
    Some(Policy { oid, cps })
}

fn uri(node: &Node<'_>) -> Option<String> {
    (node.tag == 0x86).then(|| String::from_utf8_lossy(node.content).into_owned())
}

fn alternative_name(node: &Node<'_>) -> Option<AltName> {
    let text = || String::from_utf8_lossy(node.content).into_owned();
    Some(match node.tag {
        0x81 => AltName::Email(text()),
        0x82 => AltName::Dns(text()),
        0x86 => AltName::Uri(text()),
        0x87 => {
            let four = <[u8; 4]>::try_from(node.content).map(std::net::IpAddr::from);
            let sixteen = || <[u8; 16]>::try_from(node.content).map(std::net::IpAddr::from);
            AltName::Ip(four.or_else(|_| sixteen()).ok()?)
        }
        0xa0 => {
            let module = node.children.get(1)?.children.first()?;
            let kind = module.children.first().and_then(tree::oid)?;
            let serial = module.child(1, tree::OCTET_STRING)?.content;
            AltName::HardwareModule { kind, serial: crate::basics::digest::hex_encode(serial) }
        }
        _ => return None,
    })
}
