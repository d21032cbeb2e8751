//! Where the ceremony stands. Rebuilt by replaying the record, never read from a file: it derives `Serialize` and not
//! `Deserialize`, so nobody can hand us a state in which something was proven.

use crate::basics::{Digest, Instant};
use crate::ceremony::effect::{Effect, Operation};
use crate::ceremony::event::{Finding, WrittenMedium};
use crate::ceremony::exception::Sheet;
use crate::factory::Account;
use crate::factory::issuance_log::LogFound;
use crate::factory::requests::Found;
use crate::keys::PublicKey;
use crate::plan::Standing;
use crate::plan::standing::{Issued, StandingFactory};
use crate::transcript::Signer;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// A quorum whose identity exists only as shares.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct QuorumState {
    pub generation: u8,
    pub id: String,
    pub recipient: String,
    pub threshold: u8,
    pub count: u8,
    pub commitments: Vec<Digest>,
    /// Shares that were on the screen, or may have been: somebody may have a card of them.
    pub shown: BTreeSet<u8>,
    /// Shares proven from their custodians' own copies.
    pub proven: BTreeSet<u8>,
    /// Shares the present strongroom has been given as typed back.
    pub typed: BTreeSet<u8>,
    pub consistent: bool,
    /// Shares whose custodians approved the list that the quorum is to unlock for, in the present unlocking.
    pub approved: BTreeSet<u8>,
    /// Shares whose custodians gave the last head of the chain from their own paper.
    pub headed: BTreeSet<u8>,
}

/// An operation that custodians unlock a key for: complete, and fixed before the first share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Prepared {
    /// The step that will sign it.
    pub step: String,
    pub operation: Operation,
    pub digest: Digest,
}

/// How far the unlocking of a standing authority has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Unlocking {
    /// Reserved, hexadecimal, by the step whose certificate carries it.
    pub serials: BTreeMap<String, String>,
    /// How many people have looked at what comes.
    pub answered: u32,
    pub list: Vec<Prepared>,
}

/// A generation that was never live, or no longer is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Retired {
    pub quorum: String,
    pub generation: u8,
    pub id: String,
    pub exception: u32,
    pub time: Instant,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuthorityState {
    pub public_key: PublicKey,
    pub quorum: String,
    pub generation: u8,
    /// Name and digest of the sealed key file.
    pub sealed_name: String,
    pub sealed: Digest,
    /// Whether the present strongroom holds the key.
    pub open: bool,
    /// DER of the certificate, hexadecimal, once issued.
    pub certificate: String,
    pub crl_number: u64,
    /// DER of the latest list, hexadecimal; empty before the first.
    pub crl: String,
    /// What it certified.
    pub issued: Vec<Issued>,
    /// Serial numbers reserved so far.
    pub serials: u32,
}

/// One person's agreement at the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Agreement {
    pub person: String,
    pub agree: bool,
    pub remark: String,
}

/// A medium that was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MediumState {
    pub files: u32,
    /// Absent in records from before media had ids.
    pub written: Option<WrittenMedium>,
}

/// A certificate request that came in, and that people compared with what its owner read out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RequestState {
    /// DER, hexadecimal.
    pub der: String,
    /// Of the DER.
    pub sha256: Digest,
}

/// Another object that came in and was compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ObjectState {
    /// A word of [`crate::transfer::envelope::Kind`].
    pub kind: String,
    /// The content, hexadecimal; DER of what came as PEM.
    pub octets: String,
    /// Of these octets.
    pub sha256: Digest,
}

/// A collection of requests that was judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct JudgedState {
    /// SHA-256 of the factory's signed statement, and of the order.
    pub statement: Digest,
    pub order: Digest,
    pub factory: String,
    pub found: Found,
    /// Whether people looked at it and it goes on.
    pub agreed: bool,
    /// SHA-256 of the list of device keys, these included.
    pub device_keys: Digest,
}

