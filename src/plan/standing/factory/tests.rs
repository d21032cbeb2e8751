//! Orders that are not carried out, each named by what is wrong.

use super::{StandingBundle, StandingFactory, refuses};
use crate::basics::{Digest, Instant, Realm};
use crate::factory::{BundleId, Class, Order};
use crate::keys::ssh::SshSigningKey;
use std::collections::BTreeMap;

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
        authority: "issuing-a".to_owned(),
        count: 30,
        issued: at("2026-11-22T08:00:00Z"),
        expires: at("2027-02-26T00:00:00Z"),
        ceremony: "lamps-0-2026".to_owned(),
        receipt: None,
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
    };
    BTreeMap::from([("ostrava".to_owned(), factory)])
}

fn classes(factories: &BTreeMap<String, StandingFactory>, order: &Order, digest: Digest, now: &str) -> Vec<Class> {
    refuses(factories, Realm::Rehearsal, order, digest, at(now)).iter().map(|refusal| refusal.class).collect()
}

const NOW: &str = "2026-11-22T12:00:00Z";

#[test]
fn an_order_within_the_quota_is_carried_out_and_one_identity_more_is_not() {
    let (order, digest) = order();
    assert_eq!(classes(&factories(50), &order, digest, NOW), []);
    assert_eq!(classes(&factories(49), &order, digest, NOW), [Class::Quota]);
    let said = refuses(&factories(49), Realm::Rehearsal, &order, digest, at(NOW));
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
    assert_eq!(classes(&stands, &order, digest, "2027-02-26T00:00:00Z"), [Class::Expired]);
    assert_eq!(classes(&stands, &order, digest, "2027-12-01T00:00:00Z"), [Class::Expired, Class::Expired]);
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
