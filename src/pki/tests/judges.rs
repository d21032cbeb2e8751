//! Chains of every profile, and certificates by chance, before the outside judges; and that what is issued is exactly what
//! the profile says, whatever is asked for.

use super::chains::{chain, full_additions, full_subject, issuer_of, key_of, profile, request_for};
use super::{at, issue, issue_crl, two_revoked};
use crate::basics::{Instant, Realm};
use crate::pki::certificate::{self, Certificate};
use crate::pki::crl::CrlRequest;
use crate::pki::name::{Attribute, Subject, SubjectName, marked};
use crate::pki::profile::{BUILT_IN, Kind};
use crate::pki::{inspect, lint};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::path::{Path, PathBuf};
use std::process::Command;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn python() -> Option<PathBuf> {
    // Minutes of other people's programs: `tests/all` asks for them.
    if std::env::var_os("ANCHORITE_TESTS").is_none_or(|size| size != "full") {
        return None;
    }
    let python = Path::new(ROOT).join("tests/.judges/venv/bin/python");
    if !python.exists() {
        eprintln!("skipped: tests/.judges/venv is not there; tests/all makes it");
        return None;
    }
    Some(python)
}

fn judge(arguments: &[&std::ffi::OsStr]) {
    let Some(python) = python() else { return };
    let script = Path::new(ROOT).join("tests/judge_chains.py");
    let output = Command::new(python).arg(script).args(arguments).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&said));
}

/// `PROFILE.REALM.crt.pem`, and for authorities a list with entries beside it.
fn write_samples(folder: &Path) {
    for realm in [Realm::Production, Realm::Rehearsal] {
        for (name, _) in BUILT_IN {
            let certificate = chain(realm, name).remove(0);
            let write = |file: String, text: String| std::fs::write(folder.join(file), text).unwrap();
            write(format!("{name}.{realm}.crt.pem"), certificate.to_pem().unwrap());
            let profile = profile(name);
            // The list of a cross-certified authority is that of its own certificate.
            if !profile.kind.is_authority() || profile.kind == Kind::Cross {
                continue;
            }
            let this_update = at("2026-11-23T00:00:00Z");
            let next_update = at("2026-12-01T00:00:00Z");
            let request =
                CrlRequest { issuer: &certificate, number: 7, this_update, next_update, revoked: two_revoked() };
            let list = issue_crl(&request, &key_of(name));
            assert!(lint::lint_crl(list.der(), &request, &profile).is_ok(), "{name}");
            write(format!("{name}.{realm}.crl.pem"), list.to_pem().unwrap());
        }
    }
}

/// `ANCHORITE_CHAIN_SAMPLES` keeps the samples in a folder for running the judges by hand.
#[test]
fn the_outside_judges_find_nothing_in_chains_of_every_profile() {
    if let Some(kept) = std::env::var_os("ANCHORITE_CHAIN_SAMPLES") {
        write_samples(Path::new(&kept));
    }
    if python().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    write_samples(folder.path());
    judge(&[folder.path().as_os_str()]);
    judge(&["--self-test".as_ref(), folder.path().as_os_str()]);
}

#[derive(Debug, Clone)]
struct Chance {
    which: usize,
    realm: Realm,
    words: Vec<String>,
    serial: [u8; 20],
    seconds: u64,
    keep: Vec<bool>,
}

fn chance() -> impl Strategy<Value = Chance> {
    // SLH-DSA and ML-DSA roots are judged by their own tests: they are slow to sign with.
    let which = 0..BUILT_IN.len();
    let words = proptest::collection::vec("[A-Za-z0-9åäöéñ漢'(),./:?-]{1,12}( [A-Za-z0-9åäö]{1,10}){0,2}", 9);
    let keep = proptest::collection::vec(any::<bool>(), 16);
    (which, any::<bool>(), words, any::<[u8; 20]>(), 0..1_000_000_u64, keep).prop_map(
        |(which, production, words, serial, seconds, keep)| Chance {
            which,
            realm: if production { Realm::Production } else { Realm::Rehearsal },
            words,
            serial,
            seconds,
            keep,
        },
    )
}

