//! `medium` as people use it: what goes onto a medium comes off it, and says the same words on both sides.

use crate::program::{anchorite, code, rehearse, said, verify, verify_py};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// An initialised medium with one export of two files, in a folder of its own.
pub struct Stick {
    pub folder: tempfile::TempDir,
}

impl Stick {
    pub fn new() -> Self {
        let stick = Self::empty();
        let (a, b) = (stick.file("hello.txt", b"hello\n"), stick.file("root.crt.pem", b"certificate\n"));
        let output = stick.medium(&["write", stick.at("stick"), a.to_str().unwrap(), b.to_str().unwrap()]);
        assert_eq!(code(&output), 0, "{}", said(&output));
        stick
    }

    pub fn empty() -> Self {
        let stick = Self { folder: tempfile::tempdir().unwrap() };
        std::fs::create_dir(stick.path("stick")).unwrap();
        let output = stick.medium(&["init", stick.at("stick"), "--label", "vault-a"]);
        assert_eq!(code(&output), 0, "{}", said(&output));
        stick
    }

    /// A file beside the medium.
    pub fn file(&self, name: &str, octets: &[u8]) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, octets).unwrap();
        path
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The same as text that lives as long as the test: tests are short.
    pub fn at(&self, name: &str) -> &'static str {
        Box::leak(self.path(name).to_str().unwrap().to_owned().into_boxed_str())
    }

    pub fn medium(&self, arguments: &[&str]) -> Output {
        anchorite(&[&["medium"], arguments].concat())
    }

    pub fn read(&self) -> Output {
        self.medium(&["read", self.at("stick"), "EXP-0001", "--out", self.at("out")])
    }
}

fn json(output: &Output) -> serde_json::Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {}", said(output)))
}

#[test]
fn what_is_written_is_read_with_the_same_words_on_both_sides() {
    let stick = Stick::empty();
    let file = stick.file("hello.txt", b"hello\n");
    let at = stick.at("stick");
    let written = json(&stick.medium(&["write", at, file.to_str().unwrap(), "--realm", "rehearsal", "--json"]));
    assert_eq!((written["export"].as_str(), written["realm"].as_str()), (Some("EXP-0001"), Some("rehearsal")));
    let words = written["words"].as_str().unwrap();
    let wrong = stick.medium(&["read", at, "--out", stick.at("out"), "--expect", "abandon ability able"]);
    assert_eq!(code(&wrong), 4, "{}", said(&wrong));
    assert!(!stick.path("out").exists(), "refused words, and yet taken");
    let read = stick.medium(&["read", at, "--out", stick.at("out"), "--expect", words, "--label", "vault-a"]);
    assert_eq!(code(&read), 0, "{}", said(&read));
    assert!(said(&read).contains(words));
    assert_eq!(std::fs::read(stick.path("out/hello.txt")).unwrap(), b"hello\n");
    let again = stick.medium(&["read", at, "--out", stick.at("out")]);
    assert_eq!(code(&again), 2, "{}", said(&again));
    let manifest = std::fs::read(stick.path("stick/EXP-0001/MANIFEST")).unwrap();
    assert_eq!(
        anchorite::basics::Digest::of(&manifest).twelve_words(),
        words,
        "the words are of the manifest's octets"
    );
}

#[test]
fn a_second_export_gets_the_next_name_and_several_must_be_named() {
    let stick = Stick::new();
    let at = stick.at("stick");
    std::fs::create_dir(stick.path("stick/EXP-0007")).unwrap();
    let output = stick.medium(&["write", at, stick.at("hello.txt"), "--json"]);
    assert_eq!(json(&output)["export"], "EXP-0008", "after the highest, finished or not");
    let output = stick.medium(&["read", at, "--out", stick.at("out")]);
    assert_eq!(code(&output), 2);
    assert!(said(&output).contains("expected one export, found EXP-0001, EXP-0008"), "{}", said(&output));
    let listed = json(&stick.medium(&["list", at, "--json"]));
    assert_eq!(listed["exports"].as_array().unwrap().len(), 3);
    assert!(listed["exports"][1]["refused"].as_str().unwrap().contains("there is no MANIFEST"));
    let checked = stick.medium(&["check", at, "--json"]);
    assert_eq!(code(&checked), 4);
    assert_eq!(json(&checked)["problems"].as_array().unwrap().len(), 1, "{}", said(&checked));
}

