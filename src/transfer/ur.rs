//! UR (`ur:bytes`, BCR-2020-005), for programs that speak it: written and read, one part and many. Between two of us frames are
//! better: they are denser, need fewer, and their end is checked by more than a CRC-32.
//!
//! A message is one CBOR byte string, as the registry has it for `bytes`. Reading bounds every number first
//! (`ur/part.rs`), solves by elimination (`ur/elimination.rs`) and leaves lies out (`ur/solving.rs`). A message with a good CRC-32 may still be anybody's: what
//! comes out is octets, and people compare the words of their digest.

mod bytewords;
mod elimination;
mod mixing;
mod part;
mod solving;

use crate::basics::{SafeText, limits};
use crate::transfer::matrix::{self, Level};
use mixing::Mixer;
use part::{Message, Part};
use solving::{Solved, Solving};
use std::collections::VecDeque;

/// Why a text is no part of a UR, or octets become none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrError {
    #[error("UR: expected at most 4296 characters, found {0}")]
    Long(usize),
    #[error("UR: expected it to open with ur:bytes/, found {0}")]
    Foreign(SafeText),
    #[error("UR: expected two numbers from 1 such as 3-12, the same as inside the part")]
    Numbers,
    #[error("UR: expected at most 8192 fragments, found {0}")]
    Count(u32),
    #[error("UR: expected bytewords with a good checksum")]
    Letters,
    #[error("UR: expected a CBOR array of four numbers and one byte string, in its shortest form")]
    Cbor,
    #[error(
        "UR: expected 1 to 4194309 octets that are as many fragments as it says, found {octets} octets in {count} fragments of {fragment}"
    )]
    Size { count: u32, octets: usize, fragment: usize },
    #[error("UR: expected a message that is one CBOR byte string")]
    Message,
    #[error("UR: too many parts contradict the checksum they name or each other; it starts again from nothing")]
    Restarted,
}

/// An endless row of parts of one message.
pub struct UrSender {
    message: Message,
    mixer: Mixer,
    padded: Vec<u8>,
}

impl UrSender {
    /// Parts of at most `most` octets of these.
    ///
    /// # Errors
    /// Where there are none, too many, or they are too many parts.
    pub fn new(octets: &[u8], most: usize) -> Result<Self, UrError> {
        let mut padded = wrapped(octets);
        let length = padded.len();
        // The paper's division: as few fragments as fit, then all of one size.
        let fragment_octets = length.div_ceil(length.div_ceil(most.max(1)));
        let count = length.div_ceil(fragment_octets);
        let size = UrError::Size {
            count: u32::try_from(count).unwrap_or(u32::MAX),
            octets: length,
            fragment: fragment_octets,
        };
        let Ok(fragments) = u16::try_from(count) else { return Err(size) };
        if octets.is_empty() || length > limits::UR_MESSAGE_OCTETS || count > limits::UR_FRAGMENTS {
            return Err(size);
        }
        let checksum = bytewords::crc32(&padded);
        padded.resize(count * fragment_octets, 0);
        let message = Message { count: fragments, octets: length, checksum, fragment_octets };
        Ok(Self { message, mixer: Mixer::new(fragments, checksum), padded })
    }

    /// The text of part `n`, counted from 0; the first ones are the fragments in order.
    #[must_use]
    pub fn part(&self, n: u32) -> String {
        let number = n.saturating_add(1);
        let mut sum = vec![0; self.message.fragment_octets];
        for fragment in self.mixer.fragments_of(number) {
            let fragment = self.padded.chunks_exact(self.message.fragment_octets).nth(usize::from(fragment));
            sum.iter_mut().zip(fragment.unwrap_or_default()).for_each(|(sum, octet)| *sum ^= octet);
        }
        part::write(&self.message, number, &sum)
    }

    /// How many parts a receiver needs at least.
    #[must_use]
    pub const fn source_parts(&self) -> u32 {
        self.message.count as u32
    }
}

