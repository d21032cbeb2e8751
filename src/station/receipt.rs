//! Receipts: what became of every record of a bundle, signed by the station's receipt key, with the ledger's head.
//!
//! The files are written and durable before the transaction that counts the receipt commits, in a folder that only gets its name
//! afterwards. If we die before the commit, the folder is thrown away; after it, the next call finds it and gives it its name.

use crate::basics::{Digest, Instant};
use crate::devices::durable_file;
use crate::factory::{BundleId, Outcome, Receipt, merkle, receipt};
use crate::station::chain::What;
use crate::station::ledger::Book;
use crate::station::state::State;
use crate::station::store::Bundle;
use crate::station::{Station, StationError};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

const PAGE: usize = 1_000;

/// A receipt that was made.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Made {
    pub folder: PathBuf,
    pub digest: Digest,
    #[serde(flatten)]
    pub receipt: Receipt,
}

impl Station {
    /// Signs a receipt for a bundle, as it stands now.
    ///
    /// # Errors
    /// Where the bundle is not here, the store is not current, or the disk refuses.
    pub fn receipt(&mut self, bundle: &str, now: Instant) -> Result<Made, StationError> {
        let key = self.receipt_key()?;
        let (home, folder) = (self.home.clone(), self.folder.join("receipts"));
        self.finish_receipts(bundle)?;
        let (receipt, partial, whole) = self.change(now, |book| {
            let known = book.tx.bundles()?.into_iter().find(|known| known.bundle == bundle);
            let known = known.ok_or_else(|| StationError::Unknown { thing: bundle.into() })?;
            let number = number_of(book, bundle)? + 1;
            book.tx.set_value(&slot(bundle), &number.to_string())?;
            let reported = book.tx.move_first(bundle, State::Verified, State::Reported, u64::MAX, now.0)?;
            book.write(&What::Receipt { bundle: bundle.to_owned(), number, reported })?;
            let (partial, whole) = places(&folder, bundle, number);
            if partial.is_dir() {
                std::fs::remove_dir_all(&partial).map_err(|e| StationError::Other(e.to_string()))?;
            }
            durable_file::new_folder(&partial)?;
            let outcomes = Outcomes::write(book, &known, &partial.join(receipt::OUTCOMES))?;
            let position = book.position()?;
            let id = BundleId::parse(bundle).ok_or(StationError::Damaged("a bundle has no id"))?;
            let receipt = Receipt {
                format: Receipt::format(),
                realm: home.realm,
                factory: home.factory.clone(),
                bundle: id,
                manifest: known.manifest,
                sequence: number,
                made: now,
                count: u32::try_from(known.count).unwrap_or(u32::MAX),
                states: outcomes.states,
                outcomes_root: outcomes.root,
                outcomes_sha256: outcomes.sha256,
                refusals: book.tx.refusals()?.into_iter().collect(),
                ledger_head: position.head,
                ledger_entries: position.seq,
            };
            let octets = receipt.to_octets()?;
            let signature = key.sign(&home.realm.namespace(receipt::PURPOSE), &octets)?;
            durable_file::create(&partial.join(receipt::NAME), &octets)?;
            durable_file::create(&partial.join(format!("{}.sig", receipt::NAME)), signature.as_bytes())?;
            Ok((receipt, partial, whole))
        })?;
        durable_file::move_to(&partial, &whole)?;
        self.settle()?;
        let digest = Digest::of(&receipt.to_octets()?);
        Ok(Made { folder: whole, digest, receipt })
    }

    /// Gives a receipt its name that was counted by a process which died before it could.
    fn finish_receipts(&mut self, bundle: &str) -> Result<(), StationError> {
        let folder = self.folder.join("receipts");
        let counted =
            self.look(|tx| Ok(tx.value(&slot(bundle))?.and_then(|text| text.parse().ok()).unwrap_or(0_u64)))?;
        let (partial, whole) = places(&folder, bundle, counted);
        if counted > 0 && partial.is_dir() && !whole.exists() {
            durable_file::move_to(&partial, &whole)?;
        }
        Ok(())
    }
}

fn slot(bundle: &str) -> String {
    format!("receipts of {bundle}")
}

fn number_of(book: &mut Book<'_>, bundle: &str) -> Result<u64, StationError> {
    Ok(book.tx.value(&slot(bundle))?.and_then(|text| text.parse().ok()).unwrap_or(0))
}

fn places(folder: &Path, bundle: &str, number: u64) -> (PathBuf, PathBuf) {
    let name = format!("{bundle}-{number:04}");
    (folder.join(format!(".{name}.partial")), folder.join(name))
}

/// `outcomes.cbor`, and what the receipt says of it.
struct Outcomes {
    states: BTreeMap<receipt::State, u32>,
    root: Digest,
    sha256: Digest,
}

impl Outcomes {
    fn write(book: &mut Book<'_>, bundle: &Bundle, path: &Path) -> Result<Self, StationError> {
        let failed = |what| move |cause| durable_file::FileError { path: path.to_owned(), what, cause };
        let mut file = BufWriter::new(File::create_new(path).map_err(failed("creating"))?);
        let mut states: BTreeMap<_, u32> = receipt::State::ALL.into_iter().map(|state| (state, 0)).collect();
        let (mut tree, mut hasher, mut after) = (merkle::Tree::default(), Sha256::new(), 0);
        loop {
            let page = book.tx.identities(Some(&bundle.bundle), after, PAGE)?;
            let Some(last) = page.last() else { break };
            after = last.id;
            for identity in &page {
                let state = told(identity.state);
                *states.entry(state).or_default() += 1;
                let proof = if state == receipt::State::Verified { book.tx.proof(identity.id)? } else { None };
                let outcome = Outcome {
                    index: identity.index,
                    state,
                    line: identity.line,
                    changed: Instant(identity.since),
                    record: identity.record,
                    proof: proof.unwrap_or_default(),
                };
                let octets = outcome.to_octets();
                tree.push(outcome.leaf());
                hasher.update(&octets);
                file.write_all(&octets).map_err(failed("writing"))?;
            }
        }
        let file = file.into_inner().map_err(|e| failed("writing")(e.into_error()))?;
        file.sync_all().map_err(failed("making durable"))?;
        Ok(Self { states, root: tree.root(), sha256: Digest::from_octets(hasher.finalize().into()) })
    }
}

/// A receipt has no word for `reported`: that an identity is in one says it.
const fn told(state: State) -> receipt::State {
    match state {
        State::Sealed => receipt::State::Sealed,
        State::Released => receipt::State::Released,
        State::Reserved => receipt::State::Reserved,
        State::Injected => receipt::State::Injected,
        State::Verified | State::Reported => receipt::State::Verified,
        State::Scrapped => receipt::State::Scrapped,
        State::Lost => receipt::State::Lost,
        State::Returned => receipt::State::Returned,
        State::Destroyed => receipt::State::Destroyed,
    }
}