/// What came in and is not compared yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Incoming {
    /// For people: kind, name in its envelope, octets, how it came.
    pub shown: String,
    /// SHA-256 of the envelope.
    pub envelope: Digest,
    /// SHA-256 of the content as it came.
    pub content: Digest,
    /// DER, or the content where it is none; hexadecimal.
    pub octets: String,
    /// SHA-256 of these octets: what people compare. It is not on the screen before it was typed.
    pub sha256: Digest,
}

/// Where a step stands; forgotten when the step is done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Local {
    /// How many moments of the step are behind us.
    pub moment: u32,
    /// How many people of the present moment have answered.
    pub answered: u32,
    /// Exceptions opened in this step since what they are about was last looked at; each excuses one thing.
    pub excepted: u32,
    pub operation: Option<Operation>,
    pub digest: Option<Digest>,
    /// Content waiting to be written, e.g. a certificate as PEM.
    pub content: String,
    /// What came in, until it is compared.
    pub incoming: Option<Incoming>,
    /// What stands for the answer to a challenge that left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub challenge: Option<Digest>,
    /// What was found of a receipt's outcomes; inside it nothing where only numbers came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accounted: Option<Option<Account>>,
    /// What was found of an issuance log, and when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logged: Option<(Instant, LogFound)>,
}

/// Something that must be settled before the step goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "interruption", rename_all = "kebab-case")]
pub enum Interruption {
    /// The first ceremony of a chain: two people confirm the governance folder from paper.
    Governance { words: String, confirmed: u32 },
    Paused {
        why: String,
        since: Instant,
        /// How many people want to go on: it takes two.
        back: u32,
    },
    /// An effect did not happen.
    Failed { what: String, reason: String },
    /// A resume: two people give the last head they noted; then, where an intent has no outcome, it is asked about.
    Resuming { last_head: Digest, noted: Vec<String>, lost: Option<String> },
    /// A generation not wholly proven when its strongroom ended.
    Voiding { quorum: String, generation: u8 },
}

/// The governance folder of a chain's first ceremony, until two people have typed its words from paper.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GovernanceToConfirm {
    pub words: String,
    /// How many people have.
    pub confirmed: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Finish {
    Closed,
    Aborted,
    /// The front end left; the record can be resumed.
    Left,
}

/// The whole state of a ceremony.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct State {
    pub opened: bool,
    /// Position of the present step in the plan.
    pub step: usize,
    pub begun: bool,
    pub local: Local,
    pub signers: Vec<Signer>,
    pub findings: Vec<Finding>,
    pub present: BTreeMap<String, Instant>,
    pub quorums: BTreeMap<String, QuorumState>,
    pub retired: Vec<Retired>,
    pub authorities: BTreeMap<String, AuthorityState>,
    pub artifacts: BTreeMap<String, Digest>,
    pub media: BTreeMap<String, MediumState>,
    /// Certificate requests by the name their step gives them.
    pub requests: BTreeMap<String, RequestState>,
    /// Everything else that came in, likewise.
    pub objects: BTreeMap<String, ObjectState>,
    /// Factories that are enrolled, with what was sealed to them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub factories: BTreeMap<String, StandingFactory>,
    /// Requests that were judged, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub judged: BTreeMap<String, JudgedState>,
    /// SHA-256 of the list of device keys that the chain has certified from requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_keys: Option<Digest>,
    pub burnt: Vec<String>,
    /// Lists being unlocked for, or unlocked, by authority.
    pub unlocking: BTreeMap<String, Unlocking>,
    /// Public keys the chain has made or certified.
    pub keys: BTreeSet<Digest>,
    pub exceptions: Vec<Sheet>,
    pub run_keys: Vec<String>,
    pub run_key_live: bool,
    /// Strongroom sessions opened so far.
    pub sessions: u32,
    pub strongroom: bool,
    /// An intent whose outcome has not come.
    pub waiting: Option<Effect>,
    /// What came up between steps; asked through [`State::due`].
    pub interruption: Option<Interruption>,
    /// Outlives every interruption, failure and resume: nothing begins before it is settled.
    pub governance: Option<GovernanceToConfirm>,
    /// Positions of the steps that an exception skipped.
    pub skipped: BTreeSet<usize>,
    pub agreements: Vec<Agreement>,
    pub refusal: Option<String>,
    /// First eight digits of every head so far, by entry number.
    pub heads: Vec<String>,
    pub serials: u32,
    /// Hexadecimal, once revealed.
    pub serial_seed: String,
    pub finished: Option<Finish>,
}

