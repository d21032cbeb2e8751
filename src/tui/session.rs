//! The loop: draw, wait, update. The only place where the model meets a terminal and a clock.

use crate::basics::Secret;
use crate::ceremony::{Ask, Line, Prompt};
use crate::custody::share::Correction;
use crate::runner::front_end::{Ending, Given, Incoming, Look, RevealedShare, Seen, View};
use crate::transfer::envelope::Envelope;
use crate::tui::across;
use crate::tui::across::frames::{EnvelopeFrames, Subject};
use crate::tui::across::show::{Settings, Show};
use crate::tui::input::{Input, InputSource, Key};
use crate::tui::model::{Done, Happening, Leaving, Message, Model, Room, Stage};
use crate::tui::screens::corrections;
use crate::tui::take_in;
use crate::tui::terminal;
use crate::tui::theme::Theme;
use crate::tui::update::{leaving, update};
use crate::tui::view::view as draw;
use crate::tui::widgets::qr_code::Ink;
use ratatui::Terminal;
use ratatui::backend::Backend;
use std::time::{Duration, Instant};

/// How often the clock on the screen is looked at.
const TICK: Duration = Duration::from_millis(250);
/// Inputs taken between two drawings: a held key must not keep the screen from being drawn.
const AT_ONCE: usize = 512;

/// What people read of a question: whose it is, its title and its lines.
type Page = (String, String, Vec<Line>);

fn page_of(model: &Model<'_>) -> Option<Page> {
    match &model.stage {
        Stage::Ask(asking) => {
            Some((asking.prompt.who.clone(), asking.prompt.title.clone(), asking.prompt.lines.clone()))
        }
        _ => None,
    }
}

/// A front end over any backend and any source of input.
pub struct Session<I> {
    input: I,
    theme: Theme,
    began: Instant,
    /// Why we leave; once set, every question is answered with it.
    leaving: Option<Leaving>,
    /// The page of a question that was last read to its end.
    read: Option<Page>,
    /// The step whose words to be read aloud were on the screen with a question that was answered: they are not said twice.
    said: Option<usize>,
    /// Whether a secret was on the screen since a share began to be shown.
    showed_secret: bool,
}

impl<I: InputSource> Session<I> {
    #[must_use]
    pub fn new(input: I, theme: Theme) -> Self {
        Self { input, theme, began: Instant::now(), leaving: None, read: None, said: None, showed_secret: false }
    }

    /// See [`FrontEnd::ask`](crate::runner::front_end::FrontEnd::ask).
    pub fn ask<B: Backend>(&mut self, screen: &mut Terminal<B>, view: &View<'_>, prompt: &Prompt) -> Given {
        let done = self.run(screen, view, Model::ask(prompt));
        // The sheet of an exception or a pause does not show them.
        self.said = (view.state.begun && view.state.interruption.is_none()).then_some(view.state.step).or(self.said);
        if matches!(prompt.ask, Ask::Share { .. }) && terminal::wipe(screen).is_err() {
            self.leaving = Some(Leaving::terminal_is_gone());
        }
        match done {
            Done::Given(given) => given,
            Done::Leave(why) => leaving(why.why()),
            // invariant: a question is answered or left.
            Done::Seen(_) | Done::Confirmed(_) | Done::Read => leaving("the screen ended without an answer"),
        }
    }

    /// See [`FrontEnd::reveal`](crate::runner::front_end::FrontEnd::reveal).
    ///
    /// # Errors
    /// Why the share was not written down: left, or the terminal gone.
    pub fn reveal<B: Backend>(
        &mut self,
        screen: &mut Terminal<B>,
        view: &View<'_>,
        share: &RevealedShare,
    ) -> Result<Seen, String> {
        self.showed_secret = false;
        let done = self.run(screen, view, Model::reveal(share));
        let wiped = terminal::wipe(screen);
        match (done, wiped) {
            (Done::Seen(seen), Ok(())) => Ok(seen),
            // Whoever left while it stood there has seen it.
            (Done::Leave(why), _) if self.showed_secret => {
                Err(format!("{}, after the share was on the screen", why.why()))
            }
            (Done::Leave(why), _) => Err(why.why().to_owned()),
            _ => Err(self.lost()),
        }
    }

