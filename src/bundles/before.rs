//! What a chain has issued before: which devices, hardware and keys have certificates that stand. Bundles are looked at record by record in what
//! was kept of them, which leads to the root in each one's manifest; what authorities in factories' modules issued, certificate by certificate in
//! their logs, which have the digests that the factory signed. None of these files needs trust.

mod logs;

pub use logs::LoggedBefore;

use super::BundleError;
use super::kept::{self, Records};
use super::logged;
use crate::basics::{Digest, Instant, Realm};
use crate::factory::refusal::same;
use crate::factory::{BundleId, Class, HardwareIds, IssuedRecord, Lineage, Order, Places, Refusal, hardware};
use crate::plan::standing::StandingFactory;
use crate::plan::standing::delegated::StandingLog;
use crate::plan::standing::factory::StandingBundle;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// Conflicts that are named; more are counted.
const NAMED: usize = 2;

/// What a file is needed of.
#[derive(Clone, Copy)]
pub enum Of<'s> {
    Bundle(&'s StandingBundle),
    Log(&'s StandingLog),
}

impl Of<'_> {
    /// The name under which it was kept.
    #[must_use]
    pub fn file(&self) -> String {
        match self {
            Self::Bundle(bundle) => kept::name(&bundle.bundle),
            Self::Log(log) => logged::name(&log.sha256),
        }
    }
}

/// Everything that was issued before.
#[derive(Clone, Debug, Default)]
pub struct IssuedBefore {
    pub bundles: Vec<Before>,
    pub logs: Vec<LoggedBefore>,
}

impl IssuedBefore {
    /// All that stands of these factories: `withdrawn` are authorities of which nothing stands, `but` an authority in a factory's module
    /// whose logs are left out, and `file` finds each file.
    ///
    /// # Errors
    /// Where there are too many runs of records; what `file` says.
    pub fn of<E: From<String>>(
        factories: &BTreeMap<String, StandingFactory>,
        withdrawn: &BTreeSet<String>,
        but: Option<&str>,
        mut file: impl FnMut(Of<'_>) -> Result<PathBuf, E>,
    ) -> Result<Self, E> {
        let mut all = Self::default();
        for factory in factories.values() {
            for bundle in &factory.bundles {
                let path = file(Of::Bundle(bundle))?;
                all.bundles.push(Before::of(bundle, &factory.bundles, withdrawn, path)?);
            }
            for authority in factory.delegated.iter().filter(|one| but != Some(one.name.as_str())) {
                for log in &authority.logs {
                    all.logs.push(LoggedBefore::of(authority, log, withdrawn, file(Of::Log(log))?));
                }
            }
        }
        Ok(all)
    }
}

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

/// What of an order is in the way of its being carried out at this time, as far as what stands says: devices and hardware that have a certificate
/// which it does not replace, and certificates to be replaced that are other devices'. How many records and certificates were looked at.
///
/// # Errors
/// The first ones by name; a file that is not what was kept.
pub fn looked_at(order: &Order, before: &IssuedBefore, at: Instant) -> Result<u64, BundleError> {
    let listed = order.listed_alike();
    let wanted: BTreeSet<String> = order.named.iter().flat_map(|device| names(&device.hardware)).collect();
    let (mut looked, mut conflicts) = (0, Conflicts::default());
    for bundle in &before.bundles {
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
                conflicts.add(format!("{conflict} ({what})"));
            }
            Ok(())
        })?;
    }
    for log in &before.logs {
        log.each(at, &mut |one| {
            looked += 1;
            if let Some(device) = one.device.filter(|device| one.stands && order.means(device, &listed)) {
                conflicts.add(format!("{device} ({})", log.told()));
            }
        })?;
    }
    conflicts.told().map_or(Ok(looked), |found| {
        let expected = "none with a certificate that stands and is not replaced";
        Err(Refusal::new(Class::Replay, "devices", expected, found).into())
    })
}

/// What is in the way: the first ones by name, all counted.
#[derive(Default)]
struct Conflicts {
    named: Vec<String>,
    all: u64,
}

impl Conflicts {
    fn add(&mut self, conflict: String) {
        self.all += 1;
        if self.named.len() < NAMED {
            self.named.push(conflict);
        }
    }

    fn told(&self) -> Option<String> {
        let more = self.all - self.named.len() as u64;
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        (self.all > 0).then(|| format!("{}{more}", self.named.join(", ")))
    }
}

/// What of a record that stands an order would give another certificate.
fn conflict(
    record: &IssuedRecord,
    stands: bool,
    order: &Order,
    listed: &BTreeSet<String>,
    wanted: &BTreeSet<String>,
) -> Result<Option<String>, Refusal> {
    if !stands {
        return Ok(None);
    }
    if order.means(&record.device, listed) {
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
