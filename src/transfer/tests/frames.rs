//! The text of frames and single codes, by themselves and in the hands of coreutils.

use super::envelope;
use crate::basics::limits;
use crate::transfer::frame::{self, FRAME, SINGLE};
use crate::transfer::{Envelope, Frame, FrameError, Level, Matrix, Sender, TransferId, sender};
use data_encoding::BASE32_NOPAD;
use proptest::prelude::*;
use std::io::Write;
use std::process::{Command, Stdio};

fn sealed(magic: &str, mut octets: Vec<u8>) -> String {
    octets.extend(crc32c::crc32c(&octets).to_be_bytes());
    format!("{magic}{}", BASE32_NOPAD.encode(&octets))
}

#[test]
fn a_frame_of_each_version_fills_its_code_and_no_more() {
    let envelope = envelope(2_500, 1);
    for version in 3..=40 {
        let octets = sender::symbol_octets_of(version);
        let sender = Sender::new(&envelope, octets).unwrap();
        let text = sender.frame(7);
        assert_eq!(Matrix::of(&text, None, Level::L).unwrap().version(), version);
        // One octet more would be two characters more, and too many.
        assert!(text.len() + 2 > crate::transfer::matrix::capacity(version, Level::L));
    }
    assert_eq!([1, 2, 0, 41].map(sender::symbol_octets_of), [0; 4]);
    assert_eq!([15, 20].map(sender::symbol_octets_of), [446, 753]);
}

#[test]
fn what_is_wrong_with_a_frame_has_its_name() {
    let good = Sender::new(&envelope(300, 2), 40).unwrap().frame(0);
    let frame = Frame::parse(&good).unwrap();
    let altered = |from: usize, with: &str| format!("{}{with}{}", &good[..from], &good[from + with.len()..]);
    let id = [9; 16];
    let raw = |symbols: u16, symbol: usize| {
        let mut octets = id.to_vec();
        octets.extend(symbols.to_be_bytes());
        octets.extend([0, 0, 1]);
        octets.extend(vec![5; symbol]);
        sealed(FRAME, octets)
    };
    let cases = [
        (String::new(), "expected it to open with AF1"),
        ("AF2AAAA".into(), "found AF2AAAA"),
        (good.to_lowercase(), "expected it to open with AF1"),
        ("A".repeat(limits::FRAME_CHARS + 1), "at most 4296 characters, found 4297"),
        (altered(9, "1"), "found 1 at character 10"),
        (altered(9, " "), "found   at character 10"),
        (altered(9, "="), "found = at character 10"),
        (altered(9, "a"), "found a at character 10"),
        (altered(9, if &good[9..10] == "A" { "B" } else { "A" }), "checksum is wrong"),
        (good[..good.len() - 1].into(), "no whole number of octets|checksum is wrong"),
        ("AF1".into(), "no whole number of octets"),
        (sealed(FRAME, vec![]), "a symbol of at least 16 octets, found 0"),
        (raw(3, 15), "a symbol of at least 16 octets, found 15"),
        (raw(0, 40), "1 to 8192 source symbols and at most 4194304 octets together, found 0 of 40"),
        (raw(8193, 40), "1 to 8192 source symbols"),
        (raw(65535, 2000), "1 to 8192 source symbols"),
        (raw(8192, 600), "at most 4194304 octets together, found 8192 of 600"),
    ];
    assert_eq!(frame.encode(), good);
    for (text, expected) in cases {
        let error = Frame::parse(&text).unwrap_err().to_string();
        assert!(expected.split('|').any(|part| error.contains(part)), "{text:?}: {error}");
    }
}

#[test]
fn trailing_bits_of_the_base32_must_be_zero() {
    let good = Frame::new(TransferId::from_octets([1; 16]), 3, 1, vec![5; 16]).unwrap().encode();
    let (front, last) = good.split_at(good.len() - 1);
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let next = &alphabet[alphabet.find(last).unwrap() + 1..][..1];
    assert!(matches!(Frame::parse(&format!("{front}{next}")), Err(FrameError::Torn(_))));
}

#[test]
fn a_frame_has_only_characters_of_the_alphanumeric_mode() {
    let envelope = envelope(700, 3);
    let sender = Sender::new(&envelope, 61).unwrap();
    for n in 0..40 {
        assert!(sender.frame(n).chars().all(crate::transfer::matrix::is_alphanumeric));
        assert!(sender.frame(n).bytes().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit()));
    }
}

#[test]
fn a_frame_is_refused_when_one_bit_of_it_is_wrong() {
    let good = Frame::parse(&Sender::new(&envelope(300, 2), 40).unwrap().frame(9)).unwrap();
    let octets = BASE32_NOPAD.decode(&good.encode().as_bytes()[3..]).unwrap();
    for bit in 0..octets.len() * 8 {
        let mut octets = octets.clone();
        octets[bit / 8] ^= 1 << (bit % 8);
        let text = format!("{FRAME}{}", BASE32_NOPAD.encode(&octets));
        assert_eq!(Frame::parse(&text), Err(FrameError::Checksum));
    }
}

