//! `station confirm`: what a device or its line says of an identity that was drawn.

use super::serve::{self, Line};
use super::{now, open, told};
use crate::basics::digest::hex_decode;
use crate::basics::limits;
use crate::cli::args::station::ConfirmIdentity;
use crate::cli::{ExitCode, Failure, output};
use crate::devices::durable_file;
use crate::station::store::Identity;
use crate::station::{State, Station, StationError};
use std::path::Path;

/// The word that stands for a proof where there is none.
const INJECTED: &str = "injected";

pub(super) fn confirm(args: &ConfirmIdentity) -> Result<ExitCode, Failure> {
    let mut station = open(&args.station)?;
    let Some(device) = &args.device else { return serve(&mut station) };
    let octets = match args.signature.as_deref().map(|signature| (signature, hex_decode(signature))) {
        None => None,
        Some((_, Some(octets))) if !octets.is_empty() => Some(octets),
        Some((path, _)) => Some(durable_file::read(Path::new(path), limits::DEVICE_SIGNATURE_OCTETS)?),
    };
    told(&taken(&mut station, device, octets.as_deref())?, args.json)
}

/// A proof, or the line's word alone.
fn taken(station: &mut Station, device: &str, proof: Option<&[u8]>) -> Result<Identity, StationError> {
    match proof {
        Some(proof) => station.confirm(device, proof, now()),
        None => station.say(device, State::Injected, "the line says so", now()),
    }
}

/// One answer for each line that comes in, until the input ends.
fn serve(station: &mut Station) -> Result<ExitCode, Failure> {
    let mut input = std::io::stdin().lock();
    loop {
        let line = match serve::line(&mut input, limits::DEVICE_ID_CHARS + 1 + 2 * limits::DEVICE_SIGNATURE_OCTETS)? {
            Line::Ended => return Ok(ExitCode::Done),
            Line::Text(line) => line,
            Line::Unclear => String::new(),
        };
        let Some((device, proof)) = said(&line) else {
            serve::unclear("a device id, a blank, and its signature in hexadecimal digits or `injected`")?;
            continue;
        };
        match taken(station, device, proof.as_deref()) {
            Ok(identity) => output::json(&identity)?,
            // What is wrong with one device is no reason to stop the line; what is wrong with the store itself ends it.
            Err(
                error @ (StationError::Refused(_) | StationError::Unknown { .. } | StationError::WrongState { .. }),
            ) => serve::refused(&error)?,
            Err(error) => return Err(error.into()),
        }
    }
}

/// A device, and its proof where it has one.
fn said(line: &str) -> Option<(&str, Option<Vec<u8>>)> {
    let (device, proof) = line.split_once(' ').filter(|(device, _)| !device.is_empty())?;
    if proof == INJECTED {
        return Some((device, None));
    }
    let proof =
        hex_decode(proof).filter(|proof| !proof.is_empty() && proof.len() <= limits::DEVICE_SIGNATURE_OCTETS)?;
    Some((device, Some(proof)))
}

#[cfg(test)]
mod tests {
    use super::said;

    #[test]
    fn a_line_names_a_device_and_what_it_signed() {
        assert_eq!(said("LAMP-1 injected"), Some(("LAMP-1", None)));
        assert_eq!(said("LAMP-1 30ff"), Some(("LAMP-1", Some(vec![0x30, 0xff]))));
        for line in ["", "LAMP-1", "LAMP-1 ", " 30ff", "LAMP-1  30ff", "LAMP-1 30f", "LAMP-1 30ff x", "LAMP-1 Injected"]
        {
            assert_eq!(said(line), None, "{line}");
        }
    }
}
