//! Certificate requests (PKCS#10) judged: every reason at once against a request that must not be certified, and nothing
//! but its key and its subject taken from one that may. Pure: what was certified before and what was expected are
//! arguments ([`Known`]).
//!
//! A request comes over the gap from a machine that nobody here trusts. Its signature is checked over the octets as they
//! came, and octets that would be written differently are refused, so that what was parsed is what was signed.

mod asked;
pub mod canonical;
mod file;
pub mod names;
pub mod published_keys;
mod reading;
mod reason;
mod rsa_checks;
mod rules;
mod scheme;
mod subject_policy;
mod text;

pub use file::der_of_file;
pub use published_keys::KeyList;
pub use reading::{AskedExtension, NameAttribute};
pub use reason::Reason;
pub use rules::{Asked, Exponents, Known, Rules};
pub use subject_policy::SubjectPolicy;

use super::render::Line;
use crate::basics::digest::group;
use crate::basics::{Digest, SafeText};
use crate::keys::rsa::RsaPublicKey;
use crate::keys::{KeyError, SignatureScheme, SubjectKey};
use const_oid::ObjectIdentifier;
use der::Decode as _;
use reading::Fields;
use spki::SubjectPublicKeyInfoRef;

/// A request that nothing speaks against under the rules it was judged by: made by [`judge`] alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acceptable {
    der: Vec<u8>,
    subject_der: Vec<u8>,
    subject: Vec<NameAttribute>,
    attributes: Vec<(ObjectIdentifier, Vec<Vec<u8>>)>,
    extensions: Vec<AskedExtension>,
    key: SubjectKey,
}

impl Acceptable {
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// SHA-256 of the DER, as `openssl req -outform DER | sha256sum` prints it.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.der)
    }

    #[must_use]
    pub const fn key(&self) -> &SubjectKey {
        &self.key
    }

    /// The subject's own octets.
    #[must_use]
    pub fn subject_der(&self) -> &[u8] {
        &self.subject_der
    }

    /// The subject's attributes in their order, one a relative name.
    #[must_use]
    pub fn subject(&self) -> &[NameAttribute] {
        &self.subject
    }

    /// The values of an attribute, as DER; nothing where it is not there.
    #[must_use]
    pub fn attribute(&self, oid: &str) -> Option<&[Vec<u8>]> {
        self.attributes.iter().find(|(found, _)| found.to_string() == oid).map(|(_, values)| values.as_slice())
    }

    /// The content of an extension that is asked for; nothing where it is not.
    #[must_use]
    pub fn extension(&self, oid: &str) -> Option<&[u8]> {
        self.extensions.iter().find(|found| found.oid.to_string() == oid).map(|found| found.value.as_slice())
    }
}

/// What the judge says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The request, where there are no reasons against it.
    pub acceptable: Option<Acceptable>,
    /// Every reason against it.
    pub reasons: Vec<Reason>,
    /// What is worth a word and is no reason: what was asked for and is not given.
    pub remarks: Vec<Reason>,
    /// Every field, for people.
    pub lines: Vec<Line>,
}

impl Judgement {
    /// Refuses the request because people expected another one, in digits or words.
    pub fn refuse_digest(&mut self, expected: &str, found: Digest) {
        let found = format!("{} ({})", found.twelve_words(), found.hex());
        self.reasons.push(Reason::new("digest", "request", SafeText::of(expected).as_str(), found));
        self.acceptable = None;
    }
}

/// Judges the DER of a request.
#[must_use]
pub fn judge(der: &[u8], rules: &Rules, known: &Known) -> Judgement {
    let (fields, mut reasons) = reading::read(der);
    let mut remarks = Vec::new();
    let digest = Digest::of(der);
    if let Some(expected) = known.expected_request.filter(|expected| *expected != digest) {
        reasons.push(Reason::new("digest", "request", format!("SHA-256 {expected}"), digest.hex()));
    }
    let Some(fields) = fields else {
        return Judgement {
            acceptable: None,
            reasons,
            remarks,
            lines: vec![line("Request SHA-256", &digest.grouped())],
        };
    };
    let key = judge_key(&fields, rules, known, &mut reasons);
    judge_signature(&fields, key.as_ref(), &mut reasons);
    judge_asked(&fields, rules, &mut reasons, &mut remarks);
    rules.subject.judge(&fields.subject, &mut reasons);
    let lines = lines(&fields, key.as_ref(), digest);
    let acceptable = match key {
        Some(key) if reasons.is_empty() => {
            let attributes = fields.attributes.into_iter().zip(fields.values).collect();
            let Fields { subject_der, subject, extensions, .. } = fields;
            Some(Acceptable { der: der.to_vec(), subject_der, subject, attributes, extensions, key })
        }
        _ => None,
    };
    Judgement { acceptable, reasons, remarks, lines }
}

