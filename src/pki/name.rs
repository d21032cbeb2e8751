//! Distinguished names: country, state, locality, organization, organizational unit, common name, serial number and the two
//! identifiers of Matter, in that order, one value each. Never parsed from one string: `C=..., O=...` as text is for
//! reading only.
//!
//! ```text
//! 30 2f 31 0b 30 09 06 03 55 04 06 13 02 'SE'             C, PrintableString
//!       31 10 30 0e 06 03 55 04 0a 0c 07 'Example'        O, UTF8String
//!       31 0e 30 0c 06 03 55 04 03 0c 05 'Root1'          CN, UTF8String
//! ```

use super::{PkiError, oids};
use crate::basics::Realm;
use crate::basics::safe_text::is_dangerous;
use const_oid::ObjectIdentifier;
use der::asn1::{Any, SetOfVec};
use der::{Decode, Encode, Tag, Tagged};
use serde::{Deserialize, Serialize};
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::name::Name;

/// Upper bound of RFC 5280 appendix A for organization and common name, in characters.
pub const MOST_CHARS: usize = 64;
/// What every name of a rehearsal begins with, so that nobody can take it for one that counts.
pub const REHEARSAL_MARK: &str = "REHEARSAL ";

/// The attributes a name of ours may have, in the order in which they are written. The word is the key in scripts and
/// profiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Attribute {
    Country,
    State,
    Locality,
    Organization,
    OrganizationalUnit,
    CommonName,
    /// Of the device (X.520 serialNumber), not of the certificate.
    SerialNumber,
    /// Vendor identifier of Matter (Core 6.1.1): four upper-case hexadecimal digits.
    MatterVid,
    /// Product identifier of Matter: the same.
    MatterPid,
}

impl Attribute {
    pub const ALL: [Attribute; 9] = [
        Attribute::Country,
        Attribute::State,
        Attribute::Locality,
        Attribute::Organization,
        Attribute::OrganizationalUnit,
        Attribute::CommonName,
        Attribute::SerialNumber,
        Attribute::MatterVid,
        Attribute::MatterPid,
    ];

    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Attribute::Country => "country",
            Attribute::State => "state",
            Attribute::Locality => "locality",
            Attribute::Organization => "organization",
            Attribute::OrganizationalUnit => "organizational_unit",
            Attribute::CommonName => "common_name",
            Attribute::SerialNumber => "serial_number",
            Attribute::MatterVid => "matter_vid",
            Attribute::MatterPid => "matter_pid",
        }
    }

    /// What people read.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Attribute::Country => "country",
            Attribute::State => "state",
            Attribute::Locality => "locality",
            Attribute::Organization => "organization",
            Attribute::OrganizationalUnit => "organizational unit",
            Attribute::CommonName => "common name",
            Attribute::SerialNumber => "serial number",
            Attribute::MatterVid => "Matter VID",
            Attribute::MatterPid => "Matter PID",
        }
    }

    /// `C`, `O`, `CN`: as in the text of a name.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Attribute::Country => "C",
            Attribute::State => "ST",
            Attribute::Locality => "L",
            Attribute::Organization => "O",
            Attribute::OrganizationalUnit => "OU",
            Attribute::CommonName => "CN",
            Attribute::SerialNumber => "serialNumber",
            Attribute::MatterVid => "VID",
            Attribute::MatterPid => "PID",
        }
    }

    #[must_use]
    pub const fn oid(self) -> ObjectIdentifier {
        match self {
            Attribute::Country => oids::COUNTRY,
            Attribute::State => oids::STATE,
            Attribute::Locality => oids::LOCALITY,
            Attribute::Organization => oids::ORGANIZATION,
            Attribute::OrganizationalUnit => oids::ORGANIZATIONAL_UNIT,
            Attribute::CommonName => oids::COMMON_NAME,
            Attribute::SerialNumber => oids::SERIAL_NUMBER,
            Attribute::MatterVid => oids::MATTER_VID,
            Attribute::MatterPid => oids::MATTER_PID,
        }
    }

    /// The attribute with this type, where it is one of ours.
    #[must_use]
    pub fn of_oid(oid: ObjectIdentifier) -> Option<Self> {
        Self::ALL.into_iter().find(|attribute| attribute.oid() == oid)
    }

    /// The string type it is written in: country and serial number have no choice (RFC 5280 appendix A).
    #[must_use]
    pub const fn tag(self) -> Tag {
        match self {
            Attribute::Country | Attribute::SerialNumber => Tag::PrintableString,
            _ => Tag::Utf8String,
        }
    }

    /// Upper bound of RFC 5280 appendix A, in characters.
    #[must_use]
    pub const fn most_chars(self) -> usize {
        match self {
            Attribute::Country => 2,
            Attribute::State | Attribute::Locality => 128,
            Attribute::MatterVid | Attribute::MatterPid => 4,
            _ => MOST_CHARS,
        }
    }

    /// Whether a rehearsal's mark is put before it.
    #[must_use]
    pub const fn is_marked(self) -> bool {
        matches!(self, Attribute::Organization | Attribute::CommonName)
    }
}

