//! The receiving side: texts in, envelopes out. It takes what a camera, an imager, a keyboard or a file read, in any
//! order, from any start, with any losses, and keeps several transfers side by side: an interleaved or replayed one
//! mixes with nothing, and a foreign frame resets nothing.
//!
//! What is allocated is bounded by what was received: a frame of a hundred characters costs a hundred octets whatever
//! its numbers say.

mod gathering;

use crate::basics::{SafeText, limits};
use crate::transfer::frame::{FRAME, SINGLE};
use crate::transfer::ur::UrTaken;
use crate::transfer::{Envelope, Frame, FrameError, TransferId, UrError, UrReceiver, frame};
use gathering::{Gathered, Gathering};
use std::collections::VecDeque;

/// What one text came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// A useful symbol of the transfer that is shown.
    New,
    /// Nothing that was not known.
    Again,
    /// A good frame of another transfer, which is kept too.
    OtherTransfer,
    /// No frame, and why.
    Unreadable(FrameError),
    /// A transfer had symbols that contradict each other; it starts again from nothing, the others go on.
    Restarted(Restart),
    /// An envelope is whole: ask [`Receiver::whole`], and for a UR [`Receiver::plain`] too.
    Whole,
}

/// Why a transfer started again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Restart {
    #[error(
        "frames with good checksums do not give the envelope their transfer names: some were made by somebody else"
    )]
    Poisoned,
    #[error("too many frames of one number came with different contents: some were made by somebody else")]
    Disputed,
    #[error("twice as many frames as needed do not determine the envelope: they were made by a faulty sender")]
    Undetermined,
}

/// How far the transfer is that is shown: the one nearest to its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    pub id: Option<TransferId>,
    /// Useful symbols: the rank.
    pub have: usize,
    /// Symbols with which the envelope will be whole, but for one transfer in a hundred, which needs one more.
    pub need: usize,
    pub new: u64,
    pub again: u64,
    pub other: u64,
    pub unreadable: u64,
    pub restarts: u32,
}

/// Takes texts and gives envelopes.
#[derive(Default)]
pub struct Receiver {
    gatherings: Vec<Gathering>,
    done: VecDeque<TransferId>,
    whole: VecDeque<Envelope>,
    ur: UrReceiver,
    plain: Option<Vec<u8>>,
    fed: u64,
    counts: Progress,
}

impl Receiver {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the text of one code; white space around it is the imager's.
    pub fn take(&mut self, text: &str) -> Taken {
        self.fed += 1;
        let taken = self.sort(text.trim_ascii());
        match &taken {
            Taken::New | Taken::Whole => self.counts.new += 1,
            Taken::Again => self.counts.again += 1,
            Taken::OtherTransfer => self.counts.other += 1,
            Taken::Unreadable(_) => self.counts.unreadable += 1,
            Taken::Restarted(_) => self.counts.restarts = self.counts.restarts.saturating_add(1),
        }
        taken
    }

    fn sort(&mut self, text: &str) -> Taken {
        if text.starts_with(SINGLE) {
            return match frame::parse_single(text) {
                Ok(envelope) => self.keep_single(envelope),
                Err(error) => Taken::Unreadable(error),
            };
        }
        if text.starts_with(FRAME) || text.len() > limits::FRAME_CHARS {
            return match Frame::parse(text) {
                Ok(frame) => self.gather(frame),
                Err(error) => Taken::Unreadable(error),
            };
        }
        if text.get(..3).is_some_and(|scheme| scheme.eq_ignore_ascii_case("ur:")) {
            return match self.ur.take(text) {
                Ok(UrTaken::New) => Taken::New,
                Ok(UrTaken::Again) => Taken::Again,
                Ok(UrTaken::Whole(octets)) => self.keep_ur(octets),
                Err(UrError::Restarted) => Taken::Restarted(Restart::Poisoned),
                Err(error) => Taken::Unreadable(FrameError::Ur(error)),
            };
        }
        Taken::Unreadable(FrameError::Foreign(SafeText::cut(text, 12)))
    }

    fn keep_single(&mut self, envelope: Envelope) -> Taken {
        let id = TransferId::of(&envelope, 1, 0);
        if self.done.contains(&id) {
            return Taken::Again;
        }
        self.finish(id, envelope)
    }

