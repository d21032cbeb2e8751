//! Requests of a collection, judged one by one. Two passes: the first counts names and keys, so that of two requests for one device, or
//! with one key, neither is certified (nobody here can say which is the right one); the second judges. Pure: what stands is an argument.

use super::attestation::Roots;
use super::{Accepted, Collected, Found, Refused, Statement, Why, shard_digest};
use crate::basics::{Digest, Instant, limits};
use crate::factory::order::Attestation;
use crate::factory::{BundleId, DeviceId, IssuedRecord, Lineage, Order, Places, Refusal, hardware};
use crate::pki::Certificate;
use crate::pki::request::{self, Acceptable, Rules};
use std::collections::{BTreeMap, BTreeSet};

/// The PKCS#9 attribute that carries a nonce.
const CHALLENGE_PASSWORD: &str = "1.2.840.113549.1.9.7";
/// Octets of a print.
const PRINT: usize = 16;

/// Truncated digests of public keys, in order: the device keys that a chain has certified. A file of 16 octets each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prints(BTreeSet<[u8; PRINT]>);

impl Prints {
    /// # Errors
    /// Where the octets are not whole prints that rise.
    pub fn parse(octets: &[u8]) -> Result<Self, Refusal> {
        let refuse = || Refusal::malformed("device keys", "16 octets each, rising", "something else");
        let mut prints = BTreeSet::new();
        for print in octets.chunks(PRINT) {
            let print: [u8; PRINT] = print.try_into().map_err(|_| refuse())?;
            if prints.last().is_some_and(|last| *last >= print) {
                return Err(refuse());
            }
            prints.insert(print);
        }
        Ok(Self(prints))
    }

    #[must_use]
    pub fn to_octets(&self) -> Vec<u8> {
        self.0.iter().flatten().copied().collect()
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds the key of this SubjectPublicKeyInfo.
    pub fn add(&mut self, spki: &[u8]) {
        self.0.insert(print(spki));
    }

    #[must_use]
    pub fn has(&self, spki: &[u8]) -> bool {
        self.0.contains(&print(spki))
    }
}

fn print(octets: &[u8]) -> [u8; PRINT] {
    let digest = Digest::of(octets);
    std::array::from_fn(|n| digest.octets().get(n).copied().unwrap_or_default())
}

/// What was certified before: nobody gets a certificate for one of these keys.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// SHA-256 of the SubjectPublicKeyInfo of the chain's own keys.
    pub keys: BTreeSet<Digest>,
    pub devices: Prints,
}

/// What occurs, and what occurs more than once.
#[derive(Default)]
struct Counted {
    once: BTreeSet<[u8; PRINT]>,
    again: BTreeSet<[u8; PRINT]>,
}

impl Counted {
    fn count(&mut self, octets: &[u8]) {
        let print = print(octets);
        if !self.once.insert(print) {
            self.again.insert(print);
        }
    }

    fn has(&self, octets: &[u8]) -> bool {
        self.once.contains(&print(octets))
    }

    fn is_again(&self, octets: &[u8]) -> bool {
        self.again.contains(&print(octets))
    }
}

/// The judge of one collection.
pub struct Judge<'o> {
    order: &'o Order,
    order_digest: Digest,
    listed: BTreeSet<DeviceId>,
    roots: Roots,
    rules: Rules,
    known: request::Known,
    certified: Prints,
    devices: Counted,
    keys: Counted,
    hardware: Counted,
    /// Keys of the first certificates of attestations.
    attesters: Counted,
    /// Devices and hardware of the collection whose certificates stand, and which the order does not replace.
    standing: Counted,
    /// Places of the devices that have certificates to be replaced, in the order.
    places: BTreeMap<DeviceId, u32>,
    /// The place of the last one that was accepted.
    last: Option<u32>,
    found: Found,
    /// The accepted requests of the shard that is being filled.
    shard: Vec<u8>,
}

/// What became of one request.
pub enum Verdict {
    Accepted(Accepted),
    Refused(Refused),
}

