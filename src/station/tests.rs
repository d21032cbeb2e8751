//! The station from draw to receipt, with records whose certificates nobody reads; importing real ones is judged by
//! `tests/py/station_factory.py`.

use crate::basics::{Digest, Instant, Realm, Secret};
use crate::factory::enrolment::ManifestSigner;
use crate::factory::record::{DeviceKey, possession_message};
use crate::factory::{BundleId, DeviceId, Firmware, Lineage, Receipt, Record, ShardHeader, manifest, receipt, shard};
use crate::keys::recipient::RecipientKind;
use crate::keys::ssh::{SshSigningKey, verify};
use crate::keys::{Algorithm, SigningKey};
use crate::station::chain::What;
use crate::station::draw::Wanted;
use crate::station::home::NewStation;
use crate::station::state::State;
use crate::station::store::{Bundle, Identity};
use crate::station::{Station, StationError};
use crate::strongroom::sealing;
use std::path::{Path, PathBuf};

mod clock;
mod handing_over;

const REALM: Realm = Realm::Rehearsal;
const NOW: Instant = Instant(1_795_000_000_000);
const ROOT: &str = include_str!("../../transcripts/root-ca/artifacts/root-2026.crt.pem");

struct Factory {
    _folder: tempfile::TempDir,
    path: PathBuf,
    open: Option<Station>,
}

fn key(index: u32) -> SigningKey {
    let mut material = [9; 64];
    material[..4].copy_from_slice(&index.to_be_bytes());
    SigningKey::from_material(Algorithm::Ed25519, &material).unwrap()
}

impl Factory {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("station");
        let signer =
            ManifestSigner { key: SshSigningKey::from_seed(&[1; 32]).unwrap().public(), who: "ada".to_owned() };
        let station = Station::create(NewStation {
            folder: &path,
            anchor: None,
            database: None,
            password: None,
            factory: "lyon",
            realm: REALM,
            root_pem: ROOT,
            signers: vec![signer],
            threshold: 1,
            recipient: RecipientKind::X25519,
            now: NOW,
        })
        .unwrap();
        Self { _folder: folder, path, open: Some(station) }
    }

    /// A bundle as an import leaves it.
    fn stocked(count: u32) -> (Self, String) {
        let mut factory = Self::new();
        let bundle = factory.stock(1, count);
        (factory, bundle)
    }

    fn stock(&mut self, number: u8, count: u32) -> String {
        let id = BundleId::from_octets([number; 16]);
        let recipient = self.station().recipients().unwrap()[0].1.clone();
        let folder = self.station().bundle_folder(&id.hex());
        std::fs::create_dir_all(folder.join("shards")).unwrap();
        let header = ShardHeader {
            realm: REALM,
            bundle: id,
            shard: 0,
            first: 0,
            count,
            factory: "lyon".to_owned(),
            recipient: recipient.clone(),
        };
        let records: Vec<Record> = (0..count).map(|index| record(id, index)).collect();
        let sealed = sealing::seal(&recipient, &Secret::take(shard::write(&header, &records).to_vec())).unwrap();
        std::fs::write(folder.join(manifest::shard_name(0)), sealed).unwrap();
        let bundle = Bundle {
            bundle: id.hex(),
            seq: u64::from(number),
            manifest: Digest::of(b"manifest"),
            order: Digest::of(b"order"),
            product: "lamp".to_owned(),
            sku: "W".to_owned(),
            recipient,
            count: u64::from(count),
            expires: NOW.0 + 1_000_000,
            nonce: Digest::of(b"nonce"),
            by_device: false,
        };
        let mut offset = header.to_octets().len() as u64;
        self.station()
            .change(NOW, |book| {
                book.tx.add_bundle(&bundle)?;
                for record in &records {
                    let mut octets = zeroize::Zeroizing::new(Vec::new());
                    record.write(&mut octets);
                    book.tx.add_identities(&[Identity {
                        id: 0,
                        bundle: id.hex(),
                        shard: 0,
                        index: record.index,
                        device: record.device.to_string(),
                        record: record.digest(REALM),
                        spki: key(record.index).public_key().spki_der().to_vec(),
                        offset,
                        octets: octets.len() as u32,
                        state: State::Sealed,
                        line: 0,
                        since: 0,
                        hardware: vec![format!("soc=9f-{}", record.index)],
                    }])?;
                    offset += octets.len() as u64;
                }
                book.write(&What::Imported {
                    bundle: id.hex(),
                    bundle_seq: u64::from(number),
                    count: u64::from(count),
                    manifest: bundle.manifest,
                    order: bundle.order,
                    records_root: Digest::of(b"root"),
                })
            })
            .unwrap();
        id.hex()
    }

    fn draw(&mut self, line: u32) -> Result<(String, Digest, Digest), StationError> {
        let drawn = self.station().draw(&Wanted { line, ..Wanted::default() }, NOW)?;
        let DeviceKey::Pkcs8(held) = &drawn.record.key else { panic!("a key") };
        assert!(held.same_as(key(drawn.identity.index).to_pkcs8_der().unwrap().expose()), "the key of this device");
        Ok((drawn.identity.device, drawn.nonce, drawn.identity.record))
    }

    fn station(&mut self) -> &mut Station {
        self.open.as_mut().unwrap()
    }

    /// Nobody has the store open: what is written into its files now is what is there.
    fn close(&mut self) {
        self.open = None;
    }

    fn reopen(&mut self) {
        self.close();
        self.open = Some(Station::open(&self.path).unwrap());
    }
}

