//! Formats of bundles: each comes back as it went out, every octet matters, and the Merkle tree is the one of RFC 9162.

mod issuing;
mod orders;
mod trees;

use crate::basics::digest::hex_decode;
use crate::basics::{Digest, Instant, Realm, Secret};
use crate::factory::index::{self, IndexHeader, Row};
use crate::factory::manifest::{BundleFile, CeremonyRef, ProfileRef, Validity, shard_name};
use crate::factory::order::Mode;
use crate::factory::record::DeviceKey;
use crate::factory::shard::{self, Records};
use crate::factory::*;
use proptest::prelude::*;
use std::collections::BTreeMap;
use zeroize::Zeroizing;

fn bundle() -> BundleId {
    BundleId::from_octets([0xb0; 16])
}

fn lineage(index: u32) -> Lineage {
    Lineage {
        device: DeviceId::parse(&format!("LAMP-{index:08}")).unwrap(),
        product: "lamp".to_owned(),
        sku: "LAMP-E27-W".to_owned(),
        firmware: Firmware { version: "1.4.0".to_owned(), sha256: Digest::of(b"firmware") },
        bundle: bundle(),
        order: Digest::of(b"order"),
        hardware: BTreeMap::from([("soc".to_owned(), "9f3c".to_owned()), ("lot".to_owned(), "7".to_owned())]),
        replaces: Some(vec![0x40, 1, 2]),
    }
}

fn record(index: u32) -> Record {
    Record {
        index,
        device: lineage(index).device,
        certificate: vec![0x30; 450],
        key: DeviceKey::Pkcs8(Secret::take(vec![7; 138])),
        lineage: lineage(index),
        extras: BTreeMap::from([("passcode".to_owned(), Secret::take(vec![1, 2, 3]))]),
    }
}

fn written(record: &Record) -> Vec<u8> {
    let mut octets = Zeroizing::new(Vec::new());
    record.write(&mut octets);
    octets.to_vec()
}

pub(crate) fn manifest(count: u32) -> Manifest {
    let mut manifest = Manifest {
        format: Manifest::format(),
        bundle: bundle(),
        realm: Realm::Rehearsal,
        factory: "ostrava".to_owned(),
        sequence: 1,
        previous: None,
        order: Digest::of(b"order"),
        mode: Mode::Injected,
        product: "lamp".to_owned(),
        sku: "LAMP-E27-W".to_owned(),
        firmware: lineage(0).firmware,
        recipients: vec!["age1example".to_owned()],
        count,
        shard_records: 1000,
        issued: Instant::parse("2026-11-26T10:00:00Z").unwrap(),
        expires: Instant::parse("2027-02-26T00:00:00Z").unwrap(),
        certificates: Validity {
            not_before: Instant::parse("2026-11-26T00:00:00Z").unwrap(),
            not_after: Instant::parse("9999-12-31T23:59:59Z").unwrap(),
        },
        profile: ProfileRef { name: "idevid".to_owned(), sha256: Digest::of(b"profile") },
        policy: None,
        issuer: Digest::of(b"issuer"),
        ceremony: CeremonyRef { id: "bundle-2026".to_owned(), head: Digest::of(b"head") },
        records_root: Digest::of(b"root"),
        nonce: Digest::of(b"nonce"),
        files: Vec::new(),
    };
    let size = |name: &str| match name {
        manifest::LEAVES => u64::from(count) * 32,
        manifest::INDEX => index::offset(u64::from(count)),
        _ => 100,
    };
    manifest.files = manifest
        .expected_files()
        .into_iter()
        .map(|name| BundleFile { size: size(&name), sha256: Digest::of(name.as_bytes()), name })
        .collect();
    manifest
}

#[test]
fn a_record_comes_back_and_takes_its_octets_only() {
    let mut octets = written(&record(70_000));
    let length = octets.len();
    octets.push(0xff);
    let (read, used) = Record::read(&octets).unwrap();
    assert_eq!(used, length);
    assert_eq!(written(&read), octets[..length]);
    assert_eq!(read.lineage, lineage(70_000));
    assert_eq!(read.digest(Realm::Rehearsal), record(70_000).digest(Realm::Rehearsal));
    assert_ne!(read.digest(Realm::Production), read.digest(Realm::Rehearsal));
}

