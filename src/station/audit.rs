//! The ledger checked against itself and against the identities: every head recomputed, every move replayed, and at the end each
//! identity in the state its entries give it.

use crate::basics::{Digest, limits};
use crate::factory::{Class, Manifest, Refusal, manifest};
use crate::station::chain::{Entry, Position, What};
use crate::station::import::incoming::Incoming;
use crate::station::state::State;
use crate::station::store::Identity;
use crate::station::{Station, StationError};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;

/// Rows read at once.
const PAGE: usize = 1_000;

/// What was checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Checked {
    pub entries: u64,
    pub head: Digest,
    pub identities: u64,
    /// Identities in each state.
    pub states: BTreeMap<State, u64>,
}

struct Replay {
    /// Bundle, state and line of each record.
    state: BTreeMap<Digest, (usize, State, u32)>,
    /// The records of each bundle in drawing order, and the first that is still sealed and still released.
    bundles: Vec<(String, Vec<Digest>, bool)>,
    /// What each bundle was sealed to.
    recipients: BTreeMap<String, String>,
}

impl Station {
    /// Replays the whole ledger.
    ///
    /// # Errors
    /// The first entry that does not hold, or the first identity that is in another state than its entries say.
    pub fn check(&mut self) -> Result<Checked, StationError> {
        let (realm, store) = (self.home.realm, self.home.store.clone());
        self.look(|tx| {
            let mut replay = Replay { state: BTreeMap::new(), bundles: Vec::new(), recipients: BTreeMap::new() };
            replay.recipients = tx.bundles()?.into_iter().map(|known| (known.bundle, known.recipient)).collect();
            let mut stored: Vec<Identity> = Vec::new();
            let mut after = 0;
            loop {
                let page = tx.identities(None, after, PAGE)?;
                let Some(last) = page.last() else { break };
                after = last.id;
                stored.extend(page);
            }
            for identity in &stored {
                replay.add(identity);
            }
            let mut position = Position::start(realm, &store);
            loop {
                let page = tx.entries(position.seq, PAGE)?;
                if page.is_empty() {
                    break;
                }
                for (seq, body, head) in page {
                    let bad = |problem: String| StationError::Chain { seq, problem };
                    position = position.after(realm, &body);
                    if position.seq != seq || position.head != head {
                        return Err(bad("its head is not the one over all before it".to_owned()));
                    }
                    let entry = Entry::parse(&body).map_err(|e| bad(e.to_string()))?;
                    if entry.seq != seq {
                        return Err(bad(format!("it says it is entry {}", entry.seq)));
                    }
                    replay.fold(&entry.what).map_err(bad)?;
                }
            }
            replay.same(&stored).map_err(|problem| StationError::Chain { seq: position.seq, problem })?;
            let mut states: BTreeMap<State, u64> = State::ALL.into_iter().map(|state| (state, 0)).collect();
            for identity in &stored {
                *states.entry(identity.state).or_default() += 1;
            }
            Ok(Checked { entries: position.seq, head: position.head, identities: stored.len() as u64, states })
        })
    }
}

impl Station {
    /// Reads every file of every bundle that can still be drawn from, and looks for the key it is sealed to; says how many files there were.
    ///
    /// # Errors
    /// The first that is not there, or not as it came in.
    pub fn check_files(&mut self) -> Result<usize, StationError> {
        let left: Vec<_> = self.look(|tx| {
            let counts = tx.counts()?;
            let drawable = |bundle: &str| {
                counts
                    .iter()
                    .any(|c| c.bundle == bundle && c.count > 0 && matches!(c.state, State::Sealed | State::Released))
            };
            Ok(tx.bundles()?.into_iter().filter(|bundle| drawable(&bundle.bundle)).collect())
        })?;
        let mut files = 0;
        for bundle in left {
            self.identity_of(&bundle.recipient)?;
            files += whole(&self.bundle_folder(&bundle.bundle), bundle.manifest)?;
        }
        Ok(files)
    }
}

/// Holds a bundle's folder against the manifest that came in; says how many files it has.
fn whole(folder: &Path, expected: Digest) -> Result<usize, StationError> {
    let here = Incoming::open(folder)?;
    let octets = here.read(manifest::NAME, limits::BUNDLE_MANIFEST_OCTETS)?;
    let found = Digest::of(&octets);
    if found != expected {
        return Err(Refusal::new(Class::Tampered, manifest::NAME, expected, found).into());
    }
    let what = Manifest::parse(&octets)?;
    for file in &what.files {
        here.compare(&file.name, file.size, &file.sha256, &mut |_| Ok(()))?;
    }
    Ok(what.files.len())
}

