//! Every change goes through here: the anchor is held, the store is compared with it, entries are chained, the transaction commits, and
//! only then does the anchor follow. If we die before the commit, nothing happened; after it, the anchor lags, which is allowed.

use crate::basics::{Instant, Realm};
use crate::station::anchor::{Held, Mark};
use crate::station::chain::{Entry, Position, What};
use crate::station::store::Transaction;
use crate::station::{Station, StationError};

/// The ledger, open for writing inside one transaction.
pub struct Book<'t> {
    pub tx: Box<dyn Transaction + 't>,
    pub now: Instant,
    realm: Realm,
    position: Position,
}

impl<'t> Book<'t> {
    pub(super) const fn on(tx: Box<dyn Transaction + 't>, now: Instant, realm: Realm, position: Position) -> Self {
        Self { tx, now, realm, position }
    }

    pub(super) fn close(self) -> (Box<dyn Transaction + 't>, Position) {
        (self.tx, self.position)
    }

    /// Adds an entry; gives its number.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn write(&mut self, what: &What) -> Result<u64, StationError> {
        let entry = Entry { seq: self.position.seq + 1, time: self.now, what: what.clone() };
        let body = entry.octets()?;
        self.position = self.position.after(self.realm, &body);
        self.tx.push(self.position, &body)?;
        Ok(self.position.seq)
    }

    /// Where the ledger stands after what was written so far.
    #[must_use]
    pub const fn position(&self) -> Position {
        self.position
    }
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
        let realm = self.home.realm;
        let mut held = Some(self.anchor.hold()?);
        let before = known_mark(held.as_ref(), &self.home.store)?;
        if !self.store.one_at_a_time() {
            // The database lets several in; the anchor is only looked at now and written afterwards.
            held = None;
        }
        let file = self.store.identity()?;
        let mut tx = self.store.begin()?;
        let position = tx.position()?;
        compare(&before, &file, position, tx.as_mut())?;
        let mut book = Book::on(tx, now, realm, position);
        let done = work(&mut book)?;
        let (tx, position) = book.close();
        tx.commit()?;
        let held = match held {
            Some(held) => held,
            None => self.anchor.hold()?,
        };
        if held.read()?.is_none_or(|mark| mark.position.seq < position.seq) {
            held.write(&Mark { store: self.home.store.clone(), file, position })?;
        }
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

    /// Whether the store is the one its anchor knows, no older.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn is_current(&mut self) -> Result<Position, StationError> {
        let held = self.anchor.hold()?;
        let before = known_mark(Some(&held), &self.home.store)?;
        drop(held);
        let file = self.store.identity()?;
        let mut tx = self.store.view()?;
        let position = tx.position()?;
        compare(&before, &file, position, tx.as_mut())?;
        Ok(position)
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

pub(super) fn compare(
    mark: &Mark,
    file: &str,
    position: Position,
    tx: &mut dyn Transaction,
) -> Result<(), StationError> {
    let seen = mark.position;
    if seen.seq > position.seq {
        return Err(StationError::Restored { expected: seen.seq, found: position.seq });
    }
    if tx.head_at(seen.seq)? != Some(seen.head) {
        return Err(StationError::OtherHistory { seq: seen.seq });
    }
    if mark.file == file { Ok(()) } else { Err(StationError::Copied) }
}
