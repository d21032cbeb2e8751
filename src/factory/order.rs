//! An order: how many identities, of what kind, for which product and firmware, for which factory. A TOML file that its requester
//! signs; its SHA-256 is what a ceremony approves, and everything made under it names that digest.
//!
//! ```toml
//! format = "anchorite-order/1"
//! realm = "rehearsal"
//! factory = "ostrava"
//! product = "lamp"
//! sku = "LAMP-E27-W"
//! mode = "injected"                 # or "device-generated", "delegated"
//! algorithm = "ecdsa-p256"          # of the device's key
//! profile = "idevid"
//! count = 1000
//! devices = { prefix = "LAMP-", first = 1, digits = 8 }     # or: hardware_ids = ["9f3c01", ...], or the [[device]] below
//! quota = 50000                     # of this factory and product, as the requester knows it
//! not_before = "2026-11-26T00:00:00Z"
//! not_after = "9999-12-31T23:59:59Z"
//! expires = "2027-02-26T00:00:00Z"  # of the bundle: what is not verified by then is revoked
//! nonce = "64 hexadecimal digits"   # device-generated: every request embeds it, as its challengePassword, or
//! nonce_oid = "1.3.6.1.4.1.55555.1.9"   # where its tool knows extensions only, as an extension of your own arc
//! attestation = "optional"          # device-generated: or "required"; left out, no attestation is looked at
//! attestation_roots = ["64 hexadecimal digits"]   # SHA-256 of the vendors' root certificates
//! hardware_kind = "soc"             # every request says its device's hardware id of this kind; equal to a listed device id
//! [firmware]
//! version = "1.4.0"
//! sha256 = "64 hexadecimal digits"
//! [subject]
//! organization = "Example Lamps"
//! common_name = "Lamp {device}"     # optional; {device} becomes the device id
//! [matter]                          # for Matter profiles
//! vendor_id = "FFF1"
//! product_id = "8000"
//! [replaces]                        # devices that have a certificate: hardware_ids lists them in the order of these records
//! bundle = "32 hexadecimal digits"
//! records = "0-4,7"
//! [[device]]                        # injected, in place of `devices`: a device and the hardware it is; `count` of them
//! id = "LAMP-00000001"
//! hardware = { mac = "00124b000001", soc = "9f3c0001" }
//! ```

use crate::basics::safe_text::is_dangerous;
use crate::basics::{Digest, Instant, Realm, limits};
use crate::factory::{BundleId, DeviceId, Firmware, Listed, Places, Refusal, hardware};
use crate::keys::Algorithm;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

const WHAT: &str = "order";
const FORMAT: &str = "anchorite-order/1";
/// What stands for the device id in a common name.
pub const DEVICE: &str = "{device}";

/// Where a device's key is made, and who signs its certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Made in the ceremony, sealed to the factory.
    Injected,
    /// Made in the device, which never lets it out; a request comes.
    DeviceGenerated,
    /// Made in the device; the factory's own intermediate signs.
    Delegated,
}

impl std::fmt::Display for Mode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Injected => "injected",
            Self::DeviceGenerated => "device-generated",
            Self::Delegated => "delegated",
        })
    }
}

/// Device ids that are counted: prefix, then a number of at least `digits` digits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Numbered {
    pub prefix: String,
    pub first: u64,
    pub digits: u8,
}

impl Numbered {
    /// The id of the device with this index.
    ///
    /// # Errors
    /// Where prefix and number are no device id.
    pub fn device(&self, index: u32) -> Result<DeviceId, Refusal> {
        let number = self.first.saturating_add(u64::from(index));
        DeviceId::parse(&format!("{}{number:0width$}", self.prefix, width = usize::from(self.digits)))
    }
}

/// What every certificate's subject says beside the device id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceSubject {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub common_name: Option<String>,
}

/// Matter's vendor and product, four capital hexadecimal digits each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MatterIds {
    pub vendor_id: String,
    pub product_id: String,
}

