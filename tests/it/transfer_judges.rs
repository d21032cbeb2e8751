//! What must hold for any octets whatever: one judge a parser. The slice in `transfer_fuzz.rs` runs them over the corpora and
//! over generated cases; the targets in `fuzz/` include this file and run them under libFuzzer.

use anchorite::basics::{Realm, limits};
use anchorite::ceremony::event::Via;
use anchorite::ceremony::object;
use anchorite::transfer::{Envelope, Frame, Kind, Receiver, Sender, Taken, TransferId, UrReceiver, UrSender, frame};
use data_encoding::BASE32_NOPAD;
use std::sync::LazyLock;

/// Numbers that are the same everywhere (SplitMix64).
pub struct Dice(pub u64);

impl Dice {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    pub fn octets(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next() as u8).collect()
    }
}

/// The text of a frame or single code: what is read is written back character for character, and is within its bounds.
pub fn frame_text(octets: &[u8]) {
    let Ok(text) = std::str::from_utf8(octets) else { return };
    if let Ok(frame) = Frame::parse(text) {
        assert_eq!(frame.encode(), text);
        assert!((1..=limits::FRAME_SYMBOLS).contains(&usize::from(frame.symbols())) && frame.esi() < 1 << 24);
        let together = (usize::from(frame.symbols()) - 1) * frame.symbol().len();
        assert!(together < limits::ENVELOPE_OCTETS && text.len() <= limits::FRAME_CHARS);
    }
    if let Ok(envelope) = frame::parse_single(text) {
        assert_eq!(frame::single(&envelope), text);
    }
    receiver_survives(&mut Receiver::new(), text);
}

/// An object that comes into a ceremony, as a file or in an answer: taken apart it is the same again, and so is what is inside it.
pub fn incoming(octets: &[u8]) {
    for kind in Kind::ALL {
        if let Ok(inside) = object::inner(kind, octets) {
            assert_eq!(object::inner(kind, &inside).as_deref(), Ok(inside.as_slice()), "{kind}");
        }
    }
    if let Ok(envelope) = Envelope::new(Kind::Csr, Realm::Rehearsal, "a.csr", octets.to_vec()) {
        let answer = object::answer(&envelope, Via::File);
        let arrived = object::arrived(Realm::Rehearsal, "csr", octets.len() as u64, &answer).unwrap();
        assert_eq!((arrived.octets.as_slice(), arrived.envelope), (octets, envelope.digest()));
        assert!(object::arrived(Realm::Production, "csr", octets.len() as u64, &answer).is_err());
    }
}

/// An envelope: strict, so that it has one form and its digest one meaning.
pub fn envelope(octets: &[u8]) {
    if let Ok(envelope) = Envelope::parse(octets) {
        assert_eq!(envelope.to_octets(), octets);
        assert!(envelope.header().is_ascii() && envelope.header().len() < limits::ENVELOPE_HEADER_OCTETS);
        assert!(Envelope::parse(&[octets, b"\0"].concat()).is_err());
    }
}

/// Lines of UR parts, of which some may be solved.
pub fn ur(octets: &[u8]) {
    let Ok(text) = std::str::from_utf8(octets) else { return };
    let mut parts = UrReceiver::new();
    let mut receiver = Receiver::new();
    for line in text.lines().take(200) {
        let _ = parts.take(line);
        if let Some((rank, count)) = parts.progress() {
            assert!(rank < count && count <= limits::UR_FRAGMENTS);
        }
        receiver_survives(&mut receiver, line);
    }
}

