//! What an authority of a factory's own has issued (mode `delegated`): the factory's module signs device certificates by itself, and its log
//! comes back. X.509 cannot cap how many an authority issues, so what bounds it is its short life, its name constraints, its path length, and
//! this: every certificate is in the log, the log is within the order, and one that is met elsewhere and is not in it is an incident.
//!
//! ```text
//! NAME.log.json   {"signature":..,"statement":{"count":..,"factory":..,"format":"anchorite-issuance-log/1",..}}   issuance-log@anchorite
//! NAME.log.pem    every certificate, one PEM block after the other, in the order of issue
//! ```

use crate::basics::{Digest, Instant, Realm, SafeText, canonical, limits};
use crate::factory::enrolment::Signed;
use crate::factory::refusal::same;
use crate::factory::{Class, DeviceId, Mode, Order, Refusal};
use crate::keys::ssh::{SshPublicKey, SshSigningKey};
use crate::pki::{Certificate, Profile, constraints, inspect};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

const WHAT: &str = "issuance log";
const FORMAT: &str = "anchorite-issuance-log/1";
/// What the OpenSSH namespace of the signature is made from (`Realm::namespace`).
pub const PURPOSE: &str = "issuance-log";

/// What a factory says of its log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogStatement {
    pub format: String,
    pub realm: Realm,
    pub factory: String,
    /// SHA-256 of the order file.
    pub order: Digest,
    /// SHA-256 of the DER of the factory's own authority.
    pub issuer: Digest,
    pub made: Instant,
    pub count: u32,
    /// Octets and SHA-256 of the file.
    pub size: u64,
    pub sha256: Digest,
}

impl LogStatement {
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

    /// Reads a statement and checks that this key signed it, for this order and authority.
    ///
    /// # Errors
    /// Where it is of another shape, order or authority, or another key signed.
    pub fn read(
        octets: &[u8],
        key: &SshPublicKey,
        (order, digest): (&Order, &Digest),
        issuer: &Certificate,
    ) -> Result<Self, Refusal> {
        let signed: Signed<Self> = canonical::parse(octets, limits::SMALL_FILE_OCTETS)
            .map_err(|e| Refusal::new(Class::Malformed, WHAT, "canonical JSON of a signed statement", e))?;
        let said = &signed.statement;
        if said.format != FORMAT {
            return Err(Refusal::malformed(WHAT, FORMAT, &said.format));
        }
        same(Class::WrongRealm, "issuance log: realm", &order.realm, &said.realm)?;
        signed.verified(WHAT, said.realm, PURPOSE, key)?;
        same(Class::Policy, "order: mode", &Mode::Delegated, &order.mode)?;
        same(Class::WrongFactory, "issuance log: factory", &order.factory, &said.factory)?;
        same(Class::WrongOrder, "issuance log: order", digest, &said.order)?;
        same(Class::Chain, "issuance log: issuer", &issuer.digest(), &said.issuer)?;
        Ok(signed.statement)
    }
}

/// Something that does not add up, or must not be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Incident {
    /// A word that stays the same.
    pub word: &'static str,
    /// Which certificate: its place in the log, or the file it was met in.
    pub at: String,
    pub what: String,
}

/// The check of one log, certificate by certificate.
pub struct LogCheck<'l> {
    order: &'l Order,
    listed: BTreeSet<DeviceId>,
    issuer: &'l Certificate,
    profile: &'l Profile,
    serials: BTreeSet<Vec<u8>>,
    keys: BTreeSet<Digest>,
    devices: BTreeSet<DeviceId>,
    /// SHA-256 of the DER of each.
    logged: BTreeSet<Digest>,
    count: u32,
    pub incidents: Vec<Incident>,
}

impl<'l> LogCheck<'l> {
    #[must_use]
    pub fn new(order: &'l Order, issuer: &'l Certificate, profile: &'l Profile) -> Self {
        Self {
            order,
            listed: order.listed(),
            issuer,
            profile,
            serials: BTreeSet::new(),
            keys: BTreeSet::new(),
            devices: BTreeSet::new(),
            logged: BTreeSet::new(),
            count: 0,
            incidents: Vec::new(),
        }
    }

