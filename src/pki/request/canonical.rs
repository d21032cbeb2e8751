//! DER read value by value, and every place where octets are BER or worse instead: so that a refusal says where and what,
//! which no parser that gives up at the first difference can.
//!
//! Only what the tags alone decide is judged here. Orders of SET OF are judged, defaults that are written out are not:
//! that needs the types.

use crate::basics::limits;

/// One value: its tag octet, its content, and the octets of both with the length between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Value<'a> {
    pub tag: u8,
    pub content: &'a [u8],
    pub whole: &'a [u8],
}

/// A place that is not DER.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Octets before it.
    pub at: usize,
    pub expected: &'static str,
    pub found: String,
}

impl Fault {
    fn new(at: usize, expected: &'static str, found: impl Into<String>) -> Self {
        Self { at, expected, found: found.into() }
    }
}

pub const BOOLEAN: u8 = 0x01;
pub const INTEGER: u8 = 0x02;
pub const BIT_STRING: u8 = 0x03;
pub const OCTET_STRING: u8 = 0x04;
pub const NULL: u8 = 0x05;
pub const OBJECT_IDENTIFIER: u8 = 0x06;
pub const UTF8_STRING: u8 = 0x0c;
pub const PRINTABLE_STRING: u8 = 0x13;
pub const TELETEX_STRING: u8 = 0x14;
pub const IA5_STRING: u8 = 0x16;
pub const UNIVERSAL_STRING: u8 = 0x1c;
pub const BMP_STRING: u8 = 0x1e;
pub const SEQUENCE: u8 = 0x30;
pub const SET: u8 = 0x31;
pub const CONTEXT_0: u8 = 0xa0;

/// The first value of some octets, and what follows it. `at` is where the octets begin, for what is said.
///
/// # Errors
/// Where the length is missing, indefinite, longer than needed or longer than what is there, or the tag has several octets.
pub fn first(octets: &[u8], at: usize) -> Result<(Value<'_>, &[u8]), Fault> {
    let (tag, rest) = octets.split_first().ok_or_else(|| Fault::new(at, "a value", "the end"))?;
    if tag & 0x1f == 0x1f {
        return Err(Fault::new(at, "a tag of one octet", format!("tag {tag:02x}")));
    }
    let (first, rest) = rest.split_first().ok_or_else(|| Fault::new(at + 1, "a length", "the end"))?;
    let (length, rest) = match first {
        0..0x80 => (usize::from(*first), rest),
        0x80 => return Err(Fault::new(at + 1, "a definite length", "an indefinite one (BER)")),
        _ => {
            let count = usize::from(first & 0x7f);
            let (digits, rest) =
                rest.split_at_checked(count).ok_or_else(|| Fault::new(at + 1, "a length", "the end"))?;
            if count > 4 {
                return Err(Fault::new(at + 1, "a length of at most four octets", format!("one of {count}")));
            }
            let length = digits.iter().fold(0_usize, |length, digit| length << 8 | usize::from(*digit));
            if length < 0x80 || digits.first() == Some(&0) {
                return Err(Fault::new(at + 1, "the shortest form of the length", "a longer one (BER)"));
            }
            (length, rest)
        }
    };
    let (content, after) = rest
        .split_at_checked(length)
        .ok_or_else(|| Fault::new(at, "as many octets as the length says", format!("{} of {length}", rest.len())))?;
    let whole = octets.get(..octets.len() - after.len()).unwrap_or_default();
    Ok((Value { tag: *tag, content, whole }, after))
}

/// The values one after the other that some octets are.
///
/// # Errors
/// As [`first`], and where there are more than [`limits::DER_VALUES`].
pub fn all(octets: &[u8], at: usize) -> Result<Vec<Value<'_>>, Fault> {
    let mut values = Vec::new();
    let mut rest = octets;
    while !rest.is_empty() {
        let place = at + (octets.len() - rest.len());
        if values.len() == limits::DER_VALUES {
            return Err(Fault::new(place, "fewer values in one place", "more"));
        }
        let (value, after) = first(rest, place)?;
        values.push(value);
        rest = after;
    }
    Ok(values)
}

/// The one value that some octets are.
#[must_use]
pub fn only(octets: &[u8]) -> Option<Value<'_>> {
    first(octets, 0).ok().filter(|(_, rest)| rest.is_empty()).map(|(value, _)| value)
}

/// Everything in some octets that DER does not allow, in their order; at most [`limits::DER_FAULTS`].
#[must_use]
pub fn faults(octets: &[u8]) -> Vec<Fault> {
    let mut found = Vec::new();
    walk(octets, 0, 0, &mut found);
    found.truncate(limits::DER_FAULTS);
    found
}

