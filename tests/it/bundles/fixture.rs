//! A strongroom with an issuing authority that a quorum unlocked for one batch: what tests and `benches/bundle.rs` write bundles with.

use anchorite::basics::digest::{hex_decode, hex_encode};
use anchorite::basics::{Digest, Instant, Realm};
use anchorite::bundles::{BundleError, Making, Written};
use anchorite::custody::quorum::{QuorumId, QuorumRecord};
use anchorite::factory::manifest::{CeremonyRef, ProfileRef};
use anchorite::factory::order::Order;
use anchorite::factory::requests::{Accepted, shard_digest};
use anchorite::factory::terms::{BatchRoom, Requested};
use anchorite::factory::{BatchTerms, BundleId, Listed};
use anchorite::keys::recipient::RecipientKind;
use anchorite::keys::ssh::SshSigningKey;
use anchorite::keys::{Algorithm, PublicKey, SigningKey, SubjectKey, recipient};
use anchorite::pki::certificate::{self, CertificateRequest, Issuer};
use anchorite::pki::name::{Subject, SubjectName, marked};
use anchorite::pki::profile::{BUILT_IN, Profile};
use anchorite::pki::{Certificate, CrlRequest, crl, oids};
use anchorite::strongroom::Strongroom;
use anchorite::strongroom::protocol::{Request, Response};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub const REALM: Realm = Realm::Rehearsal;
/// The identity of the factory of these bundles.
pub const FACTORY: [u8; 32] = [0x42; 32];

pub fn at(text: &str) -> Instant {
    Instant::parse(text).unwrap()
}

pub fn profile(name: &str) -> Profile {
    toml::from_str(profile_text(name)).unwrap()
}

fn profile_text(name: &str) -> &'static str {
    BUILT_IN.iter().find(|(known, _)| *known == name).unwrap().1
}

/// What differs between the batches of these tests.
#[derive(Clone)]
pub struct Kind {
    pub count: u32,
    pub shard_records: u32,
    pub profile: &'static str,
    pub issuer_profile: &'static str,
    pub device: Algorithm,
    pub issuer: Algorithm,
    pub listed: Option<Vec<&'static str>>,
    /// The listed devices have hardware ids: `soc=9F3C:N`.
    pub hardware: bool,
    pub seconds: u64,
    pub seed: u64,
    /// Keys that devices made; `count` is then theirs.
    pub requested: Option<Vec<Accepted>>,
}

impl Default for Kind {
    fn default() -> Self {
        Self {
            count: 25,
            shard_records: 10,
            profile: "idevid",
            issuer_profile: "subca-device",
            device: Algorithm::EcdsaP256,
            issuer: Algorithm::EcdsaP256,
            listed: None,
            hardware: false,
            seconds: 3_600,
            seed: 7,
            requested: None,
        }
    }
}

impl Kind {
    pub fn matter() -> Self {
        Self { profile: "matter-dac", issuer_profile: "matter-pai", ..Self::default() }
    }

    /// The order, as its requester wrote it.
    pub fn order(&self) -> String {
        let Self { count, profile, device, .. } = self;
        let matter = *profile == "matter-dac";
        let devices = match &self.listed {
            Some(_) if self.hardware => String::new(),
            Some(ids) => format!("hardware_ids = {ids:?}"),
            None => "devices = { prefix = \"LAMP-\", first = 1, digits = 8 }".to_owned(),
        };
        let organization = if matter { "" } else { "organization = \"Example Lamps\"\n" };
        let ids = if matter { "[matter]\nvendor_id = \"FFF1\"\nproduct_id = \"8000\"\n" } else { "" };
        let named = self.listed.iter().flatten().enumerate().filter(|_| self.hardware);
        let named: String =
            named.map(|(n, id)| format!("[[device]]\nid = \"{id}\"\nhardware = {{ soc = \"9F3C:{n}\" }}\n")).collect();
        let end = if *profile == "idevid" { "9999-12-31T23:59:59Z" } else { "2030-11-26T00:00:00Z" };
        let device = device.word();
        let mode = match self.requested {
            Some(_) => format!("device-generated\"\nnonce = \"{}", "cd".repeat(32)),
            None => "injected".to_owned(),
        };
        format!(
            "format = \"anchorite-order/1\"\nrealm = \"rehearsal\"\nfactory = \"ostrava\"\nproduct = \"lamp\"\n\
             sku = \"LAMP-E27-W\"\nmode = \"{mode}\"\nalgorithm = \"{device}\"\nprofile = \"{profile}\"\n\
             count = {count}\n{devices}\nquota = 5000000\nnot_before = \"2026-11-26T00:00:00Z\"\nnot_after = \"{end}\"\n\
             expires = \"2027-02-26T00:00:00Z\"\n[firmware]\nversion = \"1.4.0\"\nsha256 = \"{}\"\n\
             [subject]\n{organization}common_name = \"Lamp {{device}}\"\n{ids}{named}",
            "ab".repeat(32)
        )
    }
}

