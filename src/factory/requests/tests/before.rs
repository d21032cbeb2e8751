//! What a chain issued before is in the way of what a factory asks for now: devices, hardware and keys. Each case is one request that is accepted
//! where nothing was issued before, so that what refuses it is the record before and nothing else.

use crate::basics::{Digest, Instant, Realm};
use crate::factory::requests::{Collected, Judge, Known, Statement, Verdict};
use crate::factory::{BundleId, DeviceId, Firmware, IssuedRecord, Lineage, Order, Refusal};
use crate::keys::{Algorithm, SigningKey};
use crate::pki::{Subject, certificate, oids};
use std::collections::BTreeMap;

const BUNDLE: BundleId = BundleId::from_octets([7; 16]);
const OTHER: BundleId = BundleId::from_octets([8; 16]);

fn device(id: &str) -> DeviceId {
    DeviceId::parse(id).unwrap()
}

fn key(seed: u8) -> SigningKey {
    // Not the seed itself, of which published keys are made.
    let material = Digest::of(&[seed, 0x5a]);
    SigningKey::from_material(
        Algorithm::EcdsaP256,
        &[*material.octets(); 2].concat()[..Algorithm::EcdsaP256.material_octets()],
    )
    .unwrap()
}

/// Two devices of a list; with `replaces` it replaces records 3 and 4 of [`BUNDLE`].
fn order(replaces: bool) -> Order {
    let text = include_str!("../../../../ceremony-scripts/factory-csr/rehearsal/meters-1.order.toml")
        .replace("count = 12", "count = 2")
        .replace("hardware_kind = \"soc\"\n", "")
        .replace(
            "devices = { prefix = \"METER-\", first = 1, digits = 8 }",
            "hardware_ids = [\"METER-1\", \"METER-2\"]",
        );
    let more = if replaces {
        format!("[replaces]\nbundle = \"{}\"\nrecords = \"3-4\"\n", BUNDLE.hex())
    } else {
        String::new()
    };
    Order::parse(format!("{text}{more}").as_bytes()).unwrap()
}

fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    let head = match content.len() {
        short @ 0..=127 => vec![tag, short as u8],
        128..=255 => vec![tag, 0x81, length[1]],
        _ => vec![tag, 0x82, length[0], length[1]],
    };
    [head, content].concat()
}

