//! What a store must do, whichever database it is: one transaction at a time, durable when it commits. It holds sealed records and
//! the ledger, decides nothing and opens nothing.

use crate::basics::Digest;
use crate::station::StationError;
use crate::station::chain::Position;
use crate::station::state::State;
use serde::Serialize;

/// An identity as the store knows it: public, and where its sealed record is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Identity {
    /// The order in which identities are drawn, over all bundles.
    pub id: i64,
    pub bundle: String,
    pub shard: u32,
    pub index: u32,
    /// The device id of the record.
    pub device: String,
    /// The record digest: its name in the ledger.
    pub record: Digest,
    /// SubjectPublicKeyInfo of its certificate, for its device's proof.
    #[serde(skip)]
    pub spki: Vec<u8>,
    /// Where the record begins in the opened shard, and how many octets it has.
    pub offset: u64,
    pub octets: u32,
    pub state: State,
    /// 0 where it was never drawn.
    pub line: u32,
    /// When it came into this state, in milliseconds.
    pub since: u64,
    /// Its hardware ids as `hardware::same_for` writes them: given when it is added, never read back.
    #[serde(skip)]
    pub hardware: Vec<String>,
}

/// Which identity of a bundle a draw asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pick<'p> {
    Next,
    /// That of this device id.
    Device(&'p str),
    /// That of the device with this hardware id, as `hardware::same_for` writes it.
    Hardware(&'p str),
}

/// A bundle as the store knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Bundle {
    pub bundle: String,
    pub seq: u64,
    pub manifest: Digest,
    pub order: Digest,
    pub product: String,
    pub sku: String,
    pub recipient: String,
    pub count: u64,
    /// Milliseconds; nothing is drawn from then on.
    pub expires: u64,
    /// From which the nonces of the proofs come.
    pub nonce: Digest,
    /// Drawn by device id, not in order.
    pub by_device: bool,
}

/// How many identities of a bundle are in a state, on a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Count {
    pub bundle: String,
    pub state: State,
    pub line: u32,
    pub count: u64,
}

/// One database.
pub trait Store: Send {
    /// Begins a transaction that may change things. One at a time over all processes.
    ///
    /// # Errors
    /// Where the database does not answer.
    fn begin(&mut self) -> Result<Box<dyn Transaction + '_>, StationError>;

    /// Begins one that only looks, and holds nobody up.
    ///
    /// # Errors
    /// Where the database does not answer.
    fn view(&mut self) -> Result<Box<dyn Transaction + '_>, StationError>;

    /// Whether every change must be made one process at a time under the anchor's lock (a file), or the database lets several in.
    fn one_at_a_time(&self) -> bool;

    /// Which database this is: a word that changes when it is copied, restored or taken over by another server.
    ///
    /// # Errors
    /// Where it cannot be asked.
    fn identity(&mut self) -> Result<String, StationError>;
}

/// One transaction: nothing of it lasts unless it is committed.
pub trait Transaction {
    /// The last entry's position.
    ///
    /// # Errors
    /// Where the database fails; so for all that follow.
    fn position(&mut self) -> Result<Position, StationError>;

    /// Entry `seq` and the head after it, if there are that many; before the first, no octets and the head that all begins with.
    fn entry_at(&mut self, seq: u64) -> Result<Option<(Vec<u8>, Digest)>, StationError>;

    /// Adds an entry.
    fn push(&mut self, position: Position, body: &[u8]) -> Result<(), StationError>;

    /// Entries after `seq`, at most `most`.
    fn entries(&mut self, after: u64, most: usize) -> Result<Vec<(u64, Vec<u8>, Digest)>, StationError>;

    /// The released identity of a bundle that is asked for, kept from every other transaction until this one ends.
    fn first_released(&mut self, bundle: &str, pick: Pick<'_>) -> Result<Option<Identity>, StationError>;

    /// Every identity of this device id or this record, at most eight.
    fn find(&mut self, device_or_record: &str) -> Result<Vec<Identity>, StationError>;

    /// The identities after `after` in drawing order, at most `most`, of one bundle or all.
    fn identities(&mut self, bundle: Option<&str>, after: i64, most: usize) -> Result<Vec<Identity>, StationError>;

    /// Records a state. The caller has checked the move.
    fn set_state(&mut self, id: i64, state: State, line: Option<u32>, since: u64) -> Result<(), StationError>;

    /// Moves the first `most` identities of a bundle from one state to another; says how many there were.
    fn move_first(&mut self, bundle: &str, from: State, to: State, most: u64, since: u64) -> Result<u64, StationError>;

    fn add_bundle(&mut self, bundle: &Bundle) -> Result<(), StationError>;

    /// Adds imported identities in drawing order; their `id`s are given by the store.
    fn add_identities(&mut self, identities: &[Identity]) -> Result<(), StationError>;

    fn set_by_device(&mut self, bundle: &str) -> Result<(), StationError>;

    fn bundles(&mut self) -> Result<Vec<Bundle>, StationError>;

    fn counts(&mut self) -> Result<Vec<Count>, StationError>;

    /// Keeps the signature with which a device proved that it holds its key.
    fn keep_proof(&mut self, id: i64, signature: &[u8]) -> Result<(), StationError>;

    /// The kept proof.
    fn proof(&mut self, id: i64) -> Result<Option<Vec<u8>>, StationError>;

    /// How often each class was refused.
    fn refusals(&mut self) -> Result<Vec<(String, u64)>, StationError>;

    fn add_refusal(&mut self, class: &str) -> Result<(), StationError>;

    /// A small value that a store keeps for its owner.
    fn value(&mut self, name: &str) -> Result<Option<String>, StationError>;

    fn set_value(&mut self, name: &str, value: &str) -> Result<(), StationError>;

    /// Makes all of it last.
    fn commit(self: Box<Self>) -> Result<(), StationError>;
}
