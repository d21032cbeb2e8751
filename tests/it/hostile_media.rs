//! The hostile-stick matrix, one test a row. What holds in every row: one clear refusal that names the thing, nothing outside the
//! medium is read, nothing is taken, and no raw control character reaches the terminal.

use crate::media::Stick;
use crate::program::{code, full, said};
use anchorite::devices::medium::{Access, Medium, Place};
use anchorite::transfer::volume::ExportName;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output};

const SECRET: &str = "what lies outside the medium";

/// Nothing hostile got through: the output is clean, nothing was taken, nothing outside was shown.
fn clean(stick: &Stick, output: &Output) {
    let text = said(output);
    assert!(!text.contains(SECRET) && !text.contains("panicked"), "{text}");
    assert!(!text.contains(['\u{1b}', '\u{202e}', '\r', '\u{7}']), "{text:?}");
    assert!(!stick.path("out").exists(), "refused, and yet taken: {text}");
}

/// Reading and checking both refuse with this code and these words.
fn refused(stick: &Stick, expected: i32, words: &str) {
    let output = stick.read();
    assert_eq!(code(&output), expected, "{}", said(&output));
    assert!(said(&output).contains(words), "expected {words:?} in {}", said(&output));
    assert!(said(&output).contains("hint: "), "{}", said(&output));
    clean(stick, &output);
    let output = stick.medium(&["check", stick.at("stick")]);
    assert!(code(&output) == expected && said(&output).contains(words), "check: {}", said(&output));
    clean(stick, &output);
}

fn replace(path: &Path, from: &str, to: &str) {
    let text = std::fs::read_to_string(path).unwrap();
    let changed = text.replacen(from, to, 1);
    assert_ne!(changed, text, "{from}");
    std::fs::write(path, changed).unwrap();
}

/// Runs a command of the machine; whether it did it.
fn done(argv: &[&str]) -> bool {
    Command::new(argv[0]).args(&argv[1..]).output().is_ok_and(|output| output.status.success())
}

fn skipped(why: &str) {
    eprintln!("SKIPPED, NOT PASSED: {why}");
}

/// A small file system mounted for one test.
struct Tmpfs(&'static str);

impl Tmpfs {
    fn at(folder: &'static str, options: &str) -> Option<Self> {
        done(&["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder]).then_some(Self(folder))
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        done(&["umount", "-l", self.0]);
    }
}

#[test]
fn a_symbolic_link_for_a_file_is_refused() {
    let stick = Stick::new();
    stick.file("outside", SECRET.as_bytes());
    for name in ["EXP-0001/hello.txt", "EXP-0001/MANIFEST", "VOLUME", "INBOX/loose.pem"] {
        let path = stick.path("stick").join(name);
        let kept = std::fs::read(&path).unwrap_or_default();
        let _ = std::fs::remove_file(&path);
        let relative = if name == "VOLUME" { "../outside" } else { "../../outside" };
        symlink(relative, &path).unwrap();
        if name.starts_with("INBOX") {
            let output = stick.medium(&["read", stick.at("stick"), "--loose", "loose.pem", "--out", stick.at("out")]);
            assert!(code(&output) == 4 && said(&output).contains("found a symbolic link"), "{}", said(&output));
            clean(&stick, &output);
        } else {
            refused(&stick, 4, &format!("{name}: expected a regular file, found a symbolic link"));
        }
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, kept).unwrap();
    }
}

#[test]
fn a_symbolic_link_for_a_folder_is_refused() {
    let stick = Stick::new();
    // Where it leads is a whole, valid export of this very medium.
    std::fs::rename(stick.path("stick/EXP-0001"), stick.path("elsewhere")).unwrap();
    symlink(stick.path("elsewhere"), stick.path("stick/EXP-0001")).unwrap();
    refused(&stick, 4, "EXP-0001: expected a folder, found a symbolic link");
    let stick = Stick::new();
    std::fs::create_dir(stick.path("elsewhere")).unwrap();
    std::fs::write(stick.path("elsewhere/loose.pem"), SECRET).unwrap();
    std::fs::remove_dir(stick.path("stick/INBOX")).unwrap();
    symlink(stick.path("elsewhere"), stick.path("stick/INBOX")).unwrap();
    let output = stick.medium(&["read", stick.at("stick"), "--loose", "loose.pem", "--out", stick.at("out")]);
    assert!(code(&output) == 4 && said(&output).contains("found a symbolic link"), "{}", said(&output));
    clean(&stick, &output);
    // Nor is anything written through one.
    let stick = Stick::empty();
    std::fs::create_dir(stick.path("elsewhere")).unwrap();
    symlink(stick.path("elsewhere"), stick.path("stick/EXP-0001")).unwrap();
    let file = stick.file("hello.txt", b"hello\n");
    let output = stick.medium(&["write", stick.at("stick"), file.to_str().unwrap()]);
    assert_eq!(code(&output), 0, "{}", said(&output));
    assert!(stick.path("stick/EXP-0002/MANIFEST").exists());
    assert_eq!(std::fs::read_dir(stick.path("elsewhere")).unwrap().count(), 0);
}

#[test]
fn a_named_pipe_is_refused_and_nothing_waits_for_it() {
    let stick = Stick::new();
    for name in ["EXP-0001/hello.txt", "EXP-0001/MANIFEST", "VOLUME"] {
        let path = stick.path("stick").join(name);
        let kept = std::fs::read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert!(done(&["mkfifo", path.to_str().unwrap()]));
        refused(&stick, 4, &format!("{name}: expected a regular file, found a named pipe"));
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, kept).unwrap();
    }
}

#[test]
fn a_device_node_is_refused_and_never_opened() {
    let stick = Stick::new();
    for name in ["EXP-0001/hello.txt", "EXP-0001/MANIFEST", "VOLUME"] {
        let path = stick.path("stick").join(name);
        let kept = std::fs::read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        // An endless one: whoever opens and reads it does not come back.
        if !done(&["mknod", path.to_str().unwrap(), "c", "1", "5"]) {
            return skipped("device nodes need the right to make them (root)");
        }
        refused(&stick, 4, &format!("{name}: expected a regular file, found a device node"));
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, kept).unwrap();
    }
}