fn walk(octets: &[u8], at: usize, depth: usize, found: &mut Vec<Fault>) {
    if depth > limits::NESTING {
        found.push(Fault::new(at, "values that are not nested so deep", format!("{depth} levels")));
        return;
    }
    let mut rest = octets;
    let mut in_order: Vec<&[u8]> = Vec::new();
    while !rest.is_empty() && found.len() < limits::DER_FAULTS {
        let place = at + (octets.len() - rest.len());
        match first(rest, place) {
            Ok((value, after)) => {
                found.extend(content_fault(&value, place));
                if value.tag & 0x20 != 0 {
                    let header = value.whole.len() - value.content.len();
                    walk(value.content, place + header, depth + 1, found);
                }
                if value.tag == SET {
                    in_order.push(value.content);
                    found.extend(order_fault(value.content, place));
                }
                rest = after;
            }
            Err(fault) => {
                found.push(fault);
                return;
            }
        }
    }
}

/// Where the elements of a SET OF are not in ascending order of their octets (X.690 11.6).
#[must_use]
pub fn order_fault(content: &[u8], at: usize) -> Option<Fault> {
    let elements = all(content, at).ok()?;
    let falls = elements.windows(2).any(|pair| matches!(pair, [left, right] if left.whole > right.whole));
    falls.then(|| Fault::new(at, "the elements of a SET OF in ascending order of their octets", "another order"))
}

fn content_fault(value: &Value<'_>, at: usize) -> Option<Fault> {
    let content = value.content;
    let fault = |expected, found: &str| Some(Fault::new(at, expected, found));
    let is_constructed = value.tag & 0x20 != 0;
    if value.tag & 0xc0 == 0 {
        match (value.tag & 0x1f, is_constructed) {
            (0x10 | 0x11, false) => return fault("a constructed SEQUENCE or SET", "a primitive one"),
            (0x10 | 0x11, true) => {}
            (_, true) => return fault("a string in one piece", "a constructed one (BER)"),
            _ => {}
        }
    }
    match value.tag {
        BOOLEAN if content != [0] && content != [0xff] => fault("a BOOLEAN of 00 or ff", "another"),
        INTEGER => match content {
            [] => fault("an INTEGER of at least one octet", "none"),
            [0, second, ..] if second & 0x80 == 0 => fault("an INTEGER in the shortest form", "a zero before it"),
            [0xff, second, ..] if second & 0x80 != 0 => fault("an INTEGER in the shortest form", "a sign before it"),
            _ => None,
        },
        BIT_STRING => match content {
            [] => fault("a BIT STRING that says how many bits are unused", "none"),
            [unused, ..] if *unused > 7 => fault("at most 7 unused bits", "more"),
            [unused] if *unused != 0 => fault("no unused bits in an empty BIT STRING", "some"),
            [unused, .., last] if last.trailing_zeros() < u32::from(*unused) => fault("unused bits of zero", "others"),
            _ => None,
        },
        NULL if !content.is_empty() => fault("an empty NULL", "content"),
        OBJECT_IDENTIFIER => match content {
            [] => fault("an OBJECT IDENTIFIER of at least one octet", "none"),
            [.., last] if last & 0x80 != 0 => fault("an OBJECT IDENTIFIER that ends", "one that does not"),
            [first, ..] if *first == 0x80 || starts_an_arc_with_zero(content) => {
                fault("arcs in the shortest form", "a zero before one")
            }
            _ => None,
        },
        UTF8_STRING if std::str::from_utf8(content).is_err() => fault("UTF-8 in a UTF8String", "other octets"),
        PRINTABLE_STRING if !content.iter().copied().all(is_printable_string) => {
            fault("letters, digits and '()+,-./:=? in a PrintableString", "others")
        }
        IA5_STRING if !content.is_ascii() => fault("ASCII in an IA5String", "other octets"),
        _ => None,
    }
}

fn starts_an_arc_with_zero(content: &[u8]) -> bool {
    content.windows(2).any(|pair| matches!(pair, [end, 0x80] if end & 0x80 == 0))
}

/// The characters of X.680 41.4.
const fn is_printable_string(octet: u8) -> bool {
    octet.is_ascii_alphanumeric()
        || matches!(octet, b' ' | b'\'' | b'(' | b')' | b'+' | b',' | b'-' | b'.' | b'/' | b':' | b'=' | b'?')
}
