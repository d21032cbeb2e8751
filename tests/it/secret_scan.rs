//! After a rehearsal, every file but the custodians' own cards is searched for every secret made, in every spelling.

use crate::program::{anchorite, code, files, root, said};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A secret under one of its spellings.
struct Needle {
    name: String,
    octets: Vec<u8>,
}

fn pipe(program: &str, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new(program).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap().stdout
}

fn base64(octets: &[u8]) -> String {
    anchorite::transcript::checkpoint::base64(octets)
}

fn spellings(name: &str, octets: &[u8]) -> Vec<Needle> {
    let hex = anchorite::basics::digest::hex_encode(octets);
    let needle = |octets: Vec<u8>| Needle { name: name.to_owned(), octets };
    let mut all =
        vec![needle(octets.to_vec()), needle(hex.clone().into_bytes()), needle(hex.to_uppercase().into_bytes())];
    // Base64 at each of the three alignments, without the ends that depend on what stands beside it.
    for skip in 0..3 {
        let inner = base64(octets.get(skip..octets.len() - (octets.len() - skip) % 3).unwrap());
        all.push(needle(inner.into_bytes()));
    }
    all
}

fn needles(out: &Path) -> Vec<Needle> {
    let mut all = Vec::new();
    let mut shares = Vec::new();
    for card in
        files(&out.join("media")).into_iter().filter(|p| p.file_name().unwrap().to_str().unwrap().starts_with("card-"))
    {
        let text = std::fs::read_to_string(&card).unwrap().lines().nth(1).unwrap().to_owned();
        for spelling in [text.clone(), text.to_lowercase(), anchorite::basics::digest::group(&text, 4)] {
            all.push(Needle { name: format!("share {}", card.display()), octets: spelling.into_bytes() });
        }
        // A quarter of a share is a leak too.
        all.push(Needle {
            name: format!("part of share {}", card.display()),
            octets: text.as_bytes()[30..50].to_vec(),
        });
        shares.push(text);
    }
    assert_eq!(shares.len(), 3, "the scan found the cards");
    let identity = pipe(
        "python3",
        &[root().join("src/custody/recipe.py").to_str().unwrap()],
        format!("{}\n{}\n", shares[0], shares[1]).as_bytes(),
    );
    let identity = String::from_utf8(identity).unwrap().trim().to_owned();
    assert!(identity.starts_with("AGE-SECRET-KEY-1"));
    all.push(Needle { name: "identity".to_owned(), octets: identity.clone().into_bytes() });
    let (_, scalar) = bech32::decode(&identity).unwrap();
    assert_eq!(scalar.len(), 32);
    all.extend(spellings("identity, raw", &scalar));
    let identity_file = out.with_extension("identity");
    std::fs::write(&identity_file, &identity).unwrap();
    let sealed = out.join("state/vault/small-root.g1.key.age");
    let pem = pipe("age", &["-d", "-i", identity_file.to_str().unwrap(), sealed.to_str().unwrap()], b"");
    assert!(pem.starts_with(b"-----BEGIN PRIVATE KEY-----"), "the vault opens with Debian's age");
    let der = pipe("openssl", &["pkey", "-outform", "DER"], &pem);
    let body: String = String::from_utf8(pem).unwrap().lines().filter(|l| !l.starts_with('-')).take(1).collect();
    all.push(Needle { name: "private key, PEM".to_owned(), octets: body.into_bytes() });
    // The 32 octets after 04 20 in PKCS#8 are the P-256 scalar.
    let at = der.windows(2).rposition(|w| w == [0x04, 0x20]).unwrap() + 2;
    all.extend(spellings("private key", &der[at..at + 32]));
    all
}

/// The first secret found in any file that must not have it.
fn leak(out: &Path, needles: &[Needle]) -> Option<(String, PathBuf)> {
    files(out).into_iter().filter(|p| !p.file_name().unwrap().to_str().unwrap().starts_with("card-")).find_map(|path| {
        let octets = std::fs::read(&path).unwrap();
        let found = needles.iter().find(|n| octets.windows(n.octets.len()).any(|w| w == n.octets))?;
        Some((found.name.clone(), path))
    })
}

#[test]
fn no_secret_is_in_any_output_and_planted_ones_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let output = anchorite(&[
        "rehearse",
        "ceremony-scripts/small-root",
        "--plain",
        "--auto",
        "--seed",
        "7",
        "--out",
        out.to_str().unwrap(),
    ]);
    assert_eq!(code(&output), 0);
    let needles = needles(&out);
    assert!(needles.len() > 15);
    std::fs::write(out.join("state/what-was-printed"), said(&output)).unwrap();
    assert_eq!(leak(&out, &needles), None);
    for needle in &needles {
        let planted = out.join("evidence/report.html");
        let before = std::fs::read(&planted).unwrap();
        std::fs::write(&planted, [&before[..], b"<p>", &needle.octets, b"</p>"].concat()).unwrap();
        assert!(leak(&out, &needles).is_some(), "planted {} was not found", needle.name);
        std::fs::write(&planted, before).unwrap();
    }
}

#[test]
fn a_rehearsal_never_shows_a_share_where_there_is_no_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let output = crate::program::anchorite_with(
        &["rehearse", "ceremony-scripts/small-root", "--plain", "--out", out.to_str().unwrap()],
        &"s\n".repeat(80),
    );
    assert_eq!(code(&output), 0, "{}", said(&output));
    let said = said(&output);
    for card in files(&out.join("media")).into_iter().filter(|p| p.display().to_string().contains("card-")) {
        let text = std::fs::read_to_string(card).unwrap().lines().nth(1).unwrap().to_owned();
        assert!(!said.contains(&text[8..28]), "a share was printed");
    }
}
