//! Profiles: what certificates of a kind may look like. A profile is a TOML file that people approve by its digest; the
//! caller parses it with serde and asks [`Profile::check`] before it believes it.

use crate::keys::Algorithm;
use serde::{Deserialize, Serialize};

/// The profile for roots of device authorities that comes with the tool.
pub const ROOT_DEVICE: &str = include_str!("../../ceremony-scripts/profiles/root-device.toml");

/// Calendar years no certificate of ours outlives.
pub const MOST_YEARS: u16 = 25;
/// Days between the revocation lists of an authority whose subjects are authorities.
pub const MOST_CRL_DAYS: u32 = 366;
/// Characters of a profile's name.
const NAME_CHARS: usize = 64;
/// Subordinate levels below a root; deeper than this is a mistake.
const MOST_PATH_LEN: u8 = 8;

/// The rules for one kind of certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    pub name: String,
    pub kind: Kind,
    pub max_years: u16,
    pub algorithms: Vec<Algorithm>,
    pub key_usages: Vec<KeyUsage>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_len: Option<u8>,
    pub policies: Policies,
    pub crl: CrlProfile,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A self-signed authority.
    Root,
}

/// What the key may be used for; digitalSignature is missing on purpose: an offline root answers no OCSP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyUsage {
    KeyCertSign,
    CrlSign,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Policies {
    /// No certificatePolicies, in either realm.
    None,
    /// One policy under the arc for examples in a rehearsal, none in production.
    RehearsalMark,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CrlProfile {
    pub max_days: u32,
}

impl Profile {
    /// Everything wrong with the profile itself, in the order of its fields; empty where it may be used.
    #[must_use]
    pub fn check(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut expect = |holds: bool, problem: String| {
            if !holds {
                problems.push(problem);
            }
        };
        let plain = |octet: u8| octet.is_ascii_lowercase() || octet.is_ascii_digit() || octet == b'-';
        expect(
            !self.name.is_empty() && self.name.len() <= NAME_CHARS && self.name.bytes().all(plain),
            format!("name: expected 1 to {NAME_CHARS} of a-z, 0-9 and \"-\", found \"{}\"", self.name.escape_default()),
        );
        expect(
            (1..=MOST_YEARS).contains(&self.max_years),
            format!("max_years: expected 1 to {MOST_YEARS}, found {}", self.max_years),
        );
        expect(
            !self.algorithms.is_empty() && !has_repeats(&self.algorithms),
            "algorithms: expected at least one, each once, found otherwise".to_owned(),
        );
        expect(
            self.key_usages.len() == 2 && !has_repeats(&self.key_usages),
            "key_usages: expected key-cert-sign and crl-sign for a root, found otherwise".to_owned(),
        );
        let path_len = self.path_len.unwrap_or(0);
        expect(path_len <= MOST_PATH_LEN, format!("path_len: expected at most {MOST_PATH_LEN}, found {path_len}"));
        expect(
            (1..=MOST_CRL_DAYS).contains(&self.crl.max_days),
            format!("crl.max_days: expected 1 to {MOST_CRL_DAYS}, found {}", self.crl.max_days),
        );
        problems
    }
}

fn has_repeats<T: Ord + Clone>(values: &[T]) -> bool {
    let mut sorted = values.to_vec();
    sorted.sort();
    sorted.dedup();
    sorted.len() != values.len()
}
