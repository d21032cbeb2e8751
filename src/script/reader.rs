//! Reads one TOML table key by key, noting every problem and going on: wrong types, missing keys, unknown keys.

use crate::basics::Instant;
use crate::basics::limits;
use crate::basics::safe_text::is_dangerous;
use crate::script::problem::{Problems, nearest};
use crate::script::syntax::Located;
use crate::script::toml_1_0;
use std::collections::BTreeSet;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Parses a whole file; `None` where it is not TOML within our limits (said in `problems`).
pub fn document<'t>(text: &'t str, octets: usize, problems: &mut Problems) -> Option<Spanned<DeTable<'t>>> {
    if text.len() > octets {
        problems.add(
            0..0,
            format!("expected at most {octets} octets, found {}", text.len()),
            "split the ceremony or shorten its texts",
        );
        return None;
    }
    if let Some(at) = too_deep(text) {
        problems.add(
            at..at + 1,
            format!("expected tables and arrays nested at most {} deep", limits::NESTING),
            "a script never needs more",
        );
        return None;
    }
    if let Some(what) = toml_1_0::newer(text) {
        problems.add(0..0, format!("expected TOML 1.0, found {what}"), "other people's verifiers read TOML 1.0");
        return None;
    }
    match DeTable::parse(text) {
        Ok(table) => Some(table),
        Err(error) => {
            problems.add(error.span().unwrap_or(0..0), error.message().to_owned(), "the file must be TOML 1.0");
            None
        }
    }
}

/// Where brackets or dotted keys nest deeper than our limit; strings are not excluded, which only errs on the safe side
/// for texts made of brackets.
fn too_deep(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut offset = 0_usize;
    for line in text.split_inclusive('\n') {
        let key = line.split(['=', '"', '\'', '#']).next().unwrap_or_default();
        if key.matches('.').count() > limits::NESTING {
            return Some(offset);
        }
        for (i, octet) in line.bytes().enumerate() {
            match octet {
                b'[' | b'{' => depth += 1,
                b']' | b'}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth > limits::NESTING {
                return Some(offset + i);
            }
        }
        offset += line.len();
    }
    None
}

/// A table being read; `done` reports the keys nobody asked for.
pub struct Reader<'a, 't> {
    table: &'a DeTable<'t>,
    span: Range<usize>,
    what: String,
    asked: BTreeSet<String>,
}

impl<'a, 't> Reader<'a, 't> {
    #[must_use]
    pub fn new(table: &'a DeTable<'t>, span: Range<usize>, what: &str) -> Self {
        Self { table, span, what: what.to_owned(), asked: BTreeSet::new() }
    }

    #[must_use]
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    fn value(&mut self, key: &str) -> Option<&'a Spanned<DeValue<'t>>> {
        self.asked.insert(key.to_owned());
        self.table.get(key)
    }

    fn wrong(&self, key: &str, value: &Spanned<DeValue<'_>>, expected: &str, problems: &mut Problems) {
        let found = value.get_ref().type_str();
        problems.add(value.span(), format!("`{key}` of {}: expected {expected}, found {found}", self.what), "");
    }

    /// What people read on screens, pages and in the record holds nothing that they could not see.
    fn visible(&self, key: &str, text: &str, span: Range<usize>, problems: &mut Problems) {
        if let Some(hidden) = text.chars().find(|character| is_dangerous(*character)) {
            problems.add(
                span,
                format!("`{key}` of {}: expected visible characters, found U+{:04X}", self.what, u32::from(hidden)),
                "leave out line breaks, control characters and characters without a width",
            );
        }
    }

    fn missing(&self, key: &str, expected: &str, problems: &mut Problems) {
        problems.add(self.span.clone(), format!("{} needs `{key}`", self.what), format!("add `{key} = {expected}`"));
    }

    /// Optional text of at most `limits::TYPED_CHARS * 10` characters.
    pub fn text(&mut self, key: &str, problems: &mut Problems) -> Option<Located<String>> {
        let value = self.value(key)?;
        match value.get_ref().as_str() {
            Some(text) if text.chars().count() <= limits::TYPED_CHARS * 10 => {
                self.visible(key, text, value.span(), problems);
                Some(Located::new(text.to_owned(), value.span()))
            }
            Some(_) => {
                problems.add(value.span(), format!("`{key}` of {}: text too long", self.what), "");
                None
            }
            None => {
                self.wrong(key, value, "text in quotes", problems);
                None
            }
        }
    }

    /// `true` or `false`; missing is `false`.
    pub fn flag(&mut self, key: &str, problems: &mut Problems) -> bool {
        let Some(value) = self.value(key) else { return false };
        value.get_ref().as_bool().unwrap_or_else(|| {
            self.wrong(key, value, "true or false", problems);
            false
        })
    }

    /// Whether the table has this key.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Text that must be there; an empty stand-in after the problem is noted.
    pub fn needed_text(&mut self, key: &str, problems: &mut Problems) -> Located<String> {
        if !self.table.contains_key(key) {
            self.missing(key, "\"...\"", problems);
        }
        self.text(key, problems).unwrap_or_else(|| Located::new(String::new(), self.span.clone()))
    }

    /// A name: lower-case letters, digits and hyphens, as it appears in file names and in the record.
    pub fn needed_name(&mut self, key: &str, problems: &mut Problems) -> Located<String> {
        let name = self.needed_text(key, problems);
        let good = name.value.len() <= 64
            && name.value.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
            && name.value.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if !good && self.table.contains_key(key) {
            problems.add(
                name.span.clone(),
                format!(
                    "`{key}` of {}: expected a name of lower-case letters, digits and hyphens, at most 64",
                    self.what
                ),
                "names appear in file names and in the record; put the long form into `title` or `name`",
            );
        }
        name
    }

