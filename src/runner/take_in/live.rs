//! An object that comes in part by part while people watch: frames from a camera, a scanner, pictures, a text file, a video.

use super::Taking;
use super::ways::Opened;
use crate::devices::frame_source::{FrameSource, Heard};
use crate::runner::front_end::{Incoming, Looked, Sight};
use crate::transfer::envelope::Envelope;
use crate::transfer::intake::progress_line;
use crate::transfer::picture::Luma;
use std::time::Duration;
use zeroize::Zeroize;

/// One source on its way to one object.
pub(super) struct Live<'t> {
    source: Box<dyn FrameSource>,
    told: &'static str,
    typed: bool,
    taking: &'t mut Taking,
    looks: String,
    note: String,
    end: End,
}

/// How it ended.
pub(super) enum End {
    Arrived(Envelope),
    /// The people went back.
    Back,
    /// The front end was left.
    Left(String),
    /// Nothing more will come, and why.
    Over(String),
}

impl<'t> Live<'t> {
    pub(super) fn new(opened: Opened, taking: &'t mut Taking) -> Self {
        let Opened { source, told, typed, .. } = opened;
        Self { source, told, typed, taking, looks: String::new(), note: String::new(), end: End::Back }
    }

    pub(super) fn end(self) -> End {
        self.end
    }

    /// The front end says that it was left.
    pub(super) fn leave(&mut self, why: String) -> Result<(), String> {
        self.end = End::Left(why);
        Ok(())
    }

    fn over(&mut self, why: String) -> Looked {
        self.end = End::Over(why);
        Looked::Ended
    }

    fn text(&mut self, text: &str) -> Looked {
        "sees a code".clone_into(&mut self.looks);
        match self.taking.text(text) {
            Ok(Some(envelope)) => {
                self.end = End::Arrived(envelope);
                return Looked::Ended;
            }
            Ok(None) => {}
            Err(why) => self.note = why,
        }
        Looked::Heard
    }
}

impl Incoming for Live<'_> {
    fn look(&mut self, within: Duration) -> Looked {
        match self.source.hear(within) {
            Err(error) => self.over(format!("{error}; {}", error.hint)),
            Ok(Heard::Ended) => {
                let line = progress_line(&self.taking.intake.progress());
                let note = if self.note.is_empty() { String::new() } else { format!("; last: {}", self.note) };
                self.over(format!(
                    "{} ended before the object was whole: {line}{note}; nothing that came is lost: choose this or another way in again",
                    self.source.name()
                ))
            }
            Ok(Heard::Text(mut text)) => {
                let looked = self.text(&text);
                // Somebody may hold a share's card before it.
                text.zeroize();
                looked
            }
            Ok(Heard::Refused { name, reason }) => {
                self.taking.intake.nothing_read();
                self.note = format!("{name}: {reason}");
                Looked::Heard
            }
            Ok(Heard::Looks(looks)) => {
                self.looks = looks;
                Looked::Nothing
            }
            Ok(Heard::Nothing) => Looked::Nothing,
        }
    }

    fn is_typed(&self) -> bool {
        self.typed
    }

    fn typed(&mut self, line: &str) -> Looked {
        let looked = self.text(line);
        self.looks = format!("{} characters came", line.len());
        looked
    }

    fn sight(&mut self) -> Sight {
        Sight {
            source: self.source.name(),
            told: self.told,
            waiting_for: self.taking.words(),
            looks: self.looks.clone(),
            rate: self.source.rate(),
            progress: self.taking.intake.progress(),
            note: self.note.clone(),
        }
    }

    fn preview(&self) -> Option<&Luma> {
        self.source.preview()
    }
}
