//! What a ceremony fixes before a bundle is made, and what it looks for in what came back. Everything about a bundle that is no
//! key follows from the serial number that was reserved for it, so that a reservation that burns takes id, nonce and serial
//! numbers with it.
//!
//! ```text
//! base         = tagged("bundle", realm, [ceremony, step, serial, order digest, factory, sequence, previous or "", expires])
//! bundle id    = first 16 octets of tagged("bundle-id", realm, [base])
//! serial seed, nonce, salt (8 octets) = tagged("bundle-serials" | "bundle-nonce" | "bundle-salt", realm, [base])
//! ```

use crate::basics::counted::some;
use crate::basics::digest::hex_decode;
use crate::basics::{Digest, Instant, Realm, limits};
use crate::ceremony::effect::{Operation, parse_certificate};
use crate::ceremony::prompt::Line;
use crate::ceremony::state::{AuthorityState, State};
use crate::factory::manifest::CeremonyRef;
use crate::factory::terms::Devices;
use crate::factory::{BundleId, Manifest, Mode, Order};
use crate::keys::recipient;
use crate::pki::{Certificate, CertificateList};
use std::collections::{BTreeMap, BTreeSet};

/// Authorities of which nothing stands any more: those whose own certificate is revoked, and whose key has no other certificate. Where an authority
/// was renewed with its key, or is cross-certified, what it issued is valid through that one.
///
/// # Errors
/// As [`revoked`].
pub fn withdrawn(state: &State) -> Result<BTreeSet<String>, String> {
    let mut found = revoked(state)?;
    if found.is_empty() {
        return Ok(found);
    }
    for issuer in state.authorities.values() {
        let listed = match issuer.crl.as_str() {
            "" => BTreeSet::new(),
            crl => serials(&list(crl)?),
        };
        for issued in &issuer.issued {
            let certificate = parse_certificate(&issued.certificate)?;
            if !listed.contains(certificate.serial()) {
                let same = |made: &AuthorityState| certificate.public_key() == Some(&made.public_key);
                found.retain(|name| !state.authorities.get(name).is_some_and(same));
            }
        }
    }
    Ok(found)
}

fn list(hexadecimal: &str) -> Result<CertificateList, String> {
    let list = hex_decode(hexadecimal).ok_or("a revocation list is not hexadecimal")?;
    CertificateList::parse(&list).map_err(|e| e.to_string())
}

fn serials(list: &CertificateList) -> BTreeSet<Vec<u8>> {
    list.revoked().iter().map(|entry| entry.serial.clone()).collect()
}

/// Authorities whose own certificate is on the latest list of the authority that issued it: these issue nothing.
///
/// # Errors
/// Where a list or certificate of the record cannot be read.
pub fn revoked(state: &State) -> Result<BTreeSet<String>, String> {
    let mut found = BTreeSet::new();
    for made in state.authorities.values().filter(|made| !made.crl.is_empty()) {
        let list = list(&made.crl)?;
        let serials = serials(&list);
        for (name, other) in state.authorities.iter().filter(|(_, other)| !other.certificate.is_empty()) {
            let certificate = parse_certificate(&other.certificate)?;
            if certificate.issuer_der() == list.issuer_der() && serials.contains(certificate.serial()) {
                found.insert(name.clone());
            }
        }
    }
    Ok(found)
}

/// What was issued before: every bundle, and SHA-256 of every log of authorities in factories' modules, without those of one.
#[must_use]
pub fn issued_before(state: &State, but: Option<&str>) -> (Vec<BundleId>, Vec<Digest>) {
    let factories = || state.factories.values();
    let bundles = factories().flat_map(|factory| &factory.bundles).map(|bundle| bundle.bundle).collect();
    let own = factories().flat_map(|factory| &factory.delegated).filter(|own| but != Some(own.name.as_str()));
    (bundles, own.flat_map(|own| &own.logs).map(|log| log.sha256).collect())
}

