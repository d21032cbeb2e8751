//! The tables, and the settings under which a power cut loses nothing that was acknowledged (THREATS: WAL with FULL or EXTRA
//! held; WAL with NORMAL and DELETE with FULL did not).

use rusqlite::Connection;

pub const VERSION: i64 = 7;

/// Settings of every connection.
///
/// # Errors
/// Where the file is no database.
pub fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "EXTRA")?;
    connection.pragma_update(None, "trusted_schema", "OFF")?;
    connection.pragma_update(None, "foreign_keys", "ON")?;
    Ok(())
}

const TABLES: [&str; 19] = [
    "CREATE TABLE ceremonies (ceremony TEXT NOT NULL PRIMARY KEY, realm TEXT NOT NULL, approval TEXT NOT NULL, governance TEXT NOT NULL, plan TEXT NOT NULL, started INTEGER NOT NULL, source TEXT NOT NULL, previous TEXT NOT NULL) STRICT",
    "CREATE TABLE heads (ceremony TEXT NOT NULL, seq INTEGER NOT NULL, head TEXT NOT NULL, PRIMARY KEY (ceremony, seq)) STRICT",
    "CREATE TABLE keys (ceremony TEXT NOT NULL, seq INTEGER NOT NULL, realm TEXT NOT NULL, authority TEXT NOT NULL, algorithm TEXT NOT NULL, \
     strength TEXT NOT NULL, quantum TEXT NOT NULL, retires TEXT NOT NULL, sealed_to TEXT NOT NULL, public_key_sha256 TEXT NOT NULL, quorum TEXT NOT NULL, generation INTEGER NOT NULL, sealed_sha256 TEXT NOT NULL, PRIMARY KEY (ceremony, seq)) STRICT",
    "CREATE TABLE quorums (ceremony TEXT NOT NULL, realm TEXT NOT NULL, name TEXT NOT NULL, generation INTEGER NOT NULL, id TEXT NOT NULL, \
     threshold INTEGER NOT NULL, count INTEGER NOT NULL, recipient TEXT NOT NULL, PRIMARY KEY (ceremony, name, generation)) STRICT",
    "CREATE TABLE proofs (ceremony TEXT NOT NULL, quorum TEXT NOT NULL, generation INTEGER NOT NULL, idx INTEGER NOT NULL, holder TEXT NOT NULL, seq INTEGER NOT NULL, \
     PRIMARY KEY (ceremony, seq)) STRICT",
    "CREATE TABLE shown (ceremony TEXT NOT NULL, quorum TEXT NOT NULL, generation INTEGER NOT NULL, idx INTEGER NOT NULL, holder TEXT NOT NULL, seq INTEGER NOT NULL, \
     PRIMARY KEY (ceremony, quorum, generation, idx)) STRICT",
    "CREATE TABLE live (ceremony TEXT NOT NULL, quorum TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (ceremony, seq)) STRICT",
    "CREATE TABLE voided (ceremony TEXT NOT NULL, quorum TEXT NOT NULL, generation INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (ceremony, seq)) STRICT",
    "CREATE TABLE serials (serial TEXT NOT NULL PRIMARY KEY, ceremony TEXT NOT NULL, idx INTEGER NOT NULL) STRICT",
    "CREATE TABLE burnt (serial TEXT NOT NULL PRIMARY KEY, ceremony TEXT NOT NULL, seq INTEGER NOT NULL) STRICT",
    "CREATE TABLE issued (serial TEXT NOT NULL PRIMARY KEY, ceremony TEXT NOT NULL, authority TEXT NOT NULL, name TEXT NOT NULL, sha256 TEXT NOT NULL, not_after TEXT NOT NULL, key TEXT NOT NULL) STRICT",
    "CREATE TABLE bundles (bundle TEXT NOT NULL PRIMARY KEY, ceremony TEXT NOT NULL, seq INTEGER NOT NULL, realm TEXT NOT NULL, name TEXT NOT NULL, factory TEXT NOT NULL, \
     authority TEXT NOT NULL, serial_seed TEXT NOT NULL, firmware TEXT NOT NULL, issued INTEGER NOT NULL, manifest TEXT NOT NULL) STRICT",
    "CREATE TABLE balances (ceremony TEXT NOT NULL, seq INTEGER NOT NULL, bundle TEXT NOT NULL, factory TEXT NOT NULL, receipt INTEGER NOT NULL, made INTEGER NOT NULL, \
     balance TEXT NOT NULL, PRIMARY KEY (ceremony, seq)) STRICT",
    "CREATE TABLE explained (ceremony TEXT NOT NULL, seq INTEGER NOT NULL, factory TEXT NOT NULL, finding TEXT NOT NULL, exception INTEGER NOT NULL, \
     PRIMARY KEY (ceremony, seq, finding)) STRICT",
    "CREATE TABLE delegated (ceremony TEXT NOT NULL, seq INTEGER NOT NULL, name TEXT NOT NULL, factory TEXT NOT NULL, delegated TEXT NOT NULL, PRIMARY KEY (ceremony, seq)) STRICT",
    "CREATE TABLE logs (ceremony TEXT NOT NULL, seq INTEGER NOT NULL, authority TEXT NOT NULL, factory TEXT NOT NULL, log INTEGER NOT NULL, made INTEGER NOT NULL, \
     account TEXT NOT NULL, PRIMARY KEY (ceremony, seq)) STRICT",
    "CREATE TABLE withdrawn (serial_seed TEXT NOT NULL, records TEXT NOT NULL, date INTEGER NOT NULL, reason TEXT NOT NULL, bundle TEXT NOT NULL, authority TEXT NOT NULL, \
     crl INTEGER NOT NULL, this_update INTEGER NOT NULL, ceremony TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (serial_seed, records, date, reason)) STRICT",
    // Certificates that were put on a list by their own serial numbers: authorities' among them.
    "CREATE TABLE listed (authority TEXT NOT NULL, serial TEXT NOT NULL, date INTEGER NOT NULL, reason TEXT NOT NULL, crl INTEGER NOT NULL, this_update INTEGER NOT NULL, \
     ceremony TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (authority, serial)) STRICT",
    "CREATE TABLE openings (ceremony TEXT NOT NULL, seq INTEGER NOT NULL, authority TEXT NOT NULL, quorum TEXT NOT NULL, idx INTEGER NOT NULL, holder TEXT NOT NULL, \
     PRIMARY KEY (ceremony, seq, idx)) STRICT",
];

/// Makes the tables, each with triggers that refuse to change or remove a row.
///
/// # Errors
/// Where the database refuses.
pub fn create(connection: &Connection) -> rusqlite::Result<()> {
    let mut batch = String::from("BEGIN;");
    for table in TABLES {
        batch.push_str(table);
        batch.push(';');
        let name = table.split_whitespace().nth(2).unwrap_or_default();
        for action in ["UPDATE", "DELETE"] {
            batch.push_str(&format!(
                "CREATE TRIGGER {name}_no_{action} BEFORE {action} ON {name} BEGIN SELECT RAISE(ABORT, 'the ledger only grows'); END;"
            ));
        }
    }
    batch.push_str(&format!("PRAGMA user_version = {VERSION}; COMMIT;"));
    connection.execute_batch(&batch)
}
