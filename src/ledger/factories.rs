//! Bundles, what factories said became of them, what was withdrawn, and who opened the authority that made them: transcript -> ledger.

use crate::ceremony::effect::{BundleRevocation, Revocation};
use crate::ceremony::event::{Outcome, What};
use crate::ceremony::{Effect, Operation};
use crate::factory::Manifest;
use crate::ledger::LedgerError;
use crate::ledger::delegated::{DelegatedFile, LogAccount};
use crate::plan::standing::factory::{Explained, StandingReceipt};
use crate::transcript::entry::{Header, Open};
use rusqlite::{Transaction, params};
use serde::Deserialize;

/// `NAME.balance.json`, as far as the ledger takes it.
#[derive(Deserialize)]
struct Balance {
    factory: String,
    bundle_id: String,
    receipt: StandingReceipt,
}

/// `STEP.explained.json`.
#[derive(Deserialize)]
struct ExplainedFile {
    factory: String,
    explained: Vec<Explained>,
}

/// What one outcome says; `opening` are shares that were given towards opening a key, with their holders.
pub(super) fn project(
    to: &Transaction<'_>,
    header: &Header,
    open: &Open,
    what: &What,
    intent: Option<&Effect>,
    opening: &[(u8, String)],
) -> Result<(), LedgerError> {
    let (What::Done { outcome }, Some(effect), "done") = (what, intent, open.outcome.as_str()) else { return Ok(()) };
    let ceremony = &header.ceremony;
    match (outcome, effect) {
        (Outcome::Unlocked, Effect::Unlock { authority, quorum, .. }) => {
            for (index, holder) in opening {
                to.execute(
                    "INSERT OR IGNORE INTO openings (ceremony, seq, authority, quorum, idx, holder) VALUES (?1,?2,?3,?4,?5,?6)",
                    params![ceremony, open.seq, authority, quorum, index, holder],
                )?;
            }
        }
        (Outcome::BundleIssued { manifest }, Effect::IssueBundle { operation, .. }) => {
            if let Operation::Batch { name, authority, terms, .. } = &**operation
                && let Ok(made) = Manifest::parse(manifest.as_bytes())
            {
                bundle(to, header, open, (name, authority, terms.serial_seed.hex()), &made, manifest)?;
            }
        }
        (Outcome::Signed { .. }, Effect::Sign { operation, .. }) => {
            if let Operation::Crl { authority, number, this_update, revoked, bundles, .. } = &**operation {
                for entry in revoked {
                    listed(to, ceremony, open, authority, (*number, this_update.0), entry)?;
                }
                for group in bundles {
                    withdrawn(to, ceremony, open, authority, (*number, this_update.0), group)?;
                }
            }
        }
        (Outcome::ArtifactWritten { file }, Effect::WriteArtifact { content, .. }) => {
            if file.name.ends_with(".balance.json")
                && let Ok(balance) = serde_json::from_str::<Balance>(content)
            {
                to.execute(
                    "INSERT INTO balances (ceremony, seq, bundle, factory, receipt, made, balance) VALUES (?1,?2,?3,?4,?5,?6,?7)",
                    params![
                        ceremony,
                        open.seq,
                        balance.bundle_id,
                        balance.factory,
                        balance.receipt.sequence.cast_signed(),
                        balance.receipt.made.0.cast_signed(),
                        content
                    ],
                )?;
            } else if file.name.ends_with(".delegated.json")
                && let Ok(said) = serde_json::from_str::<DelegatedFile>(content)
            {
                to.execute(
                    "INSERT INTO delegated (ceremony, seq, name, factory, delegated) VALUES (?1,?2,?3,?4,?5)",
                    params![ceremony, open.seq, said.delegated.name, said.factory, content],
                )?;
            } else if file.name.ends_with(".log-account.json")
                && let Ok(said) = serde_json::from_str::<LogAccount>(content)
            {
                let (number, made) = (said.log.sequence.cast_signed(), said.log.made.0.cast_signed());
                to.execute(
                    "INSERT INTO logs (ceremony, seq, authority, factory, log, made, account) VALUES (?1,?2,?3,?4,?5,?6,?7)",
                    params![ceremony, open.seq, said.authority, said.factory, number, made, content],
                )?;
            } else if file.name.ends_with(".explained.json")
                && let Ok(said) = serde_json::from_str::<ExplainedFile>(content)
            {
                for one in said.explained {
                    to.execute(
                        "INSERT OR IGNORE INTO explained (ceremony, seq, factory, finding, exception) VALUES (?1,?2,?3,?4,?5)",
                        params![ceremony, open.seq, said.factory, one.finding, one.exception],
                    )?;
                }
            }
        }
        _ => {}
    }
    Ok(())
}

fn bundle(
    to: &Transaction<'_>,
    header: &Header,
    open: &Open,
    (name, authority, serial_seed): (&str, &str, String),
    made: &Manifest,
    text: &str,
) -> Result<(), LedgerError> {
    to.execute(
        "INSERT OR IGNORE INTO bundles (bundle, ceremony, seq, realm, name, factory, authority, serial_seed, firmware, issued, manifest) \
         VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11)",
        params![
            made.bundle.hex(),
            header.ceremony,
            open.seq,
            header.realm.word(),
            name,
            made.factory,
            authority,
            serial_seed,
            made.firmware.version,
            made.issued.0.cast_signed(),
            text
        ],
    )?;
    Ok(())
}

/// Entries stay on every later list: the first that has one counts.
fn listed(
    to: &Transaction<'_>,
    ceremony: &str,
    open: &Open,
    authority: &str,
    (number, this_update): (u64, u64),
    entry: &Revocation,
) -> Result<(), LedgerError> {
    to.execute(
        "INSERT OR IGNORE INTO listed (authority, serial, date, reason, crl, this_update, ceremony, seq) VALUES (?1,?2,?3,?4,?5,?6,?7,?8)",
        params![
            authority,
            entry.serial,
            entry.date.0.cast_signed(),
            entry.reason.word(),
            number.cast_signed(),
            this_update.cast_signed(),
            ceremony,
            open.seq
        ],
    )?;
    Ok(())
}

/// Groups stay on every later list: the first that has one counts.
fn withdrawn(
    to: &Transaction<'_>,
    ceremony: &str,
    open: &Open,
    authority: &str,
    (number, this_update): (u64, u64),
    group: &BundleRevocation,
) -> Result<(), LedgerError> {
    to.execute(
        "INSERT OR IGNORE INTO withdrawn (serial_seed, records, date, reason, bundle, authority, crl, this_update, ceremony, seq) \
         VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10)",
        params![
            group.serial_seed.hex(),
            group.records.to_string(),
            group.date.0.cast_signed(),
            group.reason.word(),
            group.bundle,
            authority,
            number.cast_signed(),
            this_update.cast_signed(),
            ceremony,
            open.seq
        ],
    )?;
    Ok(())
}
