//! Policies and what constrains them (RFC 5280 4.2.1.4, 4.2.1.5, 4.2.1.11).

use super::super::Findings;
use super::super::primitives::hex;
use super::super::tree::{self, Node};

const ANY: &str = "2.5.29.32.0";

pub fn policies(node: &Node<'_>, findings: &mut Findings) {
    let some = node.tag == tree::SEQUENCE && !node.children.is_empty();
    findings.expect(some, "cert.policies.some", "expected at least one policy, found none");
    let mut seen = Vec::new();
    for policy in &node.children {
        let Some(oid) = policy.children.first().and_then(tree::oid) else {
            findings.add("cert.policies.shape", format!("expected an object identifier, found {}", hex(policy.whole)));
            continue;
        };
        findings.expect(
            !seen.contains(&oid),
            "cert.policies.once",
            format!("expected each policy once, found {oid} again"),
        );
        seen.push(oid);
        let Some(qualifiers) = policy.children.get(1) else { continue };
        findings.expect(
            !qualifiers.children.is_empty(),
            "cert.policies.shape",
            "expected qualifiers where there is a list of them, found none",
        );
        for qualifier in &qualifiers.children {
            of_qualifier(qualifier, findings);
        }
    }
}

/// Only the practice statement's address and a notice are known.
fn of_qualifier(qualifier: &Node<'_>, findings: &mut Findings) {
    let rule = "cert.policies.qualifier";
    let value = qualifier.children.get(1);
    match qualifier.children.first().and_then(tree::oid).as_deref() {
        Some("1.3.6.1.5.5.7.2.1") => {
            let text = value.filter(|value| value.tag == tree::IA5_STRING).map(|value| value.content);
            let good = text.is_some_and(|text| text.iter().all(u8::is_ascii_graphic) && text.contains(&b':'));
            findings.expect(good, rule, "practice statement: expected a URI as IA5String, found otherwise");
        }
        Some("1.3.6.1.5.5.7.2.2") => {
            let texts = value.iter().flat_map(|value| &value.children).filter(|field| field.tag & 0x20 == 0);
            for text in texts {
                let characters = String::from_utf8_lossy(text.content).chars().count();
                findings.expect(
                    text.tag == tree::UTF8_STRING,
                    rule,
                    format!("notice: expected UTF8String, found tag {:02x}", text.tag),
                );
                findings.expect(
                    characters <= 200,
                    rule,
                    format!("notice: expected at most 200 characters, found {characters}"),
                );
            }
        }
        _ => findings.add(rule, "expected a practice statement or a notice, found another qualifier"),
    }
}

/// Nothing is mapped to or from any policy.
pub fn mappings(node: &Node<'_>, findings: &mut Findings) {
    let rule = "cert.policy-mappings.pairs";
    findings.expect(!node.children.is_empty(), rule, "expected at least one pair, found none");
    for pair in &node.children {
        let policies: Vec<Option<String>> = pair.children.iter().map(tree::oid).collect();
        let good = policies.len() == 2 && policies.iter().all(|policy| policy.as_ref().is_some_and(|oid| oid != ANY));
        findings.expect(good, rule, format!("expected two policies, neither anyPolicy, found {}", hex(pair.whole)));
    }
}

/// [0] requireExplicitPolicy, [1] inhibitPolicyMapping: at least one.
pub fn constraints(node: &Node<'_>, findings: &mut Findings) {
    let some = node.children.iter().any(|field| matches!(field.tag, 0x80 | 0x81));
    findings.expect(
        node.tag == tree::SEQUENCE && some,
        "cert.policy-constraints.some",
        "expected a constraint, found none",
    );
}
