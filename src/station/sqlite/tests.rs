//! A store is made on purpose and kept.

use crate::station::StationError;
use crate::station::sqlite::SqliteStore;
use crate::station::store::Store;

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