    /// See [`FrontEnd::confirm_corrections`](crate::runner::front_end::FrontEnd::confirm_corrections).
    ///
    /// # Errors
    /// Why nobody said what the card says: left, or the terminal gone.
    pub fn confirm_corrections<B: Backend>(
        &mut self,
        screen: &mut Terminal<B>,
        view: &View<'_>,
        who: &str,
        corrections: &[Correction],
    ) -> Result<bool, String> {
        let done = self.run(screen, view, corrections::begin(who, corrections));
        let wiped = terminal::wipe(screen);
        match (done, wiped) {
            (Done::Confirmed(agrees), Ok(())) => Ok(agrees),
            (Done::Leave(why), _) => Err(why.why().to_owned()),
            _ => Err(self.lost()),
        }
    }

    /// See [`FrontEnd::show_code`](crate::runner::front_end::FrontEnd::show_code).
    ///
    /// # Errors
    /// Why it was not shown to the end: left from outside, or the terminal gone.
    pub fn show_code<B: Backend>(&mut self, screen: &mut Terminal<B>, envelope: &Envelope) -> Result<(), String> {
        if let Some(why) = &self.leaving {
            return Err(why.why().to_owned());
        }
        let show = Show::new(
            Subject::of(envelope),
            Box::new(EnvelopeFrames::of(envelope.clone())),
            Settings { place: take_in::Place::Ceremony, ..Settings::usual(Ink::of_environment()) },
        );
        let why = match across::run(show, self.theme, screen, &mut self.input) {
            across::Ending::Left => return Ok(()),
            across::Ending::Signal(signal) => signal.why().to_owned(),
            across::Ending::Lost(why) => why,
        };
        self.leaving = Some(Leaving::Outside(why.clone()));
        Err(why)
    }

    /// See [`FrontEnd::scan`](crate::runner::front_end::FrontEnd::scan).
    ///
    /// # Errors
    /// Why nothing can come: the device or the terminal gone, left from outside.
    pub fn scan<B: Backend>(
        &mut self,
        screen: &mut Terminal<B>,
        view: &View<'_>,
        look: &mut Look<'_>,
    ) -> Result<Option<Secret>, String> {
        loop {
            if let Some(why) = &self.leaving {
                return Err(why.why().to_owned());
            }
            self.show_once(
                screen,
                view,
                Stage::Busy("look for the code of your card: hold it before the camera. Esc: type it"),
            );
            if let Some(share) = look()? {
                return Ok(Some(share));
            }
            match self.input.next(Duration::ZERO) {
                Input::Key(Key::Esc | Key::Enter | Key::Ctrl('c')) => return Ok(None),
                Input::Signal(signal) => self.leaving = Some(Leaving::Outside(signal.why().to_owned())),
                Input::Lost(why) => self.leaving = Some(Leaving::Outside(why)),
                Input::Key(_) | Input::Paste(_) | Input::Resize { .. } | Input::Tick => {}
            }
        }
    }

    /// See [`FrontEnd::take_in`](crate::runner::front_end::FrontEnd::take_in).
    ///
    /// # Errors
    /// Why nothing can come: the terminal gone, left from outside.
    pub fn take_in<B: Backend>(&mut self, screen: &mut Terminal<B>, incoming: &mut dyn Incoming) -> Result<(), String> {
        if let Some(why) = &self.leaving {
            return Err(why.why().to_owned());
        }
        let why = match take_in::run(incoming, take_in::Place::Ceremony, self.theme, screen, &mut self.input) {
            take_in::Ending::Ended | take_in::Ending::Back => return Ok(()),
            take_in::Ending::Signal(signal) => signal.why().to_owned(),
            take_in::Ending::Lost(why) => why,
        };
        self.leaving = Some(Leaving::Outside(why.clone()));
        Err(why)
    }

