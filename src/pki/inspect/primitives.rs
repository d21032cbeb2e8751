//! What DER asks of each primitive value, wherever it stands (X.690 8, 10, 11), and of the two time types in certificates (RFC
//! 5280 4.1.2.5).

use super::Findings;
use super::tree::{self, Node};
use crate::basics::Instant;
use crate::pki::name::is_printable;

/// Looks at a value and everything in it. Implicitly tagged values are looked at where their type is known.
pub fn judge(node: &Node<'_>, findings: &mut Findings) {
    let content = node.content;
    match node.tag {
        tree::BOOLEAN => findings.expect(
            matches!(content, [0x00 | 0xff]),
            "der.boolean",
            format!("expected 00 or ff, found {}", hex(content)),
        ),
        tree::INTEGER | tree::ENUMERATED => {
            let padded = match content {
                [] => true,
                [0x00, second, ..] => second & 0x80 == 0,
                [0xff, second, ..] => second & 0x80 != 0,
                _ => false,
            };
            findings.expect(
                !padded,
                "der.integer-minimal",
                format!("expected no octets too many, found {}", hex(content)),
            );
        }
        tree::NULL => {
            findings.expect(content.is_empty(), "der.null", format!("expected nothing in NULL, found {}", hex(content)))
        }
        tree::BIT_STRING => bit_string(content, findings),
        tree::OBJECT_IDENTIFIER => findings.expect(
            tree::dotted(content).is_some() && !content.starts_with(&[0x80]),
            "der.object-identifier",
            format!("expected an object identifier, found {}", hex(content)),
        ),
        tree::UTF8_STRING => findings.expect(
            std::str::from_utf8(content).is_ok(),
            "der.utf8-string",
            format!("expected UTF-8, found {}", hex(content)),
        ),
        tree::PRINTABLE_STRING => findings.expect(
            content.iter().all(|octet| is_printable(*octet)),
            "der.printable-string",
            format!("expected letters, digits and a few signs, found {}", hex(content)),
        ),
        tree::IA5_STRING => {
            findings.expect(content.is_ascii(), "der.ia5-string", format!("expected ASCII, found {}", hex(content)))
        }
        tree::SET => {
            let sorted = node.children.windows(2).all(|pair| match pair {
                [one, next] => one.whole <= next.whole,
                _ => true,
            });
            findings.expect(
                sorted,
                "der.set-order",
                "expected the members of a set in the order of their octets, found another",
            );
        }
        tag if tag & 0xe0 == 0x20 && !matches!(tag, tree::SEQUENCE | tree::SET) => {
            findings.add("der.constructed-string", format!("expected strings in one piece, found tag {tag:02x}"));
        }
        _ => {}
    }
    for child in &node.children {
        judge(child, findings);
    }
}

fn bit_string(content: &[u8], findings: &mut Findings) {
    let good = match content.split_first() {
        Some((0, _)) => true,
        Some((unused @ 1..=7, bits)) => {
            bits.last().is_some_and(|last| u32::from(*last).trailing_zeros().min(8) >= u32::from(*unused))
        }
        _ => false,
    };
    findings.expect(good, "der.bit-string", format!("expected 0 to 7 unused bits, all zero, found {}", hex(content)));
}

/// At most 24 octets, for messages.
pub fn hex(octets: &[u8]) -> String {
    let shown = octets.get(..24).unwrap_or(octets);
    let more = if shown.len() < octets.len() { "..." } else { "" };
    let digits = crate::basics::digest::hex_encode(shown);
    if digits.is_empty() { "nothing".to_owned() } else { format!("{digits}{more}") }
}

/// A time in a certificate or list: its instant where it can be read at all, and what is wrong with how it is written.
pub fn time(node: &Node<'_>, rule: &'static str, findings: &mut Findings) -> Option<Instant> {
    let text = std::str::from_utf8(node.content).ok().filter(|text| text.is_ascii());
    let Some(text) = text else {
        findings.add(rule, format!("expected a time, found {}", hex(node.content)));
        return None;
    };
    let digits = text.strip_suffix('Z').unwrap_or(text);
    let exact = text.ends_with('Z') && digits.bytes().all(|octet| octet.is_ascii_digit());
    let (year, rest, form) = match (node.tag, exact, digits.len()) {
        (tree::UTC_TIME, true, 12) => {
            let (year, rest) = digits.split_at_checked(2)?;
            let year: u16 = year.parse().ok()?;
            // RFC 5280 4.1.2.5.1: 50 to 99 are of the last century.
            (if year >= 50 { 1900 + year } else { 2000 + year }, rest, "YYMMDDHHMMSSZ")
        }
        (tree::GENERALIZED_TIME, true, 14) => {
            let (year, rest) = digits.split_at_checked(4)?;
            (year.parse().ok()?, rest, "YYYYMMDDHHMMSSZ")
        }
        (tag, ..) => {
            let expected = if tag == tree::UTC_TIME { "YYMMDDHHMMSSZ" } else { "YYYYMMDDHHMMSSZ" };
            findings
                .add(rule, format!("expected {expected} with seconds, in UTC, found \"{}\"", text.escape_default()));
            return None;
        }
    };
    let usual = (node.tag == tree::UTC_TIME) == (year < 2050);
    findings.expect(
        usual,
        rule,
        format!("expected UTCTime through 2049 and GeneralizedTime after, found year {year} as {form}"),
    );
    let field = |at: usize| rest.get(at..at + 2);
    let (month, day, hour, minute, second) = (field(0)?, field(2)?, field(4)?, field(6)?, field(8)?);
    let instant = Instant::parse(&format!("{year:04}-{month}-{day}T{hour}:{minute}:{second}Z"));
    let before = year < 1970;
    findings.expect(
        instant.is_some() || before,
        rule,
        format!("expected a date of the calendar, found \"{}\"", text.escape_default()),
    );
    instant.or_else(|| before.then_some(Instant(0)))
}
