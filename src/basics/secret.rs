//! Secret octets: cannot be printed, cloned, compared with `==` or serialised, and are overwritten when dropped.
//!
//! The type has a fixed capacity, so it never leaves an old copy behind by growing. Memory locking is a property of
//! the process (`strongroom::process` locks all pages of every process of the program), so no `unsafe` is needed here.
//!
//! ```compile_fail
//! fn printable<T: std::fmt::Debug>() {}
//! printable::<anchorite::basics::Secret>();
//! ```
//! ```compile_fail
//! fn copied<T: Clone>() {}
//! copied::<anchorite::basics::Secret>();
//! ```
//! ```compile_fail
//! fn shown<T: std::fmt::Display>() {}
//! shown::<anchorite::basics::Secret>();
//! ```
//! ```compile_fail
//! fn written<T: serde::Serialize>() {}
//! written::<anchorite::basics::Secret>();
//! ```
//! The same probes accept an ordinary type, so they fail for the reason meant:
//! ```
//! fn printable<T: std::fmt::Debug + Clone + serde::Serialize>() {}
//! printable::<anchorite::basics::Digest>();
//! ```

use subtle::ConstantTimeEq;
use zeroize::Zeroize;

/// Octets (often text) that must never leave the process except through a named channel.
pub struct Secret {
    octets: Box<[u8]>,
    used: usize,
}

impl Secret {
    /// An empty secret that can hold `capacity` octets and never more.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self { octets: vec![0; capacity].into_boxed_slice(), used: 0 }
    }

    /// Takes `octets` over where they lie: no copy is made, so none is left behind.
    #[must_use]
    pub fn take(mut octets: Vec<u8>) -> Self {
        let used = octets.len();
        // A vector that fills its capacity becomes a box without being moved.
        octets.resize(octets.capacity(), 0);
        Self { octets: octets.into_boxed_slice(), used }
    }

    /// Moves `text` in and overwrites it.
    #[must_use]
    pub fn take_text(text: String) -> Self {
        Self::take(text.into_bytes())
    }

    /// Appends one octet; says whether there was room.
    pub fn push(&mut self, octet: u8) -> bool {
        match self.octets.get_mut(self.used) {
            Some(slot) => {
                *slot = octet;
                self.used += 1;
                true
            }
            None => false,
        }
    }

    /// Removes and overwrites the last octet.
    pub fn pop(&mut self) {
        if self.used > 0 {
            self.used -= 1;
            if let Some(slot) = self.octets.get_mut(self.used) {
                slot.zeroize();
            }
        }
    }

    /// Overwrites everything.
    pub fn clear(&mut self) {
        wipe(&mut self.octets);
        self.used = 0;
    }

    /// The octets, for the few callers that must use them: named so that every use can be found by searching.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        self.octets.get(..self.used).unwrap_or_default()
    }

    /// The secret as text, or the empty string where it is not UTF-8.
    #[must_use]
    pub fn expose_text(&self) -> &str {
        std::str::from_utf8(self.expose()).unwrap_or_default()
    }

    #[must_use]
    pub const fn len(&self) -> usize {
        self.used
    }

    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.used == 0
    }

    /// Comparison that does not tell by its duration where the first difference is.
    #[must_use]
    pub fn same_as(&self, other: &[u8]) -> bool {
        self.expose().ct_eq(other).into()
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        wipe(&mut self.octets);
    }
}

/// Overwrites octets at the speed of memory, behind a barrier that the compiler cannot see through; [`Zeroize`] on a slice goes
/// octet by octet, which shows where shards of a megabyte pass.
pub fn wipe(octets: &mut [u8]) {
    octets.fill(0);
    zeroize::optimization_barrier(octets);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vector_is_taken_over_where_it_lies() {
        let mut octets = Vec::with_capacity(100);
        octets.extend_from_slice(b"share");
        let at = octets.as_ptr();
        let secret = Secret::take(octets);
        assert_eq!(secret.expose(), b"share");
        assert_eq!(secret.len(), 5);
        assert_eq!(secret.expose().as_ptr(), at, "no copy was made");
    }

    #[test]
    fn clearing_overwrites() {
        let mut secret = Secret::take(vec![7; 1_000]);
        secret.clear();
        assert!(secret.is_empty());
        assert!(secret.octets.iter().all(|octet| *octet == 0));
    }
}
