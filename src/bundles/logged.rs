//! The file of an issuance log: PEM, one certificate after the other, read in constant memory; and what the ceremony side keeps of it,
//! `DIGEST.log.pem`, beside what it keeps of bundles. The file proves itself by the SHA-256 that the factory signed.

use super::before::IssuedBefore;
use super::folder::open_file;
use super::{BundleError, Progress};
use crate::basics::{Digest, Instant, limits};
use crate::factory::issuance_log::{LogCheck, LogFound, LogStatement};
use crate::factory::{Class, Refusal};
use crate::pki::pem;
use sha2::{Digest as _, Sha256};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// The name of what is kept of a log; `sha256` is that of its file.
#[must_use]
pub fn name(sha256: &Digest) -> String {
    format!("{}.log.pem", sha256.hex())
}

/// Gives the DER of every certificate of a PEM file, one at a time; then how long the file is, and its SHA-256.
///
/// # Errors
/// Where it is no regular file, or holds something else than certificates in PEM.
pub fn each(path: &Path, take: &mut dyn FnMut(&[u8])) -> Result<(u64, Digest), BundleError> {
    let (folder, name) = (path.parent().unwrap_or(Path::new(".")), path.file_name().unwrap_or_default());
    let name = name.to_string_lossy();
    let refuse = |expected: &str| -> BundleError { Refusal::malformed(&*name, expected, "something else").into() };
    let failed = super::folder::failed::<std::io::Error>;
    let mut file = BufReader::new(open_file(folder, &name)?.0);
    let (mut hasher, mut size, mut block, mut count) = (Sha256::new(), 0_u64, String::new(), 0_u32);
    loop {
        let mut line = Vec::new();
        let most = limits::SMALL_FILE_OCTETS as u64;
        let read = (&mut file).take(most).read_until(b'\n', &mut line).map_err(failed(path, "reading"))?;
        if read == 0 {
            break;
        }
        hasher.update(&line);
        size += read as u64;
        let line = String::from_utf8(line).map_err(|_| refuse("PEM certificates and nothing else"))?;
        let line = line.trim_end_matches(['\r', '\n']);
        match line {
            BEGIN if block.is_empty() => block = format!("{BEGIN}\n"),
            _ if block.is_empty() && line.is_empty() => {}
            _ if block.is_empty() || line == BEGIN => return Err(refuse("PEM certificates and nothing else")),
            _ => {
                block.push_str(line);
                block.push('\n');
                if block.len() > limits::SMALL_FILE_OCTETS {
                    return Err(refuse(&format!("certificates of at most {} octets", limits::SMALL_FILE_OCTETS)));
                }
                if line == END {
                    count += 1;
                    if count > limits::COLLECTED_REQUESTS {
                        return Err(refuse(&format!("at most {} certificates", limits::COLLECTED_REQUESTS)));
                    }
                    let der = pem::lenient(pem::CERTIFICATE, block.as_bytes());
                    take(&der.map_err(|e| Refusal::malformed(&*name, "PEM certificates", e))?);
                    block.clear();
                }
            }
        }
    }
    match block.is_empty() {
        true => Ok((size, Digest::from_octets(hasher.finalize().into()))),
        false => Err(refuse("a last certificate to its end")),
    }
}

/// Judges a log: the files of those before it, then its own, then what else was issued and stands at this time, then what was met elsewhere, each
/// with the place where. `progress` counts the certificates of its own.
///
/// # Errors
/// Where one is not the file that was signed, or holds something else than certificates.
pub fn judge(
    file: &Path,
    statement: &LogStatement,
    earlier: &[(PathBuf, Digest)],
    (before, at): (&IssuedBefore, Instant),
    seen: &[(String, Vec<u8>)],
    mut check: LogCheck<'_>,
    progress: &mut Progress<'_>,
) -> Result<LogFound, BundleError> {
    for (path, sha256) in earlier {
        let (_, found) = each(path, &mut |der| check.earlier(der))?;
        is(path, sha256, &found)?;
    }
    let mut done = 0;
    let (size, found) = each(file, &mut |der| {
        check.logged(der);
        done += 1;
        progress(done, statement.count);
    })?;
    is(file, &statement.sha256, &found)?;
    crate::factory::refusal::same(Class::Tampered, "issuance log: size", &statement.size, &size)?;
    for bundle in &before.bundles {
        bundle.each(statement.realm, &mut |record, stands| {
            if stands && !check.replaces(&bundle.bundle, record.index) {
                let what = || format!("record {} of bundle {}", record.index, bundle.name);
                check.stands_elsewhere(&record.device, at, what);
            }
            Ok(())
        })?;
    }
    for log in &before.logs {
        log.each(at, &mut |one| {
            if let Some(device) = one.device.filter(|_| one.stands) {
                check.stands_elsewhere(device, at, || log.told());
            }
        })?;
    }
    for (place, der) in seen {
        check.seen(der, place);
    }
    Ok(check.finish(statement))
}

fn is(path: &Path, expected: &Digest, found: &Digest) -> Result<(), BundleError> {
    if expected == found {
        return Ok(());
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let expected = format!("the file that was signed, SHA-256 {expected}");
    Err(Refusal::new(Class::Tampered, &*name, expected, found).into())
}