#[test]
fn what_fits_one_code_any_phone_reads_is_one_plain_code() {
    let small = envelope(400, 4);
    let text = sender::single(&small).unwrap();
    assert_eq!(frame::parse_single(&text).unwrap(), small);
    assert!(Matrix::of(&text, None, Level::L).unwrap().version() <= limits::SINGLE_CODE_VERSION);
    assert_eq!(sender::single(&envelope(1_200, 4)), None);
    assert!(sender::single_within(&envelope(1_200, 4), 30, Level::L).is_some());
    assert!(sender::single_within(&small, 12, Level::L).is_none());
    for octets in 1..30 {
        let envelope = envelope(octets, 5);
        let text = frame::single(&envelope);
        assert_eq!(text.len(), frame::single_chars(envelope.to_octets().len()));
        assert_eq!(frame::parse_single(&text).unwrap(), envelope);
    }
}

#[test]
fn what_is_wrong_with_a_single_code_has_its_name() {
    let whole = envelope(5, 6).to_octets();
    let padded = |zeros: usize, last: u8| {
        let mut octets = whole.clone();
        octets.extend(vec![0; zeros]);
        if let Some(octet) = octets.last_mut().filter(|_| zeros > 0) {
            *octet = last;
        }
        sealed(SINGLE, octets)
    };
    let right = (0..5).find(|zeros| (whole.len() + zeros + 4).is_multiple_of(5)).unwrap();
    for zeros in 0..12 {
        let parsed = frame::parse_single(&padded(zeros, 0));
        assert_eq!(parsed.is_ok(), zeros == right, "{zeros}");
    }
    assert_eq!(frame::parse_single(&padded(right.max(1), 9)), Err(FrameError::Padding));
    let error = frame::parse_single(&sealed(SINGLE, b"AE1 hello".to_vec())).unwrap_err();
    assert!(error.to_string().contains("six words"), "{error}");
    let good = padded(right, 0);
    let last = if good.ends_with('A') { "B" } else { "A" };
    assert_eq!(frame::parse_single(&format!("{}{last}", &good[..good.len() - 1])), Err(FrameError::Checksum));
}

/// Runs the line of `media/README.md` with the real coreutils on what a phone shows.
fn coreutils(line: &str, text: &str) -> Vec<u8> {
    let mut shell = Command::new("sh").args(["-c", line]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    shell.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = shell.wait_with_output().unwrap();
    assert!(output.status.success(), "{line}");
    output.stdout
}

#[test]
fn coreutils_alone_turn_a_single_code_into_the_file() {
    for octets in [1, 2, 3, 4, 5, 613] {
        let envelope = envelope(octets, 7);
        let text = format!("{}\n", frame::single(&envelope));
        let header = coreutils("cut -c4- | base32 -d | head -n 1", &text);
        assert_eq!(header, format!("{}\n", envelope.header()).into_bytes());
        let line = format!("cut -c4- | base32 -d | tail -n +2 | head -c {octets}");
        assert_eq!(coreutils(&line, &text), envelope.octets());
        let line = format!("cut -c4- | base32 -d | head -c {} | sha256sum", header.len() + octets);
        assert!(coreutils(&line, &text).starts_with(envelope.digest().hex().as_bytes()));
    }
}

proptest! {
    #[test]
    fn a_frame_that_parses_is_written_back_character_for_character(
        id in any::<[u8; 16]>(), symbols in 1..2_000_u16, esi in 0..1_u32 << 24, symbol in prop::collection::vec(any::<u8>(), 16..500),
    ) {
        let frame = Frame::new(TransferId::from_octets(id), symbols, esi, symbol).unwrap();
        let text = frame.encode();
        prop_assert_eq!(Frame::parse(&text).unwrap(), frame);
    }

    #[test]
    fn no_text_is_a_frame_by_accident(body in "[A-Z2-7]{0,200}") {
        for magic in [FRAME, SINGLE] {
            let text = format!("{magic}{body}");
            prop_assert!(Frame::parse(&text).is_err() && frame::parse_single(&text).is_err());
        }
    }

    #[test]
    fn a_mutated_single_code_is_never_another_envelope(at in 3..300_usize, with in "[A-Z2-7]") {
        let envelope = envelope(150, 8);
        let text = frame::single(&envelope);
        let at = at % text.len();
        let mutated = format!("{}{with}{}", &text[..at], &text[at + 1..]);
        let parsed: Result<Envelope, _> = frame::parse_single(&mutated);
        prop_assert!(parsed.is_err() || parsed.unwrap() == envelope);
    }
}
