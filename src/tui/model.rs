//! What the front end knows while it shows one thing: Elm's model. It borrows the plan and the state and owns only what
//! people have typed.

use crate::basics::{Digest, Instant, Secret};
use crate::ceremony::event::Answer;
use crate::ceremony::{Ask, Prompt, State};
use crate::custody::share::Correction;
use crate::plan::{Plan, Step};
use crate::runner::front_end::{Ending, Given, RevealedShare, Seen, View, WayIn};
use crate::tui::input::Input;
use crate::tui::screens;
use crate::tui::widgets::field::Field;
use crate::tui::widgets::form::Form;
use crate::tui::widgets::secret_field::SecretField;
use std::collections::BTreeSet;

/// Smallest terminal that everything is laid out for.
pub const LEAST_WIDTH: u16 = 80;
pub const LEAST_HEIGHT: u16 = 24;
/// Milliseconds after the first drawing in which keys are taken for typed earlier.
pub const TYPE_AHEAD_MILLISECONDS: u64 = 300;
/// Milliseconds a share stays on the screen.
pub const REVEAL_MILLISECONDS: u64 = 60_000;

/// The room as every screen shows it.
#[derive(Clone, Copy)]
pub struct Room<'a> {
    pub plan: &'a Plan,
    pub state: &'a State,
    pub plan_digest: Digest,
    pub head: Digest,
    /// Steps this run skipped; the state does not say which.
    pub skipped: &'a BTreeSet<usize>,
    pub ways_in: &'a [WayIn],
}

impl<'a> Room<'a> {
    #[must_use]
    pub const fn of(view: &View<'a>, skipped: &'a BTreeSet<usize>) -> Self {
        Self {
            plan: view.plan,
            state: view.state,
            plan_digest: view.plan_digest,
            head: view.head,
            skipped,
            ways_in: view.ways_in,
        }
    }

    /// The present step; none when all are behind us.
    #[must_use]
    pub fn step(&self) -> Option<&'a Step> {
        self.plan.steps.get(self.state.step)
    }

    #[must_use]
    pub const fn is_rehearsal(&self) -> bool {
        self.plan.realm.is_rehearsal()
    }

    /// Whether an exception may skip what is being done now.
    #[must_use]
    pub fn may_skip(&self) -> bool {
        self.state.begun && self.state.interruption.is_none() && self.step().is_some_and(|step| step.skippable)
    }
}

/// What answers a prompt: one per kind of field.
pub enum Reply {
    Line(Field),
    Secret(SecretField),
    Form(Form),
}

/// A prompt being answered.
pub struct Asking<'a> {
    pub prompt: &'a Prompt,
    pub reply: Reply,
}

/// Where the showing of a share is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Nothing shown yet: the custodian makes sure to be alone.
    Covered,
    Text {
        since: u64,
    },
    Code {
        since: u64,
    },
    /// Shown at least once and hidden again.
    Hidden,
}

pub struct Revealing<'a> {
    pub share: &'a RevealedShare,
    pub phase: Phase,
    pub saw_text: bool,
    pub saw_code: bool,
    /// Milliseconds of the last message, to say how long a share stays.
    pub at: u64,
}

pub struct Confirming<'a> {
    /// Who typed the share and looks at their card.
    pub who: &'a str,
    pub corrections: &'a [Correction],
    pub typed: Field,
}

