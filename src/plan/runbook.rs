//! The plan as a page to print and carry into the room: cover, roster, material, acts as tables to initial, exception sheets,
//! attestation page. Deterministic: the same plan gives the same page.

use crate::basics::Digest;
use crate::basics::html::Page;
use crate::custody::card;
use crate::keys::recipient::RecipientKind;
use crate::plan::{Plan, Step};
use crate::script::{Fact, Param, RoomRules, StepKind};
use crate::transcript::attestation;
use std::collections::BTreeSet;

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
    words(&mut page, plan, kinds);
    for (act, title) in plan.acts.iter().enumerate() {
        page.sheet(&format!("Act {} of {}: {title}", act + 1, plan.acts.len()));
        let steps = plan.steps.iter().filter(|step| usize::try_from(step.act) == Ok(act));
        let rows =
            steps.map(|step| vec![step.number.to_string(), activity(plan, step, kinds), String::new(), String::new()]);
        page.table(&["Step", "Activity", "Initials", "Time"], rows);
    }
    cards(&mut page, plan);
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

/// A blank card for every share, and the recovery recipe that belongs on the back of each.
fn cards(page: &mut Page, plan: &Plan) {
    for quorum in &plan.quorums {
        for (index, holder) in (1..).zip(&quorum.custodians) {
            page.sheet(&format!("Card {index} of quorum {}", quorum.name));
            let holder = plan.name_of(holder);
            let labels = card::Labels { quorum: &quorum.name, holder: &holder };
            page.verbatim(&card::blank_front(plan.realm, &labels, index, quorum.custodians.len(), quorum.threshold));
        }
    }
    let kinds: BTreeSet<RecipientKind> = plan.quorums.iter().map(|quorum| quorum.recipient).collect();
    for kind in &kinds {
        let of = plan.quorums.iter().filter(|quorum| quorum.recipient == *kind).map(|quorum| quorum.name.as_str());
        page.sheet(&match kinds.len() {
            1 => "Back of every card: print it once a card".to_owned(),
            _ => format!("Back of every card of {}: print it once a card", of.collect::<Vec<_>>().join(", ")),
        });
        page.verbatim(&card::back(kind.identity_prefix()));
    }
}

fn cover(page: &mut Page, plan: &Plan, plan_digest: Digest) {
    page.paragraph(&plan.purpose);
    let minutes: u32 = plan.steps.iter().map(|s| s.minutes).sum();
    let rows = [
        ["Realm".to_owned(), plan.realm.word().to_owned()],
        ["Ceremony".to_owned(), plan.ceremony.clone()],
        [
            "Follows".to_owned(),
            match (plan.follows.as_str(), plan.previous_head.as_str()) {
                ("", "") => "nothing: the first of its chain".to_owned(),
                ("", head) => head.to_owned(),
                (follows, "") => follows.to_owned(),
                (follows, head) => format!("{follows}, {head}"),
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
    bring(page, plan);
    page.heading("What this cannot defend against");
    page.paragraph(&LIMITS.join("; "));
}

/// What has to be on paper before the door closes: the screen is compared with it, and cannot be asked for it.
fn bring(page: &mut Page, plan: &Plan) {
    page.heading("Bring on paper, from outside this room");
    let previous = if !plan.follows.is_empty() && plan.previous_head.is_empty() {
        "The last head of the chain, its twelve words or all 64 digits: each custodian who unlocks types it from their own paper"
    } else if plan.previous_head.is_empty() {
        "Twelve words of the governance folder (`anchorite approve words`): two people type them from this paper before the first step"
    } else {
        "Head of the previous record as it was noted there, all 64 digits or its twelve words; and the twelve words of the governance folder (`anchorite approve words`)"
    };
    page.blanks(&[
        "Digest of the program (SHA-256, 64 digits), from two people who built or fetched it apart from each other",
        previous,
        "Each participant: the words of their own public key, to compare with the roster",
        "Words of script and plan, from whoever approved them",
    ]);
    page.heading("Note during the ceremony, each on a sheet of their own");
    page.paragraph(
        "The first eight digits of the head at the top of the screen whenever an act ends: after an interruption two people give a head \
         they noted. At the end the twelve words of the last head, or all its 64 digits: who verifies the evidence later needs them.",
    );
}

/// Blanks for the words the screen shows, one for each place where people write some down.
fn words(page: &mut Page, plan: &Plan, kinds: &[&dyn StepKind]) {
    page.sheet("Words and heads");
    page.heading("As the screen showed them");
    let mut labels = Vec::new();
    for (step, rules) in plan.steps.iter().map(|step| (step, rules_of(plan, step, kinds))) {
        for fact in &rules.gives {
            match fact {
                Fact::MachineChecked => labels.push(format!("Step {}, digest of the program", step.number)),
                Fact::KeyMade(name) => {
                    labels.push(format!("Step {}, public key of {name}, twelve words", step.number));
                    labels.push(format!("Step {}, sealed key of {name}, twelve words", step.number));
                }
                Fact::AuthorityCertified(name) => {
                    labels.push(format!("Step {}, certificate of {name}, words of the operation", step.number));
                    labels.push(format!("Fingerprint of {name}, twelve words"));
                }
                Fact::CrlIssued(name) => {
                    labels.push(format!("Step {}, CRL of {name}, words of the operation", step.number));
                }
                _ => {}
            }
        }
    }
    for (act, title) in plan.acts.iter().enumerate() {
        labels.push(format!("Head after act {} ({title}), first eight digits", act + 1));
    }
    page.blanks(&labels.iter().map(String::as_str).collect::<Vec<_>>());
}

fn rules_of(plan: &Plan, step: &Step, kinds: &[&dyn StepKind]) -> RoomRules {
    kinds
        .iter()
        .find(|kind| kind.word() == step.kind)
        .map_or_else(RoomRules::default, |kind| kind.room(&step.params, plan))
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
        let needs = format!("any {} of {}", q.threshold, q.count());
        // The classical recipient goes without saying, as it did before there was another.
        let kind =
            if q.recipient.is_left_out() { needs } else { format!("{needs}; sealed to {}", q.recipient.title()) };
        vec![q.name.clone(), kind, holders.join("\n")]
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
