//! General names and what is made of them: alternative names, name constraints, distribution points, access methods (RFC
//! 5280 4.2.1.6, 4.2.1.10, 4.2.1.13, 4.2.2).

use super::super::Findings;
use super::super::names;
use super::super::primitives::hex;
use super::super::tree::{self, Node};

pub fn general_names(node: &Node<'_>, title: &str, findings: &mut Findings) {
    let some = node.tag == tree::SEQUENCE && !node.children.is_empty();
    findings.expect(some, "cert.general-names.some", format!("{title}: expected at least one name, found none"));
    for name in &node.children {
        general_name(name, title, findings);
    }
}

/// One name, by its tag: [1] email, [2] DNS, [4] directory, [6] URI, [7] IP address.
fn general_name(name: &Node<'_>, title: &str, findings: &mut Findings) {
    let text = String::from_utf8_lossy(name.content).into_owned();
    let shown = text.escape_default();
    let rule = "cert.general-name.form";
    match name.tag {
        0x81 => {
            let good = matches!(text.split_once('@'), Some((user, host)) if !user.is_empty() && is_host(host));
            findings.expect(good && text.is_ascii(), rule, format!("{title}: expected user@host, found \"{shown}\""));
        }
        0x82 => findings.expect(
            is_host(text.strip_prefix("*.").unwrap_or(&text)),
            rule,
            format!("{title}: expected a host name, found \"{shown}\""),
        ),
        0x86 => findings.expect(is_uri(&text), rule, format!("{title}: expected an absolute URI, found \"{shown}\"")),
        0x87 => findings.expect(
            matches!(name.content.len(), 4 | 16),
            rule,
            format!("{title}: expected an IP address of 4 or 16 octets, found {}", hex(name.content)),
        ),
        0xa4 => match name.children.first() {
            Some(directory) => {
                let facts = names::judge(directory, findings);
                findings.expect(
                    facts.attributes > 0,
                    rule,
                    format!("{title}: expected a directory name, found an empty one"),
                );
            }
            None => findings.add(rule, format!("{title}: expected a directory name, found none")),
        },
        0xa0 | 0xa3 | 0xa5 | 0x88 => {}
        tag => findings.add(rule, format!("{title}: expected a general name, found tag {tag:02x}")),
    }
}

/// Letters, digits and hyphens in labels of 1 to 63 (RFC 1034 3.5).
fn is_host(name: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-')
    };
    name.len() <= 253 && name.split('.').all(label)
}

fn is_uri(uri: &str) -> bool {
    let Some((scheme, rest)) = uri.split_once(':') else { return false };
    let letter = scheme.bytes().next().is_some_and(|octet| octet.is_ascii_alphabetic());
    let plain = scheme.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"+-.".contains(&octet));
    let ascii = uri.bytes().all(|octet| octet.is_ascii_graphic());
    // With "//" there is a host after it (RFC 5280 4.2.1.6).
    let host = rest.strip_prefix("//").is_none_or(|rest| !rest.is_empty() && !rest.starts_with('/'));
    let local = scheme.eq_ignore_ascii_case("ldap") || scheme.eq_ignore_ascii_case("file");
    letter && plain && ascii && !rest.is_empty() && (host || local)
}

/// [0] permitted and [1] excluded subtrees, at least one; minimum 0 and left out, maximum absent.
pub fn name_constraints(node: &Node<'_>, findings: &mut Findings) {
    let lists: Vec<&Node<'_>> = node.children.iter().filter(|list| matches!(list.tag, 0xa0 | 0xa1)).collect();
    let some = !lists.is_empty() && lists.iter().all(|list| !list.children.is_empty());
    findings.expect(some, "cert.name-constraints.some", "expected subtrees, found none");
    for subtree in lists.iter().flat_map(|list| &list.children) {
        let alone = subtree.children.len() == 1;
        findings.expect(alone, "cert.name-constraints.bounds", "expected no minimum and no maximum, found one");
        let Some(base) = subtree.children.first() else { continue };
        if base.tag == 0x87 {
            let octets = base.content;
            let (_, mask) = octets.split_at(octets.len() / 2);
            let bits = mask.iter().fold(String::new(), |bits, octet| format!("{bits}{octet:08b}"));
            let good = matches!(octets.len(), 8 | 32) && !bits.trim_start_matches('1').contains('1');
            findings.expect(
                good,
                "cert.name-constraints.mask",
                format!("expected address and mask, found {}", hex(octets)),
            );
        }
    }
}

/// Points with a name or an issuer of lists, never with reasons alone.
pub fn distribution_points(node: &Node<'_>, title: &str, findings: &mut Findings) {
    let rule = "cert.crl-distribution.point";
    let some = node.tag == tree::SEQUENCE && !node.children.is_empty();
    findings.expect(some, rule, format!("{title}: expected at least one point, found none"));
    for point in &node.children {
        let named = point.tagged(0xa0).is_some() || point.tagged(0xa2).is_some();
        findings.expect(named, rule, format!("{title}: expected a name or an issuer in each point, found neither"));
        let full = point.tagged(0xa0).and_then(|name| name.tagged(0xa0));
        for name in full.iter().flat_map(|full| &full.children) {
            general_name(name, title, findings);
        }
        let empty = full.is_some_and(|full| full.children.is_empty());
        findings.expect(!empty, rule, format!("{title}: expected names in a point, found none"));
    }
}

/// Methods with the place where each is.
pub fn access(node: &Node<'_>, title: &str, findings: &mut Findings) {
    let rule = "cert.information-access.description";
    let some = node.tag == tree::SEQUENCE && !node.children.is_empty();
    findings.expect(some, rule, format!("{title}: expected at least one description, found none"));
    for description in &node.children {
        match (description.children.first().and_then(tree::oid), description.children.get(1)) {
            (Some(_), Some(place)) => general_name(place, title, findings),
            _ => findings.add(rule, format!("{title}: expected method and place, found otherwise")),
        }
    }
}
