//! The store in one SQLite file.
//!
//! WAL with `synchronous=EXTRA`: of the settings measured under power cuts (THREATS: WAL+FULL and WAL+EXTRA lost nothing that was
//! acknowledged, DELETE+FULL and WAL+NORMAL did), it is the one with a single sync a commit, and readers such as `status` never stop a line.
//! WAL needs its shared memory, so the file lies on a local disk: network file systems are refused.

mod transaction;

use crate::devices::durable_file::{self, FileError};
use crate::station::StationError;
use crate::station::store::{Store, Transaction};
use rusqlite::{Connection, OpenFlags};
use std::path::{Path, PathBuf};

const VERSION: i64 = 1;

/// Magic numbers of file systems that other machines write to: NFS, SMB, CIFS, SMB2, AFS, Ceph, 9P, FUSE (sshfs).
const NETWORK: [u64; 8] =
    [0x6969, 0x517b, 0xff53_4d42, 0xfe53_4d42, 0x5346_414f, 0x00c3_6400, 0x0102_1997, 0x6573_5546];

const TABLES: &str = "
CREATE TABLE ledger (seq INTEGER NOT NULL PRIMARY KEY, body BLOB NOT NULL, head BLOB NOT NULL) STRICT;
CREATE TABLE bundles (bundle TEXT NOT NULL PRIMARY KEY, seq INTEGER NOT NULL UNIQUE, manifest BLOB NOT NULL, ordered BLOB NOT NULL,
  product TEXT NOT NULL, sku TEXT NOT NULL, recipient TEXT NOT NULL, count INTEGER NOT NULL, expires INTEGER NOT NULL,
  nonce BLOB NOT NULL, by_device INTEGER NOT NULL) STRICT;
CREATE TABLE identities (id INTEGER NOT NULL PRIMARY KEY, bundle TEXT NOT NULL REFERENCES bundles (bundle), shard INTEGER NOT NULL,
  idx INTEGER NOT NULL, device TEXT NOT NULL, record BLOB NOT NULL, spki BLOB NOT NULL,
  start INTEGER NOT NULL, octets INTEGER NOT NULL, state TEXT NOT NULL, line INTEGER NOT NULL, since INTEGER NOT NULL) STRICT;
CREATE UNIQUE INDEX identity_record ON identities (record);
CREATE INDEX identity_device ON identities (device);
CREATE INDEX identity_sealed ON identities (bundle, id) WHERE state = 'sealed';
CREATE INDEX identity_released ON identities (bundle, id) WHERE state = 'released';
CREATE INDEX identity_verified ON identities (bundle, id) WHERE state = 'verified';
CREATE TABLE tally (bundle TEXT NOT NULL, state TEXT NOT NULL, line INTEGER NOT NULL, count INTEGER NOT NULL,
  PRIMARY KEY (bundle, state, line)) STRICT, WITHOUT ROWID;
