//! Frames made by somebody who wants a wrong envelope, or none, or all our memory.

use super::{Dice, envelope};
use crate::basics::limits;
use crate::transfer::{Frame, Receiver, Restart, Sender, Taken, TransferId};

/// The same frame with another symbol and a good checksum.
fn lie(text: &str, dice: &mut Dice) -> String {
    let frame = Frame::parse(text).unwrap();
    let symbol = dice.octets(frame.symbol().len());
    Frame::new(frame.id(), frame.symbols(), frame.esi(), symbol).unwrap().encode()
}

#[test]
fn a_few_lies_with_good_checksums_cost_a_few_frames_and_nothing_else() {
    for (octets, symbol, lies, within) in
        [(1_000, 100, 1, 16), (10_000, 446, 1, 16), (10_000, 446, 2, 64), (40_000, 446, 1, 32)]
    {
        let envelope = envelope(octets, 1);
        let sender = Sender::new(&envelope, symbol).unwrap();
        for seed in 0..5 {
            let mut dice = Dice(seed);
            let mut receiver = Receiver::new();
            let mut lied = Vec::new();
            while lied.len() < lies {
                let n = dice.below(sender.source_frames() as usize) as u64;
                if !lied.contains(&n) {
                    lied.push(n);
                }
            }
            let more = (0..).find(|&n| {
                let text = sender.frame(n);
                let text = if lied.contains(&n) { lie(&text, &mut dice) } else { text };
                receiver.take(&text) == Taken::Whole
            });
            assert_eq!(receiver.whole(), Some(envelope.clone()));
            let more = more.unwrap() + 1 - u64::from(sender.source_frames());
            assert!(more <= within, "{lies} lies in {octets} octets took {more} more frames");
            assert_eq!(receiver.progress().restarts, 0);
        }
    }
}

#[test]
fn many_lies_end_in_a_named_restart_and_never_in_a_wrong_envelope() {
    let envelope = envelope(2_000, 2);
    let sender = Sender::new(&envelope, 100).unwrap();
    let mut dice = Dice(3);
    let mut receiver = Receiver::new();
    let mut restarted = 0;
    for n in 0..400 {
        match receiver.take(&lie(&sender.frame(n), &mut dice)) {
            Taken::Restarted(why) => {
                assert_eq!(why, Restart::Poisoned);
                restarted += 1;
            }
            Taken::Whole => panic!("a wrong envelope was accepted"),
            _ => {}
        }
    }
    assert!(restarted >= 3, "{restarted} restarts");
    assert_eq!(receiver.progress().restarts, restarted);
    // When the liar has gone, the transfer ends as ever.
    let whole = (10_000..10_200).any(|n| receiver.take(&sender.frame(n)) == Taken::Whole);
    assert!(whole);
    assert_eq!(receiver.whole(), Some(envelope));
}

#[test]
fn two_contents_under_one_number_are_both_set_aside() {
    let envelope = envelope(2_000, 4);
    let sender = Sender::new(&envelope, 100).unwrap();
    let mut dice = Dice(5);
    let mut receiver = Receiver::new();
    for n in 0..10 {
        receiver.take(&lie(&sender.frame(n), &mut dice));
        assert_eq!(receiver.take(&sender.frame(n)), Taken::Again);
    }
    assert_eq!(receiver.progress().have, 0);
    let used = (10..).position(|n| receiver.take(&sender.frame(n)) == Taken::Whole).unwrap() + 1;
    assert!(used <= sender.source_frames() as usize + 1);
    assert_eq!(receiver.whole(), Some(envelope));
}

#[test]
fn contradictions_without_end_are_a_named_restart() {
    let sender = Sender::new(&envelope(2_000, 6), 100).unwrap();
    let mut dice = Dice(7);
    let mut receiver = Receiver::new();
    let restarted = (0..100).any(|n| {
        receiver.take(&lie(&sender.frame(n), &mut dice));
        receiver.take(&sender.frame(n)) == Taken::Restarted(Restart::Disputed)
    });
    assert!(restarted);
}