impl<'o> Judge<'o> {
    /// A judge of the requests for this order. Whether the statement is the factory's and the order's, the asker has looked at.
    ///
    /// # Errors
    /// Where a certificate of the statement is none.
    pub fn new(
        order: &'o Order,
        order_digest: Digest,
        statement: &Statement,
        known: Known,
        now: Instant,
        shard_records: u32,
    ) -> Result<Self, Refusal> {
        let pinned = order.attestation_roots.iter().copied().collect();
        let (roots, shards) = (Roots { shared: statement.shared()?, pinned, now }, Vec::new());
        let replaced = order.replaces.as_ref().map(|_| Places::default());
        let found = Found { count: 0, accepted: 0, attested: 0, shard_records, shards, replaced, refused: Vec::new() };
        let listed = order.list().into_iter().map(|device| device.id).zip(0..);
        Ok(Self {
            order,
            order_digest,
            listed: order.listed(),
            roots,
            rules: Rules { keys: vec![order.algorithm.word().to_owned()], ..Rules::default() },
            known: request::Known { certified: known.keys, ..request::Known::default() },
            certified: known.devices,
            devices: Counted::default(),
            keys: Counted::default(),
            hardware: Counted::default(),
            attesters: Counted::default(),
            standing: Counted::default(),
            places: listed.filter(|_| order.replaces.is_some()).collect(),
            last: None,
            found,
            shard: Vec::new(),
        })
    }

    /// The first pass, over every request.
    pub fn count(&mut self, collected: &Collected) {
        self.devices.count(hardware::same_device(&collected.device).as_bytes());
        if let Some(spki) = request::key_octets(&collected.request) {
            self.keys.count(spki);
        }
        for (kind, id) in &collected.hardware {
            self.hardware.count(hardware::same_for(kind, id).as_bytes());
        }
        if let Some(Ok(certificate)) = collected.attestation.first().map(|der| Certificate::parse(der)) {
            self.attesters.count(certificate.subject_key().spki_der());
        }
    }

    /// Between the passes: a record of a bundle that was issued before. Its key is certified, whatever became of it; its device and hardware are
    /// not to have another certificate while this one `stands`, unless the order replaces it.
    ///
    /// # Errors
    /// Where certificate or lineage cannot be read.
    pub fn issued_before(&mut self, bundle: &BundleId, record: &IssuedRecord, stands: bool) -> Result<(), Refusal> {
        let refuse = |e: crate::pki::PkiError| Refusal::malformed("issued records", "a certificate", e);
        let certificate = Certificate::parse(&record.certificate).map_err(refuse)?;
        let spki = certificate.subject_key().spki_der();
        if self.keys.has(spki) || self.attesters.has(spki) {
            self.certified.add(spki);
        }
        let replaced = self.order.replaces.as_ref().filter(|replaced| replaced.bundle == *bundle);
        if !stands || replaced.is_some_and(|replaced| replaced.records.contains(record.index)) {
            return Ok(());
        }
        let device = hardware::same_device(&record.device);
        if self.devices.has(device.as_bytes()) {
            self.standing.count(device.as_bytes());
        }
        for (kind, id) in &Lineage::parse(&record.lineage)?.hardware {
            let name = hardware::same_for(kind, id);
            if self.hardware.has(name.as_bytes()) {
                self.standing.count(name.as_bytes());
            }
        }
        Ok(())
    }

    /// The same of a certificate in the log of a factory's own authority: its key is certified, and its device has one where it `stands`.
    pub fn logged_before(&mut self, certificate: &Certificate, device: Option<&DeviceId>, stands: bool) {
        let spki = certificate.subject_key().spki_der();
        if self.keys.has(spki) || self.attesters.has(spki) {
            self.certified.add(spki);
        }
        let device = device.filter(|_| stands).map(hardware::same_device);
        if let Some(device) = device.filter(|device| self.devices.has(device.as_bytes())) {
            self.standing.count(device.as_bytes());
        }
    }

    /// When the collection is judged.
    #[must_use]
    pub const fn at(&self) -> Instant {
        self.roots.now
    }

