//! `reconcile`: a receipt that came in is balanced, state by state, against what was issued. What nobody can explain stands as a
//! finding until a later receipt settles it, and no order of that factory is carried out meanwhile.

use crate::basics::digest::hex_decode;
use crate::basics::{Instant, canonical};
use crate::ceremony::effect::Effect;
use crate::ceremony::event::{Moment, Outcome};
use crate::ceremony::prompt::{Ask, Line, Prompt};
use crate::ceremony::state::State;
use crate::ceremony::steps::{Input, Room, StepMachine, StepNext, asking, issue};
use crate::factory::receipt::State as Became;
use crate::factory::returned::{Returned, went_back};
use crate::plan::standing::factory::{StandingBundle, StandingReceipt};
use crate::plan::{Plan, Step};
use crate::script::{Fact, Lookup, RoomRules, Shape, StepKey, StepKind, kind, kind::Params};
use crate::transcript::Entry;
use crate::transfer::envelope::Kind;

pub struct Reconcile;

/// Moments.
const LOOK: u32 = 0;
const WRITE: u32 = 1;

impl StepKind for Reconcile {
    fn word(&self) -> &'static str {
        "reconcile"
    }
    fn summary(&self) -> &'static str {
        "A factory's receipt is balanced against what was issued; what is not explained stands as a finding and blocks the next order."
    }
    fn keys(&self) -> &'static [StepKey] {
        &[StepKey {
            name: "receipt",
            shape: Shape::Text,
            needed: true,
            meaning: "name of a receipt that a step `take-object` took in",
        }]
    }
    fn room(&self, params: &Params, _: &dyn Lookup) -> RoomRules {
        let receipt = kind::text(params, "receipt").to_owned();
        RoomRules {
            needs: vec![Fact::PeoplePresent, Fact::ClockConfirmed, Fact::ObjectTaken(receipt)],
            ..RoomRules::default()
        }
    }
    fn confirmers(&self) -> usize {
        1
    }
    fn activity(&self, params: &Params) -> Vec<String> {
        vec![
            format!(
                "Read the balance of receipt {}: every state, and what is not explained.",
                kind::text(params, "receipt")
            ),
            "What is found blocks the factory's next order until a later receipt settles it.".to_owned(),
        ]
    }
}

/// A receipt, balanced.
struct Balance {
    factory: String,
    bundle: String,
    receipt: StandingReceipt,
    /// Whether every record was there, and not only numbers.
    each: bool,
    count: u32,
    expires: Instant,
    findings: Vec<String>,
}

impl StepMachine for Reconcile {
    fn next(&self, room: &Room<'_>) -> StepNext {
        match room.state.local.moment {
            LOOK => match balance(room.plan, room.state, &room.step.params) {
                Ok(balance) => {
                    asking::ask_all(room, "Is that what became of them?", shown(&balance), "it is written down")
                }
                Err(problem) => StepNext::Ask(Box::new(Prompt {
                    lines: vec![
                        Line::Bad { text: crate::basics::SafeText::of(&problem) },
                        Line::text("Nothing is balanced. Open an exception with `!`, or stop the ceremony."),
                    ],
                    ..asking::prompt_for(
                        &room.step.who,
                        "This receipt is refused",
                        Ask::Text { label: "`!` opens an exception".to_owned(), example: String::new() },
                    )
                })),
            },
            WRITE => StepNext::Do(Box::new(Effect::WriteArtifact {
                name: format!("{}.balance.json", kind::text(&room.step.params, "receipt")),
                content: room.state.local.content.clone(),
            })),
            _ => StepNext::Done,
        }
    }

    fn take(
        &self,
        plan: &Plan,
        step: &Step,
        state: &mut State,
        moment: &Moment,
        input: &Input<'_>,
    ) -> Result<Vec<Entry>, String> {
        match (state.local.moment, input) {
            (LOOK, Input::Answer(answer)) => {
                let balance = balance(plan, state, &step.params)?;
                if asking::take_all(plan, step, &mut state.local.answered, answer)? {
                    state.local.content = report(&balance, moment.time)?;
                    settle(state, balance)?;
                    state.local.moment = WRITE;
                }
                Ok(Vec::new())
            }
            (WRITE, Input::Outcome(Outcome::ArtifactWritten { file })) => Ok(issue::written(step, state, file)),
            _ => Err("expected initials".to_owned()),
        }
    }
}

