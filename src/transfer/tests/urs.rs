//! UR against the crate `ur`, which is a development dependency for this.

use super::{Dice, envelope};
use crate::transfer::matrix::capacity;
use crate::transfer::ur::{UrTaken, fragment_octets_of, single_within};
use crate::transfer::{FrameError, Level, Matrix, Receiver, Taken, UrError, UrReceiver, UrSender};
use proptest::prelude::*;

/// A CBOR byte string, written by hand.
fn cbor(octets: &[u8]) -> Vec<u8> {
    let length = u16::try_from(octets.len()).unwrap().to_be_bytes();
    let head = match octets.len() {
        0..24 => vec![0x40 + length[1]],
        24..256 => vec![0x58, length[1]],
        _ => vec![0x59, length[0], length[1]],
    };
    [head, octets.to_vec()].concat()
}

fn take_all(texts: impl IntoIterator<Item = String>) -> Option<(Vec<u8>, usize)> {
    let mut receiver = UrReceiver::new();
    texts.into_iter().enumerate().find_map(|(index, text)| match receiver.take(&text).unwrap() {
        UrTaken::Whole(octets) => Some((octets, index + 1)),
        _ => None,
    })
}

#[test]
fn one_part_is_read_and_written_as_the_crate_does() {
    for octets in [1, 5, 23, 24, 255, 256, 900] {
        let octets = Dice(octets as u64).octets(octets);
        let theirs = ur::ur::encode(&cbor(&octets), &ur::Type::Bytes);
        let ours = single_within(&octets, 40, Level::L).unwrap();
        assert_eq!(ours.to_lowercase(), theirs);
        for text in [&ours, &theirs] {
            assert_eq!(UrReceiver::new().take(text).unwrap(), UrTaken::Whole(octets.clone()));
        }
        let smallest = (1..=40).find(|&version| single_within(&octets, version, Level::L).is_some()).unwrap();
        assert!(Matrix::of(&ours, None, Level::L).unwrap().version() <= smallest);
    }
    assert_eq!(single_within(&[], 40, Level::L), None);
}

#[test]
fn every_part_is_the_one_the_crate_writes() {
    for (octets, most) in [(10, 3), (100, 7), (1_000, 30), (4_000, 586), (9_000, 11)] {
        let octets = Dice(1).octets(octets);
        let ours = UrSender::new(&octets, most).unwrap();
        let mut theirs = ur::Encoder::bytes(&cbor(&octets), most).unwrap();
        assert_eq!(theirs.fragment_count(), ours.source_parts() as usize);
        for n in 0..3 * ours.source_parts() + 20 {
            assert_eq!(ours.part(n).to_lowercase(), theirs.next_part().unwrap(), "part {n} of {} octets", octets.len());
        }
    }
}

#[test]
fn parts_of_the_crate_are_solved_also_when_only_mixed_ones_come() {
    for (octets, most, within) in [(200, 10, 40), (2_000, 60, 50), (20_000, 100, 215)] {
        let octets = Dice(2).octets(octets);
        let mut theirs = ur::Encoder::bytes(&cbor(&octets), most).unwrap();
        let count = theirs.fragment_count();
        let parts: Vec<String> = (0..6 * count).map(|_| theirs.next_part().unwrap()).collect();
        let (got, used) = take_all(parts[count..].iter().cloned()).unwrap();
        assert_eq!(got, octets);
        assert!(used <= within, "{used} of mixed parts only for {count} fragments");
        let lossy = parts.iter().enumerate().filter(|(n, _)| n % 3 != 0).map(|(_, part)| part.clone());
        assert_eq!(take_all(lossy).unwrap().0, octets);
    }
}

#[test]
fn the_crate_solves_our_parts_also_when_only_mixed_ones_come() {
    for start in [0, 41] {
        let octets = Dice(3).octets(2_000);
        let ours = UrSender::new(&octets, 50).unwrap();
        let mut theirs = ur::Decoder::default();
        let done = (start..start + 400).any(|n| {
            theirs.receive(&ours.part(n)).unwrap();
            theirs.complete()
        });
        assert!(done);
        assert_eq!(theirs.message().unwrap().unwrap(), cbor(&octets));
    }
}

#[test]
fn a_part_fills_its_code_and_no_more() {
    let octets = Dice(4).octets(30_000);
    for version in [5, 10, 20, 40] {
        let most = fragment_octets_of(version, Level::L);
        let sender = UrSender::new(&octets, most).unwrap();
        assert!(sender.part(u32::MAX - 1).len() <= capacity(version, Level::L));
        assert!(Matrix::of(&sender.part(5_000), Some(version), Level::L).is_ok());
    }
    assert_eq!(fragment_octets_of(1, Level::L), 0);
}

