//! The extensions a requester asks for: what they say, and whether they ask for an authority's powers. They are shown and
//! judged; what is issued comes from the profile alone.

use super::reading::AskedExtension;
use super::{canonical, canonical::Fault};
use crate::basics::digest::hex_encode;
use const_oid::ObjectIdentifier;
use der::{Decode, Encode};
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages};

const BASIC_CONSTRAINTS: &str = "2.5.29.19";
const KEY_USAGE: &str = "2.5.29.15";
const EXTENDED_KEY_USAGE: &str = "2.5.29.37";
const ANY_EXTENDED_KEY_USAGE: &str = "2.5.29.37.0";
const OCSP_SIGNING: &str = "1.3.6.1.5.5.7.3.9";

/// What an extension is called; those that we do not know are told by their number.
#[must_use]
pub fn title(oid: ObjectIdentifier) -> String {
    let dotted = oid.to_string();
    match dotted.as_str() {
        "2.5.29.14" => "subjectKeyIdentifier",
        KEY_USAGE => "keyUsage",
        "2.5.29.17" => "subjectAltName",
        "2.5.29.18" => "issuerAltName",
        BASIC_CONSTRAINTS => "basicConstraints",
        "2.5.29.30" => "nameConstraints",
        "2.5.29.31" => "cRLDistributionPoints",
        "2.5.29.32" => "certificatePolicies",
        "2.5.29.33" => "policyMappings",
        "2.5.29.35" => "authorityKeyIdentifier",
        "2.5.29.36" => "policyConstraints",
        EXTENDED_KEY_USAGE => "extKeyUsage",
        "2.5.29.54" => "inhibitAnyPolicy",
        "1.3.6.1.5.5.7.1.1" => "authorityInfoAccess",
        "1.3.6.1.5.5.7.1.24" => "tlsFeature",
        "2.16.840.1.113730.1.1" => "netscapeCertType",
        _ => return dotted,
    }
    .to_owned()
}

/// The power of an authority that an extension asks for, in words.
#[must_use]
pub fn power(extension: &AskedExtension) -> Option<String> {
    match extension.oid.to_string().as_str() {
        BASIC_CONSTRAINTS => BasicConstraints::from_der(&extension.value)
            .ok()
            .filter(|constraints| constraints.ca)
            .map(|_| "basicConstraints with CA true".to_owned()),
        KEY_USAGE => KeyUsage::from_der(&extension.value)
            .ok()
            .filter(|usage| usage.0.contains(KeyUsages::KeyCertSign) || usage.0.contains(KeyUsages::CRLSign))
            .map(|_| "keyUsage to sign certificates or revocation lists".to_owned()),
        EXTENDED_KEY_USAGE => ExtendedKeyUsage::from_der(&extension.value).ok().and_then(|usages| {
            let asks = |dotted: &str| usages.0.iter().any(|usage| usage.to_string() == dotted);
            match (asks(ANY_EXTENDED_KEY_USAGE), asks(OCSP_SIGNING)) {
                (true, _) => Some("extKeyUsage for any purpose".to_owned()),
                (_, true) => Some("extKeyUsage to sign OCSP answers".to_owned()),
                _ => None,
            }
        }),
        // These four bind only what an authority issues.
        "2.5.29.30" | "2.5.29.33" | "2.5.29.36" | "2.5.29.54" => Some(title(extension.oid)),
        _ => None,
    }
}

/// What is wrong with the value of an extension: not DER, or not of its type.
#[must_use]
pub fn fault(extension: &AskedExtension) -> Option<Fault> {
    let odd = |expected| Some(Fault { at: 0, expected, found: hex_encode(&extension.value) });
    if let Some(fault) = canonical::faults(&extension.value).into_iter().next() {
        return Some(fault);
    }
    if canonical::only(&extension.value).is_none() {
        return odd("one DER value");
    }
    match extension.oid.to_string().as_str() {
        BASIC_CONSTRAINTS if !is_written_again::<BasicConstraints>(&extension.value) => odd("BasicConstraints in DER"),
        KEY_USAGE if !is_written_again::<KeyUsage>(&extension.value) => odd("KeyUsage in DER"),
        EXTENDED_KEY_USAGE if !is_written_again::<ExtendedKeyUsage>(&extension.value) => {
            odd("ExtKeyUsageSyntax in DER")
        }
        _ => None,
    }
}

fn is_written_again<T: for<'a> Decode<'a> + Encode>(value: &[u8]) -> bool {
    T::from_der(value).ok().and_then(|parsed| parsed.to_der().ok()).as_deref() == Some(value)
}

/// The value in words where it is one of the three that matter here, as hexadecimal otherwise.
#[must_use]
pub fn summary(extension: &AskedExtension) -> String {
    let value = match extension.oid.to_string().as_str() {
        BASIC_CONSTRAINTS => BasicConstraints::from_der(&extension.value).ok().map(|constraints| {
            let length = constraints.path_len_constraint.map(|length| format!(", path length {length}"));
            format!("CA {}{}", constraints.ca, length.unwrap_or_default())
        }),
        KEY_USAGE => KeyUsage::from_der(&extension.value)
            .ok()
            .map(|usage| usage.0.into_iter().map(|bit| format!("{bit:?}")).collect::<Vec<_>>().join(", ")),
        EXTENDED_KEY_USAGE => ExtendedKeyUsage::from_der(&extension.value)
            .ok()
            .map(|usages| usages.0.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")),
        _ => None,
    };
    let critical = if extension.critical { "critical, " } else { "" };
    format!("{critical}{}", value.unwrap_or_else(|| hex_encode(&extension.value)))
}
