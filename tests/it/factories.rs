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
