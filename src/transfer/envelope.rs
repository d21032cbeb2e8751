//! The envelope: one object on its way across the gap, with what it is and for which realm.
//!
//! One header line, then the content, and nothing after it:
//!
//! ```text
//! AE1 certificate production root.crt 5 2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824
//! hello
//! ```
//!
//! Version, kind, realm, name, octets of the content, SHA-256 of the content; one space between them, one line feed after
//! them. `head -n 1` shows the line and `tail -n +2` gives the content. The digest people compare is SHA-256 over all of
//! it, line and content, so that neither kind nor realm nor name can be exchanged under it.

use crate::basics::{Digest, Realm, SafeText, limits};

const VERSION: &str = "AE1";

/// What an envelope holds. Steps refuse a kind they did not ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Csr,
    Certificate,
    Chain,
    Crl,
    Enrolment,
    Order,
    Requests,
    BundleManifest,
    Receipt,
    IssuanceLog,
    Checkpoint,
    QuorumRecord,
    Attestation,
    Signature,
}

impl Kind {
    pub const ALL: [Self; 14] = [
        Self::Csr,
        Self::Certificate,
        Self::Chain,
        Self::Crl,
        Self::Enrolment,
        Self::Order,
        Self::Requests,
        Self::BundleManifest,
        Self::Receipt,
        Self::IssuanceLog,
        Self::Checkpoint,
        Self::QuorumRecord,
        Self::Attestation,
        Self::Signature,
    ];

    /// The word in the header line and on the screen.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Csr => "csr",
            Self::Certificate => "certificate",
            Self::Chain => "chain",
            Self::Crl => "crl",
            Self::Enrolment => "enrolment",
            Self::Order => "order",
            Self::Requests => "requests",
            Self::BundleManifest => "bundle-manifest",
            Self::Receipt => "receipt",
            Self::IssuanceLog => "issuance-log",
            Self::Checkpoint => "checkpoint",
            Self::QuorumRecord => "quorum-record",
            Self::Attestation => "attestation",
            Self::Signature => "signature",
        }
    }

    /// The article before its word, with a space after it.
    #[must_use]
    pub const fn article(self) -> &'static str {
        match self {
            Self::Enrolment | Self::Order | Self::IssuanceLog | Self::Attestation => "an ",
            Self::Requests => "",
            _ => "a ",
        }
    }

    /// The kind of exactly this word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.word())
    }
}

/// Why octets are no envelope, or cannot become one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    #[error("name of the envelope: expected 1 to 64 of A-Z a-z 0-9 . _ -, not opening with . or -, found {0}")]
    Name(SafeText),
    #[error("content of the envelope: expected 1 to {most} octets, found {found}")]
    Size { most: usize, found: usize },
    #[error("envelope: expected it to open with AE1, found {0}")]
    Version(SafeText),
    #[error("envelope: expected a header line of six words, found {0}")]
    Header(SafeText),
    #[error("envelope: expected a kind such as csr or certificate, found {0}")]
    Kind(SafeText),
    #[error("envelope: expected production or rehearsal, found {0}")]
    Realm(SafeText),
    #[error("envelope: expected a length without leading zeros, found {0}")]
    Length(SafeText),
    #[error("envelope: expected a SHA-256 of 64 lower-case hexadecimal digits, found {0}")]
    Digest(SafeText),
    #[error("envelope: expected {expected} octets of content, found {found}")]
    Content { expected: usize, found: usize },
    #[error("envelope: the content does not have the SHA-256 its header says")]
    Altered,
}

/// One object on its way across the gap. It exists only with a good name and size.
#[derive(Clone, PartialEq, Eq)]
pub struct Envelope {
    kind: Kind,
    realm: Realm,
    name: String,
    octets: Vec<u8>,
}

impl Envelope {
    /// Puts `octets` into an envelope.
    ///
    /// # Errors
    /// Where the name is not one every file system takes, or the content is empty or too long.
    pub fn new(kind: Kind, realm: Realm, name: &str, octets: Vec<u8>) -> Result<Self, EnvelopeError> {
        if !is_name(name) {
            return Err(EnvelopeError::Name(shown(name.as_bytes())));
        }
        let envelope = Self { kind, realm, name: name.to_owned(), octets };
        let most = limits::ENVELOPE_OCTETS - limits::ENVELOPE_HEADER_OCTETS;
        if envelope.octets.is_empty() || envelope.octets.len() > most {
            return Err(EnvelopeError::Size { most, found: envelope.octets.len() });
        }
        Ok(envelope)
    }