CREATE TABLE proofs (id INTEGER NOT NULL PRIMARY KEY REFERENCES identities (id), signature BLOB NOT NULL) STRICT;
CREATE TABLE refusals (class TEXT NOT NULL PRIMARY KEY, count INTEGER NOT NULL) STRICT;
CREATE TABLE owned (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TRIGGER ledger_no_update BEFORE UPDATE ON ledger BEGIN SELECT RAISE(ABORT, 'the ledger only grows'); END;
CREATE TRIGGER ledger_no_delete BEFORE DELETE ON ledger BEGIN SELECT RAISE(ABORT, 'the ledger only grows'); END;
CREATE TRIGGER identity_stays BEFORE DELETE ON identities BEGIN SELECT RAISE(ABORT, 'an identity is never forgotten'); END;
CREATE TRIGGER identity_given_once BEFORE UPDATE OF state ON identities
  WHEN (NEW.state = 'released' AND OLD.state <> 'sealed') OR NEW.state = 'sealed'
  BEGIN SELECT RAISE(ABORT, 'an identity is never offered twice'); END;
CREATE TRIGGER tally_new AFTER INSERT ON identities BEGIN
  INSERT INTO tally VALUES (NEW.bundle, NEW.state, NEW.line, 1) ON CONFLICT DO UPDATE SET count = count + 1; END;
CREATE TRIGGER tally_moved AFTER UPDATE OF state, line ON identities BEGIN
  UPDATE tally SET count = count - 1 WHERE bundle = OLD.bundle AND state = OLD.state AND line = OLD.line;
  INSERT INTO tally VALUES (NEW.bundle, NEW.state, NEW.line, 1) ON CONFLICT DO UPDATE SET count = count + 1; END;
";

/// Which identity a hardware id is of. Stores made before there were hardware ids get it when they are opened.
const HARDWARE: &str = "
CREATE TABLE IF NOT EXISTS hardware (name TEXT NOT NULL, id INTEGER NOT NULL REFERENCES identities (id), PRIMARY KEY (name, id)) STRICT, WITHOUT ROWID;
";

/// The SQLite file.
pub struct SqliteStore {
    connection: Connection,
    path: PathBuf,
}

impl SqliteStore {
    /// Makes a new store. `first` are values kept for its owner.
    ///
    /// # Errors
    /// Where a file is there already, or on a network file system.
    pub fn create(path: &Path, first: &[(&str, &str)]) -> Result<Self, StationError> {
        if path.symlink_metadata().is_ok() {
            return Err(StationError::Exists(path.to_owned()));
        }
        refuse_network(path.parent().unwrap_or(Path::new(".")))?;
        // Made first, for its mode: SQLite gives its other files the mode of this one.
        durable_file::create(path, &[])?;
        let connection = Connection::open(path)?;
        configure(&connection)?;
        connection.execute_batch(&format!("BEGIN; {TABLES} {HARDWARE} PRAGMA user_version = {VERSION};"))?;
        for (name, value) in first {
            connection.execute("INSERT INTO owned VALUES (?1, ?2)", [name, value])?;
        }
        connection.execute_batch("COMMIT")?;
        Ok(Self { connection, path: path.to_owned() })
    }

    /// Opens a store; never makes one.
    ///
    /// # Errors
    /// Where it is missing or of another version.
    pub fn open(path: &Path) -> Result<Self, StationError> {
        if !path.is_file() {
            return Err(StationError::Missing(path.to_owned()));
        }
        refuse_network(path)?;
        let connection =
            Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        if found != VERSION {
            return Err(StationError::Version { path: path.to_owned(), expected: VERSION, found });
        }
        configure(&connection)?;
        connection.execute_batch(HARDWARE)?;
        Ok(Self { connection, path: path.to_owned() })
    }
}

impl Store for SqliteStore {
    fn begin(&mut self) -> Result<Box<dyn Transaction + '_>, StationError> {
        let transaction = self.connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        Ok(Box::new(transaction::SqliteTransaction { transaction }))
    }

    fn view(&mut self) -> Result<Box<dyn Transaction + '_>, StationError> {
        let transaction = self.connection.transaction_with_behavior(rusqlite::TransactionBehavior::Deferred)?;
        Ok(Box::new(transaction::SqliteTransaction { transaction }))
    }

    fn one_at_a_time(&self) -> bool {
        true
    }

    fn identity(&mut self) -> Result<String, StationError> {
        Ok(crate::station::anchor::file_id(&self.path)?)
    }
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    // Long: processes take turns under the anchor's lock, so only a reader's checkpoint is ever waited for.
    connection.busy_timeout(std::time::Duration::from_secs(30))?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "EXTRA")?;
    connection.pragma_update(None, "trusted_schema", "OFF")?;
    connection.pragma_update(None, "cell_size_check", "ON")?;
    connection.pragma_update(None, "foreign_keys", "ON")?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

fn refuse_network(path: &Path) -> Result<(), StationError> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    let found = rustix::fs::statfs(path).map_err(|cause| FileError {
        path: path.to_owned(),
        what: "looking at its file system",
        cause: cause.into(),
    })?;
    #[allow(clippy::cast_sign_loss, clippy::unnecessary_cast)]
    let kind = found.f_type as u64 & 0xffff_ffff;
    if NETWORK.contains(&kind) { Err(StationError::Network(path.to_owned())) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
