//! Certificate policies (RFC 5280 4.2.1.4) as a profile names them. `.1.2` is under the arc of the script, so that one
//! profile serves many organizations; anything else is an object identifier that stands for itself.

use crate::basics::Realm;
use crate::pki::additions::Policy;
use crate::pki::oids;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub enum Policies {
    /// No certificatePolicies, in either realm.
    None,
    /// One policy under the arc for examples in a rehearsal, none in production.
    RehearsalMark,
    /// These in production. In a rehearsal those under the script's arc move under the arc for examples, and those that
    /// stand for themselves are left out: nothing of a rehearsal may claim them.
    Listed(Vec<PolicyRule>),
    /// One list for keys of which a vendor attested that they were made in the device, another for all other keys: whoever trusts a
    /// certificate can tell. Each list as above.
    ByAttestation { attested: Vec<PolicyRule>, unattested: Vec<PolicyRule> },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyRule {
    /// `.1.2` under the script's arc, or whole.
    pub oid: String,
    /// Where the certification practice statement is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cps: Option<String>,
}

impl PolicyRule {
    #[must_use]
    pub fn is_relative(&self) -> bool {
        self.oid.starts_with('.')
    }

    /// Whether an object identifier is the one meant, whatever the script's arc is.
    #[must_use]
    pub fn is_met_by(&self, oid: &str) -> bool {
        if self.is_relative() { oid.ends_with(&self.oid) && oid.len() > self.oid.len() } else { oid == self.oid }
    }
}

/// As it stands in TOML: a word, or a list of words and tables.
#[derive(Clone, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "expected \"none\", \"rehearsal-mark\" or a list of { oid, cps }, or { attested, unattested } with such a list each"
)]
enum Written {
    Word(Word),
    Listed(Vec<PolicyRule>),
    ByAttestation(ByAttestation),
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ByAttestation {
    attested: Vec<PolicyRule>,
    unattested: Vec<PolicyRule>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Word {
    None,
    RehearsalMark,
}

impl From<Written> for Policies {
    fn from(written: Written) -> Self {
        match written {
            Written::Word(Word::None) => Policies::None,
            Written::Word(Word::RehearsalMark) => Policies::RehearsalMark,
            Written::Listed(rules) => Policies::Listed(rules),
            Written::ByAttestation(ByAttestation { attested, unattested }) => {
                Policies::ByAttestation { attested, unattested }
            }
        }
    }
}

impl From<Policies> for Written {
    fn from(policies: Policies) -> Self {
        match policies {
            Policies::None => Written::Word(Word::None),
            Policies::RehearsalMark => Written::Word(Word::RehearsalMark),
            Policies::Listed(rules) => Written::Listed(rules),
            Policies::ByAttestation { attested, unattested } => {
                Written::ByAttestation(ByAttestation { attested, unattested })
            }
        }
    }
}

/// The arc for examples under which a rehearsal writes the policies of another arc: `.2` keeps them apart from the mark.
pub(in crate::pki) const REHEARSED_ARC: &str = "1.3.6.1.4.1.32473.2";

/// An object identifier of the script's owner as a certificate of this realm carries it: `.7` is under the script's `oid_arc`, and in a
/// rehearsal under the arc for examples; a whole one is as it is.
#[must_use]
pub fn own_identifier(realm: Realm, arc: &str, written: &str) -> String {
    let moved = realm.is_rehearsal() && !oids::is_rehearsal_policy(arc);
    match written.starts_with('.') {
        true => format!("{}{written}", if moved { REHEARSED_ARC } else { arc }),
        false => written.to_owned(),
    }
}

impl Policies {
    /// Those of keys that a vendor attested, where they differ from those of other keys.
    #[must_use]
    pub fn of_attested(&self) -> Option<Self> {
        match self {
            Policies::ByAttestation { attested, .. } => Some(Policies::Listed(attested.clone())),
            _ => None,
        }
    }

    /// The policies of a certificate in this realm; those of a key that nobody attested, where there are two.
    #[must_use]
    pub fn in_realm(&self, realm: Realm, arc: &str, mark: &str) -> Vec<Policy> {
        let mark = || Policy { oid: mark.to_owned(), cps: None };
        let rehearsal = realm.is_rehearsal();
        match self {
            Policies::None => Vec::new(),
            Policies::RehearsalMark if rehearsal => vec![mark()],
            Policies::RehearsalMark => Vec::new(),
            Policies::Listed(rules) | Policies::ByAttestation { unattested: rules, .. } => {
                let arc = if rehearsal && !oids::is_rehearsal_policy(arc) { REHEARSED_ARC } else { arc };
                let kept = rules.iter().filter(|rule| !rehearsal || rule.is_relative());
                let listed = kept.map(|rule| Policy {
                    oid: if rule.is_relative() { format!("{arc}{}", rule.oid) } else { rule.oid.clone() },
                    cps: rule.cps.clone(),
                });
                let listed: Vec<Policy> = listed.collect();
                if rehearsal && listed.is_empty() { vec![mark()] } else { listed }
            }
        }
    }

    /// What is wrong with the policies of a certificate in this realm.
    #[must_use]
    pub fn problems(&self, realm: Realm, found: &[Policy]) -> Vec<String> {
        if let Policies::ByAttestation { attested, unattested } = self {
            // Which of the two a certificate carries, whoever judged the attestation decides; here it carries one of them.
            let of = |rules: &Vec<PolicyRule>| Policies::Listed(rules.clone()).problems(realm, found);
            let attested = of(attested);
            return if attested.is_empty() { attested } else { of(unattested) };
        }
        let rehearsal = realm.is_rehearsal();
        let mark = PolicyRule { oid: String::new(), cps: None };
        let expected: Vec<&PolicyRule> = match self {
            Policies::None => Vec::new(),
            Policies::RehearsalMark => Vec::from_iter(rehearsal.then_some(&mark)),
            Policies::Listed(rules) | Policies::ByAttestation { unattested: rules, .. } => {
                let kept: Vec<&PolicyRule> = rules.iter().filter(|rule| !rehearsal || rule.is_relative()).collect();
                if rehearsal && kept.is_empty() { vec![&mark] } else { kept }
            }
        };
        let show = |oid: &str| oid.escape_default().to_string();
        let mut problems = Vec::new();
        if expected.len() != found.len() {
            let found: Vec<String> = found.iter().map(|policy| show(&policy.oid)).collect();
            let found = if found.is_empty() { "none".to_owned() } else { found.join(", ") };
            let expected = match expected.as_slice() {
                [] => "none".to_owned(),
                [one] if one.oid.is_empty() => format!("one under {}", oids::REHEARSAL_ARC),
                some => some.len().to_string(),
            };
            problems.push(format!("policy: expected {expected} in realm {realm}, found {found}"));
        }
        for (rule, policy) in expected.iter().zip(found) {
            let oid = show(&policy.oid);
            if const_oid::ObjectIdentifier::new(&policy.oid).is_err() {
                problems.push(format!("policy: expected an object identifier, found {oid}"));
            } else if rehearsal && !oids::is_rehearsal_policy(&policy.oid) {
                problems
                    .push(format!("policy: expected one under {} in realm {realm}, found {oid}", oids::REHEARSAL_ARC));
            } else if !rehearsal && oids::is_rehearsal_policy(&policy.oid) {
                problems
                    .push(format!("policy: expected none under {} in realm {realm}, found {oid}", oids::REHEARSAL_ARC));
            } else if !rule.oid.is_empty() && !rule.is_met_by(&policy.oid) {
                problems.push(format!("policy: expected {}, found {oid}", rule.oid));
            }
            if !rule.oid.is_empty() && rule.cps != policy.cps {
                problems.push(format!("policy {oid}: expected the practice statement of the profile, found another"));
            }
        }
        problems
    }
}
