//! A camera alone, as the screen of an object that comes in sees it.

use crate::devices::frame_source::{FrameSource, Heard};
use crate::runner::front_end::{Incoming, Looked, Sight};
use crate::transfer::Taken;
use crate::transfer::intake::{Arrival, Intake, Object};
use crate::transfer::picture::Luma;
use std::time::Duration;

/// One source on its way to any object.
pub(super) struct Watching {
    source: Box<dyn FrameSource>,
    intake: Intake,
    waiting_for: String,
    looks: String,
    note: String,
    end: Result<Object, String>,
}

impl Watching {
    pub(super) fn new(source: Box<dyn FrameSource>, intake: Intake, waiting_for: String) -> Self {
        let end = Err("nothing came".to_owned());
        Self { source, intake, waiting_for, looks: String::new(), note: String::new(), end }
    }

    /// The object, or why there is none; and what came of every text.
    pub(super) fn end(self) -> (Result<Object, String>, Intake) {
        (self.end, self.intake)
    }

    fn text(&mut self, text: &str) -> Looked {
        "sees a code".clone_into(&mut self.looks);
        match self.intake.take(text) {
            Arrival::Object(object) => {
                self.end = Ok(object);
                return Looked::Ended;
            }
            Arrival::Unexpected { expected, found } => {
                self.note = format!("expected {expected}, found {found}: not taken, going on");
            }
            Arrival::Calibration(layout) => self.note = layout.words(),
            Arrival::Part(Taken::Restarted(why)) => self.note = format!("starting again: {why}"),
            Arrival::Part(Taken::Unreadable(error)) => self.note = format!("unreadable: {error}"),
            Arrival::Part(_) => {}
        }
        Looked::Heard
    }
}

impl Incoming for Watching {
    fn look(&mut self, within: Duration) -> Looked {
        match self.source.hear(within) {
            Err(error) => {
                self.end = Err(format!("{error}: {}", error.hint));
                Looked::Ended
            }
            Ok(Heard::Ended) => {
                self.end = Err("the camera ended".to_owned());
                Looked::Ended
            }
            Ok(Heard::Text(text)) => self.text(&text),
            Ok(Heard::Looks(looks) | Heard::Refused { reason: looks, .. }) => {
                self.looks = looks;
                Looked::Nothing
            }
            Ok(Heard::Nothing) => Looked::Nothing,
        }
    }

    fn sight(&mut self) -> Sight {
        Sight {
            source: self.source.name(),
            told: "Hold the code to the camera.",
            waiting_for: self.waiting_for.clone(),
            looks: self.looks.clone(),
            rate: self.source.rate(),
            progress: self.intake.progress(),
            note: self.note.clone(),
        }
    }

    fn preview(&self) -> Option<&Luma> {
        self.source.preview()
    }
}
