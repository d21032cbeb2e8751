//! Factories that a chain of ceremonies has enrolled: whom bundles are sealed to, how many identities each may have, what it got
//! and what it said became of them.

use crate::basics::{Digest, Instant, Realm};
use crate::factory::order::Replaced;
use crate::factory::receipt::State;
use crate::factory::{Account, BundleId, Class, Firmware, Mode, Order, Places, Refusal};
use crate::keys::ssh::SshPublicKey;
use crate::pki::Reason;
use crate::plan::standing::{StandingDelegated, delegated};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

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
    /// Authorities in its own module.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub delegated: Vec<StandingDelegated>,
    /// What nobody could explain; no order is carried out before it is settled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<String>,
    /// What was found and then explained, with the exception that says how.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub explained: Vec<Explained>,
}

/// A finding that people explained.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Explained {
    pub finding: String,
    pub ceremony: String,
    /// Number of the exception in that ceremony's record.
    pub exception: u32,
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
    pub sku: String,
    pub firmware: Firmware,
    pub mode: Mode,
    pub authority: String,
    pub count: u32,
    pub shard_records: u32,
    /// From which each device's proof of possession gets its nonce.
    pub nonce: Digest,
    /// The certificates' serial numbers are those of this seed, by place.
    pub serial_seed: Digest,
    /// Policy of certificates whose key the maker of the device attests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attested: Option<String>,
    pub issued: Instant,
    pub expires: Instant,
    pub ceremony: String,
    /// What the factory last said about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<StandingReceipt>,
    /// What of it is on lists of its authority.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub revoked: Vec<StandingRevoked>,
    /// What its certificates replace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<Replaced>,
}

/// Identities that were withdrawn with one list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StandingRevoked {
    pub records: Places,
    pub reason: Reason,
    /// Date of the entries.
    pub date: Instant,
    /// Number of the first list that has them, when it begins, and the ceremony that made it.
    pub crl: u64,
    pub this_update: Instant,
    pub ceremony: String,
}

/// Which identities of a bundle a script withdraws.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Withdrawn {
    All,
    /// What nobody has proven: the default when a bundle has expired.
    Unverified,
    Scrapped,
    Lost,
    Returned,
    Destroyed,
    /// Whose device has proven the key of the certificate that replaces it.
    Replaced,
}

impl Withdrawn {
    pub const ALL: [Self; 7] =
        [Self::All, Self::Unverified, Self::Scrapped, Self::Lost, Self::Returned, Self::Destroyed, Self::Replaced];

    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Unverified => "unverified",
            Self::Scrapped => State::Scrapped.word(),
            Self::Lost => State::Lost.word(),
            Self::Returned => State::Returned.word(),
            Self::Destroyed => State::Destroyed.word(),
            Self::Replaced => "replaced",
        }
    }

    /// The state in a receipt that it goes by.
    const fn state(self) -> Option<State> {
        match self {
            Self::All | Self::Unverified | Self::Replaced => None,
            Self::Scrapped => Some(State::Scrapped),
            Self::Lost => Some(State::Lost),
            Self::Returned => Some(State::Returned),
            Self::Destroyed => Some(State::Destroyed),
        }
    }
}

impl StandingBundle {
    /// What is on a list already.
    ///
    /// # Errors
    /// Where there are too many runs.
    pub fn withdrawn(&self) -> Result<Places, String> {
        self.revoked.iter().try_fold(Places::default(), |all, one| all.with(&one.records))
    }

    /// What has a certificate that stands: neither revoked, nor replaced by another bundle; `of` are all bundles of its factory.
    ///
    /// # Errors
    /// Where there are too many runs.
    pub fn stands(&self, of: &[Self]) -> Result<Places, String> {
        let replaced = of.iter().filter_map(|other| other.replaces.as_ref()).filter(|by| by.bundle == self.bundle);
        let gone = replaced.map(|by| &by.records).try_fold(self.withdrawn()?, |gone, more| gone.with(more))?;
        Places::below(self.count).without(&gone)
    }

    /// Verified, with a proof of possession that holds.
    #[must_use]
    pub fn proven(&self) -> Places {
        let account = self.receipt.as_ref().and_then(|receipt| receipt.account.as_ref());
        account.map_or_else(Places::default, |account| account.proven.clone())
    }

    /// What is neither proven nor revoked: nobody knows where it is, or it ended.
    ///
    /// # Errors
    /// Where there are too many runs.
    pub fn unaccounted(&self) -> Result<Places, String> {
        Places::below(self.count).without(&self.proven())?.without(&self.withdrawn()?)
    }

    /// Records whose device has proven the key of the certificate that replaces theirs; `of` are all bundles of its factory.
    ///
    /// # Errors
    /// Where there are too many runs.
    pub fn replaced(&self, of: &[Self]) -> Result<Places, String> {
        let mut all = Places::default();
        for (other, replaced) in of.iter().filter_map(|other| Some((other, other.replaces.as_ref()?))) {
            if replaced.bundle != self.bundle {
                continue;
            }
            let mut proven = Places::default();
            let there = other.proven();
            for (place, record) in (0..).zip(replaced.records.each()) {
                if there.contains(place) {
                    proven.push(record)?;
                }
            }
            all = all.with(&proven)?;
        }
        Ok(all)
    }

