//! What the other files of this row promise, held to it.

mod cards;
mod dealing;
mod draws;
mod faults;
mod recipe;
mod texts;

use crate::basics::{Digest, Realm, Secret};
use crate::custody::{Draws, Parsed, QuorumHead, QuorumRecord, Retired, Share, ShareHeader, quorum_id, split};

pub(super) const NAME: &str = "root-2026";
pub(super) const RECIPIENT: &str = "age1example";

pub(super) fn head(realm: Realm, threshold: u8, count: u8) -> QuorumHead {
    QuorumHead { realm, quorum_id: quorum_id(realm, NAME, RECIPIENT, 1), generation: 1, threshold, count }
}

pub(super) fn draws(seed: u64) -> Draws {
    Draws::rehearsal(seed, "ceremony", &Digest::of(b"plan"))
}

pub(super) fn identity(seed: u64) -> Secret {
    draws(seed).expand("deal", "identity", 0, 0, 32)
}

/// A dealing that the seed alone decides.
pub(super) fn dealt(seed: u64, realm: Realm, threshold: u8, count: u8) -> Vec<Share> {
    split(&identity(seed), &head(realm, threshold, count), draws(seed).rng("deal", "coefficients", 0, 0)).unwrap()
}

pub(super) fn record(shares: &[Share]) -> QuorumRecord {
    let head = shares[0].header().head();
    QuorumRecord {
        realm: head.realm,
        name: NAME.into(),
        id: head.quorum_id,
        generation: head.generation,
        threshold: head.threshold,
        count: head.count,
        recipient: RECIPIENT.into(),
        commitments: shares.iter().map(Share::commitment).collect(),
        holders: (0..head.count).map(|n| format!("custodian {}", char::from(b'A' + n % 26))).collect(),
        retired: vec![Retired {
            generation: 0,
            quorum_id: quorum_id(head.realm, NAME, RECIPIENT, 0),
            when: "2025-11-22".into(),
        }],
    }
}

pub(super) fn copy(share: &Share) -> Share {
    remade(share, share.header())
}

/// The same value under another header, as a forger would write it.
pub(super) fn remade(share: &Share, header: ShareHeader) -> Share {
    Share::new(header, Secret::take(share.value().expose().to_vec()))
}

pub(super) fn with_value(share: &Share, change: impl FnOnce(&mut [u8])) -> Share {
    let mut value = share.value().expose().to_vec();
    change(&mut value);
    Share::new(share.header(), Secret::take(value))
}

pub(super) fn exact(text: &str) -> Share {
    match Share::parse(text) {
        Ok(Parsed::Exact(share)) => share,
        Ok(Parsed::Corrected { corrections, .. }) => panic!("{} corrections", corrections.len()),
        Err(error) => panic!("{error}"),
    }
}

pub(super) fn why<T>(result: Result<T, impl std::fmt::Display>) -> String {
    match result {
        Ok(_) => panic!("accepted"),
        Err(error) => error.to_string(),
    }
}
