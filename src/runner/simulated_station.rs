//! The simulated factory of a rehearsal: what its station would send, where no file of the rehearsal holds it. Its keys follow from its
//! name, so that everybody has them: whatever is sealed to it is sealed to nobody in particular.

use crate::basics::digest::hex_encode;
use crate::basics::{Digest, Instant, Realm, limits};
use crate::ceremony::{Ask, effect};
use crate::devices::durable_file;
use crate::factory::enrolment::{self, Answer, Enrolment, ManifestSigner, Pins, Signed};
use crate::factory::record::{DeviceKey, possession_message, possession_nonce};
use crate::factory::returned::Returned;
use crate::factory::shard::Records;
use crate::factory::{Manifest, Outcome, Receipt, State, manifest, merkle, receipt};
use crate::keys::SigningKey;
use crate::keys::recipient::{RecipientKind, recipient_of};
use crate::keys::ssh::{SshPublicKey, SshSigningKey};
use crate::plan::{Plan, Standing};
use crate::runner::folder::Folder;
use crate::runner::rehearsal;
use crate::strongroom::sealing;
use std::collections::BTreeMap;
use std::path::Path;

const REALM: Realm = Realm::Rehearsal;
/// Milliseconds.
const HOUR: u64 = 60 * 60 * 1_000;
/// One identity in so many fails its test and is scrapped; the last of a bundle is still in stock.
const SCRAPPED_EVERY: u32 = 10;

/// A simulated station.
pub struct Station<'n> {
    name: &'n str,
}

impl<'n> Station<'n> {
    #[must_use]
    pub const fn of(name: &'n str) -> Self {
        Self { name }
    }

    pub(super) fn octets(&self, what: &str) -> [u8; 32] {
        *Digest::tagged("rehearsal-station", REALM, &[self.name.as_bytes(), what.as_bytes()]).octets()
    }

    fn recipient(&self) -> Result<String, String> {
        recipient_of(RecipientKind::X25519, &self.octets("identity")).map_err(|e| e.to_string())
    }

    pub(super) fn receipt_key(&self) -> Result<SshSigningKey, String> {
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

    /// Its receipt of a bundle in this folder: most identities were put into devices that proved their keys.
    fn receipt(&self, folder: &Path, made: Instant) -> Result<Returned, String> {
        let octets = durable_file::read(&folder.join(manifest::NAME), limits::RECORDED_MANIFEST_OCTETS);
        let octets = octets.map_err(|e| e.to_string())?;
        let manifest = Manifest::parse(&octets).map_err(|e| e.to_string())?;
        let (mut outcomes, mut tree) = (Vec::new(), merkle::Tree::default());
        let mut states: BTreeMap<State, u32> = State::ALL.into_iter().map(|state| (state, 0)).collect();
        for shard in 0..manifest.shards() {
            let path = folder.join(manifest::shard_name(shard));
            let sealed = durable_file::read(&path, limits::SHARD_OCTETS).map_err(|e| e.to_string())?;
            let opened = self.open(&sealed)?;
            for record in Records::open(opened.expose()).map_err(|e| e.to_string())? {
                let record = record.map_err(|e| e.to_string())?;
                let (digest, nonce) = (record.digest(REALM), possession_nonce(REALM, &manifest.nonce, record.index));
                // A key that never left its device cannot be simulated here: the line says that it is in there, and proves nothing.
                let proof = match &record.key {
                    DeviceKey::None => Vec::new(),
                    DeviceKey::Pkcs8(key) => SigningKey::from_pkcs8_der(key.expose())
                        .and_then(|key| key.sign(&possession_message(&nonce, &digest)))
                        .map_err(|e| e.to_string())?,
                };
                let state = match () {
                    () if record.index + 1 == manifest.count && manifest.count > 1 => State::Released,
                    () if record.index % SCRAPPED_EVERY == SCRAPPED_EVERY - 3 => State::Scrapped,
                    () if proof.is_empty() => State::Injected,
                    () => State::Verified,
                };
                let proof = if state == State::Verified { proof } else { Vec::new() };
                *states.entry(state).or_default() += 1;
                let outcome = {
                    let line = u32::from(state != State::Released);
                    Outcome { index: record.index, state, line, changed: made, record: digest, proof }
                };
                tree.push(outcome.leaf());
                outcomes.extend(outcome.to_octets());
            }
        }
        let receipt = Receipt {
            format: Receipt::format(),
            realm: REALM,
            factory: self.name.to_owned(),
            bundle: manifest.bundle,
            manifest: Digest::of(&octets),
            sequence: 1,
            made,
            count: manifest.count,
            states,
            outcomes_root: tree.root(),
            outcomes_sha256: Digest::of(&outcomes),
            refusals: BTreeMap::new(),
            ledger_head: Digest::of(self.name.as_bytes()),
            ledger_entries: u64::from(manifest.count) * 4,
        };
        let said = receipt.to_octets().map_err(|e| e.to_string())?;
        let signature =
            self.receipt_key()?.sign(&REALM.namespace(receipt::PURPOSE), &said).map_err(|e| e.to_string())?;
        Ok(Returned { outcomes: hex_encode(&outcomes), receipt, signature })
    }
}

/// Simulated factories send a receipt of every bundle of the earlier rehearsal: names and octets of what comes in.
///
/// # Errors
/// Where one cannot be made.
pub fn receipts(from: &Folder, standing: &Standing) -> Result<Vec<(String, Vec<u8>)>, String> {
    let mut made = Vec::new();
    for (name, factory) in &standing.factories {
        // A real station has its own keys, and what is sealed to it opens there only: its receipt comes as a file.
        if factory.recipient != Station::of(name).recipient()? {
            continue;
        }
        for bundle in &factory.bundles {
            let folder = from.bundles().join(bundle.bundle.hex());
            // One that an earlier ceremony of the chain made is not here; the factory spoke of it then.
            if folder.is_dir() {
                let returned = Station::of(name).receipt(&folder, Instant(bundle.issued.0 + HOUR))?;
                let octets = returned.to_octets().map_err(|e| e.to_string())?;
                made.push((format!("{}.receipt.json", bundle.name), octets));
            }
        }
    }
    Ok(made)
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
        let request =
            durable_file::read(&folder.incoming().join(format!("{factory}.enrolment.json")), limits::SMALL_FILE_OCTETS);
        let simulated = Station::of(factory).recipient()?;
        if request.is_ok_and(|request| !String::from_utf8_lossy(&request).contains(&simulated)) {
            let (challenge, answer) = (folder.artifacts().join(format!("{factory}.challenge.age")), path.display());
            return Err(format!(
                "{factory} enrolled a station of its own, which must answer itself: `anchorite station challenge STATION {} --out {answer}`; then ask again, or leave and `anchorite resume {}`",
                challenge.display(),
                folder.root().display()
            ));
        }
        Station::of(factory).answer(folder)?
    } else {
        return Ok(());
    };
    durable_file::folder(&folder.incoming()).map_err(|e| e.to_string())?;
    durable_file::create(&path, &octets).map_err(|e| e.to_string())
}
