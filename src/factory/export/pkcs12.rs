//! PKCS#12 (RFC 7292): key, certificate and the chain above it in one file under a password. Encrypted with PBES2 (AES-256-CBC, PBKDF2 with
//! HMAC-SHA-256), and under a MAC of HMAC-SHA-256 with the derivation of its appendix B; no RC2, no triple DES, no SHA-1.
//!
//! ```text
//! PFX { 3, data { AuthenticatedSafe {
//!     encryptedData { certBag device, certBag issuing, ... }
//!     data { pkcs8ShroudedKeyBag } } },
//!   MacData { { sha256, mac }, salt, iterations } }
//! ```
//! Key and device certificate carry the same `localKeyId` and the device id as `friendlyName`: that is how readers pair them.

use super::{certificate, chain_of, key};
use crate::basics::{Digest, Secret};
use crate::factory::{Record, Refusal};
use const_oid::ObjectIdentifier;
use der::asn1::{Any, BmpString, OctetString, SetOfVec};
use der::{Decode, Encode, Sequence};
use hmac::{Hmac, KeyInit, Mac};
use pkcs5::{EncryptionScheme, pbes2};
use sha2::{Digest as _, Sha256};
use x509_cert::attr::Attribute;
use zeroize::Zeroizing;

const WHAT: &str = "PKCS#12";
/// What a guess of the password costs: OWASP's number for PBKDF2 with HMAC-SHA-256. The MAC's derivation gets the same.
const ITERATIONS: u32 = 600_000;
/// Characters of a password.
const PASSWORD: std::ops::RangeInclusive<usize> = 8..=128;
const SALT: usize = 16;

const fn oid(text: &str) -> ObjectIdentifier {
    ObjectIdentifier::new_unwrap(text)
}
const DATA: ObjectIdentifier = oid("1.2.840.113549.1.7.1");
const ENCRYPTED_DATA: ObjectIdentifier = oid("1.2.840.113549.1.7.6");
const SHROUDED_KEY_BAG: ObjectIdentifier = oid("1.2.840.113549.1.12.10.1.2");
const CERT_BAG: ObjectIdentifier = oid("1.2.840.113549.1.12.10.1.3");
const X509_CERTIFICATE: ObjectIdentifier = oid("1.2.840.113549.1.9.22.1");
const FRIENDLY_NAME: ObjectIdentifier = oid("1.2.840.113549.1.9.20");
const LOCAL_KEY_ID: ObjectIdentifier = oid("1.2.840.113549.1.9.21");
const SHA256: ObjectIdentifier = oid("2.16.840.1.101.3.4.2.1");

/// A password of a file: printable ASCII, because readers disagree on the octets of anything else.
pub struct Password(Secret);

impl Password {
    /// # Errors
    /// Where it is not 8 to 128 characters from `!` to `~`, or spaces inside.
    pub fn parse(typed: Secret) -> Result<Self, Refusal> {
        let octets = typed.expose();
        let inside = octets.first() != Some(&b' ') && octets.last() != Some(&b' ');
        let good = PASSWORD.contains(&octets.len()) && inside && octets.iter().all(|o| matches!(o, b' '..=b'~'));
        if good {
            Ok(Self(typed))
        } else {
            let expected = format!("{} to {} printable ASCII characters", PASSWORD.start(), PASSWORD.end());
            Err(Refusal::malformed("password", expected, "another"))
        }
    }

    /// BMPString with its closing zero (appendix B.1).
    fn bmp(&self) -> Zeroizing<Vec<u8>> {
        let mut wide = Zeroizing::new(Vec::with_capacity(2 * self.0.len() + 2));
        self.0.expose().iter().for_each(|octet| wide.extend([0, *octet]));
        wide.extend([0, 0]);
        wide
    }
}

/// A password, and the randomness of one file.
pub struct Protection {
    pub password: Password,
    /// Drawn anew for every file.
    pub random: [u8; Protection::RANDOM],
}

impl Protection {
    /// Octets of randomness: salt and vector of the key and of the certificates, salt of the MAC.
    pub const RANDOM: usize = 5 * SALT;

    fn part(&self, n: usize) -> [u8; SALT] {
        self.random.as_chunks::<SALT>().0.get(n).copied().unwrap_or_default()
    }

