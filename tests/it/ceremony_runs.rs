//! Whole ceremonies through the command line.

use crate::program::{anchorite, anchorite_with, code, files, full, rehearse, said, verify, verify_py};
use std::path::Path;
use std::process::{Command, Stdio};

fn head_of(evidence: &Path) -> String {
    let last = std::fs::read_to_string(evidence.join("transcript.jsonl")).unwrap();
    let line: serde_json::Value = serde_json::from_str(last.lines().last().unwrap()).unwrap();
    line["head"].as_str().unwrap().to_owned()
}

#[test]
fn both_scripts_rehearse_and_both_verifiers_accept_what_comes_out() {
    for script in ["small-root", "root-ca"] {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out");
        rehearse(script, &out);
        let evidence = out.join("evidence");
        let head = head_of(&evidence);
        let signers = evidence.join("allowed_signers");
        for verifier in [verify, verify_py] {
            assert_eq!(verifier(&evidence, &[]).0, 8, "without a pin");
            assert_eq!(verifier(&evidence, &["--expect", &head]).0, 0, "with the head");
            assert_eq!(verifier(&evidence, &["--signers", signers.to_str().unwrap()]).0, 0, "with the signers");
            assert_eq!(verifier(&evidence, &["--expect", &"0".repeat(64)]).0, 4, "with another head");
        }
    }
}

#[test]
fn copies_at_every_level_have_the_same_head_and_verify() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    rehearse("small-root", &out);
    let head = head_of(&out.join("evidence"));
    for level in ["public", "auditor", "complete"] {
        let copy = folder.path().join(level);
        let evidence = out.join("evidence");
        let output =
            anchorite(&["disclose", evidence.to_str().unwrap(), "--level", level, "--out", copy.to_str().unwrap()]);
        assert_eq!(code(&output), 0, "{}", said(&output));
        for verifier in [verify, verify_py] {
            assert_eq!(verifier(&copy, &["--expect", &head]).0, 0, "{level}");
        }
    }
    let text = std::fs::read_to_string(folder.path().join("public/transcript.jsonl")).unwrap();
    assert!(!text.contains("\"answer\":\"initials\""), "answers are withheld from the public copy");
}

#[test]
fn a_folder_that_exists_is_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let output = anchorite(&[
        "rehearse",
        "ceremony-scripts/small-root",
        "--plain",
        "--auto",
        "--out",
        folder.path().to_str().unwrap(),
    ]);
    assert_eq!(code(&output), 2);
    assert!(said(&output).contains("expected no folder here"), "{}", said(&output));
    assert!(files(folder.path()).is_empty());
}

#[test]
fn simulated_people_need_plain_and_do_not_exist_in_production() {
    assert_eq!(code(&anchorite(&["rehearse", "ceremony-scripts/small-root", "--auto"])), 2);
    assert_eq!(code(&anchorite(&["run", "ceremony-scripts/small-root", "--auto"])), 2);
}

#[test]
fn without_a_terminal_the_full_screen_says_plain() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let output = anchorite(&["rehearse", "ceremony-scripts/small-root", "--out", out.to_str().unwrap()]);
    assert_eq!(code(&output), 6);
    assert!(said(&output).contains("--plain"), "{}", said(&output));
    assert!(!out.exists(), "nothing is left behind");
}

#[test]
fn no_prompt_takes_an_empty_line_or_somebody_elses_initials() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let output = anchorite_with(
        &["rehearse", "ceremony-scripts/small-root", "--plain", "--out", out.to_str().unwrap()],
        "\n\n\nGH\nno\nXX\nAB\nleave\n",
    );
    assert_eq!(code(&output), 5, "{}", said(&output));
    let said = said(&output);
    assert!(said.contains("expected the initials of Ada Byron, found those of Grace Hopper"), "{said}");
    assert!(said.contains("the answer was no"), "{said}");
    assert!(said.contains("found XX"), "{said}");
}

#[test]
fn a_share_typed_where_none_is_asked_for_is_never_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    // The first line of a card, its beginning without spaces, and another line of it.
    let typed = "KR1Q 7XM2 9PLA 0TTW W3EE\nkr1q7xm29pla\nQ7XM 29PL A0TT W3EE 88ZK\nAB\nleave\n";
    let output =
        anchorite_with(&["rehearse", "ceremony-scripts/small-root", "--plain", "--out", out.to_str().unwrap()], typed);
    assert_eq!(code(&output), 5, "{}", said(&output));
    assert_eq!(said(&output).matches("this looks like a share").count(), 3, "{}", said(&output));
    for file in files(folder.path()) {
        let octets = std::fs::read(folder.path().join(&file)).unwrap();
        let text = String::from_utf8_lossy(&octets).to_lowercase();
        assert!(!text.contains("29pl") && !text.contains("7xm2"), "{file:?}");
    }
}