/// What every part of a bundle is made from.
pub struct Base<'b> {
    pub realm: Realm,
    pub ceremony: &'b str,
    pub step: &'b str,
    /// Hexadecimal.
    pub serial: &'b str,
    pub order: Digest,
    pub factory: &'b str,
    pub sequence: u64,
    pub previous: Option<Digest>,
    pub expires: Instant,
}

/// What follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fixed {
    pub bundle: BundleId,
    pub serial_seed: Digest,
    pub nonce: Digest,
    pub salt: [u8; 8],
}

impl Base<'_> {
    #[must_use]
    pub fn fixed(&self) -> Fixed {
        let previous = self.previous.map_or_else(Vec::new, |digest| digest.octets().to_vec());
        let (sequence, expires) = (self.sequence.to_be_bytes(), self.expires.0.to_be_bytes());
        let parts: [&[u8]; 8] = [
            self.ceremony.as_bytes(),
            self.step.as_bytes(),
            self.serial.as_bytes(),
            self.order.octets(),
            self.factory.as_bytes(),
            &sequence,
            &previous,
            &expires,
        ];
        let base = Digest::tagged("bundle", self.realm, &parts);
        let of = |what: &str| Digest::tagged(what, self.realm, &[base.octets()]);
        let (id, salt) = (of("bundle-id"), of("bundle-salt"));
        let octet = |digest: &Digest, n: usize| digest.octets().get(n).copied().unwrap_or_default();
        Fixed {
            bundle: BundleId::from_octets(std::array::from_fn(|n| octet(&id, n))),
            serial_seed: of("bundle-serials"),
            nonce: of("bundle-nonce"),
            salt: std::array::from_fn(|n| octet(&salt, n)),
        }
    }
}

/// What follows from a batch operation of this ceremony.
///
/// # Errors
/// Where it is another operation.
pub fn fixed(realm: Realm, ceremony: &str, operation: &Operation) -> Result<Fixed, String> {
    let Operation::Batch { terms, serial, sequence, previous, expires, step, .. } = operation else {
        return Err("expected a batch".to_owned());
    };
    let base = Base {
        realm,
        ceremony,
        step,
        serial,
        order: terms.order,
        factory: &terms.factory,
        sequence: *sequence,
        previous: *previous,
        expires: *expires,
    };
    Ok(base.fixed())
}

/// The digest approvers compare: that of the terms, whose bundle id commits to everything beside them.
///
/// # Errors
/// Where the id or the serial numbers are not those that follow.
pub fn digest(realm: Realm, ceremony: &str, operation: &Operation) -> Result<Digest, String> {
    let fixed = fixed(realm, ceremony, operation)?;
    let Operation::Batch { terms, .. } = operation else { return Err("expected a batch".to_owned()) };
    if terms.bundle != fixed.bundle || terms.serial_seed != fixed.serial_seed || terms.realm != realm {
        return Err(format!("bundle: expected id {} for this order and step, found {}", fixed.bundle, terms.bundle));
    }
    terms.digest().map_err(|e| e.to_string())
}

/// What stands in the record for the answer to a challenge, until it comes.
#[must_use]
pub fn committed(realm: Realm, proof: &Digest) -> Digest {
    Digest::tagged("enrolment-commitment", realm, &[proof.octets()])
}

/// The order that came in under this name.
///
/// # Errors
/// Where none did, or it is none.
pub fn order(state: &State, name: &str) -> Result<(Order, Digest), String> {
    let object = state.objects.get(name).ok_or_else(|| format!("order {name} has not come in"))?;
    if object.kind != crate::transfer::envelope::Kind::Order.word() {
        return Err(format!("{name}: expected an order, found a {}", object.kind));
    }
    let octets = hex_decode(&object.octets).ok_or("the order is not hexadecimal")?;
    let order = Order::parse(&octets).map_err(|problems| {
        let each: Vec<String> = problems.iter().map(ToString::to_string).collect();
        format!("{name}: {}", each.join("; "))
    })?;
    Ok((order, Order::digest(&octets)))
}