    pub fn busy<B: Backend>(&mut self, screen: &mut Terminal<B>, view: &View<'_>, what: &str) {
        self.show_once(screen, view, Stage::Busy(what));
    }

    pub fn ended<B: Backend>(&mut self, screen: &mut Terminal<B>, view: &View<'_>, ending: &Ending) {
        // Somebody who left wants to read how the run ended, but a lost terminal has nobody before it.
        if self.leaving.take().is_none_or(|why| why == Leaving::People) {
            let _ = self.run(screen, view, Stage::Ended(ending));
        }
    }

    /// The terminal took no wiping: whatever is asked next is answered by leaving.
    fn lost(&mut self) -> String {
        let gone = Leaving::terminal_is_gone();
        let why = gone.why().to_owned();
        self.leaving = Some(gone);
        why
    }

    /// Shows one stage until it is done with.
    fn run<B: Backend>(&mut self, screen: &mut Terminal<B>, view: &View<'_>, stage: Stage<'_>) -> Done {
        if let Some(why) = &self.leaving {
            return Done::Leave(why.clone());
        }
        let done = self.turn(screen, view, stage);
        if let Done::Leave(why) = &done {
            self.leaving = Some(why.clone());
        }
        done
    }

    fn turn<B: Backend>(&mut self, screen: &mut Terminal<B>, view: &View<'_>, stage: Stage<'_>) -> Done {
        let size = screen.size().map_or((0, 0), |size| (size.width, size.height));
        let mut model = Model::new(Room::of(view, &view.state.skipped), view.clock.peek(), stage, size);
        // What was read to its end is not to be read again because an answer was not taken.
        let page = page_of(&model);
        model.reading.end_seen |= page.is_some() && page == self.read;
        model.said = self.said == Some(view.state.step);
        loop {
            let (was_secret, end_was_seen) = (model.shows_secret(), model.reading.end_seen);
            self.showed_secret |= was_secret;
            if let Err(why) = self.show(screen, &model) {
                return Done::Leave(Leaving::Outside(why));
            }
            let mut what = Happening::Drawn;
            for taken in 0..AT_ONCE {
                let message = Message { at: self.milliseconds(), clock: view.clock.peek(), what };
                let (next, done) = update(model, message);
                model = next;
                if model.reading.end_seen {
                    self.read.clone_from(&page);
                }
                if let Some(done) = done {
                    return done;
                }
                if model.reading.end_seen && !end_was_seen {
                    // What may be answered now is said at once, not when the clock is next looked at.
                    break;
                }
                match self.input.next(if taken == 0 { TICK } else { Duration::ZERO }) {
                    Input::Tick if taken > 0 => break,
                    input => what = Happening::Input(input),
                }
            }
            if was_secret && !model.shows_secret() && terminal::wipe(screen).is_err() {
                return Done::Leave(Leaving::terminal_is_gone());
            }
        }
    }

    fn show<B: Backend>(&self, screen: &mut Terminal<B>, model: &Model<'_>) -> Result<(), String> {
        terminal::wipe_where_resized(screen)
            .and_then(|()| screen.draw(|frame| draw(model, self.theme, frame)).map(|_| ()))
            .map_err(|error| format!("the terminal cannot be written: {error}"))
    }

    /// Draws a stage that needs no answer.
    fn show_once<B: Backend>(&mut self, screen: &mut Terminal<B>, view: &View<'_>, stage: Stage<'_>) {
        let size = screen.size().map_or((0, 0), |size| (size.width, size.height));
        let model = Model::new(Room::of(view, &view.state.skipped), view.clock.peek(), stage, size);
        if let Err(why) = self.show(screen, &model) {
            self.leaving = Some(Leaving::Outside(why));
        }
    }

    fn milliseconds(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}