/// One UR that holds all the octets, where a code of this version does.
#[must_use]
pub fn single_within(octets: &[u8], qr_version: u8, level: Level) -> Option<String> {
    let chars = 9 + 2 * (octets.len() + 9);
    if octets.is_empty() || chars > matrix::capacity(qr_version, level) {
        return None;
    }
    Some(format!("UR:BYTES/{}", bytewords::encode(&wrapped(octets))))
}

/// The most octets of a fragment in a part that fits a code of this version, 0 where none does.
#[must_use]
pub fn fragment_octets_of(qr_version: u8, level: Level) -> usize {
    // `UR:BYTES/`, two numbers; the CBOR around the fragment and the checksum, two letters an octet.
    (matrix::capacity(qr_version, level).saturating_sub(9 + 10 + 1 + 4 + 1) / 2).saturating_sub(22 + 4)
}

/// What one text came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UrTaken {
    New,
    /// Nothing that is not a sum of what came before.
    Again,
    /// All octets of a message.
    Whole(Vec<u8>),
}

/// Takes parts in any order, of several messages side by side.
#[derive(Default)]
pub struct UrReceiver {
    messages: Vec<Solving>,
    done: VecDeque<Message>,
}

impl UrReceiver {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the text of one part.
    ///
    /// # Errors
    /// Where it is none, or the message it completes is not what it says it is.
    pub fn take(&mut self, text: &str) -> Result<UrTaken, UrError> {
        let (message, number, sum) = match part::parse(text)? {
            Part::Single(whole) => return unwrapped(&whole).map(UrTaken::Whole),
            Part::Multi { message, number, sum } => (message, number, sum),
        };
        if self.done.contains(&message) {
            return Ok(UrTaken::Again);
        }
        let place = self.messages.iter().position(|solving| solving.message == message);
        let place = place.unwrap_or_else(|| self.begin(message));
        let Some(solving) = self.messages.get_mut(place) else { return Ok(UrTaken::Again) };
        let whole = match solving.take(number, sum) {
            Solved::New => return Ok(UrTaken::New),
            Solved::Again => return Ok(UrTaken::Again),
            Solved::Restarted => return Err(UrError::Restarted),
            Solved::Whole(whole) => whole,
        };
        self.messages.remove(place);
        if self.done.len() >= limits::TRANSFERS_DONE {
            self.done.pop_front();
        }
        self.done.push_back(message);
        unwrapped(&whole).map(UrTaken::Whole)
    }

    /// The fewest parts go first, as with frames.
    fn begin(&mut self, message: Message) -> usize {
        if self.messages.len() >= limits::UR_MESSAGES {
            let least = self.messages.iter().enumerate().min_by_key(|(_, solving)| solving.rank());
            if let Some((place, _)) = least {
                self.messages.remove(place);
            }
        }
        self.messages.push(Solving::new(message));
        self.messages.len() - 1
    }

    /// Rank and fragments of the message that has come furthest.
    #[must_use]
    pub fn progress(&self) -> Option<(usize, usize)> {
        let ranks = self.messages.iter().map(|s| (s.rank(), usize::from(s.message.count)));
        ranks.max_by_key(|(rank, count)| rank * 1_000_000 / count)
    }
}

/// A CBOR byte string of definite length.
fn wrapped(octets: &[u8]) -> Vec<u8> {
    let mut written = minicbor::Encoder::new(Vec::with_capacity(octets.len() + 5));
    // Writing to a vector cannot fail.
    let _ = written.bytes(octets);
    written.into_writer()
}

/// Its octets; only the shortest form, and nothing after it.
fn unwrapped(message: &[u8]) -> Result<Vec<u8>, UrError> {
    let octets = minicbor::Decoder::new(message).bytes().map_err(|_| UrError::Message)?;
    if octets.is_empty() || wrapped(octets) != message {
        return Err(UrError::Message);
    }
    Ok(octets.to_vec())
}
