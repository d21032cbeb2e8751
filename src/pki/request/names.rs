//! The attributes of a name that we know: what they are called, how long they may be, which strings they may be in.

use super::canonical::{IA5_STRING, PRINTABLE_STRING, UTF8_STRING};
use const_oid::ObjectIdentifier;

/// An attribute type that a subject may have.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// As scripts and people write it: `CN`, `serialNumber`.
    pub word: &'static str,
    pub oid: ObjectIdentifier,
    /// Upper bound of RFC 5280 appendix A, in characters.
    pub most: usize,
    /// Tags of the string types that RFC 5280 4.1.2.4 leaves: not TeletexString, BMPString or UniversalString.
    pub strings: &'static [u8],
}

const DIRECTORY: &[u8] = &[UTF8_STRING, PRINTABLE_STRING];
const PRINTABLE: &[u8] = &[PRINTABLE_STRING];
const IA5: &[u8] = &[IA5_STRING];

const fn kind(word: &'static str, oid: &'static str, most: usize, strings: &'static [u8]) -> Kind {
    Kind { word, oid: ObjectIdentifier::new_unwrap(oid), most, strings }
}

/// Everything a script may name in its rules for subjects.
pub static KINDS: [Kind; 17] = [
    kind("C", "2.5.4.6", 2, PRINTABLE),
    kind("ST", "2.5.4.8", 128, DIRECTORY),
    kind("L", "2.5.4.7", 128, DIRECTORY),
    kind("street", "2.5.4.9", 128, DIRECTORY),
    kind("O", "2.5.4.10", 64, DIRECTORY),
    kind("OU", "2.5.4.11", 64, DIRECTORY),
    kind("CN", "2.5.4.3", 64, DIRECTORY),
    kind("serialNumber", "2.5.4.5", 64, PRINTABLE),
    kind("dnQualifier", "2.5.4.46", 64, PRINTABLE),
    kind("title", "2.5.4.12", 64, DIRECTORY),
    kind("organizationIdentifier", "2.5.4.97", 64, DIRECTORY),
    kind("DC", "0.9.2342.19200300.100.1.25", 63, IA5),
    kind("UID", "0.9.2342.19200300.100.1.1", 256, DIRECTORY),
    kind("emailAddress", "1.2.840.113549.1.9.1", 255, IA5),
    // Four capital hexadecimal digits (Matter 1.4, 6.5.6.1); the length is what is judged here.
    kind("matterVendorId", "1.3.6.1.4.1.37244.2.1", 4, DIRECTORY),
    kind("matterProductId", "1.3.6.1.4.1.37244.2.2", 4, DIRECTORY),
    kind("pseudonym", "2.5.4.65", 128, DIRECTORY),
];

#[must_use]
pub fn of_oid(oid: ObjectIdentifier) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.oid == oid)
}

#[must_use]
pub fn of_word(word: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.word == word)
}

/// What a string type is called, for what is said.
#[must_use]
pub const fn string_type(tag: u8) -> &'static str {
    match tag {
        UTF8_STRING => "UTF8String",
        PRINTABLE_STRING => "PrintableString",
        super::canonical::TELETEX_STRING => "TeletexString",
        IA5_STRING => "IA5String",
        super::canonical::UNIVERSAL_STRING => "UniversalString",
        super::canonical::BMP_STRING => "BMPString",
        _ => "another type",
    }
}