/// Every line of an order that people compare.
#[must_use]
pub fn order_lines(order: &Order) -> Vec<Line> {
    let mut lines = vec![
        Line::value("factory", &order.factory),
        Line::value("product", &format!("{}, {}", order.product, order.sku)),
        Line::value("firmware", &order.firmware.version),
        Line::digest("its digest", order.firmware.sha256),
        Line::value("mode", &order.mode.to_string()),
        Line::value("identities", &format!("{}, {} keys, profile {}", order.count, order.algorithm, order.profile)),
        Line::value("valid", &format!("{} to {}", order.not_before, order.not_after)),
        // What is carried out by a factory's own authority comes in no bundle: that day it is to be done, and logged.
        Line::value(
            if order.mode == Mode::Delegated { "to be done by" } else { "bundle until" },
            &order.expires.to_string(),
        ),
    ];
    if let Some(replaced) = &order.replaces {
        lines.push(Line::value("replaces", &format!("records {} of bundle {}", replaced.records, replaced.bundle)));
    }
    let first = order.device(0).map_or_else(|e| e.to_string(), |id| id.to_string());
    let last = order.device(order.count.saturating_sub(1)).map_or_else(|e| e.to_string(), |id| id.to_string());
    lines.push(Line::value("devices", &format!("{first} to {last}")));
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for kind in order.named.iter().flat_map(|device| device.hardware.keys()) {
        *kinds.entry(kind).or_default() += 1;
    }
    if !kinds.is_empty() {
        let kinds: Vec<String> = kinds.iter().map(|(kind, count)| format!("{kind} of {count}")).collect();
        lines.push(Line::value("hardware ids", &kinds.join(", ")));
    }
    lines
}

/// What custodians read of a batch: everything its terms say.
#[must_use]
pub fn lines(operation: &Operation) -> Vec<Line> {
    let Operation::Batch { name, terms, sequence, previous, expires, .. } = operation else { return Vec::new() };
    let mut lines = vec![
        Line::value("bundle", &format!("{name}, id {}", terms.bundle)),
        Line::value("factory", &terms.factory),
        Line::value("sealed to", &recipient::shown(&terms.recipient)),
        Line::value("sequence", &sequence.to_string()),
    ];
    lines.extend(previous.map(|previous| Line::digest("after", previous)));
    if let Some(replaced) = &terms.replaces {
        lines.push(Line::value("replaces", &format!("records {} of bundle {}", replaced.records, replaced.bundle)));
    }
    lines.extend([
        Line::digest("order", terms.order),
        Line::value("product", &format!("{}, {}", terms.product, terms.sku)),
        Line::value("firmware", &terms.firmware.version),
        Line::value("mode", &terms.mode.to_string()),
        Line::value(
            "identities",
            &format!("{}, {} keys, in {}", terms.count, terms.algorithm, some(terms.shards(), "shard")),
        ),
        Line::value(
            "devices",
            &match &terms.devices {
                Devices::Numbered(numbered) => {
                    numbered.device(0).map_or_else(|e| e.to_string(), |id| format!("from {id} on"))
                }
                Devices::Listed { .. } => {
                    "as the order lists them, with their hardware ids where it has any".to_owned()
                }
                Devices::Requested { .. } => "those whose requests were accepted, with the keys they made".to_owned(),
            },
        ),
    ]);
    if let Devices::Requested { requests, shards } = &terms.devices {
        let octets: Vec<&[u8]> = shards.iter().map(|shard| shard.octets().as_slice()).collect();
        lines.push(Line::digest("requests", *requests));
        lines.push(Line::digest("accepted keys", Digest::tagged("accepted-requests", terms.realm, &octets)));
        let policies = |of: &[crate::pki::additions::Policy]| {
            let oids: Vec<&str> = of.iter().map(|policy| policy.oid.as_str()).collect();
            if oids.is_empty() { "none".to_owned() } else { oids.join(", ") }
        };
        lines.push(Line::value("policy", &policies(&terms.additions.policies)));
        let attested = terms.attested_policies.as_deref();
        lines.extend(attested.map(|attested| Line::value("if attested", &policies(attested))));
    }
    lines.extend([
        Line::value("profile", &terms.profile.name),
        Line::digest("its digest", terms.profile.sha256),
        Line::digest("issuer", terms.issuer),
        Line::value("valid", &format!("{} to {}", terms.not_before, terms.not_after)),
        Line::value("bundle until", &expires.to_string()),
        Line::value("signing ends", &format!("{} seconds after it began, or with the session", terms.seconds)),
    ]);
    lines
}

