//! `certificate check` and `crl check`. Exit code 0 where nothing was found, 4 where something was.

use crate::basics::{SafeText, limits};
use crate::cli::args::inspect::{CertificateVerb, CheckCertificate, CheckCrl, CrlVerb};
use crate::cli::{ExitCode, Failure, output};
use crate::devices::durable_file;
use crate::pki::Certificate;
use crate::pki::lint::Finding;
use crate::pki::render::{self, Line};
use crate::pki::{Profile, inspect, pem, profile};
use serde_json::json;
use std::path::Path;

/// Said where it is so: a reader takes silence for a signature that holds.
const UNCHECKED: &str = "the signature is not checked: `--issuer` names the certificate it would be checked with";

/// # Errors
/// A file that cannot be read, or a profile that is none.
pub fn certificate(verb: CertificateVerb) -> Result<ExitCode, Failure> {
    let CertificateVerb::Check(args) = verb;
    let CheckCertificate { file, issuer, profile, json } = args;
    let octets = octets_of(pem::CERTIFICATE, &file)?;
    let issuer = issuer.map(|path| octets_of(pem::CERTIFICATE, &path)).transpose()?;
    let profile = profile.map(|name| profile_of(&name)).transpose()?;
    let (_, findings) = inspect::certificate(&octets, issuer.as_deref(), profile.as_ref());
    let lines = render::certificate_lines(&octets).unwrap_or_default();
    let own =
        Certificate::parse(&octets).is_ok_and(|certificate| certificate.issuer_der() == certificate.subject_der());
    if issuer.is_none() && !own {
        output::words(UNCHECKED);
    }
    report(&file, &octets, &lines, &findings, json)
}

/// # Errors
/// A file that cannot be read.
pub fn crl(verb: CrlVerb) -> Result<ExitCode, Failure> {
    let CrlVerb::Check(args) = verb;
    let CheckCrl { file, issuer, previous, json } = args;
    let octets = octets_of(pem::CRL, &file)?;
    let issuer = issuer.map(|path| octets_of(pem::CERTIFICATE, &path)).transpose()?;
    let previous = previous.map(|path| octets_of(pem::CRL, &path)).transpose()?;
    let (_, findings) = inspect::revocation_list(&octets, issuer.as_deref(), previous.as_deref());
    let lines = render::crl_lines(&octets).unwrap_or_default();
    if issuer.is_none() {
        output::words(UNCHECKED);
    }
    report(&file, &octets, &lines, &findings, json)
}

fn report(path: &Path, octets: &[u8], lines: &[Line], findings: &[Finding], json: bool) -> Result<ExitCode, Failure> {
    let found = |finding: &Finding| SafeText::of(&finding.message).to_string();
    if json {
        let fields: Vec<_> = lines.iter().map(|(label, value)| json!({ "label": label, "value": value })).collect();
        let findings: Vec<_> =
            findings.iter().map(|finding| json!({ "rule": finding.rule, "message": found(finding) })).collect();
        let sha256 = crate::basics::Digest::of(octets);
        output::json(&json!({ "sha256": sha256, "fields": fields, "findings": findings }))?;
    } else {
        for (label, value) in lines {
            output::data(&format!("{label}: {value}"));
        }
        if lines.is_empty() {
            output::words("its fields cannot be shown: it is not DER of this kind");
        }
        for finding in findings {
            output::data(&format!("FOUND {}: {}", finding.rule, found(finding)));
        }
    }
    let shown = path.display().to_string();
    let name = SafeText::of(&shown);
    match findings.len() {
        0 => output::words(&format!("{name}: nothing found")),
        1 => output::words(&format!("{name}: 1 finding")),
        count => output::words(&format!("{name}: {count} findings")),
    }
    Ok(if findings.is_empty() { ExitCode::Done } else { ExitCode::Refuted })
}

/// DER as it is; PEM without the strictness towards words around it that our own files have.
pub(super) fn octets_of(label: &'static str, path: &Path) -> Result<Vec<u8>, Failure> {
    let octets = durable_file::read(path, limits::FOREIGN_PKI_OCTETS)?;
    if !octets.windows(11).any(|window| window == b"-----BEGIN ") {
        return Ok(octets);
    }
    pem::lenient(label, &octets).map_err(|error| {
        Failure::new(ExitCode::Refuted, format!("{}: {error}", SafeText::of(&path.display().to_string())))
            .with_hint("one PEM block of the right kind, or DER")
    })
}

pub(super) fn profile_of(name: &str) -> Result<Profile, Failure> {
    let built_in = profile::BUILT_IN.iter().find(|(known, _)| *known == name).map(|(_, text)| (*text).to_owned());
    let text = match built_in {
        Some(text) => text,
        None if Path::new(name).is_file() => {
            let octets = durable_file::read(Path::new(name), limits::SMALL_FILE_OCTETS)?;
            String::from_utf8(octets).map_err(|_| Failure::from(format!("{name}: expected UTF-8 text")))?
        }
        None => {
            let known: Vec<&str> = profile::BUILT_IN.iter().map(|(known, _)| *known).collect();
            let message = format!("there is no profile {}", SafeText::of(name));
            return Err(Failure::new(ExitCode::Usage, message)
                .with_hint(format!("a TOML file, or one of {}", known.join(", "))));
        }
    };
    let profile: Profile = toml::from_str(&text).map_err(|error| {
        Failure::new(ExitCode::ScriptProblems, format!("profile: {}", SafeText::of(error.message())))
    })?;
    let problems = profile.check();
    if problems.is_empty() {
        return Ok(profile);
    }
    Err(Failure::new(ExitCode::ScriptProblems, format!("profile {}: {}", profile.name, problems.join("; "))))
}
