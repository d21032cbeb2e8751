//! The loop: what comes next, an answer or an outcome, `advance`, entries durable, again. Intents are durable before their
//! effects and outcomes before the next advance, because a turn's entries are written before anything else happens.

use crate::basics::{Digest, canonical};
use crate::bundles::Progress;
use crate::ceremony::event::{Answer, What};
use crate::ceremony::state::Finish;
use crate::ceremony::{Ask, Event, Moment, Next, Prompt, State, advance, next};
use crate::custody::stray::looks_like_a_share;
use crate::devices::durable_file::{self, Appender, FileError};
use crate::devices::share_scanner::ShareScanner;
use crate::ledger::{Ledger, LedgerError};
use crate::plan::Plan;
use crate::runner::folder::Folder;
use crate::runner::front_end::{Ending, FrontEnd, Given, View};
use crate::runner::perform::quorum_record;
use crate::runner::rehearsal;
use crate::runner::room::{RealmType, Room};
use crate::runner::simulated_station;
use crate::runner::strongrooms::{Strongrooms, TypedShare};
use crate::runner::take_in::{self, Taking, Ways};
use crate::runner::telling::now_and_then;
use crate::transcript::{Chain, Checkpoint, Entry, Line};
use zeroize::Zeroize;

/// Why a run cannot go on. The record is whole up to its last entry; it can be resumed.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error("the record: {0}")]
    Canonical(#[from] canonical::CanonicalError),
    #[error("{0}")]
    Other(String),
}

impl From<String> for RunError {
    fn from(text: String) -> Self {
        Self::Other(text)
    }
}

/// How long one look at a scanner takes: then the people are looked at again.
const LOOK: std::time::Duration = std::time::Duration::from_millis(200);

/// One run of a plan.
pub struct Run<'f, R: RealmType> {
    pub plan: Plan,
    pub plan_digest: Digest,
    /// What draws are salted with: [`Plan::draw_digest`].
    pub draw_digest: Digest,
    pub state: State,
    pub chain: Chain,
    pub folder: Folder,
    pub room: Room<R>,
    pub ledger: Ledger,
    pub(super) serial_seed_commitment: Digest,
    pub(super) transcript: Appender,
    pub(super) strongrooms: Strongrooms,
    pub(super) front: &'f mut dyn FrontEnd,
    pub(super) ways: Ways,
    /// What of an object is there already, while it is asked for.
    pub(super) taking: Option<Taking>,
}

