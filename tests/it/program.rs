//! Runs the real program, and folders it writes.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Whether the large tests take everything (`ANCHORITE_TESTS=full`, which `tests/all` sets) or the sample of the inner loop.
pub fn full() -> bool {
    std::env::var_os("ANCHORITE_TESTS").is_some_and(|size| size == "full")
}

pub fn anchorite(arguments: &[&str]) -> Output {
    anchorite_with(arguments, "")
}

/// With text on standard input.
pub fn anchorite_with(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_anchorite"))
        .args(arguments)
        .current_dir(root())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The program may end before it has read everything.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

pub fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or(-1)
}

pub fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A seeded, unattended rehearsal of a script of this project.
pub fn rehearse(script: &str, out: &Path) {
    let script = format!("ceremony-scripts/{script}");
    let output = anchorite(&["rehearse", &script, "--plain", "--auto", "--seed", "7", "--out", out.to_str().unwrap()]);
    assert_eq!(code(&output), 0, "{}", said(&output));
}

/// `verify.py` on a folder: exit code and what it says as JSON.
pub fn verify_py(folder: &Path, more: &[&str]) -> (i32, serde_json::Value) {
    let output = Command::new("python3")
        .arg(root().join("transcripts/verify.py"))
        .arg(folder)
        .arg("--json")
        .args(more)
        .output()
        .unwrap();
    (code(&output), serde_json::from_slice(&output.stdout).unwrap_or_default())
}

/// Our own verifier on a folder, the same way.
pub fn verify(folder: &Path, more: &[&str]) -> (i32, serde_json::Value) {
    let mut arguments = vec!["verify", folder.to_str().unwrap(), "--json"];
    arguments.extend_from_slice(more);
    let output = anchorite(&arguments);
    (code(&output), serde_json::from_slice(&output.stdout).unwrap_or_default())
}

/// Every file under a folder.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            if entry.path().is_dir() { folders.push(entry.path()) } else { found.push(entry.path()) }
        }
    }
    found.sort();
    found
}

pub fn copy(from: &Path, to: &Path) {
    for file in files(from) {
        let target = to.join(file.strip_prefix(from).unwrap());
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        std::fs::copy(file, target).unwrap();
    }
}

/// Keys that did not come with the tool.
pub const OWN_KEYS: [&str; 2] = [
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAID1AF8PoQ4lakrcKp00bfrycmCzPLsSWjMDNVfEq9GYM",
];

/// The small root's script with nothing of an example that production refuses.
pub fn own_script() -> String {
    let text = std::fs::read_to_string(root().join("ceremony-scripts/small-root/script.toml")).unwrap();
    let mut text = text.replacen("1.3.6.1.4.1.55555.1", "1.3.6.1.4.1.99999.1", 1);
    text = text.replace("Example Devices", "Northern Works").replace("Example Small Root", "Northern Small Root");
    for (example, key) in ["AAAAIPZy", "AAAAIBZh"].iter().zip(OWN_KEYS) {
        let from = text.lines().find(|line| line.contains(example)).unwrap().to_owned();
        text = text.replacen(&from, &format!("public_key = \"{key}\""), 1);
    }
    text
}

/// The same in a folder, with the profile beside it.
pub fn own_script_in(folder: &Path) -> PathBuf {
    let script = folder.join("script");
    copy(&root().join("ceremony-scripts/profiles"), &script.join("profiles"));
    std::fs::write(script.join("script.toml"), own_script()).unwrap();
    script
}
