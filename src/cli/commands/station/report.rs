//! `station status`, `check`, `receipt` and `watch`: what a station says of itself.

use super::{forms, now, open};
use crate::basics::counted::counted;
use crate::basics::digest::hex_encode;
use crate::basics::{Digest, SafeText, limits};
use crate::cli::{ExitCode, Failure, output};
use crate::devices::durable_file;
use crate::factory::returned::Returned;
use crate::factory::{Refusal, receipt};
use crate::station::State;
use crate::station::receipt::Made;
use crate::station::status::Status;
use crate::tui::stock;

use std::path::Path;

pub(super) fn status(folder: &Path, json: bool) -> Result<ExitCode, Failure> {
    let status = open(folder)?.status(now())?;
    if json {
        output::json(&status)?
    } else {
        lines(&status).iter().for_each(|line| output::data(line))
    }
    if status.problem.is_empty() {
        Ok(ExitCode::Done)
    } else {
        output::words(&status.problem);
        Ok(ExitCode::EnvironmentRefused)
    }
}

fn lines(status: &Status) -> Vec<String> {
    let mut lines =
        vec![format!("{} · {} · store {}", status.realm.banner(), SafeText::of(&status.factory), status.store)];
    lines.push(format!("ledger {}, head {}", counted(status.entries, "entry", "entries"), status.head));
    for bundle in &status.bundles {
        let of = |state| bundle.states.get(&state).copied().unwrap_or(0);
        let expired = if bundle.expired { ", EXPIRED" } else { "" };
        lines.push(format!(
            "bundle {} · {} {} · until {}{expired}",
            bundle.bundle.bundle,
            SafeText::of(&bundle.bundle.product),
            SafeText::of(&bundle.bundle.sku),
            crate::basics::Instant(bundle.bundle.expires).rfc3339()
        ));
        let states: Vec<String> = State::ALL
            .into_iter()
            .filter(|state| of(*state) > 0)
            .map(|state| format!("{} {state}", of(state)))
            .collect();
        lines.push(format!("  {} of {}", states.join(", "), bundle.bundle.count));
    }
    for line in &status.lines {
        lines.push(format!(
            "line {}: {} verified, {} scrapped, {} outstanding, {} in the last hour",
            line.line, line.verified, line.scrapped, line.outstanding, line.per_hour
        ));
    }
    let refusals: Vec<String> = status.refusals.iter().map(|(class, count)| format!("{class} {count}")).collect();
    lines.push(format!("refused: {}", if refusals.is_empty() { "nothing".to_owned() } else { refusals.join(", ") }));
    lines
}

pub(super) fn check(folder: &Path, json: bool) -> Result<ExitCode, Failure> {
    let mut station = open(folder)?;
    let checked = station.check()?;
    station.is_current(now())?;
    let files = station.check_files()?;
    if json {
        let mut all = serde_json::to_value(&checked).map_err(|e| Failure::from(e.to_string()))?;
        if let Some(object) = all.as_object_mut() {
            object.insert("files".to_owned(), files.into());
        }
        output::json(&all)?;
        return Ok(ExitCode::Done);
    }
    output::data(&format!("{files} files of bundles are as they came in, and their recipients' keys are here"));
    output::data(&format!("{} entries hold, head {}", checked.entries, checked.head));
    output::data(&format!("{} identities are in the states their entries give them", checked.identities));
    Ok(ExitCode::Done)
}

