//! The rules of one script for the names it certifies: which attributes, which values, which letters.

use super::names::{self, string_type};
use super::reading::NameAttribute;
use super::reason::Reason;
use super::text;
use crate::basics::limits;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the subject of a request may be. As it stands by default: any attribute that we know, each at most once, in ASCII.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SubjectPolicy {
    /// Attributes that must be there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub required: Vec<String>,
    /// Attributes that may be there too; where it is missing, any that we know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub optional: Option<Vec<String>>,
    /// Values that must be exactly these where the attribute is there.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub fixed: BTreeMap<String, String>,
    /// Patterns that values must fit: `*` is any text, `?` one character, `#` one digit.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub patterns: BTreeMap<String, String>,
    /// Scripts whose letters are allowed beside ASCII, by their Unicode names: "Latin", "Greek", "Han".
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scripts: Vec<String>,
}

impl SubjectPolicy {
    /// Everything wrong with the policy itself.
    #[must_use]
    pub fn check(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let named = self.required.iter().chain(self.optional.iter().flatten());
        for word in named.clone().chain(self.fixed.keys()).chain(self.patterns.keys()) {
            if names::of_word(word).is_none() {
                let known: Vec<&str> = names::KINDS.iter().map(|kind| kind.word).collect();
                problems.push(format!(
                    "subject: expected attributes of {}, found \"{}\"",
                    known.join(", "),
                    word.escape_default()
                ));
            }
        }
        let mut words: Vec<&String> = named.collect();
        words.sort();
        if words.windows(2).any(|pair| matches!(pair, [left, right] if left == right)) {
            problems.push("subject: expected each attribute once, found one twice".to_owned());
        }
        for name in &self.scripts {
            if !text::is_script(name) {
                problems.push(format!(
                    "subject.scripts: expected names of Unicode scripts, found \"{}\"",
                    name.escape_default()
                ));
            }
        }
        for (word, value) in self.fixed.iter().chain(&self.patterns) {
            let found = value.chars().count();
            if found == 0 || found > limits::NAME_CHARS {
                problems
                    .push(format!("subject, {word}: expected 1 to {} characters, found {found}", limits::NAME_CHARS));
            }
            if self.optional.is_some() && !self.is_named(word) {
                problems.push(format!(
                    "subject, {word}: expected it among required or optional, found a value for it only"
                ));
            }
        }
        problems
    }

    fn is_named(&self, word: &str) -> bool {
        self.required.iter().chain(self.optional.iter().flatten()).any(|named| named == word)
    }

    /// Everything wrong with a subject under this policy.
    pub(super) fn judge(&self, subject: &[NameAttribute], reasons: &mut Vec<Reason>) {
        if subject.is_empty() {
            reasons.push(Reason::new("subject-empty", "subject", "at least one attribute", "none"));
        }
        for required in &self.required {
            if !subject.iter().any(|attribute| attribute.word() == *required) {
                let what = format!("subject, {required}");
                reasons.push(Reason::new("subject-missing", what, "it to be there", "nothing"));
            }
        }
        for (index, attribute) in subject.iter().enumerate() {
            let word = attribute.word();
            if subject.iter().take(index).any(|earlier| earlier.oid == attribute.oid && word != "DC") {
                reasons.push(Reason::new("subject-twice", format!("subject, {word}"), "it once", "it again"));
            }
            self.judge_attribute(attribute, &word, reasons);
        }
    }

    fn judge_attribute(&self, attribute: &NameAttribute, word: &str, reasons: &mut Vec<Reason>) {
        let what = format!("subject, {word}");
        let mut refuse =
            |word, expected: String, found: &str| reasons.push(Reason::new(word, what.clone(), expected, found));
        let value = attribute.text.as_str();
        let Some(kind) = names::of_oid(attribute.oid) else {
            return refuse("subject-attribute", "an attribute that the rules know".to_owned(), value);
        };
        if self.optional.is_some() && !self.is_named(word) {
            refuse("subject-attribute", "only the attributes that the rules name".to_owned(), value);
        }
        if !kind.strings.contains(&attribute.tag) {
            let allowed: Vec<&str> = kind.strings.iter().map(|tag| string_type(*tag)).collect();
            refuse("subject-string-type", allowed.join(" or "), string_type(attribute.tag));
        }
        let length = value.chars().count();
        if length == 0 || length > kind.most {
            refuse("subject-length", format!("1 to {} characters", kind.most), &length.to_string());
        }
        if kind.word == "C" && !(value.len() == 2 && value.bytes().all(|octet| octet.is_ascii_uppercase())) {
            refuse("subject-country", "two capital letters".to_owned(), value);
        }
        let cut: String = value.chars().take(limits::NAME_CHARS).collect();
        for (word, expected, found) in text::findings(&cut, &self.scripts) {
            refuse(word, expected, &found);
        }
        if let Some(fixed) = self.fixed.get(word).filter(|fixed| *fixed != value) {
            refuse("subject-value", format!("\"{fixed}\""), value);
        }
        if let Some(pattern) = self.patterns.get(word).filter(|pattern| !fits(pattern, &cut)) {
            refuse("subject-pattern", format!("a text that fits \"{pattern}\""), value);
        }
    }
}

/// Whether a text fits a pattern, in time of the product of their lengths.
fn fits(pattern: &str, text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    // After each sign of the pattern: for each number of characters, whether so many can be consumed by what came before.
    let mut reached = vec![false; text.len() + 1];
    if let Some(first) = reached.first_mut() {
        *first = true;
    }
    for sign in pattern.chars() {
        let mut next = vec![false; text.len() + 1];
        let mut any = false;
        for (index, slot) in next.iter_mut().enumerate() {
            let here = reached.get(index).copied().unwrap_or(false);
            any |= here;
            let before = index.checked_sub(1).and_then(|before| Some((*reached.get(before)?, *text.get(before)?)));
            *slot = match sign {
                '*' => any,
                '?' => before.is_some_and(|(was, _)| was),
                '#' => before.is_some_and(|(was, character)| was && character.is_ascii_digit()),
                other => before.is_some_and(|(was, character)| was && character == other),
            };
        }
        reached = next;
    }
    reached.last().copied().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn patterns_fit_what_they_say_and_nothing_else() {
        for (pattern, text) in
            [("*", ""), ("a*b", "ab"), ("a*b", "axxb"), ("CA ##", "CA 07"), ("?x", "yx"), ("**a**", "a")]
        {
            assert!(fits(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in
            [("", "a"), ("a", ""), ("a*b", "abc"), ("CA ##", "CA 7"), ("?x", "x"), ("A", "a"), ("a*b*c", "acb")]
        {
            assert!(!fits(pattern, text), "{pattern} {text}");
        }
        assert!(!fits(&"*a".repeat(60), &"a".repeat(59)));
    }
}
