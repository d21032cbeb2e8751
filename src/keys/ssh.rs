//! OpenSSH keys and signatures (SSHSIG): what people sign approvals and transcripts with, because every machine already
//! has `ssh-keygen -Y verify`. Parsing is strict: one key or signature has one spelling here.
//!
//! ```text
//! ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti
//! ```
//! Never here: RSA and DSA keys, certificates, private key files, the agent.

pub mod allowed_signers;

use super::public::is_valid_ed25519_point;
use crate::basics::Digest;
use crate::basics::digest::hex_encode;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use ssh_key::public::KeyData;
use ssh_key::{HashAlg, LineEnding, SshSig};

/// Why an OpenSSH key or signature was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SshError {
    #[error("OpenSSH public key: expected one line \"TYPE BASE64 [comment]\", found {0}")]
    PublicKey(&'static str),
    #[error("OpenSSH public key: expected ssh-ed25519, ecdsa-sha2-nistp256 or their sk- forms, found {0}")]
    KeyType(String),
    #[error("OpenSSH signature: expected a signature armoured as ssh-keygen writes it, found {0}")]
    Armour(&'static str),
    #[error("OpenSSH signature: expected namespace \"{expected}\", found \"{found}\"")]
    Namespace { expected: String, found: String },
    #[error("OpenSSH signature: expected one by {expected}, found one by {found}")]
    OtherKey { expected: String, found: String },
    #[error("OpenSSH signature: expected one over this message by {0}, found another")]
    Signature(String),
    #[error("OpenSSH signature: expected one given with a touch of the security key {0}, found none")]
    NoTouch(String),
    #[error("signing as OpenSSH does failed for namespace \"{0}\"")]
    Signing(String),
    #[error("allowed signers, line {line}: {problem}")]
    AllowedSigners { line: usize, problem: String },
}

/// A public key of an OpenSSH kind we accept, with a valid point.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SshPublicKey {
    line: String,
    key: KeyData,
    blob: Vec<u8>,
}

impl SshPublicKey {
    /// Parses one line `TYPE BASE64 [comment]`; the comment is dropped.
    ///
    /// # Errors
    /// Where the line is not that, the type is not one of ours, the point is invalid, or the same key would be written
    /// differently.
    pub fn parse(line: &str) -> Result<Self, SshError> {
        let refuse = |found| SshError::PublicKey(found);
        let line = line.strip_suffix('\n').unwrap_or(line);
        if line.contains(['\n', '\r', '\t']) {
            return Err(refuse("more than one line, or a tab"));
        }
        let (word, rest) = line.split_once(' ').ok_or(refuse("no key after the type"))?;
        if !matches!(
            word,
            "ssh-ed25519" | "ecdsa-sha2-nistp256" | "sk-ssh-ed25519@openssh.com" | "sk-ecdsa-sha2-nistp256@openssh.com"
        ) {
            return Err(SshError::KeyType(word.escape_default().to_string()));
        }
        let encoded = rest.split(' ').next().unwrap_or_default();
        let canonical = format!("{word} {encoded}");
        let parsed =
            ssh_key::PublicKey::from_openssh(&canonical).map_err(|_| refuse("octets that are not that key"))?;
        let key = Self::from_key_data(parsed.key_data().clone())?;
        if key.line != canonical {
            return Err(refuse("the same key in another spelling"));
        }
        Ok(key)
    }

    fn from_key_data(key: KeyData) -> Result<Self, SshError> {
        let refuse = |found| SshError::PublicKey(found);
        let valid = match &key {
            KeyData::Ed25519(point) => is_valid_ed25519_point(point.as_ref()),
            KeyData::SkEd25519(security_key) => is_valid_ed25519_point(security_key.public_key().as_ref()),
            KeyData::Ecdsa(point) => is_valid_p256_point(point.as_sec1_bytes()),
            KeyData::SkEcdsaSha2NistP256(security_key) => is_valid_p256_point(security_key.ec_point().as_bytes()),
            _ => return Err(SshError::KeyType(key.algorithm().to_string())),
        };
        if !valid {
            return Err(refuse("a point that is not on the curve or not in its usual form"));
        }
        let public = ssh_key::PublicKey::from(key.clone());
        let line = public.to_openssh().map_err(|_| refuse("a key that cannot be encoded"))?;
        let blob = public.to_bytes().map_err(|_| refuse("a key that cannot be encoded"))?;
        Ok(Self { line: line.trim_end().to_owned(), key, blob })
    }

    /// The canonical line, without a comment and without a line break.
    #[must_use]
    pub fn line(&self) -> &str {
        &self.line
    }

    /// SHA-256 of the key blob: what `ssh-keygen -l` shows in base64.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.blob)
    }

    /// The first three octets of the digest, `a1:9c:44`: a label for screens, never an expectation.
    #[must_use]
    pub fn fingerprint_label(&self) -> String {
        let pairs: Vec<String> = self.digest().octets().iter().take(3).map(|octet| hex_encode(&[*octet])).collect();
        pairs.join(":")
    }

    fn is_security_key(&self) -> bool {
        matches!(self.key, KeyData::SkEd25519(_) | KeyData::SkEcdsaSha2NistP256(_))
    }
}

