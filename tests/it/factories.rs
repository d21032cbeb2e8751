//! The ceremony's side of factories: a factory enrolled and an order carried out, by the real program; and what is refused.

use crate::program::{anchorite, code, copy, rehearse, root, said, verify, verify_py};
use std::path::{Path, PathBuf};
use std::process::Command;

const FOLDER: &str = "factory-bundle";

/// A copy of the script's folder whose order is changed.
fn with_order(folder: &Path, from: &str, to: &str) -> PathBuf {
    let scripts = folder.join("scripts");
    for name in ["profiles", "hierarchy", FOLDER] {
        copy(&root().join("ceremony-scripts").join(name), &scripts.join(name));
    }
    let order = scripts.join(FOLDER).join("rehearsal/lamps-1.order.toml");
    let text = std::fs::read_to_string(&order).unwrap();
    assert!(text.contains(from), "{from}");
    std::fs::write(&order, text.replacen(from, to, 1)).unwrap();
    scripts.join(FOLDER)
}

fn only_folder(inside: &Path) -> PathBuf {
    let mut found: Vec<PathBuf> = std::fs::read_dir(inside).unwrap().flatten().map(|entry| entry.path()).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

#[test]
fn an_order_is_carried_out_and_both_verifiers_and_a_stranger_agree() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    rehearse(FOLDER, &out);
    let evidence = out.join("evidence");
    let signers = evidence.join("allowed_signers");
    for verifier in [verify, verify_py] {
        let (code, said) = verifier(&evidence, &["--signers", signers.to_str().unwrap()]);
        assert_eq!(code, 0, "{said}");
    }
    let bundle = only_folder(&out.join("bundles"));
    let checked = anchorite::bundles::check(&bundle, None, 0).unwrap();
    assert_eq!((checked.manifest.count, checked.manifest.sequence, checked.signatures), (20, 1, 5));
    assert_eq!(checked.manifest.shards(), 3);
    // The artefact is the manifest itself.
    let artefact = std::fs::read(evidence.join("artifacts/lamps-1.manifest.json")).unwrap();
    assert_eq!(artefact, std::fs::read(bundle.join("manifest.json")).unwrap());
    // What is on the stick is the bundle, as any tar unpacks it.
    let exports = out.join("media/factory");
    let tar = crate::program::files(&exports).into_iter().find(|path| path.extension().is_some_and(|e| e == "tar"));
    let unpacked = folder.path().join("unpacked");
    std::fs::create_dir(&unpacked).unwrap();
    let status = Command::new("tar").arg("xf").arg(tar.unwrap()).arg("-C").arg(&unpacked).status().unwrap();
    assert!(status.success());
    assert_eq!(anchorite::bundles::check(&unpacked, None, 0).unwrap().digest, checked.digest);
    // No one here has an identity: its serials are on no line of the record but as what they follow from.
    let record = std::fs::read_to_string(evidence.join("transcript.jsonl")).unwrap();
    assert!(!record.contains("PRIVATE KEY") && !record.contains("AGE-SECRET-KEY"));
    assert!(record.contains("\"effect\":\"issue-bundle\""));
}

