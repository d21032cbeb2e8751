//! Orders that are not carried out, each named by what is wrong.

use super::{StandingBundle, StandingFactory, StandingReceipt, StandingRevoked, Withdrawn, refuses};
use crate::basics::{Digest, Instant, Realm};
use crate::factory::order::Replaced;
use crate::factory::receipt::State;
use crate::factory::{Account, BundleId, Class, Firmware, Mode, Order, Places};
use crate::keys::ssh::SshSigningKey;
use crate::pki::Reason;
use std::collections::{BTreeMap, BTreeSet};

const ORDER: &str = include_str!("../../../../ceremony-scripts/factory-bundle/rehearsal/lamps-1.order.toml");

fn at(text: &str) -> Instant {
    Instant::parse(text).unwrap()
}

fn order() -> (Order, Digest) {
    (Order::parse(ORDER.as_bytes()).unwrap(), Order::digest(ORDER.as_bytes()))
}

fn factories(quota: u64) -> BTreeMap<String, StandingFactory> {
    let bundle = StandingBundle {
        name: "lamps-0".to_owned(),
        bundle: BundleId::from_octets([1; 16]),
        sequence: 1,
        manifest: Digest::of(b"manifest"),
        records_root: Digest::of(b"root"),
        order: Digest::of(b"another order"),
        product: "lamp".to_owned(),
        sku: "LAMP-E27-W".to_owned(),
        firmware: Firmware { version: "1.4.0".to_owned(), sha256: Digest::of(b"firmware") },
        mode: Mode::Injected,
        shard_records: 8,
        nonce: Digest::of(b"nonce"),
        serial_seed: Digest::of(b"seed"),
        attested: None,
        authority: "issuing-a".to_owned(),
        count: 30,
        issued: at("2026-11-22T08:00:00Z"),
        expires: at("2027-02-26T00:00:00Z"),
        ceremony: "lamps-0-2026".to_owned(),
        receipt: None,
        revoked: Vec::new(),
        replaces: None,
    };
    let factory = StandingFactory {
        recipient: "age1x".to_owned(),
        receipt_key: SshSigningKey::from_seed(&[7; 32]).unwrap().public(),
        enrolment: Digest::of(b"request"),
        ceremony: "lamps-0-2026".to_owned(),
        valid_until: at("2027-11-22T00:00:00Z"),
        quotas: BTreeMap::from([("lamp".to_owned(), quota)]),
        bundles: vec![bundle],
        findings: Vec::new(),
        explained: Vec::new(),
    };
    BTreeMap::from([("ostrava".to_owned(), factory)])
}

fn classes(factories: &BTreeMap<String, StandingFactory>, order: &Order, digest: Digest, now: &str) -> Vec<Class> {
    refuses(factories, &BTreeSet::new(), Realm::Rehearsal, order, digest, at(now))
        .iter()
        .map(|refusal| refusal.class)
        .collect()
}

const NOW: &str = "2026-11-22T12:00:00Z";

#[test]
fn an_order_within_the_quota_is_carried_out_and_one_identity_more_is_not() {
    let (order, digest) = order();
    assert_eq!(classes(&factories(50), &order, digest, NOW), []);
    assert_eq!(classes(&factories(49), &order, digest, NOW), [Class::Quota]);
    let said = refuses(&factories(49), &BTreeSet::new(), Realm::Rehearsal, &order, digest, at(NOW));
    assert!(said[0].to_string().contains("at most 19"), "{}", said[0]);
}

#[test]
fn every_order_that_does_not_suit_is_refused_by_name() {
    let (order, digest) = order();
    let stands = factories(50);
    let other = Order { factory: "lyon".to_owned(), ..order.clone() };
    assert_eq!(classes(&stands, &other, digest, NOW), [Class::WrongFactory]);
    let other = Order { product: "switch".to_owned(), ..order.clone() };
    assert_eq!(classes(&stands, &other, digest, NOW), [Class::Quota], "no quota is a quota of none");
    let other = Order { realm: Realm::Production, ..order.clone() };
    assert_eq!(classes(&stands, &other, digest, NOW), [Class::WrongRealm]);
    // With the order's the bundle before has expired too, and nobody knows where its identities are.
    assert_eq!(classes(&stands, &order, digest, "2027-02-26T00:00:00Z"), [Class::Expired, Class::Policy]);
    let late = classes(&stands, &order, digest, "2027-12-01T00:00:00Z");
    assert_eq!(late, [Class::Expired, Class::Expired, Class::Policy]);
    assert_eq!(classes(&stands, &order, Digest::of(b"another order"), NOW), [Class::Replay]);
    let mut open = stands.clone();
    open.get_mut("ostrava").unwrap().findings.push("bundle lamps-0: 2 unexplained".to_owned());
    assert_eq!(classes(&open, &order, digest, NOW), [Class::Policy]);
    assert_eq!(classes(&BTreeMap::new(), &order, digest, NOW), [Class::WrongFactory]);
}

#[test]
fn the_next_bundle_follows_the_last_manifest() {
    let mut stands = factories(50);
    let factory = stands.get_mut("ostrava").unwrap();
    assert_eq!(factory.next(), (2, Some(Digest::of(b"manifest"))));
    factory.bundles.clear();
    assert_eq!(factory.next(), (1, None));
}

