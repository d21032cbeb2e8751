//! The removable block devices of this machine, as `/sys/block` tells them, and where they are mounted.

use crate::basics::{SafeText, limits};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Octets of a kernel file we read; the mounts of one machine fit.
const MOST: u64 = 1024 * 1024;
const SECTOR: u64 = 512;

/// A stick or a part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stick {
    pub device: PathBuf,
    pub octets: u64,
    pub model: SafeText,
    pub read_only: bool,
    pub mounted: Option<PathBuf>,
}

/// The sticks of this machine.
#[must_use]
pub fn removable() -> Vec<Stick> {
    sticks(Path::new("/sys/block"), &Mounts::now())
}

/// What is mounted where, by device number.
#[derive(Debug, Default)]
pub struct Mounts(BTreeMap<String, PathBuf>);

impl Mounts {
    #[must_use]
    pub fn now() -> Self {
        Self::parse(&text(Path::new("/proc/self/mountinfo")))
    }

    /// From lines of `/proc/self/mountinfo`: `36 35 98:0 /root /mnt/point rw ...`.
    #[must_use]
    pub fn parse(lines: &str) -> Self {
        let fields = |line: &str| {
            let mut fields = line.split(' ');
            Some((fields.nth(2)?.to_owned(), PathBuf::from(unescaped(fields.nth(1)?))))
        };
        Self(lines.lines().filter_map(fields).collect())
    }

    #[must_use]
    pub fn of(&self, number: &str) -> Option<&Path> {
        self.0.get(number).map(PathBuf::as_path)
    }
}

/// A device number as the kernel writes it.
#[must_use]
pub fn number_of(device: u64) -> String {
    format!("{}:{}", rustix::fs::major(device), rustix::fs::minor(device))
}

/// The sticks under a `/sys/block`: removable, or behind USB; the partitions of one where it has any.
#[must_use]
pub fn sticks(sys: &Path, mounts: &Mounts) -> Vec<Stick> {
    let mut found = Vec::new();
    for disk in names(sys) {
        let folder = sys.join(&disk);
        let behind_usb =
            std::fs::read_link(&folder).is_ok_and(|to| to.components().any(|c| starts(c.as_os_str(), "usb")));
        if word(&folder.join("removable")) != "1" && !behind_usb {
            continue;
        }
        let model = SafeText::cut(&word(&folder.join("device/model")), 60);
        let parts: Vec<String> =
            names(&folder).into_iter().filter(|n| folder.join(n).join("partition").exists()).collect();
        let places = if parts.is_empty() {
            vec![(disk.clone(), folder.clone())]
        } else {
            parts.into_iter().map(|part| (part.clone(), folder.join(part))).collect()
        };
        for (name, place) in places {
            let octets = word(&place.join("size")).parse::<u64>().unwrap_or(0).saturating_mul(SECTOR);
            // A card reader without a card.
            if octets == 0 {
                continue;
            }
            found.push(Stick {
                device: Path::new("/dev").join(&name),
                octets,
                model: model.clone(),
                read_only: word(&place.join("ro")) == "1" || word(&folder.join("ro")) == "1",
                mounted: mounts.of(&word(&place.join("dev"))).map(Path::to_owned),
            });
        }
    }
    found
}

fn starts(name: &std::ffi::OsStr, with: &str) -> bool {
    name.to_str().is_some_and(|name| name.starts_with(with))
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .map(|entries| {
            entries.flatten().take(limits::BLOCK_DEVICES).filter_map(|e| e.file_name().into_string().ok()).collect()
        })
        .unwrap_or_default();
    names.sort();
    names
}

fn word(file: &Path) -> String {
    text(file).trim().to_owned()
}

fn text(file: &Path) -> String {
    let mut octets = Vec::new();
    let read = std::fs::File::open(file).and_then(|file| file.take(MOST).read_to_end(&mut octets));
    if read.is_ok() { String::from_utf8_lossy(&octets).into_owned() } else { String::new() }
}

/// A path of `mountinfo`, which writes space, tab, line break and backslash as `\040` and the like.
fn unescaped(field: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        .iter()
        .fold(field.to_owned(), |text, (code, character)| text.replace(code, character))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disk(sys: &Path, name: &str, files: &[(&str, &str)]) {
        for (file, content) in files {
            let path = sys.join(name).join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
    }

    #[test]
    fn sticks_are_what_is_removable_or_behind_usb_by_partition_and_with_a_card_in_it() {
        let sys = tempfile::tempdir().unwrap();
        let real = tempfile::tempdir().unwrap();
        disk(sys.path(), "sda", &[("removable", "0\n"), ("size", "1000\n"), ("dev", "8:0\n")]);
        disk(
            sys.path(),
            "sdb",
            &[("removable", "1\n"), ("size", "16\n"), ("device/model", "Stick \u{202e}\n"), ("ro", "1\n")],
        );
        disk(sys.path(), "sdb", &[("sdb1/partition", "1\n"), ("sdb1/size", "8\n"), ("sdb1/dev", "8:17\n")]);
        disk(sys.path(), "mmcblk0", &[("removable", "1\n"), ("size", "0\n")]);
        disk(&real.path().join("pci/usb2/host1"), "sdc", &[("removable", "0\n"), ("size", "4\n"), ("dev", "8:32\n")]);
        std::os::unix::fs::symlink(real.path().join("pci/usb2/host1/sdc"), sys.path().join("sdc")).unwrap();
        let mounts = Mounts::parse("36 35 8:17 / /media/a\\040b rw,noatime - vfat /dev/sdb1 rw\nnonsense\n");
        let found = sticks(sys.path(), &mounts);
        let names: Vec<_> = found.iter().map(|s| s.device.to_str().unwrap()).collect();
        assert_eq!(names, ["/dev/sdb1", "/dev/sdc"]);
        assert_eq!(found[0].mounted.as_deref(), Some(Path::new("/media/a b")));
        assert_eq!((found[0].octets, found[0].read_only, found[0].model.as_str()), (4096, true, "Stick <U+202E>"));
        assert_eq!((found[1].octets, found[1].mounted.clone()), (2048, None));
    }
}
