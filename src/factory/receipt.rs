//! A receipt: what became of every record of a bundle, as the factory says. `receipt.json` is RFC 8785 and signed by the station's
//! receipt key (`receipt.json.sig`, namespace `receipt@anchorite` or `rehearsal-receipt@anchorite`); `outcomes.cbor` beside it
//! holds one outcome a record, in the order of the bundle:
//!
//! ```text
//! 86                        array of 6
//!   00                      index of the record
//!   05                      state: 0 sealed, 1 released, 2 reserved, 3 injected, 4 verified, 5 scrapped, 6 lost, 7 returned, 8 destroyed
//!   03                      line on which it was drawn; 0 where it never was
//!   1b 0000019a...          time of the last change, milliseconds since 1970
//!   58 20 <32>              record digest
//!   58 47 <71>              proof of possession: the device's signature over `nonce || record digest`; empty where there is none
//! ```
//! Outcome leaf = RFC 9162 leaf over the outcome's octets; `outcomes_root` is over them in order.

use crate::basics::{Digest, Instant, Realm, canonical, limits};
use crate::factory::cbor::{Reader, Writer, same_octets};
use crate::factory::{BundleId, Class, Refusal, merkle};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The files' names.
pub const NAME: &str = "receipt.json";
pub const OUTCOMES: &str = "outcomes.cbor";
/// What the OpenSSH namespace of its signature is made from (`Realm::namespace`).
pub const PURPOSE: &str = "receipt";
const FORMAT: &str = "anchorite-receipt/1";
const OUTCOME: &str = "outcome";

/// What can have become of an identity: the first five in this order, then how it can end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    Sealed,
    Released,
    Reserved,
    Injected,
    Verified,
    Scrapped,
    Lost,
    Returned,
    Destroyed,
}

impl State {
    pub const ALL: [Self; 9] = [
        Self::Sealed,
        Self::Released,
        Self::Reserved,
        Self::Injected,
        Self::Verified,
        Self::Scrapped,
        Self::Lost,
        Self::Returned,
        Self::Destroyed,
    ];

    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Sealed => "sealed",
            Self::Released => "released",
            Self::Reserved => "reserved",
            Self::Injected => "injected",
            Self::Verified => "verified",
            Self::Scrapped => "scrapped",
            Self::Lost => "lost",
            Self::Returned => "returned",
            Self::Destroyed => "destroyed",
        }
    }

    /// The number in an outcome.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }

    #[must_use]
    pub fn from_number(number: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|state| u64::from(state.number()) == number)
    }
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.word())
    }
}

/// What became of one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub index: u32,
    pub state: State,
    /// 0 where it was never drawn.
    pub line: u32,
    pub changed: Instant,
    /// Record digest.
    pub record: Digest,
    /// Signature in the form of the key's algorithm; empty where there is none.
    pub proof: Vec<u8>,
}

impl Outcome {
    #[must_use]
    pub fn to_octets(&self) -> Vec<u8> {
        let mut octets = Vec::with_capacity(192);
        let mut w = Writer::new(&mut octets);
        w.array(6).number(u64::from(self.index)).number(u64::from(self.state.number()));
        w.number(u64::from(self.line)).number(self.changed.0).octets(self.record.octets()).octets(&self.proof);
        octets
    }

    /// Reads one outcome from the front; gives it and how many octets it took.
    ///
    /// # Errors
    /// Where what is there is not exactly what [`Outcome::to_octets`] writes.
    pub fn read(octets: &[u8]) -> Result<(Self, usize), Refusal> {
        let mut r = Reader::new(OUTCOME, octets);
        r.array(6)?;
        let index = r.number_u32()?;
        let state = r.number()?;
        let state = State::from_number(state).ok_or_else(|| Refusal::malformed(OUTCOME, "a state, 0 to 8", state))?;
        let line = r.number_u32()?;
        let changed = written(OUTCOME, Instant(r.number()?))?;
        let record = Digest::from_octets(r.octets_of()?);
        let proof = r.octets(limits::DEVICE_SIGNATURE_OCTETS)?.to_vec();
        let used = r.position();
        let outcome = Self { index, state, line, changed, record, proof };
        same_octets(OUTCOME, &outcome.to_octets(), octets.get(..used).unwrap_or_default())?;
        Ok((outcome, used))
    }

    /// The hash of the outcome's leaf.
    #[must_use]
    pub fn leaf(&self) -> Digest {
        merkle::leaf(&self.to_octets())
    }
}

/// A time that has a date: nothing else can be shown to people, or compared with what they know.
fn written(what: impl Into<String>, at: Instant) -> Result<Instant, Refusal> {
    if at.can_be_written() {
        return Ok(at);
    }
    let expected = format!("a time until {}, in milliseconds", Instant::LAST);
    Err(Refusal::malformed(what, expected, at.0))
}