#[test]
fn hostile_numbers_are_refused_by_name_before_anything_is_made_of_them() {
    let letters = |fields: [u32; 4], sum: &[u8]| {
        let mut e = minicbor::Encoder::new(Vec::new());
        e.array(5).unwrap();
        let _ = fields.map(|field| e.u32(field).unwrap().ok().unwrap());
        e.bytes(sum).unwrap();
        ur::bytewords::encode(e.writer(), ur::bytewords::Style::Minimal)
    };
    let part = |fields: [u32; 4], sum: &[u8]| format!("ur:bytes/{}-{}/{}", fields[0], fields[1], letters(fields, sum));
    let size = |count, octets, fragment| UrError::Size { count, octets, fragment };
    let cases = [
        (part([1_000_001, 1_000_000, 9, 9], &[1]), UrError::Count(1_000_000)),
        (part([50_000_001, 400_000_000, 9, 9], &[1]), UrError::Count(400_000_000)),
        (part([1, 8_193, 8_193, 9], &[1]), UrError::Count(8_193)),
        (part([1, 8_192, u32::MAX, 9], &[1]), size(8_192, 4_294_967_295, 1)),
        (part([1, 2_000, 4_194_310, 9], &[1; 2_098]), size(2_000, 4_194_310, 2_098)),
        (part([1, 2, 0, 9], &[1]), size(2, 0, 1)),
        (part([1, 2, 9, 9], &[1]), size(2, 9, 1)),
        (part([1, 2, 2, 9], &[]), UrError::Cbor),
        (format!("ur:bytes/1-3/{}", letters([1, 2, 2, 9], &[1])), UrError::Numbers),
        (format!("ur:bytes/2-2/{}", letters([1, 2, 2, 9], &[1])), UrError::Numbers),
        (format!("ur:bytes/0-2/{}", letters([0, 2, 2, 9], &[1])), UrError::Numbers),
        (format!("ur:bytes/01-2/{}", letters([1, 2, 2, 9], &[1])), UrError::Numbers),
        (format!("ur:bytes/1-2-3/{}", letters([1, 2, 2, 9], &[1])), UrError::Numbers),
        (format!("ur:bytes/1-99999999999/{}", letters([1, 2, 2, 9], &[1])), UrError::Numbers),
        (format!("ur:bytes/1-2/{}", &letters([1, 2, 2, 9], &[1])[2..]), UrError::Letters),
        (format!("ur:bytes/1-2/{}a", letters([1, 2, 2, 9], &[1])), UrError::Letters),
        ("ur:bytes/".into(), UrError::Letters),
        ("ur:bytes/é".into(), UrError::Letters),
        ("ur:crypto-psbt/aetdaowslg".into(), UrError::Foreign("ur:crypto-psbt/aetdaowsl<1 more characters>".into())),
        ("ur:bytes/aetdaowslg".into(), UrError::Message),
        (format!("ur:bytes/{}", "ae".repeat(2_500)), UrError::Long(5_009)),
    ];
    let mut receiver = UrReceiver::new();
    for (text, expected) in cases {
        assert_eq!(receiver.take(&text), Err(expected), "{}", &text[..text.len().min(60)]);
    }
    assert_eq!(receiver.progress(), None);
}

#[test]
fn cbor_that_is_not_in_its_shortest_form_is_refused() {
    for message in [vec![0x58, 1, 7], vec![0x5f, 0x41, 7, 0xff], vec![0x41, 7, 0], vec![0x61, b'a'], vec![0x40], vec![]]
    {
        let text = ur::ur::encode(&message, &ur::Type::Bytes);
        assert_eq!(UrReceiver::new().take(&text), Err(UrError::Message), "{message:?}");
    }
}

