//! `ledger`: the inventory, made, rebuilt and read.

use crate::basics::limits;
use crate::cli::args::{LedgerReport, LedgerVerb};
use crate::cli::{ExitCode, Failure, output};
use crate::devices::durable_file;
use crate::ledger::{Ledger, Report, Table};
use crate::transcript::Record;
use std::path::{Path, PathBuf};

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
        LedgerVerb::Rebuild { ledger, evidence } => rebuild(&ledger, &evidence)?,
        LedgerVerb::Keys(report) => show(&report, Report::Keys)?,
        LedgerVerb::Certificates(report) => show(&report, Report::Certificates)?,
        LedgerVerb::Quorums(report) => show(&report, Report::Quorums)?,
        LedgerVerb::Shares(report) => show(&report, Report::Shares)?,
    }
    Ok(ExitCode::Done)
}

fn rebuild(path: &Path, evidence: &[PathBuf]) -> Result<(), Failure> {
    // Every record is read before the ledger is made: a bad one leaves nothing behind.
    let mut records = Vec::new();
    for folder in evidence {
        let octets = durable_file::read(&folder.join("transcript.jsonl"), limits::TRANSCRIPT_OCTETS)?;
        let record = Record::read(&octets)
            .map_err(|bad| Failure::new(ExitCode::Refuted, format!("{}: {bad}", folder.display())))?;
        if record.has_withheld() {
            return Err(Failure::from(format!(
                "{}: bodies are withheld in this copy; a ledger is rebuilt from complete ones",
                folder.display()
            )));
        }
        records.push(record);
    }
    let mut ledger = Ledger::init(path)?;
    for record in &records {
        ledger.project(record)?;
    }
    output::data(&format!("{}: rebuilt from {} records", path.display(), records.len()));
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
