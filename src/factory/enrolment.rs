//! How a factory's station asks to be known, and shows that it can open what is sealed to it. Specified in `media/STATION.md`.
//!
//! ```text
//! request    {"made":..,"pins":{..},"realm":"rehearsal","receipt_key":"ssh-ed25519 ..","recipient":"age1..",...}
//!            signed by the receipt key, namespace enrolment@anchorite; both in one canonical JSON object, the envelope's content
//! challenge  anchorite-challenge/1 rehearsal <request digest> <nonce>            one line, sealed with age to the recipient
//! answer     {"format":"anchorite-answer/1","proof":"<digest>","realm":..,"request":"<digest>"}, signed likewise, namespace answer@anchorite
//!            proof = tagged("enrolment-answer", realm, [request digest, nonce])
//! ```
//! Mutual: the request names what the station pins, so the words that both sides compare over the telephone cover the ceremony's root,
//! its manifest signers and their threshold as well as the station's keys.

use crate::basics::{Digest, Instant, Realm, canonical, limits};
use crate::factory::{Class, Refusal};
use crate::keys::ssh::{SshPublicKey, SshSigningKey, verify};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

const REQUEST: &str = "enrolment request";
const ANSWER: &str = "answer to a challenge";
const CHALLENGE: &str = "challenge";
const REQUEST_FORMAT: &str = "anchorite-enrolment/1";
const ANSWER_FORMAT: &str = "anchorite-answer/1";
const CHALLENGE_FORMAT: &str = "anchorite-challenge/1";

/// One whose signature under a manifest counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManifestSigner {
    pub key: SshPublicKey,
    pub who: String,
}

/// What the factory has pinned: nothing else is believed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pins {
    /// SHA-256 of the root certificate's DER.
    pub root: Digest,
    pub signers: Vec<ManifestSigner>,
    /// How many of them a manifest needs.
    pub threshold: u32,
}

/// The request: who the station is, and whom it will believe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Enrolment {
    pub factory: String,
    pub format: String,
    pub made: Instant,
    pub pins: Pins,
    pub realm: Realm,
    pub receipt_key: SshPublicKey,
    /// The age recipient bundles are to be sealed to.
    pub recipient: String,
    /// Names the station's store: 32 hexadecimal digits.
    pub store: String,
}

/// The answer to a challenge: who can say the proof has opened it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    pub format: String,
    pub proof: Digest,
    pub realm: Realm,
    /// Digest of the signed request.
    pub request: Digest,
}

/// A statement of the station with its signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signed<T> {
    pub signature: String,
    pub statement: T,
}

impl<T: Serialize + DeserializeOwned> Signed<T> {
    pub(in crate::factory) fn sign(
        statement: T,
        realm: Realm,
        purpose: &str,
        key: &SshSigningKey,
    ) -> Result<Self, Refusal> {
        let octets = canonical::to_octets(&statement)
            .map_err(|e| Refusal::new(Class::Malformed, purpose, "values JSON can hold", e))?;
        let signature = key
            .sign(&realm.namespace(purpose), &octets)
            .map_err(|e| Refusal::new(Class::BadSignature, purpose, "a key that signs", e))?;
        Ok(Self { signature, statement })
    }

    /// The octets that cross the gap.
    ///
    /// # Errors
    /// Where a value cannot be written as JSON.
    pub fn to_octets(&self) -> Result<Vec<u8>, Refusal> {
        canonical::to_octets(self).map_err(|e| Refusal::new(Class::Malformed, "statement", "values JSON can hold", e))
    }

    pub(in crate::factory) fn read(octets: &[u8], what: &str) -> Result<Self, Refusal> {
        canonical::parse(octets, limits::SMALL_FILE_OCTETS)
            .map_err(|e| Refusal::new(Class::Malformed, what, "canonical JSON of the documented shape", e))
    }

    pub(in crate::factory) fn verified(
        &self,
        what: &str,
        realm: Realm,
        purpose: &str,
        key: &SshPublicKey,
    ) -> Result<(), Refusal> {
        let octets = canonical::to_octets(&self.statement)
            .map_err(|e| Refusal::new(Class::Malformed, what, "values JSON can hold", e))?;
        verify(key, &realm.namespace(purpose), &octets, &self.signature)
            .map_err(|e| Refusal::new(Class::BadSignature, what, "one by its receipt key", e))
    }
}

impl Enrolment {
    /// The word in the field `format`.
    #[must_use]
    pub fn format() -> String {
        REQUEST_FORMAT.to_owned()
    }