fn record(bundle: BundleId, index: u32) -> Record {
    let device = DeviceId::parse(&format!("D{}-{index}", bundle.octets()[0])).unwrap();
    let lineage = Lineage {
        device: device.clone(),
        product: "lamp".to_owned(),
        sku: "W".to_owned(),
        firmware: Firmware { version: "1".to_owned(), sha256: Digest::of(b"f") },
        bundle,
        order: Digest::of(b"order"),
        hardware: std::collections::BTreeMap::new(),
        replaces: None,
    };
    let key = DeviceKey::Pkcs8(key(index).to_pkcs8_der().unwrap());
    Record { index, device, certificate: vec![0x30; 500], key, lineage, extras: std::collections::BTreeMap::new() }
}

fn copied(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name().to_string_lossy().starts_with("store.sqlite") {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

/// Puts the octets of saved files back into the files that are there: same inodes, older content, as a snapshot does.
fn put_back(saved: &Path, station: &Path) {
    for name in ["store.sqlite", "store.sqlite-wal", "store.sqlite-shm"] {
        let octets = std::fs::read(saved.join(name)).unwrap_or_default();
        std::fs::write(station.join(name), octets).unwrap();
    }
}

#[test]
fn identities_come_out_in_order_each_once_and_only_once_released() {
    let (mut factory, bundle) = Factory::stocked(5);
    assert!(matches!(factory.draw(1), Err(StationError::NothingReleased(_))), "sealed is not released");
    assert_eq!(factory.station().release(&bundle, 3, false, NOW).unwrap(), 3);
    let drawn: Vec<String> = (0..3).map(|line| factory.draw(line + 1).unwrap().0).collect();
    assert_eq!(drawn, ["D1-0", "D1-1", "D1-2"]);
    assert!(matches!(factory.draw(1), Err(StationError::NothingReleased(_))));
    assert_eq!(factory.station().release(&bundle, 9, false, NOW).unwrap(), 2);
    factory.reopen();
    assert_eq!(factory.draw(7).unwrap().0, "D1-3");
    let checked = factory.station().check().unwrap();
    assert_eq!((checked.states[&State::Reserved], checked.states[&State::Released]), (4, 1));
    // Opened, imported, released, three draws, released, a draw.
    assert_eq!(checked.entries, 8);
}

#[test]
fn a_record_that_does_not_open_stays_reserved_and_is_offered_to_nobody() {
    let (mut factory, bundle) = Factory::stocked(3);
    factory.station().release(&bundle, 9, false, NOW).unwrap();
    let path = factory.station().bundle_folder(&bundle).join("shards/00000.age");
    let good = std::fs::read(&path).unwrap();
    let mut bad = good.clone();
    let at = bad.len() - 40;
    bad[at] ^= 1;
    std::fs::write(&path, bad).unwrap();
    assert!(matches!(factory.draw(1), Err(StationError::Unopened { .. })));
    std::fs::write(&path, good).unwrap();
    assert_eq!(factory.draw(1).unwrap().0, "D1-1");
    let said = factory.station().say("D1-0", State::Scrapped, "shard did not open", NOW).unwrap();
    assert_eq!((said.state, said.line), (State::Scrapped, 1));
    // A record of another place in the same shard is not the one that was imported.
    factory.station().change(NOW, |book| book.tx.set_value("x", "y")).unwrap();
    let connection = rusqlite::Connection::open(factory.path.join("store.sqlite")).unwrap();
    connection
        .execute(
            "UPDATE identities SET start = (SELECT start FROM identities WHERE device = 'D1-0') WHERE device = 'D1-2'",
            [],
        )
        .unwrap();
    let refused = factory.draw(1).unwrap_err().to_string();
    assert!(refused.contains("expected the record"), "{refused}");
}

#[test]
fn a_proof_is_that_of_the_device_over_its_own_nonce_and_record() {
    let (mut factory, bundle) = Factory::stocked(3);
    factory.station().release(&bundle, 9, false, NOW).unwrap();
    let (device, nonce, record) = factory.draw(2).unwrap();
    let (other, other_nonce, other_record) = factory.draw(2).unwrap();
    let proof = key(0).sign(&possession_message(&nonce, &record)).unwrap();
    for bad in [
        key(1).sign(&possession_message(&nonce, &record)).unwrap(),
        key(0).sign(&possession_message(&other_nonce, &record)).unwrap(),
        key(0).sign(&possession_message(&nonce, &other_record)).unwrap(),
        Vec::new(),
    ] {
        assert!(matches!(factory.station().confirm(&device, &bad, NOW), Err(StationError::Refused(_))));
    }
    assert_eq!(factory.station().confirm(&device, &proof, NOW).unwrap().state, State::Verified);
    assert!(matches!(factory.station().confirm(&device, &proof, NOW), Err(StationError::WrongState { .. })), "once");
    assert_eq!(factory.station().say(&other, State::Injected, "", NOW).unwrap().state, State::Injected);
    let unknown = factory.station().confirm("nobody", &proof, NOW);
    assert!(matches!(unknown, Err(StationError::Unknown { .. })));
    // A device that proves a key this store never gave out: the store is not the one that gave it.
    let third = factory.station().look(|tx| tx.find("D1-2")).unwrap()[0].clone();
    let nonce = crate::factory::record::possession_nonce(REALM, &Digest::of(b"nonce"), 2);
    let early = key(2).sign(&possession_message(&nonce, &third.record)).unwrap();
    let refused = factory.station().confirm("D1-2", &early, NOW).unwrap_err().to_string();
    assert!(refused.contains("never given out"), "{refused}");
    let again = factory.station().confirm("D1-2", &early, NOW).unwrap_err().to_string();
    assert!(again.contains("never given out"), "said twice, it is no proof either: {again}");
    assert!(matches!(factory.draw(1), Err(StationError::NothingReleased(_))), "and it is offered to nobody now");
    let status = factory.station().status(NOW).unwrap();
    assert_eq!((status.refusals["bad-signature"], status.refusals["replay"]), (4, 2));
    assert_eq!((status.today.verified, status.lines[0].line, status.lines[0].per_hour), (1, 2, 1));
    factory.station().check().unwrap();
}

#[test]
fn nothing_is_drawn_from_an_expired_bundle_or_of_two_products_without_saying_which() {
    let (mut factory, bundle) = Factory::stocked(2);
    factory.station().release(&bundle, 9, false, NOW).unwrap();
    let late = factory.station().draw(&Wanted { line: 1, ..Wanted::default() }, Instant(NOW.0 + 1_000_000));
    assert!(late.err().unwrap().to_string().contains("expired"));
    let by_device = Wanted { line: 1, device: Some("D1-0"), ..Wanted::default() };
    let error = factory.station().draw(&by_device, NOW).err().unwrap();
    assert!(error.to_string().contains("released in order") && error.hint().contains("--by-device"), "{error}");
    let second = factory.stock(2, 1);
    factory.station().release(&second, 9, false, NOW).unwrap();
    let connection = rusqlite::Connection::open(factory.path.join("store.sqlite")).unwrap();
    connection.execute("UPDATE bundles SET sku = 'X' WHERE seq = 2", []).unwrap();
    let refused = factory.draw(1).unwrap_err().to_string();
    assert!(refused.contains("lamp W, lamp X"), "{refused}");
    let wanted = Wanted { line: 1, bundle: Some(&second), ..Wanted::default() };
    assert_eq!(factory.station().draw(&wanted, NOW).unwrap().identity.device, "D2-0");
}

#[test]
fn by_device_id_each_is_drawn_for_its_own_device_only() {
    let (mut factory, bundle) = Factory::stocked(3);
    factory.station().release(&bundle, 9, true, NOW).unwrap();
    assert!(matches!(factory.draw(1), Err(StationError::NothingReleased(_))), "not in order");
    let wanted = Wanted { line: 1, device: Some("D1-2"), ..Wanted::default() };
    assert_eq!(factory.station().draw(&wanted, NOW).unwrap().identity.index, 2);
    assert!(matches!(factory.station().draw(&wanted, NOW), Err(StationError::NothingReleased(_))), "once");
    let said = factory.station().draw(&wanted, NOW).err().unwrap().to_string();
    assert!(said.contains("D1-2 is not released here: it was drawn already, on line 1, and is reserved"), "{said}");
    let nobody = Wanted { line: 1, device: Some("D1-9"), ..Wanted::default() };
    let said = factory.station().draw(&nobody, NOW).err().unwrap().to_string();
    assert!(said.contains("D1-9 is not released here: no bundle"), "{said}");
    let by_hardware = Wanted { line: 1, hardware: Some("soc=9f-1"), ..Wanted::default() };
    assert_eq!(factory.station().draw(&by_hardware, NOW).unwrap().identity.index, 1);
    assert!(matches!(factory.station().draw(&by_hardware, NOW), Err(StationError::NothingReleased(_))), "once");
    factory.station().release(&bundle, 9, false, NOW).unwrap();
    assert!(matches!(factory.draw(1), Err(StationError::NothingReleased(_))), "and not the other way afterwards");
    factory.station().check().unwrap();
}

#[test]
fn an_older_state_that_was_put_back_is_refused_until_reconciled_and_then_repeats_none() {
    let (mut factory, bundle) = Factory::stocked(40);
    factory.station().release(&bundle, 99, false, NOW).unwrap();
    let saved = tempfile::tempdir().unwrap();
    let mut drawn = std::collections::BTreeSet::new();
    for _ in 0..5 {
        assert!(drawn.insert(factory.draw(1).unwrap().0));
    }
    copied(&factory.path, saved.path());
    for _ in 0..7 {
        assert!(drawn.insert(factory.draw(1).unwrap().0));
    }
    factory.close();
    put_back(saved.path(), &factory.path);
    factory.reopen();
    let refused = factory.draw(1).unwrap_err();
    assert!(matches!(refused, StationError::Restored { expected: 15, found: 8 }), "{refused}");
    assert!(factory.station().status(NOW).unwrap().problem.contains("older state"));
    assert!(factory.station().release(&bundle, 1, false, NOW).is_err(), "nothing at all is changed");
    let done = Station::reconcile(&factory.path, "the disk was restored", None, NOW).unwrap();
    assert_eq!((done.behind, done.withdrawn), (7, 7));
    assert!(Station::reconcile(&factory.path, "again", None, NOW).is_err(), "there is nothing left to reconcile");
    factory.reopen();
    while let Ok((device, _, _)) = factory.draw(1) {
        assert!(drawn.insert(device.clone()), "{device} twice");
    }
    assert_eq!(drawn.len(), 40);
    let checked = factory.station().check().unwrap();
    assert_eq!((checked.states[&State::Lost], checked.states[&State::Reserved]), (7, 33));
}

#[test]
fn a_copy_of_the_store_another_history_and_a_lost_anchor_are_refused() {
    let (mut factory, bundle) = Factory::stocked(9);
    factory.station().release(&bundle, 99, false, NOW).unwrap();
    factory.draw(1).unwrap();
    let saved = tempfile::tempdir().unwrap();
    copied(&factory.path, saved.path());
    factory.close();
    // The same content in another file.
    for name in ["store.sqlite", "store.sqlite-wal", "store.sqlite-shm"] {
        let _ = std::fs::remove_file(factory.path.join(name));
    }
    copied(saved.path(), &factory.path);
    factory.reopen();
    assert!(matches!(factory.draw(1), Err(StationError::Copied)));
    assert_eq!(Station::reconcile(&factory.path, "moved to a new disk", None, NOW).unwrap().withdrawn, 0);
    factory.reopen();
    factory.draw(1).unwrap();
    // Put back, and gone on with: longer than the anchor, and not what it has seen.
    copied(&factory.path, saved.path());
    factory.draw(1).unwrap();
    factory.close();
    put_back(saved.path(), &factory.path);
    let anchor = factory.path.with_file_name("station.anchor");
    let kept = std::fs::read(&anchor).unwrap();
    Station::reconcile(&factory.path, "tried", None, NOW).unwrap();
    std::fs::write(&anchor, kept).unwrap();
    factory.reopen();
    assert!(matches!(factory.draw(1), Err(StationError::OtherHistory { .. })));
    assert!(
        Station::reconcile(&factory.path, "how many is not known", None, NOW).is_err(),
        "somebody must say how many"
    );
    assert_eq!(Station::reconcile(&factory.path, "at most two", Some(2), NOW).unwrap().withdrawn, 2);
    std::fs::remove_file(&anchor).unwrap();
    assert!(matches!(Station::open(&factory.path), Err(StationError::NoAnchor(_))));
    assert!(Station::reconcile(&factory.path, "anchor lost", None, NOW).is_err());
    Station::reconcile(&factory.path, "anchor lost", Some(1), NOW).unwrap();
    factory.reopen();
    factory.draw(1).unwrap();
    factory.station().check().unwrap();
}

#[test]
fn the_ledger_finds_every_change_that_its_entries_do_not_give() {
    for sql in [
        "UPDATE identities SET state = 'scrapped' WHERE device = 'D1-1'",
        "UPDATE identities SET line = 9 WHERE device = 'D1-0'",
        "DROP TRIGGER ledger_no_update; UPDATE ledger SET body = CAST(replace(CAST(body AS TEXT), '\"line\":1', '\"line\":2') AS BLOB) WHERE seq = 4",
        "DROP TRIGGER ledger_no_delete; DELETE FROM ledger WHERE seq = 3",
        "DROP TRIGGER ledger_no_update; UPDATE ledger SET head = zeroblob(32) WHERE seq = 2",
    ] {
        let (mut factory, bundle) = Factory::stocked(3);
        factory.station().release(&bundle, 9, false, NOW).unwrap();
        factory.draw(1).unwrap();
        factory.station().check().unwrap();
        let connection = rusqlite::Connection::open(factory.path.join("store.sqlite")).unwrap();
        connection.execute_batch(sql).unwrap();
        assert!(matches!(factory.station().check(), Err(StationError::Chain { .. })), "{sql}");
    }
    let (factory, _) = Factory::stocked(1);
    let connection = rusqlite::Connection::open(factory.path.join("store.sqlite")).unwrap();
    for sql in ["UPDATE ledger SET body = x'00'", "DELETE FROM ledger", "DELETE FROM identities"] {
        assert!(connection.execute_batch(sql).is_err(), "{sql}");
    }
    connection.execute_batch("UPDATE identities SET state = 'reserved'").unwrap();
    assert!(connection.execute_batch("UPDATE identities SET state = 'released'").is_err(), "never offered twice");
}

#[test]
fn a_receipt_counts_every_record_and_is_signed() {
    let (mut factory, bundle) = Factory::stocked(6);
    factory.station().release(&bundle, 4, false, NOW).unwrap();
    let (device, nonce, record) = factory.draw(3).unwrap();
    let proof = key(0).sign(&possession_message(&nonce, &record)).unwrap();
    factory.station().confirm(&device, &proof, NOW).unwrap();
    let (scrapped, _, _) = factory.draw(3).unwrap();
    factory.station().say(&scrapped, State::Scrapped, "solder", NOW).unwrap();
    let made = factory.station().receipt(&bundle, NOW).unwrap();
    let octets = std::fs::read(made.folder.join(receipt::NAME)).unwrap();
    let read = Receipt::parse(&octets).unwrap();
    let signature = std::fs::read_to_string(made.folder.join("receipt.json.sig")).unwrap();
    verify(&factory.station().home.receipt_key, &REALM.namespace("receipt"), &octets, &signature).unwrap();
    let outcomes = read.check_outcomes(&std::fs::read(made.folder.join(receipt::OUTCOMES)).unwrap()).unwrap();
    assert_eq!(outcomes[0].proof, proof);
    assert_eq!((outcomes[0].state, outcomes[0].line), (receipt::State::Verified, 3));
    assert_eq!(outcomes[1].state, receipt::State::Scrapped);
    let counted: Vec<u32> = read.states.values().copied().collect();
    assert_eq!(counted.iter().sum::<u32>(), 6);
    assert_eq!((read.states[&receipt::State::Sealed], read.states[&receipt::State::Released]), (2, 2));
    let checked = factory.station().check().unwrap();
    assert_eq!((read.ledger_head, read.ledger_entries), (checked.head, checked.entries));
    assert_eq!(checked.states[&State::Reported], 1);
    // A second one has the next number and still knows the first device.
    let second = factory.station().receipt(&bundle, NOW).unwrap();
    assert_eq!((second.receipt.sequence, second.receipt.states[&receipt::State::Verified]), (2, 1));
    // Died between the commit and the name: the next call gives it its name.
    let partial = second.folder.with_file_name(format!(".{bundle}-0002.partial"));
    std::fs::rename(&second.folder, &partial).unwrap();
    factory.station().receipt(&bundle, NOW).unwrap();
    assert!(second.folder.is_dir());
}

#[test]
fn destroying_a_recipients_key_shreds_what_was_not_drawn_of_its_bundles() {
    let (mut factory, bundle) = Factory::stocked(3);
    factory.station().release(&bundle, 2, false, NOW).unwrap();
    factory.draw(1).unwrap();
    let recipient = factory.station().recipients().unwrap()[0].1.clone();
    let fresh = factory.station().fresh_recipient(Some(RecipientKind::MlKem768X25519), NOW).unwrap();
    assert_eq!(factory.station().enrolment(NOW).unwrap().statement.recipient, fresh);
    assert_eq!(factory.station().shred(&recipient, NOW).unwrap(), 2);
    assert!(factory.station().identity_of(&recipient).is_err());
    assert!(matches!(factory.draw(1), Err(StationError::NothingReleased(_))));
    assert!(!std::fs::read_to_string(factory.path.join("recipient-1.key")).unwrap().contains("AGE-SECRET"));
    factory.reopen();
    assert_eq!(factory.station().recipients().unwrap().len(), 2, "numbers are not given again");
    let checked = factory.station().check().unwrap();
    assert_eq!(checked.states[&State::Destroyed], 2);
}
