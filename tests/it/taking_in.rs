//! An OpenSSL-made request comes into a ceremony by every way: simulated, text frames, pictures of codes, a folder and a FAT stick. What the
//! record says of it is what `sha256sum` says of the file.

use crate::closed_terminal::Session;
use crate::program::{anchorite, anchorite_with, code, root, said, verify, verify_py};
use anchorite::basics::Digest;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A ceremony that takes in and makes nothing.
const STEPS: &str = r#"
[[act]]
title = "Open"

[[act.step]]
id = "roll"
title = "Who is here"
kind = "roll-call"
who = "administrator"
minutes = 1
say = "Each of us confirms our roles."

[[act]]
title = "Take in"

[[act.step]]
id = "request"
title = "Take in the request"
kind = "take-request"
who = "administrator"
confirm = ["witness"]
minutes = 3
say = "The request of the issuing authority comes in."
name = "issuing-2026"

[[act.step]]
id = "order"
title = "Take in the order"
kind = "take-object"
who = "administrator"
confirm = ["witness"]
minutes = 3
say = "The order comes in."
object = "order"
name = "week-48"

[[act]]
title = "Close"

[[act.step]]
id = "sign-off"
title = "Do you agree"
kind = "sign-off"
who = "administrator"
minutes = 1
say = "Say what you have seen."

[[act.step]]
id = "close"
title = "Close the record"
kind = "close-evidence"
who = "administrator"
minutes = 1
say = "Nothing can be added after this but signatures."
"#;

const ORDER: &[u8] = include_bytes!("../../ceremony-scripts/factory-bundle/rehearsal/lamps-1.order.toml");

struct Made {
    folder: tempfile::TempDir,
}

