//! `request check` as people and other programs use it.

use crate::program::{anchorite, code, root, said};
use std::path::Path;

fn vector(name: &str) -> String {
    root().join("tests/vectors/requests").join(name).to_str().unwrap().to_owned()
}

fn json(arguments: &[&str]) -> (i32, serde_json::Value) {
    let output = anchorite(&[&["request", "check", "--json"], arguments].concat());
    (code(&output), serde_json::from_slice(&output.stdout).unwrap())
}

#[test]
fn an_acceptable_request_ends_with_0_and_a_refused_one_with_4_and_every_reason() {
    let (status, acceptable) = json(&[&vector("acceptable.pem")]);
    assert_eq!((status, &acceptable["acceptable"]), (0, &true.into()));
    assert_eq!(acceptable["key"], "ecdsa-p256");
    let (status, refused) = json(&[&vector("subject-greek-and-latin.pem")]);
    assert_eq!((status, &refused["acceptable"]), (4, &false.into()));
    let words: Vec<&str> = refused["reasons"].as_array().unwrap().iter().map(|r| r["word"].as_str().unwrap()).collect();
    assert_eq!(words, ["subject-script", "subject-mixed-script", "subject-homograph"]);
    let said = said(&anchorite(&["request", "check", &vector("asks-for-ca.pem"), "--rules", &vector("refusing.toml")]));
    assert!(said.contains("refused, for 1 reason"), "{said}");
    assert!(
        said.contains("extensions: expected no powers of an authority asked for, found basicConstraints with CA true")
    );
}

#[test]
fn the_expected_digest_is_given_as_digits_or_words() {
    let file = vector("acceptable.pem");
    let (_, facts) = json(&[&file]);
    let (digits, words) = (facts["sha256"].as_str().unwrap(), facts["words"].as_str().unwrap());
    assert_eq!(json(&[&file, "--expect", digits]).0, 0);
    assert_eq!(json(&[&file, "--expect", words]).0, 0);
    let other = words.rsplit_once(' ').unwrap().0.to_owned() + " zoo";
    let (status, refused) = json(&[&file, "--expect", &other]);
    assert_eq!((status, refused["reasons"][0]["word"].as_str()), (4, Some("digest")));
    assert_eq!(code(&anchorite(&["request", "check", &file, "--expect", "three words only"])), 2);
}

#[test]
fn der_is_read_too_and_what_is_no_request_is_refused_by_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, octets: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, octets).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let pem = std::fs::read_to_string(Path::new(&vector("acceptable.pem"))).unwrap();
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let der = data_encoding::BASE64.decode(body.as_bytes()).unwrap();
    assert_eq!(json(&[&write("request.der", &der)]).0, 0);
    for (name, octets, found) in [
        ("empty", b"".as_slice(), "no PEM block"),
        ("key.pem", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "PRIVATE KEY"),
        ("two.pem", pem.repeat(2).as_bytes(), "more than one PEM block"),
    ] {
        let output = anchorite(&["request", "check", &write(name, octets)]);
        assert_eq!(code(&output), 4, "{name}");
        assert!(said(&output).contains(found), "{name}: {}", said(&output));
    }
    let wrong = write("rules.toml", b"keys = [\"dsa\"]\n");
    let output = anchorite(&["request", "check", &vector("acceptable.pem"), "--rules", &wrong]);
    assert_eq!(code(&output), 3);
    assert!(said(&output).contains("found \"dsa\""), "{}", said(&output));
    assert_eq!(code(&anchorite(&["request", "check", "no-such-file"])), 1);
}

#[test]
fn an_order_is_made_signed_with_ssh_keygen_and_checked_with_the_request_it_is_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let order = |arguments: &[&str]| anchorite(&[&["request", "order"], arguments].concat());
    let request = vector("acceptable.pem");
    let made = ["--requester", "alice@example", "--profile", "subca-device", "--purpose", "Issuing 2026"];
    let make = |out: &str, until: &str| {
        let rest = ["--realm", "production", "--not-after", until, "--out", out];
        order(&[&["make", request.as_str()][..], &made[..], &rest[..]].concat())
    };
    let output = make(&path("order.json"), "2099-01-01T00:00:00Z");
    assert_eq!(code(&output), 0, "{}", said(&output));
    assert!(said(&output).contains("ssh-keygen -Y sign -n request-order@anchorite"), "{}", said(&output));
    assert_eq!(code(&make(&path("order.json"), "2099-01-01T00:00:00Z")), 1, "never overwritten");
    assert_eq!(code(&make(&path("late.json"), "tomorrow")), 2);
    assert_eq!(code(&make(&path("late.json"), "2001-01-01T00:00:00Z")), 2);
    let keygen = |arguments: &[&str]| {
        let output = std::process::Command::new("ssh-keygen").args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    keygen(&["-q", "-t", "ed25519", "-N", "", "-f", &path("id")]);
    keygen(&["-q", "-Y", "sign", "-f", &path("id"), "-n", "request-order@anchorite", &path("order.json")]);
    let read = |name: &str| std::fs::read_to_string(path(name)).unwrap();
    std::fs::write(path("signed"), read("order.json") + &read("order.json.sig")).unwrap();
    let key: Vec<String> = read("id.pub").split(' ').take(2).map(|word| word.trim().to_owned()).collect();
    let signers = format!("alice@example namespaces=\"request-order@anchorite\" {}\n", key.join(" "));
    std::fs::write(path("allowed_signers"), signers).unwrap();
    let check = |realm: &str, request: &str| {
        let (file, signers) = (path("signed"), path("allowed_signers"));
        let output = order(&["check", &file, "--signers", &signers, "--realm", realm, "--request", request, "--json"]);
        let facts: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        (code(&output), facts["problems"].as_array().unwrap().len())
    };
    assert_eq!(check("production", &request), (0, 0));
    assert_eq!(check("rehearsal", &request), (4, 2));
    // Another request with the same key: the request differs, the key does not.
    assert_eq!(check("production", &vector("acceptable-asks-for-ca-and-is-not-heard.pem")), (4, 1));
}
