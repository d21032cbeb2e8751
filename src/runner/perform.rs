//! The only match on [`Effect`]: each is done here, once, and what came of it is an event.

use crate::basics::digest::hex_decode;
use crate::basics::{Digest, limits};
use crate::ceremony::event::{Outcome, What, WrittenFile};
use crate::ceremony::{Effect, State};
use crate::custody::quorum::{QuorumId, QuorumRecord, Retired};
use crate::devices::durable_file;
use crate::devices::durable_file::FileError;
use crate::factory::Accounting;
use crate::pki::serial;
use crate::plan::Plan;
use crate::runner::front_end::{FrontEnd, RevealedShare};
use crate::runner::logs;
use crate::runner::rehearsal;
use crate::runner::requests;
use crate::runner::room::RealmType;
use crate::runner::run::Run;
use crate::strongroom::{Request, Response};
use crate::transfer::envelope::{self, Envelope};

impl<R: RealmType> Run<'_, R> {
    /// Performs an effect whose intent is durable.
    pub(super) fn perform(&mut self, effect: &Effect) -> What {
        self.with_front(|view, front, _| front.busy(view, &effect.describe()));
        match self.try_perform(effect) {
            Ok(outcome) => What::Done { outcome },
            Err(reason) => {
                let strongroom_gone = reason.contains("the strongroom ended");
                if strongroom_gone {
                    self.strongrooms.close();
                }
                What::Failed { reason, strongroom_gone }
            }
        }
    }

    fn try_perform(&mut self, effect: &Effect) -> Result<Outcome, String> {
        match effect {
            Effect::ProbeMachine => Ok(Outcome::Machine { findings: self.room.findings() }),
            Effect::MakeRunKey { run } => Ok(Outcome::RunKey { public_key: self.strongrooms.make_run_key(*run)? }),
            Effect::OpenStrongroom { .. } => {
                let (commitment, protections) = self.strongrooms.open()?;
                Ok(Outcome::Strongroom { commitment, protections })
            }
            Effect::MakeKey {
                authority,
                algorithm,
                quorum,
                recipient,
                generation,
                threshold,
                count,
                step,
                operations,
                sealed_to,
            } => {
                let request = Request::MakeKey {
                    recipient: *recipient,
                    authority: authority.clone(),
                    algorithm: *algorithm,
                    quorum: quorum.clone(),
                    generation: *generation,
                    threshold: *threshold,
                    count: *count,
                    step: step.clone(),
                    operations: operations.clone(),
                    sealed_to: sealed_to.clone(),
                };
                self.make_key(&format!("{authority}.g{generation}.key.age"), request)
            }
            Effect::ShowShare { quorum, generation, index, count, holder } => {
                self.show_share(quorum, *generation, *index, *count, holder)
            }
            Effect::CheckConsistency { quorum, threshold, recipient } => {
                let id = self.state.quorums.get(quorum).map(|made| made.id.clone()).unwrap_or_default();
                Ok(Outcome::Consistent { subsets: self.strongrooms.consistent(&id, *threshold, recipient)? })
            }
            Effect::Unlock { authority, quorum, sealed, public_key, operations, digests } => {
                let made = self.state.authorities.get(authority).ok_or("no key was made for this authority")?;
                let live = self.state.quorums.get(quorum).ok_or("no record says that this quorum was made")?;
                let (id, recipient) = (live.id.clone(), live.recipient.clone());
                let path = self.folder.vault().join(&made.sealed_name);
                let file = durable_file::read(&path, limits::SEALED_FILE_OCTETS).map_err(|e| e.to_string())?;
                if Digest::of(&file) != *sealed {
                    return Err(format!(
                        "{}: no transcript records this sealed file: expected {sealed}, found {}",
                        path.display(),
                        Digest::of(&file)
                    ));
                }
                let list = (operations.clone(), digests.clone());
                self.strongrooms.unlock(authority, &file, *sealed, (&id, &recipient), public_key, list)?;
                Ok(Outcome::Unlocked)
            }
            Effect::ReserveSerial { index, .. } => {
                let serial = serial::of(&self.serial_seed()?, *index)?;
                let serial = crate::basics::digest::hex_encode(&serial);
                self.ledger.reserve(&self.plan.ceremony, &serial, *index).map_err(|e| e.to_string())?;
                Ok(Outcome::Serial { serial, index: *index })
            }
            Effect::Sign { operation, digest } => {
                match self.strongrooms.maker(Request::Sign { operation: operation.clone(), digest: *digest })? {
                    (Response::Signed { der }, _) => Ok(Outcome::Signed { der }),
                    _ => Err("the strongroom signed nothing".to_owned()),
                }
            }
            Effect::WriteArtifact { name, content } => {
                let path = self.folder.artifacts().join(name);
                durable_file::create(&path, content.as_bytes()).map_err(|e| e.to_string())?;
                Ok(Outcome::ArtifactWritten { file: written(name, content.as_bytes()) })
            }
            Effect::Challenge { factory, recipient, request, file, .. } => {
                self.challenge(factory, recipient, *request, file)
            }
            Effect::LookForDevices { order, .. } => self.look_for_devices(order),
            Effect::JudgeRequests { requests, order, shard_records, device_keys, .. } => {
                self.judge_requests(&requests::Wanted {
                    requests,
                    order,
                    shard_records: *shard_records,
                    device_keys: *device_keys,
                })
            }
            // Whatever fails of a batch ends the session: nothing more is made under what was approved.
            Effect::IssueBundle { operation, .. } => {
                self.issue_bundle(operation).map_err(|problem| format!("{problem}; the strongroom ended"))
            }
            Effect::Account { receipt, bundle, mode, nonce, records_root, count, attested } => {
                let accounting = Accounting::new(self.plan.realm, *bundle, *nonce, *mode, attested.clone());
                self.account(receipt, accounting, *records_root, *count)
            }
            Effect::CheckLog { log, order, authority, profile, sha256, earlier, seen, bundles, logs, .. } => {
                let elsewhere = !(bundles.is_empty() && logs.is_empty());
                self.check_log(&logs::Wanted { log, order, authority, profile, sha256, earlier, seen, elsewhere })
            }
            Effect::WriteMedium { medium, artifacts, sealed, bundles } => {
                self.write_medium(medium, artifacts, sealed, bundles)
            }
            Effect::ShowCode { kind, name } => self.show_code(kind, name),
            Effect::EndStrongroom => {
                self.strongrooms.close();
                Ok(Outcome::StrongroomEnded)
            }
            Effect::RevealSerialSeed => Ok(Outcome::SerialSeed { seed: self.serial_seed()? }),
        }
    }

    pub(super) fn serial_seed(&self) -> Result<Digest, String> {
        let octets = durable_file::read(&self.folder.serial_seed(), 100).map_err(|e| e.to_string())?;
        let text = String::from_utf8_lossy(&octets);
        let seed = Digest::parse(text.trim()).ok_or("state/serial-seed: expected 64 hexadecimal digits")?;
        if serial::commitment(self.plan.realm, &seed) != self.serial_seed_commitment {
            return Err(
                "state/serial-seed: not the seed that the record's header commits to: put the original back".to_owned()
            );
        }
        Ok(seed)
    }

    fn make_key(&mut self, name: &str, request: Request) -> Result<Outcome, String> {
        self.set_aside_unrecorded(name).map_err(|e| e.to_string())?;
        match self.strongrooms.maker(request)? {
            (Response::KeyMade { public_key, recipient, quorum_id, commitments, sealed }, _) => {
                let octets = hex_decode(&sealed).ok_or("the strongroom gave no sealed key")?;
                let path = self.folder.vault().join(name);
                // A file of this name is of an attempt that came to no outcome: no record names it, so it opens nothing.
                durable_file::set_aside(&path).map_err(|e| e.to_string())?;
                durable_file::create(&path, &octets).map_err(|e| e.to_string())?;
                Ok(Outcome::KeyMade { public_key, recipient, quorum_id, commitments, sealed: written(name, &octets) })
            }
            _ => Err("the strongroom made no key".to_owned()),
        }
    }

    /// A sealed key under the name of one that is yet to be made was left by a machine that died before its entry was
    /// durable: no share of it was ever shown, so nobody can open it. It is kept, out of the way.
    fn set_aside_unrecorded(&self, name: &str) -> Result<(), FileError> {
        let path = self.folder.vault().join(name);
        if !path.exists() {
            return Ok(());
        }
        let aside = self.folder.state().join("sealed-without-record");
        durable_file::folder(&aside)?;
        let free = (1..=9_999_u32).map(|n| aside.join(format!("{name}.{n}"))).find(|path| !path.exists());
        durable_file::move_to(&path, &free.unwrap_or_else(|| aside.join(name)))
    }

    fn show_share(
        &mut self,
        quorum: &str,
        generation: u8,
        index: u8,
        count: u8,
        holder: &str,
    ) -> Result<Outcome, String> {
        let reveal = Request::Reveal { quorum: quorum.to_owned(), index };
        let (Response::Share, Some(text)) = self.strongrooms.maker(reveal)? else {
            return Err("the strongroom showed no share".to_owned());
        };
        let threshold = self.state.quorums.get(quorum).map_or(0, |q| q.threshold);
        if self.plan.realm.is_rehearsal() {
            // The simulated custodian writes it down, whoever looks at the screen.
            rehearsal::write_card(&self.folder, &self.plan, quorum, generation, index, holder, &text)?;
        }
        let share = RevealedShare {
            holder: holder.to_owned(),
            quorum: quorum.to_owned(),
            generation,
            index,
            count,
            threshold,
            text,
        };
        let seen = self.with_front(|view, front: &mut dyn FrontEnd, _| front.reveal(view, &share))?;
        Ok(Outcome::ShareShown { form: seen.word().to_owned() })
    }

    fn show_code(&mut self, kind: &str, name: &str) -> Result<Outcome, String> {
        let kind = envelope::Kind::parse(kind).ok_or_else(|| format!("{kind}: no kind of object that is shown"))?;
        let (name, octets) = match kind {
            envelope::Kind::Checkpoint => self.last_checkpoint()?,
            _ => {
                let path = self.folder.artifacts().join(name);
                let octets = durable_file::read(&path, limits::EVIDENCE_FILE_OCTETS).map_err(|e| e.to_string())?;
                self.is_as_recorded(name, &path, &octets)?;
                (name.to_owned(), octets)
            }
        };
        let object = Envelope::new(kind, self.plan.realm, &name, octets).map_err(|e| e.to_string())?;
        if self.plan.realm.is_rehearsal() {
            rehearsal::other_side(&self.folder, &object)?;
        }
        self.with_front(|view, front: &mut dyn FrontEnd, _| front.show_code(view, &object))?;
        let size = object.octets().len() as u64;
        Ok(Outcome::CodeShown { kind: kind.word().to_owned(), name, size, digest: object.digest() })
    }

    /// The checkpoint that covers most: its file's name and octets.
    fn last_checkpoint(&self) -> Result<(String, Vec<u8>), String> {
        let folder = self.folder.checkpoints();
        let entries = std::fs::read_dir(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
        let last = names.filter(|name| name.ends_with(".checkpoint")).max();
        let name = last.ok_or_else(|| format!("{}: expected a checkpoint, found none yet", folder.display()))?;
        let octets = durable_file::read(&folder.join(&name), limits::SMALL_FILE_OCTETS).map_err(|e| e.to_string())?;
        Ok((name, octets))
    }

    /// Nothing leaves on a medium that differs from what the record says of it.
    pub(super) fn is_as_recorded(&self, name: &str, path: &std::path::Path, octets: &[u8]) -> Result<(), String> {
        let sealed = self.state.authorities.values().find(|made| made.sealed_name == *name).map(|made| made.sealed);
        let expected = sealed.or_else(|| self.state.artifacts.get(name).copied());
        let found = Digest::of(octets);
        match expected {
            Some(expected) if expected == found => Ok(()),
            Some(expected) => Err(format!("{}: expected the recorded file {expected}, found {found}", path.display())),
            None => Err(format!("{}: no entry of the record names this file", path.display())),
        }
    }
}

pub(super) fn written(name: &str, octets: &[u8]) -> WrittenFile {
    WrittenFile { name: name.to_owned(), sha256: Digest::of(octets), size: octets.len() as u64 }
}

/// What shares of a quorum are checked against, from the state the record gives.
#[must_use]
pub fn quorum_record(plan: &Plan, state: &State, name: &str) -> Option<QuorumRecord> {
    let made = state.quorums.get(name)?;
    let planned = plan.quorum(name)?;
    Some(QuorumRecord {
        realm: plan.realm,
        name: name.to_owned(),
        id: QuorumId::parse(&made.id)?,
        generation: made.generation,
        threshold: made.threshold,
        count: made.count,
        recipient: made.recipient.clone(),
        commitments: made.commitments.clone(),
        holders: planned.custodians.iter().map(|id| plan.name_of(id)).collect(),
        retired: state
            .retired
            .iter()
            .filter(|r| r.quorum == name)
            .filter_map(|r| {
                Some(Retired { generation: r.generation, quorum_id: QuorumId::parse(&r.id)?, when: r.time.rfc3339() })
            })
            .collect(),
    })
}