/// Whether a device-made key must come with its vendor's attestation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Attestation {
    Required,
    Optional,
}

/// An order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    pub format: String,
    pub realm: Realm,
    pub factory: String,
    pub product: String,
    pub sku: String,
    pub mode: Mode,
    pub algorithm: Algorithm,
    pub profile: String,
    pub count: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub devices: Option<Numbered>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hardware_ids: Option<Vec<DeviceId>>,
    pub quota: u64,
    #[serde(with = "written_time")]
    pub not_before: Instant,
    #[serde(with = "written_time")]
    pub not_after: Instant,
    #[serde(with = "written_time")]
    pub expires: Instant,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<Digest>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attestation: Option<Attestation>,
    /// SHA-256 of the DER of the vendors' roots that attestations lead to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attestation_roots: Vec<Digest>,
    /// The extension that carries the nonce; left out, it is the request's challengePassword.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce_oid: Option<String>,
    /// The kind of hardware id that every request says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hardware_kind: Option<String>,
    pub firmware: Firmware,
    pub subject: DeviceSubject,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matter: Option<MatterIds>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<Replaced>,
    /// Devices with the hardware they are: keys made here, each for one piece of it.
    #[serde(default, rename = "device", skip_serializing_if = "Vec::is_empty")]
    pub named: Vec<Listed>,
}

/// Records of an earlier bundle whose devices get new certificates: the first device of the order replaces the first of these, and so on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Replaced {
    pub bundle: BundleId,
    pub records: Places,
}

impl Order {
    /// Reads an order; all problems at once.
    ///
    /// # Errors
    /// What is wrong: one problem of the text, with its line, or every problem of the values.
    pub fn parse(octets: &[u8]) -> Result<Self, Vec<Refusal>> {
        let refuse = |expected: &str, found: String| vec![Refusal::malformed(WHAT, expected, found)];
        if octets.len() > limits::ORDER_OCTETS {
            return Err(refuse(&format!("at most {} octets", limits::ORDER_OCTETS), octets.len().to_string()));
        }
        let text = std::str::from_utf8(octets).map_err(|_| refuse("UTF-8 text", "other octets".to_owned()))?;
        let order: Self = toml::from_str(text).map_err(|e: toml::de::Error| {
            let line = e.span().map_or(0, |span| text.bytes().take(span.start).filter(|o| *o == b'\n').count() + 1);
            refuse("TOML with the keys of an order", format!("line {line}: {}", e.message()))
        })?;
        let problems = order.check();
        if problems.is_empty() { Ok(order) } else { Err(problems) }
    }

