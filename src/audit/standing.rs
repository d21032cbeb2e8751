//! What stands at the end of a closed record: taken from its replayed state, so it is exactly what the events led to.

use crate::audit::folder::Files;
use crate::audit::{evidence, replay};
use crate::basics::digest::{hex_decode, hex_encode};
use crate::basics::{Digest, limits};
use crate::ceremony::State;
use crate::ceremony::state::{AuthorityState, Finish};
use crate::pki::CertificateList;
use crate::plan::Plan;
use crate::plan::standing::{FORMAT, Standing, StandingAuthority, StandingQuorum, StandingRetired};
use crate::script::StepKind;
use crate::transcript::Record;
use std::collections::BTreeMap;

/// The record of a whole evidence folder that has been verified, where there is one, and what it left.
///
/// # Errors
/// Where a body is withheld, or what [`standing`] refuses.
pub fn left_by(files: &Files, kinds: &[&dyn StepKind]) -> (Option<Record>, Result<Standing, String>) {
    let octets = files.get("transcript.jsonl").map(Vec::as_slice).unwrap_or_default();
    let record = match Record::read(octets) {
        Ok(record) => record,
        Err(bad) => return (None, Err(bad.to_string())),
    };
    let left = evidence::plan_of(files, &record, kinds).map_err(|refuted| refuted.problem).and_then(|plan| {
        let replayed = replay(&plan, &record).map_err(|bad| format!("the record does not replay: {bad}"))?;
        standing(&plan, &replayed.state, record.head())
    });
    (Some(record), left)
}

/// What the next ceremony may build on. A ceremony that was aborted may have issued before that: its record is followed like a closed
/// one, without what it never finished making.
///
/// # Errors
/// Where the record can still go on, is too large to be taken up, or a quorum in a closed one was never live.
pub fn standing(plan: &Plan, state: &State, head: Digest) -> Result<Standing, String> {
    let closed = state.finished == Some(Finish::Closed);
    if !closed && state.finished != Some(Finish::Aborted) {
        return Err(format!(
            "{}: only a record that is closed or aborted can be followed; `anchorite resume` ends it",
            plan.ceremony
        ));
    }
    let mut quorums = BTreeMap::new();
    for (name, made) in &state.quorums {
        let planned = plan.quorum(name).map(|q| q.custodians.clone());
        let inherited = plan.standing.as_ref().and_then(|s| s.quorums.get(name)).map(|q| q.holders.clone());
        let holders =
            planned.or(inherited).ok_or_else(|| format!("quorum {name}: nobody is known to hold its shares"))?;
        if crate::ceremony::evidence::quorum_met(made).is_none() {
            if !closed {
                continue;
            }
            return Err(format!("quorum {name} is not live: nothing can be built on it"));
        }
        let retired = state.retired.iter().filter(|r| r.quorum == *name);
        quorums.insert(
            name.clone(),
            StandingQuorum {
                id: made.id.clone(),
                generation: made.generation,
                threshold: made.threshold,
                recipient: made.recipient.clone(),
                commitments: made.commitments.clone(),
                holders,
                retired: retired
                    .map(|r| StandingRetired { id: r.id.clone(), generation: r.generation, time: r.time })
                    .collect(),
            },
        );
    }
    let mut authorities = BTreeMap::new();
    for (name, made) in &state.authorities {
        // A key that was made and never certified protects nothing yet, and nobody can rely on it.
        if made.certificate.is_empty() || !quorums.contains_key(&made.quorum) {
            continue;
        }
        authorities.insert(name.clone(), authority(plan, name, made)?);
    }
    let keys = state.keys.iter().copied().collect();
    let mut factories = state.factories.clone();
    for factory in factories.values_mut() {
        // An authority that got no certificate carries out nothing, and its order is still to be carried out.
        factory.delegated.retain(|delegated| delegated.certificate.is_some());
    }
    let standing = Standing {
        format: FORMAT.to_owned(),
        realm: plan.realm,
        ceremony: plan.ceremony.clone(),
        head,
        quorums,
        authorities,
        keys,
        factories,
        device_keys: state.device_keys,
    };
    let octets = standing.to_octets()?.len();
    if octets > limits::STANDING_OCTETS {
        return Err(format!(
            "what stands after {}: expected at most {} octets, found {octets}: the chain is too long to be followed",
            plan.ceremony,
            limits::STANDING_OCTETS
        ));
    }
    Ok(standing)
}

fn authority(plan: &Plan, name: &str, made: &AuthorityState) -> Result<StandingAuthority, String> {
    let planned = plan.authority(name).map(|a| (&a.profile, a.algorithm, &a.subject, a.not_before, a.not_after));
    let inherited = plan.standing.as_ref().and_then(|s| s.authorities.get(name));
    let inherited = inherited.map(|a| (&a.profile, a.algorithm, &a.subject, a.not_before, a.not_after));
    let (profile, algorithm, subject, not_before, not_after) =
        planned.or(inherited).ok_or_else(|| format!("authority {name}: nothing says what it is"))?;
    // A list that does not parse is not handed on.
    if let Some(der) = hex_decode(&made.crl).filter(|der| !der.is_empty()) {
        let list = CertificateList::parse(&der).map_err(|e| format!("the list of {name}: {e}"))?;
        debug_assert_eq!(hex_encode(list.der()), made.crl);
    }
    Ok(StandingAuthority {
        profile: profile.clone(),
        algorithm,
        quorum: made.quorum.clone(),
        generation: made.generation,
        subject: subject.clone(),
        not_before,
        not_after,
        public_key: made.public_key.clone(),
        sealed_name: made.sealed_name.clone(),
        sealed: made.sealed,
        certificate: made.certificate.clone(),
        crl: made.crl.clone(),
        issued: made.issued.clone(),
    })
}
