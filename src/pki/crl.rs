//! Certificate revocation lists (RFC 5280 5, version 2), complete and direct: one issuer, every entry with its reason.
//! Built from `TbsCertList` by hand, because x509-cert's `CrlBuilder` copies the wrong key identifier for intermediates.

use super::certificate::tbs::{Criticality, extension};
use super::{PkiError, instants, oids, pem, signed};
use crate::basics::digest::hex_encode;
use crate::basics::{Digest, Instant};
use crate::keys::Algorithm;
use crate::pki::certificate::Certificate;
use der::asn1::{OctetString, Uint};
use der::{Decode, Encode};
use std::collections::BTreeSet;
use x509_cert::certificate::{Raw, Rfc5280, Version};
use x509_cert::crl::{RevokedCert, TbsCertList};
use x509_cert::ext::pkix::{AuthorityKeyIdentifier, CrlNumber, CrlReason};
use x509_cert::serial_number::SerialNumber;

mod reason;

pub use reason::Reason;

const WHAT: &str = "revocation list";

/// Everything a revocation list is made from: equal requests give equal octets.
#[derive(Clone, Debug)]
pub struct CrlRequest<'a> {
    pub issuer: &'a Certificate,
    pub number: u64,
    pub this_update: Instant,
    pub next_update: Instant,
    pub revoked: Vec<Revoked>,
}

/// One revoked certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revoked {
    /// The content of the INTEGER: as [`Certificate::serial`] gives it.
    pub serial: Vec<u8>,
    pub date: Instant,
    pub reason: Reason,
}

impl CrlRequest<'_> {
    /// Everything that keeps this request from being built. How long a list may live is the profile's to say: see
    /// [`super::lint::lint_crl`].
    #[must_use]
    pub fn check(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut expect = |holds: bool, problem: String| {
            if !holds {
                problems.push(problem);
            }
        };
        let (this, next) = (instants::whole_second(self.this_update), instants::whole_second(self.next_update));
        expect(this < next, format!("next update: expected one after {this}, found {next}"));
        expect(
            self.issuer.not_before() <= this && next <= self.issuer.not_after(),
            format!("updates: expected both within the issuer's validity, found {this} and {next}"),
        );
        let mut seen = BTreeSet::new();
        for entry in &self.revoked {
            let serial = hex_encode(&entry.serial);
            let minimal = match entry.serial.as_slice() {
                [] | [0] => false,
                [0, second, ..] => second & 0x80 != 0,
                [first, ..] => first & 0x80 == 0,
            };
            expect(
                minimal && entry.serial.len() <= 20,
                format!("entry: expected a positive serial of 1 to 20 octets, found \"{serial}\""),
            );
            let date = instants::whole_second(entry.date);
            expect(date <= this, format!("entry {serial}: expected a date up to this update, found {date}"));
            expect(seen.insert(&entry.serial), format!("entry {serial}: expected it once, found it again"));
        }
        problems
    }
}

/// The DER of the TBSCertList: what people approve and the key signs. Entries keep the order of the request.
///
/// # Errors
/// Where [`CrlRequest::check`] has anything to say.
pub fn build_tbs(request: &CrlRequest<'_>) -> Result<Vec<u8>, PkiError> {
    let problems = request.check();
    if !problems.is_empty() {
        return Err(PkiError::Request { what: WHAT, problems });
    }
    tbs_of(request)?.to_der().map_err(PkiError::encoding(WHAT))
}

