//! What became of every device: proofs held against what was issued, findings that hold up orders until they are explained, what is
//! not proven revoked.

use crate::program::{anchorite, code, copy, rehearse, root, said};
use anchorite::basics::digest::{hex_decode, hex_encode};
use anchorite::basics::{Digest, Realm};
use anchorite::factory::{Outcome, Receipt, State, merkle, returned::Returned};
use anchorite::keys::ssh::SshSigningKey;
use anchorite::plan::Standing;
use std::path::Path;

/// The simulated factory's receipt key follows from its name.
fn receipt_key(factory: &str) -> SshSigningKey {
    let seed = Digest::tagged("rehearsal-station", Realm::Rehearsal, &[factory.as_bytes(), b"receipt-key".as_slice()]);
    SshSigningKey::from_seed(seed.octets()).unwrap()
}

fn outcomes(octets: &[u8]) -> Vec<Outcome> {
    let (mut rest, mut found) = (octets, Vec::new());
    while !rest.is_empty() {
        let (outcome, used) = Outcome::read(rest).unwrap();
        found.push(outcome);
        rest = &rest[used..];
    }
    found
}

/// A receipt that says something else, signed again by the factory: it may lie, and it cannot make proofs.
fn again(returned: &Returned, change: impl Fn(&mut Receipt, &mut Vec<Outcome>)) -> (Returned, Vec<u8>) {
    let mut receipt = returned.receipt.clone();
    let mut all = outcomes(&hex_decode(&returned.outcomes).unwrap());
    change(&mut receipt, &mut all);
    receipt.states = State::ALL.into_iter().map(|state| (state, 0)).collect();
    all.iter().for_each(|outcome| *receipt.states.entry(outcome.state).or_default() += 1);
    let octets: Vec<u8> = all.iter().flat_map(Outcome::to_octets).collect();
    receipt.outcomes_root = merkle::root(all.iter().map(Outcome::leaf));
    receipt.outcomes_sha256 = Digest::of(&octets);
    let signed = receipt.to_octets().unwrap();
    let signature = receipt_key("ostrava").sign(&Realm::Rehearsal.namespace("receipt"), &signed).unwrap();
    (Returned { outcomes: hex_encode(&octets), receipt, signature }, octets)
}

struct Played {
    folder: tempfile::TempDir,
}

impl Played {
    fn run(&self, script: &str, after: &str, incoming: Option<&str>, out: &str) -> std::process::Output {
        let at = |name: &str| self.folder.path().join(name).to_str().unwrap().to_owned();
        let (after, out) = (at(after), at(out));
        let mut arguments =
            vec!["rehearse", script, "--plain", "--auto", "--seed", "7", "--after", &after, "--out", &out];
        let incoming = incoming.map(at);
        arguments.extend(incoming.iter().flat_map(|folder| ["--incoming", folder.as_str()]));
        anchorite(&arguments)
    }

    fn balance(&self, of: &str) -> serde_json::Value {
        let path = self.folder.path().join(of).join("evidence/artifacts/lamps-1.balance.json");
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
    }

    fn standing(&self, of: &str) -> Standing {
        let path = self.folder.path().join(of).join("evidence/standing.json");
        Standing::parse(&std::fs::read(path).unwrap(), Realm::Rehearsal).unwrap()
    }
}

fn incoming(folder: &Path, returned: &Returned) {
    std::fs::create_dir(folder).unwrap();
    std::fs::write(folder.join("lamps-1.receipt.json"), returned.to_octets().unwrap()).unwrap();
}

/// A script that follows another, by changes to one of ours.
fn script(folder: &Path, of: &str, changes: &[(&str, &str)]) -> String {
    let made = folder.join("script-folder");
    let _ = std::fs::remove_dir_all(&made);
    copy(&root().join("ceremony-scripts").join(of), &made.join("script"));
    copy(&root().join("ceremony-scripts/profiles"), &made.join("profiles"));
    let path = made.join("script/script.toml");
    let mut text = std::fs::read_to_string(&path).unwrap();
    for (from, to) in changes {
        assert!(text.contains(from), "{from}");
        text = text.replacen(from, to, 1);
    }
    std::fs::write(&path, text).unwrap();
    made.join("script").to_str().unwrap().to_owned()
}

