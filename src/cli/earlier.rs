//! The ceremony that a script follows: its evidence verified, what stands after it, the sealed keys it left. A rehearsal that is
//! given none rehearses it first.

use crate::audit::evidence::STANDING;
use crate::audit::standing::left_by;
use crate::audit::{Pin, verify};
use crate::basics::{Digest, Realm, limits};
use crate::ceremony::steps;
use crate::cli::script_files::{self, ScriptFiles};
use crate::cli::{ExitCode, Failure};
use crate::devices::{durable_file, whole_folder};
use crate::plan::{Plan, Standing, resolve};
use crate::runner::Folder;
use crate::transcript::Record;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Reads a script; where `after` names the ceremony that it follows, joined to what stands after that.
///
/// # Errors
/// Problems of the script; evidence that does not hold; a difference between the two.
pub fn script_after(script: &Path, realm: Realm, after: Option<&Path>) -> Result<ScriptFiles, Failure> {
    let alone = script_files::read(script, realm)?;
    let Some(after) = after else { return Ok(alone) };
    // A script for production names the head of a production record: a rehearsal of it goes on from a rehearsal, which has another.
    let expect = Digest::parse(&alone.plan.previous_head).filter(|_| !realm.is_rehearsal());
    let standing = standing_after(after, realm, expect)?;
    script_files::read_after(script, realm, Some(standing))
}

/// What follows a ceremony is run with that ceremony's evidence only.
///
/// # Errors
/// Where it is missing.
pub fn attached(plan: &Plan) -> Result<(), Failure> {
    if plan.follows.is_empty() || plan.standing.is_some() {
        return Ok(());
    }
    Err(Failure::new(
        ExitCode::Usage,
        format!("{} follows {}: expected `--after` with its evidence", plan.ceremony, plan.follows),
    )
    .with_hint("name the folder that ceremony wrote, or a copy of its evidence"))
}

/// The sealed keys of everything that stands.
///
/// # Errors
/// Where one is missing or another.
pub fn vault(plan: &Plan, after: Option<&Path>, vault: Option<&Path>) -> Result<BTreeMap<String, Vec<u8>>, Failure> {
    let (Some(standing), Some(after)) = (&plan.standing, after) else { return Ok(BTreeMap::new()) };
    let wanted: Vec<&str> = plan.authorities.iter().filter(|a| a.standing).map(|a| a.name.as_str()).collect();
    sealed(standing, &wanted, &vault.map_or_else(|| Folder::at(after).vault(), Path::to_owned))
}

/// In a rehearsal the sealed keys that this ceremony does not need go along too: one that follows it may, and there is no vault medium.
///
/// # Errors
/// Where one is another than the record says.
pub fn carried(plan: &Plan, after: &Path) -> Result<BTreeMap<String, Vec<u8>>, Failure> {
    let Some(standing) = &plan.standing else { return Ok(BTreeMap::new()) };
    let vault = Folder::at(after).vault();
    let there = standing.authorities.iter().filter(|(_, made)| vault.join(&made.sealed_name).is_file());
    let there: Vec<&str> = there.map(|(name, _)| name.as_str()).collect();
    sealed(standing, &there, &vault)
}

/// The device keys that the chain has certified from requests, as the ceremony before kept them. A ceremony that judges no requests does
/// without; one that does says what is missing.
///
/// # Errors
/// Where a file of theirs cannot be read.
pub fn device_keys(plan: &Plan, after: Option<&Path>) -> Result<Option<Vec<u8>>, Failure> {
    let expected = plan.standing.as_ref().and_then(|standing| standing.device_keys);
    let (Some(expected), Some(after)) = (expected, after) else { return Ok(None) };
    let artifacts = evidence_of(after).join("artifacts");
    let entries = std::fs::read_dir(&artifacts).map(|entries| entries.flatten().map(|entry| entry.path()).collect());
    let mut candidates: Vec<PathBuf> = entries.unwrap_or_default();
    candidates.retain(|path| path.to_string_lossy().ends_with(".device-keys.bin"));
    candidates.push(Folder::at(after).device_keys());
    for path in candidates.iter().filter(|path| path.is_file()) {
        let octets = durable_file::read(path, limits::EVIDENCE_FILE_OCTETS)?;
        if Digest::of(&octets) == expected {
            return Ok(Some(octets));
        }
    }
    crate::cli::output::words(&format!(
        "{}: the list of device keys that this chain has certified, SHA-256 {expected}, is not here; requests of devices cannot be judged without it",
        after.display()
    ));
    Ok(None)
}

