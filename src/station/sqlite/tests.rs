//! A store is made on purpose and kept.

use crate::basics::Digest;
use crate::station::StationError;
use crate::station::sqlite::SqliteStore;
use crate::station::state::State;
use crate::station::store::Store;
use crate::station::store::{Bundle, Identity, Pick};

#[test]
fn a_store_is_never_overwritten_and_never_made_by_accident() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.sqlite");
    assert!(matches!(SqliteStore::open(&path), Err(StationError::Missing(_))));
    assert!(!path.exists());
    SqliteStore::create(&path, &[("store", "x")]).unwrap();
    assert!(matches!(SqliteStore::create(&path, &[]), Err(StationError::Exists(_))));
    let mut store = SqliteStore::open(&path).unwrap();
    assert_eq!(store.view().unwrap().value("store").unwrap().as_deref(), Some("x"));
}

/// The next identity is one row of an index, however many come before it: of the bundle, and of others.
#[test]
fn the_next_identity_is_found_without_reading_the_ones_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = SqliteStore::create(&folder.path().join("store.sqlite"), &[]).unwrap();
    let mut tx = store.begin().unwrap();
    for number in 1..=2_u8 {
        let digest = Digest::of(&[number]);
        tx.add_bundle(&Bundle {
            bundle: format!("bundle-{number}"),
            seq: u64::from(number),
            manifest: digest,
            order: digest,
            product: "lamp".to_owned(),
            sku: "W".to_owned(),
            recipient: String::new(),
            count: 50_000,
            expires: 1,
            nonce: digest,
            by_device: false,
        })
        .unwrap();
        let identity = |index: u32| Identity {
            id: 0,
            bundle: format!("bundle-{number}"),
            shard: 0,
            index,
            device: format!("D{number}-{index}"),
            record: Digest::of(format!("{number}/{index}").as_bytes()),
            spki: Vec::new(),
            offset: 0,
            octets: 0,
            state: if number == 2 && index == 49_999 { State::Released } else { State::Reserved },
            line: 1,
            since: 0,
            hardware: Vec::new(),
        };
        tx.add_identities(&(0..50_000).map(identity).collect::<Vec<_>>()).unwrap();
    }
    tx.commit().unwrap();
    let mut tx = store.view().unwrap();
    let began = std::time::Instant::now();
    for _ in 0..200 {
        let next = tx.first_released("bundle-2", Pick::Next).unwrap().unwrap();
        assert_eq!(next.device, "D2-49999");
        assert_eq!(tx.first_released("bundle-2", Pick::Device("D2-49999")).unwrap(), Some(next));
    }
    // A scan of 100,000 rows takes some milliseconds, a row of an index some microseconds.
    let took = began.elapsed().as_micros() / 400;
    assert!(took < 1_000, "{took} microseconds for each");
}
