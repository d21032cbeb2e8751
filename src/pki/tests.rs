//! Certificates and revocation lists as a whole: what is built is read back equal, and the ladder holds. The samples made
//! here are also what the outside judges are shown.

use super::additions::Policy;
use super::certificate::{self, Certificate, CertificateRequest, Issuer};
use super::crl::{self, CertificateList, CrlRequest, Reason, Revoked};
use super::name::{Subject, SubjectName, marked};
use super::profile::{self, Profile};
use super::{PkiError, instants, ladder, lint, oids, pem, render};
use crate::basics::{Instant, Realm};
use crate::keys::{Algorithm, SigningKey, SubjectKey};
use proptest::prelude::*;
use std::process::Command;

pub(super) mod chains;
mod continuity;
mod judges;
mod pkits;
mod profiles;

pub(super) fn key(algorithm: Algorithm, fill: u8) -> SigningKey {
    SigningKey::from_material(algorithm, &vec![fill; algorithm.material_octets()]).unwrap()
}

pub(super) fn subject_key(algorithm: Algorithm, fill: u8) -> SubjectKey {
    SubjectKey::from(key(algorithm, fill).public_key())
}

pub(super) fn root_device() -> Profile {
    toml::from_str(profile::ROOT_DEVICE).unwrap()
}

fn profile_of(algorithm: Algorithm) -> Profile {
    if algorithm.is_post_quantum() { toml::from_str(profile::ROOT_DEVICE_PQ).unwrap() } else { root_device() }
}

/// Those that Debian's OpenSSL 3.0 knows.
fn classical() -> impl Iterator<Item = Algorithm> {
    Algorithm::ALL.into_iter().filter(|algorithm| !algorithm.is_post_quantum())
}

/// One of each family: what is tried with many signatures.
fn quick() -> impl Iterator<Item = Algorithm> {
    Algorithm::ALL.into_iter().filter(|algorithm| *algorithm != Algorithm::SlhDsaSha2_256s)
}

pub(super) fn at(text: &str) -> Instant {
    Instant::parse(text).unwrap()
}

pub(super) fn request(realm: Realm, algorithm: Algorithm) -> CertificateRequest<'static> {
    let subject = Subject::authority(Some("SE"), "Exempel Skärgård AB", "Device Root 1");
    let mut serial = [0xa5; 20];
    serial[0] = 0x40;
    let profile = profile_of(algorithm);
    CertificateRequest {
        realm,
        issuer: Issuer::SelfSigned,
        subject: marked(realm, &subject).into(),
        key: subject_key(algorithm, 7),
        ski: None,
        not_before: at("2026-11-22T14:00:00Z"),
        not_after: at("2051-11-22T14:00:00Z"),
        serial,
        additions: profile.additions(realm, "", oids::REHEARSAL_POLICY),
        profile,
    }
}

/// The fields of a request's subject, to be changed.
pub(super) fn subject<'s>(request: &'s mut CertificateRequest<'_>) -> &'s mut Subject {
    let SubjectName::Fields(subject) = &mut request.subject else { panic!("a copied name") };
    subject
}

pub(super) fn issue(request: &CertificateRequest<'_>, signer: &SigningKey) -> Certificate {
    let tbs = certificate::build_tbs(request).unwrap();
    let der = certificate::assemble(&tbs, signer.algorithm(), &signer.sign(&tbs).unwrap()).unwrap();
    Certificate::parse(&der).unwrap()
}

pub(super) fn crl_request(issuer: &Certificate, revoked: Vec<Revoked>) -> CrlRequest<'_> {
    let this_update = at("2026-11-22T14:00:00Z");
    CrlRequest { issuer, number: 1, this_update, next_update: instants::days_after(this_update, 365), revoked }
}

pub(super) fn two_revoked() -> Vec<Revoked> {
    vec![
        Revoked { serial: vec![0x41; 20], date: at("2026-11-21T09:30:00Z"), reason: Reason::KeyCompromise },
        Revoked { serial: vec![0x00, 0x80, 0x01], date: at("2026-11-22T14:00:00Z"), reason: Reason::Superseded },
    ]
}

pub(super) fn issue_crl(request: &CrlRequest<'_>, signer: &SigningKey) -> CertificateList {
    let tbs = crl::build_tbs(request).unwrap();
    let der = crl::assemble(&tbs, signer.algorithm(), &signer.sign(&tbs).unwrap()).unwrap();
    CertificateList::parse(&der).unwrap()
}