/// The simulated person answers `n` prompts, then the process is killed; resumed, the ceremony comes to its end. Four tests of one
/// kind, so that they run side by side.
#[test]
fn a_ceremony_killed_while_the_room_gathers_resumes_to_a_record_both_verifiers_accept() {
    killed_and_resumed(0..9);
}

#[test]
fn a_ceremony_killed_while_the_key_is_made_resumes_to_a_record_both_verifiers_accept() {
    killed_and_resumed(9..18);
}

#[test]
fn a_ceremony_killed_while_issuing_resumes_to_a_record_both_verifiers_accept() {
    killed_and_resumed(18..27);
}

#[test]
fn a_ceremony_killed_near_its_end_resumes_to_a_record_both_verifiers_accept() {
    killed_and_resumed(27..35);
}

fn killed_and_resumed(points: std::ops::Range<usize>) {
    let folder = tempfile::tempdir().unwrap();
    for answers in points.step_by(if full() { 1 } else { 3 }) {
        let out = folder.path().join(format!("out-{answers}"));
        killed_after(answers, &out);
        for (exit, said) in [verify(&out.join("evidence"), &[]), verify_py(&out.join("evidence"), &[])] {
            assert!(
                exit == 8 && said["claims"].to_string().contains("the record is open; resume it"),
                "{answers}: {said}"
            );
        }
        let output = anchorite_with(&["resume", out.to_str().unwrap(), "--plain"], &"s\n".repeat(120));
        assert_eq!(code(&output), 0, "after {answers}: {}", said(&output));
        let (python, said) = verify_py(&out.join("evidence"), &[]);
        assert_eq!(python, 8, "after {answers}: {said}");
        let (rust, said) = verify(&out.join("evidence"), &[]);
        assert_eq!(rust, 8, "after {answers}: {said}");
        assert!(said["claims"].to_string().contains("octet for octet"), "replayed after {answers}");
    }
}

fn killed_after(answers: usize, out: &Path) {
    use std::io::{BufRead, BufReader, Write};
    let mut child = Command::new(env!("CARGO_BIN_EXE_anchorite"))
        .args(["rehearse", "ceremony-scripts/small-root", "--plain", "--out", out.to_str().unwrap()])
        .current_dir(crate::program::root())
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    // Every prompt shows the head once; after `answers` of them have been answered the next one is on the screen.
    for answered in 0..=answers {
        loop {
            match lines.next() {
                Some(Ok(line)) if line.contains("UTC · head ") => break,
                Some(Ok(_)) => {}
                _ => panic!("the program ended before prompt {answered}"),
            }
        }
        if answered < answers {
            input.write_all(b"s\n").unwrap();
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn an_aborted_ceremony_has_a_complete_record_and_does_not_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let input = "s\nabort\nabort this ceremony\n\nfire alarm\n\nAB GH\n";
    let output =
        anchorite_with(&["rehearse", "ceremony-scripts/small-root", "--plain", "--out", out.to_str().unwrap()], input);
    assert_eq!(code(&output), 5, "{}", said(&output));
    assert_eq!(verify_py(&out.join("evidence"), &[]).0, 8);
    let output = anchorite_with(&["resume", out.to_str().unwrap(), "--plain"], "");
    assert_eq!(code(&output), 5);
    assert!(said(&output).contains("aborted"), "{}", said(&output));
}

#[test]
fn a_step_is_skipped_only_through_an_exception_and_only_where_nothing_needs_it() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    // The machine's step cannot be skipped: the form does not even offer it.
    let sheet = "!\nan idle network\neth0 is up\ngo on, this is a rehearsal\nAB GH\n";
    let output = anchorite_with(
        &["rehearse", "ceremony-scripts/small-root", "--plain", "--out", out.to_str().unwrap()],
        &format!("{sheet}{}", "s\n".repeat(60)),
    );
    assert_eq!(code(&output), 0, "{}", said(&output));
    let record = std::fs::read_to_string(out.join("evidence/transcript.jsonl")).unwrap();
    assert!(record.contains("\"kind\":\"exception\""));
    assert_eq!(verify_py(&out.join("evidence"), &[]).0, 8);
    assert_eq!(verify(&out.join("evidence"), &[]).0, 8);
}

#[test]
fn the_ledger_rebuilt_from_evidence_says_what_the_run_said() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    rehearse("root-ca", &out);
    let rebuilt = folder.path().join("rebuilt.sqlite");
    let output = anchorite(&["ledger", "rebuild", rebuilt.to_str().unwrap(), out.join("evidence").to_str().unwrap()]);
    assert_eq!(code(&output), 0, "{}", said(&output));
    for report in ["keys", "certificates", "quorums", "shares"] {
        let of = |ledger: &Path| said(&anchorite(&["ledger", report, ledger.to_str().unwrap(), "--json"]));
        assert_eq!(of(&rebuilt), of(&out.join("state/ledger.sqlite")), "{report}");
        assert!(of(&rebuilt).contains("root-2026"), "{report}");
    }
    let again = anchorite(&["ledger", "init", rebuilt.to_str().unwrap()]);
    assert_eq!(code(&again), 1, "a ledger is never overwritten");
    let missing = anchorite(&["ledger", "keys", folder.path().join("none").to_str().unwrap()]);
    assert_eq!(code(&missing), 7, "and never created by accident");
}

