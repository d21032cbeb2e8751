//! Certificates: what is asked for, the octets to be signed, the finished certificate, and reading one back strictly.

mod own_signer;
mod request;
pub(super) mod tbs;

pub use own_signer::own_signer;
pub use request::{CertificateRequest, Issuer};

use super::{PkiError, instants, name, oids, pem, signed};
use crate::basics::{Digest, Instant};
use crate::keys::{Algorithm, PublicKey, SubjectKey};
use der::{Decode, Encode};
use x509_cert::certificate::{Rfc5280, Version};
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints, CertificatePolicies, KeyUsage, SubjectKeyIdentifier,
};

const WHAT: &str = "certificate";

/// The DER of the TBSCertificate: what people approve and the key signs.
///
/// # Errors
/// Where [`CertificateRequest::check`] has anything to say.
pub fn build_tbs(request: &CertificateRequest<'_>) -> Result<Vec<u8>, PkiError> {
    let problems = request.check();
    if !problems.is_empty() {
        return Err(PkiError::Request { what: request.title(), problems });
    }
    let octets = tbs::of(request)?.to_der().map_err(PkiError::encoding(WHAT))?;
    match (request.profile.max_octets, largest(request, octets.len())) {
        (Some(most), found) if found > most => {
            let problem = format!("size: expected at most {most} octets with the largest signature, found {found}");
            Err(PkiError::Request { what: request.title(), problems: vec![problem] })
        }
        _ => Ok(octets),
    }
}

/// Octets of the certificate that these octets to be signed can become: ECDSA signatures differ by a few.
fn largest(request: &CertificateRequest<'_>, tbs: usize) -> usize {
    let Some(algorithm) = request.signer().map(PublicKey::algorithm) else { return tbs };
    // SEQUENCE of two INTEGERs, each with a leading zero where its first bit is set.
    let signature = match algorithm {
        Algorithm::EcdsaP256 => 2 + 2 * (2 + 33),
        Algorithm::EcdsaP384 => 2 + 2 * (2 + 49),
        _ => 64,
    };
    let identifier = oids::signature_identifier(algorithm).to_der().map_or(0, |octets| octets.len());
    // Four octets of header outside; two of BIT STRING and one of unused bits.
    4 + tbs + identifier + 3 + signature
}

/// The certificate: octets to be signed, and the issuer key's signature over them.
///
/// # Errors
/// Where the octets are not a TBSCertificate that names this algorithm.
pub fn assemble(tbs: &[u8], algorithm: Algorithm, signature: &[u8]) -> Result<Vec<u8>, PkiError> {
    let parsed = x509_cert::TbsCertificate::from_der(tbs)
        .map_err(|_| PkiError::malformed(WHAT, "the DER of a TBSCertificate to be signed"))?;
    if parsed.signature() != &oids::signature_identifier(algorithm) {
        return Err(PkiError::malformed(WHAT, "the algorithm of the signing key inside what it signs"));
    }
    signed::assemble(WHAT, tbs, algorithm, signature)
}

/// The key identifier of RFC 7093 method 1: the leftmost 160 bits of SHA-256 over the BIT STRING's content.
#[must_use]
pub fn key_identifier(key: &SubjectKey) -> Vec<u8> {
    Digest::of(key.key_bits()).octets().iter().take(20).copied().collect()
}

/// A certificate signed by a key of a kind we have, for any key we certify, read strictly: writing it again gives the same
/// octets. Not yet verified.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
    tbs: Vec<u8>,
    signature: Vec<u8>,
    parsed: x509_cert::Certificate,
    algorithm: Algorithm,
    subject_key: SubjectKey,
    ski: Vec<u8>,
    subject_der: Vec<u8>,
    issuer_der: Vec<u8>,
}

