//! Certificates of every profile that comes with the tool, each under the issuer it is meant for.

use super::{at, issue, key, subject, subject_key};
use crate::basics::{Digest, Realm};
use crate::keys::{Algorithm, SigningKey};
use crate::pki::additions::{Additions, Lineage, Policy};
use crate::pki::certificate::{self, Certificate, CertificateRequest, Issuer};
use crate::pki::general_name::{AltKind, AltName};
use crate::pki::name::{Attribute, Subject, SubjectName, marked};
use crate::pki::profile::{self, Kind, Presence, Profile};
use crate::pki::{ladder, lint, oids, render};

/// A profile that comes with the tool.
pub fn profile(name: &str) -> Profile {
    let (_, text) = profile::BUILT_IN.iter().find(|(known, _)| *known == name).unwrap();
    toml::from_str(text).unwrap()
}

/// The profile of the issuer that certificates of this one are made under.
pub fn issuer_of(name: &str) -> Option<&'static str> {
    Some(match name {
        "root-device" | "root-device-pq" | "root-cabf" | "root-firmware" | "matter-paa" => return None,
        "subca-nontls-cabf" => "root-cabf",
        "subca-codesign" => "root-firmware",
        "matter-pai" => "matter-paa",
        "matter-dac" => "matter-pai",
        "idevid" | "ldevid" | "tls-client" | "device-key" => "subca-device",
        "device-pq" => "subca-device-pq",
        "subca-device-pq" => "root-device-pq",
        _ => "root-device",
    })
}

/// The key of a profile's certificate: another one for each.
pub fn key_of(name: &str) -> SigningKey {
    let fill = profile::BUILT_IN.iter().position(|(known, _)| *known == name).unwrap();
    key(profile(name).algorithms[0], u8::try_from(fill).unwrap() + 20)
}

/// All attributes a profile allows, with values that fit.
pub fn full_subject(profile: &Profile) -> Subject {
    let mut subject = Subject::default();
    for attribute in profile.subject.required.iter().chain(&profile.subject.optional) {
        // Where every octet counts, only what a device needs.
        let needed = profile.subject.required.contains(attribute);
        if profile.max_octets.is_some() && !needed && !matches!(attribute, Attribute::MatterVid | Attribute::MatterPid)
        {
            continue;
        }
        let value = match attribute {
            Attribute::Country => "SE".to_owned(),
            Attribute::State => "Skåne".to_owned(),
            Attribute::Locality => "Lund".to_owned(),
            Attribute::Organization => "Exempel AB".to_owned(),
            Attribute::OrganizationalUnit => "Devices".to_owned(),
            Attribute::CommonName => format!("Example {}", profile.name),
            Attribute::SerialNumber => "EX-2026-000117".to_owned(),
            Attribute::MatterVid => "FFF1".to_owned(),
            Attribute::MatterPid => "8000".to_owned(),
        };
        subject.set(*attribute, Some(value));
    }
    subject
}

/// Everything a profile allows, so that every extension it can have is there.
pub fn full_additions(profile: &Profile, realm: Realm) -> Additions {
    let mut additions = profile.additions(realm, "1.3.6.1.4.1.99999.7", oids::REHEARSAL_POLICY);
    if profile.crl_distribution.presence != Presence::Never {
        additions.crl_urls = vec!["http://pki.example.com/issuer.crl".to_owned()];
    }
    if profile.authority_info.presence != Presence::Never {
        additions.issuer_urls = vec!["http://pki.example.com/issuer.cer".to_owned()];
        additions.ocsp_urls = vec!["http://ocsp.example.com/".to_owned()];
    }
    for kind in profile.alternative_names.required.iter().chain(&profile.alternative_names.optional) {
        additions.alternative_names.push(match kind {
            AltKind::Dns => AltName::Dns("ex-2026-000117.devices.example.com".to_owned()),
            AltKind::Uri => AltName::Uri("https://devices.example.com/ex-2026-000117".to_owned()),
            AltKind::Email => AltName::Email("devices@example.com".to_owned()),
            AltKind::Ip => AltName::Ip("192.0.2.7".parse().unwrap()),
            AltKind::HardwareModule => {
                AltName::HardwareModule { kind: "1.3.6.1.4.1.32473.9.1".to_owned(), serial: "0a1b2c".to_owned() }
            }
        });
    }
    if profile.lineage != Presence::Never {
        let arc = if realm.is_rehearsal() { oids::REHEARSAL_ARC } else { "1.3.6.1.4.1.99999" };
        additions.lineage = Some(Lineage { oid: format!("{arc}.77.1"), digest: Digest::of(b"manifest") });
    }
    additions
}