    /// Signs the request with the receipt key it names.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn sign(self, key: &SshSigningKey) -> Result<Signed<Self>, Refusal> {
        let realm = self.realm;
        Signed::sign(self, realm, "enrolment", key)
    }

    /// Reads a request of this realm and checks that its own receipt key signed it. Whose key that is, people compare by words.
    ///
    /// # Errors
    /// Where it is of another shape or realm, or the signature is not its key's.
    pub fn read(octets: &[u8], realm: Realm) -> Result<Signed<Self>, Refusal> {
        let signed: Signed<Self> = Signed::read(octets, REQUEST)?;
        let said = &signed.statement;
        if said.format != REQUEST_FORMAT {
            return Err(Refusal::new(Class::Malformed, REQUEST, REQUEST_FORMAT, &said.format));
        }
        if said.realm != realm {
            return Err(Refusal::new(Class::WrongRealm, REQUEST, realm, said.realm));
        }
        if !said.made.can_be_written() {
            let expected = format!("made until {}, in milliseconds", Instant::LAST);
            return Err(Refusal::new(Class::Malformed, REQUEST, expected, said.made.0));
        }
        signed.verified(REQUEST, realm, "enrolment", &said.receipt_key)?;
        Ok(signed)
    }
}

impl Signed<Enrolment> {
    /// The proof in an answer to this request, signed by its receipt key. Whether it is that of who opened the challenge, whoever knows the
    /// nonce, or committed to the proof, can say.
    ///
    /// # Errors
    /// Where it is of another shape, realm or request, or the signature is not its key's.
    pub fn answered(&self, octets: &[u8]) -> Result<Digest, Refusal> {
        let signed: Signed<Answer> = Signed::read(octets, ANSWER)?;
        let (said, realm) = (&signed.statement, self.statement.realm);
        if said.format != ANSWER_FORMAT {
            return Err(Refusal::new(Class::Malformed, ANSWER, ANSWER_FORMAT, &said.format));
        }
        crate::factory::refusal::same(Class::WrongRealm, ANSWER, &realm, &said.realm)?;
        crate::factory::refusal::same(Class::Foreign, ANSWER, &self.digest()?, &said.request)?;
        signed.verified(ANSWER, realm, "answer", &self.statement.receipt_key)?;
        Ok(said.proof)
    }

    /// What people compare, and what the challenge and its answer name.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn digest(&self) -> Result<Digest, Refusal> {
        Ok(Digest::of(&self.to_octets()?))
    }
}

/// The line to be sealed to the station's recipient; `nonce` is drawn by who asks.
#[must_use]
pub fn challenge(realm: Realm, request: &Digest, nonce: &Digest) -> String {
    format!("{CHALLENGE_FORMAT} {realm} {request} {nonce}\n")
}

/// Reads an opened challenge: the request it is about, and the nonce.
///
/// # Errors
/// Where it is not exactly what [`challenge`] writes for this realm.
pub fn read_challenge(opened: &str, realm: Realm) -> Result<(Digest, Digest), Refusal> {
    let mut words = opened.trim_end_matches('\n').split(' ').skip(2);
    let request = words.next().and_then(Digest::parse);
    let nonce = words.next().and_then(Digest::parse);
    match (request, nonce) {
        (Some(request), Some(nonce)) if challenge(realm, &request, &nonce) == opened => Ok((request, nonce)),
        _ => Err(Refusal::new(
            Class::Malformed,
            CHALLENGE,
            format!("{CHALLENGE_FORMAT} of realm {realm}"),
            "something else",
        )),
    }
}

/// What only who opened the challenge can say.
#[must_use]
pub fn proof(realm: Realm, request: &Digest, nonce: &Digest) -> Digest {
    Digest::tagged("enrolment-answer", realm, &[request.octets(), nonce.octets()])
}

