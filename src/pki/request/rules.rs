//! What one script accepts of requests. Read from TOML or as part of a plan; checked before it is believed.

use super::subject_policy::SubjectPolicy;
use crate::basics::Digest;
use crate::basics::limits;
use crate::keys::Algorithm;
use crate::keys::subject::RSA_BITS;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

use super::published_keys::KeyList;

/// What happens where a request asks for something that it does not get in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Asked {
    /// It is shown, and nothing else.
    #[default]
    Ignored,
    /// The request is refused.
    Refused,
}

/// Which exponents of RSA keys are accepted. Smaller ones than 65537, and those over 32 bits, never are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Exponents {
    /// 65537.
    #[default]
    Usual,
    /// Odd numbers from 65537 to 2^32.
    AtLeastUsual,
}

/// The rules for requests of one step or profile.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rules {
    /// Words of keys: `ecdsa-p256`, `rsa-3072`; `rsa` is any size that we certify. Empty: every kind of key.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<String>,
    pub exponents: Exponents,
    /// Extensions that only an authority has any use for: CA true, keyCertSign, name constraints.
    pub powers: Asked,
    /// Any other extension.
    pub extensions: Asked,
    /// Attributes other than extensionRequest.
    pub attributes: Asked,
    pub subject: SubjectPolicy,
}

impl Rules {
    /// Reads rules from a TOML file; an empty one is the default.
    ///
    /// # Errors
    /// Everything wrong with them.
    pub fn from_toml(text: &str) -> Result<Self, Vec<String>> {
        if text.len() > limits::SMALL_FILE_OCTETS {
            return Err(vec![format!(
                "rules: expected at most {} octets, found {}",
                limits::SMALL_FILE_OCTETS,
                text.len()
            )]);
        }
        let rules: Self = toml::from_str(text).map_err(|error| vec![format!("rules: {}", error.to_string().trim())])?;
        let problems = rules.check();
        if problems.is_empty() { Ok(rules) } else { Err(problems) }
    }

    /// Everything wrong with the rules themselves.
    #[must_use]
    pub fn check(&self) -> Vec<String> {
        let is_kind = |word: &String| {
            let bits = word.strip_prefix("rsa-").and_then(|bits| bits.parse::<usize>().ok());
            Algorithm::from_word(word).is_some()
                || matches!(word.as_str(), "rsa" | "ecdsa-p521")
                || bits.is_some_and(|bits| RSA_BITS.contains(&bits) && word == &format!("rsa-{bits}"))
        };
        let mut problems: Vec<String> = self
            .keys
            .iter()
            .filter(|word| !is_kind(word))
            .map(|word| {
                format!("keys: expected words such as ecdsa-p256, rsa or rsa-3072, found \"{}\"", word.escape_default())
            })
            .collect();
        problems.extend(self.subject.check());
        problems
    }

    pub(super) fn allows_key(&self, word: &str) -> bool {
        self.keys.is_empty() || self.keys.iter().any(|kind| kind == word || (kind == "rsa" && word.starts_with("rsa-")))
    }
}

/// What the judge is told beside the rules: it asks nobody.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// SHA-256 of the SubjectPublicKeyInfo of every key certified before.
    pub certified: BTreeSet<Digest>,
    /// SHA-256 of the request's DER, from an order or from people.
    pub expected_request: Option<Digest>,
    /// SHA-256 of the SubjectPublicKeyInfo, from an order.
    pub expected_key: Option<Digest>,
    /// Lists of published keys beside the one that comes with the tool.
    pub lists: Vec<KeyList>,
}
