//! What a chain has issued before, record by record from what was kept: which devices, hardware and keys have certificates that stand. The files
//! need no trust: each leads to the root in its bundle's manifest.

use super::BundleError;
use super::kept::Records;
use crate::basics::{Digest, Realm};
use crate::factory::refusal::same;
use crate::factory::{BundleId, Class, DeviceId, HardwareIds, IssuedRecord, Lineage, Order, Places, Refusal, hardware};
use crate::plan::standing::factory::StandingBundle;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Conflicts that are named; more are counted.
const NAMED: usize = 2;

/// A bundle that was issued before.
#[derive(Clone, Debug)]
pub struct Before {
    /// What was kept of it.
    pub path: PathBuf,
    /// As people call it.
    pub name: String,
    pub bundle: BundleId,
    pub count: u32,
    pub records_root: Digest,
    /// Records whose certificates stand: neither revoked nor replaced.
    pub stands: Places,
}

impl Before {
    /// A bundle as it stands; `of` are all of its factory, `path` is what was kept of it.
    ///
    /// # Errors
    /// Where there are too many runs of records.
    pub fn of(
        bundle: &StandingBundle,
        of: &[StandingBundle],
        withdrawn: &BTreeSet<String>,
        path: PathBuf,
    ) -> Result<Self, String> {
        // Nothing stands of an authority that was itself withdrawn.
        let stands = if withdrawn.contains(&bundle.authority) { Places::default() } else { bundle.stands(of)? };
        let (name, records_root) = (bundle.name.clone(), bundle.records_root);
        Ok(Self { path, name, bundle: bundle.bundle, count: bundle.count, records_root, stands })
    }

    /// Every record, with whether its certificate stands.
    ///
    /// # Errors
    /// Where the file is not what was kept of this bundle; what `take` says.
    pub fn each(
        &self,
        realm: Realm,
        take: &mut dyn FnMut(&IssuedRecord, bool) -> Result<(), BundleError>,
    ) -> Result<(), BundleError> {
        let mut records = Records::open(&self.path)?;
        same(Class::WrongRealm, "issued records: realm", &realm, &records.header.realm)?;
        same(Class::Foreign, "issued records: bundle", &self.bundle, &records.header.bundle)?;
        same(Class::Count, "issued records: count", &self.count, &records.header.count)?;
        while let Some(record) = records.next_record()? {
            take(&record, self.stands.contains(record.index))?;
        }
        Ok(same(Class::Foreign, "issued records: root", &self.records_root, &records.root())?)
    }
}

/// What of an order is in the way of its being carried out, as far as what stands says: devices and hardware that have a certificate which
/// it does not replace, and certificates to be replaced that are other devices'. How many records were looked at.
///
/// # Errors
/// The first ones by name; a file that is not what was kept of its bundle.
pub fn looked_at(order: &Order, before: &[Before]) -> Result<u64, BundleError> {
    let listed = order.listed();
    let wanted: BTreeSet<String> = order.named.iter().flat_map(|device| names(&device.hardware)).collect();
    let (mut looked, mut found, mut all) = (0, Vec::new(), 0_u64);
    for bundle in before {
        let replaced = order.replaces.as_ref().filter(|replaced| replaced.bundle == bundle.bundle);
        let mut place = 0;
        bundle.each(order.realm, &mut |record, stands| {
            looked += 1;
            let what = format!("record {} of bundle {}", record.index, bundle.name);
            if replaced.is_some_and(|replaced| replaced.records.contains(record.index)) {
                let expected = &record.device;
                let device = order.device(place)?;
                place += 1;
                if device != *expected {
                    let expected = format!("{expected}, which has {what}");
                    return Err(Refusal::new(Class::WrongOrder, "devices", expected, device).into());
                }
                return Ok(());
            }
            if let Some(conflict) = conflict(record, stands, order, &listed, &wanted)? {
                all += 1;
                if found.len() < NAMED {
                    found.push(format!("{conflict} ({what})"));
                }
            }
            Ok(())
        })?;
    }
    if found.is_empty() {
        return Ok(looked);
    }
    let expected = "none with a certificate that stands and is not replaced";
    let more = all - found.len() as u64;
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    Err(Refusal::new(Class::Replay, "devices", expected, format!("{}{more}", found.join(", "))).into())
}

/// What of a record that stands an order would give another certificate.
fn conflict(
    record: &IssuedRecord,
    stands: bool,
    order: &Order,
    listed: &BTreeSet<DeviceId>,
    wanted: &BTreeSet<String>,
) -> Result<Option<String>, Refusal> {
    if !stands {
        return Ok(None);
    }
    if order.orders(&record.device, listed) {
        return Ok(Some(record.device.to_string()));
    }
    if wanted.is_empty() {
        return Ok(None);
    }
    let hardware = Lineage::parse(&record.lineage)?.hardware;
    let found = hardware.iter().find(|(kind, id)| wanted.contains(&hardware::same_for(kind, id)));
    Ok(found.map(|(kind, id)| format!("{kind} {id} of {}", record.device)))
}

/// The names by which hardware is the same.
fn names(ids: &HardwareIds) -> impl Iterator<Item = String> + '_ {
    ids.iter().map(|(kind, id)| hardware::same_for(kind, id))
}
