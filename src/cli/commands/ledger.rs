//! `ledger`: the inventory, made, rebuilt and read.

mod devices;
mod logged;

use crate::audit::{Pin, verify};
use crate::basics::SafeText;
use crate::ceremony::steps;
use crate::cli::args::{LedgerReport, LedgerVerb};
use crate::cli::commands::verify::{expect_evidence, pins};
use crate::cli::{ExitCode, Failure, output};
use crate::devices::whole_folder;
use crate::ledger::{Ledger, Report, Table};
use crate::transcript::Record;
use std::path::{Path, PathBuf};

/// Ceremonies that are named where nothing was found.
const MOST_NAMED: usize = 20;

/// Works on a ledger.
///
/// # Errors
/// Where it exists when it must not, is missing when it must exist, or a record is bad.
pub fn ledger(verb: LedgerVerb) -> Result<ExitCode, Failure> {
    match verb {
        LedgerVerb::Init { ledger } => {
            Ledger::init(&ledger)?;
            output::data(&format!("{}: a new ledger", ledger.display()));
        }
        LedgerVerb::Rebuild { ledger, evidence, signers } => rebuild(&ledger, &evidence, signers.as_deref())?,
        LedgerVerb::Keys(keys) if keys.quantum_vulnerable => show(&keys.report, Report::QuantumVulnerableKeys)?,
        LedgerVerb::Keys(keys) => show(&keys.report, Report::Keys)?,
        LedgerVerb::Certificates(report) => show(&report, Report::Certificates)?,
        LedgerVerb::Quorums(report) => show(&report, Report::Quorums)?,
        LedgerVerb::Shares(report) => show(&report, Report::Shares)?,
        LedgerVerb::Bundles { ledger, factory, json } => devices::bundles(&ledger, factory.as_deref(), json)?,
        LedgerVerb::Delegated { ledger, factory, json } => logged::delegated(&ledger, factory.as_deref(), json)?,
        LedgerVerb::Device(args) => return devices::device(&args),
        LedgerVerb::Devices(args) => return devices::devices(&args),
    }
    Ok(ExitCode::Done)
}

fn rebuild(path: &Path, evidence: &[PathBuf], signers: Option<&Path>) -> Result<(), Failure> {
    let signers = signers.map(pins).transpose()?;
    // Every record is read and verified before the ledger is made: a bad one leaves nothing behind.
    let mut records: Vec<(Record, bool)> = Vec::new();
    for folder in evidence {
        expect_evidence(folder, "ledger rebuild LEDGER")?;
        let files = whole_folder::read(folder)?;
        let verdict = verify(&files, &Pin { signers: signers.clone(), expect: None }, &steps::kinds());
        if verdict.exit == ExitCode::Refuted as u8 {
            return Err(Failure::new(ExitCode::Refuted, format!("{}: refuted: {}", folder.display(), verdict.problem))
                .with_hint("`anchorite verify` names the place; no ledger was made"));
        }
        let octets = files.get("transcript.jsonl").map(Vec::as_slice).unwrap_or_default();
        let record = Record::read(octets)
            .map_err(|bad| Failure::new(ExitCode::Refuted, format!("{}: {bad}", folder.display())))?;
        if record.has_withheld() {
            return Err(Failure::from(format!(
                "{}: bodies are withheld in this copy; a ledger is rebuilt from complete ones",
                folder.display()
            )));
        }
        if records.iter().any(|(other, _)| other.header.ceremony == record.header.ceremony) {
            return Err(Failure::new(
                ExitCode::Usage,
                format!("{}: ceremony {} was named already", folder.display(), record.header.ceremony),
            ));
        }
        records.push((record, verdict.exit == ExitCode::Done as u8));
    }
    let mut ledger = Ledger::init(path)?;
    for (record, pinned) in &records {
        ledger.rebuilding(*pinned);
        ledger.project(record)?;
    }
    output::data(&format!("{}: rebuilt from {} records", path.display(), records.len()));
    if records.iter().any(|(_, pinned)| !pinned) {
        output::words(
            "not every record's signers were pinned (--signers): those pin no governance for later ceremonies",
        );
    }
    Ok(())
}

fn show(args: &LedgerReport, report: Report) -> Result<(), Failure> {
    let table = Ledger::open(&args.ledger)?.report(report)?;
    if args.json {
        return output::json(&table);
    }
    for line in aligned(&table) {
        output::data(&line);
    }
    Ok(())
}

/// Says why nothing is listed: a run's own ledger knows one ceremony, and what people look for is in another's.
fn none_known(ledger: &Ledger, path: &Path, what: &str, factory: Option<&str>) -> Result<(), Failure> {
    let shown = |text: &str| SafeText::cut(text, 80).to_string();
    let of = factory.map_or_else(String::new, |factory| format!(" of factory {}", shown(factory)));
    let ceremonies = ledger.ceremonies()?;
    let mut known: Vec<String> = ceremonies.iter().take(MOST_NAMED).map(|name| shown(name)).collect();
    if let Some(more) = ceremonies.len().checked_sub(MOST_NAMED).filter(|more| *more > 0) {
        known.push(format!("{more} more"));
    }
    let known = if known.is_empty() { "no ceremony".to_owned() } else { known.join(", ") };
    output::words(&format!("{}: no {what}{of} in this ledger, which knows {known}", path.display()));
    output::words("`anchorite ledger rebuild OUT EVIDENCE...` makes one ledger from the records of several ceremonies");
    Ok(())
}

fn aligned(table: &Table) -> Vec<String> {
    let width = |column: usize| {
        table
            .rows
            .iter()
            .chain(std::iter::once(&table.columns))
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..table.columns.len()).map(width).collect();
    std::iter::once(&table.columns)
        .chain(&table.rows)
        .map(|row| {
            let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
            cells.join("  ").trim_end().to_owned()
        })
        .collect()
}
