//! `manifest.json`: what a bundle is, for whom, under which order, and every file in it by size and SHA-256. RFC 8785; signed as
//! `manifest.json.<who>.sig` in the namespace `bundle@anchorite`, or `rehearsal-bundle@anchorite`. The example is in `media/BUNDLE.md`.

use crate::basics::{Digest, Instant, Realm, canonical, limits};
use crate::factory::device::BundleId;
use crate::factory::lineage::Firmware;
use crate::factory::order::Mode;
use crate::factory::shard::ShardHeader;
use crate::factory::{Class, Refusal};
use serde::{Deserialize, Serialize};

/// The file's name.
pub const NAME: &str = "manifest.json";
/// What the OpenSSH namespace of its signatures is made from (`Realm::namespace`).
pub const PURPOSE: &str = "bundle";
/// The other files of a bundle beside its shards and signatures.
pub const LEAVES: &str = "leaves.bin";
pub const INDEX: &str = "index.cbor";
pub const CHAIN: &str = "chain.pem";
pub const CRL: &str = "crl.pem";
const FORMAT: &str = "anchorite-bundle/1";

/// One file of a bundle; `name` may be in the folder `shards/`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BundleFile {
    pub name: String,
    pub size: u64,
    pub sha256: Digest,
}

/// The profile every certificate of the bundle follows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileRef {
    pub name: String,
    pub sha256: Digest,
}

/// The validity of every certificate of the bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Validity {
    pub not_before: Instant,
    pub not_after: Instant,
}

/// The ceremony that made the bundle, and the head of its record when it was signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CeremonyRef {
    pub id: String,
    pub head: Digest,
}

/// The manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    pub format: String,
    pub bundle: BundleId,
    pub realm: Realm,
    pub factory: String,
    /// From 1, without gaps, for each factory.
    pub sequence: u64,
    /// SHA-256 of the manifest before this one, of the same factory; null in the first.
    pub previous: Option<Digest>,
    /// SHA-256 of the order file.
    pub order: Digest,
    pub mode: Mode,
    pub product: String,
    pub sku: String,
    pub firmware: Firmware,
    /// The age recipients every shard is sealed to: one in version 1.
    pub recipients: Vec<String>,
    pub count: u32,
    /// Records of every shard but the last.
    pub shard_records: u32,
    pub issued: Instant,
    /// After this the station gives nothing out, and what is not verified is revoked.
    pub expires: Instant,
    pub certificates: Validity,
    pub profile: ProfileRef,
    /// SHA-256 of the policy that the profile is pinned to; null where it names none.
    pub policy: Option<Digest>,
    /// SHA-256 of the issuing certificate's DER: the first of `chain.pem`.
    pub issuer: Digest,
    pub ceremony: CeremonyRef,
    /// RFC 9162 root over the record digests, in order.
    pub records_root: Digest,
    /// From which each device's proof of possession gets its nonce.
    pub nonce: Digest,
    /// Every file but this one and its signatures, sorted by name.
    pub files: Vec<BundleFile>,
}

impl Manifest {
    /// The word in the field `format`.
    #[must_use]
    pub fn format() -> String {
        FORMAT.to_owned()
    }

    /// Reads a manifest strictly and checks that it agrees with itself.
    ///
    /// # Errors
    /// Where the octets are not canonical JSON of this shape, or counts, times, names or files contradict each other.
    pub fn parse(octets: &[u8]) -> Result<Self, Refusal> {
        let manifest: Self = canonical::parse(octets, limits::BUNDLE_MANIFEST_OCTETS)
            .map_err(|cause| Refusal::malformed(NAME, "canonical JSON of the documented shape", cause))?;
        manifest.check()?;
        Ok(manifest)
    }

    /// The octets that are signed.
    ///
    /// # Errors
    /// Where the manifest contradicts itself.
    pub fn to_octets(&self) -> Result<Vec<u8>, Refusal> {
        self.check()?;
        canonical::to_octets(self).map_err(|cause| Refusal::malformed(NAME, "values JSON can hold", cause))
    }

    /// SHA-256 of the file: what people compare, and what the next manifest names.
    ///
    /// # Errors
    /// As [`Manifest::to_octets`].
    pub fn digest(&self) -> Result<Digest, Refusal> {
        Ok(Digest::of(&self.to_octets()?))
    }

    /// How many shards there are.
    #[must_use]
    pub fn shards(&self) -> u32 {
        self.count.div_ceil(self.shard_records.max(1))
    }

