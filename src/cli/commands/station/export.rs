//! `station export`: public data of drawn devices, for other people's registries. No private key is in any of its forms.

use super::forms::{free_path, handing_over, partial};
use super::{now, open, open_options};
use crate::basics::counted::some;
use crate::cli::args::station::{ExportBatch, ExportForm};
use crate::cli::{ExitCode, Failure, output};
use crate::devices::durable_file::{self, FileError};
use crate::factory::export::{CSV_HEADER, Options, cloud, csv_line, element};
use crate::factory::{Record, Refusal};
use crate::pki::pem;
use crate::station::{State, Station, StationError};
use serde_json::json;
use std::io::Write;
use std::path::Path;

/// Given out and not taken out of use.
const USUAL: [State; 3] = [State::Injected, State::Verified, State::Reported];

pub(super) fn export(args: &ExportBatch) -> Result<ExitCode, Failure> {
    let usage = |message: String| Failure::new(ExitCode::Usage, message).with_hint("nothing was written");
    let options = open_options(args.options.as_deref())?;
    let tree = matches!(args.form, ExportForm::Pem | ExportForm::Der);
    if tree && args.out.is_none() {
        return Err(usage("--out: expected the folder to make for this form, found none".to_owned()));
    }
    let mut states = Vec::new();
    for word in &args.state {
        let state = State::from_word(word).filter(|state| state.was_drawn());
        states.push(state.ok_or_else(|| {
            usage("--state: expected reserved, injected, verified, reported or scrapped, found another".to_owned())
        })?);
    }
    let states: &[State] = if states.is_empty() { &USUAL } else { &states };
    let out = args.out.as_deref().map(|path| free_path(path, "nothing was written")).transpose()?;
    let mut station = open(&args.station)?;
    let _over = handing_over(&station, out.as_deref(), "nothing was written")?;
    let written = match (&out, tree) {
        (Some(folder), true) => write_tree(&mut station, args, states, folder)?,
        (Some(file), false) => write_file(&mut station, args, states, &options, file)?,
        (None, _) => write(&mut station, args, states, &options, &mut std::io::stdout().lock())?,
    };
    if args.json {
        output::json(&json!({"bundle": args.bundle, "out": out, "devices": written}))?;
    } else {
        output::words(&format!("{} of bundle {}", some(written, "device"), args.bundle));
    }
    if args.form == ExportForm::ElementManifest {
        let certificate = station.element_signer_certificate();
        output::words(&format!("signed by the key of {}", certificate.display()));
    }
    Ok(ExitCode::Done)
}

/// One certificate a file, and the chain; the folder has its name when all of them are there.
fn write_tree(station: &mut Station, args: &ExportBatch, states: &[State], folder: &Path) -> Result<u64, Failure> {
    let partial = partial(folder);
    durable_file::new_folder(&partial)?;
    let made = tree(station, args, states, &partial);
    if made.is_err() {
        let _ = std::fs::remove_dir_all(&partial);
    } else {
        durable_file::move_to(&partial, folder)?;
    }
    made
}

fn tree(station: &mut Station, args: &ExportBatch, states: &[State], folder: &Path) -> Result<u64, Failure> {
    let chain = station.chain(&args.bundle)?;
    durable_file::create(&folder.join("chain.pem"), chain.as_bytes())?;
    let as_pem = args.form == ExportForm::Pem;
    let written = station.export(&args.bundle, states, now(), &mut |record| {
        let (name, octets) = if as_pem {
            let text = pem::to_pem(pem::CERTIFICATE, &record.certificate);
            (format!("{}.pem", record.device), text.map_err(|e| StationError::Other(e.to_string()))?.into_bytes())
        } else {
            (format!("{}.der", record.device), record.certificate.clone())
        };
        Ok(durable_file::create(&folder.join(name), &octets)?)
    })?;
    Ok(written)
}

/// A file that has its name when all of it is there and lasts.
fn write_file(
    station: &mut Station,
    args: &ExportBatch,
    states: &[State],
    options: &Options,
    path: &Path,
) -> Result<u64, Failure> {
    let partial = partial(path);
    let failed = |what| {
        let path = partial.clone();
        move |cause| FileError { path, what, cause }
    };
    let file = std::fs::File::create_new(&partial).map_err(failed("creating"))?;
    let mut buffer = std::io::BufWriter::new(file);
    let made = write(station, args, states, options, &mut buffer).and_then(|written| {
        let file = buffer.into_inner().map_err(|e| failed("writing")(e.into_error()))?;
        file.sync_all().map_err(failed("making durable"))?;
        durable_file::move_to(&partial, path)?;
        Ok(written)
    });
    if made.is_err() {
        let _ = std::fs::remove_file(&partial);
    }
    made
}

fn write(
    station: &mut Station,
    args: &ExportBatch,
    states: &[State],
    options: &Options,
    out: &mut dyn Write,
) -> Result<u64, Failure> {
    let io = |cause: std::io::Error| StationError::Other(format!("writing the export: {cause}"));
    let lines =
        |line: &mut dyn FnMut(&Record) -> Result<String, Refusal>, out: &mut dyn Write, station: &mut Station| {
            station.export(&args.bundle, states, now(), &mut |record| writeln!(out, "{}", line(record)?).map_err(io))
        };
    let written = match args.form {
        ExportForm::Csv => {
            // RFC 4180 ends its lines with both.
            write!(out, "{CSV_HEADER}\r\n").map_err(io)?;
            lines(&mut |record| csv_line(record).map(|line| format!("{line}\r")), out, station)?
        }
        ExportForm::AwsIot => lines(&mut cloud::aws_iot_line, out, station)?,
        ExportForm::AzureIot => lines(&mut cloud::azure_iot_line, out, station)?,
        ExportForm::ElementManifest => {
            element::needs(options).map_err(|refusal| Failure::new(ExitCode::Usage, refusal.to_string()))?;
            let (chain, factory) = (station.chain(&args.bundle)?, station.home.factory.clone());
            let signer = station.element_signer(now())?;
            let mut before = "[\n";
            let written = station.export(&args.bundle, states, now(), &mut |record| {
                let object = element::element(record, &chain, &factory, options, &signer)?;
                write!(out, "{before}{object}").map_err(io)?;
                before = ",\n";
                Ok(())
            })?;
            let end = if written == 0 { "[]\n" } else { "\n]\n" };
            write!(out, "{end}").map_err(io)?;
            written
        }
        ExportForm::Pem | ExportForm::Der => return Err(Failure::from("expected a form of one file".to_owned())),
    };
    out.flush().map_err(io)?;
    Ok(written)
}
