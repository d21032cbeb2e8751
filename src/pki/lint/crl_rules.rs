//! The rules for revocation lists of authorities whose subjects are authorities.

use super::{Finding, collect, expect, same};
use crate::basics::digest::hex_encode;
use crate::keys::PublicKey;
use crate::pki::crl::{CrlRequest, Reason};
use crate::pki::profile::Profile;
use crate::pki::{instants, oids, signed};
use const_oid::ObjectIdentifier;
use der::{Decode, Encode};
use x509_cert::certificate::{Raw, Version};
use x509_cert::crl::{CertificateList, RevokedCert, TbsCertList};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::{CrlReason, KeyUsage};
use x509_cert::time::Time;

/// What the rules look at.
pub(super) struct View<'a> {
    der: &'a [u8],
    tbs_der: &'a [u8],
    outer: &'a CertificateList<Raw>,
    inner: &'a TbsCertList<Raw>,
    request: &'a CrlRequest<'a>,
    profile: &'a Profile,
    signer: &'a PublicKey,
}

/// A rule's name, and what it says against a view of the octets; nothing where it holds.
type Rule = (&'static str, for<'a> fn(&View<'a>) -> Result<(), String>);

pub(super) const RULES: &[Rule] = &[
    ("crl.der.one-spelling", |v| {
        let same = v.outer.to_der().is_ok_and(|octets| octets == v.der);
        expect(same, || "expected the one DER spelling, found another".to_owned())
    }),
    ("crl.version.two", |v| same(&Version::V2, &v.inner.version)),
    ("crl.algorithm.inside-as-outside", |v| same(&v.inner.signature, &v.outer.signature_algorithm)),
    ("crl.algorithm.of-issuer-key", |v| {
        same(&oids::signature_oid(v.signer.algorithm()), &v.outer.signature_algorithm.oid)
    }),
    ("crl.algorithm.no-parameters", |v| {
        let absent = v.inner.signature.parameters.is_none() && v.outer.signature_algorithm.parameters.is_none();
        expect(absent, || "expected absent parameters, found some".to_owned())
    }),
    ("crl.signature.verifies", |v| {
        let signature = v.outer.signature.as_bytes().ok_or("expected a signature without unused bits, found some")?;
        v.signer.verify(v.tbs_der, signature).map_err(|error| error.to_string())
    }),
    ("crl.issuer.equals-subject-of-issuer", |v| {
        let found = v.inner.issuer.to_der().unwrap_or_default();
        same(&hex_encode(v.request.issuer.subject_der()), &hex_encode(&found))
    }),
    ("crl.issuer.may-sign-lists", |v| {
        let usage = v.request.issuer.parsed().tbs_certificate().get_extension::<KeyUsage>();
        let may = usage.ok().flatten().is_some_and(|(_, usage)| usage.crl_sign());
        expect(may, || "expected an issuer with key usage cRLSign, found one without".to_owned())
    }),
    ("crl.times.as-requested", |v| {
        let expected =
            (instants::whole_second(v.request.this_update), Some(instants::whole_second(v.request.next_update)));
        same(&expected, &(instants::to_instant(v.inner.this_update), v.inner.next_update.map(instants::to_instant)))
    }),
    ("crl.times.in-order", |v| {
        let (this, next) = (v.inner.this_update, next_update(v)?);
        expect(this.to_unix_duration() < next.to_unix_duration(), || {
            format!("expected an end after {this}, found {next}")
        })
    }),
    ("crl.times.within-profile", |v| {
        let this = instants::to_instant(v.inner.this_update);
        let next = instants::to_instant(next_update(v)?);
        let days = v.profile.crl.as_ref().map_or(0, |crl| crl.max_days);
        let within = next <= instants::days_after(this, days);
        expect(within, || format!("expected at most {days} days, found {this} to {next}"))
    }),
    ("crl.times.within-issuer", |v| {
        let this = instants::to_instant(v.inner.this_update);
        let next = instants::to_instant(next_update(v)?);
        let within = v.request.issuer.not_before() <= this && next <= v.request.issuer.not_after();
        expect(within, || format!("expected the issuer's validity, found {this} to {next}"))
    }),
    ("crl.times.types", |v| {
        let mut times = [Some(v.inner.this_update), v.inner.next_update]
            .into_iter()
            .flatten()
            .chain(entries(v).iter().map(|entry| entry.revocation_date));
        let usual = times.all(instants::is_usual);
        expect(usual, || "expected UTCTime through 2049 and GeneralizedTime after, found otherwise".to_owned())
    }),
    ("crl.extensions.once", |v| {
        let mut seen: Vec<ObjectIdentifier> = extensions(v).iter().map(|extension| extension.extn_id).collect();
        seen.sort();
        let all = seen.len();
        seen.dedup();
        expect(seen.len() == all, || "expected each extension once, found one again".to_owned())
    }),
    ("crl.extensions.known", |v| {
        let known = [oids::AUTHORITY_KEY_IDENTIFIER, oids::CRL_NUMBER];
        let stranger = extensions(v).iter().find(|extension| !known.contains(&extension.extn_id));
        stranger.map_or(Ok(()), |e| Err(format!("expected authority key identifier and number, found {}", e.extn_id)))
    }),
    ("crl.authority-key-identifier.not-critical", |v| not_critical(v, oids::AUTHORITY_KEY_IDENTIFIER)),
    ("crl.authority-key-identifier.of-issuer", |v| {
        let ski = v.request.issuer.ski();
        // SEQUENCE { [0] key identifier }; ours have 20 octets, others are below 128 too.
        let length = u8::try_from(ski.len()).map_err(|_| "expected a short key identifier, found a long one")?;
        let expected = [&[0x30, length.saturating_add(2), 0x80, length], ski].concat();
        value_is(v, oids::AUTHORITY_KEY_IDENTIFIER, &expected)
    }),
    ("crl.number.not-critical", |v| not_critical(v, oids::CRL_NUMBER)),
    ("crl.number.as-requested", |v| {
        let expected = v.request.number.to_der().map_err(|error| error.to_string())?;
        value_is(v, oids::CRL_NUMBER, &expected)
    }),
    ("crl.entries.absent-when-empty", |v| {
        let empty = v.inner.revoked_certificates.as_ref().is_some_and(Vec::is_empty);
        expect(!empty, || "expected no list of entries where there are none, found an empty one".to_owned())
    }),
    ("crl.entries.as-requested", |v| {
        let wanted: Vec<String> = v.request.revoked.iter().map(|revoked| hex_encode(&revoked.serial)).collect();
        let found: Vec<String> = entries(v).iter().map(|entry| hex_encode(entry.serial_number.as_bytes())).collect();
        same(&wanted, &found)
    }),
    ("crl.entries.serials-positive", |v| {
        let positive = |entry: &RevokedCert<Raw>| {
            let serial = entry.serial_number.as_bytes();
            serial.len() <= 20
                && serial.first().is_some_and(|first| first & 0x80 == 0)
                && serial.iter().any(|o| *o != 0)
        };
        expect(entries(v).iter().all(positive), || "expected 1 to 20 octets each, found otherwise".to_owned())
    }),
    ("crl.entries.once", |v| {
        let mut serials: Vec<&[u8]> = entries(v).iter().map(|entry| entry.serial_number.as_bytes()).collect();
        serials.sort_unstable();
        let all = serials.len();
        serials.dedup();
        expect(serials.len() == all, || "expected each serial once, found one again".to_owned())
    }),
    ("crl.entries.dates", |v| {
        let wanted: Vec<_> = v.request.revoked.iter().map(|revoked| instants::whole_second(revoked.date)).collect();
        let found: Vec<_> = entries(v).iter().map(|entry| instants::to_instant(entry.revocation_date)).collect();
        same(&wanted, &found)?;
        let this = instants::to_instant(v.inner.this_update);
        expect(found.iter().all(|date| *date <= this), || format!("expected dates up to {this}, found a later one"))
    }),
    ("crl.entries.reasons", |v| {
        let wanted: Vec<Option<Reason>> = v.request.revoked.iter().map(|revoked| Some(revoked.reason)).collect();
        let found: Vec<Option<Reason>> = entries(v).iter().map(reason_of).collect();
        same(&wanted, &found)
    }),
    ("crl.entries.extensions", |v| {
        let alone = |entry: &RevokedCert<Raw>| match entry.crl_entry_extensions.as_deref() {
            Some([one]) => one.extn_id == oids::REASON_CODE && !one.critical,
            _ => false,
        };
        let holds = entries(v).iter().all(alone);
        expect(holds, || "expected a reason, not critical, and nothing else in each entry, found otherwise".to_owned())
    }),
];

/// All findings; where the octets cannot be read at all, that alone.
pub(super) fn findings(der: &[u8], request: &CrlRequest<'_>, profile: &Profile, signer: &PublicKey) -> Vec<Finding> {
    let unreadable = |message: String| vec![Finding { rule: "crl.der.readable", message }];
    let outer = match CertificateList::<Raw>::from_der(der) {
        Ok(outer) => outer,
        Err(error) => return unreadable(format!("expected the DER of a revocation list, found {error}")),
    };
    let tbs_der = match signed::to_be_signed("revocation list", der) {
        Ok(tbs_der) => tbs_der,
        Err(error) => return unreadable(error.to_string()),
    };
    let view = View { der, tbs_der, inner: &outer.tbs_cert_list, outer: &outer, request, profile, signer };
    collect(RULES.iter().map(|(rule, holds)| (*rule, holds(&view))))
}

fn next_update(v: &View<'_>) -> Result<Time, String> {
    v.inner.next_update.ok_or_else(|| "expected a next update, found none".to_owned())
}

fn entries<'a>(v: &View<'a>) -> &'a [RevokedCert<Raw>] {
    v.inner.revoked_certificates.as_deref().unwrap_or_default()
}

fn reason_of(entry: &RevokedCert<Raw>) -> Option<Reason> {
    let extensions = entry.crl_entry_extensions.as_deref()?;
    let reason = extensions.iter().find(|extension| extension.extn_id == oids::REASON_CODE)?;
    Reason::of_code(CrlReason::from_der(reason.extn_value.as_bytes()).ok()?)
}

fn extensions<'a>(v: &View<'a>) -> &'a [Extension] {
    v.inner.crl_extensions.as_deref().unwrap_or_default()
}

fn extension<'a>(v: &View<'a>, oid: ObjectIdentifier) -> Result<&'a Extension, String> {
    extensions(v).iter().find(|extension| extension.extn_id == oid).ok_or_else(|| "expected it, found none".to_owned())
}

fn not_critical(v: &View<'_>, oid: ObjectIdentifier) -> Result<(), String> {
    expect(!extension(v, oid)?.critical, || "expected it not critical, found it critical".to_owned())
}

fn value_is(v: &View<'_>, oid: ObjectIdentifier, expected: &[u8]) -> Result<(), String> {
    same(&hex_encode(expected), &hex_encode(extension(v, oid)?.extn_value.as_bytes()))
}
