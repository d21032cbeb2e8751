//! Post-quantum roots from script to evidence, and what the ledger says of keys that a quantum computer endangers.

use crate::program::{anchorite, code, root, said, verify, verify_py};
use std::path::{Path, PathBuf};
use std::process::Command;

/// `small-root` with another algorithm under a post-quantum quorum, in a folder of its own.
fn script_with(folder: &Path, algorithm: &str) -> PathBuf {
    let script = folder.join(algorithm);
    std::fs::create_dir_all(script.join("profiles")).unwrap();
    let from = root().join("ceremony-scripts");
    let profile = "profiles/root-device-pq.toml";
    std::fs::copy(from.join(profile), script.join(profile)).unwrap();
    let mut text = std::fs::read_to_string(from.join("small-root/script.toml")).unwrap();
    let changes = [
        ("algorithm = \"ecdsa-p256\"", format!("algorithm = \"{algorithm}\"")),
        ("profile = \"root-device\"", "profile = \"root-device-pq\"".to_owned()),
    ];
    for (from, to) in changes {
        assert!(text.contains(from), "{from}");
        text = text.replacen(from, &to, 1);
    }
    std::fs::write(script.join("script.toml"), text).unwrap();
    script
}

fn rehearsed(folder: &Path, algorithm: &str) -> PathBuf {
    let script = script_with(folder, algorithm);
    let out = folder.join(format!("{algorithm}-out"));
    let arguments = ["rehearse", script.to_str().unwrap(), "--plain", "--auto", "--seed", "7", "--out"];
    let output = anchorite(&[&arguments[..], &[out.to_str().unwrap()]].concat());
    assert_eq!(code(&output), 0, "{}", said(&output));
    out
}

fn verifies(out: &Path) {
    let evidence = out.join("evidence");
    let signers = evidence.join("allowed_signers");
    for verifier in [verify, verify_py] {
        assert_eq!(verifier(&evidence, &[]).0, 8, "without a pin");
        let (code, said) = verifier(&evidence, &["--signers", signers.to_str().unwrap()]);
        assert_eq!(code, 0, "{said}");
    }
}

/// The judge, where its tools are installed (`tests/all` installs them).
fn node() -> Option<PathBuf> {
    let node = root().join("tests/.judges/npm/node_modules/.bin/node");
    if !node.exists() {
        eprintln!("skipped: tests/.judges/npm is not there; tests/all makes it");
        return None;
    }
    Some(node)
}

fn judged(out: &Path) {
    let Some(node) = node() else { return };
    let artifacts = out.join("evidence/artifacts");
    let named =
        |end: &str| crate::program::files(&artifacts).into_iter().find(|f| f.to_string_lossy().ends_with(end)).unwrap();
    let judge = root().join("tests/judge_pq.mjs");
    let output = Command::new(node).arg(judge).args([named(".crt.pem"), named(".crl.pem")]).output().unwrap();
    let said = said(&output);
    assert!(output.status.success() && said.contains("root and CRL verify"), "{said}");
    let output = Command::new(root().join("tests/judge_recovery")).arg(out).output().unwrap();
    let said = crate::program::said(&output);
    assert!(output.status.success() && said.contains("3 pairs of cards open the vault (hybrid)"), "{said}");
}

#[test]
fn a_lattice_root_rehearses_and_everybody_accepts_what_comes_out() {
    let folder = tempfile::tempdir().unwrap();
    let out = rehearsed(folder.path(), "ml-dsa-87");
    verifies(&out);
    judged(&out);

    let ledger = out.join("state/ledger.sqlite");
    let rebuilt = folder.path().join("rebuilt.sqlite");
    let evidence = out.join("evidence");
    let output = anchorite(&["ledger", "rebuild", rebuilt.to_str().unwrap(), evidence.to_str().unwrap()]);
    assert_eq!(code(&output), 0, "{}", said(&output));
    for ledger in [&ledger, &rebuilt] {
        let keys = said(&anchorite(&["ledger", "keys", ledger.to_str().unwrap()]));
        assert!(keys.contains("ml-dsa-87") && keys.contains("category 5") && keys.contains("mlkem768x25519"), "{keys}");
        let endangered = said(&anchorite(&["ledger", "keys", ledger.to_str().unwrap(), "--quantum-vulnerable"]));
        assert_eq!(endangered.lines().count(), 1, "columns and no row: {endangered}");
    }
}

#[test]
fn the_largest_hash_based_root_fits_through_every_limit() {
    let folder = tempfile::tempdir().unwrap();
    let out = rehearsed(folder.path(), "slh-dsa-sha2-256s");
    verifies(&out);
    judged(&out);
    let certificate = out.join("evidence/artifacts/small-root.crt.pem");
    assert!(std::fs::metadata(certificate).unwrap().len() > 40_000, "30 kB of signature as PEM");
}

#[test]
fn check_refuses_a_post_quantum_authority_or_a_long_lived_one_under_a_classical_quorum_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let script = script_with(folder.path(), "ml-dsa-65").join("script.toml");
    let text = std::fs::read_to_string(&script).unwrap();
    let check = |text: String| {
        std::fs::write(&script, text).unwrap();
        let output = anchorite(&["check", script.parent().unwrap().to_str().unwrap()]);
        (code(&output), said(&output))
    };
    assert_eq!(check(text.clone()).0, 0);
    let classical = text.replace("recipient = \"mlkem768x25519\"\n", "");
    let (exit, told) = check(classical.clone());
    assert_eq!(exit, 3);
    let expected = "authority small-root is post-quantum (ml-dsa-65) and quorum small-root is classical (x25519)";
    assert!(told.contains(expected) && told.contains("add `recipient = \"mlkem768x25519\"`"), "{told}");

    std::fs::copy(
        root().join("ceremony-scripts/profiles/root-device.toml"),
        script.with_file_name("profiles/root-device.toml"),
    )
    .unwrap();
    let short = classical
        .replace("ml-dsa-65", "ecdsa-p256")
        .replace("root-device-pq", "root-device")
        .replace("not_after = \"2046-11-22T00:00:00Z\"", "not_after = \"2035-12-31T23:59:59Z\"");
    let (exit, told) = check(short.clone());
    assert_eq!(exit, 0, "{told}");
    let (exit, told) = check(short.replace("2035-12-31T23:59:59Z", "2036-01-01T00:00:00Z"));
    assert!(exit == 3 && told.contains("nothing that counts after 2035-12-31 is sealed by it"), "{told}");
}

#[test]
fn the_ledger_names_strength_retirement_and_what_a_quantum_computer_endangers() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    crate::program::rehearse("root-ca", &out);
    let ledger = out.join("state/ledger.sqlite");
    let json = |more: &[&str]| -> serde_json::Value {
        let output = anchorite(&[&["ledger", "keys", ledger.to_str().unwrap(), "--json"], more].concat());
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let all = json(&[]);
    let column = |name: &str| all["columns"].as_array().unwrap().iter().position(|c| c == name).unwrap();
    let row = &all["rows"][0];
    assert_eq!(row[column("strength")], "192 bits, classical");
    assert_eq!(row[column("retires")], "2035-12-31");
    assert_eq!(row[column("sealed_to")], "mlkem768x25519");
    assert_eq!(json(&["--quantum-vulnerable"]), all);
}