#[test]
fn the_wrong_medium_is_named_as_such() {
    let stick = Stick::new();
    let id = json(&stick.medium(&["list", stick.at("stick"), "--json"]))["id"].as_str().unwrap().to_owned();
    for arguments in [
        vec!["read", stick.at("stick"), "--out", stick.at("out"), "--label", "vault-b"],
        vec!["write", stick.at("stick"), stick.at("hello.txt"), "--label", "vault-b"],
        vec!["check", stick.at("stick"), "--label", "vault-b"],
    ] {
        let output = stick.medium(&arguments);
        assert_eq!(code(&output), 7);
        assert!(
            said(&output).contains(&format!("this is `vault-a` (id {id}), expected `vault-b`")),
            "{}",
            said(&output)
        );
    }
    assert!(!stick.path("stick/EXP-0002").exists());
}

#[test]
fn a_medium_is_initialised_once_and_only_when_empty() {
    let stick = Stick::empty();
    let output = stick.medium(&["init", stick.at("stick"), "--label", "vault-b"]);
    assert_eq!(code(&output), 1);
    assert!(said(&output).contains("initialised already: it is `vault-a`"), "{}", said(&output));
    std::fs::create_dir_all(stick.path("other/System Volume Information")).unwrap();
    std::fs::write(stick.path("other/holiday.jpg"), b"x").unwrap();
    let output = stick.medium(&["init", stick.at("other"), "--label", "vault-b"]);
    assert!(said(&output).contains("expected an empty medium, found holiday.jpg"), "{}", said(&output));
    std::fs::remove_file(stick.path("other/holiday.jpg")).unwrap();
    // An `init` that was cut short.
    std::fs::write(stick.path("other/.VOLUME.partial"), b"{").unwrap();
    assert_eq!(code(&stick.medium(&["init", stick.at("other"), "--label", "vault-b"])), 0);
    let output = stick.medium(&["write", stick.at("nowhere"), stick.at("stick/VOLUME")]);
    assert_eq!(code(&output), 7, "{}", said(&output));
}

#[test]
fn a_file_of_the_inbox_is_taken_with_its_words_and_one_beside_it_is_not() {
    let stick = Stick::new();
    // As the specification tells a connected machine.
    std::fs::write(stick.path("stick/INBOX/request.csr.pem"), b"request\n").unwrap();
    std::fs::write(stick.path("stick/other.csr.pem"), b"request\n").unwrap();
    let loose = |name: &str, more: &[&str]| {
        let at = [&["read", stick.at("stick"), "--loose", name, "--out", stick.at("taken")][..], more].concat();
        stick.medium(&at)
    };
    let sum = Command::new("sha256sum").arg(stick.path("stick/INBOX/request.csr.pem")).output().unwrap();
    let digest = String::from_utf8(sum.stdout).unwrap()[..64].to_owned();
    let output = loose("request.csr.pem", &["--expect", &digest.replacen(&digest[..1], "f0", 1)]);
    assert_eq!(code(&output), 4, "{}", said(&output));
    assert!(!stick.path("taken").exists());
    let output = loose("request.csr.pem", &["--expect", &digest]);
    assert_eq!(code(&output), 0, "{}", said(&output));
    assert!(said(&output).contains(&anchorite::basics::Digest::of(b"request\n").twelve_words()), "{}", said(&output));
    assert_eq!(std::fs::read(stick.path("taken")).unwrap(), b"request\n");
    std::fs::remove_file(stick.path("taken")).unwrap();
    let output = loose("other.csr.pem", &[]);
    assert!(code(&output) == 1 && said(&output).contains("not in its folder INBOX"), "{}", said(&output));
    let output = loose("absent.pem", &[]);
    assert!(code(&output) == 7 && said(&output).contains("no such file"), "{}", said(&output));
    let output = loose("../hello.txt", &[]);
    assert!(code(&output) == 2, "{}", said(&output));
    // A stick that was never initialised will do for a loose file.
    std::fs::remove_file(stick.path("stick/VOLUME")).unwrap();
    assert_eq!(code(&loose("request.csr.pem", &[])), 0);
}

