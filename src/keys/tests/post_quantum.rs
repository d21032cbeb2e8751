//! ML-DSA and SLH-DSA keys against the LAMPS working group's examples, and against what is wrong with private keys.

use super::key;
use crate::basics::digest::hex_decode;
use crate::keys::{Algorithm, KeyError, PublicKey, SigningKey};
use der::Decode;
use proptest::prelude::*;
use x509_cert::spki::SubjectPublicKeyInfoRef;

const LAMPS: [(Algorithm, &str); 3] =
    [(Algorithm::MlDsa44, "ML-DSA-44"), (Algorithm::MlDsa65, "ML-DSA-65"), (Algorithm::MlDsa87, "ML-DSA-87")];

fn post_quantum() -> impl Iterator<Item = Algorithm> {
    Algorithm::ALL.into_iter().filter(|algorithm| algorithm.is_post_quantum())
}

fn lamps(name: &str) -> String {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/lamps");
    std::fs::read_to_string(folder.join(name)).unwrap()
}

fn der_of(pem: &str) -> Vec<u8> {
    der::pem::decode_vec(pem.as_bytes()).unwrap().1
}

fn public(name: &str) -> PublicKey {
    PublicKey::from_spki_der(&der_of(&lamps(name))).unwrap()
}

/// The certificate's key and its signature over itself; of a profile that is not ours, so by another parser.
fn self_signed(name: &str) -> (PublicKey, Vec<u8>, Vec<u8>) {
    use der::Encode;
    let certificate = x509_cert::Certificate::from_der(&der_of(&lamps(name))).unwrap();
    let spki = certificate.tbs_certificate().subject_public_key_info().to_der().unwrap();
    let signature = certificate.signature().as_bytes().unwrap().to_vec();
    (PublicKey::from_spki_der(&spki).unwrap(), certificate.tbs_certificate().to_der().unwrap(), signature)
}

#[test]
fn the_lamps_private_keys_give_the_lamps_public_keys_in_all_three_forms() {
    for (algorithm, name) in LAMPS {
        let expected = public(&format!("{name}.pub"));
        assert_eq!(expected.algorithm(), algorithm);
        let read = |form: &str| {
            let pem = lamps(&format!("{name}-{form}.priv"));
            (SigningKey::from_foreign_pkcs8_pem(pem.as_bytes()).unwrap(), pem)
        };
        for form in ["seed", "both", "expanded"] {
            let (key, pem) = read(form);
            assert_eq!(key.public_key(), expected, "{name} {form}");
            let signature = key.sign(b"message").unwrap();
            assert_eq!(signature, read("seed").0.sign(b"message").unwrap(), "{name} {form}: deterministic");
            assert_eq!(
                SigningKey::from_pkcs8_pem(pem.as_bytes()).is_ok(),
                form == "seed",
                "only the seed is our spelling"
            );
            let (written, seed) = (key.to_pkcs8_pem(), lamps(&format!("{name}-seed.priv")));
            match form {
                "expanded" => {
                    assert!(matches!(written.err(), Some(KeyError::PrivateKey(told)) if told.contains("seed")))
                }
                _ => assert!(written.unwrap().same_as(seed.as_bytes()), "{name} {form}: written as the seed"),
            }
        }
    }
    let pem = lamps("id-slh-dsa-sha2-128s.priv");
    let key = SigningKey::from_pkcs8_pem(pem.as_bytes()).unwrap();
    assert_eq!(key.public_key(), public("id-slh-dsa-sha2-128s.pub"));
}

#[test]
fn the_lamps_certificates_verify_under_their_own_keys() {
    let slh_dsa = [(Algorithm::SlhDsaSha2_128s, "id-slh-dsa-sha2-128s", "id-slh-dsa-sha2-128s.pem".to_owned())];
    for (algorithm, name, file) in LAMPS.map(|(a, name)| (a, name, format!("{name}.crt"))).into_iter().chain(slh_dsa) {
        let (key, tbs, signature) = self_signed(&file);
        assert_eq!((&key, key.algorithm()), (&public(&format!("{name}.pub")), algorithm));
        assert_eq!(key.verify(&tbs, &signature), Ok(()), "{name}");
        let mut tampered = tbs.clone();
        *tampered.last_mut().unwrap() ^= 1;
        assert!(key.verify(&tampered, &signature).is_err(), "{name}: another message");
    }
}

