//! The report of a record, for reading: derived from plan and record alone, so that whoever verifies renders it again and
//! compares. Works for copies with bodies withheld, and says where.

mod came_in;

use crate::basics::Instant;
use crate::basics::html::Page;
use crate::ceremony::effect::{Effect, parse_certificate};
use crate::ceremony::event::{Answer, Outcome, ShareVerdict, What};
use crate::keys::recipient;
use crate::pki::{CertificateList, render};
use crate::plan::Plan;
use crate::transcript::entry::{Body, Line, Open};
use crate::transcript::{Kind, Record};

/// The page.
#[must_use]
pub fn html(plan: &Plan, record: &Record) -> String {
    let entries: Vec<Seen<'_>> = seen(record);
    let mut page = Page::new(&format!("Report: {}", plan.title), record.header.realm);
    summary(&mut page, record);
    exceptions(&mut page, plan, &entries);
    came_in::came_in(&mut page, &entries);
    keys(&mut page, &entries);
    issued(&mut page, &entries);
    custody(&mut page, plan, &entries);
    people(&mut page, plan, record, &entries);
    steps(&mut page, plan, &entries);
    machine(&mut page, record, &entries);
    page.heading("Evidence");
    let artifacts = crate::audit::facts::Facts::of(record).artifacts;
    page.table(
        &["Artefact", "SHA-256", "Octets"],
        artifacts.iter().map(|(name, (sha256, size))| vec![name.clone(), sha256.hex(), size.to_string()]),
    );
    page.finish()
}

/// An entry with what its body says, where this copy has it.
struct Seen<'r> {
    open: &'r Open,
    body: Option<&'r Body>,
    what: Option<What>,
    /// The last intent before it.
    intent: Option<Effect>,
}

fn seen(record: &Record) -> Vec<Seen<'_>> {
    let mut intent: Option<Effect> = None;
    record
        .lines
        .iter()
        .filter_map(|line: &Line| {
            let open = line.open()?;
            let body = line.body();
            if open.kind == Kind::Intent {
                intent = body.and_then(|b| serde_json::from_value(b.get("effect")?.clone()).ok());
            }
            let what = body.and_then(|b| serde_json::from_value(b.get("event")?.clone()).ok());
            Some(Seen { open, body, what, intent: intent.clone() })
        })
        .collect()
}

fn summary(page: &mut Page, record: &Record) {
    let last = record.opens().last().map(|open| open.kind);
    let state = match last {
        Some(Kind::Closed) => "closed",
        Some(Kind::Abort) => "aborted",
        _ => "open: it can go on",
    };
    let count = |kind: Kind, outcome: &str| record.opens().filter(|o| o.kind == kind && o.outcome == outcome).count();
    let withheld = record.lines.iter().filter(|line| line.body().is_none()).count();
    let rows = [
        vec!["Ceremony".to_owned(), format!("{} ({} realm)", record.header.ceremony, record.header.realm)],
        vec![
            "Record".to_owned(),
            format!("{state}, {} entries, {withheld} bodies withheld in this copy", record.lines.len()),
        ],
        vec![
            "Steps".to_owned(),
            format!(
                "{} done, {} skipped, {} reopened",
                steps_done(record),
                count(Kind::Step, "skipped"),
                count(Kind::Step, "reopened")
            ),
        ],
        vec!["Exceptions".to_owned(), count(Kind::Exception, "opened").to_string()],
        vec!["Begun".to_owned(), record.header.started.rfc3339()],
        vec!["Ended".to_owned(), record.opens().last().map(|o| o.time.rfc3339()).unwrap_or_default()],
    ];
    page.table(&["", ""], rows);
    page.digest("Head", record.head());
    page.digest("Script", record.header.script_digest);
    page.digest("Plan", record.header.plan_digest);
}

/// Steps that were done, each once however often it was opened again.
fn steps_done(record: &Record) -> usize {
    let done = record.opens().filter(|open| open.kind == Kind::Step && open.outcome == "done");
    done.map(|open| open.step.as_str()).collect::<std::collections::BTreeSet<_>>().len()
}