#[test]
fn what_a_rehearsal_leaves_is_a_medium_like_any_other_and_the_same_seed_gives_it_the_same_id() {
    let folder = tempfile::tempdir().unwrap();
    let mut ids = Vec::new();
    for out in ["first", "second"] {
        let out = folder.path().join(out);
        crate::program::rehearse("small-root", &out);
        let medium = out.join("media/vault-a");
        let checked = anchorite(&["medium", "check", medium.to_str().unwrap(), "--label", "vault-a", "--json"]);
        assert_eq!(code(&checked), 0, "{}", said(&checked));
        assert_eq!(json(&checked)["exports"][0]["files"].as_array().unwrap().len(), 3);
        let listed = json(&anchorite(&["medium", "list", medium.to_str().unwrap(), "--json"]));
        assert_eq!(listed["exports"][0]["realm"], "rehearsal");
        ids.push(listed["id"].as_str().unwrap().to_owned());
        let record = std::fs::read_to_string(out.join("evidence/transcript.jsonl")).unwrap();
        let digest = listed["exports"][0]["digest"].as_str().unwrap();
        assert!(record.contains(digest) && record.contains("\"place\":\"simulated\""), "the record names the export");
    }
    assert_eq!(ids[0], ids[1]);
}

/// Strangers begin with these lines.
#[test]
fn the_commands_of_the_specification_check_an_export_and_notice_what_is_altered() {
    let page = std::fs::read_to_string(crate::program::root().join("media/README.md")).unwrap();
    let commands = page.split("### With plain tools\n").nth(1).unwrap().split("```sh\n").nth(1).unwrap();
    let commands = commands.split("```").next().unwrap();
    let stick = Stick::new();
    let run = |folder: &Path| {
        Command::new("sh").args(["-c", &format!("set -e\n{commands}")]).current_dir(folder).output().unwrap()
    };
    let folder = stick.path("stick/EXP-0001");
    let output = run(&folder);
    assert_eq!(code(&output), 0, "{}", said(&output));
    let shown = json(&stick.medium(&["list", stick.at("stick"), "--json"]));
    assert!(said(&output).contains("hello.txt: OK") && said(&output).contains("root.crt.pem: OK"));
    assert!(said(&output).contains(shown["exports"][0]["digest"].as_str().unwrap()), "{}", said(&output));
    std::fs::write(folder.join("hello.txt"), b"hullo\n").unwrap();
    assert_ne!(code(&run(&folder)), 0);
}

/// A disc image behind a loop device with a file system this kernel has; gone when dropped.
pub struct Loop(pub String);

impl Loop {
    pub fn new(image: &Path) -> Option<Self> {
        std::fs::File::create(image).unwrap().set_len(8 << 20).unwrap();
        let image = image.to_str().unwrap();
        let made = ["mkfs.vfat", "mkfs.ext4"].iter().any(|tool| {
            let kernel = std::fs::read_to_string("/proc/filesystems").unwrap_or_default();
            kernel.contains(&format!("\t{}\n", &tool[5..]))
                && Command::new(tool).arg(image).output().is_ok_and(|output| output.status.success())
        });
        let device = made.then(|| Command::new("losetup").args(["--find", "--show", image]).output().ok())??;
        device.status.success().then(|| Self(String::from_utf8(device.stdout).unwrap().trim().to_owned()))
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        let _ = Command::new("losetup").args(["-d", &self.0]).output();
    }
}

