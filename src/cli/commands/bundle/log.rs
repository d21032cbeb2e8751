//! `bundle log`: what a factory's own authority issued, certificate by certificate, and what was met elsewhere and is not in its log.

use crate::basics::{Digest, limits};
use crate::bundles::logged;
use crate::cli::args::bundle::{CheckLog, OfAuthority};
use crate::cli::commands::inspect;
use crate::cli::{ExitCode, Failure, output};
use crate::devices::durable_file;
use crate::factory::Order;
use crate::factory::issuance_log::{Incident, LogCheck, LogStatement};
use crate::keys::ssh::SshPublicKey;
use crate::pki::pem;
use crate::pki::{Certificate, Profile};
use serde_json::json;
use std::path::Path;

/// What a log is held against.
pub(in crate::cli::commands) struct Delegated {
    pub(in crate::cli::commands) order: Order,
    /// SHA-256 of the order's file.
    pub(in crate::cli::commands) digest: Digest,
    pub(in crate::cli::commands) issuer: Certificate,
    pub(in crate::cli::commands) profile: Profile,
}

impl Delegated {
    /// Reads the order, the authority's certificate, and the profile that the order names.
    pub(in crate::cli::commands) fn read(args: &OfAuthority) -> Result<Self, Failure> {
        let usage =
            |path: &Path, problem: String| Failure::new(ExitCode::Usage, format!("{}: {problem}", path.display()));
        let OfAuthority { order, issuer, profile, .. } = args;
        let octets = durable_file::read(order, limits::ORDER_OCTETS)?;
        let parsed = Order::parse(&octets).map_err(|problems| {
            let each: Vec<String> = problems.iter().map(ToString::to_string).collect();
            usage(order, each.join("; "))
        })?;
        let der = certificate(issuer)?;
        let issuer = Certificate::parse(&der).map_err(|e| usage(issuer, e.to_string()))?;
        let found = inspect::profile_of(profile)?;
        if found.name != parsed.profile {
            let problem = format!("expected profile {}, which the order names, found {}", parsed.profile, found.name);
            return Err(usage(Path::new(profile), problem));
        }
        Ok(Self { digest: Order::digest(&octets), order: parsed, issuer, profile: found })
    }
}

/// Says what was found, one line each.
pub(in crate::cli::commands) fn tell(incidents: &[Incident]) {
    for incident in incidents {
        output::data(&format!("  {} ({}): {}", incident.word, incident.at, incident.what));
    }
}

pub(super) fn log(args: &CheckLog) -> Result<ExitCode, Failure> {
    let Delegated { order, digest, issuer, profile } = Delegated::read(&args.of)?;
    let key = SshPublicKey::parse(&args.receipt_key)
        .map_err(|e| Failure::new(ExitCode::Usage, format!("--receipt-key: {e}")))?;
    let said = durable_file::read(&args.statement, limits::SMALL_FILE_OCTETS)?;
    let refuted = |e: String| Failure::new(ExitCode::Refuted, e);
    let signed = LogStatement::read(&said, order.realm).map_err(|e| refuted(e.to_string()))?;
    LogStatement::of(&signed, &key, (&order, &digest), &issuer.digest()).map_err(|e| refuted(e.to_string()))?;
    let statement = signed.statement;
    if statement.sequence > 1 && args.of.earlier.is_empty() {
        output::words(&format!(
            "this is log number {}: without those before it (--earlier) nothing is compared with what is in them, and it is counted alone",
            statement.sequence
        ));
    }
    let mut check = LogCheck::new(&order, &issuer, &profile);
    for earlier in &args.of.earlier {
        logged::each(earlier, &mut |der| check.earlier(der))?;
    }
    let found = logged::each(&args.log, &mut |der| check.logged(der))?;
    if found != (statement.size, statement.sha256) {
        let (expected, found) = (statement.sha256, found.1);
        return Err(refuted(format!(
            "{}: expected the file that was signed, SHA-256 {expected}, found {found}",
            args.log.display()
        )));
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
        tell(incidents);
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
