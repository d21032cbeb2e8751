//! Starting a record and taking one up again. A resume reads the record, replays it through the machine, and goes on from
//! there: no state file is believed.

use crate::audit::replay;
use crate::basics::{Digest, Realm, canonical, limits};
use crate::ceremony::event::What;
use crate::ceremony::state::Finish;
use crate::ceremony::{State, opening};
use crate::devices::durable_file::{self, Appender};
use crate::devices::medium;
use crate::ledger::{Ledger, LedgerError};
use crate::pki::serial;
use crate::plan::Plan;
use crate::runner::closing::{HOW_TO_VERIFY, REPORT};
use crate::runner::folder::Folder;
use crate::runner::front_end::FrontEnd;
use crate::runner::room::{RealmType, Room};
use crate::runner::run::{Run, RunError};
use crate::runner::strongrooms::{Reach, Strongrooms};
use crate::runner::take_in::Ways;
use crate::transcript::entry::{FORMAT, Header, Tool};
use crate::transcript::{Chain, Checkpoint, Kind, Record, Signer, sums};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What a resume must know that the record does not say; nothing in it is secret in production.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    pub realm: Realm,
    /// Seed of a rehearsal, decimal; empty in production.
    pub seed: String,
    /// Whether clock and machine are simulated.
    pub seeded: bool,
}

/// Everything that is decided before the first entry.
pub struct Beginning {
    pub plan: Plan,
    pub script: Vec<u8>,
    pub profiles: BTreeMap<String, Vec<u8>>,
    pub signers: Vec<Signer>,
    pub settings: Settings,
    pub argv: Vec<String>,
    pub approval_digest: String,
    pub governance_digest: String,
    pub approval_files: BTreeMap<String, Vec<u8>>,
    pub binding: Vec<u8>,
    /// Sealed keys of standing authorities, by file name.
    pub vault: BTreeMap<String, Vec<u8>>,
    /// Device keys that the chain has certified from requests: `device-keys.bin` of whoever did last, where it is at hand.
    pub device_keys: Option<Vec<u8>>,
    /// What comes into a rehearsal, by name; a resume finds it in the folder.
    pub incoming: BTreeMap<String, Vec<u8>>,
    /// Of these, files of a hundred thousand devices, which are copied in pieces: each with its size.
    pub incoming_files: BTreeMap<String, (PathBuf, u64)>,
    pub reach: Reach,
}

impl<'f, R: RealmType> Run<'f, R> {
    /// Makes the folder's files and the first entry.
    ///
    /// # Errors
    /// Where the realm differs from the plan's, or the disk refuses.
    pub fn start(
        beginning: Beginning,
        folder: Folder,
        room: Room<R>,
        ledger: Ledger,
        front: &'f mut dyn FrontEnd,
    ) -> Result<Self, RunError> {
        let plan = beginning.plan;
        if plan.realm != R::REALM {
            return Err(RunError::Other(format!(
                "the plan is of the {} realm, this room of the {} realm",
                plan.realm,
                R::REALM
            )));
        }
        if !plan.follows.is_empty() && plan.standing.is_none() {
            let problem = format!("{} follows {}, and nothing says what stands after it", plan.ceremony, plan.follows);
            return Err(RunError::Other(problem));
        }
        let plan_digest = plan.digest()?;
        let draw_digest = plan.draw_digest()?;
        durable_file::create(&folder.settings(), &canonical::to_octets(&beginning.settings)?)?;
        durable_file::create(&folder.script(), &beginning.script)?;
        for (name, octets) in &beginning.profiles {
            durable_file::create(&folder.profiles().join(format!("{name}.toml")), octets)?;
        }
        for (name, octets) in &beginning.approval_files {
            durable_file::create(&folder.approval().join(name), octets)?;
        }
        if let Some(standing) = &plan.standing {
            durable_file::create(&folder.standing(), &standing.to_octets()?)?;
        }
        for (name, octets) in &beginning.vault {
            durable_file::create(&folder.vault().join(name), octets)?;
        }
        if let Some(octets) = &beginning.device_keys {
            durable_file::create(&folder.device_keys(), octets)?;
        }
        if !beginning.binding.is_empty() {
            durable_file::create(&folder.state().join("binding.toml"), &beginning.binding)?;
        }
        if !beginning.incoming.is_empty() || !beginning.incoming_files.is_empty() {
            durable_file::new_folder(&folder.incoming())?;
        }
        for (name, (from, size)) in &beginning.incoming_files {
            let copied = medium::copy_file(from, *size, &folder.incoming().join(name));
            copied.map_err(|e| RunError::Other(e.to_string()))?;
        }
        for (name, octets) in &beginning.incoming {
            durable_file::create(&folder.incoming().join(name), octets)?;
        }
        let seed = room.serial_seed(&plan.ceremony, &draw_digest)?;
        durable_file::create(&folder.serial_seed(), seed.hex().as_bytes())?;
        let header = Header {
            approval_digest: beginning.approval_digest,
            argv: beginning.argv,
            binding_digest: if beginning.binding.is_empty() {
                String::new()
            } else {
                Digest::of(&beginning.binding).hex()
            },
            ceremony: plan.ceremony.clone(),
            format: FORMAT.to_owned(),
            governance_digest: beginning.governance_digest,
            machine: room.machine(),
            plan_digest,
            previous_head: plan.previous_head.clone(),
            realm: plan.realm,
            script_digest: plan.script_digest,
            serial_seed_commitment: serial::commitment(plan.realm, &seed),
            signers: beginning.signers.clone(),
            started: room.clock.now(),
            tool: Tool { digest: room.own_digest(), version: env!("CARGO_PKG_VERSION").to_owned() },
        };
        let (chain, octets) = Chain::start(header.clone())?;
        durable_file::create(&folder.transcript(), &octets)?;
        let transcript = Appender::open(&folder.transcript())?;
        let strongrooms = Strongrooms::new(&plan, draw_digest, room.seed(), beginning.reach);
        let ways = Ways::of(plan.realm, &plan.materials, &room.binding);
        let mut run = Self {
            plan,
            plan_digest,
            draw_digest,
            state: State::default(),
            chain,
            folder,
            room,
            ledger,
            serial_seed_commitment: header.serial_seed_commitment,
            transcript,
            strongrooms,
            front,
            ways,
            taking: None,
        };
        run.ledger.begin(&header)?;
        let words = governance_words(&header, &run.ledger)?;
        run.turn(opening(&words, beginning.signers))?;
        Ok(run)
    }

