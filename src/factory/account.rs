//! Every outcome of a receipt, held against the record it is about: whose proof of possession verifies, and what does not fit.
//!
//! What a factory says of a device is recorded. A proof is the device's own word: a signature over `nonce || record digest` with the key
//! of the certificate that left, where the ceremony fixed the nonce. It shows that somebody has that key. Only where the key was made in
//! the device, and its maker attests that, does it show that the device has it (`attested`).

use crate::basics::{Digest, Instant, Realm};
use crate::factory::kept::IssuedRecord;
use crate::factory::places::Places;
use crate::factory::record::{possession_message, possession_nonce};
use crate::factory::{BundleId, DeviceId, Mode, Outcome, State};
use crate::keys::PublicKey;
use crate::pki::Certificate;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How many devices are named of each kind of fault; all are counted, by index.
const NAMED: usize = 20;
/// Milliseconds by which an outcome may be later than its receipt: of many processes each takes the time before it takes its turn.
const LATER: u64 = 5 * 60 * 1_000;
/// Milliseconds by which an outcome may be earlier than its bundle: nobody compares a factory's clock with the ceremony's.
const EARLIER: u64 = 24 * 60 * 60 * 1_000;
/// A rehearsal's clock is simulated, and a real station may take part in it.
const EARLIER_REHEARSED: u64 = 50 * 365 * EARLIER;

/// What can be wrong with one outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// Said to be verified, and no proof is there.
    NoProof,
    /// A proof that does not verify under the key of the certificate that left.
    BadProof,
    /// About another record than the one that left in this place.
    OtherRecord,
    /// Drawn on no line, or in stock with a line or a proof.
    OtherLine,
    /// Of a time after the receipt was made, or before there was a bundle. It says nothing against a proof.
    OtherTime,
}

impl Fault {
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::NoProof => "said to be verified, without a proof of possession",
            Self::BadProof => "with a proof of possession that its certificate's key did not make",
            Self::OtherRecord => "about another record than the one that was issued",
            Self::OtherLine => "drawn on no line, or in stock and yet on one",
            Self::OtherTime => "of a time after the receipt was made, or before there was a bundle",
        }
    }
}

/// What came of it. Indexes are of records in the bundle.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// As the factory says: every state that a record is in.
    pub records: BTreeMap<State, Places>,
    /// Verified, with a proof that verifies.
    pub proven: Places,
    /// Of these, those whose key is attested to have been made in the device.
    #[serde(default, skip_serializing_if = "Places::is_empty")]
    pub attested: Places,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub faults: BTreeMap<Fault, Places>,
    /// The first devices of each fault.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub named: BTreeMap<Fault, Vec<DeviceId>>,
    /// How many came into their state in which week (ISO 8601, of the factory's clock).
    pub weeks: BTreeMap<String, BTreeMap<State, u32>>,
}

/// What an account is made for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accounting {
    pub realm: Realm,
    pub bundle: BundleId,
    /// The manifest's.
    pub nonce: Digest,
    pub mode: Mode,
    /// A certificate with this policy says that the maker of the device attests its key.
    pub attested: Option<String>,
    /// When the bundle and the receipt were made: what became of a device became of it between them.
    pub issued: Option<Instant>,
    pub made: Option<Instant>,
    account: Account,
}

impl Accounting {
    #[must_use]
    pub fn new(realm: Realm, bundle: BundleId, nonce: Digest, mode: Mode, attested: Option<String>) -> Self {
        Self { realm, bundle, nonce, mode, attested, issued: None, made: None, account: Account::default() }
    }

    /// One record with what became of it, in order; gives the record's digest.
    ///
    /// # Errors
    /// Where they are not of one place, or the states change so often that nobody can write them down.
    pub fn take(&mut self, issued: &IssuedRecord, outcome: &Outcome) -> Result<Digest, String> {
        if issued.index != outcome.index {
            return Err(format!("expected the outcome of record {}, found that of {}", issued.index, outcome.index));
        }
        let index = issued.index;
        let record = issued.digest(self.realm, &self.bundle);
        self.account.records.entry(outcome.state).or_default().push(index)?;
        let week = self.account.weeks.entry(outcome.changed.week()).or_default();
        *week.entry(outcome.state).or_default() += 1;
        let proof = self.proof(issued, outcome, &record);
        match proof {
            Ok(Some(key)) => {
                self.account.proven.push(index)?;
                if key == Attested::Yes {
                    self.account.attested.push(index)?;
                }
            }
            Ok(None) => {}
            Err(fault) => self.found(fault, issued)?,
        }
        if !self.in_time(outcome.changed) {
            self.found(Fault::OtherTime, issued)?;
        }
        Ok(record)
    }

    fn found(&mut self, fault: Fault, issued: &IssuedRecord) -> Result<(), String> {
        self.account.faults.entry(fault).or_default().push(issued.index)?;
        let named = self.account.named.entry(fault).or_default();
        if named.len() < NAMED {
            named.push(issued.device.clone());
        }
        Ok(())
    }

    /// Whether something can have happened then to a device of this bundle that this receipt knows of.
    fn in_time(&self, changed: Instant) -> bool {
        let most = if self.realm.is_rehearsal() { EARLIER_REHEARSED } else { EARLIER };
        let early = self.issued.is_some_and(|issued| changed.0.saturating_add(most) < issued.0);
        let late = self.made.is_some_and(|made| changed.0 > made.0.saturating_add(LATER));
        !early && !late
    }

    #[must_use]
    pub fn done(self) -> Account {
        self.account
    }

    /// Whether this outcome is proven.
    fn proof(&self, issued: &IssuedRecord, outcome: &Outcome, record: &Digest) -> Result<Option<Attested>, Fault> {
        if outcome.record != *record {
            return Err(Fault::OtherRecord);
        }
        let fits = match outcome.state {
            State::Sealed | State::Released => outcome.line == 0 && outcome.proof.is_empty(),
            State::Reserved | State::Injected | State::Verified | State::Scrapped => outcome.line != 0,
            State::Lost | State::Returned | State::Destroyed => true,
        };
        if !fits {
            return Err(Fault::OtherLine);
        }
        if outcome.proof.is_empty() {
            return if outcome.state == State::Verified { Err(Fault::NoProof) } else { Ok(None) };
        }
        let certificate = Certificate::parse(&issued.certificate).map_err(|_| Fault::BadProof)?;
        let key = PublicKey::from_spki_der(certificate.subject_key().spki_der()).map_err(|_| Fault::BadProof)?;
        let nonce = possession_nonce(self.realm, &self.nonce, issued.index);
        let verified = key.verify(&possession_message(&nonce, record), &outcome.proof);
        verified.map_err(|_| Fault::BadProof)?;
        // Lost or scrapped after it was proven: the proof holds, and the device is gone all the same.
        if outcome.state != State::Verified {
            return Ok(None);
        }
        let said = self.attested.as_ref().is_some_and(|oid| certificate.policies().contains(oid));
        Ok(Some(if self.mode == Mode::DeviceGenerated && said { Attested::Yes } else { Attested::No }))
    }
}

/// Whether a key is known to have been made in its device.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Attested {
    Yes,
    No,
}