fn receiver_survives(receiver: &mut Receiver, text: &str) {
    if let Taken::Unreadable(error) = receiver.take(text) {
        let said = error.to_string();
        let hidden =
            said.chars().any(|c| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'));
        assert!(!hidden && said.len() < 2_000, "{said:?}");
    }
    while let Some(envelope) = receiver.whole() {
        assert!(Envelope::parse(&envelope.to_octets()).is_ok());
    }
    let _ = receiver.plain();
}

/// Two honest transfers, of which the second comes in two sizes of frames, and one in UR.
struct Honest {
    envelopes: [Envelope; 3],
    senders: [Sender; 3],
    ur: UrSender,
}

static HONEST: LazyLock<Honest> = LazyLock::new(|| {
    let envelope =
        |kind, realm, name, octets, seed| Envelope::new(kind, realm, name, Dice(seed).octets(octets)).unwrap();
    let envelopes = [
        envelope(Kind::Certificate, Realm::Production, "root.crt", 150, 1),
        envelope(Kind::Certificate, Realm::Rehearsal, "root.crt", 150, 1),
        envelope(Kind::Crl, Realm::Production, "root.crl", 200, 2),
    ];
    let senders = [(0, 32), (1, 32), (1, 61)].map(|(which, symbol)| Sender::new(&envelopes[which], symbol).unwrap());
    let ur = UrSender::new(&envelopes[2].to_octets(), 40).unwrap();
    Honest { envelopes, senders, ur }
});

/// Octets as a script of what a receiver is shown: honest frames of three transfers and a UR, and every kind of lie. Whatever the script,
/// nothing comes out but what was honestly sent.
pub fn reassembly(script: &[u8]) {
    let honest = &*HONEST;
    let mut receiver = Receiver::new();
    let mut dice = Dice(script.len() as u64);
    let mut last = String::new();
    for step in script.chunks(3).take(400) {
        let [what, which, number] = [0, 1, 2].map(|place| step.get(place).copied().unwrap_or(0));
        let sender = &honest.senders[usize::from(which) % honest.senders.len()];
        let n = u64::from(number) * if which & 0x80 == 0 { 1 } else { 65_537 };
        let frame = || Frame::parse(&sender.frame(n)).unwrap();
        let remade = |id, symbols, esi, symbol: Vec<u8>| {
            Frame::new(id, symbols, esi, symbol).map(|frame| frame.encode()).unwrap_or_default()
        };
        let text = match what % 12 {
            0..=3 => sender.frame(n),
            4 => remade(frame().id(), frame().symbols(), frame().esi(), dice.octets(frame().symbol().len())),
            5 => remade(frame().id(), u16::from(number) << (which % 9), frame().esi(), frame().symbol().to_vec()),
            6 => remade(frame().id(), frame().symbols(), u32::from(number) << (which % 18), frame().symbol().to_vec()),
            7 => remade(
                TransferId::from_octets([number; 16]),
                frame().symbols(),
                frame().esi(),
                frame().symbol().to_vec(),
            ),
            8 => remade(frame().id(), frame().symbols(), frame().esi(), vec![number; usize::from(which) + 10]),
            9 => honest.ur.part(u32::from(number)),
            10 => last.clone(),
            _ => mutated(&sender.frame(n), usize::from(which), number),
        };
        receiver_takes(&mut receiver, &text, honest);
        last = text;
    }
}

fn receiver_takes(receiver: &mut Receiver, text: &str, honest: &Honest) {
    let taken = receiver.take(text);
    let mut out = false;
    while let Some(envelope) = receiver.whole() {
        assert!(honest.envelopes.contains(&envelope), "a wrong envelope was accepted: {envelope:?}");
        out = true;
    }
    assert_eq!(receiver.plain(), None);
    assert_eq!(out, taken == Taken::Whole);
    let progress = receiver.progress();
    assert!(progress.have <= progress.need);
}

/// One octet under the base32 is changed; the checksum is made good again where `with` is odd.
pub fn mutated(text: &str, at: usize, with: u8) -> String {
    let Some(mut octets) = text.get(3..).and_then(|body| BASE32_NOPAD.decode(body.as_bytes()).ok()) else {
        return text.to_owned();
    };
    let payload = octets.len().saturating_sub(4);
    if payload == 0 {
        return text.to_owned();
    }
    let at = at % payload;
    octets[at] ^= with;
    if with & 1 == 1 {
        let checksum = crc32c::crc32c(&octets[..payload]).to_be_bytes();
        octets[payload..].copy_from_slice(&checksum);
    }
    format!("{}{}", &text[..3], BASE32_NOPAD.encode(&octets))
}
