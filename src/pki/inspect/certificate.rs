//! The fields of a certificate (RFC 5280 4.1), taken apart and judged.

use super::Findings;
use super::extensions::{self, ExtensionFacts};
use super::names::{self, NameFacts};
use super::primitives::{self, hex};
use super::tree::{self, Node};
use crate::basics::{Digest, Instant};
use crate::keys::SubjectKey;
use crate::pki::oids;

/// What a certificate says, as far as it could be read.
#[derive(Clone, Debug)]
pub struct CertificateFacts {
    pub(super) der: Vec<u8>,
    pub(super) tbs: Vec<u8>,
    pub(super) signature_algorithm: Vec<u8>,
    pub(super) signature: Vec<u8>,
    pub(super) issuer: NameFacts,
    pub(super) subject: NameFacts,
    pub(super) not_before: Option<Instant>,
    pub(super) not_after: Option<Instant>,
    pub(super) spki: Vec<u8>,
    pub(super) extensions: ExtensionFacts,
}

impl CertificateFacts {
    /// SHA-256 of the octets.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.der)
    }

    #[must_use]
    pub fn is_self_issued(&self) -> bool {
        self.issuer.der == self.subject.der
    }
}

/// Takes a certificate apart. Nothing where it is not even roughly one.
pub fn judge(der: &[u8], findings: &mut Findings) -> Option<CertificateFacts> {
    let Some(root) = tree::read(der, findings) else {
        findings.add("cert.readable", "expected DER, found octets that cannot be taken apart");
        return None;
    };
    primitives::judge(&root, findings);
    let parts = (root.child(0, tree::SEQUENCE), root.child(1, tree::SEQUENCE), root.child(2, tree::BIT_STRING));
    let (Some(tbs), Some(outside), Some(signature)) = parts else {
        findings
            .add("cert.readable", "expected a sequence of what is signed, algorithm and signature, found otherwise");
        return None;
    };
    findings.expect(
        root.tag == tree::SEQUENCE && root.children.len() == 3,
        "cert.shape",
        "expected three values, found others",
    );
    let signature = signature.content.strip_prefix(&[0]).unwrap_or_default().to_vec();
    findings.expect(
        !signature.is_empty(),
        "cert.signature.whole-octets",
        "expected a signature without unused bits, found otherwise",
    );

    let mut fields = tbs.children.iter().peekable();
    let version = fields.next_if(|field| field.tag == 0xa0);
    let serial = fields.next_if(|field| field.tag == tree::INTEGER);
    let inside = fields.next_if(|field| field.tag == tree::SEQUENCE);
    let issuer = fields.next_if(|field| field.tag == tree::SEQUENCE);
    let validity = fields.next_if(|field| field.tag == tree::SEQUENCE);
    let subject = fields.next_if(|field| field.tag == tree::SEQUENCE);
    let spki = fields.next_if(|field| field.tag == tree::SEQUENCE);
    let (Some(serial), Some(inside), Some(issuer), Some(validity), Some(subject), Some(spki)) =
        (serial, inside, issuer, validity, subject, spki)
    else {
        findings.add(
            "cert.readable",
            "expected serial number, algorithm, issuer, validity, subject and key, found otherwise",
        );
        return None;
    };
    let mut unique = 0;
    while fields.next_if(|field| matches!(field.tag, 0x81 | 0x82)).is_some() {
        unique += 1;
    }
    findings.expect(unique == 0, "cert.unique-ids.absent", format!("expected no unique identifiers, found {unique}"));
    let list = fields.next_if(|field| field.tag == 0xa3);
    findings.expect(fields.next().is_none(), "cert.shape", "expected nothing after the extensions, found more fields");

    judge_version(version, list.is_some(), findings);
    judge_serial(serial.content, "cert.serial.positive", "cert.serial.length", findings);
    judge_algorithm(inside, outside, "cert.algorithm.inside-as-outside", findings);
    let issuer = names::judge(issuer, findings);
    findings.expect(issuer.attributes > 0, "cert.issuer.not-empty", "expected a name, found an empty one");
    let subject = names::judge(subject, findings);
    let (not_before, not_after) = judge_validity(validity, findings);
    judge_key(spki, findings);
    let context =
        extensions::Context { self_issued: issuer.der == subject.der, empty_subject: subject.attributes == 0, spki };
    let extensions = extensions::judge(list, &context, findings);
    Some(CertificateFacts {
        der: der.to_vec(),
        tbs: tbs.whole.to_vec(),
        signature_algorithm: outside.whole.to_vec(),
        signature,
        issuer,
        subject,
        not_before,
        not_after,
        spki: spki.whole.to_vec(),
        extensions,
    })
}

fn judge_version(version: Option<&Node<'_>>, has_extensions: bool, findings: &mut Findings) {
    let number = version.and_then(|version| version.child(0, tree::INTEGER)).map(|number| number.content);
    let rule = "cert.version.three";
    match (version, number) {
        (None, _) => findings.add(rule, "expected version 3, found version 1"),
        (Some(_), Some([2])) => {}
        (Some(_), Some([0])) => findings.add("der.default-written", "expected version 1 left out, found it written"),
        (Some(_), found) => {
            findings.add(rule, format!("expected version 3 (02), found {}", hex(found.unwrap_or_default())))
        }
    }
    findings.expect(has_extensions, "cert.extensions.present", "expected extensions, found none");
}

