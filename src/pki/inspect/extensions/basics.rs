//! Key identifiers, key usages and basic constraints (RFC 5280 4.2.1.1 to 4.2.1.3, 4.2.1.9, 4.2.1.12).

use super::super::Findings;
use super::super::primitives::hex;
use super::super::tree::{self, Node};

/// The bits of a key usage, digitalSignature the lowest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyUsages(u16);

impl KeyUsages {
    const NAMES: [&str; 9] = [
        "digitalSignature",
        "nonRepudiation",
        "keyEncipherment",
        "dataEncipherment",
        "keyAgreement",
        "keyCertSign",
        "cRLSign",
        "encipherOnly",
        "decipherOnly",
    ];

    const fn has(self, bit: u16) -> bool {
        self.0 & 1 << bit != 0
    }

    #[must_use]
    pub const fn cert_sign(self) -> bool {
        self.has(5)
    }

    #[must_use]
    pub const fn crl_sign(self) -> bool {
        self.has(6)
    }
}

pub fn key_usage(node: &Node<'_>, findings: &mut Findings) -> Option<KeyUsages> {
    let Some((&unused, bits)) = node.content.split_first().filter(|_| node.tag == tree::BIT_STRING) else {
        findings.add("cert.key-usage.bits", format!("expected a bit string, found {}", hex(node.whole)));
        return None;
    };
    // A list of named bits ends with its last set bit (X.690 11.2.2).
    let trimmed = bits.last().is_none_or(|last| last.trailing_zeros() == u32::from(unused));
    findings.expect(
        trimmed,
        "cert.key-usage.bits",
        format!("expected no zero bits at its end, found {}", hex(node.whole)),
    );
    findings.expect(
        bits.iter().any(|octet| *octet != 0),
        "cert.key-usage.some",
        "expected at least one usage, found none",
    );
    findings.expect(
        bits.len() <= 2,
        "cert.key-usage.bits",
        format!("expected at most 9 bits, found {}", bits.len() * 8),
    );
    let set = (0..9_u16).filter(|bit| {
        let octet = bits.get(usize::from(bit / 8)).copied().unwrap_or(0);
        octet & 0x80 >> (bit % 8) != 0
    });
    let usages = KeyUsages(set.fold(0, |all, bit| all | 1 << bit));
    let only = (usages.has(7) || usages.has(8)) && !usages.has(4);
    findings.expect(
        !only,
        "cert.key-usage.agreement",
        "expected encipherOnly and decipherOnly with keyAgreement only, found otherwise",
    );
    Some(usages)
}

/// RFC 3279 2.3, RFC 5480 3, RFC 8410 5, RFC 9881 3, RFC 9909 4, RFC 9935 5: what a kind of key can be used for.
pub fn usages_fit_key(usages: KeyUsages, spki: &Node<'_>, findings: &mut Findings) {
    let kind = spki.children.first().and_then(|algorithm| algorithm.children.first()).and_then(tree::oid);
    let kind = kind.unwrap_or_default();
    let signs_only: &[u16] = &[2, 3, 4, 7, 8];
    let (wrong, title): (&[u16], &str) = match kind.as_str() {
        "1.2.840.113549.1.1.1" => (&[4, 7, 8], "an RSA key"),
        "1.2.840.10045.2.1" => (&[2, 3], "an elliptic curve key"),
        "1.3.101.112" | "1.3.101.113" => (signs_only, "an Edwards curve key"),
        "1.3.101.110" | "1.3.101.111" => (&[0, 1, 2, 3, 5, 6], "a Montgomery curve key"),
        kind if kind.starts_with("2.16.840.1.101.3.4.3.") => (signs_only, "a post-quantum signature key"),
        kind if kind.starts_with("2.16.840.1.101.3.4.4.") => (&[0, 1, 3, 4, 5, 6, 7, 8], "an ML-KEM key"),
        _ => return,
    };
    for bit in wrong.iter().filter(|bit| usages.has(**bit)) {
        let name = KeyUsages::NAMES.get(usize::from(*bit)).copied().unwrap_or_default();
        findings.add("cert.key-usage.fits-key", format!("{title}: expected no {name}, found it"));
    }
}