/// Refuses what is not the factory's word about a bundle of this chain; everything else that does not add up is a finding.
fn balance(plan: &Plan, state: &State, params: &Params) -> Result<Balance, String> {
    let name = kind::text(params, "receipt");
    let object = state.objects.get(name).ok_or_else(|| format!("receipt {name} has not come in"))?;
    if object.kind != Kind::Receipt.word() {
        return Err(format!("{name}: expected a receipt, found a {}", object.kind));
    }
    let octets = hex_decode(&object.octets).ok_or("the receipt is not hexadecimal")?;
    let returned = Returned::parse(&octets).map_err(|e| e.to_string())?;
    let said = &returned.receipt;
    let factory = state.factories.get(&said.factory).ok_or_else(|| {
        format!("{name}: factory {} was not enrolled (wrong-factory)", crate::basics::SafeText::cut(&said.factory, 64))
    })?;
    let sha256 = returned.verified(plan.realm, &factory.receipt_key).map_err(|e| e.to_string())?;
    let bundle = factory.bundles.iter().find(|bundle| bundle.bundle == said.bundle);
    let bundle =
        bundle.ok_or_else(|| format!("{name}: no bundle {} was sealed to {} (foreign)", said.bundle, said.factory))?;
    if said.manifest != bundle.manifest {
        return Err(format!("{name}: manifest: expected {}, found {} (foreign)", bundle.manifest, said.manifest));
    }
    let before = bundle.receipt.as_ref();
    if let Some(before) = before.filter(|before| before.sequence >= said.sequence) {
        return Err(format!(
            "{name}: expected a receipt after number {} of this bundle, found number {} (replay)",
            before.sequence, said.sequence
        ));
    }
    let mut findings = Vec::new();
    if said.count != bundle.count {
        findings.push(format!("{} identities were issued, {} are accounted for", bundle.count, said.count));
    }
    let root = returned.records_root();
    match &root {
        Ok(Some(root)) if *root != bundle.records_root => {
            findings.push(format!(
                "records: expected those under root {}, found others, under {root}",
                bundle.records_root
            ));
        }
        Ok(_) => {}
        Err(refusal) => findings.push(refusal.to_string()),
    }
    if let Some(before) = before {
        findings.extend(went_back(&before.states, &said.states));
        if said.ledger_entries < before.ledger_entries {
            findings.push(format!(
                "the station's ledger had {} entries before and has {} now",
                before.ledger_entries, said.ledger_entries
            ));
        }
    }
    Ok(Balance {
        factory: said.factory.clone(),
        bundle: bundle.name.clone(),
        each: matches!(root, Ok(Some(_))),
        count: bundle.count,
        expires: bundle.expires,
        receipt: StandingReceipt {
            sequence: said.sequence,
            sha256,
            made: said.made,
            states: said.states.clone(),
            ledger_head: said.ledger_head,
            ledger_entries: said.ledger_entries,
        },
        findings,
    })
}

fn shown(balance: &Balance) -> Vec<Line> {
    let mut lines = vec![
        Line::value("bundle", &format!("{} of {}, {} identities", balance.bundle, balance.factory, balance.count)),
        Line::value("receipt", &format!("number {}, made {}", balance.receipt.sequence, balance.receipt.made)),
        Line::value("balanced", if balance.each { "record by record" } else { "by numbers only: no outcomes came" }),
    ];
    lines.extend(balance.receipt.states.iter().map(|(state, count)| Line::value(state.word(), &count.to_string())));
    lines.push(Line::value(
        "to be revoked",
        &format!("{} if they stay as they are until {}", unverified(balance), balance.expires),
    ));
    if balance.findings.is_empty() {
        lines.push(Line::Good { text: "nothing is unexplained".into() });
    }
    lines.extend(balance.findings.iter().map(|finding| Line::Bad { text: crate::basics::SafeText::of(finding) }));
    lines
}

/// What is revoked by default when the bundle expires.
fn unverified(balance: &Balance) -> u32 {
    balance.count.saturating_sub(balance.receipt.states.get(&Became::Verified).copied().unwrap_or(0))
}

/// The artefact: canonical JSON.
fn report(balance: &Balance, now: Instant) -> Result<String, String> {
    let report = serde_json::json!({
        "format": "anchorite-balance/1",
        "factory": balance.factory,
        "bundle": balance.bundle,
        "count": balance.count,
        "receipt": balance.receipt,
        "each_record": balance.each,
        "unverified": unverified(balance),
        "expired": balance.expires <= now,
        "findings": balance.findings,
    });
    let octets = canonical::to_octets(&report).map_err(|e| e.to_string())?;
    String::from_utf8(octets).map_err(|_| "the balance is no text".to_owned())
}

/// What was found about this bundle takes the place of what was found before.
fn settle(state: &mut State, balance: Balance) -> Result<(), String> {
    let factory = state.factories.get_mut(&balance.factory).ok_or("the factory was not enrolled")?;
    let of_it = format!("bundle {}: ", balance.bundle);
    factory.findings.retain(|finding| !finding.starts_with(&of_it));
    factory.findings.extend(balance.findings.iter().map(|finding| format!("{of_it}{finding}")));
    let bundle: Option<&mut StandingBundle> = factory.bundles.iter_mut().find(|bundle| bundle.name == balance.bundle);
    if let Some(bundle) = bundle {
        bundle.receipt = Some(balance.receipt);
    }
    Ok(())
}
