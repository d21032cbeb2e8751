//! Names (RFC 5280 4.1.2.4 and appendix A): which string types, how long, and what a country looks like.

use super::Findings;
use super::primitives::hex;
use super::tree::{self, Node};

/// What a name holds, for messages and comparisons.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NameFacts {
    pub der: Vec<u8>,
    pub attributes: usize,
}

/// Attributes with upper bounds (RFC 5280 appendix A): type, characters, title.
const BOUNDS: &[(&str, usize, &str)] = &[
    ("2.5.4.3", 64, "common name"),
    ("2.5.4.5", 64, "serial number"),
    ("2.5.4.6", 2, "country"),
    ("2.5.4.7", 128, "locality"),
    ("2.5.4.8", 128, "state"),
    ("2.5.4.10", 64, "organization"),
    ("2.5.4.11", 64, "organizational unit"),
    ("2.5.4.12", 64, "title"),
    ("2.5.4.46", 64, "distinguished name qualifier"),
    ("2.5.4.65", 128, "pseudonym"),
    ("1.2.840.113549.1.9.1", 255, "email address"),
    ("1.3.6.1.4.1.37244.2.1", 4, "Matter VID"),
    ("1.3.6.1.4.1.37244.2.2", 4, "Matter PID"),
];

pub fn judge(node: &Node<'_>, findings: &mut Findings) -> NameFacts {
    let mut facts = NameFacts { der: node.whole.to_vec(), attributes: 0 };
    findings.expect(node.tag == tree::SEQUENCE, "name.shape", "expected a sequence of sets, found otherwise");
    for relative in &node.children {
        let filled = relative.tag == tree::SET && !relative.children.is_empty();
        findings.expect(filled, "name.shape", "expected sets of at least one attribute, found otherwise");
        for attribute in &relative.children {
            facts.attributes += 1;
            let parts = (attribute.children.first().and_then(tree::oid), attribute.children.get(1));
            match parts {
                (Some(kind), Some(value)) if attribute.children.len() == 2 => of_attribute(&kind, value, findings),
                _ => findings.add("name.shape", "expected type and value in each attribute, found otherwise"),
            }
        }
    }
    facts
}

fn of_attribute(kind: &str, value: &Node<'_>, findings: &mut Findings) {
    let title = BOUNDS.iter().find(|(known, ..)| *known == kind).map_or(kind, |(_, _, title)| title);
    let is = |wanted| value.tag == wanted;
    match kind {
        "2.5.4.6" | "2.5.4.5" | "2.5.4.46" => findings.expect(
            is(tree::PRINTABLE_STRING),
            "name.string-type",
            format!("{title}: expected PrintableString, found tag {:02x}", value.tag),
        ),
        "0.9.2342.19200300.100.1.25" | "1.2.840.113549.1.9.1" => findings.expect(
            is(tree::IA5_STRING),
            "name.string-type",
            format!("{title}: expected IA5String, found tag {:02x}", value.tag),
        ),
        _ => findings.expect(
            is(tree::PRINTABLE_STRING) || is(tree::UTF8_STRING) || !is_string(value.tag),
            "name.string-type",
            format!("{title}: expected UTF8String or PrintableString, found tag {:02x}", value.tag),
        ),
    }
    let characters = match value.tag {
        tree::UTF8_STRING => String::from_utf8_lossy(value.content).chars().count(),
        tree::BMP_STRING => value.content.len() / 2,
        tree::UNIVERSAL_STRING => value.content.len() / 4,
        _ => value.content.len(),
    };
    let most = BOUNDS.iter().find(|(known, ..)| *known == kind).map(|(_, most, _)| *most);
    let within = most.is_none_or(|most| characters <= most);
    findings.expect(
        within,
        "name.length",
        format!("{title}: expected at most {} characters, found {characters}", most.unwrap_or(0)),
    );
    findings.expect(characters > 0, "name.empty-value", format!("{title}: expected a value, found an empty one"));
    if kind == "2.5.4.6" {
        let country = value.content.len() == 2 && value.content.iter().all(u8::is_ascii_uppercase);
        findings.expect(
            country,
            "name.country",
            format!("country: expected two capital letters, found {}", hex(value.content)),
        );
    }
    if kind.starts_with("1.3.6.1.4.1.37244.2.") {
        let digits = value.content.len() == 4 && value.content.iter().all(|octet| b"0123456789ABCDEF".contains(octet));
        findings.expect(
            digits,
            "name.matter",
            format!("{title}: expected four upper-case digits, found {}", hex(value.content)),
        );
    }
    let text = String::from_utf8_lossy(value.content);
    if matches!(value.tag, tree::UTF8_STRING | tree::PRINTABLE_STRING | tree::IA5_STRING) {
        let unseen = text.chars().find(|character| crate::basics::safe_text::is_dangerous(*character));
        let found = unseen.map_or(0, u32::from);
        findings.expect(
            unseen.is_none(),
            "name.visible",
            format!("{title}: expected visible characters, found U+{found:04X}"),
        );
        let trimmed = text.trim() == text;
        findings.expect(trimmed, "name.spaces", format!("{title}: expected no space before or after it, found one"));
    }
}

const fn is_string(tag: u8) -> bool {
    matches!(
        tag,
        tree::UTF8_STRING
            | tree::PRINTABLE_STRING
            | tree::TELETEX_STRING
            | tree::IA5_STRING
            | tree::UNIVERSAL_STRING
            | tree::BMP_STRING
            | 0x12
            | 0x19
            | 0x1a
            | 0x1b
    )
}
