//! OpenSSH keys and signatures, judged both ways by the real `ssh-keygen`.

use super::allowed_signers::{self, AllowedSigner};
use super::{SshError, SshPublicKey, SshSigningKey, claimed_signer, verify};
use sha2::{Digest as _, Sha256};
use ssh_key::public::{KeyData, SkEd25519};
use ssh_key::{Algorithm, HashAlg, LineEnding, Signature, SshSig};
use std::path::Path;
use std::process::{Command, Stdio};

const NAMESPACE: &str = "script-approval@anchorite";

fn key(fill: u8) -> SshSigningKey {
    SshSigningKey::from_seed(&[fill; 32]).unwrap()
}

fn keygen(folder: &Path, arguments: &[&str], stdin: Option<&str>) -> bool {
    let input = stdin.map_or_else(Stdio::null, |name| std::fs::File::open(folder.join(name)).unwrap().into());
    Command::new("ssh-keygen")
        .current_dir(folder)
        .args(arguments)
        .stdin(input)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap()
        .success()
}

fn keygen_verifies(folder: &Path, signer: &SshPublicKey, namespace: &str, message: &[u8], armoured: &str) -> bool {
    let who = AllowedSigner { who: "alice".into(), namespaces: vec![NAMESPACE.into()], key: signer.clone() };
    std::fs::write(folder.join("allowed"), allowed_signers::render(&[who])).unwrap();
    std::fs::write(folder.join("m"), message).unwrap();
    std::fs::write(folder.join("m.sig"), armoured).unwrap();
    keygen(folder, &["-Y", "verify", "-f", "allowed", "-I", "alice", "-n", namespace, "-s", "m.sig"], Some("m"))
}

#[test]
fn ssh_keygen_verifies_what_we_sign() {
    let folder = tempfile::tempdir().unwrap();
    let signer = key(1);
    let armoured = signer.sign(NAMESPACE, b"the script").unwrap();
    assert_eq!(armoured, signer.sign(NAMESPACE, b"the script").unwrap(), "deterministic");
    assert!(verify(&signer.public(), NAMESPACE, b"the script", &armoured).is_ok());
    assert!(keygen_verifies(folder.path(), &signer.public(), NAMESPACE, b"the script", &armoured));
    assert!(!keygen_verifies(folder.path(), &signer.public(), NAMESPACE, b"another", &armoured));
    assert!(!keygen_verifies(folder.path(), &key(2).public(), NAMESPACE, b"the script", &armoured));
    assert!(!keygen_verifies(folder.path(), &signer.public(), "other@anchorite", b"the script", &armoured));
}

#[test]
fn we_verify_what_ssh_keygen_signs() {
    for (kind, bits) in [("ed25519", "256"), ("ecdsa", "256")] {
        let folder = tempfile::tempdir().unwrap();
        assert!(keygen(folder.path(), &["-q", "-t", kind, "-b", bits, "-N", "", "-C", "a comment", "-f", "id"], None));
        std::fs::write(folder.path().join("m"), b"the script").unwrap();
        assert!(keygen(folder.path(), &["-q", "-Y", "sign", "-f", "id", "-n", NAMESPACE, "m"], None));
        let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
        let public = SshPublicKey::parse(&read("id.pub")).unwrap();
        assert!(read("id.pub").starts_with(public.line()));
        assert_eq!(verify(&public, NAMESPACE, b"the script", &read("m.sig")), Ok(()));
        assert_eq!(claimed_signer(&read("m.sig")).unwrap(), public);
        assert!(matches!(verify(&public, NAMESPACE, b"other", &read("m.sig")), Err(SshError::Signature(_))));
    }
}

#[test]
fn each_cause_of_refusal_has_its_own_error() {
    let (signer, message) = (key(1), b"m".as_slice());
    let armoured = signer.sign("a", message).unwrap();
    assert!(matches!(verify(&signer.public(), "b", message, &armoured), Err(SshError::Namespace { .. })));
    assert!(matches!(verify(&key(2).public(), "a", message, &armoured), Err(SshError::OtherKey { .. })));
    assert!(matches!(verify(&signer.public(), "a", b"n", &armoured), Err(SshError::Signature(_))));
    for other in [
        armoured.replace('\n', "\r\n"),
        format!("{armoured}\n"),
        format!("x\n{armoured}"),
        format!("{armoured}{armoured}"),
        armoured.replace("SSH SIGNATURE", "SIGNATURE"),
        String::new(),
    ] {
        assert!(matches!(verify(&signer.public(), "a", message, &other), Err(SshError::Armour(_))), "{other}");
    }
    assert!(verify(&signer.public(), "a", message, armoured.trim_end()).is_ok(), "one line break at the end may lack");
    assert!(signer.sign("", message).is_err());
}