#[test]
fn a_name_in_the_manifest_that_leads_out_is_refused() {
    for (name, words) in [
        ("../outside", "../outside: expected letters, digits, dot, hyphen and underscore only"),
        ("..", "..: expected a name that begins with a letter or digit"),
        ("/etc/passwd", "/etc/passwd: expected letters"),
        ("a/../../outside", "a/../../outside: expected letters"),
    ] {
        let stick = Stick::new();
        stick.file("outside", SECRET.as_bytes());
        replace(&stick.path("stick/EXP-0001/MANIFEST"), "hello.txt", name);
        refused(&stick, 4, words);
    }
}

#[test]
fn names_with_escapes_bidi_and_line_breaks_are_shown_harmless_and_refused() {
    for (name, shown) in
        [("a\u{1b}[2Jb", "a<U+001B>[2Jb"), ("a\u{202e}gpj.exe", "a<U+202E>gpj.exe"), ("a\nok: b", "a<U+000A>ok: b")]
    {
        let stick = Stick::new();
        let escaped = serde_json::to_string(name).unwrap();
        replace(&stick.path("stick/EXP-0001/MANIFEST"), "\"hello.txt\"", &escaped);
        refused(&stick, 4, shown);
        let stick = Stick::new();
        std::fs::write(stick.path("stick/EXP-0001").join(name), b"x").unwrap();
        refused(&stick, 4, &format!("EXP-0001: {shown}: the manifest does not list it"));
        let stick = Stick::new();
        for folder in ["stick", "stick/INBOX"] {
            std::fs::write(stick.path(folder).join(name), b"x").unwrap();
        }
        for verb in ["list", "check"] {
            let output = stick.medium(&[verb, stick.at("stick")]);
            assert_eq!(code(&output), if verb == "list" { 0 } else { 4 });
            assert_eq!(said(&output).matches(shown).count(), if verb == "list" { 3 } else { 2 }, "{}", said(&output));
            clean(&stick, &output);
        }
    }
    let stick = Stick::new();
    std::fs::write(stick.path("stick/EXP-0001").join(std::ffi::OsStr::from_bytes(b"a\xff\x1bb")), b"x").unwrap();
    refused(&stick, 4, "a\u{fffd}<U+001B>b: the manifest does not list it");
}

