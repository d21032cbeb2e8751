//! A collection of certificate requests: keys that were made in devices and never leave them. The factory signs a statement about a
//! file of requests; the statement crosses the gap like any other object, and says which file goes with it. Specified in
//! `media/BUNDLE.md`.
//!
//! ```text
//! NAME.requests.json   {"signature":"-----BEGIN SSH SIGNATURE-----..","statement":{..}}   RFC 8785, namespace requests@anchorite
//! NAME.requests.cbor   one request after the other: [`Collected`]
//! ```

mod accepted;
mod attestation;
mod collected;
mod judge;
mod refusals;

pub use accepted::{Accepted, shard_digest};
pub use collected::Collected;
pub use judge::{Judge, Known, Prints, Verdict};
pub use refusals::refusals;

use crate::basics::digest::hex_decode;
use crate::basics::{Digest, Instant, Realm, SafeText, canonical, limits};
use crate::factory::enrolment::Signed;
use crate::factory::refusal::same;
use crate::factory::{Class, Mode, Order, Places, Refusal};
use crate::keys::ssh::{SshPublicKey, SshSigningKey};
use crate::pki::Certificate;
use serde::{Deserialize, Serialize};

const WHAT: &str = "requests";
const FORMAT: &str = "anchorite-requests/1";
/// What the OpenSSH namespace of the signature is made from (`Realm::namespace`).
pub const PURPOSE: &str = "requests";

/// What a factory says of a file of requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    pub format: String,
    pub realm: Realm,
    pub factory: String,
    /// SHA-256 of the order file.
    pub order: Digest,
    /// That of the order.
    pub nonce: Digest,
    pub made: Instant,
    pub count: u32,
    /// Octets and SHA-256 of the file.
    pub size: u64,
    pub sha256: Digest,
    /// RFC 9162 root over the requests' octets, in order.
    pub root: Digest,
    /// DER, hexadecimal: certificates that attestations lead through, their roots included.
    pub certificates: Vec<String>,
}

/// Why a request is refused: a word that stays the same, and what people read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Why {
    pub word: String,
    pub expected: String,
    pub found: String,
}

impl Why {
    pub(crate) fn new(word: &str, expected: impl Into<String>, found: &str) -> Self {
        Self { word: word.to_owned(), expected: expected.into(), found: SafeText::cut(found, 100).to_string() }
    }
}

impl std::fmt::Display for Why {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: expected {}, found {}", self.word, self.expected, self.found)
    }
}

/// A request that is not certified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refused {
    /// Its place in the collection, from 0.
    pub request: u32,
    pub device: String,
    pub reasons: Vec<Why>,
}

/// What judging a collection came to: pure of order, statement, file and what was known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Found {
    pub count: u32,
    pub accepted: u32,
    /// Of the accepted ones.
    pub attested: u32,
    /// Requests in every shard but the last.
    pub shard_records: u32,
    /// What stands for the accepted requests of each shard: [`shard_digest`].
    pub shards: Vec<Digest>,
    /// Records that the accepted ones replace, in their order, where the order replaces any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced: Option<Places>,
    /// The first of the refused ones; the artefact names all.
    pub refused: Vec<Refused>,
}

impl Statement {
    /// The word in the field `format`.
    #[must_use]
    pub fn format() -> String {
        FORMAT.to_owned()
    }

    /// Signs the statement with the factory's receipt key.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn sign(self, key: &SshSigningKey) -> Result<Signed<Self>, Refusal> {
        let realm = self.realm;
        Signed::sign(self, realm, PURPOSE, key)
    }

    /// Reads a statement of this realm; whose it is, [`Statement::of_factory`] says.
    ///
    /// # Errors
    /// Where it is of another shape or realm.
    pub fn read(octets: &[u8], realm: Realm) -> Result<Signed<Self>, Refusal> {
        let most = usize::try_from(limits::TAKEN_IN_LARGE_OCTETS).unwrap_or(usize::MAX);
        let signed: Signed<Self> = canonical::parse(octets, most)
            .map_err(|e| Refusal::new(Class::Malformed, WHAT, "canonical JSON of a signed statement", e))?;
        let said = &signed.statement;
        if said.format != FORMAT {
            return Err(Refusal::malformed(WHAT, FORMAT, &said.format));
        }
        same(Class::WrongRealm, "requests: realm", &realm, &said.realm)?;
        let most = limits::COLLECTED_REQUESTS;
        if said.count == 0 || said.count > most {
            return Err(Refusal::malformed("requests: count", format!("1 to {most}"), said.count));
        }
        if said.size > limits::COLLECTED_OCTETS {
            return Err(Refusal::malformed(
                "requests: size",
                format!("at most {}", limits::COLLECTED_OCTETS),
                said.size,
            ));
        }
        if said.certificates.len() > limits::ATTESTATION_SHARED {
            let most = limits::ATTESTATION_SHARED;
            return Err(Refusal::malformed(
                "requests: certificates",
                format!("at most {most}"),
                said.certificates.len(),
            ));
        }
        said.shared()?;
        Ok(signed)
    }

    /// The certificates that attestations share.
    ///
    /// # Errors
    /// The first that is none.
    pub fn shared(&self) -> Result<Vec<Certificate>, Refusal> {
        let read = |(n, text): (usize, &String)| {
            let what = format!("requests: certificate {n}");
            let der = hex_decode(text).ok_or_else(|| Refusal::malformed(&what, "hexadecimal DER", "something else"))?;
            Certificate::parse(&der).map_err(|e| Refusal::malformed(&what, "a certificate", e))
        };
        self.certificates.iter().enumerate().map(read).collect()
    }
}

impl Signed<Statement> {
    /// Whether this factory signed it.
    ///
    /// # Errors
    /// Where another did, or it is for another.
    pub fn of_factory(&self, factory: &str, key: &SshPublicKey) -> Result<(), Refusal> {
        let said = &self.statement;
        same(Class::WrongFactory, "requests: factory", &factory.to_owned(), &said.factory)?;
        self.verified(WHAT, said.realm, PURPOSE, key)
    }

    /// Whether it was made for this order.
    ///
    /// # Errors
    /// What of it is another order's.
    pub fn for_order(&self, order: &Order, digest: &Digest) -> Result<(), Refusal> {
        let said = &self.statement;
        same(Class::Policy, "order: mode", &Mode::DeviceGenerated, &order.mode)?;
        same(Class::WrongOrder, "requests: order", digest, &said.order)?;
        same(Class::WrongFactory, "requests: factory", &order.factory, &said.factory)?;
        let nonce = order.nonce.map_or_else(String::new, |nonce| nonce.hex());
        same(Class::WrongOrder, "requests: nonce", &nonce, &said.nonce.hex())
    }
}

#[cfg(test)]
mod tests;