#[test]
fn a_records_digest_tells_nothing_of_key_and_extras_and_everything_of_the_rest() {
    let digest = record(1).digest(Realm::Rehearsal);
    let changed = |change: &dyn Fn(&mut Record)| {
        let mut other = record(1);
        change(&mut other);
        other.digest(Realm::Rehearsal)
    };
    assert_eq!(changed(&|r| r.key = DeviceKey::None), digest);
    assert_eq!(changed(&|r| r.extras.clear()), digest);
    assert_ne!(changed(&|r| r.index = 2), digest);
    assert_ne!(changed(&|r| r.certificate[0] = 1), digest);
    assert_ne!(changed(&|r| r.lineage.sku = "other".to_owned()), digest);
    assert_ne!(changed(&|r| r.lineage.bundle = BundleId::from_octets([1; 16])), digest);
}

#[test]
fn records_in_another_spelling_are_refused() {
    let octets = written(&record(3));
    assert_eq!(octets[1], 3);
    let long_number = [&octets[..1], &[0x18, 3], &octets[2..]].concat();
    let mut indefinite = octets.clone();
    indefinite[0] = 0x9f;
    let mut wrong_format = octets.clone();
    let key = octets.windows(138).position(|window| window == [7; 138]).unwrap();
    wrong_format[key - 3] = 0;
    for (name, other) in [("a long number", long_number), ("no length", indefinite), ("key of format 0", wrong_format)]
    {
        assert!(Record::read(&other).is_err(), "{name}");
    }
}

#[test]
fn the_lineage_of_the_specification_is_written_as_it_says() {
    let octets = lineage(1).to_octets();
    let expected = "a9006d4c414d502d303030303030303101646c616d70026a4c414d502d4532372d570365312e342e30045820";
    assert_eq!(octets[..44], hex_decode(expected).unwrap());
    // Shorter keys first, then by octets: "lot" before "soc".
    let tail = "07a2636c6f74613763736f63643966336308434001 02".replace(' ', "");
    assert!(octets.ends_with(&hex_decode(&tail).unwrap()), "{octets:02x?}");
    assert_eq!(lineage(1).digest(), Digest::of(&octets));
}

#[test]
fn a_shard_comes_back_and_everything_that_is_moved_is_named() {
    let manifest = manifest(2_500);
    let header = manifest.shard_header(2);
    assert_eq!((header.first, header.count), (2_000, 500));
    let header = ShardHeader { count: 3, ..header };
    let records: Vec<Record> = (2_000..2_003).map(record).collect();
    let octets = shard::write(&header, &records);
    let opened = Records::open(&octets).unwrap();
    assert_eq!(opened.header(), &header);
    let read: Vec<Record> = opened.map(Result::unwrap).collect();
    assert_eq!(*shard::write(&header, &read), *octets);

    let refusal = |octets: &[u8]| Records::open(octets).unwrap().find_map(Result::err).unwrap();
    assert_eq!(refusal(&[&octets[..], &[0]].concat()).class, Class::Count, "an octet after the last record");
    assert_eq!(refusal(&shard::write(&header, &records[..2])).class, Class::Count, "a record missing");
    assert_eq!(refusal(&shard::write(&header, &[record(2_000), record(2_002)])).class, Class::Foreign);
    let foreign = ShardHeader { bundle: BundleId::from_octets([1; 16]), ..header.clone() };
    assert_eq!(refusal(&shard::write(&foreign, &records)).class, Class::Foreign, "records of another bundle");

    let differs = |change: &dyn Fn(&mut ShardHeader)| {
        let mut other = header.clone();
        change(&mut other);
        other.expect(&header).unwrap_err().class
    };
    assert!(header.expect(&header).is_ok());
    assert_eq!(differs(&|h| h.realm = Realm::Production), Class::WrongRealm);
    assert_eq!(differs(&|h| h.bundle = BundleId::from_octets([1; 16])), Class::Foreign);
    assert_eq!(differs(&|h| h.shard = 1), Class::Foreign);
    assert_eq!(differs(&|h| h.factory = "brno".to_owned()), Class::WrongFactory);
    assert_eq!(differs(&|h| h.recipient = "age1other".to_owned()), Class::WrongRecipient);
    assert_eq!(differs(&|h| h.count = 4), Class::Count);
    assert_eq!(differs(&|h| h.first = 4), Class::Count);
}

