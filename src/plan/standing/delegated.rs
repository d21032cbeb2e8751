//! Authorities in a factory's own module that may carry out an order (mode `delegated`), and the logs of what they issued.

use super::{Issued, StandingFactory};
use crate::basics::digest::{hex_decode, hex_encode};
use crate::basics::{Digest, Instant};
use crate::factory::{Class, Firmware, Refusal};
use crate::pki::{Certificate, CertificateList};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// One authority, for one order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StandingDelegated {
    /// Name of its certificate.
    pub name: String,
    pub order: Digest,
    pub product: String,
    pub sku: String,
    pub firmware: Firmware,
    /// Profile of what it issues.
    pub profile: String,
    /// How many are ordered.
    pub count: u32,
    /// When the order is to be done.
    pub expires: Instant,
    /// The ceremony that carried the order over to it.
    pub ceremony: String,
    /// Its certificate, once it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<DelegatedCertificate>,
    /// Every log that came back, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub logs: Vec<StandingLog>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DelegatedCertificate {
    /// SHA-256 of its DER.
    pub sha256: Digest,
    /// The authority of the chain that issued it, and the serial number, hexadecimal.
    pub issuer: String,
    pub serial: String,
    pub not_after: Instant,
    /// The first list that has it, where one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<u64>,
}

/// A log that was checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StandingLog {
    pub sequence: u64,
    /// SHA-256 of the signed statement, as a file.
    pub statement: Digest,
    /// Of the log itself.
    pub sha256: Digest,
    pub size: u64,
    pub made: Instant,
    pub count: u32,
    /// How many incidents there were of each word.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub incidents: BTreeMap<String, u32>,
    /// The ceremony that checked it.
    pub ceremony: String,
}

impl StandingDelegated {
    /// How many its logs have.
    #[must_use]
    pub fn logged(&self) -> u64 {
        self.logs.iter().map(|log| u64::from(log.count)).fold(0, u64::saturating_add)
    }

    /// What counts against the quota: all that it may issue, or all that it did where that is more.
    #[must_use]
    pub fn charged(&self) -> u64 {
        self.logged().max(u64::from(self.count))
    }

    /// What the next log continues: number, SHA-256 of the statement, when it was made.
    #[must_use]
    pub fn last(&self) -> Option<(u64, Digest, Instant)> {
        self.logs.last().map(|log| (log.sequence, log.statement, log.made))
    }

    /// Until when what it issued stands; `withdrawn` are authorities of which nothing stands. Nothing of it does where it is revoked, or
    /// one above it.
    #[must_use]
    pub fn until(&self, withdrawn: &BTreeSet<String>) -> Option<Instant> {
        let certificate = self.certificate.as_ref()?;
        let stands = certificate.revoked.is_none() && !withdrawn.contains(&certificate.issuer);
        stands.then_some(certificate.not_after)
    }

    /// A log that should be here by now: since when, and why. One that was revoked owes none.
    #[must_use]
    pub fn owes(&self, now: Instant) -> Option<(Instant, &'static str)> {
        let certificate = self.certificate.as_ref()?;
        if certificate.revoked.is_some() {
            return None;
        }
        let last = self.logs.last().map_or(Instant(0), |log| log.made);
        let due =
            [(self.expires, "when its order was to be done"), (certificate.not_after, "when the authority ended")];
        due.into_iter().find(|(at, _)| *at <= now && last < *at)
    }
}

impl DelegatedCertificate {
    /// That of an authority, by the authority of the chain that issued it.
    #[must_use]
    pub fn of(certificate: &Certificate, issuer: &str) -> Self {
        Self {
            sha256: certificate.digest(),
            issuer: issuer.to_owned(),
            serial: hex_encode(certificate.serial()),
            not_after: certificate.not_after(),
            revoked: None,
        }
    }
}

/// An authority of the chain, as far as what it issued is asked for; certificate and list as hexadecimal DER.
pub struct Issuer<'s> {
    pub name: &'s str,
    pub certificate: &'s str,
    pub crl: &'s str,
    pub issued: &'s [Issued],
}

/// The certificate of an authority that the chain certified and that may still be handed an order, with the name of its issuer: its key is none of
/// the chain's own and has no other certificate, it is not revoked, and carries out none yet.
///
/// # Errors
/// Which of these is otherwise.
pub fn adoptable(
    chain: &[Issuer<'_>],
    factories: &BTreeMap<String, StandingFactory>,
    name: &str,
) -> Result<(String, Certificate), String> {
    let issued: Vec<(&Issuer<'_>, &Issued)> =
        chain.iter().flat_map(|issuer| issuer.issued.iter().map(move |issued| (issuer, issued))).collect();
    let mut named = issued.iter().filter(|(_, issued)| issued.name == name);
    let (Some((issuer, found)), None) = (named.next(), named.next()) else {
        return Err(format!(
            "{name}: expected one certificate of this name that the chain issued, found none, or more"
        ));
    };
    let mut delegated = factories.values().flat_map(|factory| &factory.delegated);
    if let Some(own) = delegated.find(|own| own.name == name) {
        return Err(format!("{name}: it carries out order {} already: one authority carries out one order", own.order));
    }
    let certificate = parsed(&found.certificate)?;
    if !issuer.crl.is_empty() {
        let list = hex_decode(issuer.crl).ok_or("a revocation list is not hexadecimal")?;
        let list = CertificateList::parse(&list).map_err(|e| e.to_string())?;
        if list.revoked().iter().any(|entry| entry.serial == certificate.serial()) {
            return Err(format!(
                "{name}: it is revoked, on list {} of {}: nothing that it issued stands",
                list.number(),
                issuer.name
            ));
        }
    }
    for own in chain.iter().filter(|own| !own.certificate.is_empty()) {
        if parsed(own.certificate)?.subject_key() == certificate.subject_key() {
            return Err(format!(
                "{name}: its key is that of {}, an authority of this chain, and in no factory's module",
                own.name
            ));
        }
    }
    for (_, other) in issued.iter().filter(|(_, other)| other.name != name) {
        if parsed(&other.certificate)?.subject_key() == certificate.subject_key() {
            return Err(format!(
                "{name}: its key has another certificate, {}: nothing says by which of them it issues",
                other.name
            ));
        }
    }
    Ok((issuer.name.to_owned(), certificate))
}

fn parsed(hexadecimal: &str) -> Result<Certificate, String> {
    let der = hex_decode(hexadecimal).ok_or("a certificate is not hexadecimal")?;
    Certificate::parse(&der).map_err(|e| e.to_string())
}

/// Why a factory gets no further order because of its own authorities.
pub(super) fn refuses(name: &str, factory: &StandingFactory, now: Instant) -> Vec<Refusal> {
    let owing = factory.delegated.iter().filter_map(|delegated| Some((delegated, delegated.owes(now)?)));
    let each = owing.map(|(delegated, (since, why))| {
        let what = format!("authority {} of {name}", delegated.name);
        let last = delegated.logs.last();
        let found = last.map_or_else(|| "none".to_owned(), |log| format!("number {} of {}", log.sequence, log.made));
        let expected = format!("a log made at {since} or later, {why}, or the authority revoked");
        Refusal::new(Class::Policy, what, expected, found)
    });
    each.collect()
}
