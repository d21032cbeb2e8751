//! The rules for certificates, against the request they were made from. A rule looks at one thing; a defect may break
//! several rules.

use super::{Finding, collect, expect, octets, same};
use crate::basics::digest::hex_encode;
use crate::basics::{Digest, Realm};
use crate::keys::{PublicKey, SubjectKey};
use crate::pki::certificate::{CertificateRequest, Issuer};
use crate::pki::name::{Attribute, SubjectName};
use crate::pki::profile::{Extra, purpose};
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
    request: &'a CertificateRequest<'a>,
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
        same(&Some(oids::signature_oid(v.signer.algorithm())), &Some(v.outer.signature_algorithm().oid))
    }),
    ("cert.algorithm.no-parameters", |v| {
        let absent = v.inner.signature().parameters.is_none() && v.outer.signature_algorithm().parameters.is_none();
        expect(absent, || "expected absent parameters, found some".to_owned())
    }),
    ("cert.signature.verifies", |v| {
        let signature = v.outer.signature().as_bytes().ok_or("expected a signature without unused bits, found some")?;
        v.signer.verify(v.tbs_der, signature).map_err(|error| error.to_string())
    }),
    ("cert.issuer.of-issuer", |v| {
        let found = v.inner.issuer().to_der().unwrap_or_default();
        let expected = match v.request.issuer {
            Issuer::SelfSigned => v.inner.subject().to_der().unwrap_or_default(),
            Issuer::By(issuer) => issuer.subject_der().to_vec(),
        };
        same(&hex_encode(&expected), &hex_encode(&found))
    }),
    ("cert.issuer.is-authority", |v| match v.request.issuer {
        Issuer::SelfSigned => Ok(()),
        Issuer::By(issuer) => expect(issuer.is_authority(), || "expected an authority, found none".to_owned()),
    }),
    ("cert.issuer.path-length", path_length),
    ("cert.subject.as-requested", |v| {
        let expected = v.request.subject.to_der().map_err(|error| error.to_string())?;
        same(&hex_encode(&expected), &hex_encode(&v.inner.subject().to_der().unwrap_or_default()))
    }),
    ("cert.subject.order", subject_order),
    ("cert.subject.string-types", |v| {
        if copied(v) {
            return Ok(());
        }
        let right = |(oid, tag, _): &(ObjectIdentifier, Tag, String)| {
            let printable = [oids::COUNTRY, oids::SERIAL_NUMBER].contains(oid);
            *tag == if printable { Tag::PrintableString } else { Tag::Utf8String }
        };
        let holds = attributes(v)?.iter().all(right);
        expect(holds, || {
            "expected PrintableString for C and serialNumber, UTF8String for the rest, found others".to_owned()
        })
    }),
    ("cert.subject.allowed-by-profile", |v| {
        let known = attributes(v)?.into_iter().filter_map(|(oid, _, _)| Attribute::of_oid(oid));
        let problems = v.request.profile.subject.problems(&known.collect::<Vec<_>>());
        problems.first().map_or(Ok(()), |first| Err(first.clone()))
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
        let problems = v.request.profile.validity_problems(instants::to_instant(from), instants::to_instant(until));
        problems.first().map_or(Ok(()), |first| Err(first.clone()))
    }),
    ("cert.validity.within-issuer", |v| {
        let Issuer::By(issuer) = v.request.issuer else { return Ok(()) };
        let (from, until) = validity(v);
        let (begins, ends) = (issuer.not_before(), issuer.not_after());
        let until = instants::to_instant(until);
        let ends_within = until <= ends || v.request.profile.may_outlive_issuer(until);
        let within = begins <= instants::to_instant(from) && ends_within;
        expect(within, || format!("expected dates from {begins} to {ends}, found {from} to {until}"))
    }),
    ("cert.key.as-requested", |v| {
        let found = v.inner.subject_public_key_info().to_der().unwrap_or_default();
        same(&v.request.key.digest(), &Digest::of(&found))
    }),
    ("cert.key.valid", |v| {
        let found = v.inner.subject_public_key_info().to_der().unwrap_or_default();
        SubjectKey::from_spki_der(&found).map(|_| ()).map_err(|error| error.to_string())
    }),
    ("cert.key.allowed-by-profile", |v| {
        let word = v.request.key.word();
        expect(v.request.profile.allows_key(&v.request.key), || format!("expected another, found {word}"))
    }),
    ("cert.key.not-the-issuers", |v| {
        let Issuer::By(issuer) = v.request.issuer else { return Ok(()) };
        let found = v.inner.subject_public_key_info().to_der().unwrap_or_default();
        expect(issuer.subject_key().spki_der() != found, || "expected another key, found the issuer's".to_owned())
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
    ("cert.extensions.exactly", |v| {
        let found: Vec<String> = extensions(v).iter().map(|extension| extension.extn_id.to_string()).collect();
        same(&expected_extensions(v), &found)
    }),
    ("cert.basic-constraints.critical", |v| critical(v, oids::BASIC_CONSTRAINTS)),
    ("cert.basic-constraints.exact", |v| {
        value_is(v, oids::BASIC_CONSTRAINTS, &octets::basic_constraints(&v.request.profile))
    }),
    ("cert.key-usage.critical", |v| critical(v, oids::KEY_USAGE)),
    ("cert.key-usage.exact", |v| value_is(v, oids::KEY_USAGE, &octets::key_usage(&v.request.profile.key_usages))),
    ("cert.key-usage.signs-as-its-kind", |v| {
        // BIT STRING, two octets of content, unused bits, bits: keyCertSign 04, cRLSign 02.
        let signs = match extension(v, oids::KEY_USAGE)?.extn_value.as_bytes() {
            [3, 2, _, bits] => bits & 0x06,
            _ => 0,
        };
        let expected = if v.request.profile.kind.is_authority() { 0x06 } else { 0 };
        expect(signs == expected, || "expected keyCertSign and cRLSign in authorities only, found otherwise".to_owned())
    }),
    ("cert.extended-key-usage.as-profile", |v| {
        let purposes = &v.request.profile.extended_key_usages;
        let expected = (!purposes.is_empty()).then(|| octets::extended_key_usage(&v.request.profile));
        exactly(v, oids::EXTENDED_KEY_USAGE, purpose::is_critical(purposes), expected)
    }),
    ("cert.subject-key-identifier.not-critical", |v| not_critical(v, oids::SUBJECT_KEY_IDENTIFIER)),
    ("cert.subject-key-identifier.of-key", |v| {
        value_is(v, oids::SUBJECT_KEY_IDENTIFIER, &octets::value(0x04, &expected_identifier(v)))
    }),
    ("cert.authority-key-identifier.not-critical", |v| not_critical(v, oids::AUTHORITY_KEY_IDENTIFIER)),
    ("cert.authority-key-identifier.of-issuer", |v| {
        let identifier = match v.request.issuer {
            Issuer::SelfSigned => expected_identifier(v),
            Issuer::By(issuer) => issuer.ski().to_vec(),
        };
        value_is(v, oids::AUTHORITY_KEY_IDENTIFIER, &octets::sequence(&[octets::value(0x80, &identifier)]))
    }),
    ("cert.policies.as-realm-says", |v| {
        let policies = &v.request.additions.policies;
        let problems = v.request.profile.policies.problems(v.request.realm, policies);
        problems.first().map_or(Ok(()), |first| Err(first.clone()))?;
        let expected = (!policies.is_empty()).then(|| octets::policies(&v.request.additions));
        exactly(v, oids::CERTIFICATE_POLICIES, false, expected)
    }),
    ("cert.alternative-names.as-requested", |v| {
        let some = !v.request.additions.alternative_names.is_empty();
        exactly(v, oids::SUBJECT_ALTERNATIVE_NAME, false, some.then(|| octets::alternative_names(&v.request.additions)))
    }),
    ("cert.name-constraints.as-profile", |v| {
        let expected = v.request.profile.name_constraints.as_ref().map(octets::name_constraints);
        exactly(v, oids::NAME_CONSTRAINTS, true, expected)
    }),
    ("cert.crl-distribution.as-requested", |v| {
        let urls = &v.request.additions.crl_urls;
        let problem = v.request.profile.crl_distribution.presence.problem("addresses", urls.len());
        problem.map_or(Ok(()), Err)?;
        let expected = (!urls.is_empty()).then(|| octets::crl_distribution(&v.request.additions));
        exactly(v, oids::CRL_DISTRIBUTION, false, expected)
    }),
    ("cert.authority-info.as-requested", |v| {
        let some = v.request.additions.issuer_urls.len() + v.request.additions.ocsp_urls.len();
        let problem = v.request.profile.authority_info.presence.problem("addresses", some);
        problem.map_or(Ok(()), Err)?;
        exactly(v, oids::AUTHORITY_INFO, false, (some > 0).then(|| octets::authority_info(&v.request.additions)))
    }),
    ("cert.ocsp-no-check.as-profile", |v| {
        let some = v.request.profile.extensions.contains(&Extra::OcspNoCheck);
        exactly(v, oids::OCSP_NO_CHECK, false, some.then(|| vec![0x05, 0x00]))
    }),
    ("cert.lineage.as-requested", |v| {
        let Some(lineage) = &v.request.additions.lineage else { return Ok(()) };
        let oid = ObjectIdentifier::new(&lineage.oid).map_err(|error| error.to_string())?;
        exactly(v, oid, false, Some(octets::value(0x04, lineage.digest.octets())))
    }),
    ("cert.size.within-profile", |v| {
        let most = v.request.profile.max_octets.unwrap_or(usize::MAX);
        expect(v.der.len() <= most, || format!("expected at most {most} octets, found {}", v.der.len()))
    }),
];

/// All findings; where the octets cannot be read at all, that alone.
pub(super) fn findings(der: &[u8], request: &CertificateRequest<'_>, signer: &PublicKey) -> Vec<Finding> {
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

/// C, ST, L, O, OU, CN, serialNumber, VID, PID: each at most once.
fn subject_order(v: &View<'_>) -> Result<(), String> {
    if copied(v) {
        return Ok(());
    }
    let order = [
        oids::COUNTRY,
        oids::STATE,
        oids::LOCALITY,
        oids::ORGANIZATION,
        oids::ORGANIZATIONAL_UNIT,
        oids::COMMON_NAME,
        oids::SERIAL_NUMBER,
        oids::MATTER_VID,
        oids::MATTER_PID,
    ];
    let found: Option<Vec<usize>> =
        attributes(v)?.iter().map(|(oid, _, _)| order.iter().position(|known| known == oid)).collect();
    let rises = |places: &Vec<usize>| places.windows(2).all(|pair| matches!(pair, [one, next] if one < next));
    expect(found.as_ref().is_some_and(rises), || {
        "expected known attributes in their order, once each, found otherwise".to_owned()
    })
}

/// The name of a cross-certificate is another certificate's and keeps its spelling.
fn copied(v: &View<'_>) -> bool {
    matches!(v.request.subject, SubjectName::Copy(_))
}

/// An issuer at the end of its path length has no authority below it; one that is not, only shorter ones.
fn path_length(v: &View<'_>) -> Result<(), String> {
    let Issuer::By(issuer) = v.request.issuer else { return Ok(()) };
    let (true, Some(limit)) = (v.request.profile.kind.is_authority(), issuer.path_len()) else { return Ok(()) };
    let own = match extension(v, oids::BASIC_CONSTRAINTS)?.extn_value.as_bytes() {
        [0x30, 6, 1, 1, 0xff, 2, 1, own] => Some(*own),
        _ => None,
    };
    expect(own.is_some_and(|own| own < limit), || format!("expected less than the issuer's {limit}, found {own:?}"))
}

fn rehearsal_mark(v: &View<'_>) -> Result<(), String> {
    let attributes = attributes(v)?;
    let named = [oids::ORGANIZATION, oids::COMMON_NAME];
    let mut names = attributes.iter().filter(|(oid, _, _)| named.contains(oid)).map(|(_, _, value)| value).peekable();
    let marked = |value: &String| value.starts_with(name::REHEARSAL_MARK);
    match v.request.realm {
        Realm::Rehearsal => {
            let some = names.peek().is_some();
            expect(some && names.all(marked), || "expected the mark on O and CN, found none".to_owned())
        }
        Realm::Production => expect(!names.any(marked), || "expected no mark in production, found one".to_owned()),
    }
}

/// Present with this value and criticality, or absent where there is no value.
fn exactly(v: &View<'_>, oid: ObjectIdentifier, is_critical: bool, expected: Option<Vec<u8>>) -> Result<(), String> {
    match expected {
        None => {
            let found = extensions(v).iter().any(|extension| extension.extn_id == oid);
            expect(!found, || "expected none, found one".to_owned())
        }
        Some(octets) => {
            let critical = extension(v, oid)?.critical;
            expect(critical == is_critical, || format!("expected critical {is_critical}, found {critical}"))?;
            value_is(v, oid, &octets)
        }
    }
}

/// Which extensions there are, in their order, by profile and request alone.
fn expected_extensions(v: &View<'_>) -> Vec<String> {
    let (profile, additions) = (&v.request.profile, &v.request.additions);
    let access = !additions.ocsp_urls.is_empty() || !additions.issuer_urls.is_empty();
    let known = [
        (oids::BASIC_CONSTRAINTS, true),
        (oids::KEY_USAGE, true),
        (oids::EXTENDED_KEY_USAGE, !profile.extended_key_usages.is_empty()),
        (oids::SUBJECT_KEY_IDENTIFIER, true),
        (oids::AUTHORITY_KEY_IDENTIFIER, true),
        (oids::CERTIFICATE_POLICIES, !additions.policies.is_empty()),
        (oids::SUBJECT_ALTERNATIVE_NAME, !additions.alternative_names.is_empty()),
        (oids::NAME_CONSTRAINTS, profile.name_constraints.is_some()),
        (oids::CRL_DISTRIBUTION, !additions.crl_urls.is_empty()),
        (oids::AUTHORITY_INFO, access),
        (oids::OCSP_NO_CHECK, profile.extensions.contains(&Extra::OcspNoCheck)),
    ];
    let known = known.into_iter().filter(|(_, there)| *there).map(|(oid, _)| oid.to_string());
    known.chain(additions.lineage.iter().map(|lineage| lineage.oid.clone())).collect()
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

/// From the key in the certificate, not the one in the request; a cross-certificate takes over that of the authority.
fn expected_identifier(v: &View<'_>) -> Vec<u8> {
    if let Some(ski) = &v.request.ski {
        return ski.clone();
    }
    let bits = v.inner.subject_public_key_info().subject_public_key.raw_bytes();
    Digest::of(bits).octets().iter().take(20).copied().collect()
}