#[test]
fn a_manifest_comes_back_and_contradictions_are_refused() {
    let good = manifest(2_500);
    let octets = good.to_octets().unwrap();
    assert_eq!(Manifest::parse(&octets).unwrap(), good);
    assert_eq!(good.shards(), 3);
    assert_eq!(good.expected_files()[4], "shards/00000.age");
    let text = String::from_utf8(octets).unwrap();
    let pretty = text.replacen(':', ": ", 1);
    assert!(Manifest::parse(pretty.as_bytes()).is_err(), "another spelling");
    let unknown = text.replacen('{', "{\"a\":1,", 1);
    assert!(Manifest::parse(unknown.as_bytes()).is_err(), "an unknown key");

    let refused = |change: &dyn Fn(&mut Manifest)| {
        let mut other = manifest(2_500);
        change(&mut other);
        let octets = crate::basics::canonical::to_octets(&other).unwrap();
        Manifest::parse(&octets).unwrap_err().what
    };
    assert_eq!(refused(&|m| m.count = 2_501), "manifest.json: size of leaves.bin");
    assert_eq!(refused(&|m| m.count = 9_000), "manifest.json: files");
    assert_eq!(refused(&|m| m.sequence = 2), "manifest.json: sequence");
    assert_eq!(refused(&|m| m.previous = Some(Digest::of(b"x"))), "manifest.json: sequence");
    assert_eq!(refused(&|m| m.recipients.push("age1second".to_owned())), "manifest.json: recipients");
    assert_eq!(refused(&|m| m.expires = m.issued), "manifest.json: expires");
    assert_eq!(refused(&|m| m.files[4].name = shard_name(7)), "manifest.json: files");
    assert_eq!(refused(&|m| m.files[4].name = "../x".to_owned()), "manifest.json: files");
    assert_eq!(refused(&|m| m.files.swap(0, 1)), "manifest.json: files");
    assert_eq!(refused(&|m| m.format = "anchorite-bundle/2".to_owned()), "manifest.json: format");
    assert_eq!(refused(&|m| m.shard_records = 0), "manifest.json: shard_records");
}

#[test]
fn an_index_finds_each_device_and_no_other() {
    let header = IndexHeader { bundle: bundle(), records: 300, salt: [5; 8] };
    assert_eq!(IndexHeader::parse(&header.to_octets()).unwrap(), header);
    let mut rows: Vec<Row> = (0..300)
        .map(|index| Row {
            device: header.salted(Realm::Rehearsal, &lineage(index).device),
            shard: index / 100,
            record: index,
            leaf: Digest::of(&index.to_be_bytes()),
        })
        .collect();
    rows.sort();
    let octets: Vec<u8> = rows.iter().flat_map(Row::to_octets).collect();
    let read = |n: u64| Row::parse(&octets[n as usize * index::ROW_OCTETS..][..index::ROW_OCTETS]);
    for index in 0..300 {
        let wanted = header.salted(Realm::Rehearsal, &lineage(index).device);
        assert_eq!(index::find(&header, &wanted, read).unwrap().unwrap().record, index);
    }
    let other = header.salted(Realm::Production, &lineage(0).device);
    assert_eq!(index::find(&header, &other, read).unwrap(), None);
    let mut wrong = header.to_octets();
    wrong[20 + 16] ^= 1;
    assert!(IndexHeader::parse(&wrong).is_err(), "another version");
}

#[test]
fn device_ids_are_one_word() {
    for good in ["A", "LAMP-00000001", "9f3c.01:02", &"x".repeat(64)] {
        assert_eq!(DeviceId::parse(good).unwrap().as_str(), good);
    }
    for bad in ["", "-x", ".x", "a b", "a/b", "a_b", "ä", &"x".repeat(65), "a\n"] {
        assert!(DeviceId::parse(bad).is_err(), "{bad:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn a_changed_octet_is_another_record_or_none(position in any::<prop::sample::Index>(), change in 1..=255u8) {
        let octets = written(&record(5));
        let mut other = octets.clone();
        other[position.index(octets.len())] ^= change;
        if let Ok((read, used)) = Record::read(&other) {
            prop_assert_eq!(&written(&read)[..], &other[..used]);
            prop_assert_ne!(written(&read), octets);
        }
    }

    #[test]
    fn any_octets_are_read_without_a_panic(octets in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = Record::read(&octets);
        let _ = Lineage::parse(&octets);
        let _ = ShardHeader::read(&octets);
        let _ = Outcome::read(&octets);
        let _ = Manifest::parse(&octets);
        let _ = Order::parse(&octets);
        let _ = IndexHeader::parse(&octets);
        let _ = Row::parse(&octets);
    }
}
