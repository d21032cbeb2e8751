//! Factories that a script enrols, and the profiles of what is made for them.

use super::Resolver;
use crate::pki::Profile;
use crate::plan::samples::{self, Saying};
use crate::plan::{Authority, PlannedFactory, Step};
use crate::script::problem::Problems;
use crate::script::{Located, Param, Script, kind};
use std::collections::BTreeMap;

const ISSUES: &str = "issue-bundle";
const CHECKS: &str = "check-log";

/// The profiles of device certificates that this script makes, or looks at.
pub(super) fn profiles(script: &Script) -> impl Iterator<Item = Located<String>> + '_ {
    texts(script, &[ISSUES, CHECKS])
}

/// Whether the script issues certificates of devices: then what its policies are under must be said.
pub(super) fn issues(script: &Script) -> bool {
    texts(script, &[ISSUES]).next().is_some()
}

/// The names of what a step `take-object` takes in.
pub(super) fn objects(script: &Script) -> Vec<&str> {
    named(script, "take-object", "name")
}

/// The names of the bundles that this script makes.
pub(super) fn bundles(script: &Script) -> Vec<&str> {
    named(script, ISSUES, "bundle")
}

/// The names of the requests that this script judges.
pub(super) fn requests(script: &Script) -> Vec<&str> {
    named(script, "judge-requests", "requests")
}

fn named<'s>(script: &'s Script, kind: &'s str, key: &str) -> Vec<&'s str> {
    let steps = script.steps().filter(|step| step.kind.value == kind);
    steps
        .filter_map(|step| match &step.params.get(key)?.value {
            Param::Text(name) => Some(name.as_str()),
            _ => None,
        })
        .collect()
}

fn texts<'s>(script: &'s Script, kinds: &'s [&str]) -> impl Iterator<Item = Located<String>> + 's {
    let steps = script.steps().filter(|step| kinds.contains(&step.kind.value.as_str()));
    steps.filter_map(move |step| match step.params.get("profile")? {
        Located { value: Param::Text(text), span } => Some(Located::new(text.clone(), span.clone())),
        _ => None,
    })
}

impl Resolver<'_> {
    /// Certificates such as each bundle's would be, but for what its order says: what is wrong with them is wrong with the script.
    pub(super) fn samples(&self, steps: &[Step], authorities: &[Authority], oid_arc: &str, p: &mut Problems) {
        for (source, step) in self.script.steps().zip(steps).filter(|(_, step)| step.kind == ISSUES) {
            let named = |key| self.good_profile(kind::text(&step.params, key));
            let Some(profile) = named("profile").filter(|profile| !profile.kind.is_authority()) else { continue };
            let authority = kind::text(&step.params, "authority");
            let issuer = authorities
                .iter()
                .find(|known| known.name == authority)
                .and_then(|planned| samples::issuer(self.realm, planned, self.good_profile(&planned.profile)?));
            let saying = Saying { realm: self.realm, oid_arc, params: &step.params, profile };
            for problem in issuer.iter().flat_map(|issuer| saying.problems_of_any(issuer)) {
                let key = ["lineage_oid", "hardware_type", "crl_url"].into_iter().find(|key| {
                    let word = key.split('_').next().unwrap_or_default();
                    problem.to_lowercase().contains(word)
                });
                let place = key.and_then(|key| source.params.get(key)).or_else(|| source.params.get("profile"));
                p.add(
                    place.map_or_else(|| source.span.clone(), |place| place.span.clone()),
                    format!(
                        "step {}: no certificate of profile {} by {authority} can be issued: {problem}",
                        step.id, profile.name
                    ),
                    "found with a sample certificate, under keys that no device gets",
                );
            }
        }
    }

    fn good_profile(&self, name: &str) -> Option<&Profile> {
        Some(&self.profiles.get(name)?.as_ref().ok()?.profile)
    }

    pub(super) fn factories(&self, p: &mut Problems) -> Vec<PlannedFactory> {
        for profile in profiles(self.script) {
            match self.profiles.get(&profile.value) {
                Some(Ok(file)) if file.profile.kind.is_authority() => p.add(
                    profile.span.clone(),
                    format!(
                        "profile {}: expected one of kind end-entity, found {}",
                        profile.value,
                        file.profile.kind.word()
                    ),
                    "a bundle holds identities of devices, never authorities",
                ),
                Some(Ok(_)) => {}
                Some(Err(error)) => p.add(profile.span.clone(), format!("profile {}: {error}", profile.value), ""),
                None if profile.value.is_empty() => {}
                None => p.add(
                    profile.span.clone(),
                    format!("there is no profile {}", profile.value),
                    "put it into `profiles/` beside the script's folder or inside it",
                ),
            }
        }
        let mut planned = Vec::new();
        for source in &self.script.factories {
            let mut quotas = BTreeMap::new();
            for quota in &source.quotas {
                if quotas.insert(quota.product.value.clone(), quota.most.value).is_some() {
                    p.add(
                        quota.product.span.clone(),
                        format!("factory {} has two quotas for {}", source.name.value, quota.product.value),
                        "a product has one quota",
                    );
                }
            }
            let enrols = self.script.steps().any(|step| {
                let of = step.params.get("factory").map(|param| &param.value);
                step.kind.value == "enrol-factory" && of == Some(&Param::Text(source.name.value.clone()))
            });
            if !enrols {
                p.add(
                    source.name.span.clone(),
                    format!("factory {} is not enrolled by any step", source.name.value),
                    "add a step of kind `enrol-factory`; one that stands already needs no [[factory]]",
                );
            }
            planned.push(PlannedFactory {
                name: source.name.value.clone(),
                valid_until: source.valid_until.value,
                quotas,
            });
        }
        planned
    }
}
