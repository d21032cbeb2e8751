//! Keys against vectors, and against OpenSSL's reading of the files.

use super::recipient::{RecipientKind, hybrid, identity_text, recipient_of};
use super::{Algorithm, KeyError, PublicKey, SigningKey};
use crate::basics::digest::hex_decode;
use proptest::prelude::*;
use std::io::Write as _;
use std::process::{Command, Stdio};

mod post_quantum;
mod wycheproof;

fn key(algorithm: Algorithm, fill: u8) -> SigningKey {
    SigningKey::from_material(algorithm, &vec![fill; algorithm.material_octets()]).unwrap()
}

/// Those that Debian's OpenSSL 3.0 knows.
fn classical() -> impl Iterator<Item = Algorithm> {
    Algorithm::ALL.into_iter().filter(|algorithm| !algorithm.is_post_quantum())
}

/// Runs a program with `input` on its standard input; its output, or what it complained about.
fn run(program: &str, arguments: &[&str], input: &[u8]) -> Result<Vec<u8>, String> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    if output.status.success() { Ok(output.stdout) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

#[test]
fn words_name_algorithms_and_come_back() {
    for algorithm in Algorithm::ALL {
        assert_eq!(Algorithm::from_word(algorithm.word()), Some(algorithm));
        let json = serde_json::to_string(&algorithm).unwrap();
        assert_eq!(json, format!("\"{}\"", algorithm.word()));
        assert_eq!(serde_json::from_str::<Algorithm>(&json).unwrap(), algorithm);
    }
    assert!(serde_json::from_str::<Algorithm>("\"rsa\"").unwrap_err().to_string().contains("found \"rsa\""));
}

#[test]
fn an_ecdsa_key_signs_the_rfc_6979_vector() {
    // RFC 6979 A.2.5 (P-256, SHA-256, "sample") and A.2.6 (P-384, SHA-384, "sample").
    let mut material = hex_decode("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721").unwrap();
    material.extend([0; 32]);
    let signature = SigningKey::from_material(Algorithm::EcdsaP256, &material).unwrap().sign(b"sample").unwrap();
    let r = "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716";
    let s = "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8";
    assert_eq!(signature, hex_decode(&format!("3046022100{r}022100{s}")).unwrap());

    let scalar = "6b9d3dad2e1b8c1c05b19875b6659f4de23c3b667bf297ba9aa47740787137d896d5724e4c70a825f872c9ea60d2edf5";
    let mut material = hex_decode(scalar).unwrap();
    material.extend([0; 16]);
    let signature = SigningKey::from_material(Algorithm::EcdsaP384, &material).unwrap().sign(b"sample").unwrap();
    let r = "94edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa73d64c4ea95ad133c81a648152e44acf96e36dd1e80fabe46";
    let s = "99ef4aeb15f178cea1fe40db2603138f130e740a19624526203b6351d0a3a94fa329c145786e679e7b82c71a38628ac8";
    assert_eq!(signature, hex_decode(&format!("3066023100{r}023100{s}")).unwrap());
}

#[test]
fn an_ed25519_key_signs_the_rfc_8032_vector() {
    let mut material = hex_decode("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60").unwrap();
    material.extend([0xff; 32]);
    let key = SigningKey::from_material(Algorithm::Ed25519, &material).unwrap();
    let expected = "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b";
    assert_eq!(key.sign(b"").unwrap(), hex_decode(expected).unwrap());
}

#[test]
fn p256_material_is_tried_in_two_candidates_and_then_refused() {
    let mut material = [0xff; 64];
    assert_eq!(SigningKey::from_material(Algorithm::EcdsaP256, &material).err(), Some(KeyError::MaterialOutOfRange));
    assert_eq!(SigningKey::from_material(Algorithm::EcdsaP384, &material).err(), Some(KeyError::MaterialOutOfRange));
    assert_eq!(SigningKey::from_material(Algorithm::EcdsaP384, &[0; 64]).err(), Some(KeyError::MaterialOutOfRange));
    material[32..].fill(7);
    let second = SigningKey::from_material(Algorithm::EcdsaP256, &material).unwrap().public_key();
    assert_eq!(second, key(Algorithm::EcdsaP256, 7).public_key());
    let short = KeyError::MaterialLength { expected: 64, found: 63 };
    assert_eq!(SigningKey::from_material(Algorithm::Ed25519, &[1; 63]).err(), Some(short));
}

#[test]
fn a_signature_is_good_for_its_message_and_key_only() {
    for algorithm in Algorithm::ALL {
        let signer = key(algorithm, 5);
        let signature = signer.sign(b"to be signed").unwrap();
        assert_eq!(signature, signer.sign(b"to be signed").unwrap(), "deterministic");
        assert!(signer.public_key().verify(b"to be signed", &signature).is_ok());
        assert!(signer.public_key().verify(b"to be signed.", &signature).is_err());
        assert!(key(algorithm, 6).public_key().verify(b"to be signed", &signature).is_err());
        let mut longer = signature.clone();
        longer.push(0);
        assert!(signer.public_key().verify(b"to be signed", &longer).is_err(), "trailing octet");
    }
}

#[test]
fn a_private_key_file_comes_back_and_openssl_reads_it_as_the_same_key() {
    for algorithm in classical() {
        let original = key(algorithm, 9);
        let pem = original.to_pkcs8_pem().unwrap();
        assert_eq!(SigningKey::from_pkcs8_pem(pem.expose()).unwrap().public_key(), original.public_key());
        let public = run("openssl", &["pkey", "-pubout", "-outform", "DER"], pem.expose()).unwrap();
        assert_eq!(public, original.public_key().spki_der());
        let der = run("openssl", &["pkcs8", "-topk8", "-nocrypt", "-outform", "DER"], pem.expose()).unwrap();
        assert!(original.to_pkcs8_der().unwrap().same_as(&der), "OpenSSL would write the same octets");
    }
}

#[test]
fn openssl_verifies_our_signatures() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    for algorithm in classical() {
        let signer = key(algorithm, 11);
        let public = run("openssl", &["pkey", "-pubin", "-inform", "DER"], signer.public_key().spki_der()).unwrap();
        std::fs::write(path("public.pem"), public).unwrap();
        std::fs::write(path("message"), b"over this").unwrap();
        std::fs::write(path("signature"), signer.sign(b"over this").unwrap()).unwrap();
        let (public, message, signature) = (path("public.pem"), path("message"), path("signature"));
        let mut arguments = vec!["pkeyutl", "-verify", "-pubin", "-inkey", &public, "-rawin", "-in", &message];
        arguments.extend(["-sigfile", &signature]);
        let digest = match algorithm {
            Algorithm::EcdsaP384 => Some("sha384"),
            Algorithm::EcdsaP256 => Some("sha256"),
            _ => None,
        };
        if let Some(name) = digest {
            arguments.extend(["-digest", name]);
        }
        run("openssl", &arguments, b"").unwrap();
    }
}

