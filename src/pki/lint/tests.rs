//! Every rule goes red for a defect planted for it; and no rule is without a defect.

use super::{Finding, certificate_rules, crl_rules, lint_certificate, lint_crl};
use crate::basics::Realm;
use crate::keys::{Algorithm, SigningKey};
use crate::pki::additions::Policy;
use crate::pki::certificate::CertificateRequest;
use crate::pki::certificate::tbs::{self, Criticality, Tbs};
use crate::pki::crl::{self, CrlRequest};
use crate::pki::name::Subject;
use crate::pki::profile::KeyUsage;
use crate::pki::tests::chains::{chain, issuer_of, key_of, request_for};
use crate::pki::tests::{at, crl_request, issue, key, request, root_device, subject, subject_key, two_revoked};
use crate::pki::{instants, oids, signed};
use const_oid::ObjectIdentifier;
use der::asn1::{Any, GeneralizedTime, OctetString};
use der::{Decode, Encode, Tag};
use std::collections::BTreeSet;
use x509_cert::certificate::{Raw, Version};
use x509_cert::crl::TbsCertList;
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::CrlReason;
use x509_cert::serial_number::SerialNumber;
use x509_cert::time::Time;

mod issued;
mod lists;

const ALGORITHM: Algorithm = Algorithm::EcdsaP384;

