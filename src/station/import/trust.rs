//! From the issuing certificate of a bundle to the pinned root, and what the issuer revoked.

use crate::basics::{Instant, limits};
use crate::devices::durable_file;
use crate::factory::{Class, Issuing, Manifest, Refusal, manifest};
use crate::pki::Certificate;
use crate::station::StationError;
use std::path::Path;

/// Reads `chain.pem` and `crl.pem`, or the newer list in `newer` in its place: a bundle that waited in a drawer has an old one.
pub(super) fn issuing(
    root: &Certificate,
    folder: &Path,
    what: &Manifest,
    newer: Option<&Path>,
    now: Instant,
) -> Result<Issuing, StationError> {
    let chain = text(&folder.join(manifest::CHAIN), manifest::CHAIN)?;
    let list = text(&folder.join(manifest::CRL), manifest::CRL)?;
    let mut issuing = Issuing::read(what, &chain, &list, Some(root), now)?;
    if let Some(newer) = newer {
        let name = newer.file_name().unwrap_or_default().to_string_lossy();
        issuing.renew(&name, &text(newer, &name)?, what, now)?;
    }
    issuing.is_current(now)?;
    Ok(issuing)
}

fn text(path: &Path, name: &str) -> Result<String, StationError> {
    let octets = durable_file::read(path, limits::EVIDENCE_FILE_OCTETS)?;
    let refuse = |_| Refusal::new(Class::Malformed, name, "PEM text", "octets that are not text");
    Ok(String::from_utf8(octets).map_err(refuse)?)
}