#[test]
fn a_hundred_thousand_files_are_counted_to_a_bound_and_refused() {
    let count = if full() { 100_000 } else { 10_050 };
    let stick = Stick::new();
    for folder in ["stick/EXP-0001", "stick/INBOX", "stick"] {
        for number in 0..count {
            std::fs::File::create(stick.path(folder).join(format!("f{number}"))).unwrap();
        }
        let began = std::time::Instant::now();
        let words = "more than 10000 names; nothing of it is read";
        if folder == "stick/EXP-0001" {
            refused(&stick, 4, &format!("EXP-0001: {words}"));
        } else {
            let output = stick.medium(&["list", stick.at("stick")]);
            assert!(code(&output) == 4 && said(&output).contains(words), "{}", said(&output));
            clean(&stick, &output);
        }
        assert!(began.elapsed().as_secs() < 20);
        for number in 0..count {
            std::fs::remove_file(stick.path(folder).join(format!("f{number}"))).unwrap();
        }
    }
}

#[test]
fn a_sparse_file_of_four_gigabytes_is_refused_unread() {
    let stick = Stick::new();
    for name in ["EXP-0001/hello.txt", "EXP-0001/MANIFEST", "VOLUME", "INBOX/loose.pem"] {
        let path = stick.path("stick").join(name);
        let kept = std::fs::read(&path).unwrap_or_default();
        std::fs::OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .unwrap()
            .set_len(4 << 30)
            .unwrap();
        let began = std::time::Instant::now();
        if name.starts_with("INBOX") {
            let output = stick.medium(&["read", stick.at("stick"), "--loose", "loose.pem", "--out", stick.at("out")]);
            assert!(code(&output) == 4 && said(&output).contains("found 4294967296"), "{}", said(&output));
            clean(&stick, &output);
        } else {
            refused(&stick, 4, "octets, found 4294967296");
        }
        assert!(began.elapsed().as_secs() < 10);
        std::fs::write(&path, kept).unwrap();
    }
}

#[test]
fn an_export_without_a_manifest_was_never_finished() {
    let stick = Stick::new();
    std::fs::remove_file(stick.path("stick/EXP-0001/MANIFEST")).unwrap();
    refused(&stick, 4, "EXP-0001: there is no MANIFEST: the writing never ended");
}

#[test]
fn an_altered_manifest_is_refused() {
    for (from, to, words) in [
        ("\"size\":6", "\"size\":7", "EXP-0001/hello.txt: expected 7 octets, found 6"),
        ("5891b5", "5891b6", "EXP-0001/hello.txt: expected SHA-256 5891b6"),
        ("hello.txt", "hallo.txt", "EXP-0001: hello.txt: the manifest does not list it"),
        ("EXP-0001", "EXP-0002", "EXP-0001: its manifest is the one of EXP-0002"),
        ("{\"export", "{ \"export", "the same value written differently"),
        ("-export/1", "-export/9", "expected format anchorite-export/1"),
    ] {
        let stick = Stick::new();
        replace(&stick.path("stick/EXP-0001/MANIFEST"), from, to);
        refused(&stick, 4, words);
    }
    // A valid one of another medium.
    let (stick, other) = (Stick::new(), Stick::new());
    std::fs::copy(other.path("stick/EXP-0001/MANIFEST"), stick.path("stick/EXP-0001/MANIFEST")).unwrap();
    refused(&stick, 4, "the folder was copied from another medium");
    // One of this medium whose files are gone.
    let stick = Stick::new();
    std::fs::remove_file(stick.path("stick/EXP-0001/hello.txt")).unwrap();
    refused(&stick, 4, "EXP-0001: hello.txt: the manifest lists it and it is not there");
}

#[test]
fn an_altered_file_is_refused() {
    let stick = Stick::new();
    std::fs::write(stick.path("stick/EXP-0001/root.crt.pem"), b"certificat!\n").unwrap();
    refused(&stick, 4, "EXP-0001/root.crt.pem: expected SHA-256 ");
}

#[test]
fn a_truncated_file_is_refused() {
    let stick = Stick::new();
    for length in [0, 1, 11] {
        std::fs::write(stick.path("stick/EXP-0001/root.crt.pem"), &b"certificate\n"[..length]).unwrap();
        refused(&stick, 4, &format!("EXP-0001/root.crt.pem: expected 12 octets, found {length}"));
    }
}

#[test]
fn a_file_that_the_manifest_does_not_list_is_refused() {
    let stick = Stick::new();
    std::fs::write(stick.path("stick/EXP-0001/extra.pem"), SECRET).unwrap();
    refused(&stick, 4, "EXP-0001: extra.pem: the manifest does not list it");
    std::fs::remove_file(stick.path("stick/EXP-0001/extra.pem")).unwrap();
    std::fs::create_dir(stick.path("stick/EXP-0001/extra")).unwrap();
    refused(&stick, 4, "EXP-0001: extra: the manifest does not list it");
    std::fs::remove_dir(stick.path("stick/EXP-0001/extra")).unwrap();
    // On top of the medium it is never opened, and said.
    assert!(done(&["mkfifo", stick.at("stick/extra.pem")]));
    let output = stick.medium(&["check", stick.at("stick")]);
    assert!(
        code(&output) == 4 && said(&output).contains("extra.pem: nobody of ours put it there"),
        "{}",
        said(&output)
    );
}