impl Made {
    /// The script, and what comes in: a request as PEM that OpenSSL made, and an order.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let small = std::fs::read_to_string(root().join("ceremony-scripts/small-root/script.toml")).unwrap();
        let head = small.split("[[act]]").next().unwrap();
        std::fs::create_dir_all(folder.path().join("script/rehearsal")).unwrap();
        std::fs::create_dir_all(folder.path().join("script/profiles")).unwrap();
        let profile = "root-device.toml";
        std::fs::copy(
            root().join("ceremony-scripts/profiles").join(profile),
            folder.path().join("script/profiles").join(profile),
        )
        .unwrap();
        std::fs::write(folder.path().join("script/script.toml"), format!("{head}{}", STEPS.trim_start())).unwrap();
        let made = Self { folder };
        made.openssl(&["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "key.pem"]);
        made.openssl(&[
            "req",
            "-new",
            "-key",
            "key.pem",
            "-subj",
            "/C=SE/O=Example Devices/CN=Issuing 2026",
            "-out",
            "request.pem",
        ]);
        made.openssl(&["req", "-in", "request.pem", "-outform", "DER", "-out", "request.der"]);
        std::fs::write(made.at("order.json"), ORDER).unwrap();
        std::fs::copy(made.at("request.pem"), made.at("script/rehearsal/issuing-2026.csr.pem")).unwrap();
        std::fs::copy(made.at("order.json"), made.at("script/rehearsal/week-48.order.toml")).unwrap();
        made
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.at(name).to_str().unwrap().to_owned()
    }

    fn openssl(&self, arguments: &[&str]) {
        let done = Command::new("openssl").args(arguments).current_dir(self.folder.path()).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }

    /// What `sha256sum` says, by a program that is not ours.
    fn sha256(&self, name: &str) -> String {
        let output = Command::new("sha256sum").arg(self.at(name)).output().unwrap();
        String::from_utf8(output.stdout).unwrap()[..64].to_owned()
    }

    /// An envelope of the request, as the other side makes it.
    fn envelope(&self) -> String {
        let out = self.text("request.envelope");
        let arguments =
            ["envelope", "make", &self.text("request.pem"), "--kind", "csr", "--realm", "rehearsal", "--out", &out];
        let output = anchorite(&arguments);
        assert_eq!(code(&output), 0, "{}", said(&output));
        out
    }

    /// A rehearsal by hand in which the request comes in as typed; everything before and after is simulated.
    fn by_hand(&self, out: &str, typed: &[&str]) -> (String, PathBuf) {
        let out = self.at(out);
        let mut lines = vec!["s", "s"];
        lines.extend_from_slice(typed);
        lines.extend(["s"; 12]);
        let arguments = ["rehearse", &self.text("script"), "--plain", "--out", out.to_str().unwrap()];
        let output = anchorite_with(&arguments, &(lines.join("\n") + "\n"));
        assert_eq!(code(&output), 0, "{}", said(&output));
        (said(&output), out.join("evidence"))
    }
}

/// The answers of a record that hold objects: kind, way and SHA-256.
fn objects(evidence: &Path) -> Vec<(String, String, String)> {
    let text = std::fs::read_to_string(evidence.join("transcript.jsonl")).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let answers = lines.map(|line| line["body"]["event"]["answer"].clone()).filter(|a| a["answer"] == "object");
    let word = |answer: &serde_json::Value, key: &str| answer[key].as_str().unwrap().to_owned();
    answers.map(|answer| (word(&answer, "kind"), word(&answer, "via"), word(&answer, "sha256"))).collect()
}

fn both_verify(evidence: &Path) {
    assert_eq!(verify_py(evidence, &[]).0, verify(evidence, &[]).0);
    assert!([0, 8].contains(&verify(evidence, &[]).0), "{:?}", verify(evidence, &[]));
}

#[test]
fn a_request_comes_into_a_rehearsal_by_itself_and_the_record_has_its_sha256() {
    let made = Made::new();
    let out = made.at("out");
    let arguments =
        ["rehearse", &made.text("script"), "--plain", "--auto", "--seed", "7", "--out", out.to_str().unwrap()];
    let output = anchorite(&arguments);
    assert_eq!(code(&output), 0, "{}", said(&output));
    let evidence = out.join("evidence");
    assert_eq!(
        objects(&evidence),
        [
            ("csr".to_owned(), "simulated".to_owned(), made.sha256("request.pem")),
            ("order".to_owned(), "simulated".to_owned(), made.sha256("order.json")),
        ]
    );
    both_verify(&evidence);
    let report = std::fs::read_to_string(evidence.join("report.html")).unwrap();
    assert!(report.contains("Came in") && report.contains(&made.sha256("request.pem")), "the report names it");
    assert!(out.join("state/incoming/issuing-2026.csr.pem").is_file(), "a resume finds it");
}

#[test]
fn a_rehearsal_without_the_file_says_which_one_and_where_it_looked() {
    let made = Made::new();
    let empty = made.at("empty");
    std::fs::create_dir(&empty).unwrap();
    let arguments = [
        "rehearse",
        &made.text("script"),
        "--plain",
        "--auto",
        "--incoming",
        &made.text("empty"),
        "--out",
        &made.text("out"),
    ];
    let output = anchorite(&arguments);
    assert_eq!(code(&output), 5, "{}", said(&output));
    assert!(
        said(&output).contains("--incoming, holds what comes in, under the name issuing-2026.csr.pem"),
        "{}",
        said(&output)
    );
}

#[test]
fn a_rehearsal_keeps_no_copy_of_a_private_key_among_what_comes_in() {
    let made = Made::new();
    std::fs::create_dir(made.at("mixed")).unwrap();
    let key = "-----BEGIN PRIVATE KEY-----\nMC4=\n-----END PRIVATE KEY-----\n";
    std::fs::write(made.at("mixed/issuing-2026.csr.pem"), key).unwrap();
    let arguments = ["rehearse", &made.text("script"), "--plain", "--auto", "--incoming", &made.text("mixed")];
    let output = anchorite(&[arguments.as_slice(), &["--out", &made.text("out")]].concat());
    assert_ne!(code(&output), 0);
    assert!(said(&output).contains("issuing-2026.csr.pem: expected an object"), "{}", said(&output));
    assert!(said(&output).contains("found a private key") && !said(&output).contains("MC4="), "{}", said(&output));
    assert!(!made.at("out").exists(), "nothing is begun");
}

#[test]
fn text_frames_of_qr_show_come_in_and_the_digest_of_its_owner_is_typed() {
    let made = Made::new();
    let envelope = made.envelope();
    let frames = made.text("frames.txt");
    let output = anchorite(&["envelope", "frames", &envelope, "--version", "8"]);
    assert_eq!(code(&output), 0, "{}", said(&output));
    std::fs::write(&frames, &output.stdout).unwrap();
    let cut = std::fs::read_to_string(&frames).unwrap().lines().take(1).collect::<Vec<_>>().join("\n");
    std::fs::write(made.at("cut.txt"), cut).unwrap();
    let way = format!("3 {frames}");
    let cut = format!("3 {}", made.text("cut.txt"));
    let digest = made.sha256("request.der");
    let words = Digest::parse(&digest).unwrap().twelve_words();
    let wrong = Digest::of(b"wrong").twelve_words();
    let (said, evidence) = made.by_hand("out", &[&cut, &way, &wrong, "again", &way, &words]);
    assert_eq!(
        objects(&evidence),
        [
            ("csr".to_owned(), "frames".to_owned(), made.sha256("request.pem")),
            ("csr".to_owned(), "frames".to_owned(), made.sha256("request.pem")),
            ("order".to_owned(), "simulated".to_owned(), made.sha256("order.json")),
        ]
    );
    assert!(said.contains("ended before the object was whole: 1 of "), "{said}");
    assert!(said.contains("this is not the SHA-256 of the DER that came in"), "{said}");
    // What the owner has is not on the screen before it was typed.
    let before = said.split("Digest of the certificate request of issuing-2026").nth(1).unwrap();
    let before = before.split("Is this the certificate request").next().unwrap();
    assert!(!before.contains(&words) && !before.contains(&digest[..8]), "{before}");
    both_verify(&evidence);
}

#[test]
fn a_scanner_that_types_gives_codes_line_by_line_and_a_share_is_never_taken() {
    let made = Made::new();
    let frames = anchorite(&["envelope", "frames", &made.envelope(), "--version", "8"]);
    let frames = String::from_utf8(frames.stdout).unwrap();
    let share = "KR1QXWLE5GPQGPSZMS0UDX02ZATJ54NNYZML2KGP8J9QS24VV6RT5NUAX6UE423004607MSL295C0T6P";
    let mut typed = vec!["7", share, ""];
    typed.push("7");
    typed.extend(frames.lines());
    let digest = made.sha256("request.der");
    typed.push(&digest);
    let (said, evidence) = made.by_hand("out", &typed);
    assert_eq!(objects(&evidence)[0], ("csr".to_owned(), "scanner".to_owned(), made.sha256("request.pem")), "{said}");
    assert!(said.contains("this is a share, and none is asked for here"), "{said}");
    assert!(!std::fs::read_to_string(evidence.join("transcript.jsonl")).unwrap().contains("KR1Q"));
}

#[test]
fn a_ceremony_that_stops_after_something_came_in_goes_on_where_it_was() {
    let made = Made::new();
    let out = made.at("out");
    let stick = made.text("request.pem");
    let typed = format!("s\ns\n6 {stick}\nleave\n");
    let output = anchorite_with(&["rehearse", &made.text("script"), "--plain", "--out", out.to_str().unwrap()], &typed);
    assert_eq!(code(&output), 5, "{}", said(&output));
    // The file is gone: what came in is in the record.
    std::fs::remove_file(made.at("request.pem")).unwrap();
    let digest = made.sha256("request.der");
    let typed = format!("{}{digest}\n{}", "s\n".repeat(2), "s\n".repeat(12));
    let output = anchorite_with(&["resume", out.to_str().unwrap(), "--plain"], &typed);
    assert_eq!(code(&output), 0, "{}", said(&output));
    assert_eq!(objects(&out.join("evidence"))[0].1, "file");
    both_verify(&out.join("evidence"));
}

#[test]
fn pictures_of_printed_codes_in_a_folder_come_in() {
    let made = Made::new();
    let output =
        anchorite(&["qr", "print", &made.text("request.pem"), "--kind", "csr", "--out", &made.text("pictures")]);
    assert_eq!(code(&output), 0, "{}", said(&output));
    let way = format!("2 {}", made.text("pictures"));
    let (_, evidence) = made.by_hand("out", &[&way, &made.sha256("request.der")]);
    let found = objects(&evidence);
    assert_eq!(found[0], ("csr".to_owned(), "pictures".to_owned(), made.sha256("request.pem")));
    both_verify(&evidence);
}

#[test]
fn a_plain_request_on_a_stick_comes_in_and_a_wrong_one_is_named() {
    let made = Made::new();
    std::fs::create_dir(made.at("stick")).unwrap();
    std::fs::write(made.at("stick/letter.txt"), "Dear custodian").unwrap();
    let way = format!("5 {}", made.text("stick"));
    let digest = made.sha256("request.der");
    let (said, _) = made.by_hand("none", &[&way, "s"]);
    assert!(said.contains("letter.txt: expected the DER or PEM of a csr"), "{said}");
    for name in ["request.der", "request.pem"] {
        std::fs::copy(made.at(name), made.at("stick").join(name)).unwrap();
        let (said, evidence) = made.by_hand(&format!("out-{name}"), &[&way, &digest]);
        assert_eq!(objects(&evidence)[0], ("csr".to_owned(), "medium".to_owned(), made.sha256(name)), "{said}");
        both_verify(&evidence);
        std::fs::remove_file(made.at("stick").join(name)).unwrap();
    }
    // Two that could be it: people choose.
    for name in ["request.der", "request.pem"] {
        std::fs::copy(made.at(name), made.at("stick").join(name)).unwrap();
    }
    let (said, evidence) = made.by_hand("both", &[&way, "b", &way, "2", &digest]);
    assert!(said.contains("which file is it?"), "{said}");
    assert_eq!(objects(&evidence)[0].2, made.sha256("request.pem"));
}

#[test]
fn an_export_of_the_other_side_comes_in_from_a_medium() {
    let made = Made::new();
    std::fs::create_dir(made.at("stick")).unwrap();
    let envelope = made.envelope();
    for arguments in [
        &["medium", "init", &made.text("stick"), "--label", "transport"][..],
        &["medium", "write", &made.text("stick"), "--realm", "rehearsal", &envelope],
    ] {
        let output = anchorite(arguments);
        assert_eq!(code(&output), 0, "{}", said(&output));
    }
    let way = format!("5 {}", made.text("stick"));
    let (_, evidence) = made.by_hand("out", &[&way, &made.sha256("request.pem")]);
    assert_eq!(objects(&evidence)[0], ("csr".to_owned(), "medium".to_owned(), made.sha256("request.pem")));
}

/// Waits on the screen with `keys` pressed once it says `text`.
fn then(session: &mut Session, text: &str, keys: &str) {
    session.wait_for(text);
    session.press(keys.as_bytes());
}

#[test]
fn on_the_screen_pictures_are_taken_in_as_they_appear_and_escape_loses_nothing() {
    let made = Made::new();
    let pages = made.text("pages");
    let output = anchorite(&["qr", "print", &made.text("request.pem"), "--kind", "csr", "--out", &pages]);
    assert_eq!(code(&output), 0, "{}", said(&output));
    let envelope = made.envelope();
    let frames = anchorite(&["envelope", "frames", &envelope, "--version", "8", "--count", "1"]);
    std::fs::write(made.at("one.txt"), &frames.stdout).unwrap();
    std::fs::create_dir(made.at("watched")).unwrap();
    let out = made.at("out");
    let arguments = ["rehearse", &made.text("script"), "--out", out.to_str().unwrap()];
    let mut session = Session::start(&arguments, (120, 40), &[("NO_COLOR", "1")]);
    // F5: the simulated people are here.
    then(&mut session, "Ada Byron, are you here?", "\x1b[15~");
    then(&mut session, "Grace Hopper, are you here?", "\x1b[15~");
    then(&mut session, "the simulated other side", &format!("3 {}\r", made.text("one.txt")));
    session.wait_for("1 of 4 parts");
    session.press(format!("2 {}\r", made.text("watched")).as_bytes());
    session.wait_for("Put pictures of the codes into the folder");
    session.wait_for("waiting for the certificate request of issuing-2026: a csr for rehearsal");
    session.press(b"\x1b");
    session.wait_for("Choose what it is read with");
    session.press(format!("2 {}\r", made.text("watched")).as_bytes());
    session.wait_for("Put pictures of the codes into the folder");
    for page in std::fs::read_dir(&pages).unwrap() {
        let page = page.unwrap();
        std::fs::copy(page.path(), made.at("watched").join(page.file_name())).unwrap();
    }
    session.wait_for("Digest of the certificate request of issuing-2026");
    assert!(!session.contents().contains(&Digest::parse(&made.sha256("request.der")).unwrap().twelve_words()));
    session.press(format!("{}\r", made.sha256("request.der")).as_bytes());
    session.wait_for("Is this the certificate request of issuing-2026?");
    session.press(b"\x03");
    then(&mut session, "leave", "leave\r");
    let record = std::fs::read_to_string(out.join("evidence/transcript.jsonl")).unwrap();
    assert!(record.contains(&made.sha256("request.pem")), "the record has the object's SHA-256");
    drop(session);
}

/// A FAT image that mtools wrote, mounted in user space; unmounted when dropped.
struct Fat(PathBuf);

impl Fat {
    fn of(made: &Made, file: &str) -> Option<Self> {
        let (image, folder) = (made.text("stick.img"), made.at("fat"));
        let run = |program: &str, arguments: &[&str]| {
            Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
        };
        std::fs::create_dir(&folder).unwrap();
        let written = run("mformat", &["-C", "-f", "1440", "-i", &image, "::"])
            && run("mcopy", &["-i", &image, &made.text(file), "::Issuing request.pem"])
            && run("mcopy", &["-i", &image, &made.text(file), &format!("::{file}")]);
        (written && run("fusefat", &["-o", "ro", &image, folder.to_str().unwrap()])).then_some(Self(folder))
    }
}

impl Drop for Fat {
    fn drop(&mut self) {
        let _ = Command::new("fusermount").arg("-u").arg(&self.0).output();
    }
}

#[test]
fn a_request_on_a_fat_stick_of_another_system_comes_in() {
    let made = Made::new();
    let Some(stick) = Fat::of(&made, "request.pem") else {
        eprintln!("SKIPPED, NOT PASSED: a FAT stick needs mtools and fusefat");
        return;
    };
    let way = format!("5 {}", stick.0.display());
    let (said, evidence) = made.by_hand("out", &[&way, &made.sha256("request.der")]);
    // The file whose name has a space in it is no name of ours, and nobody is asked which of the two it is.
    assert!(!said.contains("which file is it?"), "{said}");
    assert_eq!(objects(&evidence)[0], ("csr".to_owned(), "medium".to_owned(), made.sha256("request.pem")));
    both_verify(&evidence);
}

#[test]
fn a_request_on_a_block_device_comes_in_and_nothing_stays_mounted() {
    let made = Made::new();
    let image = made.at("image");
    let Some(device) = crate::media::Loop::new(&image) else {
        eprintln!("SKIPPED, NOT PASSED: a block device of our own needs root, losetup and mkfs");
        return;
    };
    let folder = made.at("mounted");
    std::fs::create_dir(&folder).unwrap();
    assert!(Command::new("mount").args([Path::new(&device.0), &folder]).status().unwrap().success());
    std::fs::copy(made.at("request.der"), folder.join("request.der")).unwrap();
    assert!(Command::new("umount").arg(&folder).status().unwrap().success());
    let (_, evidence) = made.by_hand("out", &[&format!("5 {}", device.0), &made.sha256("request.der")]);
    assert_eq!(objects(&evidence)[0], ("csr".to_owned(), "medium".to_owned(), made.sha256("request.der")));
    assert!(!std::fs::read_to_string("/proc/mounts").unwrap().contains(&device.0));
}

/// A production run as far as the request: governance and approval of one approver, a binding, the people by their initials.
fn in_production(made: &Made, binding: &str, typed: &[String]) -> (String, PathBuf) {
    let own = crate::program::own_script_in(&made.at("own"));
    let text = std::fs::read_to_string(own.join("script.toml")).unwrap();
    let head = text.split("[[act]]").next().unwrap();
    std::fs::write(own.join("script.toml"), format!("{head}{}", STEPS.trim_start())).unwrap();
    let run = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).current_dir(made.folder.path()).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", said(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", "approver"]);
    let public = std::fs::read_to_string(made.at("approver.pub")).unwrap();
    let public: Vec<&str> = public.split(' ').take(2).collect();
    std::fs::create_dir(made.at("governance")).unwrap();
    let toml = "format = \"anchorite-governance/1\"\ntitle = \"Ours\"\napprovers = [\"ann\"]\nthreshold = 1\n";
    std::fs::write(made.at("governance/governance.toml"), toml).unwrap();
    let signers = format!("ann namespaces=\"script-approval@anchorite\" {}\n", public.join(" "));
    std::fs::write(made.at("governance/allowed_signers"), signers).unwrap();
    let program = env!("CARGO_BIN_EXE_anchorite");
    let window = ["--not-before", "2020-01-01T00:00:00Z", "--not-after", "2099-01-01T00:00:00Z"];
    let script = own.to_str().unwrap();
    run(program, &[&["approve", "make", script], &window[..], &["--out", "approval.json"]].concat());
    run("ssh-keygen", &["-q", "-Y", "sign", "-n", "script-approval@anchorite", "-f", "approver", "approval.json"]);
    std::fs::rename(made.at("approval.json.sig"), made.at("approval.json.ann.sig")).unwrap();
    run(program, &["ledger", "init", "ledger.sqlite"]);
    let words = run(program, &["approve", "words", "--governance", "governance"]).trim().to_owned();
    let ledger = made.text("ledger.sqlite");
    let binding = format!("format = \"anchorite-binding/1\"\nledger = \"{ledger}\"\n{binding}");
    std::fs::write(made.at("binding.toml"), binding).unwrap();
    let lines =
        [vec![words.clone(), words, "AB".to_owned(), "GH".to_owned()], typed.to_vec(), vec!["leave".to_owned()]];
    let at = |name: &str| made.text(name);
    let out = made.at("out");
    let arguments = [
        "run",
        script,
        "--governance",
        &at("governance"),
        "--approval",
        &at("approval.json"),
        "--binding",
        &at("binding.toml"),
        "--out",
        out.to_str().unwrap(),
        "--plain",
    ];
    let output = anchorite_with(&arguments, &(lines.concat().join("\n") + "\n"));
    assert_eq!(code(&output), 5, "{}", said(&output));
    (said(&output), out.join("evidence"))
}

