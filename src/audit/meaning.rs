//! Stage 4 of verifying: the entries against the steps of the script, artefacts and the list of files. The rules are those of
//! `transcripts/README.md`, and `verify.py` has the same.

use crate::audit::facts::{self, Ending, Facts};
use crate::audit::folder::{self, FILE_OCTETS, Files};
use crate::audit::governance;
use crate::audit::script_steps::ScriptStep;
use crate::audit::signatures::public_key;
use crate::audit::verdict::{Refuted, Status, What};
use crate::basics::{Digest, SafeText};
use crate::pki::serial;
use crate::transcript::entry::{Body, Open};
use crate::transcript::{Kind, Record, sums};
use std::collections::{BTreeMap, BTreeSet};

/// Outcomes each kind of entry may have.
const fn outcomes(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Opened | Kind::RunKey | Kind::Resumed | Kind::Abort | Kind::Closed => &["done"],
        Kind::Step => &["begun", "done", "skipped", "reopened"],
        Kind::Answer => &["agreed", "refused", "given"],
        Kind::Intent => &["meant"],
        Kind::Outcome => &["done", "failed"],
        Kind::Exception => &["opened"],
        Kind::Pause => &["begun", "ended"],
        Kind::Artifact => &["issued"],
    }
}

/// Where the walk through the entries stands.
struct Walk<'s> {
    steps: &'s [ScriptStep],
    at: usize,
    begun: bool,
    /// Whether a resume came since the last step began, so that it may begin again.
    again: bool,
    exceptions: u64,
    /// The step each exception was opened at, until a step is skipped or reopened under it.
    excuses: BTreeMap<u64, String>,
    /// Whether a step has begun, and what was claimed of the governance then.
    stepped: bool,
    governance: Option<(Status, String)>,
    issued: BTreeSet<String>,
    /// What was to be written under a name, where the copy shows it.
    meant: BTreeMap<String, (Digest, u64)>,
    /// Word of the kind that ended the record.
    ended: Option<&'static str>,
}

/// What a walk to the end has seen.
pub struct Walked {
    pub passed: usize,
    pub exceptions: u64,
    pub governance: Option<(Status, String)>,
}

/// Walks the entries.
///
/// # Errors
/// The first entry that breaks a rule.
pub fn walk(record: &Record, facts: &Facts, steps: &[ScriptStep]) -> Result<Walked, Refuted> {
    let mut walk = Walk {
        steps,
        at: 0,
        begun: false,
        again: false,
        exceptions: 0,
        excuses: BTreeMap::new(),
        governance: None,
        stepped: false,
        issued: BTreeSet::new(),
        meant: BTreeMap::new(),
        ended: None,
    };
    if record.lines.is_empty() {
        return Err(Refuted::at(What::Entry, 1, "expected opened, found the end of the record"));
    }
    for (index, line) in record.lines.iter().enumerate() {
        let number = index + 1;
        let Some(open) = line.open() else { continue };
        walk.entry(number, open, line.body(), record, facts)
            .map_err(|problem| Refuted::at(What::Entry, number, problem))?;
    }
    Ok(Walked { passed: walk.at, exceptions: walk.exceptions, governance: walk.governance })
}

