//! The hybrid recipient against what it must refuse, and as the standard's own vectors see it (`tests/judge_age.mjs` runs the
//! 18 of `cctv-age` and npm `age-encryption` both ways).

use super::Recipient;
use crate::basics::Secret;
use crate::keys::recipient::identity::Identity;
use crate::keys::recipient::{RecipientKind, hybrid, recipient_of};
use crate::strongroom::sealing::{open, seal};
use age::Recipient as _;
use age_core::format::Stanza;
use data_encoding::BASE64_NOPAD;
use proptest::prelude::*;

const KIND: RecipientKind = RecipientKind::MlKem768X25519;

fn content(text: &str) -> Secret {
    Secret::take_text(text.to_owned())
}

fn sealed(seed: u8, text: &str) -> Vec<u8> {
    seal(&recipient_of(KIND, &[seed; 32]).unwrap(), &content(text)).unwrap()
}

#[test]
fn what_is_sealed_opens_for_its_identity_and_for_no_other() {
    let file = sealed(7, "a private key");
    assert!(file.starts_with(b"age-encryption.org/v1\n-> mlkem768x25519 "));
    assert!(open(KIND, &[7; 32], &file).unwrap().same_as(b"a private key"));
    assert!(open(KIND, &[8; 32], &file).err().unwrap().contains("does not open"));
    let told = open(RecipientKind::X25519, &[7; 32], &file).err().unwrap();
    assert!(
        told.contains("sealed to X25519 (classical) and to nothing else, found a stanza `mlkem768x25519`"),
        "{told}"
    );
    let classical = seal(&recipient_of(RecipientKind::X25519, &[7; 32]).unwrap(), &content("a private key")).unwrap();
    assert!(open(RecipientKind::X25519, &[7; 32], &classical).is_ok());
    let told = open(KIND, &[7; 32], &classical).err().unwrap();
    assert!(told.contains("found a stanza `X25519`"), "{told}");
}

#[test]
fn a_file_is_never_sealed_to_both_kinds_and_one_that_is_does_not_open() {
    let hybrid = Recipient(hybrid::parse(&recipient_of(KIND, &[7; 32]).unwrap()).unwrap());
    let classical: age::x25519::Recipient = recipient_of(RecipientKind::X25519, &[7; 32]).unwrap().parse().unwrap();
    let both: [&dyn age::Recipient; 2] = [&hybrid, &classical];
    let refused = age::Encryptor::with_recipients(both.into_iter());
    assert!(matches!(refused.err(), Some(age::EncryptError::IncompatibleRecipients { .. })));

    // Whoever writes the file with another program can put both in: its owner would not notice without the look at the header.
    let file = sealed(7, "a private key");
    let mut forged = b"age-encryption.org/v1\n-> X25519 ajtqAvDEkVNr2B7zUOtq2mAQXDSBlNrVAuM/dKb5sT4\nbody\n".to_vec();
    forged.extend(&file[b"age-encryption.org/v1\n".len()..]);
    for kind in RecipientKind::ALL {
        assert!(open(kind, &[7; 32], &forged).err().unwrap().contains("to nothing else"), "{kind}");
    }
}

/// A stanza of the right shape for the identity 07...07, and the same with one thing wrong.
fn stanza() -> Stanza {
    let recipient = Recipient(hybrid::parse(&recipient_of(KIND, &[7; 32]).unwrap()).unwrap());
    let file_key = age_core::format::FileKey::new(Box::new([9; 16]));
    recipient.wrap_file_key(&file_key).unwrap().0.remove(0)
}

