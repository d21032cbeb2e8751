//! Requests of a factory: their file is found on a medium by its digest, copied, and judged; what was refused is written down.
//!
//! ```text
//! DIR/requests/NAME.cbor          the file, copied: what was judged is what is certified
//! DIR/requests/NAME.00000.cbor    the accepted requests of each shard, as the strongroom gets them
//! DIR/state/device-keys.bin       device keys that the chain has certified, from the ceremony before
//! ```

use crate::basics::{Digest, limits};
use crate::bundles::before::{self, IssuedBefore};
use crate::bundles::{BundleError, requests};
use crate::ceremony::batch;
use crate::ceremony::event::Outcome;
use crate::ceremony::steps::{keys_file, refusals_file};
use crate::devices::durable_file;
use crate::factory::requests::{Judge, Known, Prints, Statement, refusals};
use crate::runner::perform::written;
use crate::runner::room::RealmType;
use crate::runner::run::Run;
use std::path::{Path, PathBuf};

/// What the script says is to be judged.
pub(super) struct Wanted<'w> {
    pub(super) requests: &'w str,
    pub(super) order: &'w str,
    pub(super) shard_records: u32,
    pub(super) device_keys: Option<Digest>,
}

impl<R: RealmType> Run<'_, R> {
    pub(super) fn judge_requests(&mut self, wanted: &Wanted<'_>) -> Result<Outcome, String> {
        let object = self.state.objects.get(wanted.requests).ok_or("the statement has not come in")?;
        let octets = crate::basics::digest::hex_decode(&object.octets).ok_or("the statement is not hexadecimal")?;
        let signed = Statement::read(&octets, self.plan.realm).map_err(|e| e.to_string())?;
        let (statement, sha256) = (&signed.statement, object.sha256);
        let (order, order_digest) = batch::order(&self.state, wanted.order)?;
        let devices = self.device_keys(wanted.device_keys)?;
        let before = self.issued_before(None)?;
        let folder = self.folder.requests();
        durable_file::folder(&folder).map_err(|e| e.to_string())?;
        let copy = folder.join(format!("{}.cbor", wanted.requests));
        let file = format!("{}.requests.cbor", wanted.requests);
        self.copied(&file, (statement.size, statement.sha256), &copy)?;
        let at = self.room.clock.now();
        let known = Known { keys: self.state.keys.clone(), devices: devices.clone() };
        let judge = Judge::new(&order, order_digest, statement, known, at, wanted.shard_records);
        let judge = judge.map_err(|e| e.to_string())?;
        let what = format!("judge the requests {}", wanted.requests);
        let judged = self.telling(&what, |told| {
            let keep = &mut |shard, octets: Vec<u8>| {
                Ok(durable_file::replace(&accepted(&folder, wanted.requests, shard), &octets)?)
            };
            requests::judge(&copy, statement, judge, &before, devices, keep, told)
        });
        let judged = judged.map_err(|e| e.to_string())?;
        if judged.found.shards.len() > limits::LISTED_SHARDS {
            let (most, found) = (limits::LISTED_SHARDS, judged.found.shards.len());
            return Err(format!("expected at most {most} shards, found {found}: a larger `shard_records` makes fewer"));
        }
        let refusals = refusals(&self.plan.ceremony, statement, &sha256, &judged.refused)?;
        let files =
            [(refusals_file(wanted.requests), refusals), (keys_file(wanted.requests), judged.device_keys.to_octets())];
        for (name, octets) in &files {
            if octets.len() > limits::EVIDENCE_FILE_OCTETS {
                let (most, found) = (limits::EVIDENCE_FILE_OCTETS, octets.len());
                return Err(format!("{name}: expected at most {most} octets, found {found}"));
            }
            let path = self.folder.artifacts().join(name);
            // One that is there already is of a judging that came to no outcome: no record names it.
            durable_file::set_aside(&path).map_err(|e| e.to_string())?;
            durable_file::create(&path, octets).map_err(|e| e.to_string())?;
        }
        let [(refusals, said), (keys, prints)] = &files;
        Ok(Outcome::RequestsJudged {
            at,
            root: judged.root,
            found: Box::new(judged.found),
            refusals: written(refusals, said),
            device_keys: written(keys, prints),
        })
    }

    /// The accepted requests of a shard, as they were judged.
    pub(super) fn accepted(&self, requests: &str) -> impl Fn(u32) -> Result<Vec<u8>, BundleError> + Sync + use<R> {
        let (folder, name) = (self.folder.requests(), requests.to_owned());
        move |shard| Ok(durable_file::read(&accepted(&folder, &name, shard), limits::STRONGROOM_CONTENT_OCTETS)?)
    }

    /// Whether devices of an order, or hardware that it names, have certificates that stand and which it does not replace.
    pub(super) fn look_for_devices(&self, name: &str) -> Result<Outcome, String> {
        let (order, _) = batch::order(&self.state, name)?;
        let (before, at) = (self.issued_before(None)?, self.room.clock.now());
        let records = before::looked_at(&order, &before, at).map_err(|e| format!("order {name}: {e}"))?;
        Ok(Outcome::DevicesLookedFor { at, records })
    }

    /// Everything that the chain has issued, with what of it stands; without the logs of one authority.
    pub(super) fn issued_before(&self, but: Option<&str>) -> Result<IssuedBefore, String> {
        let withdrawn = batch::withdrawn(&self.state)?;
        IssuedBefore::of(&self.state.factories, &withdrawn, but, |of| self.kept(&of.file()))
    }

    /// The device keys that the chain has certified, where it has any.
    fn device_keys(&self, expected: Option<Digest>) -> Result<Prints, String> {
        let Some(expected) = expected else { return Ok(Prints::default()) };
        let path = self.folder.device_keys();
        let octets = durable_file::read(&path, limits::EVIDENCE_FILE_OCTETS).map_err(|e| {
            format!("{e}: the list of device keys that this chain has certified, SHA-256 {expected}; it is the artefact *.device-keys.bin of the ceremony that certified last: put it there")
        })?;
        let found = Digest::of(&octets);
        if found != expected {
            return Err(format!("{}: expected the list of the record, {expected}, found {found}", path.display()));
        }
        Prints::parse(&octets).map_err(|e| e.to_string())
    }
}

fn accepted(folder: &Path, requests: &str, shard: u32) -> PathBuf {
    folder.join(format!("{requests}.{shard:05}.cbor"))
}
