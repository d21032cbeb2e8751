//! A bundle on several media, when one is too small: each has a folder `BUNDLE-<8 digits>` with the manifest, its signatures and some of
//! the files; together they have all. Put together again it is the folder it was, octet for octet.

use super::BundleError;
use super::check::only_listed;
use super::folder::{Partial, failed, open_file};
use crate::basics::limits;
use crate::devices::durable_file;
use crate::factory::manifest::BundleFile;
use crate::factory::{Class, Manifest, Refusal, manifest};
use rustix::fs::statvfs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Left free on every medium, for its file system's own needs.
const MARGIN: u64 = 1024 * 1024;
/// Octets copied at once.
const PIECE: usize = 256 * 1024;

/// What one medium got.
#[derive(Debug)]
pub struct Part {
    pub folder: PathBuf,
    pub files: usize,
    pub octets: u64,
}

/// Spreads a bundle over these folders, in their order, as much on each as it has room for, at most `most` octets of files.
///
/// # Errors
/// Where they have not enough room for all (then nothing was written), a folder of that name is there, a file is not as the manifest
/// lists it, or the disk refuses.
pub fn split(folder: &Path, targets: &[PathBuf], most: Option<u64>) -> Result<Vec<Part>, BundleError> {
    let (octets, manifest) = read_manifest(folder)?;
    let signatures = only_listed(folder, &manifest)?;
    let mut rooms = Vec::new();
    for target in targets {
        let space = statvfs(target).map_err(failed(target, "asking for its free space"))?;
        let beside = octets.len() as u64 + signatures.len() as u64 * limits::SMALL_FILE_OCTETS as u64 + MARGIN;
        let free = (space.f_bavail * space.f_frsize).saturating_sub(beside);
        rooms.push(most.map_or(free, |most| most.min(free)));
    }
    let plan = plan(&manifest.files, &rooms)?;
    let name = format!("BUNDLE-{}", manifest.bundle.hex().get(..8).unwrap_or_default());
    let mut parts = Vec::new();
    for (target, files) in targets.iter().zip(&plan).filter(|(_, files)| !files.is_empty()) {
        let at = target.join(&name);
        let partial = Partial::new(&at)?;
        let mut written = Vec::new();
        for listed in files {
            written.push(copy(folder, &partial, &listed.name, Some(listed))?);
        }
        for name in &signatures {
            written.push(copy(folder, &partial, name, None)?);
        }
        partial.last(&written)?;
        partial.finish((manifest::NAME, &octets))?;
        parts.push(Part { folder: at, files: files.len(), octets: files.iter().map(|file| file.size).sum() });
    }
    Ok(parts)
}

/// Which files go where, in their order.
fn plan<'f>(files: &'f [BundleFile], rooms: &[u64]) -> Result<Vec<Vec<&'f BundleFile>>, BundleError> {
    let mut plan: Vec<Vec<&BundleFile>> = rooms.iter().map(|_| Vec::new()).collect();
    let mut left = rooms.to_vec();
    let mut homeless = 0_u64;
    for file in files {
        let place = left.iter().position(|left| *left >= file.size).unwrap_or(usize::MAX);
        match (left.get_mut(place), plan.get_mut(place)) {
            (Some(left), Some(part)) => {
                *left -= file.size;
                part.push(file);
            }
            _ => homeless += file.size,
        }
    }
    if homeless == 0 {
        return Ok(plan);
    }
    let (all, room): (u64, u64) = (files.iter().map(|file| file.size).sum(), rooms.iter().sum());
    let expected =
        format!("room for {all} octets in files of up to {}", files.iter().map(|f| f.size).max().unwrap_or(0));
    Err(Refusal::new(Class::Count, "media", expected, format!("{room} octets, {homeless} too few")).into())
}

/// Puts parts together into the new folder `out`.
///
/// # Errors
/// Where a part is of another bundle, a file is in none of them or is not as the manifest lists it, or the disk refuses; there is then no
/// folder `out`.
pub fn join(parts: &[PathBuf], out: &Path) -> Result<Manifest, BundleError> {
    let Some(first) = parts.first() else {
        return Err(Refusal::new(Class::Count, "parts", "at least one", "none").into());
    };
    let (octets, manifest) = read_manifest(first)?;
    for part in parts {
        if read_manifest(part)?.0 != octets {
            let what = part.display().to_string();
            return Err(Refusal::new(Class::Foreign, what, "the manifest of the first part", "another").into());
        }
    }
    // Before anything is written: which part has which file.
    let mut found = Vec::new();
    for listed in &manifest.files {
        let part = parts.iter().find(|part| part.join(&listed.name).symlink_metadata().is_ok());
        found.push((
            listed,
            part.ok_or_else(|| Refusal::new(Class::Count, &listed.name, "the file in a part", "none"))?,
        ));
    }
    let partial = Partial::new(out)?;
    let mut written = Vec::new();
    for (listed, part) in found {
        written.push(copy(part, &partial, &listed.name, Some(listed))?);
    }
    let mut names = Vec::new();
    for part in parts {
        for name in super::folder::names(part, limits::MEDIUM_ENTRIES)? {
            let signature = name.strip_prefix("manifest.json.").is_some_and(|rest| rest.ends_with(".sig"));
            if signature && !names.contains(&name) {
                written.push(copy(part, &partial, &name, None)?);
                names.push(name);
            }
        }
    }
    partial.last(&written)?;
    partial.finish((manifest::NAME, &octets))?;
    Ok(manifest)
}

fn read_manifest(folder: &Path) -> Result<(Vec<u8>, Manifest), BundleError> {
    let octets = durable_file::read(&folder.join(manifest::NAME), limits::BUNDLE_MANIFEST_OCTETS)?;
    let manifest = Manifest::parse(&octets)?;
    Ok((octets, manifest))
}

/// Copies one file, and compares it with what the manifest lists, where it lists it.
fn copy(folder: &Path, partial: &Partial, name: &str, listed: Option<&BundleFile>) -> Result<BundleFile, BundleError> {
    let (file, size) = open_file(folder, name)?;
    let most = listed.map_or(limits::SMALL_FILE_OCTETS as u64, |listed| listed.size);
    if size > most {
        return Err(Refusal::new(Class::Tampered, name, format!("at most {most} octets"), size).into());
    }
    let (mut file, mut copied) = (file.take(most), partial.file(name)?);
    let mut piece = vec![0; PIECE];
    loop {
        let read = file.read(&mut piece).map_err(failed(&folder.join(name), "reading"))?;
        if read == 0 {
            break;
        }
        copied.put(piece.get(..read).unwrap_or_default())?;
    }
    let copied = copied.done()?;
    match listed {
        Some(listed) if *listed != copied => {
            Err(Refusal::new(Class::Tampered, name, listed.sha256, copied.sha256).into())
        }
        _ => Ok(copied),
    }
}
