//! One extension as people read it. What has no words here completely is shown as it is encoded.

use super::{Line, line};
use crate::basics::digest::{group, hex_encode};
use crate::pki::crl::Reason;
use crate::pki::general_name::HardwareModuleName;
use crate::pki::profile::Purpose;
use crate::pki::{name, oids};
use der::asn1::Ia5String;
use der::{Decode, Encode};
use std::net::IpAddr;
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::constraints::name::GeneralSubtree;
use x509_cert::ext::pkix::crl::dp::DistributionPoint;
use x509_cert::ext::pkix::name::{DistributionPointName, GeneralName};
use x509_cert::ext::pkix::{
    AccessDescription, AuthorityInfoAccessSyntax, AuthorityKeyIdentifier, BasicConstraints, CertificatePolicies,
    CrlDistributionPoints, CrlReason, ExtendedKeyUsage, KeyUsage, NameConstraints, SubjectAltName,
    SubjectKeyIdentifier,
};

pub(super) fn extension_line(extension: &Extension) -> Line {
    let octets = extension.extn_value.as_bytes();
    let (label, value) = match extension.extn_id {
        oids::BASIC_CONSTRAINTS => ("Basic constraints", BasicConstraints::from_der(octets).ok().map(constraints_text)),
        oids::KEY_USAGE => ("Key usage", KeyUsage::from_der(octets).ok().map(usage_text)),
        oids::SUBJECT_KEY_IDENTIFIER => {
            let identifier = SubjectKeyIdentifier::from_der(octets).ok();
            ("Subject key identifier", identifier.map(|identifier| group(&hex_encode(identifier.0.as_bytes()), 4)))
        }
        oids::AUTHORITY_KEY_IDENTIFIER => ("Authority key identifier", authority_text(octets)),
        oids::CERTIFICATE_POLICIES => ("Certificate policies", policies_text(octets)),
        oids::EXTENDED_KEY_USAGE => {
            let purposes = ExtendedKeyUsage::from_der(octets).ok();
            (
                "Extended key usage",
                purposes.map(|purposes| words(purposes.0.iter().map(|oid| Purpose::of_oid(*oid).word()))),
            )
        }
        oids::SUBJECT_ALTERNATIVE_NAME => {
            let names = SubjectAltName::from_der(octets).ok();
            ("Alternative names", names.and_then(|names| all(names.0.iter().map(general_name))))
        }
        oids::NAME_CONSTRAINTS => ("Name constraints", NameConstraints::from_der(octets).ok().and_then(limits_text)),
        oids::CRL_DISTRIBUTION => {
            let points = CrlDistributionPoints::from_der(octets).ok();
            ("Revocation list at", points.and_then(|points| all(points.0.iter().map(point_text))))
        }
        oids::AUTHORITY_INFO => {
            let access = AuthorityInfoAccessSyntax::from_der(octets).ok();
            ("Issuer information", access.and_then(|access| all(access.0.iter().map(access_text))))
        }
        oids::OCSP_NO_CHECK => {
            ("OCSP no check", (octets == [0x05, 0x00]).then(|| "revocation is not asked for".to_owned()))
        }
        oids::CRL_NUMBER => ("Number", u64::from_der(octets).ok().map(|number| number.to_string())),
        oids::REASON_CODE => {
            let reason = CrlReason::from_der(octets).ok().and_then(Reason::of_code);
            ("reason", reason.map(|reason| reason.word().to_owned()))
        }
        _ => ("", None),
    };
    let label = if label.is_empty() { format!("Extension {}", extension.extn_id) } else { label.to_owned() };
    // What we cannot put into words completely is shown as it is encoded.
    let value = value.unwrap_or_else(|| format!("DER {}", hex_encode(octets)));
    line(&label, if extension.critical { format!("critical: {value}") } else { value })
}

fn constraints_text(constraints: BasicConstraints) -> String {
    let kind = if constraints.ca { "certification authority" } else { "no certification authority" };
    match constraints.path_len_constraint {
        None => format!("{kind}, no limit on the path below"),
        Some(length) => format!("{kind}, at most {length} authorities below"),
    }
}

fn usage_text(usage: KeyUsage) -> String {
    let named = [
        (usage.digital_signature(), "digitalSignature"),
        (usage.non_repudiation(), "nonRepudiation"),
        (usage.key_encipherment(), "keyEncipherment"),
        (usage.data_encipherment(), "dataEncipherment"),
        (usage.key_agreement(), "keyAgreement"),
        (usage.key_cert_sign(), "keyCertSign"),
        (usage.crl_sign(), "cRLSign"),
        (usage.encipher_only(), "encipherOnly"),
        (usage.decipher_only(), "decipherOnly"),
    ];
    let set: Vec<&str> = named.into_iter().filter_map(|(set, name)| set.then_some(name)).collect();
    if set.is_empty() { "none".to_owned() } else { set.join(", ") }
}

