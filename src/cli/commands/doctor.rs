//! `doctor`: what this machine is like, before the day.

use crate::cli::{ExitCode, Failure, output};
use crate::devices::air_gap;
use crate::strongroom::{Request, Response, Strongroom};
use std::collections::BTreeMap;

/// Reports findings about the machine and what protects the strongroom on it.
///
/// # Errors
/// Where the strongroom does not start.
pub fn doctor(json: bool) -> Result<ExitCode, Failure> {
    let findings = air_gap::findings();
    let protections = protections()?;
    if json {
        output::json(&serde_json::json!({ "findings": findings, "strongroom": protections }))?;
    } else {
        for finding in &findings {
            let mark = if finding.good { "✓" } else { "✗" };
            let expected = if finding.good { String::new() } else { format!(", expected {}", finding.expected) };
            output::data(&format!("{mark} {}: {}{expected}", finding.name, finding.found));
        }
        for (name, said) in &protections {
            output::data(&format!("{} strongroom {name}: {said}", if said == "yes" { "✓" } else { "✗" }));
        }
    }
    let good = findings.iter().all(|f| f.good) && protections.values().all(|said| said == "yes");
    Ok(if good { ExitCode::Done } else { ExitCode::EnvironmentRefused })
}

fn protections() -> Result<BTreeMap<String, String>, Failure> {
    let mut strongroom = Strongroom::start().map_err(|e| Failure::from(e.to_string()))?;
    let open = Request::Open {
        realm: crate::basics::Realm::Rehearsal,
        ceremony: "doctor".to_owned(),
        plan_digest: crate::basics::Digest::of(b"doctor"),
        profiles: BTreeMap::new(),
        seed: None,
    };
    match strongroom.ask(open, None).map_err(|e| Failure::from(e.to_string()))? {
        (Response::Opened { protections, .. }, _) => Ok(protections),
        _ => Err(Failure::from("the strongroom did not open".to_owned())),
    }
}
