//! Row 6: the inventory of keys, certificates, serial numbers, quorums and shares, over many ceremonies. Everything in it is a
//! projection of transcripts and can be rebuilt from them; rows are only ever added.

mod bundles;
mod delegated;
mod factories;
pub mod projection;
pub mod schema;

pub use bundles::{BundleReport, FindingReport, RevokedReport};
pub use delegated::DelegatedReport;

use crate::basics::{Digest, SafeText};
use crate::transcript::Record;
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Why the ledger refuses.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    #[error("{}: expected a ledger, found no file", .0.display())]
    Missing(PathBuf),
    #[error("{}: expected a ledger, which is one file, found a folder", .0.display())]
    Folder(PathBuf),
    #[error("{}: expected no file, found one; a ledger is never overwritten", .0.display())]
    Exists(PathBuf),
    #[error("{}: expected a ledger of this program, version {expected}, found {found}", path.display())]
    Version { path: PathBuf, expected: i64, found: i64 },
    #[error("serial {0} is in the ledger already: it is never used twice")]
    SerialUsed(String),
    #[error("this approval has been used by run {0} already; every run needs its own")]
    ApprovalUsed(String),
    #[error("ceremony {0} has run already, by this ledger; every ceremony has an id of its own")]
    CeremonyRun(String),
    #[error(
        "the ledger knows entry {seq} of ceremony {ceremony} with another head, and the record says otherwise or ends before it"
    )]
    OtherRecord { ceremony: String, seq: u32 },
    #[error(
        "the ceremony that this one follows has been followed by {0} already, by this ledger: go on from that one, which may have issued since"
    )]
    Followed(String),
    #[error("ledger: {0}; make another from the records with `ledger rebuild`")]
    Strange(String),
    #[error("ledger: {0}")]
    Database(#[from] rusqlite::Error),
}

/// An open ledger.
pub struct Ledger {
    pub(crate) connection: Connection,
    pub(crate) projector: projection::Projector,
    /// Where what is projected comes from: `run`, or for a rebuilt ledger `pinned` or `unpinned`.
    pub(crate) source: &'static str,
}

/// One row of a report, by column name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Table {
    pub columns: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

impl Ledger {
    /// Makes a new ledger file.
    ///
    /// # Errors
    /// Where a file is there already.
    pub fn init(path: &Path) -> Result<Self, LedgerError> {
        // A link to nowhere is something too: SQLite would make what it points to.
        if path.symlink_metadata().is_ok() {
            return Err(LedgerError::Exists(path.to_owned()));
        }
        let connection = Connection::open(path)?;
        schema::configure(&connection)?;
        schema::create(&connection)?;
        Ok(Self { connection, projector: projection::Projector::default(), source: "run" })
    }

