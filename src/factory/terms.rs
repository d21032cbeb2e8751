//! The terms of a batch: everything that a quorum unlocks an issuing authority for, once. Their digest is shown and approved; the
//! strongroom makes exactly these certificates and no other, each once, until the count or the time is used up.

use crate::basics::digest::hex_encode;
use crate::basics::{Digest, Instant, Realm, canonical, limits};
use crate::factory::hardware::{HardwareIds, Listed, list_digest};
use crate::factory::manifest::ProfileRef;
use crate::factory::order::{DEVICE, DeviceSubject, MatterIds, Numbered, Order};
use crate::factory::refusal::same;
use crate::factory::requests::{self, Accepted};
use crate::factory::{BundleId, Class, DeviceId, Firmware, Lineage, Mode, Places, Refusal};
use crate::keys::{Algorithm, SubjectKey};
use crate::pki::additions::{self, Additions, Policy};
use crate::pki::general_name::AltName;
use crate::pki::name::{Attribute, SubjectName, marked};
use crate::pki::{Certificate, CertificateRequest, Issuer, Profile, Subject, serial};
use serde::{Deserialize, Serialize};

const WHAT: &str = "batch";

/// Which devices get an identity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Devices {
    Numbered(Numbered),
    /// For each shard the digest of its list: [`crate::factory::hardware::list_digest`].
    Listed {
        shards: Vec<Digest>,
    },
    /// Devices that made their keys themselves: for each shard what stands for them, [`crate::factory::requests::shard_digest`].
    Requested {
        /// SHA-256 of the factory's signed statement.
        requests: Digest,
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
    /// The policies of a key that its vendor attested, in place of those of `additions`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attested_policies: Option<Vec<Policy>>,
    /// Object identifier of the private extension with the lineage's digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lineage_oid: Option<String>,
    /// hwType of a hardwareModuleName whose serial number is the device id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hardware_type: Option<String>,
    /// Serial numbers are those of this seed (`pki::serial`), by index.
    pub serial_seed: Digest,
    /// What these certificates replace: the lineage names each one's serial number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<Replacing>,
    /// Seconds of machine time, sleep included, for which the authority signs.
    pub seconds: u64,
}

/// Records of an earlier bundle, and the seed of its serial numbers: record n here replaces the n-th of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Replacing {
    pub bundle: BundleId,
    pub records: Places,
    pub serial_seed: Digest,
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
    pub attested_policies: Option<Vec<Policy>>,
    /// What was accepted of a collection of requests; nothing where keys are made here.
    pub requested: Option<Requested>,
    pub lineage_oid: Option<String>,
    pub hardware_type: Option<String>,
    pub serial_seed: Digest,
    /// Seed of the serial numbers of the bundle that the order replaces a part of.
    pub replaced_seed: Option<Digest>,
    pub seconds: u64,
}

/// What was accepted of a collection of requests.
#[derive(Clone, Debug)]
pub struct Requested {
    /// SHA-256 of the factory's signed statement.
    pub requests: Digest,
    pub accepted: u32,
    pub shards: Vec<Digest>,
    /// The records that the accepted ones replace, in their order, where the order replaces any.
    pub replaced: Option<Places>,
}

