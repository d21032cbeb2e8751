//! What the machine asks the outside world to do. Data only; `runner::perform` holds the one match on it. Each is written
//! to the record as an intent before it is performed.

mod building;
mod operation;

pub use building::{certificate_request, crl_request, operation_digest, parse_certificate, root_request, to_be_signed};
pub use operation::{BundleRevocation, Certified, Operation, Revocation, certificate_title};

use crate::basics::Digest;
use crate::factory::{BundleId, Mode};
use crate::keys::Algorithm;
use crate::keys::recipient::RecipientKind;
use serde::{Deserialize, Serialize};

/// One side effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "effect", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Effect {
    ProbeMachine,
    /// A new key that signs this run's checkpoints from here on.
    MakeRunKey {
        run: u32,
    },
    /// Starts the process that will hold secrets; `session` counts from 1.
    OpenStrongroom {
        session: u32,
    },
    /// The authority's key and its quorum's identity are made, the key sealed, the identity split, every k-subset checked.
    MakeKey {
        authority: String,
        algorithm: Algorithm,
        quorum: String,
        /// Left out where it is the classical one.
        #[serde(default, skip_serializing_if = "RecipientKind::is_left_out")]
        recipient: RecipientKind,
        generation: u8,
        threshold: u8,
        count: u8,
        step: String,
        operations: Vec<String>,
        /// The recipient of a live quorum: then only the key is made, and sealed to it.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        sealed_to: String,
    },
    /// One custodian sees one share, once.
    ShowShare {
        quorum: String,
        generation: u8,
        index: u8,
        count: u8,
        holder: String,
    },
    /// A strongroom that never held the secret rebuilds the polynomial from the shares as typed back.
    CheckConsistency {
        quorum: String,
        threshold: u8,
        recipient: String,
    },
    /// Opens the sealed key of one authority with the shares typed in, for the operations listed.
    Unlock {
        authority: String,
        quorum: String,
        sealed: Digest,
        public_key: String,
        operations: Vec<String>,
        /// Where the operations are complete before the key is opened: their digests, and nothing else is signed.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        digests: Vec<Digest>,
    },
    /// The serial number is durable before anything carries it.
    ReserveSerial {
        authority: String,
        index: u32,
    },
    Sign {
        operation: Box<Operation>,
        digest: Digest,
    },
    /// A nonce that nobody knows is sealed to a factory's recipient and written as an artefact.
    Challenge {
        factory: String,
        recipient: String,
        /// SHA-256 of the signed enrolment request.
        request: Digest,
        step: String,
        /// Name of the artefact.
        file: String,
    },
    /// The devices of an order that came in are held against everything that was issued before.
    LookForDevices {
        /// Name of the order, and SHA-256 of its file.
        order: String,
        sha256: Digest,
        /// What was issued before, in order; SHA-256 of the logs of factories' own authorities.
        bundles: Vec<BundleId>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        logs: Vec<Digest>,
    },
    /// The file of a statement is found, copied, and its requests are judged one by one.
    JudgeRequests {
        /// What the script calls them.
        requests: String,
        /// Name of the order.
        order: String,
        /// The file: octets and SHA-256, as the statement says.
        size: u64,
        sha256: Digest,
        shard_records: u32,
        /// SHA-256 of the list of device keys that the chain has certified, where there are any.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        device_keys: Option<Digest>,
    },
    /// The strongroom makes the batch, and the bundle is written beside the evidence and checked.
    IssueBundle {
        operation: Box<Operation>,
        digest: Digest,
    },
    /// Every outcome of a receipt is held against what was issued (`factory/account.rs`).
    Account {
        /// Name of the receipt that came in.
        receipt: String,
        bundle: BundleId,
        mode: Mode,
        /// The manifest's.
        nonce: Digest,
        records_root: Digest,
        count: u32,
        /// Policy of certificates whose key the maker of the device attests.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        attested: Option<String>,
    },
    /// The file of an issuance log is found, kept, and judged beside those before it (`factory/issuance_log.rs`).
    CheckLog {
        /// Name of the statement that came in, and of the order.
        log: String,
        order: String,
        /// Name of the authority's certificate.
        authority: String,
        /// Profile of what is in it.
        profile: String,
        /// The file: octets and SHA-256, as the statement says.
        size: u64,
        sha256: Digest,
        /// SHA-256 of the files before it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        earlier: Vec<Digest>,
        /// Names of certificates that came in and were met elsewhere.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        seen: Vec<String>,
        /// What else was issued and may hold its devices: bundles, and SHA-256 of other authorities' logs.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        bundles: Vec<BundleId>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        logs: Vec<Digest>,
    },
    /// Writes once into the evidence folder.
    WriteArtifact {
        name: String,
        content: String,
    },
    /// Writes files of the evidence and the vault to a removable medium and reads them back.
    /// Shown as codes until somebody leaves the screen; `kind` is a word of [`crate::transfer::envelope::Kind`].
    ShowCode {
        kind: String,
        name: String,
    },
    WriteMedium {
        medium: String,
        artifacts: Vec<String>,
        sealed: Vec<String>,
        /// Bundles of this ceremony, by name: each as one tar file.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        bundles: Vec<BundleId>,
    },
    EndStrongroom,
    RevealSerialSeed,
}

impl Effect {
    /// What is being done, as people read it.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Effect::ProbeMachine => "look at the machine".to_owned(),
            Effect::MakeRunKey { .. } => "make the key that signs this run's checkpoints".to_owned(),
            Effect::OpenStrongroom { .. } => "start the strongroom".to_owned(),
            Effect::MakeKey { authority, quorum, sealed_to, .. } if !sealed_to.is_empty() => {
                format!("make the key of {authority} and seal it to quorum {quorum}")
            }
            Effect::MakeKey { authority, quorum, .. } => {
                format!("make the key of {authority} and the identity of quorum {quorum}")
            }
            Effect::ShowShare { index, count, quorum, .. } => {
                format!("show share {index} of {count} of quorum {quorum}")
            }
            Effect::CheckConsistency { quorum, .. } => {
                format!("check the shares of quorum {quorum} against each other")
            }
            Effect::Unlock { authority, .. } => format!("unlock the key of {authority}"),
            Effect::ReserveSerial { authority, .. } => format!("reserve a serial number for {authority}"),
            Effect::Sign { operation, .. } => format!("sign {}", operation.title()),
            Effect::Challenge { factory, .. } => format!("seal a challenge to factory {factory}"),
            Effect::LookForDevices { order, bundles, logs, .. } => {
                let logs = if logs.is_empty() { String::new() } else { format!(" and the {} logs", logs.len()) };
                format!("look for the devices of order {order} in the {} bundles{logs} that were issued", bundles.len())
            }
            Effect::JudgeRequests { requests, .. } => format!("judge the requests {requests}"),
            Effect::IssueBundle { operation, .. } => format!("issue {}", operation.shown()),
            Effect::Account { receipt, .. } => format!("hold receipt {receipt} against what was issued"),
            Effect::CheckLog { log, .. } => format!("check log {log}"),
            Effect::WriteArtifact { name, .. } => format!("write {name}"),
            Effect::WriteMedium { medium, .. } => format!("write medium {medium}"),
            Effect::ShowCode { name, .. } => format!("show {name} as codes"),
            Effect::EndStrongroom => "end the strongroom".to_owned(),
            Effect::RevealSerialSeed => "reveal the seed of the serial numbers".to_owned(),
        }
    }
}
