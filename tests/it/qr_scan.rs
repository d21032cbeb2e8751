//! `anchorite qr scan`: the real program with its picture process, over pictures, folders, films and text.

use crate::program::{anchorite, anchorite_with, code, root, said};
use anchorite::basics::Realm;
use anchorite::transfer::{Envelope, Kind, Sender};
use qrcodegen::{QrCode, QrCodeEcc};
use std::path::Path;
use std::process::Command;

fn object() -> Envelope {
    let octets = (0..2_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()).take(1_500).collect();
    Envelope::new(Kind::Csr, Realm::Rehearsal, "issuing.csr", octets).unwrap()
}

fn frames(object: &Envelope, from: u64, count: u64) -> Vec<String> {
    let sender = Sender::new(object, 150).unwrap();
    (from..from + count).map(|n| sender.frame(n)).collect()
}

/// A code as a PNG picture.
fn png(path: &Path, text: &str) {
    let code = QrCode::encode_text(text, QrCodeEcc::Low).unwrap();
    let side = (code.size() as usize + 8) * 3;
    let at = |place: usize| (place / 3) as i32 - 4;
    let value = |n: usize| if code.get_module(at(n % side), at(n / side)) { 10_u8 } else { 245 };
    let samples: Vec<u8> = (0..side * side).map(value).collect();
    let file = std::io::BufWriter::new(std::fs::File::create(path).unwrap());
    let mut encoder = png::Encoder::new(file, side as u32, side as u32);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.write_header().unwrap().write_image_data(&samples).unwrap();
}

#[test]
fn pictures_with_losses_and_bad_ones_between_become_the_file_and_both_sides_read_the_same_words() {
    let folder = tempfile::tempdir().unwrap();
    let object = object();
    let crl = Envelope::new(Kind::Crl, Realm::Production, "other.crl", vec![3; 700]).unwrap();
    let mut texts = frames(&object, 0, 20);
    // Some are lost, and another transfer comes between.
    texts.retain(|text| text.len() % 2 == 0 || !text.ends_with('A'));
    texts.drain(2..5);
    texts.insert(3, frames(&crl, 0, 1).remove(0));
    for (n, text) in texts.iter().enumerate() {
        png(&folder.path().join(format!("{n:02}.png")), text);
    }
    std::fs::write(folder.path().join("00-cut.png"), &std::fs::read(folder.path().join("01.png")).unwrap()[..400])
        .unwrap();
    let out = folder.path().join("issuing.csr");
    let arguments = [
        "qr",
        "scan",
        folder.path().to_str().unwrap(),
        "--kind",
        "csr",
        "--realm",
        "rehearsal",
        "--out",
        out.to_str().unwrap(),
    ];
    let output = anchorite(&arguments);
    assert_eq!(code(&output), 0, "{}", said(&output));
    assert_eq!(std::fs::read(&out).unwrap(), object.octets());
    let words = String::from_utf8(output.stdout).unwrap();
    assert!(words.contains(&object.digest().twelve_words()), "{words}");
    assert!(words.starts_with("csr issuing.csr (rehearsal)\noctets 1500\n"), "{words}");
    let progress = String::from_utf8(output.stderr).unwrap();
    assert!(progress.contains("00-cut.png: the picture ends before it is complete"), "{progress}");
    assert!(progress.contains("other transfer 1"), "{progress}");

    // Nothing is overwritten.
    let again = anchorite(&arguments);
    assert_eq!(code(&again), 1);
    assert!(said(&again).contains("expected no file, found one"), "{}", said(&again));
}

#[test]
fn too_few_parts_write_nothing_and_say_how_far_they_came() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("frames.txt");
    std::fs::write(&list, frames(&object(), 0, 4).join("\n") + "\nnot a frame\n").unwrap();
    let out = folder.path().join("out");
    let output = anchorite(&["qr", "scan", list.to_str().unwrap(), "--out", out.to_str().unwrap()]);
    assert_eq!(code(&output), 7, "{}", said(&output));
    assert!(said(&output).contains("4 of "), "{}", said(&output));
    assert!(said(&output).contains("unreadable 1"), "{}", said(&output));
    assert!(!out.exists());
}

