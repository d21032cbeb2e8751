//! A slice of fuzzing with fixed seeds, in the normal suite: the committed corpora, then cases that a generator makes of
//! them. `ANCHORITE_TESTS=transfer` runs a million mutated frame texts. The judges are those of the targets in `fuzz/`.

use crate::program::{files, root};
use crate::transfer_judges::{Dice, envelope, frame_text, incoming, mutated, reassembly, ur};
use anchorite::basics::Realm;
use anchorite::transfer::{Envelope, Frame, Kind, Sender, TransferId, UrSender, frame};
use data_encoding::BASE32_NOPAD;

type Judge = fn(&[u8]);

const CORPORA: [(&str, Judge); 5] =
    [("frame", frame_text), ("envelope", envelope), ("ur", ur), ("reassembly", reassembly), ("incoming", incoming)];

fn many(few: u64, all: u64) -> u64 {
    match std::env::var("ANCHORITE_TESTS").as_deref() {
        Ok("transfer") => all,
        Ok("full") => few * 4,
        _ => few,
    }
}

fn corpus(which: &str) -> Vec<(String, Vec<u8>)> {
    let folder = root().join("tests/corpora").join(which);
    let name = |path: &std::path::Path| path.file_name().unwrap().to_string_lossy().into_owned();
    files(&folder).into_iter().map(|path| (name(&path), std::fs::read(&path).unwrap())).collect()
}

fn example() -> Envelope {
    Envelope::new(Kind::Certificate, Realm::Production, "root.crt", b"hello".to_vec()).unwrap()
}

fn sealed(magic: &str, octets: &[u8]) -> Vec<u8> {
    let octets = [octets, &crc32c::crc32c(octets).to_be_bytes()].concat();
    format!("{magic}{}", BASE32_NOPAD.encode(&octets)).into_bytes()
}

