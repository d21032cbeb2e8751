//! A finished revocation list, read back.

use super::{Reason, Revoked, WHAT};
use crate::basics::{Digest, Instant};
use crate::keys::Algorithm;
use crate::pki::certificate::Certificate;
use crate::pki::{PkiError, instants, oids, pem, signed};
use der::{Decode, Encode};
use x509_cert::certificate::{Rfc5280, Version};
use x509_cert::crl::RevokedCert;
use x509_cert::ext::pkix::{AuthorityKeyIdentifier, CrlReason};

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
        let key = issuer.public_key().ok_or(PkiError::malformed("issuer", "a key of a kind that signs here"))?;
        if self.algorithm != key.algorithm() {
            return Err(PkiError::malformed(WHAT, "the signature algorithm of the issuer's key"));
        }
        Ok(key.verify(&self.tbs, &self.signature)?)
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

    /// The issuer's name, octet for octet.
    #[must_use]
    pub fn issuer_der(&self) -> &[u8] {
        &self.issuer_der
    }

    /// The key identifier of the issuer.
    #[must_use]
    pub fn authority_key(&self) -> &[u8] {
        &self.authority_key
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
