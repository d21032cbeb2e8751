//! Reads a folder somebody handed us, whole, for `audit`: nothing in it is followed, and what is no readable regular file is
//! noted as such, so that the verdict can name it.

use crate::audit::folder::{self, DEPTH, FILE_OCTETS, Files};
use crate::basics::limits;
use crate::devices::durable_file::{self, FileError};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Every file of a folder by its path inside it.
///
/// # Errors
/// Where the folder itself or one inside it cannot be listed, or it holds more files than an evidence folder ever does.
pub fn read(root: &Path) -> Result<Files, FileError> {
    let mut files = Files::new();
    let mut folders = vec![(root.to_owned(), String::new())];
    while let Some((here, prefix)) = folders.pop() {
        let failed = |cause| FileError { path: here.clone(), what: "listing the folder", cause };
        let mut empty = !prefix.is_empty();
        for entry in std::fs::read_dir(&here).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            empty = false;
            let name = spelled(&entry.file_name());
            let path = format!("{prefix}{}", name.as_ref().map_or_else(String::as_str, String::as_str));
            let is_folder = entry.file_type().map_err(failed)?.is_dir();
            if is_folder && name.is_ok() && path.matches('/').count() < DEPTH {
                folders.push((entry.path(), format!("{path}/")));
                continue;
            }
            match durable_file::read(&entry.path(), FILE_OCTETS) {
                Ok(octets) if name.is_ok() => files.insert(path, octets),
                _ => files.insert(folder::odd(&path), Vec::new()),
            };
            if files.len() > limits::EVIDENCE_FILES {
                return Err(failed(std::io::Error::from(std::io::ErrorKind::FileTooLarge)));
            }
        }
        if empty {
            files.insert(folder::empty_folder(prefix.trim_end_matches('/')), Vec::new());
        }
    }
    Ok(files)
}

/// A file name as text; where it is none, the octets that are not UTF-8 spelled out, and the whole an error.
fn spelled(name: &OsStr) -> Result<String, String> {
    if let Some(name) = name.to_str() {
        return Ok(name.to_owned());
    }
    let chunks = name.as_bytes().utf8_chunks();
    Err(chunks
        .map(|chunk| {
            let odd: String = chunk.invalid().iter().map(|octet| format!("\\u{{dc{octet:02x}}}")).collect();
            format!("{}{odd}", chunk.valid())
        })
        .collect())
}
