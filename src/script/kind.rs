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
    Certificate,
    Factory,
    /// What a step `issue-bundle` makes.
    Bundle,
    /// What a step `judge-requests` judges.
    Requests,
    /// What a step `take-object` takes in.
    Object,
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
    /// An authority has a certificate: self-signed, or issued by another.
    AuthorityCertified(String),
    /// One of the script's `[[certificate]]` has been issued.
    CertificateIssued(String),
    CrlIssued(String),
    /// A certificate request has come in and its digest been compared, by its name in the script.
    RequestTaken(String),
    /// Any other object, likewise.
    ObjectTaken(String),
    /// A factory of the script has been enrolled.
    FactoryEnrolled(String),
    /// Requests that came in have been judged one by one, by their name.
    RequestsJudged(String),
    /// An authority in a factory's module may carry out an order, by the name of its certificate.
    OrderDelegated(String),
    /// A bundle has been made, by its name.
    BundleIssued(String),
    /// Some bundle: one session of the strongroom makes one.
    AnyBundleIssued,
    /// A standing authority's key is open for a list of operations that its custodians approved.
    Unlocked(String),
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
            Fact::AuthorityCertified(name) => write!(f, "the certificate of {name} has been issued"),
            Fact::CertificateIssued(name) => write!(f, "certificate {name} has been issued"),
            Fact::CrlIssued(name) => write!(f, "the CRL of {name} has been issued"),
            Fact::RequestTaken(name) => write!(f, "request {name} has come in"),
            Fact::ObjectTaken(name) => write!(f, "{name} has come in"),
            Fact::FactoryEnrolled(name) => write!(f, "factory {name} has been enrolled"),
            Fact::RequestsJudged(name) => write!(f, "the requests {name} have been judged"),
            Fact::OrderDelegated(name) => write!(f, "authority {name} may carry out an order"),
            Fact::BundleIssued(name) => write!(f, "bundle {name} has been issued"),
            Fact::AnyBundleIssued => write!(f, "a bundle has been issued"),
            Fact::Unlocked(name) => write!(f, "the key of {name} has been unlocked"),
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

/// What a step kind may look up in the script around it.
pub trait Lookup {
    /// The quorum an authority's key is sealed to.
    fn quorum_of(&self, authority: &str) -> Option<String>;
    /// Whether the authority was made in an earlier ceremony.
    fn stands(&self, authority: &str) -> bool;
    /// Whether making this authority's key makes its quorum too: no key before it is sealed to that quorum.
    fn makes_quorum(&self, authority: &str) -> bool;
    /// Whether this script enrols the factory.
    fn enrols(&self, factory: &str) -> bool;
    /// One of the script's `[[certificate]]`.
    fn certified(&self, certificate: &str) -> Option<Certifying>;
}

/// What a `[[certificate]]` needs, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certifying {
    pub issuer: String,
    /// The authority of the script whose own certificate it is.
    pub authority: Option<String>,
    pub request: Option<String>,
    /// The authority or object whose key and subject it takes.
    pub cross: Option<String>,
    /// Whether a step hands the authority that it is of an order.
    pub delegated: bool,
}

/// A kind of step, as far as scripts and plans see it.
pub trait StepKind: Sync {
    /// The word of `kind = "..."`.
    fn word(&self) -> &'static str;
    /// One sentence for the language reference and `check --kinds`.
    fn summary(&self) -> &'static str;
    fn keys(&self) -> &'static [StepKey];
    /// Keys of which a step has exactly one, where there are any.
    fn one_of(&self) -> &'static [&'static str] {
        &[]
    }
    /// What the room must look like.
    fn room(&self, params: &Params, lookup: &dyn Lookup) -> RoomRules;
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
