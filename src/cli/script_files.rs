//! Reads a script and the profiles it names from the disk and hands the octets to `plan`.

use crate::basics::{Digest, Realm, SafeText, limits};
use crate::ceremony::steps;
use crate::cli::{ExitCode, Failure};
use crate::devices::durable_file;
use crate::pki::profile::Profile;
use crate::plan::resolve::{self, ProfileFile};
use crate::plan::{Plan, Standing};
use crate::script::Problems;
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
    read_after(script, realm, None)
}

/// The same, joined to what stands after the ceremony that the script follows.
///
/// # Errors
/// As [`read`], and where script and record say different things.
pub fn read_after(script: &Path, realm: Realm, standing: Option<Standing>) -> Result<ScriptFiles, Failure> {
    let file: PathBuf = if script.is_dir() { script.join("script.toml") } else { script.to_owned() };
    if !file.exists() {
        return Err(Failure::new(ExitCode::Failure, format!("{}: there is no script here", file.display()))
            .with_hint("name a folder with script.toml in it, like ceremony-scripts/root-ca"));
    }
    let octets = durable_file::read(&file, limits::SCRIPT_OCTETS).map_err(|e| {
        Failure::new(ExitCode::ScriptProblems, e.to_string())
            .with_hint(format!("a script is a regular file of at most {} octets", limits::SCRIPT_OCTETS))
    })?;
    let kinds = steps::kinds();
    let folder = file.parent().unwrap_or(Path::new("."));
    let mut profiles = BTreeMap::new();
    let mut read = BTreeMap::new();
    // A profile's own problems are shown in its own lines, beside the script's.
    let mut own: Vec<Problems> = Vec::new();
    for name in resolve::profile_names(&octets, &kinds) {
        let places = [folder.join("profiles"), folder.join("../profiles")];
        let Some(path) = places.iter().map(|p| p.join(format!("{name}.toml"))).find(|p| p.is_file()) else { continue };
        let octets = durable_file::read(&path, limits::SMALL_FILE_OCTETS).map_err(|e| {
            Failure::new(ExitCode::ScriptProblems, e.to_string())
                .with_hint(format!("a profile is a regular file of at most {} octets", limits::SMALL_FILE_OCTETS))
        })?;
        let parsed = profile(&path, &name, &octets).map_err(|problems| {
            let first = problems.located().first().map_or_else(String::new, |p| format!("{}:{}", p.line, p.column));
            own.push(problems);
            format!("see {}:{first}", path.display())
        });
        read.insert(name.clone(), parsed);
        profiles.insert(name, octets);
    }
    let shown = file.display().to_string();
    let plan = resolve::plan(&shown, &octets, &read, &kinds, realm, standing).map_err(|problems| {
        let mut failure = Failure::from(problems);
        for problems in own {
            failure.message.push('\n');
            failure.message.push_str(problems.render().trim_end());
            failure.problems.extend(problems.located());
        }
        failure
    })?;
    Ok(ScriptFiles { script: octets, profiles, plan })
}

/// A profile from its octets, under the name by which the script asks for it.
///
/// # Errors
/// What the TOML reader says, and its place.
fn profile(path: &Path, name: &str, octets: &[u8]) -> Result<ProfileFile, Problems> {
    let text = String::from_utf8_lossy(octets);
    let mut problems = Problems::new(&path.display().to_string(), &text);
    if std::str::from_utf8(octets).is_err() {
        problems.add(0..0, "expected UTF-8 text", "");
        return Err(problems);
    }
    match toml::from_str::<Profile>(&text) {
        Ok(profile) if profile.name == name => Ok(ProfileFile { profile, digest: Digest::of(octets) }),
        Ok(profile) => {
            let at = text.find("name").unwrap_or(0);
            let found = SafeText::cut(&profile.name, 64);
            problems.add(
                at..at + 4,
                format!("expected the name `{name}`, found `{found}`"),
                "a profile is named as its file",
            );
            Err(problems)
        }
        Err(error) => {
            let what = SafeText::cut(error.message(), 300).to_string();
            problems.add(error.span().unwrap_or(0..0), what, "the profiles in ceremony-scripts/profiles are examples");
            Err(problems)
        }
    }
}
