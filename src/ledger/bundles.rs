//! What the ledger knows of bundles: what was issued, what became of it, what is open. Every identity is in exactly one of revoked, proven
//! and open: what is revoked is that alone, whatever was proven of it before, and with an authority's own certificate everything that it issued is.

use crate::basics::{Digest, Instant, Realm};
use crate::factory::{BundleId, Manifest, Places, State};
use crate::ledger::{Ledger, LedgerError};
use crate::plan::standing::factory::StandingReceipt;
use rusqlite::{Row, params};
use serde::Serialize;
use std::collections::BTreeMap;

/// One bundle.
#[derive(Clone, Debug, Serialize)]
pub struct BundleReport {
    pub name: String,
    pub bundle: BundleId,
    pub realm: Realm,
    pub factory: String,
    pub sequence: u64,
    /// The ceremony that made it.
    pub ceremony: String,
    pub authority: String,
    /// Authorities from its issuer up to the root, as far as this ledger knows.
    pub chain: Vec<String>,
    /// The quorum whose custodians opened the authority, and who they were.
    pub quorum: String,
    pub opened_by: Vec<String>,
    pub product: String,
    pub sku: String,
    pub firmware: String,
    pub mode: String,
    pub order: Digest,
    /// SHA-256 of its manifest.
    pub manifest: Digest,
    pub records_root: Digest,
    pub count: u32,
    pub shard_records: u32,
    pub issued: Instant,
    pub expires: Instant,
    pub serial_seed: Digest,
    /// What the factory said last; `None` before it said anything.
    pub receipt: Option<StandingReceipt>,
    /// As it says; empty before.
    pub states: BTreeMap<State, u32>,
    pub drawn: u32,
    /// And not revoked.
    pub proven: u32,
    pub attested: u32,
    pub revoked: Vec<RevokedReport>,
    /// Neither proven nor revoked.
    pub open: Places,
    pub findings: Vec<FindingReport>,
}

/// Identities that were withdrawn together.
#[derive(Clone, Debug, Serialize)]
pub struct RevokedReport {
    pub records: Places,
    /// The authority whose own certificate was revoked, and all that it issued with it; absent where the list has the records themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authority: Option<String>,
    pub reason: String,
    /// Since when, as the entries say.
    pub date: Instant,
    /// The first list that has them.
    pub crl: u64,
    pub this_update: Instant,
    pub ceremony: String,
    /// Hours from `date` to the list.
    pub hours: u64,
}

/// What did not add up.
#[derive(Clone, Debug, Serialize)]
pub struct FindingReport {
    pub finding: String,
    /// Ceremony and exception that explain it; empty while nothing does.
    pub explained: String,
}

impl Ledger {
    /// Every bundle, in the order in which they were made; of one factory where it is named.
    ///
    /// # Errors
    /// Where the database cannot be read, or a row is not what a record gives.
    pub fn bundles(&self, factory: Option<&str>) -> Result<Vec<BundleReport>, LedgerError> {
        let mut statement = self.connection.prepare(
            "SELECT manifest, name, ceremony, authority, serial_seed, seq FROM bundles WHERE ?1 IS NULL OR factory = ?1 ORDER BY rowid",
        )?;
        let rows = statement.query_map(params![factory], |row| {
            Ok((text(row, 0)?, text(row, 1)?, text(row, 2)?, text(row, 3)?, text(row, 4)?, row.get::<_, u32>(5)?))
        })?;
        rows.map(|row| {
            let (manifest, name, ceremony, authority, seed, seq) = row?;
            self.bundle(&manifest, (name, ceremony, authority, &seed, seq))
        })
        .collect()
    }