/// A rehearsal of `small-root` that its people left at the beginning of a step.
fn left_at(step: &str, out: &Path) -> usize {
    let from = if ["key", "deal"].contains(&step) { 7 } else { 16 };
    for answers in from..40 {
        let _ = std::fs::remove_dir_all(out);
        let output = anchorite_with(
            &["rehearse", "ceremony-scripts/small-root", "--plain", "--out", out.to_str().unwrap()],
            &format!("{}leave\n", "s\n".repeat(answers)),
        );
        assert_eq!(code(&output), 5, "{}", said(&output));
        let record = std::fs::read_to_string(out.join("evidence/transcript.jsonl")).unwrap();
        if begun(&record, step) {
            return answers;
        }
    }
    panic!("no step {step}");
}

fn begun(record: &str, step: &str) -> bool {
    record.lines().skip(1).any(|line| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        line["open"]["kind"] == "step" && line["open"]["outcome"] == "begun" && line["open"]["step"] == step
    })
}

fn sealed_key(out: &Path) -> std::path::PathBuf {
    let keys: Vec<_> = files(&out.join("state/vault"));
    assert_eq!(keys.len(), 1);
    keys[0].clone()
}

fn flip_an_octet(path: &Path) {
    let mut octets = std::fs::read(path).unwrap();
    *octets.last_mut().unwrap() ^= 1;
    std::fs::write(path, octets).unwrap();
}

#[test]
fn a_sealed_key_that_no_transcript_records_is_not_opened() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let _answers = left_at("root", &out);
    flip_an_octet(&sealed_key(&out));
    let output = anchorite_with(&["resume", out.to_str().unwrap(), "--plain"], &"s\n".repeat(12));
    assert_eq!(code(&output), 5, "{}", said(&output));
    assert!(said(&output).contains("no transcript records this sealed file"), "{}", said(&output));
    // With the file as it was, the same ceremony comes to its end.
    flip_an_octet(&sealed_key(&out));
    let output = anchorite_with(&["resume", out.to_str().unwrap(), "--plain"], &"s\n".repeat(60));
    assert_eq!(code(&output), 0, "{}", said(&output));
    assert_eq!(verify(&out.join("evidence"), &[]).0, 8);
    assert_eq!(verify_py(&out.join("evidence"), &[]).0, 8);
}

#[test]
fn a_file_that_is_not_as_recorded_never_leaves_on_a_medium() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let _answers = left_at("export", &out);
    flip_an_octet(&sealed_key(&out));
    let output = anchorite_with(&["resume", out.to_str().unwrap(), "--plain"], &"s\n".repeat(12));
    assert_eq!(code(&output), 5, "{}", said(&output));
    assert!(said(&output).contains("expected the recorded file"), "{}", said(&output));
    assert!(
        files(&out.join("media")).iter().all(|file| !file.to_string_lossy().ends_with(".age")),
        "nothing was written"
    );
    flip_an_octet(&sealed_key(&out));
    let output = anchorite_with(&["resume", out.to_str().unwrap(), "--plain"], &"s\n".repeat(40));
    assert_eq!(code(&output), 0, "{}", said(&output));
    assert!(files(&out.join("media")).iter().any(|file| file.to_string_lossy().ends_with(".age")));
}

