//! The binding: a small machine-local file that maps the script's logical names to this machine's devices. It can resolve names
//! and nothing else; its digest is in the transcript.
//!
//! ```toml
//! format = "anchorite-binding/1"
//! ledger = "/srv/ledger.sqlite"
//! [media]                           # a mount point, or a block device that is mounted for the writing
//! vault-a = "/media/usb1"
//! vault-b = "/dev/sdb1"
//! [folders]                         # a plain folder is meant, and the record says so
//! publish = "/srv/publish"
//! [devices]                         # cameras and printers of the script
//! desk-camera = "/dev/video0"
//! [incoming]                        # where else an object may come from
//! pictures = "/srv/pictures"        # a folder that is watched
//! files = "/srv/in"                 # a folder whose files may be named
//! issued = "/srv/issued"            # what earlier ceremonies kept of their bundles (`DIR/issued`)
//! ```

use crate::basics::limits;
use crate::plan::Plan;
use crate::script::problem::Problems;
use crate::script::reader::{Reader, document};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub const FORMAT: &str = "anchorite-binding/1";

/// Logical names and what they are on this machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Binding {
    pub ledger: PathBuf,
    pub media: BTreeMap<String, Bound>,
    pub devices: BTreeMap<String, PathBuf>,
    /// Where objects may come from beside devices and media, by the words of `INCOMING`.
    pub incoming: BTreeMap<String, PathBuf>,
}

/// What `[incoming]` may bind: a folder of pictures, a text file of frames, a video, a folder of files, a folder of what was kept of
/// bundles.
const INCOMING: [&str; 5] = ["files", "frames", "issued", "pictures", "video"];

/// What a medium's name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bound {
    /// A mount point or a block device: a folder where nothing is mounted is refused.
    Medium(PathBuf),
    /// A folder of this machine is meant.
    Folder(PathBuf),
    /// A folder of a rehearsal.
    Simulated(PathBuf),
}

impl Bound {
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Medium(path) | Self::Folder(path) | Self::Simulated(path) => path,
        }
    }
}

/// The names of a script that a binding may resolve.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// Every one must be bound.
    pub media: Vec<String>,
    /// Cameras and printers; each may be bound.
    pub devices: Vec<String>,
}

impl Names {
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        let of = |kinds: &[&str]| {
            plan.materials.iter().filter(|m| kinds.contains(&m.kind.as_str())).map(|m| m.name.clone()).collect()
        };
        Self { media: of(&["medium"]), devices: of(&["camera", "printer"]) }
    }
}

impl Binding {
    /// Reads a binding; every medium must be bound, once, and nothing else may be.
    ///
    /// # Errors
    /// All problems of the file.
    pub fn parse(file: &str, octets: &[u8], names: &Names) -> Result<Self, Problems> {
        let text = String::from_utf8_lossy(octets);
        let mut problems = Problems::new(file, &text);
        let Some(document) = document(&text, limits::SMALL_FILE_OCTETS, &mut problems) else { return Err(problems) };
        let p = &mut problems;
        let mut r = Reader::new(document.get_ref(), 0..0, "the binding");
        let format = r.needed_text("format", p);
        if format.value != FORMAT {
            p.add(format.span, format!("expected format \"{FORMAT}\""), "");
        }
        let ledger = r.needed_text("ledger", p);
        let sticks =
            paths(&mut r, "media", &names.media, "the folder where the medium is mounted, or its block device", p);
        let folders = paths(&mut r, "folders", &names.media, "a folder of this machine", p);
        let devices = paths(&mut r, "devices", &names.devices, "the device", p);
        let words = INCOMING.map(str::to_owned);
        let incoming = paths(&mut r, "incoming", &words, "where objects may come from", p);
        let mut media = BTreeMap::new();
        for name in &names.media {
            match (sticks.get(name), folders.get(name)) {
                (Some(path), None) => media.insert(name.clone(), Bound::Medium(path.clone())),
                (None, Some(path)) => media.insert(name.clone(), Bound::Folder(path.clone())),
                (Some(_), Some(_)) => {
                    p.add(0..0, format!("`{name}`: expected it in [media] or in [folders], found in both"), "");
                    None
                }
                (None, None) => {
                    let hint =
                        format!("add `{name} = \"/...\"` under [media]; under [folders] where a plain folder is meant");
                    p.add(0..0, format!("the binding binds no medium `{name}`"), hint);
                    None
                }
            };
        }
        r.done(p);
        if problems.is_empty() {
            Ok(Self { ledger: PathBuf::from(ledger.value), media, devices, incoming })
        } else {
            Err(problems)
        }
    }
}