/// What a security key would sign: SHA-256(application) || flags || counter || SHA-256(message).
fn security_key_signature(flags: u8) -> (SshPublicKey, String) {
    let device = ed25519_dalek::SigningKey::from_bytes(&[8; 32]);
    let point = ssh_key::public::Ed25519PublicKey(device.verifying_key().to_bytes());
    let key = KeyData::SkEd25519(SkEd25519::new(point, "ssh:"));
    let signed = SshSig::signed_data(NAMESPACE, HashAlg::Sha512, b"m").unwrap();
    let trailer = [&[flags][..], &7_u32.to_be_bytes()].concat();
    let data = [&Sha256::digest("ssh:")[..], &trailer, &Sha256::digest(signed)].concat();
    let mut octets = ed25519_dalek::Signer::sign(&device, &data).to_bytes().to_vec();
    octets.extend(trailer);
    let signature = Signature::new(Algorithm::SkEd25519, octets).unwrap();
    let armoured = SshSig::new(key.clone(), NAMESPACE, HashAlg::Sha512, signature).unwrap();
    let line = ssh_key::PublicKey::from(key).to_openssh().unwrap();
    (SshPublicKey::parse(line.trim_end()).unwrap(), armoured.to_pem(LineEnding::LF).unwrap())
}

#[test]
fn a_security_key_must_have_been_touched() {
    let folder = tempfile::tempdir().unwrap();
    let (public, armoured) = security_key_signature(1);
    assert!(public.line().starts_with("sk-ssh-ed25519@openssh.com "));
    assert_eq!(verify(&public, NAMESPACE, b"m", &armoured), Ok(()));
    assert!(keygen_verifies(folder.path(), &public, NAMESPACE, b"m", &format!("{armoured}\n")));
    let (_, untouched) = security_key_signature(0);
    assert!(matches!(verify(&public, NAMESPACE, b"m", &untouched), Err(SshError::NoTouch(_))));
}

#[test]
fn a_public_key_has_one_line() {
    let public = key(1).public();
    let line = public.line().to_owned();
    assert_eq!(SshPublicKey::parse(&format!("{line} alice@laptop of alice")).unwrap(), public);
    assert_eq!(SshPublicKey::parse(&format!("{line}\n")).unwrap(), public);
    let json = serde_json::to_string(&public).unwrap();
    assert_eq!(serde_json::from_str::<SshPublicKey>(&json).unwrap(), public);
    assert!(serde_json::from_str::<SshPublicKey>(&format!("\"{line} comment\"")).is_err());
    for other in [
        format!(" {line}"),
        line.replace(' ', "  "),
        line.replace(' ', "\t"),
        format!("{line}\nssh-ed25519"),
        line.replace("ssh-ed25519 ", "ecdsa-sha2-nistp256 "),
        line[..line.len() - 2].to_owned(),
        "ssh-ed25519".to_owned(),
    ] {
        assert!(SshPublicKey::parse(&other).is_err(), "{other}");
    }
    let rsa = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAAQ==";
    assert_eq!(SshPublicKey::parse(rsa), Err(SshError::KeyType("ssh-rsa".into())));
    let weak = ssh_key::public::Ed25519PublicKey([
        1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ]);
    let weak = ssh_key::PublicKey::from(KeyData::Ed25519(weak)).to_openssh().unwrap();
    assert!(SshPublicKey::parse(weak.trim_end()).is_err(), "a key for which anyone can sign");
}

#[test]
fn the_label_is_the_start_of_the_digest() {
    let public = key(1).public();
    let hex = public.digest().hex();
    assert_eq!(public.fingerprint_label(), format!("{}:{}:{}", &hex[0..2], &hex[2..4], &hex[4..6]));
}

#[test]
fn allowed_signers_come_back_as_written() {
    let signers = vec![
        AllowedSigner {
            who: "alice@example".into(),
            namespaces: vec![NAMESPACE.into(), "b@c".into()],
            key: key(1).public(),
        },
        AllowedSigner { who: "bob".into(), namespaces: vec!["b@c".into()], key: key(2).public() },
    ];
    let text = allowed_signers::render(&signers);
    assert_eq!(allowed_signers::parse(&text).unwrap(), signers);
    assert_eq!(allowed_signers::parse(&format!("# people\n\n{text}")).unwrap(), signers);
    assert_eq!(allowed_signers::parse("").unwrap(), vec![]);
}

#[test]
fn a_bad_allowed_signers_line_is_named_by_its_number() {
    let line = key(1).public().line().to_owned();
    for (bad, says) in [
        ("alice".to_owned(), "one word"),
        (format!("alice {line}"), "no namespaces"),
        (format!("* namespaces=\"a\" {line}"), "patterns"),
        (format!("a,b namespaces=\"a\" {line}"), "patterns"),
        (format!("alice namespaces=\"a*\" {line}"), "namespaces without patterns"),
        (format!("alice namespaces=\"\" {line}"), "namespaces without patterns"),
        (format!("alice namespaces=\"a,\" {line}"), "namespaces without patterns"),
        (format!("alice namespaces=\"a {line}"), "no end"),
        (format!("alice namespaces=\"a\",cert-authority {line}"), "no end"),
        (format!("alice cert-authority {line}"), "no namespaces"),
        (format!(" alice namespaces=\"a\" {line}"), "a name without"),
        (format!("bob namespaces=\"a\" {line}\nalice namespaces=\"a\" {line}"), "that of bob"),
        ("alice namespaces=\"a\" ssh-dss AAAA".to_owned(), "ssh-dss"),
        (format!("alice namespaces=\"a\" {line}\r"), "a tab"),
    ] {
        let error = allowed_signers::parse(&format!("# first line\n{bad}\n")).unwrap_err().to_string();
        assert!(error.contains(says), "{bad}: {error}");
        assert!(
            error.starts_with(if bad.starts_with("bob") {
                "allowed signers, line 3:"
            } else {
                "allowed signers, line 2:"
            }),
            "{error}"
        );
    }
}
