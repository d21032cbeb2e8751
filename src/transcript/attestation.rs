//! What each participant signs with their own key, on their own device: that they were present at exactly this record.

use crate::basics::{Digest, Realm};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub const FORMAT: &str = "anchorite-attestation/1";

/// The sentence everybody signs; the remark says where they differ.
pub const STATEMENT: &str =
    "I was present at this ceremony. The script was followed except as the exceptions in the record say.";

/// One participant's attestation; signed as the octets of its canonical JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attestation {
    pub agree: bool,
    pub artifacts: BTreeMap<String, Digest>,
    pub ceremony: String,
    pub entries: u32,
    pub exceptions: u32,
    pub format: String,
    pub head: Digest,
    pub plan_digest: Digest,
    pub realm: Realm,
    pub remark: String,
    pub run_keys: Vec<String>,
    pub script_digest: Digest,
    pub statement: String,
    pub who: String,
}

impl Attestation {
    /// File name in the evidence folder.
    #[must_use]
    pub fn file_name(who: &str) -> String {
        format!("attestation.{who}.json")
    }
}
