//! A receipt against what was issued: what it says, what its proofs show, and everything that does not add up.

use crate::basics::counted::counted;
use crate::basics::digest::hex_decode;
use crate::basics::{Digest, Instant, SafeText, canonical};
use crate::ceremony::effect::Effect;
use crate::ceremony::prompt::Line;
use crate::ceremony::state::State;
use crate::factory::receipt::{Receipt, State as Became};
use crate::factory::returned::{Returned, went_back};
use crate::factory::{Account, Places};
use crate::plan::Plan;
use crate::plan::standing::factory::{StandingBundle, StandingReceipt};
use crate::transfer::envelope::Kind;

/// States in which an identity has left the stock.
const DRAWN: [Became; 7] = [
    Became::Reserved,
    Became::Injected,
    Became::Verified,
    Became::Scrapped,
    Became::Lost,
    Became::Returned,
    Became::Destroyed,
];

/// Receipts of a bundle that may be missing between two that came: a number beyond would lock out all that follow.
const RECEIPTS_MISSED: u64 = 1_000;

/// Milliseconds by which a receipt may be ahead of the ceremony's clock: nobody compares it with the factory's. No later receipt of the bundle
/// is taken that was made before one that was, so one from the future would lock all of them out.
const AHEAD: u64 = 12 * 60 * 60 * 1_000;
/// A rehearsal's clock is simulated, and a real station may take part in it: what a mistyped year does is refused all the same.
const AHEAD_REHEARSED: u64 = 50 * 365 * 24 * 60 * 60 * 1_000;

/// A receipt, balanced.
pub(super) struct Balance {
    factory: String,
    bundle: StandingBundle,
    receipt: StandingReceipt,
    /// Whether every record is in this receipt. Where it has numbers only, what was known of the records stands.
    each: bool,
    findings: Vec<String>,
}

/// The receipt that came in, where the factory signed it and it is the next one about a bundle of this chain.
fn receipt<'s>(plan: &Plan, state: &'s State, name: &str) -> Result<(Returned, Digest, &'s StandingBundle), String> {
    let object = state.objects.get(name).ok_or_else(|| format!("receipt {name} has not come in"))?;
    if object.kind != Kind::Receipt.word() {
        return Err(format!("{name}: expected a receipt, found a {}", object.kind));
    }
    let octets = hex_decode(&object.octets).ok_or("the receipt is not hexadecimal")?;
    let returned = Returned::parse(&octets).map_err(|e| e.to_string())?;
    let said = &returned.receipt;
    let factory = state.factories.get(&said.factory).ok_or_else(|| {
        format!("{name}: factory {} was not enrolled (wrong-factory)", SafeText::cut(&said.factory, 64))
    })?;
    let sha256 = returned.verified(plan.realm, &factory.receipt_key).map_err(|e| e.to_string())?;
    let bundle = factory.bundles.iter().find(|bundle| bundle.bundle == said.bundle);
    let bundle =
        bundle.ok_or_else(|| format!("{name}: no bundle {} was sealed to {} (foreign)", said.bundle, said.factory))?;
    if said.manifest != bundle.manifest {
        return Err(format!("{name}: manifest: expected {}, found {} (foreign)", bundle.manifest, said.manifest));
    }
    let before = bundle.receipt.as_ref().map_or(0, |before| before.sequence);
    if said.sequence <= before || said.sequence - before > RECEIPTS_MISSED {
        let replay = if said.sequence <= before { "replay" } else { "sequence" };
        return Err(format!(
            "{name}: expected a receipt after number {before} of this bundle, found number {} ({replay})",
            said.sequence
        ));
    }
    if let Some(before) = bundle.receipt.as_ref().filter(|before| before.made >= said.made) {
        return Err(format!(
            "{name}: expected a receipt made after the one before, {}, found one of {} (replay)",
            before.made, said.made
        ));
    }
    Ok((returned, sha256, bundle))
}

/// Refuses a receipt from the future, as of this entry's time.
pub(super) fn not_ahead(plan: &Plan, state: &State, name: &str, at: Instant) -> Result<(), String> {
    let (returned, _, _) = receipt(plan, state, name)?;
    let made = returned.receipt.made;
    let most = if plan.realm.is_rehearsal() { AHEAD_REHEARSED } else { AHEAD };
    if made.0 <= at.0.saturating_add(most) {
        return Ok(());
    }
    let clock = if plan.realm.is_rehearsal() {
        ", or let the rehearsal begin later (`rehearsed_at` in the script)"
    } else {
        ""
    };
    Err(format!(
        "{name}: made {made}, and it was {at} when it was looked at: expected at most {} hours later; let the factory set its clock and make another receipt{clock}",
        most / 3_600_000
    ))
}

/// What the outside world is asked for before there is a balance.
pub(super) fn accounting(plan: &Plan, state: &State, name: &str) -> Result<Effect, String> {
    let (_, _, bundle) = receipt(plan, state, name)?;
    Ok(Effect::Account {
        receipt: name.to_owned(),
        bundle: bundle.bundle,
        mode: bundle.mode,
        nonce: bundle.nonce,
        records_root: bundle.records_root,
        count: bundle.count,
        attested: bundle.attested.clone(),
    })
}

