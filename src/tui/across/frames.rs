//! Where the texts of the codes come from, and the codes made of them.

use crate::basics::{Digest, Realm, limits};
use crate::transfer::matrix::{Level, Matrix, capacity};
use crate::transfer::sender::{single, symbol_octets_of};
use crate::transfer::ur::{self, UrSender};
use crate::transfer::{Envelope, Sender};
use crate::tui::widgets::qr_code::Modules;
use std::collections::BTreeMap;

/// What is shown, as people compare it on both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    pub realm: Realm,
    pub kind: String,
    pub name: String,
    pub octets: usize,
    /// Of the whole envelope.
    pub digest: Digest,
}

impl Subject {
    #[must_use]
    pub fn of(envelope: &Envelope) -> Self {
        Self {
            realm: envelope.realm(),
            kind: envelope.kind().word().to_owned(),
            name: envelope.name().to_owned(),
            octets: envelope.octets().len(),
            digest: envelope.digest(),
        }
    }
}

/// An object as the texts of codes, at any density.
pub trait Frames {
    /// The object in the text of one code that any reader takes, if there is such a code.
    fn single(&self) -> Option<String>;
    /// Octets of the object that one code of this version carries.
    fn octets(&self, version: u8) -> usize;
    /// Codes of this version that hold the object once.
    fn sources(&self, version: u8) -> u32;
    /// The text of a code, counted from 0, without end.
    ///
    /// # Errors
    /// Where the object has no codes of this version.
    fn text(&mut self, version: u8, number: u64) -> Result<String, String>;
}

/// Our own frames of an envelope.
pub struct EnvelopeFrames {
    envelope: Envelope,
    octets: usize,
    senders: BTreeMap<u8, Sender>,
}

impl EnvelopeFrames {
    #[must_use]
    pub fn of(envelope: Envelope) -> Self {
        let octets = envelope.to_octets().len();
        Self { envelope, octets, senders: BTreeMap::new() }
    }
}

impl Frames for EnvelopeFrames {
    fn single(&self) -> Option<String> {
        single(&self.envelope)
    }

    fn octets(&self, version: u8) -> usize {
        symbol_octets_of(version)
    }

    fn sources(&self, version: u8) -> u32 {
        u32::try_from(self.octets.div_ceil(symbol_octets_of(version).max(1))).unwrap_or(u32::MAX)
    }

    fn text(&mut self, version: u8, number: u64) -> Result<String, String> {
        if let Some(sender) = self.senders.get(&version) {
            return Ok(sender.frame(number));
        }
        let sender = Sender::new(&self.envelope, symbol_octets_of(version)).map_err(|error| error.to_string())?;
        let text = sender.frame(number);
        self.senders.insert(version, sender);
        Ok(text)
    }
}

/// Parts of a UR: the object alone, for programs that know no envelope. What people compare is the digest of its octets.
pub struct UrFrames {
    octets: Vec<u8>,
    senders: BTreeMap<u8, UrSender>,
}

impl UrFrames {
    #[must_use]
    pub fn of(envelope: Envelope) -> (Subject, Self) {
        let subject = Subject { digest: Digest::of(envelope.octets()), ..Subject::of(&envelope) };
        (subject, Self { octets: envelope.into_octets(), senders: BTreeMap::new() })
    }
}

impl Frames for UrFrames {
    fn single(&self) -> Option<String> {
        ur::single_within(&self.octets, limits::SINGLE_CODE_VERSION, Level::L)
    }

    fn octets(&self, version: u8) -> usize {
        ur::fragment_octets_of(version, Level::L)
    }

    fn sources(&self, version: u8) -> u32 {
        let sender = self.senders.get(&version).map(UrSender::source_parts);
        // Before there is one: the octets and the head CBOR puts before them.
        let counted = || (self.octets.len() + 5).div_ceil(self.octets(version).max(1));
        sender.unwrap_or_else(|| u32::try_from(counted()).unwrap_or(u32::MAX))
    }

    fn text(&mut self, version: u8, number: u64) -> Result<String, String> {
        // The part after the last of four thousand million is the first again.
        let number = u32::try_from(number % u64::from(u32::MAX)).unwrap_or_default();
        if let Some(sender) = self.senders.get(&version) {
            return Ok(sender.part(number));
        }
        let sender = UrSender::new(&self.octets, ur::fragment_octets_of(version, Level::L));
        let sender = sender.map_err(|error| error.to_string())?;
        let text = sender.part(number);
        self.senders.insert(version, sender);
        Ok(text)
    }
}

/// A text and its code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    pub version: u8,
    pub text: String,
    matrix: Matrix,
}

impl Code {
    /// One of the codes that follow each other: level L, since what is lost comes again in another shape.
    ///
    /// # Errors
    /// Where the text does not fit the version.
    pub fn following(text: &str, version: u8, number: u64) -> Result<Self, String> {
        let matrix = Matrix::masked(text, version, Level::L, number).map_err(|error| error.to_string())?;
        Ok(Self { version, text: text.to_owned(), matrix })
    }

    /// The one code of an object: as small as it can be, with the most correction that costs no space.
    ///
    /// # Errors
    /// Where no code is large enough.
    pub fn single(text: &str) -> Result<Self, String> {
        let smallest = (1..=40).find(|version| capacity(*version, Level::L) >= text.len());
        let fits = |level: &Level| smallest.is_some_and(|version| capacity(version, *level) >= text.len());
        let level = [Level::H, Level::Q, Level::M].into_iter().find(fits).unwrap_or(Level::L);
        let matrix = Matrix::of(text, smallest, level).map_err(|error| error.to_string())?;
        Ok(Self { version: matrix.version(), text: text.to_owned(), matrix })
    }
}

impl Modules for Code {
    fn size(&self) -> usize {
        self.matrix.size()
    }

    fn is_dark(&self, column: usize, row: usize) -> bool {
        self.matrix.dark(column, row)
    }
}
