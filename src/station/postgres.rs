//! The store in a PostgreSQL database, for a station that serves many lines over a network. Only in a program built with the feature
//! `postgres`, which leads no ceremonies: this one can open sockets.
//!
//! The same tables and rules as the file. A commit counts when the server has made it durable: asynchronous commit, `fsync = off` and torn
//! pages are refused. Which server it is (system identifier, timeline, database) is part of what the anchor knows, so a fail-over or a restored
//! server is refused until reconciled. Sealed records only: keys stay in the station's folder, on each line's host.
//!
//! The chain has one head, and its row is what serialises: a draw looks at bundles and counts first, then takes the head, and holds it for
//! two ways to the server and back: the last writes go with the COMMIT. Rows are not skipped (SKIP LOCKED) where another has them: the
//! first released identity must be the next, or reconciling a server that was put back could leave one within reach that was given out.
//!
//! The client is ours, on `postgres-protocol` (messages and SCRAM of the rust-postgres project, no I/O): the crate `postgres` brings tokio, `libpq`
//! needs `unsafe`. It speaks over a Unix socket or to this host only, because it has no TLS: a server elsewhere is reached through a tunnel.

mod client;
mod transaction;

use crate::basics::{SafeText, Secret, limits};
use crate::devices::durable_file;
use crate::station::StationError;
use crate::station::home::PASSWORD;
use crate::station::store::{Store, Transaction};
use client::Client;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

// Counts are kept a statement at a time: one row written once for each identity of an import would leave that many dead versions of it.
const TABLES: &str = "
CREATE TABLE ledger (seq BIGINT PRIMARY KEY, body BYTEA NOT NULL, head BYTEA NOT NULL);
CREATE TABLE ledger_end (one INT PRIMARY KEY CHECK (one = 1), seq BIGINT NOT NULL, head BYTEA NOT NULL);
CREATE TABLE bundles (bundle TEXT PRIMARY KEY, seq BIGINT NOT NULL UNIQUE, manifest BYTEA NOT NULL, ordered BYTEA NOT NULL,
  product TEXT NOT NULL, sku TEXT NOT NULL, recipient TEXT NOT NULL, count BIGINT NOT NULL, expires BIGINT NOT NULL,
  nonce BYTEA NOT NULL, by_device BOOLEAN NOT NULL);
CREATE TABLE identities (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, bundle TEXT NOT NULL REFERENCES bundles, shard BIGINT NOT NULL,
  idx BIGINT NOT NULL, device TEXT NOT NULL, record BYTEA NOT NULL UNIQUE, start BIGINT NOT NULL, octets BIGINT NOT NULL,
  state TEXT NOT NULL, line BIGINT NOT NULL, since BIGINT NOT NULL, spki BYTEA NOT NULL);
