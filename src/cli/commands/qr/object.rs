//! The object to send: read from its file, and what it is found from its content where that is plain.

use crate::basics::{SafeText, limits};
use crate::cli::args::qr::ObjectArgs;
use crate::cli::{ExitCode, Failure};
use crate::devices::durable_file;
use crate::transfer::{Envelope, EnvelopeError, Kind, never};
use der::Decode;
use std::path::Path;
use x509_cert::crl::CertificateList;
use x509_cert::request::CertReq;

/// An object with what the other side must know about it.
pub struct Object {
    pub envelope: Envelope,
    /// Whether nobody said what it is: the content did.
    pub guessed: bool,
}

/// Reads it.
///
/// # Errors
/// Where the file cannot be read, holds a private key, does not say what it is, or has a name that cannot travel.
pub fn read(args: &ObjectArgs) -> Result<Object, Failure> {
    let octets = durable_file::read(&args.file, limits::ENVELOPE_OCTETS)?;
    let shown = SafeText::of(&args.file.display().to_string());
    let usage = |message: String| Failure::new(ExitCode::Usage, message);
    refuse_secrets(&octets, &args.file)?;
    let kinds = || format!("--kind is one of {}", Kind::ALL.map(Kind::word).join(", "));
    let (kind, guessed) = match args.kind.as_deref() {
        Some(word) => {
            let kind = Kind::parse(word).ok_or_else(|| {
                usage(format!("--kind: expected a kind, found {}", SafeText::cut(word, 40))).with_hint(kinds())
            })?;
            (kind, false)
        }
        None => {
            let unsaid = || usage(format!("{shown}: its content does not say what it is")).with_hint(kinds());
            (kind_of(&octets).ok_or_else(unsaid)?, true)
        }
    };
    let own_name = || args.file.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = args.name.clone().or_else(own_name).unwrap_or_default();
    let envelope = Envelope::new(kind, args.realm.into(), &name, octets).map_err(|error| {
        let failure = usage(error.to_string());
        if matches!(error, EnvelopeError::Name(_)) { failure.with_hint("give it another with --name") } else { failure }
    })?;
    Ok(Object { envelope, guessed })
}

/// What the content says it is, where it does.
#[must_use]
pub fn kind_of(octets: &[u8]) -> Option<Kind> {
    let labels = pem_labels(octets);
    if let Some(first) = labels.first() {
        return match (first.as_str(), labels.len()) {
            _ if labels.iter().any(|label| label != first) => None,
            ("CERTIFICATE", 1) => Some(Kind::Certificate),
            ("CERTIFICATE", _) => Some(Kind::Chain),
            ("CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST", 1) => Some(Kind::Csr),
            ("X509 CRL", 1) => Some(Kind::Crl),
            ("SSH SIGNATURE", 1) => Some(Kind::Signature),
            _ => None,
        };
    }
    if octets.starts_with(b"anchorite/") {
        return Some(Kind::Checkpoint);
    }
    if octets.first() == Some(&b'{') {
        let json = serde_json::from_slice::<serde_json::Value>(octets).ok()?;
        let format = json.get("format")?.as_str()?;
        return format.starts_with("anchorite-attestation/").then_some(Kind::Attestation);
    }
    if x509_cert::Certificate::from_der(octets).is_ok() {
        Some(Kind::Certificate)
    } else if CertReq::from_der(octets).is_ok() {
        Some(Kind::Csr)
    } else if CertificateList::<x509_cert::certificate::Rfc5280>::from_der(octets).is_ok() {
        Some(Kind::Crl)
    } else {
        None
    }
}

fn pem_labels(octets: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(octets);
    let label = |line: &str| line.strip_prefix("-----BEGIN ")?.strip_suffix("-----").map(str::to_owned);
    text.lines().filter_map(|line| label(line.trim_end())).collect()
}

/// Refuses what never crosses the gap in the open.
///
/// # Errors
/// What was found.
pub fn refuse_secrets(octets: &[u8], file: &Path) -> Result<(), Failure> {
    never::found_in(octets).map_or(Ok(()), |found| {
        let shown = SafeText::of(&file.display().to_string());
        Err(Failure::from(format!("{shown}: expected an object for everybody's eyes, found {found}"))
            .with_hint("a screen has onlookers: private keys and shares never cross as codes"))
    })
}
