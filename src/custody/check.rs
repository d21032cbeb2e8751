//! Is this the share it should be? One fault for each cause, and the evidence that a share was proven.
//!
//! It never combines shares and never learns the secret: a share is checked alone, against what the record keeps of it.
//! Steps that prove a share, drills, unlocking and recovery call it; [`ShareProven`] is made nowhere else.

use super::quorum::{QuorumId, QuorumRecord};
use super::share::Share;
use super::typed::ShareError;
use crate::basics::{Digest, Realm};

/// Evidence that a custodian's own copy of a share is the one that was dealt. Cannot be copied: one proof, one share.
#[derive(Debug, PartialEq, Eq)]
pub struct ShareProven {
    index: u8,
    commitment: Digest,
}

impl ShareProven {
    #[must_use]
    pub const fn index(&self) -> u8 {
        self.index
    }

    #[must_use]
    pub const fn commitment(&self) -> &Digest {
        &self.commitment
    }
}

/// Why a share is not accepted. Every cause has its own variant and its own words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShareFault {
    #[error("the share cannot be read: {0}")]
    Damaged(#[from] ShareError),
    #[error("expected a share of the {expected} realm, found one of the {found} realm")]
    OtherRealm { expected: Realm, found: Realm },
    #[error(
        "expected a share of quorum {name} generation {generation}, found one of generation {found}, retired {when}"
    )]
    RetiredGeneration { name: String, generation: u8, found: u8, when: String },
    #[error("expected a share of quorum {name} (id {expected}), found one of another quorum (id {found})")]
    OtherQuorum { name: String, expected: QuorumId, found: QuorumId },
    #[error("expected a share that says generation {expected}, as its quorum id does, found one that says {found}")]
    WrongGeneration { expected: u8, found: u8 },
    #[error(
        "expected a share of {count} of which {threshold} are needed, found one that says {found_count} and {found_threshold}"
    )]
    WrongThreshold { threshold: u8, count: u8, found_threshold: u8, found_count: u8 },
    #[error("expected an index from 1 to {count}, found 0, which is the place of the secret itself")]
    IndexZero { count: u8 },
    #[error("expected an index from 1 to {count}, found {found}")]
    IndexBeyondCount { count: u8, found: u8 },
    #[error("{} has been given already", share(*.index, .holder.as_deref()))]
    Duplicate { index: u8, holder: Option<String> },
    #[error("expected share {expected}, found {}", share(*.found, .holder.as_deref()))]
    NotThisCustodians { expected: u8, found: u8, holder: Option<String> },
    #[error(
        "share {index} of quorum {name} has the right header and another value than the one that was dealt: it is of another dealing, or was altered"
    )]
    SwappedSet { index: u8, name: String },
    #[error("expected the record of quorum {name} to hold {count} commitments, found {found}")]
    RecordIncomplete { name: String, count: u8, found: usize },
}

fn share(index: u8, holder: Option<&str>) -> String {
    match holder {
        Some(holder) => format!("share {index} (that of {holder})"),
        None => format!("share {index}"),
    }
}

/// Checks a share against the record, for the custodian of share `expected_index`, after the shares `already` given.
///
/// # Errors
/// The first fault, from the most general (another world) to the most particular (another value).
pub fn check(
    share: &Share,
    record: &QuorumRecord,
    expected_index: u8,
    already: &[u8],
) -> Result<ShareProven, ShareFault> {
    let header = share.header();
    let name = || record.name.clone();
    if header.realm != record.realm {
        return Err(ShareFault::OtherRealm { expected: record.realm, found: header.realm });
    }
    if header.quorum_id != record.id {
        let retired = record.retired.iter().find(|retired| retired.quorum_id == header.quorum_id);
        return Err(match retired {
            Some(retired) => ShareFault::RetiredGeneration {
                name: name(),
                generation: record.generation,
                found: retired.generation,
                when: retired.when.clone(),
            },
            None => ShareFault::OtherQuorum { name: name(), expected: record.id, found: header.quorum_id },
        });
    }
    if header.generation != record.generation {
        return Err(ShareFault::WrongGeneration { expected: record.generation, found: header.generation });
    }
    if (header.threshold, header.count) != (record.threshold, record.count) {
        return Err(ShareFault::WrongThreshold {
            threshold: record.threshold,
            count: record.count,
            found_threshold: header.threshold,
            found_count: header.count,
        });
    }
    if header.index == 0 {
        return Err(ShareFault::IndexZero { count: record.count });
    }
    if header.index > record.count {
        return Err(ShareFault::IndexBeyondCount { count: record.count, found: header.index });
    }
    let holder = || record.holder(header.index).map(str::to_owned);
    if already.contains(&header.index) {
        return Err(ShareFault::Duplicate { index: header.index, holder: holder() });
    }
    if header.index != expected_index {
        return Err(ShareFault::NotThisCustodians { expected: expected_index, found: header.index, holder: holder() });
    }
    let found = record.commitments.len();
    let Some(expected) = record.commitment(header.index).filter(|_| found == usize::from(record.count)) else {
        return Err(ShareFault::RecordIncomplete { name: name(), count: record.count, found });
    };
    let commitment = share.commitment();
    if commitment != *expected {
        return Err(ShareFault::SwappedSet { index: header.index, name: name() });
    }
    Ok(ShareProven { index: header.index, commitment })
}
