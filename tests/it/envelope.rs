//! `envelope make | show | open | frames`: a file into an envelope, into frames, and back to the same octets.

use crate::program::{anchorite, code, said};
use std::path::{Path, PathBuf};

struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        desk.write("root.crt", &(0..3_000_u32).map(|n| ((n * n) >> 3) as u8).collect::<Vec<_>>());
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, octets: &[u8]) {
        std::fs::write(self.path(name), octets).unwrap();
    }

    fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    /// Runs `envelope`; words that open with `@` are files of this desk.
    fn run(&self, line: &str) -> (i32, String, String) {
        let arguments: Vec<String> = ["envelope"]
            .into_iter()
            .chain(line.split(' '))
            .map(|word| word.strip_prefix('@').map_or(word.to_owned(), |name| self.path(name).display().to_string()))
            .collect();
        let output = anchorite(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
        (code(&output), String::from_utf8_lossy(&output.stdout).into_owned(), said(&output))
    }

    fn made(&self) -> String {
        let (exit, stdout, all) = self.run("make @root.crt --kind certificate --realm rehearsal --out @e");
        assert_eq!(exit, 0, "{all}");
        stdout
    }
}

fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

#[test]
fn an_envelope_says_the_same_words_when_it_is_made_and_shown_and_its_content_comes_out() {
    let desk = Desk::new();
    let made = desk.made();
    let (exit, shown, _) = desk.run("show @e");
    assert_eq!((exit, &shown), (0, &made));
    assert!(shown.starts_with("certificate for rehearsal\n  name    root.crt\n  octets  3000\n"), "{shown}");
    let (exit, json, _) = desk.run("show @e --json");
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((exit, json["kind"].as_str(), json["octets"].as_u64()), (0, Some("certificate"), Some(3_000)));
    assert!(shown.contains(json["words"].as_str().unwrap()));
    let (exit, _, all) = desk.run("open @e --out @out --kind certificate --realm rehearsal");
    assert_eq!(exit, 0, "{all}");
    assert_eq!(desk.read("out"), desk.read("root.crt"));
}

#[test]
fn another_kind_or_realm_is_refused_and_nothing_is_written() {
    let desk = Desk::new();
    desk.made();
    let (exit, _, all) = desk.run("open @e --out @out --kind csr");
    assert_eq!(exit, 4);
    assert!(all.contains("root.crt: expected csr, found certificate"), "{all}");
    let (exit, _, all) = desk.run("open @e --out @out --realm production");
    assert_eq!(exit, 4);
    assert!(all.contains("expected production, found rehearsal"), "{all}");
    assert!(!exists(&desk.path("out")));
}

#[test]
fn nothing_is_overwritten_and_bad_names_are_refused() {
    let desk = Desk::new();
    desk.made();
    desk.write("other", b"there already");
    assert_eq!(desk.run("open @e --out @other").0, 1);
    assert_eq!(desk.run("make @root.crt --kind crl --realm rehearsal --out @e").0, 1);
    assert_eq!(desk.read("other"), b"there already");
    let (exit, _, all) = desk.run("make @root.crt --kind csr --realm rehearsal --name ../x --out @new");
    assert_eq!(exit, 2);
    assert!(all.contains("name of the envelope") && all.contains("hint: --name"), "{all}");
    assert_eq!(desk.run("make @root.crt --kind share --realm rehearsal --out @new").0, 2);
    assert!(!exists(&desk.path("new")));
}

#[test]
fn frames_single_codes_and_ur_of_an_envelope_open_to_the_same_file() {
    let desk = Desk::new();
    let made = desk.made();
    for form in [
        "--version 5",
        "--version 15 --from 3 --count 40",
        "--symbol 100 --from 4000 --count 40",
        "--form ur --version 10 --from 50 --count 90",
        "--form ur",
    ] {
        let (exit, lines, all) = desk.run(&format!("frames @e {form}"));
        assert_eq!(exit, 0, "{all}");
        desk.write("lines", format!("\n{}", lines.replace('\n', "\r\n")).as_bytes());
        assert_eq!(desk.run("show @lines"), (0, made.clone(), made.clone()), "{form}");
        let out = format!("@out{}", form.replace(' ', ""));
        assert_eq!(desk.run(&format!("open @lines --out {out}")).0, 0);
        assert_eq!(desk.read(&out[1..]), desk.read("root.crt"));
    }
    desk.write("small", b"hello");
    desk.run("make @small --kind csr --realm production --out @s");
    let (_, single, _) = desk.run("frames @s --form single");
    desk.write("code", single.as_bytes());
    assert_eq!(desk.run("open @code --out @hello --kind csr").0, 0);
    assert_eq!(desk.read("hello"), b"hello");
    assert_eq!(desk.run("frames @e --form single").0, 2);
}

