//! The room itself: what it holds, and the one function that answers a request. Pure but for the random octets drawn when it
//! is opened without a seed.

mod batches;
mod shares;

use crate::basics::digest::{hex_decode, hex_encode};
use crate::basics::{Digest, Realm, Secret};
use crate::ceremony::effect::{self, Operation};
use crate::custody::draw::Draws;
use crate::custody::quorum::{QuorumHead, quorum_id};
use crate::custody::share::Share;
use crate::custody::sharing;
use crate::keys::PublicKey;
use crate::keys::private::SigningKey;
use crate::keys::recipient::{self, RecipientKind};
use crate::keys::ssh::SshSigningKey;
use crate::pki::ladder::ThrowawayClean;
use crate::pki::profile::Profile;
use crate::pki::{certificate, crl, ladder};
use crate::strongroom::batch::Batch;
use crate::strongroom::protocol::{Request, Response};
use crate::strongroom::sealing;
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// What was said when the room was opened.
struct Opened {
    realm: Realm,
    ceremony: String,
    plan_digest: Digest,
    profiles: BTreeMap<String, Profile>,
    machine: Secret,
}

/// An authority's key, and what it may still sign.
struct OpenKey {
    key: SigningKey,
    operations: Vec<String>,
    /// Where custodians approved complete operations before it was opened: theirs, one for each title.
    digests: Vec<Digest>,
}

impl OpenKey {
    /// Signs octets that a throw-away key signed and the lint found nothing in; there is no other way to a signature.
    fn sign(&self, tbs: &[u8], _linted: &ThrowawayClean) -> Result<Vec<u8>, String> {
        self.key.sign(tbs).map_err(|e| e.to_string())
    }
}

/// The strongroom's whole memory.
#[derive(Default)]
pub struct Room {
    opened: Option<Opened>,
    dice: Option<Secret>,
    draws: Option<Draws>,
    run_key: Option<SshSigningKey>,
    keys: BTreeMap<String, OpenKey>,
    dealt: BTreeMap<String, Vec<Share>>,
    typed: Vec<Share>,
    pending: Option<(Share, Vec<String>)>,
    batch: Option<Batch>,
}

type Answer = (Response, Option<Secret>);

/// An answer, and what goes beside it in parts: shards lie where they were made, and nobody copies them together.
pub type InParts = (Response, Vec<Secret>);

impl Room {
    /// Answers one request; `secret` is what travelled beside it. Shards are an answer each, as they are made; `give` says whether
    /// anybody wants more.
    pub fn answer(&mut self, request: Request, secret: Option<Secret>, give: &mut dyn FnMut(InParts) -> bool) {
        let answered = match request {
            Request::IssueShards { first, count, devices } => {
                self.issue_shards((first, count), &devices, secret, give).map(|()| None)
            }
            request => self.try_answer(request, secret).map(Some),
        };
        let last = match answered {
            Ok(None) => return,
            Ok(Some((response, secret))) => (response, Vec::from_iter(secret)),
            Err(reason) => (Response::Refused { reason }, Vec::new()),
        };
        give(last);
    }

    fn try_answer(&mut self, request: Request, secret: Option<Secret>) -> Result<Answer, String> {
        match request {
            Request::Open { realm, ceremony, plan_digest, profiles, seed } => {
                self.open(realm, ceremony, plan_digest, profiles, seed)
            }
            Request::Dice => self.dice(secret),
            Request::MakeRunKey { run } => self.make_run_key(run),
            Request::SignCheckpoint { body } => self.sign_checkpoint(&body),
            Request::MakeKey {
                authority,
                algorithm,
                quorum,
                recipient,
                generation,
                threshold,
                count,
                step,
                operations,
                sealed_to,
            } => {
                let asked =
                    Asked { authority, algorithm, quorum, recipient, generation, threshold, count, step, operations };
                if sealed_to.is_empty() { self.make_key(asked) } else { self.make_further_key(asked, sealed_to) }
            }
            Request::Reveal { quorum, index } => {
                let share = usize::from(index).checked_sub(1).and_then(|i| self.dealt.get(&quorum)?.get(i));
                let text = share.ok_or_else(|| format!("share {index} of quorum {quorum} is not here"))?.to_text();
                Ok((Response::Share, Some(text)))
            }
            Request::TypedShare { record, index, already } => self.typed_share(&record, index, &already, secret),
            Request::AcceptCorrections => {
                let (share, corrected) = self.pending.take().ok_or("no corrections are waiting")?;
                let index = share.header().index;
                self.keep(share);
                Ok((Response::Proven { index, corrected }, None))
            }
            Request::Consistent { quorum_id, threshold, recipient } => {
                self.consistent(&quorum_id, threshold, &recipient)
            }
            Request::Unlock {
                authority,
                quorum_id,
                sealed,
                sealed_digest,
                recipient,
                public_key,
                operations,
                digests,
            } => {
                self.typed.retain(|share| share.header().quorum_id.hex() == quorum_id);
                self.unlock(authority, &sealed, sealed_digest, &recipient, &public_key, (operations, digests))
            }
            Request::Sign { operation, digest } => self.sign(&operation, digest),
            Request::OpenBatch { authority, issuer, terms, digest } => {
                self.open_batch(authority, &issuer, *terms, digest)
            }
            Request::Challenge { recipient, enrolment, factory } => self.challenge(&recipient, &enrolment, &factory),
            Request::IssueShards { .. } => Err("shards are answered one by one".to_owned()),
            Request::End => {
                *self = Self::default();
                Ok((Response::Ended, None))
            }
        }
    }