pub(super) fn tbs_of(request: &CrlRequest<'_>) -> Result<TbsCertList<Raw>, PkiError> {
    let encoding = PkiError::encoding(WHAT);
    let entries: Result<Vec<_>, PkiError> = request.revoked.iter().map(entry_of).collect();
    let entries = entries?;
    let identifier = OctetString::new(request.issuer.ski()).map_err(&encoding)?;
    let authority = AuthorityKeyIdentifier { key_identifier: Some(identifier), ..Default::default() };
    let number = CrlNumber(Uint::new(&request.number.to_be_bytes()).map_err(&encoding)?);
    let extensions = vec![
        extension(oids::AUTHORITY_KEY_IDENTIFIER, Criticality::Optional, &authority).map_err(&encoding)?,
        extension(oids::CRL_NUMBER, Criticality::Optional, &number).map_err(&encoding)?,
    ];
    Ok(TbsCertList {
        version: Version::V2,
        signature: oids::signature_identifier(request.issuer.public_key().algorithm()),
        issuer: request.issuer.parsed().tbs_certificate().subject().clone(),
        this_update: instants::to_time(request.this_update)?,
        next_update: Some(instants::to_time(request.next_update)?),
        // An empty SEQUENCE is forbidden (RFC 5280 5.1.2.6): no entries, no field.
        revoked_certificates: (!entries.is_empty()).then_some(entries),
        crl_extensions: Some(extensions),
    })
}

fn entry_of(revoked: &Revoked) -> Result<RevokedCert<Raw>, PkiError> {
    let encoding = PkiError::encoding(WHAT);
    let reason = extension(oids::REASON_CODE, Criticality::Optional, &revoked.reason.code()).map_err(&encoding)?;
    Ok(RevokedCert {
        serial_number: SerialNumber::new(&revoked.serial).map_err(&encoding)?,
        revocation_date: instants::to_time(revoked.date)?,
        crl_entry_extensions: Some(vec![reason]),
    })
}

/// The revocation list: octets to be signed, and the issuer key's signature over them.
///
/// # Errors
/// Where the octets are not a TBSCertList that names this algorithm.
pub fn assemble(tbs: &[u8], algorithm: Algorithm, signature: &[u8]) -> Result<Vec<u8>, PkiError> {
    let parsed = TbsCertList::<Rfc5280>::from_der(tbs)
        .map_err(|_| PkiError::malformed(WHAT, "the DER of a TBSCertList to be signed"))?;
    if parsed.signature != oids::signature_identifier(algorithm) {
        return Err(PkiError::malformed(WHAT, "the algorithm of the signing key inside what it signs"));
    }
    signed::assemble(WHAT, tbs, algorithm, signature)
}

/// A revocation list, read strictly: writing it again gives the same octets. Not yet verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateList {
    der: Vec<u8>,
    tbs: Vec<u8>,
    signature: Vec<u8>,
    algorithm: Algorithm,
    issuer_der: Vec<u8>,
    number: u64,
    authority_key: Vec<u8>,
    this_update: Instant,
    next_update: Instant,
    revoked: Vec<Revoked>,
}

impl CertificateList {
    /// Reads the DER of a revocation list as this tool writes them.
    ///
    /// # Errors
    /// Where it is not DER in the one spelling, not version 2, without number, authority key or next update, has other
    /// extensions, or an entry without one of our reasons.
    pub fn parse(der: &[u8]) -> Result<Self, PkiError> {
        let refuse = |expected| PkiError::malformed(WHAT, expected);
        let parsed = x509_cert::crl::CertificateList::<Rfc5280>::from_der(der)
            .map_err(|_| refuse("the DER of a revocation list"))?;
        if parsed.to_der().ok().as_deref() != Some(der) {
            return Err(refuse("the one spelling DER allows"));
        }
        let inner = &parsed.tbs_cert_list;
        let algorithm =
            oids::signature_algorithm(&parsed.signature_algorithm).ok_or(refuse("a known signature algorithm"))?;
        if inner.version != Version::V2 || inner.signature != parsed.signature_algorithm {
            return Err(refuse("version 2, and the same signature algorithm inside and outside"));
        }
        let next_update = inner.next_update.ok_or(refuse("a next update"))?;
        let [authority, number] = inner.crl_extensions.as_deref().unwrap_or_default() else {
            return Err(refuse("the extensions authority key identifier and number"));
        };
        if [authority.extn_id, number.extn_id] != [oids::AUTHORITY_KEY_IDENTIFIER, oids::CRL_NUMBER]
            || authority.critical
            || number.critical
        {
            return Err(refuse("the extensions authority key identifier and number, neither critical"));
        }
        let authority = AuthorityKeyIdentifier::from_der(authority.extn_value.as_bytes())
            .map_err(|_| refuse("an authority key identifier"))?;
        let number = u64::from_der(number.extn_value.as_bytes()).map_err(|_| refuse("a number below 2^64"))?;
        let entries = inner.revoked_certificates.as_deref();
        if entries.is_some_and(<[_]>::is_empty) {
            return Err(refuse("no list of entries where there are none"));
        }
        let entries = entries.unwrap_or_default();
        let mut times = [inner.this_update, next_update].into_iter().chain(entries.iter().map(|e| e.revocation_date));
        if !times.all(instants::is_usual) {
            return Err(refuse("UTCTime through 2049 and GeneralizedTime after"));
        }
        let revoked: Option<Vec<Revoked>> = entries.iter().map(revoked_of).collect();
        let revoked = revoked.ok_or(refuse("entries with a positive serial and a reason, and nothing else"))?;
        Ok(Self {
            der: der.to_vec(),
            tbs: signed::to_be_signed(WHAT, der)?.to_vec(),
            signature: parsed.signature.as_bytes().ok_or(refuse("a signature without unused bits"))?.to_vec(),
            algorithm,
            issuer_der: inner.issuer.to_der().map_err(PkiError::encoding(WHAT))?,
            number,
            authority_key: authority.key_identifier.ok_or(refuse("a key identifier"))?.as_bytes().to_vec(),
            this_update: instants::to_instant(inner.this_update),
            next_update: instants::to_instant(next_update),
            revoked,
        })
    }