#[test]
fn a_lie_is_left_out_and_messages_do_not_mix() {
    let (one, two) = (Dice(5).octets(300), Dice(6).octets(300));
    let senders = [UrSender::new(&one, 30).unwrap(), UrSender::new(&two, 30).unwrap()];
    let mut receiver = UrReceiver::new();
    let mut got = Vec::new();
    for n in 20..60 {
        for sender in &senders {
            if let Ok(UrTaken::Whole(octets)) = receiver.take(&sender.part(n)) {
                got.push(octets);
            }
        }
    }
    got.sort();
    let mut expected = vec![one.clone(), two];
    expected.sort();
    assert!(got == expected);

    // A part with a good checksum and a wrong sum.
    let honest = senders[0].part(3);
    let octets = ur::bytewords::decode(&honest.to_lowercase()[14..], ur::bytewords::Style::Minimal).unwrap();
    let mut lie = octets;
    *lie.last_mut().unwrap() ^= 1;
    let lie = format!("{}{}", &honest[..14], ur::bytewords::encode(&lie, ur::bytewords::Style::Minimal));
    let mut receiver = Receiver::new();
    assert_eq!(receiver.take(&lie), Taken::New);
    // The lie is left out; nobody starts again.
    let taken: Vec<Taken> = (4..100).map(|n| receiver.take(&senders[0].part(n))).collect();
    assert!(
        taken.contains(&Taken::Whole) && !taken.iter().any(|taken| matches!(taken, Taken::Restarted(_))),
        "{taken:?}"
    );
    let parts = taken.iter().position(|taken| *taken == Taken::Whole).unwrap();
    assert!(parts < 30, "{parts} parts");
    assert_eq!((receiver.whole(), receiver.plain()), (None, Some(one.clone())));

    // The same part twice with different sums: both are set aside, and it goes on with others.
    let mut receiver = Receiver::new();
    assert_eq!((receiver.take(&lie), receiver.take(&honest)), (Taken::New, Taken::Again));
    assert!((20..60).any(|n| receiver.take(&senders[0].part(n)) == Taken::Whole));
    assert_eq!(receiver.plain(), Some(one));
}

#[test]
fn nothing_but_lies_ends_in_a_restart() {
    let sender = UrSender::new(&Dice(5).octets(300), 30).unwrap();
    let mut receiver = Receiver::new();
    let lie = |n: u32| {
        let honest = sender.part(n);
        let at = honest.rfind('/').unwrap() + 1;
        let mut octets = ur::bytewords::decode(&honest.to_lowercase()[at..], ur::bytewords::Style::Minimal).unwrap();
        *octets.last_mut().unwrap() ^= u8::try_from(n % 255 + 1).unwrap();
        format!("{}{}", &honest[..at], ur::bytewords::encode(&octets, ur::bytewords::Style::Minimal))
    };
    assert!((0..400).any(|n| matches!(receiver.take(&lie(n)), Taken::Restarted(_))));
    // And then it works.
    assert!((500..600).any(|n| receiver.take(&sender.part(n)) == Taken::Whole));
}

#[test]
fn the_receiver_takes_ur_like_frames_and_an_envelope_in_it() {
    let envelope = envelope(700, 7);
    let sender = UrSender::new(&envelope.to_octets(), 100).unwrap();
    let mut receiver = Receiver::new();
    assert_eq!(receiver.take(&sender.part(0)), Taken::New);
    assert_eq!(receiver.take(&sender.part(0)), Taken::Again);
    assert_eq!((receiver.progress().have, receiver.progress().need), (1, sender.source_parts() as usize));
    assert!((20..60).any(|n| receiver.take(&sender.part(n)) == Taken::Whole));
    assert_eq!((receiver.whole(), receiver.plain()), (Some(envelope), None));
    assert_eq!(receiver.take(&sender.part(99)), Taken::Again);
    let error = receiver.take("ur:bytes/1-1000000/aetdaowslg");
    assert_eq!(error, Taken::Unreadable(FrameError::Ur(UrError::Count(1_000_000))));
}

#[test]
fn what_cannot_be_parts_is_refused() {
    assert!(matches!(UrSender::new(&[], 10).map(|_| ()), Err(UrError::Size { .. })));
    assert!(matches!(UrSender::new(&[1; 10_000], 1).map(|_| ()), Err(UrError::Size { count: 10_003, .. })));
    assert!(UrSender::new(&[1; 8_000], 0).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn any_parts_of_full_rank_give_the_octets(octets in prop::collection::vec(any::<u8>(), 1..600), most in 8..80_usize, seed in any::<u64>()) {
        let sender = UrSender::new(&octets, most).unwrap();
        let mut dice = Dice(seed);
        let texts = (0..).map(|_| sender.part((dice.next() % 100_000) as u32)).take(1_000);
        prop_assert_eq!(take_all(texts).unwrap().0, octets);
    }

    #[test]
    fn a_mutated_part_is_never_another_message(at in 0..200_usize, with in "[a-z0-9/:-]") {
        let octets = Dice(8).octets(60);
        let text = single_within(&octets, 40, Level::L).unwrap();
        let at = at % text.len();
        let mutated = format!("{}{with}{}", &text[..at], &text[at + 1..]);
        if let Ok(taken) = UrReceiver::new().take(&mutated) {
            prop_assert_eq!(taken, UrTaken::Whole(octets));
        }
    }
}
