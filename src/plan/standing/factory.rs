//! Factories that a chain of ceremonies has enrolled: whom bundles are sealed to, how many identities each may have, what it got
//! and what it said became of them.

use crate::basics::{Digest, Instant, Realm};
use crate::factory::receipt::State;
use crate::factory::{BundleId, Class, Order, Refusal};
use crate::keys::ssh::SshPublicKey;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A factory with the keys that were compared with its people, and proven to be there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StandingFactory {
    /// The age recipient that bundles are sealed to.
    pub recipient: String,
    /// What its receipts are signed with.
    pub receipt_key: SshPublicKey,
    /// SHA-256 of the signed enrolment request.
    pub enrolment: Digest,
    /// The ceremony that enrolled it.
    pub ceremony: String,
    pub valid_until: Instant,
    /// How many identities it may have in all, by product.
    pub quotas: BTreeMap<String, u64>,
    /// Every bundle that was sealed to it, in order.
    pub bundles: Vec<StandingBundle>,
    /// What nobody could explain; no order is carried out before it is settled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<String>,
}

/// One bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StandingBundle {
    /// What its script calls it.
    pub name: String,
    pub bundle: BundleId,
    pub sequence: u64,
    /// SHA-256 of its manifest.
    pub manifest: Digest,
    pub records_root: Digest,
    pub order: Digest,
    pub product: String,
    pub authority: String,
    pub count: u32,
    pub issued: Instant,
    pub expires: Instant,
    pub ceremony: String,
    /// What the factory last said about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<StandingReceipt>,
}

/// A receipt that was balanced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StandingReceipt {
    pub sequence: u64,
    /// SHA-256 of the receipt.
    pub sha256: Digest,
    pub made: Instant,
    pub states: BTreeMap<State, u32>,
    /// Of the station's ledger.
    pub ledger_head: Digest,
    pub ledger_entries: u64,
}

impl StandingFactory {
    /// Identities of a product that it has got.
    #[must_use]
    pub fn issued(&self, product: &str) -> u64 {
        let of = self.bundles.iter().filter(|bundle| bundle.product == product);
        of.map(|bundle| u64::from(bundle.count)).fold(0, u64::saturating_add)
    }

    /// Sequence of the next bundle, and the manifest it follows.
    #[must_use]
    pub fn next(&self) -> (u64, Option<Digest>) {
        let last = self.bundles.last();
        (last.map_or(1, |last| last.sequence.saturating_add(1)), last.map(|last| last.manifest))
    }
}

/// Why an order cannot be carried out: each reason by name, or none.
#[must_use]
pub fn refuses(
    factories: &BTreeMap<String, StandingFactory>,
    realm: Realm,
    order: &Order,
    digest: Digest,
    now: Instant,
) -> Vec<Refusal> {
    let mut found = Vec::new();
    let mut expect = |holds: bool, class: Class, what: &str, expected: String, said: String| {
        if !holds {
            found.push(Refusal::new(class, what, expected, said));
        }
    };
    expect(order.realm == realm, Class::WrongRealm, "order: realm", realm.to_string(), order.realm.to_string());
    expect(
        order.expires > now,
        Class::Expired,
        "order: expires",
        format!("a time after {now}"),
        order.expires.to_string(),
    );
    let Some(factory) = factories.get(&order.factory) else {
        let known: Vec<&str> = factories.keys().map(String::as_str).collect();
        let known =
            if known.is_empty() { "a factory that was enrolled; none was".to_owned() } else { known.join(", ") };
        expect(false, Class::WrongFactory, "order: factory", known, order.factory.clone());
        return found;
    };
    let name = &order.factory;
    expect(
        factory.valid_until > now,
        Class::Expired,
        &format!("enrolment of {name}"),
        format!("one that holds at {now}"),
        format!("one that ended at {}", factory.valid_until),
    );
    expect(
        factory.findings.is_empty(),
        Class::Policy,
        &format!("receipts of {name}"),
        "nothing unexplained".to_owned(),
        format!("{} findings: {}", factory.findings.len(), factory.findings.join("; ")),
    );
    let again = factories.values().flat_map(|factory| &factory.bundles).find(|bundle| bundle.order == digest);
    expect(
        again.is_none(),
        Class::Replay,
        "order",
        "one that was not carried out before".to_owned(),
        again.map_or_else(String::new, |bundle| format!("that of bundle {} of {}", bundle.name, bundle.ceremony)),
    );
    let (quota, issued) = (factory.quotas.get(&order.product).copied().unwrap_or(0), factory.issued(&order.product));
    expect(
        issued.saturating_add(u64::from(order.count)) <= quota,
        Class::Quota,
        &format!("order: {} of {} for {name}", order.count, order.product),
        format!("at most {}, which is what is left of a quota of {quota}", quota.saturating_sub(issued)),
        order.count.to_string(),
    );
    found
}

#[cfg(test)]
mod tests;
