//! `station draw`: the only place where a private key leaves, and it leaves through a pipe to the flashing tool. A file gets one only where
//! `--to` names it; a terminal, which keeps what it showed, never does.
//!
//! What is written is put together in one buffer of fixed size that is overwritten, and handed over in one call, past the buffers of the
//! standard library, which nobody overwrites.

use super::serve::{self, Line};
use super::{forms, now, open};
use crate::basics::digest::hex_encode;
use crate::basics::{Secret, limits};
use crate::cli::args::station::DrawIdentity;
use crate::cli::{ExitCode, Failure, output};
use crate::devices::durable_file;
use crate::factory::hardware;
use crate::factory::record::DeviceKey;
use crate::pki::pem;
use crate::station::draw::{Drawn, Wanted};
use crate::station::{Station, StationError};
use der::pem::LineEnding;
use serde_json::json;
use std::io::BufRead;
use zeroize::Zeroizing;

pub(super) fn draw(args: &DrawIdentity) -> Result<ExitCode, Failure> {
    if let (None, Some(found)) = (&args.to, output::no_pipe()) {
        let message = format!("standard output is {found}: expected a pipe for a private key");
        return Err(Failure::new(ExitCode::Usage, message)
            .with_hint("nothing was drawn; `--to FILE` writes a new file that only its owner reads"));
    }
    let mut station = open(&args.station)?;
    if args.serve {
        return serve(&mut station, args);
    }
    let hardware = args.hardware.as_deref().map(|asked| {
        named(asked).ok_or_else(|| {
            let message = "--hardware: expected KIND=ID, like mac=00124b000001".to_owned();
            Failure::new(ExitCode::Usage, message).with_hint("nothing was drawn")
        })
    });
    let hardware = hardware.transpose()?;
    let (bundle, device) = (args.bundle.as_deref(), args.device.as_deref());
    let wanted = Wanted { line: args.line, bundle, device, hardware: hardware.as_deref() };
    if let Some(form) = args.form.form {
        return forms::draw(&mut station, args, form, &wanted);
    }
    let to = args.to.as_deref().map(|path| forms::free_path(path, "nothing was drawn")).transpose()?;
    let mut over = forms::handing_over(&station, to.as_deref(), "nothing was drawn")?;
    let drawn = station.draw(&wanted, now())?;
    forms::begins(&mut over, &drawn)?;
    let octets = if args.json { as_json(&drawn, args.line)? } else { as_pem(&drawn)? };
    if let Some(path) = to {
        durable_file::create(&path, octets.expose()).map_err(|error| undelivered(&drawn, &error.to_string()))?;
        output::words(&format!(
            "{} is reserved for line {} and in {}",
            drawn.identity.device,
            args.line,
            path.display()
        ));
    } else {
        output::secret_data(&octets).map_err(|error| undelivered(&drawn, &error.to_string()))?;
    }
    Ok(ExitCode::Done)
}

