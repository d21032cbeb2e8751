//! What the ceremony side keeps of a bundle it made: everything of each record that is no secret. With it a proof of possession can
//! be verified, a device found and a certificate revoked, long after the bundle has left and without opening a shard.
//!
//! ```text
//! 84                              header: array of 4
//!   72 "anchorite-issued/1"
//!   69 "rehearsal"                realm
//!   50 <16>                       bundle id
//!   14                            how many records follow
//! 84                              record: array of 4, in the order of the bundle
//!   00                            index
//!   6d "LAMP-00000001"            device id
//!   59 01c2 <450>                 certificate, DER
//!   58 9b <155>                   lineage
//! ```
//! One after the other, nothing between, nothing after. It needs no signature: the record digests that follow from it have the root
//! that the manifest names (`media/BUNDLE.md`), or it is not that bundle's.

use crate::basics::{Digest, Realm, limits};
use crate::factory::cbor::{Reader, Writer, same_octets};
use crate::factory::{BundleId, DeviceId, Refusal, record};

const WHAT: &str = "issued records";
const FORMAT: &str = "anchorite-issued/1";

/// What the file is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuedHeader {
    pub realm: Realm,
    pub bundle: BundleId,
    pub count: u32,
}

impl IssuedHeader {
    #[must_use]
    pub fn to_octets(&self) -> Vec<u8> {
        let mut octets = Vec::with_capacity(64);
        let mut w = Writer::new(&mut octets);
        w.array(4).text(FORMAT).text(self.realm.word()).octets(self.bundle.octets()).number(u64::from(self.count));
        octets
    }

    /// Reads the header from the front; gives it and how many octets it took.
    ///
    /// # Errors
    /// Where what is there is not exactly what [`IssuedHeader::to_octets`] writes.
    pub fn read(octets: &[u8]) -> Result<(Self, usize), Refusal> {
        let mut r = Reader::new(WHAT, octets);
        r.array(4)?;
        let format = r.text(FORMAT.len())?;
        if format != FORMAT {
            return Err(Refusal::malformed(WHAT, FORMAT, format));
        }
        let realm = match r.text(16)? {
            "production" => Realm::Production,
            "rehearsal" => Realm::Rehearsal,
            other => return Err(Refusal::malformed(WHAT, "a realm", other)),
        };
        let bundle = BundleId::from_octets(r.octets_of()?);
        let header = Self { realm, bundle, count: r.number_u32()? };
        let used = r.position();
        same_octets(WHAT, &header.to_octets(), octets.get(..used).unwrap_or_default())?;
        Ok((header, used))
    }
}

/// The public part of one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuedRecord {
    pub index: u32,
    pub device: DeviceId,
    /// DER.
    pub certificate: Vec<u8>,
    /// Its CBOR, as the certificate commits to it.
    pub lineage: Vec<u8>,
}

impl IssuedRecord {
    /// Most octets of one: what a reader must hold.
    pub const MOST: usize = limits::DEVICE_CERTIFICATE_OCTETS + limits::LINEAGE_OCTETS + limits::DEVICE_ID_CHARS + 32;

    /// Appends the octets.
    pub fn write(&self, octets: &mut Vec<u8>) {
        write(octets, self.index, &self.device, &self.certificate, &self.lineage);
    }

    /// Reads one from the front; gives it and how many octets it took.
    ///
    /// # Errors
    /// Where what is there is not exactly what [`IssuedRecord::write`] writes.
    pub fn read(octets: &[u8]) -> Result<(Self, usize), Refusal> {
        let mut r = Reader::new(WHAT, octets);
        r.array(4)?;
        let index = r.number_u32()?;
        let device = DeviceId::parse(r.text(limits::DEVICE_ID_CHARS)?)?;
        let certificate = r.octets(limits::DEVICE_CERTIFICATE_OCTETS)?.to_vec();
        let lineage = r.octets(limits::LINEAGE_OCTETS)?.to_vec();
        let used = r.position();
        let record = Self { index, device, certificate, lineage };
        let mut again = Vec::with_capacity(used);
        record.write(&mut again);
        same_octets(WHAT, &again, octets.get(..used).unwrap_or_default())?;
        Ok((record, used))
    }

    /// The record digest.
    #[must_use]
    pub fn digest(&self, realm: Realm, bundle: &BundleId) -> Digest {
        record::digest(realm, bundle, self.index, &self.device, &self.certificate, &self.lineage)
    }
}

/// Appends the octets of one record from its parts.
pub fn write(octets: &mut Vec<u8>, index: u32, device: &DeviceId, certificate: &[u8], lineage: &[u8]) {
    let mut w = Writer::new(octets);
    w.array(4).number(u64::from(index)).text(device.as_str()).octets(certificate).octets(lineage);
}