    /// Reads a PEM file with exactly one revocation list.
    ///
    /// # Errors
    /// As [`pem::from_pem`] and [`CertificateList::parse`].
    pub fn from_pem(text: &str) -> Result<Self, PkiError> {
        Self::parse(&pem::from_pem(pem::CRL, text)?)
    }

    /// # Errors
    /// As [`pem::to_pem`].
    pub fn to_pem(&self) -> Result<String, PkiError> {
        pem::to_pem(pem::CRL, &self.der)
    }

    /// Checks that this issuer made the list: name, key identifier, algorithm, signature.
    ///
    /// # Errors
    /// The first that does not hold.
    pub fn verify(&self, issuer: &Certificate) -> Result<(), PkiError> {
        if self.issuer_der != issuer.subject_der() {
            return Err(PkiError::malformed(WHAT, "the issuer's subject, octet for octet"));
        }
        if self.authority_key != issuer.ski() {
            return Err(PkiError::malformed(WHAT, "the issuer's key identifier"));
        }
        if self.algorithm != issuer.public_key().algorithm() {
            return Err(PkiError::malformed(WHAT, "the signature algorithm of the issuer's key"));
        }
        Ok(issuer.public_key().verify(&self.tbs, &self.signature)?)
    }

    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    #[must_use]
    pub fn tbs_der(&self) -> &[u8] {
        &self.tbs
    }

    #[must_use]
    pub const fn signature_algorithm(&self) -> Algorithm {
        self.algorithm
    }

    #[must_use]
    pub const fn number(&self) -> u64 {
        self.number
    }

    #[must_use]
    pub const fn this_update(&self) -> Instant {
        self.this_update
    }

    #[must_use]
    pub const fn next_update(&self) -> Instant {
        self.next_update
    }

    #[must_use]
    pub fn revoked(&self) -> &[Revoked] {
        &self.revoked
    }

    /// SHA-256 of the DER.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.der)
    }
}

fn revoked_of(entry: &RevokedCert<Rfc5280>) -> Option<Revoked> {
    let [reason] = entry.crl_entry_extensions.as_deref()? else { return None };
    if reason.extn_id != oids::REASON_CODE || reason.critical {
        return None;
    }
    let code = CrlReason::from_der(reason.extn_value.as_bytes()).ok()?;
    let serial = entry.serial_number.as_bytes().to_vec();
    let positive = serial.len() <= 20 && serial != [0] && serial.first().is_some_and(|first| first & 0x80 == 0);
    let date = instants::to_instant(entry.revocation_date);
    positive.then_some(Revoked { serial, date, reason: Reason::of_code(code)? })
}
