//! Device certificates looked at before there is a batch: with the script alone when it is checked, with the order when it comes in. What is
//! wrong with profile, names, dates or identifiers shows then, and not when custodians have opened a key.

use crate::basics::{Digest, Instant, Realm};
use crate::factory::manifest::ProfileRef;
use crate::factory::order::{Attestation, DEVICE, DeviceSubject, MatterIds, Order};
use crate::factory::sample::{Batch, fixed_key};
use crate::factory::terms::{BatchRoom, Requested};
use crate::factory::{BatchTerms, BundleId, DeviceId, Firmware, Mode};
use crate::keys::SubjectKey;
use crate::pki::additions::{Additions, Policy};
use crate::pki::name::{Attribute, SubjectName};
use crate::pki::profile::{AuthorityInfo, Kind, NEVER, Policies, Profile, SubjectRules, Urls, own_identifier};
use crate::pki::{Certificate, CertificateRequest, Issuer, certificate, oids};
use crate::plan::Authority;
use crate::script::kind::{self, Params};

/// What a step `issue-bundle` says of its certificates.
#[derive(Clone, Copy)]
pub struct Saying<'s> {
    pub realm: Realm,
    pub oid_arc: &'s str,
    pub params: &'s Params,
    pub profile: &'s Profile,
}