    /// Encrypts what is in front of the sixteen octets of room at the end of `octets`.
    fn encrypt(&self, parts: [usize; 2], octets: &mut [u8]) -> Result<(EncryptionScheme, Vec<u8>), Refusal> {
        let [salt, vector] = parts.map(|n| self.part(n));
        let failed = |e: pkcs5::Error| Refusal::malformed(WHAT, "octets to encrypt", e);
        let parameters =
            pbes2::Parameters::generate_pbkdf2_sha256_aes256cbc(ITERATIONS, &salt, vector).map_err(failed)?;
        let length = octets.len().saturating_sub(SALT);
        let sealed = parameters.encrypt_in_place(self.password.0.expose(), octets, length).map_err(failed)?.to_vec();
        Ok((EncryptionScheme::Pbes2(parameters), sealed))
    }
}

#[derive(Sequence)]
struct ContentInfo {
    kind: ObjectIdentifier,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    content: Any,
}

#[derive(Sequence)]
struct EncryptedData {
    version: u8,
    content: EncryptedContent,
}

#[derive(Sequence)]
struct EncryptedContent {
    kind: ObjectIdentifier,
    algorithm: Any,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT")]
    content: OctetString,
}

#[derive(Sequence)]
struct SafeBag {
    kind: ObjectIdentifier,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    value: Any,
    #[asn1(optional = "true")]
    attributes: Option<SetOfVec<Attribute>>,
}

#[derive(Sequence)]
struct CertBag {
    kind: ObjectIdentifier,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    value: OctetString,
}

#[derive(Sequence)]
struct EncryptedKey {
    algorithm: Any,
    content: OctetString,
}

#[derive(Sequence)]
struct AlgorithmWithNull {
    oid: ObjectIdentifier,
    parameters: Any,
}

#[derive(Sequence)]
struct DigestInfo {
    algorithm: AlgorithmWithNull,
    digest: OctetString,
}

#[derive(Sequence)]
struct MacData {
    mac: DigestInfo,
    salt: OctetString,
    iterations: u32,
}

#[derive(Sequence)]
struct Pfx {
    version: u8,
    safe: ContentInfo,
    mac: MacData,
}

fn encoding(cause: der::Error) -> Refusal {
    Refusal::malformed(WHAT, "values to encode", cause)
}

fn any<T: Encode>(value: &T) -> Result<Any, Refusal> {
    Any::from_der(&value.to_der().map_err(encoding)?).map_err(encoding)
}

fn octets(octets: impl Into<Vec<u8>>) -> Result<OctetString, Refusal> {
    OctetString::new(octets.into()).map_err(encoding)
}

/// The file.
///
/// # Errors
/// Where the bundle has no key, or the chain is none.
pub(super) fn pkcs12(record: &Record, chain: &str, protection: &Protection) -> Result<Secret, Refusal> {
    let identifier = Digest::of(&record.certificate);
    let paired = || attributes(record.device.as_str(), identifier.octets());
    certificate(record)?;
    let mut bags = vec![cert_bag(&record.certificate, Some(paired()?))?];
    for above in chain_of(chain)? {
        bags.push(cert_bag(&above, None)?);
    }
    let mut plain = bags.to_der().map_err(encoding)?;
    plain.extend([0; SALT]);
    let (scheme, content) = protection.encrypt([2, 3], &mut plain)?;
    let certificates = EncryptedData {
        version: 0,
        content: EncryptedContent { kind: DATA, algorithm: any(&scheme)?, content: octets(content)? },
    };
    let key = key(record, WHAT)?;
    let mut plain = Zeroizing::new(Vec::with_capacity(key.len() + SALT));
    plain.extend_from_slice(key.expose());
    plain.extend_from_slice(&[0; SALT]);
    let (scheme, content) = protection.encrypt([0, 1], &mut plain)?;
    let key = EncryptedKey { algorithm: any(&scheme)?, content: octets(content)? };
    let keys = vec![SafeBag { kind: SHROUDED_KEY_BAG, value: any(&key)?, attributes: Some(paired()?) }];
    let safe = vec![
        ContentInfo { kind: ENCRYPTED_DATA, content: any(&certificates)? },
        ContentInfo { kind: DATA, content: any(&octets(keys.to_der().map_err(encoding)?)?)? },
    ];
    let safe = safe.to_der().map_err(encoding)?;
    let mac = mac(protection, &safe)?;
    let pfx = Pfx { version: 3, safe: ContentInfo { kind: DATA, content: any(&octets(safe)?)? }, mac };
    Ok(Secret::take(pfx.to_der().map_err(encoding)?))
}