    /// The file of an order, as this module's comment shows one.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
        let mut lines: Vec<String> = Vec::new();
        let mut say = |key: &str, value: String| lines.push(format!("{key} = {value}"));
        say("format", quoted(&self.format));
        say("realm", quoted(self.realm.word()));
        for (key, text) in [("factory", &self.factory), ("product", &self.product), ("sku", &self.sku)] {
            say(key, quoted(text));
        }
        say("mode", quoted(&self.mode.to_string()));
        say("algorithm", quoted(self.algorithm.word()));
        say("profile", quoted(&self.profile));
        say("count", self.count.to_string());
        if let Some(devices) = &self.devices {
            let prefix = quoted(&devices.prefix);
            let (first, digits) = (devices.first, devices.digits);
            say("devices", format!("{{ prefix = {prefix}, first = {first}, digits = {digits} }}"));
        }
        if let Some(ids) = &self.hardware_ids {
            let each: Vec<String> = ids.iter().map(|id| format!("    {},\n", quoted(id.as_str()))).collect();
            say("hardware_ids", format!("[\n{}]", each.concat()));
        }
        say("quota", self.quota.to_string());
        for (key, at) in [("not_before", self.not_before), ("not_after", self.not_after), ("expires", self.expires)] {
            say(key, quoted(&at.rfc3339()));
        }
        if let Some(nonce) = &self.nonce {
            say("nonce", quoted(&nonce.hex()));
        }
        match self.attestation {
            Some(Attestation::Required) => say("attestation", quoted("required")),
            Some(Attestation::Optional) => say("attestation", quoted("optional")),
            None => {}
        }
        if !self.attestation_roots.is_empty() {
            let each: Vec<String> = self.attestation_roots.iter().map(|root| quoted(&root.hex())).collect();
            say("attestation_roots", format!("[{}]", each.join(", ")));
        }
        for (key, text) in [("nonce_oid", &self.nonce_oid), ("hardware_kind", &self.hardware_kind)] {
            if let Some(text) = text {
                say(key, quoted(text));
            }
        }
        lines.push("\n[firmware]".to_owned());
        lines.push(format!("version = {}", quoted(&self.firmware.version)));
        lines.push(format!("sha256 = {}", quoted(&self.firmware.sha256.hex())));
        lines.push("\n[subject]".to_owned());
        let subject = [
            ("country", &self.subject.country),
            ("organization", &self.subject.organization),
            ("common_name", &self.subject.common_name),
        ];
        lines.extend(subject.iter().filter_map(|(key, text)| Some(format!("{key} = {}", quoted(text.as_ref()?)))));
        if let Some(matter) = &self.matter {
            let (vendor, product) = (quoted(&matter.vendor_id), quoted(&matter.product_id));
            lines.push(format!("\n[matter]\nvendor_id = {vendor}\nproduct_id = {product}"));
        }
        if let Some(replaced) = &self.replaces {
            let (bundle, records) = (quoted(&replaced.bundle.hex()), quoted(&replaced.records.to_string()));
            lines.push(format!("\n[replaces]\nbundle = {bundle}\nrecords = {records}"));
        }
        for device in &self.named {
            let ids: Vec<String> =
                device.hardware.iter().map(|(kind, id)| format!("{kind} = {}", quoted(id))).collect();
            let id = quoted(device.id.as_str());
            lines.push(format!("\n[[device]]\nid = {id}\nhardware = {{ {} }}", ids.join(", ")));
        }
        lines.join("\n") + "\n"
    }

    /// What stands for an order everywhere: SHA-256 of its file.
    #[must_use]
    pub fn digest(octets: &[u8]) -> Digest {
        Digest::of(octets)
    }

    /// The id of the device with this index, from 0.
    ///
    /// # Errors
    /// Where the order has no such device.
    pub fn device(&self, index: u32) -> Result<DeviceId, Refusal> {
        let none = || Refusal::malformed(WHAT, format!("a device below {}", self.count), index);
        if index >= self.count {
            return Err(none());
        }
        match (&self.devices, &self.hardware_ids) {
            (Some(numbered), _) => numbered.device(index),
            (None, Some(ids)) => ids.get(index as usize).cloned().ok_or_else(none),
            (None, None) => self.named.get(index as usize).map(|device| device.id.clone()).ok_or_else(none),
        }
    }

    /// Whether a device is one of those ordered; `listed` are those of [`Order::listed`].
    #[must_use]
    pub fn orders(&self, device: &DeviceId, listed: &BTreeSet<DeviceId>) -> bool {
        let Some(numbered) = &self.devices else { return listed.contains(device) };
        let digits = device.as_str().strip_prefix(&numbered.prefix).unwrap_or_default();
        let index = digits.parse::<u64>().ok().and_then(|number| number.checked_sub(numbered.first));
        let index = index.and_then(|index| u32::try_from(index).ok()).filter(|index| *index < self.count);
        // Written again, so that a number has one spelling.
        index.is_some_and(|index| numbered.device(index).as_ref() == Ok(device))
    }

    /// Whether a device is one of those ordered in whatever spelling; `listed` are those of [`Order::listed_alike`].
    #[must_use]
    pub fn means(&self, device: &DeviceId, listed: &BTreeSet<String>) -> bool {
        let alike = hardware::same_device(device);
        let Some(numbered) = &self.devices else { return listed.contains(&alike) };
        let text = device.as_str();
        let number = text.get(text.trim_end_matches(|c: char| c.is_ascii_digit()).len()..).unwrap_or_default();
        let width = usize::from(numbered.digits).max(1);
        // A prefix may end in digits too; a number that is longer than its width begins with no zero.
        let starts = (0..number.len()).filter(|start| {
            let length = number.len() - start;
            length == width || (length > width && number.as_bytes().get(*start) != Some(&b'0'))
        });
        let indices = starts.filter_map(|start| {
            let index = number.get(start..)?.parse::<u64>().ok()?.checked_sub(numbered.first)?;
            u32::try_from(index).ok().filter(|index| *index < self.count)
        });
        indices.into_iter().any(|index| numbered.device(index).is_ok_and(|own| hardware::same_device(&own) == alike))
    }

    /// What is the same for every spelling of the devices, where they are not counted.
    #[must_use]
    pub fn listed_alike(&self) -> BTreeSet<String> {
        self.list().iter().map(|device| hardware::same_device(&device.id)).collect()
    }

    /// The devices by name, where they are not counted.
    #[must_use]
    pub fn listed(&self) -> BTreeSet<DeviceId> {
        self.list().into_iter().map(|device| device.id).collect()
    }

    /// The devices in their order, where they are not counted.
    #[must_use]
    pub fn list(&self) -> Vec<Listed> {
        match &self.hardware_ids {
            Some(ids) => ids.iter().cloned().map(Listed::from).collect(),
            None => self.named.clone(),
        }
    }

    fn check(&self) -> Vec<Refusal> {
        let mut problems = Vec::new();
        let mut expect = |holds: bool, key: &str, expected: &str, found: &dyn ToString| {
            if !holds {
                problems.push(Refusal::malformed(format!("{WHAT}: {key}"), expected, found.to_string()));
            }
        };
        expect(self.format == FORMAT, "format", FORMAT, &self.format);
        let name = |text: &str| {
            let plain = |o: u8| o.is_ascii_lowercase() || o.is_ascii_digit() || o == b'-';
            !text.is_empty() && text.len() <= limits::FACTORY_NAME_CHARS && text.bytes().all(plain)
        };
        for (key, text) in [("factory", &self.factory), ("product", &self.product), ("profile", &self.profile)] {
            expect(name(text), key, "1 to 64 of a-z, 0-9 and \"-\"", text);
        }
        let shown = |text: &str| {
            !text.is_empty()
                && text.len() <= limits::PRODUCT_OCTETS
                && text.trim() == text
                && !text.chars().any(is_dangerous)
        };
        expect(shown(&self.sku), "sku", "1 to 64 visible octets", &self.sku);
        expect(shown(&self.firmware.version), "firmware.version", "1 to 64 visible octets", &self.firmware.version);
        let most = limits::BUNDLE_RECORDS;
        expect((1..=most).contains(&self.count), "count", &format!("1 to {most}"), &self.count);
        expect(
            u64::from(self.count) <= self.quota,
            "count",
            &format!("at most the quota, {}", self.quota),
            &self.count,
        );
        let named = !self.named.is_empty();
        let said =
            [("devices", self.devices.is_some()), ("hardware_ids", self.hardware_ids.is_some()), ("device", named)];
        let said: Vec<&str> = said.iter().filter(|(_, there)| *there).map(|(key, _)| *key).collect();
        expect(said.len() == 1, "devices", "one of devices, hardware_ids and [[device]]", &said.join(" and "));
        if let Some(numbered) = &self.devices {
            let last = numbered.device(self.count.saturating_sub(1));
            expect(
                numbered.digits <= 20 && numbered.device(0).is_ok() && last.is_ok(),
                "devices",
                "a prefix and numbers that make device ids",
                &numbered.prefix,
            );
        }
        if let Some(ids) = &self.hardware_ids {
            expect(ids.len() == self.count as usize, "hardware_ids", "as many as count", &ids.len());
        }
        if named {
            expect(self.named.len() == self.count as usize, "device", "as many as count", &self.named.len());
            let expected = "only where the mode is injected: devices that make their keys say their hardware ids in their requests";
            expect(self.mode == Mode::Injected, "device", expected, &self.mode);
        }
        expect(
            self.not_before < self.not_after,
            "not_after",
            &format!("a time after {}", self.not_before.rfc3339()),
            &self.not_after.rfc3339(),
        );
        expect(
            self.expires <= self.not_after,
            "expires",
            &format!("a time not after not_after, {}", self.not_after.rfc3339()),
            &self.expires.rfc3339(),
        );
        if let Some(replaced) = &self.replaces {
            let records = replaced.records.count();
            expect(records == self.count, "replaces.records", "as many as count", &records);
            expect(
                self.devices.is_none(),
                "replaces",
                "hardware_ids or [[device]], which list the devices",
                &"numbers",
            );
        }
        let (made, nonce) = (self.mode == Mode::DeviceGenerated, self.nonce.is_some());
        expect(made == nonce, "nonce", "one where the mode is device-generated, else none", &nonce);
        expect(made || self.attestation.is_none(), "attestation", "only where keys are device-generated", &"one");
        let roots: BTreeSet<_> = self.attestation_roots.iter().collect();
        expect(
            roots.is_empty() != self.attestation.is_some() && roots.len() == self.attestation_roots.len(),
            "attestation_roots",
            "each once where attestation is looked at, else none",
            &self.attestation_roots.len(),
        );
        expect(
            roots.len() <= limits::ATTESTATION_ROOTS,
            "attestation_roots",
            &format!("at most {}", limits::ATTESTATION_ROOTS),
            &roots.len(),
        );
        if let Some(oid) = &self.nonce_oid {
            let good = made && const_oid::ObjectIdentifier::new(oid).is_ok();
            expect(good, "nonce_oid", "an object identifier, where the mode is device-generated", oid);
        }
        if let Some(kind) = &self.hardware_kind {
            let good = made && kind.len() <= limits::HARDWARE_KIND_OCTETS && name(kind);
            expect(good, "hardware_kind", "1 to 23 of a-z, 0-9 and \"-\", where the mode is device-generated", kind);
        }
        for (key, text) in
            [("subject.organization", &self.subject.organization), ("subject.common_name", &self.subject.common_name)]
        {
            let good = text.as_ref().is_none_or(|text| shown(text));
            expect(good, key, "1 to 64 visible octets", &text.as_deref().unwrap_or_default());
        }
        if let Some(country) = &self.subject.country {
            let good = country.len() == 2 && country.bytes().all(|o| o.is_ascii_uppercase());
            expect(good, "subject.country", "two capital letters", country);
        }
        if let Some(matter) = &self.matter {
            let four =
                |text: &str| text.len() == 4 && text.bytes().all(|o| o.is_ascii_digit() || (b'A'..=b'F').contains(&o));
            expect(four(&matter.vendor_id), "matter.vendor_id", "four digits 0-9, A-F", &matter.vendor_id);
            expect(four(&matter.product_id), "matter.product_id", "four digits 0-9, A-F", &matter.product_id);
        }
        let key = if named { "device" } else { "hardware_ids" };
        problems.extend(hardware::problems(key, &self.list()));
        problems
    }
}

/// Times as people write them: `2026-11-26T00:00:00Z`.
mod written_time {
    use crate::basics::Instant;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(time: &Instant, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&time.rfc3339())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Instant, D::Error> {
        let text = String::deserialize(deserializer)?;
        Instant::parse(&text).ok_or_else(|| serde::de::Error::custom("expected a time like 2026-11-26T00:00:00Z"))
    }
}
