//! The certificate of an authority whose key was made elsewhere, whole: an OpenSSL-made request comes in, three custodians unlock the
//! root, and OpenSSL verifies what leaves. Once by codes alone, once by stick alone; and what is refused on the way.

use crate::program::{anchorite, anchorite_with, code, root, said, verify, verify_py};
use std::path::{Path, PathBuf};
use std::process::Command;

struct Made {
    folder: tempfile::TempDir,
}

impl Made {
    /// The scripts as they come with the tool, the root rehearsed, and a request that OpenSSL made.
    fn new() -> Self {
        let made = Self { folder: tempfile::tempdir().unwrap() };
        for script in ["root-ca", "intermediate"] {
            std::fs::create_dir_all(made.at(script)).unwrap();
            let path = format!("ceremony-scripts/{script}/script.toml");
            std::fs::copy(root().join(path), made.at(script).join("script.toml")).unwrap();
        }
        std::fs::create_dir(made.at("profiles")).unwrap();
        for entry in std::fs::read_dir(root().join("ceremony-scripts/profiles")).unwrap() {
            let path = entry.unwrap().path();
            std::fs::copy(&path, made.at("profiles").join(path.file_name().unwrap())).unwrap();
        }
        std::fs::create_dir(made.at("incoming")).unwrap();
        made.openssl(&["ecparam", "-name", "secp384r1", "-genkey", "-noout", "-out", "issuing.key"]);
        made.request("incoming/issuing-2026.csr.pem", "issuing.key");
        let output = made.rehearse("root-ca", "root", &[]);
        assert_eq!(code(&output), 0, "{}", said(&output));
        made
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.at(name).to_str().unwrap().to_owned()
    }

    fn openssl(&self, arguments: &[&str]) -> String {
        let done = Command::new("openssl").args(arguments).current_dir(self.folder.path()).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    }

    fn request(&self, out: &str, key: &str) {
        self.openssl(&["req", "-new", "-key", key, "-sha384", "-subj", "/O=Example/CN=Issuing", "-out", out]);
    }

    fn rehearse(&self, script: &str, out: &str, more: &[&str]) -> std::process::Output {
        let (script, out) = (self.text(script), self.text(out));
        let mut arguments = vec!["rehearse", &script, "--plain", "--auto", "--seed", "7", "--out", &out];
        arguments.extend_from_slice(more);
        anchorite(&arguments)
    }

    /// The script without a step and without a material.
    fn without(&self, step: &str, material: &str) {
        let path = self.at("intermediate/script.toml");
        let source = std::fs::read_to_string(&path).unwrap();
        let cut = |source: &str, from: &str| {
            let start = source.find(from).unwrap_or_else(|| panic!("{from}"));
            let end = source[start + 1..].find("\n[[").map_or(source.len(), |at| start + 1 + at + 1);
            source[..start].to_owned() + &source[end..]
        };
        let mut source = cut(&source, &format!("[[act.step]]\nid = \"{step}\""));
        if !material.is_empty() {
            source = cut(&source, &format!("[[material]]\nname = \"{material}\""));
            source = source.replace(&format!(", \"{material}\""), "");
        }
        std::fs::write(path, source).unwrap();
    }

    fn root_certificate(&self) -> String {
        self.text("root/evidence/artifacts/root-2026.crt.pem")
    }

    /// OpenSSL verifies the certificate, and it is for the key of the request.
    fn judged(&self, certificate: &Path) {
        let path = certificate.to_str().unwrap();
        let root = self.root_certificate();
        let verified = self.openssl(&["verify", "-x509_strict", "-no_check_time", "-CAfile", &root, path]);
        assert!(verified.trim_end().ends_with(": OK"), "{verified}");
        let certified = self.openssl(&["x509", "-in", path, "-noout", "-pubkey"]);
        assert_eq!(certified, self.openssl(&["req", "-in", "incoming/issuing-2026.csr.pem", "-noout", "-pubkey"]));
    }
}

fn both_verify(evidence: &Path) {
    let signers = evidence.join("allowed_signers");
    for verifier in [verify, verify_py] {
        let (code, said) = verifier(evidence, &["--signers", signers.to_str().unwrap()]);
        assert_eq!(code, 0, "{said}");
    }
}