impl Walk<'_> {
    fn here(&self) -> &str {
        self.steps.get(self.at).map_or("", |step| step.id.as_str())
    }

    fn entry(
        &mut self,
        number: usize,
        open: &Open,
        body: Option<&Body>,
        record: &Record,
        facts: &Facts,
    ) -> Result<(), String> {
        if let Some(ended) = self.ended {
            return Err(format!("expected nothing after {}", ended));
        }
        if (open.kind == Kind::Opened) != (number == 1) {
            return Err("expected opened as entry 1 and nowhere else".to_owned());
        }
        if !outcomes(open.kind).contains(&open.outcome.as_str()) {
            return Err(format!(
                "expected an outcome {}, found {}",
                outcomes(open.kind).join(" or "),
                SafeText::cut(&open.outcome, 40)
            ));
        }
        self.exceptions += u64::from(open.kind == Kind::Exception);
        let numbered = if open.kind == Kind::Exception {
            open.exception == self.exceptions
        } else {
            open.exception <= self.exceptions
        };
        if !numbered {
            return Err(format!("expected the next exception or one opened before, found {}", open.exception));
        }
        if open.kind == Kind::Step && !self.stepped {
            self.governance = governance::confirmed(record, number)?;
            self.stepped = true;
        }
        if open.kind == Kind::Exception {
            self.excuses.insert(self.exceptions, open.step.clone());
        }
        if open.kind == Kind::Step {
            self.step(open)?;
        } else if !open.step.is_empty() && open.step != self.here() {
            return Err(format!("expected step {}, found {}", self.here(), SafeText::cut(&open.step, 80)));
        }
        self.again |= open.kind == Kind::Resumed;
        match open.kind {
            Kind::RunKey => {
                let key = body.and_then(|b| b.get("public_key")?.as_str()).and_then(public_key);
                key.map(|_| ()).ok_or_else(|| "expected a public key".to_owned())
            }
            Kind::Intent => {
                self.meant.extend(body.and_then(facts::meant));
                Ok(())
            }
            Kind::Artifact => {
                let expected = || "artefact: expected a plain file name not issued before, sha256 and size".to_owned();
                let issued = body.and_then(facts::artifact);
                let issued = issued.filter(|(name, _, _)| self.issued.insert((*name).to_owned()));
                let (name, digest, size) = issued.ok_or_else(expected)?;
                match self.meant.get(name) {
                    Some((meant, octets)) if (*meant, *octets) != (digest, size) => Err(format!(
                        "artefact {}: expected what was to be written, {octets} octets with SHA-256 {meant}, found {size} with {digest}",
                        SafeText::cut(name, 80)
                    )),
                    _ => Ok(()),
                }
            }
            Kind::Abort => {
                self.ended = Some("abort");
                Ok(())
            }
            Kind::Closed => self.close(body, record, facts),
            _ => Ok(()),
        }
    }

    fn step(&mut self, open: &Open) -> Result<(), String> {
        if open.outcome == "reopened" {
            let target = self.steps.iter().position(|step| step.id == open.step).filter(|target| *target <= self.at);
            let (Some(_), Some(target)) = (self.excuses.remove(&open.exception), target) else {
                return Err(format!(
                    "expected a step that was reached, reopened under an exception of its own, found exception {}",
                    open.exception
                ));
            };
            self.at = target;
            self.begun = false;
            return Ok(());
        }
        if self.here().is_empty() || open.step != self.here() {
            let here = if self.here().is_empty() { "no more steps" } else { self.here() };
            return Err(format!("expected {here}, found step {}", SafeText::cut(&open.step, 80)));
        }
        let role = self.steps.get(self.at).and_then(|step| step.role.clone());
        match open.outcome.as_str() {
            "begun" if self.begun && !self.again => {
                return Err("expected the step to begin once, or again after a resume".to_owned());
            }
            // One exception excuses one deviation, where it was opened.
            "skipped" if self.excuses.remove(&open.exception).as_ref() != Some(&open.step) => {
                return Err(format!(
                    "expected an exception opened at {} and not used yet to skip it, found {}",
                    self.here(),
                    open.exception
                ));
            }
            "done" if !self.begun => return Err("expected the step to have begun".to_owned()),
            "done" if role.as_deref() != Some(open.role.as_str()) => {
                return Err(format!(
                    "expected the step done by {}, found {}",
                    role.unwrap_or_default(),
                    SafeText::cut(&open.role, 80)
                ));
            }
            _ => {}
        }
        if open.outcome == "begun" {
            self.begun = true;
            self.again = false;
        } else {
            self.at += 1;
            self.begun = false;
        }
        Ok(())
    }

    fn close(&mut self, body: Option<&Body>, record: &Record, facts: &Facts) -> Result<(), String> {
        self.ended = Some("closed");
        if !self.here().is_empty() {
            return Err(format!("expected every step done, found {} open", self.here()));
        }
        let body = body.ok_or("expected the body of a public entry")?;
        if body.get("exceptions").and_then(serde_json::Value::as_u64) != Some(self.exceptions) {
            return Err(format!("expected {} exceptions to be counted", self.exceptions));
        }
        let recorded: serde_json::Map<String, serde_json::Value> = facts
            .artifacts
            .iter()
            .map(|(name, (sha256, _))| (name.clone(), serde_json::Value::String(sha256.hex())))
            .collect();
        if body.get("artifacts") != Some(&serde_json::Value::Object(recorded)) {
            return Err("expected the artefacts of the record, found others".to_owned());
        }
        let seed = seed(body).ok_or("expected the serial seed, 64 hexadecimal digits")?;
        if serial::commitment(record.header.realm, &seed) != record.header.serial_seed_commitment {
            return Err("the serial seed is not the one the header commits to".to_owned());
        }
        Ok(())
    }
}

