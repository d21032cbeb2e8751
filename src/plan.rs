//! Row 3: the script resolved against the room: total, immutable, digested. `check`, `runbook` and the ceremony itself
//! read the same [`Plan`].
//!
//! Never does I/O and never asks people; a plan either resolves completely or every problem is reported.

pub mod resolve;
pub mod room;
pub mod runbook;
pub mod samples;
pub mod standing;

pub use standing::Standing;

use crate::basics::{Digest, Instant, Realm, canonical};
use crate::keys::Algorithm;
use crate::keys::recipient::RecipientKind;
use crate::pki::name::Subject;
use crate::pki::profile::Profile;
use crate::script::kind::Params;
use crate::script::{Certifying, Lookup};
use crate::transcript::Level;
use serde::Serialize;
use std::collections::BTreeMap;

/// Somebody who must be in the room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Person {
    pub id: String,
    pub name: String,
    pub initials: String,
    /// OpenSSH line, or empty (a rehearsal simulates the key; production needs one).
    pub public_key: String,
    /// Names of the roles this person holds, in script order.
    pub roles: Vec<String>,
}

/// A named set of custodians with a threshold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Quorum {
    pub name: String,
    pub threshold: u8,
    /// What their identity is; left out where it is the classical one.
    #[serde(skip_serializing_if = "RecipientKind::is_left_out")]
    pub recipient: RecipientKind,
    /// Person ids, those who write spare shares last; share index = position + 1.
    pub custodians: Vec<String>,
    /// Made in an earlier ceremony; not all its custodians need be here.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub standing: bool,
}

impl Quorum {
    /// Number of shares.
    #[must_use]
    pub fn count(&self) -> u8 {
        u8::try_from(self.custodians.len()).unwrap_or(u8::MAX)
    }

    /// The custodian of a share index (from 1).
    #[must_use]
    pub fn custodian(&self, index: u8) -> &str {
        usize::from(index).checked_sub(1).and_then(|i| self.custodians.get(i)).map_or("", String::as_str)
    }
}

/// A certificate authority to be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Authority {
    pub name: String,
    pub profile: String,
    pub algorithm: Algorithm,
    pub quorum: String,
    /// Already carries the rehearsal's mark where the realm asks for it.
    pub subject: Subject,
    pub not_before: Instant,
    pub not_after: Instant,
    /// Made in an earlier ceremony.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub standing: bool,
}

/// A certificate that an authority issues beside its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlannedCertificate {
    pub name: String,
    pub issuer: String,
    pub of: CertifiedKey,
    pub profile: String,
    /// Already carries the rehearsal's mark; absent where another certificate says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<Subject>,
    pub not_before: Instant,
    pub not_after: Instant,
    pub crl_url: String,
    pub issuer_url: String,
}

/// Whose key a certificate is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "of", content = "name", rename_all = "kebab-case")]
pub enum CertifiedKey {
    Authority(String),
    Request(String),
    /// Key and subject of an authority, or of a certificate that comes in.
    Cross(String),
    /// An issued certificate, with its own key.
    SameKey {
        certificate: String,
        request: String,
    },
    /// An issued certificate's subject, with a new key.
    NewKey {
        certificate: String,
        request: String,
    },
}

/// What the next list of an authority withdraws.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlannedRevocation {
    pub authority: String,
    /// Name of a certificate the chain issued, or empty.
    pub certificate: String,
    /// Hexadecimal, or empty.
    pub serial: String,
    /// What the chain calls a bundle, or empty; then `state` says which of its identities.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub bundle: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<standing::factory::Withdrawn>,
    pub reason: crate::pki::Reason,
    pub reported_at: Instant,
}

/// A factory that is enrolled here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlannedFactory {
    pub name: String,
    pub valid_until: Instant,
    /// How many identities it may have in all, by product.
    pub quotas: BTreeMap<String, u64>,
}

/// A thing on the table with a serial or bag number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Material {
    pub name: String,
    pub kind: String,
    pub title: String,
    pub serial: String,
}

/// One step, every name resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    pub id: String,
    /// From 1.
    pub number: u32,
    /// Position of its act, from 0.
    pub act: u32,
    pub title: String,
    pub kind: String,
    /// The acting person.
    pub who: String,
    /// The role in which they act.
    pub role: String,
    pub confirm: Vec<String>,
    pub minutes: u32,
    pub say: String,
    pub params: Params,
    /// Level a script raised answers to; default otherwise.
    pub level: Level,
    /// Whether an exception may skip it: nothing later needs what it gives.
    pub skippable: bool,
}