#[test]
fn names_that_differ_by_case_only_are_refused() {
    let stick = Stick::new();
    // "Hello.txt" sorts before "hello.txt", so that only the collision is wrong.
    replace(&stick.path("stick/EXP-0001/MANIFEST"), "root.crt.pem", "hello.TXT");
    let text = std::fs::read_to_string(stick.path("stick/EXP-0001/MANIFEST")).unwrap();
    let mut manifest: serde_json::Value = serde_json::from_str(&text).unwrap();
    manifest["files"].as_array_mut().unwrap().sort_by_key(|file| file["name"].as_str().unwrap().to_owned());
    std::fs::write(stick.path("stick/EXP-0001/MANIFEST"), manifest.to_string()).unwrap();
    refused(&stick, 4, "hello.TXT and hello.txt are one name where case does not count");
    let stick = Stick::new();
    std::fs::write(stick.path("stick/EXP-0001/HELLO.TXT"), b"hello\n").unwrap();
    refused(&stick, 4, "EXP-0001: HELLO.TXT: the manifest does not list it");
    let stick = Stick::empty();
    let (one, two) = (stick.file("hello.txt", b"1"), stick.path("more/HELLO.txt"));
    std::fs::create_dir(stick.path("more")).unwrap();
    std::fs::write(&two, b"2").unwrap();
    let output = stick.medium(&["write", stick.at("stick"), one.to_str().unwrap(), two.to_str().unwrap()]);
    assert!(code(&output) == 4 && said(&output).contains("one name where case does not count"), "{}", said(&output));
    assert!(!stick.path("stick/EXP-0001").exists());
}

#[test]
fn a_read_only_medium_is_read_and_refuses_to_be_written_in_words() {
    let stick = Stick::new();
    std::fs::create_dir(stick.path("mounted")).unwrap();
    let Some(_mount) = Tmpfs::at(stick.at("mounted"), "size=1m") else {
        return skipped("a read-only medium needs the right to mount (root)");
    };
    assert!(done(&["cp", "-a", stick.at("stick/."), stick.at("mounted")]));
    assert!(done(&["mount", "-o", "remount,ro", stick.at("mounted")]));
    let output = stick.medium(&["write", stick.at("mounted"), stick.at("hello.txt")]);
    assert_eq!(code(&output), 1, "{}", said(&output));
    assert!(said(&output).contains("the medium is read-only") && said(&output).contains("switch"), "{}", said(&output));
    let output = stick.medium(&["read", stick.at("mounted"), "--out", stick.at("out")]);
    assert_eq!(code(&output), 0, "{}", said(&output));
}

#[test]
fn a_full_medium_keeps_what_it_had_and_nothing_of_what_did_not_fit() {
    let stick = Stick::empty();
    std::fs::create_dir(stick.path("mounted")).unwrap();
    let Some(_mount) = Tmpfs::at(stick.at("mounted"), "size=64k") else {
        return skipped("a full medium needs the right to mount (root)");
    };
    assert!(done(&["cp", "-a", stick.at("stick/."), stick.at("mounted")]));
    let small = stick.file("small.pem", &[b'x'; 100]);
    assert_eq!(code(&stick.medium(&["write", stick.at("mounted"), small.to_str().unwrap()])), 0);
    // By size alone these would fit; each takes a whole page.
    let mut arguments = vec!["write".to_owned(), stick.at("mounted").to_owned()];
    arguments.extend((0..20).map(|n| stick.file(&format!("f{n}"), &[b'y'; 1_000]).to_str().unwrap().to_owned()));
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let output = stick.medium(&arguments);
    assert!(code(&output) == 1 && said(&output).contains("the medium is full"), "{}", said(&output));
    let large = stick.file("large.bin", &vec![b'z'; 1 << 20]);
    let output = stick.medium(&["write", stick.at("mounted"), large.to_str().unwrap()]);
    assert!(code(&output) == 1 && said(&output).contains("the medium is full"), "{}", said(&output));
    let mut left: Vec<_> = std::fs::read_dir(stick.path("mounted"))
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(left, ["EXP-0001", "INBOX", "VOLUME"], "what had been begun is removed");
    assert_eq!(code(&stick.medium(&["check", stick.at("mounted")])), 0);
}

