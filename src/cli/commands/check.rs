//! `check` and `runbook`: a script before the day.

use crate::basics::Realm;
use crate::ceremony::steps;
use crate::cli::{ExitCode, Failure, earlier, output};
use crate::plan::runbook;
use serde::Serialize;
use std::path::Path;

#[derive(Serialize)]
struct Checked {
    ceremony: String,
    realm: Realm,
    script_digest: String,
    plan_digest: String,
    steps: usize,
    minutes: u32,
    people: usize,
}

/// All problems of a script, or its digests where it has none.
///
/// # Errors
/// The problems, exit code 3.
pub fn check(script: &Path, realm: Realm, after: Option<&Path>, json: bool) -> Result<ExitCode, Failure> {
    let files = earlier::script_after(script, realm, after)?;
    let plan = &files.plan;
    let digest = plan.digest().map_err(|e| Failure::from(e.to_string()))?;
    let checked = Checked {
        ceremony: plan.ceremony.clone(),
        realm,
        script_digest: plan.script_digest.hex(),
        plan_digest: digest.hex(),
        steps: plan.steps.len(),
        minutes: plan.steps.iter().map(|s| s.minutes).sum(),
        people: plan.people.len(),
    };
    if json {
        output::json(&checked)?;
    } else {
        output::data(&format!("{}: no problems", plan.title));
        output::data(&format!("  realm     {realm}"));
        output::data(&format!("  people    {}", checked.people));
        output::data(&format!(
            "  steps     {} in {} acts, about {} minutes",
            checked.steps,
            plan.acts.len(),
            checked.minutes
        ));
        output::data(&format!(
            "  script    {}\n            {}",
            plan.script_digest.twelve_words(),
            plan.script_digest.grouped()
        ));
        output::data(&format!("  plan      {}\n            {}", digest.twelve_words(), digest.grouped()));
        if !plan.follows.is_empty() && plan.standing.is_none() {
            output::words(&format!(
                "It follows {}: with `--after FOLDER` what it says of that ceremony is compared with the record, and the plan's digest is that of the run",
                plan.follows
            ));
        }
        if realm.is_rehearsal() {
            output::words("Checked as `rehearse` runs it; before the day: check --realm production");
        }
    }
    Ok(ExitCode::Done)
}

/// The printable page.
///
/// # Errors
/// The problems of the script, exit code 3.
pub fn runbook(script: &Path, realm: Realm, after: Option<&Path>) -> Result<ExitCode, Failure> {
    let files = earlier::script_after(script, realm, after)?;
    let digest = files.plan.digest().map_err(|e| Failure::from(e.to_string()))?;
    output::data(runbook::html(&files.plan, digest, &steps::kinds()).trim_end());
    if realm.is_rehearsal() {
        output::words("A rehearsal's page; the page for the day: runbook --realm production");
    }
    Ok(ExitCode::Done)
}
