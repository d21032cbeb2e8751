//! PKCS#10 (RFC 2986) read field by field: what is there, and everything about its form that is not as it must be. Nothing
//! about keys, signatures or rules is judged here.
//!
//! ```text
//! 30 <n> CertificationRequest
//!    30 <n> CertificationRequestInfo: the octets that are signed, taken as they came
//!       02 01 00                         version
//!       30 <n> RDNSequence               subject
//!       30 <n> SubjectPublicKeyInfo
//!       a0 <n> [0] SET OF Attribute      present even where it is empty: a0 00
//!    30 <n> AlgorithmIdentifier
//!    03 <n> BIT STRING                   signature
//! ```

use super::canonical::{self, BIT_STRING, CONTEXT_0, INTEGER, OCTET_STRING, SEQUENCE, SET, Value, all};
use super::reason::Reason;
use super::scheme::object_identifier;
use super::{canonical::BOOLEAN, names};
use crate::basics::digest::hex_encode;
use crate::basics::limits;
use const_oid::ObjectIdentifier;
use der::{Decode as _, Encode as _};

const EXTENSION_REQUEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.14");

/// One attribute of the subject, in the order of the name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameAttribute {
    pub oid: ObjectIdentifier,
    /// Tag of the string.
    pub tag: u8,
    /// As text, where the string can be read; what cannot be read has its own reason.
    pub text: String,
}

impl NameAttribute {
    /// `CN`, or the dotted identifier of what we have no word for.
    #[must_use]
    pub fn word(&self) -> String {
        names::of_oid(self.oid).map_or_else(|| self.oid.to_string(), |kind| kind.word.to_owned())
    }
}

/// An extension that the requester asks for. None is ever copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedExtension {
    pub oid: ObjectIdentifier,
    pub critical: bool,
    pub value: Vec<u8>,
}

/// The fields of a request, as octets where they are used as octets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fields {
    pub info: Vec<u8>,
    pub subject_der: Vec<u8>,
    pub subject: Vec<NameAttribute>,
    pub spki_der: Vec<u8>,
    pub attributes: Vec<ObjectIdentifier>,
    /// Their values, as DER, in the same order.
    pub values: Vec<Vec<Vec<u8>>>,
    pub extensions: Vec<AskedExtension>,
    /// The AlgorithmIdentifier beside the signature.
    pub algorithm: Vec<u8>,
    pub signature: Vec<u8>,
}

/// Reads a request: its fields where the outermost shape holds, and every reason against its form.
pub(super) fn read(der: &[u8]) -> (Option<Fields>, Vec<Reason>) {
    let mut reasons = Vec::new();
    if der.len() > limits::REQUEST_OCTETS {
        let expected = format!("at most {} octets", limits::REQUEST_OCTETS);
        return (None, vec![Reason::new("too-large", "request", expected, der.len().to_string())]);
    }
    let (outer, rest) = match canonical::first(der, 0) {
        Ok(read) => read,
        Err(fault) => return (None, vec![not_der(&fault)]),
    };
    if !rest.is_empty() {
        let found = format!("{} octets after it", rest.len());
        reasons.push(Reason::new("trailing-octets", "request", "nothing after it", found));
    }
    for fault in canonical::faults(outer.whole) {
        let word = if fault.expected.contains("SET OF") { "set-order" } else { "not-der" };
        reasons.push(Reason { word, ..not_der(&fault) });
    }
    let fields = shape(&outer, &mut reasons);
    // A second opinion on "writes itself again": another parser and writer than the reader above.
    if reasons.is_empty()
        && x509_cert::request::CertReq::from_der(der).ok().and_then(|parsed| parsed.to_der().ok()).as_deref()
            != Some(der)
    {
        reasons.push(Reason::new("not-der", "request", "octets that are written the same again", "others"));
    }
    (fields, reasons)
}

fn not_der(fault: &canonical::Fault) -> Reason {
    Reason::new("not-der", format!("request, octet {}", fault.at), fault.expected, &fault.found)
}

