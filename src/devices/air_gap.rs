//! Facts about the machine that bear on whether anything could leave it: read, never changed.

use crate::basics::{Digest, SafeText};
use crate::ceremony::event::Finding;
use std::collections::BTreeMap;
use std::path::Path;

/// Octets of a kernel file we read.
const MOST: usize = 64 * 1024;

/// Everything this machine says about itself, compared with what a ceremony machine should say.
#[must_use]
pub fn findings() -> Vec<Finding> {
    vec![interfaces(), radios(), swap(), core_dumps(), kernel(), program(), terminal()]
}

/// What a simulated machine of a seeded rehearsal says: the same everywhere.
#[must_use]
pub fn simulated() -> Vec<Finding> {
    vec![
        finding("network interfaces", "none up", "none up", true),
        finding("radios", "none", "none", true),
        finding("swap", "none", "none", true),
        finding("core dumps", "none", "none", true),
        finding("kernel", "any", "simulated", true),
        finding("program", "as on the sheet", "simulated", true),
    ]
}

/// Facts for the header of the record.
#[must_use]
pub fn machine() -> BTreeMap<String, String> {
    let read = |path: &str| text(Path::new(path)).trim().to_owned();
    BTreeMap::from([
        ("kernel".to_owned(), SafeText::cut(&read("/proc/sys/kernel/osrelease"), 80).to_string()),
        ("host".to_owned(), SafeText::cut(&read("/proc/sys/kernel/hostname"), 80).to_string()),
        ("boot".to_owned(), SafeText::cut(&read("/proc/sys/kernel/random/boot_id"), 80).to_string()),
    ])
}

/// SHA-256 of the program that is running, or empty where it cannot be read.
#[must_use]
pub fn own_digest() -> String {
    // An executable is bigger than any evidence file; it is hashed in one read, once a run.
    std::fs::read("/proc/self/exe").map_or_else(|_| String::new(), |octets| Digest::of(&octets).hex())
}

fn finding(name: &str, expected: &str, found: &str, good: bool) -> Finding {
    Finding { name: name.to_owned(), expected: expected.to_owned(), found: SafeText::cut(found, 200).to_string(), good }
}

fn text(path: &Path) -> String {
    use std::io::Read;
    let mut octets = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(MOST as u64).read_to_end(&mut octets));
    if read.is_ok() { String::from_utf8_lossy(&octets).into_owned() } else { String::new() }
}

fn entries(folder: &str) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .map(|entries| entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect())
        .unwrap_or_default();
    names.sort();
    names
}

fn interfaces() -> Finding {
    let up: Vec<String> = entries("/sys/class/net")
        .into_iter()
        .filter(|name| name != "lo")
        .filter(|name| {
            let flags = text(&Path::new("/sys/class/net").join(name).join("flags"));
            let flags = u32::from_str_radix(flags.trim().trim_start_matches("0x"), 16).unwrap_or(1);
            flags & 1 == 1
        })
        .collect();
    let found = if up.is_empty() { "none up".to_owned() } else { format!("{} up", up.join(", ")) };
    finding("network interfaces", "none up", &found, up.is_empty())
}

fn radios() -> Finding {
    let radios = entries("/sys/class/rfkill");
    let found = if radios.is_empty() { "none".to_owned() } else { radios.join(", ") };
    finding("radios", "none", &found, radios.is_empty())
}

fn swap() -> Finding {
    let areas: Vec<String> = text(Path::new("/proc/swaps"))
        .lines()
        .skip(1)
        .filter_map(|line| line.split_whitespace().next().map(str::to_owned))
        .collect();
    let found = if areas.is_empty() { "none".to_owned() } else { areas.join(", ") };
    finding("swap", "none", &found, areas.is_empty())
}

/// What a crash of any program here would leave behind. This program has turned its own off before anything else, so its own limit says
/// nothing: the limit of the process that started it does, and where the kernel would send a core.
fn core_dumps() -> Finding {
    let limit = rustix::process::getppid()
        .map(|parent| text(Path::new(&format!("/proc/{}/limits", parent.as_raw_nonzero()))))
        .and_then(|limits| soft_core_limit(&limits));
    let pattern = text(Path::new("/proc/sys/kernel/core_pattern")).trim().to_owned();
    let (found, good) = core_dumps_of(limit.as_deref(), &pattern);
    finding("core dumps", "none", &found, good)
}

/// The soft limit in a kernel's `limits` table: `Max core file size  0  unlimited  bytes`.
fn soft_core_limit(limits: &str) -> Option<String> {
    limits
        .lines()
        .find_map(|line| line.strip_prefix("Max core file size")?.split_whitespace().next().map(str::to_owned))
}

/// A handler behind a pipe is given a core whatever the limit says.
fn core_dumps_of(limit: Option<&str>, pattern: &str) -> (String, bool) {
    match (limit, pattern.starts_with('|')) {
        (_, true) => (format!("off for this program; others are piped to {}", pattern.trim_start_matches('|')), false),
        (Some("0"), false) => ("none".to_owned(), true),
        (Some(limit), false) => {
            (format!("off for this program; the shell that started it allows {limit}: `ulimit -c 0`"), false)
        }
        (None, false) => ("off for this program; what started it does not say".to_owned(), false),
    }
}

fn kernel() -> Finding {
    finding("kernel", "any", text(Path::new("/proc/sys/kernel/osrelease")).trim(), true)
}

fn program() -> Finding {
    finding("program", "as on the sheet", &own_digest(), true)
}

fn terminal() -> Finding {
    let remote = std::env::var_os("SSH_CONNECTION").is_some();
    finding("terminal", "of this machine", if remote { "a remote one" } else { "of this machine" }, !remote)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn core_dumps_are_judged_by_what_started_the_program_and_where_the_kernel_sends_them() {
        let table = "Limit                     Soft Limit           Hard Limit           Units     \n\
                     Max core file size        unlimited            unlimited            bytes     \n";
        assert_eq!(soft_core_limit(table).as_deref(), Some("unlimited"));
        assert_eq!(soft_core_limit("Max cpu time 1 1 seconds"), None);
        assert_eq!(core_dumps_of(Some("0"), "core"), ("none".to_owned(), true));
        assert!(!core_dumps_of(Some("unlimited"), "core").1);
        assert!(!core_dumps_of(Some("0"), "|/usr/share/apport/apport %p").1);
        assert!(!core_dumps_of(None, "core").1);
    }
}
