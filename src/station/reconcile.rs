//! After a store was put back from a copy, copied, or taken over by another server, or its clock was set: people say what happened, and whatever a history that
//! is gone may have given out is taken out of reach. Better a hundred identities lost than one in two devices.

use crate::basics::{Instant, SafeText};
use crate::station::anchor::{Anchor, Mark};
use crate::station::chain::What;
use crate::station::ledger::{Book, compare};
use crate::station::state::State;
use crate::station::{Station, StationError};
use std::path::Path;

/// What reconciling did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Reconciled {
    /// How many entries may be missing.
    pub behind: u64,
    /// How many identities were taken out of reach.
    pub withdrawn: u64,
}

impl Station {
    /// Makes the store of this folder the current one.
    ///
    /// Every entry that is missing can have given out one identity. Bundles are drawn in order, so of each bundle as many of the next ones
    /// as entries may be missing are taken out; of a bundle drawn by device id, all.
    ///
    /// # Errors
    /// Where nothing is wrong with the store, or how much is missing can be told by nobody: `at_least` says it then.
    pub fn reconcile(
        folder: &Path,
        because: &str,
        at_least: Option<u64>,
        now: Instant,
    ) -> Result<Reconciled, StationError> {
        let (home, mut store) = Self::parts(folder)?;
        let path = Path::new(&home.anchor).to_owned();
        let anchor = if path.is_file() { Some(Anchor::open(&path)?) } else { None };
        let file = store.identity()?;
        let mut tx = store.begin()?;
        let position = tx.position()?;
        let held = anchor.as_ref().map(Anchor::hold).transpose()?;
        let mark = held.as_ref().map(|held| held.read()).transpose()?.flatten();
        let mark = mark.filter(|mark| mark.store == home.store);
        let wrong = match &mark {
            None => StationError::NoAnchor("there is none that can be read".to_owned()),
            Some(mark) => match compare(mark, &file, position, tx.as_mut(), now) {
                Ok(()) => {
                    let problem = "the store is current: there is nothing to reconcile".to_owned();
                    return Err(StationError::Configuration { what: "reconcile", problem });
                }
                Err(wrong) => wrong,
            },
        };
        let behind = match (&wrong, at_least) {
            (StationError::Restored { expected, found }, said) => (expected - found).max(said.unwrap_or(0)),
            // The clock was wrong, or is: no entry is missing for that.
            (StationError::Copied | StationError::Clock { .. }, said) => said.unwrap_or(0),
            (_, Some(said)) => said,
            (_, None) => return Err(wrong),
        };
        let mut book = Book::on(tx, now, home.realm, position);
        book.write(&What::Reconciled { because: SafeText::cut(because, 200).to_string(), behind })?;
        let withdrawn = withdraw(&mut book, behind)?;
        let position = book.position()?;
        book.close().commit()?;
        let mark = Mark { store: home.store.clone(), file, position };
        match held {
            Some(held) => held.reset(&mark)?,
            None => Anchor::create(&path, &mark)?,
        }
        Ok(Reconciled { behind, withdrawn })
    }
}

fn withdraw(book: &mut Book<'_>, behind: u64) -> Result<u64, StationError> {
    let mut withdrawn = 0;
    for bundle in book.tx.bundles()? {
        // A bundle drawn by device id has no order in which the missing ones went.
        let most = if bundle.by_device && behind > 0 { u64::MAX } else { behind };
        let count = book.tx.move_first(&bundle.bundle, State::Released, State::Lost, most, book.now.0)?;
        if count > 0 {
            book.write(&What::Withdrawn { bundle: bundle.bundle, count })?;
        }
        withdrawn += count;
    }
    Ok(withdrawn)
}
