//! The plan as a page to print and carry into the room: cover, roster, material, acts as tables to initial, exception sheets,
//! attestation page. Deterministic: the same plan gives the same page.

use crate::basics::Digest;
use crate::basics::html::Page;
use crate::plan::{Plan, Step};
use crate::script::{Param, StepKind};
use crate::transcript::attestation;

/// Blank exception sheets in every runbook.
const SHEETS: usize = 3;

/// What the tool cannot defend against, in every runbook.
const LIMITS: [&str; 6] = [
    "a compromised boot image or processor",
    "as many colluding custodians as the threshold",
    "a camera over a custodian's shoulder",
    "a lying tool on a machine nobody checked",
    "old copies of a vault together with enough old shares",
    "flash memory, which is never overwritten for certain: sealed files rely on encryption",
];

/// The page.
#[must_use]
pub fn html(plan: &Plan, plan_digest: Digest, kinds: &[&dyn StepKind]) -> String {
    let mut page = Page::new(&format!("Runbook: {}", plan.title), plan.realm);
    cover(&mut page, plan, plan_digest);
    roster(&mut page, plan);
    inventory(&mut page, plan);
    for (act, title) in plan.acts.iter().enumerate() {
        page.sheet(&format!("Act {} of {}: {title}", act + 1, plan.acts.len()));
        let steps = plan.steps.iter().filter(|step| usize::try_from(step.act) == Ok(act));
        let rows =
            steps.map(|step| vec![step.number.to_string(), activity(plan, step, kinds), String::new(), String::new()]);
        page.table(&["Step", "Activity", "Initials", "Time"], rows);
    }
    for number in 1..=SHEETS {
        page.sheet(&format!("Exception sheet {number}"));
        page.blanks(&[
            "Exception number",
            "Step",
            "Time (UTC)",
            "Expected",
            "Happened",
            "Decided",
            "Step skipped? (yes / no)",
            "By (initials of two)",
            "Resolved (when, by whom)",
        ]);
    }
    page.sheet("Attestation");
    page.paragraph(attestation::STATEMENT);
    page.blanks(&["Head of the record, first eight digits", "Head of the record, twelve words", "Exceptions counted"]);
    let rows = plan
        .people
        .iter()
        .map(|p| vec![p.name.clone(), p.roles.join(", "), String::new(), String::new(), String::new()]);
    page.table(&["Name", "Role", "Agree / do not agree", "Signature", "Date"], rows);
    page.finish()
}

fn cover(page: &mut Page, plan: &Plan, plan_digest: Digest) {
    page.paragraph(&plan.purpose);
    let minutes: u32 = plan.steps.iter().map(|s| s.minutes).sum();
    let rows = [
        ["Realm".to_owned(), plan.realm.word().to_owned()],
        ["Ceremony".to_owned(), plan.ceremony.clone()],
        [
            "Follows".to_owned(),
            if plan.previous_head.is_empty() {
                "nothing: the first of its chain".to_owned()
            } else {
                plan.previous_head.clone()
            },
        ],
        ["Tool".to_owned(), format!("anchorite {} or newer", plan.tool_floor)],
        [
            "Expected".to_owned(),
            format!("{} steps in {} acts, about {minutes} minutes", plan.steps.len(), plan.acts.len()),
        ],
    ];
    page.table(&["", ""], rows.iter().map(<[String; 2]>::as_slice));
    page.digest("Script", plan.script_digest);
    page.digest("Plan", plan_digest);
    page.paragraph("Compare the words with the screen's before the first step. The script does not change on the day.");
    page.heading("What this cannot defend against");
    page.paragraph(&LIMITS.join("; "));
}

fn roster(page: &mut Page, plan: &Plan) {
    page.sheet("Roster");
    let rows = plan.people.iter().map(|p| {
        let key =
            crate::keys::ssh::SshPublicKey::parse(&p.public_key).map(|k| k.digest().twelve_words()).unwrap_or_default();
        vec![
            p.name.clone(),
            p.initials.clone(),
            p.roles.join(", "),
            key,
            String::new(),
            String::new(),
            String::new(),
            String::new(),
        ]
    });
    page.table(
        &["Name", "Initials", "Roles", "Words of the public key", "Document seen by", "Arrived", "Left", "Signature"],
        rows,
    );
    page.heading("Quorums");
    let rows = plan.quorums.iter().map(|q| {
        let holders: Vec<String> =
            q.custodians.iter().enumerate().map(|(i, id)| format!("share {}: {}", i + 1, plan.name_of(id))).collect();
        vec![q.name.clone(), format!("any {} of {}", q.threshold, q.count()), holders.join("\n")]
    });
    page.table(&["Quorum", "Needs", "Custodians"], rows);
}

fn inventory(page: &mut Page, plan: &Plan) {
    page.heading("Authorities");
    let rows = plan.authorities.iter().map(|a| {
        let validity = format!("{} until {}", a.not_before.rfc3339(), a.not_after.rfc3339());
        vec![
            a.name.clone(),
            a.subject.to_string(),
            a.algorithm.title().to_owned(),
            a.profile.clone(),
            a.quorum.clone(),
            validity,
        ]
    });
    page.table(&["Name", "Subject", "Algorithm", "Profile", "Quorum", "Valid"], rows);
    page.heading("Material");
    let rows = plan
        .materials
        .iter()
        .map(|m| vec![m.title.clone(), m.kind.clone(), m.serial.clone(), String::new(), String::new(), String::new()]);
    page.table(&["Thing", "Kind", "Number", "Bag in", "Bag out", "Checked by"], rows);
}

/// Everything about a step: title, who, what is read aloud, what is done, every parameter.
fn activity(plan: &Plan, step: &Step, kinds: &[&dyn StepKind]) -> String {
    let mut lines = vec![step.title.clone(), format!("“{}”", step.say)];
    if let Some(kind) = kinds.iter().find(|kind| kind.word() == step.kind) {
        lines.extend(kind.activity(&step.params));
    }
    let confirm: Vec<String> = step.confirm.iter().map(|id| plan.name_of(id)).collect();
    let confirmed = if confirm.is_empty() { String::new() } else { format!("; confirmed by {}", confirm.join(", ")) };
    lines.push(format!(
        "Acts: {} as {}{confirmed}. About {} minutes. [{}, {}]",
        plan.name_of(&step.who),
        step.role,
        step.minutes,
        step.id,
        step.kind
    ));
    for (key, value) in &step.params {
        let value = match value {
            Param::Text(text) => text.clone(),
            Param::Integer(number) => number.to_string(),
            Param::Names(names) => names.join(", "),
        };
        lines.push(format!("{key}: {value}"));
    }
    lines.join("\n")
}
