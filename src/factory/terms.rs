//! The terms of a batch: everything that a quorum unlocks an issuing authority for, once. Their digest is shown and approved; the
//! strongroom makes exactly these certificates and no other, each once, until the count or the time is used up.

use crate::basics::digest::hex_encode;
use crate::basics::{Digest, Instant, Realm, canonical, limits};
use crate::factory::manifest::ProfileRef;
use crate::factory::order::{DEVICE, DeviceSubject, MatterIds, Numbered, Order};
use crate::factory::{BundleId, Class, DeviceId, Firmware, Lineage, Mode, Refusal};
use crate::keys::{Algorithm, SubjectKey};
use crate::pki::additions::{self, Additions};
use crate::pki::general_name::AltName;
use crate::pki::name::{Attribute, SubjectName, marked};
use crate::pki::{Certificate, CertificateRequest, Issuer, Profile, Subject};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const WHAT: &str = "batch";

/// Which devices get an identity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Devices {
    Numbered(Numbered),
    /// For each shard the digest of its list: [`list_digest`].
    Listed {
        shards: Vec<Digest>,
    },
}

/// The terms. Serialised as RFC 8785, they are what the digest is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchTerms {
    pub realm: Realm,
    pub bundle: BundleId,
    /// SHA-256 of the order file.
    pub order: Digest,
    pub mode: Mode,
    pub factory: String,
    /// The age recipient every shard is sealed to.
    pub recipient: String,
    pub product: String,
    pub sku: String,
    pub firmware: Firmware,
    pub algorithm: Algorithm,
    pub profile: ProfileRef,
    /// SHA-256 of the issuing certificate's DER.
    pub issuer: Digest,
    pub count: u32,
    pub shard_records: u32,
    pub devices: Devices,
    pub subject: DeviceSubject,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matter: Option<MatterIds>,
    pub not_before: Instant,
    pub not_after: Instant,
    /// What every certificate carries alike: policies and addresses.
    pub additions: Additions,
    /// Object identifier of the private extension with the lineage's digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lineage_oid: Option<String>,
    /// hwType of a hardwareModuleName whose serial number is the device id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hardware_type: Option<String>,
    /// Serial numbers are those of this seed (`pki::serial`), by index.
    pub serial_seed: Digest,
    /// Seconds of machine time, sleep included, for which the authority signs.
    pub seconds: u64,
}

/// What a script and a room add to an order.
#[derive(Clone, Debug)]
pub struct BatchRoom {
    pub bundle: BundleId,
    pub recipient: String,
    pub profile: ProfileRef,
    pub issuer: Digest,
    pub shard_records: u32,
    pub additions: Additions,
    pub lineage_oid: Option<String>,
    pub hardware_type: Option<String>,
    pub serial_seed: Digest,
    pub seconds: u64,
}

impl BatchTerms {
    /// The terms under which an order is carried out.
    ///
    /// # Errors
    /// Where the order names devices that are no ids.
    pub fn new(order: &Order, order_digest: Digest, room: BatchRoom) -> Result<Self, Refusal> {
        let devices = match &order.devices {
            Some(numbered) => Devices::Numbered(numbered.clone()),
            None => {
                let ids = order.hardware_ids.as_deref().unwrap_or_default();
                let lists = ids.chunks(room.shard_records.max(1) as usize);
                Devices::Listed { shards: lists.map(|ids| list_digest(order.realm, ids)).collect() }
            }
        };
        Ok(Self {
            realm: order.realm,
            bundle: room.bundle,
            order: order_digest,
            mode: order.mode,
            factory: order.factory.clone(),
            recipient: room.recipient,
            product: order.product.clone(),
            sku: order.sku.clone(),
            firmware: order.firmware.clone(),
            algorithm: order.algorithm,
            profile: room.profile,
            issuer: room.issuer,
            count: order.count,
            shard_records: room.shard_records,
            devices,
            subject: order.subject.clone(),
            matter: order.matter.clone(),
            not_before: order.not_before,
            not_after: order.not_after,
            additions: room.additions,
            lineage_oid: room.lineage_oid,
            hardware_type: room.hardware_type,
            serial_seed: room.serial_seed,
            seconds: room.seconds,
        })
    }

    /// What is shown and approved.
    ///
    /// # Errors
    /// Never for values that were read; the writer of JSON says so in its type.
    pub fn digest(&self) -> Result<Digest, Refusal> {
        let octets = canonical::to_octets(self).map_err(|cause| Refusal::malformed(WHAT, "values", cause))?;
        Ok(Digest::tagged("batch", self.realm, &[&octets]))
    }

    /// The operation's title, on the list that an authority is unlocked for. It names the digest, so that one title is one batch.
    ///
    /// # Errors
    /// As [`BatchTerms::digest`].
    pub fn title(&self) -> Result<String, Refusal> {
        let digest = self.digest()?;
        Ok(format!("{} device certificates for {}, batch {digest}", self.count, self.factory))
    }

    /// How many shards there are.
    #[must_use]
    pub fn shards(&self) -> u32 {
        self.count.div_ceil(self.shard_records.max(1))
    }

