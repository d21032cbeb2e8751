//! The room's answers about batches: who may open one, and what a shard is made with.

use super::{Answer, InParts, Room};
use crate::basics::digest::hex_decode;
use crate::basics::{Digest, Secret};
use crate::ceremony::batch::committed;
use crate::factory::{BatchTerms, Listed, enrolment};
use crate::keys::SigningKey;
use crate::strongroom::batch::Batch;
use crate::strongroom::protocol::Response;
use crate::strongroom::sealing;

impl Room {
    pub(super) fn open_batch(
        &mut self,
        authority: String,
        issuer: &str,
        terms: BatchTerms,
        approved: Digest,
    ) -> Result<Answer, String> {
        if self.batch.is_some() {
            return Err("a batch is open already; one session makes one".to_owned());
        }
        self.draws()?;
        let opened = self.opened()?;
        if terms.realm != opened.realm {
            return Err(format!("batch: expected realm {}, found {}", opened.realm, terms.realm));
        }
        let digest = terms.digest().map_err(|e| e.to_string())?;
        if digest != approved {
            return Err(format!("what would be signed is not what was approved: expected {approved}, found {digest}"));
        }
        let profile = opened.profiles.get(&terms.profile.name).ok_or("there is no such profile")?.clone();
        let open = self.keys.get_mut(&authority).ok_or_else(|| format!("the key of {authority} is not open here"))?;
        let title = terms.title().map_err(|e| e.to_string())?;
        let listed = open.operations.iter().position(|listed| *listed == title);
        let listed = listed.ok_or_else(|| format!("{title} is not on the list this key was opened for"))?;
        if open.digests.get(listed).is_some_and(|expected| *expected != digest) {
            return Err(format!("{title} is not the batch this key was opened for"));
        }
        let issuer = hex_decode(issuer).ok_or("the issuing certificate is not hexadecimal")?;
        let batch = Batch::open(authority, terms, &issuer, &profile, &open.key)?;
        open.operations.remove(listed);
        if listed < open.digests.len() {
            open.digests.remove(listed);
        }
        let shards = batch.shards();
        self.batch = Some(batch);
        Ok((Response::BatchOpened { shards }, None))
    }

    /// A nonce that is nowhere but in here and in what is sealed; it is forgotten at once. Whoever answers has the recipient's identity.
    pub(super) fn challenge(&mut self, recipient: &str, request: &Digest, factory: &str) -> Result<Answer, String> {
        let realm = self.opened()?.realm;
        let nonce = self.draws()?.expand("strongroom", &format!("challenge {factory} {request}"), 0, 0, 32);
        let nonce = Digest::from_octets(nonce.expose().try_into().map_err(|_| "32 octets were drawn")?);
        let text = enrolment::challenge(realm, request, &nonce);
        let sealed = sealing::seal_octets(recipient, text.as_bytes())?;
        let commitment = committed(realm, &enrolment::proof(realm, request, &nonce));
        Ok((Response::Challenged { commitment }, Some(Secret::take(sealed))))
    }

    pub(super) fn issue_shards(
        &mut self,
        range: (u32, u32),
        devices: &[Listed],
        requested: Option<Secret>,
        give: &mut dyn FnMut(InParts) -> bool,
    ) -> Result<(), String> {
        let batch = self.batch.as_mut().ok_or("no batch is open")?;
        let draws = self.draws.as_ref().ok_or("nothing can be drawn")?;
        let open = self.keys.get(&batch.authority).ok_or("the authority's key is not open any more")?;
        let material = draws.expand("strongroom", "throw-away", 0, 0, open.key.algorithm().material_octets());
        let throwaway =
            SigningKey::from_material(open.key.algorithm(), material.expose()).map_err(|e| e.to_string())?;
        let requested = requested.as_ref().map_or(&[][..], Secret::expose);
        batch.issue(range, (devices, requested), (&open.key, draws, &throwaway), &mut |shard, parts| {
            // Sealed already, but the channel is the one for secrets.
            give((Response::ShardIssued { shard }, parts.into_iter().map(Secret::take).collect()))
        })
    }
}