#[test]
fn a_scanner_that_types_and_a_text_file_and_json_give_the_same_object() {
    let folder = tempfile::tempdir().unwrap();
    let object = object();
    let out = folder.path().join("typed");
    let typed = frames(&object, 40, 14).join("\r\n") + "\r\n";
    let output = anchorite_with(&["qr", "scan", "--keyboard", "--json", "--out", out.to_str().unwrap()], &typed);
    assert_eq!(code(&output), 0, "{}", said(&output));
    let arrived: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(arrived["digest"], object.digest().hex());
    assert_eq!(arrived["words"], object.digest().twelve_words());
    assert_eq!((&arrived["kind"], &arrived["octets"]), (&"csr".into(), &1_500.into()));
    assert_eq!(std::fs::read(&out).unwrap(), object.octets());
}

#[test]
fn an_object_of_another_kind_or_realm_is_named_and_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("frames.txt");
    std::fs::write(&list, frames(&object(), 0, 20).join("\n")).unwrap();
    let out = folder.path().join("out");
    let output = anchorite(&[
        "qr",
        "scan",
        list.to_str().unwrap(),
        "--kind",
        "crl",
        "--realm",
        "production",
        "--out",
        out.to_str().unwrap(),
    ]);
    assert_eq!(code(&output), 7, "{}", said(&output));
    assert!(said(&output).contains("expected crl for production, found csr for rehearsal"), "{}", said(&output));
    assert!(!out.exists());
}

#[test]
fn a_pem_text_in_a_plain_code_is_written_as_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let (picture, out) = (folder.path().join("plain.png"), folder.path().join("request.pem"));
    let pem = "-----BEGIN CERTIFICATE REQUEST-----\nMIIBAA==\n-----END CERTIFICATE REQUEST-----\n";
    png(&picture, pem);
    let output = anchorite(&["qr", "scan", picture.to_str().unwrap(), "--kind", "csr", "--out", out.to_str().unwrap()]);
    assert_eq!(code(&output), 0, "{}", said(&output));
    assert_eq!(std::fs::read_to_string(&out).unwrap(), pem);
    assert!(said(&output).contains("a plain code says none"), "{}", said(&output));
}

#[test]
fn each_bad_picture_has_its_own_message_and_the_next_one_is_still_read() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    png(&at("z-good.png"), "AF1GOOD");
    let good = std::fs::read(at("z-good.png")).unwrap();
    // A header that says 16,000 x 2,500 and a stream that is all zeros: 40 million pixels out of 40 kB.
    let corpus = root().join("tests/corpora/picture");
    std::fs::copy(corpus.join("forty-million-pixels.png"), at("a-largest.png")).unwrap();
    std::fs::copy(corpus.join("declares-65535-squared.png"), at("b-bomb.png")).unwrap();
    std::fs::copy(corpus.join("rqrr-panics.png"), at("c-panics.png")).unwrap();
    std::fs::write(at("d-cut.png"), &good[..good.len() / 2]).unwrap();
    std::fs::write(at("e-other.png"), "GIF89a").unwrap();
    std::fs::write(at("f-empty.jpg"), "").unwrap();
    let output = anchorite(&["qr", "scan", "--texts", folder.path().to_str().unwrap()]);
    assert_eq!(code(&output), 0, "{}", said(&output));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "\"AF1GOOD\"\n");
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    for (name, reason) in [
        ("a-largest.png", "nothing to see"),
        ("b-bomb.png", "picture bomb: expected a picture of at most 40000000 pixels, found 65535 x 65535"),
        ("d-cut.png", "the picture ends before it is complete"),
        ("e-other.png", "expected a PNG or JPEG picture, found something else"),
        ("f-empty.jpg", "expected a PNG or JPEG picture, found something else"),
    ] {
        assert!(words.lines().any(|line| line.contains(name) && line.contains(reason)), "{name}: {reason}\n{words}");
    }
}