/// A request for a certificate of this profile under this issuer.
pub fn request_for<'a>(name: &str, realm: Realm, issuer: Option<&'a Certificate>) -> CertificateRequest<'a> {
    let profile = profile(name);
    let years = match profile.kind {
        Kind::Root => "2050-11-22T14:00:00Z",
        Kind::Cross => "2035-11-22T14:00:00Z",
        Kind::Subordinate if profile.max_days.is_some() => "2027-01-22T14:00:00Z",
        Kind::Subordinate => "2041-11-22T14:00:00Z",
        Kind::EndEntity if profile.max_days.is_some() => "2027-01-22T14:00:00Z",
        Kind::EndEntity => "2030-11-22T14:00:00Z",
    };
    let mut serial = [0x5a; 20];
    serial[0] = 0x41;
    // NSS takes two certificates of one issuer with one serial number for the same, and is right.
    serial[19] = u8::try_from(profile::BUILT_IN.iter().position(|(known, _)| *known == name).unwrap()).unwrap();
    let (subject, key, ski) = if profile.kind == Kind::Cross {
        let other = root(realm, "root-firmware");
        (SubjectName::Copy(other.subject_der().to_vec()), other.subject_key().clone(), Some(other.ski().to_vec()))
    } else {
        let subject = marked(realm, &full_subject(&profile));
        (subject.into(), key_of(name).public_key().into(), None)
    };
    CertificateRequest {
        realm,
        issuer: issuer.map_or(Issuer::SelfSigned, Issuer::By),
        subject,
        key,
        ski,
        not_before: at("2026-11-22T14:00:00Z"),
        not_after: if profile.never_ends { profile::NEVER } else { at(years) },
        serial,
        additions: full_additions(&profile, realm),
        profile,
    }
}

pub fn root(realm: Realm, name: &str) -> Certificate {
    issue(&request_for(name, realm, None), &key_of(name))
}

/// The certificates from this profile's up to its root.
pub fn chain(realm: Realm, name: &str) -> Vec<Certificate> {
    let Some(above) = issuer_of(name) else { return vec![root(realm, name)] };
    let mut chain = chain(realm, above);
    let certificate = issue(&request_for(name, realm, chain.first()), &key_of(above));
    chain.insert(0, certificate);
    chain
}

