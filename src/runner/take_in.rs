//! An object comes in: whatever it is read with, it is an envelope of the kind and realm that were asked for, or it is refused by name and
//! the taking in goes on.

use crate::basics::{Realm, SafeText, limits};
use crate::ceremony::event::{Answer, Via};
use crate::ceremony::{Ask, object};
use crate::devices::durable_file;
use crate::runner::folder::Folder;
use crate::transfer::envelope::{Envelope, Kind};
use crate::transfer::intake::{Arrival, Expected, Intake, Object};
use crate::transfer::sender::{self, Sender};

/// What is waited for, and what of it is there: kept while people change from one way in to another.
pub struct Taking {
    realm: Realm,
    kind: Kind,
    name: String,
    most: u64,
    intake: Intake,
}

impl Taking {
    /// Waits for what a question asks for.
    ///
    /// # Errors
    /// Where the question is no question for an object of a known kind.
    pub fn begin(realm: Realm, ask: &Ask) -> Result<Self, String> {
        let Ask::Object { kind, name, most, .. } = ask else { return Err("no object is asked for here".to_owned()) };
        let kind = Kind::parse(kind).ok_or_else(|| format!("{kind}: no kind of object that crosses the gap"))?;
        Ok(Self { realm, kind, name: name.clone(), most: *most, intake: Intake::new(Expected::default()) })
    }

    /// The text of one code: an envelope once it is whole and welcome.
    ///
    /// # Errors
    /// Why what arrived is not taken; the taking in goes on, and nothing of it is lost.
    pub fn text(&mut self, text: &str) -> Result<Option<Envelope>, String> {
        match self.intake.take(text) {
            Arrival::Object(found) => self.welcome(found).map(Some),
            Arrival::Part(_) => Ok(None),
            Arrival::Calibration(layout) => Err(layout.words()),
            Arrival::Unexpected { expected, found } => Err(format!("expected {expected}, found {found}")),
        }
    }

    /// A file: an envelope, or the bare object, which gets one here.
    ///
    /// # Errors
    /// Why it is not taken.
    pub fn file(&self, octets: Vec<u8>) -> Result<Envelope, String> {
        if octets.starts_with(b"AE1 ") {
            let envelope = Envelope::parse(&octets).map_err(|e| e.to_string())?;
            return self.welcome(Object::Envelope(envelope));
        }
        self.bare(octets)
    }

    /// Whether a whole object is the one that is waited for.
    fn welcome(&self, found: Object) -> Result<Envelope, String> {
        match found {
            Object::Envelope(envelope) => {
                let expected = Expected { kind: Some(self.kind), realm: Some(self.realm) };
                if envelope.kind() != self.kind || envelope.realm() != self.realm {
                    let found = Expected { kind: Some(envelope.kind()), realm: Some(envelope.realm()) };
                    return Err(format!(
                        "expected a {}, found a {} ({}): not taken",
                        expected.words(),
                        found.words(),
                        SafeText::cut(envelope.name(), 64)
                    ));
                }
                self.sized(envelope)
            }
            Object::Plain { kind: Some(kind), .. } if kind != self.kind => {
                Err(format!("expected a {}, found a {kind}: not taken", self.kind))
            }
            Object::Plain { octets, .. } => self.bare(octets),
        }
    }

    /// Octets without an envelope get one here: of this ceremony's realm, under the name that is asked for.
    fn bare(&self, octets: Vec<u8>) -> Result<Envelope, String> {
        object::inner(self.kind, &octets)?;
        let envelope = Envelope::new(self.kind, self.realm, &self.name, octets).map_err(|e| e.to_string())?;
        self.sized(envelope)
    }

    fn sized(&self, envelope: Envelope) -> Result<Envelope, String> {
        let found = envelope.octets().len() as u64;
        if found > self.most {
            return Err(format!("expected a {} of at most {} octets, found {found}: not taken", self.kind, self.most));
        }
        Ok(envelope)
    }
}

/// The simulated other side of a rehearsal sends the file that is asked for, as an envelope and as the texts of codes.
///
/// # Errors
/// Where the rehearsal has no such file, or it is not what is asked for.
pub fn simulated(realm: Realm, ask: &Ask, folder: &Folder) -> Result<Answer, String> {
    let mut taking = Taking::begin(realm, ask)?;
    let path = folder.incoming().join(&taking.name);
    let most = limits::ENVELOPE_OCTETS;
    let octets = durable_file::read(&path, most).map_err(|e| {
        format!(
            "{e}; the script's folder `rehearsal/`, or --incoming, holds what comes in, under the name {}",
            taking.name
        )
    })?;
    let sent = taking.file(octets)?;
    let arrived = match sender::single(&sent) {
        Some(text) => taking.text(&text)?,
        None => {
            let symbol = sender::symbol_octets_of(sender::USUAL_VERSION);
            let sender = Sender::new(&sent, symbol).map_err(|e| e.to_string())?;
            // From somewhere in the middle, as a camera that is switched on late: twice as many codes are plenty.
            let codes = u64::from(sender.source_frames());
            let mut arrived = None;
            for n in codes..codes * 3 + 2 {
                arrived = taking.text(&sender.frame(n))?;
                if arrived.is_some() {
                    break;
                }
            }
            arrived
        }
    };
    let arrived = arrived.filter(|arrived| arrived.digest() == sent.digest());
    let arrived = arrived.ok_or_else(|| format!("{}: what arrived is not what was sent", sent.name()))?;
    Ok(object::answer(&arrived, Via::Simulated))
}
