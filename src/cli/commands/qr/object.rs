//! The object to send: read from its file, and what it is found from its content where that is plain.

use crate::basics::{SafeText, limits};
use crate::cli::args::qr::ObjectArgs;
use crate::cli::{ExitCode, Failure};
use crate::devices::durable_file;
use crate::transfer::{Envelope, EnvelopeError, Kind};
use der::{Decode, Tag, Tagged};
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
    if holds_private_key(&octets) {
        return Err(Failure::from(format!("{shown}: expected an object for everybody's eyes, found a private key"))
            .with_hint("a screen has onlookers: private keys and shares never cross as codes"));
    }
    if holds_share(&octets) {
        return Err(Failure::from(format!("{shown}: expected an object for everybody's eyes, found a share"))
            .with_hint("a screen has onlookers: private keys and shares never cross as codes"));
    }
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

/// PEM that says so, an age identity, or the DER of PKCS#8: a sequence that begins with a version and an algorithm.
fn holds_private_key(octets: &[u8]) -> bool {
    pem_labels(octets).iter().any(|label| label.ends_with("PRIVATE KEY"))
        || octets.windows(15).any(|window| window == b"AGE-SECRET-KEY-")
        || pkcs8::PrivateKeyInfoRef::from_der(octets).is_ok()
        || der::AnyRef::from_der(octets).is_ok_and(|any| any.tag() == Tag::Sequence && sec1(any.value()))
}

/// The text of a share, as on its card: the prefix and a line's worth of its alphabet, blanks aside.
fn holds_share(octets: &[u8]) -> bool {
    const LINE: usize = 20;
    let written: Vec<u8> = octets.iter().copied().filter(|octet| !octet.is_ascii_whitespace()).collect();
    let of_a_share = |octet: &u8| (octet.is_ascii_uppercase() || octet.is_ascii_digit()) && !b"1BIO".contains(octet);
    written.windows(LINE).any(|window| {
        (window.starts_with(b"KS1") || window.starts_with(b"KR1")) && window.iter().skip(3).all(of_a_share)
    })
}

/// RFC 5915: version 1, then the key as an octet string.
fn sec1(content: &[u8]) -> bool {
    content.starts_with(&[2, 1, 1, 4])
}
