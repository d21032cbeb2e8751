//! Bundles: made in the strongroom, written to `DIR/bundles/ID`, checked by whoever has nothing but the folder. Challenges to factories.
//!
//! A bundle gets its name when it is whole. If we die before its outcome is recorded, no record names it, its serial number is burnt,
//! and the next attempt, which has another id, sets it aside.

use crate::basics::digest::hex_decode;
use crate::basics::{Digest, limits};
use crate::bundles::{self, Making};
use crate::ceremony::event::Outcome;
use crate::ceremony::{Operation, batch, steps};
use crate::devices::durable_file;
use crate::factory::manifest::CeremonyRef;
use crate::factory::terms::Devices;
use crate::factory::{BundleId, Listed, manifest};
use crate::pki::CertificateList;
use crate::runner::perform::written;
use crate::runner::rehearsal;
use crate::runner::room::RealmType;
use crate::runner::run::Run;
use crate::runner::telling::now_and_then;
use crate::strongroom::{Request, Response};
use std::path::Path;

impl<R: RealmType> Run<'_, R> {
    pub(super) fn challenge(
        &mut self,
        factory: &str,
        recipient: &str,
        request: Digest,
        file: &str,
    ) -> Result<Outcome, String> {
        let ask =
            Request::Challenge { recipient: recipient.to_owned(), enrolment: request, factory: factory.to_owned() };
        let (Response::Challenged { commitment }, Some(sealed)) = self.strongrooms.maker(ask)? else {
            return Err("the strongroom sealed no challenge".to_owned());
        };
        let path = self.folder.artifacts().join(file);
        // One that is there already is of an attempt that came to no outcome: no record names it.
        durable_file::set_aside(&path).map_err(|e| e.to_string())?;
        durable_file::create(&path, sealed.expose()).map_err(|e| e.to_string())?;
        Ok(Outcome::Challenged { commitment, file: written(file, sealed.expose()) })
    }

    pub(super) fn issue_bundle(&mut self, operation: &Operation) -> Result<Outcome, String> {
        let Operation::Batch { authority, issuer_der, terms, sequence, previous, expires, head, .. } = operation else {
            return Err("expected a batch".to_owned());
        };
        let fixed = batch::fixed(self.plan.realm, &self.plan.ceremony, operation)?;
        let mut chain = String::new();
        for certificate in batch::chain(&self.state, authority)? {
            chain += &certificate.to_pem().map_err(|e| e.to_string())?;
        }
        let list = self.state.authorities.get(authority).map(|made| made.crl.clone()).unwrap_or_default();
        let list = hex_decode(&list).ok_or("the revocation list is not hexadecimal")?;
        let list = CertificateList::parse(&list).and_then(|list| list.to_pem()).map_err(|e| e.to_string())?;
        let listed = self.listed(terms.order)?;
        let requested = match &terms.devices {
            Devices::Requested { requests, .. } => Some(Box::new(self.accepted(&self.judged(*requests)?))),
            Devices::Numbered(_) | Devices::Listed { .. } => None,
        };
        let requested: Option<Box<bundles::Requests<'_>>> = requested.map(|requested| requested as Box<_>);
        let issuer_der = hex_decode(issuer_der).ok_or("the issuing certificate is not hexadecimal")?;
        self.set_bundles_aside()?;
        let name = self.folder.bundles().join(terms.bundle.hex());
        durable_file::folder(&self.folder.issued()).map_err(|e| e.to_string())?;
        let kept = self.folder.issued().join(bundles::kept::name(&terms.bundle));
        let making = Making {
            terms,
            authority,
            issuer_der: &issuer_der,
            chain: chain.as_bytes(),
            crl: list.as_bytes(),
            sequence: *sequence,
            previous: *previous,
            issued: self.room.clock.now(),
            expires: *expires,
            policy: None,
            ceremony: CeremonyRef { id: self.plan.ceremony.clone(), head: *head },
            nonce: fixed.nonce,
            salt: fixed.salt,
            listed: &listed,
            kept: &kept,
            requested: requested.as_deref(),
        };
        let what = format!("make {}, shards", operation.shown());
        self.with_front(|view, front, strongrooms| {
            let mut tell = now_and_then(|done, of| front.progress(view, &what, done, of));
            bundles::write(strongrooms.maker_room()?, &making, &name, &mut tell).map_err(|e| e.to_string())
        })?;
        if let Some(seed) = self.room.seed() {
            self.sign_as_simulated(&name, seed)?;
        }
        bundles::check(&name, None, 0).map_err(|e| e.to_string())?;
        let octets = durable_file::read(&name.join(manifest::NAME), limits::RECORDED_MANIFEST_OCTETS);
        let octets = octets.map_err(|e| e.to_string())?;
        Ok(Outcome::BundleIssued { manifest: String::from_utf8(octets).map_err(|_| "the manifest is no text")? })
    }

    /// The name of the judged requests with this statement.
    fn judged(&self, statement: Digest) -> Result<String, String> {
        let found = self.state.judged.iter().find(|(_, judged)| judged.statement == statement);
        found.map(|(name, _)| name.clone()).ok_or_else(|| "the requests of this batch were not judged".to_owned())
    }

    /// The devices of the order with this digest, where it lists them.
    fn listed(&self, order: Digest) -> Result<Vec<Listed>, String> {
        for name in self.state.objects.keys() {
            if let Ok((found, digest)) = batch::order(&self.state, name)
                && digest == order
            {
                return Ok(found.list());
            }
        }
        Err("the order of this batch has not come in".to_owned())
    }

    /// In production the keys never enter this machine: signatures are made over the manifest's artefact, and come beside it later.
    fn sign_as_simulated(&self, folder: &Path, seed: u64) -> Result<(), String> {
        let octets = durable_file::read(&folder.join(manifest::NAME), limits::BUNDLE_MANIFEST_OCTETS);
        let octets = octets.map_err(|e| e.to_string())?;
        for (index, person) in self.plan.people.iter().enumerate() {
            let key = rehearsal::participant_key(&self.plan, seed, index)?;
            let armoured =
                key.sign(&self.plan.realm.namespace(manifest::PURPOSE), &octets).map_err(|e| e.to_string())?;
            let path = folder.join(manifest::signature_name(&person.id));
            durable_file::create(&path, armoured.as_bytes()).map_err(|e| e.to_string())?;
        }
        Ok(())
    }

    /// What lies in the folder of bundles and no record names: cut short, or whole and never recorded.
    fn set_bundles_aside(&self) -> Result<(), String> {
        let folder = self.folder.bundles();
        durable_file::folder(&folder).map_err(|e| e.to_string())?;
        let recorded: Vec<String> =
            self.state.factories.values().flat_map(|f| &f.bundles).map(|bundle| bundle.bundle.hex()).collect();
        let entries = std::fs::read_dir(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if recorded.contains(&name) {
                continue;
            }
            let aside = self.folder.state().join("bundles-without-record");
            durable_file::folder(&aside).map_err(|e| e.to_string())?;
            let free = (1..=9_999_u32).map(|n| aside.join(format!("{name}.{n}"))).find(|path| !path.exists());
            durable_file::move_to(&entry.path(), &free.unwrap_or_else(|| aside.join(&name)))
                .map_err(|e| e.to_string())?;
        }
        Ok(())
    }

    /// A recorded bundle as deterministic tars, each made when it is asked for: every file its manifest lists, then signatures, then the
    /// manifest. One, where a file on a medium holds it; else as many as it takes.
    pub(super) fn bundle_as_files(&self, bundle: &BundleId) -> Result<Vec<(String, Tar)>, String> {
        let folder = self.folder.bundles().join(bundle.hex());
        let checked = bundles::check(&folder, None, 0).map_err(|e| e.to_string())?;
        let recorded = self.state.factories.values().flat_map(|f| &f.bundles).find(|made| made.bundle == *bundle);
        if recorded.is_none_or(|recorded| recorded.manifest != checked.digest) {
            return Err(format!("{}: no entry of the record names this bundle", folder.display()));
        }
        let mut names: Vec<(String, u64)> =
            checked.manifest.files.iter().map(|file| (file.name.clone(), file.size)).collect();
        let beside =
            self.plan.people.iter().map(|p| manifest::signature_name(&p.id)).chain([manifest::NAME.to_owned()]);
        names.extend(beside.filter_map(|name| {
            let size = folder.join(&name).metadata().ok()?.len();
            Some((name, size))
        }));
        let size: u64 = names.iter().map(|(_, size)| in_tar(*size)).sum();
        let largest = names.iter().map(|(_, size)| in_tar(*size)).max().unwrap_or(0);
        if size > limits::BUNDLE_EXPORT_OCTETS || largest > PART {
            return Err(format!(
                "bundle {bundle}: expected at most {} octets for one export on a medium, in files of at most {PART}, found {size} and {largest}: `anchorite bundle split` writes the folder {} to media",
                limits::BUNDLE_EXPORT_OCTETS,
                folder.display()
            ));
        }
        let mut parts: Vec<(Vec<String>, u64)> = Vec::new();
        for (name, size) in names {
            match parts.last_mut().filter(|(_, had)| had + in_tar(size) <= PART) {
                Some((part, had)) => {
                    part.push(name);
                    *had += in_tar(size);
                }
                None => parts.push((vec![name], in_tar(size))),
            }
        }
        let of = parts.len();
        let tar = |(n, (names, size)): (usize, (Vec<String>, u64))| {
            let folder = folder.clone();
            (steps::bundle_file(bundle, n + 1, of), Box::new(move || tar_of(&folder, &names, size)) as Tar)
        };
        Ok(parts.into_iter().enumerate().map(tar).collect())
    }
}

/// Makes the octets of a tar.
pub(super) type Tar = Box<dyn Fn() -> Result<Vec<u8>, String>>;

/// Most octets of files and their headers in one tar: two blocks end it.
const PART: u64 = limits::MEDIUM_FILE_OCTETS as u64 - 1_024;

/// A header, and the content in whole blocks.
const fn in_tar(size: u64) -> u64 {
    512 + size.next_multiple_of(512)
}

fn tar_of(folder: &Path, names: &[String], size: u64) -> Result<Vec<u8>, String> {
    // One that grows has twice the room it needs, and what it had before beside it.
    let mut tar = Vec::with_capacity(usize::try_from(size).unwrap_or(0) + 1_024);
    for name in names {
        let octets = durable_file::read(&folder.join(name), limits::MEDIUM_FILE_OCTETS).map_err(|e| e.to_string())?;
        crate::factory::tar::file(&mut tar, name, &octets).map_err(|e| e.to_string())?;
    }
    crate::factory::tar::end(&mut tar);
    Ok(tar)
}