#[test]
fn a_serial_number_reserved_and_never_issued_is_burnt_and_shares_have_holders() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let _answers = left_at("root", &out);
    // As far as the approval of the root certificate: its serial is reserved then. The machine dies, and it is burnt.
    let output = anchorite_with(&["resume", out.to_str().unwrap(), "--plain"], &format!("{}leave\n", "s\n".repeat(5)));
    assert_eq!(code(&output), 5, "{}", said(&output));
    let ledger = out.join("state/ledger.sqlite");
    let of = |report: &str| said(&anchorite(&["ledger", report, ledger.to_str().unwrap()]));
    assert!(of("certificates").contains("reserved"), "{}", of("certificates"));
    let output = anchorite_with(&["resume", out.to_str().unwrap(), "--plain"], &"s\n".repeat(60));
    assert_eq!(code(&output), 0, "{}", said(&output));
    assert!(of("certificates").contains("burnt") && of("certificates").contains("issued"), "{}", of("certificates"));
    assert!(!of("certificates").contains("reserved"), "{}", of("certificates"));
    assert_eq!(of("shares").matches("proven, with its holder").count(), 3, "{}", of("shares"));
    assert!(of("shares").contains("grace"), "{}", of("shares"));
}

#[test]
fn a_record_left_resumed_and_killed_is_open_and_not_refuted() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let _answers = left_at("key", &out);
    assert!(out.join("evidence/SHA256SUMS").exists());
    let mut child = Command::new(env!("CARGO_BIN_EXE_anchorite"))
        .args(["resume", out.to_str().unwrap(), "--plain"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stderr.take().unwrap()));
    assert!(lines.any(|line| line.unwrap().contains("Give the last head you noted")));
    child.kill().unwrap();
    child.wait().unwrap();
    for verifier in [verify, verify_py] {
        let (exit, said) = verifier(&out.join("evidence"), &[]);
        assert_eq!(exit, 8, "{said}");
    }
}

#[test]
fn a_head_from_after_the_stop_is_nobodys_note_and_an_old_one_says_how_old() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let _answers = left_at("key", &out);
    let heads: Vec<String> = std::fs::read_to_string(out.join("evidence/transcript.jsonl"))
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["head"].as_str().unwrap()[..8].to_owned())
        .collect();
    let input = format!("ffffffff\n{}\n{}\nleave\n", heads[2], heads.last().unwrap());
    let output = anchorite_with(&["resume", out.to_str().unwrap(), "--plain"], &input);
    assert!(said(&output).contains("no entry of this record has that head"), "{}", said(&output));
    let record = std::fs::read_to_string(out.join("evidence/transcript.jsonl")).unwrap();
    let late: Vec<u64> = record
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["body"]["turns_after_it"].as_u64())
        .collect();
    assert_eq!(late.len(), 2, "{}", said(&output));
    assert!(late[0] > 3 && late[1] == 0, "{late:?}");
}

#[test]
fn a_share_is_proven_by_the_code_on_its_card_as_well_as_by_typing_and_the_record_says_which() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let answers = left_at("deal", &out);
    std::fs::remove_dir_all(&out).unwrap();
    // Somebody confirms that nobody looks; the share is scanned, typed, scanned.
    let input = format!("{}s\nscan\ns\ns\ns\nscan\n{}", "s\n".repeat(answers), "s\n".repeat(60));
    let output =
        anchorite_with(&["rehearse", "ceremony-scripts/small-root", "--plain", "--out", out.to_str().unwrap()], &input);
    assert_eq!(code(&output), 0, "{}", said(&output));
    let record = std::fs::read_to_string(out.join("evidence/transcript.jsonl")).unwrap();
    let scanned: Vec<bool> = record
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["body"]["event"]["answer"].clone())
        .filter(|answer| answer["answer"] == "share" && answer["verdict"]["verdict"] == "proven")
        .map(|answer| answer["scanned"] == true)
        .collect();
    assert_eq!(scanned, [true, false, true], "{}", said(&output));
    for verifier in [verify, verify_py] {
        assert_eq!(verifier(&out.join("evidence"), &[]).0, 8);
    }
}

