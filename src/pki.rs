//! Row 1: X.509 certificates and revocation lists (RFC 5280) as values. Builds the octets to be signed, puts a signature
//! round them, reads them back strictly, lints them against what was asked for and shows every field to people.
//! It never holds a private key that matters, never asks what time it is, never draws a serial number, and never accepts
//! an encoding that it would not write itself. May use `basics` and `keys`.

pub mod additions;
pub mod certificate;
pub mod constraints;
pub mod crl;
pub mod general_name;
pub mod inspect;
pub mod instants;
pub mod ladder;
pub mod lint;
pub mod name;
pub mod oids;
pub mod pem;
pub mod profile;
pub mod render;
pub mod request;
pub mod serial;
mod signed;
pub mod template;

pub use additions::Additions;
pub use certificate::{Certificate, CertificateRequest, Issuer};
pub use crl::{CertificateList, CrlRequest, Reason, Revoked};
pub use lint::{CrlLintClean, Finding, LintClean};
pub use name::{Subject, SubjectName};
pub use profile::Profile;

use crate::keys::KeyError;

/// Why something could not be built or was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PkiError {
    #[error("{what}: cannot be built as asked: {}", problems.join("; "))]
    Request { what: &'static str, problems: Vec<String> },
    #[error("{what}: expected {expected}, found otherwise")]
    Malformed { what: &'static str, expected: &'static str },
    #[error("{what}: cannot be encoded as DER: {cause}")]
    Encoding { what: &'static str, cause: String },
    #[error("time {0}: expected one from 1970 to 9999")]
    Time(String),
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl PkiError {
    const fn malformed(what: &'static str, expected: &'static str) -> Self {
        Self::Malformed { what, expected }
    }

    /// For `map_err` after the `der` crate's encoders, which fail only on absurd lengths.
    fn encoding(what: &'static str) -> impl Fn(der::Error) -> Self {
        move |cause| Self::Encoding { what, cause: cause.to_string() }
    }
}

#[cfg(test)]
mod tests;
