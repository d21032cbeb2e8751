//! The simulated factory of a rehearsal: what its station would send, where no file of the rehearsal holds it. Its keys follow from its
//! name, so that everybody has them: whatever is sealed to it is sealed to nobody in particular.

use crate::basics::{Digest, Instant, Realm};
use crate::ceremony::{Ask, effect};
use crate::devices::durable_file;
use crate::basics::limits;
use crate::factory::enrolment::{self, Answer, Enrolment, ManifestSigner, Pins, Signed};
use crate::keys::recipient::{RecipientKind, recipient_of};
use crate::keys::ssh::{SshPublicKey, SshSigningKey};
use crate::plan::Plan;
use crate::runner::folder::Folder;
use crate::runner::rehearsal;
use crate::strongroom::sealing;

const REALM: Realm = Realm::Rehearsal;

/// A simulated station.
pub struct Station<'n> {
    name: &'n str,
}

impl<'n> Station<'n> {
    #[must_use]
    pub const fn of(name: &'n str) -> Self {
        Self { name }
    }

    fn octets(&self, what: &str) -> [u8; 32] {
        *Digest::tagged("rehearsal-station", REALM, &[self.name.as_bytes(), what.as_bytes()]).octets()
    }

    fn recipient(&self) -> Result<String, String> {
        recipient_of(RecipientKind::X25519, &self.octets("identity")).map_err(|e| e.to_string())
    }

    fn receipt_key(&self) -> Result<SshSigningKey, String> {
        SshSigningKey::from_seed(&self.octets("receipt-key")).map_err(|e| e.to_string())
    }

    /// Opens what is sealed to it.
    fn open(&self, sealed: &[u8]) -> Result<crate::basics::Secret, String> {
        sealing::open(RecipientKind::X25519, &self.octets("identity"), sealed)
    }

    fn request(&self, plan: &Plan, seed: u64, made: Instant) -> Result<Signed<Enrolment>, String> {
        let standing = plan.standing.as_ref().ok_or("a factory is enrolled after a root was made")?;
        let own = standing.authorities.values().filter_map(|made| effect::parse_certificate(&made.certificate).ok());
        let root = own.into_iter().find(|certificate| certificate.verify_self_signed().is_ok());
        let root = root.ok_or("no root stands that the simulated factory could pin")?.digest();
        let mut signers = Vec::new();
        for signer in rehearsal::signers(plan, seed)? {
            let key = SshPublicKey::parse(&signer.public_key).map_err(|e| e.to_string())?;
            signers.push(ManifestSigner { key, who: signer.person });
        }
        let key = self.receipt_key()?;
        let request = Enrolment {
            factory: self.name.to_owned(),
            format: Enrolment::format(),
            made,
            pins: Pins { root, signers, threshold: 2 },
            realm: REALM,
            receipt_key: key.public(),
            recipient: self.recipient()?,
            store: Digest::of(self.name.as_bytes()).hex().chars().take(32).collect(),
        };
        request.sign(&key).map_err(|e| e.to_string())
    }

    /// Its answer to the challenge that left.
    fn answer(&self, folder: &Folder) -> Result<Vec<u8>, String> {
        let path = folder.media().join("across").join(format!("{}.challenge.age", self.name));
        let sealed = durable_file::read(&path, limits::SMALL_FILE_OCTETS).map_err(|e| e.to_string())?;
        let opened = self.open(&sealed)?;
        let (request, nonce) = enrolment::read_challenge(opened.expose_text(), REALM).map_err(|e| e.to_string())?;
        let answer = Answer::sign(REALM, request, &nonce, &self.receipt_key()?).map_err(|e| e.to_string())?;
        answer.to_octets().map_err(|e| e.to_string())
    }
}

/// Puts what a simulated factory sends among what comes in, where nothing of that name is there.
///
/// # Errors
/// Where it cannot be made.
pub fn provide(plan: &Plan, ask: &Ask, folder: &Folder, now: Instant, seed: Option<u64>) -> Result<(), String> {
    let Ask::Object { name, .. } = ask else { return Ok(()) };
    let path = folder.incoming().join(name);
    if !plan.realm.is_rehearsal() || path.exists() {
        return Ok(());
    }
    let octets = if let Some(factory) = name.strip_suffix(".enrolment.json") {
        let signed = Station::of(factory).request(plan, seed.unwrap_or(0), now)?;
        signed.to_octets().map_err(|e| e.to_string())?
    } else if let Some(factory) = name.strip_suffix(".answer.json") {
        Station::of(factory).answer(folder)?
    } else {
        return Ok(());
    };
    durable_file::folder(&folder.incoming()).map_err(|e| e.to_string())?;
    durable_file::create(&path, &octets).map_err(|e| e.to_string())
}