/// The SubjectPublicKeyInfo of a request, as it stands there and not judged; nothing where the shape does not hold.
#[must_use]
pub fn key_octets(der: &[u8]) -> Option<&[u8]> {
    let (outer, _) = canonical::first(der, 0).ok()?;
    let parts = canonical::all(outer.content, 0).ok()?;
    let inner = canonical::all(parts.first()?.content, 0).ok()?;
    inner.get(2).map(|key| key.whole)
}

/// The key, where it is of a kind that we certify; and everything wrong with it, also where it is not.
fn judge_key(fields: &Fields, rules: &Rules, known: &Known, reasons: &mut Vec<Reason>) -> Option<SubjectKey> {
    let key = SubjectKey::from_spki_der(&fields.spki_der);
    match &key {
        Ok(key) if !rules.allows_key(&key.word()) => {
            reasons.push(Reason::new("key-kind", "key", format!("one of {}", rules.keys.join(", ")), key.word()));
        }
        Ok(_) => {}
        Err(error) => {
            let found = match error {
                KeyError::PublicKey(found) => (*found).to_owned(),
                other => other.to_string(),
            };
            reasons.push(Reason::new("key", "key", "a valid public key of a kind that we certify", found));
        }
    }
    if let Some(rsa) = rsa_key(&fields.spki_der) {
        judge_exponent(&rsa, rules, reasons);
        reasons.extend(rsa_checks::weaknesses(&rsa));
        judge_lists(rsa.modulus(), known, reasons);
    } else if let Ok(key) = &key {
        judge_lists(&published_keys::identity(key), known, reasons);
    }
    let digest = Digest::of(&fields.spki_der);
    if known.certified.contains(&digest) {
        let found = format!("one that was: SHA-256 {digest}");
        reasons.push(Reason::new("key-certified-before", "key", "a key that was never certified", found));
    }
    if let Some(expected) = known.expected_key.filter(|expected| *expected != digest) {
        reasons.push(Reason::new("key-unexpected", "key", format!("SHA-256 {expected}"), digest.hex()));
    }
    key.ok()
}

fn judge_lists(identity: &[u8], known: &Known, reasons: &mut Vec<Reason>) {
    let built_in = KeyList::built_in();
    let sources = std::iter::once(&built_in).chain(&known.lists).filter_map(|list| list.find_identity(identity));
    for source in sources {
        reasons.push(Reason::new("key-published", "key", "a key whose private half is secret", source));
    }
}

fn judge_exponent(key: &RsaPublicKey, rules: &Rules, reasons: &mut Vec<Reason>) {
    let found = key.small_exponent();
    let (expected, holds) = match rules.exponents {
        Exponents::Usual => ("65537", found == Some(65_537)),
        Exponents::AtLeastUsual => (
            "an odd number from 65537 to 4294967295",
            found.is_some_and(|e| (65_537..1 << 32).contains(&e) && e & 1 == 1),
        ),
    };
    if !holds {
        let found =
            found.map_or_else(|| format!("one of {} octets", key.exponent().len()), |number| number.to_string());
        reasons.push(Reason::new("rsa-exponent", "RSA exponent", expected, found));
    }
}

/// The RSA key inside, also where it is of a size that we do not certify.
fn rsa_key(spki_der: &[u8]) -> Option<RsaPublicKey> {
    const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
    let parsed = SubjectPublicKeyInfoRef::from_der(spki_der).ok()?;
    (parsed.algorithm.oid == RSA_ENCRYPTION)
        .then(|| RsaPublicKey::from_der(parsed.subject_public_key.as_bytes()?))
        .flatten()
}