impl State {
    /// Takes up what an earlier ceremony left: its quorums live, its keys closed.
    pub fn take_up(&mut self, standing: &Standing) {
        for (name, made) in &standing.quorums {
            let count = u8::try_from(made.commitments.len()).unwrap_or(u8::MAX);
            self.quorums.insert(
                name.clone(),
                QuorumState {
                    generation: made.generation,
                    id: made.id.clone(),
                    recipient: made.recipient.clone(),
                    threshold: made.threshold,
                    count,
                    commitments: made.commitments.clone(),
                    shown: (1..=count).collect(),
                    proven: (1..=count).collect(),
                    typed: BTreeSet::new(),
                    consistent: true,
                    approved: BTreeSet::new(),
                    headed: BTreeSet::new(),
                },
            );
            self.retired.extend(made.retired.iter().map(|retired| Retired {
                quorum: name.clone(),
                generation: retired.generation,
                id: retired.id.clone(),
                exception: 0,
                time: retired.time,
            }));
        }
        for (name, made) in &standing.authorities {
            let list = crate::basics::digest::hex_decode(&made.crl);
            let list = list.and_then(|der| crate::pki::CertificateList::parse(&der).ok());
            self.authorities.insert(
                name.clone(),
                AuthorityState {
                    public_key: made.public_key.clone(),
                    quorum: made.quorum.clone(),
                    generation: made.generation,
                    sealed_name: made.sealed_name.clone(),
                    sealed: made.sealed,
                    open: false,
                    certificate: made.certificate.clone(),
                    crl_number: list.map_or(0, |list| list.number()),
                    crl: made.crl.clone(),
                    issued: made.issued.clone(),
                    serials: 0,
                },
            );
        }
        self.keys.extend(standing.keys.iter().copied());
        self.factories.clone_from(&standing.factories);
        self.device_keys = standing.device_keys;
    }

    /// A list that was unlocked for is void with the key: its serials are burnt, and it is fixed and approved anew.
    pub fn void_lists(&mut self) {
        for unlocking in std::mem::take(&mut self.unlocking).into_values() {
            self.burnt.extend(unlocking.serials.into_values());
        }
        for quorum in self.quorums.values_mut() {
            quorum.approved.clear();
            quorum.headed.clear();
        }
    }

    /// A step was skipped: what was approved towards opening a key that is still closed was approved for a list that holds that
    /// step. No share, approval or head given for one list counts for another.
    pub fn abandon_unlocking(&mut self) {
        let closed = |state: &Self, name: &String| state.authorities.get(name).is_none_or(|made| !made.open);
        let names: Vec<String> = self.unlocking.keys().filter(|name| closed(self, name)).cloned().collect();
        for unlocking in names.iter().filter_map(|name| self.unlocking.remove(name)).collect::<Vec<_>>() {
            self.burnt.extend(unlocking.serials.into_values());
        }
        for quorum in self.quorums.values_mut().filter(|quorum| quorum.consistent) {
            quorum.typed.clear();
            quorum.approved.clear();
            quorum.headed.clear();
        }
    }

    /// What must be settled before the step goes on: what came up last, then the governance folder.
    #[must_use]
    pub fn due(&self) -> Option<Interruption> {
        self.interruption.clone().or_else(|| {
            self.governance.as_ref().map(|governance| Interruption::Governance {
                words: governance.words.clone(),
                confirmed: governance.confirmed,
            })
        })
    }
}