/// Everything a bundle is written with.
pub struct Issuing {
    pub strongroom: Strongroom,
    pub terms: BatchTerms,
    pub issuer: Certificate,
    pub chain: String,
    pub crl: String,
    pub listed: Vec<Listed>,
    /// The accepted requests of each shard.
    pub requested: Vec<Vec<u8>>,
    pub sequence: u64,
    pub previous: Option<Digest>,
}

/// The accepted requests of each shard, as the strongroom gets them.
pub fn octets_of(accepted: &[Accepted], shard_records: u32) -> Vec<Vec<u8>> {
    let shard = |some: &[Accepted]| {
        let mut octets = Vec::new();
        some.iter().for_each(|one| one.write(&mut octets));
        octets
    };
    accepted.chunks(shard_records as usize).map(shard).collect()
}

fn ask(room: &mut Strongroom, request: Request) -> (Response, Option<anchorite::basics::Secret>) {
    let (response, secret) = room.ask(request, None).unwrap();
    assert!(!matches!(response, Response::Refused { .. }), "{response:?}");
    (response, secret)
}

/// An authority's certificate under `issuer`, or under its own key.
fn authority(
    name: &str,
    key: &PublicKey,
    signer: Option<(&Certificate, &SigningKey)>,
    own: Option<&SigningKey>,
) -> Certificate {
    let profile = profile(name);
    let mut subject = Subject::authority(None, "Example Lamps", &format!("Lamps {name}"));
    if name.starts_with("matter") {
        subject = Subject { common_name: Some(format!("Lamps {name}")), ..Subject::default() };
        subject.matter_vid = Some("FFF1".to_owned());
    }
    let issuer = signer.map_or(Issuer::SelfSigned, |(issuer, _)| Issuer::By(issuer));
    let mut additions = profile.additions(REALM, "1.3.6.1.4.1.32473.7", oids::REHEARSAL_POLICY);
    if signer.is_some() && !name.starts_with("matter") {
        additions.crl_urls = vec!["http://pki.example.com/root.crl".to_owned()];
    }
    let request = CertificateRequest {
        realm: REALM,
        issuer,
        subject: SubjectName::Fields(marked(REALM, &subject)),
        key: SubjectKey::from(key.clone()),
        ski: None,
        not_before: at("2026-11-01T00:00:00Z"),
        not_after: at(if signer.is_some() { "2040-11-01T00:00:00Z" } else { "2046-11-01T00:00:00Z" }),
        serial: [0x41; 20],
        additions,
        profile,
    };
    let tbs = certificate::build_tbs(&request).unwrap();
    let by = signer.map(|(_, key)| key).or(own).unwrap();
    let der = certificate::assemble(&tbs, by.algorithm(), &by.sign(&tbs).unwrap()).unwrap();
    Certificate::parse(&der).unwrap()
}