/// Only the form with a key identifier alone has words here.
fn authority_text(octets: &[u8]) -> Option<String> {
    let parsed = AuthorityKeyIdentifier::from_der(octets).ok()?;
    if parsed.authority_cert_issuer.is_some() || parsed.authority_cert_serial_number.is_some() {
        return None;
    }
    Some(group(&hex_encode(parsed.key_identifier?.as_bytes()), 4))
}

/// Only policies without qualifiers, or with the address of a practice statement, have words here.
fn policies_text(octets: &[u8]) -> Option<String> {
    let parsed = CertificatePolicies::from_der(octets).ok()?;
    all(parsed.0.iter().map(|policy| {
        let dotted = policy.policy_identifier.to_string();
        let mark = if oids::is_rehearsal_policy(&dotted) { " (rehearsal)" } else { "" };
        let statement = match policy.policy_qualifiers.as_deref() {
            None => String::new(),
            Some([one]) if one.policy_qualifier_id == oids::POLICY_CPS => {
                let address: Ia5String = one.qualifier.as_ref()?.decode_as().ok()?;
                format!(" (statement at {address})")
            }
            Some(_) => return None,
        };
        Some(format!("{dotted}{mark}{statement}"))
    }))
}

/// A form that has no words leaves the whole extension to be shown as it is encoded.
fn general_name(name: &GeneralName) -> Option<String> {
    Some(match name {
        GeneralName::DnsName(name) => format!("DNS {name}"),
        GeneralName::Rfc822Name(address) => format!("email {address}"),
        GeneralName::UniformResourceIdentifier(uri) => uri.to_string(),
        GeneralName::DirectoryName(directory) => format!("names under {}", name::text(directory)),
        GeneralName::IpAddress(octets) => address_text(octets.as_bytes())?,
        GeneralName::OtherName(other) if other.type_id == oids::HARDWARE_MODULE_NAME => {
            let value = other.value.to_der().ok()?;
            let module = HardwareModuleName::from_der(&value).ok()?;
            format!("hardware module {} of type {}", hex_encode(module.serial.as_bytes()), module.kind)
        }
        _ => return None,
    })
}

/// An address; an address and its mask where there are twice as many octets.
fn address_text(octets: &[u8]) -> Option<String> {
    let address = |octets: &[u8]| -> Option<IpAddr> {
        <[u8; 4]>::try_from(octets).map(IpAddr::from).or_else(|_| <[u8; 16]>::try_from(octets).map(IpAddr::from)).ok()
    };
    if matches!(octets.len(), 4 | 16) {
        return Some(format!("IP {}", address(octets)?));
    }
    let (first, mask) = octets.split_at_checked(octets.len() / 2)?;
    Some(format!("IP {} mask {}", address(first)?, address(mask)?))
}

fn limits_text(limits: NameConstraints) -> Option<String> {
    let list = |word: &str, subtrees: Option<Vec<GeneralSubtree>>| -> Option<Vec<String>> {
        let subtrees = subtrees.unwrap_or_default();
        let each = subtrees.iter().map(|subtree| {
            let plain = subtree.minimum == 0 && subtree.maximum.is_none();
            let base = general_name(&subtree.base)?;
            let base = if base.ends_with(' ') { format!("{base}(every name)") } else { base };
            plain.then(|| format!("{word} {base}"))
        });
        each.collect()
    };
    let permitted = list("only", limits.permitted_subtrees)?;
    Some([permitted, list("never", limits.excluded_subtrees)?].concat().join(", "))
}

/// Only a whole list of this issuer at one or more addresses has words here.
fn point_text(point: &DistributionPoint) -> Option<String> {
    let Some(DistributionPointName::FullName(names)) = &point.distribution_point else { return None };
    if point.reasons.is_some() || point.crl_issuer.is_some() {
        return None;
    }
    all(names.iter().map(general_name))
}

fn access_text(access: &AccessDescription) -> Option<String> {
    let method = match access.access_method {
        oids::ACCESS_OCSP => "OCSP at",
        oids::ACCESS_ISSUERS => "certificate at",
        _ => return None,
    };
    Some(format!("{method} {}", general_name(&access.access_location)?))
}

fn all(texts: impl Iterator<Item = Option<String>>) -> Option<String> {
    texts.collect::<Option<Vec<String>>>().map(|texts| texts.join(", "))
}

fn words(texts: impl Iterator<Item = String>) -> String {
    texts.collect::<Vec<String>>().join(", ")
}