#[test]
fn another_file_system_mounted_inside_is_not_entered() {
    let stick = Stick::new();
    std::fs::rename(stick.path("stick/EXP-0001"), stick.path("elsewhere")).unwrap();
    std::fs::create_dir(stick.path("stick/EXP-0001")).unwrap();
    let Some(_mount) = Tmpfs::at(stick.at("stick/EXP-0001"), "size=1m") else {
        return skipped("a mount inside the medium needs the right to mount (root)");
    };
    assert!(done(&["cp", "-a", stick.at("elsewhere/."), stick.at("stick/EXP-0001")]));
    refused(&stick, 4, "EXP-0001: expected a file of the medium itself, found a way out of the medium");
}

/// Every file under a final name is whole, and a manifest stands only over whole files.
fn nothing_half_written(stick: &Stick, what: &str) {
    let folder = stick.path("stick/EXP-0001");
    let content = |name: &str| std::fs::read(folder.join(name)).ok();
    for (name, whole) in [("hello.txt", &b"hello\n"[..]), ("root.crt.pem", b"certificate\n")] {
        assert!(content(name).is_none_or(|octets| octets == whole), "{what}: {name} is half written");
    }
    if content("MANIFEST").is_some() {
        let output = stick.medium(&["check", stick.at("stick")]);
        assert_eq!(code(&output), 0, "{what}: {}", said(&output));
    }
}

#[test]
fn a_medium_that_is_pulled_or_a_program_that_dies_at_any_call_leaves_nothing_half_written() {
    if !done(&["strace", "-V"]) {
        return skipped("failing calls need strace");
    }
    let program = env!("CARGO_BIN_EXE_anchorite");
    // Every call, or every third.
    let step = if full() { 1 } else { 3 };
    let (mut failed, mut killed) = (0, 0);
    for call in ["mkdirat", "openat", "write", "fsync", "renameat2", "syncfs"] {
        for fault in ["error=EIO", "error=ENOSPC", "signal=KILL"] {
            for number in (1..40).step_by(step) {
                let stick = Stick::empty();
                stick.file("hello.txt", b"hello\n");
                stick.file("root.crt.pem", b"certificate\n");
                // From this call on the medium does not answer; a death comes once.
                let on = if fault.starts_with("error") { "+" } else { "" };
                let inject = format!("inject={call}:{fault}:when={number}{on}");
                let only = format!("trace={call}");
                let trace = stick.at("trace");
                let mut strace = Command::new("strace");
                strace.args(["-y", "-o", trace, "-e", &only, "-e", &inject, program, "medium", "write"]);
                let output =
                    strace.args([stick.at("stick"), stick.at("hello.txt"), stick.at("root.crt.pem")]).output().unwrap();
                let what = format!("{call} {fault} at {number}");
                assert!(!said(&output).contains("panicked"), "{what}: {}", said(&output));
                nothing_half_written(&stick, &what);
                if output.status.success() {
                    // The call was the last of its kind, or of no file of the medium.
                    let whole = stick.path("stick/EXP-0001/MANIFEST").exists();
                    assert!(whole, "{what}: success without a manifest");
                    if !std::fs::read_to_string(trace).unwrap().contains("INJECTED") && fault.starts_with("error") {
                        break;
                    }
                    if fault.starts_with("signal") {
                        break;
                    }
                    continue;
                }
                if fault.starts_with("error") {
                    failed += 1
                } else {
                    killed += 1
                }
                // The medium is whole for the next try, under the next name.
                let output =
                    stick.medium(&["write", stick.at("stick"), stick.at("hello.txt"), stick.at("root.crt.pem")]);
                assert_eq!(code(&output), 0, "{what}, and then: {}", said(&output));
            }
        }
    }
    assert!(failed >= 40 / step && killed >= 25 / step, "{failed} failed, {killed} killed");
}

