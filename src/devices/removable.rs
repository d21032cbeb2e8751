//! Writing to a removable medium, as a mounted folder: new names only, each file whole, the manifest last, everything read
//! back from the device.

use crate::basics::{Digest, canonical, limits};
use crate::ceremony::event::WrittenFile;
use crate::devices::durable_file;
use rustix::fs::{Mode, OFlags, open, syncfs};
use std::path::Path;

pub const MANIFEST: &str = "manifest.json";

/// Writes files and a manifest into a folder of the medium, and reads everything back.
///
/// # Errors
/// Where the folder is missing, a name is taken by other content, the medium is full or gives back something else.
pub fn write(folder: &Path, files: &[(String, Vec<u8>)]) -> Result<Vec<WrittenFile>, String> {
    let mut written = Vec::new();
    for (name, octets) in files {
        durable_file::create(&folder.join(name), octets).map_err(|e| e.to_string())?;
        written.push(WrittenFile { name: name.clone(), sha256: Digest::of(octets), size: octets.len() as u64 });
    }
    let manifest = canonical::to_octets(&written).map_err(|e| e.to_string())?;
    durable_file::create(&folder.join(MANIFEST), &manifest).map_err(|e| e.to_string())?;
    let handle =
        open(folder, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).map_err(|e| e.to_string())?;
    syncfs(&handle).map_err(|e| format!("{}: {e}", folder.display()))?;
    for file in &written {
        let path = folder.join(&file.name);
        drop_cached(&path);
        let octets = durable_file::read(&path, limits::EVIDENCE_FILE_OCTETS).map_err(|e| e.to_string())?;
        if Digest::of(&octets) != file.sha256 {
            return Err(format!("{}: read back another content than was written: use another medium", path.display()));
        }
    }
    Ok(written)
}

/// Asks the kernel to forget what it holds of a file, so that reading it back reads the device.
fn drop_cached(path: &Path) {
    if let Ok(file) = std::fs::File::open(path) {
        let _ = rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed);
    }
}