/// Refuses what is not the factory's word about a bundle of this chain; everything else that does not add up is a finding. `None`
/// before its records were looked at.
pub(super) fn of(plan: &Plan, state: &State, name: &str) -> Result<Option<Balance>, String> {
    let (returned, sha256, bundle) = receipt(plan, state, name)?;
    let said = &returned.receipt;
    let mut findings = Vec::new();
    if said.count != bundle.count {
        findings.push(format!("{} identities were issued, {} are accounted for", bundle.count, said.count));
    }
    let account = if said.count == bundle.count {
        let Some(account) = state.local.accounted.clone() else { return Ok(None) };
        account
    } else {
        None
    };
    if let Some(account) = &account {
        let counts = |of: Became| account.records.get(&of).map_or(0, Places::count);
        if Became::ALL.into_iter().any(|of| counts(of) != said.states.get(&of).copied().unwrap_or(0)) {
            return Err("what was found of the records is not what the receipt counts".to_owned());
        }
        findings.extend(faults(account));
    }
    if let Some(before) = &bundle.receipt {
        findings.extend(went_back(&before.states, &said.states));
        if let (Some(before), Some(now)) = (&before.account, &account) {
            findings.extend(turned_back(before, now)?);
        }
        // Every receipt is an entry, so the ledger has grown.
        if said.ledger_entries <= before.ledger_entries {
            findings.push(format!(
                "the station's ledger had {} entries before and has {} now",
                before.ledger_entries, said.ledger_entries
            ));
        }
        for (class, count) in &before.refusals {
            let now = said.refusals.get(class).copied().unwrap_or(0);
            if now < *count {
                findings.push(format!("the station had refused {count} by {class} before and {now} now"));
            }
        }
    }
    findings.extend(contradicts(bundle, said));
    let each = account.is_some();
    let account = account.or_else(|| bundle.receipt.as_ref().and_then(|before| before.account.clone()));
    Ok(Some(Balance {
        each,
        factory: said.factory.clone(),
        bundle: bundle.clone(),
        receipt: StandingReceipt {
            sequence: said.sequence,
            sha256,
            outcomes: said.outcomes_sha256,
            made: said.made,
            states: said.states.clone(),
            account,
            refusals: said.refusals.clone(),
            ledger_head: said.ledger_head,
            ledger_entries: said.ledger_entries,
        },
        findings,
    }))
}

/// What a receipt says that cannot be, whatever came before.
fn contradicts(bundle: &StandingBundle, said: &Receipt) -> Vec<String> {
    let mut findings = Vec::new();
    let before = bundle.receipt.as_ref().map_or(0, |before| before.sequence);
    if said.sequence > before.saturating_add(1) {
        findings.push(format!("receipts {} to {} of this bundle never came", before + 1, said.sequence - 1));
    }
    if said.made < bundle.issued {
        findings.push(format!("made {}, before the bundle was, {}", said.made, bundle.issued));
    }
    let count = |of: Became| u64::from(said.states.get(&of).copied().unwrap_or(0));
    // Each of these was a draw, and each draw is an entry; one more is the receipt's.
    let drawn: u64 = [Became::Reserved, Became::Injected, Became::Verified, Became::Scrapped].map(count).iter().sum();
    if said.ledger_entries <= drawn {
        findings.push(format!(
            "{drawn} identities were drawn, and the station's ledger has {} entries",
            said.ledger_entries
        ));
    }
    findings
}

fn faults(account: &Account) -> Vec<String> {
    let each = account.faults.iter().map(|(fault, records)| {
        let names = account.named.get(fault).map(Vec::as_slice).unwrap_or_default();
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let more = records.count() as usize - names.len().min(records.count() as usize);
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        format!("{} {}: {}{more}; records {records}", records.count(), fault.words(), names.join(", "))
    });
    each.collect()
}

/// Records that came out of where nothing comes from, one by one: numbers alone would not show an exchange.
fn turned_back(before: &Account, now: &Account) -> Result<Vec<String>, String> {
    let of = |account: &Account, state: Became| account.records.get(&state).cloned().unwrap_or_default();
    let mut found = Vec::new();
    for state in [Became::Scrapped, Became::Lost, Became::Returned, Became::Destroyed] {
        let gone = of(before, state).without(&of(now, state))?;
        if !gone.is_empty() {
            found.push(format!("records {gone} were {state} and are not any more: nothing comes back from there"));
        }
    }
    // A proof is there or not; only what becomes of the device afterwards can change.
    let mut still = now.proven.clone();
    for state in [Became::Scrapped, Became::Lost, Became::Returned, Became::Destroyed] {
        still = still.with(&of(now, state))?;
    }
    let withdrawn = before.proven.without(&still)?;
    if !withdrawn.is_empty() {
        found.push(format!("records {withdrawn} were proven and are not any more: a proof is not taken back"));
    }
    let undone =
        of(before, Became::Injected).without(&of(before, Became::Injected).without(&of(now, Became::Reserved))?)?;
    if !undone.is_empty() {
        found.push(format!("records {undone} were in a device and are only given to a line now"));
    }
    let stock = |account: &Account| of(account, Became::Sealed).with(&of(account, Became::Released));
    let again = stock(now)?.without(&stock(before)?)?;
    if !again.is_empty() {
        found.push(format!("records {again} were drawn and are in stock again: what was drawn is never drawn again"));
    }
    Ok(found)
}

