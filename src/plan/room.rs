//! The room walked step by step before anybody enters it: what is true before each step, and what a step needs that
//! no step before it gives.

use crate::script::{Fact, RoomRules};
use std::collections::{BTreeMap, BTreeSet};

/// What is wrong with the order of steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Disorder {
    /// The step needs a fact nothing before it gives.
    Missing { step: usize, fact: Fact, given_later_by: Option<usize> },
    /// The step must come before the fact is true.
    Again { step: usize, fact: Fact },
    /// What the step makes is on no medium written after it: it would stay in the room.
    LeftBehind { step: usize, fact: Fact, written_before_by: Option<usize> },
}

/// All disorders of a sequence of steps; `stands` is true before the first.
#[must_use]
pub fn walk(stands: &BTreeSet<Fact>, steps: &[RoomRules]) -> Vec<Disorder> {
    let mut truths: BTreeSet<Fact> = stands.clone();
    let mut disorders = Vec::new();
    for (step, rules) in steps.iter().enumerate() {
        for fact in &rules.needs {
            if !truths.contains(fact) {
                let given_later_by =
                    steps.iter().skip(step).position(|later| later.gives.contains(fact)).map(|n| n + step);
                disorders.push(Disorder::Missing { step, fact: fact.clone(), given_later_by });
            }
        }
        for fact in &rules.first {
            if truths.contains(fact) {
                disorders.push(Disorder::Again { step, fact: fact.clone() });
            }
        }
        for fact in &rules.takes {
            truths.remove(fact);
        }
        truths.extend(rules.gives.iter().cloned());
    }
    disorders
}

/// What a step carries out of the room, onto a medium or as codes that the other side read back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Certificates and CRLs of authorities.
    pub issued: Vec<String>,
    /// Certificates by their own names.
    pub certificates: Vec<String>,
    pub sealed: Vec<String>,
}

/// Authorities whose last artefact, or whose sealed key, no later step writes out; `written` says of each step what it writes.
/// One finding for the artefacts of an authority: the medium that takes the last takes those before it too.
#[must_use]
pub fn left_behind(steps: &[RoomRules], written: &[Written]) -> Vec<Disorder> {
    let mut last: BTreeMap<(&String, bool), (usize, &Fact)> = BTreeMap::new();
    for (step, fact) in steps.iter().enumerate().flat_map(|(i, rules)| rules.gives.iter().map(move |fact| (i, fact))) {
        match fact {
            Fact::KeyMade(name) => last.insert((name, true), (step, fact)),
            Fact::AuthorityCertified(name) | Fact::CertificateIssued(name) | Fact::CrlIssued(name) => {
                last.insert((name, false), (step, fact))
            }
            _ => None,
        };
    }
    let mut disorders = Vec::new();
    // Where nothing at all is written for an authority that issued something, that is one mistake: its key is not named besides.
    let never = |name: &String| {
        !written.iter().any(|w| w.issued.contains(name) || w.certificates.contains(name) || w.sealed.contains(name))
    };
    let issued: BTreeSet<&String> = last.keys().filter(|(_, sealed)| !sealed).map(|(name, _)| *name).collect();
    for ((name, sealed), (step, fact)) in last {
        if sealed && never(name) && issued.contains(name) {
            continue;
        }
        let names = |written: &Written| match sealed {
            true => written.sealed.contains(name),
            false => written.issued.contains(name) || written.certificates.contains(name),
        };
        let writing = written.iter().rposition(names);
        if writing.is_none_or(|writing| writing < step) {
            disorders.push(Disorder::LeftBehind { step, fact: fact.clone(), written_before_by: writing });
        }
    }
    disorders
}

/// Whether nothing after `step` needs what it gives, so that an exception may skip it.
#[must_use]
pub fn skippable(steps: &[RoomRules], step: usize) -> bool {
    let Some(rules) = steps.get(step) else { return false };
    !rules.gives.contains(&Fact::Closed)
        && steps.iter().skip(step + 1).all(|later| later.needs.iter().all(|need| !rules.gives.contains(need)))
}