    fn bundle(
        &self,
        manifest: &str,
        (name, ceremony, authority, seed, seq): (String, String, String, &str, u32),
    ) -> Result<BundleReport, LedgerError> {
        let strange = |what: &str| LedgerError::Strange(format!("bundle {name}: {what}"));
        let made = Manifest::parse(manifest.as_bytes()).map_err(|e| strange(&e.to_string()))?;
        let serial_seed = Digest::parse(seed).ok_or_else(|| strange("expected a digest"))?;
        let receipt = self.receipt(&made.bundle)?;
        let account = receipt.as_ref().and_then(|receipt| receipt.account.as_ref());
        let (mut proven, mut attested) =
            account.map_or_else(Default::default, |account| (account.proven.clone(), account.attested.clone()));
        let (mut revoked, mut stands) = (self.revoked(seed)?, Places::below(made.count));
        let without = |of: &Places, gone: &Places| of.without(gone).map_err(|e| strange(&e));
        for group in &revoked {
            stands = without(&stands, &group.records)?;
        }
        if let Some(with) = self.withdrawn(&authority)?.filter(|_| !stands.is_empty()) {
            revoked.push(RevokedReport { records: std::mem::take(&mut stands), ..with });
        }
        for group in &revoked {
            (proven, attested) = (without(&proven, &group.records)?, without(&attested, &group.records)?);
        }
        let open = without(&stands, &proven)?;
        let states = receipt.as_ref().map(|receipt| receipt.states.clone()).unwrap_or_default();
        let stock: u32 = [State::Sealed, State::Released].iter().filter_map(|state| states.get(state)).sum();
        let drawn = states.values().sum::<u32>().saturating_sub(stock);
        let (quorum, opened_by) = self.opened_by(&ceremony, &authority, seq)?;
        Ok(BundleReport {
            findings: self.findings(&made.bundle, &name, &made.factory)?,
            chain: self.chain(&authority)?,
            bundle: made.bundle,
            realm: made.realm,
            factory: made.factory,
            sequence: made.sequence,
            product: made.product,
            sku: made.sku,
            firmware: made.firmware.version,
            mode: made.mode.to_string(),
            order: made.order,
            manifest: Digest::of(manifest.as_bytes()),
            records_root: made.records_root,
            count: made.count,
            shard_records: made.shard_records,
            issued: made.issued,
            expires: made.expires,
            proven: proven.count(),
            name,
            ceremony,
            authority,
            quorum,
            opened_by,
            serial_seed,
            receipt,
            states,
            drawn,
            attested: attested.count(),
            revoked,
            open,
        })
    }

    /// The last receipt about a bundle.
    fn receipt(&self, bundle: &BundleId) -> Result<Option<StandingReceipt>, LedgerError> {
        let found = self.each(
            "SELECT balance FROM balances WHERE bundle = ?1 ORDER BY receipt DESC LIMIT 1",
            &bundle.hex(),
            |row| text(row, 0),
        )?;
        let Some(balance) = found.into_iter().next() else { return Ok(None) };
        let strange = |e: serde_json::Error| LedgerError::Strange(format!("the balance of {bundle}: {e}"));
        let balance: serde_json::Value = serde_json::from_str(&balance).map_err(strange)?;
        serde_json::from_value(balance.get("receipt").cloned().unwrap_or_default()).map(Some).map_err(strange)
    }

