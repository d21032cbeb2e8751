//! `medium` as people use it: what goes onto a medium comes off it, and says the same words on both sides.

use crate::program::{anchorite, code, said};
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