    /// What the header of a shard must say.
    #[must_use]
    pub fn shard_header(&self, shard: u32) -> ShardHeader {
        let first = shard.saturating_mul(self.shard_records);
        ShardHeader {
            realm: self.realm,
            bundle: self.bundle,
            shard,
            first,
            count: self.count.saturating_sub(first).min(self.shard_records),
            factory: self.factory.clone(),
            recipient: self.recipients.first().cloned().unwrap_or_default(),
        }
    }

    #[must_use]
    pub fn file(&self, name: &str) -> Option<&BundleFile> {
        self.files.iter().find(|file| file.name == name)
    }

    fn check(&self) -> Result<(), Refusal> {
        let refuse = |what: &str, expected: String, found: &dyn ToString| {
            Err(Refusal::malformed(format!("{NAME}: {what}"), expected, found.to_string()))
        };
        if self.format != FORMAT {
            return refuse("format", FORMAT.to_owned(), &self.format);
        }
        for (what, text, most) in [
            ("factory", &self.factory, limits::FACTORY_NAME_CHARS),
            ("product", &self.product, limits::PRODUCT_OCTETS),
            ("sku", &self.sku, limits::PRODUCT_OCTETS),
            ("firmware.version", &self.firmware.version, limits::PRODUCT_OCTETS),
            ("profile.name", &self.profile.name, limits::PRODUCT_OCTETS),
            ("ceremony.id", &self.ceremony.id, limits::PRODUCT_OCTETS),
        ] {
            if text.is_empty() || text.len() > most {
                return refuse(what, format!("1 to {most} octets"), &text.len());
            }
        }
        if self.recipients.len() != 1 || self.recipients.iter().any(|r| r.len() > limits::RECIPIENT_CHARS) {
            return refuse("recipients", "one age recipient".to_owned(), &self.recipients.len());
        }
        let numbered = (self.sequence == 1) == self.previous.is_none();
        if self.sequence == 0 || !numbered {
            let expected = "1 without a previous one, or more with one".to_owned();
            return refuse("sequence", expected, &self.sequence);
        }
        let most = limits::BUNDLE_RECORDS;
        if self.count == 0 || self.count > most {
            return refuse("count", format!("1 to {most}"), &self.count);
        }
        if self.shard_records == 0 || self.shard_records as usize > limits::SHARD_RECORDS {
            return refuse("shard_records", format!("1 to {}", limits::SHARD_RECORDS), &self.shard_records);
        }
        if self.issued >= self.expires {
            return refuse("expires", format!("a time after {}", self.issued.rfc3339()), &self.expires.rfc3339());
        }
        let Validity { not_before, not_after } = &self.certificates;
        if not_before >= not_after {
            return refuse("certificates", format!("an end after {}", not_before.rfc3339()), &not_after.rfc3339());
        }
        // Nothing is given out whose certificate is over.
        if self.expires > *not_after {
            let expected = format!("a time not after the certificates' end, {}", not_after.rfc3339());
            return refuse("expires", expected, &self.expires.rfc3339());
        }
        let expected = self.expected_files();
        let found: Vec<&str> = self.files.iter().map(|file| file.name.as_str()).collect();
        if found != expected {
            let other = found.iter().zip(&expected).find(|(found, expected)| **found != expected.as_str());
            let found = other.map_or_else(|| found.len().to_string(), |(found, _)| (*found).to_owned());
            let expected = other.map_or_else(|| expected.len().to_string(), |(_, expected)| expected.clone());
            return refuse("files", expected, &found);
        }
        let size = |name: &str, size: u64| match self.file(name) {
            Some(file) if file.size == size => Ok(()),
            other => Err(Refusal::new(
                Class::Count,
                format!("{NAME}: size of {name}"),
                size,
                other.map_or(0, |file| file.size),
            )),
        };
        size(LEAVES, u64::from(self.count) * 32)?;
        size(INDEX, super::index::offset(u64::from(self.count)))
    }

    /// The names a bundle of this size has, sorted.
    #[must_use]
    pub fn expected_files(&self) -> Vec<String> {
        let mut names: Vec<String> = [CHAIN, CRL, INDEX, LEAVES].map(str::to_owned).to_vec();
        names.extend((0..self.shards()).map(shard_name));
        names
    }
}

/// The name of a shard's file: five digits, more where there are more.
#[must_use]
pub fn shard_name(shard: u32) -> String {
    format!("shards/{shard:05}.age")
}

/// The name of a signer's file.
#[must_use]
pub fn signature_name(who: &str) -> String {
    format!("{NAME}.{who}.sig")
}
