//! The realm: production or rehearsal. Nothing made in one is ever accepted in the other, so its word enters every
//! domain tag, the start of every chain, every key derivation and every signature namespace.

use serde::{Deserialize, Serialize};

/// Which of the two worlds a value belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Realm {
    Production,
    Rehearsal,
}

impl Realm {
    /// The word that enters tags and headers, and that people read on the screen in capitals.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Realm::Production => "production",
            Realm::Rehearsal => "rehearsal",
        }
    }

    /// The word as the header of every screen shows it.
    #[must_use]
    pub const fn banner(self) -> &'static str {
        match self {
            Realm::Production => "PRODUCTION",
            Realm::Rehearsal => "REHEARSAL",
        }
    }

    /// The OpenSSH signature namespace for `purpose` in this realm, e.g. `evidence@anchorite` or
    /// `rehearsal-evidence@anchorite`.
    #[must_use]
    pub fn namespace(self, purpose: &str) -> String {
        match self {
            Realm::Production => format!("{purpose}@anchorite"),
            Realm::Rehearsal => format!("rehearsal-{purpose}@anchorite"),
        }
    }

    #[must_use]
    pub const fn is_rehearsal(self) -> bool {
        matches!(self, Realm::Rehearsal)
    }
}

impl std::fmt::Display for Realm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.word())
    }
}
