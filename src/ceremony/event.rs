//! What reaches the machine: people's answers and the outcomes of effects. Events are recorded whole in the transcript;
//! nothing in them is secret.

use crate::basics::{Digest, Instant};
use crate::ceremony::exception::Sheet;
use crate::factory::Account;
use crate::factory::issuance_log::LogFound;
use crate::factory::requests::Found;
use crate::transcript::Signer;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// When an event happened and what the record's head was just before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    pub time: Instant,
    pub head: Digest,
}

/// Which front end an answer came through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FrontEndWord {
    Screen,
    Plain,
    Auto,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub moment: Moment,
    pub what: What,
}

/// An event without its moment: the part that the record carries in `body.event`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case", deny_unknown_fields)]
pub enum What {
    /// The record has been opened.
    Opened {
        /// The twelve words of the governance folder where no earlier record known here pins it, else empty.
        governance_words: String,
        signers: Vec<Signer>,
    },
    Answered {
        front_end: FrontEndWord,
        simulated: bool,
        answer: Answer,
    },
    Done {
        outcome: Outcome,
    },
    /// An effect did not happen, and the device said so.
    Failed {
        reason: String,
        strongroom_gone: bool,
    },
    /// A new front end took over a record that another had left.
    Resumed {
        front_end: FrontEndWord,
        last_head: Digest,
    },
}

/// What a person answered. Secrets never: a typed share arrives as the strongroom's verdict on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Answer {
    Initials {
        initials: String,
    },
    Typed {
        text: String,
    },
    Chosen {
        key: String,
    },
    No,
    Dice {
        rolls: u32,
    },
    Share {
        verdict: ShareVerdict,
        /// Taken from the code on the card instead of typed.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        scanned: bool,
    },
    /// An object came in whole, as it was; nothing is said yet about whose it is. `crate::ceremony::object` checks that the parts agree.
    Object {
        /// A word of [`crate::transfer::envelope::Kind`].
        kind: String,
        /// The name in its envelope.
        name: String,
        via: Via,
        /// Of the whole envelope: what both sides read as words.
        digest: Digest,
        /// Of the content: what `sha256sum` says of the file.
        sha256: Digest,
        /// The content, hexadecimal: public, and replay needs it.
        octets: String,
    },
    SignOff {
        initials: String,
        agree: bool,
        remark: String,
    },
    Exception {
        sheet: Sheet,
    },
    Pause {
        why: String,
        staying: Vec<String>,
    },
    Abort {
        sheet: Sheet,
    },
    /// The front end is ending (Ctrl-C confirmed, SIGTERM, SIGHUP, terminal lost); the record can be resumed.
    Leave {
        why: String,
    },
}

impl Answer {
    /// Every text in the answer that a person typed freely, and that the record would keep.
    pub fn texts_mut(&mut self) -> Vec<&mut String> {
        match self {
            Answer::Initials { initials } => vec![initials],
            Answer::Typed { text } => vec![text],
            Answer::Chosen { key } => vec![key],
            Answer::SignOff { initials, remark, .. } => vec![initials, remark],
            Answer::Exception { sheet } | Answer::Abort { sheet } => {
                [&mut sheet.expected, &mut sheet.happened, &mut sheet.decided]
                    .into_iter()
                    .chain(&mut sheet.by)
                    .collect()
            }
            Answer::Pause { why, staying } => std::iter::once(why).chain(staying).collect(),
            // An object is no text a person typed: it was fetched as a public thing, and digests would no longer be its own.
            Answer::No | Answer::Dice { .. } | Answer::Share { .. } | Answer::Object { .. } | Answer::Leave { .. } => {
                Vec::new()
            }
        }
    }
}

/// What an object was taken in through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Via {
    Camera,
    /// A hand-held imager.
    Scanner,
    /// Pictures of codes in a folder.
    Pictures,
    /// A text file of frames.
    Frames,
    Video,
    /// A removable medium.
    Medium,
    /// A file of this machine.
    File,
    /// The simulated other side of a rehearsal.
    Simulated,
}

