//! Defects of certificates under another one.

use super::*;
use crate::pki::lint::tests::Defect::{Asked, Field};

/// Defects of certificates under another one: rule, profile, defect.
pub fn defects() -> Vec<(&'static str, &'static str, Defect)> {
    vec![
        ("cert.issuer.of-issuer", "subca-device", Field(|t| t.issuer = other_name())),
        ("cert.issuer.path-length", "subca-codesign", Asked(|r| r.profile.path_len = Some(1))),
        ("cert.issuer.path-length", "subca-codesign", Asked(|r| r.profile.path_len = None)),
        ("cert.subject.allowed-by-profile", "idevid", Asked(|r| subject(r).serial_number = None)),
        ("cert.subject.allowed-by-profile", "subca-device", Asked(|r| subject(r).locality = Some("Lund".into()))),
        ("cert.validity.within-issuer", "subca-device", Asked(|r| r.not_before = at("2026-11-22T13:59:59Z"))),
        ("cert.validity.within-issuer", "ldevid", Asked(|r| r.not_after = at("2041-11-22T14:00:01Z"))),
        ("cert.validity.within-profile", "idevid", Asked(|r| r.not_after = at("2040-11-22T14:00:01Z"))),
        ("cert.key.not-the-issuers", "subca-device", Asked(|r| r.key = key_of("root-device").public_key().into())),
        ("cert.key-usage.signs-as-its-kind", "ldevid", Field(|t| set_value(t, oids::KEY_USAGE, &[3, 2, 1, 0x86]))),
        (
            "cert.basic-constraints.exact",
            "ldevid",
            Field(|t| set_value(t, oids::BASIC_CONSTRAINTS, &[0x30, 3, 1, 1, 0])),
        ),
        ("cert.extended-key-usage.as-profile", "tls-client", Field(|t| remove(t, oids::EXTENDED_KEY_USAGE))),
        ("cert.extended-key-usage.as-profile", "tls-client", Field(|t| last_octet(t, oids::EXTENDED_KEY_USAGE))),
        (
            "cert.extended-key-usage.as-profile",
            "tls-client",
            Field(|t| {
                extension(t, oids::EXTENDED_KEY_USAGE).critical = true;
            }),
        ),
        ("cert.alternative-names.as-requested", "idevid", Field(|t| remove(t, oids::SUBJECT_ALTERNATIVE_NAME))),
        ("cert.alternative-names.as-requested", "idevid", Field(|t| last_octet(t, oids::SUBJECT_ALTERNATIVE_NAME))),
        (
            "cert.name-constraints.as-profile",
            "subca-nontls-cabf",
            Field(|t| {
                t.extensions.as_mut().unwrap().push(constraints(Criticality::Critical));
            }),
        ),
        ("cert.crl-distribution.as-requested", "subca-device", Asked(|r| r.additions.crl_urls.clear())),
        ("cert.crl-distribution.as-requested", "subca-device", Field(|t| last_octet(t, oids::CRL_DISTRIBUTION))),
        ("cert.authority-info.as-requested", "subca-device", Field(|t| last_octet(t, oids::AUTHORITY_INFO))),
        (
            "cert.authority-info.as-requested",
            "ocsp-signer",
            Asked(|r| {
                r.additions.ocsp_urls = vec!["http://ocsp.example.com/".into()];
            }),
        ),
        ("cert.ocsp-no-check.as-profile", "ocsp-signer", Field(|t| remove(t, oids::OCSP_NO_CHECK))),
        ("cert.ocsp-no-check.as-profile", "ocsp-signer", Field(|t| extension(t, oids::OCSP_NO_CHECK).critical = true)),
        (
            "cert.lineage.as-requested",
            "idevid",
            Field(|t| {
                last_octet(t, ObjectIdentifier::new_unwrap("1.3.6.1.4.1.99999.77.1"));
            }),
        ),
        ("cert.policies.as-realm-says", "subca-device", Asked(|r| r.additions.policies.clear())),
        ("cert.policies.as-realm-says", "subca-device", Field(|t| last_octet(t, oids::CERTIFICATE_POLICIES))),
        ("cert.size.within-profile", "matter-dac", Asked(|r| r.profile.max_octets = Some(300))),
        ("cert.subject-key-identifier.of-key", "cross-ca", Field(|t| last_octet(t, oids::SUBJECT_KEY_IDENTIFIER))),
    ]
}

fn last_octet(fields: &mut Tbs, oid: ObjectIdentifier) {
    let mut octets = extension(fields, oid).extn_value.as_bytes().to_vec();
    *octets.last_mut().unwrap() ^= 1;
    set_value(fields, oid, &octets);
}

/// Name constraints that permit one domain.
fn constraints(criticality: Criticality) -> Extension {
    let name = Any::new(Tag::ContextSpecific { constructed: false, number: der::TagNumber(2) }, *b"example").unwrap();
    let permitted =
        Any::new(Tag::ContextSpecific { constructed: true, number: der::TagNumber(0) }, vec![name].to_der().unwrap());
    tbs::extension(oids::NAME_CONSTRAINTS, criticality, &vec![permitted.unwrap()]).unwrap()
}

/// An issuer that is no authority.
pub fn broken_by_an_issuer_without_power() -> Vec<&'static str> {
    let device = chain(Realm::Production, "tls-client").remove(0);
    broken_by(request_for("ldevid", Realm::Production, Some(&device)), &key_of("tls-client"), &Field(|_| ()))
}