impl Certificate {
    /// Reads the DER of a certificate.
    ///
    /// # Errors
    /// Where it is not DER in the one spelling, not version 3, of another algorithm or key, without a key identifier, or
    /// has an extension twice.
    pub fn parse(der: &[u8]) -> Result<Self, PkiError> {
        let refuse = |expected| PkiError::malformed(WHAT, expected);
        // The profile Rfc5280 writes times through 2049 as UTCTime, so the comparison below finds other ones too.
        let parsed = x509_cert::certificate::CertificateInner::<Rfc5280>::from_der(der)
            .map_err(|_| refuse("the DER of a certificate"))?;
        if parsed.to_der().ok().as_deref() != Some(der) {
            return Err(refuse("the one spelling DER and RFC 5280 allow"));
        }
        let inner = parsed.tbs_certificate();
        if inner.version() != Version::V3 {
            return Err(refuse("version 3"));
        }
        let serial = inner.serial_number().as_bytes();
        if serial.len() > 20 || serial.first().is_none_or(|first| first & 0x80 != 0) || serial == [0] {
            return Err(refuse("a positive serial number of at most 20 octets"));
        }
        let algorithm =
            oids::signature_algorithm(parsed.signature_algorithm()).ok_or(refuse("a known signature algorithm"))?;
        if inner.signature() != parsed.signature_algorithm() {
            return Err(refuse("the same signature algorithm inside and outside"));
        }
        let signature = parsed.signature().as_bytes().ok_or(refuse("a signature without unused bits"))?.to_vec();
        let spki = inner.subject_public_key_info().to_der().map_err(PkiError::encoding(WHAT))?;
        let subject_key = SubjectKey::from_spki_der(&spki)?;
        let extensions = inner.extensions().map(Vec::as_slice).unwrap_or_default();
        let twice = |(index, extension): (usize, &x509_cert::ext::Extension)| {
            extensions.iter().take(index).any(|earlier| earlier.extn_id == extension.extn_id)
        };
        if extensions.iter().enumerate().any(twice) {
            return Err(refuse("each extension once"));
        }
        let (_, identifier) =
            inner.get_extension::<SubjectKeyIdentifier>().ok().flatten().ok_or(refuse("a subject key identifier"))?;
        let subject_der = inner.subject().to_der().map_err(PkiError::encoding(WHAT))?;
        let issuer_der = inner.issuer().to_der().map_err(PkiError::encoding(WHAT))?;
        let tbs = signed::to_be_signed(WHAT, der)?.to_vec();
        let ski = identifier.0.as_bytes().to_vec();
        Ok(Self { der: der.to_vec(), tbs, signature, parsed, algorithm, subject_key, ski, subject_der, issuer_der })
    }

    /// Reads a PEM file with exactly one certificate.
    ///
    /// # Errors
    /// As [`pem::from_pem`] and [`Certificate::parse`].
    pub fn from_pem(text: &str) -> Result<Self, PkiError> {
        Self::parse(&pem::from_pem(pem::CERTIFICATE, text)?)
    }

