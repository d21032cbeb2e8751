//! What a record took from files, taken from them again: requests that were judged, receipts that were accounted for, logs that were checked.
//! The record holds what was found, so that replay needs no file; whoever has the files need not take the ceremony's word for it.

use super::BundleError;
use super::before::{self, IssuedBefore, Of};
use super::kept::{self, Against, Outcomes};
use super::{is_the_one, logged, requests, untold};
use crate::audit::replay_seeing;
use crate::basics::digest::hex_decode;
use crate::basics::{Digest, Instant, limits};
use crate::ceremony::effect::parse_certificate;
use crate::ceremony::event::{Outcome, What};
use crate::ceremony::{Effect, State, batch};
use crate::devices::durable_file;
use crate::factory::issuance_log::{LogCheck, LogStatement};
use crate::factory::requests::{Judge, Known, Prints, Statement, refusals};
use crate::factory::returned::Returned;
use crate::factory::{Accounting, BundleId};
use crate::plan::Plan;
use crate::transcript::{BadEntry, Record};
use std::path::{Path, PathBuf};

/// Folders inside a folder that are looked into, and files in all.
const DEEP: usize = 6;
const MOST_FILES: usize = 100_000;

/// Files that somebody brings, known by their names' ends, their size and their digest.
pub struct Brought {
    files: Vec<PathBuf>,
}

impl Brought {
    /// Every regular file of these folders and of the folders inside.
    ///
    /// # Errors
    /// Where a folder cannot be read, or there are too many files.
    pub fn of(folders: &[PathBuf]) -> Result<Self, BundleError> {
        let (mut files, mut todo) = (Vec::new(), Vec::new());
        todo.extend(folders.iter().map(|folder| (folder.clone(), 0)));
        while let Some((folder, depth)) = todo.pop() {
            let failed = |e: std::io::Error| BundleError::Strange(format!("{}: {e}", folder.display()));
            for entry in std::fs::read_dir(&folder).map_err(failed)? {
                let entry = entry.map_err(failed)?;
                let kind = entry.file_type().map_err(failed)?;
                if kind.is_dir() && depth < DEEP {
                    todo.push((entry.path(), depth + 1));
                } else if kind.is_file() {
                    files.push(entry.path());
                }
                if files.len() > MOST_FILES {
                    let expected = format!("{}: expected at most {MOST_FILES} files", folder.display());
                    return Err(BundleError::Strange(expected));
                }
            }
        }
        files.sort();
        Ok(Self { files })
    }

    fn ending(&self, end: &str) -> impl Iterator<Item = &PathBuf> {
        self.files.iter().filter(move |path| path.to_string_lossy().ends_with(end))
    }

    /// What was kept of a bundle; what is in it proves whether it is.
    fn kept(&self, bundle: &BundleId) -> Result<&Path, Taken> {
        let name = kept::name(bundle);
        let mut named = self.ending(&name).filter(|path| path.file_name().is_some_and(|found| *found == *name));
        named.next().map(PathBuf::as_path).ok_or_else(|| Taken::Word(format!("no file {name}")))
    }

    /// The file with this digest among those whose names end so.
    fn with(&self, end: &str, sha256: &Digest, size: Option<u64>) -> Result<&Path, Taken> {
        let of_size = |path: &&PathBuf| match (path.metadata(), size) {
            (Ok(seen), Some(size)) => seen.len() == size,
            (Ok(_), None) => true,
            (Err(_), _) => false,
        };
        let found = self.ending(end).filter(of_size).find(|path| {
            let seen = path.metadata().map_or(0, |seen| seen.len());
            is_the_one(path, (seen, *sha256)).is_ok()
        });
        found.map(PathBuf::as_path).ok_or_else(|| Taken::Word(format!("no file *{end} with SHA-256 {sha256}")))
    }
}

/// What was issued before and stands, with its files.
fn before(state: &State, files: &Brought, but: Option<&str>) -> Result<IssuedBefore, Taken> {
    IssuedBefore::of(&state.factories, &batch::withdrawn(state)?, but, |of| match of {
        Of::Bundle(bundle) => files.kept(&bundle.bundle).map(Path::to_owned),
        Of::Log(log) => files.with(".log.pem", &log.sha256, Some(log.size)).map(Path::to_owned),
    })
}

