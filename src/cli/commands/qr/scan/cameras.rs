//! `qr scan --list-cameras`.

use crate::basics::SafeText;
use crate::cli::{ExitCode, Failure, output};
use crate::devices::camera;
use serde::Serialize;

#[derive(Serialize)]
struct Listed {
    device: String,
    card: String,
    formats: Vec<String>,
    usable: bool,
}

pub(super) fn list(json: bool) -> Result<ExitCode, Failure> {
    let found = camera::list().map_err(|error| Failure::new(ExitCode::Failure, format!("/dev: {error}")))?;
    let listed = found.into_iter().map(|found| Listed {
        device: found.device.display().to_string(),
        card: SafeText::of(&found.card).to_string(),
        formats: found.formats.iter().map(|format| SafeText::of(format).to_string()).collect(),
        usable: found.usable,
    });
    let listed: Vec<Listed> = listed.collect();
    if json {
        output::json(&listed)?;
    } else {
        for camera in &listed {
            let usable = if camera.usable { "" } else { "  (no format this program reads)" };
            output::data(&format!("{}  {}  {}{usable}", camera.device, camera.card, camera.formats.join(" ")));
        }
    }
    if listed.is_empty() {
        output::words("no camera found: plug one in, or scan pictures, a video, or with a hand-held scanner");
        return Ok(ExitCode::Missing);
    }
    Ok(ExitCode::Done)
}