/// A PKCS#8 file with this content of `privateKey`.
fn pkcs8(algorithm: Algorithm, private: &[u8]) -> String {
    use der::Encode;
    let info = pkcs8::PrivateKeyInfoRef::new(
        spki::AlgorithmIdentifierRef { oid: algorithm.post_quantum_oid().unwrap(), parameters: None },
        der::asn1::OctetStringRef::new(private).unwrap(),
    );
    der::pem::encode_string("PRIVATE KEY", der::pem::LineEnding::LF, &info.to_der().unwrap()).unwrap()
}

/// The content of `privateKey` of a LAMPS file.
fn private(name: &str) -> Vec<u8> {
    let der = der_of(&lamps(name));
    pkcs8::PrivateKeyInfoRef::from_der(&der).unwrap().private_key.as_bytes().to_vec()
}

fn refusal(algorithm: Algorithm, private: &[u8]) -> String {
    SigningKey::from_foreign_pkcs8_pem(pkcs8(algorithm, private).as_bytes()).err().expect("refused").to_string()
}

#[test]
fn an_ml_dsa_key_whose_parts_do_not_belong_together_is_refused() {
    for (algorithm, name) in LAMPS {
        // In `both`: 30 82 len len | 04 20 seed | 04 82 len len | rho K tr s1 s2 t0.
        let both = private(&format!("{name}-both.priv"));
        let expanded = 4 + 34 + 4;
        for (what, place) in [
            ("another seed", 4 + 2),
            ("another rho", expanded),
            ("another K", expanded + 32),
            ("another tr", expanded + 64),
            ("another t0", both.len() - 1),
        ] {
            let mut bad = both.clone();
            bad[place] ^= 1;
            let told = refusal(algorithm, &bad);
            assert!(told.contains("do not belong together"), "{name}, {what}: {told}");
        }
        let mut s1 = both.clone();
        s1[expanded + 128] ^= 1;
        assert!(refusal(algorithm, &s1).contains("do not belong together"), "{name}: another s1");

        // Without a seed to compare with, only what contradicts itself can be seen.
        let alone = private(&format!("{name}-expanded.priv"));
        let mut bad = alone.clone();
        bad[4 + 64] ^= 1;
        assert!(refusal(algorithm, &bad).contains("signs what it cannot verify"), "{name}: another tr");
        let mut bad = alone.clone();
        bad[4 + 128] = 0xff;
        assert!(refusal(algorithm, &bad).contains("of this parameter set"), "{name}: s1 out of range");
        for octets in
            [&alone[..alone.len() - 1], &[0x80, 31][..], &[0x80, 32, 1][..], &[][..], &[0x30, 0][..], &[0x04, 0][..]]
        {
            assert!(refusal(algorithm, octets).contains("of this parameter set"));
        }
        let other = if algorithm == Algorithm::MlDsa44 { Algorithm::MlDsa65 } else { Algorithm::MlDsa44 };
        assert!(refusal(other, &alone).contains("of this parameter set"), "{name}: of another parameter set");
        assert!(refusal(other, &both).contains("do not belong together"), "{name}: of another parameter set");
    }
}

#[test]
fn an_slh_dsa_key_whose_root_is_another_is_refused() {
    let octets = private("id-slh-dsa-sha2-128s.priv");
    for place in [0, 32, 48, 63] {
        let mut bad = octets.clone();
        bad[place] ^= 1;
        assert!(refusal(Algorithm::SlhDsaSha2_128s, &bad).contains("with the root its seeds give"), "octet {place}");
    }
    assert!(refusal(Algorithm::SlhDsaSha2_128s, &octets[..63]).contains("four times n octets"));
    assert!(refusal(Algorithm::SlhDsaSha2_256s, &octets).contains("four times n octets"));
}

#[test]
fn the_hashing_variants_are_none_of_ours() {
    // HashML-DSA-44 with SHA-512 (RFC 9881 8 forbids it in certificates), HashSLH-DSA-SHA2-128s with SHA-256.
    for (algorithm, ours, hashed) in
        [(Algorithm::MlDsa44, "0311", "0320"), (Algorithm::SlhDsaSha2_128s, "0314", "0323")]
    {
        let spki = crate::basics::digest::hex_encode(key(algorithm, 1).public_key().spki_der());
        let oid = |last: &str| format!("0609608648016503 04{last}").replace(' ', "");
        assert!(spki.contains(&oid(ours)), "{spki:.60}");
        let changed = hex_decode(&spki.replacen(&oid(ours), &oid(hashed), 1)).unwrap();
        assert!(SubjectPublicKeyInfoRef::from_der(&changed).is_ok());
        assert_eq!(PublicKey::from_spki_der(&changed).err(), Some(KeyError::PublicKey("another algorithm")));
    }
}