    /// Takes up a record that another front end left, by its own word or by dying.
    ///
    /// # Errors
    /// Where the record does not verify, was aborted, or the disk refuses.
    pub fn resume(
        plan: Plan,
        folder: Folder,
        room: impl FnOnce(&Record) -> Room<R>,
        mut ledger: Ledger,
        reach: Reach,
        front: &'f mut dyn FrontEnd,
    ) -> Result<Self, RunError> {
        let plan_digest = plan.digest()?;
        let draw_digest = plan.draw_digest()?;
        let mut record = read_record(&folder)?;
        if record.header.plan_digest != plan_digest || record.header.realm != R::REALM {
            return Err(RunError::Other(
                "the script in the folder is not the one of its record: nothing was changed".to_owned(),
            ));
        }
        let replaying = |record: &Record| {
            replay(&plan, record).map_err(|bad| RunError::Other(format!("the record does not replay: {bad}")))
        };
        let mut replayed = replaying(&record)?;
        // The head of a closed record is signed by a run key that is gone now, before its last turn is written. A turn that
        // is not whole was never acknowledged: this one is cut off, and the record closed anew.
        if replayed.missing.iter().any(|entry| entry.kind == Kind::Closed) {
            cut_to_lines(&folder, replayed.before + 1)?;
            record = read_record(&folder)?;
            replayed = replaying(&record)?;
        }
        // Nothing on the disk is believed that the record contradicts, or the ledger, or what was signed.
        ledger.knows_no_more_than(&record)?;
        checkpoints_agree(&folder, &record)?;
        ledger.project(&record)?;
        let room = room(&record);
        let strongrooms = Strongrooms::new(&plan, draw_digest, room.seed(), reach);
        let ways = Ways::of(plan.realm, &plan.materials, &room.binding);
        set_aside_later_checkpoints(&folder, record.chain().next)?;
        // What stands around the record speaks of it as it was left; it is written again when this run ends. The list goes first.
        for name in [sums::FILE_NAME, REPORT, HOW_TO_VERIFY] {
            durable_file::remove_if_there(&folder.evidence().join(name))?;
        }
        let front_end = front.word();
        let mut run = Self {
            plan,
            plan_digest,
            draw_digest,
            state: replayed.state,
            chain: record.chain(),
            serial_seed_commitment: record.header.serial_seed_commitment,
            transcript: Appender::open(&folder.transcript())?,
            folder,
            room,
            ledger,
            strongrooms,
            front,
            ways,
            taking: None,
        };
        if !matches!(run.state.finished, Some(Finish::Closed | Finish::Aborted)) {
            run.serial_seed()?;
        }
        // The machine died while it wrote a turn: what it would have written follows from what is there.
        run.write(&replayed.missing, replayed.time, false)?;
        match run.state.finished {
            Some(Finish::Closed) => Ok(run),
            Some(Finish::Aborted) => {
                Err(RunError::Other("this ceremony was aborted: it cannot go on; its evidence is complete".to_owned()))
            }
            Some(Finish::Left) | None if !run.state.opened => {
                let signers = record.header.signers.clone();
                let words = governance_words(&record.header, &run.ledger)?;
                run.turn(opening(&words, signers))?;
                Ok(run)
            }
            Some(Finish::Left) | None => {
                let last_head = run.chain.head;
                run.turn(What::Resumed { front_end, last_head })?;
                Ok(run)
            }
        }
    }
}

