//! What stands when a ceremony has ended: quorums whose cards exist, authorities whose sealed keys exist, what they issued and
//! their latest lists. The next ceremony of the chain takes it up as `standing.json`; nothing else says what an earlier one made.
//!
//! ```text
//! {"authorities":{"root-2026":{"certificate":"3082..","crl":"3082..",...}},"ceremony":"root-ca-2026","format":"anchorite-standing/1",...}
//! ```

pub mod factory;
mod issuing;

pub use factory::StandingFactory;
pub use issuing::too_many_entries;

use crate::basics::{Digest, Instant, Realm, canonical, limits};
use crate::keys::recipient::RecipientKind;
use crate::keys::{Algorithm, PublicKey};
use crate::pki::name::Subject;
use crate::plan::Plan;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The format word of this version.
pub const FORMAT: &str = "anchorite-standing/1";

/// Everything a later ceremony may build on. Made from a verified record only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Standing {
    pub format: String,
    pub realm: Realm,
    /// The ceremony at whose end it stands, and its last head.
    pub ceremony: String,
    pub head: Digest,
    pub quorums: BTreeMap<String, StandingQuorum>,
    pub authorities: BTreeMap<String, StandingAuthority>,
    /// SHA-256 of every SubjectPublicKeyInfo that the chain has certified or made: no key is certified twice unasked.
    pub keys: Vec<Digest>,
    /// Factories that were enrolled.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub factories: BTreeMap<String, StandingFactory>,
    /// SHA-256 of the list of device keys that the chain has certified from requests: `device-keys.bin`, 16 octets each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_keys: Option<Digest>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StandingQuorum {
    pub id: String,
    pub generation: u8,
    pub threshold: u8,
    pub recipient: String,
    pub commitments: Vec<Digest>,
    /// Person ids by share index, from 1; whoever wrote a spare stands for it.
    pub holders: Vec<String>,
    pub retired: Vec<StandingRetired>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StandingRetired {
    pub id: String,
    pub generation: u8,
    pub time: Instant,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StandingAuthority {
    pub profile: String,
    pub algorithm: Algorithm,
    pub quorum: String,
    pub generation: u8,
    pub subject: Subject,
    pub not_before: Instant,
    pub not_after: Instant,
    pub public_key: PublicKey,
    pub sealed_name: String,
    pub sealed: Digest,
    /// DER, hexadecimal.
    pub certificate: String,
    /// The latest list, DER, hexadecimal; empty before the first.
    pub crl: String,
    pub issued: Vec<Issued>,
}

/// A certificate an authority of the chain issued.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Issued {
    pub name: String,
    /// Hexadecimal.
    pub serial: String,
    /// DER, hexadecimal.
    pub certificate: String,
    pub step: String,
}

impl Standing {
    /// Reads `standing.json`.
    ///
    /// # Errors
    /// Where it is too long, not canonical, or of another format or realm.
    pub fn parse(octets: &[u8], realm: Realm) -> Result<Self, String> {
        let standing: Self = canonical::parse(octets, limits::STANDING_OCTETS).map_err(|e| e.to_string())?;
        if standing.format != FORMAT {
            return Err(format!("expected format {FORMAT}, found another"));
        }
        if standing.realm != realm {
            return Err(format!(
                "expected what stands in the {realm} realm, found that of the {} realm",
                standing.realm
            ));
        }
        Ok(standing)
    }

    /// # Errors
    /// Never for strings, small integers, arrays and objects.
    pub fn to_octets(&self) -> Result<Vec<u8>, String> {
        canonical::to_octets(self).map_err(|e| e.to_string())
    }

    /// Whether a script that goes on says of quorums and authorities what the record says: everything that differs.
    #[must_use]
    pub fn disagreements(&self, plan: &Plan, follows: &str) -> Vec<String> {
        let mut problems = Vec::new();
        let mut expect = |holds: bool, problem: String| {
            if !holds {
                problems.push(problem);
            }
        };
        expect(
            self.ceremony == follows,
            format!("follows: the script says {follows}, what stands is of {}", self.ceremony),
        );
        expect(
            plan.realm.is_rehearsal() || plan.previous_head.is_empty() || plan.previous_head == self.head.hex(),
            format!("previous_head: the script says {}, the record ended with {}", plan.previous_head, self.head),
        );
        for quorum in plan.quorums.iter().filter(|quorum| quorum.standing) {
            let name = &quorum.name;
            let Some(made) = self.quorums.get(name) else {
                expect(false, format!("quorum {name}: expected one that {} made, found none", self.ceremony));
                continue;
            };
            expect(
                made.threshold == quorum.threshold,
                format!("quorum {name}: the script says threshold {}, the record {}", quorum.threshold, made.threshold),
            );
            let kind =
                RecipientKind::of_recipient(&made.recipient).map_or("no kind that is known", RecipientKind::word);
            expect(
                kind == quorum.recipient.word(),
                format!("quorum {name}: the script says recipient {}, the record {kind}", quorum.recipient.word()),
            );
            expect(
                made.holders == quorum.custodians,
                format!(
                    "quorum {name}: the script says {}, the record {}",
                    quorum.custodians.join(", "),
                    made.holders.join(", ")
                ),
            );
        }
        for authority in plan.authorities.iter().filter(|authority| authority.standing) {
            let name = &authority.name;
            let Some(made) = self.authorities.get(name) else {
                expect(false, format!("authority {name}: expected one that {} made, found none", self.ceremony));
                continue;
            };
            let said: [(&str, String, String); 6] = [
                ("profile", authority.profile.clone(), made.profile.clone()),
                ("algorithm", authority.algorithm.to_string(), made.algorithm.to_string()),
                ("quorum", authority.quorum.clone(), made.quorum.clone()),
                ("subject", authority.subject.to_string(), made.subject.to_string()),
                ("not_before", authority.not_before.to_string(), made.not_before.to_string()),
                ("not_after", authority.not_after.to_string(), made.not_after.to_string()),
            ];
            for (key, script, record) in said {
                expect(
                    script == record,
                    format!("authority {name}: {key}: the script says {script}, the record {record}"),
                );
            }
        }
        // A name is one thing for ever: a new authority does not take that of an old one.
        for name in plan.authorities.iter().filter(|a| !a.standing).map(|a| &a.name) {
            expect(
                !self.authorities.contains_key(name),
                format!(
                    "authority {name}: {} made one of this name; add `standing = true`, or choose another",
                    self.ceremony
                ),
            );
        }
        for name in plan.quorums.iter().filter(|q| !q.standing).map(|q| &q.name) {
            expect(
                !self.quorums.contains_key(name),
                format!(
                    "quorum {name}: {} made one of this name; add `standing = true`, or choose another",
                    self.ceremony
                ),
            );
        }
        problems.extend(issuing::problems(self, plan));
        problems
    }
}
