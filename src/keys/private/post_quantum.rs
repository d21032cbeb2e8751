//! ML-DSA (FIPS 204, RFC 9881) and SLH-DSA (FIPS 205, RFC 9909) signing keys behind one small face, so that five parameter
//! sets are not ten more arms of every match. Pure, with the empty context, deterministic. Both crates wipe on drop.

use crate::keys::Algorithm;
use der::asn1::OctetStringRef;
use der::{Decode, Sequence};
use ml_dsa::{ExpandedSigningKey, MlDsa44, MlDsa65, MlDsa87, MlDsaParams};
use rand_core::{Infallible, TryCryptoRng, TryRng};
use signature::{Keypair, Signer, Verifier};
use slh_dsa::{ParameterSet, Sha2_128s, Sha2_256s};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

/// What a key of either family can do. Nothing of it can be printed.
pub(super) trait PostQuantum: Send + Sync {
    /// The content of the SubjectPublicKeyInfo's BIT STRING.
    fn public_octets(&self) -> Vec<u8>;
    /// `None` only where the crate refuses, which it does for no valid key.
    fn sign(&self, message: &[u8]) -> Option<Vec<u8>>;
    /// The content of the PKCS#8 `privateKey` as this tool writes it; `None` where the key came without its seed.
    fn private_octets(&self) -> Option<Zeroizing<Vec<u8>>>;
}

type Key = Box<dyn PostQuantum>;

const NEITHER: &str = "a key of a post-quantum algorithm";
const ML_DSA_FORMS: &str = "an ML-DSA private key as a seed, an expanded key or both, of this parameter set";

/// The key of fresh material: 32 octets for ML-DSA (FIPS 204 algorithm 6), 3n for SLH-DSA (FIPS 205 algorithm 18); what
/// comes after is ignored. `None` where there are fewer, or the algorithm is another.
pub(super) fn from_material(algorithm: Algorithm, material: &[u8]) -> Option<Key> {
    match algorithm {
        Algorithm::MlDsa44 => Some(Box::new(seeded::<MlDsa44>(material.first_chunk()?))),
        Algorithm::MlDsa65 => Some(Box::new(seeded::<MlDsa65>(material.first_chunk()?))),
        Algorithm::MlDsa87 => Some(Box::new(seeded::<MlDsa87>(material.first_chunk()?))),
        Algorithm::SlhDsaSha2_128s => Some(Box::new(grown::<Sha2_128s>(material.get(..3 * 16)?))),
        Algorithm::SlhDsaSha2_256s => Some(Box::new(grown::<Sha2_256s>(material.get(..3 * 32)?))),
        Algorithm::EcdsaP384 | Algorithm::EcdsaP256 | Algorithm::Ed25519 => None,
    }
}

/// Reads the content of a PKCS#8 `privateKey`: for ML-DSA a seed, an expanded key or both, for SLH-DSA 4n raw octets.
///
/// # Errors
/// What was expected, where it is none of these or its parts do not belong together.
pub(super) fn read(algorithm: Algorithm, octets: &[u8]) -> Result<Key, &'static str> {
    match algorithm {
        Algorithm::MlDsa44 => read_ml_dsa::<MlDsa44>(octets, Small { eta: 2, polynomials: 4 + 4 }),
        Algorithm::MlDsa65 => read_ml_dsa::<MlDsa65>(octets, Small { eta: 4, polynomials: 6 + 5 }),
        Algorithm::MlDsa87 => read_ml_dsa::<MlDsa87>(octets, Small { eta: 2, polynomials: 8 + 7 }),
        Algorithm::SlhDsaSha2_128s => read_slh_dsa::<Sha2_128s>(octets),
        Algorithm::SlhDsaSha2_256s => read_slh_dsa::<Sha2_256s>(octets),
        Algorithm::EcdsaP384 | Algorithm::EcdsaP256 | Algorithm::Ed25519 => Err(NEITHER),
    }
}