    /// Opens an existing ledger; never creates one by accident.
    ///
    /// # Errors
    /// Where it is missing or of another version.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        if path.is_dir() {
            return Err(LedgerError::Folder(path.to_owned()));
        }
        if !path.is_file() {
            return Err(LedgerError::Missing(path.to_owned()));
        }
        // A database of somebody else, or an empty file, is looked at and not touched.
        let looked_at =
            Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        let found: i64 = looked_at.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        drop(looked_at);
        if found != schema::VERSION {
            return Err(LedgerError::Version { path: path.to_owned(), expected: schema::VERSION, found });
        }
        let connection =
            Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        schema::configure(&connection)?;
        Ok(Self { connection, projector: projection::Projector::default(), source: "run" })
    }

    /// Notes that a serial number is reserved by an entry that is already durable.
    ///
    /// # Errors
    /// Where any ceremony of this ledger has reserved it before, other than this very entry.
    pub fn reserve(&mut self, ceremony: &str, serial: &str, index: u32) -> Result<(), LedgerError> {
        let holder: Option<(String, u32)> = self
            .connection
            .query_row("SELECT ceremony, idx FROM serials WHERE serial = ?1", params![serial], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?;
        match holder {
            Some((by, at)) if by != ceremony || at != index => Err(LedgerError::SerialUsed(serial.to_owned())),
            Some(_) => Ok(()),
            None => {
                self.connection.execute(
                    "INSERT INTO serials (serial, ceremony, idx) VALUES (?1, ?2, ?3)",
                    params![serial, ceremony, index],
                )?;
                Ok(())
            }
        }
    }

    /// Whether an approval has been used, and by which ceremony.
    ///
    /// # Errors
    /// Where it has.
    pub fn approval_unused(&self, approval: &Digest) -> Result<(), LedgerError> {
        let used: Option<String> = self
            .connection
            .query_row("SELECT ceremony FROM ceremonies WHERE approval = ?1", params![approval.hex()], |row| row.get(0))
            .optional()?;
        used.map_or(Ok(()), |ceremony| Err(LedgerError::ApprovalUsed(ceremony)))
    }

    /// From here on what is projected was read from evidence, whose signers were pinned or not.
    pub const fn rebuilding(&mut self, pinned: bool) {
        self.source = if pinned { "pinned" } else { "unpinned" };
    }

    /// Whether every line that this ledger knows of a ceremony is in the record, with the same head.
    ///
    /// # Errors
    /// The first that is not: lines were cut off or exchanged.
    pub fn knows_no_more_than(&self, record: &Record) -> Result<(), LedgerError> {
        let ceremony = &record.header.ceremony;
        let mut known = self.connection.prepare("SELECT seq, head FROM heads WHERE ceremony = ?1 ORDER BY seq")?;
        let rows = known.query_map(params![ceremony], |row| Ok((row.get::<_, u32>(0)?, row.get::<_, String>(1)?)))?;
        for row in rows {
            let (seq, head) = row?;
            // Line 0 is the header: the first `seq + 1` lines end with entry `seq`.
            if record.head_at(seq as usize + 1).map(|head| head.hex()) != Some(head) {
                return Err(LedgerError::OtherRecord { ceremony: ceremony.clone(), seq });
            }
        }
        Ok(())
    }

    /// Whether no ceremony of this id has begun under this ledger.
    ///
    /// # Errors
    /// Where one has: its serials and its lines would be taken for this one's.
    pub fn ceremony_is_new(&self, ceremony: &str) -> Result<(), LedgerError> {
        let known: bool = self.connection.query_row(
            "SELECT EXISTS (SELECT 1 FROM ceremonies WHERE ceremony = ?1)",
            params![ceremony],
            |row| row.get(0),
        )?;
        if known { Err(LedgerError::CeremonyRun(ceremony.to_owned())) } else { Ok(()) }
    }

    /// Whether no ceremony that this ledger knows goes on from a head: a chain has no two branches.
    ///
    /// # Errors
    /// Where one does: what it issued would be issued again, under the same numbers.
    pub fn followed_by_none(&self, last_head: &str) -> Result<(), LedgerError> {
        let known: Option<String> = self
            .connection
            .query_row("SELECT ceremony FROM ceremonies WHERE previous = ?1", params![last_head], |row| row.get(0))
            .optional()?;
        known.map_or(Ok(()), |ceremony| Err(LedgerError::Followed(ceremony)))
    }

    /// The governance digest of the production ceremony whose record ended at a head; `None` where this ledger knows no such end.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn governance_at(&self, last_head: &str) -> Result<Option<String>, LedgerError> {
        Ok(self
            .connection
            .query_row(
                "SELECT c.governance FROM heads h JOIN ceremonies c ON c.ceremony = h.ceremony WHERE h.head = ?1 \
                 AND c.realm = 'production' AND c.source != 'unpinned' AND h.seq = (SELECT max(seq) FROM heads l WHERE l.ceremony = h.ceremony)",
                params![last_head],
                |row| row.get(0),
            )
            .optional()?)
    }

    /// The ceremonies that this ledger knows, in the order in which they came in.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn ceremonies(&self) -> Result<Vec<String>, LedgerError> {
        let mut statement = self.connection.prepare("SELECT ceremony FROM ceremonies ORDER BY rowid")?;
        let rows = statement.query_map([], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// A report: `keys`, `certificates`, `quorums` or `shares`.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn report(&self, which: Report) -> Result<Table, LedgerError> {
        let mut statement = self.connection.prepare(&which.query())?;
        let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let count = columns.len();
        let rows = statement.query_map([], |row| {
            (0..count)
                .map(|i| {
                    let value: rusqlite::types::Value = row.get(i)?;
                    Ok(match value {
                        rusqlite::types::Value::Integer(n) => n.to_string(),
                        rusqlite::types::Value::Text(text) => SafeText::of(&text).to_string(),
                        _ => String::new(),
                    })
                })
                .collect::<Result<Vec<String>, rusqlite::Error>>()
        })?;
        Ok(Table { columns, rows: rows.collect::<Result<_, _>>()? })
    }
}