/// The part of a corpus that is written down here, so that it is known why each file is there.
fn seeds(which: &str) -> Vec<(&'static str, Vec<u8>)> {
    let sender =
        Sender::new(&Envelope::new(Kind::Crl, Realm::Rehearsal, "root.crl", vec![7; 100]).unwrap(), 32).unwrap();
    let raw = |symbols: u16, symbol: usize| {
        sealed("AF1", &[&[9; 16][..], &symbols.to_be_bytes(), &[0, 0, 1], &vec![5; symbol]].concat())
    };
    let e = example();
    let text = String::from_utf8(e.to_octets()).unwrap();
    match which {
        "frame" => vec![
            ("source", sender.frame(0).into_bytes()),
            ("repair", sender.frame(99).into_bytes()),
            ("single", frame::single(&e).into_bytes()),
            ("single-without-its-padding", sealed("AE1", &e.to_octets())),
            ("lower-case", sender.frame(0).to_lowercase().into_bytes()),
            ("padded-base32", format!("{}=", sender.frame(0)).into_bytes()),
            ("checksum-only", sealed("AF1", &[])),
            ("no-source-symbols", raw(0, 40)),
            ("most-source-symbols", raw(8_192, 16)),
            ("too-many-source-symbols", raw(65_535, 40)),
            ("too-many-octets", raw(8_192, 600)),
            ("symbol-too-short", raw(3, 15)),
            ("next-version", b"AF2AAAAAAAA".to_vec()),
            ("keyboard-layout-y-for-z", sender.frame(0).replace('Y', "Z").into_bytes()),
            ("bidi", "AF1\u{202e}AAAA".as_bytes().to_vec()),
            ("not-utf-8", vec![b'A', b'F', b'1', 0xff, 0xfe]),
        ],
        "incoming" => {
            let der = [0x30, 3, 2, 1, 7];
            let pem = "-----BEGIN CERTIFICATE REQUEST-----\nMAMCAQc=\n-----END CERTIFICATE REQUEST-----\n";
            vec![
                ("der", der.to_vec()),
                ("der-trailing-octet", [&der[..], &[0]].concat()),
                ("der-truncated", der[..4].to_vec()),
                ("der-indefinite-length", vec![0x30, 0x80, 2, 1, 7, 0, 0]),
                ("der-long-length", vec![0x30, 0x81, 3, 2, 1, 7]),
                ("der-length-of-four-gigabytes", vec![0x30, 0x84, 0xff, 0xff, 0xff, 0xff]),
                ("pem", pem.as_bytes().to_vec()),
                ("pem-carriage-returns", pem.replace('\n', "\r\n").into_bytes()),
                ("pem-twice", pem.repeat(2).into_bytes()),
                ("pem-another-label", pem.replace("CERTIFICATE REQUEST", "CERTIFICATE").into_bytes()),
                ("pem-one-long-line", pem.replace("MAMCAQc=", &"MAMCAQcA".repeat(20)).into_bytes()),
                ("pem-header", pem.replace("MAMCAQc=", "Proc-Type: 4,ENCRYPTED\n\nMAMCAQc=").into_bytes()),
            ]
        }
        "envelope" => vec![
            ("good", e.to_octets()),
            ("trailing-octet", [e.to_octets(), vec![0]].concat()),
            ("truncated", e.to_octets()[..60].to_vec()),
            ("two-spaces", text.replacen(' ', "  ", 1).into_bytes()),
            ("carriage-return", text.replace('\n', "\r\n").into_bytes()),
            ("leading-zero", text.replace(" 5 ", " 05 ").into_bytes()),
            ("huge-length", text.replace(" 5 ", " 18446744073709551616 ").into_bytes()),
            ("path-in-name", text.replace("root.crt", "../root.crt").into_bytes()),
            ("bidi-in-name", text.replace("root.crt", "root\u{202e}.crt").into_bytes()),
            ("unknown-kind", text.replace("certificate", "share").into_bytes()),
            ("unknown-realm", text.replace("production", "test").into_bytes()),
            ("upper-case-digest", text.replace("2cf24", "2CF24").into_bytes()),
            ("altered", text.replace("hello", "hullo").into_bytes()),
            ("no-line-feed", vec![b'A'; 400]),
        ],
        "ur" => {
            let sender = UrSender::new(&e.to_octets(), 30).unwrap();
            let lines = |range: std::ops::Range<u32>| {
                range.map(|n| sender.part(n)).collect::<Vec<_>>().join("\n").to_lowercase().into_bytes()
            };
            vec![
                ("source-parts", lines(0..5)),
                ("mixed-parts-only", lines(20..40)),
                ("bomb-of-a-million", b"ur:bytes/1000001-1000000/lpcybsfwgacxbsfwfzcybsfwfzasfpaxaddyaeaeae".to_vec()),
                ("bomb-of-400-million", b"ur:bytes/1-400000000/lpad".to_vec()),
                ("numbers-that-differ", String::from_utf8(lines(2..3)).unwrap().replace("/3-", "/4-").into_bytes()),
                ("zero", b"ur:bytes/0-0/aetdaowslg".to_vec()),
                ("other-type", b"ur:crypto-psbt/aetdaowslg".to_vec()),
                ("not-cbor", b"ur:bytes/iehsjyhspmwfwfia".to_vec()),
                ("single", ur::ur::encode(b"\x45hello", &ur::Type::Bytes).into_bytes()),
            ]
        }
        _ => {
            let script = |what: &[u8]| (0..60_u8).flat_map(|n| what.iter().flat_map(move |w| [*w, n % 3, n])).collect();
            vec![
                ("three-honest-transfers", script(&[0])),
                ("one-lie-in-two", script(&[0, 4])),
                ("copied-id-other-count", script(&[0, 5])),
                ("copied-id-other-number", script(&[0, 6])),
                ("sprayed-ids", script(&[7, 7, 0])),
                ("other-sizes", script(&[8, 0])),
                ("ur-between", script(&[9, 0])),
                ("everything-twice", script(&[0, 10])),
                ("only-lies", script(&[4])),
                ("mutated", script(&[11, 0])),
            ]
        }
    }
}

#[test]
fn the_corpora_hold_what_is_written_down_here() {
    for (which, _) in CORPORA {
        let folder = root().join("tests/corpora").join(which);
        for (name, octets) in seeds(which) {
            if std::env::var_os("BLESS").is_some() {
                std::fs::create_dir_all(&folder).unwrap();
                std::fs::write(folder.join(name), &octets).unwrap();
            }
            assert!(
                std::fs::read(folder.join(name)).is_ok_and(|there| there == octets),
                "{which}/{name}: BLESS=1 writes it"
            );
        }
    }
}