/// The signed part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    pub format: String,
    pub realm: Realm,
    pub factory: String,
    pub bundle: BundleId,
    /// SHA-256 of the bundle's manifest.
    pub manifest: Digest,
    /// From 1, for each bundle.
    pub sequence: u64,
    pub made: Instant,
    pub count: u32,
    /// How many outcomes are in each state; all nine words, those with none too.
    pub states: BTreeMap<State, u32>,
    pub outcomes_root: Digest,
    /// SHA-256 of `outcomes.cbor`.
    pub outcomes_sha256: Digest,
    /// How often the station refused something, by class, since its store was made.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub refusals: BTreeMap<String, u64>,
    /// Head of the station's ledger, and how many entries it has.
    pub ledger_head: Digest,
    pub ledger_entries: u64,
}

impl Receipt {
    /// The word in the field `format`.
    #[must_use]
    pub fn format() -> String {
        FORMAT.to_owned()
    }

    /// # Errors
    /// Where the octets are not canonical JSON of this shape, or the counts do not add up.
    pub fn parse(octets: &[u8]) -> Result<Self, Refusal> {
        let receipt: Self = canonical::parse(octets, limits::SMALL_FILE_OCTETS)
            .map_err(|cause| Refusal::malformed(NAME, "canonical JSON of the documented shape", cause))?;
        receipt.check()?;
        Ok(receipt)
    }

    /// The octets that are signed.
    ///
    /// # Errors
    /// Where the counts do not add up.
    pub fn to_octets(&self) -> Result<Vec<u8>, Refusal> {
        self.check()?;
        canonical::to_octets(self).map_err(|cause| Refusal::malformed(NAME, "values JSON can hold", cause))
    }

    fn check(&self) -> Result<(), Refusal> {
        if self.format != FORMAT {
            return Err(Refusal::malformed(format!("{NAME}: format"), FORMAT, &self.format));
        }
        written(format!("{NAME}: made"), self.made)?;
        if self.states.len() != State::ALL.len() {
            return Err(Refusal::malformed(format!("{NAME}: states"), "all nine states", self.states.len()));
        }
        let word = |class: &String| {
            !class.is_empty() && class.len() <= 32 && class.bytes().all(|o| o.is_ascii_lowercase() || o == b'-')
        };
        if self.refusals.len() > limits::REFUSAL_CLASSES || !self.refusals.keys().all(word) {
            let found = format!("{} of them", self.refusals.len());
            return Err(Refusal::malformed(format!("{NAME}: refusals"), "classes of refusals", found));
        }
        let total: u64 = self.states.values().map(|count| u64::from(*count)).sum();
        if total != u64::from(self.count) {
            return Err(Refusal::new(Class::Count, format!("{NAME}: states"), self.count, total));
        }
        Ok(())
    }

    /// Compares the receipt with its outcomes, one for each record in order.
    ///
    /// # Errors
    /// Where an outcome is missing or out of place, the counts differ, or the root or the file's digest does.
    pub fn check_outcomes(&self, octets: &[u8]) -> Result<Vec<Outcome>, Refusal> {
        let found = Digest::of(octets);
        if found != self.outcomes_sha256 {
            return Err(Refusal::new(Class::Tampered, OUTCOMES, self.outcomes_sha256, found));
        }
        let (mut rest, mut outcomes, mut tree) = (octets, Vec::new(), merkle::Tree::default());
        let mut states: BTreeMap<State, u32> = State::ALL.into_iter().map(|state| (state, 0)).collect();
        for index in 0..self.count {
            let (outcome, used) = Outcome::read(rest)?;
            if outcome.index != index {
                return Err(Refusal::new(Class::Foreign, OUTCOMES, format!("outcome {index} next"), outcome.index));
            }
            tree.push(outcome.leaf());
            *states.entry(outcome.state).or_default() += 1;
            outcomes.push(outcome);
            rest = rest.get(used..).unwrap_or_default();
        }
        if !rest.is_empty() {
            let expected = format!("{} outcomes and nothing after", self.count);
            return Err(Refusal::new(Class::Count, OUTCOMES, expected, format!("{} octets more", rest.len())));
        }
        if states != self.states {
            return Err(Refusal::new(Class::Count, format!("{NAME}: states"), "those of the outcomes", "others"));
        }
        if tree.root() != self.outcomes_root {
            return Err(Refusal::new(
                Class::Tampered,
                format!("{NAME}: outcomes_root"),
                tree.root(),
                self.outcomes_root,
            ));
        }
        Ok(outcomes)
    }
}
