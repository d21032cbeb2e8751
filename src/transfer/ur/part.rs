//! The text of one UR part, strictly: `ur:bytes/LETTERS`, or `ur:bytes/NUMBER-COUNT/LETTERS` with the CBOR array
//! `[number, count, message octets, message CRC-32, sum of fragments]` in the letters. Every number is bounded before
//! anything is made from it: one part of a hundred characters that says it is one of 400 million ends other decoders.

use super::{UrError, bytewords};
use crate::basics::{SafeText, limits};

/// What all parts of one message have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) count: u16,
    pub(super) octets: usize,
    pub(super) checksum: u32,
    pub(super) fragment_octets: usize,
}

/// One part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// The whole message.
    Single(Vec<u8>),
    Multi {
        message: Message,
        number: u32,
        sum: Vec<u8>,
    },
}

/// Letters may be large or small, as the paper has it; everything else has one form.
pub(super) fn parse(text: &str) -> Result<Part, UrError> {
    if text.len() > limits::FRAME_CHARS {
        return Err(UrError::Long(text.len()));
    }
    let foreign = || UrError::Foreign(SafeText::cut(text, 24));
    let (scheme, rest) = text.split_at_checked(9).ok_or_else(foreign)?;
    if !scheme.eq_ignore_ascii_case("ur:bytes/") {
        return Err(foreign());
    }
    let Some((numbers, letters)) = rest.split_once('/') else {
        return bytewords::decode(rest).map(Part::Single).ok_or(UrError::Letters);
    };
    let numbers = numbers.split_once('-').and_then(|(number, count)| Some((decimal(number)?, decimal(count)?)));
    let (number, count) = numbers.ok_or(UrError::Numbers)?;
    if count as usize > limits::UR_FRAGMENTS {
        return Err(UrError::Count(count));
    }
    let cbor = bytewords::decode(letters).ok_or(UrError::Letters)?;
    let part = read(&cbor).ok_or(UrError::Cbor)?;
    let Part::Multi { message, number: inner, sum } = &part else { return Err(UrError::Cbor) };
    if (u32::from(message.count), *inner) != (count, number) {
        return Err(UrError::Numbers);
    }
    let fragments = message.octets.div_ceil(sum.len().max(1));
    if message.octets == 0 || message.octets > limits::UR_MESSAGE_OCTETS || fragments != usize::from(message.count) {
        return Err(UrError::Size { count, octets: message.octets, fragment: sum.len() });
    }
    Ok(part)
}

pub(super) fn write(message: &Message, number: u32, sum: &[u8]) -> String {
    let letters = bytewords::encode(&cbor(message, number, sum));
    format!("UR:BYTES/{number}-{}/{letters}", message.count)
}

fn cbor(message: &Message, number: u32, sum: &[u8]) -> Vec<u8> {
    let mut written = minicbor::Encoder::new(Vec::with_capacity(sum.len() + 24));
    let octets = u32::try_from(message.octets).unwrap_or(u32::MAX);
    // Writing to a vector cannot fail.
    let _ = written
        .array(5)
        .and_then(|e| e.u32(number))
        .and_then(|e| e.u32(u32::from(message.count)))
        .and_then(|e| e.u32(octets))
        .and_then(|e| e.u32(message.checksum))
        .and_then(|e| e.bytes(sum));
    written.into_writer()
}

/// Strict: what is read is written back to the same octets.
fn read(octets: &[u8]) -> Option<Part> {
    let mut cbor_in = minicbor::Decoder::new(octets);
    let five = cbor_in.array().ok()? == Some(5);
    let [number, count, message, checksum] = [(); 4].map(|()| cbor_in.u32().ok());
    let sum = cbor_in.bytes().ok().filter(|_| five)?;
    let count = u16::try_from(count?).ok()?;
    let message =
        Message { count, octets: usize::try_from(message?).ok()?, checksum: checksum?, fragment_octets: sum.len() };
    let number = number?;
    let good = cbor(&message, number, sum) == octets && number > 0 && count > 0 && !sum.is_empty();
    good.then(|| Part::Multi { message, number, sum: sum.to_vec() })
}

/// A number from 1 as it would be written.
fn decimal(text: &str) -> Option<u32> {
    let digits = text.len() <= 10 && text.bytes().all(|c| c.is_ascii_digit()) && !text.starts_with('0');
    text.parse().ok().filter(|_| digits)
}