fn looked(state: &State, files: &Brought, order: &str, (at, records): (Instant, u64)) -> Result<bool, Taken> {
    let (order, _) = batch::order(state, order)?;
    Ok(before::looked_at(&order, &before(state, files, None)?, at)? == records)
}

/// What came of one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// The files give what the record says.
    Again,
    /// They give something else.
    Otherwise(String),
    /// It is the ceremony's word: what was not brought.
    Word(String),
}

/// Something that a record took from files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FromFiles {
    /// Number of the entry.
    pub entry: u32,
    /// "requests meters-1-keys".
    pub what: String,
    pub taken: Taken,
}

/// Everything that a record took from files; taken from them again where they are brought.
///
/// # Errors
/// Where the record does not replay.
pub fn rederive(plan: &Plan, record: &Record, files: Option<&Brought>) -> Result<Vec<FromFiles>, BadEntry> {
    let mut all = Vec::new();
    replay_seeing(plan, record, &mut |state, entry, what| {
        let What::Done { outcome } = what else { return };
        let (what, taken) = match (&state.waiting, outcome) {
            (Some(Effect::JudgeRequests { requests, .. }), Outcome::RequestsJudged { .. }) => {
                (format!("requests {requests}"), files.map(|files| judged(plan, state, files, outcome)))
            }
            (Some(Effect::LookForDevices { order, .. }), Outcome::DevicesLookedFor { at, records }) => {
                (format!("devices of order {order}"), files.map(|files| looked(state, files, order, (*at, *records))))
            }
            (Some(Effect::Account { receipt, .. }), Outcome::Accounted { .. }) => {
                (format!("receipt {receipt}"), files.map(|files| accounted(plan, state, files, outcome)))
            }
            (Some(Effect::CheckLog { log, .. }), Outcome::LogChecked { .. }) => {
                (format!("log {log}"), files.map(|files| checked(plan, state, files, outcome)))
            }
            _ => return,
        };
        let taken = match taken {
            None => Taken::Word("no files were brought".to_owned()),
            Some(Ok(true)) => Taken::Again,
            Some(Ok(false)) => Taken::Otherwise("the files come to something else than the record says".to_owned()),
            Some(Err(taken)) => taken,
        };
        all.push(FromFiles { entry, what, taken });
    })?;
    Ok(all)
}

impl From<BundleError> for Taken {
    fn from(error: BundleError) -> Self {
        match error {
            // What was brought is not what the record speaks of, or cannot be read: nothing is said about the record.
            BundleError::File(error) => Self::Word(error.to_string()),
            BundleError::Refused(refusal) if refusal.what.starts_with("issued ") => {
                Self::Word(format!("what was brought is not what was kept: {refusal}"))
            }
            other => Self::Otherwise(other.to_string()),
        }
    }
}

/// What is wrong in the record itself, which replay has refused already.
impl From<String> for Taken {
    fn from(problem: String) -> Self {
        Self::Otherwise(problem)
    }
}

fn refused(refusal: impl std::fmt::Display) -> Taken {
    Taken::Otherwise(refusal.to_string())
}

fn object(state: &State, name: &str) -> Result<Vec<u8>, Taken> {
    let object = state.objects.get(name).ok_or_else(|| format!("{name} has not come in"))?;
    hex_decode(&object.octets).ok_or_else(|| Taken::Otherwise(format!("{name}: not hexadecimal")))
}

fn judged(plan: &Plan, state: &State, files: &Brought, outcome: &Outcome) -> Result<bool, Taken> {
    let (
        Some(Effect::JudgeRequests { requests: name, order, size, sha256, shard_records, device_keys }),
        Outcome::RequestsJudged { at, root, found, refusals: said, device_keys: keys },
    ) = (&state.waiting, outcome)
    else {
        return Ok(false);
    };
    let signed = Statement::read(&object(state, name)?, plan.realm).map_err(refused)?;
    let (order, digest) = batch::order(state, order)?;
    let devices = match device_keys {
        None => Prints::default(),
        Some(before) => {
            let path = files.with("device-keys.bin", before, None)?;
            let octets = durable_file::read(path, limits::EVIDENCE_FILE_OCTETS).map_err(BundleError::from)?;
            Prints::parse(&octets).map_err(refused)?
        }
    };
    let path = files.with(".cbor", sha256, Some(*size))?;
    let known = Known { keys: state.keys.clone(), devices: devices.clone() };
    let judge = Judge::new(&order, digest, &signed.statement, known, *at, *shard_records).map_err(refused)?;
    let before = before(state, files, None)?;
    let again = requests::judge(path, &signed.statement, judge, &before, devices, &mut |_, _| Ok(()), &mut untold)?;
    // Both artefacts are made again: the one that goes back to the factory holds every reason, the record only the first ones.
    let statement = state.objects.get(name).map(|object| object.sha256).unwrap_or_else(|| Digest::of(&[]));
    let refusals = refusals(&plan.ceremony, &signed.statement, &statement, &again.refused)?;
    let files = [refusals, again.device_keys.to_octets()].map(|octets| (Digest::of(&octets), octets.len() as u64));
    let recorded = [said, keys].map(|file| (file.sha256, file.size));
    Ok((&again.found, &again.root, files) == (&**found, root, recorded))
}