#[test]
fn a_copied_id_with_other_numbers_is_another_transfer() {
    let envelope = envelope(2_000, 8);
    let sender = Sender::new(&envelope, 100).unwrap();
    let mut receiver = Receiver::new();
    // First of all come frames that claim to be this transfer with other counts and sizes.
    for symbols in [1, 2, 8_000] {
        receiver.take(&Frame::new(sender.id(), symbols, 0, vec![1; 100]).unwrap().encode());
    }
    receiver.take(&Frame::new(sender.id(), 21, 0, vec![1; 99]).unwrap().encode());
    let whole = (0..).take(30).position(|n| receiver.take(&sender.frame(n)) == Taken::Whole);
    assert_eq!(whole, Some(sender.source_frames() as usize - 1));
    assert_eq!(receiver.whole(), Some(envelope));
}

#[test]
fn whoever_sprays_new_ids_displaces_nothing_that_has_come_further() {
    let envelope = envelope(2_000, 9);
    let sender = Sender::new(&envelope, 100).unwrap();
    let mut dice = Dice(10);
    let mut receiver = Receiver::new();
    let mut n = 0;
    let whole = (0..sender.source_frames()).any(|_| {
        for _ in 0..40 {
            let id = TransferId::from_octets(dice.octets(16).try_into().unwrap());
            receiver.take(&Frame::new(id, 50, 0, dice.octets(100)).unwrap().encode());
        }
        // Two frames at first: one alone is worth as much as the sprayed ones.
        receiver.take(&sender.frame(n));
        n += 1;
        n == 1 && receiver.take(&sender.frame(100)) == Taken::Whole || receiver.progress().have == 0
    });
    assert!(!whole);
    assert_eq!(receiver.whole(), Some(envelope));
}

#[test]
fn what_is_kept_is_bounded_in_transfers_and_octets() {
    let mut dice = Dice(11);
    let mut receiver = Receiver::new();
    let symbol = vec![7; 2_600];
    // Nine transfers that never end, 23 MiB together if nobody counted.
    for n in 0..super::sample(9_000, 80_000) {
        let id = TransferId::from_octets([dice.below(9) as u8; 16]);
        let mut symbol = symbol.clone();
        symbol[..8].copy_from_slice(&n.to_be_bytes());
        receiver.take(&Frame::new(id, 1_600, n as u32, symbol).unwrap().encode());
        assert!(receiver.kept().0 <= limits::TRANSFERS);
        assert!(receiver.kept().1 <= limits::TRANSFER_OCTETS);
    }
}

#[test]
fn frames_of_one_source_symbol_and_of_the_most_are_judged_in_bounded_time() {
    let mut dice = Dice(12);
    let mut receiver = Receiver::new();
    for n in 0..300 {
        let one = Frame::new(TransferId::from_octets([1; 16]), 1, n, dice.octets(64)).unwrap();
        assert_ne!(receiver.take(&one.encode()), Taken::Whole);
        let most = Frame::new(TransferId::from_octets([2; 16]), 8_192, n, dice.octets(64)).unwrap();
        assert!(matches!(receiver.take(&most.encode()), Taken::New | Taken::OtherTransfer));
    }
    assert!(receiver.progress().restarts >= 5);
}

#[test]
fn another_good_envelope_under_a_copied_id_is_a_lie_too() {
    let (honest, forged) = (envelope(2_000, 13), envelope(2_000, 14));
    let [sender, liar] = [&honest, &forged].map(|envelope| Sender::new(envelope, 100).unwrap());
    let mut receiver = Receiver::new();
    for n in 0..40 {
        let text = Frame::parse(&liar.frame(n)).unwrap();
        let lie = Frame::new(sender.id(), text.symbols(), text.esi(), text.symbol().to_vec()).unwrap();
        assert_ne!(receiver.take(&lie.encode()), Taken::Whole);
    }
    let kept = limits::FRAME_SYMBOLS as u64;
    let whole = (100..100 + kept).any(|n| receiver.take(&sender.frame(n)) == Taken::Whole);
    assert!(whole);
    assert_eq!(receiver.whole(), Some(honest));
}