fn seeded<P: MlDsaParams>(seed: &[u8; 32]) -> ml_dsa::SigningKey<P> {
    let seed: &ml_dsa::Seed = seed.into();
    ml_dsa::SigningKey::from_seed(seed)
}

impl<P: MlDsaParams> PostQuantum for ml_dsa::SigningKey<P>
where
    Self: Send,
{
    fn public_octets(&self) -> Vec<u8> {
        self.verifying_key().encode().to_vec()
    }

    fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        Some(self.try_sign(message).ok()?.encode().to_vec())
    }

    /// `seed [0] IMPLICIT OCTET STRING (SIZE (32))`, which RFC 9881 6 recommends: 80 20 and the seed.
    fn private_octets(&self) -> Option<Zeroizing<Vec<u8>>> {
        let mut octets = Zeroizing::new(Vec::with_capacity(34));
        octets.extend_from_slice(&[0x80, 32]);
        octets.extend_from_slice(self.as_seed());
        Some(octets)
    }
}

/// A key whose file holds no seed. It signs; it cannot be written in the seed form, and no other is ever written.
struct WithoutSeed<P: MlDsaParams>(Box<ExpandedSigningKey<P>>);

impl<P: MlDsaParams> PostQuantum for WithoutSeed<P>
where
    Self: Send,
{
    fn public_octets(&self) -> Vec<u8> {
        self.0.verifying_key().encode().to_vec()
    }

    fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        Some(self.0.try_sign(message).ok()?.encode().to_vec())
    }

    fn private_octets(&self) -> Option<Zeroizing<Vec<u8>>> {
        None
    }
}

/// `SEQUENCE { seed OCTET STRING (SIZE (32)), expandedKey OCTET STRING }`.
#[derive(Sequence)]
struct Both<'a> {
    seed: &'a OctetStringRef,
    expanded: &'a OctetStringRef,
}

/// How s1 and s2 are packed: so many polynomials of 256 coefficients from -eta to eta.
#[derive(Clone, Copy)]
struct Small {
    eta: u8,
    polynomials: usize,
}

/// `ML-DSA-PrivateKey ::= CHOICE { seed [0], expandedKey OCTET STRING, both SEQUENCE }` (RFC 9881 6).
fn read_ml_dsa<P: MlDsaParams + 'static>(octets: &[u8], small: Small) -> Result<Key, &'static str>
where
    ml_dsa::SigningKey<P>: Send,
    WithoutSeed<P>: Send,
{
    match octets {
        [0x80, 32, seed @ ..] => Ok(Box::new(seeded::<P>(seed.try_into().map_err(|_| ML_DSA_FORMS)?))),
        [0x04, ..] => {
            let expanded = <&OctetStringRef>::from_der(octets).map_err(|_| ML_DSA_FORMS)?;
            Ok(Box::new(without_seed::<P>(expanded.as_bytes(), small)?))
        }
        _ => {
            let both = Both::from_der(octets).map_err(|_| ML_DSA_FORMS)?;
            let key = seeded::<P>(both.seed.as_bytes().try_into().map_err(|_| ML_DSA_FORMS)?);
            // The seed says everything; an expanded key beside it that says something else is a fault or an attack.
            if !bool::from(expanded(key.expanded_key()).ct_eq(both.expanded.as_bytes())) {
                return Err("the expanded key of its seed beside it, found another: the two do not belong together");
            }
            Ok(Box::new(key))
        }
    }
}

#[allow(deprecated, reason = "the crate wants everybody to keep seeds; other people's files hold expanded keys too")]
fn expanded<P: MlDsaParams>(key: &ExpandedSigningKey<P>) -> Zeroizing<Vec<u8>> {
    let mut octets = key.to_expanded();
    let copy = Zeroizing::new(octets.to_vec());
    octets.as_mut_slice().zeroize();
    copy
}