#[test]
fn every_profile_issues_what_the_ladder_and_the_lint_accept() {
    for realm in [Realm::Production, Realm::Rehearsal] {
        for (name, _) in profile::BUILT_IN {
            let above = issuer_of(name).map(|above| chain(realm, above).remove(0));
            let request = request_for(name, realm, above.as_ref());
            assert_eq!(request.check(), Vec::<String>::new(), "{name}");
            let signer = key_of(issuer_of(name).unwrap_or(name));
            let tbs = certificate::build_tbs(&request).unwrap();
            let throwaway = key(signer.algorithm(), 9);
            assert!(ladder::check_before(&request, &tbs, &throwaway).is_ok(), "{name}");
            let certificate = issue(&request, &signer);
            let verdict = lint::lint_certificate(certificate.der(), &request).map(|_| ());
            assert_eq!(verdict, Ok(()), "{name}");
            assert!(ladder::check_after(&request, &tbs, certificate.der()).is_ok(), "{name}");
            match &above {
                None => assert_eq!(certificate.verify_self_signed(), Ok(())),
                Some(above) => {
                    assert_eq!(certificate.verify(above), Ok(()), "{name}");
                    assert!(certificate.verify_self_signed().is_err());
                    let other = chain(realm, "root-cabf").remove(0);
                    assert!(name == &"subca-nontls-cabf" || certificate.verify(&other).is_err(), "{name}");
                }
            }
            let lines = render::certificate_lines(certificate.der()).unwrap();
            assert!(
                lines.iter().all(|(label, value)| !label.starts_with("Extension 2.")
                    && (!value.starts_with("DER ") || label.starts_with("Extension 1.3.6.1.4.1."))),
                "{name}: {lines:?}"
            );
        }
    }
}

