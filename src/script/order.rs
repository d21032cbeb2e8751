//! An order for a certificate: whoever keeps the key says, under their enrolled OpenSSH key, which request they made. The
//! digest that a ceremony expects of a request comes from there, and never from the machine that carried the request.
//!
//! ```text
//! {"format":"anchorite-request-order/1","key_sha256":"9d41...","made":"2026-11-26T09:00:00Z", ... }     one line of RFC 8785, LF
//! -----BEGIN SSH SIGNATURE-----                                                                         over that line, LF included
//! ```
//! `order.json` is the line, `order.json.sig` what `ssh-keygen -Y sign` makes of it, and `cat` of both the signed order that
//! crosses the gap as one object. Specification: `ceremony-scripts/README.md`.

use crate::basics::{Digest, Instant, Realm, SafeText, canonical, limits};
use crate::keys::ssh::allowed_signers::AllowedSigner;
use crate::keys::ssh::verify;
use serde::{Deserialize, Serialize};

pub const FORMAT: &str = "anchorite-request-order/1";
/// What requesters sign for, before the realm is told: [`namespace`].
const PURPOSE: &str = "request-order";

/// What requesters sign for in this realm: `request-order@anchorite`, `rehearsal-request-order@anchorite`.
#[must_use]
pub fn namespace(realm: Realm) -> String {
    realm.namespace(PURPOSE)
}

/// What a requester orders.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestOrder {
    pub format: String,
    /// SHA-256 of the SubjectPublicKeyInfo.
    pub key_sha256: Digest,
    pub made: Instant,
    /// After this nobody certifies the request for this order.
    pub not_after: Instant,
    /// The profile that is asked for, by its name.
    pub profile: String,
    /// What the certificate is for, in the requester's words.
    pub purpose: String,
    pub realm: Realm,
    /// SHA-256 of the request's DER.
    pub request_sha256: Digest,
    /// The requester's name in `allowed_signers`.
    pub requester: String,
}

/// Why octets are not a signed order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    #[error("order: expected one line of canonical JSON, a line feed, and an OpenSSH signature, found {0}")]
    Shape(&'static str),
    #[error("order: {0}")]
    Json(String),
    #[error("order: expected {what}, found \"{found}\"")]
    Value { what: String, found: SafeText },
}

impl RequestOrder {
    /// Reads the line of `order.json`, its line feed included.
    ///
    /// # Errors
    /// Where it is not one line of canonical JSON of this format, or a value is not what it may be.
    pub fn parse(octets: &[u8]) -> Result<Self, OrderError> {
        let line = octets.strip_suffix(b"\n").ok_or(OrderError::Shape("no line feed"))?;
        let order: Self =
            canonical::parse(line, limits::SMALL_FILE_OCTETS).map_err(|e| OrderError::Json(e.to_string()))?;
        order.check()?;
        Ok(order)
    }

    /// The line of `order.json`, its line feed included: what is signed.
    ///
    /// # Errors
    /// Where a value is not what it may be.
    pub fn to_octets(&self) -> Result<Vec<u8>, OrderError> {
        self.check()?;
        let mut octets = canonical::to_octets(self).map_err(|e| OrderError::Json(e.to_string()))?;
        octets.push(b'\n');
        Ok(octets)
    }

    fn check(&self) -> Result<(), OrderError> {
        let refuse = |what: String, found: &str| Err(OrderError::Value { what, found: SafeText::cut(found, 60) });
        if self.format != FORMAT {
            return refuse(format!("format \"{FORMAT}\""), &self.format);
        }
        let plain = |octet: u8| octet.is_ascii_lowercase() || octet.is_ascii_digit() || octet == b'-';
        if self.profile.is_empty() || self.profile.len() > 64 || !self.profile.bytes().all(plain) {
            return refuse("a profile's name of 1 to 64 of a-z, 0-9 and \"-\"".to_owned(), &self.profile);
        }
        for (what, text) in [("requester", &self.requester), ("purpose", &self.purpose)] {
            let length = text.chars().count();
            let visible = text.chars().all(crate::basics::safe_text::is_printable);
            if length == 0 || length > limits::TYPED_CHARS || !visible || text.trim() != text {
                return refuse(format!("a {what} of 1 to {} visible characters", limits::TYPED_CHARS), text);
            }
        }
        if self.not_after <= self.made {
            return refuse(format!("an end after {}", self.made), &self.not_after.to_string());
        }
        Ok(())
    }
}

/// An order with its signature, not verified yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedOrder {
    pub order: RequestOrder,
    line: Vec<u8>,
    signature: String,
}

impl SignedOrder {
    /// Reads `cat order.json order.json.sig`.
    ///
    /// # Errors
    /// Where the octets are not a line of an order and one armoured signature.
    pub fn parse(octets: &[u8]) -> Result<Self, OrderError> {
        if octets.len() > limits::SMALL_FILE_OCTETS {
            return Err(OrderError::Shape("too many octets"));
        }
        let end = octets.iter().position(|octet| *octet == b'\n').ok_or(OrderError::Shape("no line feed"))?;
        let (line, signature) = octets.split_at_checked(end + 1).ok_or(OrderError::Shape("no signature"))?;
        if signature.is_empty() {
            return Err(OrderError::Shape("no signature after the line"));
        }
        let signature = std::str::from_utf8(signature).map_err(|_| OrderError::Shape("octets that are no text"))?;
        Ok(Self { order: RequestOrder::parse(line)?, line: line.to_vec(), signature: signature.to_owned() })
    }

    /// SHA-256 of the line that was signed: how records name the order.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.line)
    }

    /// Everything that speaks against following this order: its realm, its time, its requester, the signature.
    #[must_use]
    pub fn problems(&self, realm: Realm, signers: &[AllowedSigner], now: Instant) -> Vec<String> {
        let order = &self.order;
        let mut problems = Vec::new();
        if order.realm != realm {
            problems.push(format!("order: expected one for the {realm} realm, found one for {}", order.realm));
        }
        if now < order.made || now > order.not_after {
            problems
                .push(format!("order: expected {now} between its dates, found {} to {}", order.made, order.not_after));
        }
        let requester = SafeText::cut(&order.requester, 60);
        let namespace = namespace(realm);
        let keys: Vec<&AllowedSigner> = signers
            .iter()
            .filter(|signer| signer.who == order.requester && signer.namespaces.contains(&namespace))
            .collect();
        if keys.is_empty() {
            problems.push(format!("order: expected a requester enrolled for {namespace}, found {requester}"));
        }
        let results: Vec<_> =
            keys.iter().map(|signer| verify(&signer.key, &namespace, &self.line, &self.signature)).collect();
        if let (false, Some(Err(error))) = (results.iter().any(Result::is_ok), results.first()) {
            problems.push(format!("order of {requester}: {error}"));
        }
        problems
    }

    /// Everything in which a request and what is to be issued differ from what was ordered.
    #[must_use]
    pub fn differences(&self, request_der: &[u8], key: Digest, profile: &str) -> Vec<String> {
        let order = &self.order;
        let found = Digest::of(request_der);
        let mut differences = Vec::new();
        if order.request_sha256 != found {
            differences
                .push(format!("request: expected the ordered one, SHA-256 {}, found {found}", order.request_sha256));
        }
        if order.key_sha256 != key {
            differences.push(format!("key: expected the ordered one, SHA-256 {}, found {key}", order.key_sha256));
        }
        if order.profile != profile {
            differences.push(format!("profile: expected the ordered one, {}, found {profile}", order.profile));
        }
        differences
    }
}

#[cfg(test)]
mod tests;