    fn add(&mut self, word: &'static str, at: &str, what: &str) {
        if self.incidents.len() < limits::PROBLEMS {
            self.incidents.push(Incident { word, at: at.to_owned(), what: SafeText::cut(what, 300).to_string() });
        }
    }

    #[must_use]
    pub const fn count(&self) -> u32 {
        self.count
    }

    /// A certificate of the log.
    pub fn logged(&mut self, der: &[u8]) {
        let at = format!("certificate {}", self.count);
        self.count += 1;
        self.logged.insert(Digest::of(der));
        let certificate = match Certificate::parse(der) {
            Ok(certificate) => certificate,
            Err(error) => return self.add("unreadable", &at, &error.to_string()),
        };
        let at = format!("{at}, serial {}", crate::basics::digest::hex_encode(certificate.serial()));
        if !self.serials.insert(certificate.serial().to_vec()) {
            self.add("serial-twice", &at, "expected a serial number once");
        }
        if !self.keys.insert(Digest::of(certificate.subject_key().spki_der())) {
            self.add("key-twice", &at, "expected a key once");
        }
        let (_, findings) = inspect::certificate(der, Some(self.issuer.der()), Some(self.profile));
        for finding in findings {
            let word = if finding.rule.starts_with("issuer.") { "issuer" } else { "profile" };
            self.add(word, &at, &format!("{}: {}", finding.rule, finding.message));
        }
        for problem in constraints::outside(self.issuer, &certificate) {
            self.add("constraints", &at, &problem);
        }
        let (from, until) = (certificate.not_before(), certificate.not_after());
        if from < self.order.not_before || until > self.order.not_after {
            let (first, last) = (self.order.not_before, self.order.not_after);
            self.add(
                "validity",
                &at,
                &format!("expected it within the order's {first} to {last}, found {from} to {until}"),
            );
        }
        self.device(&certificate, &at);
    }

    fn device(&mut self, certificate: &Certificate, at: &str) {
        let named = certificate.subject().ok().and_then(|subject| subject.serial_number);
        match named.map(|id| DeviceId::parse(&id)) {
            Some(Ok(id)) if !self.order.orders(&id, &self.listed) => {
                self.add("device-not-ordered", at, &format!("{id} is no device of the order"));
            }
            Some(Ok(id)) => {
                if !self.devices.insert(id.clone()) {
                    self.add("device-twice", at, &format!("{id} has a certificate already"));
                }
            }
            _ => self.add("device-missing", at, "expected the device id as the subject's serialNumber"),
        }
    }

    /// A certificate that was met elsewhere, in the field or in a public log; `at` says where. Those of other issuers are nobody's here.
    pub fn seen(&mut self, der: &[u8], at: &str) -> bool {
        let ours = match Certificate::parse(der) {
            Ok(certificate) => {
                certificate.issuer_der() == self.issuer.subject_der() && certificate.verify(self.issuer).is_ok()
            }
            // One that our reader refuses may be this authority's all the same: the tolerant reader says.
            Err(_) => {
                let (facts, findings) = inspect::certificate(der, Some(self.issuer.der()), None);
                facts.is_some() && !findings.iter().any(|f| matches!(f.rule, "issuer.name" | "issuer.signature"))
            }
        };
        if ours && !self.logged.contains(&Digest::of(der)) {
            self.add(
                "unlogged",
                at,
                &format!("SHA-256 {}: issued by this authority and not in its log", Digest::of(der)),
            );
        }
        ours
    }

    /// What the whole comes to, after the last certificate.
    pub fn finish(&mut self, statement: &LogStatement) {
        if self.count != statement.count {
            let what = format!("expected {} certificates, as was signed, found {}", statement.count, self.count);
            self.add("count", WHAT, &what);
        }
        if self.count > self.order.count {
            let what = format!("expected at most {} certificates, as ordered, found {}", self.order.count, self.count);
            self.add("quota", WHAT, &what);
        }
    }
}