    /// The second pass, over every request in the same order. `filled` is given the accepted requests of a shard once it is full.
    pub fn judge(&mut self, collected: &Collected, filled: &mut dyn FnMut(Vec<u8>)) -> Verdict {
        let request = self.found.count;
        self.found.count += 1;
        let mut reasons = Vec::new();
        self.judge_names(collected, &mut reasons);
        let judged = request::judge(&collected.request, &self.rules, &self.known);
        reasons.extend(
            judged
                .reasons
                .iter()
                .map(|why| Why::new(why.word, format!("{} ({})", why.expected, why.what), why.found.as_str())),
        );
        let key = judged.acceptable.as_ref().map(Acceptable::key);
        if let Some(acceptable) = &judged.acceptable {
            self.judge_nonce(acceptable, &mut reasons);
            judge_subject(acceptable, &collected.device, &mut reasons);
        }
        if let Some(spki) = request::key_octets(&collected.request) {
            let digest = Digest::of(spki);
            if self.keys.is_again(spki) {
                reasons.push(Why::new(
                    "key-twice",
                    "a key of one request only",
                    &format!("SHA-256 {digest} in several"),
                ));
            }
            if self.certified.has(spki) {
                reasons.push(Why::new(
                    "key-certified-before",
                    "a key that was never certified",
                    &format!("SHA-256 {digest}"),
                ));
            }
        }
        let mut attested = false;
        match (self.order.attestation, collected.attestation.is_empty(), key) {
            (Some(_), false, Some(key)) => {
                let message = collected.attested_message(
                    self.order.realm,
                    &self.order_digest,
                    &self.order.nonce.unwrap_or_else(|| Digest::from_octets([0; 32])),
                );
                let of_a_device = |spki: &[u8]| self.keys.has(spki) || self.certified.has(spki);
                match self.roots.check(collected, key, &message, &of_a_device) {
                    Ok(()) => attested = true,
                    Err(why) => reasons.push(why),
                }
            }
            // A signature without the certificates of its key is an attestation that does not hold, not one that was left out.
            (Some(_), true, _) if !collected.signature.is_empty() => {
                reasons.push(Why::new(
                    "attestation-certificate",
                    "the attesting key's certificates",
                    "its signature alone",
                ));
            }
            (Some(Attestation::Required), true, _) => {
                reasons.push(Why::new("attestation-missing", "an attestation by a pinned root", "none"));
            }
            _ => {}
        }
        let place = self.places.get(&collected.device).copied();
        if let (Some(place), Some(last)) = (place, self.last)
            && place <= last
        {
            let expected = "requests in the order in which the order lists the devices whose certificates it replaces";
            reasons.push(Why::new("request-order", expected, &format!("{} after a later one", collected.device)));
        }
        let verdict = match key {
            Some(key) if reasons.is_empty() => Verdict::Accepted(Accepted {
                device: collected.device.clone(),
                attested,
                spki: key.spki_der().to_vec(),
                hardware: collected.hardware.clone(),
            }),
            _ => {
                reasons.truncate(limits::REFUSAL_REASONS);
                Verdict::Refused(Refused { request, device: collected.device.to_string(), reasons })
            }
        };
        self.keep(&verdict, filled);
        verdict
    }

    fn keep(&mut self, verdict: &Verdict, filled: &mut dyn FnMut(Vec<u8>)) {
        match verdict {
            Verdict::Accepted(accepted) => {
                accepted.write(&mut self.shard);
                self.found.accepted += 1;
                self.found.attested += u32::from(accepted.attested);
                self.replaces(&accepted.device);
                if self.found.accepted.is_multiple_of(self.found.shard_records.max(1)) {
                    self.fill(filled);
                }
            }
            Verdict::Refused(refused) if self.found.refused.len() < limits::REFUSALS_RECORDED => {
                self.found.refused.push(refused.clone());
            }
            Verdict::Refused(_) => {}
        }
    }

    /// Which record the accepted one replaces: places rise, so records do.
    fn replaces(&mut self, device: &DeviceId) {
        let Some(place) = self.places.get(device).copied() else { return };
        self.last = Some(place);
        let record = self.order.replaces.as_ref().and_then(|replaced| replaced.records.nth(place));
        if let (Some(record), Some(all)) = (record, self.found.replaced.as_mut()) {
            // Too many runs leave fewer records than accepted requests, which the terms refuse.
            let _ = all.push(record);
        }
    }