/// A certificate by chance: any profile, any subject it allows, any part of what it leaves open. Linted, read back, inspected.
fn certificate_by_chance(chance: &Chance) -> (Certificate, Subject) {
    let (name, _) = BUILT_IN[chance.which];
    let (realm, profile) = (chance.realm, profile(name));
    let above = issuer_of(name).map(|above| chain(realm, above).remove(0));
    let mut request = request_for(name, realm, above.as_ref());
    request.serial = chance.serial;
    request.serial[0] = chance.serial[0] & 0x3f | 0x40;
    let mut subject = full_subject(&profile);
    for (index, attribute) in Attribute::ALL.into_iter().enumerate() {
        let optional = profile.subject.optional.contains(&attribute) && !matches!(attribute, Attribute::MatterVid);
        match attribute {
            _ if subject.get(attribute).is_none() => {}
            _ if optional && !chance.keep[index] => subject.set(attribute, None),
            Attribute::Country | Attribute::MatterVid | Attribute::MatterPid => {}
            Attribute::SerialNumber => subject.set(attribute, Some(format!("SN-{}", chance.seconds))),
            // Matter certificates are small.
            _ if profile.max_octets.is_some() => {
                subject.set(attribute, Some(chance.words[index].chars().take(8).collect::<String>().trim().to_owned()));
            }
            _ => subject.set(attribute, Some(chance.words[index].clone())),
        }
    }
    let subject = marked(realm, &subject);
    if profile.kind != Kind::Cross {
        request.subject = subject.clone().into();
    }
    if !profile.never_ends {
        request.not_after = Instant(request.not_after.0 - chance.seconds * 1000);
    }
    let mut additions = full_additions(&profile, realm);
    if !chance.keep[10] && profile.crl_distribution.presence != crate::pki::profile::Presence::Required {
        additions.crl_urls.clear();
    }
    if !chance.keep[11] {
        additions.ocsp_urls.clear();
    }
    if !chance.keep[12] {
        additions.issuer_urls.clear();
    }
    if !chance.keep[13] {
        additions.alternative_names.clear();
    }
    if !chance.keep[14] {
        additions.lineage = None;
    }
    request.additions = additions;
    assert_eq!(request.check(), Vec::<String>::new(), "{name} {subject}");
    let certificate = issue(&request, &key_of(issuer_of(name).unwrap_or(name)));
    assert_eq!(lint::lint_certificate(certificate.der(), &request).map(|_| ()), Ok(()), "{name}");
    let issuer = above.as_ref().map(Certificate::der);
    let (_, findings) = inspect::certificate(certificate.der(), issuer, Some(&profile));
    let ends_later =
        |finding: &lint::Finding| finding.rule == "issuer.validity" && profile.may_outlive_issuer(request.not_after);
    let findings: Vec<_> = findings.into_iter().filter(|finding| !ends_later(finding)).collect();
    assert_eq!(findings, [], "{name} {subject}");
    assert_eq!(certificate::build_tbs(&request).unwrap(), certificate.tbs_der());
    if let SubjectName::Fields(subject) = &request.subject {
        assert_eq!(&certificate.subject().unwrap(), subject, "a subject comes back as it was");
    }
    (certificate, subject)
}

#[test]
fn two_hundred_certificates_by_chance_pass_our_lint_and_pkilint() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { cases: 200, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let count = std::cell::Cell::new(0);
    runner
        .run(&chance(), |chance| {
            let (certificate, _) = certificate_by_chance(&chance);
            std::fs::write(folder.path().join(format!("{:03}.crt.pem", count.get())), certificate.to_pem().unwrap())
                .unwrap();
            count.set(count.get() + 1);
            Ok(())
        })
        .unwrap();
    assert!(count.get() >= 200);
    judge(&["--lint".as_ref(), folder.path().as_os_str()]);
}
