//! An evidence folder as octets by path, and looking things up in it as `verify.py` does on a disk.
//!
//! Two kinds of path stand for what has no octets; no real path ends like them:
//! ```text
//! "artifacts/"      an empty folder
//! "report.html\0"   something at that path that cannot be read as a regular file: a symbolic link, a pipe, a huge file
//! ```

use std::collections::{BTreeMap, BTreeSet};

/// Path inside the folder, with `/` between names, to octets.
pub type Files = BTreeMap<String, Vec<u8>>;

/// Octets of script, checkpoint, attestation, signature, allowed signers and approval.
pub const TEXT_OCTETS: usize = 1024 * 1024;
/// Octets of any other file.
pub const FILE_OCTETS: usize = 256 * 1024 * 1024;
/// Folders this deep are not looked into.
pub const DEPTH: usize = 8;

const ODD: char = '\0';

/// How whoever reads the disk notes something that is no readable regular file.
#[must_use]
pub fn odd(path: &str) -> String {
    format!("{path}{ODD}")
}

/// How whoever reads the disk notes a folder with nothing in it.
#[must_use]
pub fn empty_folder(path: &str) -> String {
    format!("{path}/")
}

/// A regular file of at most `limit` octets.
///
/// # Errors
/// Where there is none.
pub fn read<'f>(files: &'f Files, path: &str, limit: usize) -> Result<&'f [u8], String> {
    let octets = files.get(path).ok_or_else(|| format!("{path}: expected a regular file, found none"))?;
    if octets.len() > limit {
        return Err(format!("{path}: expected at most {limit} octets, found {}", octets.len()));
    }
    Ok(octets)
}

/// Whether anything is at a path: a file, a folder, or something odd.
#[must_use]
pub fn exists(files: &Files, path: &str) -> bool {
    let inside = format!("{path}/");
    files.contains_key(path)
        || files.contains_key(&odd(path))
        || files.range(inside.clone()..).next().is_some_and(|(found, _)| found.starts_with(&inside))
}

/// The names in a folder, sorted; none where there is no such folder. The folder of the evidence itself is "".
///
/// # Errors
/// Where something else than a folder has its name.
pub fn names<'f>(files: &'f Files, folder: &str) -> Result<BTreeSet<&'f str>, String> {
    if files.contains_key(folder) || files.contains_key(&odd(folder)) {
        return Err(format!("{folder}: expected a folder"));
    }
    let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    let names = files
        .range(prefix.clone()..)
        .map_while(|(path, _)| path.strip_prefix(&prefix))
        .filter_map(|rest| rest.split(['/', ODD]).next())
        .filter(|name| !name.is_empty());
    Ok(names.collect())
}

/// Every path that is not a folder, what is odd included; and folders with nothing in them, which `SHA256SUMS` cannot list,
/// except those every run makes.
#[must_use]
pub fn paths(files: &Files) -> BTreeSet<&str> {
    files
        .keys()
        .filter(|path| !matches!(path.as_str(), "approval/" | "artifacts/" | "checkpoints/" | "profiles/"))
        .map(|path| path.trim_end_matches(['/', ODD]))
        .collect()
}
