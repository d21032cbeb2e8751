//! Taking a bundle in: nothing of it counts until every octet, count, signature, certificate and key has been checked.
//!
//! ```text
//! manifest read, its signatures counted          nothing else is believed before
//! bundles/.<id>.partial/                         every listed file, size and SHA-256 compared while it is copied
//! chain.pem, crl.pem                             to the pinned root, and what the issuer revoked
//! each shard opened in memory, each record       header, certificate (`factory::issued`), key to certificate, record digest, index
//! bundles/<id>/                                  renamed, whole
//! one transaction                                bundle, identities, the ledger's entry; from here on it is imported
//! ```
//! If we die before the transaction, the bundle is not here, and importing it again begins anew. Shards are opened to be checked, in memory
//! that is overwritten; what stays on disk is what came in, still sealed.

pub(super) mod incoming;
mod records;
mod trust;

use crate::basics::{Digest, Instant, Realm, limits};
use crate::devices::durable_file;
use crate::factory::{Class, Manifest, Refusal, manifest};
use crate::keys::ssh::verify;
use crate::station::chain::What;
use crate::station::store::Bundle;
use crate::station::{Station, StationError};
use incoming::Incoming;
use records::Checking;
use serde::Serialize;
use std::path::Path;

/// What the officer says of a bundle.
#[derive(Clone, Copy, Debug, Default)]
pub struct Expected<'e> {
    /// SHA-256 of the order it must be made under.
    pub order: Option<Digest>,
    /// A newer revocation list of the issuing authority, PEM, where the bundle's own is over.
    pub list: Option<&'e Path>,
    /// The number of the first bundle of a station that takes over from another; 1 without it.
    pub begin_at: Option<u64>,
}

/// What came in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Imported {
    pub bundle: String,
    pub sequence: u64,
    pub product: String,
    pub sku: String,
    pub count: u64,
    pub shards: u32,
    pub manifest: Digest,
    pub expires: Instant,
    pub signed_by: Vec<String>,
}

impl Station {
    /// Checks a bundle and takes it in, all of it or nothing.
    ///
    /// # Errors
    /// The first thing that is wrong, by class; it is in the ledger then.
    pub fn import(&mut self, folder: &Path, expected: &Expected<'_>, now: Instant) -> Result<Imported, StationError> {
        self.is_current(now)?;
        match self.take_in(folder, expected, now) {
            Err(StationError::Refused(refusal)) => {
                self.note_refusal(&refusal, now)?;
                Err(refusal.into())
            }
            other => other,
        }
    }

    fn take_in(&mut self, folder: &Path, expected: &Expected<'_>, now: Instant) -> Result<Imported, StationError> {
        let incoming = Incoming::open(folder)?;
        let octets = incoming.read(manifest::NAME, limits::BUNDLE_MANIFEST_OCTETS)?;
        let what = Manifest::parse(&octets)?;
        self.is_for_us(&what)?;
        let signed_by = self.signed(&incoming, &octets, what.realm)?;
        let digest = Digest::of(&octets);
        self.follows(&what, digest, expected, now)?;
        incoming.holds_only(&what)?;

        let name = what.bundle.hex();
        let (partial, whole) =
            (self.folder.join("bundles").join(format!(".{name}.partial")), self.bundle_folder(&name));
        for left in [&partial, &whole] {
            // Left by an import that died before its transaction: sealed shards, nothing else.
            if left.is_dir() {
                std::fs::remove_dir_all(left).map_err(|e| StationError::Other(format!("{}: {e}", left.display())))?;
            }
        }
        let taken = incoming.copy(&what, &octets, &self.home.pins, &partial).and_then(|()| {
            let identity = self.identity_of(what.recipients.first().map_or("", String::as_str))?;
            let issuing = trust::issuing(&self.root()?, &partial, &what, expected.list, now)?;
            records::check(&Checking { folder: &partial, what: &what, identity: &identity, issuing: &issuing })
        });
        let records = match taken {
            Ok(records) => records,
            Err(error) => {
                let _ = std::fs::remove_dir_all(&partial);
                return Err(error);
            }
        };
        durable_file::move_to(&partial, &whole)?;
        let bundle = Bundle {
            bundle: name.clone(),
            seq: what.sequence,
            manifest: digest,
            order: what.order,
            product: what.product.clone(),
            sku: what.sku.clone(),
            recipient: what.recipients.first().cloned().unwrap_or_default(),
            count: u64::from(what.count),
            expires: what.expires.0,
            nonce: what.nonce,
            // What is made for one piece of hardware is never the next one of a line.
            by_device: records.iter().any(|record| !record.hardware.is_empty()),
        };
        self.change(now, |book| {
            // Looked at again under the lock: another process may have taken the same one in meanwhile.
            following(&book.tx.bundles()?, &what, expected)?;
            book.tx.add_bundle(&bundle)?;
            book.tx.add_identities(&records)?;
            book.write(&What::Imported {
                bundle: name.clone(),
                bundle_seq: what.sequence,
                count: u64::from(what.count),
                manifest: digest,
                order: what.order,
                records_root: what.records_root,
            })
        })?;
        self.settle()?;
        let (product, sku) = (what.product.clone(), what.sku.clone());
        let count = u64::from(what.count);
        let (sequence, expires, shards) = (what.sequence, what.expires, what.shards());
        Ok(Imported { bundle: name, sequence, product, sku, count, shards, manifest: digest, expires, signed_by })
    }