#[test]
fn the_process_that_reads_pictures_can_open_nothing_and_use_little() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_anchorite"))
        .arg("picture-process")
        .env_clear()
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    // One question and its answer: the limits are set by then.
    let request = br#"{"request":"grey","width":1,"height":1,"milliseconds":1}"#;
    use std::io::{Read, Write};
    let input = child.stdin.as_mut().unwrap();
    input.write_all(&(request.len() as u32).to_be_bytes()).unwrap();
    input.write_all(request).unwrap();
    input.write_all(&[0, 0, 0, 1, 0]).unwrap();
    child.stdout.as_mut().unwrap().read_exact(&mut [0; 4]).unwrap();
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
    let _ = child.kill();
    let _ = child.wait();
    for (name, most) in [
        ("Max core file size", "0"),
        ("Max file size", "0"),
        ("Max open files", "0"),
        ("Max processes", "0"),
        ("Max address space", "1073741824"),
        ("Max cpu time", "60"),
    ] {
        let line = limits.lines().find(|line| line.starts_with(name)).unwrap();
        let values: Vec<_> = line[name.len()..].split_whitespace().take(2).collect();
        assert_eq!(values, [most, most], "{line}");
    }
}

#[test]
fn a_film_is_read_through_ffmpeg_or_what_to_install_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let film = folder.path().join("film.mkv");
    // The first octets of Matroska: enough to be taken for a film.
    std::fs::write(&film, b"\x1a\x45\xdf\xa3\0\0\0\0").unwrap();
    let out = folder.path().join("out");
    let missing = Command::new(env!("CARGO_BIN_EXE_anchorite"))
        .args(["qr", "scan", film.to_str().unwrap(), "--out", out.to_str().unwrap()])
        .env("PATH", folder.path())
        .output()
        .unwrap();
    assert_eq!(code(&missing), 7, "{}", said(&missing));
    assert!(said(&missing).contains("hint: install it (Debian: apt-get install ffmpeg)"), "{}", said(&missing));

    if Command::new("ffmpeg").arg("-version").output().is_err() {
        return;
    }
    let object = object();
    for (n, text) in frames(&object, 0, 12).iter().enumerate() {
        png(&folder.path().join(format!("{n:02}.png")), text);
    }
    let made = Command::new("ffmpeg")
        .args(["-loglevel", "error", "-y", "-framerate", "6", "-i"])
        .arg(folder.path().join("%02d.png"))
        .args(["-c:v", "mpeg4", "-q:v", "3"])
        .arg(&film)
        .status()
        .unwrap();
    assert!(made.success());
    let output = anchorite(&["qr", "scan", film.to_str().unwrap(), "--out", out.to_str().unwrap()]);
    assert_eq!(code(&output), 0, "{}", said(&output));
    assert_eq!(std::fs::read(&out).unwrap(), object.octets());
}

#[test]
fn a_machine_without_cameras_says_so_and_a_file_is_no_camera_or_scanner() {
    let output = anchorite(&["qr", "scan", "--list-cameras", "--json"]);
    assert!([0, 7].contains(&code(&output)), "{}", said(&output));
    assert!(output.stdout.starts_with(b"["));
    for option in ["--camera", "--serial"] {
        let output = anchorite(&["qr", "scan", option, "/dev/null", "--out", "/nonexistent/out"]);
        assert_eq!(code(&output), 7, "{}", said(&output));
        assert!(said(&output).starts_with("/dev/null: "), "{}", said(&output));
        assert!(said(&output).contains("hint: "), "{}", said(&output));
    }
}

#[test]
fn the_calibration_code_tells_which_characters_a_keyboard_swaps() {
    let typed = "ABCDEFGHIJKLMNOPQRSTUVWXZY234567\n";
    let output = anchorite_with(&["qr", "scan", "--keyboard", "--calibrate"], typed);
    assert_eq!(code(&output), 4, "{}", said(&output));
    assert!(said(&output).contains("Y arrives as Z, Z arrives as Y"), "{}", said(&output));
    let output = anchorite_with(&["qr", "scan", "--keyboard", "--calibrate"], "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567\n");
    assert_eq!(code(&output), 0, "{}", said(&output));
}
