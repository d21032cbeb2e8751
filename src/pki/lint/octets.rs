//! DER written by hand: what an extension of ours should hold, octet for octet. No code is shared with what writes them.

use crate::pki::additions::Additions;
use crate::pki::general_name::{AltName, Subtree, range_octets};
use crate::pki::profile::{KeyUsage, NameConstraints, Profile};
use const_oid::ObjectIdentifier;

/// Tag, length in its shortest form, content.
pub(super) fn value(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut octets = vec![tag];
    if let Ok(short @ 0..=0x7f) = u8::try_from(length) {
        octets.push(short);
    } else {
        let long: Vec<u8> = length.to_be_bytes().into_iter().skip_while(|octet| *octet == 0).collect();
        octets.push(0x80 | u8::try_from(long.len()).unwrap_or(0x7f));
        octets.extend(long);
    }
    octets.extend_from_slice(content);
    octets
}

pub(super) fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    value(0x30, &parts.concat())
}

pub(super) fn oid(dotted: &str) -> Vec<u8> {
    ObjectIdentifier::new(dotted).map(|oid| value(0x06, oid.as_bytes())).unwrap_or_default()
}

/// SEQUENCE { BOOLEAN TRUE, INTEGER path length where there is one }, empty for an end entity.
pub(super) fn basic_constraints(profile: &Profile) -> Vec<u8> {
    if !profile.kind.is_authority() {
        return vec![0x30, 0x00];
    }
    let path = profile.path_len.map(|length| value(0x02, &[length])).unwrap_or_default();
    sequence(&[vec![0x01, 0x01, 0xff], path])
}

/// BIT STRING without trailing zeros; every usage of ours is in the first octet.
pub(super) fn key_usage(usages: &[KeyUsage]) -> Vec<u8> {
    let bit = |usage: &KeyUsage| match usage {
        KeyUsage::DigitalSignature => 0x80_u8,
        KeyUsage::ContentCommitment => 0x40,
        KeyUsage::KeyAgreement => 0x08,
        KeyUsage::KeyCertSign => 0x04,
        KeyUsage::CrlSign => 0x02,
    };
    let bits = usages.iter().map(bit).fold(0, |all, bit| all | bit);
    let unused = u8::try_from(bits.trailing_zeros().min(7)).unwrap_or(7);
    vec![0x03, 0x02, unused, bits]
}

pub(super) fn extended_key_usage(profile: &Profile) -> Vec<u8> {
    let purposes = profile.extended_key_usages.iter().map(|purpose| value(0x06, purpose.oid().as_bytes()));
    sequence(&purposes.collect::<Vec<_>>())
}

pub(super) fn policies(additions: &Additions) -> Vec<u8> {
    let each = additions.policies.iter().map(|policy| {
        let qualifiers = policy.cps.as_ref().map(|cps| {
            let qualifier = sequence(&[oid("1.3.6.1.5.5.7.2.1"), value(0x16, cps.as_bytes())]);
            sequence(&[qualifier])
        });
        sequence(&[oid(&policy.oid), qualifiers.unwrap_or_default()])
    });
    sequence(&each.collect::<Vec<_>>())
}

pub(super) fn alternative_names(additions: &Additions) -> Vec<u8> {
    let each = additions.alternative_names.iter().map(|name| match name {
        AltName::Email(address) => value(0x81, address.as_bytes()),
        AltName::Dns(name) => value(0x82, name.as_bytes()),
        AltName::Uri(uri) => value(0x86, uri.as_bytes()),
        AltName::Ip(std::net::IpAddr::V4(address)) => value(0x87, &address.octets()),
        AltName::Ip(std::net::IpAddr::V6(address)) => value(0x87, &address.octets()),
        AltName::HardwareModule { kind, serial } => {
            let serial = crate::basics::digest::hex_decode(serial).unwrap_or_default();
            let module = sequence(&[oid(kind), value(0x04, &serial)]);
            value(0xa0, &[oid("1.3.6.1.5.5.7.8.4"), value(0xa0, &module)].concat())
        }
    });
    sequence(&each.collect::<Vec<_>>())
}

pub(super) fn name_constraints(constraints: &NameConstraints) -> Vec<u8> {
    let subtree = |subtree: &Subtree| {
        let base = match subtree {
            Subtree::Email(name) => value(0x81, name.as_bytes()),
            Subtree::Dns(name) => value(0x82, name.as_bytes()),
            Subtree::Directory(subject) => value(0xa4, &subject.to_der().unwrap_or_default()),
            Subtree::Uri(name) => value(0x86, name.as_bytes()),
            Subtree::Ip(range) => value(0x87, &range_octets(range).unwrap_or_default()),
        };
        sequence(&[base])
    };
    let list = |tag: u8, subtrees: &[Subtree]| {
        let each: Vec<u8> = subtrees.iter().flat_map(subtree).collect();
        if each.is_empty() { each } else { value(tag, &each) }
    };
    sequence(&[list(0xa0, &constraints.permitted), list(0xa1, &constraints.excluded)])
}

/// SEQUENCE OF SEQUENCE { [0] { [0] { [6] address } } }: one point for each address.
pub(super) fn crl_distribution(additions: &Additions) -> Vec<u8> {
    let each =
        additions.crl_urls.iter().map(|url| sequence(&[value(0xa0, &value(0xa0, &value(0x86, url.as_bytes())))]));
    sequence(&each.collect::<Vec<_>>())
}

pub(super) fn authority_info(additions: &Additions) -> Vec<u8> {
    let access = |method: &'static str| move |url: &String| sequence(&[oid(method), value(0x86, url.as_bytes())]);
    let ocsp = additions.ocsp_urls.iter().map(access("1.3.6.1.5.5.7.48.1"));
    let issuers = additions.issuer_urls.iter().map(access("1.3.6.1.5.5.7.48.2"));
    sequence(&ocsp.chain(issuers).collect::<Vec<_>>())
}
