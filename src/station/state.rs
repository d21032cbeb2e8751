//! What an identity is, from import to the receipt, and which moves are allowed. Pure.
//!
//! ```text
//! sealed -> released -> reserved -> injected -> verified -> reported
//!    \________\____________\___________\____________\___________\____-> scrapped | lost | returned | destroyed
//! ```

use serde::{Deserialize, Serialize};

/// The state of one identity at this station.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Imported and checked; no line may have it yet.
    Sealed,
    /// A line may draw it.
    Released,
    /// Given to a line, once and for ever: durable before anything was opened.
    Reserved,
    /// The line says that a device holds it.
    Injected,
    /// The device has shown that it holds the key.
    Verified,
    /// Verified, and in a signed receipt.
    Reported,
    /// Given out and not used: the device or the flashing failed.
    Scrapped,
    /// Nobody knows where it is.
    Lost,
    /// Went back to whoever issued it.
    Returned,
    /// Destroyed, with its key.
    Destroyed,
}

impl State {
    pub const ALL: [Self; 10] = [
        Self::Sealed,
        Self::Released,
        Self::Reserved,
        Self::Injected,
        Self::Verified,
        Self::Reported,
        Self::Scrapped,
        Self::Lost,
        Self::Returned,
        Self::Destroyed,
    ];

    /// The word on screens, in reports and in the ledger.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Sealed => "sealed",
            Self::Released => "released",
            Self::Reserved => "reserved",
            Self::Injected => "injected",
            Self::Verified => "verified",
            Self::Reported => "reported",
            Self::Scrapped => "scrapped",
            Self::Lost => "lost",
            Self::Returned => "returned",
            Self::Destroyed => "destroyed",
        }
    }

    /// The state of exactly this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }

    /// Whether an identity in this state may come into `next`. Nothing ever goes back to where a line could draw it.
    #[must_use]
    pub const fn may_become(self, next: Self) -> bool {
        use State::{Destroyed, Injected, Lost, Released, Reported, Reserved, Returned, Scrapped, Sealed, Verified};
        match next {
            Sealed => false,
            Released => matches!(self, Sealed),
            Reserved => matches!(self, Released),
            Injected => matches!(self, Reserved),
            // What was taken for lost shows that it is not.
            Verified => matches!(self, Reserved | Injected | Lost),
            Reported => matches!(self, Verified),
            // What was never given out cannot have failed on a line.
            Scrapped => matches!(self, Reserved | Injected | Verified | Reported),
            Lost => matches!(self, Sealed | Released | Reserved | Injected | Verified | Reported),
            // What was lost can be found.
            Returned => !matches!(self, Returned | Destroyed),
            Destroyed => !matches!(self, Destroyed),
        }
    }

    /// Given to a line, and nobody has said yet what became of it.
    #[must_use]
    pub const fn is_outstanding(self) -> bool {
        matches!(self, Self::Reserved | Self::Injected)
    }
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::State;

    #[test]
    fn no_way_leads_from_reserved_back_to_where_a_line_could_draw() {
        // Everything that can be reached from `reserved`, over any number of moves.
        let mut reached = vec![State::Reserved];
        let mut at = 0;
        while at < reached.len() {
            for next in State::ALL {
                if reached[at].may_become(next) && !reached.contains(&next) {
                    reached.push(next);
                }
            }
            at += 1;
        }
        assert!(!reached.contains(&State::Released) && !reached.contains(&State::Sealed), "{reached:?}");
        assert_eq!(reached.iter().filter(|s| **s == State::Reserved).count(), 1);
    }

    #[test]
    fn a_word_names_one_state_and_nothing_stays_where_it_is_by_moving() {
        for state in State::ALL {
            assert_eq!(State::from_word(state.word()), Some(state));
            assert!(!state.may_become(state), "{state}");
        }
        assert_eq!(State::from_word("Released"), None);
    }
}