impl Saying<'_> {
    fn text(&self, key: &str) -> Option<String> {
        Some(kind::text(self.params, key).to_owned()).filter(|text| !text.is_empty())
    }

    /// What every certificate carries alike.
    #[must_use]
    pub fn additions(&self) -> Additions {
        let mut additions = self.profile.additions(self.realm, self.oid_arc, oids::REHEARSAL_POLICY);
        additions.crl_urls.extend(self.text("crl_url"));
        additions.issuer_urls.extend(self.text("issuer_url"));
        additions
    }

    /// The policies of attested keys, where they differ.
    ///
    /// # Errors
    /// Where the order leaves attestation to the devices and the profile says the same of all.
    pub fn attested_policies(&self, order: &Order) -> Result<Option<Vec<Policy>>, String> {
        match (order.attestation, self.profile.policies.of_attested()) {
            (Some(Attestation::Optional), None) => {
                let expected = "one whose policies are by attestation, as the order makes it optional";
                Err(format!("profile {}: expected {expected}, found the same for all", order.profile))
            }
            (None, _) => Ok(None),
            (Some(_), of) => Ok(of.map(|of| of.in_realm(self.realm, self.oid_arc, oids::REHEARSAL_POLICY))),
        }
    }

    /// An object identifier of the step, where it has one: under the script's arc where it begins with a dot.
    #[must_use]
    pub fn identifier(&self, key: &str) -> Option<String> {
        self.text(key).map(|oid| own_identifier(self.realm, self.oid_arc, &oid))
    }

    /// Everything that keeps the certificates of an order from being issued: samples for its shortest and its longest device id.
    #[must_use]
    pub fn problems(&self, order: &Order, issuer: &Certificate) -> Vec<String> {
        let attested_policies = match self.attested_policies(order) {
            Ok(policies) => policies,
            Err(problem) => return vec![problem],
        };
        // Not of the real batch: its names and numbers follow from a serial number that is reserved later, and have one length.
        let nothing = Digest::from_octets([0; 32]);
        let shard_records = 1_000;
        let requested = (order.mode == Mode::DeviceGenerated).then(|| Requested {
            requests: nothing,
            accepted: order.count,
            shards: vec![nothing; order.count.div_ceil(shard_records) as usize],
            replaced: order.replaces.as_ref().map(|replaced| replaced.records.clone()),
        });
        let room = BatchRoom {
            bundle: BundleId::from_octets([0; 16]),
            recipient: String::new(),
            profile: ProfileRef { name: order.profile.clone(), sha256: nothing },
            issuer: issuer.digest(),
            shard_records,
            additions: self.additions(),
            attested_policies,
            requested,
            lineage_oid: self.identifier("lineage_oid"),
            hardware_type: self.identifier("hardware_type"),
            serial_seed: nothing,
            replaced_seed: order.replaces.as_ref().map(|_| nothing),
            seconds: 1,
        };
        let terms = match BatchTerms::new(order, nothing, room) {
            Ok(terms) => terms,
            Err(refusal) => return vec![refusal.to_string()],
        };
        Batch { terms: &terms, issuer, profile: self.profile }.problems(&ends(order))
    }

    /// The same for any order that this step could carry out: of its profile, with the least that the profile asks for.
    #[must_use]
    pub fn problems_of_any(&self, issuer: &Certificate) -> Vec<String> {
        let Some(algorithm) = self.profile.algorithms.first() else { return Vec::new() };
        let rules = &self.profile.subject;
        let has = |attribute| rules.required.contains(&attribute) || rules.optional.contains(&attribute);
        let said = |attribute, text: &str| has(attribute).then(|| text.to_owned());
        let above = issuer.subject().unwrap_or_default();
        let of = |attribute, otherwise: &str| above.get(attribute).unwrap_or(otherwise).to_owned();
        let made = kind::text(self.params, "requests").is_empty();
        let attested = self.profile.policies.of_attested().is_some();
        let not_before = issuer.not_before();
        let order = Order {
            format: String::new(),
            realm: self.realm,
            factory: String::new(),
            product: "sample".to_owned(),
            sku: "sample".to_owned(),
            mode: if made { Mode::Injected } else { Mode::DeviceGenerated },
            algorithm: *algorithm,
            profile: self.profile.name.clone(),
            count: 1,
            devices: None,
            hardware_ids: Some(DeviceId::parse("SAMPLE-00000001").into_iter().collect()),
            quota: 1,
            not_before,
            not_after: self.end(not_before, issuer.not_after()),
            expires: not_before,
            nonce: None,
            attestation: (!made && attested).then_some(Attestation::Optional),
            attestation_roots: Vec::new(),
            nonce_oid: None,
            hardware_kind: None,
            firmware: Firmware { version: "1".to_owned(), sha256: Digest::from_octets([0; 32]) },
            subject: DeviceSubject {
                country: rules.required.contains(&Attribute::Country).then(|| "SE".to_owned()),
                organization: said(Attribute::Organization, "Sample"),
                common_name: said(Attribute::CommonName, DEVICE),
            },
            matter: has(Attribute::MatterVid).then(|| MatterIds {
                vendor_id: of(Attribute::MatterVid, "FFF1"),
                product_id: of(Attribute::MatterPid, "8000"),
            }),
            replaces: None,
            named: Vec::new(),
        };
        self.problems(&order, issuer)
    }

    /// The latest end that profile and issuer both allow.
    fn end(&self, from: Instant, issuer: Instant) -> Instant {
        if self.profile.never_ends {
            return NEVER;
        }
        self.profile.latest(from).map_or(issuer, |latest| latest.min(issuer))
    }
}

/// The shortest and the longest device id of an order.
fn ends(order: &Order) -> Vec<DeviceId> {
    let mut ends: Vec<DeviceId> = match &order.devices {
        Some(numbered) => [0, order.count.saturating_sub(1)].iter().filter_map(|n| numbered.device(*n).ok()).collect(),
        None => {
            let listed = order.listed();
            let length = |id: &&DeviceId| id.as_str().len();
            [listed.iter().min_by_key(length), listed.iter().max_by_key(length)]
                .into_iter()
                .flatten()
                .cloned()
                .collect()
        }
    };
    ends.dedup();
    ends
}