    /// First index and number of records of a shard.
    #[must_use]
    pub fn range(&self, shard: u32) -> (u32, u32) {
        let first = shard.saturating_mul(self.shard_records);
        (first, self.count.saturating_sub(first).min(self.shard_records))
    }

    /// The devices of a shard; `listed` is what the asker says they are, where the order lists them.
    ///
    /// # Errors
    /// Where a list is not the approved one, or comes where devices are numbered.
    pub fn devices(&self, shard: u32, listed: &[DeviceId]) -> Result<Vec<DeviceId>, Refusal> {
        let (first, count) = self.range(shard);
        match &self.devices {
            Devices::Numbered(numbered) if listed.is_empty() => {
                (first..first + count).map(|index| numbered.device(index)).collect()
            }
            Devices::Numbered(_) => Err(Refusal::malformed(WHAT, "no list of numbered devices", listed.len())),
            Devices::Listed { shards } => {
                let expected = shards.get(shard as usize).map_or_else(String::new, Digest::hex);
                let found = list_digest(self.realm, listed).hex();
                if expected != found || listed.len() != count as usize {
                    let what = format!("devices of shard {shard}");
                    return Err(Refusal::new(Class::WrongOrder, what, expected, found));
                }
                Ok(listed.to_vec())
            }
        }
    }

    /// The lineage of a device.
    #[must_use]
    pub fn lineage(&self, device: &DeviceId) -> Lineage {
        Lineage {
            device: device.clone(),
            product: self.product.clone(),
            sku: self.sku.clone(),
            firmware: self.firmware.clone(),
            bundle: self.bundle,
            order: self.order,
            hardware: BTreeMap::new(),
            replaces: None,
        }
    }

    /// The general request of one device's certificate.
    #[must_use]
    pub fn request<'i>(
        &self,
        issuer: &'i Certificate,
        profile: &Profile,
        device: &str,
        key: SubjectKey,
        serial: [u8; 20],
        lineage: Option<Digest>,
    ) -> CertificateRequest<'i> {
        let mut additions = self.additions.clone();
        if let Some(kind) = &self.hardware_type {
            let serial = hex_encode(device.as_bytes());
            additions.alternative_names.push(AltName::HardwareModule { kind: kind.clone(), serial });
        }
        additions.lineage = match (&self.lineage_oid, lineage) {
            (Some(oid), Some(digest)) => Some(additions::Lineage { oid: oid.clone(), digest }),
            _ => None,
        };
        CertificateRequest {
            realm: self.realm,
            issuer: Issuer::By(issuer),
            subject: SubjectName::Fields(self.subject_of(profile, device)),
            key,
            ski: None,
            not_before: self.not_before,
            not_after: self.not_after,
            serial,
            additions,
            profile: profile.clone(),
        }
    }

    fn subject_of(&self, profile: &Profile, device: &str) -> Subject {
        let rules = &profile.subject;
        let numbered = rules.required.contains(&Attribute::SerialNumber)
            || (rules.optional.contains(&Attribute::SerialNumber) && self.matter.is_none());
        let subject = Subject {
            country: self.subject.country.clone(),
            organization: self.subject.organization.clone(),
            common_name: self.subject.common_name.as_ref().map(|name| name.replace(DEVICE, device)),
            serial_number: numbered.then(|| device.to_owned()),
            matter_vid: self.matter.as_ref().map(|matter| matter.vendor_id.clone()),
            matter_pid: self.matter.as_ref().map(|matter| matter.product_id.clone()),
            ..Subject::default()
        };
        marked(self.realm, &subject)
    }

    /// Everything that keeps these terms from being carried out, but for what the certificates' own rules say.
    #[must_use]
    pub fn check(&self) -> Vec<Refusal> {
        let mut problems = Vec::new();
        let mut expect = |holds: bool, what: &str, expected: String, found: String| {
            if !holds {
                problems.push(Refusal::malformed(format!("{WHAT}: {what}"), expected, found));
            }
        };
        let most = limits::BUNDLE_RECORDS;
        expect((1..=most).contains(&self.count), "count", format!("1 to {most}"), self.count.to_string());
        let most = limits::SHARD_RECORDS;
        let records = self.shard_records as usize;
        expect((1..=most).contains(&records), "shard_records", format!("1 to {most}"), records.to_string());
        expect(self.seconds > 0, "seconds", "a time to sign in".to_owned(), "none".to_owned());
        if let Devices::Listed { shards } = &self.devices {
            let found = shards.len();
            expect(found == self.shards() as usize, "devices", self.shards().to_string(), found.to_string());
        }
        problems
    }
}

/// What stands for the devices of one shard: `tagged("batch-devices", realm, [id, id, ...])`.
#[must_use]
pub fn list_digest(realm: Realm, devices: &[DeviceId]) -> Digest {
    let parts: Vec<&[u8]> = devices.iter().map(|device| device.as_str().as_bytes()).collect();
    Digest::tagged("batch-devices", realm, &parts)
}