/// One identity for each line that comes in, until the input ends.
fn serve(station: &mut Station, args: &DrawIdentity) -> Result<ExitCode, Failure> {
    let mut input = std::io::stdin().lock();
    loop {
        let asked = match asked(&mut input)? {
            Asked::Ended => return Ok(ExitCode::Done),
            Asked::Next => (None, None),
            Asked::Device(id) => (Some(id), None),
            Asked::Hardware(name) => (None, Some(name)),
            Asked::Unclear => {
                let most = limits::DEVICE_ID_CHARS;
                serve::unclear(&format!(
                    "`next`, a device id of at most {most} characters, or a hardware id as KIND=ID"
                ))?;
                continue;
            }
        };
        let (device, hardware) = (asked.0.as_deref(), asked.1.as_deref());
        let wanted = Wanted { line: args.line, bundle: args.bundle.as_deref(), device, hardware };
        match station.draw(&wanted, now()) {
            Ok(drawn) => {
                let octets = as_json(&drawn, args.line)?;
                output::secret_data(&octets).map_err(|error| undelivered(&drawn, &error.to_string()))?;
            }
            // The line may ask again; what is wrong with the store itself ends it.
            Err(error @ (StationError::NothingReleased(_) | StationError::Unopened { .. })) => {
                serve::refused(&error)?;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// What a line of `--serve` asks for.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    Next,
    Device(String),
    /// As `hardware::same_for` writes it.
    Hardware(String),
    Unclear,
    Ended,
}

/// A hardware id that was asked for, in whatever spelling.
fn named(asked: &str) -> Option<String> {
    let (kind, id) = asked.split_once('=')?;
    hardware::check(kind, &hardware::written(kind, id)).ok()?;
    Some(hardware::same_for(kind, id))
}

/// A hardware id is the longest question.
fn asked(input: &mut impl BufRead) -> Result<Asked, Failure> {
    Ok(match serve::line(input, limits::HARDWARE_KIND_OCTETS + limits::PRODUCT_OCTETS + 1)? {
        Line::Ended => Asked::Ended,
        Line::Text(text) if text == "next" => Asked::Next,
        Line::Text(asked) if asked.contains('=') => named(&asked).map_or(Asked::Unclear, Asked::Hardware),
        Line::Text(id) if !id.is_empty() && id.len() <= limits::DEVICE_ID_CHARS => Asked::Device(id),
        Line::Text(_) | Line::Unclear => Asked::Unclear,
    })
}

pub(super) fn undelivered(drawn: &Drawn, cause: &str) -> Failure {
    let device = &drawn.identity.device;
    Failure::from(format!("{device} is reserved and was not handed over: {cause}")).with_hint(format!(
        "it is offered to nobody again; `anchorite station scrap DIR {device} --reason TEXT` says what became of it"
    ))
}

/// The private key as PEM; `None` where the device made it and never let it out.
fn private_key(drawn: &Drawn) -> Result<Option<Zeroizing<String>>, Failure> {
    match &drawn.record.key {
        DeviceKey::None => Ok(None),
        DeviceKey::Pkcs8(key) => der::pem::encode_string("PRIVATE KEY", LineEnding::LF, key.expose())
            .map(|text| Some(Zeroizing::new(text)))
            .map_err(|_| Failure::from("the private key cannot be written as PEM".to_owned())),
    }
}

fn certificate(drawn: &Drawn) -> Result<String, Failure> {
    pem::to_pem(pem::CERTIFICATE, &drawn.record.certificate).map_err(|e| Failure::from(e.to_string()))
}

fn as_pem(drawn: &Drawn) -> Result<Secret, Failure> {
    let (key, certificate) = (private_key(drawn)?, certificate(drawn)?);
    let key = key.as_ref().map_or("", |key| key.as_str());
    Ok(joined(&[key.as_bytes(), certificate.as_bytes()]))
}

/// `{"device":...,"extras":{...},"private_key":"..."}` and a line feed: what is public by serde, what is secret put in after it.
fn as_json(drawn: &Drawn, line: u32) -> Result<Secret, Failure> {
    let firmware = &drawn.record.lineage.firmware;
    let public = json!({
        "device": drawn.identity.device, "bundle": drawn.identity.bundle, "shard": drawn.identity.shard, "index": drawn.identity.index,
        "line": line, "entry": drawn.entry, "certificate": certificate(drawn)?, "record": drawn.identity.record, "nonce": drawn.nonce,
        "product": drawn.bundle.product, "sku": drawn.bundle.sku,
        "firmware": {"version": firmware.version, "sha256": firmware.sha256}, "hardware": drawn.record.lineage.hardware,
    });
    let public = serde_json::to_string(&public).map_err(|e| Failure::from(e.to_string()))?;
    let public = public.strip_suffix('}').unwrap_or_default();
    let mut extras = Zeroizing::new(Vec::new());
    // Room first: a vector that grows leaves copies behind.
    extras.reserve_exact(drawn.record.extras.iter().map(|(name, value)| 8 + 6 * name.len() + 2 * value.len()).sum());
    for (name, value) in &drawn.record.extras {
        let name = serde_json::to_string(name).map_err(|e| Failure::from(e.to_string()))?;
        let hex = Zeroizing::new(hex_encode(value.expose()));
        let comma: &[u8] = if extras.is_empty() { b"" } else { b"," };
        for part in [comma, name.as_bytes(), b":\"", hex.as_bytes(), b"\""] {
            extras.extend_from_slice(part);
        }
    }
    let key = private_key(drawn)?;
    let mut parts: Vec<&[u8]> = vec![public.as_bytes(), b",\"extras\":{", &extras, b"},\"private_key\":"];
    match &key {
        // PEM has no character that JSON escapes but its line feeds.
        Some(key) => {
            parts.push(b"\"");
            for line in key.split_inclusive('\n') {
                parts.extend([line.trim_end_matches('\n').as_bytes(), &b"\\n"[..]]);
            }
            parts.push(b"\"}\n");
        }
        None => parts.push(b"null}\n"),
    }
    Ok(joined(&parts))
}

fn joined(parts: &[&[u8]]) -> Secret {
    let mut all = Secret::with_capacity(parts.iter().map(|part| part.len()).sum());
    parts.iter().flat_map(|part| part.iter()).for_each(|&octet| {
        all.push(octet);
    });
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_too_long_asks_for_nothing_and_its_end_neither() {
        let long = format!(
            "next\nLAMP-1\r\n{}next\n\n{}\n\u{fffd}\nmac=00:12:4B:00:00:0A\nmac=7\n{}\nnext",
            "x".repeat(90),
            "y".repeat(64),
            "z".repeat(65)
        );
        let mut input = long.as_bytes();
        let mut all = Vec::new();
        loop {
            match asked(&mut input).unwrap() {
                Asked::Ended => break,
                some => all.push(some),
            }
        }
        let device = |id: &str| Asked::Device(id.to_owned());
        let replaced = device("\u{fffd}");
        let expected = [
            Asked::Next,
            device("LAMP-1"),
            Asked::Unclear,
            Asked::Unclear,
            device(&"y".repeat(64)),
            replaced,
            Asked::Hardware("mac=00124b00000a".to_owned()),
            Asked::Unclear,
            Asked::Unclear,
            Asked::Next,
        ];
        assert_eq!(all, expected);
    }
}
