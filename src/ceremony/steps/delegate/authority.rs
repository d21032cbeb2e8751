//! Which authority an order goes to, and what bounds it: one that this script certifies, by its profile and dates; or one that an earlier
//! ceremony certified and that carries out none yet (`adopts`), by its certificate.

use crate::basics::{Instant, limits};
use crate::ceremony::state::State;
use crate::factory::{Class, Order, Refusal};
use crate::pki::{constraints, instants};
use crate::plan::standing::delegated::{DelegatedCertificate, Issuer, adoptable};
use crate::plan::{CertifiedKey, Plan};
use crate::script::kind::{self, Params};

/// The name of its certificate.
pub(super) fn name(params: &Params) -> &str {
    match kind::text(params, "adopts") {
        "" => kind::text(params, "certificate"),
        adopted => adopted,
    }
}

/// An authority, and all that bounds it.
pub(super) struct Authority {
    pub(super) name: String,
    pub(super) from: Instant,
    pub(super) until: Instant,
    /// Whether its key came as a request, or is otherwise none of the chain's.
    elsewhere: bool,
    path_len: Option<u8>,
    names: bool,
    usages: bool,
    /// Where it has its certificate.
    pub(super) certificate: Option<DelegatedCertificate>,
}

impl Authority {
    pub(super) fn of(plan: &Plan, state: &State, params: &Params) -> Result<Self, String> {
        match kind::text(params, "adopts") {
            "" => Self::planned(plan, kind::text(params, "certificate")),
            name => Self::adopted(state, name),
        }
    }

    fn planned(plan: &Plan, name: &str) -> Result<Self, String> {
        let planned = plan.certificate(name).ok_or_else(|| format!("the script certifies no {name}"))?;
        let profile = plan.profiles.get(&planned.profile);
        let profile = profile.ok_or_else(|| format!("there is no profile {}", planned.profile))?;
        Ok(Self {
            name: planned.name.clone(),
            from: planned.not_before,
            until: planned.not_after,
            elsewhere: matches!(planned.of, CertifiedKey::Request(_)),
            path_len: profile.path_len,
            names: profile.bounds_names(),
            usages: profile.bounds_usages(),
            certificate: None,
        })
    }

    fn adopted(state: &State, name: &str) -> Result<Self, String> {
        let chain = state.authorities.iter().map(|(name, made)| Issuer {
            name,
            certificate: &made.certificate,
            crl: &made.crl,
            issued: &made.issued,
        });
        let (issuer, certificate) = adoptable(&chain.collect::<Vec<_>>(), &state.factories, name)?;
        let (names, usages) = constraints::bounds(&certificate);
        Ok(Self {
            name: name.to_owned(),
            from: certificate.not_before(),
            until: certificate.not_after(),
            // Said by `adoptable`.
            elsewhere: true,
            path_len: certificate.path_len().filter(|_| certificate.is_authority()),
            names,
            usages,
            certificate: Some(DelegatedCertificate::of(&certificate, &issuer)),
        })
    }

    /// Everything about it that must not be, for this order.
    pub(super) fn refusals(&self, order: &Order) -> Vec<Refusal> {
        let mut found = Vec::new();
        let mut expect = |holds: bool, what: &str, expected: &str, said: &dyn ToString| {
            if !holds {
                let what = format!("certificate {}: {what}", self.name);
                found.push(Refusal::new(Class::Policy, what, expected, said.to_string()));
            }
        };
        expect(self.elsewhere, "key", "that of a request: it is in the factory's module", &"another");
        let longest = instants::days_after(self.from, limits::DELEGATED_DAYS);
        let short = format!("at most {} days", limits::DELEGATED_DAYS);
        expect(self.until <= longest, "life", &short, &format!("an end at {}", self.until));
        let late = format!("until {} at least, when the order is to be done", order.expires);
        expect(self.until >= order.expires, "life", &late, &self.until);
        expect(self.path_len == Some(0), "path length", "0", &"another, or none");
        expect(self.names, "name constraints", "some", &"none");
        expect(self.usages, "extended key usages", "some, and not `any`", &"none");
        found
    }
}
