//! Octets as a tree of tag, length and content, read so that long lengths and other sins against DER are named and read on.
//! What has no end (indefinite lengths), or an end outside its parent, is not read.

use super::Findings;

/// How deep values may be in each other: certificates need about ten.
const MOST_DEPTH: usize = 24;
/// Values in one tree: a list with a hundred thousand entries has a million.
const MOST_NODES: usize = 4_000_000;

pub const BOOLEAN: u8 = 0x01;
pub const INTEGER: u8 = 0x02;
pub const BIT_STRING: u8 = 0x03;
pub const OCTET_STRING: u8 = 0x04;
pub const NULL: u8 = 0x05;
pub const OBJECT_IDENTIFIER: u8 = 0x06;
pub const ENUMERATED: u8 = 0x0a;
pub const UTF8_STRING: u8 = 0x0c;
pub const SEQUENCE: u8 = 0x30;
pub const SET: u8 = 0x31;
pub const PRINTABLE_STRING: u8 = 0x13;
pub const TELETEX_STRING: u8 = 0x14;
pub const IA5_STRING: u8 = 0x16;
pub const UTC_TIME: u8 = 0x17;
pub const GENERALIZED_TIME: u8 = 0x18;
pub const UNIVERSAL_STRING: u8 = 0x1c;
pub const BMP_STRING: u8 = 0x1e;

/// One value: its identifier octet, all its octets, its content, and what is in it where it is constructed.
#[derive(Clone, Debug)]
pub struct Node<'a> {
    pub tag: u8,
    pub whole: &'a [u8],
    pub content: &'a [u8],
    pub children: Vec<Node<'a>>,
}

impl<'a> Node<'a> {
    /// The child at this place, where it has this tag.
    pub fn child(&self, index: usize, tag: u8) -> Option<&Node<'a>> {
        self.children.get(index).filter(|child| child.tag == tag)
    }

    /// The first child with this tag.
    pub fn tagged(&self, tag: u8) -> Option<&Node<'a>> {
        self.children.iter().find(|child| child.tag == tag)
    }
}

/// The one value that octets are.
pub fn read<'a>(octets: &'a [u8], findings: &mut Findings) -> Option<Node<'a>> {
    let mut reader = Reader { findings, left: MOST_NODES };
    let (node, rest) = reader.value(octets, 0)?;
    reader.findings.expect(
        rest.is_empty(),
        "der.trailing",
        format!("expected one value, found {} octets after it", rest.len()),
    );
    Some(node)
}

struct Reader<'f> {
    findings: &'f mut Findings,
    left: usize,
}

impl Reader<'_> {
    fn value<'a>(&mut self, octets: &'a [u8], depth: usize) -> Option<(Node<'a>, &'a [u8])> {
        self.left = self.left.checked_sub(1)?;
        if depth > MOST_DEPTH {
            self.findings.add("der.depth", format!("expected at most {MOST_DEPTH} values in each other, found more"));
            return None;
        }
        let (&tag, after_tag) = octets.split_first()?;
        if tag & 0x1f == 0x1f {
            self.findings.add("der.readable", "expected tags below 31, found a longer one");
            return None;
        }
        let (length, after) = self.length(after_tag)?;
        let Some((content, rest)) = after.split_at_checked(length) else {
            self.findings.add("der.readable", format!("expected {length} octets of content, found {}", after.len()));
            return None;
        };
        let whole = octets.get(..octets.len() - rest.len())?;
        let mut children = Vec::new();
        if tag & 0x20 != 0 {
            let mut inside = content;
            while !inside.is_empty() {
                let (child, left) = self.value(inside, depth + 1)?;
                children.push(child);
                inside = left;
            }
        }
        Some((Node { tag, whole, content, children }, rest))
    }

    fn length<'a>(&mut self, octets: &'a [u8]) -> Option<(usize, &'a [u8])> {
        let (&first, after) = octets.split_first()?;
        if first < 0x80 {
            return Some((usize::from(first), after));
        }
        let count = usize::from(first & 0x7f);
        if !(1..=4).contains(&count) {
            let found = if count == 0 { "an indefinite one" } else { "a longer one" };
            self.findings.add("der.readable", format!("expected a length of up to four octets, found {found}"));
            return None;
        }
        let (long, after) = after.split_at_checked(count)?;
        let length = long.iter().fold(0_usize, |length, octet| length << 8 | usize::from(*octet));
        let minimal = long.first() != Some(&0) && length >= 0x80;
        self.findings.expect(
            minimal,
            "der.length-minimal",
            format!("expected the shortest length, found {count} octets for {length}"),
        );
        Some((length, after))
    }
}

/// An object identifier in dots; nothing where it is not one.
pub fn dotted(content: &[u8]) -> Option<String> {
    const_oid::ObjectIdentifier::from_bytes(content).ok().map(|oid| oid.to_string())
}

/// The object identifier of a node, in dots.
pub fn oid(node: &Node<'_>) -> Option<String> {
    (node.tag == OBJECT_IDENTIFIER).then(|| dotted(node.content))?
}