    fn opened(&self) -> Result<&Opened, String> {
        self.opened.as_ref().ok_or_else(|| "the strongroom has not been opened".to_owned())
    }

    fn open(
        &mut self,
        realm: Realm,
        ceremony: String,
        plan_digest: Digest,
        profiles: BTreeMap<String, Profile>,
        seed: Option<u64>,
    ) -> Result<Answer, String> {
        if self.opened.is_some() {
            return Err("the strongroom is open already".to_owned());
        }
        let machine = match (realm, seed) {
            (Realm::Rehearsal, Some(seed)) => {
                Draws::rehearsal(seed, &ceremony, &plan_digest).expand("strongroom", "machine", 0, 0, 64)
            }
            (Realm::Production, Some(_)) => return Err("a production strongroom takes no seed".to_owned()),
            (_, None) => {
                let mut octets = Zeroizing::new(vec![0; 64]);
                getrandom::fill(&mut octets).map_err(|e| format!("the machine's random source: {e}"))?;
                Secret::take(std::mem::take(&mut *octets))
            }
        };
        let commitment = Digest::tagged("entropy-commitment", realm, &[machine.expose()]);
        self.opened = Some(Opened { realm, ceremony, plan_digest, profiles, machine });
        Ok((Response::Opened { commitment, protections: BTreeMap::new() }, None))
    }

    fn dice(&mut self, secret: Option<Secret>) -> Result<Answer, String> {
        if self.draws.is_some() {
            return Err("something has been drawn already; dice come before".to_owned());
        }
        let typed = secret.ok_or("expected dice")?;
        let mut rolls = Secret::with_capacity(typed.len());
        for &octet in typed.expose() {
            match octet {
                b'1'..=b'6' => {
                    rolls.push(octet);
                }
                b' ' | b',' | b'\n' | b'\t' => {}
                _ => return Err("expected digits 1 to 6, as the dice show them".to_owned()),
            }
        }
        let count = u32::try_from(rolls.len()).unwrap_or(u32::MAX);
        self.dice = Some(rolls);
        Ok((Response::Dice { rolls: count }, None))
    }

    /// The draws of this session: every source so far, extracted once.
    fn draws(&mut self) -> Result<&Draws, String> {
        if self.draws.is_none() {
            let opened = self.opened()?;
            let mut sources: Vec<(&str, &[u8])> = vec![("getrandom", opened.machine.expose())];
            if let Some(dice) = &self.dice {
                sources.push(("dice", dice.expose()));
            }
            let draws = Draws::extract(opened.realm, &opened.ceremony, &opened.plan_digest, &sources)
                .map_err(|e| e.to_string())?;
            self.draws = Some(draws);
        }
        self.draws.as_ref().ok_or_else(|| "nothing can be drawn".to_owned())
    }

    fn make_run_key(&mut self, run: u32) -> Result<Answer, String> {
        let seed = self.draws()?.expand("run", "checkpoint-key", run, 0, 32);
        let seed: Zeroizing<[u8; 32]> = Zeroizing::new(seed.expose().try_into().map_err(|_| "32 octets were drawn")?);
        let key = SshSigningKey::from_seed(&seed).map_err(|e| e.to_string())?;
        let public_key = key.public().line().to_owned();
        self.run_key = Some(key);
        Ok((Response::RunKey { public_key }, None))
    }