#[test]
fn the_built_in_profile_has_no_problems_and_comes_back_from_toml() {
    assert_eq!(root_device().check(), Vec::<String>::new());
    let json = serde_json::to_string(&root_device()).unwrap();
    assert_eq!(serde_json::from_str::<Profile>(&json).unwrap(), root_device());
    assert!(toml::from_str::<Profile>(&format!("color = 1\n{}", profile::ROOT_DEVICE)).is_err(), "unknown key");
}

#[test]
fn a_bad_profile_is_told_all_its_problems() {
    let mut bad = root_device();
    bad.name = "Root Device".into();
    bad.max_years = Some(26);
    bad.algorithms.push(Algorithm::Ed25519);
    bad.key_usages.pop();
    bad.path_len = Some(9);
    bad.crl = Some(profile::CrlProfile { max_days: 0 });
    let starts: Vec<String> = bad.check().iter().map(|p| p.split(':').next().unwrap().to_owned()).collect();
    assert_eq!(starts, ["name", "max_years", "algorithms", "key_usages", "path_len", "crl.max_days"]);
}

#[test]
fn a_certificate_says_what_was_asked_for() {
    for algorithm in Algorithm::ALL {
        let request = request(Realm::Production, algorithm);
        let certificate = issue(&request, &key(algorithm, 7));
        assert_eq!(certificate.verify_self_signed(), Ok(()));
        assert_eq!(certificate.serial(), request.serial);
        assert_eq!((certificate.not_before(), certificate.not_after()), (request.not_before, request.not_after));
        assert_eq!(certificate.subject_text(), "C=SE, O=Exempel Skärgård AB, CN=Device Root 1");
        assert_eq!(certificate.subject_key(), &request.key);
        assert_eq!(certificate.ski(), certificate::key_identifier(&request.key));
        let text = certificate.to_pem().unwrap();
        assert_eq!(Certificate::from_pem(&text).unwrap(), certificate);
        assert!(Certificate::from_pem(&text.replace("CERTIFICATE", "X509 CRL")).is_err());
        assert!(Certificate::from_pem(&format!("{text}\n")).is_err());
        assert!(lint::lint_certificate(certificate.der(), &request).is_ok());
    }
}

#[test]
fn another_keys_signature_does_not_verify() {
    let request = request(Realm::Production, Algorithm::EcdsaP384);
    let forged = issue(&request, &key(Algorithm::EcdsaP384, 8));
    assert!(matches!(forged.verify_self_signed(), Err(PkiError::Key(_))));
    let tbs = certificate::build_tbs(&request).unwrap();
    assert!(certificate::assemble(&tbs, Algorithm::Ed25519, &[0; 64]).is_err(), "another algorithm than inside");
    assert!(certificate::assemble(&tbs[1..], Algorithm::EcdsaP384, &[0; 64]).is_err(), "not DER");
}

#[test]
fn times_change_their_type_in_2050() {
    for (until, tag) in [("2049-12-31T23:59:59Z", "170d3439"), ("2050-01-01T00:00:00Z", "180f3230")] {
        let mut request = request(Realm::Production, Algorithm::Ed25519);
        request.not_after = at(until);
        let hex = crate::basics::digest::hex_encode(&certificate::build_tbs(&request).unwrap());
        assert!(hex.contains(tag), "{until}");
    }
}

