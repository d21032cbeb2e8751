//! Our verifier and `verify.py` give the same exit code and first bad place for every folder its own tests know, damaged,
//! forged or odd, and for folders damaged by chance; and find the same first bad line in every record.

use crate::program::{full, root};
use anchorite::audit::{self, Pin};
use anchorite::basics::Digest;
use anchorite::ceremony::steps;
use anchorite::devices::whole_folder;
use anchorite::transcript::{Level, Record};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The folders and answers; AGREE names where they were made already, with another seed or more of them.
fn work() -> (tempfile::TempDir, PathBuf) {
    let work = tempfile::tempdir().unwrap();
    if let Some(made) = std::env::var_os("AGREE") {
        return (work, PathBuf::from(made));
    }
    let size: &[&str] = if full() { &["--random", "200"] } else { &["--random", "10", "--sample", "20"] };
    let output =
        Command::new("python3").arg(root().join("tests/py/agree.py")).arg(work.path()).args(size).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let path = work.path().to_owned();
    (work, path)
}

fn pin(answer: &Value) -> Pin {
    let signers = answer["signers"].as_str().filter(|path| !path.is_empty());
    Pin {
        signers: signers.map(|path| audit::signatures::pin_file(&std::fs::read(path).unwrap()).unwrap()),
        expect: answer["expect"].as_str().and_then(Digest::parse),
    }
}

fn folders(work: &Path) {
    let answers = std::fs::read_to_string(work.join("answers.jsonl")).unwrap();
    let mut differ = Vec::new();
    for line in answers.lines() {
        let theirs: Value = serde_json::from_str(line).unwrap();
        let files = whole_folder::read(Path::new(theirs["folder"].as_str().unwrap())).unwrap();
        let verdict = audit::verify_record(&files, &pin(&theirs));
        let ours = serde_json::to_value(&verdict).unwrap();
        if (&ours["exit"], &ours["first_bad"]) != (&theirs["exit"], &theirs["first_bad"]) {
            differ.push(format!(
                "{}: verify.py {} {} ({}), ours {} {} ({})",
                theirs["name"],
                theirs["exit"],
                theirs["first_bad"],
                theirs["problem"],
                ours["exit"],
                ours["first_bad"],
                ours["problem"]
            ));
        }
        assert!(verdict.render().lines().count() > verdict.claims.len());
    }
    let least = if full() { 750 } else { 80 };
    assert!(answers.lines().count() > least, "expected over {least} folders, found {}", answers.lines().count());
    assert!(differ.is_empty(), "{} of {} differ\n{}", differ.len(), answers.lines().count(), differ.join("\n"));
}

fn records(work: &Path) {
    let octets = std::fs::read(work.join("records")).unwrap();
    let (mut rest, mut count, mut differ) = (octets.as_slice(), 0, Vec::new());
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let (bad, after) = after.split_first_chunk::<4>().unwrap();
        let (record, after) = after.split_at(u32::from_be_bytes(*length) as usize);
        let ours = Record::read(record).map_or_else(|bad| i64::from(bad.entry), |_| -1);
        if ours != i64::from(i32::from_be_bytes(*bad)) {
            let shown = String::from_utf8_lossy(record).chars().take(200).collect::<String>();
            differ.push(format!("verify.py {}, ours {ours}: {shown}", i32::from_be_bytes(*bad)));
        }
        (rest, count) = (after, count + 1);
    }
    assert!(count > 3_000, "expected every record, found {count}");
    assert!(differ.is_empty(), "{} of {count} differ\n{}", differ.len(), differ.join("\n"));
}

#[test]
fn on_every_known_and_chance_folder_and_record() {
    let (_kept, work) = work();
    folders(&work);
    records(&work);
}

/// The example folder with `change` made to one file, and `SHA256SUMS` written again.
fn example(change: impl Fn(&mut audit::Files)) -> audit::Files {
    let mut files = whole_folder::read(&root().join("transcripts/root-ca")).unwrap();
    change(&mut files);
    let sums = anchorite::transcript::sums::render(&files);
    files.insert("SHA256SUMS".to_owned(), sums.into_bytes());
    files
}

fn judged(files: &audit::Files, pin: &Pin) -> Value {
    serde_json::to_value(audit::verify(files, pin, &steps::kinds())).unwrap()
}

#[test]
fn the_example_is_re_derived_whole_and_disclosed_with_the_same_head() {
    let files = example(|_| {});
    let head = Record::read(&files["transcript.jsonl"]).unwrap().head();
    let pin =
        Pin { signers: Some(audit::signatures::pin_file(&files["allowed_signers"]).unwrap()), expect: Some(head) };
    let whole = judged(&files, &pin);
    let loose = whole["claims"].as_array().unwrap().last().unwrap();
    let expected = json!({"claim": "not bound by the record", "status": "unchecked", "detail": "VERIFY.txt"});
    assert_eq!(loose, &expected, "the report and the profiles are made again, so they are bound");
    assert_eq!(whole["exit"], 0, "{whole}");
    assert_eq!(judged(&files, &Pin::default())["exit"], 8);
    for level in [Level::Auditor, Level::Public] {
        let copy = audit::disclosure::disclosed(&files, level, &steps::kinds()).unwrap();
        assert!(Record::read(&copy["transcript.jsonl"]).unwrap().has_withheld());
        let verdict = judged(&copy, &pin);
        assert_eq!(verdict["exit"], 0, "{verdict}");
    }
    assert_eq!(audit::disclosure::disclosed(&files, Level::Complete, &steps::kinds()).unwrap(), files);
}

#[test]
fn what_only_the_engine_sees_is_refuted_last() {
    let report = example(|files| files.get_mut("report.html").unwrap().push(b' '));
    assert_eq!(judged(&report, &Pin::default())["first_bad"], json!({"what": "file", "where": "report.html"}));
    let profile = example(|files| files.get_mut("profiles/root-device.toml").unwrap().push(b'\n'));
    assert_eq!(judged(&profile, &Pin::default())["first_bad"], json!({"what": "entry", "where": 0}));
    for files in [report, profile] {
        assert_eq!(audit::verify_record(&files, &Pin::default()).exit, 8);
    }
}