#[test]
fn a_private_key_file_in_another_spelling_is_refused() {
    let pem = key(Algorithm::EcdsaP256, 3).to_pkcs8_pem().unwrap();
    let text = pem.expose_text();
    for other in [
        format!("{text}\n"),
        format!("words before\n{text}"),
        text.replace('\n', "\r\n"),
        text.replace("PRIVATE KEY", "EC PRIVATE KEY"),
        format!("{text}{text}"),
    ] {
        assert!(SigningKey::from_pkcs8_pem(other.as_bytes()).is_err(), "{other}");
    }
}

#[test]
fn public_keys_that_are_not_valid_points_are_refused() {
    let p256 = key(Algorithm::EcdsaP256, 4).public_key();
    let mut off_curve = p256.spki_der().to_vec();
    *off_curve.last_mut().unwrap() ^= 1;
    assert!(PublicKey::from_spki_der(&off_curve).is_err(), "a point off the curve");

    let mut compressed = hex_decode("3039301306072a8648ce3d020106082a8648ce3d030107032200").unwrap();
    compressed.push(2 | p256.spki_der().last().unwrap() & 1);
    compressed.extend(&p256.key_bits()[1..33]);
    assert!(PublicKey::from_spki_der(&compressed).is_err(), "a compressed point");

    let identity = hex_decode("3019301306072a8648ce3d020106082a8648ce3d03010703020000").unwrap();
    assert!(PublicKey::from_spki_der(&identity).is_err(), "the identity");

    for weak in ["01".to_owned() + &"00".repeat(31), "ee".to_owned() + &"ff".repeat(30) + "7f"] {
        let spki = hex_decode(&format!("302a300506032b6570032100{weak}")).unwrap();
        assert!(PublicKey::from_spki_der(&spki).is_err(), "the identity of Ed25519, canonically and not");
    }

    let mut trailing = p256.spki_der().to_vec();
    trailing.push(0);
    assert!(PublicKey::from_spki_der(&trailing).is_err(), "a trailing octet");

    let ed25519 = key(Algorithm::Ed25519, 4).public_key();
    let with_null = [&hex_decode("302c300706032b65700500032100").unwrap(), &ed25519.key_bits()[..]].concat();
    assert!(PublicKey::from_spki_der(&with_null).is_err(), "Ed25519 with parameters");
}