    fn findings(&self, bundle: &BundleId, name: &str, factory: &str) -> Result<Vec<FindingReport>, LedgerError> {
        let last = self.each(
            "SELECT balance FROM balances WHERE bundle = ?1 ORDER BY receipt DESC LIMIT 1",
            &bundle.hex(),
            |row| text(row, 0),
        )?;
        let balance = last.first().and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok());
        let found = balance.as_ref().and_then(|balance| balance.get("findings")?.as_array());
        let explained = self.explained(factory)?;
        let each = found.into_iter().flatten().filter_map(serde_json::Value::as_str).map(|finding| FindingReport {
            finding: finding.to_owned(),
            explained: explained.get(&format!("bundle {name}: {finding}")).cloned().unwrap_or_default(),
        });
        Ok(each.collect())
    }

    /// Ceremony and exception by the finding that they explain.
    pub(super) fn explained(&self, factory: &str) -> Result<BTreeMap<String, String>, LedgerError> {
        let rows =
            self.each("SELECT finding, ceremony, exception FROM explained WHERE factory = ?1", factory, |row| {
                Ok((text(row, 0)?, format!("{}, exception {}", text(row, 1)?, row.get::<_, u32>(2)?)))
            })?;
        Ok(rows.into_iter().collect())
    }

    fn revoked(&self, seed: &str) -> Result<Vec<RevokedReport>, LedgerError> {
        let rows = self.each(
            "SELECT records, reason, date, crl, this_update, ceremony FROM withdrawn WHERE serial_seed = ?1 ORDER BY rowid",
            seed,
            |row| Ok((text(row, 0)?, text(row, 1)?, number(row, 2)?, number(row, 3)?, number(row, 4)?, text(row, 5)?)),
        )?;
        let each = rows.into_iter().map(|(records, reason, date, crl, this_update, ceremony)| {
            let records = Places::parse(&records).map_err(LedgerError::Strange)?;
            let hours = this_update.saturating_sub(date) / 3_600_000;
            let (date, this_update) = (Instant(date), Instant(this_update));
            Ok(RevokedReport { records, authority: None, reason, date, crl, this_update, ceremony, hours })
        });
        each.collect()
    }

    /// The revocation of an authority's own certificate, by the one above it; without the records that go with it. Nothing where its key has another
    /// certificate that stands: what it issued is valid through that one.
    pub(super) fn withdrawn(&self, authority: &str) -> Result<Option<RevokedReport>, LedgerError> {
        let found = self.each(
            "SELECT l.reason, l.date, l.crl, l.this_update, l.ceremony FROM issued i JOIN listed l ON l.authority = i.authority AND l.serial = i.serial \
             WHERE i.name = ?1 AND NOT EXISTS (SELECT 1 FROM issued o WHERE o.key = i.key AND o.key <> '' AND o.serial <> i.serial AND NOT EXISTS \
             (SELECT 1 FROM listed m WHERE m.authority = o.authority AND m.serial = o.serial)) ORDER BY l.rowid",
            authority,
            |row| Ok((text(row, 0)?, number(row, 1)?, number(row, 2)?, number(row, 3)?, text(row, 4)?)),
        )?;
        let first = found.into_iter().next();
        Ok(first.map(|(reason, date, crl, this_update, ceremony)| RevokedReport {
            records: Places::default(),
            authority: Some(authority.to_owned()),
            reason,
            date: Instant(date),
            crl,
            this_update: Instant(this_update),
            ceremony,
            hours: this_update.saturating_sub(date) / 3_600_000,
        }))
    }

    /// Whose shares opened the authority that made a bundle: the last opening before it.
    fn opened_by(&self, ceremony: &str, authority: &str, seq: u32) -> Result<(String, Vec<String>), LedgerError> {
        let mut statement = self.connection.prepare(
            "SELECT quorum, holder FROM openings WHERE ceremony = ?1 AND authority = ?2 AND seq = \
             (SELECT max(seq) FROM openings WHERE ceremony = ?1 AND authority = ?2 AND seq < ?3) ORDER BY idx",
        )?;
        let rows = statement.query_map(params![ceremony, authority, seq], |row| Ok((text(row, 0)?, text(row, 1)?)))?;
        let rows = rows.collect::<Result<Vec<_>, _>>()?;
        let quorum = rows.first().map(|(quorum, _)| quorum.clone()).unwrap_or_default();
        Ok((quorum, rows.into_iter().map(|(_, holder)| holder).collect()))
    }

    /// An authority, who certified it, and so on up to one that certified itself.
    pub(super) fn chain(&self, authority: &str) -> Result<Vec<String>, LedgerError> {
        let mut chain = vec![authority.to_owned()];
        // Bounded: no path of ours is longer.
        for _ in 0..8 {
            let Some(last) = chain.last().cloned() else { break };
            let issuer =
                self.each("SELECT authority FROM issued WHERE name = ?1 ORDER BY rowid", &last, |row| text(row, 0))?;
            match issuer.into_iter().next() {
                Some(issuer) if !chain.contains(&issuer) => chain.push(issuer),
                _ => break,
            }
        }
        Ok(chain)
    }

    pub(super) fn each<T>(
        &self,
        query: &str,
        by: &str,
        read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, LedgerError> {
        let mut statement = self.connection.prepare(query)?;
        let rows = statement.query_map(params![by], |row| read(row))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

fn text(row: &Row<'_>, at: usize) -> rusqlite::Result<String> {
    row.get(at)
}

fn number(row: &Row<'_>, at: usize) -> rusqlite::Result<u64> {
    Ok(row.get::<_, i64>(at)?.cast_unsigned())
}