#[test]
fn what_a_factory_says_without_a_proof_is_a_finding_until_it_is_explained_and_revoked_when_the_bundle_expires() {
    let played = Played { folder: tempfile::tempdir().unwrap() };
    let here = played.folder.path().to_owned();
    rehearse("receipts", &here.join("good"));
    let bundle = "good-after-lamps-1-2026";
    let balance = played.balance("good");
    assert_eq!((&balance["proven"], &balance["unverified"], &balance["attested"]), (&17.into(), &3.into(), &0.into()));
    let octets = std::fs::read(here.join("good/state/incoming/lamps-1.receipt.json")).unwrap();
    let honest = Returned::parse(&octets).unwrap();

    // One proof is another device's, one is missing, one outcome is about another record; the factory signs all of it.
    let (lying, octets) = again(&honest, |_, all| {
        let other = all[1].proof.clone();
        all[0].proof = other;
        all[2].proof.clear();
        all[3].record = Digest::of(b"another record");
        all[19].state = State::Verified;
    });
    incoming(&here.join("lies"), &lying);
    let output = played.run("ceremony-scripts/receipts", bundle, Some("lies"), "lied");
    assert_eq!(code(&output), 0, "{}", said(&output));
    let balance = played.balance("lied");
    let findings = balance["findings"].to_string();
    for expected in [
        "1 with a proof of possession that its certificate's key did not make: LAMP-00000001; records 0",
        "2 said to be verified, without a proof of possession: LAMP-00000003, LAMP-00000020; records 2,19",
        "1 about another record than the one that was issued: LAMP-00000004; records 3",
    ] {
        assert!(findings.contains(expected), "expected {expected:?} in {findings}");
    }
    assert_eq!((&balance["recorded"]["verified"], &balance["proven"]), (&18.into(), &14.into()));

    // The same from a file beside the receipt, which has no outcomes in it.
    let beside = Returned { outcomes: String::new(), ..lying.clone() };
    incoming(&here.join("beside"), &beside);
    std::fs::write(here.join("beside/lamps-1.outcomes.cbor"), &octets).unwrap();
    let output = played.run("ceremony-scripts/receipts", bundle, Some("beside"), "beside-out");
    assert_eq!(code(&output), 0, "{}", said(&output));
    assert_eq!(played.balance("beside-out")["receipt"]["account"], balance["receipt"]["account"]);
    // Another file than the one that was signed for, or other records than those that left, balance nothing.
    std::fs::write(here.join("beside/lamps-1.outcomes.cbor"), &octets[..octets.len() - 1]).unwrap();
    let output = played.run("ceremony-scripts/receipts", bundle, Some("beside"), "cut");
    assert!(code(&output) != 0 && said(&output).contains("outcome"), "{}", said(&output));
    std::fs::write(here.join("beside/lamps-1.outcomes.cbor"), &octets).unwrap();
    let kept = crate::program::files(&here.join(bundle).join("issued")).remove(0);
    let whole = std::fs::read(&kept).unwrap();
    let mut other = whole.clone();
    let at = other.len() - 5;
    other[at] ^= 1;
    std::fs::write(&kept, other).unwrap();
    let output = played.run("ceremony-scripts/receipts", bundle, Some("beside"), "other-records");
    assert!(code(&output) != 0 && said(&output).contains("issued records: root"), "{}", said(&output));
    std::fs::write(&kept, whole).unwrap();

    // Numbers alone prove nothing.
    std::fs::remove_file(here.join("beside/lamps-1.outcomes.cbor")).unwrap();
    let output = played.run("ceremony-scripts/receipts", bundle, Some("beside"), "numbers");
    assert_eq!(code(&output), 0, "{}", said(&output));
    assert_eq!(played.balance("numbers")["unverified"], 20);

    // Findings are explained one by one, and are known from then on.
    let changes = [
        ("follows = \"lamps-1-2026\"", "follows = \"lamps-receipts-1\""),
        ("id = \"lamps-receipts-1\"", "id = \"lamps-explained\""),
        ("kind = \"reconcile\"", "kind = \"explain-findings\""),
        ("receipt = \"lamps-1\"\n", "factory = \"ostrava\"\n"),
    ];
    let text = std::fs::read_to_string(root().join("ceremony-scripts/receipts/script.toml")).unwrap();
    let taking = &text
        [text.find("[[act.step]]\nid = \"receipt\"").unwrap()..text.find("[[act.step]]\nid = \"balance\"").unwrap()];
    let explain = script(&here, "receipts", &[&changes[..], &[(taking, "")]].concat());
    let output = played.run(&explain, "lied", None, "explained");
    assert_eq!(code(&output), 0, "{}", said(&output));
    assert_eq!(played.standing("explained").factories["ostrava"].findings.len(), 3);
    let written = std::fs::read_to_string(here.join("explained/evidence/artifacts/balance.explained.json")).unwrap();
    assert_eq!(written.matches("\"finding\":\"bundle lamps-1: ").count(), 3, "{written}");
    assert!(written.contains("\"exception\":3"));

    // What no device has proven goes on the list once the bundle has expired, and not before.
    let early = script(
        &here,
        "revoke-unaccounted",
        &[
            ("follows = \"lamps-receipts-1\"", "follows = \"lamps-explained\""),
            ("rehearsed_at = \"2027-03-01T09:00:00Z\"", "rehearsed_at = \"2027-02-25T09:00:00Z\""),
        ],
    );
    let output = played.run(&early, "explained", None, "early");
    assert!(code(&output) != 0 && said(&output).contains("holds until 2027-02-26"), "{}", said(&output));
    let late =
        script(&here, "revoke-unaccounted", &[("follows = \"lamps-receipts-1\"", "follows = \"lamps-explained\"")]);
    let output = played.run(&late, "explained", None, "late");
    assert_eq!(code(&output), 0, "{}", said(&output));
    let stands = played.standing("late");
    let factory = &stands.factories["ostrava"];
    assert_eq!((factory.findings.len(), factory.explained.len()), (0, 3));
    let list = std::process::Command::new("openssl")
        .args(["crl", "-noout", "-text", "-in"])
        .arg(here.join("late/evidence/artifacts/issuing-a.2.crl.pem"))
        .output()
        .unwrap();
    let list = String::from_utf8_lossy(&list.stdout).into_owned();
    assert_eq!(list.matches("Serial Number").count(), 6, "{list}");
}
