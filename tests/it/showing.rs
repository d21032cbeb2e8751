//! `qr show` and `qr print` as people run them: in a real pty, whose cells are painted and read by a decoder.

use crate::closed_terminal::Session;
use crate::program::{anchorite, code, said};
use anchorite::transfer::{Receiver, Taken};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const CERTIFICATE: &str = "transcripts/root-ca/artifacts/root-2026.crt.pem";
const LEAVES: &[u8] = b"\x1b[?1049l";

/// Grey of a colour the code is painted with; nothing for any other.
fn grey(colour: vt100::Color) -> Option<u8> {
    match colour {
        vt100::Color::Rgb(level, g, b) if level == g && g == b => Some(level),
        vt100::Color::Idx(231) => Some(255),
        vt100::Color::Idx(232) => Some(8),
        _ => None,
    }
}

/// What a decoder reads on the screen, if anything.
fn read(screen: &vt100::Screen) -> Option<String> {
    let (rows, columns) = screen.size();
    let pixel = |x: usize, y: usize| {
        let cell = screen.cell(u16::try_from(y / 8).unwrap(), u16::try_from(x / 4).unwrap()).unwrap();
        let lower = cell.contents() == "▄" && y % 8 >= 4;
        grey(if lower { cell.fgcolor() } else { cell.bgcolor() }).unwrap_or(0)
    };
    let (width, height) = (usize::from(columns) * 4, usize::from(rows) * 8);
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(width, height, pixel);
    image.detect_grids().first().and_then(|grid| grid.decode().ok()).map(|(_, text)| text)
}

/// The painted cells with where they are.
fn painted(screen: &vt100::Screen) -> Vec<(u16, u16, String, vt100::Color, vt100::Color)> {
    let (rows, columns) = screen.size();
    let cells = (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)));
    cells
        .filter_map(|(row, column)| {
            let cell = screen.cell(row, column)?;
            grey(cell.bgcolor())?;
            Some((row, column, cell.contents().to_owned(), cell.fgcolor(), cell.bgcolor()))
        })
        .collect()
}

/// Presses a key until the screen says something.
fn press_until(session: &mut Session, key: &[u8], text: &str) {
    for _ in 0..20 {
        session.press(key);
        for _ in 0..10 {
            session.take_in(Duration::from_millis(100));
            if session.contents().contains(text) {
                return;
            }
        }
    }
    panic!("{text} never came:\n{}", session.contents());
}

fn wait_until(session: &mut Session, what: &str, holds: impl Fn(&vt100::Screen) -> bool) {
    for _ in 0..100 {
        if holds(session.screen().screen()) {
            return;
        }
        session.take_in(Duration::from_millis(100));
    }
    panic!("{what} never came:\n{}", session.contents());
}

fn nothing_is_left(screen: &vt100::Screen, raw: &[u8]) {
    assert!(raw.windows(LEAVES.len()).any(|window| window == LEAVES), "the alternate screen was left");
    assert!(!screen.alternate_screen() && !screen.hide_cursor());
    assert!(painted(screen).is_empty());
    assert!(!screen.contents().contains('▄'));
}

#[test]
fn who_watches_the_screen_gets_the_file_and_keys_and_sizes_change_what_is_shown() {
    let mut session = Session::start(&["qr", "show", CERTIFICATE, "--rate", "2"], (120, 40), &[]);
    session.wait_for("certificate root-2026.crt.pem");
    let mut receiver = Receiver::new();
    let mut whole = None;
    for _ in 0..200 {
        session.take_in(Duration::from_millis(100));
        if let Some(Taken::Whole) = read(session.screen().screen()).map(|text| receiver.take(&text)) {
            whole = receiver.whole();
            break;
        }
    }
    let whole = whole.unwrap_or_else(|| panic!("no whole file came:\n{}", session.contents()));
    assert_eq!(whole.octets(), std::fs::read(crate::program::root().join(CERTIFICATE)).unwrap());
    assert!(session.contents().contains(&whole.digest().words(3).join(" ")), "the same words are on the screen");

    press_until(&mut session, b"+", "3 a second");
    press_until(&mut session, b"s", "stands still");
    let still = painted(session.screen().screen());
    session.take_in(Duration::from_millis(700));
    assert!(painted(session.screen().screen()) == still, "a code that stands still changed");
    press_until(&mut session, b"b", "brightness 200");
    assert!(read(session.screen().screen()).is_some());

    session.resize((80, 24));
    session.wait_for("version 5");
    wait_until(&mut session, "a code at 80x24", |screen| read(screen).is_some());
    session.resize((30, 10));
    session.wait_for("too small");
    assert!(painted(session.screen().screen()).is_empty());
    session.press(b"q");
    let (code, screen, raw) = session.end();
    assert_eq!(code, 0);
    nothing_is_left(screen.screen(), &raw);
    assert_eq!(screen.screen().contents().trim(), "");
    // Every picture is one: a terminal that knows how shows none of it before its end.
    let count = |part: &[u8]| raw.windows(part.len()).filter(|window| *window == part).count();
    let (begun, ended) = (count(b"\x1b[?2026h"), count(b"\x1b[?2026l"));
    assert!(begun > 10 && begun == ended, "{begun} pictures begun, {ended} ended");
}

