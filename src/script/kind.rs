//! What rows 2 and 3 know of a step kind: its word, the keys a script may give it, what the room must look like.
//!
//! Each kind is one file in `ceremony/steps/` and one row of the table there; this trait is how the rows below
//! ceremony see it.

use crate::script::syntax::Param;
use std::collections::BTreeMap;

/// Which list of the script a name refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameOf {
    Person,
    Role,
    Quorum,
    Authority,
    Material,
    Medium,
}

/// What a key of a step may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    Text,
    /// A name the step gives to something, spelled as names of a script are.
    NewName,
    /// One of these words.
    Word(&'static [&'static str]),
    Integer {
        least: u64,
        most: u64,
    },
    /// An absolute date, `2026-11-22T00:00:00Z`.
    Date,
    Name(NameOf),
    Names(NameOf),
}

/// One key of a step kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepKey {
    pub name: &'static str,
    pub shape: Shape,
    pub needed: bool,
    pub meaning: &'static str,
}

/// Something that is true of the room after a step, and that later steps may need.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fact {
    MachineChecked,
    ClockConfirmed,
    PeoplePresent,
    MaterialChecked(String),
    MediumInserted(String),
    /// Some key: what goes into the randomness goes in before the first.
    AnyKeyMade,
    KeyMade(String),
    /// A quorum's identity is made together with the key it protects.
    QuorumMade(String),
    SharesProven(String),
    SharesConsistent(String),
    RootIssued(String),
    CrlIssued(String),
    /// A certificate request of this name came in and was compared.
    RequestTaken(String),
    /// Another object of this name came in and was compared.
    ObjectTaken(String),
    SignedOff,
    Closed,
}

impl std::fmt::Display for Fact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Fact::MachineChecked => write!(f, "the machine has been checked"),
            Fact::ClockConfirmed => write!(f, "the clock has been confirmed"),
            Fact::PeoplePresent => write!(f, "the roll has been called"),
            Fact::MaterialChecked(name) => write!(f, "material {name} has been read back"),
            Fact::MediumInserted(name) => write!(f, "medium {name} is inserted"),
            Fact::AnyKeyMade => write!(f, "a key has been made"),
            Fact::QuorumMade(name) => write!(f, "quorum {name} has been made for another authority"),
            Fact::KeyMade(name) => write!(f, "the key of {name} has been made"),
            Fact::SharesProven(name) => write!(f, "every share of quorum {name} has been proven"),
            Fact::SharesConsistent(name) => write!(f, "the proven shares of quorum {name} have been found consistent"),
            Fact::RootIssued(name) => write!(f, "the root certificate of {name} has been issued"),
            Fact::CrlIssued(name) => write!(f, "the first CRL of {name} has been issued"),
            Fact::RequestTaken(name) => write!(f, "the certificate request {name} has been taken in"),
            Fact::ObjectTaken(name) => write!(f, "the object {name} has been taken in"),
            Fact::SignedOff => write!(f, "everybody has signed off"),
            Fact::Closed => write!(f, "the evidence has been closed"),
        }
    }
}

/// What a step needs, gives and takes away; the plan walks these in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoomRules {
    pub needs: Vec<Fact>,
    /// Facts that must not be true yet.
    pub first: Vec<Fact>,
    pub gives: Vec<Fact>,
    pub takes: Vec<Fact>,
}

/// Parameters of a step by key, already of the right shape.
pub type Params = BTreeMap<String, Param>;

/// A kind of step, as far as scripts and plans see it.
pub trait StepKind: Sync {
    /// The word of `kind = "..."`.
    fn word(&self) -> &'static str;
    /// One sentence for the language reference and `check --kinds`.
    fn summary(&self) -> &'static str;
    fn keys(&self) -> &'static [StepKey];
    /// What the room must look like; `lookup` finds the quorum of an authority.
    fn room(&self, params: &Params, quorum_of: &dyn Fn(&str) -> Option<String>) -> RoomRules;
    /// How many people besides the acting one must confirm.
    fn confirmers(&self) -> usize;
    /// What people do, as lines of the runbook, with every parameter.
    fn activity(&self, params: &Params) -> Vec<String>;
    /// Whether the step needs the strongroom session to be alive.
    fn uses_strongroom(&self) -> bool {
        false
    }
}

/// Reads a text parameter; the resolver has checked that needed ones are there.
#[must_use]
pub fn text<'p>(params: &'p Params, key: &str) -> &'p str {
    match params.get(key) {
        Some(Param::Text(text)) => text,
        _ => "",
    }
}

/// Reads a number parameter, or `otherwise` where the script leaves it out.
#[must_use]
pub fn number(params: &Params, key: &str, otherwise: u64) -> u64 {
    match params.get(key) {
        Some(Param::Integer(number)) => *number,
        _ => otherwise,
    }
}

/// Reads a date parameter.
#[must_use]
pub fn date(params: &Params, key: &str) -> crate::basics::Instant {
    match params.get(key) {
        Some(Param::Text(text)) => crate::basics::Instant::parse(text),
        _ => None,
    }
    .unwrap_or(crate::basics::Instant(0))
}

/// Reads a list parameter.
#[must_use]
pub fn names<'p>(params: &'p Params, key: &str) -> &'p [String] {
    match params.get(key) {
        Some(Param::Names(names)) => names,
        _ => &[],
    }
}
