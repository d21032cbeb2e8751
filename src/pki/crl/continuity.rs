//! What a revocation list owes the one before it (FORMATS, "CRL"): the number rises by one, nothing that was revoked comes
//! back, no date moves, time goes on. A verifier that holds the older list must find nothing in the newer one that
//! contradicts it.

use super::{CertificateList, CrlRequest, Reason, Revoked};
use crate::basics::Instant;
use crate::basics::digest::hex_encode;
use crate::pki::instants;
use std::collections::{BTreeMap, BTreeSet};

/// Everything that keeps a list from following another, or from being the first; empty where it may. Nothing that was
/// revoked may be left out: see [`continuity_knowing`] for certificates that have ended. How long a list may live is the
/// profile's to say (`crl.times.within-profile`); that `previous` is the latest there is, is the chain's.
#[must_use]
pub fn continuity(previous: Option<&CertificateList>, request: &CrlRequest<'_>, now: Instant) -> Vec<String> {
    continuity_knowing(previous, request, now, &BTreeMap::new())
}

/// The same, knowing when certificates end, by serial number: an entry may be left out once it has been on a list made
/// after its certificate ended (RFC 5280 3.3).
#[must_use]
pub fn continuity_knowing(
    previous: Option<&CertificateList>,
    request: &CrlRequest<'_>,
    now: Instant,
    ends: &BTreeMap<Vec<u8>, Instant>,
) -> Vec<String> {
    let mut problems = Vec::new();
    let mut expect = |holds: bool, problem: String| {
        if !holds {
            problems.push(problem);
        }
    };
    let next = instants::whole_second(request.next_update);
    expect(next > now, format!("next update: expected one after now, {now}, found {next}"));
    for entry in &request.revoked {
        let (serial, date) = (hex_encode(&entry.serial), instants::whole_second(entry.date));
        expect(date <= now, format!("entry {serial}: expected a date up to now, {now}, found {date}"));
    }
    let number = request.number;
    let Some(previous) = previous else {
        expect(number == 1, format!("number: expected 1 for a first list, found {number}; give the list before it"));
        return problems;
    };
    expect(
        previous.issuer_der() == request.issuer.subject_der() && previous.authority_key() == request.issuer.ski(),
        "issuer: expected the authority of the list before, found another".to_owned(),
    );
    let last = previous.number();
    match number.checked_sub(last) {
        Some(1) => {}
        Some(0) | None => {
            expect(false, format!("number: expected {}, found {number}, which does not rise", after(last)))
        }
        Some(_) => expect(false, format!("number: expected {}, found {number}: a gap", after(last))),
    }
    let (this, before) = (instants::whole_second(request.this_update), previous.this_update());
    expect(
        this >= before,
        format!("this update: expected one not before that of the last list, {before}, found {this}"),
    );
    let listed: BTreeMap<&[u8], &Revoked> =
        request.revoked.iter().map(|entry| (entry.serial.as_slice(), entry)).collect();
    for old in previous.revoked() {
        let serial = hex_encode(&old.serial);
        match listed.get(old.serial.as_slice()) {
            None => {
                let ended = ends.get(&old.serial).is_some_and(|end| *end < before);
                expect(
                    ended,
                    format!("entry {serial}: expected it again, as its certificate has not ended, found none"),
                );
            }
            Some(new) => {
                let (date, found) = (old.date, instants::whole_second(new.date));
                expect(date == found, format!("entry {serial}: expected its date {date} again, found {found}"));
                // A reason may only get worse: what was superseded may turn out to have been compromised.
                let worse = new.reason == old.reason || new.reason == Reason::KeyCompromise;
                let (was, is) = (old.reason.word(), new.reason.word());
                expect(worse, format!("entry {serial}: expected reason {was} or key-compromise, found {is}"));
            }
        }
    }
    problems
}

fn after(last: u64) -> String {
    last.checked_add(1).map_or_else(|| "no further list".to_owned(), |next| next.to_string())
}

/// What a list changes, for people to read and approve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Number of the list before, where there is one, and of this one.
    pub numbers: (Option<u64>, u64),
    pub added: Vec<Revoked>,
    /// On the list before and not on this one.
    pub left_out: Vec<Revoked>,
    /// As it was, and as it is.
    pub changed: Vec<(Revoked, Revoked)>,
    /// How many stay as they were.
    pub kept: usize,
}

/// What `next` changes against `previous`, by serial number, each part in the order of its list.
#[must_use]
pub fn difference(previous: Option<&CertificateList>, next: &CrlRequest<'_>) -> Difference {
    let before: BTreeMap<&[u8], &Revoked> = previous
        .map(CertificateList::revoked)
        .unwrap_or_default()
        .iter()
        .map(|entry| (entry.serial.as_slice(), entry))
        .collect();
    let now: BTreeSet<&[u8]> = next.revoked.iter().map(|entry| entry.serial.as_slice()).collect();
    let mut difference = Difference {
        numbers: (previous.map(CertificateList::number), next.number),
        added: Vec::new(),
        left_out: before
            .values()
            .filter(|old| !now.contains(old.serial.as_slice()))
            .map(|old| (*old).clone())
            .collect(),
        changed: Vec::new(),
        kept: 0,
    };
    for entry in &next.revoked {
        let written = Revoked { date: instants::whole_second(entry.date), ..entry.clone() };
        match before.get(entry.serial.as_slice()) {
            None => difference.added.push(written),
            Some(old) if **old == written => difference.kept += 1,
            Some(old) => difference.changed.push(((*old).clone(), written)),
        }
    }
    difference
}

impl Difference {
    /// One line for each change, and for what stays: a label and its value.
    #[must_use]
    pub fn lines(&self) -> Vec<(String, String)> {
        let number = match self.numbers {
            (None, number) => format!("{number}, the first"),
            (Some(before), number) => format!("{number}, after {before}"),
        };
        let mut lines = vec![("Number".to_owned(), number)];
        let entry = |revoked: &Revoked| {
            format!("{} on {}, {}", hex_encode(&revoked.serial), revoked.date, revoked.reason.word())
        };
        lines.extend(self.added.iter().map(|added| ("Newly revoked".to_owned(), entry(added))));
        lines.extend(self.changed.iter().map(|(old, new)| {
            ("Changed".to_owned(), format!("{}; before: on {}, {}", entry(new), old.date, old.reason.word()))
        }));
        lines.extend(self.left_out.iter().map(|old| ("No longer listed".to_owned(), entry(old))));
        if self.added.is_empty() && self.changed.is_empty() && self.left_out.is_empty() {
            lines.push(("Newly revoked".to_owned(), "nothing".to_owned()));
        }
        lines.push(("Stays revoked".to_owned(), self.kept.to_string()));
        lines
    }
}
