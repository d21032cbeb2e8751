//! Damage and forgery: both verifiers find the same first bad place, and a whole forgery is refuted as soon as anything is
//! pinned.

use crate::program::{copy, full, rehearse, verify, verify_py};
use anchorite::basics::{Digest, Realm, canonical};
use anchorite::keys::ssh::SshSigningKey;
use anchorite::transcript::{Checkpoint, Record, sums};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn evidence(folder: &Path) -> PathBuf {
    let out = folder.join("out");
    rehearse("small-root", &out);
    out.join("evidence")
}

fn relist(folder: &Path) {
    let mut listed = BTreeMap::new();
    for path in crate::program::files(folder) {
        let name = path.strip_prefix(folder).unwrap().display().to_string();
        listed.insert(name, std::fs::read(path).unwrap());
    }
    listed.remove(sums::FILE_NAME);
    std::fs::write(folder.join(sums::FILE_NAME), sums::render(&listed)).unwrap();
}

type Damage = (&'static str, fn(&mut Vec<String>));
type FolderDamage = Box<dyn Fn(&Path)>;

/// Damages to the lines of a record that leave the chain as it was.
const DAMAGES: [Damage; 10] = [
    ("a line removed", |lines| drop(lines.remove(20))),
    ("a line doubled", |lines| lines.insert(20, lines[20].clone())),
    ("two lines swapped", |lines| lines.swap(20, 21)),
    ("cut after a line", |lines| lines.truncate(40)),
    ("a letter changed in an answer", |lines| lines[7] = lines[7].replacen("AB", "GH", 1)),
    ("a time changed", |lines| lines[30] = lines[30].replacen("\"time\":1", "\"time\":2", 1)),
    ("an outcome changed", |lines| lines[7] = lines[7].replacen("\"outcome\":\"agreed\"", "\"outcome\":\"given\"", 1)),
    ("a space added", |lines| lines[9] = lines[9].replacen(':', ": ", 1)),
    ("a key added", |lines| lines[9] = lines[9].replacen('{', "{\"a\":1,", 1)),
    ("the header's ceremony changed", |lines| lines[0] = lines[0].replacen("small-root-2026", "small-root-2027", 1)),
];

#[test]
fn both_verifiers_find_the_same_first_bad_place() {
    let folder = tempfile::tempdir().unwrap();
    let original = evidence(folder.path());
    for (index, (what, damage)) in DAMAGES.into_iter().enumerate() {
        let damaged = folder.path().join(format!("damaged-{index}"));
        copy(&original, &damaged);
        let path = damaged.join("transcript.jsonl");
        let before = std::fs::read_to_string(&path).unwrap();
        let mut lines: Vec<String> = before.lines().map(|l| format!("{l}\n")).collect();
        damage(&mut lines);
        assert_ne!(lines.concat(), before, "{what}");
        std::fs::write(&path, lines.concat()).unwrap();
        relist(&damaged);
        let (rust, ours) = verify(&damaged, &[]);
        let (python, theirs) = verify_py(&damaged, &[]);
        assert_eq!(rust, 4, "{what}: {ours}");
        assert_eq!(python, 4, "{what}: {theirs}");
        assert_eq!(ours["first_bad"], theirs["first_bad"], "{what}\n{ours}\n{theirs}");
    }
}

#[test]
fn files_around_the_record_cannot_be_changed_removed_or_added() {
    let folder = tempfile::tempdir().unwrap();
    let original = evidence(folder.path());
    let mut cases: Vec<(String, FolderDamage)> = Vec::new();
    for path in crate::program::files(&original) {
        let name = path.strip_prefix(&original).unwrap().display().to_string();
        if name == sums::FILE_NAME || name == "VERIFY.txt" || name == "report.html" || name == "allowed_signers" {
            continue;
        }
        let changed = name.clone();
        cases.push((
            format!("{name} changed"),
            Box::new(move |folder| {
                let mut octets = std::fs::read(folder.join(&changed)).unwrap();
                let middle = octets.len() / 2;
                octets[middle] ^= 1;
                std::fs::write(folder.join(&changed), octets).unwrap();
            }),
        ));
    }
    cases.push((
        "an artefact added".to_owned(),
        Box::new(|f| std::fs::write(f.join("artifacts/x.crt.pem"), "x").unwrap()),
    ));
    cases.push((
        "an artefact removed".to_owned(),
        Box::new(|f| std::fs::remove_file(f.join("artifacts/small-root.crt.pem")).unwrap()),
    ));
    for (index, (what, damage)) in cases.iter().enumerate().step_by(if full() { 1 } else { 3 }) {
        let damaged = folder.path().join(format!("damaged-{index}"));
        copy(&original, &damaged);
        damage(&damaged);
        relist(&damaged);
        let (rust, ours) = verify(&damaged, &[]);
        assert_eq!(rust, 4, "{what}: {ours}");
        // A profile means something only to the engine that resolves the plan.
        if !what.starts_with("profiles/") {
            let (python, theirs) = verify_py(&damaged, &[]);
            assert_eq!(python, 4, "{what}: {theirs}");
            assert_eq!(ours["first_bad"], theirs["first_bad"], "{what}");
        }
    }
}

#[test]
fn every_flipped_octet_of_the_record_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let octets = std::fs::read(evidence(folder.path()).join("transcript.jsonl")).unwrap();
    let whole = Record::read(&octets).unwrap();
    // Lines before the flipped one are checked the same way each time: a prefix of the record is enough.
    let prefix: usize = octets.split_inclusive(|o| *o == b'\n').take(8).map(<[u8]>::len).sum();
    for at in (0..prefix).step_by(if full() { 1 } else { 11 }) {
        let mut flipped = octets[..prefix].to_vec();
        flipped[at] ^= 1 << (at % 7);
        assert!(Record::read(&flipped).is_err_and(|bad| bad.entry <= 8), "octet {at}");
    }
    for (cut, _) in octets.iter().enumerate().filter(|(at, o)| **o != b'\n' && at % 997 == 0) {
        assert!(Record::read(&octets[..=cut]).is_err(), "cut at {cut}");
    }
    assert_eq!(whole.lines.len() + 1, whole.heads.len());
}

