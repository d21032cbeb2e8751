//! The ways in that this machine has: what the binding names, and in a rehearsal the simulated other side and whatever path is typed.

use crate::basics::Realm;
use crate::ceremony::event::Via;
use crate::devices::camera::Camera;
use crate::devices::frame_source::{FrameSource, Heard, SourceError};
use crate::devices::hand_scanner::SerialScanner;
use crate::devices::picture_folder::PictureFolder;
use crate::devices::picture_reader::PictureReader;
use crate::devices::text_frames::TextFrames;
use crate::devices::video::Video;
use crate::plan::Material;
use crate::runner::binding::{Binding, Bound};
use crate::runner::front_end::WayIn;
use crate::transfer::volume::Label;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A way in, with everything it needs.
pub(super) enum Way {
    Simulated,
    Live(LiveWay),
    Medium {
        bound: Bound,
        /// Another medium than this one is named as such.
        label: Option<Label>,
    },
    File {
        /// Where what is typed lies; without it a path is typed.
        folder: Option<PathBuf>,
        typed: String,
    },
}

/// What gives frames, and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LiveWay {
    /// A camera, or a scanner on a serial line: the device says which it is.
    Device(PathBuf),
    /// A folder that is watched for pictures.
    Pictures(PathBuf),
    Frames(PathBuf),
    Video(PathBuf),
    /// A hand-held imager that types as a keyboard: the front end hands over lines.
    Typed,
}

/// A source that gives frames now.
pub(super) struct Opened {
    pub source: Box<dyn FrameSource>,
    pub told: &'static str,
    pub via: Via,
    /// Lines come from the front end's keyboard.
    pub typed: bool,
}

impl LiveWay {
    pub(super) fn open(&self) -> Result<Opened, String> {
        let said = |error: SourceError| {
            if error.hint.is_empty() { error.to_string() } else { format!("{error}; {}", error.hint) }
        };
        let reader = PictureReader::new;
        match self {
            Self::Device(device) => match Camera::open(device, reader()) {
                Ok(camera) => Ok(Opened {
                    source: Box::new(camera),
                    told: "Hold the code to the camera.",
                    via: Via::Camera,
                    typed: false,
                }),
                Err(no_camera) => match SerialScanner::open(device) {
                    Ok(scanner) => Ok(Opened {
                        source: Box::new(scanner),
                        told: "Scan every code of the other side with the scanner, in any order.",
                        via: Via::Scanner,
                        typed: false,
                    }),
                    Err(_) => Err(said(no_camera)),
                },
            },
            Self::Pictures(folder) => {
                if !folder.is_dir() {
                    return Err(format!("{}: expected a folder of pictures, found none", folder.display()));
                }
                Ok(Opened {
                    source: Box::new(PictureFolder::of_folder(folder, reader()).watching()),
                    told: "Put pictures of the codes into the folder, in any order.",
                    via: Via::Pictures,
                    typed: false,
                })
            }
            Self::Frames(file) => Ok(Opened {
                source: Box::new(TextFrames::open(file).map_err(said)?),
                told: "The text file of frames is read.",
                via: Via::Frames,
                typed: false,
            }),
            Self::Video(file) => Ok(Opened {
                source: Box::new(Video::open(file, reader()).map_err(said)?),
                told: "The video is read, picture by picture.",
                via: Via::Video,
                typed: false,
            }),
            Self::Typed => Ok(Opened {
                source: Box::new(Typing),
                told: "Scan every code of the other side, in any order; the scanner types it and ends it with Enter.",
                via: Via::Scanner,
                typed: true,
            }),
        }
    }
}

/// Gives nothing by itself: what is typed comes through the front end.
struct Typing;

impl FrameSource for Typing {
    fn name(&self) -> String {
        "a scanner that types".to_owned()
    }

    fn hear(&mut self, within: Duration) -> Result<Heard, SourceError> {
        std::thread::sleep(within);
        Ok(Heard::Nothing)
    }
}

/// A way in before something is typed.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Simulated,
    Device(PathBuf),
    Medium(Bound, Label),
    /// The folder of a stick, wherever somebody mounted it.
    AnyMedium,
    Pictures(Option<PathBuf>),
    Frames(Option<PathBuf>),
    Video(Option<PathBuf>),
    /// Files of this folder, or of any path.
    Files(Option<PathBuf>),
    Typed,
}