/// Opens `strongroom`, makes an issuing key and a quorum in it, and unlocks the key for the batch of `kind` as a quorum does.
pub fn issuing(mut strongroom: Strongroom, kind: &Kind) -> Issuing {
    let profiles: BTreeMap<String, Profile> = [(kind.profile.to_owned(), profile(kind.profile))].into();
    let post_quantum = kind.issuer.is_post_quantum();
    let recipient = if post_quantum { RecipientKind::MlKem768X25519 } else { RecipientKind::X25519 };
    let open = Request::Open {
        realm: REALM,
        ceremony: format!("bundle-{}", kind.seed),
        plan_digest: Digest::of(b"plan"),
        profiles,
        seed: Some(kind.seed),
    };
    let room = &mut strongroom;
    ask(room, open);
    let make = Request::MakeKey {
        authority: "issuing".to_owned(),
        algorithm: kind.issuer,
        quorum: "issuing-2026".to_owned(),
        recipient,
        generation: 1,
        threshold: 2,
        count: 3,
        step: "issuing-key".to_owned(),
        operations: Vec::new(),
        sealed_to: String::new(),
    };
    let (Response::KeyMade { public_key, recipient, quorum_id, commitments, sealed, .. }, _) = ask(room, make) else {
        panic!("no key")
    };
    let key = PublicKey::from_spki_der(&hex_decode(&public_key).unwrap()).unwrap();
    let (root_profile, root_algorithm) = match kind.issuer_profile {
        "matter-pai" => ("matter-paa", Algorithm::EcdsaP256),
        "subca-device-pq" => ("root-device-pq", Algorithm::MlDsa87),
        _ => ("root-device", Algorithm::EcdsaP384),
    };
    let root_key = SigningKey::from_material(root_algorithm, &[0x33; 64]).unwrap();
    let root = authority(root_profile, &root_key.public_key(), None, Some(&root_key));
    let issuer = authority(kind.issuer_profile, &key, Some((&root, &root_key)), None);

    let text = kind.order();
    let order = Order::parse(text.as_bytes()).unwrap();
    let room_part = BatchRoom {
        replaced_seed: None,
        bundle: BundleId::from_octets([u8::try_from(kind.seed).unwrap(); 16]),
        recipient: recipient::recipient_of(RecipientKind::X25519, &FACTORY).unwrap(),
        profile: ProfileRef {
            name: kind.profile.to_owned(),
            sha256: Digest::of(profile_text(kind.profile).as_bytes()),
        },
        issuer: issuer.digest(),
        shard_records: kind.shard_records,
        additions: profile(kind.profile).additions(REALM, "1.3.6.1.4.1.32473.7", oids::REHEARSAL_POLICY),
        attested_policies: profile(kind.profile)
            .policies
            .of_attested()
            .map(|policies| policies.in_realm(REALM, "1.3.6.1.4.1.32473.7", oids::REHEARSAL_POLICY)),
        requested: kind.requested.as_ref().map(|accepted| Requested {
            requests: Digest::of(b"statement"),
            accepted: u32::try_from(accepted.len()).unwrap(),
            shards: octets_of(accepted, kind.shard_records).iter().map(|octets| shard_digest(REALM, octets)).collect(),
            replaced: None,
        }),
        lineage_oid: (kind.profile != "matter-dac").then(|| "1.3.6.1.4.1.32473.7.1".to_owned()),
        hardware_type: (kind.profile == "idevid").then(|| "1.3.6.1.4.1.32473.7.2".to_owned()),
        serial_seed: Digest::of(b"serials"),
        seconds: kind.seconds,
    };
    let terms = BatchTerms::new(&order, Order::digest(text.as_bytes()), room_part).unwrap();

    let record = QuorumRecord {
        realm: REALM,
        name: "issuing-2026".to_owned(),
        id: QuorumId::parse(&quorum_id).unwrap(),
        generation: 1,
        threshold: 2,
        count: 3,
        recipient: recipient.clone(),
        commitments,
        holders: Vec::new(),
        retired: Vec::new(),
    };
    for index in [1, 3] {
        let (_, share) = ask(room, Request::Reveal { quorum: "issuing-2026".to_owned(), index });
        let typed = Request::TypedShare { record: record.clone(), index, already: Vec::new() };
        assert!(matches!(room.ask(typed, share).unwrap().0, Response::Proven { .. }));
    }
    let list = crl::build_tbs(&CrlRequest {
        issuer: &issuer,
        number: 1,
        this_update: at("2026-11-20T00:00:00Z"),
        next_update: at("2026-12-20T00:00:00Z"),
        revoked: Vec::new(),
    })
    .unwrap();
    // The list is signed with the same key, which the room draws from the seed: drawn here again.
    let draws_key = authority_key(kind, &strongroom_machine(kind));
    assert_eq!(draws_key.public_key(), key);
    let der = crl::assemble(&list, draws_key.algorithm(), &draws_key.sign(&list).unwrap()).unwrap();
    let crl = anchorite::pki::CertificateList::parse(&der).unwrap().to_pem().unwrap();

    let unlock = Request::Unlock {
        authority: "issuing".to_owned(),
        quorum_id,
        sealed_digest: Digest::of(&hex_decode(&sealed).unwrap()),
        sealed,
        recipient,
        public_key,
        operations: vec![terms.title().unwrap()],
        digests: vec![terms.digest().unwrap()],
    };
    ask(&mut strongroom, unlock);
    let listed = order.list();
    let chain = format!("{}{}", issuer.to_pem().unwrap(), root.to_pem().unwrap());
    let requested = octets_of(kind.requested.as_deref().unwrap_or_default(), kind.shard_records);
    Issuing { strongroom, terms, issuer, chain, crl, listed, requested, sequence: 1, previous: None }
}