#[test]
fn a_signal_to_end_gives_the_terminal_back_with_nothing_on_it() {
    let mut session = Session::start(&["qr", "show", CERTIFICATE], (100, 30), &[]);
    session.wait_for("certificate root-2026.crt.pem");
    let id = session.process().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    let (code, screen, raw) = session.end();
    assert_eq!(code, 5);
    nothing_is_left(screen.screen(), &raw);
    assert_eq!(screen.screen().contents().trim(), "the program was told to end (SIGTERM)");
}

#[test]
fn no_color_takes_the_colours_from_the_words_and_none_from_the_code() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("small.sig");
    std::fs::write(&file, "a few words that fit one code").unwrap();
    let arguments = ["qr", "show", file.to_str().unwrap(), "--kind", "signature"];
    let shown = |arguments: &[&str], environment: &[(&str, &str)]| {
        let mut session = Session::start(arguments, (100, 40), environment);
        session.wait_for("leave");
        wait_until(&mut session, "a code", |screen| read(screen).is_some());
        session.take_in(Duration::from_millis(400));
        let screen = session.screen().screen();
        let words: Vec<_> = (0..40)
            .flat_map(|row| (0..100).filter_map(move |c| screen.cell(row, c)).collect::<Vec<_>>())
            .filter(|cell| grey(cell.bgcolor()).is_none())
            .map(vt100::Cell::fgcolor)
            .collect();
        let found = (painted(screen), session.contents(), words);
        session.press(b"q");
        assert_eq!(session.end().0, 0);
        found
    };
    let coloured = shown(&arguments, &[]);
    let without = shown(&arguments, &[("NO_COLOR", "1")]);
    let with_flag = shown(&[&arguments[..], &["--no-color"]].concat(), &[]);
    assert!(coloured.0.len() > 400);
    for other in [&without, &with_flag] {
        assert_eq!(coloured.1, other.1);
        assert!(coloured.0 == other.0, "the code is painted otherwise");
        assert!(other.2.iter().all(|colour| *colour == vt100::Color::Default));
    }
    assert!(coloured.2.iter().any(|colour| *colour != vt100::Color::Default));
    // Without colour in the words, and on a bare console, the code is painted all the same.
    let mut console = Session::start(&arguments, (200, 80), &[("TERM", "linux")]);
    console.wait_for("half blocks");
    console.press(b"q");
    assert_eq!(console.end().0, 0);
}

#[test]
fn without_a_terminal_the_texts_of_the_codes_are_lines_and_without_plain_it_says_so() {
    let refused = anchorite(&["qr", "show", CERTIFICATE]);
    assert_eq!(code(&refused), 1);
    assert!(said(&refused).contains("`--plain` works on any terminal"));
    let plain = anchorite(&["qr", "show", CERTIFICATE, "--plain", "--version", "10"]);
    assert_eq!(code(&plain), 0);
    let mut receiver = Receiver::new();
    let lines = String::from_utf8(plain.stdout.clone()).unwrap();
    let taken: Vec<Taken> = lines.lines().rev().map(|line| receiver.take(line)).collect();
    assert!(taken.contains(&Taken::Whole), "the repair codes come first and are as good");
    let whole = receiver.whole().unwrap();
    assert_eq!(whole.octets(), std::fs::read(crate::program::root().join(CERTIFICATE)).unwrap());
    assert!(String::from_utf8_lossy(&plain.stderr).contains(&whole.digest().twelve_words()));
}

