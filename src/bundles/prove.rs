//! The way from a device to the root that a bundle's manifest names.

use super::BundleError;
use super::folder::{failed, open_file};
use crate::basics::{Digest, limits};
use crate::devices::durable_file;
use crate::factory::index::{self, HEADER_OCTETS, IndexHeader, ROW_OCTETS, Row};
use crate::factory::{BundleId, Class, DeviceId, Manifest, Refusal, manifest, merkle};
use serde::Serialize;
use std::io::{BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;

/// An inclusion proof (RFC 9162 2.1.3): whoever has the record computes its leaf and walks to the root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Proof {
    pub bundle: BundleId,
    /// SHA-256 of the manifest that names the root.
    pub manifest: Digest,
    pub device: DeviceId,
    pub record: u32,
    pub shard: u32,
    pub count: u32,
    pub leaf: Digest,
    /// Nearest first.
    pub siblings: Vec<Digest>,
    pub root: Digest,
}

/// Finds a device and proves where it is; `None` where the index has no such device. The bundle is not checked otherwise.
///
/// # Errors
/// Where files cannot be read, or contradict each other on this device.
pub fn prove(folder: &Path, device: &DeviceId) -> Result<Option<Proof>, BundleError> {
    let octets = durable_file::read(&folder.join(manifest::NAME), limits::BUNDLE_MANIFEST_OCTETS)?;
    let manifest = Manifest::parse(&octets)?;
    let (file, _) = open_file(folder, manifest::INDEX)?;
    let path = folder.join(manifest::INDEX);
    let mut header = [0; HEADER_OCTETS];
    file.read_exact_at(&mut header, 0).map_err(failed(&path, "reading"))?;
    let header = IndexHeader::parse(&header)?;
    let wanted = header.salted(manifest.realm, device);
    let row = index::find(&header, &wanted, |n| {
        let mut octets = [0; ROW_OCTETS];
        file.read_exact_at(&mut octets, index::offset(n)).map_err(failed(&path, "reading"))?;
        Row::parse(&octets).map_err(BundleError::from)
    })?;
    let Some(row) = row else { return Ok(None) };
    let (leaves, _) = open_file(folder, manifest::LEAVES)?;
    let mut leaves = BufReader::new(leaves);
    // A leaf that cannot be read ends the tree, and then there is no proof.
    let each = (0..manifest.count).map_while(|_| {
        let mut leaf = [0; 32];
        leaves.read_exact(&mut leaf).ok().map(|()| Digest::from_octets(leaf))
    });
    let (at, size) = (u64::from(row.record), u64::from(manifest.count));
    let siblings = merkle::proof(at, size, each).unwrap_or_default();
    if !merkle::included(&row.leaf, at, size, &siblings, &manifest.records_root) {
        let found = "leaves that do not lead to it";
        return Err(Refusal::new(Class::Tampered, "records root", manifest.records_root, found).into());
    }
    Ok(Some(Proof {
        bundle: manifest.bundle,
        manifest: Digest::of(&octets),
        device: device.clone(),
        record: row.record,
        shard: row.shard,
        count: manifest.count,
        leaf: row.leaf,
        siblings,
        root: manifest.records_root,
    }))
}