impl Replay {
    fn add(&mut self, identity: &Identity) {
        let at = self.bundles.iter().position(|(name, _, _)| *name == identity.bundle).unwrap_or_else(|| {
            self.bundles.push((identity.bundle.clone(), Vec::new(), false));
            self.bundles.len() - 1
        });
        if let Some((_, records, _)) = self.bundles.get_mut(at) {
            records.push(identity.record);
        }
        self.state.insert(identity.record, (at, State::Sealed, 0));
    }

    fn fold(&mut self, what: &What) -> Result<(), String> {
        match what {
            What::Imported { bundle, count, .. } => {
                let known = self.bundles.iter_mut().find(|(name, _, imported)| name == bundle && !imported);
                let (_, records, imported) =
                    known.ok_or(format!("bundle {bundle} came in twice, or has no records"))?;
                *imported = true;
                if records.len() as u64 == *count {
                    Ok(())
                } else {
                    Err(format!("expected {count} records, found {}", records.len()))
                }
            }
            What::Released { bundle, count, .. } => self.first(bundle, State::Sealed, State::Released, *count),
            What::Withdrawn { bundle, count } => self.first(bundle, State::Released, State::Lost, *count),
            What::Receipt { bundle, reported, .. } => self.first(bundle, State::Verified, State::Reported, *reported),
            What::Reserved { line, record } => {
                self.one(record, State::Reserved)?;
                if let Some((_, _, drawn_on)) = self.state.get_mut(record) {
                    *drawn_on = *line;
                }
                Ok(())
            }
            What::Verified { record, .. } => self.one(record, State::Verified),
            What::Moved { record, to, .. } => self.one(record, *to),
            What::Shredded { recipient } => {
                let bundles: Vec<usize> = self
                    .recipients
                    .iter()
                    .filter(|(_, sealed_to)| *sealed_to == recipient)
                    .filter_map(|(name, _)| {
                        self.bundles.iter().position(|(known, _, imported)| known == name && *imported)
                    })
                    .collect();
                for (at, state, _) in self.state.values_mut() {
                    if bundles.contains(at) && matches!(state, State::Sealed | State::Released) {
                        *state = State::Destroyed;
                    }
                }
                Ok(())
            }
            What::Opened { .. }
            | What::Refused { .. }
            | What::Reconciled { .. }
            | What::Recipient { .. }
            | What::Signer { .. } => Ok(()),
        }
    }

    fn one(&mut self, record: &Digest, to: State) -> Result<(), String> {
        let (at, state, _) = self.state.get_mut(record).ok_or(format!("record {record} was never imported"))?;
        if !self.bundles.get(*at).is_some_and(|(_, _, imported)| *imported) {
            return Err(format!("record {record} is of a bundle that had not come in"));
        }
        if !state.may_become(to) {
            return Err(format!("record {record} was {state} and cannot become {to}"));
        }
        *state = to;
        Ok(())
    }

    fn first(&mut self, bundle: &str, from: State, to: State, count: u64) -> Result<(), String> {
        let known = self.bundles.iter().find(|(name, _, imported)| name == bundle && *imported);
        let (_, records, _) = known.ok_or(format!("bundle {bundle} had not come in"))?;
        let mut left = count;
        for record in records {
            if left == 0 {
                break;
            }
            if let Some((_, state, _)) = self.state.get_mut(record)
                && *state == from
            {
                *state = to;
                left -= 1;
            }
        }
        if left == 0 { Ok(()) } else { Err(format!("expected {count} of bundle {bundle} {from}, found {left} fewer")) }
    }

    fn same(&self, stored: &[Identity]) -> Result<(), String> {
        if let Some((name, _, _)) = self.bundles.iter().find(|(_, _, imported)| !imported) {
            return Err(format!("bundle {name} is in the store, and no entry says that it came in"));
        }
        for identity in stored {
            let Some((_, state, line)) = self.state.get(&identity.record) else { continue };
            if *state != identity.state || *line != identity.line {
                return Err(format!(
                    "{} is {} on line {} in the store; by the entries it is {state} on line {line}",
                    identity.device, identity.state, identity.line
                ));
            }
        }
        Ok(())
    }
}
