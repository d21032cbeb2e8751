//! The sending side: an endless row of frames for one envelope. First every source symbol once, in order, so that a
//! receiver who sees all of them is done without decoding; then repair symbols, none of which ever comes twice in 16
//! million frames: no loss, however regular, can hit the same symbol again and again.

use crate::basics::limits;
use crate::transfer::code::Encoder;
use crate::transfer::frame::{self, ESI_END, FRAME, OVERHEAD};
use crate::transfer::matrix::{self, Level};
use crate::transfer::{Envelope, Frame, FrameError, TransferId};

/// Why an envelope has no frames of this size.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SenderError {
    #[error("size of a symbol: expected 16 to {most} octets, found {found}")]
    SymbolSize { most: usize, found: usize },
    #[error("frames of {symbol_octets} octets: expected at most 8192, found {symbols}; a larger code takes fewer")]
    Many { symbol_octets: usize, symbols: usize },
    #[error("frame: {0}")]
    Frame(#[from] FrameError),
    #[error("the erasure code failed on {symbols} symbols of {symbol_octets} octets")]
    Code { symbols: usize, symbol_octets: usize },
}

/// Frames of one envelope at one size of symbols.
pub struct Sender {
    id: TransferId,
    symbols: u16,
    symbol_octets: usize,
    block: Vec<u8>,
    encoder: Encoder,
    start: u32,
}

impl Sender {
    /// # Errors
    /// Where symbols of this size are too small for the envelope, or fit no code.
    pub fn new(envelope: &Envelope, symbol_octets: usize) -> Result<Self, SenderError> {
        let most = symbol_octets_of(40);
        if !(limits::FRAME_LEAST_SYMBOL_OCTETS..=most).contains(&symbol_octets) {
            return Err(SenderError::SymbolSize { most, found: symbol_octets });
        }
        let mut block = envelope.to_octets();
        let symbols = block.len().div_ceil(symbol_octets);
        let many = SenderError::Many { symbol_octets, symbols };
        let (Ok(count), Ok(size)) = (u16::try_from(symbols), u16::try_from(symbol_octets)) else { return Err(many) };
        if symbols > limits::FRAME_SYMBOLS {
            return Err(many);
        }
        block.resize(symbols * symbol_octets, 0);
        let encoder = Encoder::new(&block, size).ok_or(SenderError::Code { symbols, symbol_octets })?;
        let id = TransferId::of(envelope, count, size);
        // Holds for every frame that follows: they differ in id and octets of the symbol only.
        Frame::new(id, count, 0, vec![0; symbol_octets])?;
        let start = scattered(u64::from_be_bytes(id.octets().first_chunk().copied().unwrap_or_default()));
        Ok(Self { id, symbols: count, symbol_octets, block, encoder, start })
    }

    /// The text of frame `n`, counted from 0 without end.
    #[must_use]
    pub fn frame(&self, n: u64) -> String {
        let (esi, symbol) = self.symbol(n);
        Frame::new(self.id, self.symbols, esi, symbol).map(|frame| frame.encode()).unwrap_or_default()
    }

    fn symbol(&self, n: u64) -> (u32, Vec<u8>) {
        let source = u64::from(self.symbols);
        if let Some(later) = n.checked_sub(source) {
            let repair_symbols = u64::from(ESI_END) - source;
            let place = (u64::from(self.start) + later % repair_symbols) % repair_symbols;
            let esi = u32::try_from(source + place).unwrap_or(u32::from(self.symbols));
            if let Some(symbol) = self.encoder.repair(esi) {
                return (esi, symbol);
            }
        }
        // A source symbol; also in the place of a repair symbol the crate could not make, which is better than none.
        let esi = usize::try_from(n % source).unwrap_or(0);
        let symbol = self.block.chunks_exact(self.symbol_octets).nth(esi).unwrap_or_default();
        (u32::try_from(esi).unwrap_or(0), symbol.to_vec())
    }

    /// A frame number far into the repair symbols, different for every `seed` (a clock will do): where to go on after
    /// the code was hidden or the program started again, so that every frame is new to whoever has seen some already.
    #[must_use]
    pub fn resumed_at(&self, seed: u64) -> u64 {
        u64::from(self.symbols) + u64::from(scattered(seed))
    }

    #[must_use]
    pub const fn id(&self) -> TransferId {
        self.id
    }

    /// K: how many frames a receiver needs at least.
    #[must_use]
    pub const fn source_frames(&self) -> u32 {
        self.symbols as u32
    }

    #[must_use]
    pub const fn symbol_octets(&self) -> usize {
        self.symbol_octets
    }
}

/// The QR version of frames where nobody asks for another and a screen has room: every camera measured reads it.
pub const USUAL_VERSION: u8 = 15;

/// Octets of a symbol in a frame that fills a QR code of this version at level L; 0 where none fits.
#[must_use]
pub fn symbol_octets_of(qr_version: u8) -> usize {
    symbol_octets_at(qr_version, Level::L)
}

/// As [`symbol_octets_of`], at any level: paper wants more correction than a screen.
#[must_use]
pub fn symbol_octets_at(qr_version: u8, level: Level) -> usize {
    let chars = matrix::capacity(qr_version, level).saturating_sub(FRAME.len());
    let octets = (chars * 5 / 8).saturating_sub(OVERHEAD);
    if octets < limits::FRAME_LEAST_SYMBOL_OCTETS { 0 } else { octets }
}

/// The text of one plain code that holds the whole envelope, where a code any phone reads is large enough.
#[must_use]
pub fn single(envelope: &Envelope) -> Option<String> {
    single_within(envelope, limits::SINGLE_CODE_VERSION, Level::L)
}

/// As [`single`], for a code of at most this version.
#[must_use]
pub fn single_within(envelope: &Envelope, qr_version: u8, level: Level) -> Option<String> {
    let octets = envelope.header().len() + 1 + envelope.octets().len();
    (frame::single_chars(octets) <= matrix::capacity(qr_version, level)).then(|| frame::single(envelope))
}

/// 24 bits that look random (the finaliser of SplitMix64): the same for the same seed.
fn scattered(seed: u64) -> u32 {
    let mut x = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    u32::try_from((x ^ (x >> 31)) >> 40).unwrap_or(0)
}