/// A certificate such as an authority of the script will have, under a key that everybody has: name, dates and kind of key are the script's.
/// Nothing where the script's own values make none, which is said of them.
#[must_use]
pub fn issuer(realm: Realm, authority: &Authority, profile: &Profile) -> Option<Certificate> {
    let key = fixed_key(authority.algorithm, 0x5d).ok()?;
    // It signs itself here, and carries nothing that a device's certificate is held against.
    let mut own = profile.clone();
    own.kind = Kind::Root;
    own.policies = Policies::RehearsalMark;
    (own.path_len, own.max_octets, own.name_constraints) = (None, None, None);
    (own.conforms_to, own.extended_key_usages) = (Vec::new(), Vec::new());
    (own.request_keys, own.issuer_algorithms) = (Vec::new(), Vec::new());
    (own.crl_distribution, own.authority_info) = (Urls::default(), AuthorityInfo::default());
    let required = authority.subject.values().map(|(attribute, _)| attribute).collect();
    own.subject = SubjectRules { required, optional: Vec::new() };
    let request = CertificateRequest {
        realm,
        issuer: Issuer::SelfSigned,
        subject: SubjectName::Fields(authority.subject.clone()),
        key: SubjectKey::from(key.public_key()),
        ski: None,
        not_before: authority.not_before,
        not_after: authority.not_after,
        serial: [0x41; 20],
        additions: own.additions(realm, "", oids::REHEARSAL_POLICY),
        profile: own,
    };
    let tbs = certificate::build_tbs(&request).ok()?;
    let der = certificate::assemble(&tbs, key.algorithm(), &key.sign(&tbs).ok()?).ok()?;
    Certificate::parse(&der).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::Algorithm;
    use crate::pki::name::{Subject, marked};
    use crate::pki::profile::BUILT_IN;

    fn profile(name: &str) -> Profile {
        toml::from_str(BUILT_IN.iter().find(|(known, _)| *known == name).unwrap().1).unwrap()
    }

    /// An authority of a script, with the subject that its profile asks for.
    fn authority(realm: Realm, name: &str, algorithm: Algorithm) -> Authority {
        let mut subject = Subject::authority(Some("SE"), "Lamps", "Lamps Issuing");
        if name.starts_with("matter") {
            subject = Subject { common_name: Some("Lamps".to_owned()), ..Subject::default() };
            subject.matter_vid = Some("FFF1".to_owned());
        }
        Authority {
            name: "issuing".to_owned(),
            profile: name.to_owned(),
            algorithm,
            quorum: "issuing".to_owned(),
            subject: marked(realm, &subject),
            not_before: Instant::parse("2026-11-22T00:00:00Z").unwrap(),
            not_after: Instant::parse("2036-11-22T00:00:00Z").unwrap(),
            standing: true,
        }
    }

    #[test]
    fn there_is_a_sample_of_every_authority_that_issues_devices_and_what_is_wrong_is_found() {
        for realm in [Realm::Rehearsal, Realm::Production] {
            for (above, algorithm, devices) in [
                ("subca-device", Algorithm::EcdsaP256, &["ldevid", "device-key"][..]),
                ("subca-device", Algorithm::EcdsaP384, &["idevid"][..]),
                ("subca-device-pq", Algorithm::MlDsa65, &["device-pq"][..]),
                ("root-device", Algorithm::EcdsaP384, &["ldevid"][..]),
                ("matter-pai", Algorithm::EcdsaP256, &["matter-dac"][..]),
            ] {
                let authority = authority(realm, above, algorithm);
                let issuer = issuer(realm, &authority, &profile(above)).unwrap_or_else(|| panic!("{realm} {above}"));
                for name in devices {
                    let profile = profile(name);
                    let urls = ["crl_url", "issuer_url"]
                        .map(|key| (key.to_owned(), crate::script::Param::Text("http://pki.example/a.crl".to_owned())));
                    let params: Params = if *name == "matter-dac" { Params::new() } else { urls.into() };
                    let saying = Saying { realm, oid_arc: "1.3.6.1.4.1.55555.1", params: &params, profile: &profile };
                    assert_eq!(saying.problems_of_any(&issuer), Vec::<String>::new(), "{realm} {above} {name}");
                    let mut with = params.clone();
                    with.insert("lineage_oid".to_owned(), crate::script::Param::Text("2.5.29.15".to_owned()));
                    let found = Saying { params: &with, ..saying }.problems_of_any(&issuer);
                    assert!(found.iter().any(|problem| problem.contains("lineage")), "{name}: {found:?}");
                }
            }
        }
    }
}