fn strongroom_machine(kind: &Kind) -> anchorite::basics::Secret {
    let plan = Digest::of(b"plan");
    anchorite::custody::draw::Draws::rehearsal(kind.seed, &format!("bundle-{}", kind.seed), &plan).expand(
        "strongroom",
        "machine",
        0,
        0,
        64,
    )
}

fn authority_key(kind: &Kind, machine: &anchorite::basics::Secret) -> SigningKey {
    let sources = [("getrandom", machine.expose())];
    let plan = Digest::of(b"plan");
    let draws =
        anchorite::custody::draw::Draws::extract(REALM, &format!("bundle-{}", kind.seed), &plan, &sources).unwrap();
    let material = draws.expand("issuing-key", "authority-key", 0, 1, 64);
    SigningKey::from_material(kind.issuer, material.expose()).unwrap()
}

impl Issuing {
    /// Writes the bundle.
    pub fn write(&mut self, out: &Path) -> Result<Written, BundleError> {
        let requested = |shard: u32| Ok(self.requested[shard as usize].clone());
        let made_here = self.requested.is_empty();
        let making = Making {
            terms: &self.terms,
            authority: "issuing",
            issuer_der: self.issuer.der(),
            chain: self.chain.as_bytes(),
            crl: self.crl.as_bytes(),
            sequence: self.sequence,
            previous: self.previous,
            issued: at("2026-11-26T10:00:00Z"),
            expires: at("2027-02-26T00:00:00Z"),
            policy: None,
            ceremony: CeremonyRef { id: "bundle-2026".to_owned(), head: Digest::of(b"head") },
            nonce: Digest::of(b"nonce"),
            salt: [9; 8],
            listed: &self.listed,
            kept: &kept(out),
            requested: if made_here { None } else { Some(&requested) },
        };
        // Each shard is told, in order.
        let mut told = 0;
        let written = anchorite::bundles::write(&mut self.strongroom, &making, out, &mut |done, of| {
            told += 1;
            assert_eq!((done, of), (told, self.terms.shards()));
        });
        assert_eq!(told, written.as_ref().map_or(told, |_| self.terms.shards()));
        written
    }
}

/// Where what is public of a bundle's records is kept, in these tests.
pub fn kept(bundle: &Path) -> PathBuf {
    bundle.with_extension("kept.cbor")
}

/// A bundle written in this process, signed by two.
pub fn bundle(kind: &Kind, out: &Path) -> Written {
    let written = issuing(Strongroom::in_process(), kind).write(out).unwrap();
    for who in ["anna", "bo"] {
        sign(out, who);
    }
    written
}

pub fn signer(who: &str) -> SshSigningKey {
    SshSigningKey::from_seed(Digest::of(who.as_bytes()).octets()).unwrap()
}

pub fn sign(folder: &Path, who: &str) {
    let manifest = std::fs::read(folder.join("manifest.json")).unwrap();
    let signature = signer(who).sign(&REALM.namespace("bundle"), &manifest).unwrap();
    std::fs::write(folder.join(format!("manifest.json.{who}.sig")), signature).unwrap();
}

/// `allowed_signers` for these people.
pub fn signers(who: &[&str]) -> String {
    let line =
        |who: &&str| format!("{who} namespaces=\"{}\" {}\n", REALM.namespace("bundle"), signer(who).public().line());
    who.iter().map(line).collect()
}

/// Opens a shard as the factory does.
pub fn open(folder: &Path, shard: u32) -> Vec<u8> {
    let sealed = std::fs::read(folder.join(format!("shards/{shard:05}.age"))).unwrap();
    let identity: age::x25519::Identity =
        recipient::identity_text(RecipientKind::X25519, &FACTORY).expose_text().parse().unwrap();
    age::decrypt(&identity, &sealed).unwrap()
}

#[allow(dead_code, reason = "the bench has no need of it")]
pub fn hex(octets: &[u8]) -> String {
    hex_encode(octets)
}