#[test]
fn a_medium_that_gives_back_something_else_than_was_written_is_refused_and_keeps_no_manifest() {
    if !done(&["strace", "-V"]) {
        return skipped("holding the program before it reads back needs strace");
    }
    let stick = Stick::empty();
    stick.file("hello.txt", b"hello\n");
    // Held for a second between the last sync and the first octet read back: long enough for a medium to go bad.
    let mut strace = Command::new("strace");
    strace.args(["-o", "/dev/null", "-e", "trace=fadvise64", "-e", "inject=fadvise64:delay_enter=1000000:when=1"]);
    strace.args([env!("CARGO_BIN_EXE_anchorite"), "medium", "write", stick.at("stick"), stick.at("hello.txt")]);
    let child = strace.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while !stick.path("stick/EXP-0001/MANIFEST").exists() {
        assert!(std::time::Instant::now() < deadline, "never written");
        std::thread::yield_now();
    }
    std::fs::write(stick.path("stick/EXP-0001/hello.txt"), b"hullo\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(code(&output) == 4 && said(&output).contains("EXP-0001/hello.txt: expected SHA-256"), "{}", said(&output));
    assert!(!stick.path("stick/EXP-0001").exists(), "what is not what was written stays nowhere");
}

#[test]
fn a_medium_that_goes_away_while_it_is_written_is_said_in_words() {
    let stick = Stick::empty();
    std::fs::create_dir(stick.path("mounted")).unwrap();
    let Some(mount) = Tmpfs::at(stick.at("mounted"), "size=40m") else {
        return skipped("pulling a medium needs the right to mount (root)");
    };
    assert!(done(&["cp", "-a", stick.at("stick/."), stick.at("mounted")]));
    let mut arguments = vec!["medium".to_owned(), "write".to_owned(), stick.at("mounted").to_owned()];
    arguments.extend((0..1_500).map(|n| stick.file(&format!("f{n}"), &[b'y'; 20_000]).to_str().unwrap().to_owned()));
    let mut child = Command::new(env!("CARGO_BIN_EXE_anchorite"))
        .args(&arguments)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while !stick.path("mounted/EXP-0001/f1").exists() {
        assert!(std::time::Instant::now() < deadline && child.try_wait().unwrap().is_none(), "never began");
        std::thread::yield_now();
    }
    // It stands still meanwhile: what happens does not hang on who is faster.
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::STOP).unwrap();
    assert!(!stick.path("mounted/EXP-0001/MANIFEST").exists(), "it was faster than the test");
    // Detached under its feet, and emptied: what a stick looks like that is gone.
    let _ = std::fs::remove_dir_all(stick.path("mounted/EXP-0001"));
    drop(mount);
    rustix::process::kill_process(pid, rustix::process::Signal::CONT).unwrap();
    let mut text = String::new();
    std::io::Read::read_to_string(&mut child.stderr.take().unwrap(), &mut text).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1), "{text}");
    assert!(text.contains("the medium does not answer") && text.contains("hint: the medium was pulled"), "{text}");
    assert_eq!(std::fs::read_dir(stick.path("mounted")).unwrap().count(), 0, "nothing was written where it had been");
}

/// T5: a second process swaps the file for a link to one outside, as fast as it can, while we read.
#[test]
fn a_file_that_is_swapped_while_we_read_is_the_right_one_or_refused() {
    let tries = if full() { 10_000 } else { 400 };
    let stick = Stick::new();
    let outside = stick.file("outside", SECRET.as_bytes());
    let export = stick.path("stick/EXP-0001");
    // Same size as the true one, so that only its content tells; and a link to it.
    std::fs::write(&outside, b"HELLO\n").unwrap();
    let link = stick.path("link");
    // Relative, so that no other file system is on its way and only the rules of the opening stand before it.
    symlink("../../outside", &link).unwrap();
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let swapper = std::thread::spawn({
        let (stop, target) = (stop.clone(), export.join("hello.txt"));
        move || {
            use rustix::fs::{CWD, RenameFlags, renameat_with};
            let mut swaps = 0_u64;
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                let _ = renameat_with(CWD, &link, CWD, &target, RenameFlags::EXCHANGE);
                swaps += 1;
            }
            swaps
        }
    });
    let place = Place::at(&stick.path("stick"), Access::Read).unwrap();
    let (mut whole, mut refusals) = (0, 0);
    for _ in 0..tries {
        match Medium::open(&place).unwrap().read(ExportName::FIRST) {
            Ok(read) => {
                assert_eq!(read.files[0].1, b"hello\n", "content from outside the medium");
                whole += 1;
            }
            Err(error) => {
                let words = error.to_string();
                assert!(words.contains("symbolic link") || words.contains("way out of the medium"), "{words}");
                refusals += 1;
            }
        }
    }
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    let swaps = swapper.join().unwrap();
    assert!(whole > 0 && refusals > 0 && swaps > tries, "{whole} whole, {refusals} refused, {swaps} swaps");
}
