//! `approve make`: the statement that approvers sign on their own machines. `approve words`: what they write on the paper that is read in
//! the room.

use crate::basics::{Digest, Instant, Realm, SafeText, canonical};
use crate::cli::args::ApproveVerb;
use crate::cli::{ExitCode, Failure, earlier, output};
use crate::devices::{durable_file, entropy};
use crate::runner::production;
use crate::script::approval::{APPROVAL_FORMAT, Approval, NAMESPACE};
use std::path::Path;

/// Makes an approval.
///
/// # Errors
/// Problems of the script, dates that are none, a file that exists.
pub fn approve(verb: ApproveVerb) -> Result<ExitCode, Failure> {
    let (script, not_before, not_after, after, out) = match verb {
        ApproveVerb::Words { governance } => return words(&governance),
        ApproveVerb::Make { script, not_before, not_after, after, out } => (script, not_before, not_after, after, out),
    };
    let files = earlier::script_after(&script, Realm::Production, after.as_deref())?;
    earlier::attached(&files.plan)?;
    let date = |name: &str, text: &str| {
        Instant::parse(text).ok_or_else(|| {
            Failure::new(
                ExitCode::Usage,
                format!("--{name}: expected a date like 2026-11-22T09:00:00Z, found {}", SafeText::cut(text, 40)),
            )
        })
    };
    let (from, until) = (date("not-before", &not_before)?, date("not-after", &not_after)?);
    if until <= from {
        return Err(Failure::new(ExitCode::Usage, "--not-after must be later than --not-before"));
    }
    let plan_digest = files.plan.digest().map_err(|e| Failure::from(e.to_string()))?;
    let approval = Approval {
        ceremony: files.plan.ceremony.clone(),
        format: APPROVAL_FORMAT.to_owned(),
        not_after: until,
        not_before: from,
        plan_digest,
        profiles: files.profiles.iter().map(|(name, octets)| (name.clone(), Digest::of(octets))).collect(),
        realm: Realm::Production,
        run: entropy::octets32()?.hex().chars().take(32).collect(),
        script_digest: files.plan.script_digest,
        tool_floor: files.plan.tool_floor.clone(),
    };
    let octets = canonical::to_octets(&approval).map_err(|e| Failure::from(e.to_string()))?;
    durable_file::create(&out, &octets)?;
    output::data(&format!("{}", out.display()));
    output::words(&format!("script  {}", files.plan.script_digest.twelve_words()));
    output::words(&format!("plan    {}", plan_digest.twelve_words()));
    output::words(&format!(
        "each approver reads the script, then: ssh-keygen -Y sign -n {NAMESPACE} -f KEY {0}, and names the signature {0}.WHO.sig",
        out.display()
    ));
    Ok(ExitCode::Done)
}

/// The digest of a governance folder, whole and as the twelve words that are typed from paper.
fn words(folder: &Path) -> Result<ExitCode, Failure> {
    let (rules, digest) = production::governance(folder).map_err(|message| {
        Failure::from(message)
            .with_hint("a governance folder holds governance.toml and allowed_signers (ceremony-scripts/README.md)")
    })?;
    output::data(&digest.twelve_words());
    output::words(&format!(
        "{}: {} of {} approvers",
        SafeText::of(&rules.title),
        rules.threshold,
        rules.approvers.len()
    ));
    output::words(&format!("digest  {}", digest.grouped()));
    output::words(
        "Every approver runs this on a machine of their own, and compares; the words go onto paper, and two people type them from it",
    );
    Ok(ExitCode::Done)
}