#[test]
fn an_order_over_the_quota_or_for_another_factory_is_refused_before_a_share_is_typed() {
    for (from, to, class) in [
        ("count = 20", "count = 50001", "(malformed)"),
        ("factory = \"ostrava\"", "factory = \"lyon\"", "(wrong-factory)"),
        ("product = \"lamp\"", "product = \"switch\"", "(quota)"),
        ("expires = \"2027-02-26T00:00:00Z\"", "expires = \"2026-11-22T00:00:00Z\"", "(expired)"),
        ("realm = \"rehearsal\"", "realm = \"production\"", "(wrong-realm)"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let script = with_order(folder.path(), from, to);
        let out = folder.path().join("out");
        let (script, to_out) = (script.to_str().unwrap(), out.to_str().unwrap());
        let output = anchorite(&["rehearse", script, "--plain", "--auto", "--seed", "7", "--out", to_out]);
        assert_ne!(code(&output), 0, "{to}");
        assert!(said(&output).contains(class), "{to}: {}", said(&output));
        assert!(!out.join("bundles").exists(), "{to}");
        let record = std::fs::read_to_string(out.join("evidence/transcript.jsonl")).unwrap();
        assert!(!record.contains("\"purpose\":\"unlock\"") && !record.contains("\"effect\":\"unlock\""), "{to}");
    }
}

/// Custodians come for nothing where an order cannot be carried out: it is refused where it comes in, by samples of its certificates.
#[test]
fn an_order_whose_certificates_cannot_be_issued_is_refused_where_it_comes_in() {
    let long = "common_name = \"Lamp of the finest make and the most careful finish {device}\"";
    for (from, to, words) in [
        ("common_name = \"Lamp {device}\"", long, "expected 1 to 64"),
        ("not_after = \"2031-11-21T00:00:00Z\"", "not_after = \"2041-11-21T00:00:00Z\"", "expected an end not after"),
        (
            "not_before = \"2026-11-22T00:00:00Z\"",
            "not_before = \"2026-11-21T00:00:00Z\"",
            "a begin not before the issuer's",
        ),
        ("[subject]", "[matter]\nvendor_id = \"FFF1\"\nproduct_id = \"8000\"\n[subject]", "expected no"),
        ("algorithm = \"ecdsa-p256\"", "algorithm = \"ml-dsa-44\"", "expected an algorithm of profile ldevid"),
        (
            "profile = \"ldevid\"",
            "profile = \"idevid\"",
            "order: profile: expected ldevid, as the script says, found idevid",
        ),
        ("organization = \"Example Devices\"\n", "", "expected organization"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let script = with_order(folder.path(), from, to);
        let out = folder.path().join("out");
        let (script, to_out) = (script.to_str().unwrap(), out.to_str().unwrap());
        let output = anchorite(&["rehearse", script, "--plain", "--auto", "--seed", "7", "--out", to_out]);
        let said = said(&output).split_whitespace().collect::<Vec<_>>().join(" ");
        assert_ne!(code(&output), 0, "{to}");
        assert!(said.to_lowercase().contains(&words.to_lowercase()) && said.contains("order lamps-1:"), "{to}: {said}");
        let record = std::fs::read_to_string(out.join("evidence/transcript.jsonl")).unwrap();
        assert!(!record.contains("\"step\":\"unlock\""), "{to}");
    }
}

#[test]
fn a_script_whose_bundles_nobody_could_issue_is_a_problem_when_it_is_checked() {
    let check = |from: &str, to: &str| {
        let folder = tempfile::tempdir().unwrap();
        for name in ["profiles", FOLDER] {
            copy(&root().join("ceremony-scripts").join(name), &folder.path().join(name));
        }
        let path = folder.path().join(FOLDER).join("script.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{from}");
        std::fs::write(&path, text.replacen(from, to, 1)).unwrap();
        let output = anchorite(&["check", folder.path().join(FOLDER).to_str().unwrap()]);
        (code(&output), said(&output))
    };
    let records = "shard_records = 8";
    for (from, to, words) in [
        (records, "shard_records = 8\nlineage_oid = \"2.5.29.15\"", "lineage: expected a private object identifier"),
        (records, "shard_records = 8\nlineage_oid = \"1.2.x\"", "lineage: expected a private object identifier"),
        (records, "shard_records = 8\nhardware_type = \"1.2.x\"", "hardware"),
        ("http://pki.example/issuing-a.crl", "https://pki.example/issuing-a.crl", "CRL address: expected http://"),
    ] {
        let (code, said) = check(from, to);
        assert_eq!(code, 3, "{to}: {said}");
        assert!(
            said.contains(words) && said.contains("step bundle: no certificate of profile ldevid by issuing-a"),
            "{to}: {said}"
        );
    }
    assert_eq!(check(records, "shard_records = 9").0, 0);
}

#[test]
fn a_device_whose_certificate_stands_gets_no_other_from_the_next_order() {
    let folder = tempfile::tempdir().unwrap();
    let (first, issued) = (folder.path().join("first"), folder.path().join("first/issued"));
    rehearse(FOLDER, &first);
    let script = with_order(folder.path(), "version = \"1.4.0\"", "version = \"1.4.1\"");
    let path = script.join("script.toml");
    let mut text = std::fs::read_to_string(&path).unwrap();
    for (from, to) in [
        ("follows = \"hierarchy-2026\"", "follows = \"lamps-1-2026\""),
        ("id = \"lamps-1-2026\"", "id = \"lamps-2-2026\""),
        ("order = \"lamps-1\"", "order = \"lamps-2\""),
        ("bundle = \"lamps-1\"", "bundle = \"lamps-2\""),
        ("bundles = [\"lamps-1\"]", "bundles = [\"lamps-2\"]"),
        ("object = \"order\"\nname = \"lamps-1\"", "object = \"order\"\nname = \"lamps-2\""),
    ] {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    std::fs::write(&path, text).unwrap();
    let order = std::fs::read_to_string(script.join("rehearsal/lamps-1.order.toml")).unwrap();
    let next = |name: &str, order: &str| {
        std::fs::write(script.join("rehearsal/lamps-2.order.toml"), order).unwrap();
        let (out, after) = (folder.path().join(name), first.to_str().unwrap());
        let (script, to) = (script.to_str().unwrap(), out.to_str().unwrap());
        let output =
            anchorite(&["rehearse", script, "--plain", "--auto", "--seed", "7", "--after", after, "--out", to]);
        let record = std::fs::read_to_string(out.join("evidence/transcript.jsonl")).unwrap_or_default();
        let unlocked = record.contains("\"effect\":\"unlock\"");
        (code(&output), said(&output).split_whitespace().collect::<Vec<_>>().join(" "), unlocked)
    };
    let (exit, text, unlocked) = next("again", &order);
    assert!(exit != 0 && !unlocked, "{text}");
    assert!(text.contains("LAMP-00000001 (record 0 of bundle lamps-1)") && text.contains("and 18 more"), "{text}");
    // One of twenty is enough.
    let (exit, text, _) = next("one", &order.replace("first = 1,", "first = 20,"));
    assert!(exit != 0 && text.contains("found LAMP-00000020 (record 19 of bundle lamps-1) (replay)"), "{text}");
    let fresh = order.replace("first = 1,", "first = 21,");
    let (exit, text, unlocked) = next("fresh", &fresh);
    assert!(exit == 0 && unlocked, "{text}");
    // Without what was kept nobody knows.
    std::fs::rename(&issued, folder.path().join("elsewhere")).unwrap();
    let (exit, text, unlocked) = next("unknown", &fresh);
    assert!(exit != 0 && !unlocked && text.contains("expected what was kept of this bundle or log"), "{text}");
}