/// The script beside this one whose ceremony has this id.
///
/// # Errors
/// Where there is none.
pub fn script_of(beside: &Path, id: &str) -> Result<PathBuf, Failure> {
    let folder = if beside.is_dir() { beside.to_owned() } else { beside.parent().unwrap_or(Path::new(".")).to_owned() };
    let absolute = folder.canonicalize().map_err(|e| Failure::from(format!("{}: {e}", folder.display())))?;
    let parent = absolute.parent().unwrap_or(&absolute);
    let entries = std::fs::read_dir(parent).map_err(|e| Failure::from(format!("{}: {e}", parent.display())))?;
    let mut folders: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    folders.sort();
    let has_id = |folder: &PathBuf| {
        let octets = durable_file::read(&folder.join("script.toml"), limits::SCRIPT_OCTETS).unwrap_or_default();
        let id_of = resolve::ceremony_id(&octets, &steps::kinds());
        id_of.as_deref() == Some(id)
    };
    folders.into_iter().find(has_id).ok_or_else(|| {
        Failure::new(
            ExitCode::Failure,
            format!("no script beside {} makes {id}, which this one follows", folder.display()),
        )
        .with_hint("name the folder that its rehearsal wrote with --after")
    })
}

/// The evidence inside the folder a ceremony wrote to, or the folder itself.
#[must_use]
pub fn evidence_of(after: &Path) -> PathBuf {
    if after.join("transcript.jsonl").exists() { after.to_owned() } else { after.join("evidence") }
}

/// What stands after an earlier ceremony: verified whole, with the last head that the script pins.
fn standing_after(after: &Path, realm: Realm, expect: Option<Digest>) -> Result<Standing, Failure> {
    let folder = evidence_of(after);
    let shown = folder.display();
    if !folder.is_dir() {
        return Err(Failure::from(format!(
            "{}: expected the folder of an earlier ceremony, found none",
            after.display()
        )));
    }
    let files = whole_folder::read(&folder)?;
    let octets = files.get("transcript.jsonl").map(Vec::as_slice).unwrap_or_default();
    if let Ok(record) = Record::read(octets)
        && record.header.realm != realm
    {
        return Err(Failure::new(
            ExitCode::EnvironmentRefused,
            format!(
                "{shown}: expected a ceremony of the {realm} realm, found one of the {} realm",
                record.header.realm
            ),
        )
        .with_hint("nothing made in one realm is ever accepted in the other"));
    }
    let kinds = steps::kinds();
    let verdict = verify(&files, &Pin { signers: None, expect }, &kinds);
    if !matches!(verdict.exit, 0 | 8) {
        return Err(Failure::new(
            ExitCode::Refuted,
            format!("{shown}: the evidence does not hold:\n{}", verdict.render().trim_end()),
        )
        .with_hint("nothing can be built on it; find out what happened to it first"));
    }
    let (_, left) = left_by(&files, &kinds);
    left.map_err(|problem| Failure::from(format!("{shown}: {problem}")))
}

/// The sealed key of every standing authority, as the record says it is.
fn sealed(standing: &Standing, wanted: &[&str], vault: &Path) -> Result<BTreeMap<String, Vec<u8>>, Failure> {
    let mut files = BTreeMap::new();
    for (name, made) in standing.authorities.iter().filter(|(name, _)| wanted.contains(&name.as_str())) {
        let path = vault.join(&made.sealed_name);
        let octets = durable_file::read(&path, limits::SEALED_FILE_OCTETS).map_err(|e| {
            Failure::new(ExitCode::Missing, format!("the sealed key of {name}: {e}"))
                .with_hint("--vault names the folder that holds the sealed keys: the vault medium, mounted")
        })?;
        let found = Digest::of(&octets);
        if found != made.sealed {
            return Err(Failure::new(
                ExitCode::Refuted,
                format!("{}: expected the sealed key of the record, {}, found {found}", path.display(), made.sealed),
            )
            .with_hint("a sealed file counts only if a verified record names it: take it from another vault medium"));
        }
        files.insert(made.sealed_name.clone(), octets);
    }
    Ok(files)
}

/// What a run that is taken up again had taken up itself.
///
/// # Errors
/// Where the file is there and is none.
pub fn recorded(folder: &Folder, realm: Realm) -> Result<Option<Standing>, Failure> {
    let path = folder.standing();
    if !path.exists() {
        return Ok(None);
    }
    let octets = durable_file::read(&path, limits::STANDING_OCTETS)?;
    let standing = Standing::parse(&octets, realm).map_err(|e| Failure::from(format!("{STANDING}: {e}")))?;
    Ok(Some(standing))
}