/// A table of absolute paths by name.
fn paths(
    r: &mut Reader<'_, '_>,
    key: &str,
    names: &[String],
    meaning: &str,
    p: &mut Problems,
) -> BTreeMap<String, PathBuf> {
    let mut bound = BTreeMap::new();
    let Some(mut table) = r.table(key, &format!("`{key}`"), p) else { return bound };
    for name in names {
        let Some(path) = table.text(name, p) else { continue };
        if !path.value.starts_with('/') {
            p.add(path.span.clone(), format!("`{name}`: expected an absolute path"), meaning.to_owned());
        }
        bound.insert(name.clone(), PathBuf::from(path.value));
    }
    table.done(p);
    bound
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        Names { media: vec!["vault-a".to_owned(), "publish".to_owned()], devices: vec!["desk-camera".to_owned()] }
    }

    fn parse(tables: &str) -> Result<Binding, String> {
        let text = format!("format = \"{FORMAT}\"\nledger = \"/srv/ledger.sqlite\"\n{tables}");
        Binding::parse("binding.toml", text.as_bytes(), &names()).map_err(|problems| problems.render())
    }

    #[test]
    fn a_medium_is_a_stick_or_a_plain_folder_and_the_binding_says_which() {
        let binding = parse("[media]\nvault-a = \"/media/usb1\"\n[folders]\npublish = \"/srv/publish\"\n").unwrap();
        assert_eq!(binding.media["vault-a"], Bound::Medium(PathBuf::from("/media/usb1")));
        assert_eq!(binding.media["publish"], Bound::Folder(PathBuf::from("/srv/publish")));
        assert!(binding.devices.is_empty());
        let both = "[media]\nvault-a = \"/a\"\npublish = \"/b\"\n[folders]\npublish = \"/c\"\n";
        assert!(parse(both).unwrap_err().contains("`publish`: expected it in [media] or in [folders], found in both"));
        let missing = parse("[media]\nvault-a = \"/a\"\n").unwrap_err();
        assert!(
            missing.contains("the binding binds no medium `publish`") && missing.contains("under [folders]"),
            "{missing}"
        );
    }

    #[test]
    fn a_binding_resolves_names_of_the_script_and_nothing_else() {
        let good = "[media]\nvault-a = \"/a\"\npublish = \"/b\"\n";
        let binding = parse(&format!("{good}[devices]\ndesk-camera = \"/dev/video0\"\n")).unwrap();
        assert_eq!(binding.devices["desk-camera"], PathBuf::from("/dev/video0"));
        for (more, expected) in [
            ("[devices]\nback-door = \"/dev/tty9\"\n", "has no key `back-door`"),
            ("[devices]\ndesk-camera = \"video0\"\n", "`desk-camera`: expected an absolute path"),
            ("[devices]\ndesk-camera = 7\n", "expected text in quotes"),
            ("[folders]\nother = \"/c\"\n", "has no key `other`"),
            ("[incoming]\nmail = \"/c\"\n", "has no key `mail`"),
            ("[incoming]\nfiles = \"c\"\n", "`files`: expected an absolute path"),
            ("[network]\nproxy = \"/c\"\n", "has no key `network`"),
        ] {
            let said = parse(&format!("{good}{more}")).unwrap_err();
            assert!(said.contains(expected), "expected {expected:?} in {said}");
        }
        assert!(
            parse("[media]\nvault-a = \"usb\"\npublish = \"/b\"\n").unwrap_err().contains("expected an absolute path")
        );
    }
}
