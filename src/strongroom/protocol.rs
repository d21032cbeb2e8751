//! Typed, framed messages over two pipes. A frame is a JSON part that never holds a secret, and a secret part that is never
//! parsed as anything:
//!
//! ```text
//! 00 00 00 1b {"request":"dice","least":50} 00 00 00 32 "3142..."
//! ```

use crate::basics::{Digest, Realm, Secret, limits};
use crate::ceremony::Operation;
use crate::custody::quorum::QuorumRecord;
use crate::factory::{BatchTerms, Listed};
use crate::keys::Algorithm;
use crate::keys::recipient::RecipientKind;
use crate::pki::profile::Profile;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use zeroize::Zeroizing;

/// What a strongroom is asked. A secret that goes with it travels beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Request {
    /// Always first.
    Open {
        realm: Realm,
        ceremony: String,
        plan_digest: Digest,
        profiles: BTreeMap<String, Profile>,
        seed: Option<u64>,
    },
    /// Secret: the rolls as typed.
    Dice,
    MakeRunKey {
        run: u32,
    },
    /// Signs a tlog-checkpoint body of this realm and ceremony with the run key; refuses everything else.
    SignCheckpoint {
        body: String,
    },
    MakeKey {
        authority: String,
        algorithm: Algorithm,
        quorum: String,
        recipient: RecipientKind,
        generation: u8,
        threshold: u8,
        count: u8,
        step: String,
        operations: Vec<String>,
        /// A live quorum's recipient, or empty: then a quorum is made too.
        sealed_to: String,
    },
    /// Answered with a secret: the share's text.
    Reveal {
        quorum: String,
        index: u8,
    },
    /// Secret: a share as typed. `index` 0 takes any share of the quorum.
    TypedShare {
        record: QuorumRecord,
        index: u8,
        already: Vec<u8>,
    },
    /// The custodian's card agrees with the corrections shown.
    AcceptCorrections,
    /// About the shares of one quorum, whatever else was typed.
    Consistent {
        quorum_id: String,
        threshold: u8,
        recipient: String,
    },
    Unlock {
        authority: String,
        /// Whose shares count; any of another quorum are let go.
        quorum_id: String,
        sealed: String,
        sealed_digest: Digest,
        recipient: String,
        public_key: String,
        operations: Vec<String>,
        digests: Vec<Digest>,
    },
    Sign {
        operation: Box<Operation>,
        digest: Digest,
    },
    /// Opens an authority whose list names this batch, for this batch only.
    OpenBatch {
        authority: String,
        /// Hexadecimal DER of the issuing certificate.
        issuer: String,
        terms: Box<BatchTerms>,
        /// As it was approved.
        digest: Digest,
    },
    /// Seals a fresh nonce to a factory's recipient.
    Challenge {
        recipient: String,
        /// SHA-256 of the enrolment request.
        enrolment: Digest,
        factory: String,
    },
    /// Makes the next `count` shards. Each is an answer of its own, in order; where one fails the refusal takes its place, and none
    /// follows. `devices` are those of the one shard asked for, where the order lists them. Beside it, where devices made their keys: the
    /// accepted requests of the one shard asked for.
    IssueShards {
        first: u32,
        count: u32,
        devices: Vec<Listed>,
    },
    End,
}

/// What a strongroom answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "response", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Response {
    Opened {
        commitment: Digest,
        protections: BTreeMap<String, String>,
    },
    Dice {
        rolls: u32,
    },
    RunKey {
        public_key: String,
    },
    CheckpointSigned {
        armoured: String,
    },
    KeyMade {
        public_key: String,
        recipient: String,
        quorum_id: String,
        commitments: Vec<Digest>,
        sealed: String,
    },
    /// With a secret: the text.
    Share,
    Proven {
        index: u8,
        corrected: Vec<String>,
    },
    /// With a secret: one line a correction.
    Corrections,
    ShareRefused {
        fault: String,
        reason: String,
    },
    Consistent {
        subsets: u64,
    },
    Unlocked,
    Signed {
        der: String,
    },
    /// Beside it: the sealed challenge.
    Challenged {
        commitment: Digest,
    },
    BatchOpened {
        shards: u32,
    },
    /// Beside it: the record digests, 32 octets each, then how many octets of its records are public (four octets, big endian), these,
    /// and the sealed shard.
    ShardIssued {
        shard: u32,
    },
    Ended,
    Refused {
        reason: String,
    },
}

