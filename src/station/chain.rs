//! The station's ledger as a chain of entries: canonical JSON, one a line, each with a head over all before it. Pure.
//!
//! ```text
//! head_0 = tagged("station-ledger", realm, [store id])
//! head_n = tagged("station-ledger", realm, [head_n-1, entry_n])          entries count from 1
//! {"seq":3,"time":1795000000000,"what":{"reserved":{"line":3,"record":"9f2c..."}}}
//! ```
//! A record is named by its record digest, which the signed manifest of its bundle covers.

use crate::basics::canonical::{self, CanonicalError};
use crate::basics::{Digest, Instant, Realm, limits};
use crate::station::state::State;
use serde::{Deserialize, Serialize};

const TAG: &str = "station-ledger";

/// Where a ledger stands: how many entries, and the head over them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    pub seq: u64,
    pub head: Digest,
}

impl Position {
    /// Before the first entry of a store.
    #[must_use]
    pub fn start(realm: Realm, store: &str) -> Self {
        Self { seq: 0, head: Digest::tagged(TAG, realm, &[store.as_bytes()]) }
    }

    /// After one more entry.
    #[must_use]
    pub fn after(self, realm: Realm, body: &[u8]) -> Self {
        Self { seq: self.seq + 1, head: Digest::tagged(TAG, realm, &[self.head.octets(), body]) }
    }
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    pub seq: u64,
    pub time: Instant,
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum What {
    /// The store was made, for this factory, with these keys.
    Opened { factory: String, receipt_key: String, recipient: String },
    /// A bundle came in, whole and checked; its records are `sealed`.
    Imported { bundle: String, bundle_seq: u64, count: u64, manifest: Digest, order: Digest, records_root: Digest },
    /// Something was refused: a bundle, a proof. `class` is a word of [`crate::factory::Class`].
    Refused { class: String, detail: String, thing: String },
    /// The first `count` sealed records of a bundle may be drawn: in order, or each by its device id.
    Released { bundle: String, by_device: bool, count: u64 },
    /// A record was given to a line. Durable before it is opened.
    Reserved { line: u32, record: Digest },
    /// A record changed its state by what somebody said.
    Moved { because: String, record: Digest, to: State },
    /// A device has proven that it holds the key of a record; the digest is that of its signature.
    Verified { proof: Digest, record: Digest },
    /// A receipt for a bundle is being signed: each of its `verified` records is `reported` from here on.
    Receipt { bundle: String, number: u64, reported: u64 },
    /// The store was found to be older than it must be, or a copy, and people said why.
    Reconciled { because: String, behind: u64 },
    /// The first `count` released records of a bundle are `lost`: they may have been given out by a history that is gone.
    Withdrawn { bundle: String, count: u64 },
    /// A recipient's identity was destroyed: nothing sealed to it opens again, and what was not drawn of its bundles is `destroyed`.
    Shredded { recipient: String },
    /// Another recipient was made.
    Recipient { recipient: String },
    /// The key that signs element manifests was made; the digest is that of its certificate.
    Signer { certificate: Digest },
}

impl Entry {
    /// The canonical octets.
    ///
    /// # Errors
    /// Where a number is too large for JSON.
    pub fn octets(&self) -> Result<Vec<u8>, CanonicalError> {
        canonical::to_octets(self)
    }

    /// Reads an entry back; it must be canonical.
    ///
    /// # Errors
    /// Where it is not.
    pub fn parse(octets: &[u8]) -> Result<Self, CanonicalError> {
        canonical::parse(octets, limits::STATION_ENTRY_OCTETS)
    }
}
