//! Every rule goes red for a defect planted for it; and no rule is without a defect.

use super::{Finding, certificate_rules, crl_rules, lint_certificate, lint_crl};
use crate::basics::Realm;
use crate::keys::{Algorithm, SigningKey};
use crate::pki::additions::Policy;
use crate::pki::certificate::CertificateRequest;
use crate::pki::certificate::tbs::{self, Criticality, Tbs};
use crate::pki::crl::{self, CrlRequest};
use crate::pki::name::Subject;
use crate::pki::profile::{KeyUsage, NameConstraints};
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

/// Defects of certificates under another one: rule, profile, defect.
fn issued_defects() -> Vec<(&'static str, &'static str, Defect)> {
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
        (
            "cert.name-constraints.as-profile",
            "subca-nontls-cabf",
            Asked(|r| {
                r.profile.name_constraints = Some(NameConstraints::default());
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
fn broken_by_an_issuer_without_power() -> Vec<&'static str> {
    let device = chain(Realm::Production, "tls-client").remove(0);
    broken_by(request_for("ldevid", Realm::Production, Some(&device)), &key_of("tls-client"), &Field(|_| ()))
}

#[test]
fn every_rule_for_certificates_finds_the_defect_planted_for_it() {
    let defects = certificate_defects();
    for (index, (rule, realm, defect)) in defects.iter().enumerate() {
        let broken = rules_broken(*realm, defect);
        assert!(broken.contains(rule), "defect {index} for {rule}: found {broken:?}");
    }
    let issued = issued_defects();
    for (index, (rule, profile, defect)) in issued.iter().enumerate() {
        let above = issuer_of(profile).unwrap();
        let issuer = chain(Realm::Production, above).remove(0);
        let request = request_for(profile, Realm::Production, Some(&issuer));
        let broken = broken_by(request, &key_of(above), defect);
        assert!(broken.contains(rule), "issued defect {index} for {rule}: found {broken:?}");
    }
    assert!(broken_by_an_issuer_without_power().contains(&"cert.issuer.is-authority"));
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

/// Where a defect of a revocation list is planted.
enum ListDefect {
    Asked(fn(&mut CrlRequest<'_>)),
    Field(fn(&mut TbsCertList<Raw>)),
    Outside(Algorithm),
    Finished(fn(&mut Vec<u8>)),
    /// In the issuer's certificate.
    Issuer(fn(&mut Tbs)),
}

fn list_rules_broken(defect: &ListDefect) -> Vec<&'static str> {
    let signer = key(ALGORITHM, 7);
    let mut issuer = issue(&request(Realm::Production, ALGORITHM), &signer);
    if let ListDefect::Issuer(change) = defect {
        let mut fields = tbs::of(&request(Realm::Production, ALGORITHM)).unwrap();
        change(&mut fields);
        let octets = fields.to_der().unwrap();
        let der = signed::assemble("certificate", &octets, ALGORITHM, &signer.sign(&octets).unwrap()).unwrap();
        issuer = crate::pki::Certificate::parse(&der).unwrap();
    }
    let mut request = crl_request(&issuer, two_revoked());
    if let ListDefect::Asked(change) = defect {
        change(&mut request);
    }
    let mut fields = crl::tbs_of(&request).unwrap();
    if let ListDefect::Field(change) = defect {
        change(&mut fields);
    }
    let octets = fields.to_der().unwrap();
    let outside = if let ListDefect::Outside(algorithm) = defect { *algorithm } else { ALGORITHM };
    let mut der = signed::assemble("list", &octets, outside, &signer.sign(&octets).unwrap()).unwrap();
    if let ListDefect::Finished(change) = defect {
        change(&mut der);
    }
    names(lint_crl(&der, &request, &root_device()).map(|_| ()))
}

fn list_extensions(fields: &mut TbsCertList<Raw>) -> &mut Vec<Extension> {
    fields.crl_extensions.as_mut().unwrap()
}

fn entries(fields: &mut TbsCertList<Raw>) -> &mut Vec<x509_cert::crl::RevokedCert<Raw>> {
    fields.revoked_certificates.as_mut().unwrap()
}

fn reason(code: CrlReason, criticality: Criticality) -> Option<Vec<Extension>> {
    Some(vec![tbs::extension(oids::REASON_CODE, criticality, &code).unwrap()])
}

fn general_time(text: &str) -> Time {
    Time::GeneralTime(GeneralizedTime::from_date_time(instants::to_time(at(text)).unwrap().to_date_time()))
}

/// `critical FALSE` written out, which DER leaves out: 01 01 00 after the identifier of the last extension.
fn with_default_written(der: &mut Vec<u8>) {
    let mut list =
        crl::tbs_of(&crl_request(&issue(&request(Realm::Production, ALGORITHM), &key(ALGORITHM, 7)), vec![]));
    let octets = list.as_mut().unwrap().to_der().unwrap();
    let number = [0x06, 0x03, 0x55, 0x1d, 0x14];
    let at = octets.windows(5).position(|window| window == number).unwrap();
    // Four lengths enclose it, all below 128 or of the form 81 xx: rebuilt from the inside out.
    let inner = [&octets[at..at + 5], &[0x01, 0x01, 0x00], &octets[at + 5..]].concat();
    let wrap = |tag: u8, content: &[u8]| {
        let length = u8::try_from(content.len()).unwrap();
        let header = if length < 0x80 { vec![tag, length] } else { vec![tag, 0x81, length] };
        [&header[..], content].concat()
    };
    let number = wrap(0x30, &inner);
    let authority = &octets[at - 2 - 33..at - 2];
    let extensions = wrap(0xa0, &wrap(0x30, &[authority, &number].concat()));
    let content = any(&octets).value().to_vec();
    let before = &content[..content.len() - (octets.len() - (at - 2 - 33)) - 4];
    let tbs = wrap(0x30, &[before, &extensions].concat());
    let signature = key(ALGORITHM, 7).sign(&tbs).unwrap();
    *der = signed::assemble("list", &tbs, ALGORITHM, &signature).unwrap();
}

fn list_defects() -> Vec<(&'static str, ListDefect)> {
    use ListDefect::{Asked, Field, Finished, Issuer, Outside};
    vec![
        ("crl.der.readable", Finished(|der| der.truncate(100))),
        ("crl.der.readable", Finished(|der| der.push(0))),
        ("crl.der.one-spelling", Finished(with_default_written)),
        ("crl.version.two", Field(|t| t.version = Version::V1)),
        ("crl.algorithm.inside-as-outside", Field(|t| t.signature = oids::signature_identifier(Algorithm::Ed25519))),
        ("crl.algorithm.of-issuer-key", Outside(Algorithm::EcdsaP256)),
        ("crl.algorithm.no-parameters", Field(|t| t.signature.parameters = Some(Any::null()))),
        ("crl.signature.verifies", Finished(|der| *der.last_mut().unwrap() ^= 1)),
        (
            "crl.issuer.equals-subject-of-issuer",
            Field(|t| t.issuer = x509_cert::name::Name::from_der(&other_name().to_der().unwrap()).unwrap()),
        ),
        ("crl.issuer.may-sign-lists", Issuer(|t| set_value(t, oids::KEY_USAGE, &[3, 2, 2, 0x04]))),
        ("crl.issuer.may-sign-lists", Issuer(|t| remove(t, oids::KEY_USAGE))),
        ("crl.times.as-requested", Field(|t| t.this_update = instants::to_time(at("2026-11-22T14:00:01Z")).unwrap())),
        ("crl.times.as-requested", Field(|t| t.next_update = None)),
        ("crl.times.in-order", Asked(|r| r.next_update = r.this_update)),
        ("crl.times.in-order", Field(|t| t.next_update = None)),
        ("crl.times.within-profile", Asked(|r| r.next_update = instants::days_after(r.this_update, 367))),
        ("crl.times.within-issuer", Asked(|r| r.this_update = at("2026-11-22T13:59:59Z"))),
        ("crl.times.within-issuer", Asked(|r| r.next_update = at("2051-11-22T14:00:01Z"))),
        ("crl.times.types", Field(|t| t.this_update = general_time("2026-11-22T14:00:00Z"))),
        ("crl.times.types", Field(|t| entries(t)[0].revocation_date = general_time("2026-11-21T09:30:00Z"))),
        (
            "crl.extensions.once",
            Field(|t| {
                let again = list_extensions(t)[1].clone();
                list_extensions(t).push(again);
            }),
        ),
        (
            "crl.extensions.known",
            Field(|t| {
                let partial = ObjectIdentifier::new_unwrap("2.5.29.28");
                list_extensions(t).push(tbs::extension(partial, Criticality::Critical, &Vec::<Any>::new()).unwrap());
            }),
        ),
        ("crl.authority-key-identifier.not-critical", Field(|t| list_extensions(t)[0].critical = true)),
        ("crl.authority-key-identifier.of-issuer", Field(|t| drop(list_extensions(t).remove(0)))),
        (
            "crl.authority-key-identifier.of-issuer",
            Field(|t| {
                let other = [&[0x30, 22, 0x80, 20][..], &[0x11; 20]].concat();
                list_extensions(t)[0].extn_value = OctetString::new(other).unwrap();
            }),
        ),
        ("crl.number.not-critical", Field(|t| list_extensions(t)[1].critical = true)),
        ("crl.number.as-requested", Field(|t| drop(list_extensions(t).remove(1)))),
        (
            "crl.number.as-requested",
            Field(|t| list_extensions(t)[1].extn_value = OctetString::new([2, 1, 2].as_slice()).unwrap()),
        ),
        ("crl.entries.absent-when-empty", Field(|t| t.revoked_certificates = Some(vec![]))),
        ("crl.entries.as-requested", Field(|t| t.revoked_certificates = None)),
        ("crl.entries.as-requested", Field(|t| entries(t).reverse())),
        (
            "crl.entries.serials-positive",
            Field(|t| entries(t)[0].serial_number = SerialNumber::from_der(&[2, 1, 0x80]).unwrap()),
        ),
        (
            "crl.entries.once",
            Field(|t| {
                let again = entries(t)[0].clone();
                entries(t).push(again);
            }),
        ),
        (
            "crl.entries.dates",
            Field(|t| entries(t)[0].revocation_date = instants::to_time(at("2026-11-21T09:30:01Z")).unwrap()),
        ),
        ("crl.entries.dates", Asked(|r| r.revoked[0].date = at("2026-11-22T14:00:01Z"))),
        (
            "crl.entries.reasons",
            Field(|t| entries(t)[0].crl_entry_extensions = reason(CrlReason::CertificateHold, Criticality::Optional)),
        ),
        (
            "crl.entries.reasons",
            Field(|t| entries(t)[0].crl_entry_extensions = reason(CrlReason::Superseded, Criticality::Optional)),
        ),
        ("crl.entries.reasons", Field(|t| entries(t)[0].crl_entry_extensions = None)),
        (
            "crl.entries.extensions",
            Field(|t| entries(t)[0].crl_entry_extensions = reason(CrlReason::KeyCompromise, Criticality::Critical)),
        ),
    ]
}

#[test]
fn every_rule_for_revocation_lists_finds_the_defect_planted_for_it() {
    let defects = list_defects();
    for (index, (rule, defect)) in defects.iter().enumerate() {
        let broken = list_rules_broken(defect);
        assert!(broken.contains(rule), "defect {index} for {rule}: found {broken:?}");
    }
    let planted: BTreeSet<&str> = defects.iter().map(|(rule, _)| *rule).collect();
    let rules: BTreeSet<&str> = crl_rules::RULES.iter().map(|(rule, _)| *rule).collect();
    assert_eq!(rules.difference(&planted).collect::<Vec<_>>(), Vec::<&&str>::new(), "rules without a defect");
    assert_eq!(rules.len(), crl_rules::RULES.len(), "a name stands for one rule");
}

#[test]
fn a_sound_revocation_list_breaks_no_rule() {
    assert_eq!(list_rules_broken(&ListDefect::Field(|_| ())), Vec::<&str>::new());
    assert_eq!(list_rules_broken(&ListDefect::Asked(|r| r.revoked.clear())), Vec::<&str>::new());
    assert_eq!(list_rules_broken(&ListDefect::Asked(|r| r.number = u64::MAX)), Vec::<&str>::new());
}