#[test]
fn what_cannot_be_issued_is_refused_with_its_reason() {
    type Change = fn(&mut CertificateRequest<'_>);
    let cases: [(&str, Realm, Change); 13] = [
        ("expected the rehearsal's mark", Realm::Rehearsal, |r| subject(r).common_name = Some("Device Root 1".into())),
        ("expected the rehearsal's mark", Realm::Rehearsal, |r| subject(r).organization = Some("Exempel".into())),
        ("expected no rehearsal's mark", Realm::Production, |r| subject(r).common_name = Some("REHEARSAL Root".into())),
        ("expected an end after", Realm::Production, |r| r.not_after = r.not_before),
        ("at most 25 years", Realm::Production, |r| r.not_after = at("2051-11-22T14:00:01Z")),
        ("an algorithm of profile", Realm::Production, |r| r.profile.algorithms = vec![Algorithm::EcdsaP256]),
        ("first is 40 to 7f", Realm::Production, |r| r.serial[0] = 0x80),
        ("first is 40 to 7f", Realm::Production, |r| r.serial[0] = 0x3f),
        ("expected none in realm production", Realm::Production, |r| {
            r.additions.policies = vec![Policy::plain("2.5.29.32.0")]
        }),
        ("expected one under 1.3.6.1.4.1.32473", Realm::Rehearsal, |r| r.additions.policies.clear()),
        ("expected one under 1.3.6.1.4.1.32473", Realm::Rehearsal, |r| {
            r.additions.policies = vec![Policy::plain("1.3.6.1.4.1.324731")]
        }),
        ("country", Realm::Production, |r| subject(r).country = Some("se".into())),
        ("U+202E", Realm::Production, |r| subject(r).common_name = Some("Root\u{202e}".into())),
    ];
    for (says, realm, change) in cases {
        let mut request = request(realm, Algorithm::EcdsaP384);
        change(&mut request);
        let error = certificate::build_tbs(&request).unwrap_err().to_string();
        assert!(error.contains(says), "{says}: {error}");
    }
}

#[test]
fn a_subject_that_passes_its_check_can_be_rehearsed() {
    let subject = |common_name: String| Subject::authority(None, "O", &common_name);
    let longest = subject("å".repeat(54));
    assert_eq!(longest.check(), Vec::<String>::new());
    assert!(marked(Realm::Rehearsal, &longest).to_der().is_ok());
    assert_eq!(marked(Realm::Rehearsal, &marked(Realm::Rehearsal, &longest)), marked(Realm::Rehearsal, &longest));
    assert_eq!(subject("x".repeat(55)).check().len(), 1);
    assert!(subject("x".repeat(65)).to_der().is_err());
    for bad in ["", " x", "x ", "x  y", "x\ny", "REHEARSAL x"] {
        assert!(!subject(bad.to_owned()).check().is_empty(), "{bad:?}");
    }
}

#[test]
fn a_revocation_list_says_what_was_asked_for() {
    for algorithm in quick() {
        let signer = key(algorithm, 7);
        let issuer = issue(&request(Realm::Production, algorithm), &signer);
        for revoked in [vec![], two_revoked()] {
            let request = crl_request(&issuer, revoked.clone());
            let list = issue_crl(&request, &signer);
            assert_eq!(list.verify(&issuer), Ok(()));
            assert_eq!((list.number(), list.revoked()), (1, &revoked[..]));
            assert_eq!((list.this_update(), list.next_update()), (request.this_update, request.next_update));
            assert_eq!(CertificateList::from_pem(&list.to_pem().unwrap()).unwrap(), list);
            assert!(lint::lint_crl(list.der(), &request, &profile_of(algorithm)).is_ok());
            let other = issue(&self::request(Realm::Rehearsal, algorithm), &signer);
            assert!(list.verify(&other).is_err(), "another issuer name");
        }
    }
}

#[test]
fn a_revocation_list_that_cannot_be_issued_is_refused_with_its_reason() {
    let issuer = issue(&request(Realm::Production, Algorithm::Ed25519), &key(Algorithm::Ed25519, 7));
    type Change = fn(&mut CrlRequest<'_>);
    let cases: [(&str, Change); 7] = [
        ("expected one after", |r| r.next_update = r.this_update),
        ("within the issuer's validity", |r| r.this_update = at("2026-11-22T13:59:59Z")),
        ("within the issuer's validity", |r| r.next_update = at("2051-11-22T14:00:01Z")),
        ("a date up to this update", |r| r.revoked[0].date = at("2026-11-22T14:00:01Z")),
        ("expected it once", |r| r.revoked.push(r.revoked[0].clone())),
        ("positive serial", |r| r.revoked[0].serial = vec![0x80]),
        ("positive serial", |r| r.revoked[0].serial = vec![0]),
    ];
    for (says, change) in cases {
        let mut request = crl_request(&issuer, two_revoked());
        change(&mut request);
        let error = crl::build_tbs(&request).unwrap_err().to_string();
        assert!(error.contains(says), "{says}: {error}");
    }
}

#[test]
fn the_ladder_is_climbed_with_a_throw_away_key_and_only_with_one() {
    for algorithm in quick() {
        let request = request(Realm::Rehearsal, algorithm);
        let (real, throwaway) = (key(algorithm, 7), key(algorithm, 9));
        let tbs = certificate::build_tbs(&request).unwrap();
        assert!(ladder::check_before(&request, &tbs, &throwaway).is_ok());
        let rule = |findings: Vec<lint::Finding>| findings[0].rule;
        assert_eq!(ladder::check_before(&request, &tbs, &real).map_err(rule).err(), Some("ladder.throwaway-key"));
        let other = Algorithm::ALL.into_iter().find(|other| *other != algorithm).unwrap();
        let wrong = ladder::check_before(&request, &tbs, &key(other, 9)).map_err(rule).err();
        assert_eq!(wrong, Some("ladder.throwaway-key"));
        let mut changed = tbs.clone();
        *changed.last_mut().unwrap() ^= 1;
        assert_eq!(ladder::check_before(&request, &changed, &throwaway).map_err(rule).err(), Some("ladder.as-built"));

        let certificate = issue(&request, &real);
        assert!(ladder::check_after(&request, &tbs, certificate.der()).is_ok());
        let swapped = ladder::check_after(&request, &changed, certificate.der()).map_err(rule).err();
        assert_eq!(swapped, Some("ladder.as-approved"));
        let thrown = issue(&request, &throwaway);
        assert_eq!(
            ladder::check_after(&request, &tbs, thrown.der()).map_err(rule).err(),
            Some("cert.signature.verifies")
        );

        let request = crl_request(&certificate, two_revoked());
        let tbs = crl::build_tbs(&request).unwrap();
        let profile = profile_of(algorithm);
        assert!(ladder::check_crl_before(&request, &profile, &tbs, &throwaway).is_ok());
        assert!(ladder::check_crl_after(&request, &profile, &tbs, issue_crl(&request, &real).der()).is_ok());
        let thrown = issue_crl(&request, &throwaway);
        let finding = ladder::check_crl_after(&request, &profile, &tbs, thrown.der()).map_err(rule).err();
        assert_eq!(finding, Some("crl.signature.verifies"));
    }
}

#[test]
fn people_are_shown_every_field() {
    let signer = key(Algorithm::Ed25519, 7);
    let certificate = issue(&request(Realm::Rehearsal, Algorithm::Ed25519), &signer);
    let show = |lines: Vec<render::Line>| {
        lines.into_iter().map(|(label, value)| format!("{label}: {value}\n")).collect::<String>()
    };
    insta::assert_snapshot!("certificate", show(render::certificate_lines(certificate.der()).unwrap()));
    let list = issue_crl(&crl_request(&certificate, two_revoked()), &signer);
    insta::assert_snapshot!("revocation_list", show(render::crl_lines(list.der()).unwrap()));
    let tbs = render::certificate_tbs_lines(certificate.tbs_der()).unwrap();
    assert_eq!(render::certificate_lines(certificate.der()).unwrap()[..tbs.len()], tbs[..]);
}

/// Writes what the outside judges are shown: each algorithm, both realms, an empty list and one with entries. SLH-DSA takes
/// a second for a signature, so one realm of it is enough.
fn write_samples(folder: &std::path::Path, algorithms: impl Iterator<Item = Algorithm>) {
    for algorithm in algorithms {
        let slow = [Algorithm::SlhDsaSha2_128s, Algorithm::SlhDsaSha2_256s].contains(&algorithm);
        for realm in [Realm::Production, Realm::Rehearsal].into_iter().filter(|realm| !slow || realm.is_rehearsal()) {
            let signer = key(algorithm, 7);
            let certificate = issue(&request(realm, algorithm), &signer);
            let name = format!("{algorithm}-{realm}");
            let write = |file: String, text: String| std::fs::write(folder.join(file), text).unwrap();
            write(format!("{name}.crt.pem"), certificate.to_pem().unwrap());
            let empty = issue_crl(&crl_request(&certificate, vec![]), &signer);
            write(format!("{name}.crl.pem"), empty.to_pem().unwrap());
            let full = issue_crl(&crl_request(&certificate, two_revoked()), &signer);
            write(format!("{name}.entries.crl.pem"), full.to_pem().unwrap());
        }
    }
}

#[test]
fn openssl_accepts_every_certificate_and_revocation_list() {
    let folder = tempfile::tempdir().unwrap();
    write_samples(folder.path(), classical());
    let openssl = |arguments: &[&str]| {
        let output = Command::new("openssl").current_dir(folder.path()).args(arguments).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&said));
        String::from_utf8_lossy(&said).into_owned()
    };
    for algorithm in classical() {
        let root = format!("{algorithm}-rehearsal.crt.pem");
        openssl(&["verify", "-x509_strict", "-check_ss_sig", "-attime", "1800000000", "-CAfile", &root, &root]);
        for list in ["crl.pem", "entries.crl.pem"] {
            let said = openssl(&["crl", "-noout", "-CAfile", &root, "-in", &format!("{algorithm}-rehearsal.{list}")]);
            assert!(said.contains("verify OK"), "{said}");
        }
    }
}

