//! The rules for root certificates. A rule looks at one thing; a defect may break several rules.

use super::{Finding, collect, expect, same};
use crate::basics::digest::hex_encode;
use crate::basics::{Digest, Realm};
use crate::keys::PublicKey;
use crate::pki::certificate::RootRequest;
use crate::pki::certificate::tbs::key_usage;
use crate::pki::profile::Policies;
use crate::pki::{instants, name, oids, signed};
use const_oid::ObjectIdentifier;
use der::{Decode, Encode, Tag};
use x509_cert::certificate::{CertificateInner, Raw, Rfc5280, TbsCertificateInner, Version};
use x509_cert::ext::Extension;
use x509_cert::time::Time;

/// What the rules look at.
pub(super) struct View<'a> {
    der: &'a [u8],
    tbs_der: &'a [u8],
    outer: &'a CertificateInner<Raw>,
    inner: &'a TbsCertificateInner<Raw>,
    request: &'a RootRequest,
    signer: &'a PublicKey,
}

/// A rule's name, and what it says against a view of the octets; nothing where it holds.
type Rule = (&'static str, for<'a> fn(&View<'a>) -> Result<(), String>);

pub(super) const RULES: &[Rule] = &[
    ("cert.der.one-spelling", one_spelling),
    ("cert.version.three", |v| same(&Version::V3, &v.inner.version())),
    ("cert.serial.positive", |v| {
        let positive = serial(v).first().is_some_and(|first| first & 0x80 == 0) && serial(v).iter().any(|o| *o != 0);
        expect(positive, || format!("expected a positive integer, found {}", hex_encode(serial(v))))
    }),
    ("cert.serial.twenty-octets", |v| same(&20, &serial(v).len())),
    ("cert.serial.as-requested", |v| same(&hex_encode(&v.request.serial), &hex_encode(serial(v)))),
    ("cert.algorithm.inside-as-outside", |v| same(v.inner.signature(), v.outer.signature_algorithm())),
    ("cert.algorithm.of-issuer-key", |v| {
        same(&oids::signature_oid(v.request.key.algorithm()), &v.outer.signature_algorithm().oid)
    }),
    ("cert.algorithm.no-parameters", |v| {
        let absent = v.inner.signature().parameters.is_none() && v.outer.signature_algorithm().parameters.is_none();
        expect(absent, || "expected absent parameters, found some".to_owned())
    }),
    ("cert.signature.verifies", |v| {
        let signature = v.outer.signature().as_bytes().ok_or("expected a signature without unused bits, found some")?;
        v.signer.verify(v.tbs_der, signature).map_err(|error| error.to_string())
    }),
    ("cert.issuer.equals-subject", |v| same(v.inner.subject(), v.inner.issuer())),
    ("cert.subject.as-requested", |v| {
        let expected = v.request.subject.to_der().map_err(|error| error.to_string())?;
        same(&hex_encode(&expected), &hex_encode(&v.inner.subject().to_der().unwrap_or_default()))
    }),
    ("cert.subject.order", subject_order),
    ("cert.subject.string-types", |v| {
        let right = |(oid, tag, _): &(ObjectIdentifier, Tag, String)| {
            *tag == if *oid == oids::COUNTRY { Tag::PrintableString } else { Tag::Utf8String }
        };
        let holds = attributes(v)?.iter().all(right);
        expect(holds, || "expected PrintableString for C and UTF8String for the rest, found others".to_owned())
    }),
    ("cert.subject.rehearsal-mark", rehearsal_mark),
    ("cert.validity.in-order", |v| {
        let (from, until) = validity(v);
        expect(from.to_unix_duration() < until.to_unix_duration(), || {
            format!("expected an end after {from}, found {until}")
        })
    }),
    ("cert.validity.as-requested", |v| {
        let expected = (instants::whole_second(v.request.not_before), instants::whole_second(v.request.not_after));
        let (from, until) = validity(v);
        same(&expected, &(instants::to_instant(from), instants::to_instant(until)))
    }),
    ("cert.validity.time-types", |v| {
        let (from, until) = validity(v);
        let usual = instants::is_usual(from) && instants::is_usual(until);
        expect(usual, || "expected UTCTime through 2049 and GeneralizedTime after, found otherwise".to_owned())
    }),
    ("cert.validity.within-profile", |v| {
        let (from, until) = validity(v);
        let years = v.request.profile.max_years;
        let latest = instants::years_after(instants::to_instant(from), years);
        let within = latest.is_some_and(|latest| instants::to_instant(until) <= latest);
        expect(within, || format!("expected at most {years} years, found {from} to {until}"))
    }),
    ("cert.key.as-requested", |v| {
        let found = v.inner.subject_public_key_info().to_der().unwrap_or_default();
        same(&v.request.key.digest(), &Digest::of(&found))
    }),
    ("cert.key.valid", |v| {
        let found = v.inner.subject_public_key_info().to_der().unwrap_or_default();
        PublicKey::from_spki_der(&found).map(|_| ()).map_err(|error| error.to_string())
    }),
    ("cert.key.allowed-by-profile", |v| {
        let algorithm = v.request.key.algorithm();
        expect(v.request.profile.algorithms.contains(&algorithm), || format!("expected another, found {algorithm}"))
    }),
    ("cert.unique-ids.absent", |v| {
        let absent = v.inner.issuer_unique_id().is_none() && v.inner.subject_unique_id().is_none();
        expect(absent, || "expected none, found some".to_owned())
    }),
    ("cert.extensions.once", |v| {
        let mut seen: Vec<ObjectIdentifier> = extensions(v).iter().map(|extension| extension.extn_id).collect();
        seen.sort();
        let all = seen.len();
        seen.dedup();
        expect(seen.len() == all, || "expected each extension once, found one again".to_owned())
    }),
    ("cert.extensions.known", |v| {
        let known = [
            oids::BASIC_CONSTRAINTS,
            oids::KEY_USAGE,
            oids::SUBJECT_KEY_IDENTIFIER,
            oids::AUTHORITY_KEY_IDENTIFIER,
            oids::CERTIFICATE_POLICIES,
        ];
        let stranger = extensions(v).iter().find(|extension| !known.contains(&extension.extn_id));
        stranger.map_or(Ok(()), |e| Err(format!("expected only those of the profile, found {}", e.extn_id)))
    }),
    ("cert.basic-constraints.critical", |v| critical(v, oids::BASIC_CONSTRAINTS)),
    ("cert.basic-constraints.authority", |v| {
        // SEQUENCE { BOOLEAN TRUE, INTEGER path length where the profile has one }
        let expected = match v.request.profile.path_len {
            None => vec![0x30, 0x03, 0x01, 0x01, 0xff],
            Some(length) => vec![0x30, 0x06, 0x01, 0x01, 0xff, 0x02, 0x01, length],
        };
        value_is(v, oids::BASIC_CONSTRAINTS, &expected)
    }),
    ("cert.key-usage.critical", |v| critical(v, oids::KEY_USAGE)),
    ("cert.key-usage.exact", |v| {
        let expected = key_usage(&v.request.profile).to_der().map_err(|error| error.to_string())?;
        value_is(v, oids::KEY_USAGE, &expected)
    }),
    ("cert.key-usage.signs-certificates-and-lists", |v| value_is(v, oids::KEY_USAGE, &[0x03, 0x02, 0x01, 0x06])),
    ("cert.subject-key-identifier.not-critical", |v| not_critical(v, oids::SUBJECT_KEY_IDENTIFIER)),
    ("cert.subject-key-identifier.rfc-7093", |v| {
        value_is(v, oids::SUBJECT_KEY_IDENTIFIER, &[&[0x04, 0x14], &expected_identifier(v)[..]].concat())
    }),
    ("cert.authority-key-identifier.not-critical", |v| not_critical(v, oids::AUTHORITY_KEY_IDENTIFIER)),
    ("cert.authority-key-identifier.own-key-only", |v| {
        value_is(v, oids::AUTHORITY_KEY_IDENTIFIER, &[&[0x30, 0x16, 0x80, 0x14], &expected_identifier(v)[..]].concat())
    }),
    ("cert.policies.as-realm-says", policies),
];

/// All findings; where the octets cannot be read at all, that alone.
pub(super) fn findings(der: &[u8], request: &RootRequest, signer: &PublicKey) -> Vec<Finding> {
    let unreadable = |message: String| vec![Finding { rule: "cert.der.readable", message }];
    // The profile Raw forgives what the rules name: odd serials, odd times.
    let outer = match CertificateInner::<Raw>::from_der(der) {
        Ok(outer) => outer,
        Err(error) => return unreadable(format!("expected the DER of a certificate, found {error}")),
    };
    let tbs_der = match signed::to_be_signed("certificate", der) {
        Ok(tbs_der) => tbs_der,
        Err(error) => return unreadable(error.to_string()),
    };
    let view = View { der, tbs_der, inner: outer.tbs_certificate(), outer: &outer, request, signer };
    collect(RULES.iter().map(|(rule, holds)| (*rule, holds(&view))))
}

fn one_spelling(v: &View<'_>) -> Result<(), String> {
    let strict = CertificateInner::<Rfc5280>::from_der(v.der).and_then(|certificate| certificate.to_der());
    expect(strict.is_ok_and(|octets| octets == v.der), || "expected the one DER spelling, found another".to_owned())
}

fn subject_order(v: &View<'_>) -> Result<(), String> {
    let found: Vec<ObjectIdentifier> = attributes(v)?.iter().map(|(oid, _, _)| *oid).collect();
    let expected: &[ObjectIdentifier] = match v.request.subject.country {
        Some(_) => &[oids::COUNTRY, oids::ORGANIZATION, oids::COMMON_NAME],
        None => &[oids::ORGANIZATION, oids::COMMON_NAME],
    };
    expect(found == expected, || "expected C, O, CN in this order, once each, found otherwise".to_owned())
}

fn rehearsal_mark(v: &View<'_>) -> Result<(), String> {
    let attributes = attributes(v)?;
    let mut names = attributes.iter().filter(|(oid, _, _)| *oid != oids::COUNTRY).map(|(_, _, value)| value);
    let marked = |value: &String| value.starts_with(name::REHEARSAL_MARK);
    match v.request.realm {
        Realm::Rehearsal => expect(names.all(marked), || "expected the mark on O and CN, found none".to_owned()),
        Realm::Production => expect(!names.any(marked), || "expected no mark in production, found one".to_owned()),
    }
}

fn policies(v: &View<'_>) -> Result<(), String> {
    let wanted = v.request.realm.is_rehearsal() && v.request.profile.policies == Policies::RehearsalMark;
    let found = extensions(v).iter().find(|extension| extension.extn_id == oids::CERTIFICATE_POLICIES);
    let (true, Some(dotted)) = (wanted, v.request.policy_oid.as_deref()) else {
        return expect(!wanted && found.is_none(), || "expected none in this realm, found some".to_owned());
    };
    expect(oids::is_rehearsal_policy(dotted), || format!("expected one under {}", oids::REHEARSAL_ARC))?;
    let oid = ObjectIdentifier::new(dotted).map_err(|error| error.to_string())?;
    let oid = oid.to_der().map_err(|error| error.to_string())?;
    // SEQUENCE { SEQUENCE { OBJECT IDENTIFIER } }: one policy, no qualifiers. Far below 128 octets.
    let length = u8::try_from(oid.len()).map_err(|_| "expected a short object identifier, found a long one")?;
    not_critical(v, oids::CERTIFICATE_POLICIES)?;
    value_is(v, oids::CERTIFICATE_POLICIES, &[&[0x30, length.saturating_add(2), 0x30, length], &oid[..]].concat())
}

fn serial<'a>(v: &View<'a>) -> &'a [u8] {
    v.inner.serial_number().as_bytes()
}

