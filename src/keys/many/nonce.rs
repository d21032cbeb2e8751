//! Nonces of RFC 6979 3.2 for P-256 with SHA-256: what the `rfc6979` crate gives, which tests hold, at half its cost. It makes HMAC's two
//! blocks of a key anew for every call and goes on after the nonce it gave; here each key's blocks are made once, and what is the same
//! for every digest is kept: the first HMAC, fed as far as the authority's key.

use super::reduced;
use hmac::{Hmac, KeyInit as _, Mac as _};
use p256::Scalar;
use p256::elliptic_curve::PrimeField as _;
use sha2::Sha256;
use zeroize::Zeroizing;

type Octets = Zeroizing<[u8; 32]>;

/// The nonces of one key. HMAC's states are wiped when dropped (feature `zeroize`).
pub(super) struct Nonces {
    /// int2octets(x).
    key: Octets,
    /// HMAC under K of step c, after V and 00 and the key of step d.
    begun: Hmac<Sha256>,
}

impl Nonces {
    pub(super) fn of(key: Octets) -> Self {
        let begun = keyed(&Zeroizing::new([0; 32])).chain_update([1; 32]).chain_update([0]).chain_update(*key);
        Self { key, begun }
    }

    /// The nonce for a message's SHA-256.
    pub(super) fn of_digest(&self, digest: &[u8; 32]) -> Octets {
        // bits2octets: the digest modulo the order.
        let digest: [u8; 32] = reduced(digest).to_repr().into();
        // d, e
        let mut mac = keyed(&tag(self.begun.clone().chain_update(digest)));
        let mut v = tag(mac.clone().chain_update([1; 32]));
        // f, g
        mac = keyed(&tag(mac.chain_update(*v).chain_update([1]).chain_update(*self.key).chain_update(digest)));
        v = tag(mac.clone().chain_update(*v));
        // h
        loop {
            v = tag(mac.clone().chain_update(*v));
            let candidate: Option<Scalar> = Option::from(Scalar::from_repr((*v).into()));
            if candidate.is_some_and(|candidate| candidate != Scalar::ZERO) {
                return v;
            }
            mac = keyed(&tag(mac.chain_update(*v).chain_update([0])));
            v = tag(mac.clone().chain_update(*v));
        }
    }
}

fn keyed(key: &Octets) -> Hmac<Sha256> {
    // invariant: HMAC takes a key of any length; a quiet way round it would be a nonce that everybody can compute.
    #[allow(clippy::expect_used, reason = "length fixed above")]
    Hmac::new_from_slice(key.as_slice()).expect("a key of 32 octets")
}

fn tag(mac: Hmac<Sha256>) -> Octets {
    Zeroizing::new(mac.finalize().into_bytes().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use p256::elliptic_curve::Curve as _;
    use p256::{NistP256, U256};
    use proptest::prelude::*;

    fn by_the_crate(key: &[u8; 32], digest: &[u8; 32]) -> [u8; 32] {
        let mut nonce = [0; 32];
        rfc6979::KGenerator::<Sha256, U256>::new(key, digest, &[], NistP256::ORDER.as_ref()).fill_next_k(&mut nonce);
        nonce
    }

    #[test]
    fn vectors_of_rfc_6979_a_2_5() {
        use sha2::Digest as _;
        let octets = |hex: &str| -> [u8; 32] { crate::basics::digest::hex_decode(hex).unwrap().try_into().unwrap() };
        let key = octets("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721");
        let nonces = Nonces::of(Zeroizing::new(key));
        for (message, nonce) in [
            ("sample", "a6e3c57dd01abe90086538398355dd4c3b17aa873382b0f24d6129493d8aad60"),
            ("test", "d16b6ae827f17175e040871a1c7ec3500192c4c92677336ec2537acaee0008e0"),
        ] {
            assert_eq!(*nonces.of_digest(&Sha256::digest(message).into()), octets(nonce), "{message}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn any_key_and_digest_as_the_crate_does(key: [u8; 32], digest: [u8; 32], high: bool) {
            // Digests of the order and above are one in four thousand million by chance.
            let mut digest = digest;
            if high {
                digest[..8].fill(0xff);
            }
            prop_assert_eq!(*Nonces::of(Zeroizing::new(key)).of_digest(&digest), by_the_crate(&key, &digest));
        }
    }
}
