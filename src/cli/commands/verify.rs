//! `verify`: what an evidence folder proves, claim by claim.

use crate::audit::signatures;
use crate::audit::{Pin, verify as audit_verify};
use crate::basics::{Digest, limits};
use crate::ceremony::steps;
use crate::cli::{ExitCode, Failure, output};
use crate::devices::{durable_file, whole_folder};
use std::path::Path;

/// Verifies a folder.
///
/// # Errors
/// Where the folder or the pins cannot be read.
pub fn verify(folder: &Path, signers: Option<&Path>, expect: Option<&str>, json: bool) -> Result<ExitCode, Failure> {
    let expect =
        match expect {
            Some(text) => Some(Digest::parse(&text.replace(' ', "").to_lowercase()).ok_or_else(|| {
                Failure::new(ExitCode::Usage, "--expect: expected the 64 hexadecimal digits of a head")
            })?),
            None => None,
        };
    let signers = match signers {
        Some(path) => {
            let octets = durable_file::read(path, limits::SMALL_FILE_OCTETS)?;
            Some(signatures::pin_file(&octets).map_err(|e| Failure::from(format!("{}: {e}", path.display())))?)
        }
        None => None,
    };
    expect_evidence(folder, "verify")?;
    let files = whole_folder::read(folder)?;
    let verdict = audit_verify(&files, &Pin { signers, expect }, &steps::kinds());
    if json {
        output::json(&verdict)?;
    } else {
        output::data(verdict.render().trim_end());
    }
    Ok(match verdict.exit {
        0 => ExitCode::Done,
        8 => ExitCode::Unpinned,
        _ => ExitCode::Refuted,
    })
}

/// A ceremony says where it wrote, and that folder has the evidence inside.
///
/// # Errors
/// Where the folder is none, or that one.
pub fn expect_evidence(folder: &Path, verb: &str) -> Result<(), Failure> {
    let shown = folder.display();
    if !folder.is_dir() {
        return Err(Failure::from(format!("{shown}: expected an evidence folder, found none")));
    }
    if folder.join("evidence").exists() && !folder.join("transcript.jsonl").exists() {
        let found = format!("{shown}: expected an evidence folder, found the folder a ceremony writes to");
        return Err(Failure::from(found).with_hint(format!("`anchorite {verb} {shown}/evidence`")));
    }
    Ok(())
}
