//! Every vector is found by the rule it is named for, nothing is found in what this tool makes, and no octets make it panic.

use super::{Finding, certificate, revocation_list};
use crate::basics::Realm;
use crate::keys::Algorithm;
use crate::pki::crl::{CrlRequest, Reason, Revoked};
use crate::pki::pem;
use crate::pki::profile::BUILT_IN;
use crate::pki::tests::chains::{chain, key_of, profile, root};
use crate::pki::tests::{at, issue_crl, two_revoked};
use proptest::prelude::*;
use std::path::PathBuf;

fn vectors() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/inspect")
}

fn vector(name: &str, label: &'static str) -> Vec<u8> {
    pem::lenient(label, &std::fs::read(vectors().join(format!("{name}.pem"))).unwrap()).unwrap()
}

fn rules(findings: &[Finding]) -> Vec<&str> {
    findings.iter().map(|finding| finding.rule).collect()
}

#[test]
fn every_vector_is_found_by_the_rule_it_is_named_for() {
    let text = std::fs::read_to_string(vectors().join("expected.json")).unwrap();
    let expected: serde_json::Value = serde_json::from_str(&text).unwrap();
    let issuer = vector("issuer", pem::CERTIFICATE);
    let (mut both, mut kinds) = (0, std::collections::BTreeSet::new());
    for (name, row) in expected.as_object().unwrap() {
        let findings = if row["list"] == true {
            revocation_list(&vector(name, pem::CRL), Some(&issuer), None).1
        } else {
            certificate(&vector(name, pem::CERTIFICATE), Some(&issuer), None).1
        };
        match row["rule"].as_str() {
            None => assert_eq!(findings, [], "{name}"),
            Some(rule) => {
                assert!(rules(&findings).contains(&rule), "{name}: expected {rule}, found {findings:?}");
                if !row["pkilint"].as_array().unwrap().is_empty() {
                    both += 1;
                    kinds.insert(rule.to_owned());
                }
            }
        }
    }
    assert!(both >= 21 && kinds.len() >= 21, "{both} vectors, {} rules that pkilint finds too", kinds.len());
    let files = std::fs::read_dir(vectors())
        .unwrap()
        .filter(|file| file.as_ref().unwrap().path().extension() == Some("pem".as_ref()));
    assert_eq!(files.count(), expected.as_object().unwrap().len() + 1, "each file has its row");
}

#[test]
fn nothing_is_found_in_what_this_tool_makes() {
    for realm in [Realm::Production, Realm::Rehearsal] {
        for (name, _) in BUILT_IN {
            let chain = chain(realm, name);
            let issuer = chain.get(1).map(|issuer| issuer.der());
            let (facts, findings) = certificate(chain[0].der(), issuer, Some(&profile(name)));
            // An initial device identity ends after its issuer, and must (IEEE 802.1AR).
            let expected: &[&str] = if *name == "idevid" { &["issuer.validity"] } else { &[] };
            assert_eq!(rules(&findings), expected, "{name}: {findings:?}");
            assert_eq!(facts.unwrap().digest(), chain[0].digest());
            if profile(name).kind.is_authority() && *name != "cross-ca" {
                for revoked in [vec![], two_revoked()] {
                    let this_update = at("2026-11-23T00:00:00Z");
                    let request = CrlRequest {
                        issuer: &chain[0],
                        number: 1,
                        this_update,
                        next_update: at("2026-12-01T00:00:00Z"),
                        revoked,
                    };
                    let list = issue_crl(&request, &key_of(name));
                    let (_, findings) = revocation_list(list.der(), Some(chain[0].der()), None);
                    assert_eq!(findings, [], "{name}");
                }
            }
        }
    }
}

