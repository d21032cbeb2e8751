//! What a front end is to the runner: it shows a prompt and brings back an answer. It decides nothing.

use crate::basics::{Digest, Secret};
use crate::ceremony::event::{Answer, FrontEndWord};
use crate::ceremony::{Prompt, State};
use crate::custody::share::Correction;
use crate::devices::Clock;
use crate::plan::Plan;
use crate::transfer::Progress;
use crate::transfer::envelope::Envelope;
use crate::transfer::picture::Luma;
use std::time::Duration;

/// What every screen may show beside the prompt.
pub struct View<'a> {
    pub plan: &'a Plan,
    pub plan_digest: Digest,
    pub state: &'a State,
    /// The record's head: people note it.
    pub head: Digest,
    /// Entries written so far.
    pub entries: u32,
    pub clock: &'a dyn Clock,
    /// Ways for an object into the room, as this machine has them.
    pub ways_in: &'a [WayIn],
}

/// A way for an object into the room: what is chosen with its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WayIn {
    pub key: String,
    pub title: String,
    /// What is typed after the key, where something is: "its path".
    pub typed: Option<String>,
}

impl WayIn {
    /// The way in as people read it.
    #[must_use]
    pub fn words(&self) -> String {
        match &self.typed {
            Some(typed) => format!("{}: type {} and {typed}", self.title, self.key),
            None => self.title.clone(),
        }
    }

    /// Which way in somebody chose, and what they typed after its key.
    ///
    /// # Errors
    /// What was expected instead.
    pub fn chosen<'w, 't>(ways: &'w [Self], typed: &'t str) -> Result<(&'w Self, &'t str), String> {
        let (key, rest) = typed.trim().split_once(char::is_whitespace).unwrap_or((typed.trim(), ""));
        let rest = rest.trim();
        let way = ways.iter().find(|way| way.key == key).ok_or_else(|| {
            let keys: Vec<&str> = ways.iter().map(|way| way.key.as_str()).collect();
            format!("expected the number of a way in, one of {}", keys.join(", "))
        })?;
        match (&way.typed, rest) {
            (None, "") => Ok((way, rest)),
            (None, _) => Err(format!("expected {key} and nothing after it")),
            (Some(what), "") => Err(format!("expected {key} and {what}, with a space between them")),
            (Some(_), _) => Ok((way, rest)),
        }
    }
}

/// What came back for a prompt.
pub enum Given {
    Answer(Answer),
    /// Dice or a share, as typed: goes to the strongroom and nowhere else.
    Secret(Secret),
    /// Let the simulated person answer; only offered in a rehearsal.
    Simulate,
    /// A share is to be taken from the code on its card.
    Scan,
    /// An object is to be taken in: the key of one of the ways in, and what was typed after it.
    TakeIn(String),
}

/// A share shown to its custodian. Dropped, and so overwritten, when it is hidden.
pub struct RevealedShare {
    pub holder: String,
    pub quorum: String,
    pub generation: u8,
    pub index: u8,
    pub count: u8,
    pub threshold: u8,
    /// Upper case, 84 characters, no spaces.
    pub text: Secret,
}

/// How a share was seen by its custodian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    Text,
    Code,
    Both,
    /// The simulated custodian of a rehearsal wrote it down.
    Simulated,
}

impl Seen {
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Seen::Text => "text",
            Seen::Code => "code",
            Seen::Both => "text and code",
            Seen::Simulated => "simulated",
        }
    }
}

/// What the end of a run says to the people.
pub struct Ending {
    pub title: String,
    pub lines: Vec<String>,
}

/// What whoever brings an object in is told: what the source sees, how much is there, what was refused last.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sight {
    pub source: String,
    /// What to do with it: "Hold the code to the camera."
    pub told: &'static str,
    /// What is waited for, in words.
    pub waiting_for: String,
    /// What a camera sees: a code, or what is wrong.
    pub looks: String,
    /// Pictures a second, of what takes pictures.
    pub rate: Option<f32>,
    pub progress: Progress,
    /// The last thing that was refused.
    pub note: String,
}

/// How a look at a source of an object ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Looked {
    /// It gave something, and may give more at once.
    Heard,
    /// It gave nothing within the time.
    Nothing,
    /// The object is whole, or nothing more will come: whoever offered the source knows which.
    Ended,
}

/// A source of an object, as a front end sees it: asked again and again until it has ended or the people go back.
pub trait Incoming {
    fn look(&mut self, within: Duration) -> Looked;

    /// Whether it comes as lines that are typed here.
    fn is_typed(&self) -> bool {
        false
    }

    /// A line that was typed.
    fn typed(&mut self, _line: &str) -> Looked {
        Looked::Nothing
    }

    fn sight(&mut self) -> Sight;

    fn preview(&self) -> Option<&Luma>;
}

/// Asks a camera or scanner, for a moment: a share, nothing yet, or why nothing will come.
pub type Look<'l> = dyn FnMut() -> Result<Option<Secret>, String> + 'l;

/// A front end: full screen, line by line, or the simulated room of `--auto`.
pub trait FrontEnd {
    fn word(&self) -> FrontEndWord;

    /// Shows a prompt until it is answered. A front end that must stop (signal, terminal gone) answers
    /// [`Answer::Leave`].
    fn ask(&mut self, view: &View<'_>, prompt: &Prompt) -> Given;

    /// Shows one share to its custodian until they hide it.
    ///
    /// # Errors
    /// Why it could not be shown: not a terminal, too small, left.
    fn reveal(&mut self, view: &View<'_>, share: &RevealedShare) -> Result<Seen, String>;

    /// Shows where a typed share differs from the nearest valid one; says whether the card of the person who typed it agrees.
    ///
    /// # Errors
    /// Why nobody said so: left, the terminal gone. That is no word on the card, and is never recorded as one.
    fn confirm_corrections(&mut self, view: &View<'_>, who: &str, corrections: &[Correction]) -> Result<bool, String>;

    /// Shows an object as codes, for another machine or a phone, until somebody says that it arrived.
    ///
    /// # Errors
    /// Why it could not be shown: too small, left.
    fn show_code(&mut self, view: &View<'_>, envelope: &Envelope) -> Result<(), String>;

    /// Waits until `look` has a share from a camera or scanner, or the people would rather type: `None`.
    ///
    /// # Errors
    /// Why nothing can come: the device is gone, left.
    fn scan(&mut self, view: &View<'_>, look: &mut Look<'_>) -> Result<Option<Secret>, String>;

    /// Shows what comes in until it has ended, or the people want another way in: nothing that came is lost by that.
    ///
    /// # Errors
    /// Why nothing can come: the terminal gone, left.
    fn take_in(&mut self, view: &View<'_>, incoming: &mut dyn Incoming) -> Result<(), String>;

    /// Something longer than a moment is being done.
    fn busy(&mut self, view: &View<'_>, what: &str);

    /// How far that is, where it has parts. Line by line and in the record it is said once, when it begins.
    fn progress(&mut self, _view: &View<'_>, _what: &str, _done: u32, _of: u32) {}

    /// The run is over.
    fn ended(&mut self, view: &View<'_>, ending: &Ending);
}