pub(super) fn receipt(folder: &Path, bundle: &str, out: Option<&Path>, json: bool) -> Result<ExitCode, Failure> {
    let mut station = open(folder)?;
    // Receipts are counted: what can be wrong with the file is asked before there is another one.
    let out = out.map(|path| forms::free_path(path, "no receipt was made")).transpose()?;
    let over = forms::handing_over(&station, out.as_deref(), "no receipt was made")?;
    let made = station.receipt(bundle, now())?;
    let file = out.as_deref().map(|out| {
        as_one(&made, out).map_err(|error| {
            let (number, folder) = (made.receipt.sequence, made.folder.display());
            error.with_hint(format!("receipt {number} is made and signed, in {folder}: take that folder across"))
        })
    });
    let file = file.transpose()?;
    drop(over);
    // People compare what comes in, and that is the file where there is one.
    let compared = file.unwrap_or(made.digest);
    if json {
        let mut all = serde_json::to_value(&made).map_err(|e| Failure::from(e.to_string()))?;
        if let Some(object) = all.as_object_mut() {
            object.insert("digest".to_owned(), compared.hex().into());
            object.insert("words".to_owned(), compared.twelve_words().into());
            object.insert("receipt".to_owned(), made.digest.hex().into());
        }
        output::json(&all)?;
        return Ok(ExitCode::Done);
    }
    output::data(&format!("receipt {} of bundle {}", made.receipt.sequence, made.receipt.bundle));
    for (state, count) in made.receipt.states.iter().filter(|(_, count)| **count > 0) {
        output::data(&format!("  {count} {state}"));
    }
    output::data(&format!("SHA-256        {compared}"));
    output::data(&format!("twelve words   {}", compared.twelve_words()));
    match &out {
        Some(out) => output::data(&format!(
            "of {}: take this file across, as NAME.receipt.json; the ceremony asks for its digest or words",
            out.display()
        )),
        None => output::data(&format!(
            "of {} in {}; a ceremony takes in one file: `--out FILE` writes it, with the next receipt",
            receipt::NAME,
            made.folder.display()
        )),
    }
    Ok(ExitCode::Done)
}

/// Receipt, signature and outcomes as one file, with its digest; outcomes that are too many go beside it.
fn as_one(made: &Made, out: &Path) -> Result<Digest, Failure> {
    let refused = |refusal: Refusal| Failure::from(refusal.to_string());
    let signature = durable_file::read(&made.folder.join(format!("{}.sig", receipt::NAME)), limits::SMALL_FILE_OCTETS)?;
    let signature = String::from_utf8(signature).map_err(|_| Failure::from("the signature is no text".to_owned()))?;
    let path = made.folder.join(receipt::OUTCOMES);
    let numbers = Returned { outcomes: String::new(), receipt: made.receipt.clone(), signature };
    let octets = numbers.to_octets().map_err(refused)?;
    let size = path.metadata().map_err(|e| Failure::from(format!("{}: {e}", path.display())))?.len();
    // As hexadecimal digits between the quotes.
    if octets.len() as u64 + 2 * size <= limits::TAKEN_IN_LARGE_OCTETS {
        let outcomes = durable_file::read(&path, limits::OUTCOMES_OCTETS)?;
        let whole = Returned { outcomes: hex_encode(&outcomes), ..numbers };
        let octets = whole.to_octets().map_err(refused)?;
        durable_file::create(out, &octets)?;
        return Ok(Digest::of(&octets));
    }
    durable_file::create(out, &octets)?;
    output::words(&format!(
        "{}: the outcomes are too many to be in it; take {} across too, as NAME.outcomes.cbor",
        out.display(),
        path.display()
    ));
    Ok(Digest::of(&octets))
}

pub(super) fn watch(folder: &Path, no_color: bool) -> Result<ExitCode, Failure> {
    let mut opened = Some(open(folder)?);
    let mut look = || {
        // A server that went away may be back: another connection then, and until then its words on the screen.
        let mut station = opened.take().map_or_else(|| open(folder), Ok).map_err(|error| error.to_string())?;
        let status = station.status(now()).map_err(|error| error.to_string())?;
        opened = Some(station);
        Ok(status)
    };
    stock::watch(no_color, &mut look).map_err(|message| Failure::new(ExitCode::EnvironmentRefused, message))?;
    Ok(ExitCode::Done)
}