fn validity(v: &View<'_>) -> (Time, Time) {
    (v.inner.validity().not_before, v.inner.validity().not_after)
}

fn attributes(v: &View<'_>) -> Result<Vec<(ObjectIdentifier, Tag, String)>, String> {
    name::attributes(v.inner.subject())
        .ok_or_else(|| "expected one UTF-8 value in each relative name, found otherwise".to_owned())
}

fn extensions<'a>(v: &View<'a>) -> &'a [Extension] {
    v.inner.extensions().map(Vec::as_slice).unwrap_or_default()
}

fn extension<'a>(v: &View<'a>, oid: ObjectIdentifier) -> Result<&'a Extension, String> {
    extensions(v).iter().find(|extension| extension.extn_id == oid).ok_or_else(|| "expected it, found none".to_owned())
}

fn critical(v: &View<'_>, oid: ObjectIdentifier) -> Result<(), String> {
    expect(extension(v, oid)?.critical, || "expected it critical, found it not".to_owned())
}

fn not_critical(v: &View<'_>, oid: ObjectIdentifier) -> Result<(), String> {
    expect(!extension(v, oid)?.critical, || "expected it not critical, found it critical".to_owned())
}

fn value_is(v: &View<'_>, oid: ObjectIdentifier, expected: &[u8]) -> Result<(), String> {
    same(&hex_encode(expected), &hex_encode(extension(v, oid)?.extn_value.as_bytes()))
}

/// From the key in the certificate, not the one in the request.
fn expected_identifier(v: &View<'_>) -> Vec<u8> {
    let bits = v.inner.subject_public_key_info().subject_public_key.raw_bytes();
    Digest::of(bits).octets().iter().take(20).copied().collect()
}
