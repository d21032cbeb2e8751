//! Checkpoints: a C2SP tlog-checkpoint body that names how many lines there are and the head of the last one.
//!
//! ```text
//! anchorite/rehearsal/root-ca-2026
//! 214
//! nUEi/rYcM7...=
//! ```

use crate::basics::{Digest, Realm};

/// What a run key signs at the end of each act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    pub realm: Realm,
    pub ceremony: String,
    /// Lines covered, the header line included.
    pub size: u32,
    /// Head of line `size - 1`.
    pub head: Digest,
}

impl Checkpoint {
    #[must_use]
    pub fn body(&self) -> String {
        format!("anchorite/{}/{}\n{}\n{}\n", self.realm, self.ceremony, self.size, base64(self.head.octets()))
    }

    /// File name inside `checkpoints/`, without the signature's suffix.
    #[must_use]
    pub fn file_name(&self) -> String {
        format!("{:06}.checkpoint", self.size)
    }
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// RFC 4648 base64 with padding; only ever compared, never decoded.
#[must_use]
pub fn base64(octets: &[u8]) -> String {
    octets
        .chunks(3)
        .flat_map(|chunk| {
            let word =
                chunk.iter().enumerate().fold(0_u32, |word, (i, octet)| word | u32::from(*octet) << (16 - 8 * i));
            (0..4).map(move |i| {
                let symbol = ALPHABET.get((word >> (18 - 6 * i) & 63) as usize).copied().unwrap_or(b'=');
                if i <= chunk.len() { char::from(symbol) } else { '=' }
            })
        })
        .collect()
}
