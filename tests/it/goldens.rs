//! Every script rehearses, seeded, to exactly the committed golden rendering, and certificates and CRLs to the same octets.
//! `BLESS=1` (or `tests/all --bless`) rewrites goldens and the example evidence folder; reviewers read those differences.

use crate::program::{copy, files, rehearse, root, verify, verify_py};
use std::path::Path;
use std::process::Command;

/// One readable line an entry. What depends on the randomness of `age` (sealed files) is named, not shown: heads, operation
/// digests, the sealed file's digest.
fn rendering(evidence: &Path) -> String {
    let text = std::fs::read_to_string(evidence.join("transcript.jsonl")).unwrap();
    let mut golden = String::new();
    for (number, line) in text.lines().enumerate() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let open = &line["open"];
        if number == 0 {
            let header = &line["header"];
            // What stands from another rehearsal has that one's sealed files in it, and so has the plan.
            let follows = evidence.join("standing.json").exists();
            let plan = if follows { "of what stands".to_owned() } else { header["plan_digest"].to_string() };
            golden += &format!("header {} {} plan {plan}\n", header["realm"], header["ceremony"]);
            continue;
        }
        let body = &line["body"];
        let event = &body["event"];
        let what = event["answer"]["answer"]
            .as_str()
            .or(event["outcome"]["outcome"].as_str())
            .or(body["effect"]["effect"].as_str());
        let what = what.or(event["event"].as_str()).unwrap_or_default();
        let asked = body["asked"]["title"].as_str().unwrap_or_default();
        let name = body["name"].as_str().unwrap_or_default();
        // What was sealed, and a manifest that lists it, are others every time.
        let varies = [".age", ".manifest.json", ".balance.json"].iter().any(|end| name.ends_with(end));
        let digest = if varies { "" } else { body["sha256"].as_str().unwrap_or_default() };
        let simulated = if event["simulated"].as_bool() == Some(true) { " simulated" } else { "" };
        let line = format!(
            "{number:>4} {:<12} {:<9} {:<9} {:<14} {what} {name} {digest} {asked}{simulated}",
            open["step"].as_str().unwrap(),
            open["kind"].as_str().unwrap(),
            open["outcome"].as_str().unwrap(),
            open["role"].as_str().unwrap()
        );
        golden += line.split(' ').collect::<Vec<_>>().join(" ").trim_end();
        golden += "\n";
    }
    for path in files(&evidence.join("artifacts")) {
        let name = path.file_name().unwrap().to_str().unwrap();
        golden += &format!("\n{name}\n{}", shown(name, &std::fs::read(&path).unwrap()));
    }
    golden
}

/// What a golden shows of an artefact: all of it, but for what was sealed and what names a head.
fn shown(name: &str, octets: &[u8]) -> String {
    if name.ends_with(".age") {
        return "sealed\n".to_owned();
    }
    if name.ends_with(".device-keys.bin") {
        return format!("{} device keys\n", octets.len() / 16);
    }
    let text = String::from_utf8(octets.to_vec()).unwrap();
    // A receipt names a manifest, which lists what was sealed.
    if name.ends_with(".balance.json") {
        let mut balance: serde_json::Value = serde_json::from_str(&text).unwrap();
        balance["receipt"].as_object_mut().unwrap().remove("sha256");
        balance.as_object_mut().unwrap().remove("manifest");
        return serde_json::to_string_pretty(&balance).unwrap() + "\n";
    }
    if !name.ends_with(".manifest.json") {
        return text;
    }
    let mut manifest: serde_json::Value = serde_json::from_str(&text).unwrap();
    let manifest = manifest.as_object_mut().unwrap();
    for key in ["files", "ceremony", "previous"] {
        manifest.remove(key);
    }
    serde_json::to_string_pretty(&manifest).unwrap() + "\n"
}

fn same_as_golden(script: &str) {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (folder.path().join("first"), folder.path().join("second"));
    rehearse(script, &first);
    let rendered = rendering(&first.join("evidence"));
    // What follows another ceremony rehearses that one too: once is enough there, the golden itself is another run.
    if !first.join("evidence/standing.json").exists() {
        rehearse(script, &second);
        assert_eq!(rendered, rendering(&second.join("evidence")), "the same seed gives the same record");
    }
    let path = root().join(format!("transcripts/{script}.golden"));
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &rendered).unwrap();
        let example = root().join("transcripts").join(script);
        if script == "root-ca" {
            let _ = std::fs::remove_dir_all(&example);
            copy(&first.join("evidence"), &example);
        }
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        rendered == golden,
        "{script} rehearses to something else than {}: read the difference, then tests/all --bless",
        path.display()
    );
}

#[test]
fn small_root_rehearses_to_its_golden() {
    same_as_golden("small-root");
}

#[test]
fn root_ca_rehearses_to_its_golden() {
    same_as_golden("root-ca");
}

#[test]
fn hierarchy_rehearses_to_its_golden() {
    same_as_golden("hierarchy");
}

#[test]
fn intermediate_rehearses_to_its_golden() {
    same_as_golden("intermediate");
}

#[test]
fn renew_rehearses_to_its_golden() {
    same_as_golden("renew");
}

#[test]
fn cross_sign_rehearses_to_its_golden() {
    same_as_golden("cross-sign");
}

#[test]
fn crl_rehearses_to_its_golden() {
    same_as_golden("crl");
}

#[test]
fn rollover_rehearses_to_its_golden() {
    same_as_golden("rollover");
}

#[test]
fn rollover_pq_rehearses_to_its_golden() {
    same_as_golden("rollover-pq");
}

#[test]
fn factory_bundle_rehearses_to_its_golden() {
    same_as_golden("factory-bundle");
}

#[test]
fn factory_csr_rehearses_to_its_golden() {
    same_as_golden("factory-csr");
}

#[test]
fn factory_delegate_rehearses_to_its_golden() {
    same_as_golden("factory-delegate");
}

#[test]
fn delegated_log_rehearses_to_its_golden() {
    same_as_golden("delegated-log");
}

#[test]
fn receipts_rehearses_to_its_golden() {
    same_as_golden("receipts");
}

#[test]
fn the_example_evidence_folder_verifies() {
    let example = root().join("transcripts/root-ca");
    let golden = std::fs::read_to_string(root().join("transcripts/root-ca.golden")).unwrap();
    assert!(
        rendering(&example) == golden,
        "the example is of another script or program than the golden: tests/all --bless"
    );
    let signers = example.join("allowed_signers");
    for verifier in [verify, verify_py] {
        let (code, said) = verifier(&example, &["--signers", signers.to_str().unwrap()]);
        assert_eq!(code, 0, "{said}");
    }
}

/// Strangers begin with these lines.
#[test]
fn the_commands_of_the_specification_verify_the_example() {
    let transcripts = root().join("transcripts");
    let page = std::fs::read_to_string(transcripts.join("README.md")).unwrap();
    let commands = page.split("## Check one by hand\n```\n").nth(1).unwrap().split("```").next().unwrap();
    let output = Command::new("sh").args(["-euc", commands]).current_dir(&transcripts).output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{said}");
    let example = page.lines().find(|line| line.starts_with("witness-a namespaces=")).unwrap();
    let listed = std::fs::read_to_string(transcripts.join("root-ca/allowed_signers")).unwrap();
    assert!(listed.lines().any(|line| line == example), "{example}");
}

#[test]
fn revoke_bundle_rehearses_to_its_golden() {
    same_as_golden("revoke-bundle");
}

#[test]
fn revoke_unaccounted_rehearses_to_its_golden() {
    same_as_golden("revoke-unaccounted");
}