fn shape(outer: &Value<'_>, reasons: &mut Vec<Reason>) -> Option<Fields> {
    let wrong = |what: &str, expected: &str| Reason::new("shape", what, expected, "something else");
    let parts = if outer.tag == SEQUENCE { all(outer.content, 0).unwrap_or_default() } else { Vec::new() };
    let [info, algorithm, signature] = parts.as_slice() else {
        reasons.push(wrong("request", "a CertificationRequest: information, algorithm, signature"));
        return None;
    };
    if info.tag != SEQUENCE || algorithm.tag != SEQUENCE || signature.tag != BIT_STRING {
        reasons.push(wrong("request", "a CertificationRequest: SEQUENCE, SEQUENCE, BIT STRING"));
        return None;
    }
    let inner = all(info.content, 0).unwrap_or_default();
    let (version, subject, spki, attributes) = match inner.as_slice() {
        [version, subject, spki, attributes] => (version, subject, spki, Some(attributes)),
        [version, subject, spki] => (version, subject, spki, None),
        _ => {
            reasons.push(wrong("request information", "version, subject, key and attributes"));
            return None;
        }
    };
    if version.tag != INTEGER || subject.tag != SEQUENCE || spki.tag != SEQUENCE {
        reasons.push(wrong("request information", "INTEGER, Name, SubjectPublicKeyInfo and [0]"));
        return None;
    }
    if version.content != [0] {
        reasons.push(Reason::new("version", "version", "0", hex_encode(version.content)));
    }
    let mut fields = Fields {
        info: info.whole.to_vec(),
        subject_der: subject.whole.to_vec(),
        subject: name(subject, reasons),
        spki_der: spki.whole.to_vec(),
        attributes: Vec::new(),
        values: Vec::new(),
        extensions: Vec::new(),
        algorithm: algorithm.whole.to_vec(),
        signature: Vec::new(),
    };
    match attributes {
        Some(attributes) if attributes.tag == CONTEXT_0 => read_attributes(attributes, &mut fields, reasons),
        Some(_) => reasons.push(wrong("attributes", "[0] SET OF Attribute")),
        None => {
            reasons.push(Reason::new("attributes-missing", "attributes", "[0], empty where there are none", "nothing"))
        }
    }
    match signature.content {
        [0, octets @ ..] => fields.signature = octets.to_vec(),
        _ => {
            reasons.push(Reason::new("signature-form", "signature", "a BIT STRING without unused bits", "unused bits"))
        }
    }
    Some(fields)
}

fn name(subject: &Value<'_>, reasons: &mut Vec<Reason>) -> Vec<NameAttribute> {
    let mut attributes = Vec::new();
    let relative_names = all(subject.content, 0).unwrap_or_default();
    if relative_names.len() > limits::NAME_ATTRIBUTES {
        let expected = format!("at most {} attributes", limits::NAME_ATTRIBUTES);
        reasons.push(Reason::new("subject-shape", "subject", expected, relative_names.len().to_string()));
    }
    for relative in relative_names.iter().take(limits::NAME_ATTRIBUTES) {
        let pairs = if relative.tag == SET { all(relative.content, 0).unwrap_or_default() } else { Vec::new() };
        if pairs.len() != 1 {
            let found = format!("{} in one", pairs.len());
            reasons.push(Reason::new("subject-shape", "subject", "one attribute in each relative name", found));
        }
        for pair in &pairs {
            match name_attribute(pair) {
                Some(attribute) => attributes.push(attribute),
                None => reasons.push(Reason::new("subject-shape", "subject", "pairs of a type and a string", "others")),
            }
        }
    }
    attributes
}

fn name_attribute(pair: &Value<'_>) -> Option<NameAttribute> {
    let parts = (pair.tag == SEQUENCE).then(|| all(pair.content, 0).ok()).flatten()?;
    let [kind, value] = parts.as_slice() else { return None };
    let text = match value.tag {
        canonical::BMP_STRING => {
            let units: Vec<u16> =
                value.content.chunks(2).map(|pair| pair.iter().fold(0, |unit, o| unit << 8 | u16::from(*o))).collect();
            String::from_utf16_lossy(&units)
        }
        canonical::TELETEX_STRING => value.content.iter().copied().map(char::from).collect(),
        _ => String::from_utf8_lossy(value.content).into_owned(),
    };
    Some(NameAttribute { oid: object_identifier(kind)?, tag: value.tag, text })
}

