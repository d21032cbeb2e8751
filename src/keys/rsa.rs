//! RSA public keys and the check of their signatures (RFC 8017). We certify keys that others hold in their modules; no
//! RSA private key is ever in this program, so nothing here has to run in constant time.
//!
//! ```text
//! RSAPublicKey ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER }
//! 30 82 01 0a 02 82 01 01 00 <256 octets> 02 03 01 00 01       2,048 bits, exponent 65,537
//! ```

use super::subject::{Hash, SignatureScheme};
use crate::basics::limits;
use crypto_bigint::BoxedUint;
use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use der::asn1::UintRef;
use der::{Decode, Encode, Sequence};

#[derive(Sequence)]
struct Inner<'a> {
    modulus: UintRef<'a>,
    exponent: UintRef<'a>,
}

/// A modulus and an exponent as somebody wrote them: both positive, nothing else believed of them.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RsaPublicKey {
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

impl RsaPublicKey {
    /// Reads the DER of an RSAPublicKey. Small and silly keys are read too, so that a refusal can say what they are.
    #[must_use]
    pub fn from_der(octets: &[u8]) -> Option<Self> {
        if octets.len() > limits::RSA_KEY_OCTETS {
            return None;
        }
        let parsed = Inner::from_der(octets).ok()?;
        (parsed.to_der().ok()?.as_slice() == octets).then_some(())?;
        let key = Self { modulus: parsed.modulus.as_bytes().to_vec(), exponent: parsed.exponent.as_bytes().to_vec() };
        (key.modulus.first()? != &0 && key.exponent.first()? != &0).then_some(key)
    }

    /// Big endian, without leading zeros.
    #[must_use]
    pub fn modulus(&self) -> &[u8] {
        &self.modulus
    }

    /// Big endian, without leading zeros.
    #[must_use]
    pub fn exponent(&self) -> &[u8] {
        &self.exponent
    }

    /// Bits of the modulus.
    #[must_use]
    pub fn bits(&self) -> usize {
        bits(&self.modulus)
    }

    /// The exponent where it is one that people write as a number.
    #[must_use]
    pub fn small_exponent(&self) -> Option<u64> {
        (self.exponent.len() <= 8)
            .then(|| self.exponent.iter().fold(0, |number, octet| number << 8 | u64::from(*octet)))
    }

    /// Whether a signature verifies: also by keys that we do not certify, so that a refusal can name every reason.
    #[must_use]
    pub fn verify(&self, message: &[u8], signature: &[u8], scheme: SignatureScheme) -> bool {
        match scheme {
            SignatureScheme::RsaPkcs1(hash) => self.verify_pkcs1(hash, message, signature).is_some(),
            SignatureScheme::RsaPss(hash, salt) => self.verify_pss(hash, salt, message, signature).is_some(),
            SignatureScheme::Ecdsa(_) | SignatureScheme::Pure(_) => false,
        }
    }

    /// RSASSA-PKCS1-v1_5 (RFC 8017 8.2.2): the encoded message is made again and compared, never parsed.
    fn verify_pkcs1(&self, hash: Hash, message: &[u8], signature: &[u8]) -> Option<()> {
        let encoded = self.public_operation(signature)?;
        let mut tail = hash.digest_info_prefix().to_vec();
        tail.extend(hash.of(message));
        let padding = encoded.len().checked_sub(tail.len().checked_add(3)?)?;
        (padding >= 8).then_some(())?;
        let mut expected = vec![0, 1];
        expected.resize(padding + 2, 0xff);
        expected.push(0);
        expected.extend(tail);
        (encoded == expected).then_some(())
    }

    /// RSASSA-PSS (RFC 8017 9.1.2) with MGF1 on the same hash and `salt` octets of salt.
    fn verify_pss(&self, hash: Hash, salt: usize, message: &[u8], signature: &[u8]) -> Option<()> {
        let encoded_bits = self.bits().checked_sub(1)?;
        let length = encoded_bits.div_ceil(8);
        let mut encoded = self.public_operation(signature)?;
        // Where the modulus has 8n + 1 bits the encoded message is an octet shorter than it.
        while encoded.len() > length {
            (encoded.remove(0) == 0).then_some(())?;
        }
        let digest = hash.of(message);
        let masked_length = length.checked_sub(digest.len().checked_add(1)?)?;
        let zeros = masked_length.checked_sub(salt.checked_add(1)?)?;
        let (masked, rest) = encoded.split_at_checked(masked_length)?;
        let (fingerprint, trailer) = rest.split_at_checked(digest.len())?;
        (trailer == [0xbc]).then_some(())?;
        let unused = u32::try_from(8 * length - encoded_bits).ok()?;
        let keep = 0xff_u8.checked_shr(unused)?;
        (masked.first()? & !keep == 0).then_some(())?;
        let mut block: Vec<u8> =
            masked.iter().zip(mask(hash, fingerprint, masked_length)).map(|(left, right)| left ^ right).collect();
        *block.first_mut()? &= keep;
        let (padding, given_salt) = block.split_at_checked(zeros + 1)?;
        let (one, padding) = padding.split_last()?;
        (*one == 1 && padding.iter().all(|octet| *octet == 0)).then_some(())?;
        let mut again = vec![0; 8];
        again.extend(&digest);
        again.extend(given_salt);
        (hash.of(&again) == fingerprint).then_some(())
    }

    /// `signature ^ e mod n`, as many octets as the modulus. None for a number that is not below the modulus, for an even
    /// modulus, and for keys so large that somebody wants us to be busy.
    fn public_operation(&self, signature: &[u8]) -> Option<Vec<u8>> {
        let acceptable = self.bits() <= limits::RSA_VERIFIED_BITS
            && bits(&self.exponent) <= limits::RSA_EXPONENT_BITS
            && signature.len() == self.modulus.len()
            && signature < self.modulus.as_slice();
        acceptable.then_some(())?;
        let precision = u32::try_from(8 * self.modulus.len()).ok()?;
        let modulus = BoxedUint::from_be_slice(&self.modulus, precision).ok()?;
        let modulus = modulus.to_odd().into_option()?;
        let exponent_bits = u32::try_from(bits(&self.exponent)).ok()?;
        let exponent = BoxedUint::from_be_slice(&self.exponent, 8 * u32::try_from(self.exponent.len()).ok()?).ok()?;
        let base = BoxedUint::from_be_slice(signature, precision).ok()?;
        let parameters = BoxedMontyParams::new_vartime(modulus);
        let power = BoxedMontyForm::new(base, &parameters).pow_bounded_exp(&exponent, exponent_bits).retrieve();
        let octets = power.to_be_bytes();
        octets.len().checked_sub(self.modulus.len()).and_then(|surplus| octets.get(surplus..)).map(<[u8]>::to_vec)
    }
}

fn bits(number: &[u8]) -> usize {
    let leading = number.first().map_or(0, |first| first.leading_zeros() as usize);
    (8 * number.len()).saturating_sub(leading)
}

/// MGF1 (RFC 8017 B.2.1).
fn mask(hash: Hash, seed: &[u8], length: usize) -> impl Iterator<Item = u8> {
    let seed = seed.to_vec();
    (0_u32..)
        .flat_map(move |counter| {
            let mut block = seed.clone();
            block.extend(counter.to_be_bytes());
            hash.of(&block)
        })
        .take(length)
}
