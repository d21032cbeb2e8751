//! What must, may or must not be in a certificate, and the addresses a profile brings itself.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Presence {
    #[default]
    Never,
    Optional,
    Required,
}

impl Presence {
    #[must_use]
    pub fn is_never(&self) -> bool {
        *self == Presence::Never
    }

    /// Why this many do not fit; nothing where they do.
    #[must_use]
    pub fn problem(self, what: &str, found: usize) -> Option<String> {
        match (self, found) {
            (Presence::Required, 0) => Some(format!("{what}: expected at least one, found none")),
            (Presence::Never, 1..) => Some(format!("{what}: expected none, found {found}")),
            _ => None,
        }
    }
}

/// Where the issuer's revocation list is (RFC 5280 4.2.1.13).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Urls {
    pub presence: Presence,
    /// Used where the script names none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub urls: Vec<String>,
}

impl Urls {
    #[must_use]
    pub fn is_never(&self) -> bool {
        *self == Self::default()
    }
}

/// Where the issuer's certificate and its OCSP responder are (RFC 5280 4.2.2.1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthorityInfo {
    pub presence: Presence,
    /// Used where the script names none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub issuers: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ocsp: Vec<String>,
}

impl AuthorityInfo {
    #[must_use]
    pub fn is_never(&self) -> bool {
        *self == Self::default()
    }
}

/// What is wrong with an address in a certificate: a verifier fetches it before it trusts anything, so plain HTTP (RFC
/// 5280 8 warns of HTTPS here), visible ASCII, and short.
#[must_use]
pub fn url_problem(what: &str, url: &str) -> Option<String> {
    let host = url.strip_prefix("http://").map(|rest| rest.split('/').next().unwrap_or_default());
    let good = host.is_some_and(|host| !host.is_empty())
        && url.len() <= MOST_URL_CHARS
        && url.bytes().all(|octet| octet.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&octet));
    let found = url.chars().take(MOST_URL_CHARS).collect::<String>();
    let found = found.escape_default();
    (!good)
        .then(|| format!("{what}: expected http://host/path of at most {MOST_URL_CHARS} characters, found \"{found}\""))
}

/// Characters of one address.
pub const MOST_URL_CHARS: usize = 255;