pub fn subject_key_identifier(node: &Node<'_>, findings: &mut Findings) -> Option<Vec<u8>> {
    let good = node.tag == tree::OCTET_STRING && !node.content.is_empty();
    findings.expect(good, "cert.subject-key-identifier.octets", format!("expected octets, found {}", hex(node.whole)));
    good.then(|| node.content.to_vec())
}

/// [0] key identifier, [1] issuer and [2] serial number; the latter two both or neither.
pub fn authority_key_identifier(node: &Node<'_>, findings: &mut Findings) -> Option<Vec<u8>> {
    let identifier = node.tagged(0x80);
    findings.expect(
        node.tag == tree::SEQUENCE && identifier.is_some_and(|identifier| !identifier.content.is_empty()),
        "cert.authority-key-identifier.key",
        format!("expected a key identifier, found {}", hex(node.whole)),
    );
    findings.expect(
        node.tagged(0xa1).is_some() == node.tagged(0x82).is_some(),
        "cert.authority-key-identifier.pair",
        "expected issuer and serial number both or neither, found one",
    );
    identifier.map(|identifier| identifier.content.to_vec())
}

pub fn basic_constraints(node: &Node<'_>, critical: bool, findings: &mut Findings) -> (bool, Option<u64>) {
    findings.expect(
        node.tag == tree::SEQUENCE,
        "cert.basic-constraints.shape",
        format!("expected a sequence, found {}", hex(node.whole)),
    );
    let mut fields = node.children.iter().peekable();
    let ca = fields.next_if(|field| field.tag == tree::BOOLEAN).map(|ca| ca.content);
    let path = fields.next_if(|field| field.tag == tree::INTEGER).map(|path| path.content);
    findings.expect(
        fields.next().is_none(),
        "cert.basic-constraints.shape",
        "expected cA and a path length, found more",
    );
    findings.expect(
        ca != Some(&[0]),
        "der.default-written",
        "basic constraints: expected cA FALSE left out, found it written",
    );
    let is_authority = ca.is_some_and(|ca| ca != [0]);
    findings.expect(
        !is_authority || critical,
        "extensions.critical",
        "basic constraints: expected them critical in an authority, found them not",
    );
    let length = path.and_then(|octets| match octets {
        [] => None,
        [first, ..] if first & 0x80 != 0 => None,
        _ if octets.len() > 8 => None,
        _ => Some(octets.iter().fold(0_u64, |length, octet| length << 8 | u64::from(*octet))),
    });
    findings.expect(
        path.is_none() || length.is_some(),
        "cert.path-length.number",
        "expected a number from 0, found another",
    );
    (is_authority, length)
}

pub fn extended_key_usage(node: &Node<'_>, critical: bool, findings: &mut Findings) {
    let purposes: Vec<Option<String>> = node.children.iter().map(tree::oid).collect();
    let good = node.tag == tree::SEQUENCE && !purposes.is_empty() && purposes.iter().all(Option::is_some);
    findings.expect(
        good,
        "cert.extended-key-usage.some",
        format!("expected object identifiers, found {}", hex(node.whole)),
    );
    let mut sorted: Vec<&String> = purposes.iter().flatten().collect();
    sorted.sort();
    let once = sorted.windows(2).all(|pair| matches!(pair, [one, next] if one != next));
    findings.expect(once, "cert.extended-key-usage.once", "expected each purpose once, found one again");
    let any = purposes.iter().flatten().any(|purpose| purpose == "2.5.29.37.0");
    findings.expect(
        !(any && critical),
        "cert.extended-key-usage.any",
        "expected any purpose not critical, found it critical",
    );
}
