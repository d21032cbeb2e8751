//! Which source a path or option names, by what the file holds.

use super::Sources;
use crate::cli::args::qr::Scan;
use crate::cli::{ExitCode, Failure};
use crate::devices::camera::Camera;
use crate::devices::hand_scanner::{KeyboardScanner, SerialScanner};
use crate::devices::picture_file;
use crate::devices::picture_folder::PictureFolder;
use crate::devices::picture_reader::PictureReader;
use crate::devices::text_frames::TextFrames;
use crate::devices::video::Video;
use std::io::Read;
use std::path::Path;

pub(super) fn of(args: &Scan) -> Result<Sources, Failure> {
    let mut sources: Sources = Vec::new();
    let mut pictures = Vec::new();
    for path in &args.sources {
        match holds(path)? {
            Holds::Folder => {
                let folder = PictureFolder::of_folder(path, PictureReader::new());
                sources.push(Box::new(if args.watch { folder.watching() } else { folder }));
            }
            Holds::Picture => pictures.push(path.clone()),
            Holds::Text => sources.push(Box::new(TextFrames::open(path)?)),
            Holds::Video => sources.push(Box::new(Video::open(path, PictureReader::new())?)),
        }
    }
    if !pictures.is_empty() {
        sources.push(Box::new(PictureFolder::of_files(pictures, PictureReader::new())));
    }
    if let Some(device) = &args.camera {
        sources.push(Box::new(Camera::open(device, PictureReader::new())?));
    }
    if let Some(device) = &args.serial {
        sources.push(Box::new(SerialScanner::open(device)?));
    }
    if args.keyboard {
        sources.push(Box::new(KeyboardScanner::on_standard_input()?));
    }
    if sources.is_empty() {
        let hint = "give pictures, a folder, a video or a text file of frames, or --camera, --serial or --keyboard";
        return Err(Failure::new(ExitCode::Usage, "expected something to scan, found nothing").with_hint(hint));
    }
    Ok(sources)
}

enum Holds {
    Folder,
    Picture,
    Text,
    Video,
}

/// By the first octets; a name decides only where they say nothing, so that an empty or cut picture is refused as a picture.
fn holds(path: &Path) -> Result<Holds, Failure> {
    let missing = |error: std::io::Error| Failure::new(ExitCode::Missing, format!("{}: {error}", path.display()));
    let metadata = std::fs::metadata(path).map_err(missing)?;
    if metadata.is_dir() {
        return Ok(Holds::Folder);
    }
    if !metadata.is_file() {
        let message = format!("{}: expected a file or folder, found something else", path.display());
        return Err(Failure::new(ExitCode::Failure, message).with_hint("devices are named with --camera or --serial"));
    }
    let mut start = Vec::new();
    std::fs::File::open(path).map_err(missing)?.take(1_024).read_to_end(&mut start).map_err(missing)?;
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_ascii_lowercase());
    let named = |names: &[&str]| extension.as_deref().is_some_and(|extension| names.contains(&extension));
    Ok(if picture_file::is_picture(&start) || named(&["png", "jpg", "jpeg"]) {
        Holds::Picture
    } else if !start.contains(&0) && std::str::from_utf8(start.get(..start.len().min(64)).unwrap_or_default()).is_ok() {
        Holds::Text
    } else {
        Holds::Video
    })
}