impl Balance {
    fn count(&self, of: Became) -> u32 {
        self.receipt.states.get(&of).copied().unwrap_or(0)
    }

    fn drawn(&self) -> u32 {
        DRAWN.into_iter().map(|of| self.count(of)).fold(0, u32::saturating_add)
    }

    fn proven(&self) -> u32 {
        self.receipt.account.as_ref().map_or(0, |account| account.proven.count())
    }

    fn attested(&self) -> u32 {
        self.receipt.account.as_ref().map_or(0, |account| account.attested.count())
    }

    /// What is revoked by default when the bundle expires.
    fn unverified(&self) -> u32 {
        self.bundle.count.saturating_sub(self.proven())
    }

    /// What people read before they agree to it.
    pub(super) fn lines(&self) -> Vec<Line> {
        let each = self.each;
        let (name, count) = (&self.bundle.name, self.bundle.count);
        let mut lines = vec![
            Line::value("bundle", &format!("{name} of {}, {}", self.factory, counted(count, "identity", "identities"))),
            Line::value("receipt", &format!("number {}, made {}", self.receipt.sequence, self.receipt.made)),
            Line::value("balanced", if each { "record by record" } else { "by numbers only: no outcomes came" }),
        ];
        lines.extend(self.receipt.states.iter().map(|(state, count)| Line::value(state.word(), &count.to_string())));
        let (verified, proven) = (self.count(Became::Verified), self.proven());
        lines.push(Line::value(
            "proven",
            &format!("{proven} of the {verified} that the factory says are verified signed the ceremony's nonce with their key"),
        ));
        lines.push(Line::value(
            "is evidence for",
            &match self.attested() {
                0 => {
                    "none: no key is attested to have been made in its device, so a proof shows a key and not a device"
                        .to_owned()
                }
                some => format!("{some}, whose keys are attested to have been made in them"),
            },
        ));
        lines.push(Line::value("yield", &format!("{verified} verified of {} drawn", self.drawn())));
        for (class, count) in &self.receipt.refusals {
            lines.push(Line::value("refused there", &format!("{count}: {class}")));
        }
        lines.push(Line::value(
            "to be revoked",
            &format!("{} if they stay as they are until {}", self.unverified(), self.bundle.expires),
        ));
        if self.findings.is_empty() {
            lines.push(Line::Good { text: "nothing is unexplained".into() });
        }
        lines.extend(self.findings.iter().map(|finding| Line::Bad { text: SafeText::of(finding) }));
        lines
    }

    /// The artefact: canonical JSON.
    pub(super) fn report(&self, now: Instant) -> Result<String, String> {
        let report = serde_json::json!({
            "format": "anchorite-balance/1",
            "factory": self.factory,
            "bundle": self.bundle.name,
            "bundle_id": self.bundle.bundle,
            "manifest": self.bundle.manifest,
            "count": self.bundle.count,
            "receipt": self.receipt,
            "each_record": self.each,
            "recorded": { "drawn": self.drawn(), "verified": self.count(Became::Verified) },
            "proven": self.proven(),
            "attested": self.attested(),
            "unverified": self.unverified(),
            "expires": self.bundle.expires,
            "expired": self.bundle.expires <= now,
            "findings": self.findings,
        });
        let octets = canonical::to_octets(&report).map_err(|e| e.to_string())?;
        String::from_utf8(octets).map_err(|_| "the balance is no text".to_owned())
    }

    /// What was found about this bundle takes the place of what was found before.
    ///
    /// A receipt of numbers only says nothing of records: what was found of them stands, and so does what is known of them.
    pub(super) fn settle(self, state: &mut State) -> Result<(), String> {
        let forgets = !self.each && self.receipt.account.is_some();
        let factory = state.factories.get_mut(&self.factory).ok_or("the factory was not enrolled")?;
        let of_it = format!("bundle {}: ", self.bundle.name);
        factory.findings.retain(|finding| forgets || !finding.starts_with(&of_it));
        // What was explained once stays explained, word for word.
        let found = self.findings.iter().map(|finding| format!("{of_it}{finding}"));
        let known: Vec<String> = factory.explained.iter().map(|explained| explained.finding.clone()).collect();
        let found: Vec<String> =
            found.filter(|finding| !known.contains(finding) && !factory.findings.contains(finding)).collect();
        factory.findings.extend(found);
        if let Some(bundle) = factory.bundles.iter_mut().find(|bundle| bundle.bundle == self.bundle.bundle) {
            bundle.receipt = Some(self.receipt);
        }
        Ok(())
    }
}