/// Where a defect is planted.
enum Defect {
    /// In what is asked for; the octets are built from it without the builder's checks.
    Asked(fn(&mut CertificateRequest<'_>)),
    /// In the fields to be signed.
    Field(fn(&mut Tbs)),
    /// In the octets to be signed.
    Octets(fn(Vec<u8>) -> Vec<u8>),
    /// In the algorithm beside the signature.
    Outside(Algorithm),
    /// In the finished octets.
    Finished(fn(&mut Vec<u8>)),
}
use Defect::{Asked, Field, Finished, Octets, Outside};

fn rules_broken(realm: Realm, defect: &Defect) -> Vec<&'static str> {
    broken_by(request(realm, ALGORITHM), &key(ALGORITHM, 7), defect)
}

fn broken_by(mut request: CertificateRequest<'_>, signer: &SigningKey, defect: &Defect) -> Vec<&'static str> {
    let mut outside = signer.algorithm();
    if let Asked(change) = defect {
        change(&mut request);
    }
    let mut fields = tbs::of(&request).unwrap();
    if let Field(change) = defect {
        change(&mut fields);
    }
    let mut octets = fields.to_der().unwrap();
    if let Octets(change) = defect {
        octets = change(octets);
    }
    if let Outside(algorithm) = defect {
        outside = *algorithm;
    }
    let signature = signer.sign(&octets).unwrap();
    let mut der = signed::assemble("certificate", &octets, outside, &signature).unwrap();
    if let Finished(change) = defect {
        change(&mut der);
    }
    names(lint_certificate(&der, &request).map(|_| ()))
}

fn names(verdict: Result<(), Vec<Finding>>) -> Vec<&'static str> {
    verdict.err().unwrap_or_default().into_iter().map(|finding| finding.rule).collect()
}

fn extension(fields: &mut Tbs, oid: ObjectIdentifier) -> &mut Extension {
    fields.extensions.as_mut().unwrap().iter_mut().find(|extension| extension.extn_id == oid).unwrap()
}

fn set_value(fields: &mut Tbs, oid: ObjectIdentifier, octets: &[u8]) {
    extension(fields, oid).extn_value = OctetString::new(octets).unwrap();
}

fn remove(fields: &mut Tbs, oid: ObjectIdentifier) {
    fields.extensions.as_mut().unwrap().retain(|extension| extension.extn_id != oid);
}

fn any(octets: &[u8]) -> Any {
    Any::from_der(octets).unwrap()
}

fn other_name() -> Any {
    let subject = Subject::authority(None, "Another", "Root");
    any(&subject.to_der().unwrap())
}

/// SEQUENCE of SET of SEQUENCE { type, value } as given.
fn name_of(attributes: &[(ObjectIdentifier, Tag, &str)]) -> Any {
    let relative = attributes.iter().flat_map(|(oid, tag, value)| {
        let pair = [oid.to_der().unwrap(), Any::new(*tag, value.as_bytes()).unwrap().to_der().unwrap()].concat();
        let pair = Any::new(Tag::Sequence, pair).unwrap().to_der().unwrap();
        Any::new(Tag::Set, pair).unwrap().to_der().unwrap()
    });
    Any::new(Tag::Sequence, relative.collect::<Vec<u8>>()).unwrap()
}

/// Puts `[1] IMPLICIT BIT STRING` before the extensions, which are the last field.
fn with_unique_id(octets: Vec<u8>) -> Vec<u8> {
    let content = any(&octets).value().to_vec();
    let extensions = content.windows(2).rposition(|pair| pair[0] == 0xa3 && usize::from(pair[1]) < 0x80).unwrap();
    let (before, after) = content.split_at(extensions);
    Any::new(Tag::Sequence, [before, &[0x81, 0x02, 0x00, 0xaa], after].concat()).unwrap().to_der().unwrap()
}

fn general(text: &str) -> Any {
    let time = instants::to_time(at(text)).unwrap().to_date_time();
    Any::encode_from(&GeneralizedTime::from_date_time(time)).unwrap()
}

fn certificate_defects() -> Vec<(&'static str, Realm, Defect)> {
    use Realm::{Production, Rehearsal};
    vec![
        ("cert.der.readable", Production, Finished(|der| der.truncate(100))),
        ("cert.der.readable", Production, Finished(|der| der.push(0))),
        ("cert.der.one-spelling", Production, Field(|t| t.validity.not_before = general("2026-11-22T14:00:00Z"))),
        ("cert.version.three", Production, Field(|t| t.version = 1)),
        ("cert.serial.positive", Production, Field(|t| t.serial = Any::new(Tag::Integer, [0xa5; 20]).unwrap())),
        ("cert.serial.positive", Production, Field(|t| t.serial = Any::new(Tag::Integer, [0]).unwrap())),
        ("cert.serial.twenty-octets", Production, Field(|t| t.serial = Any::new(Tag::Integer, [0x41; 19]).unwrap())),
        ("cert.serial.twenty-octets", Production, Field(|t| t.serial = Any::new(Tag::Integer, [0x41; 21]).unwrap())),
        ("cert.serial.as-requested", Production, Field(|t| t.serial = Any::new(Tag::Integer, [0x41; 20]).unwrap())),
        (
            "cert.algorithm.inside-as-outside",
            Production,
            Field(|t| t.signature = oids::signature_identifier(Algorithm::EcdsaP256)),
        ),
        ("cert.algorithm.of-issuer-key", Production, Outside(Algorithm::EcdsaP256)),
        ("cert.algorithm.no-parameters", Production, Field(|t| t.signature.parameters = Some(Any::null()))),
        ("cert.signature.verifies", Production, Finished(|der| *der.last_mut().unwrap() ^= 1)),
        ("cert.signature.verifies", Production, Asked(|r| r.key = subject_key(ALGORITHM, 8))),
        ("cert.issuer.of-issuer", Production, Field(|t| t.issuer = other_name())),
        ("cert.subject.as-requested", Production, Field(|t| (t.issuer, t.subject) = (other_name(), other_name()))),
        (
            "cert.subject.order",
            Production,
            Field(|t| {
                t.subject = name_of(&[
                    (oids::COMMON_NAME, Tag::Utf8String, "Device Root 1"),
                    (oids::ORGANIZATION, Tag::Utf8String, "Exempel"),
                    (oids::COUNTRY, Tag::PrintableString, "SE"),
                ]);
            }),
        ),
        (
            "cert.subject.string-types",
            Production,
            Field(|t| {
                t.subject = name_of(&[
                    (oids::COUNTRY, Tag::Utf8String, "SE"),
                    (oids::ORGANIZATION, Tag::PrintableString, "Exempel"),
                    (oids::COMMON_NAME, Tag::Utf8String, "Device Root 1"),
                ]);
            }),
        ),
        ("cert.subject.rehearsal-mark", Rehearsal, Asked(|r| subject(r).common_name = Some("Device Root 1".into()))),
        ("cert.subject.rehearsal-mark", Rehearsal, Asked(|r| subject(r).organization = Some("Exempel".into()))),
        (
            "cert.subject.rehearsal-mark",
            Production,
            Asked(|r| subject(r).organization = Some("REHEARSAL Exempel".into())),
        ),
        ("cert.validity.in-order", Production, Asked(|r| r.not_after = r.not_before)),
        ("cert.validity.as-requested", Production, Field(|t| t.validity.not_after = general("2051-11-22T13:59:59Z"))),
        ("cert.validity.time-types", Production, Field(|t| t.validity.not_before = general("2026-11-22T14:00:00Z"))),
        ("cert.validity.within-profile", Production, Asked(|r| r.not_after = at("2051-11-22T14:00:01Z"))),
        ("cert.key.as-requested", Production, Field(|t| t.key = any(key(ALGORITHM, 8).public_key().spki_der()))),
        (
            "cert.key.valid",
            Production,
            Field(|t| {
                let mut off_curve = t.key.to_der().unwrap();
                *off_curve.last_mut().unwrap() ^= 1;
                t.key = any(&off_curve);
            }),
        ),
        ("cert.key.allowed-by-profile", Production, Asked(|r| r.profile.algorithms = vec![Algorithm::Ed25519])),
        ("cert.unique-ids.absent", Production, Octets(with_unique_id)),
        (
            "cert.extensions.once",
            Production,
            Field(|t| {
                let again = extension(t, oids::BASIC_CONSTRAINTS).clone();
                t.extensions.as_mut().unwrap().push(again);
            }),
        ),
        (
            "cert.extensions.exactly",
            Production,
            Field(|t| {
                let purposes = vec![ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.1")];
                let usage = ObjectIdentifier::new_unwrap("2.5.29.37");
                let usage = tbs::extension(usage, Criticality::Optional, &purposes).unwrap();
                t.extensions.as_mut().unwrap().push(usage);
            }),
        ),
        (
            "cert.basic-constraints.critical",
            Production,
            Field(|t| extension(t, oids::BASIC_CONSTRAINTS).critical = false),
        ),
        ("cert.basic-constraints.exact", Production, Field(|t| set_value(t, oids::BASIC_CONSTRAINTS, &[0x30, 0]))),
        ("cert.basic-constraints.exact", Production, Field(|t| remove(t, oids::BASIC_CONSTRAINTS))),
        (
            "cert.basic-constraints.exact",
            Production,
            Field(|t| set_value(t, oids::BASIC_CONSTRAINTS, &[0x30, 6, 1, 1, 0xff, 2, 1, 0])),
        ),
        ("cert.key-usage.critical", Production, Field(|t| extension(t, oids::KEY_USAGE).critical = false)),
        ("cert.key-usage.critical", Production, Field(|t| remove(t, oids::KEY_USAGE))),
        ("cert.key-usage.exact", Production, Field(|t| set_value(t, oids::KEY_USAGE, &[3, 2, 1, 0x86]))),
        ("cert.key-usage.exact", Production, Field(|t| set_value(t, oids::KEY_USAGE, &[3, 2, 0, 0x06]))),
        ("cert.key-usage.signs-as-its-kind", Production, Asked(|r| r.profile.key_usages = vec![KeyUsage::KeyCertSign])),
        (
            "cert.subject-key-identifier.not-critical",
            Production,
            Field(|t| extension(t, oids::SUBJECT_KEY_IDENTIFIER).critical = true),
        ),
        (
            "cert.subject-key-identifier.of-key",
            Production,
            Field(|t| set_value(t, oids::SUBJECT_KEY_IDENTIFIER, &[&[4, 20][..], &[0x11; 20]].concat())),
        ),
        (
            "cert.authority-key-identifier.not-critical",
            Production,
            Field(|t| extension(t, oids::AUTHORITY_KEY_IDENTIFIER).critical = true),
        ),
        (
            "cert.authority-key-identifier.of-issuer",
            Production,
            Field(|t| set_value(t, oids::AUTHORITY_KEY_IDENTIFIER, &[&[0x30, 22, 0x80, 20][..], &[0x11; 20]].concat())),
        ),
        ("cert.authority-key-identifier.of-issuer", Production, Field(|t| remove(t, oids::AUTHORITY_KEY_IDENTIFIER))),
        (
            "cert.policies.as-realm-says",
            Production,
            Asked(|r| r.additions.policies = vec![Policy::plain(oids::REHEARSAL_POLICY)]),
        ),
        ("cert.policies.as-realm-says", Rehearsal, Field(|t| remove(t, oids::CERTIFICATE_POLICIES))),
        (
            "cert.policies.as-realm-says",
            Rehearsal,
            Asked(|r| r.additions.policies = vec![Policy::plain("2.23.140.1.2.1")]),
        ),
        ("cert.policies.as-realm-says", Rehearsal, Field(|t| extension(t, oids::CERTIFICATE_POLICIES).critical = true)),
    ]
}

#[test]
fn every_rule_for_certificates_finds_the_defect_planted_for_it() {
    let defects = certificate_defects();
    for (index, (rule, realm, defect)) in defects.iter().enumerate() {
        let broken = rules_broken(*realm, defect);
        assert!(broken.contains(rule), "defect {index} for {rule}: found {broken:?}");
    }
    let issued = issued::defects();
    for (index, (rule, profile, defect)) in issued.iter().enumerate() {
        let above = issuer_of(profile).unwrap();
        let issuer = chain(Realm::Production, above).remove(0);
        let request = request_for(profile, Realm::Production, Some(&issuer));
        let broken = broken_by(request, &key_of(above), defect);
        assert!(broken.contains(rule), "issued defect {index} for {rule}: found {broken:?}");
    }
    assert!(issued::broken_by_an_issuer_without_power().contains(&"cert.issuer.is-authority"));
    let mut planted: BTreeSet<&str> = defects.iter().map(|(rule, _, _)| *rule).collect();
    planted.extend(issued.iter().map(|(rule, _, _)| *rule));
    planted.insert("cert.issuer.is-authority");
    let rules: BTreeSet<&str> = certificate_rules::RULES.iter().map(|(rule, _)| *rule).collect();
    assert_eq!(rules.difference(&planted).collect::<Vec<_>>(), Vec::<&&str>::new(), "rules without a defect");
    assert_eq!(rules.len(), certificate_rules::RULES.len(), "a name stands for one rule");
}

#[test]
fn a_sound_certificate_breaks_no_rule() {
    for realm in [Realm::Production, Realm::Rehearsal] {
        assert_eq!(rules_broken(realm, &Field(|_| ())), Vec::<&str>::new());
        assert_eq!(rules_broken(realm, &Asked(|r| r.profile.path_len = Some(2))), Vec::<&str>::new());
    }
}

#[test]
fn the_octets_of_key_usage_are_the_documented_ones() {
    let fields = tbs::of(&request(Realm::Production, ALGORITHM)).unwrap();
    let usage = fields.extensions.unwrap().into_iter().find(|e| e.extn_id == oids::KEY_USAGE).unwrap();
    assert_eq!(usage.extn_value.as_bytes(), [0x03, 0x02, 0x01, 0x06]);
}
