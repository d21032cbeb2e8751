//! What a script wants signed, against what the chain signed before: names, entries and dates that the strongroom or the machine would
//! refuse on the day are found here, when the evidence of the ceremony before is given to `check`.

use super::Standing;
use super::delegated::{Issuer, adoptable};
use crate::basics::digest::{hex_decode, hex_encode};
use crate::basics::limits;
use crate::factory::Places;
use crate::pki::CertificateList;
use crate::plan::{Authority, CertifiedKey, Plan, PlannedRevocation};
use crate::script::kind;
use std::collections::{BTreeMap, BTreeSet};

/// What is said of a list with more entries than one holds.
#[must_use]
pub fn too_many_entries(found: usize) -> String {
    let most = limits::REVOKED_IN_ALL;
    format!(
        "the list would have {found} entries, expected at most {most}: revoke the issuing authority's own certificate instead, on the list of the authority above it"
    )
}

/// Everything that would not be signed.
pub(super) fn problems(standing: &Standing, plan: &Plan) -> Vec<String> {
    let mut problems = Vec::new();
    for authority in plan.authorities.iter().filter(|authority| authority.standing) {
        list(standing, plan, authority, &mut problems);
    }
    let issued: BTreeSet<&String> =
        standing.authorities.values().flat_map(|made| &made.issued).map(|issued| &issued.name).collect();
    for certificate in &plan.certificates {
        let name = &certificate.name;
        if issued.contains(name) || standing.authorities.contains_key(name) {
            problems.push(format!("certificate {name}: the chain issued one of this name before; choose another"));
        }
        if let CertifiedKey::SameKey { certificate: of, .. } | CertifiedKey::NewKey { certificate: of, .. } =
            &certificate.of
            && !issued.contains(of)
            && plan.certificate(of).is_none()
        {
            problems.push(format!("certificate {name}: it renews {of}, and the chain issued none of this name"));
        }
    }
    let chain: Vec<Issuer<'_>> = standing
        .authorities
        .iter()
        .map(|(name, made)| Issuer { name, certificate: &made.certificate, crl: &made.crl, issued: &made.issued })
        .collect();
    for step in plan.steps.iter().filter(|step| step.kind == "delegate") {
        let adopted = kind::text(&step.params, "adopts");
        if !adopted.is_empty()
            && let Err(problem) = adoptable(&chain, &standing.factories, adopted)
        {
            problems.push(format!("step {}: {problem}", step.id));
        }
    }
    problems
}

/// The next list of a standing authority: what it revokes, and when it begins.
fn list(standing: &Standing, plan: &Plan, authority: &Authority, problems: &mut Vec<String>) {
    let name = &authority.name;
    let Some(made) = standing.authorities.get(name) else { return };
    let latest = match hex_decode(&made.crl).filter(|der| !der.is_empty()).map(|der| CertificateList::parse(&der)) {
        None => None,
        Some(Ok(list)) => Some(list),
        Some(Err(error)) => return problems.push(format!("authority {name}: its latest list: {error}")),
    };
    let mut revoked: BTreeSet<String> =
        latest.iter().flat_map(CertificateList::revoked).map(|entry| hex_encode(&entry.serial)).collect();
    let mut of_bundles: BTreeMap<&str, Places> = BTreeMap::new();
    for asked in plan.revocations.iter().filter(|asked| asked.authority == *name) {
        if !asked.bundle.is_empty() {
            // Two of one script may overlap.
            let known = of_bundles.remove(asked.bundle.as_str()).unwrap_or_default();
            match bundle(standing, asked).and_then(|places| places.with(&known)) {
                Ok(places) => drop(of_bundles.insert(&asked.bundle, places)),
                Err(problem) => problems.push(format!("revocation of bundle {}: {problem}", asked.bundle)),
            }
            continue;
        }
        match serial(standing, asked) {
            Ok(serial) if revoked.insert(serial.clone()) => {}
            Ok(serial) => problems.push(format!("revocation of {}: {serial} is revoked already", called(asked))),
            Err(problem) => problems.push(format!("revocation of {}: {problem}", called(asked))),
        }
    }
    let found = revoked.len() + of_bundles.values().map(|places| places.count() as usize).sum::<usize>();
    if found > limits::REVOKED_IN_ALL {
        problems.push(format!("authority {name}: {}", too_many_entries(found)));
    }
    let lists = plan.steps.iter().filter(|step| step.kind == "issue-crl");
    for step in lists.filter(|step| kind::text(&step.params, "authority") == name) {
        let this = kind::date(&step.params, "this_update");
        if let Some(before) = latest.as_ref().map(CertificateList::this_update).filter(|before| this < *before) {
            problems.push(format!(
                "step {}: `this_update` {this} is before that of the list it continues, {before}",
                step.id
            ));
        }
    }
}

/// What of a bundle comes onto the list, or why nothing can, as far as that can be known before the day.
fn bundle(standing: &Standing, asked: &PlannedRevocation) -> Result<Places, String> {
    let name = &asked.bundle;
    let of = standing.factories.values().map(|factory| &factory.bundles);
    let found = of.filter_map(|all| Some((all.iter().find(|bundle| bundle.name == *name)?, all))).next();
    let Some((found, all)) = found else {
        return Err("the chain made none of this name".to_owned());
    };
    if found.authority != asked.authority {
        return Err(format!("{} issued it, not {}", found.authority, asked.authority));
    }
    // Whether it has expired is known on the day.
    let left = asked.state.map_or_else(
        || Err("nothing says which identities".to_owned()),
        |which| found.to_withdraw(which, all, found.expires),
    );
    let left = left?;
    if left.is_empty() { Err("nothing of it is left to be revoked".to_owned()) } else { Ok(left) }
}

const fn called(asked: &PlannedRevocation) -> &String {
    if asked.certificate.is_empty() { &asked.serial } else { &asked.certificate }
}

fn serial(standing: &Standing, asked: &PlannedRevocation) -> Result<String, String> {
    if asked.certificate.is_empty() {
        return Ok(asked.serial.clone());
    }
    let made = standing.authorities.get(&asked.authority);
    let named: Vec<_> =
        made.iter().flat_map(|made| &made.issued).filter(|issued| issued.name == asked.certificate).collect();
    match named.as_slice() {
        [one] => Ok(one.serial.clone()),
        [] => Err(format!("{} issued no certificate of this name", asked.authority)),
        _ => Err("more than one certificate has this name: give its serial".to_owned()),
    }
}