#[test]
fn every_file_of_the_corpora_is_judged() {
    for (which, judge) in CORPORA {
        let corpus = corpus(which);
        assert!(corpus.len() >= 9, "{which} has {} files", corpus.len());
        corpus.iter().for_each(|(_, octets)| judge(octets));
    }
}

/// Cuts, doubles, splices and changes octets.
fn altered(octets: &[u8], other: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut octets = octets.to_vec();
    for _ in 0..=dice.below(3) {
        let at = dice.below(octets.len() + 1);
        match dice.below(6) {
            0 => octets.truncate(at),
            1 => octets.insert(at, dice.next() as u8),
            2 if at < octets.len() => octets[at] ^= 1 << dice.below(8),
            3 if at < octets.len() => octets[at] = b"AZ27/-: \n\0\xff0"[dice.below(12)],
            4 => octets.splice(at..at, other.iter().copied().take(dice.below(40))).for_each(drop),
            _ => octets.rotate_left(at),
        }
    }
    octets
}

#[test]
fn what_grows_from_the_corpora_is_judged() {
    for (seed, (which, judge)) in (1..).zip(CORPORA) {
        let corpus = corpus(which);
        let mut dice = Dice(seed);
        let rounds = if which == "reassembly" { many(300, 20_000) } else { many(6_000, 200_000) };
        for _ in 0..rounds {
            let [one, other] = [(); 2].map(|()| &corpus[dice.below(corpus.len())].1);
            judge(&altered(one, other, &mut dice));
        }
    }
}

#[test]
fn random_scripts_never_end_in_a_wrong_envelope() {
    let mut dice = Dice(42);
    for _ in 0..many(300, 30_000) {
        let steps = 3 * dice.below(120);
        let mut script = dice.octets(steps);
        // Half of the scripts are mostly honest, or no transfer would ever end.
        if dice.below(2) == 0 {
            script.chunks_mut(3).for_each(|step| step[0] = if step[0] < 230 { 0 } else { step[0] });
        }
        reassembly(&script);
    }
}

#[test]
fn mutated_frame_texts_never_panic_and_never_make_an_envelope() {
    let envelope = Envelope::new(Kind::Csr, Realm::Production, "a.csr", Dice(3).octets(300)).unwrap();
    let sender = Sender::new(&envelope, 40).unwrap();
    let texts: Vec<String> = (0..60).map(|n| sender.frame(n)).chain([frame::single(&envelope)]).collect();
    let mut dice = Dice(7);
    let mut receiver = anchorite::transfer::Receiver::new();
    for _ in 0..many(20_000, 1_000_000) {
        let text = &texts[dice.below(texts.len())];
        let text = match dice.below(3) {
            // A single code under a new checksum is a new envelope: whoever can do that has no need of ours.
            0 if text.starts_with("AE1") => mutated(text, dice.below(400), dice.next() as u8 & !1),
            0 => mutated(text, dice.below(400), dice.next() as u8),
            1 => {
                let (at, with) = (dice.below(text.len()), b"ABYZ27 =a\n"[dice.below(10)]);
                let mut octets = text.clone().into_bytes();
                octets[at] = with;
                String::from_utf8(octets).unwrap()
            }
            _ => String::from_utf8_lossy(&altered(text.as_bytes(), b"AF1", &mut dice)).into_owned(),
        };
        receiver.take(&text);
        while let Some(whole) = receiver.whole() {
            assert_eq!(whole, envelope, "a mutated frame made an envelope");
        }
    }
}

#[test]
fn an_envelope_under_a_copied_id_is_not_accepted() {
    let text = Frame::new(TransferId::from_octets([1; 16]), 1, 0, example().to_octets()).unwrap().encode();
    let mut receiver = anchorite::transfer::Receiver::new();
    assert_ne!(receiver.take(&text), anchorite::transfer::Taken::Whole);
    assert_eq!(receiver.whole(), None);
}