/// Words of the governance digest where no earlier record of this ledger pins it: two people confirm them from paper.
///
/// # Errors
/// Where the ledger cannot be read.
pub fn governance_words(header: &Header, ledger: &Ledger) -> Result<String, LedgerError> {
    let Some(digest) = Digest::parse(&header.governance_digest) else { return Ok(String::new()) };
    let pinned = match header.previous_head.as_str() {
        "" => false,
        head => ledger.governance_at(head)?.as_deref() == Some(header.governance_digest.as_str()),
    };
    Ok(if pinned { String::new() } else { digest.twelve_words() })
}

/// Reads the record, cutting off a torn last line that was never acknowledged.
///
/// # Errors
/// Where it is missing or a whole line of it is bad.
pub fn read_record(folder: &Folder) -> Result<Record, RunError> {
    let path = folder.transcript();
    let mut octets = durable_file::read(&path, limits::TRANSCRIPT_OCTETS)?;
    let whole = octets.iter().rposition(|octet| *octet == b'\n').map_or(0, |at| at + 1);
    if whole < octets.len() {
        durable_file::cut_back(&path, whole as u64)?;
        octets.truncate(whole);
    }
    Record::read(&octets).map_err(|bad| RunError::Other(format!("{}: {bad}", path.display())))
}

/// Every checkpoint that covers lines of this record was signed over exactly these lines.
fn checkpoints_agree(folder: &Folder, record: &Record) -> Result<(), RunError> {
    let entries = std::fs::read_dir(folder.checkpoints()).map_err(|e| RunError::Other(format!("checkpoints: {e}")))?;
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(size) = name.strip_suffix(".checkpoint").and_then(|size| size.parse::<usize>().ok()) else { continue };
        let Some(head) = record.head_at(size) else { continue };
        let body = durable_file::read(&entry.path(), limits::SMALL_FILE_OCTETS)?;
        let size = u32::try_from(size).unwrap_or(u32::MAX);
        let expected = Checkpoint { realm: record.header.realm, ceremony: record.header.ceremony.clone(), size, head };
        if body != expected.body().as_bytes() {
            return Err(RunError::Other(format!(
                "checkpoints/{name}: expected a checkpoint of this record, found one of another or an altered record: nothing was changed"
            )));
        }
    }
    Ok(())
}

/// Cuts the record back to its first lines.
fn cut_to_lines(folder: &Folder, lines: usize) -> Result<(), RunError> {
    let path = folder.transcript();
    let octets = durable_file::read(&path, limits::TRANSCRIPT_OCTETS)?;
    let length: usize = octets.split_inclusive(|octet| *octet == b'\n').take(lines).map(<[u8]>::len).sum();
    Ok(durable_file::cut_back(&path, length as u64)?)
}

/// A checkpoint is signed just before the lines it covers are written; one that covers lines which never were is set aside.
fn set_aside_later_checkpoints(folder: &Folder, lines: u32) -> Result<(), RunError> {
    let set_aside = folder.state().join("checkpoints-without-lines");
    let Ok(entries) = std::fs::read_dir(folder.checkpoints()) else { return Ok(()) };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let size: Option<u32> = name.split('.').next().and_then(|n| n.parse().ok());
        if size.is_none_or(|size| size > lines) {
            durable_file::folder(&set_aside)?;
            let _ = std::fs::rename(entry.path(), set_aside.join(&name));
        }
    }
    durable_file::sync_folder(&folder.checkpoints())?;
    Ok(())
}
