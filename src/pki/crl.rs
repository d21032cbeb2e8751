//! Certificate revocation lists (RFC 5280 5, version 2), complete and direct: one issuer, every entry with its reason.
//! Lists in parts (an issuing distribution point) are not made: an authority whose subjects are authorities has few entries.
//! Built from `TbsCertList` by hand, because x509-cert's `CrlBuilder` copies the wrong key identifier for intermediates.

use super::certificate::tbs::{Criticality, extension};
use super::{PkiError, instants, oids, signed};
use crate::basics::Instant;
use crate::basics::digest::hex_encode;
use crate::keys::Algorithm;
use crate::pki::certificate::Certificate;
use der::asn1::{OctetString, Uint};
use der::{Decode, Encode};
use std::collections::BTreeSet;
use x509_cert::certificate::{Raw, Rfc5280, Version};
use x509_cert::crl::{RevokedCert, TbsCertList};
use x509_cert::ext::pkix::{AuthorityKeyIdentifier, CrlNumber};
use x509_cert::serial_number::SerialNumber;

mod continuity;
mod list;
mod reason;

pub use continuity::{Difference, continuity, continuity_knowing, difference};
pub use list::CertificateList;
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
        if self.issuer.public_key().is_none() {
            let found = self.issuer.subject_key().word();
            problems.push(format!("issuer: expected a key that signs here, found {found}"));
        }
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
    let signer = request.issuer.public_key().ok_or(PkiError::malformed("issuer", "a key that signs here"))?;
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
        signature: oids::signature_identifier(signer.algorithm()),
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
