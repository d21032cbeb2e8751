//! Certificates, CRLs and approvals derived again: built from the recorded operations, their serial numbers from the revealed
//! seed, their signatures checked.

use crate::audit::folder::{self, FILE_OCTETS, Files, TEXT_OCTETS};
use crate::audit::verdict::{Claims, Refuted, Status, What};
use crate::audit::{meaning, signatures};
use crate::basics::digest::hex_encode;
use crate::basics::{Digest, canonical, limits};
use crate::ceremony::What as Happened;
use crate::ceremony::effect::{self, Effect, Operation};
use crate::ceremony::event::Outcome;
use crate::keys::ssh::allowed_signers;
use crate::pki::{Certificate, CertificateList, serial};
use crate::plan::Plan;
use crate::script::approval::{Approval, Governance, NAMESPACE};
use crate::transcript::{Kind, Record};
use std::collections::BTreeSet;

/// Every artefact that is a certificate or a CRL is what a recorded operation says.
///
/// # Errors
/// The artefact that is not.
pub fn derive_again(files: &Files, record: &Record, plan: &Plan, claims: &mut Claims) -> Result<(), Refuted> {
    let operations: Vec<Operation> = record
        .lines
        .iter()
        .filter(|line| line.open().is_some_and(|open| open.kind == Kind::Intent))
        .filter_map(|line| serde_json::from_value(line.body()?.get("effect")?.clone()).ok())
        .filter_map(|effect| if let Effect::Sign { operation, .. } = effect { Some(*operation) } else { None })
        .collect();
    let names = folder::names(files, "artifacts").unwrap_or_default();
    let mut derived = 0_usize;
    let withheld = record.has_withheld();
    serials_follow(record)?;
    for name in names {
        let bad = |problem: String| Refuted::named(What::Artifact, name, problem);
        let path = format!("artifacts/{name}");
        let text = |octets: &[u8]| String::from_utf8(octets.to_vec()).map_err(|_| "expected PEM text".to_owned());
        let octets = folder::read(files, &path, FILE_OCTETS).map_err(bad)?;
        if name.ends_with(".crt.pem") {
            let certificate =
                text(octets).and_then(|t| Certificate::from_pem(&t).map_err(|e| e.to_string())).map_err(bad)?;
            if certificate.issuer_der() == certificate.subject_der() && certificate.verify_self_signed().is_ok() {
                // Its own authority.
            } else {
                issuer_of(files, plan, &certificate).map_err(bad)?;
            }
            serial_is_ours(record, &certificate).map_err(bad)?;
            if withheld {
                continue;
            }
            built_from(plan, &operations, certificate.tbs_der()).map_err(bad)?;
            derived += 1;
        } else if name.ends_with(".crl.pem") {
            let list =
                text(octets).and_then(|t| CertificateList::from_pem(&t).map_err(|e| e.to_string())).map_err(bad)?;
            let authority = name.split('.').next().unwrap_or_default();
            let issuer = certificate_of(files, plan, authority).map_err(bad)?;
            list.verify(&issuer).map_err(|e| bad(e.to_string()))?;
            if withheld {
                continue;
            }
            built_from(plan, &operations, list.tbs_der()).map_err(bad)?;
            derived += 1;
        }
    }
    if withheld {
        claims.add("certificates", Status::Unchecked, "signatures verify; operations are withheld in this copy");
    } else {
        claims.add("certificates", Status::Ok, format!("{derived} built again from their profiles, signatures verify"));
    }
    Ok(())
}

/// The certificate of an authority: one that stands from an earlier ceremony, or that was issued in this one.
fn certificate_of(files: &Files, plan: &Plan, authority: &str) -> Result<Certificate, String> {
    if let Some(standing) = plan.standing.as_ref().and_then(|standing| standing.authorities.get(authority)) {
        return effect::parse_certificate(&standing.certificate);
    }
    let octets = folder::read(files, &format!("artifacts/{authority}.crt.pem"), FILE_OCTETS)?;
    let text = std::str::from_utf8(octets).map_err(|_| "expected PEM text".to_owned())?;
    Certificate::from_pem(text).map_err(|e| e.to_string())
}

/// The certificate of the authority that signed this one, among those that stand or were issued here.
fn issuer_of(files: &Files, plan: &Plan, certificate: &Certificate) -> Result<Certificate, String> {
    let standing = plan.standing.iter().flat_map(|standing| standing.authorities.keys());
    let names: BTreeSet<&String> = standing.chain(plan.authorities.iter().map(|authority| &authority.name)).collect();
    let candidates = names.into_iter().filter_map(|name| certificate_of(files, plan, name).ok());
    candidates
        .into_iter()
        .find(|issuer| certificate.verify(issuer).is_ok())
        .ok_or_else(|| "no authority of this ceremony, or of the one before it, signed it".to_owned())
}

