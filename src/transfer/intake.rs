//! Everything that texts of codes can be to somebody who waits for an object: frames, single codes, a PEM text in a plain code, the
//! calibration code of a scanner. One place, whatever the texts were read with.

use crate::basics::{Realm, SafeText};
use crate::transfer::calibration::Layout;
use crate::transfer::{Envelope, Kind, Progress, Receiver, Taken};

/// What is waited for; `None` takes any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    pub kind: Option<Kind>,
    pub realm: Option<Realm>,
}

impl Expected {
    /// What is waited for, as people read it.
    #[must_use]
    pub fn words(&self) -> String {
        describe(self.kind, self.realm)
    }
}

/// An object that has arrived whole.
#[derive(Clone, PartialEq, Eq)]
pub enum Object {
    Envelope(Envelope),
    /// A text in a plain code, or the octets of a UR of another program: nothing says their name or realm.
    Plain {
        kind: Option<Kind>,
        octets: Vec<u8>,
    },
}

/// What one text came to.
#[derive(Clone, PartialEq, Eq)]
pub enum Arrival {
    /// A frame, or no frame.
    Part(Taken),
    Object(Object),
    /// A whole object, and not the one that is waited for: said, dropped, and the waiting goes on.
    Unexpected {
        expected: String,
        found: String,
    },
    /// The calibration code.
    Calibration(Layout),
}

/// Takes texts until the expected object is whole.
#[derive(Default)]
pub struct Intake {
    expected: Expected,
    receiver: Receiver,
    unread: u64,
}

impl Intake {
    #[must_use]
    pub fn new(expected: Expected) -> Self {
        Self { expected, ..Self::default() }
    }

    /// Takes the text of one code.
    pub fn take(&mut self, text: &str) -> Arrival {
        if text.trim_start().starts_with(PEM) {
            return self.welcome(Object::Plain { kind: kind_of_pem(text), octets: with_line_end(text).into_bytes() });
        }
        if Layout::is_calibration(text) {
            return Arrival::Calibration(Layout::of(text));
        }
        match self.receiver.take(text) {
            Taken::Whole => match self.receiver.whole() {
                Some(envelope) => self.welcome(Object::Envelope(envelope)),
                None => match self.receiver.plain() {
                    Some(octets) => {
                        let kind = std::str::from_utf8(&octets).ok().and_then(kind_of_pem);
                        self.welcome(Object::Plain { kind, octets })
                    }
                    None => Arrival::Part(Taken::Whole),
                },
            },
            other => Arrival::Part(other),
        }
    }

    /// A picture or line in which there was no text: counted with what is unreadable.
    pub fn nothing_read(&mut self) {
        self.unread += 1;
    }

    #[must_use]
    pub fn progress(&self) -> Progress {
        let mut progress = self.receiver.progress();
        progress.unreadable += self.unread;
        progress
    }

    fn welcome(&self, object: Object) -> Arrival {
        let (kind, realm) = match &object {
            Object::Envelope(envelope) => (Some(envelope.kind()), Some(envelope.realm())),
            Object::Plain { kind, .. } => (*kind, None),
        };
        let kind_agrees = self.expected.kind.is_none_or(|expected| kind == Some(expected));
        // A plain text says no realm, so it is not of the one that is asked for.
        let realm_agrees = self.expected.realm.is_none_or(|expected| realm == Some(expected));
        if kind_agrees && realm_agrees {
            return Arrival::Object(object);
        }
        Arrival::Unexpected {
            expected: describe(self.expected.kind, self.expected.realm),
            found: describe(kind, realm),
        }
    }
}

const PEM: &str = "-----BEGIN ";

fn describe(kind: Option<Kind>, realm: Option<Realm>) -> String {
    let kind = kind.map_or("an object", Kind::word);
    realm.map_or_else(|| kind.to_owned(), |realm| format!("{kind} for {}", realm.word()))
}

fn kind_of_pem(text: &str) -> Option<Kind> {
    let label = text.trim_start().strip_prefix(PEM)?.split("-----").next()?;
    if !text.trim_end().ends_with(&format!("-----END {label}-----")) {
        return None;
    }
    match label {
        "CERTIFICATE" => Some(if text.matches(PEM).count() > 1 { Kind::Chain } else { Kind::Certificate }),
        "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => Some(Kind::Csr),
        "X509 CRL" => Some(Kind::Crl),
        "SSH SIGNATURE" => Some(Kind::Signature),
        _ => None,
    }
}

/// Scanners and codes drop the last line break; files end with one.
fn with_line_end(text: &str) -> String {
    format!("{}\n", text.trim().replace("\r\n", "\n").replace('\r', "\n"))
}

