//! Governance and approval: who may approve a script, and the signed statement that this script may run once.
//!
//! A script never names its own approvers: they come from `governance.toml`, whose digest the previous ceremony pinned
//! or, the first time, two people confirm from paper. Specification: `ceremony-scripts/README.md`.

use crate::basics::{Digest, Instant, Realm, SafeText, limits};
use crate::script::problem::Problems;
use crate::script::reader::{Reader, document};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub const APPROVAL_FORMAT: &str = "anchorite-approval/1";
pub const GOVERNANCE_FORMAT: &str = "anchorite-governance/1";
/// What approvers sign for; the realm is always production, rehearsals need no approval.
pub const NAMESPACE: &str = "script-approval@anchorite";

/// Who approves, how many of them, and the policy floor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Governance {
    pub title: String,
    pub approvers: Vec<String>,
    pub threshold: usize,
    /// Fewest custodians any quorum must have as its threshold.
    pub least_threshold: u64,
}

impl Governance {
    /// Reads `governance.toml`.
    ///
    /// # Errors
    /// All problems of the file.
    pub fn parse(file: &str, octets: &[u8]) -> Result<Self, Problems> {
        let text = String::from_utf8_lossy(octets);
        let mut problems = Problems::new(file, &text);
        let Some(document) = document(&text, limits::SMALL_FILE_OCTETS, &mut problems) else { return Err(problems) };
        let mut r = Reader::new(document.get_ref(), 0..0, "the governance file");
        let format = r.needed_text("format", &mut problems);
        if format.value != GOVERNANCE_FORMAT {
            problems.add(format.span, format!("expected format \"{GOVERNANCE_FORMAT}\""), "");
        }
        let title = r.needed_text("title", &mut problems).value;
        let approvers = r.texts("approvers", &mut problems);
        let threshold = r.needed_integer("threshold", 1, limits::PEOPLE as u64, &mut problems);
        let least = r.integer("least_threshold", 2, limits::SHARES as u64, &mut problems).map_or(2, |l| l.value);
        if approvers.len() < usize::try_from(threshold.value).unwrap_or(usize::MAX) {
            problems.add(
                threshold.span.clone(),
                format!("expected at most as many as the {} approvers", approvers.len()),
                "",
            );
        }
        r.done(&mut problems);
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Self {
            title,
            approvers: approvers.into_iter().map(|a| a.value).collect(),
            threshold: usize::try_from(threshold.value).unwrap_or(usize::MAX),
            least_threshold: least,
        })
    }
}

/// The statement approvers sign, as canonical JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    pub ceremony: String,
    pub format: String,
    pub not_after: Instant,
    pub not_before: Instant,
    pub plan_digest: Digest,
    pub profiles: BTreeMap<String, Digest>,
    pub realm: Realm,
    /// One run only: a ledger that has seen this identifier refuses it.
    pub run: String,
    pub script_digest: Digest,
    pub tool_floor: String,
}

/// Why an approval does not cover what is about to run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApprovalRefusal {
    #[error("expected an approval of format {APPROVAL_FORMAT}, found {found}")]
    Format { found: SafeText },
    #[error("the approval is for the {found} realm, and this is production")]
    Realm { found: Realm },
    #[error("the approval is for ceremony {expected}, and this script is {found}")]
    Ceremony { expected: String, found: String },
    #[error("the script changed after its approval: approved {approved}, found {found}")]
    Script { approved: Digest, found: Digest },
    #[error("profile {name} changed after its approval, or was not approved")]
    Profile { name: String },
    #[error("the plan differs from the approved one: approved {approved}, found {found}")]
    Plan { approved: Digest, found: Digest },
    #[error("the approval is valid from {from} until {until}, and the machine's clock says {now}")]
    Window { from: Instant, until: Instant, now: Instant },
    #[error("the approval needs {needed} signatures of approvers, found {found} good ones")]
    Signatures { needed: usize, found: usize },
}

impl Approval {
    /// Whether this statement covers the script, profiles and plan at hand, now. Signatures are the caller's to count.
    ///
    /// # Errors
    /// The first thing that differs.
    pub fn covers(
        &self,
        ceremony: &str,
        script: Digest,
        profiles: &BTreeMap<String, Digest>,
        plan: Digest,
        now: Instant,
    ) -> Result<(), ApprovalRefusal> {
        if self.format != APPROVAL_FORMAT {
            return Err(ApprovalRefusal::Format { found: SafeText::cut(&self.format, 60) });
        }
        if self.realm != Realm::Production {
            return Err(ApprovalRefusal::Realm { found: self.realm });
        }
        if self.ceremony != ceremony {
            return Err(ApprovalRefusal::Ceremony { expected: self.ceremony.clone(), found: ceremony.to_owned() });
        }
        if self.script_digest != script {
            return Err(ApprovalRefusal::Script { approved: self.script_digest, found: script });
        }
        let differs = profiles.iter().find(|(name, digest)| self.profiles.get(*name) != Some(digest));
        if let Some((name, _)) = differs {
            return Err(ApprovalRefusal::Profile { name: name.clone() });
        }
        if self.plan_digest != plan {
            return Err(ApprovalRefusal::Plan { approved: self.plan_digest, found: plan });
        }
        if now < self.not_before || now > self.not_after {
            return Err(ApprovalRefusal::Window { from: self.not_before, until: self.not_after, now });
        }
        Ok(())
    }
}
