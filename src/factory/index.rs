//! `index.cbor`: finds a device in a bundle without opening a shard. A CBOR sequence of byte strings, each of one width, so row n
//! begins at octet `HEADER_OCTETS + n * ROW_OCTETS` and a device is found by halving.
//!
//! ```text
//! 58 30                 header: "anchorite-index/" (16) || bundle id (16) || version, 1 (4) || records (4) || salt (8)
//! 58 48                 row:    salted device id (32) || shard (4) || record (4) || leaf (32)
//! ```
//! Numbers are big endian; rows rise. Salted device id = `tagged("device-index", realm, [bundle id, salt, device id])`: rows say
//! nothing to who has the index alone, and the same device is another row in another bundle. Device ids can be guessed, so
//! this hides from a glance, not from who has the manifest and tries ids.

use crate::basics::{Digest, Realm};
use crate::factory::{BundleId, DeviceId, Refusal};

const WHAT: &str = "index.cbor";
const NAME: &[u8; 16] = b"anchorite-index/";
const VERSION: u32 = 1;
/// Octets of the header, its CBOR head included.
pub const HEADER_OCTETS: usize = 2 + 48;
/// Octets of a row, its CBOR head included.
pub const ROW_OCTETS: usize = 2 + 72;

/// What the index is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexHeader {
    pub bundle: BundleId,
    pub records: u32,
    pub salt: [u8; 8],
}

impl IndexHeader {
    #[must_use]
    pub fn to_octets(&self) -> [u8; HEADER_OCTETS] {
        let mut octets = [0; HEADER_OCTETS];
        let parts: [&[u8]; 6] =
            [&[0x58, 48], NAME, self.bundle.octets(), &VERSION.to_be_bytes(), &self.records.to_be_bytes(), &self.salt];
        fill(&mut octets, &parts);
        octets
    }

    /// # Errors
    /// Where the octets are not exactly what [`IndexHeader::to_octets`] writes.
    pub fn parse(octets: &[u8]) -> Result<Self, Refusal> {
        let header = (|| {
            let mut rest = octets;
            let _ = take::<18>(&mut rest)?;
            let bundle = BundleId::from_octets(take(&mut rest)?);
            let _ = take::<4>(&mut rest)?;
            Some(Self { bundle, records: u32::from_be_bytes(take(&mut rest)?), salt: take(&mut rest)? })
        })();
        header
            .filter(|header| header.to_octets() == octets)
            .ok_or_else(|| Refusal::malformed(WHAT, "a header of anchorite-index/ version 1", "something else"))
    }

    /// What stands for a device in the rows of this index.
    #[must_use]
    pub fn salted(&self, realm: Realm, device: &DeviceId) -> Digest {
        let parts: [&[u8]; 3] = [self.bundle.octets(), &self.salt, device.as_str().as_bytes()];
        Digest::tagged("device-index", realm, &parts)
    }
}

/// Where one device is. Rows are ordered by the salted device id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    pub device: Digest,
    pub shard: u32,
    /// Index of the record in the bundle.
    pub record: u32,
    pub leaf: Digest,
}

impl Row {
    #[must_use]
    pub fn to_octets(&self) -> [u8; ROW_OCTETS] {
        let mut octets = [0; ROW_OCTETS];
        let (shard, record) = (self.shard.to_be_bytes(), self.record.to_be_bytes());
        fill(&mut octets, &[&[0x58, 72], self.device.octets(), &shard, &record, self.leaf.octets()]);
        octets
    }

    /// # Errors
    /// Where the octets are not exactly what [`Row::to_octets`] writes.
    pub fn parse(octets: &[u8]) -> Result<Self, Refusal> {
        let row = (|| {
            let mut rest = octets;
            let _ = take::<2>(&mut rest)?;
            let device = Digest::from_octets(take(&mut rest)?);
            let shard = u32::from_be_bytes(take(&mut rest)?);
            let record = u32::from_be_bytes(take(&mut rest)?);
            Some(Self { device, shard, record, leaf: Digest::from_octets(take(&mut rest)?) })
        })();
        row.filter(|row| row.to_octets() == octets)
            .ok_or_else(|| Refusal::malformed(WHAT, "a row of 72 octets", "something else"))
    }
}

/// Octet at which row `n` begins.
#[must_use]
pub const fn offset(n: u64) -> u64 {
    HEADER_OCTETS as u64 + n * ROW_OCTETS as u64
}

/// Finds a device by halving; `row` reads row n.
///
/// # Errors
/// What `row` gives.
pub fn find<E>(
    header: &IndexHeader,
    device: &Digest,
    mut row: impl FnMut(u64) -> Result<Row, E>,
) -> Result<Option<Row>, E> {
    let (mut from, mut until) = (0_u64, u64::from(header.records));
    while from < until {
        let middle = from + (until - from) / 2;
        let there = row(middle)?;
        match there.device.cmp(device) {
            std::cmp::Ordering::Equal => return Ok(Some(there)),
            std::cmp::Ordering::Less => from = middle + 1,
            std::cmp::Ordering::Greater => until = middle,
        }
    }
    Ok(None)
}

fn fill(octets: &mut [u8], parts: &[&[u8]]) {
    let joined = parts.iter().flat_map(|part| part.iter());
    for (slot, octet) in octets.iter_mut().zip(joined) {
        *slot = *octet;
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (front, back) = rest.split_first_chunk::<N>()?;
    *rest = back;
    Some(*front)
}