#[test]
fn parameters_and_wrong_lengths_are_refused() {
    for algorithm in post_quantum() {
        let public = key(algorithm, 2).public_key();
        let oid = algorithm.post_quantum_oid().unwrap();
        let spki = |octets: &[u8], parameters: Option<der::AnyRef<'_>>| {
            use der::Encode;
            let subject_public_key = der::asn1::BitStringRef::from_bytes(octets).unwrap();
            let algorithm = spki::AlgorithmIdentifierRef { oid, parameters };
            SubjectPublicKeyInfoRef { algorithm, subject_public_key }.to_der().unwrap()
        };
        let bits = public.key_bits();
        assert_eq!(spki(&bits, None), public.spki_der());
        let told = |der: &[u8]| PublicKey::from_spki_der(der).err().unwrap().to_string();
        assert!(told(&spki(&bits[1..], None)).contains("another length"), "{algorithm}");
        assert!(told(&spki(&[&bits[..], &[0]].concat(), None)).contains("another length"), "{algorithm}");
        assert!(told(&spki(&bits, Some(der::AnyRef::NULL))).contains("another algorithm"), "{algorithm}");

        let signature = key(algorithm, 2).sign(b"message").unwrap();
        let expected = [2_420, 3_309, 4_627, 7_856, 29_792];
        assert_eq!(signature.len(), expected[post_quantum().position(|other| other == algorithm).unwrap()]);
        for wrong in [&signature[..signature.len() - 1], &[][..], &[&signature[..], &[0]].concat()] {
            assert!(public.verify(b"message", wrong).is_err(), "{algorithm}: {} octets", wrong.len());
        }
        let other = key(Algorithm::EcdsaP256, 2);
        assert!(other.public_key().verify(b"message", &signature).is_err());
        assert!(public.verify(b"message", &other.sign(b"message").unwrap()).is_err());
    }
}

#[test]
fn longer_material_does_not_change_keys_that_need_less() {
    for algorithm in post_quantum().filter(|algorithm| algorithm.material_octets() == 64) {
        let mut material = [5; 64];
        let first = SigningKey::from_material(algorithm, &material).unwrap().public_key();
        material[48..].fill(6);
        assert_eq!(SigningKey::from_material(algorithm, &material).unwrap().public_key(), first, "{algorithm}");
    }
    let short = KeyError::MaterialLength { expected: 96, found: 64 };
    assert_eq!(SigningKey::from_material(Algorithm::SlhDsaSha2_256s, &[5; 64]).err(), Some(short));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn an_ml_dsa_signature_is_good_for_its_message_key_and_octets_only(
        which in 0..3usize, material in proptest::collection::vec(any::<u8>(), 64),
        message in proptest::collection::vec(any::<u8>(), 0..2_000), place in any::<prop::sample::Index>(), bit in 0..8u8,
    ) {
        let signer = SigningKey::from_material(LAMPS[which].0, &material).unwrap();
        let signature = signer.sign(&message).unwrap();
        prop_assert_eq!(&signature, &signer.sign(&message).unwrap());
        let mut bad = signature.clone();
        bad[place.index(signature.len())] ^= 1 << bit;
        prop_assert!(signer.public_key().verify(&message, &bad).is_err());
        let pem = signer.to_pkcs8_pem().unwrap();
        prop_assert_eq!(SigningKey::from_pkcs8_pem(pem.expose()).unwrap().public_key(), signer.public_key());
    }
}

#[test]
fn an_slh_dsa_signature_is_good_for_its_message_key_and_octets_only() {
    for algorithm in [Algorithm::SlhDsaSha2_128s, Algorithm::SlhDsaSha2_256s] {
        let signer = key(algorithm, 3);
        let signature = signer.sign(b"message").unwrap();
        assert!(signer.public_key().verify(b"other", &signature).is_err());
        assert!(key(algorithm, 4).public_key().verify(b"message", &signature).is_err());
        for place in (0..signature.len()).step_by(1_999) {
            let mut bad = signature.clone();
            bad[place] ^= 1;
            assert!(signer.public_key().verify(b"message", &bad).is_err(), "{algorithm}: octet {place}");
        }
        let pem = signer.to_pkcs8_pem().unwrap();
        assert_eq!(SigningKey::from_pkcs8_pem(pem.expose()).unwrap().public_key(), signer.public_key());
    }
}