fn built_from(plan: &Plan, operations: &[Operation], tbs: &[u8]) -> Result<(), String> {
    let found = operations
        .iter()
        .any(|operation| effect::to_be_signed(plan.realm, &plan.profiles, operation).is_ok_and(|built| built == tbs));
    if found { Ok(()) } else { Err("no recorded operation gives these to-be-signed octets".to_owned()) }
}

/// Every serial number reserved is the one its index and the revealed seed give, each index once.
fn serials_follow(record: &Record) -> Result<(), Refuted> {
    let seed = record.lines.last().and_then(|line| line.body()).and_then(meaning::seed);
    let Some(seed) = seed else { return Ok(()) };
    let mut seen = BTreeSet::new();
    for (at, line) in record.lines.iter().enumerate() {
        let event = line.body().and_then(|body| body.get("event")).cloned();
        let event = event.and_then(|event| serde_json::from_value::<Happened>(event).ok());
        let Some(Happened::Done { outcome: Outcome::Serial { serial, index } }) = event else { continue };
        let bad = |problem: String| Refuted::at(What::Entry, at + 1, problem);
        let expected = hex_encode(&serial::of(&seed, index).map_err(bad)?);
        if serial != expected || !seen.insert(index) {
            return Err(bad(format!(
                "serial {index}: expected {expected} from the revealed seed, once, found another"
            )));
        }
    }
    Ok(())
}

/// The serial number is one the revealed seed gives, so it carries nothing else.
fn serial_is_ours(record: &Record, certificate: &Certificate) -> Result<(), String> {
    let seed = record.lines.last().and_then(|line| line.body()).and_then(meaning::seed);
    let Some(seed) = seed else { return Ok(()) };
    // At most one serial is reserved by an entry, so the number of entries bounds the search.
    let reserved = u32::try_from(record.lines.len()).unwrap_or(u32::MAX);
    let ours = (0..reserved)
        .any(|index| serial::of(&seed, index).is_ok_and(|serial| serial.as_slice() == certificate.serial()));
    if ours { Ok(()) } else { Err("its serial number is not one the revealed seed gives".to_owned()) }
}

/// In production: enough approvers of the governance in the folder signed the approval, and it covers this script. Gives who.
///
/// # Errors
/// The file that does not.
pub fn approval_signatures(
    files: &Files,
    record: &Record,
    plan: &Plan,
    claims: &mut Claims,
) -> Result<BTreeSet<String>, Refuted> {
    if record.header.realm.is_rehearsal() {
        claims.add("approval", Status::Unchecked, "rehearsals need none");
        return Ok(BTreeSet::new());
    }
    let bad = |path: &'static str| move |problem: String| Refuted::named(What::File, path, problem);
    let at_approval = bad("approval/approval.json");
    let octets = folder::read(files, "approval/approval.json", TEXT_OCTETS).map_err(at_approval)?;
    let approval: Approval =
        canonical::parse(octets, limits::SMALL_FILE_OCTETS).map_err(|e| at_approval(e.to_string()))?;
    approval
        .covers(
            &plan.ceremony,
            plan.script_digest,
            &plan.profile_digests,
            record.header.plan_digest,
            record.header.started,
        )
        .map_err(|e| at_approval(e.to_string()))?;
    let toml = folder::read(files, "approval/governance.toml", TEXT_OCTETS).map_err(bad("approval/governance.toml"))?;
    let signers =
        folder::read(files, "approval/allowed_signers", TEXT_OCTETS).map_err(bad("approval/allowed_signers"))?;
    let digest = Digest::tagged("governance", record.header.realm, &[toml, signers]);
    if digest.hex() != record.header.governance_digest {
        return Err(bad("approval/governance.toml")(
            "expected the governance the header names, found another".to_owned(),
        ));
    }
    let governance =
        Governance::parse("governance.toml", toml).map_err(|p| bad("approval/governance.toml")(p.render()))?;
    // As strictly as before the run: a key under two names would count one person twice.
    let text = std::str::from_utf8(signers).map_err(|e| bad("approval/allowed_signers")(e.to_string()))?;
    let known = allowed_signers::parse(text).map_err(|e| bad("approval/allowed_signers")(e.to_string()))?;
    let trusted = signatures::pinned(&known, NAMESPACE);
    let approvers: BTreeSet<&String> = governance.approvers.iter().collect();
    let good: BTreeSet<String> = approvers
        .into_iter()
        .filter(|who| {
            let signature = folder::read(files, &format!("approval/approval.json.{who}.sig"), TEXT_OCTETS);
            let keys = trusted.get(who.as_str()).cloned().unwrap_or_default();
            signature.is_ok_and(|signature| signatures::signed(octets, signature, &keys, NAMESPACE))
        })
        .cloned()
        .collect();
    if good.len() < governance.threshold {
        return Err(at_approval(format!(
            "expected {} signatures of approvers, found {} good ones",
            governance.threshold,
            good.len()
        )));
    }
    claims.add(
        "approvers",
        Status::Recorded,
        format!(
            "{} signed; whether they may is said by the governance you trust: {}",
            good.len(),
            digest.twelve_words()
        ),
    );
    Ok(good)
}