    /// Strict: every octet has one meaning, and `parse(x)?.to_octets() == x`.
    ///
    /// # Errors
    /// What is wrong, by field; octets after the content are refused.
    pub fn parse(octets: &[u8]) -> Result<Self, EnvelopeError> {
        let (envelope, rest) = Self::parse_front(octets)?;
        if !rest.is_empty() {
            let expected = envelope.octets.len();
            return Err(EnvelopeError::Content { expected, found: expected + rest.len() });
        }
        Ok(envelope)
    }

    /// The envelope at the front of `octets`, and what comes after it: frames and single codes are padded.
    pub(super) fn parse_front(octets: &[u8]) -> Result<(Self, &[u8]), EnvelopeError> {
        if !octets.starts_with(b"AE1 ") {
            return Err(EnvelopeError::Version(shown(octets.get(..4).unwrap_or(octets))));
        }
        let front = octets.get(..limits::ENVELOPE_HEADER_OCTETS).unwrap_or(octets);
        let bad_header = || EnvelopeError::Header(shown(front));
        let end = front.iter().position(|&octet| octet == b'\n').ok_or_else(bad_header)?;
        let (line, rest) = octets.split_at_checked(end).ok_or_else(bad_header)?;
        let rest = rest.get(1..).unwrap_or_default();
        let line = std::str::from_utf8(line).map_err(|_| bad_header())?;
        let words: Vec<&str> = line.split(' ').collect();
        let [_, kind, realm, name, length, digest] = words.as_slice() else { return Err(bad_header()) };
        let kind = Kind::parse(kind).ok_or_else(|| EnvelopeError::Kind(kind[..].into()))?;
        let realm = [Realm::Production, Realm::Rehearsal]
            .into_iter()
            .find(|known| known.word() == *realm)
            .ok_or_else(|| EnvelopeError::Realm(realm[..].into()))?;
        let expected = parse_length(length).ok_or_else(|| EnvelopeError::Length(length[..].into()))?;
        let digest = Digest::parse(digest).ok_or_else(|| EnvelopeError::Digest(digest[..].into()))?;
        let found = rest.len();
        let (content, rest) = rest.split_at_checked(expected).ok_or(EnvelopeError::Content { expected, found })?;
        if Digest::of(content) != digest {
            return Err(EnvelopeError::Altered);
        }
        Ok((Self::new(kind, realm, name, content.to_vec())?, rest))
    }

    /// The header line and the content.
    #[must_use]
    pub fn to_octets(&self) -> Vec<u8> {
        let mut all = self.header().into_bytes();
        all.push(b'\n');
        all.extend_from_slice(&self.octets);
        all
    }

    /// The header line, without its line feed.
    #[must_use]
    pub fn header(&self) -> String {
        let (kind, realm, name) = (self.kind, self.realm, &self.name);
        format!("{VERSION} {kind} {realm} {name} {} {}", self.octets.len(), Digest::of(&self.octets))
    }

    /// SHA-256 over the whole envelope: what is shown as words on both sides.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.to_octets())
    }

    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    #[must_use]
    pub const fn realm(&self) -> Realm {
        self.realm
    }

    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The content.
    #[must_use]
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// The content, for whoever keeps it.
    #[must_use]
    pub fn into_octets(self) -> Vec<u8> {
        self.octets
    }
}

impl std::fmt::Debug for Envelope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Envelope({})", self.header())
    }
}

/// Whether a name may travel: ASCII that every file system takes as it is, no path, no option, not hidden.
#[must_use]
pub fn is_name(name: &str) -> bool {
    (1..=limits::ENVELOPE_NAME_CHARS).contains(&name.len())
        && name.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'_' | b'-'))
        && !name.starts_with(['.', '-'])
        && !name.ends_with('.')
}

/// Decimal digits without leading zeros, small enough for an envelope.
fn parse_length(text: &str) -> Option<usize> {
    let digits = !text.is_empty() && text.len() <= 8 && text.bytes().all(|c| c.is_ascii_digit());
    let length = text.parse().ok().filter(|&length| (1..=limits::ENVELOPE_OCTETS).contains(&length))?;
    (digits && !text.starts_with('0')).then_some(length)
}

/// A few foreign octets as text that cannot hide anything.
fn shown(octets: &[u8]) -> SafeText {
    SafeText::cut(&String::from_utf8_lossy(octets), 60)
}