/// Whom a certificate is for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// ISO 3166, two capital letters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locality: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organizational_unit: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub common_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial_number: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matter_vid: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matter_pid: Option<String>,
}

impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, (attribute, value)) in self.values().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{}={value}", attribute.label())?;
        }
        Ok(())
    }
}

impl Subject {
    /// The name of an authority in its usual form.
    #[must_use]
    pub fn authority(country: Option<&str>, organization: &str, common_name: &str) -> Self {
        Self {
            country: country.map(str::to_owned),
            organization: Some(organization.to_owned()),
            common_name: Some(common_name.to_owned()),
            ..Self::default()
        }
    }

    #[must_use]
    pub fn get(&self, attribute: Attribute) -> Option<&str> {
        match attribute {
            Attribute::Country => self.country.as_deref(),
            Attribute::State => self.state.as_deref(),
            Attribute::Locality => self.locality.as_deref(),
            Attribute::Organization => self.organization.as_deref(),
            Attribute::OrganizationalUnit => self.organizational_unit.as_deref(),
            Attribute::CommonName => self.common_name.as_deref(),
            Attribute::SerialNumber => self.serial_number.as_deref(),
            Attribute::MatterVid => self.matter_vid.as_deref(),
            Attribute::MatterPid => self.matter_pid.as_deref(),
        }
    }

    pub fn set(&mut self, attribute: Attribute, value: Option<String>) {
        let slot = match attribute {
            Attribute::Country => &mut self.country,
            Attribute::State => &mut self.state,
            Attribute::Locality => &mut self.locality,
            Attribute::Organization => &mut self.organization,
            Attribute::OrganizationalUnit => &mut self.organizational_unit,
            Attribute::CommonName => &mut self.common_name,
            Attribute::SerialNumber => &mut self.serial_number,
            Attribute::MatterVid => &mut self.matter_vid,
            Attribute::MatterPid => &mut self.matter_pid,
        };
        *slot = value;
    }

    /// The attributes there are, in the order in which they are written.
    pub fn values(&self) -> impl Iterator<Item = (Attribute, &str)> {
        Attribute::ALL.into_iter().filter_map(|attribute| Some((attribute, self.get(attribute)?)))
    }

    /// Everything wrong with a subject as a script states it. The bound leaves room for the rehearsal's mark, so that
    /// whatever is checked can also be rehearsed.
    #[must_use]
    pub fn check(&self) -> Vec<String> {
        let mut problems = self.problems(REHEARSAL_MARK.len());
        for (attribute, value) in self.values().filter(|(attribute, _)| attribute.is_marked()) {
            if value.starts_with(REHEARSAL_MARK.trim_end()) {
                let field = attribute.title();
                problems.push(format!("{field}: expected one without the rehearsal's mark, which the tool puts there"));
            }
        }
        problems
    }

    /// `room`: characters to be kept free where a mark may come.
    fn problems(&self, room: usize) -> Vec<String> {
        let mut problems: Vec<String> = Vec::new();
        for (attribute, value) in self.values() {
            problems.extend(problems_of(attribute, value, room));
        }
        if self.values().next().is_none() {
            problems.push("subject: expected at least one attribute, found none".to_owned());
        }
        problems
    }

    /// The DER of the RDNSequence.
    ///
    /// # Errors
    /// Where a value is empty, too long, or holds characters that people cannot see.
    pub fn to_der(&self) -> Result<Vec<u8>, PkiError> {
        let problems = self.problems(0);
        if !problems.is_empty() {
            return Err(PkiError::Request { what: "subject", problems });
        }
        let names: Result<Vec<_>, der::Error> = self.values().map(relative_name).collect();
        names.and_then(|names| names.to_der()).map_err(PkiError::encoding("subject"))
    }

    /// Reads the DER of a name. Its order and its choice between UTF8String and PrintableString are not looked at: ours
    /// are written by [`Subject::to_der`], so compare with that where the octets matter.
    ///
    /// # Errors
    /// Where it is not a name, has an attribute that is none of ours or comes twice, or [`Subject::to_der`] would refuse it.
    pub fn from_der(octets: &[u8]) -> Result<Self, PkiError> {
        let refuse = |expected| PkiError::malformed("subject", expected);
        let name = Name::from_der(octets).map_err(|_| refuse("the DER of a name"))?;
        let mut subject = Self::default();
        let attributes = attributes(&name).ok_or(refuse("one UTF-8 value in each relative name"))?;
        for (oid, tag, value) in attributes {
            let attribute = Attribute::of_oid(oid).ok_or(refuse("attributes a subject of ours may have"))?;
            if !matches!(tag, Tag::Utf8String | Tag::PrintableString) {
                return Err(refuse("UTF8String or PrintableString"));
            }
            if subject.get(attribute).is_some() {
                return Err(refuse("each attribute once"));
            }
            subject.set(attribute, Some(value));
        }
        subject.to_der().map(|_| subject)
    }
}

