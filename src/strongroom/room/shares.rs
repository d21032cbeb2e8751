//! The room's answers about shares as they are typed back: what is kept, what is refused and why, and what they give together.

use super::{Answer, Room, kind_of};
use crate::basics::Secret;
use crate::custody::check::{ShareFault, check};
use crate::custody::quorum::QuorumRecord;
use crate::custody::share::{Parsed, Share};
use crate::custody::sharing;
use crate::keys::recipient;
use crate::strongroom::protocol::Response;
use zeroize::Zeroizing;

impl Room {
    pub(super) fn typed_share(
        &mut self,
        record: &QuorumRecord,
        index: u8,
        already: &[u8],
        secret: Option<Secret>,
    ) -> Result<Answer, String> {
        let typed = secret.ok_or("expected a share")?;
        self.pending = None;
        let refused = |fault: &ShareFault| {
            (Response::ShareRefused { fault: word_of(fault).to_owned(), reason: fault.to_string() }, None)
        };
        let (share, corrections) = match Share::parse(typed.expose_text()) {
            Ok(Parsed::Exact(share)) => (share, Vec::new()),
            Ok(Parsed::Corrected { share, corrections }) => (share, corrections),
            Err(error) => return Ok(refused(&ShareFault::Damaged(error))),
        };
        let expected = if index == 0 { share.header().index } else { index };
        match check(&share, record, expected, already) {
            Err(fault) => Ok(refused(&fault)),
            Ok(_) if corrections.is_empty() => {
                let index = share.header().index;
                self.keep(share);
                Ok((Response::Proven { index, corrected: Vec::new() }, None))
            }
            Ok(_) => {
                let places =
                    corrections.iter().map(|c| format!("line {}, group {}", c.place.line, c.place.group)).collect();
                let mut shown = Secret::with_capacity(corrections.len() * 40);
                for c in &corrections {
                    let parts: [&[u8]; 2] = [c.typed.expose(), c.should_be.expose()];
                    for octet in format!("{} {} {} ", c.position, c.place.line, c.place.group).bytes() {
                        shown.push(octet);
                    }
                    for &octet in parts.join(&b' ').iter().chain(b"\n") {
                        shown.push(octet);
                    }
                }
                self.pending = Some((share, places));
                Ok((Response::Corrections, Some(shown)))
            }
        }
    }

    /// A share that the ceremony did not take, or forgot when a step was skipped, may be typed again: it is kept once.
    pub(super) fn keep(&mut self, share: Share) {
        let head = |share: &Share| (share.header().quorum_id, share.header().index);
        self.typed.retain(|kept| head(kept) != head(&share));
        self.typed.push(share);
    }

    pub(super) fn consistent(&mut self, quorum_id: &str, threshold: u8, recipient: &str) -> Result<Answer, String> {
        let (asked, others) =
            std::mem::take(&mut self.typed).into_iter().partition(|share| share.header().quorum_id.hex() == quorum_id);
        self.typed = asked;
        let found = sharing::consistent(&self.typed, threshold)
            .map_err(|e| e.to_string())
            .and_then(|()| self.identity(recipient).map(|_| self.typed.len() as u64));
        self.typed.extend::<Vec<Share>>(others);
        Ok((Response::Consistent { subsets: subsets(found?, u64::from(threshold)) }, None))
    }

    /// The identity the typed shares give, which must be that of the recipient.
    pub(super) fn identity(&self, recipient: &str) -> Result<Zeroizing<[u8; 32]>, String> {
        let identity = sharing::combine(&self.typed).map_err(|e| e.to_string())?;
        let octets: Zeroizing<[u8; 32]> =
            Zeroizing::new(identity.expose().try_into().map_err(|_| "expected 32 octets")?);
        let found = recipient::recipient_of(kind_of(recipient)?, &octets).map_err(|e| e.to_string())?;
        if found != recipient {
            return Err(format!("these shares open {found}, expected {recipient}"));
        }
        Ok(octets)
    }
}

/// One word for each cause, for the record.
const fn word_of(fault: &ShareFault) -> &'static str {
    match fault {
        ShareFault::Damaged(_) => "damaged",
        ShareFault::OtherRealm { .. } => "other-realm",
        ShareFault::RetiredGeneration { .. } => "retired-generation",
        ShareFault::OtherQuorum { .. } => "other-quorum",
        ShareFault::WrongGeneration { .. } => "wrong-generation",
        ShareFault::WrongThreshold { .. } => "wrong-threshold",
        ShareFault::IndexZero { .. } => "index-zero",
        ShareFault::IndexBeyondCount { .. } => "index-beyond-count",
        ShareFault::Duplicate { .. } => "duplicate",
        ShareFault::NotThisCustodians { .. } => "not-this-custodians",
        ShareFault::SwappedSet { .. } => "swapped-set",
        ShareFault::RecordIncomplete { .. } => "record-incomplete",
    }
}

/// How many k-subsets n shares have.
fn subsets(n: u64, k: u64) -> u64 {
    (0..k.min(n)).fold(1_u64, |product, i| product.saturating_mul(n - i) / (i + 1))
}