/// The manifest that came back, where it is that of this batch.
///
/// # Errors
/// The first thing that is another.
pub fn made(realm: Realm, ceremony: &str, operation: &Operation, manifest: &str) -> Result<(Manifest, Digest), String> {
    if manifest.len() > limits::RECORDED_MANIFEST_OCTETS {
        return Err(format!(
            "manifest.json: expected at most {} octets, found {}",
            limits::RECORDED_MANIFEST_OCTETS,
            manifest.len()
        ));
    }
    let fixed = fixed(realm, ceremony, operation)?;
    let Operation::Batch { terms, sequence, previous, expires, head, .. } = operation else {
        return Err("expected a batch".to_owned());
    };
    let found = Manifest::parse(manifest.as_bytes()).map_err(|e| e.to_string())?;
    let said = [
        ("bundle", terms.bundle.to_string(), found.bundle.to_string()),
        ("realm", realm.to_string(), found.realm.to_string()),
        ("factory", terms.factory.clone(), found.factory.clone()),
        ("sequence", sequence.to_string(), found.sequence.to_string()),
        ("previous", format!("{previous:?}"), format!("{:?}", found.previous)),
        ("order", terms.order.hex(), found.order.hex()),
        ("mode", terms.mode.to_string(), found.mode.to_string()),
        ("product", terms.product.clone(), found.product.clone()),
        ("sku", terms.sku.clone(), found.sku.clone()),
        ("firmware", format!("{:?}", terms.firmware), format!("{:?}", found.firmware)),
        ("recipient", terms.recipient.clone(), found.recipients.join(", ")),
        ("count", terms.count.to_string(), found.count.to_string()),
        ("shard_records", terms.shard_records.to_string(), found.shard_records.to_string()),
        ("expires", expires.to_string(), found.expires.to_string()),
        ("not_before", terms.not_before.to_string(), found.certificates.not_before.to_string()),
        ("not_after", terms.not_after.to_string(), found.certificates.not_after.to_string()),
        ("profile", format!("{:?}", terms.profile), format!("{:?}", found.profile)),
        ("issuer", terms.issuer.hex(), found.issuer.hex()),
        ("nonce", fixed.nonce.hex(), found.nonce.hex()),
        (
            "ceremony",
            format!("{:?}", CeremonyRef { id: ceremony.to_owned(), head: *head }),
            format!("{:?}", found.ceremony),
        ),
    ];
    for (what, expected, found) in said {
        if expected != found {
            return Err(format!("manifest.json: {what}: expected {expected}, found {found}"));
        }
    }
    Ok((found, Digest::of(manifest.as_bytes())))
}

/// `chain.pem`: the issuing certificate first, up to the root that the chain made.
///
/// # Errors
/// Where a certificate does not parse.
pub fn chain(state: &State, authority: &str) -> Result<Vec<Certificate>, String> {
    let mut name = authority.to_owned();
    let mut chain: Vec<Certificate> = Vec::new();
    // Bounded: every round names another authority, and no path of ours is longer.
    for _ in 0..8 {
        let made = state.authorities.get(&name).ok_or_else(|| format!("no key was made for {name}"))?;
        let own = parse_certificate(&made.certificate)?;
        let issuer = state.authorities.iter().find(|(other, issuer)| {
            **other != name && issuer.issued.iter().any(|issued| issued.certificate == made.certificate)
        });
        chain.push(own);
        match issuer {
            Some((issuer, _)) => name.clone_from(issuer),
            None => break,
        }
    }
    Ok(chain)
}