/// rho (32) || K (32) || tr (64) || s1 || s2 || t0 (FIPS 204 algorithm 25). Two things of these ten thousand bits are not
/// free: each coefficient of s1 and s2 is in range (the crate panics where one is not), and what the key signs verifies
/// under the public key that rho, s1 and s2 give, which it does not under another tr.
#[allow(deprecated, reason = "as above")]
fn without_seed<P: MlDsaParams>(octets: &[u8], small: Small) -> Result<WithoutSeed<P>, &'static str> {
    let bits = if small.eta == 2 { 3 } else { 4 };
    let packed = octets.iter().skip(128).take(small.polynomials * 32 * bits);
    if !in_range(packed, bits, 2 * small.eta) {
        return Err(ML_DSA_FORMS);
    }
    let array = <&ml_dsa::ExpandedSigningKeyBytes<P>>::try_from(octets).map_err(|_| ML_DSA_FORMS)?;
    let key = Box::new(ExpandedSigningKey::<P>::from_expanded(array));
    let trial = key.try_sign(TRIAL).map_err(|_| ML_DSA_FORMS)?;
    let verified = key.verifying_key().verify(TRIAL, &trial);
    verified.map_err(
        |_| "an expanded ML-DSA key whose parts belong together, found one that signs what it cannot verify",
    )?;
    Ok(WithoutSeed(key))
}

const TRIAL: &[u8] = b"anchorite: a key that was read signs this and shows it to nobody";

/// Whether each of these `bits` wide numbers, lowest bits first (FIPS 204 algorithm 17), is at most `most`.
fn in_range<'a>(packed: impl Iterator<Item = &'a u8>, bits: usize, most: u8) -> bool {
    let (mut window, mut have, mut good) = (0_u16, 0, true);
    for octet in packed {
        window |= u16::from(*octet) << have;
        have += 8;
        while have >= bits {
            good &= window & ((1 << bits) - 1) <= u16::from(most);
            window >>= bits;
            have -= bits;
        }
    }
    good
}

/// `material` is SK.seed || SK.prf || PK.seed.
fn grown<P: ParameterSet>(material: &[u8]) -> slh_dsa::SigningKey<P> {
    slh_dsa::SigningKey::new(&mut Given(material))
}

impl<P: ParameterSet> PostQuantum for slh_dsa::SigningKey<P>
where
    Self: Send,
{
    fn public_octets(&self) -> Vec<u8> {
        self.as_ref().to_vec()
    }

    fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        Some(self.try_sign(message).ok()?.to_vec())
    }

    /// SK.seed || SK.prf || PK.seed || PK.root, with no OCTET STRING of its own (RFC 9909 6).
    fn private_octets(&self) -> Option<Zeroizing<Vec<u8>>> {
        Some(Zeroizing::new(self.to_vec()))
    }
}

fn read_slh_dsa<P: ParameterSet + 'static>(octets: &[u8]) -> Result<Key, &'static str>
where
    slh_dsa::SigningKey<P>: Send,
{
    let read = slh_dsa::SigningKey::<P>::try_from(octets);
    let read = read.map_err(|_| "an SLH-DSA private key: four times n octets of this parameter set")?;
    // The crate takes PK.root on trust; a key with another one signs what nobody can verify.
    let key = grown::<P>(octets.get(..octets.len() / 4 * 3).unwrap_or_default());
    if key.as_ref() != read.as_ref() {
        return Err("an SLH-DSA private key with the root its seeds give, found another");
    }
    Ok(Box::new(key))
}

/// Octets that were drawn already, handed to a crate that asks for a generator. Zeros after the last: nobody asks for more.
struct Given<'a>(&'a [u8]);

impl TryRng for Given<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut octets = [0; 4];
        self.try_fill_bytes(&mut octets)?;
        Ok(u32::from_le_bytes(octets))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut octets = [0; 8];
        self.try_fill_bytes(&mut octets)?;
        Ok(u64::from_le_bytes(octets))
    }

    fn try_fill_bytes(&mut self, wanted: &mut [u8]) -> Result<(), Infallible> {
        for slot in wanted {
            let (first, rest) = self.0.split_first().map_or((0, self.0), |(first, rest)| (*first, rest));
            *slot = first;
            self.0 = rest;
        }
        Ok(())
    }
}

impl TryCryptoRng for Given<'_> {}
