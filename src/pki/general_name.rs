//! Alternative names of a subject (RFC 5280 4.2.1.6) and the subtrees of name constraints (4.2.1.10), checked before they
//! are written.

use super::PkiError;
use crate::basics::digest::hex_decode;
use crate::pki::name::Subject;
use crate::pki::oids;
use const_oid::ObjectIdentifier;
use der::asn1::{Any, Ia5String, OctetString};
use der::{Decode, Encode, Sequence};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use x509_cert::ext::pkix::name::{GeneralName, OtherName};

const WHAT: &str = "alternative name";
/// Characters of one name.
const MOST_CHARS: usize = 255;
/// Octets of a hardware serial number.
const MOST_SERIAL_OCTETS: usize = 64;

/// One alternative name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum AltName {
    Dns(String),
    Uri(String),
    Email(String),
    Ip(IpAddr),
    /// What identifies a hardware module (RFC 4108 5, IEEE 802.1AR): its type as an object identifier, and its serial
    /// number as lower-case hexadecimal digits.
    HardwareModule {
        kind: String,
        serial: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AltKind {
    Dns,
    Uri,
    Email,
    Ip,
    HardwareModule,
}

impl AltKind {
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            AltKind::Dns => "dns",
            AltKind::Uri => "uri",
            AltKind::Email => "email",
            AltKind::Ip => "ip",
            AltKind::HardwareModule => "hardware-module",
        }
    }
}

/// SEQUENCE { hwType OBJECT IDENTIFIER, hwSerialNum OCTET STRING }
#[derive(Sequence)]
pub(super) struct HardwareModuleName {
    pub kind: ObjectIdentifier,
    pub serial: OctetString,
}

impl AltName {
    #[must_use]
    pub const fn kind(&self) -> AltKind {
        match self {
            AltName::Dns(_) => AltKind::Dns,
            AltName::Uri(_) => AltKind::Uri,
            AltName::Email(_) => AltKind::Email,
            AltName::Ip(_) => AltKind::Ip,
            AltName::HardwareModule { .. } => AltKind::HardwareModule,
        }
    }

    /// What is wrong with it; nothing where it can be written.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        let (good, expected, found) = match self {
            AltName::Dns(name) => (is_host(name, Wildcard::Allowed), "a host name in lower case", name),
            AltName::Uri(uri) => (is_uri(uri), "an absolute URI in ASCII", uri),
            AltName::Email(address) => (is_email(address), "user@host in ASCII", address),
            AltName::Ip(_) => return None,
            AltName::HardwareModule { kind, serial } => {
                let octets = hex_decode(serial).map_or(0, |octets| octets.len());
                let good = ObjectIdentifier::new(kind).is_ok() && (1..=MOST_SERIAL_OCTETS).contains(&octets);
                (good, "a type as object identifier and a serial number of 1 to 64 octets", serial)
            }
        };
        let found: String = found.chars().take(MOST_CHARS).collect();
        let found = found.escape_default();
        (!good).then(|| format!("{WHAT} {}: expected {expected}, found \"{found}\"", self.kind().word()))
    }

    /// As x509-cert writes it.
    ///
    /// # Errors
    /// Where [`AltName::problem`] has anything to say.
    pub fn to_general_name(&self) -> Result<GeneralName, PkiError> {
        if let Some(problem) = self.problem() {
            return Err(PkiError::Request { what: WHAT, problems: vec![problem] });
        }
        let encoding = PkiError::encoding(WHAT);
        let ascii = |text: &str| Ia5String::new(text).map_err(PkiError::encoding(WHAT));
        Ok(match self {
            AltName::Dns(name) => GeneralName::DnsName(ascii(name)?),
            AltName::Uri(uri) => GeneralName::UniformResourceIdentifier(ascii(uri)?),
            AltName::Email(address) => GeneralName::Rfc822Name(ascii(address)?),
            AltName::Ip(address) => GeneralName::IpAddress(octets(&address_octets(*address))?),
            AltName::HardwareModule { kind, serial } => {
                let kind =
                    ObjectIdentifier::new(kind).map_err(|_| PkiError::malformed(WHAT, "an object identifier"))?;
                let serial = octets(&hex_decode(serial).unwrap_or_default())?;
                let value = HardwareModuleName { kind, serial }.to_der().map_err(&encoding)?;
                GeneralName::OtherName(OtherName {
                    type_id: oids::HARDWARE_MODULE_NAME,
                    value: Any::from_der(&value).map_err(&encoding)?,
                })
            }
        })
    }
}

/// What an authority may, or may not, issue for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Subtree {
    /// A domain and everything under it.
    Dns(String),
    /// A host, or with a leading dot everything under a domain.
    Uri(String),
    /// A host, or one address.
    Email(String),
    /// `192.0.2.0/24`; everything: `0.0.0.0/0` and `::/0`.
    Ip(String),
    /// Names that begin with these attributes.
    Directory(Box<Subject>),
}

