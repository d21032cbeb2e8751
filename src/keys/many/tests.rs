//! What is made in thousands is what is made one at a time.

use super::*;
use crate::keys::Algorithm;
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

fn signer(fill: u8) -> (SigningKey, ManySigner) {
    let key = SigningKey::from_material(Algorithm::EcdsaP256, &[fill; 64]).unwrap();
    let many = ManySigner::of(&key).unwrap();
    (key, many)
}

fn digests(count: u32) -> Vec<[u8; 32]> {
    (0..count).map(|n| Sha256::digest(n.to_be_bytes()).into()).collect()
}

fn pairs(count: u8) -> Vec<KeyPair> {
    (1..=count).map(|n| KeyPair::from_material(&[n; 64]).unwrap()).collect()
}

#[test]
fn signatures_are_those_of_the_p256_crate_octet_for_octet() {
    let (key, many) = signer(7);
    let messages: Vec<[u8; 4]> = (0..300_u32).map(u32::to_be_bytes).collect();
    let digests: Vec<[u8; 32]> = messages.iter().map(|message| Sha256::digest(message).into()).collect();
    let signatures = verify_all(&many, many.sign(&digests).unwrap(), &[]).unwrap();
    for (message, signature) in messages.iter().zip(&signatures) {
        assert_eq!(signature.to_der(), key.sign(message).unwrap());
    }
}

#[test]
fn key_pairs_are_those_made_one_at_a_time() {
    for fill in 1..=80_u8 {
        let one = SigningKey::from_material(Algorithm::EcdsaP256, &[fill; 64]).unwrap();
        let pair = KeyPair::from_material(&[fill; 64]).unwrap();
        assert_eq!(pair.spki_der().as_slice(), one.public_key().spki_der());
        assert!(one.to_pkcs8_der().unwrap().same_as(pair.pkcs8_der().expose()));
        assert_eq!(times_generator_portably(&pair.scalar), Some(pair.point));
    }
    let mut second = [0xff; 64];
    second[32..].fill(9);
    assert_eq!(KeyPair::from_material(&second).unwrap().point, KeyPair::from_material(&[9; 64]).unwrap().point);
    assert!(KeyPair::from_material(&[0xff; 64]).is_err());
    assert!(KeyPair::from_material(&[0; 64]).is_err());
    assert!(KeyPair::from_material(&[1; 63]).is_err());
}

#[test]
fn another_algorithm_has_no_many() {
    for algorithm in [Algorithm::Ed25519, Algorithm::EcdsaP384] {
        assert!(ManySigner::of(&SigningKey::from_material(algorithm, &[1; 64]).unwrap()).is_none());
    }
}

#[test]
fn one_wrong_value_anywhere_fails_the_whole_batch() {
    let (_, many) = signer(3);
    let good = || many.sign(&digests(50)).unwrap();
    let check = |signatures: Unverified, pairs: Vec<KeyPair>| verify_all(&many, signatures, &pairs).map(|_| ());
    assert!(check(good(), pairs(20)).is_ok());
    let with = |change: &dyn Fn(&mut Signature)| {
        let mut signatures = good();
        change(&mut signatures.0[31]);
        check(signatures, pairs(20))
    };
    assert!(with(&|s| s.s += Scalar::ONE).is_err(), "s");
    assert!(with(&|s| s.r += Scalar::ONE).is_err(), "r");
    assert!(with(&|s| s.digest[0] ^= 1).is_err(), "digest");
    assert!(with(&|s| s.point = pairs(1)[0].point).is_err(), "R");
    assert!(with(&|s| s.point[64] ^= 1).is_err(), "R off the curve");
    assert!(with(&|s| s.s = Scalar::ZERO).is_err(), "s of 0");
    let mut swapped = pairs(20);
    swapped[4].scalar[31] ^= 1;
    assert!(check(good(), swapped).is_err(), "a private key that is another's");
    for more in [60, 1] {
        assert!(check(good(), pairs(more)).is_ok(), "{more} key pairs beside 50 signatures");
        let mut wrong = pairs(more);
        wrong.last_mut().unwrap().scalar[31] ^= 1;
        assert!(check(good(), wrong).is_err(), "the last of {more}");
    }
    let (_, other) = signer(4);
    assert!(verify_all(&other, good(), &[]).is_err(), "another signer");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_key_and_digest_sign_as_the_crate_does(material in proptest::collection::vec(any::<u8>(), 64), message: [u8; 8]) {
        let key = SigningKey::from_material(Algorithm::EcdsaP256, &material).unwrap();
        let many = ManySigner::of(&key).unwrap();
        let signed = many.sign(&[Sha256::digest(message).into()]).unwrap();
        let der = verify_all(&many, signed, &[]).unwrap()[0].to_der();
        prop_assert_eq!(der, key.sign(&message).unwrap());
    }
}