#[test]
fn a_resume_refuses_what_the_record_the_ledger_or_a_signature_contradicts() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let _answers = left_at("key", &out);
    let spoilt = |name: &str, spoil: &dyn Fn(&Path), expected: &str| {
        let copied = folder.path().join(name);
        crate::program::copy(&out, &copied);
        for empty in ["state/vault", "media", "evidence/artifacts", "evidence/approval"] {
            std::fs::create_dir_all(copied.join(empty)).unwrap();
        }
        spoil(&copied);
        let output = anchorite_with(&["resume", copied.to_str().unwrap(), "--plain"], &"s\n".repeat(90));
        assert!(code(&output) != 0 && said(&output).contains(expected), "{name}: {}", said(&output));
        assert!(!said(&output).contains("The record is closed"), "{name}");
    };
    let transcript = |copied: &Path| copied.join("evidence/transcript.jsonl");
    spoilt(
        "seed",
        &|at| std::fs::write(at.join("state/serial-seed"), "0".repeat(64)).unwrap(),
        "not the seed that the record's header commits to",
    );
    spoilt(
        "cut",
        &|at| {
            let text = std::fs::read_to_string(transcript(at)).unwrap();
            let whole = text.trim_end().rfind('\n').unwrap() + 1;
            std::fs::write(transcript(at), &text[..whole]).unwrap();
        },
        "the ledger knows entry",
    );
    spoilt(
        "foreign",
        &|at| {
            let other = folder.path().join("other");
            rehearse("small-root", &other);
            std::fs::copy(transcript(&other), transcript(at)).unwrap();
        },
        "the ledger knows entry",
    );
    spoilt(
        "without-a-ledger",
        &|at| {
            let other = folder.path().join("other");
            std::fs::copy(transcript(&other), transcript(at)).unwrap();
            for file in files(&at.join("state")).iter().filter(|file| file.to_string_lossy().contains("ledger.sqlite"))
            {
                std::fs::remove_file(file).unwrap();
            }
        },
        "expected a checkpoint of this record",
    );
    spoilt(
        "link",
        &|at| {
            std::fs::rename(at.join("state/vault"), at.join("elsewhere")).unwrap();
            std::os::unix::fs::symlink("../elsewhere", at.join("state/vault")).unwrap();
        },
        "found none or a link",
    );
}

#[test]
fn a_refuted_record_is_not_copied_and_no_ledger_is_rebuilt_from_it() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    rehearse("small-root", &out);
    let evidence = out.join("evidence");
    let (ledger, copied) = (folder.path().join("ledger.sqlite"), folder.path().join("copy"));
    let (at, twice) = (evidence.to_str().unwrap(), ["ledger", "rebuild", ledger.to_str().unwrap()]);
    assert_eq!(code(&anchorite(&[&twice[..], &[at, at]].concat())), 2, "the same record twice");
    let output = anchorite(&[&twice[..], &[at]].concat());
    assert!(code(&output) == 0 && said(&output).contains("pin no governance"), "{}", said(&output));
    std::fs::remove_file(&ledger).unwrap();
    let signers = evidence.join("allowed_signers");
    let output = anchorite(&[&twice[..], &[at, "--signers", signers.to_str().unwrap()]].concat());
    assert!(code(&output) == 0 && !said(&output).contains("pin no governance"), "{}", said(&output));
    std::fs::remove_file(&ledger).unwrap();
    flip_an_octet(&evidence.join("artifacts/small-root.crt.pem"));
    let output = anchorite(&[&twice[..], &[at]].concat());
    assert!(code(&output) == 4 && !ledger.exists(), "{}", said(&output));
    let output = anchorite(&["disclose", at, "--level", "public", "--out", copied.to_str().unwrap()]);
    assert!(code(&output) == 4 && !copied.exists(), "{}", said(&output));
}

#[test]
fn a_file_that_is_no_ledger_is_looked_at_and_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let (empty, link) = (folder.path().join("empty"), folder.path().join("link"));
    std::fs::write(&empty, b"").unwrap();
    assert_eq!(code(&anchorite(&["ledger", "keys", empty.to_str().unwrap()])), 1);
    assert_eq!(std::fs::read(&empty).unwrap(), b"");
    std::os::unix::fs::symlink(folder.path().join("target"), &link).unwrap();
    assert_eq!(code(&anchorite(&["ledger", "init", link.to_str().unwrap()])), 1);
    assert!(!folder.path().join("target").exists());
}
