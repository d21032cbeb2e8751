//! Every change goes through here: the anchor is held, the store is compared with it, entries are chained, the transaction commits, and
//! only then does the anchor follow. If we die before the commit, nothing happened; after it, the anchor lags, which is allowed.

use crate::basics::{Digest, Instant, Realm};
use crate::station::anchor::{Held, Mark};
use crate::station::chain::{Entry, Position, What};
use crate::station::store::Transaction;
use crate::station::{Station, StationError};

/// The ledger, open for writing inside one transaction.
pub struct Book<'t> {
    pub tx: Box<dyn Transaction + 't>,
    pub now: Instant,
    realm: Realm,
    /// What the anchor says, and which file or server this is: compared when the ledger's end is taken.
    known: Option<(Mark, String)>,
    /// Where the ledger stands; `None` until its end was taken.
    position: Option<Position>,
}

impl<'t> Book<'t> {
    /// One that stands where the ledger was found to stand.
    pub(super) const fn on(tx: Box<dyn Transaction + 't>, now: Instant, realm: Realm, position: Position) -> Self {
        Self { tx, now, realm, known: None, position: Some(position) }
    }

    pub(super) fn close(self) -> Box<dyn Transaction + 't> {
        self.tx
    }

    /// Adds an entry; gives its number.
    ///
    /// # Errors
    /// Where the store fails, or is not the one its anchor knows.
    pub fn write(&mut self, what: &What) -> Result<u64, StationError> {
        let position = self.position()?;
        let entry = Entry { seq: position.seq + 1, time: self.now, what: what.clone() };
        let body = entry.octets()?;
        let position = position.after(self.realm, &body);
        self.tx.push(position, &body)?;
        self.position = Some(position);
        Ok(position.seq)
    }

    /// Where the ledger stands after what was written so far. Nobody else writes from here on until this transaction ends.
    ///
    /// # Errors
    /// Where the store fails, or is not the one its anchor knows.
    pub fn position(&mut self) -> Result<Position, StationError> {
        if let Some(position) = self.position {
            return Ok(position);
        }
        // Looked up before the end is taken: entries never change, and others wait while we have it.
        let seen = self.known.as_ref().map_or(0, |(mark, _)| mark.position.seq);
        let last = self.tx.entry_at(seen)?;
        let position = self.tx.position()?;
        if let Some((mark, file)) = &self.known {
            agrees(mark, file, position, last.as_ref())?;
            in_time(self.now, last.as_ref())?;
        }
        self.position = Some(position);
        Ok(position)
    }
}

/// When a change takes the ledger's end, which only one at a time can have.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    /// Before it looks at anything: what it finds stays so.
    First,
    /// When `work` asks for [`Book::position`], or with its first entry.
    WhenAsked,
}