impl Via {
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Via::Camera => "camera",
            Via::Scanner => "hand-held scanner",
            Via::Pictures => "pictures of codes",
            Via::Frames => "a text file of frames",
            Via::Video => "a video",
            Via::Medium => "a removable medium",
            Via::File => "a file of this machine",
            Via::Simulated => "the simulated other side",
        }
    }
}

/// The strongroom's word on a typed share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "kebab-case", deny_unknown_fields)]
pub enum ShareVerdict {
    /// Equal to what was dealt; corrections that its custodian confirmed are counted by place, never by content.
    Proven {
        index: u8,
        corrected: Vec<String>,
    },
    Refused {
        fault: String,
        reason: String,
    },
}

/// A fact about the machine, compared with what a ceremony machine should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    pub name: String,
    pub expected: String,
    pub found: String,
    pub good: bool,
}

/// A file as written and read back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrittenFile {
    pub name: String,
    pub sha256: Digest,
    pub size: u64,
}

/// A medium somebody had mounted.
pub const MOUNTED_FOLDER: &str = "mounted folder";
/// A medium that was mounted for the writing, and unmounted after it.
pub const BLOCK_DEVICE: &str = "block device";
/// A folder of the machine, because the binding says so.
pub const PLAIN_FOLDER: &str = "plain folder";
/// A folder of a rehearsal.
pub const SIMULATED: &str = "simulated";

/// The medium that files were written to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrittenMedium {
    /// One of `mounted folder`, `block device`, `plain folder` (where the binding says so), `simulated`.
    pub place: String,
    /// 32 hexadecimal digits that name this medium for ever.
    pub id: String,
    pub label: String,
    /// The folder of this writing on the medium.
    pub export: String,
    /// SHA-256 of the manifest: over realm, medium and every name, size and content.
    pub manifest: Digest,
}

/// What came of an effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Outcome {
    Machine {
        findings: Vec<Finding>,
    },
    RunKey {
        public_key: String,
    },
    Strongroom {
        commitment: Digest,
        protections: BTreeMap<String, String>,
    },
    KeyMade {
        public_key: String,
        recipient: String,
        quorum_id: String,
        commitments: Vec<Digest>,
        sealed: WrittenFile,
    },
    ShareShown {
        form: String,
    },
    Consistent {
        subsets: u64,
    },
    Unlocked,
    Serial {
        serial: String,
        index: u32,
    },
    Signed {
        der: String,
    },
    /// The challenge lies in the artefacts; what its answer must be is committed to.
    Challenged {
        commitment: Digest,
        file: WrittenFile,
    },
    /// Nothing that was issued before and stands at this time is in the way of an order: so many records and logged certificates were looked at.
    DevicesLookedFor {
        at: Instant,
        records: u64,
    },
    /// Every request was judged, at this time; the artefacts name all that were refused, and the device keys that the chain has
    /// certified once these are.
    RequestsJudged {
        at: Instant,
        /// RFC 9162 root over the requests.
        root: Digest,
        found: Box<Found>,
        refusals: WrittenFile,
        device_keys: WrittenFile,
    },
    /// `manifest` is the text of the bundle's `manifest.json`.
    BundleIssued {
        manifest: String,
    },
    /// What was found; nothing where only numbers came.
    Accounted {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        account: Option<Box<Account>>,
    },
    /// Every certificate of an issuance log was judged, at this time.
    LogChecked {
        at: Instant,
        found: Box<LogFound>,
    },
    ArtifactWritten {
        file: WrittenFile,
    },
    MediumWritten {
        files: Vec<WrittenFile>,
        /// Absent in records from before media had ids.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        medium: Option<WrittenMedium>,
    },
    /// `digest` is that of the whole envelope: kind, realm, name and content.
    CodeShown {
        kind: String,
        name: String,
        size: u64,
        digest: Digest,
    },
    StrongroomEnded,
    SerialSeed {
        seed: Digest,
    },
}