/// Why a frame could not be exchanged.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    #[error("the strongroom ended")]
    Ended,
    #[error("expected a frame of at most {limit} octets, found {found}")]
    TooLong { limit: usize, found: usize },
    #[error("expected a message of the strongroom protocol: {0}")]
    Malformed(String),
    #[error("pipe to the strongroom: {0}")]
    Pipe(#[from] std::io::Error),
}

/// Writes one frame; the parts go one after the other, as one.
///
/// # Errors
/// Where the message is too long or the pipe is closed.
pub fn write<T: Serialize>(pipe: &mut impl Write, message: &T, parts: &[Secret]) -> Result<(), FrameError> {
    let json = serde_json::to_vec(message).map_err(|e| FrameError::Malformed(e.to_string()))?;
    write_parts(pipe, &[&json], limits::STRONGROOM_FRAME_OCTETS)?;
    let parts: Vec<&[u8]> = parts.iter().map(Secret::expose).collect();
    write_parts(pipe, &parts, limits::STRONGROOM_CONTENT_OCTETS)?;
    pipe.flush()?;
    Ok(())
}

fn write_parts(pipe: &mut impl Write, parts: &[&[u8]], limit: usize) -> Result<(), FrameError> {
    let found = parts.iter().map(|part| part.len()).sum();
    let too_long = || FrameError::TooLong { limit, found };
    if found > limit {
        return Err(too_long());
    }
    let length = u32::try_from(found).map_err(|_| too_long())?;
    pipe.write_all(&length.to_be_bytes())?;
    parts.iter().try_for_each(|part| pipe.write_all(part))?;
    Ok(())
}

/// Asks the kernel to hold a whole mebibyte of this pipe: a shard then crosses in a few turns. It goes on with what it had where it may
/// not.
pub(super) fn widen(pipe: impl std::os::fd::AsFd) {
    let _ = rustix::pipe::fcntl_setpipe_size(pipe, 1024 * 1024);
}

/// Reads one frame.
///
/// # Errors
/// Where the pipe ends, or the frame is too long or not a message.
pub fn read<T: DeserializeOwned>(pipe: &mut impl Read) -> Result<(T, Option<Secret>), FrameError> {
    let json = read_part(pipe, limits::STRONGROOM_FRAME_OCTETS)?;
    let message = serde_json::from_slice(&json).map_err(|e| FrameError::Malformed(e.to_string()))?;
    let mut octets = read_part(pipe, limits::STRONGROOM_CONTENT_OCTETS)?;
    let secret = (!octets.is_empty()).then(|| Secret::take(std::mem::take(&mut *octets)));
    Ok((message, secret))
}

fn read_part(pipe: &mut impl Read, limit: usize) -> Result<Zeroizing<Vec<u8>>, FrameError> {
    let mut length = [0; 4];
    pipe.read_exact(&mut length).map_err(ended)?;
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if length > limit {
        return Err(FrameError::TooLong { limit, found: length });
    }
    // Not `read_to_end`: it reads what is shorter than 32 octets through a buffer of its own, which nobody wipes.
    let mut octets = Zeroizing::new(vec![0; length]);
    pipe.read_exact(&mut octets).map_err(ended)?;
    Ok(octets)
}

fn ended(error: std::io::Error) -> FrameError {
    if error.kind() == std::io::ErrorKind::UnexpectedEof { FrameError::Ended } else { FrameError::Pipe(error) }
}
