//! The program with the screen leaves no core either: a share being shown or typed passes through its memory.

use crate::program::root;
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

#[test]
fn a_program_that_crashes_before_its_people_leaves_no_core() {
    let folder = tempfile::tempdir().unwrap();
    let rehearse = format!(
        "ulimit -c unlimited; exec {} rehearse {} --plain --out {}",
        env!("CARGO_BIN_EXE_anchorite"),
        root().join("ceremony-scripts/small-root").display(),
        folder.path().join("out").display()
    );
    // In a folder of its own, where a core would fall.
    let mut child = Command::new("sh")
        .args(["-c", &rehearse])
        .current_dir(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut first).unwrap();
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::ABORT).unwrap();
    let status = child.wait().unwrap();
    assert_eq!(status.signal(), Some(6), "{status}");
    assert!(!status.core_dumped(), "{status}");
}
