//! What must hold before a production run begins: the pinned approvers signed this script, for this run, now; it has not run
//! before.

use crate::basics::{Digest, Instant, SafeText, canonical, limits};
use crate::devices::durable_file;
use crate::keys::ssh::{allowed_signers, verify};
use crate::plan::Plan;
use crate::script::approval::{Approval, ApprovalRefusal, Governance, NAMESPACE};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Files of a governance folder and an approval, as read, with what they say.
pub struct Approved {
    pub governance: Governance,
    pub governance_digest: Digest,
    pub approval: Approval,
    pub approval_digest: Digest,
    /// What goes into `approval/` of the evidence folder.
    pub files: BTreeMap<String, Vec<u8>>,
}

/// The digest of a governance folder: over both its files.
#[must_use]
pub fn governance_digest(toml: &[u8], signers: &[u8]) -> Digest {
    Digest::tagged("governance", crate::basics::Realm::Production, &[toml, signers])
}

/// Reads a governance folder by itself.
///
/// # Errors
/// What is missing or malformed.
pub fn governance(folder: &Path) -> Result<(Governance, Digest), String> {
    let (rules, toml, signers) = governance_files(folder)?;
    allowed_signers::parse(&String::from_utf8_lossy(&signers)).map_err(|e| format!("allowed_signers: {e}"))?;
    Ok((rules, governance_digest(&toml, &signers)))
}

/// What `governance.toml` says, its octets, and those of `allowed_signers`.
fn governance_files(folder: &Path) -> Result<(Governance, Vec<u8>, Vec<u8>), String> {
    let read = |name| durable_file::read(&folder.join(name), limits::SMALL_FILE_OCTETS).map_err(|e| e.to_string());
    let (toml, signers) = (read("governance.toml")?, read("allowed_signers")?);
    let rules = Governance::parse("governance.toml", &toml).map_err(|p| p.render())?;
    Ok((rules, toml, signers))
}

/// Reads governance and approval and checks them against the plan.
///
/// # Errors
/// What is missing, malformed, or does not cover this run.
pub fn approved(governance: &Path, approval: &Path, plan: &Plan, now: Instant) -> Result<Approved, String> {
    let read = |path: &Path| durable_file::read(path, limits::SMALL_FILE_OCTETS).map_err(|e| e.to_string());
    let (rules, toml, signers_file) = governance_files(governance)?;
    let signers =
        allowed_signers::parse(&String::from_utf8_lossy(&signers_file)).map_err(|e| format!("allowed_signers: {e}"))?;
    let octets = read(approval)?;
    let statement: Approval =
        canonical::parse(&octets, limits::SMALL_FILE_OCTETS).map_err(|e| format!("{}: {e}", approval.display()))?;
    let mut files = BTreeMap::from([
        ("governance.toml".to_owned(), toml.clone()),
        ("allowed_signers".to_owned(), signers_file.clone()),
        ("approval.json".to_owned(), octets.clone()),
    ]);
    let mut good = BTreeSet::new();
    for approver in &rules.approvers {
        let path = approval.with_file_name(format!("approval.json.{approver}.sig"));
        let Ok(signature) = read(&path) else { continue };
        let armoured = String::from_utf8_lossy(&signature).into_owned();
        let keys = signers.iter().filter(|s| s.who == *approver && s.namespaces.iter().any(|n| n == NAMESPACE));
        let mut verified = false;
        for signer in keys {
            verified |= verify(&signer.key, NAMESPACE, &octets, &armoured).is_ok();
        }
        if !verified {
            return Err(format!(
                "{}: the signature is not one of {} for this approval",
                path.display(),
                SafeText::cut(approver, 60)
            ));
        }
        good.insert(approver.clone());
        files.insert(format!("approval.json.{approver}.sig"), signature);
    }
    if good.len() < rules.threshold {
        let refusal = ApprovalRefusal::Signatures { needed: rules.threshold, found: good.len() };
        return Err(format!(
            "{refusal}\nhint: signatures stand beside the approval, approval.json.WHO.sig, made with ssh-keygen -Y sign -n {NAMESPACE}"
        ));
    }
    let plan_digest = plan.digest().map_err(|e| e.to_string())?;
    statement
        .covers(&plan.ceremony, plan.script_digest, &plan.profile_digests, plan_digest, now)
        .map_err(|refusal| refusal.to_string())?;
    if let Some(quorum) = plan.quorums.iter().find(|q| u64::from(q.threshold) < rules.least_threshold) {
        return Err(format!(
            "quorum {} needs {} shares; the governance asks for at least {}",
            quorum.name, quorum.threshold, rules.least_threshold
        ));
    }
    Ok(Approved {
        governance: rules,
        governance_digest: governance_digest(&toml, &signers_file),
        approval_digest: Digest::of(&octets),
        approval: statement,
        files,
    })
}
