//! The full screen in a real pty: when its terminal goes away or a signal asks it to end, the program ends, and the record goes
//! on. (A program that lives on without a terminal spins, and keeps a strongroom with secrets alive.)

use crate::program::{anchorite_with, code, root, said, verify_py};
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open};
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

const DEADLINE: Duration = Duration::from_secs(60);

pub struct Session {
    master: Box<dyn MasterPty + Send>,
    child: Box<dyn Child + Send + Sync>,
    writer: Box<dyn Write + Send>,
    output: Receiver<Vec<u8>>,
    raw: Vec<u8>,
    screen: vt100::Parser,
}

impl Session {
    pub fn rehearse(out: &Path) -> Self {
        Self::start(&["rehearse", "ceremony-scripts/small-root", "--out", out.to_str().unwrap()], (120, 40), &[])
    }

    /// The program with these arguments, in a terminal of so many columns and rows.
    pub fn start(arguments: &[&str], (cols, rows): (u16, u16), environment: &[(&str, &str)]) -> Self {
        let pair = native_pty_system().openpty(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_anchorite"));
        command.args(arguments);
        command.cwd(root());
        command.env("TERM", "xterm-256color");
        for (name, value) in environment {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let output = chunks(pair.master.try_clone_reader().unwrap());
        let writer = pair.master.take_writer().unwrap();
        Self { master: pair.master, child, writer, output, raw: Vec::new(), screen: vt100::Parser::new(rows, cols, 0) }
    }

    pub fn wait_for(&mut self, text: &str) {
        let until = Instant::now() + DEADLINE;
        while !self.screen.screen().contents().contains(text) {
            let left = until.saturating_duration_since(Instant::now());
            let Ok(octets) = self.output.recv_timeout(left) else {
                let _ = self.child.kill();
                panic!("{text} is not on the screen:\n{}", self.screen.screen().contents());
            };
            self.screen.process(&octets);
            self.raw.extend(octets);
        }
    }
}

impl Session {
    pub fn process(&self) -> u32 {
        self.child.process_id().unwrap()
    }

    /// Presses a key, and takes in what the screen says to it.
    pub fn press(&mut self, key: &[u8]) {
        self.writer.write_all(key).unwrap();
        self.take_in(Duration::from_millis(40));
    }

    /// Takes in what comes in a while: a countdown on the screen never falls silent.
    pub fn take_in(&mut self, a_while: Duration) {
        let until = Instant::now() + a_while;
        while let Ok(octets) = self.output.recv_timeout(until.saturating_duration_since(Instant::now())) {
            self.screen.process(&octets);
            self.raw.extend(octets);
        }
    }

    /// Everything the terminal was sent so far.
    pub fn recorded(&self) -> &[u8] {
        &self.raw
    }

    /// Presses a key that a grave screen drops when it comes too early, until the screen says something.
    pub fn press_until(&mut self, key: &[u8], text: &str) {
        for _ in 0..20 {
            self.press(key);
            self.take_in(Duration::from_millis(700));
            if self.contents().contains(text) {
                return;
            }
        }
        panic!("{text} never came:\n{}", self.contents());
    }

    /// Questions that the plain front end has asked so far, once it says nothing more for a moment.
    pub fn asked(&mut self) -> usize {
        self.take_in(Duration::from_millis(40));
        String::from_utf8_lossy(&self.raw).matches(" head ").count()
    }

    pub fn contents(&self) -> String {
        self.screen.screen().contents()
    }

    pub const fn screen(&self) -> &vt100::Parser {
        &self.screen
    }

    /// Another size of the window.
    pub fn resize(&mut self, (cols, rows): (u16, u16)) {
        self.screen.screen_mut().set_size(rows, cols);
        self.master.resize(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }).unwrap();
    }

    /// Waits until the program has ended and everything it said has come: its exit code, and all it wrote.
    pub fn end(mut self) -> (u32, vt100::Parser, Vec<u8>) {
        let until = Instant::now() + DEADLINE;
        while let Ok(octets) = self.output.recv_timeout(until.saturating_duration_since(Instant::now())) {
            self.screen.process(&octets);
            self.raw.extend(octets);
        }
        let mut killer = self.child.clone_killer();
        let (sender, ended) = channel();
        std::thread::spawn(move || sender.send(self.child.wait().unwrap().exit_code()));
        let code = ended.recv_timeout(DEADLINE).unwrap_or_else(|_| {
            let _ = killer.kill();
            panic!("the program does not end")
        });
        (code, self.screen, self.raw)
    }
}

/// What comes out of a terminal, until it is closed.
fn chunks(mut reader: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, chunks) = channel();
    std::thread::spawn(move || {
        let mut octets = [0; 4096];
        while let Ok(n @ 1..) = reader.read(&mut octets) {
            if sender.send(octets[..n].to_vec()).is_err() {
                break;
            }
        }
    });
    chunks
}

/// Whether the program ends before the deadline; killed where it does not.
fn ends(mut child: Box<dyn Child + Send + Sync>) -> bool {
    let mut killer = child.clone_killer();
    let (sender, ended) = channel();
    std::thread::spawn(move || sender.send(child.wait().is_ok()));
    let in_time = ended.recv_timeout(DEADLINE).is_ok();
    if !in_time {
        let _ = killer.kill();
    }
    in_time
}

fn goes_on(out: &Path) {
    let resumed = anchorite_with(&["resume", out.to_str().unwrap(), "--plain"], &"s\n".repeat(120));
    assert_eq!(code(&resumed), 0, "{}", said(&resumed));
    assert_eq!(verify_py(&out.join("evidence"), &[]).0, 8);
}