impl Subtree {
    /// What is wrong with it.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        let (good, word, expected, found) = match self {
            Subtree::Dns(name) => (is_host(name, Wildcard::Refused), "dns", "a domain in lower case", name.as_str()),
            Subtree::Uri(name) => {
                let host = name.strip_prefix('.').unwrap_or(name);
                (is_host(host, Wildcard::Refused), "uri", "a host, or a domain after a dot", name.as_str())
            }
            Subtree::Email(name) => {
                let good = is_email(name) || is_host(name, Wildcard::Refused);
                (good, "email", "a host or user@host", name.as_str())
            }
            Subtree::Ip(range) => {
                (range_octets(range).is_some(), "ip", "address/bits with no bit after them", range.as_str())
            }
            Subtree::Directory(subject) => {
                let problems = subject.to_der().err().map(|error| error.to_string());
                return problems.map(|problems| format!("name constraint directory: {problems}"));
            }
        };
        let found = found.escape_default();
        (!good).then(|| format!("name constraint {word}: expected {expected}, found \"{found}\""))
    }

    /// As x509-cert writes it.
    ///
    /// # Errors
    /// Where [`Subtree::problem`] has anything to say.
    pub fn to_general_name(&self) -> Result<GeneralName, PkiError> {
        const WHAT: &str = "name constraint";
        if let Some(problem) = self.problem() {
            return Err(PkiError::Request { what: WHAT, problems: vec![problem] });
        }
        let ascii = |text: &str| Ia5String::new(text).map_err(PkiError::encoding(WHAT));
        Ok(match self {
            Subtree::Dns(name) => GeneralName::DnsName(ascii(name)?),
            Subtree::Uri(name) => GeneralName::UniformResourceIdentifier(ascii(name)?),
            Subtree::Email(name) => GeneralName::Rfc822Name(ascii(name)?),
            Subtree::Ip(range) => GeneralName::IpAddress(octets(&range_octets(range).unwrap_or_default())?),
            Subtree::Directory(subject) => {
                let name = x509_cert::name::Name::from_der(&subject.to_der()?).map_err(PkiError::encoding(WHAT))?;
                GeneralName::DirectoryName(name)
            }
        })
    }
}

fn octets(octets: &[u8]) -> Result<OctetString, PkiError> {
    OctetString::new(octets).map_err(PkiError::encoding(WHAT))
}

fn address_octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

/// Address and mask, 8 or 32 octets; nothing where the address has bits outside its mask.
pub(super) fn range_octets(range: &str) -> Option<Vec<u8>> {
    let (address, bits) = range.split_once('/')?;
    let address = address_octets(address.parse().ok()?);
    let bits: usize =
        if bits.len() <= 3 && !(bits.len() > 1 && bits.starts_with('0')) { bits.parse().ok()? } else { return None };
    if bits > address.len() * 8 {
        return None;
    }
    let mask = (0..address.len()).map(|index| {
        let left = bits.saturating_sub(index * 8).min(8);
        u8::try_from(0xff00_u32 >> left & 0xff).unwrap_or(0)
    });
    let mask: Vec<u8> = mask.collect();
    let outside = address.iter().zip(&mask).any(|(octet, mask)| octet & !mask != 0);
    (!outside).then(|| [address, mask].concat())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Wildcard {
    Allowed,
    Refused,
}

/// Letters, digits and hyphens in labels of 1 to 63, in lower case (RFC 1123 2.1).
fn is_host(name: &str, wildcard: Wildcard) -> bool {
    let rest = match name.strip_prefix("*.") {
        Some(rest) if wildcard == Wildcard::Allowed => rest,
        _ => name,
    };
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|octet| octet.is_ascii_lowercase() || octet.is_ascii_digit() || octet == b'-')
    };
    name.len() <= 253 && rest.split('.').all(label)
}

fn is_email(address: &str) -> bool {
    let Some((user, host)) = address.split_once('@') else { return false };
    let atom = |octet: u8| octet.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&octet);
    (1..=64).contains(&user.len()) && user.bytes().all(atom) && is_host(host, Wildcard::Refused)
}

/// A scheme, and something after it (RFC 3986 3.1).
fn is_uri(uri: &str) -> bool {
    let Some((scheme, rest)) = uri.split_once(':') else { return false };
    let first = scheme.bytes().next().is_some_and(|octet| octet.is_ascii_lowercase());
    first
        && scheme.bytes().all(|octet| octet.is_ascii_lowercase() || octet.is_ascii_digit() || b"+-.".contains(&octet))
        && !rest.is_empty()
        && uri.len() <= MOST_CHARS
        && uri.bytes().all(|octet| octet.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&octet))
}
