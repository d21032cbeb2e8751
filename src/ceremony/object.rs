//! An object that came in, before anybody believes it: whether the answer is of one piece, of the kind and realm that were asked for, and
//! its DER where it is one. Whose it is, people and signatures say.

use crate::basics::digest::{hex_decode, hex_encode};
use crate::basics::{Digest, Realm, SafeText};
use crate::ceremony::event::{Answer, Via};
use crate::pki::pem;
use crate::transfer::envelope::{Envelope, Kind};

/// What an [`Answer::Object`] holds once its parts agree with each other and with what was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrived {
    pub kind: Kind,
    /// The name in its envelope: foreign, shown only.
    pub name: SafeText,
    pub via: Via,
    /// SHA-256 of the whole envelope.
    pub envelope: Digest,
    /// SHA-256 of the content.
    pub sha256: Digest,
    /// The content.
    pub octets: Vec<u8>,
}

/// The answer that an envelope makes.
#[must_use]
pub fn answer(envelope: &Envelope, via: Via) -> Answer {
    Answer::Object {
        kind: envelope.kind().word().to_owned(),
        name: envelope.name().to_owned(),
        via,
        digest: envelope.digest(),
        sha256: Digest::of(envelope.octets()),
        octets: hex_encode(envelope.octets()),
    }
}

/// Takes an answer apart; `kind` and `most` are those of the [`crate::ceremony::Ask::Object`] it answers.
///
/// # Errors
/// What does not agree: the record may have been written by anybody.
pub fn arrived(realm: Realm, kind: &str, most: u64, answer: &Answer) -> Result<Arrived, String> {
    let Answer::Object { kind: found, name, via, digest, sha256, octets } = answer else {
        return Err(format!("expected a {kind} from across the gap"));
    };
    if found != kind {
        return Err(format!("expected a {kind}, found a {}: nothing was taken in", SafeText::cut(found, 40)));
    }
    let kind = Kind::parse(kind).ok_or_else(|| format!("{kind}: no kind of object that crosses the gap"))?;
    let octets = hex_decode(octets).ok_or("expected the object's octets as lower-case hexadecimal")?;
    if octets.len() as u64 > most {
        return Err(format!("expected {}{kind} of at most {most} octets, found {}", kind.article(), octets.len()));
    }
    let envelope = Envelope::new(kind, realm, name, octets).map_err(|e| e.to_string())?;
    if envelope.digest() != *digest {
        return Err(format!(
            "the envelope does not have the digest it came with: expected {}, found {}",
            digest,
            envelope.digest()
        ));
    }
    let octets = envelope.into_octets();
    if Digest::of(&octets) != *sha256 {
        return Err(format!(
            "the object does not have the SHA-256 it came with: expected {sha256}, found {}",
            Digest::of(&octets)
        ));
    }
    Ok(Arrived { kind, name: SafeText::cut(name, 64), via: *via, envelope: *digest, sha256: *sha256, octets })
}

/// The octets that are signed and compared: DER of what is PEM, anything else as it is.
///
/// # Errors
/// Where a PEM text is not one whole block of its kind, or what should be DER is no single DER value.
pub fn inner(kind: Kind, octets: &[u8]) -> Result<Vec<u8>, String> {
    let labels = labels(kind);
    if labels.is_empty() {
        return Ok(octets.to_vec());
    }
    if octets.starts_with(b"-----BEGIN ") {
        let text = std::str::from_utf8(octets).map_err(|_| format!("expected the PEM of a {kind}, found no text"))?;
        // Some systems end lines with two characters; it is the same PEM.
        let text = text.replace("\r\n", "\n");
        let found = labels.iter().find_map(|label| pem::from_pem(label, &text).ok());
        let found = found.ok_or_else(|| {
            format!("expected one PEM block `{}` and nothing around it, lines of 64 characters", labels.join("` or `"))
        })?;
        return whole_der(kind, &found).map(|()| found);
    }
    whole_der(kind, octets).map(|()| octets.to_vec())
}

/// PEM labels of a kind that is one DER value; none of the kinds that are text.
const fn labels(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Csr => &["CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"],
        Kind::Certificate => &[pem::CERTIFICATE],
        Kind::Crl => &[pem::CRL],
        Kind::Chain
        | Kind::Enrolment
        | Kind::Order
        | Kind::Requests
        | Kind::BundleManifest
        | Kind::Receipt
        | Kind::IssuanceLog
        | Kind::Checkpoint
        | Kind::QuorumRecord
        | Kind::Attestation
        | Kind::Signature => &[],
    }
}

/// One SEQUENCE with a definite, shortest length, and nothing after it (X.690 10.1).
fn whole_der(kind: Kind, octets: &[u8]) -> Result<(), String> {
    use der::{Decode as _, Reader as _, SliceReader, Tag};
    let found = || SafeText::cut(&hex_encode(octets.get(..8).unwrap_or(octets)), 20);
    let refused = || format!("expected the DER or PEM of a {kind}, found octets that begin {}", found());
    let mut reader = SliceReader::new(octets).map_err(|_| refused())?;
    let header = der::Header::decode(&mut reader).map_err(|_| refused())?;
    if header.tag() != Tag::Sequence {
        return Err(refused());
    }
    let inside = usize::try_from(header.length()).unwrap_or(usize::MAX);
    let left = usize::try_from(reader.remaining_len()).unwrap_or(0);
    if inside == left {
        return Ok(());
    }
    Err(format!("expected one {kind} of {inside} octets of DER and nothing after it, found {left}"))
}

#[cfg(test)]
mod tests;
