//! What became of every device: proofs held against what was issued, findings that hold up orders until they are explained, what is
//! not proven revoked.

use crate::program::{anchorite, code, copy, rehearse, root, said};
use anchorite::basics::digest::{hex_decode, hex_encode};
use anchorite::basics::{Digest, Instant, Realm};
use anchorite::cli::{earlier, script_files};
use anchorite::factory::{Outcome, Receipt, State, merkle, returned::Returned};
use anchorite::keys::ssh::SshSigningKey;
use anchorite::plan::Standing;
use std::path::Path;

const DAY: u64 = 24 * 60 * 60 * 1_000;

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
    // More than one list holds is said before the day, with what to do instead.
    let revoke = root().join("ceremony-scripts/revoke-unaccounted");
    let fits = earlier::script_after(&revoke, Realm::Rehearsal, Some(&here.join("good")));
    let mut large = fits.unwrap_or_else(|f| panic!("{}", f.message)).plan.standing.unwrap();
    large.factories.get_mut("ostrava").unwrap().bundles[0].count = 100_000;
    let failure = script_files::read_after(&revoke, Realm::Rehearsal, Some(large)).err().unwrap();
    let said_of_it = "99983 entries, expected at most 30000: revoke the issuing authority's own certificate instead";
    assert!(failure.message.contains(said_of_it), "{}", failure.message);

    let octets = std::fs::read(here.join("good/state/incoming/lamps-1.receipt.json")).unwrap();
    let honest = Returned::parse(&octets).unwrap();

    // One proof is another device's, one is missing, one outcome is about another record; the factory signs all of it.
    let (lying, octets) = again(&honest, |_, all| {
        let other = all[1].proof.clone();
        all[0].proof = other;
        all[2].proof.clear();
        all[3].record = Digest::of(b"another record");
        (all[19].state, all[19].line) = (State::Verified, 1);
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

    // Nor do they settle what was found of records, or forget which were proven.
    let (next, _) = again(&lying, |receipt, _| {
        receipt.sequence += 1;
        receipt.made = Instant(receipt.made.0 + 1);
        receipt.ledger_entries += 1;
    });
    incoming(&here.join("numbers-2"), &Returned { outcomes: String::new(), ..next.clone() });
    let follows = [
        ("follows = \"lamps-1-2026\"", "follows = \"lamps-receipts-1\""),
        ("id = \"lamps-receipts-1\"", "id = \"lamps-receipts-2\""),
    ];
    let second = script(&here, "receipts", &follows);
    let output = played.run(&second, "lied", Some("numbers-2"), "forgetful");
    assert_eq!(code(&output), 0, "{}", said(&output));
    let balance = played.balance("forgetful");
    assert_eq!((&balance["each_record"], &balance["proven"]), (&false.into(), &14.into()));
    // What cannot be: a number that would lock out all others, a ledger that did not grow, drawn on no line, a proof taken back.
    let (far, _) = again(&next, |receipt, _| receipt.sequence = u64::from(u32::MAX));
    incoming(&here.join("far"), &far);
    let output = played.run(&second, "lied", Some("far"), "far-out");
    assert!(code(&output) != 0 && said(&output).contains("(sequence)"), "{}", said(&output));
    // A receipt from the future would lock out all that follow it; a time that no clock shows is none.
    let (ahead, _) = again(&next, |receipt, _| receipt.made = Instant(receipt.made.0 + 60 * 365 * DAY));
    incoming(&here.join("ahead"), &ahead);
    let output = played.run(&second, "lied", Some("ahead"), "ahead-out");
    assert!(code(&output) != 0 && said(&output).contains("`rehearsed_at`"), "{}", said(&output));
    assert!(!here.join("ahead-out/evidence/artifacts/lamps-1.balance.json").exists());
    // One that leaves a record out is balanced by its numbers.
    let (short, _) = again(&next, |receipt, all| {
        all.truncate(19);
        receipt.count = 19;
    });
    incoming(&here.join("short"), &short);
    let output = played.run(&second, "lied", Some("short"), "short-out");
    assert_eq!(code(&output), 0, "{}", said(&output));
    let findings = played.balance("short-out")["findings"].to_string();
    assert!(findings.contains("20 identities were issued, 19 are accounted for"), "{findings}");
    let (timeless, _) = again(&next, |_, all| all[0].changed = Instant(u64::MAX));
    incoming(&here.join("timeless"), &timeless);
    let output = played.run(&second, "lied", Some("timeless"), "timeless-out");
    assert!(code(&output) != 0 && said(&output).contains("9999-12-31T23:59:59Z"), "{}", said(&output));
    let (odd, _) = again(&next, |receipt, all| {
        (receipt.sequence, receipt.ledger_entries) = (receipt.sequence + 2, 3);
        receipt.refusals.clear();
        all[4].line = 0;
        all[5].state = State::Injected;
        all[5].proof.clear();
        (all[6].changed, all[8].changed) = (Instant(receipt.made.0 + DAY), Instant(0));
    });
    incoming(&here.join("odd"), &odd);
    let output = played.run(&second, "lied", Some("odd"), "odd-out");
    assert_eq!(code(&output), 0, "{}", said(&output));
    let findings = played.balance("odd-out")["findings"].to_string();
    for expected in [
        "1 drawn on no line, or in stock and yet on one: LAMP-00000005; records 4",
        "records 4-5 were proven and are not any more",
        "receipts 2 to 3 of this bundle never came",
        "2 of a time after the receipt was made, or before there was a bundle: LAMP-00000007, LAMP-00000009; records 6,8",
        "the station's ledger has 3 entries",
    ] {
        assert!(findings.contains(expected), "expected {expected:?} in {findings}");
    }

    // Findings are explained one by one, and are known from then on.
    let changes = [
        ("follows = \"lamps-1-2026\"", "follows = \"lamps-receipts-2\""),
        ("id = \"lamps-receipts-1\"", "id = \"lamps-explained\""),
        ("kind = \"reconcile\"", "kind = \"explain-findings\""),
        ("receipt = \"lamps-1\"\n", "factory = \"ostrava\"\n"),
    ];
    let text = std::fs::read_to_string(root().join("ceremony-scripts/receipts/script.toml")).unwrap();
    let taking = &text
        [text.find("[[act.step]]\nid = \"receipt\"").unwrap()..text.find("[[act.step]]\nid = \"balance\"").unwrap()];
    let explain = script(&here, "receipts", &[&changes[..], &[(taking, "")]].concat());
    let output = played.run(&explain, "forgetful", None, "explained");
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

fn run(arguments: &[&str]) -> (i32, String) {
    let output = anchorite(arguments);
    (code(&output), said(&output))
}

/// The ledger's word about bundles and devices, made again from the records, and checked by the Python verifier; a signature over a manifest
/// added; devices of a firmware version ordered again, their old certificates withdrawn once the new ones are proven.
#[test]
fn the_ledger_tells_every_device_and_the_next_certificates_replace_the_old_ones() {
    let played = Played { folder: tempfile::tempdir().unwrap() };
    let here = played.folder.path().to_owned();
    let at = |name: &str| here.join(name).to_str().unwrap().to_owned();
    rehearse("revoke-unaccounted", &here.join("end"));
    let receipts = "end-after-lamps-receipts-1";
    let made = &format!("{receipts}-after-lamps-1-2026");
    let hierarchy = &format!("{made}-after-hierarchy-2026");
    let ledger = at("ledger.sqlite");
    let evidence = [hierarchy.as_str(), made, receipts, "end"].map(|of| at(&format!("{of}/evidence")));
    let mut arguments = vec!["ledger", "rebuild", &ledger];
    arguments.extend(evidence.iter().map(String::as_str));
    assert_eq!(run(&arguments).0, 0);
    let (exit, text) = run(&["ledger", "bundles", &ledger, "--factory", "ostrava", "--json"]);
    assert_eq!(exit, 0, "{text}");
    let bundles: serde_json::Value = serde_json::from_str(&text).unwrap();
    let bundle = &bundles[0];
    assert_eq!(
        (&bundle["count"], &bundle["proven"], &bundle["open"]),
        (&20.into(), &17.into(), &"".into()),
        "{bundle}"
    );
    assert_eq!(bundle["revoked"][0]["records"], "7,17,19");
    assert_eq!(bundle["opened_by"], serde_json::json!(["custodian-c", "custodian-d"]));
    assert_eq!(bundle["chain"], serde_json::json!(["issuing-a", "root-2026"]));
    assert_eq!(run(&["ledger", "bundles", &ledger, "--factory", "lyon", "--json"]).1.trim(), "[]");
    for (verb, what) in
        [("bundles", "no bundle of factory lyon"), ("delegated", "no authority in a factory's own module")]
    {
        let (exit, text) = run(&["ledger", verb, &ledger, "--factory", "lyon"]);
        assert!(exit == 0 && text.contains(what) && text.contains("lamps-receipts-1"), "{text}");
        assert!(text.contains("anchorite ledger rebuild OUT EVIDENCE"), "{text}");
        let (exit, text) = run(&["ledger", verb, here.to_str().unwrap()]);
        assert!(exit == 2 && text.contains("found a folder"), "{text}");
    }

    let issued = at(&format!("{made}/issued"));
    let (exit, told) = run(&["ledger", "device", &ledger, "LAMP-00000008", "--issued", &issued, "--json"]);
    assert_eq!(exit, 0, "{told}");
    let device: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!((&device[0]["state"], &device[0]["proven"]), (&"scrapped".into(), &false.into()), "{told}");
    assert_eq!(device[0]["revoked"]["reason"], "cessation-of-operation");
    let folder = std::fs::read_dir(here.join(made).join("bundles")).unwrap().flatten().next().unwrap().path();
    let manifest = folder.join("manifest.json");
    std::fs::write(here.join("device.json"), &told).unwrap();
    let python = |told: &str| {
        let verifier = root().join("media/bundle.py");
        let output =
            std::process::Command::new("python3").arg(verifier).arg("device").arg(told).arg(&manifest).output();
        let output = output.unwrap();
        (code(&output), said(&output))
    };
    assert_eq!(python(&at("device.json")).0, 0, "{}", python(&at("device.json")).1);
    for (from, to) in [("\"record\":7", "\"record\":6"), ("LAMP-00000008", "LAMP-00000009"), ("1.4.0", "1.4.1")] {
        let forged = told.replace(from, to);
        assert_ne!(forged, told, "{from}");
        std::fs::write(here.join("forged.json"), forged).unwrap();
        let refused = python(&at("forged.json"));
        assert_eq!(refused.0, 4, "{from}: {}", refused.1);
    }
    let (exit, text) = run(&["ledger", "device", &ledger, "LAMP-99999999", "--issued", &issued]);
    assert!(exit != 0 && text.contains("in no bundle"), "{text}");

    // Somebody who was not in the room signs the manifest on a machine of their own.
    let key = SshSigningKey::from_seed(&[3; 32]).unwrap();
    let octets = std::fs::read(&manifest).unwrap();
    let signature = key.sign(&Realm::Rehearsal.namespace("bundle"), &octets).unwrap();
    std::fs::write(here.join("signature"), &signature).unwrap();
    std::fs::write(here.join("other"), key.sign(&Realm::Rehearsal.namespace("bundle"), b"another").unwrap()).unwrap();
    let line = |who: &str, key: &SshSigningKey| {
        format!("{who} namespaces=\"rehearsal-bundle@anchorite\" {}\n", key.public().line())
    };
    let other = SshSigningKey::from_seed(&[4; 32]).unwrap();
    std::fs::write(here.join("signers"), line("zoe", &key) + &line("yan", &other)).unwrap();
    let (folder, signers) = (folder.to_str().unwrap(), at("signers"));
    let add = |who: &str, signature: &str| {
        run(&["bundle", "sign", folder, "--as", who, "--signature", &at(signature), "--signers", &signers])
    };
    for (who, signature, expected) in [
        ("zoe", "other", "a signature over this manifest"),
        ("yan", "signature", "a signature by yan, as listed"),
        ("xia", "signature", "one of zoe, yan"),
    ] {
        let (exit, text) = add(who, signature);
        assert!(exit == 4 && text.contains(expected), "{who}: {text}");
    }
    let (exit, text) = add("zoe", "signature");
    assert!(exit == 0 && text.contains("signed by zoe"), "{text}");
    let theirs = other.sign(&Realm::Rehearsal.namespace("bundle"), &octets).unwrap();
    std::fs::write(here.join("theirs"), theirs).unwrap();
    let there = Path::new(folder).join("manifest.json.yan.sig");
    std::fs::write(&there, "something else").unwrap();
    assert_ne!(add("yan", "theirs").0, 0, "nothing is overwritten");
    assert_eq!(std::fs::read_to_string(&there).unwrap(), "something else");
    assert_eq!(std::fs::read_to_string(Path::new(folder).join("manifest.json.zoe.sig")).unwrap(), signature);

    // All devices of a firmware version, and the order for their next certificates.
    let (like, order) = (root().join("ceremony-scripts/factory-bundle/rehearsal/lamps-1.order.toml"), at("next.toml"));
    let arguments = ["ledger", "devices", &ledger, "--firmware", "1.4.0", "--issued", &issued, "--like"];
    let (exit, text) = run(&[&arguments[..], &[like.to_str().unwrap(), "--order", &order]].concat());
    assert_eq!(exit, 0, "{text}");
    let text = std::fs::read_to_string(&order).unwrap();
    assert!(text.contains("count = 17") && text.contains("records = \"0-6,8-16,18\""), "{text}");
    assert!(!text.contains("LAMP-00000008"), "what was withdrawn gets no new certificate: {text}");

    let changes = [
        ("follows = \"hierarchy-2026\"", "follows = \"lamps-1-expired\"\nrehearsed_at = \"2027-03-02T09:00:00Z\""),
        ("id = \"lamps-1-2026\"", "id = \"lamps-2-2027\""),
        ("order = \"lamps-1\"", "order = \"lamps-2\""),
        ("bundle = \"lamps-1\"", "bundle = \"lamps-2\""),
        ("bundles = [\"lamps-1\"]", "bundles = [\"lamps-2\"]"),
        ("object = \"order\"\nname = \"lamps-1\"", "object = \"order\"\nname = \"lamps-2\""),
    ];
    let next = script(&here, "factory-bundle", &changes);
    let coming = text
        .replace("expires = \"2027-02-26T00:00:00Z\"", "expires = \"2027-06-26T00:00:00Z\"")
        .replace("version = \"1.4.0\"", "version = \"1.5.0\"");
    // Two devices exchanged: each would get the certificate that replaces the other's.
    let exchanged = coming
        .replace("LAMP-00000001", "LAMP-x")
        .replace("LAMP-00000002", "LAMP-00000001")
        .replace("LAMP-x", "LAMP-00000002");
    for (name, order) in [("exchanged", &exchanged), ("coming", &coming)] {
        std::fs::create_dir(here.join(name)).unwrap();
        std::fs::write(here.join(name).join("lamps-2.order.toml"), order).unwrap();
    }
    let output = played.run(&next, "end", Some("exchanged"), "exchanged-out");
    assert!(
        code(&output) != 0 && said(&output).contains("expected LAMP-00000001, which has record 0"),
        "{}",
        said(&output)
    );
    let output = played.run(&next, "end", Some("coming"), "second");
    assert_eq!(code(&output), 0, "{}", said(&output));
    let mut changes = vec![
        ("id = \"lamps-receipts-1\"", "id = \"lamps-receipts-2\""),
        ("follows = \"lamps-1-2026\"", "follows = \"lamps-2-2027\"\nrehearsed_at = \"2027-04-01T09:00:00Z\""),
        ("name = \"lamps-1\"", "name = \"lamps-2\""),
        ("receipt = \"lamps-1\"", "receipt = \"lamps-2\""),
    ];
    let output = played.run(&script(&here, "receipts", &changes), "second", None, "second-receipt");
    assert_eq!(code(&output), 0, "{}", said(&output));
    changes = vec![
        ("follows = \"lamps-receipts-1\"", "follows = \"lamps-receipts-2\""),
        ("id = \"lamps-1-expired\"", "id = \"lamps-1-replaced\""),
        ("rehearsed_at = \"2027-03-01T09:00:00Z\"", "rehearsed_at = \"2027-04-02T09:00:00Z\""),
        ("state = \"unverified\"", "state = \"replaced\""),
        ("this_update = \"2027-03-01T08:00:00Z\"", "this_update = \"2027-04-02T08:00:00Z\""),
        ("next_update = \"2027-03-28T08:00:00Z\"", "next_update = \"2027-04-28T08:00:00Z\""),
    ];
    let output = played.run(&script(&here, "revoke-unaccounted", &changes), "second-receipt", None, "replaced");
    assert_eq!(code(&output), 0, "{}", said(&output));
    let stands = played.standing("replaced");
    let bundle = &stands.factories["ostrava"].bundles[0];
    // Of the seventeen one was scrapped (the eighth) and the last is still in stock: fifteen are proven.
    let revoked: Vec<String> = bundle.revoked.iter().map(|group| group.records.to_string()).collect();
    assert_eq!(revoked, ["7,17,19"], "as the last list was taken up");
    let list = std::process::Command::new("openssl")
        .args(["crl", "-noout", "-text", "-in"])
        .arg(here.join("replaced/evidence/artifacts/issuing-a.3.crl.pem"))
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&list.stdout).matches("Serial Number").count(), 18);
    let kept = here.join("second/issued");
    let (_, told) = {
        let more = at("more.sqlite");
        let mut arguments = vec!["ledger", "rebuild", &more];
        let last = at("second/evidence");
        arguments.extend(evidence.iter().map(String::as_str).chain([last.as_str()]));
        assert_eq!(run(&arguments).0, 0);
        run(&["ledger", "device", &more, "LAMP-00000002", "--issued", kept.to_str().unwrap(), "--json"])
    };
    let device: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!(device.as_array().unwrap().len(), 2, "{told}");
    assert_eq!(device[1]["replaces"], device[0]["serial"], "the lineage names the certificate before");
    assert_eq!((&device[1]["firmware"]["version"], &device[1]["record"]), (&"1.5.0".into(), &1.into()));
}