impl BatchTerms {
    /// The terms under which an order is carried out.
    ///
    /// # Errors
    /// Where the order names devices that are no ids.
    pub fn new(order: &Order, order_digest: Digest, room: BatchRoom) -> Result<Self, Refusal> {
        let (made, requested) = (order.mode == Mode::DeviceGenerated, room.requested.is_some());
        if made != requested {
            let expected = "requests where keys are made in devices, and only there";
            return Err(Refusal::malformed(WHAT, expected, order.mode));
        }
        let count = room.requested.as_ref().map_or(order.count, |requested| requested.accepted);
        let of_requests = room.requested.as_ref().map(|requested| requested.replaced.clone().unwrap_or_default());
        let devices = match &order.devices {
            _ if let Some(Requested { requests, shards, .. }) = room.requested => {
                Devices::Requested { requests, shards }
            }
            Some(numbered) => Devices::Numbered(numbered.clone()),
            None => {
                let list = order.list();
                let lists = list.chunks(room.shard_records.max(1) as usize);
                Devices::Listed { shards: lists.map(|list| list_digest(order.realm, list)).collect() }
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
            count,
            shard_records: room.shard_records,
            devices,
            subject: order.subject.clone(),
            matter: order.matter.clone(),
            not_before: order.not_before,
            not_after: order.not_after,
            additions: room.additions,
            attested_policies: room.attested_policies,
            lineage_oid: room.lineage_oid,
            hardware_type: room.hardware_type,
            serial_seed: room.serial_seed,
            replaces: order.replaces.as_ref().zip(room.replaced_seed).map(|(replaced, serial_seed)| Replacing {
                bundle: replaced.bundle,
                records: of_requests.unwrap_or_else(|| replaced.records.clone()),
                serial_seed,
            }),
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
        Ok(format!("{}, batch {digest}", self.shown()))
    }

    /// How many certificates for whom.
    #[must_use]
    pub fn shown(&self) -> String {
        let certificates = if self.count == 1 { "certificate" } else { "certificates" };
        format!("{} device {certificates} for {}", self.count, self.factory)
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
    pub fn devices(&self, shard: u32, listed: &[Listed]) -> Result<Vec<Listed>, Refusal> {
        let (first, count) = self.range(shard);
        match &self.devices {
            Devices::Numbered(numbered) if listed.is_empty() => {
                (first..first + count).map(|index| Ok(Listed::from(numbered.device(index)?))).collect()
            }
            Devices::Requested { .. } => Err(Refusal::malformed(WHAT, "the requests of the devices", "none")),
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

    /// The accepted requests of a shard, as the asker brings them.
    ///
    /// # Errors
    /// Where they are not those that were approved, or keys are made here.
    pub fn requested(&self, shard: u32, octets: &[u8]) -> Result<Vec<Accepted>, Refusal> {
        let Devices::Requested { shards, .. } = &self.devices else {
            return Err(Refusal::malformed(WHAT, "no requests where keys are made here", octets.len()));
        };
        let expected = shards.get(shard as usize).map_or_else(String::new, Digest::hex);
        let found = requests::shard_digest(self.realm, octets).hex();
        same(Class::WrongOrder, &format!("requests of shard {shard}"), &expected, &found)?;
        let accepted = Accepted::read_all(octets)?;
        let (_, count) = self.range(shard);
        same(Class::Count, &format!("requests of shard {shard}"), &(count as usize), &accepted.len())?;
        Ok(accepted)
    }

    /// The same terms for keys that their vendors attested.
    #[must_use]
    pub fn for_attested(&self) -> Option<Self> {
        let policies = self.attested_policies.clone()?;
        let mut terms = self.clone();
        terms.additions.policies = policies;
        Some(terms)
    }

    /// The serial number of the certificate that the one of this index replaces.
    #[must_use]
    pub fn replaced(&self, index: u32) -> Option<Vec<u8>> {
        let replacing = self.replaces.as_ref()?;
        let record = replacing.records.nth(index)?;
        serial::of(&replacing.serial_seed, record).ok().map(|serial| serial.to_vec())
    }

    /// The lineage of the device with this index; `hardware` are its ids by kind, where order or request said them.
    #[must_use]
    pub fn lineage(&self, index: u32, device: &DeviceId, hardware: &HardwareIds) -> Lineage {
        Lineage {
            device: device.clone(),
            product: self.product.clone(),
            sku: self.sku.clone(),
            firmware: self.firmware.clone(),
            bundle: self.bundle,
            order: self.order,
            hardware: hardware.clone(),
            replaces: self.replaced(index),
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

    /// Whether a certificate says which device it is of: in its subject, or as a hardware module.
    #[must_use]
    pub fn names_device(&self, profile: &Profile) -> bool {
        let common = self.subject.common_name.as_ref().is_some_and(|name| name.contains(DEVICE));
        common || self.hardware_type.is_some() || self.is_numbered(profile)
    }

    /// Whether the device id is the subject's serial number.
    fn is_numbered(&self, profile: &Profile) -> bool {
        let rules = &profile.subject;
        rules.required.contains(&Attribute::SerialNumber)
            || (rules.optional.contains(&Attribute::SerialNumber) && self.matter.is_none())
    }

    fn subject_of(&self, profile: &Profile, device: &str) -> Subject {
        let numbered = self.is_numbered(profile);
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
        let made = self.mode == Mode::DeviceGenerated;
        let requested = matches!(self.devices, Devices::Requested { .. });
        let said = (self.mode.to_string(), if requested { "with requests" } else { "without requests" }.to_owned());
        expect(
            made == requested && self.mode != Mode::Delegated,
            "mode",
            "requests where keys are device-generated, and a mode that issues here".to_owned(),
            format!("{} {}", said.0, said.1),
        );
        if let Some(replacing) = &self.replaces {
            let found = replacing.records.count();
            expect(found == self.count, "replaces", format!("{} records", self.count), found.to_string());
        }
        if let Devices::Listed { shards } | Devices::Requested { shards, .. } = &self.devices {
            let found = shards.len();
            expect(found == self.shards() as usize, "devices", self.shards().to_string(), found.to_string());
        }
        problems
    }
}