/// A request for a device as its factory collects it: PKCS#10 with the device's serial number and the order's nonce.
fn collected(id: &str, soc: &str, seed: u8) -> Collected {
    let (key, nonce) = (key(seed), order(false).nonce.unwrap().hex());
    let number = tlv(0x30, &[b"\x06\x03\x55\x04\x05", &tlv(0x13, &[id.as_bytes()])]);
    let subject = tlv(0x30, &[&tlv(0x31, &[&number])]);
    let values = tlv(0x31, &[&tlv(0x13, &[nonce.as_bytes()])]);
    let nonce = tlv(0x30, &[b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x07", &values]);
    let info = tlv(0x30, &[b"\x02\x01\x00", &subject, key.public_key().spki_der(), &tlv(0xa0, &[&nonce])]);
    let algorithm = der::Encode::to_der(&oids::signature_identifier(Algorithm::EcdsaP256)).unwrap();
    let request = tlv(0x30, &[&info, &algorithm, &tlv(3, &[b"\0", &key.sign(&info).unwrap()])]);
    let hardware = BTreeMap::from([("soc".to_owned(), soc.to_owned())]);
    Collected { device: device(id), hardware, request, attestation: Vec::new(), signature: Vec::new() }
}

/// What was kept of an identity.
fn issued(index: u32, id: &str, soc: &str, seed: u8) -> IssuedRecord {
    let subject = Subject::authority(Some("SE"), "Example Devices", id);
    let made = certificate::own_signer(Realm::Rehearsal, &subject, &key(seed), &[0x41; 20], Instant(0)).unwrap();
    let lineage = Lineage {
        device: device(id),
        product: "meter".to_owned(),
        sku: "METER-3P".to_owned(),
        firmware: Firmware { version: "1.0.0".to_owned(), sha256: Digest::of(b"firmware") },
        bundle: BUNDLE,
        order: Digest::of(b"order"),
        hardware: BTreeMap::from([("soc".to_owned(), soc.to_owned())]),
        replaces: None,
    };
    IssuedRecord { index, device: device(id), certificate: made.der().to_vec(), lineage: lineage.to_octets() }
}

/// The words for which the request is refused, none where it is accepted, after this record was seen.
fn words(replaces: bool, before: Option<(BundleId, &IssuedRecord, bool)>) -> Result<Vec<String>, Refusal> {
    let (order, request) = (order(replaces), collected("METER-1", "9f-01", 1));
    let statement = Statement { count: 1, ..super::statement() };
    let mut judge = Judge::new(&order, Digest::of(b"order"), &statement, Known::default(), Instant(1), 8)?;
    judge.count(&request);
    if let Some((bundle, record, stands)) = before {
        judge.issued_before(&bundle, record, stands)?;
    }
    Ok(match judge.judge(&request, &mut |_| ()) {
        Verdict::Accepted(_) => Vec::new(),
        Verdict::Refused(refused) => refused.reasons.iter().map(|why| why.word.clone()).collect(),
    })
}

fn after(record: &IssuedRecord, stands: bool) -> Vec<String> {
    words(false, Some((BUNDLE, record, stands))).unwrap()
}

#[test]
fn a_device_whose_certificate_stands_gets_no_other() {
    assert_eq!(words(false, None).unwrap(), [""; 0], "accepted where nothing was issued before");
    let same = issued(0, "METER-1", "other", 2);
    assert_eq!(after(&same, true), ["device-stands"]);
    assert!(after(&same, false).is_empty(), "revoked or replaced: it may have another");
    assert!(after(&issued(0, "METER-11", "other", 2), true).is_empty(), "another device's");
}

#[test]
fn hardware_whose_certificate_stands_gets_no_other_however_it_is_spelled_and_whatever_it_is_called() {
    for soc in ["9f-01", "9F:01", "9f..01"] {
        let other = issued(0, "METER-9", soc, 2);
        assert_eq!(after(&other, true), ["hardware-stands"], "{soc}");
        assert!(after(&other, false).is_empty(), "{soc}");
    }
    assert!(after(&issued(0, "METER-9", "9f01", 2), true).is_empty(), "of this kind, parts count");
    assert_eq!(after(&issued(0, "METER-1", "9f-01", 2), true), ["device-stands", "hardware-stands"]);
}

#[test]
fn a_key_is_certified_once_whatever_became_of_it() {
    let same = issued(0, "METER-9", "other", 1);
    assert_eq!(after(&same, true), ["key-certified-before"]);
    assert_eq!(after(&same, false), ["key-certified-before"]);
    assert_eq!(words(true, Some((BUNDLE, &issued(3, "METER-1", "9f-01", 1), true))).unwrap(), ["key-certified-before"]);
}

#[test]
fn only_the_records_that_an_order_replaces_may_stand_beside_what_it_asks_for() {
    let same = |index| issued(index, "METER-1", "9f-01", 2);
    let both = ["device-stands", "hardware-stands"];
    assert!(words(true, None).unwrap().is_empty());
    for replaced in [3, 4] {
        assert!(words(true, Some((BUNDLE, &same(replaced), true))).unwrap().is_empty(), "record {replaced}");
        assert_eq!(words(false, Some((BUNDLE, &same(replaced), true))).unwrap(), both, "no order replaces it");
        assert_eq!(words(true, Some((OTHER, &same(replaced), true))).unwrap(), both, "of another bundle");
    }
    for beside in [0, 2, 5] {
        assert_eq!(words(true, Some((BUNDLE, &same(beside), true))).unwrap(), both, "record {beside}");
    }
}

#[test]
fn what_was_kept_is_read_or_nothing_is_judged() {
    let good = issued(0, "METER-9", "other", 2);
    let certificate = IssuedRecord { certificate: good.certificate[1..].to_vec(), ..good.clone() };
    for stands in [true, false] {
        let refusal = words(false, Some((BUNDLE, &certificate, stands))).unwrap_err().to_string();
        assert!(refusal.contains("issued records: expected a certificate"), "{refusal}");
    }
    let lineage = IssuedRecord { lineage: good.lineage[1..].to_vec(), ..good };
    assert!(words(false, Some((BUNDLE, &lineage, true))).is_err());
}
