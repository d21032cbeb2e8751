//! `medium list` and `medium check`: what is there, and what is wrong with it.

use super::{count_of, files_of, leave, open, show};
use crate::basics::SafeText;
use crate::cli::{ExitCode, Failure, output};
use crate::devices::medium::{Access, Contents, ExportState, Medium, Place, removable};
use serde_json::{Value, json};
use std::path::Path;

/// Which sticks this machine sees.
pub fn sticks(json: bool) -> Result<ExitCode, Failure> {
    let sticks = removable();
    if json {
        let rows: Vec<Value> = sticks
            .iter()
            .map(|s| {
                json!({ "device": s.device, "octets": s.octets, "model": s.model, "read_only": s.read_only, "mounted": s.mounted })
            })
            .collect();
        output::json(&json!({ "sticks": rows }))?;
    } else if sticks.is_empty() {
        output::words("this machine sees no removable medium");
    }
    for stick in sticks.iter().filter(|_| !json) {
        let mounted =
            stick.mounted.as_ref().map_or("not mounted".to_owned(), |at| format!("mounted at {}", at.display()));
        let guard = if stick.read_only { ", read-only" } else { "" };
        let millions = stick.octets / 1_000_000;
        output::data(&format!("{}  {} MB  {}  {mounted}{guard}", stick.device.display(), millions, stick.model));
    }
    Ok(if sticks.is_empty() { ExitCode::Missing } else { ExitCode::Done })
}

/// What is on a medium.
pub fn list(path: &Path, json: bool) -> Result<ExitCode, Failure> {
    let place = Place::at(path, Access::Read)?;
    let medium = Medium::open(&place)?;
    let contents = medium.contents()?;
    if json {
        let volume = medium.volume();
        output::json(&json!({
            "id": volume.map(|v| v.id.hex()),
            "label": volume.map(|v| v.label.as_str().to_owned()),
            "exports": contents.exports.iter().map(|(name, state)| export_json(&name.to_string(), state)).collect::<Vec<_>>(),
            "inbox": inbox_json(&contents),
            "foreign": contents.foreign,
        }))?;
    } else {
        match medium.volume() {
            Some(volume) => output::data(&format!("this is {volume}")),
            None => output::data("this medium has no file VOLUME: it was never initialised"),
        }
        for (name, state) in &contents.exports {
            match state {
                ExportState::Listed(manifest) => {
                    let digest = manifest.digest().map_err(|e| Failure::from(e.to_string()))?;
                    show(manifest, &digest);
                }
                ExportState::Refused(why) => output::data(&format!("{name} · refused: {why}")),
            }
        }
        for loose in &contents.loose {
            match &loose.digest {
                Ok((size, digest)) => {
                    output::data(&format!("INBOX/{} · loose · {size} octets · {}", loose.name, digest.twelve_words()));
                }
                Err(why) => output::data(&format!("INBOX/{} · refused: {why}", loose.name)),
            }
        }
        for name in &contents.foreign {
            output::data(&format!("{name} · nobody of ours put it there: not opened"));
        }
    }
    drop(medium);
    place.leave()?;
    Ok(ExitCode::Done)
}

/// Reads every octet and reports every problem at once.
pub fn check(path: &Path, label: Option<&str>, json: bool) -> Result<ExitCode, Failure> {
    let (place, medium, volume) = open(path, label, Access::Read)?;
    let contents = medium.contents()?;
    let (mut good, mut problems) = (Vec::new(), Vec::new());
    let count = contents.exports.len();
    for (at, (name, state)) in contents.exports.into_iter().enumerate() {
        output::words(&format!("reading {name}, {} of {count}", at + 1));
        let checked = match state {
            ExportState::Listed(_) => medium.check(name),
            ExportState::Refused(why) => Err(why),
        };
        match checked {
            Ok(manifest) => good.push(manifest),
            Err(why) => problems.push(why.to_string()),
        }
    }
    problems.extend(contents.loose.iter().filter_map(|l| l.digest.as_ref().err()).map(ToString::to_string));
    problems.extend(contents.foreign.iter().map(|name| format!("{name}: nobody of ours put it there: not opened")));
    if json {
        let rows: Vec<Value> =
            good.iter().map(|m| json!({ "export": m.export().to_string(), "files": files_of(m) })).collect();
        output::json(
            &json!({ "id": volume.id.hex(), "label": volume.label.as_str(), "exports": rows, "problems": problems }),
        )?;
    } else {
        output::data(&format!("this is {volume}"));
        for manifest in &good {
            output::data(&format!("✓ {}: {} read and equal", manifest.export(), count_of(manifest)));
        }
        for problem in &problems {
            output::data(&format!("✗ {problem}"));
        }
    }
    leave(place, medium, path)?;
    Ok(if problems.is_empty() { ExitCode::Done } else { ExitCode::Refuted })
}

fn export_json(name: &str, state: &ExportState) -> Value {
    match state {
        ExportState::Listed(manifest) => json!({
            "export": name,
            "realm": manifest.realm(),
            "digest": manifest.digest().ok(),
            "words": manifest.digest().map(|d| d.twelve_words()).ok(),
            "files": files_of(manifest),
        }),
        ExportState::Refused(why) => json!({ "export": name, "refused": why.to_string() }),
    }
}

fn inbox_json(contents: &Contents) -> Vec<Value> {
    let one = |name: &SafeText, digest: &Result<(u64, crate::basics::Digest), _>| match digest {
        Ok((size, digest)) => json!({ "name": name, "size": size, "digest": digest, "words": digest.twelve_words() }),
        Err(why) => {
            let why: &crate::devices::medium::MediumError = why;
            json!({ "name": name, "refused": why.to_string() })
        }
    };
    contents.loose.iter().map(|l| one(&l.name, &l.digest)).collect()
}