fn is_valid_p256_point(sec1: &[u8]) -> bool {
    sec1.len() == 65 && sec1.first() == Some(&4) && p256::PublicKey::from_sec1_bytes(sec1).is_ok()
}

/// Checks an armoured signature over `message` in `namespace` by exactly this key.
///
/// # Errors
/// One for each cause: armour, namespace, key, touch, signature.
pub fn verify(public: &SshPublicKey, namespace: &str, message: &[u8], armoured: &str) -> Result<(), SshError> {
    let signature = parse_armoured(armoured)?;
    let signer = SshPublicKey::from_key_data(signature.public_key().clone())?;
    if &signer != public {
        return Err(SshError::OtherKey { expected: public.fingerprint_label(), found: signer.fingerprint_label() });
    }
    if signature.namespace() != namespace {
        let found = signature.namespace().escape_default().to_string();
        return Err(SshError::Namespace { expected: namespace.to_owned(), found });
    }
    // A security key signs flags (one octet; bit 0: a person touched it) and a counter (four) after the signature.
    let flags = signature.signature_bytes().iter().rev().nth(4).copied().unwrap_or(0);
    if public.is_security_key() && flags & 1 == 0 {
        return Err(SshError::NoTouch(public.fingerprint_label()));
    }
    ssh_key::PublicKey::from(public.key.clone())
        .verify(namespace, message, &signature)
        .map_err(|_| SshError::Signature(public.fingerprint_label()))
}

/// The key a signature names as its own: for a message that says whose signature was found, never as a check.
///
/// # Errors
/// Where the armour or the key in it is not accepted.
pub fn claimed_signer(armoured: &str) -> Result<SshPublicKey, SshError> {
    SshPublicKey::from_key_data(parse_armoured(armoured)?.public_key().clone())
}

fn parse_armoured(armoured: &str) -> Result<SshSig, SshError> {
    let signature = SshSig::from_pem(armoured).map_err(|_| SshError::Armour("something else"))?;
    if signature.version() != SshSig::VERSION || !signature.reserved().is_empty() {
        return Err(SshError::Armour("another version, or a reserved field in use"));
    }
    if armour(&signature)? != with_line_end(armoured) {
        return Err(SshError::Armour("the same signature in another spelling"));
    }
    Ok(signature)
}

fn armour(signature: &SshSig) -> Result<String, SshError> {
    let text = signature.to_pem(LineEnding::LF).map_err(|_| SshError::Armour("one that cannot be encoded"))?;
    Ok(with_line_end(&text))
}

fn with_line_end(text: &str) -> String {
    format!("{}\n", text.strip_suffix('\n').unwrap_or(text))
}

/// An Ed25519 key that signs as `ssh-keygen -Y sign` does; wiped when dropped.
///
/// ```compile_fail
/// fn printable<T: std::fmt::Debug>() {}
/// printable::<anchorite::keys::ssh::SshSigningKey>();
/// ```
/// ```compile_fail
/// fn copied<T: Clone>() {}
/// copied::<anchorite::keys::ssh::SshSigningKey>();
/// ```
pub struct SshSigningKey {
    private: Box<ssh_key::PrivateKey>,
    public: SshPublicKey,
}

impl SshSigningKey {
    /// The key whose RFC 8032 seed these 32 octets are.
    ///
    /// # Errors
    /// Where its point is invalid, which that of a seed never is.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, SshError> {
        let private = Box::new(ssh_key::PrivateKey::from(ssh_key::private::Ed25519Keypair::from_seed(seed)));
        let public = SshPublicKey::from_key_data(private.public_key().key_data().clone())?;
        Ok(Self { private, public })
    }

    #[must_use]
    pub fn public(&self) -> SshPublicKey {
        self.public.clone()
    }

    /// The armoured signature over `message`, with a line break at its end: the same octets each time.
    ///
    /// # Errors
    /// Where the namespace is empty.
    pub fn sign(&self, namespace: &str, message: &[u8]) -> Result<String, SshError> {
        let failed = |_| SshError::Signing(namespace.to_owned());
        let signature = self.private.sign(namespace, HashAlg::Sha512, message).map_err(failed)?;
        armour(&signature)
    }
}

impl std::fmt::Debug for SshPublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SshPublicKey({})", self.line)
    }
}

impl std::fmt::Display for SshPublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.line)
    }
}

impl Serialize for SshPublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.line)
    }
}

impl<'de> Deserialize<'de> for SshPublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let key = Self::parse(&text).map_err(serde::de::Error::custom)?;
        if key.line != text {
            return Err(serde::de::Error::custom("expected an OpenSSH public key without a comment"));
        }
        Ok(key)
    }
}

#[cfg(test)]
mod tests;