const KEYS: &str = "SELECT k.authority, k.algorithm, k.strength, substr(k.retires, 1, 10) AS retires, substr(k.public_key_sha256, 1, 16) AS key, \
     k.quorum, k.generation, k.sealed_to, \
     CASE WHEN EXISTS (SELECT 1 FROM voided v WHERE v.ceremony = k.ceremony AND v.quorum = k.quorum AND v.generation = k.generation) THEN 'voided' \
          WHEN EXISTS (SELECT 1 FROM issued i WHERE i.ceremony = k.ceremony AND i.authority = k.authority) THEN 'certified' ELSE 'made' END AS state, \
     k.ceremony, k.realm FROM keys k";

/// What the ledger reports on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report {
    Keys,
    /// Keys that a large quantum computer would forge with, or whose sealed file it would open.
    QuantumVulnerableKeys,
    Certificates,
    Quorums,
    Shares,
}

impl Report {
    fn query(self) -> String {
        match self {
            Report::Keys => format!("{KEYS} ORDER BY k.rowid"),
            Report::QuantumVulnerableKeys => {
                format!("{KEYS} WHERE k.quantum = 'vulnerable' OR k.sealed_to = 'x25519' ORDER BY k.rowid")
            }
            Report::Certificates => {
                "SELECT s.serial, CASE WHEN i.serial IS NOT NULL THEN 'issued' WHEN EXISTS (SELECT 1 FROM burnt b WHERE b.serial = s.serial) \
                 THEN 'burnt' ELSE 'reserved' END AS state, \
                 coalesce(i.authority, '') AS authority, coalesce(i.not_after, '') AS not_after, s.ceremony \
                 FROM serials s LEFT JOIN issued i ON i.serial = s.serial ORDER BY s.rowid".to_owned()
            }
            Report::Quorums => {
                "SELECT q.name, q.generation, q.threshold || ' of ' || q.count AS needs, \
                 (SELECT count(DISTINCT idx) FROM proofs p WHERE p.ceremony = q.ceremony AND p.quorum = q.name AND p.generation = q.generation) AS proven, \
                 CASE WHEN EXISTS (SELECT 1 FROM voided v WHERE v.ceremony = q.ceremony AND v.quorum = q.name AND v.generation = q.generation) THEN 'voided' \
                      WHEN EXISTS (SELECT 1 FROM live l WHERE l.ceremony = q.ceremony AND l.quorum = q.name) THEN 'live' ELSE 'not live' END AS state, \
                 q.ceremony, q.realm FROM quorums q ORDER BY q.rowid".to_owned()
            }
            // A share is with its holder from its proof on; of a voided generation the record says that cards were to be destroyed.
            Report::Shares => {
                "SELECT s.quorum, s.generation, s.idx AS share, s.holder, \
                 CASE WHEN EXISTS (SELECT 1 FROM voided v WHERE v.ceremony = s.ceremony AND v.quorum = s.quorum AND v.generation = s.generation) \
                 THEN 'voided, card to be destroyed' \
                 WHEN EXISTS (SELECT 1 FROM proofs p WHERE p.ceremony = s.ceremony AND p.quorum = s.quorum AND p.generation = s.generation AND p.idx = s.idx) \
                 THEN 'proven, with its holder' ELSE 'shown, not proven' END AS state, s.ceremony \
                 FROM shown s ORDER BY s.rowid".to_owned()
            }
        }
    }
}