/// Rewrites everything: another answer, a fresh chain, run key and attestations of its own, `allowed_signers` swapped.
fn forge(folder: &Path) {
    let realm = Realm::Rehearsal;
    let text = std::fs::read_to_string(folder.join("transcript.jsonl")).unwrap();
    let run = SshSigningKey::from_seed(&[9; 32]).unwrap();
    let mut lines: Vec<Value> = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let people = ["ada", "grace"];
    let keys: Vec<SshSigningKey> = (1..=2).map(|n| SshSigningKey::from_seed(&[n; 32]).unwrap()).collect();
    for (index, key) in keys.iter().enumerate() {
        lines[0]["header"]["signers"][index]["public_key"] = json!(key.public().line());
    }
    let mut head = Digest::tagged("header", realm, &[&canonical::to_octets(&lines[0]["header"]).unwrap()]);
    lines[0]["head"] = json!(head.hex());
    let mut forged = String::from_utf8(canonical::to_octets(&lines[0]).unwrap()).unwrap() + "\n";
    let signers = lines[0]["header"]["signers"].clone();
    let mut heads = vec![head];
    for line in lines.iter_mut().skip(1) {
        match line["open"]["kind"].as_str().unwrap() {
            "run-key" => {
                line["body"]["public_key"] = json!(run.public().line());
                line["body"]["event"]["outcome"]["public_key"] = json!(run.public().line());
            }
            "opened" => line["body"]["event"]["signers"] = signers.clone(),
            _ => {}
        }
        if line["body"]["event"]["answer"]["remark"].is_string() {
            line["body"]["event"]["answer"]["remark"] = json!("all went well");
        }
        let salt = Digest::parse(line["salt"].as_str().unwrap()).unwrap();
        let leaf = Digest::tagged("leaf", realm, &[salt.octets(), &canonical::to_octets(&line["body"]).unwrap()]);
        head = Digest::tagged(
            "entry",
            realm,
            &[head.octets(), &canonical::to_octets(&line["open"]).unwrap(), leaf.octets()],
        );
        line["head"] = json!(head.hex());
        heads.push(head);
        forged += &(String::from_utf8(canonical::to_octets(&*line).unwrap()).unwrap() + "\n");
    }
    std::fs::write(folder.join("transcript.jsonl"), forged).unwrap();
    for path in crate::program::files(&folder.join("checkpoints")) {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if let Some(size) = name.strip_suffix(".checkpoint") {
            let size: u32 = size.parse().unwrap();
            let body =
                Checkpoint { realm, ceremony: "small-root-2026".to_owned(), size, head: heads[size as usize - 1] }
                    .body();
            std::fs::write(&path, &body).unwrap();
            std::fs::write(
                path.with_extension("checkpoint.sig"),
                run.sign("rehearsal-checkpoint@anchorite", body.as_bytes()).unwrap(),
            )
            .unwrap();
        }
    }
    let mut allowed = String::new();
    for (who, key) in people.iter().zip(&keys) {
        let path = folder.join(format!("attestation.{who}.json"));
        let mut said: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        said["head"] = json!(head.hex());
        said["remark"] = json!("all went well");
        said["run_keys"] = json!([run.public().line()]);
        let octets = canonical::to_octets(&said).unwrap();
        std::fs::write(&path, &octets).unwrap();
        std::fs::write(path.with_extension("json.sig"), key.sign("rehearsal-evidence@anchorite", &octets).unwrap())
            .unwrap();
        allowed += &format!("{who} namespaces=\"rehearsal-evidence@anchorite\" {}\n", key.public().line());
    }
    std::fs::write(folder.join("allowed_signers"), allowed).unwrap();
    std::fs::remove_file(folder.join("report.html")).unwrap();
    relist(folder);
}

#[test]
fn a_whole_forgery_is_unpinned_without_pins_and_refuted_with_any() {
    let folder = tempfile::tempdir().unwrap();
    let original = evidence(folder.path());
    let forged = folder.path().join("forged");
    copy(&original, &forged);
    forge(&forged);
    let true_signers = original.join("allowed_signers");
    let true_head = Record::read(&std::fs::read(original.join("transcript.jsonl")).unwrap()).unwrap().head().hex();
    let (python, said) = verify_py(&forged, &[]);
    assert_eq!(python, 8, "a perfect forgery is consistent in itself: {said}");
    let (rust, said) = verify(&forged, &[]);
    assert!(rust == 8 || rust == 4, "and our replay may even see through it: {said}");
    for verifier in [verify, verify_py] {
        assert_eq!(verifier(&forged, &["--signers", true_signers.to_str().unwrap()]).0, 4, "with the true signers");
        assert_eq!(verifier(&forged, &["--expect", &true_head]).0, 4, "with the true head");
    }
}