fn judge_signature(fields: &Fields, key: Option<&SubjectKey>, reasons: &mut Vec<Reason>) {
    let scheme = match canonical::only(&fields.algorithm).map(|identifier| scheme::of(&identifier)) {
        Some(Ok(scheme)) => scheme,
        other => {
            let found = other.and_then(Result::err).unwrap_or_else(|| "no AlgorithmIdentifier".to_owned());
            let expected = "an algorithm that we verify, with its own parameters";
            reasons.push(Reason::new("signature-algorithm", "signature algorithm", expected, found));
            return;
        }
    };
    let rsa = rsa_key(&fields.spki_der);
    let Some(fits) = fits(scheme, key, rsa.as_ref()) else { return };
    if !fits {
        let kind = key.map_or_else(|| "RSA".to_owned(), SubjectKey::title);
        let expected = format!("one of the key, which is {kind}");
        reasons.push(Reason::new("signature-algorithm", "signature algorithm", expected, scheme.to_string()));
        return;
    }
    let verified = match (key, &rsa) {
        (Some(key), _) => key.verify(&fields.info, &fields.signature, scheme).is_ok(),
        (None, Some(rsa)) => rsa.verify(&fields.info, &fields.signature, scheme),
        (None, None) => return,
    };
    if !verified {
        let expected = "one over the request's octets by the key in it";
        reasons.push(Reason::new("signature", "signature", expected, "one that does not verify"));
    }
}

/// Whether a scheme is one of this kind of key; none where there is no key to say it of.
fn fits(scheme: SignatureScheme, key: Option<&SubjectKey>, rsa: Option<&RsaPublicKey>) -> Option<bool> {
    use SignatureScheme::{Ecdsa, Pure, RsaPkcs1, RsaPss};
    let word = match (key, rsa) {
        (Some(key), _) => key.word(),
        (None, Some(_)) => "rsa-".to_owned(),
        (None, None) => return None,
    };
    Some(match scheme {
        Ecdsa(_) => word.starts_with("ecdsa-"),
        RsaPkcs1(_) | RsaPss(..) => word.starts_with("rsa-"),
        Pure(algorithm) => algorithm.word() == word,
    })
}

/// What was asked for: shown, refused where the rules say so, never given.
fn judge_asked(fields: &Fields, rules: &Rules, reasons: &mut Vec<Reason>, remarks: &mut Vec<Reason>) {
    let mut put = |rule: Asked, reason: Reason| match rule {
        Asked::Refused => reasons.push(reason),
        Asked::Ignored => remarks.push(reason),
    };
    for oid in fields.attributes.iter().filter(|oid| !reading::is_extension_request(**oid)) {
        let expected = "no attribute but extensionRequest";
        put(rules.attributes, Reason::new("attribute-asked", "attributes", expected, reading::attribute_title(*oid)));
    }
    for extension in &fields.extensions {
        if let Some(power) = asked::power(extension) {
            put(rules.powers, Reason::new("powers-asked", "extensions", "no powers of an authority asked for", power));
        } else {
            let found = asked::title(extension.oid);
            put(rules.extensions, Reason::new("extension-asked", "extensions", "none asked for", found));
        }
    }
    for extension in &fields.extensions {
        if let Some(fault) = asked::fault(extension) {
            let what = format!("extension {}", asked::title(extension.oid));
            reasons.push(Reason::new("extension-form", what, fault.expected, fault.found));
        }
    }
}

fn line(label: &str, value: &str) -> Line {
    (label.to_owned(), SafeText::of(value).as_str().to_owned())
}

fn lines(fields: &Fields, key: Option<&SubjectKey>, digest: Digest) -> Vec<Line> {
    let mut lines = Vec::new();
    for attribute in &fields.subject {
        lines.push(line(&format!("Subject {}", attribute.word()), &attribute.text));
    }
    lines.push(line("Key algorithm", &key.map_or_else(|| "not one that we certify".to_owned(), SubjectKey::title)));
    if let Some(key) = key {
        lines.push(line("Key", &group(&crate::basics::digest::hex_encode(key.key_bits()), 4)));
    }
    lines.push(line("Key SHA-256 (SPKI)", &Digest::of(&fields.spki_der).grouped()));
    let scheme = canonical::only(&fields.algorithm).map(|identifier| scheme::of(&identifier));
    let scheme =
        scheme.map_or_else(|| "none".to_owned(), |scheme| scheme.map_or_else(|found| found, |s| s.to_string()));
    lines.push(line("Signature algorithm", &scheme));
    for oid in &fields.attributes {
        lines.push(line("Attribute", &reading::attribute_title(*oid)));
    }
    for extension in &fields.extensions {
        lines.push(line(&format!("Asks for {}", asked::title(extension.oid)), &asked::summary(extension)));
    }
    lines.push(line("Request SHA-256", &digest.grouped()));
    lines
}

#[cfg(test)]
mod tests;