#[test]
fn in_production_an_object_comes_by_what_the_binding_names_and_the_realm_of_rehearsals_is_refused() {
    let made = Made::new();
    let rehearsed = made.envelope();
    let make = ["envelope", "make", &made.text("request.pem"), "--kind", "csr", "--realm", "production"];
    for folder in ["shelf", "in"] {
        std::fs::create_dir(made.at(folder)).unwrap();
    }
    let output = anchorite(&[&make[..], &["--out", &made.text("shelf/request.envelope")]].concat());
    assert_eq!(code(&output), 0, "{}", said(&output));
    std::fs::copy(&rehearsed, made.at("in/rehearsed.envelope")).unwrap();
    let frames = anchorite(&["envelope", "frames", &made.text("shelf/request.envelope"), "--version", "8"]);
    std::fs::write(made.at("frames.txt"), &frames.stdout).unwrap();
    let binding = format!(
        "[folders]\nvault-a = \"{}\"\n[incoming]\nfiles = \"{}\"\nframes = \"{}\"\n",
        made.text("shelf"),
        made.text("in"),
        made.text("frames.txt")
    );
    let typed = [
        // Not a path of the machine, however it is typed; the other realm; a name that is not there.
        "2 ../shelf/request.envelope",
        "2 rehearsed.envelope",
        "2 none",
        "s",
        "9",
        "1",
        "again",
        "3",
        &made.sha256("request.der"),
        "AB",
        "GH",
    ]
    .map(str::to_owned);
    let (said, evidence) = in_production(&made, &binding, &typed);
    for (n, refusal) in [
        "../shelf/request.envelope: expected",
        "expected a csr for production, found a csr for rehearsal (request.pem): not taken",
        "expected a file none in this folder, found none",
        "expected the number of a way in, one of 1, 2, 3, 4",
    ]
    .iter()
    .enumerate()
    {
        assert!(said.contains(refusal), "{n}: {refusal} in {said}");
    }
    let word = |via: &str| ("csr".to_owned(), via.to_owned(), made.sha256("request.pem"));
    assert_eq!(objects(&evidence), [word("medium"), word("frames")], "{said}");
    assert!(said.contains("Take in the order week-48") || said.contains("the order week-48"), "{said}");
}

#[test]
fn in_production_a_stick_that_is_not_there_and_the_wrong_one_are_named_and_asked_for_again() {
    let made = Made::new();
    std::fs::create_dir(made.at("usb")).unwrap();
    std::fs::copy(made.at("request.pem"), made.at("usb/request.pem")).unwrap();
    let binding = format!("[media]\nvault-a = \"{}\"\n", made.text("usb"));
    let (said, evidence) = in_production(&made, &binding, &["1".to_owned()]);
    assert!(
        said.contains("nothing is mounted here: it is a plain folder of the machine, not the medium vault-a"),
        "{said}"
    );
    assert!(objects(&evidence).is_empty());
}