/// RFC 5280 4.1.2.2: positive, at most 20 octets. BR 7.1 wants 64 bits of a random generator, which fewer than 8 octets are
/// not.
pub fn judge_serial(content: &[u8], positive: &'static str, length: &'static str, findings: &mut Findings) {
    let sign = content.first().is_some_and(|first| first & 0x80 == 0) && content.iter().any(|octet| *octet != 0);
    findings.expect(sign, positive, format!("expected a positive serial number, found {}", hex(content)));
    let octets = content.len();
    findings.expect(octets <= 20, length, format!("expected a serial number of at most 20 octets, found {octets}"));
}

/// Hash functions nobody should believe any longer, and Hash-ML-DSA, which RFC 9881 3 keeps out of certificates.
const REFUSED: &[(&str, &str)] = &[
    ("1.2.840.113549.1.1.2", "MD2 with RSA"),
    ("1.2.840.113549.1.1.4", "MD5 with RSA"),
    ("1.2.840.113549.1.1.5", "SHA-1 with RSA"),
    ("1.2.840.10045.4.1", "ECDSA with SHA-1"),
    ("1.2.840.10040.4.3", "DSA with SHA-1"),
    ("2.16.840.1.101.3.4.3.32", "HashML-DSA-44"),
    ("2.16.840.1.101.3.4.3.33", "HashML-DSA-65"),
    ("2.16.840.1.101.3.4.3.34", "HashML-DSA-87"),
];

/// The algorithm of the signature: the same inside and outside, its parameters as its document says (RFC 4055 5, RFC 5758
/// 3.2, RFC 8410 3, RFC 9881 2, RFC 9909 3).
pub fn judge_algorithm(inside: &Node<'_>, outside: &Node<'_>, same: &'static str, findings: &mut Findings) {
    findings.expect(
        inside.whole == outside.whole,
        same,
        "expected the same algorithm inside and outside, found another",
    );
    let Some(kind) = outside.children.first().and_then(tree::oid) else {
        return findings.add("algorithm.readable", "expected an object identifier, found otherwise");
    };
    if let Some((_, title)) = REFUSED.iter().find(|(known, _)| *known == kind) {
        findings.add("algorithm.strength", format!("expected an algorithm that holds, found {title}"));
    }
    let parameters = outside.children.get(1);
    let rule = "algorithm.parameters";
    if kind == "1.2.840.113549.1.1.10" {
        return findings.expect(parameters.is_some(), rule, "expected parameters of RSASSA-PSS, found none");
    }
    if kind.starts_with("1.2.840.113549.1.1.") {
        let null = parameters.is_some_and(|parameters| parameters.whole == [0x05, 0x00]);
        return findings.expect(null, rule, "expected NULL as parameters of RSA, found otherwise");
    }
    let bare = ["1.2.840.10045.4.", "1.3.101.", "2.16.840.1.101.3.4.3."];
    if bare.iter().any(|arc| kind.starts_with(arc)) {
        findings.expect(parameters.is_none(), rule, format!("expected no parameters of {kind}, found some"));
    }
}

fn judge_validity(node: &Node<'_>, findings: &mut Findings) -> (Option<Instant>, Option<Instant>) {
    let mut time = |index: usize, rule| {
        let field = node.children.get(index);
        let field = field.filter(|field| matches!(field.tag, tree::UTC_TIME | tree::GENERALIZED_TIME));
        match field {
            Some(field) => primitives::time(field, rule, findings),
            None => {
                findings.add(rule, "expected UTCTime or GeneralizedTime, found otherwise");
                None
            }
        }
    };
    let (from, until) = (time(0, "cert.not-before.form"), time(1, "cert.not-after.form"));
    if let (Some(from), Some(until)) = (from, until) {
        findings.expect(
            from <= until,
            "cert.validity.in-order",
            format!("expected an end after {from}, found {until}"),
        );
    }
    (from, until)
}

/// The key: its parameters, and that it is one (a point on its curve, a modulus of a size we know).
fn judge_key(spki: &Node<'_>, findings: &mut Findings) {
    let algorithm = spki.child(0, tree::SEQUENCE);
    let kind = algorithm.and_then(|algorithm| algorithm.children.first()).and_then(tree::oid);
    let (Some(algorithm), Some(kind), Some(key)) = (algorithm, kind, spki.child(1, tree::BIT_STRING)) else {
        return findings.add("cert.key.readable", "expected algorithm and key, found otherwise");
    };
    findings.expect(
        key.content.first() == Some(&0),
        "cert.key.whole-octets",
        "expected a key without unused bits, found otherwise",
    );
    let parameters = algorithm.children.get(1);
    let rule = "cert.key.parameters";
    match kind.as_str() {
        "1.2.840.113549.1.1.1" => {
            let null = parameters.is_some_and(|parameters| parameters.whole == [0x05, 0x00]);
            findings.expect(null, rule, "expected NULL as parameters of an RSA key, found otherwise");
        }
        "1.2.840.10045.2.1" => {
            let named = parameters.is_some_and(|parameters| parameters.tag == tree::OBJECT_IDENTIFIER);
            findings.expect(named, rule, "expected a named curve, found otherwise");
        }
        kind if kind.starts_with("1.3.101.") || kind.starts_with("2.16.840.1.101.3.4.") => {
            findings.expect(parameters.is_none(), rule, format!("expected no parameters of {kind}, found some"));
        }
        _ => {}
    }
    let known = ["1.2.840.113549.1.1.1", "1.2.840.10045.2.1", "1.3.101.112"].contains(&kind.as_str())
        || crate::keys::Algorithm::ALL.iter().any(|algorithm| oids::signature_oid(*algorithm).to_string() == kind);
    if known && let Err(error) = SubjectKey::from_spki_der(spki.whole) {
        findings.add("cert.key.valid", error.to_string());
    }
}