fn accounted(plan: &Plan, state: &State, files: &Brought, outcome: &Outcome) -> Result<bool, Taken> {
    let (
        Some(Effect::Account { receipt, bundle, mode, nonce, records_root, count, attested }),
        Outcome::Accounted { account },
    ) = (&state.waiting, outcome)
    else {
        return Ok(false);
    };
    let returned = Returned::parse(&object(state, receipt)?).map_err(refused)?;
    let inside = hex_decode(&returned.outcomes).ok_or_else(|| "the outcomes are not hexadecimal".to_owned())?;
    let Some(account) = account else {
        // Numbers alone say nothing of records; outcomes that came with the receipt must have been looked at.
        return Ok(inside.is_empty());
    };
    let outcomes = if inside.is_empty() {
        Outcomes::At(files.with("outcomes.cbor", &returned.receipt.outcomes_sha256, None)?)
    } else {
        Outcomes::Here(&inside)
    };
    let kept = files.kept(bundle)?;
    let mut accounting = Accounting::new(plan.realm, *bundle, *nonce, *mode, attested.clone());
    accounting.issued = issued_at(state, bundle);
    let against = Against::of(accounting, *count, *records_root, &returned.receipt);
    Ok(kept::account(kept, outcomes, against, &mut untold)? == **account)
}

fn checked(plan: &Plan, state: &State, files: &Brought, outcome: &Outcome) -> Result<bool, Taken> {
    let (
        Some(Effect::CheckLog { log, order, authority, profile, size, sha256, earlier, seen, bundles, logs }),
        Outcome::LogChecked { at, found },
    ) = (&state.waiting, outcome)
    else {
        return Ok(false);
    };
    let signed = LogStatement::read(&object(state, log)?, plan.realm).map_err(refused)?;
    let (order, _) = batch::order(state, order)?;
    let issuer = issuer(state, authority)?;
    let profile = plan.profiles.get(profile).ok_or_else(|| format!("there is no profile {profile}"))?;
    let file = files.with(".log.pem", sha256, Some(*size))?;
    let mut own = Vec::new();
    for sha256 in earlier {
        own.push((files.with(".log.pem", sha256, None)?.to_owned(), *sha256));
    }
    let mut met = Vec::new();
    for name in seen {
        met.push((name.clone(), object(state, name)?));
    }
    let check = LogCheck::new(&order, &issuer, profile);
    let none = bundles.is_empty() && logs.is_empty();
    let before = if none { IssuedBefore::default() } else { before(state, files, Some(authority))? };
    Ok(logged::judge(file, &signed.statement, &own, (&before, *at), &met, check, &mut untold)? == **found)
}

/// When a bundle of this chain was made.
#[must_use]
pub fn issued_at(state: &State, bundle: &BundleId) -> Option<Instant> {
    let mut bundles = state.factories.values().flat_map(|factory| &factory.bundles);
    bundles.find(|of| of.bundle == *bundle).map(|of| of.issued)
}

/// The certificate that the chain issued under this name.
///
/// # Errors
/// Where there is none.
pub fn issuer(state: &State, name: &str) -> Result<crate::pki::Certificate, String> {
    let issued = state.authorities.values().flat_map(|made| &made.issued);
    let mut named = issued.filter(|issued| issued.name == name);
    let issued = named.next().ok_or_else(|| format!("the chain certified no {name}"))?;
    parse_certificate(&issued.certificate)
}