#[test]
fn by_codes_alone_from_an_openssl_request_to_openssl_verify() {
    let made = Made::new();
    made.without("export", "transport");
    let more = ["--after", &made.text("root"), "--incoming", &made.text("incoming")];
    let output = made.rehearse("intermediate", "out", &more);
    assert_eq!(code(&output), 0, "{}", said(&output));
    // What the other side took in from the codes, not what lies in our folder.
    made.judged(&made.at("out/media/across/issuing-2026.crt.pem"));
    assert!(!made.at("out/media/transport").exists());
    both_verify(&made.at("out/evidence"));
}

#[test]
fn by_stick_alone_from_an_openssl_request_to_openssl_verify() {
    let made = Made::new();
    made.without("across", "");
    std::fs::create_dir(made.at("stick")).unwrap();
    std::fs::copy(made.at("incoming/issuing-2026.csr.pem"), made.at("stick/issuing-2026.csr.pem")).unwrap();
    made.openssl(&["req", "-in", "incoming/issuing-2026.csr.pem", "-outform", "DER", "-out", "request.der"]);
    let digest = Command::new("sha256sum").arg(made.at("request.der")).output().unwrap();
    let digest = String::from_utf8(digest.stdout).unwrap()[..64].to_owned();
    // Everything before the request is simulated: three people welcome, two look at the machine, two at the clock, six are here,
    // and three things are read back and agreed to.
    let script = made.text("intermediate");
    let (out, after) = (made.text("out"), made.text("root"));
    let arguments = ["rehearse", &script, "--plain", "--after", &after, "--out", &out];
    let before = count_of_prompts(&made);
    let mut lines: Vec<String> = vec!["s".to_owned(); before];
    lines.push(format!("5 {}", made.text("stick")));
    lines.push(digest);
    lines.extend(vec!["s".to_owned(); 80]);
    let output = anchorite_with(&arguments, &(lines.join("\n") + "\n"));
    assert_eq!(code(&output), 0, "{}", said(&output));
    let export = walk(&made.at("out/media")).into_iter().find(|path| path.ends_with("issuing-2026.crt.pem")).unwrap();
    made.judged(&export);
    assert!(!made.at("out/media/across").exists());
    both_verify(&made.at("out/evidence"));
}

/// How many questions come before the request is asked for.
fn count_of_prompts(made: &Made) -> usize {
    let more = ["--after", &made.text("root"), "--incoming", &made.text("incoming")];
    let output = made.rehearse("intermediate", "count", &more);
    assert_eq!(code(&output), 0, "{}", said(&output));
    let record = std::fs::read_to_string(made.at("count/evidence/transcript.jsonl")).unwrap();
    record
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .take_while(|line| line["open"]["step"] != "request")
        .filter(|line| line["body"]["event"]["event"] == "answered")
        .count()
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(walk(&path)) } else { found.push(path) }
    }
    found
}

#[test]
fn a_request_that_must_not_be_certified_is_refused_when_it_comes_in_with_every_reason() {
    let made = Made::new();
    let refused = |name: &str, expected: &[&str]| {
        let more = ["--after", &made.text("root"), "--incoming", &made.text("incoming")];
        let output = made.rehearse("intermediate", name, &more);
        let said = said(&output);
        assert_ne!(code(&output), 0, "{said}");
        for reason in expected {
            assert!(said.contains(reason), "{reason}: {said}");
        }
        assert!(!made.at(name).join("evidence/artifacts/issuing-2026.crt.pem").exists());
    };
    // A key the script does not take, under a name in two scripts.
    made.openssl(&["genrsa", "-out", "small.key", "2048"]);
    let subject = "/O=Ex\u{430}mple/CN=Issuing";
    made.openssl(&[
        "req",
        "-utf8",
        "-new",
        "-key",
        "small.key",
        "-subj",
        subject,
        "-out",
        "incoming/issuing-2026.csr.pem",
    ]);
    refused("rsa", &["key: expected one of ecdsa-p384, rsa-4096, found rsa-2048", "script"]);
    // A signature by another key: one bit of it.
    made.request("good.pem", "issuing.key");
    made.openssl(&["req", "-in", "good.pem", "-outform", "DER", "-out", "bad.der"]);
    let mut der = std::fs::read(made.at("bad.der")).unwrap();
    *der.last_mut().unwrap() ^= 1;
    std::fs::write(made.at("incoming/issuing-2026.csr.pem"), der).unwrap();
    refused("signature", &["signature: expected"]);
}
