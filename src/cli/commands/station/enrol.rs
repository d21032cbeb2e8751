//! `station enrol` and `station challenge`: how the ceremony side comes to know this station.

use super::{now, open};
use crate::cli::{ExitCode, Failure, output};
use crate::devices::durable_file;
use crate::keys::recipient::{self, RecipientKind};
use crate::transfer::{Envelope, Kind};
use serde_json::json;
use std::path::Path;

/// `fresh`: another recipient first, of this kind or of the newest one's.
pub(super) fn request(
    folder: &Path,
    fresh: Option<Option<RecipientKind>>,
    out: &Path,
    json: bool,
) -> Result<ExitCode, Failure> {
    let mut station = open(folder)?;
    if let Some(kind) = fresh {
        station.fresh_recipient(kind, now())?;
    }
    let signed = station.enrolment(now())?;
    let request = &signed.statement;
    let name = format!("{}-enrolment.json", request.factory);
    let octets = signed.to_octets().map_err(|e| Failure::from(e.to_string()))?;
    let envelope =
        Envelope::new(Kind::Enrolment, request.realm, &name, octets).map_err(|e| Failure::from(e.to_string()))?;
    create(out, &envelope.to_octets())?;
    let (digest, request_digest) = (envelope.digest(), signed.digest().map_err(|e| Failure::from(e.to_string()))?);
    if json {
        output::json(&json!({
            "request": request_digest, "words": request_digest.words(23).join(" "),
            "envelope": digest, "envelope_words": digest.words(23).join(" "), "recipient": request.recipient, "receipt_key": request.receipt_key,
            "root": request.pins.root, "threshold": request.pins.threshold,
        }))?;
        return Ok(ExitCode::Done);
    }
    output::data(&format!("recipient     {}", recipient::shown(&request.recipient)));
    output::data(&format!("receipt key   {}", request.receipt_key));
    output::data(&format!("SHA-256       {request_digest}"));
    output::data(&format!("words         {}", request_digest.words(23).join(" ")));
    output::data(&format!("envelope      {}", digest.words(23).join(" ")));
    output::words(
        "over the telephone: read your words aloud, of which the ceremony types the first twelve; have its screen's words of the envelope \
         read to you, and compare them with yours",
    );
    Ok(ExitCode::Done)
}

pub(super) fn answer(folder: &Path, challenge: &Path, out: &Path) -> Result<ExitCode, Failure> {
    let (request, answer) = open(folder)?.answer(challenge)?;
    create(out, &answer.to_octets().map_err(|e| Failure::from(e.to_string()))?)?;
    output::data(&format!("answered the challenge about request {}", request.grouped()));
    Ok(ExitCode::Done)
}

fn create(path: &Path, octets: &[u8]) -> Result<(), Failure> {
    let path = std::path::absolute(path).map_err(|e| Failure::from(e.to_string()))?;
    Ok(durable_file::create(&path, octets)?)
}
