//! Entropy: what goes into secrets, and how each secret is drawn from it. HKDF with SHA-512 (RFC 5869).
//!
//! It never asks a random source: sources arrive as octets, named by where they came from. Only the strongroom calls it.
//!
//! With `lp(x)` = the length of x as four octets, big endian, then x, and `be32` = four octets, big endian:
//! ```text
//! PRK        = HKDF-Extract(salt = lp("anchorite/draw/v1") lp(realm) lp(ceremony id) lp(plan digest, 32 octets),
//!                           IKM  = lp(name 1) lp(octets 1) lp(name 2) lp(octets 2) ...)
//! block(b)   = HKDF-Expand(PRK, info = lp("anchorite/draw/v1") lp(realm) lp(step) lp(purpose)
//!                                      be32(index) be32(attempt) be32(b), 64 octets)
//! draw       = block(0) block(1) ..., cut to the length asked for
//! ```
//! A draw depends on nothing that was drawn before it, so a ceremony that was killed and resumed draws the same.

use crate::basics::{Digest, Realm, Secret};
use hkdf::{Hkdf, HkdfExtract};
use rand_core::{Infallible, TryCryptoRng, TryRng};
use sha2::Sha512;
use zeroize::{Zeroize, Zeroizing};

const TAG: &[u8] = b"anchorite/draw/v1";
const BLOCK: usize = 64;
/// Octets of the shortest source that may carry a draw alone: 256 bits.
const LEAST: usize = 32;

/// Why nothing can be drawn from what was given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DrawError {
    #[error("expected at least one entropy source of {LEAST} octets or more, found at most {longest}")]
    TooLittle { longest: usize },
}

/// The extracted key of one ceremony: every secret of it is expanded from here. No `Debug`, no `Clone`.
pub struct Draws {
    realm: Realm,
    /// HMAC under the PRK; its states are wiped when dropped (feature `zeroize`).
    hkdf: Hkdf<Sha512>,
}

impl Draws {
    /// Mixes all sources, each under its name, in the order given.
    ///
    /// # Errors
    /// Where no single source has 32 octets: a forgotten source must not become a secret everybody can compute.
    pub fn extract(
        realm: Realm,
        ceremony_id: &str,
        plan_digest: &Digest,
        sources: &[(&str, &[u8])],
    ) -> Result<Self, DrawError> {
        let longest = sources.iter().map(|(_, octets)| octets.len()).max().unwrap_or(0);
        if longest < LEAST {
            return Err(DrawError::TooLittle { longest });
        }
        Ok(Self::mixed(realm, ceremony_id, plan_digest, sources))
    }

    /// Draws of a rehearsal: everybody who knows the seed can compute them. The realm is not an argument, so no
    /// production secret can come from here.
    #[must_use]
    pub fn rehearsal(seed: u64, ceremony_id: &str, plan_digest: &Digest) -> Self {
        Self::mixed(Realm::Rehearsal, ceremony_id, plan_digest, &[("rehearsal seed", &seed.to_be_bytes())])
    }

    /// `length` octets for one purpose of one step. The same arguments give the same octets; a longer draw begins with
    /// the shorter one, so lengths belong to purposes.
    #[must_use]
    pub fn expand(&self, step: &str, purpose: &str, index: u32, attempt: u32, length: usize) -> Secret {
        let mut rng = self.rng(step, purpose, index, attempt);
        let mut octets = Vec::with_capacity(length);
        while octets.len() < length {
            let block = rng.block();
            octets.extend_from_slice(block.get(..length - octets.len()).unwrap_or(block));
        }
        Secret::take(octets)
    }

    /// The same octets as [`Draws::expand`], as a generator for libraries that want one.
    #[must_use]
    pub fn rng(&self, step: &str, purpose: &str, index: u32, attempt: u32) -> DrawRng<'_> {
        let mut info = Vec::with_capacity(64 + step.len() + purpose.len());
        for part in [TAG, self.realm.word().as_bytes(), step.as_bytes(), purpose.as_bytes()] {
            info.extend_from_slice(&length_prefix(part));
            info.extend_from_slice(part);
        }
        info.extend_from_slice(&index.to_be_bytes());
        info.extend_from_slice(&attempt.to_be_bytes());
        DrawRng { draws: self, info, next_block: 0, block: Zeroizing::new([0; BLOCK]), used: BLOCK }
    }

    #[must_use]
    pub const fn realm(&self) -> Realm {
        self.realm
    }

    fn mixed(realm: Realm, ceremony_id: &str, plan_digest: &Digest, sources: &[(&str, &[u8])]) -> Self {
        let mut salt = Vec::new();
        for part in [TAG, realm.word().as_bytes(), ceremony_id.as_bytes(), plan_digest.octets()] {
            salt.extend_from_slice(&length_prefix(part));
            salt.extend_from_slice(part);
        }
        let mut extract = HkdfExtract::<Sha512>::new(Some(&salt));
        for (name, octets) in sources {
            for part in [name.as_bytes(), octets] {
                extract.input_ikm(&length_prefix(part));
                extract.input_ikm(part);
            }
        }
        let (mut prk, hkdf) = extract.finalize();
        prk.as_mut_slice().zeroize();
        Self { realm, hkdf }
    }

    fn fill(&self, info: &[u8], number: u32, block: &mut [u8; BLOCK]) {
        // invariant: 64 octets are one block of 255 allowed. An error swallowed here would be a secret of zeros, so this must not be a
        // quiet path.
        #[allow(clippy::expect_used, reason = "length fixed above")]
        self.hkdf.expand_multi_info(&[info, &number.to_be_bytes()], block).expect("one block of output");
    }
}

/// One draw as a generator. It ends with its draw: a new purpose is a new generator.
pub struct DrawRng<'a> {
    draws: &'a Draws,
    info: Vec<u8>,
    next_block: u32,
    block: Zeroizing<[u8; BLOCK]>,
    used: usize,
}

impl DrawRng<'_> {
    /// The next whole block.
    fn block(&mut self) -> &[u8; BLOCK] {
        self.draws.fill(&self.info, self.next_block, &mut self.block);
        // invariant: 2^32 blocks are 256 GiB; the longest draw here is the coefficients of 255 shares, 32 KiB.
        self.next_block = self.next_block.wrapping_add(1);
        &self.block
    }

    fn octet(&mut self) -> u8 {
        if self.used >= BLOCK {
            self.block();
            self.used = 0;
        }
        let octet = self.block.get(self.used).copied().unwrap_or_default();
        self.used += 1;
        octet
    }
}

impl TryRng for DrawRng<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_le_bytes(std::array::from_fn(|_| self.octet())))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from_le_bytes(std::array::from_fn(|_| self.octet())))
    }

    fn try_fill_bytes(&mut self, wanted: &mut [u8]) -> Result<(), Infallible> {
        for slot in wanted {
            *slot = self.octet();
        }
        Ok(())
    }
}

impl TryCryptoRng for DrawRng<'_> {}

fn length_prefix(part: &[u8]) -> [u8; 4] {
    u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes()
}