fn exceptions(page: &mut Page, plan: &Plan, entries: &[Seen<'_>]) {
    page.heading("Exceptions");
    let rows: Vec<Vec<String>> = entries
        .iter()
        .filter(|e| e.open.kind == Kind::Exception)
        .map(|e| {
            let place = format!("{} at step {}\n{}", e.open.exception, e.open.step, e.open.time.rfc3339());
            match &e.what {
                Some(What::Answered { answer: Answer::Exception { sheet }, .. }) => {
                    let by: Vec<String> = sheet
                        .by
                        .iter()
                        .map(|i| plan.by_initials(i).map_or_else(|| i.clone(), |p| p.name.clone()))
                        .collect();
                    let skipped = if sheet.skip { "\nthe step was skipped" } else { "" };
                    vec![
                        place,
                        sheet.expected.clone(),
                        sheet.happened.clone(),
                        format!("{}{skipped}", sheet.decided),
                        by.join(", "),
                    ]
                }
                _ => vec![place, "withheld in this copy".to_owned(), String::new(), String::new(), String::new()],
            }
        })
        .collect();
    if rows.is_empty() {
        page.paragraph("None.");
    } else {
        page.table(&["Number", "Expected", "Happened", "Decided", "By"], rows);
    }
}

fn keys(page: &mut Page, entries: &[Seen<'_>]) {
    page.heading("Keys");
    let rows = entries.iter().filter_map(|e| match (&e.what, &e.intent) {
        (
            Some(What::Done { outcome: Outcome::KeyMade { public_key, sealed, recipient, .. } }),
            Some(Effect::MakeKey { authority, algorithm, quorum, generation, threshold, count, .. }),
        ) => {
            let key = crate::basics::digest::hex_decode(public_key).map(|der| crate::basics::Digest::of(&der));
            let key = key.map(|d| format!("{}\n{}", d.twelve_words(), d.grouped())).unwrap_or_default();
            let quorum = format!(
                "{quorum}, any {threshold} of {count}, generation {generation}\n{}",
                recipient::shown(recipient)
            );
            Some(vec![
                authority.clone(),
                algorithm.title().to_owned(),
                key,
                quorum,
                format!("{}\n{}", sealed.name, sealed.sha256),
            ])
        }
        _ => None,
    });
    page.table(&["Authority", "Algorithm", "Public key", "Quorum", "Sealed key"], rows);
}

fn issued(page: &mut Page, entries: &[Seen<'_>]) {
    page.heading("Issued");
    for entry in entries.iter().filter(|e| e.open.outcome == "done") {
        let (Some(What::Done { outcome: Outcome::Signed { der } }), Some(Effect::Sign { operation, digest })) =
            (&entry.what, &entry.intent)
        else {
            continue;
        };
        let octets = crate::basics::digest::hex_decode(der).unwrap_or_default();
        let lines = match parse_certificate(der) {
            Ok(_) => render::certificate_lines(&octets),
            Err(_) => CertificateList::parse(&octets).and_then(|_| render::crl_lines(&octets)),
        };
        page.paragraph(&format!("{}, approved as operation {}", operation.title(), digest.twelve_words()));
        page.table(&["", ""], lines.unwrap_or_default().into_iter().map(|(label, value)| vec![label, value]));
    }
}

fn custody(page: &mut Page, plan: &Plan, entries: &[Seen<'_>]) {
    page.heading("Shares");
    let rows = entries.iter().filter_map(|e| match (&e.what, &e.intent) {
        (
            Some(What::Answered { answer: Answer::Share { verdict, .. }, .. }),
            Some(Effect::ShowShare { quorum, generation, index, count, holder }),
        ) => {
            let said = match verdict {
                ShareVerdict::Proven { corrected, .. } if corrected.is_empty() => "proven from the card".to_owned(),
                ShareVerdict::Proven { corrected, .. } => format!("proven, corrected at {}", corrected.join("; ")),
                ShareVerdict::Refused { reason, .. } => format!("refused: {reason}"),
            };
            let share = format!("{index} of {count}, {quorum} generation {generation}");
            Some(vec![share, plan.name_of(holder), e.open.time.rfc3339(), said])
        }
        _ => None,
    });
    page.table(&["Share", "Custodian", "When", "What"], rows);
}

fn people(page: &mut Page, plan: &Plan, record: &Record, entries: &[Seen<'_>]) {
    page.heading("People");
    let rows = plan.people.iter().map(|person| {
        let said = entries.iter().find_map(|e| match &e.what {
            Some(What::Answered { answer: Answer::SignOff { initials, agree, remark }, .. })
                if e.open.outcome == "agreed" && initials.eq_ignore_ascii_case(&person.initials) =>
            {
                let word = if *agree { "agrees" } else { "does not agree" };
                Some(format!("{word}\n{remark}"))
            }
            _ => None,
        });
        let key = record
            .header
            .signers
            .iter()
            .find(|s| s.person == person.id)
            .map(|s| s.public_key.clone())
            .unwrap_or_default();
        vec![
            person.name.clone(),
            person.roles.join(", "),
            key,
            said.unwrap_or_else(|| "not recorded, or withheld".to_owned()),
        ]
    });
    page.table(&["Name", "Roles", "Key", "Sign-off"], rows);
}

fn steps(page: &mut Page, plan: &Plan, entries: &[Seen<'_>]) {
    page.heading("Steps");
    let rows = plan.steps.iter().map(|step| {
        let of = |outcome: &str| {
            entries
                .iter()
                .rev()
                .find(|e| e.open.kind == Kind::Step && e.open.step == step.id && e.open.outcome == outcome)
        };
        let (begun, done, skipped) = (of("begun").map(|e| e.open.time), of("done").map(|e| e.open.time), of("skipped"));
        let time = |at: Option<Instant>| at.map(Instant::rfc3339).unwrap_or_default();
        let taken = match (begun, done) {
            (Some(begun), Some(done)) => {
                format!("{} of {}", (done.0.saturating_sub(begun.0)).div_ceil(60_000), step.minutes)
            }
            _ => format!("of {}", step.minutes),
        };
        let ended = skipped.map_or_else(|| time(done), |e| format!("skipped under exception {}", e.open.exception));
        vec![step.number.to_string(), step.title.clone(), plan.name_of(&step.who), time(begun), ended, taken]
    });
    page.table(&["Step", "Title", "Acted", "Begun", "Done", "Minutes"], rows);
    page.heading("Answers");
    let rows = entries
        .iter()
        .filter(|e| matches!(e.open.kind, Kind::Answer | Kind::Pause | Kind::Resumed | Kind::Abort))
        .map(|e| {
            let asked = e.body.and_then(|b| b.get("asked")?.get("title")?.as_str()).unwrap_or_default();
            let how = match &e.what {
                Some(What::Answered { front_end, simulated, .. }) => {
                    format!("{front_end:?}{}", if *simulated { ", simulated" } else { "" }).to_lowercase()
                }
                Some(_) => String::new(),
                None => "withheld in this copy".to_owned(),
            };
            let reason = e.body.and_then(|b| b.get("reason")?.as_str()).unwrap_or_default();
            vec![
                e.open.seq.to_string(),
                e.open.time.rfc3339(),
                e.open.step.clone(),
                e.open.role.clone(),
                format!("{asked}\n{reason}").trim_end().to_owned(),
                e.open.outcome.clone(),
                how,
            ]
        });
    page.table(&["Entry", "Time", "Step", "Role", "Asked", "Outcome", "How"], rows);
}

fn machine(page: &mut Page, record: &Record, entries: &[Seen<'_>]) {
    page.heading("Machine and tool, as recorded");
    let mut rows = vec![vec![
        "tool".to_owned(),
        format!("anchorite {} {}", record.header.tool.version, record.header.tool.digest),
    ]];
    rows.extend(record.header.machine.iter().map(|(name, value)| vec![name.clone(), value.clone()]));
    for entry in entries {
        match &entry.what {
            Some(What::Done { outcome: Outcome::Machine { findings } }) => {
                rows.extend(
                    findings.iter().map(|f| vec![f.name.clone(), format!("{} (expected {})", f.found, f.expected)]),
                );
            }
            Some(What::Done { outcome: Outcome::Strongroom { protections, .. } }) => {
                rows.extend(protections.iter().map(|(name, said)| vec![format!("strongroom: {name}"), said.clone()]));
            }
            Some(What::Done { outcome: Outcome::RunKey { public_key } }) => {
                rows.push(vec!["run key".to_owned(), public_key.clone()])
            }
            _ => {}
        }
    }
    page.table(&["", ""], rows);
}
