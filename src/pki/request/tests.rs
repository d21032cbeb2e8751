//! The judge over vectors that are each named by what is wrong with them, over requests made here, and over any octets.

use super::{Known, Rules, judge};
use crate::basics::Digest;
use crate::keys::{Algorithm, PublicKey, SigningKey};
use crate::pki::oids;
use der::{Decode, Encode};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/requests")
}

fn read(name: &str) -> String {
    std::fs::read_to_string(folder().join(name)).unwrap()
}

fn rules(name: &str) -> Rules {
    Rules::from_toml(&read(&format!("{name}.toml"))).unwrap()
}

fn der(title: &str) -> Vec<u8> {
    der::pem::decode_vec(read(&format!("{title}.pem")).as_bytes()).unwrap().1
}

fn words(der: &[u8], rules: &Rules, known: &Known) -> BTreeSet<String> {
    judge(der, rules, known).reasons.iter().map(|reason| reason.word.to_owned()).collect()
}

#[derive(serde::Deserialize)]
struct Expected {
    reasons: BTreeSet<String>,
    rules: String,
}

#[test]
fn every_vector_is_refused_for_what_it_is_named_for_and_for_nothing_else() {
    let expected: BTreeMap<String, Expected> = serde_json::from_str(&read("expected.json")).unwrap();
    assert!(expected.len() > 80, "{}", expected.len());
    let mut wrong = Vec::new();
    for (title, expected) in &expected {
        let judgement = judge(&der(title), &rules(&expected.rules), &Known::default());
        let found: BTreeSet<String> = judgement.reasons.iter().map(|reason| reason.word.to_owned()).collect();
        if found != expected.reasons {
            let said: Vec<String> = judgement.reasons.iter().map(ToString::to_string).collect();
            wrong.push(format!("{title}: expected {:?}, found {said:#?}", expected.reasons));
        }
        assert_eq!(judgement.acceptable.is_some(), found.is_empty(), "{title}");
        assert_eq!(found.is_empty(), title.starts_with("acceptable"), "{title}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_said_is_what_people_read() {
    let expected: BTreeMap<String, Expected> = serde_json::from_str(&read("expected.json")).unwrap();
    let mut said = String::new();
    for (title, expected) in &expected {
        let judgement = judge(&der(title), &rules(&expected.rules), &Known::default());
        said.push_str(&format!("{title}\n"));
        for reason in judgement.reasons.iter().chain(&judgement.remarks) {
            let text = reason.to_string();
            assert!(text.chars().all(|c| !crate::basics::safe_text::is_dangerous(c)), "{text}");
            // Keys are drawn anew when the vectors are made: what depends on them stays out.
            let text = if text.contains("octet ") { "request, octet N: ...".to_owned() } else { text };
            said.push_str(&format!("    {text}\n"));
        }
    }
    insta::assert_snapshot!("judgements", said);
}

#[test]
fn powers_asked_for_are_said_and_nothing_of_them_is_taken() {
    let judgement = judge(&der("acceptable-asks-for-ca-and-is-not-heard"), &Rules::default(), &Known::default());
    let acceptable = judgement.acceptable.unwrap();
    let remarks: Vec<String> = judgement.remarks.iter().map(ToString::to_string).collect();
    assert_eq!(remarks.len(), 2, "{remarks:?}");
    assert!(remarks.iter().any(|remark| remark.contains("CA true")), "{remarks:?}");
    assert!(judgement.lines.iter().any(|(label, _)| label == "Asks for basicConstraints"), "{:?}", judgement.lines);
    let subject: Vec<(String, &str)> = acceptable.subject().iter().map(|a| (a.word(), a.text.as_str())).collect();
    assert_eq!(
        subject,
        [("C".into(), "SE"), ("O".into(), "Example AB"), ("CN".into(), "Example Issuing CA")] as [(String, &str); 3]
    );
}

#[test]
fn a_key_certified_before_or_other_than_expected_and_a_request_other_than_expected_are_refused() {
    let der = der("acceptable");
    let key = judge(&der, &Rules::default(), &Known::default()).acceptable.unwrap().key().digest();
    let other = Digest::of(b"other");
    let known = |certified: &[Digest], request, key| Known {
        certified: certified.iter().copied().collect(),
        expected_request: request,
        expected_key: key,
        lists: Vec::new(),
    };
    assert_eq!(words(&der, &Rules::default(), &known(&[other], Some(Digest::of(&der)), Some(key))), BTreeSet::new());
    for (word, known) in [
        ("key-certified-before", known(&[key], None, None)),
        ("digest", known(&[], Some(other), None)),
        ("key-unexpected", known(&[], None, Some(other))),
    ] {
        assert_eq!(words(&der, &Rules::default(), &known), BTreeSet::from([word.to_owned()]));
    }
}

#[test]
fn a_list_in_the_format_of_badkeys_is_read_and_used() {
    use super::published_keys::identity;
    use sha2::Digest as _;
    let der = der("acceptable");
    let key = judge(&der, &Rules::default(), &Known::default()).acceptable.unwrap().key().clone();
    let row = |octets: &[u8], list: u8| {
        let digest = sha2::Sha256::digest(octets);
        [&digest[..15], &[list]].concat()
    };
    let mut rows = [row(b"a", 1), row(&identity(&key), 7), row(b"b", 1)];
    rows.sort();
    let list = super::KeyList::parse("blocklist.dat", rows.concat()).unwrap();
    let known = Known { lists: vec![list], ..Known::default() };
    let judgement = judge(&der, &Rules::default(), &known);
    let said: Vec<String> = judgement.reasons.iter().map(ToString::to_string).collect();
    assert_eq!(said, ["key: expected a key whose private half is secret, found one of list 7 of blocklist.dat"]);
    rows.reverse();
    assert!(super::KeyList::parse("x", rows.concat()).unwrap_err().contains("ascending"));
    assert!(super::KeyList::parse("x", vec![0; 17]).unwrap_err().contains("rows of 16 octets, found 17"));
    assert!(super::KeyList::parse("x", Vec::new()).is_err());
}

#[test]
fn the_list_that_comes_with_the_tool_is_in_order_and_not_empty() {
    let list = super::KeyList::built_in();
    let again = super::KeyList::parse("built in", include_bytes!("published_keys.bin").to_vec()).unwrap();
    assert_eq!(list.len(), again.len());
    assert!(list.len() > 10_000, "{}", list.len());
}

/// A request as we would write it, for a key of ours.
fn request(key: &SigningKey, common_name: &str, version: u8) -> Vec<u8> {
    let wrap = |tag: u8, parts: &[&[u8]]| {
        let content = parts.concat();
        let value = der::asn1::Any::new(der::Tag::OctetString, content).unwrap().to_der().unwrap();
        [&[tag], &value[1..]].concat()
    };
    let pair = wrap(0x30, &[&[6, 3, 0x55, 4, 3], &wrap(0x0c, &[common_name.as_bytes()])]);
    let subject = wrap(0x30, &[&wrap(0x31, &[&pair])]);
    let spki = key.public_key();
    let info = wrap(0x30, &[&[2, 1, version], &subject, spki.spki_der(), &[0xa0, 0]]);
    let algorithm = oids::signature_identifier(spki.algorithm()).to_der().unwrap();
    let signature = key.sign(&info).unwrap();
    wrap(0x30, &[&info, &algorithm, &wrap(3, &[&[0], &signature])])
}

fn key(algorithm: Algorithm) -> SigningKey {
    let material: Vec<u8> = (0..96).map(|octet| octet | 1).collect();
    SigningKey::from_material(algorithm, &material[..algorithm.material_octets()]).unwrap()
}

#[test]
fn a_request_for_every_algorithm_of_ours_is_accepted_and_openssl_reads_the_same_key() {
    for algorithm in Algorithm::ALL {
        let der = request(&key(algorithm), "Example", 0);
        let judgement = judge(&der, &Rules::default(), &Known::default());
        assert_eq!(judgement.reasons, [], "{algorithm}");
        let acceptable = judgement.acceptable.unwrap();
        assert_eq!(acceptable.key().as_public_key(), Some(&key(algorithm).public_key()));
        assert_eq!(acceptable.der(), der);
        // The same request by another parser.
        let parsed = x509_cert::request::CertReq::from_der(&der).unwrap();
        let spki = parsed.info.public_key.to_der().unwrap();
        assert_eq!(PublicKey::from_spki_der(&spki).unwrap(), key(algorithm).public_key());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_octets_are_judged_without_a_panic(octets in prop::collection::vec(any::<u8>(), 0..600)) {
        let judgement = judge(&octets, &Rules::default(), &Known::default());
        prop_assert!(judgement.acceptable.is_none());
        prop_assert!(!judgement.reasons.is_empty());
    }

    #[test]
    fn a_request_with_any_octet_changed_is_refused(place in any::<prop::sample::Index>(), change in 1_u8..) {
        let mut der = request(&key(Algorithm::Ed25519), "Example", 0);
        let place = place.index(der.len());
        der[place] ^= change;
        prop_assert!(judge(&der, &Rules::default(), &Known::default()).acceptable.is_none(), "octet {place}");
    }

    #[test]
    fn what_is_accepted_is_written_again_by_another_writer(name in "[A-Za-z0-9 .-]{1,70}") {
        let der = request(&key(Algorithm::Ed25519), &name, 0);
        let judgement = judge(&der, &Rules::default(), &Known::default());
        let good = name.len() <= 64 && name.trim() == name && !name.contains("  ");
        prop_assert_eq!(judgement.acceptable.is_some(), good, "{:?}", judgement.reasons);
        prop_assert_eq!(x509_cert::request::CertReq::from_der(&der).unwrap().to_der().unwrap(), der);
    }

    #[test]
    fn no_text_beyond_ascii_is_accepted_where_the_rules_allow_no_script(name in "\\PC{1,20}") {
        let der = request(&key(Algorithm::Ed25519), &name, 0);
        let accepted = judge(&der, &Rules::default(), &Known::default()).acceptable.is_some();
        prop_assert!(!accepted || name.is_ascii(), "{name}");
    }
}

#[test]
fn rules_say_everything_that_is_wrong_with_them() {
    let text = r#"
keys = ["rsa-1024", "dsa"]
[subject]
required = ["CN", "commonName"]
optional = ["CN"]
scripts = ["Common", "Latinish"]
fixed = { O = "Example" }
"#;
    let problems = Rules::from_toml(text).unwrap_err().join("\n");
    for part in ["\"rsa-1024\"", "\"dsa\"", "\"commonName\"", "one twice", "\"Common\"", "\"Latinish\"", "subject, O:"]
    {
        assert!(problems.contains(part), "{part} in {problems}");
    }
    assert!(Rules::from_toml("powers = \"granted\"").unwrap_err()[0].contains("granted"));
    assert!(Rules::from_toml("power = \"refused\"").unwrap_err()[0].contains("power"));
    let rules = Rules::from_toml(&read("named.toml")).unwrap();
    let json = serde_json::to_string(&rules).unwrap();
    assert_eq!(serde_json::from_str::<Rules>(&json).unwrap(), rules);
}
