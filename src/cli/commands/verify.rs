//! `verify`: what an evidence folder proves, claim by claim.

use crate::audit::folder::Files;
use crate::audit::verdict::{Claims, Refuted, Ruling, Status, Verdict, What};
use crate::audit::{Pin, evidence, signatures, verify_after};
use crate::basics::{Digest, limits, words};
use crate::bundles::rederive::{Brought, Taken, rederive};
use crate::ceremony::steps;
use crate::cli::{ExitCode, Failure, earlier, output};
use crate::devices::{durable_file, whole_folder};
use crate::keys::ssh::allowed_signers::AllowedSigner;
use crate::transcript::Record;
use std::path::{Path, PathBuf};

/// Verifies a folder.
///
/// # Errors
/// Where the folder or the pins cannot be read.
pub fn verify(
    folder: &Path,
    signers: Option<&Path>,
    expect: Option<&str>,
    after: &[PathBuf],
    from: &[PathBuf],
    json: bool,
) -> Result<ExitCode, Failure> {
    let signers = signers.map(pins).transpose()?;
    expect_evidence(folder, "verify")?;
    let files = whole_folder::read(folder)?;
    let expect = expect.map(|noted| head_of(noted, &files)).transpose()?;
    let earlier = after.iter().map(|after| {
        let folder = earlier::evidence_of(after);
        expect_evidence(&folder, "verify --after")?;
        Ok(whole_folder::read(&folder)?)
    });
    let earlier = earlier.collect::<Result<Vec<Files>, Failure>>()?;
    let mut verdict = verify_after(&files, &earlier, &Pin { signers, expect }, &steps::kinds());
    if verdict.verdict != Ruling::Refuted {
        let brought = if from.is_empty() { None } else { Some(Brought::of(from)?) };
        from_files(&files, brought.as_ref(), &mut verdict);
    }
    if json {
        output::json(&verdict)?;
    } else {
        output::data(verdict.render().trim_end());
    }
    Ok(match verdict.exit {
        0 => ExitCode::Done,
        8 => ExitCode::Unpinned,
        _ => ExitCode::Refuted,
    })
}

/// What the record took from files, taken again where they were brought; a record that says something else than they do is refuted.
fn from_files(files: &Files, brought: Option<&Brought>, verdict: &mut Verdict) {
    let octets = files.get("transcript.jsonl").map(Vec::as_slice).unwrap_or_default();
    let Ok(record) = Record::read(octets) else { return };
    // Of another version, or with bodies withheld, nothing was replayed either: the claim "replay" says so.
    let replayed = verdict.claims.iter().any(|claim| claim.claim.as_str() == "replay" && claim.status == Status::Ok);
    let Some(plan) = evidence::plan_of(files, &record, &steps::kinds()).ok().filter(|_| replayed) else { return };
    let Ok(all) = rederive(&plan, &record, brought) else { return };
    if all.is_empty() {
        return;
    }
    let again = all.iter().filter(|one| one.taken == Taken::Again).count();
    let told = all.iter().filter_map(|one| match &one.taken {
        Taken::Again => None,
        Taken::Otherwise(problem) => Some(format!("{} (entry {}): {problem}", one.what, one.entry)),
        Taken::Word(missing) => Some(format!("{} (entry {}) is the ceremony's word: {missing}", one.what, one.entry)),
    });
    let mut detail = format!("re-derived {again} of {}", all.len());
    for told in told {
        detail.push_str("; ");
        detail.push_str(&told);
    }
    let status = if again == all.len() { Status::Ok } else { Status::Recorded };
    let mut claims = Claims::default();
    claims.add("from files", status, detail);
    verdict.claims.extend(claims);
    let otherwise = all.iter().find_map(|one| match &one.taken {
        Taken::Otherwise(problem) => Some((one, problem)),
        _ => None,
    });
    if let Some((one, problem)) = otherwise {
        let refuted = Refuted::at(What::Entry, one.entry as usize, format!("{}: {problem}", one.what));
        verdict.refute(refuted);
    }
}

/// The signers of a file that whoever verifies brings along.
///
/// # Errors
/// Where it cannot be read or a line is not understood.
pub fn pins(path: &Path) -> Result<Vec<AllowedSigner>, Failure> {
    let octets = durable_file::read(path, limits::SMALL_FILE_OCTETS)?;
    signatures::pin_file(&octets).map_err(|e| Failure::from(format!("{}: {e}", path.display())))
}

/// The head somebody noted: 64 digits, or its twelve words, which are compared with the record's last line. Fewer than that is
/// a label that others can hit.
fn head_of(noted: &str, files: &Files) -> Result<Digest, Failure> {
    if let Some(digest) = Digest::parse(&noted.split_whitespace().collect::<String>().to_lowercase()) {
        return Ok(digest);
    }
    let words = words::normalise(noted);
    if words.split(' ').count() != 12 || !words.split(' ').all(words::known) {
        return Err(Failure::new(
            ExitCode::Usage,
            "--expect: expected the 64 hexadecimal digits of a head or its twelve words",
        )
        .with_hint("the first eight digits are a label: they say which head is meant, and prove nothing"));
    }
    let last = files
        .get("transcript.jsonl")
        .and_then(|octets| octets.split(|octet| *octet == b'\n').rfind(|line| !line.is_empty()));
    let head = last
        .and_then(|line| serde_json::from_slice::<serde_json::Value>(line).ok())
        .and_then(|line| Digest::parse(line.get("head")?.as_str()?));
    match head {
        Some(head) if head.twelve_words() == words => Ok(head),
        _ => Err(Failure::new(ExitCode::Refuted, "--expect: these are not the words of this record's head").with_hint(
            "compare the words with your note; if they are right, this is another record or an altered one",
        )),
    }
}

/// A ceremony says where it wrote, and that folder has the evidence inside.
///
/// # Errors
/// Where the folder is none, or that one.
pub fn expect_evidence(folder: &Path, verb: &str) -> Result<(), Failure> {
    let shown = folder.display();
    if !folder.is_dir() {
        return Err(Failure::from(format!("{shown}: expected an evidence folder, found none")));
    }
    if folder.join("evidence").exists() && !folder.join("transcript.jsonl").exists() {
        let found = format!("{shown}: expected an evidence folder, found the folder a ceremony writes to");
        return Err(Failure::from(found).with_hint(format!("`anchorite {verb} {shown}/evidence`")));
    }
    Ok(())
}
