//! `qr scan`: takes codes from wherever they are, and says what came of it.

use crate::basics::SafeText;
use crate::cli::args::qr::ScanArgs;
use crate::cli::{ExitCode, Failure, output};
use crate::devices::frame_source::{FrameSource, Heard, SourceError};
use crate::devices::picture_file;
use crate::devices::picture_folder::PictureFolder;
use crate::devices::picture_reader::PictureReader;
use crate::devices::text_frames::TextFrames;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a source is waited for before the next one is asked.
const WAIT: Duration = Duration::from_millis(200);

/// Takes codes in.
///
/// # Errors
/// Where a source cannot be used.
pub fn scan(args: &ScanArgs) -> Result<ExitCode, Failure> {
    let mut sources = sources(args)?;
    let mut texts: Vec<String> = Vec::new();
    while let Some(source) = sources.first_mut() {
        match source.hear(WAIT)? {
            Heard::Text(text) if !texts.contains(&text) => {
                output::json(&text)?;
                texts.push(text);
            }
            Heard::Refused { name, reason } => {
                output::words(&format!("{}: {}", SafeText::of(&name), SafeText::of(&reason)))
            }
            Heard::Text(_) | Heard::Looks(_) | Heard::Nothing => {}
            Heard::Ended => {
                sources.remove(0);
            }
        }
    }
    if texts.is_empty() { Ok(ExitCode::Missing) } else { Ok(ExitCode::Done) }
}

fn sources(args: &ScanArgs) -> Result<Vec<Box<dyn FrameSource>>, Failure> {
    let mut sources: Vec<Box<dyn FrameSource>> = Vec::new();
    let mut pictures = Vec::new();
    for path in &args.sources {
        if path.is_dir() {
            let folder = PictureFolder::of_folder(path, PictureReader::new());
            sources.push(Box::new(if args.watch { folder.watching() } else { folder }));
        } else if is_picture(path)? {
            pictures.push(path.clone());
        } else {
            sources.push(Box::new(TextFrames::open(path)?));
        }
    }
    if !pictures.is_empty() {
        sources.insert(0, Box::new(PictureFolder::of_files(pictures, PictureReader::new())));
    }
    Ok(sources)
}

fn is_picture(path: &PathBuf) -> Result<bool, Failure> {
    let mut start = Vec::new();
    let named = path
        .extension()
        .is_some_and(|e| matches!(e.to_string_lossy().to_ascii_lowercase().as_str(), "png" | "jpg" | "jpeg"));
    let opened = std::fs::File::open(path).and_then(|file| file.take(16).read_to_end(&mut start));
    opened.map_err(|error| Failure::from(format!("{}: {error}", path.display())))?;
    Ok(named || picture_file::is_picture(&start))
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        let hint = error.hint.clone();
        Failure { hint, ..Failure::from(error.to_string()) }
    }
}

#[allow(unused)]
fn named(path: &Path) -> String {
    path.display().to_string()
}