#[test]
fn the_age_crate_reads_the_identity_and_agrees_on_the_recipient() {
    let kind = RecipientKind::X25519;
    let text = identity_text(kind, &[0x42; 32]);
    let first = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";
    assert_eq!(text.expose_text(), first);
    let identity: age::x25519::Identity = text.expose_text().parse().unwrap();
    let recipient = recipient_of(kind, &[0x42; 32]).unwrap();
    assert_eq!(identity.to_public().to_string(), recipient);
    assert_eq!((text.len(), RecipientKind::of_recipient(&recipient)), (74, Some(kind)));
}

#[test]
fn a_hybrid_recipient_is_read_back_and_no_other_text_stands_for_it() {
    let kind = RecipientKind::MlKem768X25519;
    let recipient = recipient_of(kind, &[0x42; 32]).unwrap();
    assert_eq!((recipient.len(), RecipientKind::of_recipient(&recipient)), (1_959, Some(kind)));
    assert!(hybrid::parse(&recipient).is_ok());
    let text = identity_text(kind, &[0x42; 32]);
    assert!(text.expose_text().starts_with("AGE-SECRET-KEY-PQ-1GFPYYSJZ") && text.len() == 77);
    let classical = recipient_of(RecipientKind::X25519, &[0x42; 32]).unwrap();
    let mut mistyped = recipient.clone();
    let last = if recipient.ends_with('q') { "p" } else { "q" };
    mistyped.replace_range(recipient.len() - 1.., last);
    for other in [&recipient.to_uppercase(), &recipient[..1_958], &mistyped, &classical, &format!("{recipient}q"), ""] {
        assert!(hybrid::parse(other).is_err(), "{other}");
    }
    for word in ["x25519", "mlkem768x25519"] {
        let kind = RecipientKind::from_word(word).unwrap();
        assert_eq!(serde_json::to_string(&kind).unwrap(), format!("\"{word}\""));
    }
    assert_eq!(RecipientKind::of_recipient("age1tag1qqqq"), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn a_public_key_is_written_and_read_back(material in proptest::collection::vec(any::<u8>(), 64), which in 0..3usize) {
        let signer = SigningKey::from_material(Algorithm::ALL[which], &material).unwrap();
        let public = signer.public_key();
        prop_assert_eq!(&PublicKey::from_spki_der(public.spki_der()).unwrap(), &public);
        let json = serde_json::to_string(&public).unwrap();
        prop_assert_eq!(serde_json::from_str::<PublicKey>(&json).unwrap(), public);
    }

    #[test]
    fn no_other_octets_stand_for_a_key(material in proptest::collection::vec(any::<u8>(), 64), which in 0..3usize,
                                       position in any::<prop::sample::Index>(), change in 1..=255u8) {
        let public = SigningKey::from_material(Algorithm::ALL[which], &material).unwrap().public_key();
        let mut octets = public.spki_der().to_vec();
        let at = position.index(octets.len());
        octets[at] ^= change;
        if let Ok(other) = PublicKey::from_spki_der(&octets) {
            prop_assert_eq!(other.spki_der(), &octets[..]);
            prop_assert_ne!(other, public);
        }
    }
}
