//! The extensions of a certificate (RFC 5280 4.2): which must be there, which are critical, and what is in them.

use super::Findings;
use super::primitives::{self, hex};
use super::tree::{self, Node};
use std::collections::BTreeMap;

mod addresses;
mod basics;
mod policies;

pub use basics::{KeyUsages, authority_key_identifier as authority_key};

/// What the extensions say, as far as they could be read.
#[derive(Clone, Debug, Default)]
pub struct ExtensionFacts {
    /// Object identifier, criticality and value, in their order.
    pub all: Vec<(String, bool, Vec<u8>)>,
    pub is_authority: bool,
    pub path_len: Option<u64>,
    pub key_usages: Option<KeyUsages>,
    pub ski: Option<Vec<u8>>,
    pub aki: Option<Vec<u8>>,
}

/// What the rest of the certificate says that extensions depend on.
pub struct Context<'n> {
    pub self_issued: bool,
    pub empty_subject: bool,
    pub spki: &'n Node<'n>,
}

/// Which criticality an extension has by RFC 5280.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Criticality {
    Critical,
    NotCritical,
    Either,
}

use Criticality::{Critical, Either, NotCritical};

/// Object identifier, title, criticality.
const KNOWN: &[(&str, &str, Criticality)] = &[
    ("2.5.29.9", "subject directory attributes", NotCritical),
    ("2.5.29.14", "subject key identifier", NotCritical),
    ("2.5.29.15", "key usage", Critical),
    ("2.5.29.16", "private key usage period", NotCritical),
    ("2.5.29.17", "alternative names", Either),
    ("2.5.29.18", "issuer alternative names", NotCritical),
    ("2.5.29.19", "basic constraints", Either),
    ("2.5.29.30", "name constraints", Critical),
    ("2.5.29.31", "CRL distribution points", NotCritical),
    ("2.5.29.32", "certificate policies", Either),
    ("2.5.29.33", "policy mappings", Critical),
    ("2.5.29.35", "authority key identifier", NotCritical),
    ("2.5.29.36", "policy constraints", Critical),
    ("2.5.29.37", "extended key usage", Either),
    ("2.5.29.46", "freshest CRL", NotCritical),
    ("2.5.29.54", "inhibit anyPolicy", Critical),
    ("1.3.6.1.5.5.7.1.1", "authority information access", NotCritical),
    ("1.3.6.1.5.5.7.1.11", "subject information access", NotCritical),
    ("1.3.6.1.5.5.7.48.1.5", "OCSP no check", NotCritical),
];

/// Takes the extensions apart: object identifier, criticality, value. For lists too.
pub fn split<'a>(list: &Node<'a>, findings: &mut Findings) -> Vec<(String, bool, &'a [u8])> {
    let Some(sequence) = list.child(0, tree::SEQUENCE).filter(|_| list.children.len() == 1) else {
        findings.add("extensions.readable", "expected a sequence of extensions, found otherwise");
        return Vec::new();
    };
    split_sequence(sequence, findings)
}

/// The same for a bare sequence: the extensions of an entry in a list.
pub fn split_sequence<'a>(sequence: &Node<'a>, findings: &mut Findings) -> Vec<(String, bool, &'a [u8])> {
    findings.expect(
        !sequence.children.is_empty(),
        "extensions.not-empty",
        "expected at least one extension, found none",
    );
    let mut all = Vec::new();
    for extension in &sequence.children {
        let critical = extension.child(1, tree::BOOLEAN);
        let value = extension.child(if critical.is_some() { 2 } else { 1 }, tree::OCTET_STRING);
        let (Some(oid), Some(value)) = (extension.children.first().and_then(tree::oid), value) else {
            findings.add("extensions.readable", "expected object identifier, criticality and value, found otherwise");
            continue;
        };
        findings.expect(
            critical.is_none_or(|critical| critical.content != [0]),
            "der.default-written",
            format!("extension {oid}: expected critical FALSE left out, found it written"),
        );
        all.push((oid, critical.is_some_and(|critical| critical.content != [0]), value.content));
    }
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (oid, ..) in &all {
        *counts.entry(oid).or_default() += 1;
    }
    for (oid, count) in counts.iter().filter(|(_, count)| **count > 1) {
        findings.add("extensions.once", format!("extension {oid}: expected it once, found it {count} times"));
    }
    all
}

