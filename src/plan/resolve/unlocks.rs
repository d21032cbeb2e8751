//! What the order of steps owes the keys that sign: one of an earlier ceremony is opened for a list that is complete by then, and nothing is
//! signed that would have to be signed again.

use super::Resolver;
use crate::script::problem::Problems;
use crate::script::{Fact, RoomRules};

impl Resolver<'_> {
    /// The list that custodians unlock for is fixed before the first share: whatever a later operation of the same key needs must
    /// be there when the key is unlocked.
    pub(super) fn unlocked_for(&self, rules: &mut [RoomRules], p: &mut Problems) {
        for at in 0..rules.len() {
            let unlocks: Vec<Fact> = rules.get(at).map(|r| r.gives.clone()).unwrap_or_default();
            for unlocked in unlocks.iter().filter(|fact| matches!(fact, Fact::Unlocked(_))) {
                let later = rules.iter().skip(at + 1).filter(|later| later.needs.contains(unlocked));
                let needs: Vec<Fact> = later.flat_map(|l| l.needs.iter()).filter(|f| *f != unlocked).cloned().collect();
                if needs.is_empty() && !rules.iter().skip(at + 1).any(|later| later.needs.contains(unlocked)) {
                    let step = self.script.steps().nth(at);
                    let (id, span) = step.map_or(("", 0..0), |step| (step.id.value.as_str(), step.kind.span.clone()));
                    p.add(
                        span,
                        format!("after step {id} {unlocked}, and no later step signs with it"),
                        "a key is opened for a list: leave the step out, or put what it signs after it",
                    );
                }
                if let Some(unlocking) = rules.get_mut(at) {
                    unlocking.needs.extend(needs);
                }
            }
        }
    }

    /// Where a share cannot be proven, its quorum's key is made again, and everything after that with it: nothing that was signed may
    /// lie between.
    pub(super) fn nothing_signed_between(&self, rules: &[RoomRules], p: &mut Problems) {
        let ids: Vec<_> = self.script.steps().map(|step| (&step.id.value, step.kind.span.clone())).collect();
        for (at, made) in rules.iter().enumerate() {
            let Some(quorum) = made.gives.iter().find_map(|f| if let Fact::QuorumMade(q) = f { Some(q) } else { None })
            else {
                continue;
            };
            let live = Fact::SharesConsistent(quorum.clone());
            let Some(until) = rules.iter().position(|rules| rules.gives.contains(&live)) else { continue };
            for between in at + 1..until {
                let signs = rules.get(between).is_some_and(|rules| rules.gives.iter().any(is_signed));
                let (Some((id, span)), Some((maker, _))) = (ids.get(between), ids.get(at)) else { continue };
                if signs {
                    p.add(
                        span.clone(),
                        format!("step {id} signs while the shares of quorum {quorum}, made in step {maker}, are not proven"),
                        format!("where a share is lost, everything from step {maker} on is done again: move step {id} out of it"),
                    );
                }
            }
        }
    }
}

/// Whether a step that gives this has signed something that leaves the room, or has opened a key for it.
const fn is_signed(fact: &Fact) -> bool {
    matches!(fact, Fact::AuthorityCertified(_) | Fact::CertificateIssued(_) | Fact::CrlIssued(_) | Fact::Unlocked(_))
}
