//! `bundle log`: what a factory's own authority issued, certificate by certificate, and what was met elsewhere and is not in its log.

use crate::basics::limits;
use crate::cli::args::bundle::CheckLog;
use crate::cli::commands::inspect;
use crate::cli::{ExitCode, Failure, output};
use crate::devices::durable_file;
use crate::factory::Order;
use crate::factory::issuance_log::{LogCheck, LogStatement};
use crate::keys::ssh::SshPublicKey;
use crate::pki::Certificate;
use crate::pki::pem;
use serde_json::json;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

pub(super) fn log(args: &CheckLog) -> Result<ExitCode, Failure> {
    let usage = |path: &Path, problem: String| Failure::new(ExitCode::Usage, format!("{}: {problem}", path.display()));
    let octets = durable_file::read(&args.order, limits::ORDER_OCTETS)?;
    let order = Order::parse(&octets).map_err(|problems| {
        let each: Vec<String> = problems.iter().map(ToString::to_string).collect();
        usage(&args.order, each.join("; "))
    })?;
    let issuer = certificate(&args.issuer)?;
    let issuer = Certificate::parse(&issuer).map_err(|e| usage(&args.issuer, e.to_string()))?;
    let profile = inspect::profile_of(&args.profile)?;
    if profile.name != order.profile {
        let problem = format!("expected profile {}, which the order names, found {}", order.profile, profile.name);
        return Err(usage(Path::new(&args.profile), problem));
    }
    let key = SshPublicKey::parse(&args.receipt_key)
        .map_err(|e| Failure::new(ExitCode::Usage, format!("--receipt-key: {e}")))?;
    let said = durable_file::read(&args.statement, limits::SMALL_FILE_OCTETS)?;
    let statement = LogStatement::read(&said, &key, (&order, &Order::digest(&octets)), &issuer)
        .map_err(|e| Failure::new(ExitCode::Refuted, e.to_string()))?;
    let mut check = LogCheck::new(&order, &issuer, &profile);
    let digest = each_of(&args.log, &mut |der| check.logged(der))?;
    if digest != (statement.size, statement.sha256) {
        let (expected, found) = (statement.sha256, digest.1);
        return Err(Failure::new(
            ExitCode::Refuted,
            format!("{}: expected the file that was signed, SHA-256 {expected}, found {found}", args.log.display()),
        ));
    }
    let mut met = 0_u32;
    for path in seen(args.seen.as_deref())? {
        met += u32::from(check.seen(&certificate(&path)?, &path.file_name().unwrap_or_default().to_string_lossy()));
    }
    check.finish(&statement);
    let (count, incidents) = (check.count(), &check.incidents);
    if args.json {
        output::json(&json!({"count": count, "ordered": order.count, "seen": met, "incidents": incidents}))?;
    } else {
        output::data(&format!(
            "{count} certificates in the log, {} ordered, {met} of this authority met elsewhere",
            order.count
        ));
        for incident in incidents {
            output::data(&format!("  {} ({}): {}", incident.word, incident.at, incident.what));
        }
    }
    if incidents.is_empty() {
        output::words(
            "every certificate is the authority's, within its constraints, the profile and the order; what nobody brought was not looked at",
        );
        return Ok(ExitCode::Done);
    }
    Err(Failure::new(ExitCode::Refuted, format!("{} incidents", incidents.len()))
        .with_hint("an authority that issued what it did not log is to be revoked, and what it issued with it"))
}

/// Files of a folder, in order; none where there is none.
fn seen(folder: Option<&Path>) -> Result<Vec<std::path::PathBuf>, Failure> {
    let Some(folder) = folder else { return Ok(Vec::new()) };
    let failed = |e: std::io::Error| Failure::from(format!("{}: {e}", folder.display()));
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        files.push(entry.map_err(failed)?.path());
        if files.len() > limits::COLLECTED_REQUESTS as usize {
            return Err(Failure::from(format!(
                "{}: expected at most {} files",
                folder.display(),
                limits::COLLECTED_REQUESTS
            )));
        }
    }
    files.sort();
    Ok(files)
}

/// The DER of a file with one certificate.
fn certificate(path: &Path) -> Result<Vec<u8>, Failure> {
    let octets = durable_file::read(path, limits::SMALL_FILE_OCTETS * 2)?;
    if octets.first() == Some(&0x30) {
        return Ok(octets);
    }
    pem::lenient(pem::CERTIFICATE, &octets).map_err(|e| Failure::from(format!("{}: {e}", path.display())))
}

/// Gives the DER of every certificate of a PEM file, one at a time; then how long the file is, and its SHA-256.
fn each_of(path: &Path, take: &mut dyn FnMut(&[u8])) -> Result<(u64, crate::basics::Digest), Failure> {
    use sha2::{Digest as _, Sha256};
    let failed = |e: std::io::Error| Failure::from(format!("{}: {e}", path.display()));
    let refuse = |expected: String| Failure::new(ExitCode::Refuted, format!("{}: expected {expected}", path.display()));
    let mut file = BufReader::new(File::open(path).map_err(failed)?);
    let (mut hasher, mut size, mut block, mut count) = (Sha256::new(), 0_u64, String::new(), 0_u32);
    loop {
        let mut line = Vec::new();
        let read = (&mut file).take(limits::SMALL_FILE_OCTETS as u64).read_until(b'\n', &mut line).map_err(failed)?;
        if read == 0 {
            break;
        }
        hasher.update(&line);
        size += read as u64;
        let line = String::from_utf8(line).map_err(|_| refuse("PEM certificates and nothing else".to_owned()))?;
        let line = line.trim_end_matches(['\r', '\n']);
        match line {
            BEGIN if block.is_empty() => block = format!("{BEGIN}\n"),
            _ if block.is_empty() && line.is_empty() => {}
            _ if block.is_empty() || line == BEGIN => {
                return Err(refuse("PEM certificates and nothing else".to_owned()));
            }
            _ => {
                block.push_str(line);
                block.push('\n');
                if block.len() > limits::SMALL_FILE_OCTETS {
                    return Err(refuse(format!("certificates of at most {} octets", limits::SMALL_FILE_OCTETS)));
                }
                if line == END {
                    count += 1;
                    if count > limits::COLLECTED_REQUESTS {
                        return Err(refuse(format!("at most {} certificates", limits::COLLECTED_REQUESTS)));
                    }
                    let der = pem::lenient(pem::CERTIFICATE, block.as_bytes());
                    take(&der.map_err(|e| refuse(format!("PEM certificates: {e}")))?);
                    block.clear();
                }
            }
        }
    }
    match block.is_empty() {
        true => Ok((size, crate::basics::Digest::from_octets(hasher.finalize().into()))),
        false => Err(refuse("a last certificate to its end".to_owned())),
    }
}