    fn sign_checkpoint(&self, body: &str) -> Result<Answer, String> {
        let opened = self.opened()?;
        let key = self.run_key.as_ref().ok_or("no run key has been made")?;
        let origin = format!("anchorite/{}/{}\n", opened.realm, opened.ceremony);
        let rest: Vec<&str> = body.strip_prefix(&origin).unwrap_or_default().split('\n').collect();
        let shaped = matches!(rest.as_slice(), [size, head, ""] if size.parse::<u32>().is_ok() && head.len() == 44);
        if !shaped {
            return Err("expected a checkpoint of this ceremony".to_owned());
        }
        let armoured = key.sign(&opened.realm.namespace("checkpoint"), body.as_bytes()).map_err(|e| e.to_string())?;
        Ok((Response::CheckpointSigned { armoured }, None))
    }

    fn make_key(&mut self, asked: Asked) -> Result<Answer, String> {
        let realm = self.opened()?.realm;
        let attempt = u32::from(asked.generation);
        let draws = self.draws()?;
        let material = draws.expand(&asked.step, "authority-key", 0, attempt, asked.algorithm.material_octets());
        let key = SigningKey::from_material(asked.algorithm, material.expose()).map_err(|e| e.to_string())?;
        let identity = draws.expand(&asked.step, "quorum-identity", 0, attempt, 32);
        let octets: Zeroizing<[u8; 32]> =
            Zeroizing::new(identity.expose().try_into().map_err(|_| "32 octets were drawn")?);
        let recipient = recipient::recipient_of(asked.recipient, &octets).map_err(|e| e.to_string())?;
        let id = quorum_id(realm, &asked.quorum, &recipient, asked.generation);
        let head = QuorumHead {
            realm,
            quorum_id: id,
            generation: asked.generation,
            threshold: asked.threshold,
            count: asked.count,
        };
        let shares = sharing::split(&identity, &head, draws.rng(&asked.step, "shares", 0, attempt))
            .map_err(|e| e.to_string())?;
        // Every k-subset is checked before anybody sees a share.
        sharing::consistent(&shares, asked.threshold).map_err(|e| e.to_string())?;
        if !sharing::combine(&shares).map_err(|e| e.to_string())?.same_as(identity.expose()) {
            return Err("the shares do not give the identity back".to_owned());
        }
        let pem = key.to_pkcs8_pem().map_err(|e| e.to_string())?;
        let sealed = sealing::seal(&recipient, &pem)?;
        if !sealing::open(asked.recipient, &octets, &sealed)?.same_as(pem.expose()) {
            return Err("the sealed key does not open again".to_owned());
        }
        let response = Response::KeyMade {
            public_key: hex_encode(key.public_key().spki_der()),
            recipient,
            quorum_id: id.hex(),
            commitments: shares.iter().map(Share::commitment).collect(),
            sealed: hex_encode(&sealed),
        };
        self.dealt.insert(asked.quorum, shares);
        self.keys.insert(asked.authority, OpenKey { key, operations: asked.operations, digests: Vec::new() });
        Ok((response, None))
    }

    /// A key for a quorum that is live already: sealing to its recipient opens nothing.
    fn make_further_key(&mut self, asked: Asked, recipient: String) -> Result<Answer, String> {
        let material = self.draws()?.expand(
            &asked.step,
            "authority-key",
            0,
            u32::from(asked.generation),
            asked.algorithm.material_octets(),
        );
        let key = SigningKey::from_material(asked.algorithm, material.expose()).map_err(|e| e.to_string())?;
        let sealed = sealing::seal(&recipient, &key.to_pkcs8_pem().map_err(|e| e.to_string())?)?;
        let response = Response::KeyMade {
            public_key: hex_encode(key.public_key().spki_der()),
            recipient,
            quorum_id: String::new(),
            commitments: Vec::new(),
            sealed: hex_encode(&sealed),
        };
        self.keys.insert(asked.authority, OpenKey { key, operations: asked.operations, digests: Vec::new() });
        Ok((response, None))
    }

    fn unlock(
        &mut self,
        authority: String,
        sealed: &str,
        sealed_digest: Digest,
        recipient: &str,
        public_key: &str,
        (operations, digests): (Vec<String>, Vec<Digest>),
    ) -> Result<Answer, String> {
        if !digests.is_empty() && digests.len() != operations.len() {
            return Err("expected a digest for every operation".to_owned());
        }
        let sealed = hex_decode(sealed).ok_or("the sealed key is not hexadecimal")?;
        if Digest::of(&sealed) != sealed_digest {
            return Err(format!(
                "the sealed key is not the one of the record: expected {sealed_digest}, found {}",
                Digest::of(&sealed)
            ));
        }
        let pem = sealing::open(kind_of(recipient)?, &*self.identity(recipient)?, &sealed)?;
        self.typed.clear();
        let key = SigningKey::from_pkcs8_pem(pem.expose()).map_err(|e| e.to_string())?;
        if hex_encode(key.public_key().spki_der()) != public_key {
            return Err("the sealed key is another one than the record's".to_owned());
        }
        self.keys.insert(authority, OpenKey { key, operations, digests });
        Ok((Response::Unlocked, None))
    }

