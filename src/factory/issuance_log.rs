//! What an authority of a factory's own has issued (mode `delegated`): the factory's module signs device certificates by itself, and its log
//! comes back. X.509 cannot cap how many an authority issues, so what bounds it is its short life, its name constraints, its path length, and
//! this: every certificate is in a log, each log continues the one before, together they are within the order, and one that is met elsewhere
//! and is in none of them is an incident.
//!
//! ```text
//! NAME.log.json   {"signature":..,"statement":{"count":..,"factory":..,"format":"anchorite-issuance-log/1",..}}   issuance-log@anchorite
//! NAME.log.pem    every certificate, one PEM block after the other, in the order of issue
//! ```

use crate::basics::{Digest, Instant, Realm, SafeText, limits};
use crate::factory::enrolment::Signed;
use crate::factory::refusal::same;
use crate::factory::{BundleId, Class, DeviceId, Mode, Order, Refusal, hardware};
use crate::keys::ssh::{SshPublicKey, SshSigningKey};
use crate::pki::{Certificate, Profile, constraints, inspect};
use serde::{Deserialize, Serialize};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

const WHAT: &str = "issuance log";
const FORMAT: &str = "anchorite-issuance-log/1";
/// What the OpenSSH namespace of the signature is made from (`Realm::namespace`).
pub const PURPOSE: &str = "issuance-log";
/// Incidents that are told one by one in a record; all are counted.
const NAMED: usize = 20;
/// Characters of what is told of one.
const TOLD_CHARS: usize = 300;

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
    /// Number of the log, from 1 without gaps for each authority.
    pub sequence: u64,
    /// SHA-256 of the signed statement about the log before, as a file; `null` in the first.
    pub previous: Option<Digest>,
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

    /// Reads a statement of this realm; whose it is, [`LogStatement::of`] says.
    ///
    /// # Errors
    /// Where it is of another shape or realm, or its number and what it continues contradict each other.
    pub fn read(octets: &[u8], realm: Realm) -> Result<Signed<Self>, Refusal> {
        let signed: Signed<Self> = Signed::read(octets, WHAT)?;
        let said = &signed.statement;
        if said.format != FORMAT {
            return Err(Refusal::malformed(WHAT, FORMAT, &said.format));
        }
        same(Class::WrongRealm, "issuance log: realm", &realm, &said.realm)?;
        let (most, certificates) = (limits::COLLECTED_OCTETS, limits::COLLECTED_REQUESTS);
        if said.size > most || said.count > certificates {
            let expected = format!("at most {certificates} certificates in {most} octets");
            return Err(Refusal::new(Class::Count, WHAT, expected, format!("{} in {}", said.count, said.size)));
        }
        if said.sequence == 0 || (said.sequence == 1) != said.previous.is_none() {
            let previous = said.previous.map_or_else(|| "none".to_owned(), |digest| digest.hex());
            let found = format!("number {} after {previous}", said.sequence);
            return Err(Refusal::new(
                Class::Sequence,
                WHAT,
                "number 1 after none, or a later one after another",
                found,
            ));
        }
        Ok(signed)
    }

    /// Checks that this key signed it, for this order and authority.
    ///
    /// # Errors
    /// Where it is another's.
    pub fn of(
        signed: &Signed<Self>,
        key: &SshPublicKey,
        (order, digest): (&Order, &Digest),
        issuer: &Digest,
    ) -> Result<(), Refusal> {
        let said = &signed.statement;
        signed.verified(WHAT, said.realm, PURPOSE, key)?;
        same(Class::WrongRealm, "order: realm", &said.realm, &order.realm)?;
        same(Class::Policy, "order: mode", &Mode::Delegated, &order.mode)?;
        same(Class::WrongFactory, "issuance log: factory", &order.factory, &said.factory)?;
        same(Class::WrongOrder, "issuance log: order", digest, &said.order)?;
        same(Class::Chain, "issuance log: issuer", issuer, &said.issuer)
    }

    /// Checks that it continues another one, of which the number, the SHA-256 of its file and the time are given; `None` where it must be
    /// the first.
    ///
    /// # Errors
    /// Where it came before, one between is withheld, or it continues another: by name.
    pub fn continues(&self, before: Option<(u64, Digest, Instant)>) -> Result<(), Refusal> {
        let (number, digest, made) = before.map_or((0, None, None), |(n, digest, made)| (n, Some(digest), Some(made)));
        let next = number.saturating_add(1);
        if self.sequence < next {
            let found = format!("number {}, which came before", self.sequence);
            return Err(Refusal::new(Class::Replay, WHAT, format!("number {next}"), found));
        }
        if self.sequence > next {
            let withheld = if next + 1 == self.sequence {
                format!("{next} is")
            } else {
                format!("{next} to {} are", self.sequence - 1)
            };
            let found = format!("number {}: {withheld} withheld", self.sequence);
            return Err(Refusal::new(Class::Sequence, WHAT, format!("number {next}"), found));
        }
        if self.previous != digest {
            let show = |of: Option<Digest>| of.map_or_else(|| "none".to_owned(), |digest| digest.hex());
            let expected = format!("number {next} after {}, and no other of that number", show(digest));
            let found = format!("one after {}", show(self.previous));
            return Err(Refusal::new(Class::Fork, WHAT, expected, found));
        }
        if let Some(made) = made.filter(|made| *made >= self.made) {
            return Err(Refusal::new(Class::Replay, WHAT, format!("one made after {made}"), self.made));
        }
        Ok(())
    }
}

