//! Requests as they are written and read back, and every octet of them that was changed.

mod before;

use super::{Accepted, Collected, Prints, Statement, shard_digest};
use crate::basics::{Digest, Instant, Realm};
use crate::factory::{Class, DeviceId, Order};
use crate::keys::ssh::SshSigningKey;
use std::collections::BTreeMap;

fn collected() -> Collected {
    Collected {
        device: DeviceId::parse("METER-1").unwrap(),
        hardware: BTreeMap::from([("soc".to_owned(), "9f".to_owned()), ("a".to_owned(), "b".to_owned())]),
        request: vec![0x30, 0],
        attestation: vec![vec![0x30, 1, 5], vec![0x30, 0]],
        signature: vec![1, 2, 3],
    }
}

fn statement() -> Statement {
    Statement {
        format: Statement::format(),
        realm: Realm::Rehearsal,
        factory: "ostrava".to_owned(),
        order: Digest::of(b"order"),
        nonce: Digest::of(b"nonce"),
        made: Instant(1),
        count: 2,
        size: 3,
        sha256: Digest::of(b"file"),
        root: Digest::of(b"root"),
        certificates: Vec::new(),
    }
}

#[test]
fn a_request_reads_back_and_has_one_spelling() {
    let octets = collected().to_octets();
    let mut two = octets.clone();
    two.extend_from_slice(&octets);
    assert_eq!(Collected::read(&two).unwrap(), (collected(), octets.len()));
    for length in 0..octets.len() {
        assert!(Collected::read(&octets[..length]).is_err(), "{length} octets");
    }
    for at in 0..octets.len() {
        let mut changed = octets.clone();
        changed[at] ^= 1;
        let read = Collected::read(&changed);
        assert!(read.is_err() || read.unwrap().0 != collected(), "octet {at}");
    }
    // Keys of the map in another order, and a length that is written longer than it need be.
    let other = [&octets[..9], b"\xa2\x63soc\x629f\x61a\x61b", &octets[octets.len() - 17..]].concat();
    assert!(Collected::read(&other).is_err());
    let longer = [&[0x98, 5], &octets[1..]].concat();
    assert!(Collected::read(&longer).is_err());
}

#[test]
fn accepted_requests_read_back_and_their_digest_is_over_every_octet() {
    let one = |attested| Accepted {
        device: DeviceId::parse("METER-1").unwrap(),
        attested,
        spki: vec![1; 91],
        hardware: collected().hardware,
    };
    let mut octets = Vec::new();
    one(true).write(&mut octets);
    one(false).write(&mut octets);
    assert_eq!(Accepted::read_all(&octets).unwrap(), vec![one(true), one(false)]);
    let whole = shard_digest(Realm::Rehearsal, &octets);
    for at in 0..octets.len() {
        let mut changed = octets.clone();
        changed[at] ^= 1;
        assert_ne!(shard_digest(Realm::Rehearsal, &changed), whole);
        assert!(
            Accepted::read_all(&changed).is_err() || Accepted::read_all(&changed).unwrap() != [one(true), one(false)]
        );
    }
    assert_ne!(shard_digest(Realm::Production, &octets), whole);
}

#[test]
fn a_statement_is_the_factorys_the_orders_and_of_its_realm() {
    let key = SshSigningKey::from_seed(&[7; 32]).unwrap();
    let signed = statement().sign(&key).unwrap();
    let octets = signed.to_octets().unwrap();
    let read = Statement::read(&octets, Realm::Rehearsal).unwrap();
    assert_eq!(read, signed);
    read.of_factory("ostrava", &key.public()).unwrap();
    assert_eq!(read.of_factory("lyon", &key.public()).unwrap_err().class, Class::WrongFactory);
    let other = SshSigningKey::from_seed(&[8; 32]).unwrap();
    assert_eq!(read.of_factory("ostrava", &other.public()).unwrap_err().class, Class::BadSignature);
    assert_eq!(Statement::read(&octets, Realm::Production).unwrap_err().class, Class::WrongRealm);
    for at in 0..octets.len() {
        let mut changed = octets.clone();
        changed[at] ^= 1;
        let read = Statement::read(&changed, Realm::Rehearsal);
        assert!(read.is_err() || read.unwrap().of_factory("ostrava", &key.public()).is_err(), "octet {at}");
    }
    for (count, size) in [(0, 3), (u32::MAX, 3), (2, u64::MAX >> 12)] {
        let octets = Statement { count, size, ..statement() }.sign(&key).unwrap().to_octets().unwrap();
        assert!(Statement::read(&octets, Realm::Rehearsal).is_err(), "{count} {size}");
    }
}

#[test]
fn prints_rise_and_know_what_they_hold() {
    let mut prints = Prints::default();
    (0..100_u8).for_each(|n| prints.add(&[n]));
    prints.add(&[7]);
    let octets = prints.to_octets();
    assert_eq!((prints.len(), octets.len()), (100, 1_600));
    assert_eq!(Prints::parse(&octets).unwrap(), prints);
    assert!(prints.has(&[99]) && !prints.has(&[100]));
    assert!(Prints::parse(&octets[1..]).is_err());
    let twice = [&octets[..16], &octets[..16]].concat();
    assert!(Prints::parse(&twice).is_err());
    let turned = [&octets[16..32], &octets[..16]].concat();
    assert!(Prints::parse(&turned).is_err());
}

#[test]
fn a_counted_device_has_one_spelling() {
    let text = include_str!("../../../ceremony-scripts/factory-csr/rehearsal/meters-1.order.toml");
    let order = Order::parse(text.as_bytes()).unwrap();
    let ordered = |id: &str| order.orders(&DeviceId::parse(id).unwrap(), &order.listed());
    assert!(ordered("METER-00000001") && ordered("METER-00000012"));
    for id in
        ["METER-00000000", "METER-00000013", "METER-1", "METER-000000001", "METER-", "meter-00000001", "LAMP-00000001"]
    {
        assert!(!ordered(id), "{id}");
    }
    // Whether it is the same device is asked in whatever spelling.
    let meant = |id: &str| order.means(&DeviceId::parse(id).unwrap(), &order.listed_alike());
    for id in ["METER-00000001", "meter-00000001", "METER:00000012", "Meter-.00000012"] {
        assert!(meant(id), "{id}");
    }
    for id in
        ["METER-00000000", "meter-00000013", "METER-1", "METER-000000001", "METER00000001", "METER-", "LAMP-00000001"]
    {
        assert!(!meant(id), "{id}");
    }
    for (from, to) in [
        ("attestation_roots = [", "attestation_roots = [] #"),
        ("attestation = \"optional\"", ""),
        ("mode = \"device-generated\"", "mode = \"injected\""),
        ("nonce = ", "# nonce = "),
        ("hardware_kind = \"soc\"", "hardware_kind = \"a kind of hardware\""),
        ("hardware_kind = \"soc\"", "nonce_oid = \"1.2.x\""),
    ] {
        assert!(text.contains(from));
        assert!(Order::parse(text.replacen(from, to, 1).as_bytes()).is_err(), "{to}");
    }
}