    fn sign(&mut self, operation: &Operation, approved: Digest) -> Result<Answer, String> {
        // As long as any algorithm wants: a longer draw begins with the shorter one.
        let throwaway = self.draws()?.expand("strongroom", "throw-away", 0, 0, 96);
        let opened = self.opened.as_ref().ok_or("the strongroom has not been opened")?;
        let open = self
            .keys
            .get_mut(operation.authority())
            .ok_or_else(|| format!("the key of {} is not open here", operation.authority()))?;
        let title = operation.title();
        let listed = open.operations.iter().position(|listed| *listed == title);
        let Some(listed) = listed else {
            return Err(format!("{title} is not on the list this key was opened for"));
        };
        if open.digests.get(listed).is_some_and(|fixed| *fixed != approved) {
            return Err(format!("{title} is not the one that the custodians opened this key for"));
        }
        let public: PublicKey = open.key.public_key();
        let (digest, tbs) =
            effect::operation_digest(opened.realm, &opened.ceremony, &opened.profiles, public.spki_der(), operation)?;
        if digest != approved {
            return Err(format!("what would be signed is not what was approved: expected {approved}, found {digest}"));
        }
        let material = throwaway.expose().get(..public.algorithm().material_octets()).unwrap_or_default();
        let throwaway = SigningKey::from_material(public.algorithm(), material).map_err(|e| e.to_string())?;
        let found = |findings: Vec<crate::pki::lint::Finding>| crate::ceremony::steps::issue_findings(&findings);
        let der = match operation {
            Operation::RootCertificate { .. } => {
                let request = effect::root_request(opened.realm, &opened.profiles, operation)?;
                let linted = ladder::check_before(&request, &tbs, &throwaway).map_err(found)?;
                let signature = open.sign(&tbs, &linted)?;
                let der = certificate::assemble(&tbs, public.algorithm(), &signature).map_err(|e| e.to_string())?;
                ladder::check_after(&request, &tbs, &der).map(|_clean| der).map_err(found)?
            }
            Operation::Certificate { issuer_der, .. } => {
                let issuer = effect::parse_certificate(issuer_der)?;
                if issuer.public_key() != Some(&public) {
                    return Err("the issuer's certificate carries another key".to_owned());
                }
                let request = effect::certificate_request(opened.realm, &opened.profiles, &issuer, operation)?;
                let linted = ladder::check_before(&request, &tbs, &throwaway).map_err(found)?;
                let signature = open.sign(&tbs, &linted)?;
                let der = certificate::assemble(&tbs, public.algorithm(), &signature).map_err(|e| e.to_string())?;
                ladder::check_after(&request, &tbs, &der).map(|_clean| der).map_err(found)?
            }
            Operation::Crl { issuer_der, profile, .. } => {
                let issuer = effect::parse_certificate(issuer_der)?;
                if issuer.public_key() != Some(&public) {
                    return Err("the issuer's certificate carries another key".to_owned());
                }
                let profile = opened.profiles.get(profile).ok_or("there is no such profile")?;
                let request = effect::crl_request(&issuer, operation)?;
                let linted = ladder::check_crl_before(&request, profile, &tbs, &throwaway).map_err(found)?;
                let signature = open.sign(&tbs, &linted)?;
                let der = crl::assemble(&tbs, public.algorithm(), &signature).map_err(|e| e.to_string())?;
                ladder::check_crl_after(&request, profile, &tbs, &der).map(|_clean| der).map_err(found)?
            }
            Operation::Batch { .. } => return Err("a batch is opened, never signed at once".to_owned()),
        };
        open.operations.remove(listed);
        if listed < open.digests.len() {
            open.digests.remove(listed);
        }
        Ok((Response::Signed { der: hex_encode(&der) }, None))
    }
}

/// What a key is made for.
struct Asked {
    authority: String,
    algorithm: crate::keys::Algorithm,
    quorum: String,
    recipient: RecipientKind,
    generation: u8,
    threshold: u8,
    count: u8,
    step: String,
    operations: Vec<String>,
}

fn kind_of(recipient: &str) -> Result<RecipientKind, String> {
    RecipientKind::of_recipient(recipient).ok_or_else(|| format!("expected an age recipient, found {recipient}"))
}
