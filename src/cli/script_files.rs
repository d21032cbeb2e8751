//! Reads a script and the profiles it names from the disk and hands the octets to `plan`.

use crate::basics::{Digest, Realm, limits};
use crate::ceremony::steps;
use crate::cli::{ExitCode, Failure};
use crate::devices::durable_file;
use crate::pki::profile::Profile;
use crate::plan::Plan;
use crate::plan::resolve::{self, ProfileFile};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A script with everything it names, as octets, and the plan it gives.
pub struct ScriptFiles {
    pub script: Vec<u8>,
    pub profiles: BTreeMap<String, Vec<u8>>,
    pub plan: Plan,
}

/// Reads and resolves. `script` is a folder with `script.toml`, or the file.
///
/// # Errors
/// Every problem of the script at once, exit code 3; a file that cannot be read, exit code 1.
pub fn read(script: &Path, realm: Realm) -> Result<ScriptFiles, Failure> {
    let file: PathBuf = if script.is_dir() { script.join("script.toml") } else { script.to_owned() };
    if !file.exists() {
        return Err(Failure::new(ExitCode::Failure, format!("{}: there is no script here", file.display()))
            .with_hint("name a folder with script.toml in it, like ceremony-scripts/root-ca"));
    }
    let octets = durable_file::read(&file, limits::SCRIPT_OCTETS).map_err(|e| {
        Failure::new(ExitCode::ScriptProblems, e.to_string())
            .with_hint(format!("a script has at most {} octets", limits::SCRIPT_OCTETS))
    })?;
    let kinds = steps::kinds();
    let folder = file.parent().unwrap_or(Path::new("."));
    let mut profiles = BTreeMap::new();
    let mut read = BTreeMap::new();
    for name in resolve::profile_names(&octets, &kinds) {
        let places = [folder.join("profiles"), folder.join("../profiles")];
        let Some(path) = places.iter().map(|p| p.join(format!("{name}.toml"))).find(|p| p.is_file()) else { continue };
        let octets = durable_file::read(&path, limits::SMALL_FILE_OCTETS)?;
        read.insert(name.clone(), profile(&octets));
        profiles.insert(name, octets);
    }
    let shown = file.display().to_string();
    let plan = resolve::plan(&shown, &octets, &read, &kinds, realm)?;
    Ok(ScriptFiles { script: octets, profiles, plan })
}

/// A profile from its octets.
///
/// # Errors
/// What the TOML reader says.
pub fn profile(octets: &[u8]) -> Result<ProfileFile, String> {
    let text = std::str::from_utf8(octets).map_err(|_| "expected UTF-8 text".to_owned())?;
    let profile: Profile = toml::from_str(text).map_err(|e| e.message().to_owned())?;
    Ok(ProfileFile { profile, digest: Digest::of(octets) })
}