fn read_attributes(set: &Value<'_>, fields: &mut Fields, reasons: &mut Vec<Reason>) {
    if let Some(fault) = canonical::order_fault(set.content, 0) {
        reasons.push(Reason::new("set-order", "attributes", fault.expected, fault.found));
    }
    for attribute in all(set.content, 0).unwrap_or_default() {
        let parts = if attribute.tag == SEQUENCE { all(attribute.content, 0).unwrap_or_default() } else { Vec::new() };
        let [kind, values] = parts.as_slice() else {
            reasons.push(Reason::new("shape", "attributes", "pairs of a type and a SET of values", "others"));
            continue;
        };
        let (Some(oid), SET) = (object_identifier(kind), values.tag) else {
            reasons.push(Reason::new("shape", "attributes", "pairs of a type and a SET of values", "others"));
            continue;
        };
        if fields.attributes.contains(&oid) {
            let what = format!("attribute {}", attribute_title(oid));
            reasons.push(Reason::new("attribute-twice", what, "it once", "it again"));
        }
        fields.attributes.push(oid);
        let values = all(values.content, 0).unwrap_or_default();
        fields.values.push(values.iter().map(|value| value.whole.to_vec()).collect());
        if values.is_empty() {
            let what = format!("attribute {}", attribute_title(oid));
            reasons.push(Reason::new("attribute-empty", what, "at least one value", "none"));
        }
        if oid == EXTENSION_REQUEST {
            if values.len() > 1 {
                let found = values.len().to_string();
                reasons.push(Reason::new("attribute-twice", "attribute extensionRequest", "one value", found));
            }
            for value in &values {
                read_extensions(value, fields, reasons);
            }
        }
    }
}

fn read_extensions(list: &Value<'_>, fields: &mut Fields, reasons: &mut Vec<Reason>) {
    let entries = if list.tag == SEQUENCE { all(list.content, 0).unwrap_or_default() } else { Vec::new() };
    if entries.is_empty() {
        reasons.push(Reason::new(
            "extension-form",
            "attribute extensionRequest",
            "a SEQUENCE of extensions",
            "another",
        ));
    }
    for entry in &entries {
        let Some(extension) = extension(entry) else {
            reasons.push(Reason::new(
                "extension-form",
                "extension",
                "identifier, critical where TRUE, value",
                "another form",
            ));
            continue;
        };
        if fields.extensions.iter().any(|earlier| earlier.oid == extension.oid) {
            let what = format!("extension {}", super::asked::title(extension.oid));
            reasons.push(Reason::new("extension-twice", what, "it once", "it again"));
        }
        fields.extensions.push(extension);
    }
}

fn extension(entry: &Value<'_>) -> Option<AskedExtension> {
    let parts = (entry.tag == SEQUENCE).then(|| all(entry.content, 0).ok()).flatten()?;
    let (oid, critical, value) = match parts.as_slice() {
        [oid, value] => (oid, false, value),
        // FALSE is the default, and DER does not write defaults (X.690 11.5).
        [oid, critical, value] if critical.tag == BOOLEAN && critical.content == [0xff] => (oid, true, value),
        _ => return None,
    };
    (value.tag == OCTET_STRING).then(|| object_identifier(oid)).flatten().map(|oid| AskedExtension {
        oid,
        critical,
        value: value.content.to_vec(),
    })
}

/// What an attribute of a request is called; attributes that we do not know are told by their number.
#[must_use]
pub fn attribute_title(oid: ObjectIdentifier) -> String {
    let dotted = oid.to_string();
    match dotted.as_str() {
        "1.2.840.113549.1.9.14" => "extensionRequest".to_owned(),
        "1.2.840.113549.1.9.7" => "challengePassword".to_owned(),
        "1.2.840.113549.1.9.2" => "unstructuredName".to_owned(),
        "1.2.840.113549.1.9.8" => "unstructuredAddress".to_owned(),
        "1.3.6.1.4.1.311.2.1.14" => "extensionRequest of Microsoft".to_owned(),
        "1.3.6.1.4.1.311.13.2.3" => "osVersion of Microsoft".to_owned(),
        "1.3.6.1.4.1.311.13.2.2" => "enrolmentCSP of Microsoft".to_owned(),
        "1.3.6.1.4.1.311.21.20" => "clientInfo of Microsoft".to_owned(),
        _ => dotted,
    }
}

/// Whether an attribute is the one in which extensions are asked for.
#[must_use]
pub(super) fn is_extension_request(oid: ObjectIdentifier) -> bool {
    oid == EXTENSION_REQUEST
}
