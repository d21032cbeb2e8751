//! `disclose`: a copy of an evidence folder in which bodies above a level are withheld. Its head is the same.

use crate::audit::disclosure::disclosed;
use crate::audit::{Pin, verify};
use crate::ceremony::steps;
use crate::cli::commands::verify::expect_evidence;
use crate::cli::{ExitCode, Failure, output};
use crate::devices::{durable_file, whole_folder};
use crate::transcript::Level;
use std::path::Path;

/// Writes the copy.
///
/// # Errors
/// Where the folder does not verify as a record, or the new one exists.
pub fn disclose(folder: &Path, level: Level, out: &Path) -> Result<ExitCode, Failure> {
    expect_evidence(folder, "disclose")?;
    if out.exists() {
        let found = format!("{}: expected no folder here, found one; nothing was changed", out.display());
        return Err(Failure::new(ExitCode::Usage, found)
            .with_hint("a copy goes into a folder of its own: name a new one with --out"));
    }
    let files = whole_folder::read(folder)?;
    // A copy has a report and sums of its own, so what they would have shown is looked at first.
    let verdict = verify(&files, &Pin::default(), &steps::kinds());
    if verdict.exit == ExitCode::Refuted as u8 {
        let why = verdict.problem;
        return Err(Failure::new(ExitCode::Refuted, format!("{}: refuted: {why}", folder.display())).with_hint(
            "`anchorite verify` names the place; nothing was written: no copy is made of a record that does not hold",
        ));
    }
    let copy = disclosed(&files, level, &steps::kinds())?;
    durable_file::new_folder(out)?;
    for (path, octets) in &copy {
        let target = out.join(path);
        if let Some(parent) = target.parent() {
            std::fs::create_dir_all(parent).map_err(|e| Failure::from(format!("{}: {e}", parent.display())))?;
        }
        durable_file::create(&target, octets)?;
    }
    output::data(&format!("{} files at level {} in {}", copy.len(), level.word(), out.display()));
    Ok(ExitCode::Done)
}