fn refused(arguments: &[&str], exit: i32, words: &str) {
    let output = anchorite(arguments);
    assert_eq!(code(&output), exit, "{}", said(&output));
    assert!(said(&output).contains(words), "{}", said(&output));
    assert!(output.stdout.is_empty());
}

#[test]
fn what_cannot_be_sent_is_refused_before_anything_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, octets: &[u8]| -> PathBuf {
        let path = folder.path().join(name);
        std::fs::write(&path, octets).unwrap();
        path
    };
    let show = |path: &Path, more: &[&str], exit, words: &str| {
        refused(&[&["qr", "show", path.to_str().unwrap(), "--plain"], more].concat(), exit, words);
    };
    show(&file("notes.txt", b"hello"), &[], 2, "hint: --kind is one of csr, certificate, chain, crl");
    show(&file("other.txt", b"hello"), &["--kind", "letter"], 2, "--kind: expected a kind, found letter");
    show(&file("my file.crl", b"hello"), &["--kind", "crl"], 2, "hint: give it another with --name");
    show(&file("empty.crl", b""), &["--kind", "crl"], 2, "expected 1 to");
    show(
        &file("key.pem", b"-----BEGIN PRIVATE KEY-----\nMC4=\n-----END PRIVATE KEY-----\n"),
        &["--kind", "csr"],
        1,
        "private key",
    );
    show(&file("id.txt", b"AGE-SECRET-KEY-1QQQQ"), &["--kind", "csr"], 1, "found a private key");
    let card = b"1  KS1R MKYL 8SPQ VZSY QQPQ\n2  GPSG PGXQ UYQJ ZSTP SXSU\n";
    show(&file("card.txt", card), &["--kind", "csr"], 1, "found a share");
    show(&folder.path().join("absent"), &[], 1, "No such file");
    show(&file("a.crl", b"x"), &["--kind", "crl", "--version", "28"], 2, "--version");
    show(&file("b.crl", b"x"), &["--kind", "crl", "--rate", "1"], 2, "--rate");
}

#[test]
fn what_a_file_is_is_found_from_its_content_and_said() {
    let folder = tempfile::tempdir().unwrap();
    let pem = std::fs::read_to_string(crate::program::root().join(CERTIFICATE)).unwrap();
    let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let der = data_encoding::BASE64.decode(base64.as_bytes()).unwrap();
    let root = crate::program::root();
    let copy = |path: &str| std::fs::read(root.join(path)).unwrap();
    let cases: [(&str, Vec<u8>); 6] = [
        ("certificate", der),
        ("certificate", pem.clone().into_bytes()),
        ("chain", format!("{pem}{pem}").into_bytes()),
        ("crl", copy("transcripts/root-ca/artifacts/root-2026.1.crl.pem")),
        ("attestation", copy("transcripts/root-ca/attestation.auditor.json")),
        ("signature", copy("transcripts/root-ca/attestation.auditor.json.sig")),
    ];
    for (number, (kind, octets)) in cases.into_iter().enumerate() {
        let file = folder.path().join(format!("object-{number}"));
        std::fs::write(&file, octets).unwrap();
        let output = anchorite(&["qr", "show", file.to_str().unwrap(), "--plain"]);
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(words.starts_with(&format!("{kind} object-{number} for rehearsal")), "{words}");
    }
}

#[test]
fn pages_are_written_once_and_never_over_anything() {
    let folder = tempfile::tempdir().unwrap();
    let out = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (pdf, pictures) = (out("pages.pdf"), out("pages"));
    for path in [&pdf, &pictures] {
        let output = anchorite(&["qr", "print", CERTIFICATE, "--out", path, "--json"]);
        assert_eq!(code(&output), 0, "{}", said(&output));
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(report["codes"].as_u64().unwrap() > report["enough"].as_u64().unwrap());
        assert_eq!(report["kind"], "certificate");
        for file in report["files"].as_array().unwrap() {
            assert!(Path::new(file.as_str().unwrap()).is_file());
        }
        refused(&["qr", "print", CERTIFICATE, "--out", path], 1, "expected a new name");
    }
    assert!(std::fs::read(&pdf).unwrap().starts_with(b"%PDF-1.4\n"));
    assert!(std::fs::read(Path::new(&pictures).join("page-001.png")).unwrap().starts_with(b"\x89PNG"));
}
