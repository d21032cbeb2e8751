//! The shapes of a script as written, each value with its place in the file.

use crate::basics::Instant;
use crate::pki::Subject;
use crate::pki::request::Rules;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::Range;

/// The format word of this version of the language.
pub const FORMAT: &str = "anchorite-script/1";

/// A value and where it stands in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located<T> {
    pub value: T,
    pub span: Range<usize>,
}

impl<T> Located<T> {
    #[must_use]
    pub const fn new(value: T, span: Range<usize>) -> Self {
        Self { value, span }
    }
}

/// A parameter of a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Param {
    Text(String),
    Integer(u64),
    Names(Vec<String>),
}

pub type Text = Located<String>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CeremonySource {
    pub name: Text,
    pub id: Text,
    pub title: Text,
    pub purpose: Text,
    pub previous_head: Option<Text>,
    /// The ceremony whose quorums and authorities this one goes on with.
    pub follows: Option<Text>,
    pub oid_arc: Option<Text>,
    /// When a rehearsal begins, by its simulated clock.
    pub rehearsed_at: Option<Located<Instant>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonSource {
    pub id: Text,
    pub name: Text,
    pub initials: Option<Text>,
    pub public_key: Option<Text>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleSource {
    pub name: Text,
    pub holders: Vec<Text>,
    pub incompatible: Vec<Text>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuorumSource {
    pub name: Text,
    pub threshold: Located<u64>,
    pub recipient: Option<Text>,
    pub custodians: Vec<Text>,
    /// Who writes further shares, for sealed bags.
    pub spares: Vec<Text>,
    /// Made in an earlier ceremony: every custodian is named, and enough of them are here.
    pub standing: bool,
    pub span: Range<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthoritySource {
    pub name: Text,
    pub profile: Text,
    pub algorithm: Text,
    pub quorum: Text,
    pub subject: Located<Subject>,
    pub not_before: Located<Instant>,
    pub not_after: Located<Instant>,
    /// Made in an earlier ceremony.
    pub standing: bool,
    pub span: Range<usize>,
}

/// A certificate that an authority of the script issues.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateSource {
    pub name: Text,
    /// The authority that signs.
    pub issuer: Text,
    pub of: Certified,
    /// What follows is left out where an `[[authority]]` says it.
    pub profile: Option<Text>,
    pub subject: Option<Located<Subject>>,
    /// The request names itself, within the rules of its `[[request]]`.
    pub subject_of_request: bool,
    pub not_before: Option<Located<Instant>>,
    pub not_after: Option<Located<Instant>>,
    /// Where the issuer's CRL and certificate are published.
    pub crl_url: Option<Text>,
    pub issuer_url: Option<Text>,
    pub span: Range<usize>,
}

/// What the script accepts of a certificate request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestSource {
    pub name: Text,
    pub rules: Rules,
    pub span: Range<usize>,
}

/// Whose key is certified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Certified {
    /// An `[[authority]]` whose key is made here.
    Authority(Text),
    /// A request that comes in, by its name.
    Request(Text),
    /// The key and subject of another authority's own certificate, or of a certificate that comes in.
    Cross(Text),
    /// A certificate issued before, with its key or a new one from a request.
    Renewal { of: Text, key: Text, request: Option<Text> },
}

/// A certificate that is withdrawn with the next list of its issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationSource {
    pub authority: Text,
    /// The certificate's name in the ceremony that issued it, or its serial number in hexadecimal digits.
    pub certificate: Option<Text>,
    pub serial: Option<Text>,
    /// Identities of a bundle, and which of them.
    pub bundle: Option<Text>,
    pub state: Option<Text>,
    pub reason: Text,
    pub reported_at: Located<Instant>,
    pub span: Range<usize>,
}

/// A factory that is enrolled here, and what it may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactorySource {
    pub name: Text,
    pub valid_until: Located<Instant>,
    pub quotas: Vec<QuotaSource>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotaSource {
    pub product: Text,
    pub most: Located<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MaterialSource {
    pub name: Text,
    /// `laptop`, `bag`, `medium`, `printer`, `dice`, ...
    pub kind: Text,
    pub title: Text,
    pub serial: Text,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepSource {
    pub id: Text,
    pub title: Text,
    pub kind: Text,
    pub who: Text,
    pub confirm: Vec<Text>,
    pub minutes: Located<u64>,
    pub say: Text,
    pub level: Option<Text>,
    pub params: BTreeMap<String, Located<Param>>,
    pub span: Range<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActSource {
    pub title: Text,
    pub steps: Vec<StepSource>,
    pub span: Range<usize>,
}

/// A whole script, read and located.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    pub tool: Text,
    pub ceremony: CeremonySource,
    pub people: Vec<PersonSource>,
    pub roles: Vec<RoleSource>,
    pub quorums: Vec<QuorumSource>,
    pub authorities: Vec<AuthoritySource>,
    pub certificates: Vec<CertificateSource>,
    pub requests: Vec<RequestSource>,
    pub revocations: Vec<RevocationSource>,
    pub factories: Vec<FactorySource>,
    pub materials: Vec<MaterialSource>,
    pub acts: Vec<ActSource>,
}

impl Script {
    /// All steps in order.
    pub fn steps(&self) -> impl Iterator<Item = &StepSource> {
        self.acts.iter().flat_map(|act| act.steps.iter())
    }
}