fn cert_bag(der: &[u8], attributes: Option<SetOfVec<Attribute>>) -> Result<SafeBag, Refusal> {
    let bag = CertBag { kind: X509_CERTIFICATE, value: octets(der)? };
    Ok(SafeBag { kind: CERT_BAG, value: any(&bag)?, attributes })
}

fn attributes(name: &str, identifier: &[u8]) -> Result<SetOfVec<Attribute>, Refusal> {
    let one = |oid, value: Any| {
        let values = SetOfVec::try_from(vec![value]).map_err(encoding)?;
        Ok::<_, Refusal>(Attribute { oid, values })
    };
    let name = BmpString::from_utf8(name).map_err(encoding)?;
    let both = vec![one(FRIENDLY_NAME, any(&name)?)?, one(LOCAL_KEY_ID, any(&octets(identifier)?)?)?];
    SetOfVec::try_from(both).map_err(encoding)
}

fn mac(protection: &Protection, content: &[u8]) -> Result<MacData, Refusal> {
    let salt = protection.part(4);
    let key = mac_key(&protection.password.bmp(), &salt, ITERATIONS);
    let mut hmac = Hmac::<Sha256>::new_from_slice(key.as_slice())
        .map_err(|_| Refusal::malformed(WHAT, "a key of a MAC", "another"))?;
    hmac.update(content);
    let digest = octets(hmac.finalize().into_bytes().to_vec())?;
    let algorithm = AlgorithmWithNull { oid: SHA256, parameters: Any::null() };
    Ok(MacData { mac: DigestInfo { algorithm, digest }, salt: octets(salt)?, iterations: ITERATIONS })
}

/// Appendix B.2 with SHA-256, for one block of output, purpose 3: H^r(D || S || P), each of D, S and P filled up to blocks of 64 octets.
/// `salt` is not longer than a block.
fn mac_key(password: &[u8], salt: &[u8], iterations: u32) -> Zeroizing<[u8; 32]> {
    const BLOCK: usize = 64;
    let mut hash = Sha256::new();
    hash.update([3; BLOCK]);
    for part in [salt, password] {
        let filled = part.len().div_ceil(BLOCK) * BLOCK;
        let repeated: Zeroizing<Vec<u8>> = Zeroizing::new(part.iter().copied().cycle().take(filled).collect());
        hash.update(repeated.as_slice());
    }
    let mut key = Zeroizing::new(<[u8; 32]>::from(hash.finalize()));
    for _ in 1..iterations {
        *key = Sha256::digest(key.as_slice()).into();
    }
    key
}

#[cfg(test)]
mod tests {
    use super::{Password, mac_key};
    use crate::basics::Secret;
    use crate::basics::digest::hex_encode;

    /// From Python's `cryptography` tests' way of asking OpenSSL: `openssl kdf -kdfopt hexpass:... PKCS12KDF`.
    #[test]
    fn the_key_of_a_mac_is_openssls() {
        let password = Password::parse(Secret::take(b"correct horse".to_vec())).unwrap();
        let salt: Vec<u8> = (1..=16).collect();
        let wide = hex_encode(&password.bmp());
        let arguments = ["kdf", "-keylen", "32", "-kdfopt", "digest:SHA256", "-kdfopt", "iter:2048", "-kdfopt", "id:3"];
        let (salted, pass) = (format!("hexsalt:{}", hex_encode(&salt)), format!("hexpass:{wide}"));
        let asked = std::process::Command::new("openssl")
            .args(arguments)
            .args(["-kdfopt", &salted, "-kdfopt", &pass, "PKCS12KDF"])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&asked.stdout).trim().replace(':', "").to_lowercase();
        assert_eq!(said, hex_encode(mac_key(&password.bmp(), &salt, 2_048).as_slice()), "{asked:?}");
    }

    #[test]
    fn passwords_that_readers_disagree_on_are_refused() {
        for bad in ["short", "with a tab\t", " before", "after   ", "naïve password", ""] {
            assert!(Password::parse(Secret::take(bad.as_bytes().to_vec())).is_err(), "{bad}");
        }
        assert!(Password::parse(Secret::take(vec![b'x'; 129])).is_err());
    }
}
