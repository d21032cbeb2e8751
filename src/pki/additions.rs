//! What a certificate carries beside name, key and dates: chosen by profile and script, never by a request.

use crate::basics::Digest;
use crate::pki::general_name::AltName;
use serde::{Deserialize, Serialize};

/// Everything optional in a certificate. Its JSON is part of an operation that people approve.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Additions {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<Policy>,
    /// Where the issuer's revocation list is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub crl_urls: Vec<String>,
    /// Where the issuer's certificate is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub issuer_urls: Vec<String>,
    /// Where the issuer's OCSP responder is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ocsp_urls: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alternative_names: Vec<AltName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lineage: Option<Lineage>,
}

/// One certificate policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    pub oid: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cps: Option<String>,
}

impl Policy {
    /// Without a practice statement.
    #[must_use]
    pub fn plain(oid: &str) -> Self {
        Self { oid: oid.to_owned(), cps: None }
    }
}

/// The digest of a device's manifest in a private extension, so that the certificate commits to what the device is made of
/// without telling: `OCTET STRING` of 32 octets, never critical.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lineage {
    /// Of the private extension, under the organization's own arc.
    pub oid: String,
    pub digest: Digest,
}
