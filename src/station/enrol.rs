//! Enrolment, the station's half: the request that crosses to the ceremony, and the answer to its challenge.

use crate::basics::{Digest, Instant, limits};
use crate::devices::durable_file;
use crate::factory::enrolment::{Answer, Enrolment, Signed, read_challenge};
use crate::keys::recipient::RecipientKind;
use crate::station::chain::What;
use crate::station::{Station, StationError, keyring, unseal};
use std::path::Path;

impl Station {
    /// The signed request for the newest recipient.
    ///
    /// # Errors
    /// Where a key is missing.
    pub fn enrolment(&mut self, now: Instant) -> Result<Signed<Enrolment>, StationError> {
        let recipients = self.recipients()?;
        let newest = recipients.into_iter().map(|(_, recipient)| recipient).rfind(|recipient| !recipient.is_empty());
        let recipient = newest.ok_or_else(|| StationError::Configuration {
            what: "recipient",
            problem: "expected one whose identity is here, found none: --fresh-recipient makes another".to_owned(),
        })?;
        let home = &self.home;
        let request = Enrolment {
            factory: home.factory.clone(),
            format: Enrolment::format(),
            made: now,
            pins: home.pins.clone(),
            realm: home.realm,
            receipt_key: home.receipt_key.clone(),
            recipient,
            store: home.store.clone(),
        };
        let signed = request.sign(&self.receipt_key()?)?;
        let digest = signed.digest()?.hex();
        // Only what we asked for is answered.
        self.change(now, |book| book.tx.set_value(&format!("request {digest}"), &now.rfc3339()))?;
        Ok(signed)
    }

    /// Makes another recipient, for the batches that are sealed from now on: of this kind, or of the newest one's.
    ///
    /// # Errors
    /// Where the store is not current, or the disk refuses.
    pub fn fresh_recipient(&mut self, kind: Option<RecipientKind>, now: Instant) -> Result<String, StationError> {
        self.is_current(now)?;
        // Of one that was destroyed nobody can tell the kind any more: of the newest that is here.
        let newest = self.recipients()?.into_iter().rev().find_map(|(_, known)| RecipientKind::of_recipient(&known));
        let recipient = keyring::new_recipient(&self.folder, kind.or(newest).unwrap_or_default())?;
        let noted = recipient.clone();
        self.change(now, |book| book.write(&What::Recipient { recipient: noted }))?;
        Ok(recipient)
    }

    /// Destroys the identity of a recipient: nothing that is sealed to it opens again. What was not drawn of its bundles is `destroyed`.
    ///
    /// # Errors
    /// Where it is not here, or the store is not current.
    pub fn shred(&mut self, recipient: &str, now: Instant) -> Result<u64, StationError> {
        use crate::station::State;
        if !self.recipients()?.iter().any(|(_, known)| known == recipient && !known.is_empty()) {
            return Err(StationError::Unknown { thing: recipient.into() });
        }
        let count = self.change(now, |book| {
            book.write(&What::Shredded { recipient: recipient.to_owned() })?;
            let mut count = 0;
            for bundle in book.tx.bundles()?.into_iter().filter(|bundle| bundle.recipient == recipient) {
                for state in [State::Sealed, State::Released] {
                    count += book.tx.move_first(&bundle.bundle, state, State::Destroyed, u64::MAX, now.0)?;
                }
            }
            Ok(count)
        })?;
        // The ledger first: what it calls destroyed is never drawn, even where the file outlives us.
        keyring::shred(&self.folder, recipient)?;
        self.settle()?;
        Ok(count)
    }

    /// Opens a challenge and answers it: this station has the identity of the recipient it asked for, and the receipt key.
    ///
    /// # Errors
    /// Where it does not open, is no challenge, or is about a request that this station never made.
    pub fn answer(&mut self, challenge: &Path) -> Result<(Digest, Signed<Answer>), StationError> {
        let sealed = durable_file::read(challenge, limits::SMALL_FILE_OCTETS)?;
        let realm = self.home.realm;
        let mut problem = "expected a challenge sealed to a recipient of this station".to_owned();
        for (_, recipient) in self.recipients()?.into_iter().rev().filter(|(_, recipient)| !recipient.is_empty()) {
            match unseal::shard(&self.identity_of(&recipient)?, &sealed) {
                Ok(opened) => {
                    let text = std::str::from_utf8(&opened).unwrap_or_default();
                    let (request, nonce) = read_challenge(text, realm)?;
                    let asked = self.look(|tx| tx.value(&format!("request {request}")))?;
                    if asked.is_none() {
                        let problem = format!("it is about request {request}, which this station never made");
                        return Err(StationError::Configuration { what: "challenge", problem });
                    }
                    return Ok((request, Answer::sign(realm, request, &nonce, &self.receipt_key()?)?));
                }
                Err(error) => problem = error,
            }
        }
        Err(StationError::Configuration { what: "challenge", problem })
    }
}