    /// What a script withdraws that is not withdrawn yet; `of` are all bundles of its factory.
    ///
    /// # Errors
    /// Where it is not known, or nothing may be withdrawn for that reason yet.
    pub fn to_withdraw(&self, which: Withdrawn, of: &[Self], now: Instant) -> Result<Places, String> {
        let name = &self.name;
        let account = self.receipt.as_ref().and_then(|receipt| receipt.account.as_ref());
        let chosen = match (which, which.state()) {
            (_, Some(state)) => {
                let account = account.ok_or_else(|| {
                    format!("bundle {name}: no receipt with outcomes says which identities are {}", which.word())
                })?;
                account.records.get(&state).cloned().unwrap_or_default()
            }
            (Withdrawn::Unverified, _) if now < self.expires => {
                return Err(format!(
                    "bundle {name} holds until {}: what is not verified is revoked after that; `state = \"all\"` revokes a bundle sooner",
                    self.expires
                ));
            }
            (Withdrawn::Replaced, _) => self.replaced(of)?,
            (Withdrawn::Unverified, _) => Places::below(self.count).without(&self.proven())?,
            _ => Places::below(self.count),
        };
        chosen.without(&self.withdrawn()?)
    }
}

/// A receipt that was balanced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StandingReceipt {
    pub sequence: u64,
    /// SHA-256 of the receipt.
    pub sha256: Digest,
    /// SHA-256 of its outcomes.
    pub outcomes: Digest,
    pub made: Instant,
    pub states: BTreeMap<State, u32>,
    /// What was found when every record was looked at; absent where only numbers came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Account>,
    /// How often the station refused something, by class, since its store was made.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub refusals: BTreeMap<String, u64>,
    /// Of the station's ledger.
    pub ledger_head: Digest,
    pub ledger_entries: u64,
}

impl StandingFactory {
    /// Identities of a product that it has got, or may give itself.
    #[must_use]
    pub fn issued(&self, product: &str) -> u64 {
        let of = self.bundles.iter().filter(|bundle| bundle.product == product);
        let own = self.delegated.iter().filter(|delegated| delegated.product == product);
        let all = of.map(|bundle| u64::from(bundle.count)).chain(own.map(StandingDelegated::charged));
        all.fold(0, u64::saturating_add)
    }

    /// Sequence of the next bundle, and the manifest it follows.
    #[must_use]
    pub fn next(&self) -> (u64, Option<Digest>) {
        let last = self.bundles.last();
        (last.map_or(1, |last| last.sequence.saturating_add(1)), last.map(|last| last.manifest))
    }
}

/// Why an order cannot be carried out: each reason by name, or none. `withdrawn` are authorities of which nothing
/// stands: nothing of their bundles is open.
#[must_use]
pub fn refuses(
    factories: &BTreeMap<String, StandingFactory>,
    withdrawn: &BTreeSet<String>,
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
        &format!("receipts and logs of {name}"),
        "nothing unexplained".to_owned(),
        format!("{} findings: {}", factory.findings.len(), factory.findings.join("; ")),
    );
    let stands = |bundle: &&StandingBundle| bundle.expires <= now && !withdrawn.contains(&bundle.authority);
    for bundle in factory.bundles.iter().filter(stands) {
        let open = bundle.unaccounted().map_or_else(|e| e, |open| open.count().to_string());
        expect(
            open == "0",
            Class::Policy,
            &format!("bundle {} of {name}, which expired at {}", bundle.name, bundle.expires),
            "every identity proven or revoked".to_owned(),
            format!("{open} that are neither"),
        );
    }
    let again = factories.values().flat_map(|factory| &factory.bundles).find(|bundle| bundle.order == digest);
    let again = again.map(|bundle| format!("that of bundle {} of {}", bundle.name, bundle.ceremony));
    let own = factories.values().flat_map(|factory| &factory.delegated).find(|own| own.order == digest);
    let again = again.or_else(|| own.map(|own| format!("that of authority {} of {}", own.name, own.ceremony)));
    expect(
        again.is_none(),
        Class::Replay,
        "order",
        "one that was not carried out before".to_owned(),
        again.unwrap_or_default(),
    );
    let (quota, issued) = (factory.quotas.get(&order.product).copied().unwrap_or(0), factory.issued(&order.product));
    expect(
        issued.saturating_add(u64::from(order.count)) <= quota,
        Class::Quota,
        &format!("order: {} of {} for {name}", order.count, order.product),
        format!("at most {}, which is what is left of a quota of {quota}", quota.saturating_sub(issued)),
        order.count.to_string(),
    );
    found.extend(delegated::refuses(name, factory, now));
    found
}

#[cfg(test)]
mod tests;
