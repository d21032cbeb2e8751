//! What is in stock, what the lines have, what was refused: for reports and for the dashboard.

use crate::basics::{Instant, Realm};
use crate::station::chain::{Entry, What};
use crate::station::state::State;
use crate::station::store::{Bundle, Count};
use crate::station::{Station, StationError};
use serde::Serialize;
use std::collections::BTreeMap;

/// Entries looked back at for rates: at 10,000 identities an hour, each reserved and verified, two hours.
const LOOKED_BACK: u64 = 40_000;
/// The bars of a line's rate.
pub const BARS: usize = 6;
/// Minutes of one bar.
pub const BAR_MINUTES: u64 = 10;
const DAY: u64 = 24 * 3_600_000;

/// Everything a report says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Status {
    pub realm: Realm,
    pub factory: String,
    pub store: String,
    pub entries: u64,
    pub head: String,
    pub bundles: Vec<BundleStatus>,
    pub lines: Vec<LineStatus>,
    /// How often each class was refused, since the store was made.
    pub refusals: BTreeMap<String, u64>,
    pub today: Today,
    /// Why nothing can be drawn; empty where all is well.
    pub problem: String,
}

/// One bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BundleStatus {
    #[serde(flatten)]
    pub bundle: Bundle,
    pub expired: bool,
    /// All ten states, those with none too.
    pub states: BTreeMap<State, u64>,
    /// Given to a line, with nothing said since.
    pub outstanding: u64,
    /// Verified or ended since the last receipt.
    pub receipt_due: u64,
}

/// One production line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LineStatus {
    pub line: u32,
    pub outstanding: u64,
    pub verified: u64,
    pub scrapped: u64,
    /// Verified in the last hour.
    pub per_hour: u64,
    /// Verified in each of the last six ten minutes, the oldest first.
    pub bars: [u64; BARS],
    pub last_drawn: Option<Instant>,
    pub last_verified: Option<Instant>,
    /// Why the last one of this line was scrapped, and when.
    pub last_scrapped: Option<(Instant, String)>,
}

/// Since midnight, UTC, or as far back as the ledger is looked at: `since` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Today {
    pub since: Instant,
    pub drawn: u64,
    pub verified: u64,
    pub scrapped: u64,
}

impl Station {
    /// Looks, without holding any line up.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn status(&mut self, now: Instant) -> Result<Status, StationError> {
        let problem = self.is_current(now).map_or_else(|error| error.to_string(), |_| String::new());
        let (realm, factory, store) = (self.home.realm, self.home.factory.clone(), self.home.store.clone());
        self.look(|tx| {
            let position = tx.position()?;
            let counts = tx.counts()?;
            let bundles = tx.bundles()?.into_iter().map(|bundle| bundle_status(bundle, &counts, now)).collect();
            let mut lines = lines(&counts);
            let mut today = Today { since: Instant(now.0 - now.0 % DAY), drawn: 0, verified: 0, scrapped: 0 };
            let mut line_of: BTreeMap<_, u32> = BTreeMap::new();
            let mut after = position.seq.saturating_sub(LOOKED_BACK);
            let all = after == 0;
            loop {
                let entries = tx.entries(after, 1_000)?;
                let Some((last, _, _)) = entries.last() else { break };
                after = *last;
                for (seq, body, _) in &entries {
                    let entry = Entry::parse(body)?;
                    if !all && *seq == position.seq - LOOKED_BACK + 1 {
                        today.since = today.since.max(entry.time);
                    }
                    match &entry.what {
                        What::Reserved { line, record } => {
                            line_of.insert(*record, *line);
                        }
                        What::Verified { record, .. } | What::Moved { record, .. } if !line_of.contains_key(record) => {
                            // Drawn before the entries we look at.
                            let found = tx.find(&record.hex())?;
                            line_of.insert(*record, found.first().map_or(0, |identity| identity.line));
                        }
                        _ => {}
                    }
                    fold(&entry, &line_of, &mut lines, &mut today, now);
                }
            }
            let refusals = tx.refusals()?.into_iter().collect();
            let (entries, head) = (position.seq, position.head.hex());
            let lines = lines.into_values().collect();
            Ok(Status { realm, factory, store, entries, head, bundles, lines, refusals, today, problem })
        })
    }
}

fn bundle_status(bundle: Bundle, counts: &[Count], now: Instant) -> BundleStatus {
    let mut states: BTreeMap<State, u64> = State::ALL.into_iter().map(|state| (state, 0)).collect();
    for count in counts.iter().filter(|count| count.bundle == bundle.bundle) {
        *states.entry(count.state).or_default() += count.count;
    }
    let of = |state| states.get(&state).copied().unwrap_or(0);
    let outstanding = of(State::Reserved) + of(State::Injected);
    let receipt_due = of(State::Verified);
    BundleStatus { expired: now.0 >= bundle.expires, bundle, outstanding, receipt_due, states }
}

fn lines(counts: &[Count]) -> BTreeMap<u32, LineStatus> {
    let mut lines: BTreeMap<u32, LineStatus> = BTreeMap::new();
    for count in counts.iter().filter(|count| count.line != 0) {
        let line = lines.entry(count.line).or_insert_with(|| new_line(count.line));
        match count.state {
            State::Reserved | State::Injected => line.outstanding += count.count,
            State::Verified | State::Reported => line.verified += count.count,
            State::Scrapped => line.scrapped += count.count,
            _ => {}
        }
    }
    lines
}

const fn new_line(line: u32) -> LineStatus {
    LineStatus {
        line,
        outstanding: 0,
        verified: 0,
        scrapped: 0,
        per_hour: 0,
        bars: [0; BARS],
        last_drawn: None,
        last_verified: None,
        last_scrapped: None,
    }
}

fn fold(
    entry: &Entry,
    line_of: &BTreeMap<crate::basics::Digest, u32>,
    lines: &mut BTreeMap<u32, LineStatus>,
    today: &mut Today,
    now: Instant,
) {
    let same_day = u64::from(entry.time.0 / DAY == now.0 / DAY);
    let record = match &entry.what {
        What::Reserved { record, .. } | What::Verified { record, .. } | What::Moved { record, .. } => record,
        _ => return,
    };
    let line = line_of.get(record).filter(|n| **n != 0).and_then(|n| lines.get_mut(n));
    match &entry.what {
        What::Reserved { .. } => {
            today.drawn += same_day;
            if let Some(line) = line {
                line.last_drawn = Some(entry.time);
            }
        }
        What::Verified { .. } => {
            today.verified += same_day;
            let Some(line) = line else { return };
            line.last_verified = Some(entry.time);
            let ago = now.0.saturating_sub(entry.time.0) / (BAR_MINUTES * 60_000);
            let bar = usize::try_from(ago).ok().and_then(|ago| BARS.checked_sub(ago + 1));
            if let Some(bar) = bar.and_then(|at| line.bars.get_mut(at)) {
                *bar += 1;
                line.per_hour += 1;
            }
        }
        What::Moved { because, to: State::Scrapped, .. } => {
            today.scrapped += same_day;
            if let Some(line) = line {
                line.last_scrapped = Some((entry.time, because.clone()));
            }
        }
        _ => {}
    }
}