/// The one thing on the screen.
pub enum Stage<'a> {
    Ask(Asking<'a>),
    Reveal(Revealing<'a>),
    Corrections(Confirming<'a>),
    Busy(&'a str),
    Ended(&'a Ending),
}

/// What lies over the stage until it is closed or submitted.
pub enum Overlay {
    Help,
    Exception(Form),
    Pause(Form),
    Abort(Form),
    Leave {
        typed: Field,
        /// What Ctrl-C interrupted, so that staying brings it back as it was.
        under: Option<Box<Overlay>>,
    },
}

/// How far the stage has been read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    pub offset: usize,
    /// Whether the last line has been on the screen.
    pub end_seen: bool,
    /// Milliseconds at which the stage was first drawn.
    pub first_drawn: Option<u64>,
}

pub struct Model<'a> {
    pub room: Room<'a>,
    pub clock: Instant,
    pub width: u16,
    pub height: u16,
    pub stage: Stage<'a>,
    pub overlay: Option<Overlay>,
    pub reading: Reading,
    /// Lines of the overlay scrolled away.
    pub overlay_offset: usize,
    /// Said to the room until the next key.
    pub note: Option<String>,
    /// Whether what is read aloud at this step was on the screen with an earlier question of it.
    pub said: bool,
}

/// Something that happened, and when.
pub struct Message {
    /// Milliseconds on a clock that only goes forward.
    pub at: u64,
    /// What the ceremony's clock shows.
    pub clock: Instant,
    pub what: Happening,
}

pub enum Happening {
    /// The model has been drawn.
    Drawn,
    Input(Input),
}

/// Why the screen is finished with.
pub enum Done {
    Given(Given),
    Seen(Seen),
    /// Whether the card agrees with the corrections.
    Confirmed(bool),
    /// The ending has been read.
    Read,
    Leave(Leaving),
}

/// Why the screen is left before its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leaving {
    /// Ctrl-C, and `leave` typed: there is somebody before the screen.
    People,
    /// A signal, or a terminal that is gone: nobody reads any more.
    Outside(String),
}

impl Leaving {
    /// Why, as the record keeps it.
    #[must_use]
    pub fn why(&self) -> &str {
        match self {
            Leaving::People => "left with Ctrl-C",
            Leaving::Outside(why) => why,
        }
    }

    #[must_use]
    pub fn terminal_is_gone() -> Self {
        Leaving::Outside("the terminal is gone".to_owned())
    }
}

impl Done {
    #[must_use]
    pub const fn answer(answer: Answer) -> Self {
        Done::Given(Given::Answer(answer))
    }

    #[must_use]
    pub const fn secret(secret: Secret) -> Self {
        Done::Given(Given::Secret(secret))
    }
}

impl<'a> Model<'a> {
    #[must_use]
    pub fn new(room: Room<'a>, clock: Instant, stage: Stage<'a>, (width, height): (u16, u16)) -> Self {
        Self {
            room,
            clock,
            width,
            height,
            stage,
            overlay: None,
            reading: Reading::default(),
            overlay_offset: 0,
            note: None,
            said: false,
        }
    }

    /// The stage of a prompt.
    #[must_use]
    pub fn ask(prompt: &'a Prompt) -> Stage<'a> {
        Stage::Ask(Asking { prompt, reply: screens::begin(&prompt.ask) })
    }

    /// The stage of a share.
    #[must_use]
    pub const fn reveal(share: &'a RevealedShare) -> Stage<'a> {
        Stage::Reveal(Revealing { share, phase: Phase::Covered, saw_text: false, saw_code: false, at: 0 })
    }

    #[must_use]
    pub const fn is_too_small(&self) -> bool {
        self.width < LEAST_WIDTH || self.height < LEAST_HEIGHT
    }

    /// Whether the stage may be answered: what cannot be undone, and what people agree to, must have been on the screen to its end.
    #[must_use]
    pub fn may_answer(&self) -> bool {
        match &self.stage {
            Stage::Ask(asking) => !must_be_read(asking.prompt) || self.reading.end_seen,
            _ => true,
        }
    }

    /// Whether keys typed before the stage was drawn are dropped.
    #[must_use]
    pub const fn is_guarded(&self) -> bool {
        match &self.stage {
            Stage::Ask(asking) => asking.prompt.grave,
            Stage::Reveal(_) | Stage::Corrections(_) | Stage::Ended(_) => true,
            Stage::Busy(_) => false,
        }
    }

    /// Whether characters of a share are on the screen.
    #[must_use]
    pub const fn shows_secret(&self) -> bool {
        match &self.stage {
            Stage::Reveal(revealing) => matches!(revealing.phase, Phase::Text { .. } | Phase::Code { .. }),
            Stage::Ask(asking) => matches!(asking.prompt.ask, Ask::Share { .. }) && self.overlay.is_none(),
            Stage::Corrections(_) => self.overlay.is_none(),
            Stage::Busy(_) | Stage::Ended(_) => false,
        }
    }

    /// Who acts now, by name: nobody while the machine works, and after the end.
    #[must_use]
    pub fn acting(&self) -> Option<String> {
        match &self.stage {
            Stage::Ask(asking) if asking.prompt.who.is_empty() => None,
            Stage::Ask(asking) => Some(self.room.plan.name_of(&asking.prompt.who)),
            Stage::Reveal(revealing) => Some(self.room.plan.name_of(&revealing.share.holder)),
            Stage::Corrections(confirming) => Some(self.room.plan.name_of(confirming.who)),
            Stage::Busy(_) | Stage::Ended(_) => None,
        }
    }

    /// The question asked, where one is.
    #[must_use]
    pub const fn asked(&self) -> Option<&'a Ask> {
        match &self.stage {
            Stage::Ask(asking) => Some(&asking.prompt.ask),
            _ => None,
        }
    }
}

/// Whether an answer is somebody's word on what is shown. A value that is typed in (text, dice, a share) is not.
const fn must_be_read(prompt: &Prompt) -> bool {
    let agrees = matches!(
        prompt.ask,
        Ask::Initials { .. } | Ask::Choice { .. } | Ask::Phrase { .. } | Ask::SignOff { .. } | Ask::Sheet { .. }
    );
    prompt.grave || agrees
}