pub fn judge(list: Option<&Node<'_>>, context: &Context<'_>, findings: &mut Findings) -> ExtensionFacts {
    let all = list.map(|list| split(list, findings)).unwrap_or_default();
    let mut facts = ExtensionFacts {
        all: all.iter().map(|(oid, critical, value)| (oid.clone(), *critical, value.to_vec())).collect(),
        ..ExtensionFacts::default()
    };
    for (oid, critical, value) in &all {
        judge_criticality(oid, *critical, context, findings);
        let Some((_, title, _)) = KNOWN.iter().find(|(known, ..)| known == oid) else { continue };
        let Some(node) = tree::read(value, findings) else {
            findings.add("extensions.readable", format!("{title}: expected DER, found {}", hex(value)));
            continue;
        };
        primitives::judge(&node, findings);
        match oid.as_str() {
            "2.5.29.14" => facts.ski = basics::subject_key_identifier(&node, findings),
            "2.5.29.15" => facts.key_usages = basics::key_usage(&node, findings),
            "2.5.29.17" | "2.5.29.18" => addresses::general_names(&node, title, findings),
            "2.5.29.19" => (facts.is_authority, facts.path_len) = basics::basic_constraints(&node, *critical, findings),
            "2.5.29.30" => addresses::name_constraints(&node, findings),
            "2.5.29.31" | "2.5.29.46" => addresses::distribution_points(&node, title, findings),
            "2.5.29.32" => policies::policies(&node, findings),
            "2.5.29.33" => policies::mappings(&node, findings),
            "2.5.29.35" => facts.aki = basics::authority_key_identifier(&node, findings),
            "2.5.29.36" => policies::constraints(&node, findings),
            "2.5.29.37" => basics::extended_key_usage(&node, *critical, findings),
            "2.5.29.54" => findings.expect(
                node.tag == tree::INTEGER && node.content.first().is_some_and(|first| first & 0x80 == 0),
                "cert.inhibit-any-policy.number",
                format!("expected a number from 0, found {}", hex(node.whole)),
            ),
            "1.3.6.1.5.5.7.1.1" | "1.3.6.1.5.5.7.1.11" => addresses::access(&node, title, findings),
            "1.3.6.1.5.5.7.48.1.5" => findings.expect(
                node.whole == [0x05, 0x00],
                "cert.ocsp-no-check.null",
                format!("expected NULL, found {}", hex(node.whole)),
            ),
            _ => {}
        }
    }
    together(&facts, context, findings);
    facts
}

fn judge_criticality(oid: &str, critical: bool, context: &Context<'_>, findings: &mut Findings) {
    let rule = "extensions.critical";
    let Some((_, title, wanted)) = KNOWN.iter().find(|(known, ..)| *known == oid) else {
        return findings.expect(
            !critical,
            "extensions.critical-known",
            format!("extension {oid}: expected one verifiers know, or not critical, found it critical"),
        );
    };
    match wanted {
        Critical => findings.expect(critical, rule, format!("{title}: expected it critical, found it not")),
        NotCritical => {
            findings.expect(!critical, rule, format!("{title}: expected it not critical, found it critical"))
        }
        Either if oid == "2.5.29.17" => findings.expect(
            critical == context.empty_subject,
            rule,
            format!("{title}: expected critical where the subject is empty and only there, found critical {critical}"),
        ),
        Either => {}
    }
}

/// What extensions owe each other.
fn together(facts: &ExtensionFacts, context: &Context<'_>, findings: &mut Findings) {
    let has = |oid: &str| facts.all.iter().any(|(known, ..)| known == oid);
    let usages = facts.key_usages.unwrap_or_default();
    let authority = facts.is_authority;
    if authority {
        findings.expect(
            facts.key_usages.is_some(),
            "cert.key-usage.present",
            "authority: expected a key usage, found none",
        );
        findings.expect(has("2.5.29.14"), "cert.subject-key-identifier.present", "authority: expected one, found none");
        findings.expect(
            !context.empty_subject,
            "cert.subject.not-empty",
            "authority: expected a subject, found an empty one",
        );
        if facts.key_usages.is_some() {
            findings.expect(usages.cert_sign(), "cert.key-usage.signs", "authority: expected keyCertSign, found none");
        }
    } else {
        findings.expect(!usages.cert_sign(), "cert.key-usage.signs", "no authority: expected no keyCertSign, found it");
        findings.expect(has("2.5.29.14"), "cert.subject-key-identifier.present", "expected one, found none");
        findings.expect(
            !has("2.5.29.30") && !has("2.5.29.36") && !has("2.5.29.33") && !has("2.5.29.54"),
            "cert.constraints.of-authority",
            "no authority: expected no name or policy constraints, found some",
        );
    }
    findings.expect(
        facts.path_len.is_none() || (authority && usages.cert_sign()),
        "cert.path-length.of-authority",
        "expected a path length with cA and keyCertSign only, found it without",
    );
    findings.expect(
        context.self_issued || facts.aki.is_some(),
        "cert.authority-key-identifier.present",
        "expected one where another authority signed, found none",
    );
    findings.expect(
        !context.empty_subject || has("2.5.29.17"),
        "cert.subject.not-empty",
        "expected alternative names where the subject is empty, found none",
    );
    if facts.key_usages.is_some() {
        basics::usages_fit_key(usages, context.spki, findings);
    }
}
