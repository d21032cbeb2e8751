//! The erasure code: RaptorQ (RFC 6330, crate `raptorq`) behind a wrapper that lets nothing reach it which could hurt.
//!
//! Why RaptorQ and not `reed-solomon-simd`: it is rateless, so a frame never says how many repair frames there are and a
//! sender never runs out of new ones, while Reed-Solomon fixes k and m beforehand and cycles; it is an IETF standard from which a
//! stranger can write a receiver, while the other's code words are defined by its source alone; and it takes symbols of
//! odd length. What it costs: the decoder needs one more symbol than K in about one of a hundred transfers, and
//! Qualcomm's patent statement (IETF IPR 2554) covers whole implementations of the RFC only, which this crate is.
//!
//! The crate panics on symbols of the wrong length, on a foreign block number and on odd transmission parameters, and
//! gives wrong output for a wrong symbol. So: one source block, one sub-block, alignment 1; every number in the bounds
//! [`Frame`](crate::transfer::Frame) has checked; one length for all symbols; a net for panics; and whoever calls
//! compares a digest. RFC 6330 5.3.5.1 adds modulo 2^32, which the crate writes as a plain `+`: for a few symbols (K = 989,
//! ESI 3,158,229) it would panic where overflow is checked, so `Cargo.toml` turns those checks off for that one crate.

use crate::basics::limits;
use crate::transfer::frame::ESI_END;
use raptorq::{EncodingPacket, ObjectTransmissionInformation, PayloadId, SourceBlockDecoder, SourceBlockEncoder};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Makes repair symbols of one block.
pub(super) struct Encoder {
    symbols: u32,
    encoder: SourceBlockEncoder,
}

impl Encoder {
    /// `block` is K times T octets. `None` where the parameters are out of bounds.
    pub(super) fn new(block: &[u8], symbol_octets: u16) -> Option<Self> {
        let config = parameters(symbol_octets)?;
        let symbols = block.len() / usize::from(symbol_octets);
        if !block.len().is_multiple_of(usize::from(symbol_octets)) || !(1..=limits::FRAME_SYMBOLS).contains(&symbols) {
            return None;
        }
        let encoder = catch_unwind(|| SourceBlockEncoder::new(0, &config, block)).ok()?;
        Some(Self { symbols: u32::try_from(symbols).ok()?, encoder })
    }

    /// The repair symbol with this id, which is K or more and below 2^24.
    pub(super) fn repair(&self, esi: u32) -> Option<Vec<u8>> {
        let offset = esi.checked_sub(self.symbols).filter(|_| esi < ESI_END)?;
        let packets = catch_unwind(AssertUnwindSafe(|| self.encoder.repair_packets(offset, 1))).ok()?;
        packets.into_iter().next().map(|packet| packet.split().1)
    }
}

/// The block of K symbols, from symbols of any ids. `None` where they do not determine it. Whether it is the block that was sent
/// only a digest can say.
pub(super) fn decode<'a>(
    symbols: u16,
    symbol_octets: u16,
    received: impl Iterator<Item = (u32, &'a [u8])>,
) -> Option<Vec<u8>> {
    let config = parameters(symbol_octets)?;
    let block_octets = usize::from(symbols) * usize::from(symbol_octets);
    if symbols == 0 || usize::from(symbols) > limits::FRAME_SYMBOLS {
        return None;
    }
    let packets: Vec<EncodingPacket> = received
        .filter(|(esi, symbol)| *esi < ESI_END && symbol.len() == usize::from(symbol_octets))
        .map(|(esi, symbol)| EncodingPacket::new(PayloadId::new(0, esi), symbol.to_vec()))
        .collect();
    let decoded = catch_unwind(AssertUnwindSafe(|| {
        SourceBlockDecoder::new(0, &config, u64::try_from(block_octets).unwrap_or(0)).decode(packets)
    }));
    decoded.ok().flatten().filter(|block| block.len() == block_octets)
}

fn parameters(symbol_octets: u16) -> Option<ObjectTransmissionInformation> {
    (symbol_octets > 0).then(|| ObjectTransmissionInformation::new(0, symbol_octets, 1, 1, 1))
}
