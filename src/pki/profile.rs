//! Profiles: what certificates of a kind may look like. A profile is a TOML file that people approve by its digest; the
//! caller parses it with serde and asks [`Profile::check`] before it believes it. A profile says everything that is in a
//! certificate but its names, dates, serial number and key: nothing is ever taken over from a request.

mod built_in;
mod check;
mod policies;
pub(super) mod presence;
pub(super) mod purpose;
mod shape;

pub use built_in::{BUILT_IN, ROOT_DEVICE, ROOT_DEVICE_PQ};
pub use policies::{Policies, PolicyRule, own_identifier};
pub use presence::{AuthorityInfo, Presence, Urls};
pub use purpose::Purpose;
pub use shape::Shape;

use crate::basics::{Instant, Realm};
use crate::keys::{Algorithm, SubjectKey};
use crate::pki::additions::Additions;
use crate::pki::general_name::{AltKind, Subtree};
use crate::pki::instants;
use crate::pki::name::Attribute;
use serde::{Deserialize, Serialize};

/// Calendar years no certificate of ours outlives, unless its profile says that it never ends.
pub const MOST_YEARS: u16 = 25;
/// The same in days: what CA/B BR 7.1.2.1.1 allows a root.
pub const MOST_DAYS: u32 = 9_132;
/// Days between the revocation lists of an authority whose subjects are authorities.
pub const MOST_CRL_DAYS: u32 = 366;

/// The rules for one kind of certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    pub name: String,
    pub kind: Kind,
    /// It is of authorities in factories' own modules: each is certified together with an order that it may carry out.
    #[serde(default, skip_serializing_if = "is_false")]
    pub delegated: bool,
    /// The policy these rules are taken from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// Published shapes this profile keeps to: [`Profile::check`] says where it does not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conforms_to: Vec<Shape>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_years: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_days: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_days: Option<u32>,
    /// The certificate ends at 99991231235959Z, the date for "never" (RFC 5280 4.1.2.5).
    #[serde(default, skip_serializing_if = "is_false")]
    pub never_ends: bool,
    /// It may also end at that date, beside what the years and days allow (Matter Core 6.2.2).
    #[serde(default, skip_serializing_if = "is_false")]
    pub may_never_end: bool,
    /// Keys of ours that may be certified, the recommended one first.
    pub algorithms: Vec<Algorithm>,
    /// Keys that others made and that may be certified too: words of [`SubjectKey::word`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub request_keys: Vec<String>,
    /// Keys an issuer may have; empty: any of ours.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub issuer_algorithms: Vec<Algorithm>,
    pub key_usages: Vec<KeyUsage>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extended_key_usages: Vec<Purpose>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_len: Option<u8>,
    #[serde(default, skip_serializing_if = "SubjectRules::is_usual")]
    pub subject: SubjectRules,
    #[serde(default, skip_serializing_if = "AltRules::is_none")]
    pub alternative_names: AltRules,
    pub policies: Policies,
    #[serde(default, skip_serializing_if = "Urls::is_never")]
    pub crl_distribution: Urls,
    #[serde(default, skip_serializing_if = "AuthorityInfo::is_never")]
    pub authority_info: AuthorityInfo,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name_constraints: Option<NameConstraints>,
    /// Extensions without a value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extensions: Vec<Extra>,
    /// A private extension with the digest of what a device is made of.
    #[serde(default, skip_serializing_if = "Presence::is_never")]
    pub lineage: Presence,
    /// Octets of the finished certificate: Matter allows 600.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_octets: Option<usize>,
    /// The authority's own revocation lists; left out where the key signs none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crl: Option<CrlProfile>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A self-signed authority.
    Root,
    /// An authority under another one.
    Subordinate,
    /// An authority that has a certificate of its own already, certified by another one: same name, key and key identifier.
    Cross,
    /// Anything that is no authority.
    EndEntity,
}

impl Kind {
    #[must_use]
    pub const fn is_authority(self) -> bool {
        !matches!(self, Kind::EndEntity)
    }

    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Kind::Root => "root",
            Kind::Subordinate => "subordinate",
            Kind::Cross => "cross",
            Kind::EndEntity => "end-entity",
        }
    }
}

/// What the key may be used for (RFC 5280 4.2.1.3). An offline root has no digitalSignature: it answers no OCSP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyUsage {
    DigitalSignature,
    ContentCommitment,
    KeyAgreement,
    KeyCertSign,
    CrlSign,
}

/// A document, pinned to the clause that is meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    pub url: String,
    pub clause: String,
}

/// Which attributes a subject has: all of the first, any of the second, none of the others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubjectRules {
    #[serde(default)]
    pub required: Vec<Attribute>,
    #[serde(default)]
    pub optional: Vec<Attribute>,
}

impl Default for SubjectRules {
    fn default() -> Self {
        Self { required: vec![Attribute::Organization, Attribute::CommonName], optional: vec![Attribute::Country] }
    }
}

impl SubjectRules {
    fn is_usual(&self) -> bool {
        *self == Self::default()
    }

    /// What a set of attributes lacks or has too much of.
    #[must_use]
    pub fn problems(&self, found: &[Attribute]) -> Vec<String> {
        let lacking = self.required.iter().filter(|attribute| !found.contains(attribute));
        let lacking = lacking.map(|attribute| format!("subject: expected {}, found none", attribute.title()));
        let known = |attribute: &&Attribute| !self.required.contains(attribute) && !self.optional.contains(attribute);
        let odd = found.iter().filter(known);
        lacking.chain(odd.map(|attribute| format!("subject: expected no {}, found one", attribute.title()))).collect()
    }
}

