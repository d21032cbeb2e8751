//! A copy for fewer eyes: the same record with bodies withheld, the same head, still verifiable.

use crate::audit::evidence::plan_of;
use crate::audit::folder::Files;
use crate::audit::report;
use crate::basics::SafeText;
use crate::script::StepKind;
use crate::transcript::{Level, Record, sums};

/// The folder with every body above `level` withheld. The report is rendered again from what is left; attestations,
/// checkpoints and artefacts stay as they are.
///
/// # Errors
/// Where the record is bad, or the script does not give its plan.
pub fn disclosed(files: &Files, level: Level, kinds: &[&dyn StepKind]) -> Result<Files, String> {
    let octets = files.get("transcript.jsonl").ok_or("transcript.jsonl: expected a record, found none")?;
    let record = Record::read(octets).map_err(|bad| bad.to_string())?;
    // A salt that was withheld cannot come back: such a copy would say of itself that it holds more than it does.
    let lacking = record
        .lines
        .iter()
        .filter(|line| line.body().is_none() && line.open().is_some_and(|o| o.level <= level))
        .count();
    if lacking > 0 {
        return Err(format!(
            "level {}: expected every body of that level, found {lacking} withheld in this copy already; start from a folder that has them",
            level.word()
        ));
    }
    let plan = plan_of(files, &record, kinds).map_err(|refuted| refuted.problem)?;
    let withheld = record.disclose(level).map_err(|e| e.to_string())?;
    let copy_record = Record::read(&withheld).map_err(|bad| bad.to_string())?;
    if let Some(path) = files.keys().find(|path| path.ends_with('\0')) {
        return Err(format!("{}: expected a regular file", SafeText::cut(path.trim_end_matches('\0'), 200)));
    }
    let kept = files.iter().filter(|(path, _)| !path.ends_with('/'));
    let mut copy: Files = kept.map(|(path, octets)| (path.clone(), octets.clone())).collect();
    copy.insert("report.html".to_owned(), report::html(&plan, &copy_record).into_bytes());
    copy.insert("transcript.jsonl".to_owned(), withheld);
    copy.remove(sums::FILE_NAME);
    let listed = sums::render(&copy);
    copy.insert(sums::FILE_NAME.to_owned(), listed.into_bytes());
    Ok(copy)
}
