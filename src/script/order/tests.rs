//! Orders: read as written, refused by what is wrong, and signed by the stock `ssh-keygen`.

use super::{OrderError, RequestOrder, SignedOrder, namespace};
use crate::basics::{Digest, Instant, Realm};
use crate::keys::ssh::allowed_signers::AllowedSigner;
use crate::keys::ssh::{SshPublicKey, SshSigningKey};
use proptest::prelude::*;

fn order() -> RequestOrder {
    RequestOrder {
        format: super::FORMAT.into(),
        key_sha256: Digest::of(b"key"),
        made: Instant::parse("2026-11-26T09:00:00Z").unwrap(),
        not_after: Instant::parse("2026-12-26T09:00:00Z").unwrap(),
        profile: "subca-device".into(),
        purpose: "Issuing 2026 of the factory in Östersund".into(),
        realm: Realm::Production,
        request_sha256: Digest::of(b"request"),
        requester: "alice@example".into(),
    }
}

fn now() -> Instant {
    Instant::parse("2026-11-27T09:00:00Z").unwrap()
}

fn signer(who: &str, realm: Realm, key: SshPublicKey) -> AllowedSigner {
    AllowedSigner { who: who.into(), namespaces: vec![namespace(realm)], key }
}

fn signed(order: &RequestOrder, key: &SshSigningKey) -> SignedOrder {
    let line = order.to_octets().unwrap();
    let signature = key.sign(&namespace(order.realm), &line).unwrap();
    SignedOrder::parse(&[line, signature.into_bytes()].concat()).unwrap()
}

#[test]
fn an_order_signed_by_its_requester_is_followed_and_every_problem_is_said() {
    let (alice, bob) = (SshSigningKey::from_seed(&[1; 32]).unwrap(), SshSigningKey::from_seed(&[2; 32]).unwrap());
    let good = signed(&order(), &alice);
    let enrolled = [signer("alice@example", Realm::Production, alice.public())];
    assert_eq!(good.problems(Realm::Production, &enrolled, now()), Vec::<String>::new());
    assert_eq!(good.differences(b"request", Digest::of(b"key"), "subca-device"), Vec::<String>::new());
    assert_eq!(good.differences(b"other", Digest::of(b"other"), "root-device").len(), 3);

    let said =
        |signed: &SignedOrder, realm, signers: &[AllowedSigner], now| signed.problems(realm, signers, now).join("; ");
    for (part, text) in [
        ("found one for production", said(&good, Realm::Rehearsal, &enrolled, now())),
        ("enrolled for request-order@anchorite", said(&good, Realm::Production, &[], now())),
        ("enrolled for", said(&good, Realm::Production, &[signer("bob", Realm::Production, alice.public())], now())),
        // Enrolled for rehearsals is not enrolled.
        (
            "enrolled for",
            said(&good, Realm::Production, &[signer("alice@example", Realm::Rehearsal, alice.public())], now()),
        ),
        ("expected one by", said(&signed(&order(), &bob), Realm::Production, &enrolled, now())),
        (
            "between its dates",
            said(&good, Realm::Production, &enrolled, Instant::parse("2027-01-01T00:00:00Z").unwrap()),
        ),
        (
            "between its dates",
            said(&good, Realm::Production, &enrolled, Instant::parse("2026-01-01T00:00:00Z").unwrap()),
        ),
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
fn an_order_that_was_changed_or_written_differently_is_refused() {
    let alice = SshSigningKey::from_seed(&[1; 32]).unwrap();
    let line = order().to_octets().unwrap();
    let signature = alice.sign(&namespace(Realm::Production), &line).unwrap();
    let changed = String::from_utf8(line.clone()).unwrap().replace("subca-device", "root-device");
    let forged = SignedOrder::parse(&[changed.as_bytes(), signature.as_bytes()].concat()).unwrap();
    let enrolled = [signer("alice@example", Realm::Production, alice.public())];
    assert!(forged.problems(Realm::Production, &enrolled, now()).join("").contains("over this message"));
    let spaced = String::from_utf8(line.clone()).unwrap().replace(",\"", ", \"");
    for (octets, part) in [
        (line.clone(), "no signature"),
        (line[..line.len() - 1].to_vec(), "no line feed"),
        ([spaced.as_bytes(), signature.as_bytes()].concat(), "canonical"),
        ([&line[..], &[0xff; 9]].concat(), "no text"),
        (vec![b'\n'; 100_000], "too many octets"),
    ] {
        let error = SignedOrder::parse(&octets).unwrap_err().to_string();
        assert!(error.contains(part), "{part} in {error}");
    }
    let with = |change: fn(&mut RequestOrder)| {
        let mut changed = order();
        change(&mut changed);
        changed.to_octets().unwrap_err()
    };
    for error in [
        with(|order| order.format = "anchorite-request-order/2".into()),
        with(|order| order.profile = "Root Device".into()),
        with(|order| order.purpose = String::new()),
        with(|order| order.purpose = "a\u{202e}b".into()),
        with(|order| order.requester = "x".repeat(500)),
        with(|order| order.not_after = order.made),
    ] {
        assert!(matches!(error, OrderError::Value { .. }), "{error}");
    }
}

#[test]
fn ssh_keygen_signs_an_order_and_verifies_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let keygen = |arguments: &[&str]| {
        let output =
            std::process::Command::new("ssh-keygen").current_dir(folder.path()).args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    keygen(&["-q", "-t", "ed25519", "-N", "", "-f", "id"]);
    std::fs::write(path("order.json"), order().to_octets().unwrap()).unwrap();
    keygen(&["-q", "-Y", "sign", "-f", "id", "-n", &namespace(Realm::Production), "order.json"]);
    let read = |name: &str| std::fs::read(path(name)).unwrap();
    let signed = SignedOrder::parse(&[read("order.json"), read("order.json.sig")].concat()).unwrap();
    let key = SshPublicKey::parse(&String::from_utf8(read("id.pub")).unwrap()).unwrap();
    let problems = signed.problems(Realm::Production, &[signer("alice@example", Realm::Production, key)], now());
    assert_eq!(problems, Vec::<String>::new());
}

proptest! {
    #[test]
    fn any_octets_are_an_order_or_refused(octets in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(SignedOrder::parse(&octets).is_err());
    }

    #[test]
    fn what_is_written_is_read_again(purpose in "[a-zA-Zåäö][a-zA-Zåäö ]{0,80}[a-z]", count in 1_u64..1_000_000) {
        let mut order = order();
        order.purpose = purpose;
        order.not_after = Instant(order.made.0 + count * 1_000);
        let octets = order.to_octets().unwrap();
        prop_assert_eq!(RequestOrder::parse(&octets).unwrap(), order);
    }
}