#[test]
fn a_signal_to_end_gives_the_terminal_back_and_the_record_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let mut session = Session::rehearse(&out);
    session.wait_for("Look at the machine");
    let id = session.child.process_id().unwrap().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    assert!(ends(session.child), "SIGTERM ends the program");
    // The last words may still be in the pty.
    let until = Instant::now() + DEADLINE;
    while let Ok(octets) = session.output.recv_timeout(until.saturating_duration_since(Instant::now())) {
        session.raw.extend(octets);
    }
    let leaves = b"\x1b[?1049l";
    assert!(session.raw.windows(leaves.len()).any(|w| w == leaves), "the alternate screen was left");
    drop(session.master);
    goes_on(&out);
}

/// A shell that has the terminal while we are stopped gives it back with echo, and with its own lines on it: a share that was typed then would be seen.
#[test]
fn after_it_was_stopped_the_screen_takes_its_terminal_back() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let mut session = Session::rehearse(&out);
    session.wait_for("Look at the machine");
    let id = session.process().to_string();
    let terminal = std::fs::read_link(format!("/proc/{id}/fd/0")).unwrap();
    let stty = |words: &[&str]| {
        let done = Command::new("stty").arg("-F").arg(&terminal).args(words).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8_lossy(&done.stdout).into_owned()
    };
    let is_raw = |said: &str| said.contains("-echo ") && said.contains("-icanon");
    assert!(is_raw(&stty(&["-a"])));
    assert!(Command::new("kill").args(["-STOP", &id]).status().unwrap().success());
    session.take_in(Duration::from_millis(200));
    stty(&["sane"]);
    session.screen.process(b"\x1b[?1049l\x1b[2J[1]+  Stopped\r\n$ fg");
    assert!(!is_raw(&stty(&["-a"])) && !session.contents().contains("Look at the machine"));
    assert!(Command::new("kill").args(["-CONT", &id]).status().unwrap().success());
    session.wait_for("Look at the machine");
    assert!(is_raw(&stty(&["-a"])), "{}", stty(&["-a"]));
    assert!(!session.contents().contains("Stopped"), "{}", session.contents());
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    assert!(ends(session.child), "SIGTERM ends the program");
    drop(session.master);
    goes_on(&out);
}

#[test]
fn a_terminal_that_goes_away_ends_the_program_and_the_record_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let (out, id) = (folder.path().join("out"), folder.path().join("pid"));
    // A window that is killed: nothing but it has the other side of the pty open.
    let mut window = Command::new("python3")
        .arg(root().join("tests/py/hold_pty.py"))
        .arg(&id)
        .arg(env!("CARGO_BIN_EXE_anchorite"))
        .args(["rehearse", "ceremony-scripts/small-root", "--out", out.to_str().unwrap()])
        .current_dir(root())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = chunks(window.stdout.take().unwrap());
    let mut screen = vt100::Parser::new(40, 120, 0);
    let until = Instant::now() + DEADLINE;
    while !screen.screen().contents().contains("Look at the machine") {
        screen.process(&output.recv_timeout(until.saturating_duration_since(Instant::now())).expect("a first screen"));
    }
    let id: i32 = std::fs::read_to_string(&id).unwrap().parse().unwrap();
    let program = pidfd_open(Pid::from_raw(id).unwrap(), PidfdFlags::empty()).unwrap();
    window.kill().unwrap();
    window.wait().unwrap();
    let wait = Timespec { tv_sec: DEADLINE.as_secs().try_into().unwrap(), tv_nsec: 0 };
    let ended = rustix::event::poll(&mut [PollFd::new(&program, PollFlags::IN)], Some(&wait)).unwrap();
    if ended == 0 {
        let _ = rustix::process::pidfd_send_signal(&program, Signal::KILL);
    }
    assert_eq!(ended, 1, "the program lives on without its terminal");
    goes_on(&out);
}

/// Line by line there is no raw terminal: Ctrl-C is a signal. Whichever it is, the share is off the screen before the program ends, and
/// the record says that it had been there.
#[test]
fn a_signal_while_a_share_is_shown_line_by_line_clears_it_and_the_record_says_it_was_seen() {
    for by in ["ctrl-c", "-TERM", "-HUP"] {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out");
        let arguments = ["rehearse", "ceremony-scripts/small-root", "--plain", "--out", out.to_str().unwrap()];
        let mut session = Session::start(&arguments, (120, 40), &[]);
        let until = Instant::now() + DEADLINE;
        // One key for each question: what is typed ahead would answer the next one, and hide the share.
        let (mut answered, mut pressed) = (0, Instant::now());
        while !session.contents().contains("have card and pen ready") {
            assert!(Instant::now() < until, "{}", session.contents());
            let asked = session.asked();
            // A grave question drops what came too early: then it is pressed again.
            if asked > answered || pressed.elapsed() > Duration::from_secs(2) {
                (answered, pressed) = (asked, Instant::now());
                session.press(b"s\n");
            }
        }
        session.press(b"\n");
        session.wait_for("Enter hides it");
        assert!(session.contents().contains("KR1"), "{by}: {}", session.contents());
        if by == "ctrl-c" {
            session.press(b"\x03");
        } else {
            assert!(Command::new("kill").args([by, &session.process().to_string()]).status().unwrap().success());
        }
        let (code, screen, _) = session.end();
        let left = screen.screen().contents();
        assert_eq!(code, 5, "{by}: {left}");
        assert!(!left.contains("KR1") && left.contains("go on"), "{by}: {left}");
        let record = std::fs::read_to_string(out.join("evidence/transcript.jsonl")).unwrap();
        assert!(record.contains("after the share was on the screen"), "{by}");
        goes_on(&out);
    }
}