    /// Realm, factory and recipient.
    fn is_for_us(&self, what: &Manifest) -> Result<(), StationError> {
        let home = &self.home;
        if what.realm != home.realm {
            return Err(Refusal::new(Class::WrongRealm, "bundle", home.realm, what.realm).into());
        }
        if what.factory != home.factory {
            return Err(Refusal::new(Class::WrongFactory, "bundle", &home.factory, &what.factory).into());
        }
        let ours = self.recipients()?;
        let found = what.recipients.first().map_or("", String::as_str);
        if found.is_empty() || !ours.iter().any(|(_, recipient)| recipient == found) {
            let expected = "a recipient of this station";
            return Err(Refusal::new(Class::WrongRecipient, "bundle", expected, found).into());
        }
        Ok(())
    }

    /// Who of the pinned signers signed the manifest; at least as many as pinned.
    fn signed(&self, incoming: &Incoming, octets: &[u8], realm: Realm) -> Result<Vec<String>, StationError> {
        let pins = &self.home.pins;
        let mut good = Vec::new();
        for signer in &pins.signers {
            let name = manifest::signature_name(&signer.who);
            let Some(armoured) = incoming.read_if_there(&name, limits::SMALL_FILE_OCTETS)? else { continue };
            let bad = |found: String| Refusal::new(Class::BadSignature, &name, format!("one by {}", signer.who), found);
            let armoured = String::from_utf8(armoured).map_err(|_| bad("octets that are not text".to_owned()))?;
            verify(&signer.key, &realm.namespace(manifest::PURPOSE), octets, &armoured)
                .map_err(|e| bad(e.to_string()))?;
            good.push(signer.who.clone());
        }
        if good.len() < pins.threshold as usize {
            let expected = format!("signatures of {} of the {} pinned signers", pins.threshold, pins.signers.len());
            let found = if good.is_empty() { "none".to_owned() } else { good.join(", ") };
            return Err(Refusal::new(Class::TooFewSignatures, manifest::NAME, expected, found).into());
        }
        Ok(good)
    }

    /// Neither known, nor out of turn, nor late, nor of another order.
    fn follows(
        &mut self,
        what: &Manifest,
        digest: Digest,
        expected: &Expected<'_>,
        now: Instant,
    ) -> Result<(), StationError> {
        let known = self.look(|tx| tx.bundles())?;
        if known.iter().any(|known| known.manifest == digest) {
            let found = format!("{}, which was imported before", what.bundle);
            return Err(Refusal::new(Class::Replay, "bundle", "one that was not", found).into());
        }
        following(&known, what, expected)?;
        if now >= what.expires {
            let expected = format!("one that expires after {}", now.rfc3339());
            return Err(Refusal::new(Class::Expired, "bundle", expected, what.expires.rfc3339()).into());
        }
        if let Some(order) = expected.order.filter(|order| *order != what.order) {
            return Err(Refusal::new(Class::WrongOrder, "bundle", order, what.order).into());
        }
        Ok(())
    }
}

fn following(known: &[Bundle], what: &Manifest, expected: &Expected<'_>) -> Result<(), StationError> {
    let name = what.bundle.hex();
    if known.iter().any(|known| known.bundle == name) {
        let found = format!("{name}, which was imported before");
        return Err(Refusal::new(Class::Replay, "bundle", "one that was not", found).into());
    }
    let refuse = |expected: String, found: String| Err(Refusal::new(Class::Sequence, "bundle", expected, found).into());
    let last = known.iter().max_by_key(|bundle| bundle.seq);
    let next = last.map_or_else(|| expected.begin_at.unwrap_or(1), |last| last.seq + 1);
    if what.sequence != next {
        return refuse(format!("number {next}"), format!("number {}", what.sequence));
    }
    match last {
        Some(last) if what.previous != Some(last.manifest) => {
            let found = what.previous.map_or_else(|| "none".to_owned(), |previous| previous.hex());
            refuse(format!("one that follows manifest {}", last.manifest), found)
        }
        _ => Ok(()),
    }
}