#[test]
fn what_is_not_proven_when_a_bundle_expires_is_revoked_and_holds_up_orders_until_then() {
    let (mut order, digest) = order();
    order.expires = at("2027-06-01T00:00:00Z");
    let mut stands = factories(50);
    let bundle = &mut stands.get_mut("ostrava").unwrap().bundles[0];
    let places = |text: &str| Places::parse(text).unwrap();
    let (before, after) = (at("2027-02-25T23:59:59Z"), at("2027-02-26T00:00:00Z"));
    assert!(bundle.to_withdraw(Withdrawn::Unverified, &[], before).unwrap_err().contains("holds until 2027-02-26"));
    assert_eq!(bundle.to_withdraw(Withdrawn::All, &[], before).unwrap(), places("0-29"));
    assert_eq!(
        bundle.to_withdraw(Withdrawn::Unverified, &[], after).unwrap(),
        places("0-29"),
        "no receipt is no proof"
    );
    assert!(bundle.to_withdraw(Withdrawn::Lost, &[], after).unwrap_err().contains("no receipt with outcomes"));
    let account = Account {
        records: BTreeMap::from([
            (State::Verified, places("0-19,22")),
            (State::Lost, places("20-21")),
            (State::Sealed, places("23-29")),
        ]),
        proven: places("0-19"),
        ..Account::default()
    };
    bundle.receipt = Some(StandingReceipt {
        sequence: 1,
        sha256: Digest::of(b"receipt"),
        outcomes: Digest::of(b"outcomes"),
        made: at("2026-12-01T00:00:00Z"),
        states: BTreeMap::new(),
        account: Some(account),
        refusals: BTreeMap::new(),
        ledger_head: Digest::of(b"ledger"),
        ledger_entries: 9,
    });
    // Record 22 is said to be verified and proved nothing: it is not verified.
    assert_eq!(bundle.to_withdraw(Withdrawn::Unverified, &[], after).unwrap(), places("20-29"));
    assert_eq!(bundle.to_withdraw(Withdrawn::Lost, &[], before).unwrap(), places("20-21"));
    let revoked = |records: &str| StandingRevoked {
        records: places(records),
        reason: Reason::KeyCompromise,
        date: before,
        crl: 2,
        this_update: after,
        ceremony: "lists".to_owned(),
    };
    bundle.revoked.push(revoked("20-21"));
    assert_eq!(
        bundle.to_withdraw(Withdrawn::Unverified, &[], after).unwrap(),
        places("22-29"),
        "nothing is revoked twice"
    );
    assert_eq!(bundle.unaccounted().unwrap(), places("22-29"));
    let now = "2027-03-01T00:00:00Z";
    let said = refuses(&stands, &BTreeSet::new(), Realm::Rehearsal, &order, digest, at(now));
    assert_eq!(said.len(), 1, "{said:?}");
    // Whoever's own certificate is revoked has nothing left to be revoked; another's says nothing of it.
    let authority = |name: &str| BTreeSet::from([name.to_owned()]);
    let issuer = stands["ostrava"].bundles[0].authority.clone();
    assert_eq!(refuses(&stands, &authority(&issuer), Realm::Rehearsal, &order, digest, at(now)), []);
    assert_eq!(refuses(&stands, &authority("another"), Realm::Rehearsal, &order, digest, at(now)).len(), 1);
    assert!(
        said[0].to_string().contains("lamps-0") && said[0].to_string().contains("8 that are neither"),
        "{}",
        said[0]
    );
    stands.get_mut("ostrava").unwrap().bundles[0].revoked.push(revoked("22-29"));
    assert_eq!(classes(&stands, &order, digest, now), []);
}

#[test]
fn a_certificate_is_withdrawn_as_replaced_once_its_device_has_proven_the_next_one() {
    let mut stands = factories(50);
    let old = stands.get_mut("ostrava").unwrap().bundles.remove(0);
    let places = |text: &str| Places::parse(text).unwrap();
    let mut new = old.clone();
    new.bundle = BundleId::from_octets([2; 16]);
    new.replaces = Some(Replaced { bundle: old.bundle, records: places("4,7-9,29") });
    let now = at("2026-12-01T00:00:00Z");
    assert_eq!(old.to_withdraw(Withdrawn::Replaced, &[old.clone(), new.clone()], now).unwrap(), places(""));
    let account = Account { proven: places("0,2,4"), ..Account::default() };
    new.receipt = Some(StandingReceipt {
        sequence: 1,
        sha256: Digest::of(b"receipt"),
        outcomes: Digest::of(b"outcomes"),
        made: now,
        states: BTreeMap::new(),
        account: Some(account),
        refusals: BTreeMap::new(),
        ledger_head: Digest::of(b"ledger"),
        ledger_entries: 9,
    });
    assert_eq!(old.to_withdraw(Withdrawn::Replaced, &[old.clone(), new.clone()], now).unwrap(), places("4,8,29"));
    assert_eq!(new.to_withdraw(Withdrawn::Replaced, &[old, new.clone()], now).unwrap(), places(""));
}