    fn fill(&mut self, filled: &mut dyn FnMut(Vec<u8>)) {
        self.found.shards.push(shard_digest(self.order.realm, &self.shard));
        filled(std::mem::take(&mut self.shard));
    }

    /// What it came to, after the last request.
    #[must_use]
    pub fn finish(mut self, filled: &mut dyn FnMut(Vec<u8>)) -> Found {
        if !self.shard.is_empty() {
            self.fill(filled);
        }
        self.found
    }

    fn judge_names(&self, collected: &Collected, reasons: &mut Vec<Why>) {
        let device = &collected.device;
        let mut refuse = |word: &str, expected: &str, found: &str| reasons.push(Why::new(word, expected, found));
        if !self.order.orders(device, &self.listed) {
            refuse("device-not-ordered", "a device of the order", device.as_str());
        }
        let alike = hardware::same_device(device);
        if self.standing.has(alike.as_bytes()) {
            refuse("device-stands", "a device without a certificate that stands", device.as_str());
        }
        if self.devices.is_again(alike.as_bytes()) {
            refuse("device-twice", "one request for a device", device.as_str());
        }
        if let Some(kind) = &self.order.hardware_kind {
            match collected.hardware.get(kind) {
                None => refuse("hardware-missing", "a hardware id of the ordered kind", kind),
                Some(id)
                    if self.order.devices.is_none()
                        && hardware::same_for(kind, id) != hardware::same_for(kind, device.as_str()) =>
                {
                    refuse("hardware-other", &format!("{kind} {device}, as ordered"), id);
                }
                Some(_) => {}
            }
        }
        for (kind, id) in &collected.hardware {
            if let Err(expected) = hardware::check(kind, id) {
                refuse("hardware-text", &expected, &format!("{kind} {id}"));
            }
            if self.standing.has(hardware::same_for(kind, id).as_bytes()) {
                refuse("hardware-stands", "hardware without a certificate that stands", &format!("{kind} {id}"));
            }
            if self.hardware.is_again(hardware::same_for(kind, id).as_bytes()) {
                refuse("hardware-twice", "a hardware id of one request only", &format!("{kind} {id}"));
            }
        }
    }

    fn judge_nonce(&self, acceptable: &Acceptable, reasons: &mut Vec<Why>) {
        let Some(nonce) = self.order.nonce else { return };
        let (found, place) = match &self.order.nonce_oid {
            Some(oid) => (acceptable.extension(oid).map(<[u8]>::to_vec), format!("extension {oid}")),
            None => (
                acceptable.attribute(CHALLENGE_PASSWORD).and_then(|values| values.first()).cloned(),
                "challengePassword".to_owned(),
            ),
        };
        let expected: Vec<Vec<u8>> = match &self.order.nonce_oid {
            // An OCTET STRING.
            Some(_) => vec![[&[0x04, 0x20], nonce.octets().as_slice()].concat()],
            // A PrintableString or a UTF8String of digits.
            None => [0x13, 0x0c].map(|tag| [&[tag, 0x40], nonce.hex().as_bytes()].concat()).to_vec(),
        };
        match found {
            None => reasons.push(Why::new("nonce-missing", format!("the order's nonce as {place}"), "none")),
            Some(found) if !expected.contains(&found) => {
                let content = found.get(2..).unwrap_or_default();
                let text = match &self.order.nonce_oid {
                    Some(_) => crate::basics::digest::hex_encode(content),
                    None => String::from_utf8_lossy(content).into_owned(),
                };
                reasons.push(Why::new("nonce-other", format!("the order's nonce as {place}"), &text));
            }
            Some(_) => {}
        }
    }
}

/// A request names its device itself, so that a label that went astray in the factory shows.
fn judge_subject(acceptable: &Acceptable, device: &DeviceId, reasons: &mut Vec<Why>) {
    let numbers: Vec<&str> = acceptable
        .subject()
        .iter()
        .filter(|attribute| attribute.word() == "serialNumber")
        .map(|attribute| attribute.text.as_str())
        .collect();
    if numbers != [device.as_str()] {
        let expected = format!("a subject whose serialNumber is {device}");
        reasons.push(Why::new("subject-device", expected, if numbers.is_empty() { "none" } else { "another" }));
    }
}
