//! Hardware ids: how they are written, and when two of one kind are the same. One rule for orders, requests, stations and the ledger;
//! `media/BUNDLE.md` has it.

use crate::basics::{Digest, Realm, limits};
use crate::factory::cbor::Writer;
use crate::factory::lineage::write_texts;
use crate::factory::{DeviceId, Refusal};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Hardware ids by kind.
pub type HardwareIds = BTreeMap<String, String>;

/// What people put between the parts of an id.
const SEPARATORS: [char; 6] = ['-', ':', '.', '_', '/', ' '];

/// Hexadecimal digits of an id of this kind, where the kind is known: a kind that ends in the word `mac` (`mac`, `wifi-mac`) or in `eui48` has
/// 12, one that ends in `eui64` has 16, whether written `eui64` or `eui-64`.
#[must_use]
pub fn digits(kind: &str) -> Option<usize> {
    let joined = kind.replace('-', "");
    match kind.rsplit('-').next() {
        Some("mac") => Some(12),
        _ if joined.ends_with("eui48") => Some(12),
        _ if joined.ends_with("eui64") => Some(16),
        _ => None,
    }
}

/// An id as it is written: of known kinds in lower-case digits without separators, of others as it is.
#[must_use]
pub fn written(kind: &str, id: &str) -> String {
    match digits(kind) {
        Some(_) => id.chars().filter(|c| !SEPARATORS.contains(c)).collect::<String>().to_ascii_lowercase(),
        None => id.to_owned(),
    }
}

/// What is the same for two spellings of one id: case does not count, nor which separators there are and how many in a row; of known kinds no
/// separator counts.
#[must_use]
pub fn same_for(kind: &str, id: &str) -> String {
    let id = written(kind, id).to_ascii_lowercase();
    let parts: Vec<&str> = id.split(SEPARATORS).filter(|part| !part.is_empty()).collect();
    format!("{kind}={}", parts.join("-"))
}

/// The same for device ids.
#[must_use]
pub fn same_device(id: &DeviceId) -> String {
    same_for("", id.as_str())
}

/// What is wrong with an id: what was expected. The kind is the asker's to name.
///
/// # Errors
/// Where kind or id are not written as they must be.
pub fn check(kind: &str, id: &str) -> Result<(), String> {
    let plain = |o: u8| o.is_ascii_lowercase() || o.is_ascii_digit() || o == b'-';
    if kind.is_empty() || kind.len() > limits::HARDWARE_KIND_OCTETS || !kind.bytes().all(plain) {
        return Err(format!("a kind of 1 to {} of a-z, 0-9 and \"-\"", limits::HARDWARE_KIND_OCTETS));
    }
    if let Some(digits) = digits(kind) {
        let hex = |o: u8| o.is_ascii_digit() || (b'a'..=b'f').contains(&o);
        let good = id.len() == digits && id.bytes().all(hex);
        return if good { Ok(()) } else { Err(format!("{digits} of 0-9, a-f, nothing between them")) };
    }
    let visible = id.bytes().all(|o| o == b' ' || o.is_ascii_graphic()) && id.trim() == id;
    let says = id.bytes().any(|o| o.is_ascii_alphanumeric());
    if !visible || !says || id.len() > limits::PRODUCT_OCTETS {
        return Err(format!(
            "1 to {} visible ASCII characters, none of them a space at an end",
            limits::PRODUCT_OCTETS
        ));
    }
    Ok(())
}

/// A device of an order that lists its devices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listed {
    pub id: DeviceId,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub hardware: HardwareIds,
}

impl From<DeviceId> for Listed {
    fn from(id: DeviceId) -> Self {
        Self { id, hardware: HardwareIds::new() }
    }
}

/// What stands for the devices of one shard: `tagged("batch-devices", realm, [id, id, ...])` where none has a hardware id, else
/// `tagged("batch-listed", realm, [octets])` over `82 <device id> <hardware ids>`, one after the other.
#[must_use]
pub fn list_digest(realm: Realm, devices: &[Listed]) -> Digest {
    if devices.iter().all(|device| device.hardware.is_empty()) {
        let parts: Vec<&[u8]> = devices.iter().map(|device| device.id.as_str().as_bytes()).collect();
        return Digest::tagged("batch-devices", realm, &parts);
    }
    let mut octets = Vec::new();
    let mut w = Writer::new(&mut octets);
    for device in devices {
        w.array(2).text(device.id.as_str());
        write_texts(&mut w, &device.hardware);
    }
    Digest::tagged("batch-listed", realm, &[&octets])
}

/// What is wrong with a list of devices: ids and hardware ids that are not written as they must be, or that two of them have. At most
/// [`limits::REFUSAL_REASONS`] of them.
#[must_use]
pub fn problems(key: &str, devices: &[Listed]) -> Vec<Refusal> {
    let (mut ids, mut hardware, mut problems) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    for device in devices {
        let what = |of: &str| format!("order: {key}: {}{of}", device.id);
        if !ids.insert(same_device(&device.id)) {
            problems.push(Refusal::malformed(what(""), "each device id once, in whatever spelling", "it twice"));
        }
        if device.hardware.len() as u64 > limits::HARDWARE_IDS {
            let expected = format!("at most {} hardware ids", limits::HARDWARE_IDS);
            problems.push(Refusal::malformed(what(""), expected, device.hardware.len()));
        }
        for (kind, id) in &device.hardware {
            let what = what(&format!(": {kind}"));
            if let Err(expected) = check(kind, id) {
                problems.push(Refusal::malformed(what, expected, format!("\"{id}\"")));
            } else if !hardware.insert(same_for(kind, id)) {
                problems.push(Refusal::malformed(
                    what,
                    "a hardware id of one device only, in whatever spelling",
                    format!("\"{id}\" twice"),
                ));
            }
        }
        if problems.len() >= limits::REFUSAL_REASONS {
            problems.truncate(limits::REFUSAL_REASONS);
            break;
        }
    }
    problems
}