impl Answer {
    /// The station's answer.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn sign(realm: Realm, request: Digest, nonce: &Digest, key: &SshSigningKey) -> Result<Signed<Self>, Refusal> {
        let proof = proof(realm, &request, nonce);
        Signed::sign(Self { format: ANSWER_FORMAT.to_owned(), proof, realm, request }, realm, "answer", key)
    }

    /// Checks an answer: to this request, by its receipt key, of who knew the nonce.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(octets: &[u8], request: &Signed<Enrolment>, nonce: &Digest) -> Result<(), Refusal> {
        let signed: Signed<Self> = Signed::read(octets, ANSWER)?;
        let (said, realm, digest) = (&signed.statement, request.statement.realm, request.digest()?);
        let refuse = |class, expected: &dyn ToString, found: &dyn ToString| {
            Err(Refusal::new(class, ANSWER, expected.to_string(), found.to_string()))
        };
        if said.format != ANSWER_FORMAT {
            return refuse(Class::Malformed, &ANSWER_FORMAT, &said.format);
        }
        if said.realm != realm {
            return refuse(Class::WrongRealm, &realm, &said.realm);
        }
        if said.request != digest {
            return refuse(Class::Foreign, &digest, &said.request);
        }
        signed.verified(ANSWER, realm, "answer", &request.statement.receipt_key)?;
        if said.proof != proof(realm, &digest, nonce) {
            return refuse(Class::BadSignature, &"the proof of who opened the challenge", &said.proof);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Answer, Enrolment, ManifestSigner, Pins, challenge, read_challenge};
    use crate::basics::{Digest, Instant, Realm};
    use crate::factory::Class;
    use crate::keys::ssh::SshSigningKey;

    fn request(key: &SshSigningKey) -> Enrolment {
        let signer = ManifestSigner { key: key.public(), who: "ada".to_owned() };
        Enrolment {
            factory: "lyon".to_owned(),
            format: Enrolment::format(),
            made: Instant(1),
            pins: Pins { root: Digest::of(b"root"), signers: vec![signer], threshold: 1 },
            realm: Realm::Rehearsal,
            receipt_key: key.public(),
            recipient: "age1x".to_owned(),
            store: "00".repeat(16),
        }
    }

    #[test]
    fn a_request_reads_back_and_any_changed_octet_is_refused() {
        let key = SshSigningKey::from_seed(&[7; 32]).unwrap();
        let signed = request(&key).sign(&key).unwrap();
        let octets = signed.to_octets().unwrap();
        assert_eq!(Enrolment::read(&octets, Realm::Rehearsal).unwrap(), signed);
        assert_eq!(Enrolment::read(&octets, Realm::Production).unwrap_err().class, Class::WrongRealm);
        for at in 0..octets.len() {
            let mut bad = octets.clone();
            bad[at] ^= 1;
            assert!(Enrolment::read(&bad, Realm::Rehearsal).is_err(), "octet {at}");
        }
        let other = SshSigningKey::from_seed(&[8; 32]).unwrap();
        let forged = request(&key).sign(&other).unwrap().to_octets().unwrap();
        assert_eq!(Enrolment::read(&forged, Realm::Rehearsal).unwrap_err().class, Class::BadSignature);
    }

    #[test]
    fn an_answer_is_that_of_who_opened_this_challenge() {
        let key = SshSigningKey::from_seed(&[7; 32]).unwrap();
        let signed = request(&key).sign(&key).unwrap();
        let (digest, nonce) = (signed.digest().unwrap(), Digest::of(b"nonce"));
        let (about, found) = read_challenge(&challenge(Realm::Rehearsal, &digest, &nonce), Realm::Rehearsal).unwrap();
        assert_eq!((about, found), (digest, nonce));
        assert!(read_challenge(&challenge(Realm::Rehearsal, &digest, &nonce), Realm::Production).is_err());
        assert!(read_challenge("anchorite-challenge/1 rehearsal x y\n", Realm::Rehearsal).is_err());
        let answer = Answer::sign(Realm::Rehearsal, digest, &nonce, &key).unwrap().to_octets().unwrap();
        Answer::check(&answer, &signed, &nonce).unwrap();
        let guessed = Answer::sign(Realm::Rehearsal, digest, &Digest::of(b"guess"), &key).unwrap().to_octets().unwrap();
        assert_eq!(Answer::check(&guessed, &signed, &nonce).unwrap_err().class, Class::BadSignature);
        let other = SshSigningKey::from_seed(&[8; 32]).unwrap();
        let by_other = Answer::sign(Realm::Rehearsal, digest, &nonce, &other).unwrap().to_octets().unwrap();
        assert_eq!(Answer::check(&by_other, &signed, &nonce).unwrap_err().class, Class::BadSignature);
        let to_other = Answer::sign(Realm::Rehearsal, Digest::of(b"x"), &nonce, &key).unwrap().to_octets().unwrap();
        assert_eq!(Answer::check(&to_other, &signed, &nonce).unwrap_err().class, Class::Foreign);
    }
}
