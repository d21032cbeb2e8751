//! A receipt as it comes back over the gap: receipt, signature and outcomes in one canonical JSON object.
//!
//! ```text
//! {"outcomes":"<outcomes.cbor, hexadecimal, or empty>","receipt":{"bundle":..},"signature":"-----BEGIN SSH SIGNATURE-----..."}
//! ```
//! Without outcomes a receipt counts; with them every record is there, and the records are those that left.

use crate::basics::digest::hex_decode;
use crate::basics::{Digest, Realm, canonical, limits};
use crate::factory::receipt::{self, Receipt, State};
use crate::factory::{Class, Refusal, merkle};
use crate::keys::ssh::{SshPublicKey, verify};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const WHAT: &str = "receipt";

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Returned {
    /// Hexadecimal; empty where only the counts come.
    pub outcomes: String,
    pub receipt: Receipt,
    pub signature: String,
}

impl Returned {
    /// # Errors
    /// Where the octets are not canonical JSON of this shape, or the receipt contradicts itself.
    pub fn parse(octets: &[u8]) -> Result<Self, Refusal> {
        let returned: Self = canonical::parse(octets, limits::TRANSCRIPT_LINE_OCTETS)
            .map_err(|cause| Refusal::malformed(WHAT, "canonical JSON of receipt, signature and outcomes", cause))?;
        returned.receipt.to_octets()?;
        Ok(returned)
    }

    /// # Errors
    /// Where the receipt contradicts itself.
    pub fn to_octets(&self) -> Result<Vec<u8>, Refusal> {
        self.receipt.to_octets()?;
        canonical::to_octets(self).map_err(|cause| Refusal::malformed(WHAT, "values JSON can hold", cause))
    }

    /// Whether the factory signed it.
    ///
    /// # Errors
    /// Where it is of another realm, or another key signed.
    pub fn verified(&self, realm: Realm, key: &SshPublicKey) -> Result<Digest, Refusal> {
        crate::factory::refusal::same(Class::WrongRealm, WHAT, &realm, &self.receipt.realm)?;
        let octets = self.receipt.to_octets()?;
        verify(key, &realm.namespace(receipt::PURPOSE), &octets, &self.signature)
            .map_err(|e| Refusal::new(Class::BadSignature, WHAT, "one by the factory's receipt key", e))?;
        Ok(Digest::of(&octets))
    }

    /// Root over the records that the outcomes name; `None` where no outcomes came.
    ///
    /// # Errors
    /// Where the outcomes are not those of the receipt.
    pub fn records_root(&self) -> Result<Option<Digest>, Refusal> {
        if self.outcomes.is_empty() {
            return Ok(None);
        }
        let octets = hex_decode(&self.outcomes)
            .ok_or_else(|| Refusal::malformed(WHAT, "outcomes in hexadecimal digits", "something else"))?;
        let mut tree = merkle::Tree::default();
        for outcome in self.receipt.check_outcomes(&octets)? {
            tree.push(merkle::leaf(outcome.record.octets()));
        }
        Ok(Some(tree.root()))
    }
}

/// States that nothing leaves again.
const FINAL: [State; 4] = [State::Scrapped, State::Lost, State::Returned, State::Destroyed];

/// What of a receipt does not follow from the one before it.
#[must_use]
pub fn went_back(before: &BTreeMap<State, u32>, after: &BTreeMap<State, u32>) -> Vec<String> {
    let of = |states: &BTreeMap<State, u32>, state: State| states.get(&state).copied().unwrap_or(0);
    let mut found = Vec::new();
    for state in FINAL {
        let (was, is) = (of(before, state), of(after, state));
        if is < was {
            found.push(format!("{state}: {was} before and {is} now: nothing comes back from there"));
        }
    }
    let stock =
        |states: &BTreeMap<State, u32>| u64::from(of(states, State::Sealed)) + u64::from(of(states, State::Released));
    if stock(after) > stock(before) {
        found.push(format!(
            "stock: {} before and {} now: what was drawn is never drawn again",
            stock(before),
            stock(after)
        ));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{State, went_back};
    use std::collections::BTreeMap;

    fn states(of: &[(State, u32)]) -> BTreeMap<State, u32> {
        of.iter().copied().collect()
    }

    #[test]
    fn what_ended_does_not_come_back_and_stock_never_grows() {
        let before = states(&[(State::Sealed, 10), (State::Verified, 5), (State::Scrapped, 2), (State::Lost, 1)]);
        assert_eq!(went_back(&before, &before), Vec::<String>::new());
        let good = states(&[(State::Sealed, 8), (State::Verified, 6), (State::Scrapped, 3), (State::Lost, 1)]);
        assert_eq!(went_back(&before, &good), Vec::<String>::new());
        let grown = states(&[(State::Sealed, 10), (State::Released, 1), (State::Scrapped, 2), (State::Lost, 1)]);
        assert!(went_back(&before, &grown)[0].starts_with("stock: 10 before and 11 now"));
        let unscrapped = states(&[(State::Sealed, 10), (State::Scrapped, 1), (State::Lost, 1)]);
        assert!(went_back(&before, &unscrapped)[0].starts_with("scrapped: 2 before and 1 now"));
    }
}
