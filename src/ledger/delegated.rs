//! Authorities in factories' own modules: what each may carry out, what its logs say it issued, and what did not add up.

use crate::basics::{Digest, Instant};
use crate::ledger::{FindingReport, Ledger, LedgerError};
use crate::plan::standing::StandingDelegated;
use crate::plan::standing::delegated::StandingLog;
use rusqlite::params;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `NAME.delegated.json`.
#[derive(Deserialize)]
pub(super) struct DelegatedFile {
    pub(super) factory: String,
    pub(super) delegated: StandingDelegated,
}

/// `NAME.log-account.json`, as far as the ledger takes it.
#[derive(Deserialize)]
pub(super) struct LogAccount {
    pub(super) factory: String,
    pub(super) authority: String,
    pub(super) log: StandingLog,
    pub(super) findings: Vec<String>,
}

/// One authority, for one order.
#[derive(Clone, Debug, Serialize)]
pub struct DelegatedReport {
    pub name: String,
    pub factory: String,
    /// The ceremony that carried the order over to it.
    pub ceremony: String,
    pub order: Digest,
    pub product: String,
    pub sku: String,
    pub firmware: String,
    pub profile: String,
    pub ordered: u32,
    pub logged: u64,
    pub expires: Instant,
    /// SHA-256 of its certificate, its serial number and its end; empty where it got none.
    pub certificate: String,
    pub serial: String,
    pub not_after: String,
    /// The list that it is on, and when that began; nothing that it issued stands from then on.
    pub revoked: Option<(u64, Instant)>,
    /// Authorities from this one up to the root, as far as this ledger knows.
    pub chain: Vec<String>,
    pub logs: Vec<StandingLog>,
    pub findings: Vec<FindingReport>,
}

impl Ledger {
    /// Every authority in a factory's module, in the order in which they were certified; of one factory where it is named.
    ///
    /// # Errors
    /// Where the database cannot be read, or a row is not what a record gives.
    pub fn delegated(&self, factory: Option<&str>) -> Result<Vec<DelegatedReport>, LedgerError> {
        let mut statement = self
            .connection
            .prepare("SELECT delegated FROM delegated WHERE ?1 IS NULL OR factory = ?1 ORDER BY rowid")?;
        let rows = statement.query_map(params![factory], |row| row.get::<_, String>(0))?;
        let rows = rows.collect::<Result<Vec<_>, _>>()?;
        rows.iter().map(|text| self.authority(text)).collect()
    }

    fn authority(&self, text: &str) -> Result<DelegatedReport, LedgerError> {
        let strange = |e: serde_json::Error| LedgerError::Strange(format!("a delegated authority: {e}"));
        let DelegatedFile { factory, delegated } = serde_json::from_str(text).map_err(strange)?;
        let name = delegated.name;
        let issued =
            self.each("SELECT sha256, serial, not_after FROM issued WHERE name = ?1 ORDER BY rowid", &name, |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?))
            })?;
        let (certificate, serial, not_after) = issued.into_iter().next().unwrap_or_default();
        let accounts = self
            .each("SELECT account FROM logs WHERE authority = ?1 ORDER BY log", &name, |row| row.get::<_, String>(0))?;
        let explained: BTreeMap<String, String> = self.explained(&factory)?;
        let (mut logs, mut findings) = (Vec::new(), Vec::new());
        for account in &accounts {
            let account: LogAccount = serde_json::from_str(account).map_err(strange)?;
            findings.extend(account.findings.into_iter().map(|finding| FindingReport {
                explained: explained.get(&finding).cloned().unwrap_or_default(),
                finding,
            }));
            logs.push(account.log);
        }
        Ok(DelegatedReport {
            chain: self.chain(&name)?,
            revoked: self.withdrawn(&name)?.map(|with| (with.crl, with.this_update)),
            factory,
            ceremony: delegated.ceremony,
            order: delegated.order,
            product: delegated.product,
            sku: delegated.sku,
            firmware: delegated.firmware.version,
            profile: delegated.profile,
            ordered: delegated.count,
            logged: logs.iter().map(|log| u64::from(log.count)).sum(),
            expires: delegated.expires,
            certificate,
            serial,
            not_after,
            logs,
            findings,
            name,
        })
    }
}