/// Runs `tests/judge_pki.py` where its tools are installed (`tests/all` installs them); `ANCHORITE_PKI_SAMPLES` keeps
/// the samples in a folder for running it by hand.
#[test]
fn the_outside_judges_find_nothing() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = root.join("tests/.judges/venv/bin/python");
    if let Some(kept) = std::env::var_os("ANCHORITE_PKI_SAMPLES") {
        write_samples(std::path::Path::new(&kept), Algorithm::ALL.into_iter());
    }
    let full = std::env::var_os("ANCHORITE_TESTS").is_some_and(|size| size == "full");
    if !full || !python.exists() {
        eprintln!("skipped: `tests/all` makes tests/.judges/venv and sets ANCHORITE_TESTS=full");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    write_samples(folder.path(), Algorithm::ALL.into_iter());
    for arguments in [vec![folder.path().as_os_str()], vec!["--self-test".as_ref()]] {
        let output = Command::new(&python).arg(root.join("tests/judge_pki.py")).args(&arguments).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&said));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn what_is_assembled_is_read_back_and_written_again_the_same(
        which in 0..3usize,
        country in proptest::option::of("[A-Z]{2}"),
        organization in "[a-zA-ZåäöÅÄÖ漢,+=#\"]{1,54}",
        common_name in "[a-zA-Z0-9é]{1,20}( [a-zA-Z0-9;<>]{1,20})?",
        from in 0u64..4_000_000_000,
        lasts in 1u64..788_000_000,
        serial in any::<[u8; 20]>(),
        path_len in proptest::option::of(0..=8u8),
        number in any::<u64>(),
        revoked in proptest::collection::btree_map(proptest::collection::vec(1..=0x7f_u8, 1..=20), 0..7usize, 0..5),
    ) {
        let algorithm = Algorithm::ALL[which];
        let mut request = request(Realm::Production, algorithm);
        request.subject = Subject::authority(country.as_deref(), &organization, &common_name).into();
        request.not_before = Instant(from * 1000);
        request.not_after = Instant((from + lasts) * 1000);
        request.serial = serial;
        request.serial[0] = serial[0] & 0x7f | 0x40;
        request.profile.path_len = path_len;
        let signer = key(algorithm, 7);
        let tbs = certificate::build_tbs(&request).unwrap();
        let certificate = issue(&request, &signer);
        prop_assert_eq!(certificate.tbs_der(), &tbs[..]);
        prop_assert_eq!(certificate::assemble(certificate.tbs_der(), certificate.signature_algorithm(), certificate.signature()).unwrap(), certificate.der());
        prop_assert!(lint::lint_certificate(certificate.der(), &request).is_ok());

        let revoked: Vec<Revoked> = revoked.into_iter()
            .map(|(serial, reason)| Revoked { serial, date: request.not_before, reason: Reason::ALL[reason] })
            .collect();
        let list_request = CrlRequest { issuer: &certificate, number, this_update: request.not_before, next_update: request.not_after, revoked };
        let list = issue_crl(&list_request, &signer);
        prop_assert_eq!(list.number(), number);
        prop_assert_eq!(list.revoked(), &list_request.revoked[..]);
        prop_assert_eq!(list.tbs_der(), &crl::build_tbs(&list_request).unwrap()[..]);
    }

    #[test]
    fn an_altered_certificate_is_refused_or_does_not_verify(position in any::<prop::sample::Index>(), change in 1..=255u8) {
        let request = request(Realm::Rehearsal, Algorithm::Ed25519);
        let mut der = issue(&request, &key(Algorithm::Ed25519, 7)).der().to_vec();
        let at = position.index(der.len());
        der[at] ^= change;
        prop_assert!(lint::lint_certificate(&der, &request).is_err());
        if let Ok(altered) = Certificate::parse(&der) {
            prop_assert!(altered.verify_self_signed().is_err());
            prop_assert_eq!(altered.der(), &der[..]);
        }
        let _ = render::certificate_lines(&der);
    }

    #[test]
    fn the_readers_take_any_octets_without_a_panic(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Certificate::parse(&octets);
        let _ = CertificateList::parse(&octets);
        let _ = render::certificate_lines(&octets);
        let _ = render::crl_lines(&octets);
        let _ = pem::from_pem(pem::CERTIFICATE, &String::from_utf8_lossy(&octets));
    }
}