#[test]
fn too_few_frames_say_how_many_are_missing_and_foreign_lines_are_counted() {
    let desk = Desk::new();
    desk.made();
    let (_, lines, _) = desk.run("frames @e --version 5 --count 7");
    desk.write("lines", format!("hello\n{lines}hello\n").as_bytes());
    let (exit, _, all) = desk.run("open @lines --out @out");
    assert_eq!(exit, 7);
    assert!(all.contains("expected 45 useful frames, found 7"), "{all}");
    assert!(all.contains("2 lines are no frames; line 1: frame: expected it to open with AF1"), "{all}");
    desk.write("nothing", b"hello\n");
    assert_eq!(desk.run("show @nothing").0, 4);
    desk.write("binary", &[0xff; 100]);
    assert_eq!(desk.run("show @binary").0, 4);
    desk.write("altered", &[&b"AE1 "[..], &desk.read("e")[4..2_000], b"!", &desk.read("e")[2_001..]].concat());
    let (exit, _, all) = desk.run("show @altered");
    assert_eq!((exit, all.contains("does not have the SHA-256")), (4, true), "{all}");
}

#[test]
fn frames_of_two_objects_in_one_file_are_refused() {
    let desk = Desk::new();
    desk.made();
    desk.run("make @root.crt --kind chain --realm rehearsal --out @f");
    let lines = [desk.run("frames @e").1, desk.run("frames @f").1].concat();
    desk.write("lines", lines.as_bytes());
    let (exit, _, all) = desk.run("open @lines --out @out");
    assert_eq!((exit, all.contains("frames of another that is whole too")), (4, true), "{all}");
    assert!(!exists(&desk.path("out")));
}

#[test]
fn a_ur_of_another_program_opens_where_nothing_is_expected_of_it() {
    let desk = Desk::new();
    let mut encoder = ur::Encoder::bytes(&[&[0x45], &b"hello"[..]].concat(), 3).unwrap();
    let lines: Vec<String> = (0..8).map(|_| encoder.next_part().unwrap()).collect();
    desk.write("lines", lines.join("\n").as_bytes());
    assert_eq!(desk.run("open @lines --out @out --kind csr").0, 4);
    let (exit, _, all) = desk.run("open @lines --out @out");
    assert_eq!(exit, 0, "{all}");
    assert!(all.contains("no envelope: nothing says what this is"), "{all}");
    assert_eq!(desk.read("out"), b"hello");
}

#[test]
fn files_in_the_present_folder_need_no_path() {
    let desk = Desk::new();
    let here = |arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_anchorite"));
        let output = command.arg("envelope").args(arguments).current_dir(desk.0.path()).output().unwrap();
        assert_eq!(code(&output), 0, "{}", said(&output));
    };
    here(&["make", "root.crt", "--kind", "crl", "--realm", "production", "--out", "e"]);
    here(&["open", "e", "--out", "out"]);
    assert_eq!(desk.read("out"), desk.read("root.crt"));
}

#[test]
fn a_program_written_from_the_specification_alone_reads_the_examples_and_our_frames() {
    let desk = Desk::new();
    desk.made();
    let python = |arguments: &[&str]| {
        let script = crate::program::root().join("tests/py/frames_by_hand.py");
        let output = std::process::Command::new("python3").arg(script).args(arguments).output().unwrap();
        assert_eq!(code(&output), 0, "{}", said(&output));
    };
    python(&[]);
    let (_, lines, _) = desk.run("frames @e --version 10");
    desk.write("lines", lines.as_bytes());
    python(&[desk.path("lines").to_str().unwrap(), desk.path("out").to_str().unwrap()]);
    assert_eq!(desk.read("out"), desk.read("root.crt"));
}