#[test]
fn a_block_device_is_mounted_by_us_with_nothing_allowed_and_unmounted_before_it_may_be_pulled() {
    let stick = Stick { folder: tempfile::tempdir().unwrap() };
    let Some(device) = Loop::new(&stick.path("image")) else {
        eprintln!("SKIPPED, NOT PASSED: a block device of our own needs root, losetup and mkfs");
        return;
    };
    let file = stick.file("hello.txt", b"hello\n");
    let mounts = || std::fs::read_to_string("/proc/mounts").unwrap();
    let output = stick.medium(&["init", &device.0, "--label", "vault-a"]);
    assert!(code(&output) == 0 && said(&output).contains("unmounted. Pull it now."), "{}", said(&output));
    // How it is mounted is seen in the calls.
    let trace = stick.at("trace");
    let strace = ["-o", trace, "-e", "trace=mount,umount2", env!("CARGO_BIN_EXE_anchorite"), "medium", "write"];
    let traced = Command::new("strace").args(strace).args([&device.0, file.to_str().unwrap()]).output();
    let output = traced.unwrap_or_else(|_| stick.medium(&["write", &device.0, file.to_str().unwrap()]));
    assert!(code(&output) == 0 && said(&output).contains("unmounted. Pull it now."), "{}", said(&output));
    let calls: Vec<String> =
        std::fs::read_to_string(trace).unwrap().lines().filter(|l| l.ends_with("= 0")).map(str::to_owned).collect();
    let mounted: Vec<&String> = calls.iter().filter(|line| line.starts_with("mount(")).collect();
    assert_eq!(mounted.len(), 2, "written, then read again from the device: {calls:?}");
    for line in &mounted {
        assert!(line.contains("MS_NOSUID|MS_NODEV|MS_NOEXEC"), "{line}");
    }
    assert!(mounted[1].contains("MS_RDONLY"), "{}", mounted[1]);
    assert_eq!(calls.iter().filter(|line| line.starts_with("umount2(")).count(), 2);
    let output = stick.medium(&["read", &device.0, "--out", stick.at("out")]);
    assert_eq!(code(&output), 0, "{}", said(&output));
    assert_eq!(std::fs::read(stick.path("out/hello.txt")).unwrap(), b"hello\n");
    let wrong = stick.medium(&["check", &device.0, "--label", "vault-b"]);
    assert_eq!(code(&wrong), 7);
    assert!(!mounts().contains(&device.0), "a refusal leaves nothing mounted");
    // A device somebody has mounted already is theirs.
    std::fs::create_dir(stick.path("theirs")).unwrap();
    assert!(Command::new("mount").args([&device.0, stick.at("theirs")]).status().unwrap().success());
    let output = stick.medium(&["list", &device.0]);
    Command::new("umount").arg(stick.at("theirs")).status().unwrap();
    assert!(code(&output) == 7 && said(&output).contains("name that folder"), "{}", said(&output));
    // A device without a file system.
    std::fs::write(stick.path("image"), vec![0; 8 << 20]).unwrap();
    let output = stick.medium(&["list", &device.0]);
    assert!(code(&output) != 0 && !mounts().contains(&device.0), "{}", said(&output));
}