    pub fn integer(&mut self, key: &str, least: u64, most: u64, problems: &mut Problems) -> Option<Located<u64>> {
        let value = self.value(key)?;
        let parsed = value
            .get_ref()
            .as_integer()
            .and_then(|i| u64::from_str_radix(&i.as_str().replace('_', ""), i.radix()).ok());
        match parsed {
            Some(number) if (least..=most).contains(&number) => Some(Located::new(number, value.span())),
            Some(number) => {
                problems.add(
                    value.span(),
                    format!("`{key}` of {}: expected {least} to {most}, found {number}", self.what),
                    "",
                );
                None
            }
            None => {
                self.wrong(key, value, &format!("a whole number from {least} to {most}"), problems);
                None
            }
        }
    }

    pub fn needed_integer(&mut self, key: &str, least: u64, most: u64, problems: &mut Problems) -> Located<u64> {
        if !self.table.contains_key(key) {
            self.missing(key, &least.to_string(), problems);
        }
        self.integer(key, least, most, problems).unwrap_or_else(|| Located::new(least, self.span.clone()))
    }

    /// An absolute instant written as text, `2026-11-22T00:00:00Z`.
    pub fn needed_instant(&mut self, key: &str, problems: &mut Problems) -> Located<Instant> {
        let text = self.needed_text(key, problems);
        match Instant::parse(&text.value) {
            Some(instant) => Located::new(instant, text.span),
            None => {
                if self.table.contains_key(key) {
                    problems.add(
                        text.span.clone(),
                        format!("`{key}` of {}: expected a date like 2026-11-22T00:00:00Z", self.what),
                        "dates are absolute, UTC, in quotes",
                    );
                }
                Located::new(Instant(0), text.span)
            }
        }
    }

    /// An instant that may be left out.
    pub fn instant(&mut self, key: &str, problems: &mut Problems) -> Option<Located<Instant>> {
        self.has(key).then(|| self.needed_instant(key, problems))
    }

    /// A list of texts; missing is the empty list.
    pub fn texts(&mut self, key: &str, problems: &mut Problems) -> Vec<Located<String>> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let Some(array) = value.get_ref().as_array() else {
            self.wrong(key, value, "a list of texts", problems);
            return Vec::new();
        };
        let mut texts = Vec::new();
        for item in array.iter() {
            match item.get_ref().as_str() {
                Some(text) => {
                    self.visible(key, text, item.span(), problems);
                    texts.push(Located::new(text.to_owned(), item.span()));
                }
                None => self.wrong(key, item, "text in quotes", problems),
            }
        }
        texts
    }

    /// One inner table, read with its own reader.
    pub fn table(&mut self, key: &str, what: &str, problems: &mut Problems) -> Option<Reader<'a, 't>> {
        let value = self.value(key)?;
        match value.get_ref().as_table() {
            Some(table) => Some(Reader::new(table, value.span(), what)),
            None => {
                self.wrong(key, value, "a table", problems);
                None
            }
        }
    }

    /// One inner table as a value of its own type; missing is the default.
    pub fn value_of<T: serde::de::DeserializeOwned + Default>(&mut self, key: &str, problems: &mut Problems) -> T {
        let Some(value) = self.value(key) else { return T::default() };
        let deserializer = toml::de::ValueDeserializer::from(value.clone());
        T::deserialize(deserializer).unwrap_or_else(|error| {
            let at = error.span().filter(|span| !span.is_empty()).unwrap_or_else(|| value.span());
            problems.add(at, format!("`{key}` of {}: {}", self.what, error.message()), "");
            T::default()
        })
    }

    /// A list of tables (`[[key]]`), each with its own reader; at most `most`.
    pub fn tables(&mut self, key: &str, most: usize, problems: &mut Problems) -> Vec<Reader<'a, 't>> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let Some(array) = value.get_ref().as_array() else {
            self.wrong(key, value, &format!("a list of tables, `[[{key}]]`"), problems);
            return Vec::new();
        };
        if array.len() > most {
            problems.add(value.span(), format!("expected at most {most} `{key}`, found {}", array.len()), "");
        }
        let mut readers = Vec::new();
        for item in array.iter().take(most) {
            match item.get_ref().as_table() {
                Some(table) => readers.push(Reader::new(table, item.span(), &format!("this `{key}`"))),
                None => self.wrong(key, item, "a table", problems),
            }
        }
        readers
    }

    /// Keys present that nobody has asked for yet.
    #[must_use]
    pub fn rest(&self) -> Vec<String> {
        self.table.keys().map(|key| key.get_ref().to_string()).filter(|key| !self.asked.contains(key)).collect()
    }

    /// Reports every key that nobody asked for.
    pub fn done(self, problems: &mut Problems) {
        for key in self.table.keys() {
            let name = key.get_ref().as_ref();
            if !self.asked.contains(name) {
                let hint = nearest(name, self.asked.iter().map(String::as_str)).map_or_else(
                    || format!("known keys here: {}", self.asked.iter().cloned().collect::<Vec<_>>().join(", ")),
                    |near| format!("did you mean `{near}`?"),
                );
                problems.add(
                    key.span(),
                    format!("{} has no key `{}`", self.what, crate::basics::SafeText::cut(name, 60)),
                    hint,
                );
            }
        }
    }
}
