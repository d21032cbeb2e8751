//! Pictures from a list, or from a folder watched as they appear: what a phone or document scanner leaves on a stick.

use crate::basics::limits;
use crate::devices::durable_file;
use crate::devices::frame_source::{FrameSource, Heard, SourceError};
use crate::devices::picture_file::PictureError;
use crate::devices::picture_reader::{PictureReader, no_code};
use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// How often a folder is looked at.
const POLL: Duration = Duration::from_millis(500);
/// A picture that is not whole is being written, until it has not changed for so long.
const SETTLED: Duration = Duration::from_millis(2_500);

/// Pictures, one after the other.
pub struct PictureFolder {
    name: String,
    reader: PictureReader,
    /// The folder to look into for more, where there is one.
    folder: Option<PathBuf>,
    watch: bool,
    looked: Option<Instant>,
    waiting: VecDeque<PathBuf>,
    texts: VecDeque<String>,
    seen: BTreeMap<PathBuf, Seen>,
}

/// How a file was when it was read last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seen {
    octets: u64,
    changed: Option<SystemTime>,
    /// Not whole yet: since when it has been like this.
    unfinished: Option<Instant>,
}

impl PictureFolder {
    /// Just these files.
    #[must_use]
    pub fn of_files(paths: Vec<PathBuf>, reader: PictureReader) -> Self {
        let name = match paths.as_slice() {
            [one] => one.display().to_string(),
            more => format!("{} pictures", more.len()),
        };
        Self::over(name, reader, None, paths.into())
    }

    /// The pictures of a folder by name; with `watching` those to come too.
    #[must_use]
    pub fn of_folder(folder: &Path, reader: PictureReader) -> Self {
        Self::over(folder.display().to_string(), reader, Some(folder.to_owned()), VecDeque::new())
    }

    fn over(name: String, reader: PictureReader, folder: Option<PathBuf>, waiting: VecDeque<PathBuf>) -> Self {
        Self {
            name,
            reader,
            folder,
            watch: false,
            looked: None,
            waiting,
            texts: VecDeque::new(),
            seen: BTreeMap::new(),
        }
    }

    /// The folder is looked at again and again.
    #[must_use]
    pub fn watching(mut self) -> Self {
        self.watch = true;
        self
    }

    /// Puts files that are new or have changed since into the queue.
    fn look(&mut self) -> Result<(), SourceError> {
        let Some(folder) = &self.folder else { return Ok(()) };
        let gone = |error: std::io::Error| {
            SourceError::new(self.name.clone(), error, "the folder must stay while it is watched")
        };
        let mut found = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(gone)?.take(limits::PICTURE_FOLDER_FILES) {
            let path = entry.map_err(gone)?.path();
            if looks_like_picture(&path) {
                found.push(path);
            }
        }
        found.sort();
        for path in found {
            let now = seen_now(&path);
            let known = self.seen.get(&path);
            let same =
                known.zip(now).is_some_and(|(known, now)| known.octets == now.octets && known.changed == now.changed);
            let again = known.is_some_and(|known| known.unfinished.is_some());
            if now.is_some() && (!same || again) && !self.waiting.contains(&path) {
                self.waiting.push_back(path);
            }
        }
        Ok(())
    }

    /// Reads one picture; `None` where it is to be read again later.
    fn read(&mut self, path: &Path) -> Option<Heard> {
        let name = path.display().to_string();
        let before = seen_now(path);
        let refused = |reason: String| Some(Heard::Refused { name: name.clone(), reason });
        let reading = match durable_file::read(path, limits::PICTURE_FILE_OCTETS) {
            Ok(octets) => self.reader.read_picture(&octets),
            Err(error) => return refused(format!("{}: {}", error.what, error.cause)),
        };
        let unfinished = matches!(
            reading,
            Err(PictureError::Truncated | PictureError::NotAPicture | PictureError::Malformed { .. })
        );
        if let Some(mut now) = before {
            let known = self.seen.get(path).copied();
            let unchanged = known.filter(|known| known.octets == now.octets && known.changed == now.changed);
            let since = unchanged.and_then(|known| known.unfinished).unwrap_or_else(Instant::now);
            let settled = since.elapsed() >= SETTLED;
            now.unfinished = (self.watch && unfinished && !settled).then_some(since);
            self.seen.insert(path.to_owned(), now);
            if now.unfinished.is_some() {
                return None;
            }
        }
        match reading {
            Err(error) => refused(error.to_string()),
            Ok(reading) => {
                let texts = reading.texts();
                if texts.is_empty() {
                    let reason = if reading.codes.is_empty() {
                        no_code(reading.trouble)
                    } else {
                        "its code is no text".to_owned()
                    };
                    return refused(reason);
                }
                self.texts.extend(texts);
                self.texts.pop_front().map(Heard::Text)
            }
        }
    }
}

impl FrameSource for PictureFolder {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn hear(&mut self, within: Duration) -> Result<Heard, SourceError> {
        if let Some(text) = self.texts.pop_front() {
            return Ok(Heard::Text(text));
        }
        while let Some(path) = self.waiting.pop_front() {
            if let Some(heard) = self.read(&path) {
                return Ok(heard);
            }
        }
        let first = self.looked.is_none();
        if self.folder.is_none() || !(first || self.watch) {
            return Ok(Heard::Ended);
        }
        let due = self.looked.map_or(Duration::ZERO, |looked| POLL.saturating_sub(looked.elapsed()));
        std::thread::sleep(due.min(within));
        if due <= within {
            self.looked = Some(Instant::now());
            self.look()?;
        }
        Ok(Heard::Nothing)
    }
}

fn seen_now(path: &Path) -> Option<Seen> {
    let metadata = std::fs::symlink_metadata(path).ok().filter(std::fs::Metadata::is_file)?;
    Some(Seen { octets: metadata.len(), changed: metadata.modified().ok(), unfinished: None })
}

/// By its name: a folder of a phone holds films and sidecars too.
fn looks_like_picture(path: &Path) -> bool {
    let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_ascii_lowercase());
    !hidden && extension.is_some_and(|extension| matches!(extension.as_str(), "png" | "jpg" | "jpeg" | "jpe"))
}

#[cfg(test)]
mod tests;