#[test]
fn a_ceremony_does_not_take_the_outcome_of_another_medium_and_reads_records_from_before_media_had_ids() {
    use anchorite::ceremony::event::Outcome;
    use anchorite::ceremony::steps::{Input, kind_at};
    use anchorite::ceremony::{Moment, State};
    let script = crate::program::root().join("ceremony-scripts/small-root");
    let plan = anchorite::cli::script_files::read(&script, anchorite::basics::Realm::Rehearsal).unwrap().plan;
    let at = plan.steps.iter().position(|step| step.kind == "write-medium").unwrap();
    let moment = Moment { time: anchorite::basics::Instant(0), head: anchorite::basics::Digest::of(b"head") };
    let take = |outcome: &str| {
        let outcome: Outcome = serde_json::from_str(outcome).unwrap();
        let mut state = State { step: at, ..State::default() };
        state.local.moment = 1;
        let taken =
            kind_at(&plan, at).unwrap().take(&plan, &plan.steps[at], &mut state, &moment, &Input::Outcome(&outcome));
        (taken.map(|_| state.media["vault-a"].clone()), serde_json::to_string(&outcome).unwrap())
    };
    let old = r#"{"outcome":"medium-written","files":[]}"#;
    let (taken, again) = take(old);
    assert!(taken.unwrap().written.is_none());
    assert_eq!(again, old, "an old entry is written back the same");
    let of = |label: &str| {
        let digest = "0".repeat(64);
        format!(
            r#"{{"outcome":"medium-written","files":[],"medium":{{"place":"plain folder","id":"00","label":"{label}","export":"EXP-0001","manifest":"{digest}"}}}}"#
        )
    };
    assert!(take(&of("vault-a")).0.unwrap().written.is_some());
    let refusal = take(&of("vault-b")).0.unwrap_err();
    assert_eq!(refusal, "this is `vault-b` (id 00), expected `vault-a`");
}

#[test]
fn attestations_leave_and_signatures_come_back_by_medium_each_checked() {
    let folder = tempfile::tempdir().unwrap();
    let (out, stick, aside) = (folder.path().join("out"), folder.path().join("stick"), folder.path().join("aside"));
    rehearse("small-root", &out);
    let evidence = out.join("evidence");
    std::fs::create_dir_all(&stick).unwrap();
    std::fs::create_dir_all(&aside).unwrap();
    let file = |who: &str| format!("attestation.{who}.json.sig");
    for who in ["ada", "grace"] {
        std::fs::rename(evidence.join(file(who)), aside.join(file(who))).unwrap();
    }
    let run = |arguments: &[&str]| {
        let output = anchorite(arguments);
        (code(&output), said(&output))
    };
    let (at, on) = (evidence.to_str().unwrap(), stick.to_str().unwrap());
    assert_eq!(run(&["medium", "init", on, "--label", "papers"]).0, 0);
    assert_eq!(run(&["evidence", "export", at, "--medium", on, "--label", "vault-a"]).0, 7, "another stick");
    let (exit, words) = run(&["evidence", "export", at, "--medium", on, "--label", "papers"]);
    assert!(exit == 0 && words.contains("EXP-0001 on") && words.contains("6 files"), "{words}");
    for name in ["attestation.ada.json", "attestation.grace.json", "small-root.crt.pem", "small-root.1.crl.pem"] {
        let from = if name.ends_with("pem") { evidence.join("artifacts").join(name) } else { evidence.join(name) };
        assert_eq!(std::fs::read(stick.join("EXP-0001").join(name)).unwrap(), std::fs::read(from).unwrap(), "{name}");
    }
    assert_eq!(run(&["evidence", "collect", at, "--medium", on]).0, 7, "nobody has signed");

    // Ada's own signature, and hers again under Grace's name.
    std::fs::copy(aside.join(file("ada")), stick.join("INBOX").join(file("ada"))).unwrap();
    std::fs::copy(aside.join(file("ada")), stick.join("INBOX").join(file("grace"))).unwrap();
    let (exit, words) = run(&["evidence", "collect", at, "--medium", on]);
    assert!(exit == 4 && words.contains("the signature of grace"), "{words}");
    assert!(evidence.join(file("ada")).exists() && !evidence.join(file("grace")).exists());
    std::fs::remove_file(stick.join("INBOX").join(file("grace"))).unwrap();
    // Grace's comes back in an export.
    let signature = aside.join(file("grace"));
    assert_eq!(run(&["medium", "write", on, signature.to_str().unwrap(), "--realm", "rehearsal"]).0, 0);
    let (exit, words) = run(&["evidence", "collect", at, "--medium", on]);
    assert!(exit == 0 && words.contains("signed already"), "{words}");
    let pins = evidence.join("allowed_signers");
    for verifier in [verify, verify_py] {
        assert_eq!(verifier(&evidence, &["--signers", pins.to_str().unwrap()]).0, 0);
    }
}