impl Station {
    /// Changes the store: all of it durable when this returns, or nothing.
    ///
    /// # Errors
    /// Where the store is not the one its anchor knows, or `work` refuses.
    pub fn change<T>(
        &mut self,
        now: Instant,
        work: impl FnOnce(&mut Book<'_>) -> Result<T, StationError>,
    ) -> Result<T, StationError> {
        self.changed(now, Takes::First, work)
    }

    /// As [`Station::change`], for work that first looks at what may be old by a moment, and then asks for [`Book::position`]: where the
    /// database lets several in, they wait for each other only from there to the commit.
    ///
    /// # Errors
    /// As [`Station::change`].
    pub(super) fn change_after_a_look<T>(
        &mut self,
        now: Instant,
        work: impl FnOnce(&mut Book<'_>) -> Result<T, StationError>,
    ) -> Result<T, StationError> {
        let takes = if self.store.one_at_a_time() { Takes::First } else { Takes::WhenAsked };
        self.changed(now, takes, work)
    }

    fn changed<T>(
        &mut self,
        now: Instant,
        takes: Takes,
        work: impl FnOnce(&mut Book<'_>) -> Result<T, StationError>,
    ) -> Result<T, StationError> {
        let realm = self.home.realm;
        let mut held = Some(self.anchor.hold()?);
        let before = known_mark(held.as_ref(), &self.home.store)?;
        if !self.store.one_at_a_time() {
            // The database lets several in; the anchor is only looked at now and written afterwards.
            held = None;
        }
        let file = self.store.identity()?;
        let tx = self.store.begin()?;
        let mut book = Book { tx, now, realm, known: Some((before, file.clone())), position: None };
        if takes == Takes::First {
            book.position()?;
        }
        let done = match work(&mut book) {
            Ok(done) => done,
            // After it the database answers nothing more in this transaction.
            Err(error @ StationError::Server(_)) => return Err(error),
            Err(error) => {
                // A store that is not the one is said before anything that was found in it.
                book.position()?;
                return Err(error);
            }
        };
        let position = book.position()?;
        book.close().commit()?;
        let follows = || {
            let held = held.map_or_else(|| self.anchor.hold(), Ok)?;
            if held.read()?.is_none_or(|mark| mark.position.seq < position.seq) {
                held.write(&Mark { store: self.home.store.clone(), file, position })?;
            }
            Ok(())
        };
        // Nothing is handed out then, but what changed has changed.
        follows().map_err(StationError::Unanchored)?;
        Ok(done)
    }

    /// Looks at the store without holding anybody up.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn look<T>(
        &mut self,
        work: impl FnOnce(&mut dyn Transaction) -> Result<T, StationError>,
    ) -> Result<T, StationError> {
        let mut tx = self.store.view()?;
        work(tx.as_mut())
    }

    /// Whether the store is the one its anchor knows, no older, and the clock goes on from its last entry. The anchor then follows: of several
    /// hosts on one database, one that only looks knows what the others drew.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn is_current(&mut self, now: Instant) -> Result<Position, StationError> {
        let held = self.anchor.hold()?;
        let before = known_mark(Some(&held), &self.home.store)?;
        drop(held);
        let file = self.store.identity()?;
        let mut tx = self.store.view()?;
        let position = tx.position()?;
        compare(&before, &file, position, tx.as_mut(), now)?;
        drop(tx);
        self.follow(file, position)?;
        Ok(position)
    }

    /// What others see of a ledger is durable, in a file as on a server: an anchor that follows it is never ahead of it.
    fn follow(&self, file: String, position: Position) -> Result<(), StationError> {
        let held = self.anchor.hold()?;
        if held.read()?.is_some_and(|mark| mark.position.seq < position.seq) {
            held.write(&Mark { store: self.home.store.clone(), file, position })?;
        }
        Ok(())
    }

    /// Makes the anchor as durable as the store: after what happens rarely.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn settle(&self) -> Result<(), StationError> {
        Ok(self.anchor.hold()?.settle()?)
    }
}

fn known_mark(held: Option<&Held<'_>>, store: &str) -> Result<Mark, StationError> {
    let mark = held.map(Held::read).transpose()?.flatten();
    let mark = mark.ok_or_else(|| StationError::NoAnchor("both its slots are damaged".to_owned()))?;
    if mark.store == store { Ok(mark) } else { Err(StationError::NoAnchor("it is that of another store".to_owned())) }
}

/// How far the clock may stand before the last entry: processes take the time before they take turns, and hosts differ by a little.
const BACK: u64 = 5 * 60_000;
/// How far after it: no station stands still for so long without anybody saying so.
const AHEAD: u64 = 180 * 24 * 3_600_000;

pub(super) fn compare(
    mark: &Mark,
    file: &str,
    position: Position,
    tx: &mut dyn Transaction,
    now: Instant,
) -> Result<(), StationError> {
    let last = tx.entry_at(mark.position.seq)?;
    agrees(mark, file, position, last.as_ref())?;
    in_time(now, last.as_ref())
}

/// `last`: the entry that the anchor has seen last, and the head after it.
fn agrees(mark: &Mark, file: &str, position: Position, last: Option<&(Vec<u8>, Digest)>) -> Result<(), StationError> {
    let seen = mark.position;
    if seen.seq > position.seq {
        return Err(StationError::Restored { expected: seen.seq, found: position.seq });
    }
    if last.map(|(_, head)| *head) != Some(seen.head) {
        return Err(StationError::OtherHistory { seq: seen.seq });
    }
    if mark.file == file { Ok(()) } else { Err(StationError::Copied) }
}

/// Nobody here can say what time it is, but entries follow each other.
fn in_time(now: Instant, last: Option<&(Vec<u8>, Digest)>) -> Result<(), StationError> {
    let Some((body, _)) = last.filter(|(body, _)| !body.is_empty()) else { return Ok(()) };
    let last = Entry::parse(body)?;
    if now.0 + BACK < last.time.0 || now.0 > last.time.0 + AHEAD {
        return Err(StationError::Clock { now, seq: last.seq, last: last.time });
    }
    Ok(())
}