CREATE INDEX identity_device ON identities (device);
CREATE INDEX identity_sealed ON identities (bundle, id) WHERE state = 'sealed';
CREATE INDEX identity_released ON identities (bundle, id) WHERE state = 'released';
CREATE INDEX identity_verified ON identities (bundle, id) WHERE state = 'verified';
CREATE TABLE tally (bundle TEXT NOT NULL, state TEXT NOT NULL, line BIGINT NOT NULL, count BIGINT NOT NULL, PRIMARY KEY (bundle, state, line));
CREATE TABLE proofs (id BIGINT PRIMARY KEY REFERENCES identities, signature BYTEA NOT NULL);
CREATE TABLE refusals (class TEXT PRIMARY KEY, count BIGINT NOT NULL);
CREATE TABLE owned (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE FUNCTION station_refuses() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the ledger only grows, and an identity is never forgotten'; END $$;
CREATE FUNCTION station_given_once() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (NEW.state = 'released' AND OLD.state <> 'sealed') OR NEW.state = 'sealed' THEN RAISE EXCEPTION 'an identity is never offered twice'; END IF;
  RETURN NEW; END $$;
CREATE FUNCTION station_tally_new() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO tally SELECT bundle, state, line, count(*) FROM added GROUP BY bundle, state, line
    ON CONFLICT (bundle, state, line) DO UPDATE SET count = tally.count + excluded.count;
  RETURN NULL; END $$;
CREATE FUNCTION station_tally_moved() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  UPDATE tally SET count = tally.count - gone.n FROM (SELECT bundle, state, line, count(*) AS n FROM before GROUP BY bundle, state, line) AS gone
    WHERE tally.bundle = gone.bundle AND tally.state = gone.state AND tally.line = gone.line;
  INSERT INTO tally SELECT bundle, state, line, count(*) FROM added GROUP BY bundle, state, line
    ON CONFLICT (bundle, state, line) DO UPDATE SET count = tally.count + excluded.count;
  RETURN NULL; END $$;
CREATE TRIGGER ledger_grows BEFORE UPDATE OR DELETE ON ledger FOR EACH ROW EXECUTE FUNCTION station_refuses();
CREATE TRIGGER identity_stays BEFORE DELETE ON identities FOR EACH ROW EXECUTE FUNCTION station_refuses();
CREATE TRIGGER identity_given_once BEFORE UPDATE OF state ON identities FOR EACH ROW EXECUTE FUNCTION station_given_once();
CREATE TRIGGER tally_new AFTER INSERT ON identities REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION station_tally_new();
CREATE TRIGGER tally_moved AFTER UPDATE ON identities REFERENCING OLD TABLE AS before NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION station_tally_moved();
";

/// Which identity a hardware id is of. Stores made before there were hardware ids get it when they are opened.
const HARDWARE: &str =
    "CREATE TABLE hardware (name TEXT NOT NULL, id BIGINT NOT NULL REFERENCES identities, PRIMARY KEY (name, id));";

/// The tables above; `owned` says which.
const VERSION: &str = "1";

/// What the server must say of itself, or a commit that was acknowledged can be gone.
const MUST: [(&str, &[&str]); 3] =
    [("synchronous_commit", &["on", "remote_apply"]), ("fsync", &["on"]), ("full_page_writes", &["on"])];

/// A connection to the database.
pub struct PostgresStore {
    client: Client,
}

impl PostgresStore {
    /// Makes the tables in an empty database.
    ///
    /// # Errors
    /// Where the server is not there, commits asynchronously, or the database has tables of anybody's already.
    pub fn create(address: &str, folder: &Path, first: &[(&str, &str)]) -> Result<Self, StationError> {
        let mut store = Self::connect(address, folder)?;
        let there = store.client.rows("SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()", &[])?;
        if client::number(&there, 0, 0)? != 0 {
            return Err(StationError::Configuration {
                what: "database",
                problem: "expected an empty one, found tables; a station is never overwritten".to_owned(),
            });
        }
        // All of it or nothing: a database with half the tables would be nobody's.
        store.client.batch(&format!("BEGIN; {TABLES} {HARDWARE}"))?;
        for (name, value) in first.iter().chain(&[("tables", VERSION)]) {
            store.client.rows("INSERT INTO owned VALUES ($1, $2)", &[name, value])?;
        }
        let start = first.iter().find(|(name, _)| *name == "start").map_or("", |(_, value)| value);
        store.client.rows("INSERT INTO ledger_end VALUES (1, 0, decode($1, 'hex'))", &[start])?;
        store.client.commit()?;
        Ok(store)
    }

    /// Connects to a station's database.
    ///
    /// # Errors
    /// As [`PostgresStore::create`], and where its tables are not a station's of this program.
    pub fn open(address: &str, folder: &Path) -> Result<Self, StationError> {
        let mut store = Self::connect(address, folder)?;
        let mut found = "none".to_owned();
        let there = store
            .client
            .rows("SELECT (to_regclass('owned') IS NOT NULL AND to_regclass('ledger_end') IS NOT NULL)::text", &[])?;
        if client::text(&there, 0, 0)? == "true" {
            let said = store.client.rows("SELECT value FROM owned WHERE name = 'tables'", &[])?;
            found = if said.is_empty() { "others".to_owned() } else { client::text(&said, 0, 0)? };
        }
        if found == VERSION {
            let there = store.client.rows("SELECT (to_regclass('hardware') IS NOT NULL)::text", &[])?;
            if client::text(&there, 0, 0)? != "true" {
                store.client.batch(HARDWARE)?;
            }
            return Ok(store);
        }
        Err(StationError::Server(format!(
            "expected the tables of a station of this program, version {VERSION}, found {}",
            SafeText::cut(&found, 40)
        )))
    }

    fn connect(address: &str, folder: &Path) -> Result<Self, StationError> {
        let mut client = Client::connect(address, password(&folder.join(PASSWORD))?)?;
        for (setting, expected) in MUST {
            let found = client.rows(&format!("SHOW {setting}"), &[])?;
            let found = client::text(&found, 0, 0)?;
            must(setting, expected, &found)?;
            if setting == "synchronous_commit" {
                // Kept for this connection, whatever the server is told to do meanwhile.
                client.batch(&format!("SET synchronous_commit TO {found}"))?;
            }
        }
        Ok(Self { client })
    }
}

fn must(setting: &str, expected: &[&str], found: &str) -> Result<(), StationError> {
    if expected.contains(&found) {
        return Ok(());
    }
    let found = SafeText::cut(found, 40);
    Err(StationError::Server(format!("expected {setting} to be {}, found {found}", expected.join(" or "))))
}

/// Empty where there is no file.
fn password(path: &Path) -> Result<Secret, StationError> {
    let Ok(seen) = path.symlink_metadata() else { return Ok(Secret::take(Vec::new())) };
    let mode = seen.mode() & 0o777;
    if mode & 0o077 != 0 {
        let problem = format!("expected it readable by its owner only (0600), found {mode:04o}");
        return Err(StationError::Configuration { what: PASSWORD, problem });
    }
    Ok(Secret::take(durable_file::read(path, limits::SMALL_FILE_OCTETS)?))
}

impl Store for PostgresStore {
    fn begin(&mut self) -> Result<Box<dyn Transaction + '_>, StationError> {
        self.client.batch_later("BEGIN")?;
        let transaction = transaction::PostgresTransaction { client: &mut self.client, committed: false, locks: true };
        Ok(Box::new(transaction))
    }

    fn view(&mut self) -> Result<Box<dyn Transaction + '_>, StationError> {
        self.client.batch_later("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")?;
        let transaction = transaction::PostgresTransaction { client: &mut self.client, committed: false, locks: false };
        Ok(Box::new(transaction))
    }

    fn one_at_a_time(&self) -> bool {
        false
    }

    fn identity(&mut self) -> Result<String, StationError> {
        let found = self.client.rows(
            "SELECT CASE WHEN pg_is_in_recovery() THEN 'standby' ELSE \
             system_identifier::text || '-' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) || '-' || \
             (SELECT oid::text FROM pg_database WHERE datname = current_database()) END, current_setting('synchronous_commit'), \
             current_setting('fsync'), current_setting('full_page_writes') FROM pg_control_system()",
            &[],
        )?;
        // Asked each time: a running server can be told to sync no more.
        for (at, (setting, expected)) in MUST.into_iter().enumerate() {
            must(setting, expected, client::cell(&found, 0, at + 1)?)?;
        }
        match client::cell(&found, 0, 0)? {
            // It has everything, and may be promoted at any moment; until then it is not the one that counts.
            "standby" => Err(StationError::Server("the server only reads: it is a standby".to_owned())),
            known => Ok(known.to_owned()),
        }
    }
}
