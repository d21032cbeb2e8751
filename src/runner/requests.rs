//! Requests of a factory: their file is found on a medium by its digest, copied, and judged; what was refused is written down.
//!
//! ```text
//! DIR/requests/NAME.cbor          the file, copied: what was judged is what is certified
//! DIR/requests/NAME.00000.cbor    the accepted requests of each shard, as the strongroom gets them
//! DIR/state/device-keys.bin       device keys that the chain has certified, from the ceremony before
//! ```

use crate::basics::{Digest, canonical, limits};
use crate::bundles::before::{self, Before};
use crate::bundles::{BundleError, kept, requests};
use crate::ceremony::batch;
use crate::ceremony::event::Outcome;
use crate::ceremony::steps::{keys_file, refusals_file};
use crate::devices::durable_file;
use crate::factory::requests::{Judge, Known, Prints, Refused, Statement};
use crate::runner::perform::written;
use crate::runner::room::RealmType;
use crate::runner::run::Run;
use std::collections::BTreeMap;
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
        let before = self.issued_before()?;
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
        let records = before::looked_at(&order, &self.issued_before()?).map_err(|e| format!("order {name}: {e}"))?;
        Ok(Outcome::DevicesLookedFor { records })
    }

    /// Everything that the chain has issued, with what of it stands.
    fn issued_before(&self) -> Result<Vec<Before>, String> {
        let (mut all, withdrawn) = (Vec::new(), batch::withdrawn(&self.state)?);
        for factory in self.state.factories.values() {
            for bundle in &factory.bundles {
                let path = self.kept(&kept::name(&bundle.bundle))?;
                all.push(Before::of(bundle, &factory.bundles, &withdrawn, path)?);
            }
        }
        Ok(all)
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

/// The artefact that goes back to the factory: canonical JSON. Where there are too many to give every reason in full, as when a whole
/// collection has another nonce, the first are, and every request is under the words of its reasons.
fn refusals(ceremony: &str, statement: &Statement, sha256: &Digest, refused: &[Refused]) -> Result<Vec<u8>, String> {
    let (mut octets, mut whole) = (0, 0);
    for one in refused {
        octets += canonical::to_octets(one).map_err(|e| e.to_string())?.len() + 1;
        if octets > limits::REFUSALS_OCTETS {
            break;
        }
        whole += 1;
    }
    let (whole, cut) = refused.split_at(whole);
    let mut refusals = serde_json::json!({
        "format": "anchorite-refusals/1",
        "realm": statement.realm,
        "ceremony": ceremony,
        "factory": statement.factory,
        "order": statement.order,
        "requests": sha256,
        "count": statement.count,
        "accepted": statement.count.saturating_sub(u32::try_from(refused.len()).unwrap_or(u32::MAX)),
        "refused": whole,
    });
    if let (false, Some(all)) = (cut.is_empty(), refusals.as_object_mut()) {
        all.insert("words".to_owned(), serde_json::json!(by_word(refused)));
    }
    canonical::to_octets(&refusals).map_err(|e| e.to_string())
}

/// Every word with the requests that are refused for it, `0-19,25`.
fn by_word(refused: &[Refused]) -> BTreeMap<&str, String> {
    let mut runs: BTreeMap<&str, Vec<(u32, u32)>> = BTreeMap::new();
    for one in refused {
        for why in &one.reasons {
            let of = runs.entry(&why.word).or_default();
            match of.last_mut() {
                Some((_, last)) if *last == one.request => {}
                Some((_, last)) if last.checked_add(1) == Some(one.request) => *last = one.request,
                _ => of.push((one.request, one.request)),
            }
        }
    }
    let text = |(first, last): &(u32, u32)| if first == last { first.to_string() } else { format!("{first}-{last}") };
    runs.into_iter().map(|(word, of)| (word, of.iter().map(text).collect::<Vec<_>>().join(","))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::factory::requests::Why;

    #[test]
    fn refusals_of_a_whole_collection_fit_an_artefact_and_name_every_request() {
        let reasons = |n: u32| {
            let mut reasons = vec![Why::new("nonce-other", "the order's nonce as challengePassword", &"0".repeat(64))];
            if n.is_multiple_of(2) {
                reasons.push(Why::new("subject-device", "a subject whose serialNumber is METER", "another"));
            }
            reasons
        };
        let of = |count: u32| -> Vec<Refused> {
            (0..count)
                .map(|request| Refused { request, device: format!("METER-{request:08}"), reasons: reasons(request) })
                .collect()
        };
        let statement = Statement {
            format: Statement::format(),
            realm: crate::basics::Realm::Rehearsal,
            factory: "ostrava".to_owned(),
            order: Digest::of(b"order"),
            nonce: Digest::of(b"nonce"),
            made: crate::basics::Instant(0),
            count: limits::COLLECTED_REQUESTS,
            size: 1,
            sha256: Digest::of(b"file"),
            root: Digest::of(b"root"),
            certificates: Vec::new(),
        };
        let written = |count: u32| {
            let octets = refusals("meters", &statement, &Digest::of(b"statement"), &of(count)).unwrap();
            assert!(octets.len() <= limits::EVIDENCE_FILE_OCTETS, "{}", octets.len());
            serde_json::from_slice::<serde_json::Value>(&octets).unwrap()
        };
        let few = written(100);
        assert_eq!((few["refused"].as_array().unwrap().len(), few.get("words")), (100, None));
        let all = written(limits::COLLECTED_REQUESTS);
        assert!(all["refused"].as_array().unwrap().len() > 10_000);
        assert_eq!(all["words"]["nonce-other"], "0-199999");
        let even = all["words"]["subject-device"].as_str().unwrap();
        assert!(even.starts_with("0,2,4,") && even.ends_with(",199998"));
    }
}
