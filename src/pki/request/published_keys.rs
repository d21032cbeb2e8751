//! Keys whose private half is published: a list of truncated digests in the format of badkeys, so that the list that
//! badkeys keeps can be used beside the one that comes with the tool. What ours holds, where it came from and what it does
//! not hold: `PUBLISHED_KEYS.md`.
//!
//! ```text
//! <15 octets: the start of SHA-256 over what identifies the key> <1 octet: which list>      one row, in ascending order
//! ```
//! What identifies a key: the modulus of RSA, the x coordinate of a curve's point, the key itself of Ed25519, as numbers
//! without leading zeros; the octets themselves of post-quantum keys.

use crate::basics::limits;
use crate::keys::{Algorithm, SubjectKey};
use sha2::{Digest as _, Sha256};
use std::borrow::Cow;

const ROW: usize = 16;
const DIGEST: usize = 15;

/// The list that comes with the tool.
static BUILT_IN: &[u8] = include_bytes!("published_keys.bin");

/// What the numbers of lists in our own mean.
const SOURCES: [(u8, &str); 9] = [
    (1, "test keys of pyca/cryptography and the standards it takes them from"),
    (2, "test vectors of Wycheproof"),
    (3, "examples of RFC 9881 and RFC 9909"),
    (4, "test keys of CPython"),
    (5, "test keys of Go"),
    (6, "test keys of packages on PyPI and crates.io"),
    (7, "test keys of badkeys"),
    (8, "private keys that are small or patterned numbers"),
    (9, "examples of RFCs"),
];

/// A list of keys that nobody may have certified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyList {
    rows: Cow<'static, [u8]>,
    name: String,
}

impl KeyList {
    /// The list that comes with the tool.
    #[must_use]
    pub fn built_in() -> Self {
        Self { rows: Cow::Borrowed(BUILT_IN), name: String::new() }
    }

    /// A list from a file, such as `blocklist.dat` of badkeys; `name` is what it is called in reasons.
    ///
    /// # Errors
    /// Where the file is too large, is not whole rows, or the rows do not ascend.
    pub fn parse(name: &str, octets: Vec<u8>) -> Result<Self, String> {
        if octets.len() > limits::KEY_LIST_OCTETS {
            return Err(format!(
                "key list: expected at most {} octets, found {}",
                limits::KEY_LIST_OCTETS,
                octets.len()
            ));
        }
        if octets.is_empty() || !octets.len().is_multiple_of(ROW) {
            return Err(format!("key list: expected rows of {ROW} octets, found {} octets", octets.len()));
        }
        let mut earlier: Option<&[u8]> = None;
        for row in octets.chunks_exact(ROW) {
            let digest = row.get(..DIGEST).unwrap_or_default();
            if earlier.is_some_and(|earlier| earlier > digest) {
                return Err("key list: expected rows in ascending order, found others".to_owned());
            }
            earlier = Some(digest);
        }
        Ok(Self { rows: Cow::Owned(octets), name: name.to_owned() })
    }

    /// Keys in the list.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len() / ROW
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Where the key is from, if the list has it.
    #[must_use]
    pub fn find(&self, key: &SubjectKey) -> Option<String> {
        self.find_identity(&identity(key))
    }

    /// As [`KeyList::find`], for what identifies a key, as the module comment says.
    #[must_use]
    pub fn find_identity(&self, identity: &[u8]) -> Option<String> {
        let digest = Sha256::digest(identity);
        let wanted = digest.get(..DIGEST)?;
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            let row = self.rows.get(middle * ROW..(middle + 1) * ROW)?;
            let (found, list) = row.split_at_checked(DIGEST)?;
            match found.cmp(wanted) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return Some(self.describe(*list.first()?)),
            }
        }
        None
    }

    fn describe(&self, list: u8) -> String {
        if !self.name.is_empty() {
            return format!("one of list {list} of {}", self.name);
        }
        let source = SOURCES.iter().find(|(number, _)| *number == list);
        format!("one of the {}", source.map_or("published keys", |(_, words)| words))
    }
}

/// What identifies a key in such a list.
#[must_use]
pub fn identity(key: &SubjectKey) -> Vec<u8> {
    let number = |octets: &[u8]| octets.iter().copied().skip_while(|octet| *octet == 0).collect::<Vec<u8>>();
    let x = |bits: &[u8]| number(bits.get(1..1 + bits.len() / 2).unwrap_or_default());
    match (key.as_rsa(), key.as_public_key().map(crate::keys::PublicKey::algorithm)) {
        (Some(rsa), _) => rsa.modulus().to_vec(),
        (None, None | Some(Algorithm::EcdsaP256 | Algorithm::EcdsaP384)) => x(key.key_bits()),
        (None, Some(Algorithm::Ed25519)) => number(key.key_bits()),
        #[allow(unreachable_patterns, reason = "algorithms that take the octets as they are")]
        (None, Some(_)) => key.key_bits().to_vec(),
    }
}
