//! The object to send: read from its file, and what it is found from its content where that is plain.

use crate::basics::{SafeText, limits};
use crate::cli::args::qr::ObjectArgs;
use crate::cli::{ExitCode, Failure};
use crate::devices::durable_file;
use der::{Decode, Tag, Tagged};
use x509_cert::crl::CertificateList;
use x509_cert::request::CertReq;

/// What may cross.
pub const KINDS: [&str; 12] = [
    "csr",
    "certificate",
    "chain",
    "crl",
    "enrolment",
    "order",
    "bundle-manifest",
    "receipt",
    "checkpoint",
    "quorum-record",
    "attestation",
    "signature",
];

/// An object with what the other side must know about it.
pub struct Object {
    pub kind: String,
    /// Whether nobody said what it is.
    pub guessed: bool,
    pub name: String,
    pub octets: Vec<u8>,
}

/// Reads it.
///
/// # Errors
/// Where the file cannot be read, holds a private key, or does not say what it is.
pub fn read(args: &ObjectArgs) -> Result<Object, Failure> {
    let octets = durable_file::read(&args.file, limits::SHOWN_OCTETS)?;
    let shown = args.file.display();
    let usage = |message: String| Failure::new(ExitCode::Usage, message);
    if octets.is_empty() {
        return Err(Failure::from(format!("{shown}: expected an object, found an empty file")));
    }
    if holds_private_key(&octets) {
        return Err(Failure::from(format!("{shown}: a private key never crosses as codes: a screen has onlookers")));
    }
    let kinds = format!("--kind is one of {}", KINDS.join(", "));
    let (kind, guessed) = match &args.kind {
        Some(kind) if KINDS.contains(&kind.as_str()) => (kind.clone(), false),
        Some(kind) => {
            return Err(usage(format!("--kind: expected a kind, found {}", SafeText::cut(kind, 40))).with_hint(kinds));
        }
        None => match kind_of(&octets) {
            Some(kind) => (kind.to_owned(), true),
            None => return Err(usage(format!("{shown}: its content does not say what it is")).with_hint(kinds)),
        },
    };
    let own_name = || args.file.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = args.name.clone().or_else(own_name).unwrap_or_default();
    Ok(Object { kind, guessed, name, octets })
}

/// What the content says it is, where it does.
#[must_use]
pub fn kind_of(octets: &[u8]) -> Option<&'static str> {
    let labels = pem_labels(octets);
    if let Some(first) = labels.first() {
        return labels.iter().all(|label| label == first).then_some(()).and_then(|()| {
            match (first.as_str(), labels.len()) {
                ("CERTIFICATE", 1) => Some("certificate"),
                ("CERTIFICATE", _) => Some("chain"),
                ("CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST", 1) => Some("csr"),
                ("X509 CRL", 1) => Some("crl"),
                ("SSH SIGNATURE", 1) => Some("signature"),
                _ => None,
            }
        });
    }
    if octets.first() == Some(&b'{') {
        let format = serde_json::from_slice::<serde_json::Value>(octets).ok()?;
        return match format.get("format")?.as_str()?.split('/').next()? {
            "anchorite-attestation" => Some("attestation"),
            "anchorite-checkpoint" => Some("checkpoint"),
            _ => None,
        };
    }
    if x509_cert::Certificate::from_der(octets).is_ok() {
        Some("certificate")
    } else if CertReq::from_der(octets).is_ok() {
        Some("csr")
    } else if CertificateList::<x509_cert::certificate::Rfc5280>::from_der(octets).is_ok() {
        Some("crl")
    } else {
        None
    }
}

fn pem_labels(octets: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(octets);
    let label = |line: &str| line.strip_prefix("-----BEGIN ")?.strip_suffix("-----").map(str::to_owned);
    text.lines().filter_map(|line| label(line.trim_end())).collect()
}

/// PEM that says so, an age identity, or the DER of PKCS#8: a sequence that begins with a version and an algorithm.
fn holds_private_key(octets: &[u8]) -> bool {
    pem_labels(octets).iter().any(|label| label.ends_with("PRIVATE KEY"))
        || octets.windows(15).any(|window| window == b"AGE-SECRET-KEY-")
        || pkcs8::PrivateKeyInfoRef::from_der(octets).is_ok()
        || der::AnyRef::from_der(octets).is_ok_and(|any| any.tag() == Tag::Sequence && sec1(any.value()))
}

/// RFC 5915: version 1, then the key as an octet string.
fn sec1(content: &[u8]) -> bool {
    content.starts_with(&[2, 1, 1, 4])
}