/// The whole ceremony, resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Plan {
    pub realm: Realm,
    pub script_digest: Digest,
    pub name: String,
    pub ceremony: String,
    pub title: String,
    pub purpose: String,
    pub tool_floor: String,
    pub previous_head: String,
    /// Policy OID certificates carry; under 1.3.6.1.4.1.32473 in a rehearsal.
    pub policy_oid: String,
    pub people: Vec<Person>,
    pub quorums: Vec<Quorum>,
    pub authorities: Vec<Authority>,
    pub materials: Vec<Material>,
    pub acts: Vec<String>,
    pub steps: Vec<Step>,
    pub profiles: BTreeMap<String, Profile>,
    pub profile_digests: BTreeMap<String, Digest>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<PlannedCertificate>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub revocations: Vec<PlannedRevocation>,
    /// What is accepted of certificate requests, by their names.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub requests: BTreeMap<String, crate::pki::request::Rules>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub factories: Vec<PlannedFactory>,
    /// Arc that the policies of certificates are relative to; empty where the script issues none beside its authorities' own.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub oid_arc: String,
    /// When a rehearsal begins, where it is not to be today.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rehearsed_at: Option<Instant>,
    /// The ceremony that this one goes on from, or empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub follows: String,
    /// What stands from it; absent while only the script is looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub standing: Option<Standing>,
}

impl Plan {
    /// The digest people compare: tagged hash of the canonical JSON of the plan.
    ///
    /// # Errors
    /// Never for a resolved plan: it holds only strings, small integers, arrays and objects.
    pub fn digest(&self) -> Result<Digest, canonical::CanonicalError> {
        Ok(Digest::tagged("plan", self.realm, &[&canonical::to_octets(self)?]))
    }

    /// What draws are salted with: the plan without what stands, which holds the randomness of sealed files, so that the same
    /// material gives the same keys wherever a ceremony is rehearsed.
    ///
    /// # Errors
    /// As [`Plan::digest`].
    pub fn draw_digest(&self) -> Result<Digest, canonical::CanonicalError> {
        match &self.standing {
            None => self.digest(),
            Some(_) => Plan { standing: None, ..self.clone() }.digest(),
        }
    }

    #[must_use]
    pub fn certificate(&self, name: &str) -> Option<&PlannedCertificate> {
        self.certificates.iter().find(|certificate| certificate.name == name)
    }

    #[must_use]
    pub fn factory(&self, name: &str) -> Option<&PlannedFactory> {
        self.factories.iter().find(|factory| factory.name == name)
    }

    #[must_use]
    pub fn person(&self, id: &str) -> Option<&Person> {
        self.people.iter().find(|person| person.id == id)
    }

    /// The person's name, or the id where nobody has it.
    #[must_use]
    pub fn name_of(&self, id: &str) -> String {
        self.person(id).map_or_else(|| id.to_owned(), |person| person.name.clone())
    }

    #[must_use]
    pub fn quorum(&self, name: &str) -> Option<&Quorum> {
        self.quorums.iter().find(|quorum| quorum.name == name)
    }

    #[must_use]
    pub fn authority(&self, name: &str) -> Option<&Authority> {
        self.authorities.iter().find(|authority| authority.name == name)
    }

    #[must_use]
    pub fn material(&self, name: &str) -> Option<&Material> {
        self.materials.iter().find(|material| material.name == name)
    }

    /// The person whose initials these are, upper or lower case.
    #[must_use]
    pub fn by_initials(&self, typed: &str) -> Option<&Person> {
        let typed = typed.trim();
        self.people.iter().find(|person| person.initials.eq_ignore_ascii_case(typed))
    }

    /// Minutes expected in the rest of the act of step `at`, that step included.
    #[must_use]
    pub fn minutes_left_in_act(&self, at: usize) -> u32 {
        let act = self.steps.get(at).map(|step| step.act);
        self.steps.iter().skip(at).take_while(|step| Some(step.act) == act).map(|step| step.minutes).sum()
    }
}

impl Lookup for Plan {
    fn quorum_of(&self, authority: &str) -> Option<String> {
        self.authority(authority).map(|a| a.quorum.clone())
    }

    fn stands(&self, authority: &str) -> bool {
        self.authority(authority).is_some_and(|a| a.standing)
    }

    fn makes_quorum(&self, authority: &str) -> bool {
        let Some(quorum) = self.authority(authority).and_then(|a| self.quorum(&a.quorum)) else { return true };
        let made = self.steps.iter().filter(|step| step.kind == "make-key");
        let mut made = made.map(|step| crate::script::kind::text(&step.params, "authority"));
        let first = made.find(|name| self.authority(name).is_some_and(|a| a.quorum == quorum.name));
        !quorum.standing && first.is_none_or(|first| first == authority)
    }

    fn enrols(&self, factory: &str) -> bool {
        self.factory(factory).is_some()
    }

    fn certified(&self, certificate: &str) -> Option<Certifying> {
        let planned = self.certificate(certificate)?;
        let (mut authority, mut request, mut cross) = (None, None, None);
        match &planned.of {
            CertifiedKey::Authority(name) => authority = Some(name.clone()),
            CertifiedKey::Request(name) => request = Some(name.clone()),
            CertifiedKey::Cross(name) => cross = Some(name.clone()),
            CertifiedKey::SameKey { request: name, .. } | CertifiedKey::NewKey { request: name, .. } => {
                request = (!name.is_empty()).then(|| name.clone());
            }
        }
        let mut handing = self.steps.iter().filter(|step| step.kind == "delegate");
        let named = |step: &Step| crate::script::kind::text(&step.params, "certificate") == certificate;
        let delegated = handing.any(named);
        Some(Certifying { issuer: planned.issuer.clone(), authority, request, cross, delegated })
    }
}