/// Needs no binding: it is this machine's keyboard.
const TYPES: &str = "a scanner that types as a keyboard";

/// The ways in, as they are offered and as they are gone.
#[derive(Debug, Default)]
pub struct Ways {
    offered: Vec<WayIn>,
    places: Vec<Place>,
}

impl Ways {
    /// Those of a ceremony: what the binding binds of the script's devices and media, and its `[incoming]`.
    #[must_use]
    pub fn of(realm: Realm, materials: &[Material], binding: &Binding) -> Self {
        let mut ways = Self::default();
        if realm.is_rehearsal() {
            ways.add("the simulated other side".to_owned(), None, Place::Simulated);
            ways.add(
                "pictures of codes in a folder, as they appear".to_owned(),
                Some("its path"),
                Place::Pictures(None),
            );
            ways.add("a text file of frames".to_owned(), Some("its path"), Place::Frames(None));
            ways.add("a video".to_owned(), Some("its path"), Place::Video(None));
            ways.add("a stick".to_owned(), Some("the folder where it is mounted"), Place::AnyMedium);
            ways.add("a file of this machine".to_owned(), Some("its path"), Place::Files(None));
            ways.add(TYPES.to_owned(), None, Place::Typed);
            return ways;
        }
        for material in materials.iter().filter(|material| material.kind == "camera") {
            if let Some(device) = binding.devices.get(&material.name) {
                let title = format!("the camera or scanner {} ({})", material.name, device.display());
                ways.add(title, None, Place::Device(device.clone()));
            }
        }
        for material in materials.iter().filter(|material| material.kind == "medium") {
            if let (Some(bound), Ok(label)) = (binding.media.get(&material.name), Label::parse(&material.name)) {
                let title = format!("the medium {} ({})", material.name, bound.path().display());
                ways.add(title, None, Place::Medium(bound.clone(), label));
            }
        }
        for (word, path) in &binding.incoming {
            let shown = path.display();
            let path = Some(path.clone());
            let (title, typed, place) = match word.as_str() {
                "pictures" => (format!("pictures of codes in {shown}, as they appear"), None, Place::Pictures(path)),
                "frames" => (format!("the text file of frames {shown}"), None, Place::Frames(path)),
                "video" => (format!("the video {shown}"), None, Place::Video(path)),
                _ => (format!("a file in {shown}"), Some("its name"), Place::Files(path)),
            };
            ways.add(title, typed, place);
        }
        ways.add(TYPES.to_owned(), None, Place::Typed);
        ways
    }

    fn add(&mut self, title: String, typed: Option<&str>, place: Place) {
        let key = (self.offered.len() + 1).to_string();
        self.offered.push(WayIn { key, title, typed: typed.map(str::to_owned) });
        self.places.push(place);
    }

    #[must_use]
    pub fn offered(&self) -> &[WayIn] {
        &self.offered
    }

    /// The way that somebody chose by its key, and what they typed after it.
    ///
    /// # Errors
    /// What was expected instead.
    pub(super) fn chosen(&self, typed: &str) -> Result<Way, String> {
        let (way, typed) = WayIn::chosen(&self.offered, typed)?;
        let at = self.offered.iter().position(|offered| offered == way);
        let place = at.and_then(|at| self.places.get(at)).ok_or("there is no such way in")?;
        let path = |known: &Option<PathBuf>| known.clone().unwrap_or_else(|| PathBuf::from(typed));
        Ok(match place {
            Place::Simulated => Way::Simulated,
            Place::Typed => Way::Live(LiveWay::Typed),
            Place::Device(device) => Way::Live(LiveWay::Device(device.clone())),
            Place::Medium(bound, label) => Way::Medium { bound: bound.clone(), label: Some(label.clone()) },
            Place::AnyMedium => Way::Medium { bound: Bound::Folder(Path::new(typed).to_owned()), label: None },
            Place::Pictures(folder) => Way::Live(LiveWay::Pictures(path(folder))),
            Place::Frames(file) => Way::Live(LiveWay::Frames(path(file))),
            Place::Video(file) => Way::Live(LiveWay::Video(path(file))),
            Place::Files(folder) => Way::File { folder: folder.clone(), typed: typed.to_owned() },
        })
    }
}

#[cfg(test)]
mod tests;