impl<R: RealmType> Run<'_, R> {
    /// Runs until the people close, abort or leave.
    ///
    /// # Errors
    /// Where the record cannot be written.
    pub fn go(&mut self) -> Result<Finish, RunError> {
        loop {
            let what = match next(&self.plan, &self.state) {
                Next::Finished(finish) => return Ok(finish),
                Next::Do(effect) => self.perform(&effect),
                Next::Ask(prompt) => self.ask(&prompt)?,
            };
            self.turn(what)?;
        }
    }

    /// One event: advanced, its entries durable, then nothing else.
    ///
    /// # Errors
    /// Where the record cannot be written.
    pub fn turn(&mut self, what: What) -> Result<(), RunError> {
        let moment = Moment { time: self.room.clock.now(), head: self.chain.head };
        let turn = advance(&self.plan, std::mem::take(&mut self.state), &Event { moment, what });
        self.state = turn.state;
        self.write(&turn.entries, moment.time, turn.checkpoint)
    }

    /// Makes entries durable; with `checkpoint`, the head after them is signed first, so that a closed record is never
    /// without the signature over its last line.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub(super) fn write(
        &mut self,
        entries: &[Entry],
        time: crate::basics::Instant,
        checkpoint: bool,
    ) -> Result<(), RunError> {
        let mut chain = self.chain.clone();
        let mut octets = Vec::new();
        let mut lines = Vec::new();
        for entry in entries {
            let salt = self.room.salt(&self.plan.ceremony, &self.draw_digest, chain.next)?;
            let line = chain.append(entry, time, salt)?;
            lines.push(canonical::parse::<Line>(line.strip_suffix(b"\n").unwrap_or(&line), line.len())?);
            octets.extend_from_slice(&line);
        }
        if checkpoint {
            self.sign_checkpoint(&chain)?;
        }
        self.transcript.append(&octets)?;
        self.chain = chain;
        for line in &lines {
            self.ledger.line(line)?;
        }
        Ok(())
    }

    pub(super) fn sign_checkpoint(&mut self, chain: &Chain) -> Result<(), RunError> {
        let checkpoint =
            Checkpoint { realm: chain.realm, ceremony: self.plan.ceremony.clone(), size: chain.next, head: chain.head };
        let body = checkpoint.body();
        let armoured = self.strongrooms.sign_checkpoint(&body)?;
        let path = self.folder.checkpoints().join(checkpoint.file_name());
        durable_file::create(&path, body.as_bytes())?;
        durable_file::create(&path.with_file_name(format!("{}.sig", checkpoint.file_name())), armoured.as_bytes())?;
        Ok(())
    }

    fn view_parts(&mut self) -> (View<'_>, &mut dyn FrontEnd, &mut Strongrooms) {
        let view = View {
            plan: &self.plan,
            plan_digest: self.plan_digest,
            state: &self.state,
            head: self.chain.head,
            entries: self.chain.next.saturating_sub(1),
            clock: self.room.clock.as_ref(),
            ways_in: self.ways.offered(),
        };
        (view, &mut *self.front, &mut self.strongrooms)
    }

    /// Runs `work` with the view and the front end.
    pub(super) fn with_front<T>(
        &mut self,
        work: impl FnOnce(&View<'_>, &mut dyn FrontEnd, &mut Strongrooms) -> T,
    ) -> T {
        let (view, front, strongrooms) = self.view_parts();
        work(&view, front, strongrooms)
    }

    /// Runs `work`, which says how much of it is done.
    pub(super) fn telling<T>(&mut self, what: &str, work: impl FnOnce(&mut Progress<'_>) -> T) -> T {
        self.with_front(|view, front, _| work(&mut now_and_then(|done, of| front.progress(view, what, done, of))))
    }

    /// Shows how the run ended.
    pub fn show_end(&mut self, ending: &Ending) {
        self.with_front(|view, front, _| front.ended(view, ending));
    }

    /// Asks one prompt and turns what comes back into an event. Dice and shares go to the strongroom; what it says is the answer.
    fn ask(&mut self, prompt: &Prompt) -> Result<What, RunError> {
        let (given, scanned) = self.ask_or_take(prompt);
        let front_end = self.front.word();
        let (given, simulated) = match given {
            Given::Simulate if self.plan.realm.is_rehearsal() => {
                (rehearsal::answer(&self.plan, prompt, &self.folder, self.room.clock.peek(), self.room.seed())?, true)
            }
            Given::Simulate => return Err(RunError::Other("nobody is simulated in production".to_owned())),
            given => (given, false),
        };
        let answer = match (given, &prompt.ask) {
            (Given::Answer(answer), _) => Ok(answer),
            (Given::Secret(secret), Ask::Dice { .. }) => self.strongrooms.dice(secret),
            (Given::Secret(secret), Ask::Share { quorum, index, purpose, .. }) => {
                self.typed_share(&prompt.who, (quorum, *index), purpose, secret, scanned)
            }
            (Given::Secret(_) | Given::Simulate | Given::Scan | Given::TakeIn(_), _) => Ok(Answer::No),
        };
        Ok(match answer {
            Ok(answer) => What::Answered { front_end, simulated, answer },
            Err(reason) => {
                self.strongrooms.close();
                What::Failed { reason, strongroom_gone: true }
            }
        })
    }

    /// Asks; where a share is to be scanned or an object taken in, does it and says so. What does not come is asked for again.
    fn ask_or_take(&mut self, prompt: &Prompt) -> (Given, bool) {
        let mut asked = prompt.clone();
        loop {
            let given = self.ask_until_recordable(&asked);
            let given = match (given, &prompt.ask) {
                (Given::TakeIn(typed), Ask::Object { .. }) => match self.take_in(prompt, &typed) {
                    Ok(Some(given)) => given,
                    Ok(None) => {
                        asked.refusal = None;
                        continue;
                    }
                    Err(reason) => {
                        asked.refusal = Some(reason);
                        continue;
                    }
                },
                (given, _) => given,
            };
            let refusal = match (&given, &prompt.ask) {
                (Given::Scan, Ask::Share { quorum, card, holder, .. }) => {
                    match self.scan_share(quorum, *card, holder) {
                        Ok(Some(share)) => return (Given::Secret(share), true),
                        Ok(None) => None,
                        Err(reason) => Some(format!("{reason}; the share can be typed")),
                    }
                }
                // What the simulated other side has not got is asked for again, as from a person.
                (Given::Simulate, ask @ Ask::Object { .. }) if self.plan.realm.is_rehearsal() => {
                    let provided = simulated_station::provide(
                        &self.plan,
                        ask,
                        &self.folder,
                        self.room.clock.peek(),
                        self.room.seed(),
                    );
                    match provided.and_then(|()| take_in::simulated(self.plan.realm, ask, &self.folder)) {
                        Ok(_) => return (given, false),
                        Err(reason) => Some(reason),
                    }
                }
                _ => return (given, false),
            };
            asked.refusal = refusal;
        }
    }

    /// A share from the code on its card: by the bound camera or scanner, in a rehearsal by a simulated one.
    fn scan_share(&mut self, quorum: &str, card: u8, holder: &str) -> Result<Option<crate::basics::Secret>, String> {
        if self.plan.realm.is_rehearsal() {
            let mut card = Some(rehearsal::scan_card(&self.folder, quorum, card, holder));
            let mut look = || card.take().transpose();
            return self.with_front(|view, front, _| front.scan(view, &mut look));
        }
        let named = self.plan.materials.iter().filter(|material| material.kind == "camera");
        let device = named.filter_map(|material| self.room.binding.devices.get(&material.name)).next().cloned();
        let device = device.ok_or("the binding names no camera of this script")?;
        let mut scanner = ShareScanner::start(&device)?;
        let mut look = || scanner.poll(LOOK);
        self.with_front(|view, front, _| front.scan(view, &mut look))
    }

    /// Asks until what comes back may stand in the record: a share typed where none was asked for never gets there.
    pub(super) fn ask_until_recordable(&mut self, prompt: &Prompt) -> Given {
        let mut given = self.with_front(|view, front, _| front.ask(view, prompt));
        while let Given::Answer(answer) = &mut given {
            let mut texts = answer.texts_mut();
            if !texts.iter().any(|text| looks_like_a_share(text)) {
                break;
            }
            texts.iter_mut().for_each(|text| text.zeroize());
            let mut again = prompt.clone();
            again.refusal = Some(
                "this looks like a share, or a part of one, and no share is asked for here: nothing of it was kept or recorded. Clear what can still be read on the screen"
                    .to_owned(),
            );
            given = self.with_front(|view, front, _| front.ask(view, &again));
        }
        given
    }

    /// A typed share: the strongroom's verdict, and the custodian's word on corrections.
    fn typed_share(
        &mut self,
        who: &str,
        (quorum, index): (&str, u8),
        purpose: &str,
        secret: crate::basics::Secret,
        scanned: bool,
    ) -> Result<Answer, String> {
        let record = quorum_record(&self.plan, &self.state, quorum)
            .ok_or_else(|| format!("quorum {quorum} has not been made"))?;
        let already: Vec<u8> =
            self.state.quorums.get(quorum).map(|q| q.typed.iter().copied().collect()).unwrap_or_default();
        let typed = TypedShare { record, index, already, unlock: purpose == "unlock" };
        let mut left = None;
        let verdict = self.with_front(|view, front, strongrooms| {
            let mut confirm = |corrections: &[crate::custody::share::Correction]| match front.confirm_corrections(
                view,
                who,
                corrections,
            ) {
                Ok(agrees) => agrees,
                Err(why) => {
                    left = Some(why);
                    false
                }
            };
            strongrooms.typed_share(typed, secret, &mut confirm)
        })?;
        // Nobody said that the card disagrees: the terminal went away while they were asked.
        Ok(left.map_or(Answer::Share { verdict, scanned }, |why| Answer::Leave { why }))
    }
}
