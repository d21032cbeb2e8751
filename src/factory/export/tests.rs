//! What an export refuses, and what it takes from where. Other tools read the exports in `tests/it/bundles/exports.rs` and `tests/py/station_exports.py`.

use super::options::Options;
use super::setup::{Setup, passcode};
use crate::basics::{Digest, Secret};
use crate::factory::record::DeviceKey;
use crate::factory::{BundleId, DeviceId, Firmware, Lineage, Record};
use std::collections::BTreeMap;

fn record(extras: &[(&str, &[u8])]) -> Record {
    let device = DeviceId::parse("LAMP-1").unwrap();
    let firmware = Firmware { version: "1.4.0".to_owned(), sha256: Digest::of(b"firmware") };
    let lineage = Lineage {
        device: device.clone(),
        product: "lamp".to_owned(),
        sku: "LAMP-W".to_owned(),
        firmware,
        bundle: BundleId::from_octets([7; 16]),
        order: Digest::of(b"order"),
        hardware: BTreeMap::new(),
        replaces: None,
    };
    let extras = extras.iter().map(|(name, value)| ((*name).to_owned(), Secret::take(value.to_vec()))).collect();
    Record { index: 0, device, certificate: Vec::new(), key: DeviceKey::None, lineage, extras }
}

fn options(text: &str) -> Result<Options, String> {
    Options::parse(format!("format = \"anchorite-export/1\"\n{text}").as_bytes()).map_err(|e| e.to_string())
}

fn verifier() -> Vec<u8> {
    let mut verifier = vec![1; 97];
    verifier[32] = 4;
    verifier
}

fn commissioning(discriminator: u16) -> String {
    let (salt, verifier) = ("5a".repeat(16), crate::basics::digest::hex_encode(&verifier()));
    format!(
        "[commissioning]\ndiscriminator = {discriminator}\niterations = 10000\nsalt = \"{salt}\"\nverifier = \"{verifier}\"\n"
    )
}

#[test]
fn what_a_record_holds_and_what_the_options_say_must_agree() {
    let empty = record(&[]);
    assert!(Setup::of(&empty, &options("").unwrap()).unwrap().is_none());
    let given = options(&commissioning(3_840)).unwrap();
    assert_eq!(Setup::of(&empty, &given).unwrap().unwrap().discriminator, 3_840);
    let verifier = verifier();
    let all: [(&str, &[u8]); 4] =
        [("discriminator", b"3840"), ("iterations", b"10000"), ("salt", &[0x5a; 16]), ("verifier", &verifier)];
    assert_eq!(Setup::of(&record(&all), &given).unwrap().unwrap().iterations, 10_000, "the same twice");
    assert!(Setup::of(&record(&all), &Options::default()).unwrap().is_some());
    let differs = Setup::of(&record(&[("discriminator", b"3841")]), &given).err().unwrap().to_string();
    assert!(differs.contains("discriminator of LAMP-1: expected the record's value in the options"), "{differs}");
    let part = Setup::of(&record(&all[..2]), &Options::default()).err().unwrap().to_string();
    assert!(part.contains("found no salt, no verifier"), "{part}");
}

#[test]
fn values_out_of_range_are_refused_and_never_shown() {
    for (name, value) in [
        ("discriminator", &b"4096"[..]),
        ("discriminator", b"0x10"),
        ("discriminator", b"007"),
        ("iterations", b"999"),
        ("salt", &[1; 15]),
        ("verifier", &[4; 96]),
        ("verifier", &[1; 97]),
    ] {
        let message = Setup::of(&record(&[(name, value)]), &Options::default()).err().unwrap().to_string();
        assert!(message.contains(&format!("{name} of LAMP-1: expected")), "{message}");
    }
    for bad in ["0", "00000001", "11111111", "77777777", "12345678", "87654321", "99999999", "+1", "123456789", ""] {
        let message = passcode(&record(&[("passcode", bad.as_bytes())])).err().unwrap().to_string();
        assert!(message.contains("passcode of LAMP-1: expected") && !message.contains("12345678"), "{message}");
    }
    assert!(passcode(&record(&[("passcode", b"20202021")])).unwrap().is_some());
    assert!(passcode(&record(&[])).unwrap().is_none());
}

#[test]
fn options_are_read_strictly() {
    assert!(options("vendor_name = \"Example\"\ndate = \"2026-11-26\"\nhw_ver = 1\n").is_ok());
    for (text, expected) in [
        ("vendor = \"Example\"\n", "line 2: unknown field `vendor`"),
        ("date = \"2026-13-26\"\n", "options: date: expected a day like 2026-11-26"),
        ("date = \"26.11.2026\"\n", "options: date: expected a day like 2026-11-26"),
        ("hw_ver = 65536\n", "line 2:"),
        ("vendor_name = \"\"\n", "vendor_name: expected 1 to 32 visible octets"),
        ("product_name = \"a\\u202eb\"\n", "product_name: expected 1 to 32 visible octets"),
        ("[manufacturer]\norganization = \" x\"\n", "manufacturer.organization: expected 1 to 64 visible octets"),
    ] {
        let message = options(text).err().unwrap();
        assert!(message.contains(expected), "{text}: {message}");
    }
    assert!(Options::parse(b"format = \"anchorite-export/2\"\n").is_err());
    assert!(Options::parse(&vec![b'#'; 70_000]).is_err());
}