fn problems_of(attribute: Attribute, value: &str, room: usize) -> Vec<String> {
    let mut problems = Vec::new();
    let field = attribute.title();
    let found = value.escape_default();
    let four_digits = || value.len() == 4 && value.bytes().all(|octet| b"0123456789ABCDEF".contains(&octet));
    match attribute {
        Attribute::Country if !(value.len() == 2 && value.bytes().all(|octet| octet.is_ascii_uppercase())) => {
            return vec![format!("country: expected two capital letters, found \"{found}\"")];
        }
        Attribute::MatterVid | Attribute::MatterPid if !four_digits() => {
            return vec![format!("{field}: expected four upper-case hexadecimal digits, found \"{found}\"")];
        }
        Attribute::SerialNumber if !value.bytes().all(is_printable) => {
            problems.push(format!("{field}: expected characters of a PrintableString, found \"{found}\""));
        }
        _ => {}
    }
    let most = attribute.most_chars() - if attribute.is_marked() { room } else { 0 };
    let count = value.chars().count();
    if count == 0 || count > most {
        problems.push(format!("{field}: expected 1 to {most} characters, found {count}"));
    }
    if let Some(character) = value.chars().find(|character| is_dangerous(*character)) {
        problems.push(format!("{field}: expected visible characters, found U+{:04X}", u32::from(character)));
    }
    if value.trim() != value || value.contains("  ") {
        problems.push(format!("{field}: expected single spaces between words only, found others"));
    }
    problems
}

/// The alphabet of a PrintableString (X.680 41.4).
pub(super) fn is_printable(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(&octet)
}

fn relative_name((attribute, value): (Attribute, &str)) -> Result<SetOfVec<AttributeTypeAndValue>, der::Error> {
    let value = Any::new(attribute.tag(), value.as_bytes())?;
    SetOfVec::try_from([AttributeTypeAndValue { oid: attribute.oid(), value }])
}

/// The subject as it is written in this realm: a rehearsal's organization and common name begin with the mark.
#[must_use]
pub fn marked(realm: Realm, subject: &Subject) -> Subject {
    let mut marked = subject.clone();
    if !realm.is_rehearsal() {
        return marked;
    }
    for attribute in Attribute::ALL.into_iter().filter(|attribute| attribute.is_marked()) {
        let value = subject.get(attribute).map(|value| match value.starts_with(REHEARSAL_MARK) {
            true => value.to_owned(),
            false => format!("{REHEARSAL_MARK}{value}"),
        });
        marked.set(attribute, value);
    }
    marked
}

/// What a certificate is made out to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubjectName {
    /// Written by us.
    Fields(Subject),
    /// Octet for octet the subject of another certificate of the same authority: cross-certificates.
    Copy(Vec<u8>),
}

impl SubjectName {
    /// The DER of the name.
    ///
    /// # Errors
    /// As [`Subject::to_der`].
    pub fn to_der(&self) -> Result<Vec<u8>, PkiError> {
        match self {
            SubjectName::Fields(subject) => subject.to_der(),
            SubjectName::Copy(octets) => {
                Name::from_der(octets).map_err(|_| PkiError::malformed("subject", "the DER of a name"))?;
                Ok(octets.clone())
            }
        }
    }
}

impl From<Subject> for SubjectName {
    fn from(subject: Subject) -> Self {
        SubjectName::Fields(subject)
    }
}

/// The attributes of a parsed name in their order: type, string type and value; one a relative name, or none at all.
pub(super) fn attributes(name: &Name) -> Option<Vec<(ObjectIdentifier, Tag, String)>> {
    name.iter_rdn()
        .map(|relative| match relative.iter().collect::<Vec<_>>().as_slice() {
            [one] => {
                let text = std::str::from_utf8(one.value.value()).ok()?;
                Some((one.oid, one.value.tag(), text.to_owned()))
            }
            _ => None,
        })
        .collect()
}

/// `C=SE, O=Example, CN=Root`, in the order it is encoded; separators inside a value are escaped as in RFC 4514.
pub(super) fn text(name: &Name) -> String {
    let relative_names = name.iter_rdn().map(|relative| {
        let values = relative.iter().map(|attribute| {
            let value = String::from_utf8_lossy(attribute.value.value()).into_owned();
            let mut escaped = String::with_capacity(value.len());
            for character in value.chars() {
                if ",+\"\\<>;=#".contains(character) {
                    escaped.push('\\');
                }
                escaped.push(character);
            }
            format!("{}={escaped}", label(attribute.oid))
        });
        values.collect::<Vec<_>>().join("+")
    });
    relative_names.collect::<Vec<_>>().join(", ")
}

fn label(oid: ObjectIdentifier) -> String {
    Attribute::of_oid(oid).map_or_else(|| oid.to_string(), |attribute| attribute.label().to_owned())
}