#[test]
fn an_issuer_that_is_not_the_issuer_is_said_to_be_none() {
    let realm = Realm::Production;
    let chain = chain(realm, "tls-client");
    let judged = |issuer: &[u8]| {
        let (_, findings) = certificate(chain[0].der(), Some(issuer), None);
        findings.iter().map(|finding| finding.rule).collect::<Vec<_>>()
    };
    assert_eq!(judged(chain[1].der()), Vec::<&str>::new());
    let other = judged(root(realm, "root-cabf").der());
    assert_eq!(other, ["issuer.name", "issuer.key-identifier", "issuer.signature"]);
    assert!(judged(chain[0].der()).contains(&"issuer.authority"));
    assert_eq!(judged(b"nothing"), ["issuer.readable"]);
    let (_, findings) =
        certificate(chain[1].der(), Some(root(realm, "root-device").der()), Some(&profile("subca-codesign")));
    let rules = rules(&findings);
    for rule in ["profile.request", "cert.extended-key-usage.as-profile"] {
        assert!(rules.contains(&rule), "{rule}: {rules:?}");
    }
    let (_, findings) = certificate(chain[0].der(), None, Some(&profile("tls-client")));
    assert_eq!(findings[0].rule, "profile.issuer");
}

#[test]
fn lists_that_do_not_follow_are_told_why() {
    let issuer = root(Realm::Production, "root-device");
    let signer = key_of("root-device");
    let list = |number, this: &str, revoked: Vec<Revoked>| {
        let request = CrlRequest {
            issuer: &issuer,
            number,
            this_update: at(this),
            next_update: at("2027-10-01T00:00:00Z"),
            revoked,
        };
        issue_crl(&request, &signer).der().to_vec()
    };
    let first = list(255, "2026-11-23T00:00:00Z", two_revoked());
    let judged = |next: &[u8]| -> Vec<&'static str> {
        let (_, findings) = revocation_list(next, Some(issuer.der()), Some(&first));
        findings.iter().map(|finding| finding.rule).collect()
    };
    assert_eq!(judged(&list(256, "2027-01-01T00:00:00Z", two_revoked())), Vec::<&str>::new());
    assert_eq!(judged(&list(255, "2027-01-01T00:00:00Z", two_revoked())), ["previous.number"]);
    assert_eq!(judged(&list(257, "2027-01-01T00:00:00Z", two_revoked())), ["previous.number"]);
    assert_eq!(
        judged(&list(1, "2027-01-01T00:00:00Z", vec![])),
        ["previous.number", "previous.entry-gone", "previous.entry-gone"]
    );
    let mut moved = two_revoked();
    moved[0].date = at("2026-11-20T00:00:00Z");
    moved[1].reason = Reason::CaCompromise;
    assert_eq!(
        judged(&list(256, "2026-11-22T20:00:00Z", moved)),
        ["previous.this-update", "previous.entry-date", "previous.entry-reason"]
    );
    assert_eq!(judged(&first[..50]), ["der.readable", "crl.readable"]);
}

#[test]
fn a_list_with_an_algorithm_or_key_that_cannot_be_verified_is_not_passed_over() {
    let issuer = root(Realm::Production, "root-device");
    let mut octets = issuer.der().to_vec();
    let (_, findings) = certificate(&octets, None, None);
    assert_eq!(findings, []);
    *octets.last_mut().unwrap() ^= 1;
    let (_, findings) = certificate(&octets, None, None);
    assert_eq!(rules(&findings), ["issuer.signature"], "a self-signed one is verified by itself");
    assert_eq!(profile("root-device").algorithms[0], Algorithm::EcdsaP384);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn no_octets_make_it_panic(octets in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = certificate(&octets, Some(&octets), Some(&profile("root-device")));
        let _ = revocation_list(&octets, Some(&octets), Some(&octets));
    }

    /// Any one octet of a certificate and of a list changed: something is found, or it is the very signature's spelling.
    #[test]
    fn a_changed_octet_is_found(at in any::<proptest::sample::Index>(), bit in 0..8u8) {
        let chain = chain(Realm::Production, "subca-device");
        let mut octets = chain[0].der().to_vec();
        let place = at.index(octets.len());
        octets[place] ^= 1 << bit;
        let (_, findings) = certificate(&octets, Some(chain[1].der()), None);
        prop_assert!(!findings.is_empty(), "octet {} bit {}", place, bit);
    }
}