/// Progress in one line: rank of what is needed, and what came of every text.
#[must_use]
pub fn progress_line(progress: &Progress) -> String {
    let parts = if progress.need == 0 {
        "no part yet".to_owned()
    } else {
        format!("{} of {} parts", progress.have, progress.need)
    };
    let restarts = if progress.restarts == 0 { String::new() } else { format!(" · restarted {}", progress.restarts) };
    format!(
        "{parts}     new {} · again {} · other transfer {} · unreadable {}{restarts}",
        progress.new, progress.again, progress.other, progress.unreadable
    )
}

/// What a text that was no frame looked like.
#[must_use]
pub fn shown(text: &str) -> SafeText {
    SafeText::cut(text, 40)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transfer::Sender;

    fn object() -> Envelope {
        Envelope::new(Kind::Csr, Realm::Rehearsal, "issuing.csr", vec![7; 900]).unwrap()
    }

    fn arrive(expected: Expected) -> (Intake, Arrival) {
        let mut intake = Intake::new(expected);
        let sender = Sender::new(&object(), 78).unwrap();
        for n in 0..200 {
            match intake.take(&sender.frame(n)) {
                Arrival::Part(_) => {}
                whole => return (intake, whole),
            }
        }
        panic!("200 frames do not make it whole");
    }

    #[test]
    fn frames_make_the_object_that_is_expected() {
        let expected = Expected { kind: Some(Kind::Csr), realm: Some(Realm::Rehearsal) };
        assert!(matches!(arrive(expected).1, Arrival::Object(Object::Envelope(found)) if found == object()));
    }

    #[test]
    fn an_object_of_another_kind_or_realm_is_named_and_the_waiting_goes_on() {
        let (mut intake, arrival) = arrive(Expected { kind: Some(Kind::Crl), realm: Some(Realm::Production) });
        let Arrival::Unexpected { expected, found } = arrival else { panic!("it was welcome") };
        assert_eq!((expected.as_str(), found.as_str()), ("crl for production", "csr for rehearsal"));
        let crl = Envelope::new(Kind::Crl, Realm::Production, "root.crl", vec![9; 300]).unwrap();
        let sender = Sender::new(&crl, 78).unwrap();
        let whole = (0..50).map(|n| intake.take(&sender.frame(n))).find(|arrival| !matches!(arrival, Arrival::Part(_)));
        assert!(matches!(whole, Some(Arrival::Object(Object::Envelope(found))) if found == crl));
    }

    #[test]
    fn a_pem_text_in_a_plain_code_is_an_object() {
        let text = "-----BEGIN CERTIFICATE REQUEST-----\r\nMIIB\r\n-----END CERTIFICATE REQUEST-----";
        // It says no realm: whoever asks for one waits for an envelope.
        let mut intake = Intake::new(Expected { kind: Some(Kind::Csr), realm: Some(Realm::Production) });
        assert!(matches!(intake.take(text), Arrival::Unexpected { .. }));
        let mut intake = Intake::new(Expected { kind: Some(Kind::Csr), realm: None });
        assert!(
            matches!(intake.take("-----BEGIN CERTIFICATE REQUEST-----\nMIIB"), Arrival::Unexpected { .. }),
            "no end"
        );
        let Arrival::Object(Object::Plain { kind, octets }) = intake.take(text) else { panic!("no object") };
        assert_eq!(kind, Some(Kind::Csr));
        assert_eq!(
            String::from_utf8(octets).unwrap(),
            "-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----\n"
        );
        assert!(matches!(intake.take("-----BEGIN X509 CRL-----\n-----END X509 CRL-----"), Arrival::Unexpected { .. }));
    }

    #[test]
    fn a_ur_of_another_program_is_an_object_and_one_of_ours_an_envelope() {
        let mut intake = Intake::default();
        // A CBOR byte string of 14 octets, as another program writes it.
        let foreign = ur::encode(b"\x4efrom elsewhere", &ur::Type::Bytes);
        let Arrival::Object(Object::Plain { kind, octets }) = intake.take(&foreign) else { panic!("no object") };
        assert_eq!((kind, octets.as_slice()), (None, &b"from elsewhere"[..]));
        let ours = crate::transfer::ur::single_within(&object().to_octets(), 40, crate::transfer::Level::L).unwrap();
        assert!(matches!(intake.take(&ours), Arrival::Object(Object::Envelope(found)) if found == object()));
    }

    #[test]
    fn what_is_no_frame_is_counted_and_loses_nothing() {
        let mut intake = Intake::default();
        let sender = Sender::new(&object(), 78).unwrap();
        intake.take(&sender.frame(0));
        intake.take(&sender.frame(0));
        intake.take("https://example.com");
        intake.nothing_read();
        let progress = intake.progress();
        assert_eq!((progress.have, progress.new, progress.again, progress.unreadable), (1, 1, 1, 2));
        assert!(progress_line(&progress).starts_with("1 of "), "{}", progress_line(&progress));
        assert!(matches!(intake.take(crate::transfer::calibration::TEXT), Arrival::Calibration(Layout::Right)));
    }
}
