//! What became of an identity that was drawn: proven by its device, or said by the line.

use crate::basics::{Digest, Instant, SafeText};
use crate::factory::record::{possession_message, possession_nonce};
use crate::factory::{Class, Refusal};
use crate::keys::PublicKey;
use crate::station::chain::What;
use crate::station::ledger::Book;
use crate::station::state::State;
use crate::station::store::Identity;
use crate::station::{Station, StationError};

/// What came of a proof, decided inside one transaction: a bad proof changes nothing but is counted.
enum Judged {
    Good(Identity),
    Bad(Refusal),
}

impl Station {
    /// Takes a device's proof that it holds its key: its signature over `nonce || record digest`, checked with the key of its certificate.
    ///
    /// # Errors
    /// Where the device is unknown or not out on a line, or the signature is not its.
    pub fn confirm(&mut self, device: &str, signature: &[u8], now: Instant) -> Result<Identity, StationError> {
        let realm = self.home.realm;
        let judged = self.change(now, |book| {
            let expected = [State::Reserved, State::Injected, State::Lost, State::Released, State::Sealed];
            let mut identity = one(book, device, "reserved or injected", &expected)?;
            let nonce = nonce_of(book, &identity, realm)?;
            let message = possession_message(&nonce, &identity.record);
            let verified = PublicKey::from_spki_der(&identity.spki).and_then(|key| key.verify(&message, signature));
            if let Err(error) = verified {
                let refusal = Refusal::new(
                    Class::BadSignature,
                    format!("proof of {}", identity.device),
                    "a signature over nonce and record digest by the key of its certificate",
                    error,
                );
                refused(book, &refusal)?;
                return Ok(Judged::Bad(refusal));
            }
            if identity.line == 0 {
                // Somebody has this key although this store never gave it out: a copy of the store, or an older state of it. It is out of reach
                // from now on, and no further proof brings it back: which of two devices has it nobody here can tell.
                if identity.state != State::Lost {
                    let because = "its device proved the key before this store gave it out".to_owned();
                    moved(book, &mut identity, State::Lost, because)?;
                }
                let found = "never given out by this store: it is an older state or a copy of one that gave it out";
                let refusal =
                    Refusal::new(Class::Replay, format!("proof of {}", identity.device), "one after a draw", found);
                refused(book, &refusal)?;
                return Ok(Judged::Bad(refusal));
            }
            book.write(&What::Verified { proof: Digest::of(signature), record: identity.record })?;
            book.tx.set_state(identity.id, State::Verified, None, book.now.0)?;
            book.tx.keep_proof(identity.id, signature)?;
            (identity.state, identity.since) = (State::Verified, book.now.0);
            Ok(Judged::Good(identity))
        })?;
        match judged {
            Judged::Good(identity) => Ok(identity),
            Judged::Bad(refusal) => Err(refusal.into()),
        }
    }

    /// Notes what the line says of an identity: that it is in a device, or how it ended.
    ///
    /// # Errors
    /// Where the device is unknown, or cannot come into that state from its own.
    pub fn say(&mut self, device: &str, to: State, because: &str, now: Instant) -> Result<Identity, StationError> {
        let because = SafeText::cut(because, 200).to_string();
        self.change(now, |book| {
            let from: Vec<State> = State::ALL.into_iter().filter(|state| state.may_become(to)).collect();
            let expected = match to {
                State::Injected => "reserved",
                State::Scrapped => "given to a line",
                _ => "in a state that can end so",
            };
            let mut identity = one(book, device, expected, &from)?;
            moved(book, &mut identity, to, because)?;
            Ok(identity)
        })
    }

    /// Lets lines draw the next `most` sealed identities of a bundle; says how many there were.
    ///
    /// # Errors
    /// Where the bundle is not here, or was released the other way before.
    pub fn release(&mut self, bundle: &str, most: u64, by_device: bool, now: Instant) -> Result<u64, StationError> {
        self.change(now, |book| {
            let known = book.tx.bundles()?.into_iter().find(|known| known.bundle == bundle);
            let known = known.ok_or_else(|| StationError::Unknown { thing: SafeText::cut(bundle, 64) })?;
            let begun = book.tx.counts()?.iter().any(|c| c.bundle == bundle && c.state != State::Sealed && c.count > 0);
            // So it stays once it is, by an import of identities that are of certain hardware, or by who released before.
            let by_device = by_device || known.by_device;
            if begun && known.by_device != by_device {
                let problem = "expected it released as before: in order, or by device id".to_owned();
                return Err(StationError::Configuration { what: "release", problem });
            }
            if by_device {
                book.tx.set_by_device(bundle)?;
            }
            let count = book.tx.move_first(bundle, State::Sealed, State::Released, most, now.0)?;
            if count > 0 {
                book.write(&What::Released { bundle: bundle.to_owned(), by_device, count })?;
            }
            Ok(count)
        })
    }

    /// Counts a refusal, durably: in the ledger, by class.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn note_refusal(&mut self, refusal: &Refusal, now: Instant) -> Result<(), StationError> {
        self.change(now, |book| refused(book, refusal))
    }

    /// What a device signs to prove that it holds its key: nonce and record digest, for a device drawn before.
    ///
    /// # Errors
    /// Where the device is unknown.
    pub fn challenge_of(&mut self, device: &str) -> Result<(Digest, Digest), StationError> {
        let realm = self.home.realm;
        self.change(Instant(0), |book| {
            let identity = one(book, device, "reserved or injected", &[State::Reserved, State::Injected])?;
            Ok((nonce_of(book, &identity, realm)?, identity.record))
        })
    }
}

fn nonce_of(book: &mut Book<'_>, identity: &Identity, realm: crate::basics::Realm) -> Result<Digest, StationError> {
    let bundle = book.tx.bundles()?.into_iter().find(|bundle| bundle.bundle == identity.bundle);
    let bundle = bundle.ok_or(StationError::Damaged("an identity has no bundle"))?;
    Ok(possession_nonce(realm, &bundle.nonce, identity.index))
}

/// The one identity that is meant: of several with one device id, the one in an expected state.
fn one(book: &mut Book<'_>, device: &str, expected: &'static str, states: &[State]) -> Result<Identity, StationError> {
    let found = book.tx.find(device)?;
    if found.is_empty() {
        return Err(StationError::Unknown { thing: SafeText::cut(device, 80) });
    }
    // The states come in the order in which they are meant.
    let fits = states.iter().find_map(|state| found.iter().find(|identity| identity.state == *state));
    match (fits, found.first()) {
        (Some(identity), _) => Ok(identity.clone()),
        (None, Some(other)) => {
            Err(StationError::WrongState { device: SafeText::of(&other.device), expected, found: other.state })
        }
        (None, None) => Err(StationError::Damaged("a search lost what it found")),
    }
}

fn moved(book: &mut Book<'_>, identity: &mut Identity, to: State, because: String) -> Result<(), StationError> {
    book.write(&What::Moved { because, record: identity.record, to })?;
    book.tx.set_state(identity.id, to, None, book.now.0)?;
    (identity.state, identity.since) = (to, book.now.0);
    Ok(())
}

pub(super) fn refused(book: &mut Book<'_>, refusal: &Refusal) -> Result<(), StationError> {
    let detail = SafeText::cut(&format!("expected {}, found {}", refusal.expected, refusal.found), 400).to_string();
    let thing = SafeText::cut(&refusal.what, 120).to_string();
    book.write(&What::Refused { class: refusal.class.word().to_owned(), detail, thing })?;
    book.tx.add_refusal(refusal.class.word())
}