/// What came of a log: what a record keeps of it, so that nobody needs the file to follow.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogFound {
    /// Certificates in the log.
    pub count: u32,
    /// How many incidents there are of each word.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub incidents: BTreeMap<String, u32>,
    /// The first ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub named: Vec<Incident>,
}

/// Something that does not add up, or must not be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Incident {
    /// A word that stays the same.
    pub word: String,
    /// Which certificate: its place in the log, or the file it was met in.
    pub at: String,
    pub what: String,
}

/// The device that a certificate is for.
#[must_use]
pub fn device(certificate: &Certificate) -> Option<DeviceId> {
    let named = certificate.subject().ok().and_then(|subject| subject.serial_number);
    named.and_then(|id| DeviceId::parse(&id).ok())
}

/// The check of a log that may continue others, certificate by certificate.
pub struct LogCheck<'l> {
    order: &'l Order,
    listed: BTreeSet<DeviceId>,
    issuer: &'l Certificate,
    profile: &'l Profile,
    serials: BTreeSet<Vec<u8>>,
    keys: BTreeSet<Digest>,
    /// Devices of all logs, in whatever spelling; of this one with the place of its certificate, and when that ends.
    devices: BTreeMap<String, Option<(u32, Instant)>>,
    /// SHA-256 of the DER of each.
    logged: BTreeSet<Digest>,
    /// How many there are in the logs before this one, and in this one.
    earlier: u32,
    count: u32,
    counts: BTreeMap<String, u32>,
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
            devices: BTreeMap::new(),
            logged: BTreeSet::new(),
            earlier: 0,
            count: 0,
            counts: BTreeMap::new(),
            incidents: Vec::new(),
        }
    }

    fn add(&mut self, word: &'static str, at: &str, what: &str) {
        let count = self.counts.entry(word.to_owned()).or_default();
        *count = count.saturating_add(1);
        if self.incidents.len() < limits::PROBLEMS {
            let (word, what) = (word.to_owned(), SafeText::cut(what, TOLD_CHARS).to_string());
            self.incidents.push(Incident { word, at: SafeText::cut(at, TOLD_CHARS).to_string(), what });
        }
    }

    /// A certificate of a log that came before and was judged then: what is in this one must not be in it.
    pub fn earlier(&mut self, der: &[u8]) {
        self.earlier = self.earlier.saturating_add(1);
        self.logged.insert(Digest::of(der));
        let Ok(certificate) = Certificate::parse(der) else { return };
        self.serials.insert(certificate.serial().to_vec());
        self.keys.insert(Digest::of(certificate.subject_key().spki_der()));
        self.devices.extend(device(&certificate).map(|id| (hardware::same_device(&id), None)));
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
        let here = (self.count.saturating_sub(1), certificate.not_after());
        let Some(id) = device(certificate) else {
            self.add("device-missing", at, "expected the device id as the subject's serialNumber");
            return;
        };
        if !self.order.orders(&id, &self.listed) {
            self.add("device-not-ordered", at, &format!("{id} is no device of the order"));
        }
        match self.devices.entry(hardware::same_device(&id)) {
            Entry::Vacant(free) => drop(free.insert(Some(here))),
            Entry::Occupied(_) => self.add("device-twice", at, &format!("{id} has a certificate already")),
        }
    }

    /// Whether the order replaces the certificate of this record.
    #[must_use]
    pub fn replaces(&self, bundle: &BundleId, record: u32) -> bool {
        self.order.replaces.as_ref().is_some_and(|of| of.bundle == *bundle && of.records.contains(record))
    }

    /// A device that has a certificate which stands at this time and is none of this authority's; `what` names it. Two at once are an incident,
    /// whichever was first.
    pub fn stands_elsewhere(&mut self, device: &DeviceId, at: Instant, what: impl FnOnce() -> String) {
        let Some(Some((place, until))) = self.devices.get(&hardware::same_device(device)) else { return };
        if at < *until && at < self.issuer.not_after() {
            let (place, told) = (format!("certificate {place}"), format!("{device} has one that stands: {}", what()));
            self.add("device-elsewhere", &place, &told);
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
                &format!("SHA-256 {}: issued by this authority and in no log of it", Digest::of(der)),
            );
        }
        ours
    }

    /// What the whole comes to, after the last certificate.
    pub fn finish(&mut self, statement: &LogStatement) -> LogFound {
        if self.count != statement.count {
            let what = format!("expected {} certificates, as was signed, found {}", statement.count, self.count);
            self.add("count", WHAT, &what);
        }
        let all = self.earlier.saturating_add(self.count);
        if all > self.order.count {
            let ordered = self.order.count;
            let what = match self.earlier {
                0 => format!("expected at most {ordered} certificates, as ordered, found {all}"),
                earlier => format!(
                    "expected at most {ordered} certificates, as ordered, found {all}: {earlier} in the logs before and {} in this one",
                    self.count
                ),
            };
            self.add("quota", WHAT, &what);
        }
        LogFound {
            count: self.count,
            incidents: self.counts.clone(),
            named: self.incidents.iter().take(NAMED).cloned().collect(),
        }
    }
}
