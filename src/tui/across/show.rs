//! The model of the showing and its update: which code is on the screen, how fast they follow, what the keys do.

use crate::basics::limits;
use crate::tui::across::fit::{self, Density, Fit};
use crate::tui::across::frames::{Code, Frames, Subject};
use crate::tui::input::Key;
use crate::tui::take_in::Place;
use crate::tui::widgets::qr_code::{Ink, Look, Shape};
use std::collections::BTreeMap;

/// Codes a second: few enough for a hand-held imager, or as many as a good camera still tells apart.
pub const RATES: std::ops::RangeInclusive<u8> = 2..=10;
/// Safe for a camera that takes fifteen pictures a second (TRANSFER, section 5).
pub const USUAL_RATE: u8 = 6;
/// What white is: a bright screen blinds some cameras.
pub const WHITES: [u8; 3] = [255, 200, 150];

/// How the showing begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    pub density: Density,
    pub rate: u8,
    pub shape: Shape,
    pub ink: Ink,
    pub place: Place,
}

impl Settings {
    /// What nobody changed, for a terminal that understands `ink`.
    #[must_use]
    pub const fn usual(ink: Ink) -> Self {
        let shape = if matches!(ink, Ink::Sixteen) { Shape::Wide } else { Shape::Halves };
        Self { density: Density::Usual, rate: USUAL_RATE, shape, ink, place: Place::Alone }
    }
}

/// What happened, and when by a clock that only goes forward (milliseconds).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message {
    pub at: u64,
    pub what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Tick,
    Key(Key),
    Resize { width: u16, height: u16 },
}

/// Somebody is finished with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left;

/// What is on the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// The whole object in one code, which stands still.
    Single {
        code: Code,
        quiet: usize,
    },
    /// One of the codes that follow each other.
    Following {
        code: Code,
        quiet: usize,
        number: u64,
    },
    /// Columns and rows that are needed at least.
    TooSmall(u16, u16),
    Failed(String),
}

/// An object being shown.
pub struct Show {
    pub subject: Subject,
    frames: Box<dyn Frames>,
    /// The one code, where there is one.
    single: Option<Code>,
    pub settings: Settings,
    pub still: bool,
    /// Whether the words about the object take the screen, and the code waits.
    pub details: bool,
    white: usize,
    pub size: (u16, u16),
    /// The number of the code that is up, for each version: going back to a density goes on where it was.
    numbers: BTreeMap<u8, u64>,
    /// When the code that is up makes room for the next.
    due: u64,
    shown: Shown,
}

impl Show {
    /// Nothing is up before the first [`What::Resize`].
    #[must_use]
    pub fn new(subject: Subject, frames: Box<dyn Frames>, mut settings: Settings) -> Self {
        settings.rate = settings.rate.clamp(*RATES.start(), *RATES.end());
        let single = frames.single().and_then(|text| Code::single(&text).ok());
        Self {
            subject,
            frames,
            single,
            settings,
            still: false,
            details: false,
            white: 0,
            size: (0, 0),
            numbers: BTreeMap::new(),
            due: 0,
            shown: Shown::TooSmall(0, 0),
        }
    }

    /// Folds in what happened.
    pub fn update(&mut self, message: Message) -> Option<Left> {
        let Message { at, what } = message;
        match what {
            What::Tick => {
                if at >= self.due {
                    self.advance(at);
                }
                return None;
            }
            What::Resize { width, height } => self.size = (width, height),
            What::Key(key) => return self.press(key, at),
        }
        self.put_up(at);
        None
    }

    /// Milliseconds until the next code is due.
    #[must_use]
    pub fn due_in(&self, at: u64) -> u64 {
        if self.moves() { self.due.saturating_sub(at).min(self.period()) } else { limits::SHOW_IDLE_MILLISECONDS }
    }

    #[must_use]
    pub const fn shown(&self) -> &Shown {
        &self.shown
    }

    /// Columns and rows of the code, with the look it is drawn in.
    #[must_use]
    pub fn look(&self, quiet: usize) -> Look {
        Look { shape: self.settings.shape, quiet, ink: self.settings.ink.with_white(self.white()) }
    }

    #[must_use]
    pub fn white(&self) -> u8 {
        WHITES.get(self.white).copied().unwrap_or(u8::MAX)
    }

    /// Codes that hold the object once, at the version that is up.
    #[must_use]
    pub fn sources(&self) -> u32 {
        match &self.shown {
            Shown::Following { code, .. } => self.frames.sources(code.version),
            _ => 1,
        }
    }

