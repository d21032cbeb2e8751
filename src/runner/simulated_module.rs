//! The module of a rehearsal's simulated factory: an authority of its own that certifies most of what was ordered, and the log of it. Its key
//! follows from the factory's name, so that everybody has it.

use crate::basics::{Digest, Instant, Realm, limits};
use crate::devices::durable_file;
use crate::factory::Order;
use crate::factory::issuance_log::LogStatement;
use crate::keys::{Algorithm, SigningKey, SubjectKey};
use crate::pki::certificate::{assemble, build_tbs};
use crate::pki::name::{Subject, SubjectName, marked};
use crate::pki::{Certificate, CertificateRequest, Issuer, Profile, oids, pem, serial};
use crate::plan::standing::StandingDelegated;
use crate::plan::{Plan, Standing};
use crate::runner::folder::Folder;
use crate::runner::simulated_station::Station;

const REALM: Realm = Realm::Rehearsal;
/// Milliseconds.
const HOUR: u64 = 60 * 60 * 1_000;
const ALGORITHM: Algorithm = Algorithm::EcdsaP256;

/// Simulated factories send a log of each authority of theirs, and the order it carries out comes again: names and octets of what comes in.
///
/// # Errors
/// Where one cannot be made.
pub fn logs(from: &Folder, standing: &Standing, plan: &Plan) -> Result<Vec<(String, Vec<u8>)>, String> {
    let mut made = Vec::new();
    for (name, factory) in &standing.factories {
        for delegated in &factory.delegated {
            let mut issued = standing.authorities.values().flat_map(|authority| &authority.issued);
            let issuer = issued.rfind(|issued| issued.name == delegated.name);
            let Some(issuer) = issuer else { continue };
            let issuer = crate::ceremony::effect::parse_certificate(&issuer.certificate)?;
            let module = Module::of(name)?;
            // A real module has its own key: its log comes as files. A profile that the script does not name is not needed either.
            if issuer.public_key() != Some(&module.key.public_key()) {
                continue;
            }
            let (Some(profile), Some((file, order))) =
                (plan.profiles.get(&delegated.profile), order_of(from, delegated.order)?)
            else {
                continue;
            };
            made.extend(module.log(name, delegated, &issuer, &order, profile)?);
            made.push(file);
        }
    }
    Ok(made)
}

/// The order with this digest among what came into the rehearsal before.
#[expect(clippy::type_complexity, reason = "a file, and what it says")]
fn order_of(from: &Folder, digest: Digest) -> Result<Option<((String, Vec<u8>), Order)>, String> {
    let Ok(entries) = std::fs::read_dir(from.incoming()) else { return Ok(None) };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.ends_with(".order.toml") {
            continue;
        }
        let octets = durable_file::read(&entry.path(), limits::ORDER_OCTETS).map_err(|e| e.to_string())?;
        if Order::digest(&octets) == digest {
            let order = Order::parse(&octets).map_err(|problems| format!("{name}: {} problems", problems.len()))?;
            return Ok(Some(((name, octets), order)));
        }
    }
    Ok(None)
}

struct Module {
    key: SigningKey,
}

impl Module {
    fn of(factory: &str) -> Result<Self, String> {
        Ok(Self { key: key(&Station::of(factory).octets("module"))? })
    }

    /// One log: everything that was ordered but the last, which is still to come.
    fn log(
        &self,
        factory: &str,
        delegated: &StandingDelegated,
        issuer: &Certificate,
        order: &Order,
        profile: &Profile,
    ) -> Result<Vec<(String, Vec<u8>)>, String> {
        let seed = Digest::tagged("rehearsal-module", REALM, &[factory.as_bytes(), delegated.name.as_bytes()]);
        let count = order.count.saturating_sub(1).max(1);
        let mut log = String::new();
        for index in 0..count {
            let device = order.device(index).map_err(|e| e.to_string())?;
            let public =
                key(Digest::tagged("rehearsal-device", REALM, &[seed.octets(), &index.to_be_bytes()]).octets())?;
            let subject = Subject {
                country: order.subject.country.clone(),
                organization: order.subject.organization.clone(),
                common_name: order.subject.common_name.as_ref().map(|name| name.replace("{device}", device.as_str())),
                serial_number: Some(device.to_string()),
                ..Subject::default()
            };
            let request = CertificateRequest {
                realm: REALM,
                issuer: Issuer::By(issuer),
                subject: SubjectName::Fields(marked(REALM, &subject)),
                key: SubjectKey::from(public.public_key()),
                ski: None,
                not_before: order.not_before.max(issuer.not_before()),
                not_after: order.not_after.min(issuer.not_after()),
                serial: serial::of(&seed, index)?,
                additions: profile.additions(REALM, "", oids::REHEARSAL_POLICY),
                profile: profile.clone(),
            };
            let tbs = build_tbs(&request).map_err(|e| e.to_string())?;
            let signature = self.key.sign(&tbs).map_err(|e| e.to_string())?;
            let der = assemble(&tbs, ALGORITHM, &signature).map_err(|e| e.to_string())?;
            log += &pem::to_pem(pem::CERTIFICATE, &der).map_err(|e| e.to_string())?;
        }
        let statement = LogStatement {
            format: LogStatement::format(),
            realm: REALM,
            factory: factory.to_owned(),
            order: delegated.order,
            issuer: issuer.digest(),
            sequence: 1,
            previous: None,
            made: Instant(order.not_before.max(issuer.not_before()).0 + HOUR),
            count,
            size: log.len() as u64,
            sha256: Digest::of(log.as_bytes()),
        };
        let signed = statement.sign(&Station::of(factory).receipt_key()?).map_err(|e| e.to_string())?;
        let statement = signed.to_octets().map_err(|e| e.to_string())?;
        let name = format!("{}-log-1", delegated.name);
        Ok(vec![(format!("{name}.log.json"), statement), (format!("{name}.log.pem"), log.into_bytes())])
    }
}

fn key(octets: &[u8; 32]) -> Result<SigningKey, String> {
    let material: Vec<u8> = octets.iter().copied().cycle().take(ALGORITHM.material_octets()).collect();
    SigningKey::from_material(ALGORITHM, &material).map_err(|e| e.to_string())
}
