//! What a custodian saw or typed on the full screen is not in the program's memory afterwards. Reading another process's memory needs
//! root, as the program is not dumpable: where the tests run as somebody else, that much is all that can be shown.

use crate::closed_terminal::Session;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

pub const F5: &[u8] = b"\x1b[15~";
pub const PAGE_DOWN: &[u8] = b"\x1b[6~";
pub const ENTER: &[u8] = b"\r";

/// Presses F5 until the screen says something; grave prompts are read to their end first.
pub fn answer_until(session: &mut Session, text: &str) {
    for _ in 0..60 {
        if session.contents().contains(text) {
            return;
        }
        for key in [PAGE_DOWN, PAGE_DOWN, F5] {
            session.press(key);
        }
    }
    panic!("{text} never came:\n{}", session.contents());
}

/// Every part of memory that the program may write, with its line in the map.
fn written_memory(process: u32) -> Vec<(String, Vec<u8>)> {
    let maps = std::fs::read_to_string(format!("/proc/{process}/maps")).unwrap();
    let mut memory = std::fs::File::open(format!("/proc/{process}/mem")).unwrap();
    let mut parts = Vec::new();
    for line in maps.lines().filter(|line| line.contains(" rw")) {
        let (start, end) = line.split_whitespace().next().unwrap().split_once('-').unwrap();
        let [start, end] = [start, end].map(|at| u64::from_str_radix(at, 16).unwrap());
        let mut octets = vec![0; usize::try_from(end - start).unwrap()];
        if memory.seek(SeekFrom::Start(start)).and_then(|_| memory.read_exact(&mut octets)).is_ok() {
            parts.push((line.to_owned(), octets));
        }
    }
    assert!(parts.iter().any(|(line, _)| line.contains("[heap]")), "the heap was read");
    parts
}

/// Where a needle lies in memory, one octet after the other.
fn found(process: u32, needles: &[Vec<u8>]) -> Vec<String> {
    found_in_steps_of(1, process, needles)
}

/// Where a needle lies in memory as ratatui draws it: one character in each cell.
fn in_cells(process: u32, needles: &[Vec<u8>]) -> Vec<String> {
    found_in_steps_of(size_of::<ratatui::buffer::Cell>(), process, needles)
}

fn found_in_steps_of(step: usize, process: u32, needles: &[Vec<u8>]) -> Vec<String> {
    let mut hits = Vec::new();
    for (line, octets) in written_memory(process) {
        for needle in needles {
            let last = octets.len().saturating_sub((needle.len() - 1) * step);
            let here = |at: &usize| needle.iter().enumerate().all(|(n, octet)| octets[at + n * step] == *octet);
            if (0..last).any(|at| here(&at)) {
                hits.push(format!("{line}, in steps of {step}: {}", String::from_utf8_lossy(needle)));
            }
        }
    }
    hits
}

/// The share on a card: twenty groups on four numbered lines.
fn share_of(card: &Path) -> String {
    let text = std::fs::read_to_string(card).unwrap();
    let groups: Vec<&str> = text
        .lines()
        .filter_map(|line| line.trim().split_once("  ").map(|(_, groups)| groups.trim()).or(Some(line.trim())))
        .filter(|groups| groups.split(' ').count() == 5 && groups.split(' ').all(|g| g.len() == 4))
        .take(4)
        .flat_map(|line| line.split(' '))
        .collect();
    assert_eq!(groups.len(), 20, "{text}");
    groups.join(" ")
}

/// The card that the simulated custodian of share 1 wrote: the first, and so far the only one.
fn only_card(out: &Path) -> PathBuf {
    let media = std::fs::read_dir(out.join("media")).unwrap().flatten();
    let mut files = media.flat_map(|medium| std::fs::read_dir(medium.path()).unwrap().flatten());
    files.find(|file| file.file_name().to_str().unwrap().contains("card")).unwrap().path()
}

/// Parts of a share as text with and without spaces, in both cases.
fn needles_of(share: &str) -> Vec<Vec<u8>> {
    let groups: Vec<&str> = share.split(' ').collect();
    let parts = (5..17).step_by(3).map(|at| &groups[at..at + 3]);
    parts
        .flat_map(|part| [part.join(" "), part.concat(), part.concat().to_lowercase()])
        .map(String::into_bytes)
        .collect()
}

#[test]
fn a_share_shown_and_typed_on_the_screen_does_not_stay_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let mut session = Session::rehearse(&out);
    session.wait_for("Look at the machine");
    answer_until(&mut session, "press r");
    session.press_until(b"r", "Write it on your card");
    let share = share_of(&only_card(&out));
    if !rustix::process::geteuid().is_root() {
        let memory = std::fs::File::open(format!("/proc/{}/mem", session.process()));
        assert!(memory.is_err(), "the program is not dumpable");
        return;
    }
    let needles = needles_of(&share);
    assert!(!in_cells(session.process(), &needles).is_empty(), "the scan sees what is on the screen");
    for key in [b"\t", b"\t", b" "] {
        session.press(key);
    }
    session.wait_for("the share is hidden");
    assert_eq!(in_cells(session.process(), &needles), Vec::<String>::new(), "hidden, and out of the cells");
    answer_until(&mut session, "Prove share 1");
    // One character is mistyped, so that the correction passes through the screen too. (Neither is in the part looked for.)
    let wrong = 'Q';
    let mistyped: String =
        share.chars().enumerate().map(|(n, c)| if n == 8 && c != wrong { wrong } else { c }).collect();
    for key in mistyped.bytes() {
        session.press(&[key]);
    }
    assert!(!in_cells(session.process(), &needles).is_empty(), "the scan sees what is typed");
    session.press(ENTER);
    if mistyped != share {
        session.wait_for("Does your card say so?");
        // Keys that come too early are dropped.
        session.take_in(Duration::from_millis(500));
        for key in [b"y", b"e", b"s", ENTER] {
            session.press(key);
        }
    }
    session.wait_for("share 2");
    let mut hits = found(session.process(), &needles);
    hits.extend(in_cells(session.process(), &needles));
    assert!(hits.is_empty(), "{hits:#?}");
}