    /// What would carry twice as much a code as now: the version, and the terminal it takes.
    #[must_use]
    pub fn twice_as_fast(&self) -> Option<(u8, (u16, u16))> {
        let Shown::Following { code, .. } = &self.shown else { return None };
        let wanted = self.frames.octets(code.version).saturating_mul(2);
        let version = (code.version..=*fit::VERSIONS.end()).find(|version| self.frames.octets(*version) >= wanted)?;
        Some((version, fit::terminal_for(version, self.settings.shape)))
    }

    fn moves(&self) -> bool {
        matches!(self.shown, Shown::Following { .. }) && !self.still && !self.details
    }

    fn period(&self) -> u64 {
        1000_u64.div_ceil(u64::from(self.settings.rate.max(1)))
    }

    fn press(&mut self, key: Key, at: u64) -> Option<Left> {
        let (slowest, fastest) = (*RATES.start(), *RATES.end());
        match key {
            // F5 is what answers everything else in a rehearsal: there the simulated other side has taken it in already.
            Key::Char('q' | 'Q') | Key::Esc | Key::Ctrl('c') | Key::F(5) => return Some(Left),
            Key::Char('+' | '=') => self.settings.rate = self.settings.rate.saturating_add(1).min(fastest),
            Key::Char('-' | '_') => self.settings.rate = self.settings.rate.saturating_sub(1).max(slowest),
            Key::Char('<' | ',') => self.denser(false),
            Key::Char('>' | '.') => self.denser(true),
            Key::Char('b' | 'B') => self.white = (self.white + 1) % WHITES.len(),
            Key::Char('s' | 'S' | ' ') => self.still = !self.still,
            Key::Char('w' | 'W') => {
                self.settings.shape = match self.settings.shape {
                    Shape::Halves => Shape::Uppers,
                    Shape::Uppers => Shape::Wide,
                    Shape::Wide => Shape::Halves,
                };
            }
            Key::Char('i' | 'I') => self.details = !self.details,
            Key::Left => self.step(false),
            Key::Right => self.step(true),
            _ => return None,
        }
        self.put_up(at);
        None
    }

    /// To the next density whose code differs from the one that is up.
    fn denser(&mut self, more: bool) {
        let (Shown::Following { code, .. } | Shown::Single { code, .. }) = &self.shown else { return };
        let up = code.version;
        let holds = |version: u8| fit::quiet_for(version, self.settings.shape, self.size).is_some();
        let next = if more { up.checked_add(1) } else { up.checked_sub(1) };
        if let Some(version) = next.filter(|version| fit::VERSIONS.contains(version) && holds(*version)) {
            self.settings.density = Density::Asked(version);
        }
    }

    /// One code on or back, where they stand still.
    fn step(&mut self, on: bool) {
        let (true, Shown::Following { code, number, .. }) = (self.still, &self.shown) else { return };
        let number = if on { number.saturating_add(1) } else { number.saturating_sub(1) };
        self.numbers.insert(code.version, number);
    }

    /// The next code, when its time has come. Where we are late the missed codes are not hurried through: none is skipped,
    /// and each is up for its whole time.
    fn advance(&mut self, at: u64) {
        if !self.moves() {
            return;
        }
        if let Shown::Following { code, number, .. } = &self.shown {
            self.numbers.insert(code.version, number.saturating_add(1));
        }
        let on_time = self.due.saturating_add(self.period());
        self.due = if on_time > at { on_time } else { at.saturating_add(self.period()) };
        self.renew();
    }

    fn put_up(&mut self, at: u64) {
        let before = std::mem::replace(&mut self.shown, Shown::TooSmall(0, 0));
        self.renew();
        if self.shown != before {
            self.due = at.saturating_add(self.period());
        } else {
            // Only the speed can have changed.
            self.due = self.due.min(at.saturating_add(self.period()));
        }
    }

    /// Makes the code that belongs on the screen now.
    fn renew(&mut self) {
        self.shown = self.what_fits();
    }

    fn what_fits(&mut self) -> Shown {
        let (shape, density) = (self.settings.shape, self.settings.density);
        if let Some(code) = &self.single
            && code.version <= density.most()
            && let Some(quiet) = fit::quiet_for(code.version, shape, self.size)
        {
            return Shown::Single { code: code.clone(), quiet };
        }
        let Some(Fit { version, quiet }) = fit::choose(density, shape, self.size) else {
            let least =
                self.single.as_ref().map_or(*fit::VERSIONS.start(), |code| code.version.min(*fit::VERSIONS.start()));
            let (width, height) = fit::least_terminal(least, shape);
            return Shown::TooSmall(width, height);
        };
        let number = self.numbers.get(&version).copied().unwrap_or_default();
        match self.frames.text(version, number).and_then(|text| Code::following(&text, version, number)) {
            Ok(code) => Shown::Following { code, quiet, number },
            Err(why) => Shown::Failed(why),
        }
    }
}