/// Which kinds of alternative names there are: at least one of each of the first, any of the second, none of the others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AltRules {
    #[serde(default)]
    pub required: Vec<AltKind>,
    #[serde(default)]
    pub optional: Vec<AltKind>,
}

impl AltRules {
    fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// What names an authority may issue for (RFC 5280 4.2.1.10).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NameConstraints {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub permitted: Vec<Subtree>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excluded: Vec<Subtree>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Extra {
    /// Whether this certificate is revoked is not asked (RFC 6960 4.2.2.2.1): for OCSP responders, which live for days.
    OcspNoCheck,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CrlProfile {
    pub max_days: u32,
}

/// The last second of the year 9999.
pub const NEVER: Instant = Instant(253_402_300_799_000);

impl Profile {
    /// Everything wrong with the profile itself, in the order of its fields; empty where it may be used.
    #[must_use]
    pub fn check(&self) -> Vec<String> {
        check::problems(self)
    }

    /// The last moment a certificate that begins at `from` may end, where it ends; nothing where the calendar has none.
    #[must_use]
    pub fn latest(&self, from: Instant) -> Option<Instant> {
        if self.never_ends {
            return Some(NEVER);
        }
        let by_years = instants::years_after(from, self.max_years.unwrap_or(MOST_YEARS));
        let by_days = self.max_days.map(|days| instants::days_after(instants::whole_second(from), days));
        match (by_years, by_days) {
            (Some(years), Some(days)) if self.max_years.is_some() => Some(years.min(days)),
            (_, Some(days)) => Some(days),
            (years, None) => years,
        }
    }

    /// Whether a certificate may end then: not after [`Profile::latest`], or never where that is allowed beside.
    #[must_use]
    pub fn ends_in_time(&self, from: Instant, until: Instant) -> bool {
        self.latest(from).is_some_and(|latest| until <= latest) || (self.may_never_end && until == NEVER)
    }

    /// `25 years`, `9132 days`: what [`Profile::latest`] goes by, as people read it.
    #[must_use]
    pub fn longest(&self) -> String {
        let longest = match (self.never_ends, self.max_years, self.max_days) {
            (true, ..) => return "no end".to_owned(),
            (false, Some(years), Some(days)) => format!("{years} years and {days} days"),
            (false, None, Some(days)) => format!("{days} days"),
            (false, Some(years), None) => format!("{years} years"),
            (false, None, None) => format!("{MOST_YEARS} years"),
        };
        if self.may_never_end { format!("{longest} (or no end)") } else { longest }
    }

    /// What is wrong with a validity, bounds as they are written in a certificate.
    #[must_use]
    pub fn validity_problems(&self, from: Instant, until: Instant) -> Vec<String> {
        let mut problems = Vec::new();
        if self.never_ends && until != NEVER {
            problems.push(format!("validity: expected no end ({NEVER}), found an end at {until}"));
        } else if !self.ends_in_time(from, until) {
            problems
                .push(format!("validity: expected at most {} from {from}, found an end at {until}", self.longest()));
        }
        if let Some(days) = self.min_days
            && until < instants::days_after(from, days)
        {
            problems.push(format!("validity: expected at least {days} days from {from}, found an end at {until}"));
        }
        problems
    }

    /// Whether what is issued under such a certificate is bounded in its names.
    #[must_use]
    pub fn bounds_names(&self) -> bool {
        self.name_constraints.as_ref().is_some_and(|names| !names.permitted.is_empty() || !names.excluded.is_empty())
    }

    /// The same for its usages.
    #[must_use]
    pub fn bounds_usages(&self) -> bool {
        let mut usages = self.extended_key_usages.iter().peekable();
        usages.peek().is_some() && !usages.any(|purpose| purpose.is("any"))
    }

    /// Whether a key of this kind may be certified.
    #[must_use]
    pub fn allows_key(&self, key: &SubjectKey) -> bool {
        match key.as_public_key() {
            Some(ours) => self.algorithms.contains(&ours.algorithm()),
            None => self.request_keys.iter().any(|word| *word == key.word()),
        }
    }

    /// Whether a certificate that ends then may end after its issuer: those of devices that never get another one (IEEE 802.1AR).
    /// Verifiers need the issuer valid all the same; Matter's look at the moment the device's certificate begins.
    #[must_use]
    pub fn may_outlive_issuer(&self, until: Instant) -> bool {
        (self.never_ends || self.may_never_end) && until == NEVER && !self.kind.is_authority()
    }

    /// What a certificate of this profile carries unless the script's step says otherwise: the profile's own addresses,
    /// and its policies in this realm. `arc` is the script's `oid_arc`, `mark` the policy that marks rehearsals.
    #[must_use]
    pub fn additions(&self, realm: Realm, arc: &str, mark: &str) -> Additions {
        Additions {
            policies: self.policies.in_realm(realm, arc, mark),
            crl_urls: self.crl_distribution.urls.clone(),
            issuer_urls: self.authority_info.issuers.clone(),
            ocsp_urls: self.authority_info.ocsp.clone(),
            ..Additions::default()
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}
