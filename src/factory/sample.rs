//! The certificates of a batch before anything of it is signed: the template for device ids of one length, and one sample out of it, signed by
//! a throw-away key and linted. The strongroom issues from such templates; whoever looks at a script or an order beforehand climbs the
//! same rung with keys that no device gets, so that what is wrong shows while nobody has unlocked anything.

use crate::factory::order::DEVICE;
use crate::factory::{BatchTerms, DeviceId, HardwareIds};
use crate::keys::{Algorithm, SigningKey, SubjectKey};
use crate::pki::certificate::{self, key_identifier};
use crate::pki::ladder::{self, ThrowawayClean};
use crate::pki::lint::Finding;
use crate::pki::template::{Places, Template};
use crate::pki::{Certificate, PkiError, Profile, serial};

/// A template, and the evidence that lets an authority's key sign what comes out of it.
pub struct Linted {
    pub template: Template,
    _clean: ThrowawayClean,
}

/// Whose certificates, by whom, by which rules.
#[derive(Clone, Copy)]
pub struct Batch<'b> {
    pub terms: &'b BatchTerms,
    pub issuer: &'b Certificate,
    pub profile: &'b Profile,
}

impl Batch<'_> {
    /// The template for device ids as long as this one; `keys` are two of the batch's algorithm that no device gets: what is compared is
    /// where they stand.
    ///
    /// # Errors
    /// What keeps such certificates from being built, or what the lint finds in the sample.
    pub fn template(
        &self,
        device: &DeviceId,
        keys: &[SubjectKey; 2],
        hardware: &HardwareIds,
        throwaway: &SigningKey,
    ) -> Result<Linted, String> {
        let Self { terms, issuer, profile } = *self;
        let skis = [identifier(&keys[0])?, identifier(&keys[1])?];
        let build = |places: &Places<'_>| -> Result<Vec<u8>, BuildError> {
            let key = SubjectKey::from_spki_der(places.spki).map_err(PkiError::from)?;
            let lineage = places.lineage.copied();
            let request = terms.request(issuer, profile, places.device, key, *places.serial, lineage);
            Ok(certificate::build_tbs(&request)?)
        };
        let with_lineage = terms.lineage_oid.is_some();
        let samples = [(keys[0].spki_der(), skis[0]), (keys[1].spki_der(), skis[1])];
        let length = device.as_str().len();
        let template = Template::new(length, samples, with_lineage, build).map_err(|e: BuildError| e.0)?;
        // The first rung: what this device would get, from the template, signed by the throw-away key and linted.
        let lineage = terms.lineage(0, device, hardware).digest();
        let serial = serial::of(&terms.serial_seed, 0)?;
        let request = terms.request(issuer, profile, device.as_str(), keys[0].clone(), serial, Some(lineage));
        let places = Places {
            serial: &serial,
            device: device.as_str(),
            spki: keys[0].spki_der(),
            ski: &skis[0],
            lineage: with_lineage.then_some(&lineage),
        };
        let mut tbs = Vec::new();
        template.fill(&places, &mut tbs).map_err(|e| e.to_string())?;
        let clean = ladder::check_before(&request, &tbs, throwaway).map_err(|found| findings(&found))?;
        Ok(Linted { template, _clean: clean })
    }

    /// Everything that keeps the certificates of these devices from being issued, each once: the batch's own template for each, with fixed
    /// keys, for attested keys too where they differ.
    #[must_use]
    pub fn problems(&self, devices: &[DeviceId]) -> Vec<String> {
        let mut problems: Vec<String> = self.terms.check().iter().map(ToString::to_string).collect();
        if !self.terms.names_device(self.profile) {
            problems.push(format!(
                "subject.common_name: expected {DEVICE} in it, as nothing else in a certificate of profile {} says which device it is of",
                self.profile.name
            ));
            return problems;
        }
        let sampled = self.sampled(devices);
        for problem in sampled.unwrap_or_else(|problem| vec![problem]) {
            if !problems.contains(&problem) {
                problems.push(problem);
            }
        }
        problems
    }

    fn sampled(&self, devices: &[DeviceId]) -> Result<Vec<String>, String> {
        let key = |algorithm, fill| fixed_key(algorithm, fill).map(|key| SubjectKey::from(key.public_key()));
        let keys = [key(self.terms.algorithm, 0x5a)?, key(self.terms.algorithm, 0x5b)?];
        let signs = self.issuer.public_key().ok_or("issuer: expected a key that signs here, found another")?;
        let throwaway = fixed_key(signs.algorithm(), 0x5c)?;
        let attested = self.terms.for_attested();
        let mut problems = Vec::new();
        for terms in [Some(self.terms), attested.as_ref()].into_iter().flatten() {
            for device in devices {
                let batch = Batch { terms, ..*self };
                problems.extend(batch.template(device, &keys, &HardwareIds::new(), &throwaway).err());
            }
        }
        Ok(problems)
    }
}

/// A key that everybody has: for samples, which count for nothing.
///
/// # Errors
/// Never for an algorithm of ours; drawing keys says so in its type.
pub fn fixed_key(algorithm: Algorithm, fill: u8) -> Result<SigningKey, String> {
    SigningKey::from_material(algorithm, &vec![fill; algorithm.material_octets()]).map_err(|e| e.to_string())
}

/// The key identifier in certificates of devices.
///
/// # Errors
/// Never: it has 20 octets.
pub fn identifier(key: &SubjectKey) -> Result<[u8; 20], String> {
    key_identifier(key).try_into().map_err(|_| "expected a key identifier of 20 octets".to_owned())
}

/// What a lint found, as one sentence.
#[must_use]
pub fn findings(found: &[Finding]) -> String {
    let each: Vec<String> = found.iter().map(ToString::to_string).collect();
    format!("the lint found {} things: {}", found.len(), each.join("; "))
}

/// What the general builder says, as text.
struct BuildError(String);

impl From<PkiError> for BuildError {
    fn from(error: PkiError) -> Self {
        Self(error.to_string())
    }
}
