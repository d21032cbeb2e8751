//! Distinguished names: country, organization, common name, in that order, one value each. Never parsed from one string:
//! `C=..., O=...` as text is for reading only.
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
use der::{Encode, Tag, Tagged};
use serde::{Deserialize, Serialize};
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::name::Name;

/// Upper bounds of RFC 5280 appendix A for organization and common name, in characters.
pub const MOST_CHARS: usize = 64;
/// What every name of a rehearsal begins with, so that nobody can take it for one that counts.
pub const REHEARSAL_MARK: &str = "REHEARSAL ";

/// Whom a certificate is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// ISO 3166, two capital letters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    pub organization: String,
    pub common_name: String,
}

impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(country) = &self.country {
            write!(f, "C={country}, ")?;
        }
        write!(f, "O={}, CN={}", self.organization, self.common_name)
    }
}

impl Subject {
    /// Everything wrong with a subject as a script states it. The bound leaves room for the rehearsal's mark, so that
    /// whatever is checked can also be rehearsed.
    #[must_use]
    pub fn check(&self) -> Vec<String> {
        let mut problems = self.problems(MOST_CHARS - REHEARSAL_MARK.len());
        for (field, value) in [("organization", &self.organization), ("common name", &self.common_name)] {
            if value.starts_with(REHEARSAL_MARK.trim_end()) {
                problems.push(format!("{field}: expected one without the rehearsal's mark, which the tool puts there"));
            }
        }
        problems
    }

    fn problems(&self, most: usize) -> Vec<String> {
        let mut problems = Vec::new();
        if let Some(country) = &self.country
            && !(country.len() == 2 && country.bytes().all(|octet| octet.is_ascii_uppercase()))
        {
            problems.push(format!("country: expected two capital letters, found \"{}\"", country.escape_default()));
        }
        for (field, value) in [("organization", &self.organization), ("common name", &self.common_name)] {
            let found = value.chars().count();
            if found == 0 || found > most {
                problems.push(format!("{field}: expected 1 to {most} characters, found {found}"));
            }
            if let Some(character) = value.chars().find(|character| is_dangerous(*character)) {
                problems.push(format!("{field}: expected visible characters, found U+{:04X}", u32::from(character)));
            }
            if value.trim() != value || value.contains("  ") {
                problems.push(format!("{field}: expected single spaces between words only, found others"));
            }
        }
        problems
    }

    /// The DER of the RDNSequence.
    ///
    /// # Errors
    /// Where a value is empty, too long, or holds characters that people cannot see.
    pub fn to_der(&self) -> Result<Vec<u8>, PkiError> {
        let problems = self.problems(MOST_CHARS);
        if !problems.is_empty() {
            return Err(PkiError::Request { what: "subject", problems });
        }
        let country = self.country.as_ref().map(|value| (oids::COUNTRY, Tag::PrintableString, value));
        let rest = [
            (oids::ORGANIZATION, Tag::Utf8String, &self.organization),
            (oids::COMMON_NAME, Tag::Utf8String, &self.common_name),
        ];
        let names: Result<Vec<_>, der::Error> = country.into_iter().chain(rest).map(relative_name).collect();
        names.and_then(|names| names.to_der()).map_err(PkiError::encoding("subject"))
    }
}

fn relative_name(
    (oid, tag, value): (ObjectIdentifier, Tag, &String),
) -> Result<SetOfVec<AttributeTypeAndValue>, der::Error> {
    SetOfVec::try_from([AttributeTypeAndValue { oid, value: Any::new(tag, value.as_bytes())? }])
}

/// The subject as it is written in this realm: a rehearsal's organization and common name begin with the mark.
#[must_use]
pub fn marked(realm: Realm, subject: &Subject) -> Subject {
    let mark = |value: &String| match realm {
        Realm::Rehearsal if !value.starts_with(REHEARSAL_MARK) => format!("{REHEARSAL_MARK}{value}"),
        _ => value.clone(),
    };
    Subject {
        country: subject.country.clone(),
        organization: mark(&subject.organization),
        common_name: mark(&subject.common_name),
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
    match oid {
        oids::COUNTRY => "C".to_owned(),
        oids::ORGANIZATION => "O".to_owned(),
        oids::COMMON_NAME => "CN".to_owned(),
        other => other.to_string(),
    }
}
