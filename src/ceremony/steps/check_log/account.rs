//! A log against what its authority may issue: whose it is, what it continues, how many there are in all, and everything that is wrong.

use crate::basics::digest::hex_decode;
use crate::basics::{Digest, SafeText, canonical};
use crate::ceremony::batch;
use crate::ceremony::effect::Effect;
use crate::ceremony::prompt::Line;
use crate::ceremony::state::State;
use crate::factory::Order;
use crate::factory::enrolment::Signed;
use crate::factory::issuance_log::{LogFound, LogStatement};
use crate::plan::Plan;
use crate::plan::standing::StandingFactory;
use crate::plan::standing::delegated::{StandingDelegated, StandingLog};
use crate::script::kind::{self, Params};
use crate::transfer::envelope::Kind;

/// Characters of one finding.
const FINDING_CHARS: usize = 600;

/// A log that continues those of an authority of this chain.
struct Logged<'s> {
    signed: Signed<LogStatement>,
    /// SHA-256 of the signed statement, as a file.
    statement: Digest,
    factory: &'s StandingFactory,
    delegated: &'s StandingDelegated,
    order: Order,
}

fn logged<'s>(plan: &Plan, state: &'s State, params: &Params) -> Result<Logged<'s>, String> {
    let (name, named) = (kind::text(params, "log"), kind::text(params, "factory"));
    let object = state.objects.get(name).ok_or_else(|| format!("log {name} has not come in"))?;
    if object.kind != Kind::IssuanceLog.word() {
        return Err(format!("{name}: expected a statement about an issuance log, found a {}", object.kind));
    }
    let octets = hex_decode(&object.octets).ok_or("the statement is not hexadecimal")?;
    let signed = LogStatement::read(&octets, plan.realm).map_err(|e| e.to_string())?;
    let said = &signed.statement;
    let factory = state.factories.get(named).ok_or_else(|| format!("factory {named} was not enrolled"))?;
    let of = |one: &&StandingDelegated| one.certificate.as_ref().is_some_and(|of| of.sha256 == said.issuer);
    let delegated = factory.delegated.iter().find(of);
    let delegated = delegated
        .ok_or_else(|| format!("{name}: no authority {} of {named} carries out an order (foreign)", said.issuer))?;
    let (order, digest) = batch::order(state, kind::text(params, "order"))?;
    if digest != delegated.order {
        return Err(format!(
            "order: expected {}, which authority {} carries out, found {digest} (wrong-order)",
            delegated.order, delegated.name
        ));
    }
    let profile = kind::text(params, "profile");
    if order.profile != profile {
        return Err(format!("order: profile: expected {profile}, as the script says, found {}", order.profile));
    }
    LogStatement::of(&signed, &factory.receipt_key, (&order, &digest), &said.issuer).map_err(|e| e.to_string())?;
    said.continues(delegated.last()).map_err(|e| format!("{name}: {e}"))?;
    Ok(Logged { statement: object.sha256, factory, delegated, order, signed })
}

/// What the outside world is asked for: the file is judged beside those before it, and beside what was met elsewhere.
pub(super) fn effect(plan: &Plan, state: &State, params: &Params) -> Result<Effect, String> {
    let Logged { signed, delegated, order, .. } = logged(plan, state, params)?;
    if let Some(name) = waiting(plan, state) {
        return Err(format!(
            "log {}: expected no order that came in and is yet to be carried out, found {name}: its devices were looked for in what was issued until then, and this log would not be among that; check logs before orders come in, or after they are carried out",
            kind::text(params, "log")
        ));
    }
    let seen = kind::names(params, "seen").to_vec();
    for name in &seen {
        let object = state.objects.get(name).ok_or_else(|| format!("certificate {name} has not come in"))?;
        if object.kind != Kind::Certificate.word() {
            return Err(format!("{name}: expected a certificate, found a {}", object.kind));
        }
    }
    // Of one that is revoked nothing stands, so nothing stands twice.
    let stands = delegated.until(&batch::withdrawn(state)?).is_some();
    let (bundles, logs) = if stands { batch::issued_before(state, Some(&delegated.name)) } else { Default::default() };
    Ok(Effect::CheckLog {
        bundles,
        logs,
        log: kind::text(params, "log").to_owned(),
        authority: delegated.name.clone(),
        order: kind::text(params, "order").to_owned(),
        profile: order.profile,
        size: signed.statement.size,
        sha256: signed.statement.sha256,
        earlier: delegated.logs.iter().map(|log| log.sha256).collect(),
        seen,
    })
}

/// An order that came in and that a step of the script is yet to carry out, or to hand over.
fn waiting<'p>(plan: &'p Plan, state: &State) -> Option<&'p str> {
    let carrying = plan.steps.iter().filter(|step| matches!(step.kind.as_str(), "issue-bundle" | "delegate"));
    let mut orders = carrying.map(|step| kind::text(&step.params, "order"));
    orders.find(|name| {
        batch::order(state, name).is_ok_and(|(order, digest)| {
            let factory = state.factories.get(&order.factory);
            let done = |of: &StandingFactory| {
                of.bundles.iter().any(|bundle| bundle.order == digest)
                    || of.delegated.iter().any(|own| own.order == digest)
            };
            !factory.is_some_and(done)
        })
    })
}

