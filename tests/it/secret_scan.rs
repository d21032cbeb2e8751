//! After a rehearsal, every file but the custodians' own cards, what was printed and what a terminal showed are searched for every secret
//! made, in every spelling.

mod needles;

use crate::closed_terminal::Session;
use crate::program::{anchorite, anchorite_with, code, files, said};
use crate::screen_memory::{ENTER, F5, PAGE_DOWN, answer_until};
use needles::Needles;
use std::path::{Path, PathBuf};

/// The first secret found in any file that must not have it.
fn leak(out: &Path, needles: &Needles) -> Option<(String, PathBuf)> {
    files(out).into_iter().filter(|p| !p.file_name().unwrap().to_str().unwrap().starts_with("card-")).find_map(|path| {
        let found = needles.found_in(&std::fs::read(&path).unwrap())?;
        Some((found.name.clone(), path))
    })
}

fn nothing_leaks_and_planted_leaks_are_found(script: &str, shares: usize, least: usize) {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let path = format!("ceremony-scripts/{script}");
    let output = anchorite(&["rehearse", &path, "--plain", "--auto", "--seed", "7", "--out", out.to_str().unwrap()]);
    assert_eq!(code(&output), 0);
    let needles = needles::of(&out, shares);
    assert!(needles.all.len() > least, "{} needles", needles.all.len());
    std::fs::write(out.join("state/what-was-printed"), said(&output)).unwrap();
    assert_eq!(leak(&out, &needles), None);
    // Each spelling of each secret, in a report, in a file beside it, and in lines of 64 as in a PEM file.
    let page = std::fs::read(out.join("evidence/report.html")).unwrap();
    for needle in &needles.all {
        let planted = [&page[..], b"<p>", &needle.octets, b"</p>"].concat();
        assert!(needles.found_in(&planted).is_some(), "planted {} was not found", needle.name);
        let broken = needle.octets.chunks(11).collect::<Vec<_>>().join(&b"\r\n"[..]);
        let raw = needle.octets.iter().any(|o| !o.is_ascii_graphic());
        assert!(raw || needles.found_in(&broken).is_some(), "planted {}, in lines, was not found", needle.name);
    }
    for place in ["evidence/report.html", "state/ledger.sqlite", "media/vault-a/manifest.json", "what-was-left"] {
        let place = out.join(place);
        let before = std::fs::read(&place).unwrap_or_default();
        std::fs::write(&place, [&before[..], &needles.all[0].octets].concat()).unwrap();
        assert!(leak(&out, &needles).is_some_and(|(_, found)| found == place), "planted in {}", place.display());
        std::fs::write(&place, before).unwrap();
    }
}

#[test]
fn no_secret_of_small_root_is_in_any_output_and_planted_ones_are_found() {
    nothing_leaks_and_planted_leaks_are_found("small-root", 3, 200);
}

#[test]
fn no_secret_of_root_ca_is_in_any_output_and_planted_ones_are_found() {
    nothing_leaks_and_planted_leaks_are_found("root-ca", 5, 350);
}

/// Shares, the quorum's identity, the root key: made in the first ceremony, typed and opened in those that follow.
#[test]
fn no_secret_of_the_first_ceremony_is_in_any_output_of_those_that_follow() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("crl");
    let arguments = ["rehearse", "ceremony-scripts/crl", "--plain", "--auto", "--seed", "7", "--out"];
    let output = anchorite(&[&arguments[..], &[out.to_str().unwrap()]].concat());
    assert_eq!(code(&output), 0, "{}", said(&output));
    let mut folders: Vec<PathBuf> = std::fs::read_dir(folder.path()).unwrap().map(|f| f.unwrap().path()).collect();
    folders.sort_by_key(|path| path.as_os_str().len());
    assert_eq!(folders.len(), 3, "{folders:?}");
    let needles = needles::of(folders.last().unwrap(), 5);
    assert!(needles.all.len() > 350, "{} needles", needles.all.len());
    std::fs::write(out.join("state/what-was-printed"), said(&output)).unwrap();
    for folder in &folders {
        assert_eq!(leak(folder, &needles), None);
    }
    let place = out.join("evidence/standing.json");
    let before = std::fs::read(&place).unwrap();
    for needle in &needles.all {
        let planted = [&before[..], &needle.octets].concat();
        assert!(needles.found_in(&planted).is_some(), "planted {} was not found", needle.name);
    }
}

#[test]
fn a_rehearsal_never_shows_a_secret_where_there_is_no_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let output = anchorite_with(
        &["rehearse", "ceremony-scripts/small-root", "--plain", "--out", out.to_str().unwrap()],
        &"s\n".repeat(80),
    );
    assert_eq!(code(&output), 0, "{}", said(&output));
    let needles = needles::of(&out, 3);
    assert_eq!(needles.found_in(said(&output).as_bytes()).map(|n| &n.name), None);
}

/// What a terminal was sent, without what moves and colours it: letters and digits only, as the program draws only what changed.
fn drawn(recording: &[u8]) -> Vec<u8> {
    let (mut text, mut octets) = (Vec::new(), recording.iter().peekable());
    while let Some(&octet) = octets.next() {
        if octet == 0x1b && octets.next_if(|next| **next == b'[').is_some() {
            for next in octets.by_ref() {
                if (0x40..=0x7e).contains(next) {
                    break;
                }
            }
        } else if octet.is_ascii_graphic() {
            text.push(octet);
        }
    }
    text
}

#[test]
fn a_recording_of_the_screen_holds_no_secret_but_a_share_between_reveal_and_hide() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let mut session = Session::rehearse(&out);
    session.wait_for("Look at the machine");
    answer_until(&mut session, "press r");
    let reveal = session.recorded().len();
    session.press_until(b"r", "Write it on your card");
    for key in [b"\t", b"\t", b" "] {
        session.press(key);
    }
    session.wait_for("the share is hidden");
    let hide = session.recorded().len();
    // What stands on the screen from now on, whole, after every key.
    let mut pages = String::new();
    let record = out.join("evidence/transcript.jsonl");
    for _ in 0..120 {
        if std::fs::read_to_string(&record).unwrap().contains("\"kind\":\"closed\"") {
            break;
        }
        for key in [PAGE_DOWN, PAGE_DOWN, F5] {
            session.press(key);
            pages += &session.contents();
        }
    }
    session.press(ENTER);
    assert!(std::fs::read_to_string(&record).unwrap().contains("\"kind\":\"closed\""), "{}", session.contents());
    let needles = needles::of(&out, 3);
    let recording = session.recorded();
    let shown = needles.found_in(&drawn(&recording[reveal..hide])).map(|n| n.name.clone());
    assert!(
        shown.is_some_and(|name| name.starts_with("share ")),
        "the recording shows a share between reveal and hide"
    );
    for (part, when) in [(&recording[..reveal], "before a reveal"), (&recording[hide..], "after hiding")] {
        assert_eq!(needles.found_in(&drawn(part)).map(|n| &n.name), None, "{when}");
        assert_eq!(needles.found_in(part).map(|n| &n.name), None, "{when}");
    }
    assert_eq!(needles.found_in(pages.as_bytes()).map(|n| &n.name), None, "on a whole screen after hiding");
}