    /// Octets of a UR are an envelope where one of us sent them, and plain octets otherwise.
    fn keep_ur(&mut self, octets: Vec<u8>) -> Taken {
        match Envelope::parse(&octets) {
            Ok(envelope) => self.keep_single(envelope),
            Err(_) => {
                self.plain = Some(octets);
                Taken::Whole
            }
        }
    }

    fn gather(&mut self, frame: Frame) -> Taken {
        if self.done.contains(&frame.id()) {
            return Taken::Again;
        }
        let shown = self.shown().map(|gathering| gathering.key);
        let key = gathering::key_of(&frame);
        self.make_room(key);
        let Some(place) = self.gatherings.iter().position(|gathering| gathering.key == key) else {
            return Taken::OtherTransfer;
        };
        let Some(gathering) = self.gatherings.get_mut(place) else { return Taken::OtherTransfer };
        gathering.fed = self.fed;
        match gathering.take(frame) {
            Gathered::New if shown.is_some_and(|shown| shown != key) => Taken::OtherTransfer,
            Gathered::New => Taken::New,
            Gathered::Again => Taken::Again,
            Gathered::Restarted(why) => Taken::Restarted(why),
            Gathered::Whole(envelope) => {
                self.gatherings.remove(place);
                self.finish(key.0, envelope)
            }
        }
    }

    /// A place for one more symbol, of a known transfer or a new one. Where there is none, the transfer with the fewest
    /// symbols goes, of several the one that was not fed for longest: whoever sprays new ids displaces his own, never one
    /// that has come further.
    fn make_room(&mut self, key: gathering::Key) {
        loop {
            let known = self.gatherings.iter().any(|gathering| gathering.key == key);
            let octets: usize = self.gatherings.iter().map(Gathering::octets).sum();
            let places = limits::TRANSFERS - usize::from(!known);
            if self.gatherings.len() <= places && octets + key.2 <= limits::TRANSFER_OCTETS {
                if !known {
                    self.gatherings.push(Gathering::new(key));
                }
                return;
            }
            let others = self.gatherings.iter().enumerate().filter(|(_, gathering)| gathering.key != key);
            let least = others.min_by_key(|(_, gathering)| (gathering.have(), gathering.fed));
            // One transfer alone stays below the bound (`Gathering::is_full`).
            let Some((place, _)) = least else { return };
            self.gatherings.remove(place);
        }
    }

    fn finish(&mut self, id: TransferId, envelope: Envelope) -> Taken {
        if self.done.len() >= limits::TRANSFERS_DONE {
            self.done.pop_front();
        }
        self.done.push_back(id);
        if self.whole.len() >= limits::TRANSFERS {
            self.whole.pop_front();
        }
        self.whole.push_back(envelope);
        Taken::Whole
    }

    /// An envelope that has become whole, once. Whether it is of the kind and realm that are expected is the caller's to
    /// say, and the receiver goes on with the others.
    pub fn whole(&mut self) -> Option<Envelope> {
        self.whole.pop_front()
    }

    /// Octets of a UR that were in no envelope, once: neither kind nor realm nor name came with them.
    pub fn plain(&mut self) -> Option<Vec<u8>> {
        self.plain.take()
    }

    /// The transfer nearest to its end; of several the one known for longest.
    fn shown(&self) -> Option<&Gathering> {
        let share = |g: &Gathering| g.have().min(g.need()) * 1_000_000 / g.need().max(1);
        self.gatherings.iter().rev().max_by_key(|gathering| share(gathering))
    }

    #[must_use]
    pub fn progress(&self) -> Progress {
        let shown = self.shown();
        if let (None, Some((have, need))) = (shown, self.ur.progress()) {
            return Progress { have, need, ..self.counts.clone() };
        }
        Progress {
            id: shown.map(|gathering| gathering.key.0),
            have: shown.map_or(0, |gathering| gathering.have()),
            need: shown.map_or(0, |gathering| gathering.need()),
            ..self.counts.clone()
        }
    }

    /// Transfers and octets that are kept.
    #[cfg(test)]
    pub(super) fn kept(&self) -> (usize, usize) {
        (self.gatherings.len(), self.gatherings.iter().map(Gathering::octets).sum())
    }
}