    /// # Errors
    /// As [`pem::to_pem`].
    pub fn to_pem(&self) -> Result<String, PkiError> {
        pem::to_pem(pem::CERTIFICATE, &self.der)
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
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    #[must_use]
    pub const fn signature_algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The key that is certified.
    #[must_use]
    pub const fn subject_key(&self) -> &SubjectKey {
        &self.subject_key
    }

    /// The same where it is of a kind that we make: only such keys sign certificates and lists here.
    #[must_use]
    pub fn public_key(&self) -> Option<&PublicKey> {
        self.subject_key.as_public_key()
    }

    /// Whether it is an authority that may sign certificates: critical basic constraints with cA, and keyCertSign.
    #[must_use]
    pub fn is_authority(&self) -> bool {
        let inner = self.parsed.tbs_certificate();
        let constraints = inner.get_extension::<BasicConstraints>().ok().flatten();
        let usage = inner.get_extension::<KeyUsage>().ok().flatten();
        constraints.is_some_and(|(critical, constraints)| critical && constraints.ca)
            && usage.is_some_and(|(_, usage)| usage.key_cert_sign())
    }

    /// The policies it is issued under, as dotted numbers.
    #[must_use]
    pub fn policies(&self) -> Vec<String> {
        let found = self.parsed.tbs_certificate().get_extension::<CertificatePolicies>().ok().flatten();
        found.into_iter().flat_map(|(_, all)| all.0).map(|policy| policy.policy_identifier.to_string()).collect()
    }

    /// How many authorities may be below this one; nothing where there is no limit.
    #[must_use]
    pub fn path_len(&self) -> Option<u8> {
        let constraints = self.parsed.tbs_certificate().get_extension::<BasicConstraints>().ok().flatten();
        constraints.and_then(|(_, constraints)| constraints.path_len_constraint)
    }

    /// The subject, where it has no attribute but ours.
    ///
    /// # Errors
    /// As [`name::Subject::from_der`].
    pub fn subject(&self) -> Result<name::Subject, PkiError> {
        name::Subject::from_der(&self.subject_der)
    }

    /// The issuer's octets.
    #[must_use]
    pub fn issuer_der(&self) -> &[u8] {
        &self.issuer_der
    }

    /// The content of the INTEGER; for our certificates 20 octets.
    #[must_use]
    pub fn serial(&self) -> &[u8] {
        self.parsed.tbs_certificate().serial_number().as_bytes()
    }

    #[must_use]
    pub fn not_before(&self) -> Instant {
        instants::to_instant(self.parsed.tbs_certificate().validity().not_before)
    }

    #[must_use]
    pub fn not_after(&self) -> Instant {
        instants::to_instant(self.parsed.tbs_certificate().validity().not_after)
    }

    /// `C=SE, O=Example, CN=Root`. From outside: show it as `SafeText` only.
    #[must_use]
    pub fn subject_text(&self) -> String {
        name::text(self.parsed.tbs_certificate().subject())
    }

    /// The issuer, likewise.
    #[must_use]
    pub fn issuer_text(&self) -> String {
        name::text(self.parsed.tbs_certificate().issuer())
    }

    /// The subject's own octets: what goes into everything this authority issues.
    #[must_use]
    pub fn subject_der(&self) -> &[u8] {
        &self.subject_der
    }

    /// The subject key identifier.
    #[must_use]
    pub fn ski(&self) -> &[u8] {
        &self.ski
    }

    /// Its extensions in order: object identifier, whether it is critical, the octets of its value.
    pub fn extensions(&self) -> impl Iterator<Item = (const_oid::ObjectIdentifier, bool, &[u8])> {
        let all = self.parsed.tbs_certificate().extensions().map(Vec::as_slice).unwrap_or_default();
        all.iter().map(|extension| (extension.extn_id, extension.critical, extension.extn_value.as_bytes()))
    }

    /// SHA-256 of the DER, as `openssl x509 -fingerprint -sha256` shows it.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.der)
    }

    /// Checks that this issuer made the certificate: it is an authority, and name, key identifier, algorithm and signature
    /// fit. Dates and path length are the asker's to look at.
    ///
    /// # Errors
    /// The first that does not hold.
    pub fn verify(&self, issuer: &Certificate) -> Result<(), PkiError> {
        if !issuer.is_authority() {
            return Err(PkiError::malformed("issuer", "an authority with keyCertSign"));
        }
        let authority = self.parsed.tbs_certificate().get_extension::<AuthorityKeyIdentifier>().ok().flatten();
        let identifier = authority.and_then(|(_, authority)| authority.key_identifier);
        if identifier.is_some_and(|identifier| identifier.as_bytes() != issuer.ski()) {
            return Err(PkiError::malformed(WHAT, "the issuer's key identifier"));
        }
        self.verify_signed_by(issuer)
    }

    /// Checks that the certificate is signed by its own key and names itself as its issuer.
    ///
    /// # Errors
    /// Where either does not hold.
    pub fn verify_self_signed(&self) -> Result<(), PkiError> {
        if self.issuer_der != self.subject_der {
            return Err(PkiError::malformed(WHAT, "an issuer equal to the subject"));
        }
        self.verify_signed_by(self)
    }

    fn verify_signed_by(&self, issuer: &Certificate) -> Result<(), PkiError> {
        if self.issuer_der != issuer.subject_der {
            return Err(PkiError::malformed(WHAT, "the issuer's subject, octet for octet"));
        }
        let key = issuer.public_key().ok_or(PkiError::malformed("issuer", "a key of a kind that signs here"))?;
        if self.algorithm != key.algorithm() {
            return Err(PkiError::malformed(WHAT, "the signature algorithm of the issuer's key"));
        }
        Ok(key.verify(&self.tbs, &self.signature)?)
    }

    pub(super) const fn parsed(&self) -> &x509_cert::Certificate {
        &self.parsed
    }
}

impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Certificate({} {})", self.subject_text().escape_debug(), self.digest())
    }
}