#[test]
fn an_authority_below_another_is_refused_with_every_reason() {
    type Change = fn(&mut CertificateRequest<'_>);
    let realm = Realm::Production;
    let root = root(realm, "root-device");
    let cases: [(&str, Change); 16] = [
        ("expected an end not after the issuer's", |r| r.not_after = at("2051-11-22T14:00:00Z")),
        ("expected a begin not before the issuer's", |r| r.not_before = at("2026-11-22T13:59:59Z")),
        ("expected one that is valid at", |r| {
            (r.not_before, r.not_after) = (at("2050-12-01T00:00:00Z"), at("2050-12-02T00:00:00Z"));
        }),
        ("key: expected another than the issuer's", |r| r.key = key_of("root-device").public_key().into()),
        ("subject: expected another than the issuer's", |r| {
            r.subject = marked(r.realm, &full_subject(&profile("root-device"))).into();
        }),
        ("key: expected an algorithm of profile", |r| r.profile.algorithms = vec![Algorithm::EcdsaP256]),
        ("expected a key that profile subca-device allows", |r| {
            r.profile.issuer_algorithms = vec![Algorithm::EcdsaP256];
        }),
        ("CRL addresses: expected at least one", |r| r.additions.crl_urls.clear()),
        ("CRL address: expected http://host/path", |r| r.additions.crl_urls[0] = "https://x/".into()),
        ("expected at most 15 years", |r| r.not_after = at("2041-11-22T14:00:01Z")),
        ("policy: expected .1.1", |r| r.additions.policies = vec![Policy::plain("1.3.6.1.4.1.99999.7.1.2")]),
        ("policy: expected none under", |r| r.additions.policies = vec![Policy::plain("1.3.6.1.4.1.32473.1.1")]),
        ("expected no state", |r| subject(r).state = Some("Skåne".into())),
        ("expected organization, found none", |r| subject(r).organization = None),
        ("alternative name dns: expected none", |r| r.additions.alternative_names = vec![AltName::Dns("a".into())]),
        ("issuer: expected another for a subordinate, found itself", |r| r.issuer = Issuer::SelfSigned),
    ];
    for (says, change) in cases {
        let mut request = request_for("subca-device", realm, Some(&root));
        change(&mut request);
        let problems = request.check();
        assert!(problems.iter().any(|problem| problem.contains(says)), "{says}: {problems:?}");
    }
    let mut bad = request_for("subca-device", realm, Some(&root));
    bad.not_after = at("2051-11-22T14:00:00Z");
    bad.additions.crl_urls.clear();
    bad.serial[0] = 0;
    assert_eq!(bad.check().len(), 4, "all at once: {:?}", bad.check());
}

#[test]
fn a_path_length_is_used_up_and_an_end_entity_issues_nothing() {
    let realm = Realm::Production;
    let chain = chain(realm, "tls-client");
    let below = |issuer: &Certificate| request_for("subca-device", realm, Some(issuer)).check().join("; ");
    assert!(below(&chain[1]).contains("it is exhausted"), "{}", below(&chain[1]));
    assert!(below(&chain[0]).contains("issuer: expected an authority"), "{}", below(&chain[0]));
    let firmware = root(realm, "root-firmware");
    let mut request = request_for("subca-codesign", realm, Some(&firmware));
    request.profile.path_len = Some(1);
    assert!(request.check().join("; ").contains("path length: expected at most 0 below this issuer, found 1"));
    request.profile.path_len = None;
    assert!(request.check().join("; ").contains("found no limit"));
    assert!(chain[0].verify(&chain[0]).is_err(), "no authority");
}

#[test]
fn a_cross_certificate_keeps_name_key_and_identifier() {
    let realm = Realm::Production;
    let (old, new) = (root(realm, "root-device"), root(realm, "root-firmware"));
    let request = request_for("cross-ca", realm, Some(&old));
    let cross = issue(&request, &key_of("root-device"));
    assert_eq!((cross.subject_der(), cross.ski()), (new.subject_der(), new.ski()));
    assert_eq!(cross.subject_key(), new.subject_key());
    assert_eq!(cross.verify(&old), Ok(()));
    let sub = chain(realm, "subca-codesign").remove(0);
    assert_eq!(sub.verify(&new), Ok(()));
    assert_eq!(sub.verify(&cross), Ok(()), "through either certificate");
    let mut other = request.clone();
    other.ski = None;
    assert!(other.check().join("; ").contains("expected name and key identifier of the other certificate"));
    let short = CertificateRequest::cross(
        realm,
        &old,
        &new,
        (request.not_before, request.not_after),
        request.serial,
        request.profile.clone(),
    );
    assert_eq!(CertificateRequest { additions: request.additions.clone(), ..short }, request);
}

/// A root that rolls over keeps its name: old with new and new with old (RFC 4210 4.4).
#[test]
fn a_root_of_the_same_name_rolls_over() {
    let realm = Realm::Production;
    let old = root(realm, "root-device");
    let mut request = request_for("root-device", realm, None);
    request.key = subject_key(Algorithm::EcdsaP384, 99);
    let new = issue(&request, &key(Algorithm::EcdsaP384, 99));
    let dates = (request.not_before, at("2035-11-22T14:00:00Z"));
    for (issuer, of, signer) in [(&old, &new, key_of("root-device")), (&new, &old, key(Algorithm::EcdsaP384, 99))] {
        let mut request = CertificateRequest::cross(realm, issuer, of, dates, request.serial, profile("cross-ca"));
        request.additions = full_additions(&request.profile, realm);
        assert_eq!(request.check(), Vec::<String>::new());
        let cross = issue(&request, &signer);
        assert_eq!(cross.verify(issuer), Ok(()));
        assert!(lint::lint_certificate(cross.der(), &request).is_ok());
        assert!(cross.verify(of).is_err());
    }
}

#[test]
fn matter_identifiers_stay_the_same_down_a_chain_and_certificates_small() {
    let realm = Realm::Production;
    let pai = chain(realm, "matter-pai").remove(0);
    for (attribute, value) in [(Attribute::MatterVid, "FFF2"), (Attribute::MatterPid, "8001")] {
        let mut request = request_for("matter-dac", realm, Some(&pai));
        subject(&mut request).set(attribute, Some(value.to_owned()));
        let problems = request.check().join("; ");
        assert!(problems.contains(&format!("expected the issuer's {}", &full(attribute))), "{problems}");
        subject(&mut request).set(attribute, Some("fff1".to_owned()));
        assert!(request.check().join("; ").contains("four upper-case hexadecimal digits"));
    }
    let mut long = request_for("matter-dac", realm, Some(&pai));
    subject(&mut long).common_name = Some("x".repeat(60));
    long.profile.max_octets = Some(520);
    let refused = certificate::build_tbs(&long).unwrap_err().to_string();
    assert!(refused.contains("size: expected at most 520 octets"), "{refused}");
    for certificate in chain(realm, "matter-dac") {
        assert!(certificate.der().len() <= 600, "{}", certificate.der().len());
    }
}

fn full(attribute: Attribute) -> String {
    full_subject(&profile("matter-dac")).get(attribute).unwrap().to_owned()
}

/// A device has no clock to trust: any certificate of a Matter chain may have no end, and its device's then outlives the intermediate.
#[test]
fn a_matter_certificate_may_have_no_end_and_no_other_end_beyond_its_years() {
    let realm = Realm::Production;
    let issuer = chain(realm, "matter-pai").remove(0);
    let mut request = request_for("matter-dac", realm, Some(&issuer));
    request.not_after = profile::NEVER;
    assert_eq!(request.check(), Vec::<String>::new());
    let certificate = issue(&request, &key_of("matter-pai"));
    assert!(lint::lint_certificate(certificate.der(), &request).is_ok());
    assert_eq!(certificate.not_after(), profile::NEVER);
    request.not_after = at("2045-01-01T00:00:00Z");
    assert!(request.check().join("; ").contains("expected an end not after the issuer's"), "a date is a date");
    request.not_after = at("2053-01-01T00:00:00Z");
    assert!(request.check().join("; ").contains("at most 25 years (or no end) from"));
    let root = root(realm, "matter-paa");
    let mut request = request_for("matter-pai", realm, Some(&root));
    request.not_after = profile::NEVER;
    assert!(
        request.check().join("; ").contains("expected an end not after the issuer's"),
        "an authority does not outlive its own"
    );
    let mut request = request_for("matter-paa", realm, None);
    request.not_after = profile::NEVER;
    let endless = issue(&request, &key_of("matter-paa"));
    let mut request = request_for("matter-pai", realm, Some(&endless));
    request.not_after = profile::NEVER;
    assert_eq!(request.check(), Vec::<String>::new());
    let issuer = chain(realm, "subca-device").remove(0);
    let mut ends = request_for("ldevid", realm, Some(&issuer));
    ends.not_after = profile::NEVER;
    assert!(ends.check().join("; ").contains("expected at most 5 years"), "not where the profile does not say so");
}

#[test]
fn keys_of_others_are_certified_where_the_profile_lists_them() {
    let realm = Realm::Production;
    let root = root(realm, "root-device");
    let spki = crate::basics::digest::hex_decode(P521_SPKI).unwrap();
    let mut request = request_for("subca-device", realm, Some(&root));
    request.key = crate::keys::SubjectKey::from_spki_der(&spki).unwrap();
    let certificate = issue(&request, &key_of("root-device"));
    assert_eq!(certificate.verify(&root), Ok(()));
    assert_eq!((certificate.subject_key(), certificate.public_key()), (&request.key, None));
    assert!(lint::lint_certificate(certificate.der(), &request).is_ok());
    let below = request_for("tls-client", realm, Some(&certificate)).check().join("; ");
    assert!(below.contains("issuer: expected a key that signs here, found ecdsa-p521"), "{below}");
    request.profile.request_keys.clear();
    assert!(request.check().join("; ").contains("key: expected an algorithm of profile"));
}

/// Made with `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-521`.
const P521_SPKI: &str = "\
     30819b301006072a8648ce3d020106052b81040023038186000401e7758d506dd701179b5a013dd4a0f04c8fc6a4763a01ff\
     df677ebbdd6436ff7adfb994e6f6820bf3ac75a78533e3b3cc7729184fa9a2e9ee6c7553e1d7453a23ef0070f97df6a6d856\
     ed1198b9eec2ca004ba3297f441ee4fad011afcb1c006e2b7cf3d4262637681583f4bfd6f56d803ac90c8ea115bd92d093fc\
     f5bbf12bb8c57cb1";