/// A log, checked.
pub(super) struct Account {
    factory: String,
    delegated: StandingDelegated,
    log: StandingLog,
    found: LogFound,
    /// What is left of the factory's quota for the product, this log counted; less than nothing where it was exceeded.
    quota: u64,
    charged: u64,
    findings: Vec<String>,
}

/// What came of it, once its file was looked at.
pub(super) fn of(plan: &Plan, state: &State, params: &Params) -> Result<Account, String> {
    let Logged { signed, statement, factory, delegated, order } = logged(plan, state, params)?;
    let said = signed.statement;
    let (at, found) = state.local.logged.clone().ok_or("nothing was checked yet")?;
    let has = |word: &str| found.incidents.contains_key(word);
    let all = delegated.logged().saturating_add(u64::from(found.count));
    // These two follow from numbers alone: whatever looked at the file must have found the same.
    if has("count") != (found.count != said.count) || has("quota") != (all > u64::from(order.count)) {
        return Err("what was found of the log is not what its numbers give".to_owned());
    }
    let of_it = format!("authority {}: log {}: ", delegated.name, said.sequence);
    let told = found.incidents.iter().map(|(word, count)| {
        let of_word = found.named.iter().filter(|incident| incident.word == *word);
        let each: Vec<String> = of_word.map(|incident| format!("{}: {}", incident.at, incident.what)).collect();
        format!("{count} {word}: {}", each.join("; "))
    });
    let mut findings: Vec<String> = told.collect();
    let quota = factory.quotas.get(&order.product).copied().unwrap_or(0);
    let before = factory.issued(&order.product).saturating_sub(delegated.charged());
    let charged = before.saturating_add(all.max(u64::from(delegated.count)));
    if charged > quota {
        findings.push(format!("quota: {charged} of {} issued or ordered, expected at most {quota}", order.product));
    }
    if at < said.made {
        findings.push(format!("made {}, and it was {at} when it was looked at", said.made));
    }
    let findings =
        findings.iter().map(|finding| SafeText::cut(&format!("{of_it}{finding}"), FINDING_CHARS).to_string()).collect();
    let log = StandingLog {
        sequence: said.sequence,
        statement,
        sha256: said.sha256,
        size: said.size,
        made: said.made,
        count: found.count,
        incidents: found.incidents.clone(),
        ceremony: plan.ceremony.clone(),
    };
    Ok(Account { factory: said.factory, delegated: delegated.clone(), log, found, quota, charged, findings })
}

impl Account {
    fn all(&self) -> u64 {
        self.delegated.logged().saturating_add(u64::from(self.found.count))
    }

    /// What people read before they agree to it.
    pub(super) fn lines(&self) -> Vec<Line> {
        let (delegated, ordered) = (&self.delegated, self.delegated.count);
        let mut lines = vec![
            Line::value("authority", &format!("{} of {}", delegated.name, self.factory)),
            Line::value("log", &format!("number {}, made {}", self.log.sequence, self.log.made)),
            Line::value("in it", &format!("{} certificates", self.found.count)),
            Line::value("in all logs", &format!("{} of {ordered} ordered", self.all())),
            Line::value("quota", &format!("{} of {} {}", self.charged, self.quota, delegated.product)),
        ];
        if self.findings.is_empty() {
            lines.push(Line::Good { text: "every certificate is within order, constraints and profile".into() });
        }
        lines.extend(self.findings.iter().map(|finding| Line::Bad { text: SafeText::of(finding) }));
        lines.push(Line::text(
            "What nobody brought is not looked at: one that is in no log shows only where it is met.",
        ));
        lines
    }

    /// The artefact: canonical JSON.
    pub(super) fn report(&self) -> Result<String, String> {
        let report = serde_json::json!({
            "format": "anchorite-log-account/1",
            "factory": self.factory,
            "authority": self.delegated.name,
            "order": self.delegated.order,
            "product": self.delegated.product,
            "ordered": self.delegated.count,
            "logged": self.all(),
            "quota": self.quota,
            "charged": self.charged,
            "log": self.log,
            "named": self.found.named,
            "findings": self.findings,
        });
        let octets = canonical::to_octets(&report).map_err(|e| e.to_string())?;
        String::from_utf8(octets).map_err(|_| "the account is no text".to_owned())
    }

    /// It is the authority's last log from here on. What was found of those before stands: a later log takes nothing back.
    pub(super) fn settle(self, state: &mut State) -> Result<(), String> {
        let factory = state.factories.get_mut(&self.factory).ok_or("the factory was not enrolled")?;
        let known: Vec<String> = factory.explained.iter().map(|explained| explained.finding.clone()).collect();
        factory.findings.extend(self.findings.into_iter().filter(|finding| !known.contains(finding)));
        let delegated = factory.delegated.iter_mut().find(|one| one.name == self.delegated.name);
        delegated.ok_or("the factory has no such authority")?.logs.push(self.log);
        Ok(())
    }
}