#[test]
fn a_stanza_that_is_misshapen_is_refused_and_one_that_is_another_s_is_passed_over() {
    use age::Identity as _;
    use age_core::secrecy::ExposeSecret as _;
    let identity = Identity::of(KIND, &[7; 32]).ok().unwrap();
    let opened = |stanza: &Stanza| identity.unwrap_stanza(stanza).map(|r| r.map(|key| *key.expose_secret()).ok());
    let good = stanza();
    assert_eq!(opened(&good), Some(Some([9; 16])));

    let with = |change: &dyn Fn(&mut Stanza)| {
        let mut changed = Stanza { tag: good.tag.clone(), args: good.args.clone(), body: good.body.clone() };
        change(&mut changed);
        changed
    };
    let octets = BASE64_NOPAD.decode(good.args[0].as_bytes()).unwrap();
    let argument = |octets: &[u8]| BASE64_NOPAD.encode(octets);
    let low_order: Vec<u8> = octets[..1_088].iter().copied().chain([0; 32]).collect();
    let bad = [
        ("one more argument", with(&|s| s.args.push("x".to_owned()))),
        ("no argument", with(&|s| s.args.clear())),
        ("a short key", with(&|s| s.args[0] = argument(&octets[..1_119]))),
        ("a long key", with(&|s| s.args[0] = argument(&[&octets[..], &[0]].concat()))),
        ("padding", with(&|s| s.args[0].push('='))),
        ("a share of low order", with(&|s| s.args[0] = argument(&low_order))),
        ("a long file key", with(&|s| s.body.push(0))),
        ("a short file key", with(&|s| s.body.truncate(31))),
    ];
    for (what, stanza) in bad {
        assert_eq!(opened(&stanza), Some(None), "{what}");
    }
    assert_eq!(opened(&with(&|s| s.tag = "MLKEM768X25519".to_owned())), None, "another tag");
    assert_eq!(opened(&with(&|s| s.body[31] ^= 1)), None, "a wrong tag of ChaCha20-Poly1305");
    for place in [0, 1_087, 1_088, 1_119] {
        let mut other = octets.clone();
        other[place] ^= 1;
        assert_eq!(opened(&with(&|s| s.args[0] = argument(&other))), None, "octet {place}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn any_content_comes_back(identity in any::<[u8; 32]>(), text in "[ -~]{1,300}") {
        let file = seal(&recipient_of(KIND, &identity).unwrap(), &content(&text)).unwrap();
        prop_assert!(open(KIND, &identity, &file).unwrap().same_as(text.as_bytes()));
    }

    #[test]
    fn a_changed_octet_is_noticed(place in any::<prop::sample::Index>(), bit in 0..8u8) {
        let mut file = sealed(7, "a private key");
        let at = place.index(file.len());
        file[at] ^= 1 << bit;
        // age strews in stanzas of nobody; the header's own code covers those too.
        prop_assert!(open(KIND, &[7; 32], &file).is_err());
    }
}

#[derive(serde::Deserialize)]
struct Vector {
    name: String,
    expect: String,
    identities: Vec<String>,
    /// SHA-256 of the content.
    payload: Option<String>,
    file: String,
}

fn seed_of(identity: &str) -> [u8; 32] {
    let (prefix, octets) = bech32::decode(identity).unwrap();
    assert_eq!(prefix.to_lowercase(), "age-secret-key-pq-");
    octets.try_into().unwrap()
}

/// tests/vectors/cctv-age: the vectors of whoever wrote the standard.
#[test]
fn the_standard_s_vectors_end_as_they_say() {
    use std::io::Read as _;
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/cctv-age/hybrid.json");
    let vectors: Vec<Vector> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(vectors.len(), 18);
    for vector in vectors {
        let file = crate::basics::digest::hex_decode(&vector.file).unwrap();
        let seed = seed_of(vector.identities.last().unwrap());
        let identities: Vec<Identity> =
            vector.identities.iter().map(|text| Identity::parse(text).ok().unwrap()).collect();
        let ended = match age::Decryptor::new(&file[..])
            .map(|d| d.decrypt(identities.iter().map(|i| i as &dyn age::Identity)))
        {
            Ok(Ok(mut reader)) => {
                let mut content = Vec::new();
                reader.read_to_end(&mut content).unwrap();
                let payload = crate::basics::Digest::of(&content).hex();
                assert_eq!(Some(payload), vector.payload, "{}", vector.name);
                "success"
            }
            Ok(Err(age::DecryptError::NoMatchingKeys)) => "no match",
            Ok(Err(_)) | Err(_) => "header failure",
        };
        assert_eq!(ended, vector.expect, "{}", vector.name);
        // Ours is stricter in one thing: a file for both kinds is as weak as the weaker one.
        let ours = vector.expect == "success" && vector.name != "hybrid_and_x25519";
        assert_eq!(open(KIND, &seed, &file).is_ok(), ours, "{}", vector.name);
    }
}

/// Runs `tests/judge_age.mjs` where its tools are installed (`tests/all` installs them).
#[test]
fn the_standard_s_other_implementation_opens_what_we_seal_and_we_what_it_seals() {
    use crate::keys::recipient::identity_text;
    use std::io::Write as _;
    use std::process::{Command, Stdio};
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let node = root.join("tests/.judges/npm/node_modules/.bin/node");
    if !node.exists() {
        eprintln!("skipped: tests/.judges/npm is not there; tests/all makes it");
        return;
    }
    let judge = |verb: &str, argument: &str, input: &[u8]| {
        let mut child = Command::new(&node)
            .arg(root.join("tests/judge_age.mjs"))
            .args([verb, argument])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{verb} {argument}");
        output.stdout
    };
    for (kind, seed) in RecipientKind::ALL.into_iter().flat_map(|kind| (1..4u8).map(move |seed| (kind, seed))) {
        let identity = identity_text(kind, &[seed; 32]);
        let recipient = recipient_of(kind, &[seed; 32]).unwrap();
        assert_eq!(judge("recipient", identity.expose_text(), b""), format!("{recipient}\n").as_bytes());
        let text = format!("-----BEGIN PRIVATE KEY----- {seed}");
        let ours = seal(&recipient, &content(&text)).unwrap();
        assert_eq!(judge("open", identity.expose_text(), &ours), text.as_bytes(), "{kind}: npm opens ours");
        let theirs = judge("seal", &recipient, text.as_bytes());
        assert!(open(kind, &[seed; 32], &theirs).unwrap().same_as(text.as_bytes()), "{kind}: we open npm's");
    }
}