/// The serial seed a closing entry reveals.
#[must_use]
pub fn seed(body: &Body) -> Option<Digest> {
    Digest::parse(body.get("serial_seed")?.as_str()?)
}

/// Artefacts in the folder are those of the record, and all of them.
///
/// # Errors
/// The first, by name, that is not.
pub fn artifacts(files: &Files, facts: &Facts) -> Result<usize, Refuted> {
    let recorded = &facts.artifacts;
    let present =
        folder::names(files, "artifacts").map_err(|problem| Refuted::named(What::Artifact, "artifacts", problem))?;
    let names: BTreeSet<&str> = present.into_iter().chain(recorded.keys().map(String::as_str)).collect();
    for name in names {
        let bad = |problem: String| Refuted::named(What::Artifact, name, problem);
        let (sha256, size) = recorded.get(name).ok_or_else(|| bad("expected only what the record names".to_owned()))?;
        let octets = folder::read(files, &format!("artifacts/{name}"), FILE_OCTETS).map_err(bad)?;
        if Digest::of(octets) != *sha256 || octets.len() as u64 != *size {
            return Err(bad(format!(
                "expected digest {sha256} and {size} octets, found {} and {}",
                Digest::of(octets),
                octets.len()
            )));
        }
    }
    Ok(recorded.len())
}

/// SHA256SUMS lists every other file of this copy, sorted, with its digest; gives how many. It is written when the tool stops, so
/// an open record may lack it where the machine died: `None`.
///
/// # Errors
/// The first file that is not as listed.
pub fn files_listed(files: &Files, ending: Ending) -> Result<Option<usize>, Refuted> {
    if ending == Ending::Open && !folder::exists(files, sums::FILE_NAME) {
        for path in folder::paths(files) {
            folder::read(files, path, FILE_OCTETS).map_err(|p| Refuted::named(What::File, path, p))?;
        }
        return Ok(None);
    }
    let list = folder::read(files, sums::FILE_NAME, FILE_OCTETS)
        .map_err(|p| Refuted::named(What::File, sums::FILE_NAME, p))?;
    let listed = sums::parse(list).map_err(|p| Refuted::named(What::File, sums::FILE_NAME, p))?;
    let present = folder::paths(files);
    let all: BTreeSet<&str> =
        present.iter().copied().filter(|p| *p != sums::FILE_NAME).chain(listed.keys().map(String::as_str)).collect();
    for path in all {
        let bad = |problem: String| Refuted::named(What::File, path, problem);
        let digest = listed
            .get(path)
            .ok_or_else(|| bad("expected every file in SHA256SUMS, found this one not listed".to_owned()))?;
        if !present.contains(path) || path == sums::FILE_NAME {
            return Err(bad("listed in SHA256SUMS: expected such a file, found none".to_owned()));
        }
        let octets = folder::read(files, path, FILE_OCTETS).map_err(bad)?;
        if Digest::of(octets) != *digest {
            return Err(bad(format!("expected digest {digest}, found {}", Digest::of(octets))));
        }
    }
    Ok(Some(listed.len()))
}
