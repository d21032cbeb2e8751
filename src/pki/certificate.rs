//! Certificates: what is asked for, the octets to be signed, the finished certificate, and reading one back strictly.

pub(super) mod tbs;

use super::{PkiError, instants, name, oids, pem, signed};
use crate::basics::{Digest, Instant, Realm};
use crate::keys::{Algorithm, PublicKey};
use crate::pki::name::{Subject, marked};
use crate::pki::profile::{Policies, Profile};
use der::{Decode, Encode};
use x509_cert::certificate::{Rfc5280, Version};
use x509_cert::ext::pkix::SubjectKeyIdentifier;

const WHAT: &str = "certificate";

/// Everything a root certificate is made from: equal requests give equal octets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootRequest {
    pub realm: Realm,
    /// As it will be written: in a rehearsal the result of [`name::marked`].
    pub subject: Subject,
    pub key: PublicKey,
    pub not_before: Instant,
    pub not_after: Instant,
    /// 20 octets, the first from 40 to 7f: always positive, always minimal DER.
    pub serial: [u8; 20],
    pub policy_oid: Option<String>,
    pub profile: Profile,
}

impl RootRequest {
    /// Everything that keeps this request from being built; empty where it can be.
    #[must_use]
    pub fn check(&self) -> Vec<String> {
        let mut problems: Vec<String> = self.profile.check().into_iter().map(|p| format!("profile {p}")).collect();
        let mut expect = |holds: bool, problem: String| {
            if !holds {
                problems.push(problem);
            }
        };
        let mark = marked(Realm::Rehearsal, &self.subject) == self.subject;
        let half = self.subject.common_name.starts_with(name::REHEARSAL_MARK)
            || self.subject.organization.starts_with(name::REHEARSAL_MARK);
        match self.realm {
            Realm::Rehearsal => expect(mark, "subject: expected the rehearsal's mark, found none".to_owned()),
            Realm::Production => expect(!half, "subject: expected no rehearsal's mark, found one".to_owned()),
        }
        let (from, until) = (instants::whole_second(self.not_before), instants::whole_second(self.not_after));
        expect(from < until, format!("validity: expected an end after {from}, found {until}"));
        let latest = instants::years_after(from, self.profile.max_years);
        expect(
            latest.is_some_and(|latest| until <= latest),
            format!("validity: expected at most {} years from {from}, found an end at {until}", self.profile.max_years),
        );
        expect(
            self.profile.algorithms.contains(&self.key.algorithm()),
            format!("key: expected an algorithm of profile {}, found {}", self.profile.name, self.key.algorithm()),
        );
        let first = self.serial[0];
        expect(
            first & 0xc0 == 0x40,
            format!("serial: expected 20 octets of which the first is 40 to 7f, found {first:02x}"),
        );
        let wanted = self.wants_policy();
        let fits = match &self.policy_oid {
            None => !wanted,
            Some(oid) => wanted && oids::is_rehearsal_policy(oid) && const_oid::ObjectIdentifier::new(oid).is_ok(),
        };
        let expected = if wanted { format!("one under {}", oids::REHEARSAL_ARC) } else { "none".to_owned() };
        let found = self.policy_oid.as_deref().unwrap_or("none").escape_default().to_string();
        expect(fits, format!("policy: expected {expected} in realm {}, found {found}", self.realm));
        problems
    }

    fn wants_policy(&self) -> bool {
        self.realm.is_rehearsal() && self.profile.policies == Policies::RehearsalMark
    }
}

/// The DER of the TBSCertificate: what people approve and the key signs.
///
/// # Errors
/// Where [`RootRequest::check`] has anything to say, or the subject cannot be written.
pub fn build_tbs(request: &RootRequest) -> Result<Vec<u8>, PkiError> {
    let problems = request.check();
    if !problems.is_empty() {
        return Err(PkiError::Request { what: "root certificate", problems });
    }
    tbs::of_root(request)?.to_der().map_err(PkiError::encoding(WHAT))
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
pub fn key_identifier(key: &PublicKey) -> Vec<u8> {
    Digest::of(&key.key_bits()).octets().iter().take(20).copied().collect()
}

/// A certificate with a key of ours, read strictly: writing it again gives the same octets. Not yet verified.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
    tbs: Vec<u8>,
    signature: Vec<u8>,
    parsed: x509_cert::Certificate,
    algorithm: Algorithm,
    public_key: PublicKey,
    ski: Vec<u8>,
    subject_der: Vec<u8>,
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
        let public_key = PublicKey::from_spki_der(&spki)?;
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
        let tbs = signed::to_be_signed(WHAT, der)?.to_vec();
        let ski = identifier.0.as_bytes().to_vec();
        Ok(Self { der: der.to_vec(), tbs, signature, parsed, algorithm, public_key, ski, subject_der })
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

    #[must_use]
    pub const fn public_key(&self) -> &PublicKey {
        &self.public_key
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

    /// SHA-256 of the DER, as `openssl x509 -fingerprint -sha256` shows it.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.der)
    }

    /// Checks that the certificate is signed by its own key and names itself as its issuer.
    ///
    /// # Errors
    /// Where either does not hold.
    pub fn verify_self_signed(&self) -> Result<(), PkiError> {
        let inner = self.parsed.tbs_certificate();
        if inner.issuer() != inner.subject() {
            return Err(PkiError::malformed(WHAT, "an issuer equal to the subject"));
        }
        if self.algorithm != self.public_key.algorithm() {
            return Err(PkiError::malformed(WHAT, "the signature algorithm of its own key"));
        }
        Ok(self.public_key.verify(&self.tbs, &self.signature)?)
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
