//! Whole transfers: any order, any start, any losses, several at once.

use super::{Dice, envelope};
use crate::basics::limits;
use crate::transfer::{Envelope, Frame, FrameError, Level, Receiver, Sender, SenderError, Taken, code, frame, sender};

/// Feeds frames until something is whole; how many it took.
fn receive(texts: impl IntoIterator<Item = String>) -> Option<(Envelope, usize)> {
    let mut receiver = Receiver::new();
    for (index, text) in texts.into_iter().enumerate() {
        if receiver.take(&text) == Taken::Whole {
            return receiver.whole().map(|envelope| (envelope, index + 1));
        }
    }
    None
}

#[test]
fn the_source_frames_alone_are_enough_in_any_order() {
    let envelope = envelope(5_000, 1);
    let sender = Sender::new(&envelope, 100).unwrap();
    let count = u64::from(sender.source_frames());
    let mut texts: Vec<String> = (0..count).map(|n| sender.frame(n)).collect();
    for seed in 0..20 {
        Dice(seed).shuffle(&mut texts);
        assert_eq!(receive(texts.clone()).unwrap(), (envelope.clone(), texts.len()));
    }
}

#[test]
fn any_frames_do_from_any_start_with_any_losses() {
    for (octets, symbol) in [(1, 16), (17, 200), (900, 78), (10_000, 446), (60_000, 753)] {
        let envelope = envelope(octets, 2);
        let sender = Sender::new(&envelope, symbol).unwrap();
        let need = sender.source_frames() as usize;
        let mut more = 0;
        let mut dice = Dice(octets as u64);
        for start in [0, 1, need as u64, 1 << 20, sender.resumed_at(99)] {
            for lost in [0, 10, 30, 50] {
                let kept = (start..).filter(|_| dice.below(100) >= lost).take(need + 6).map(|n| sender.frame(n));
                let (got, used) = receive(kept).unwrap();
                assert_eq!(got, envelope);
                more += used - need;
            }
        }
        // RaptorQ needs one more in about one of a hundred.
        assert!(more <= 3, "{more} more frames over 20 transfers of {octets} octets");
    }
}

#[test]
fn every_size_around_a_whole_number_of_symbols_comes_back() {
    for octets in 1..120 {
        let envelope = envelope(octets, 3);
        let sender = Sender::new(&envelope, 32).unwrap();
        assert_eq!(receive((3..).map(|n| sender.frame(n)).take(20)).unwrap().0, envelope);
    }
}

#[test]
fn the_largest_envelope_crosses() {
    let most = limits::ENVELOPE_OCTETS - limits::ENVELOPE_HEADER_OCTETS;
    let envelope = envelope(most, 4);
    let sender = Sender::new(&envelope, sender::symbol_octets_of(40)).unwrap();
    assert_eq!(receive((0..).filter(|n| n % 3 != 0).map(|n| sender.frame(n)).take(2_000)).unwrap().0, envelope);
}

#[test]
fn a_sender_never_repeats_a_repair_frame_and_does_not_stall_by_phase() {
    let envelope = envelope(3_000, 5);
    let sender = Sender::new(&envelope, 100).unwrap();
    let texts: std::collections::BTreeSet<String> = (0..5_000).map(|n| sender.frame(n)).collect();
    assert_eq!(texts.len(), 5_000);
    let need = u64::from(sender.source_frames());
    for period in 2..=need + 1 {
        // Every frame but each `period`-th is lost, in step with the source symbols.
        assert!(receive((0..).step_by(period as usize).map(|n| sender.frame(n)).take(40)).is_some(), "{period}");
    }
    assert_ne!(sender.resumed_at(1), sender.resumed_at(2));
}

#[test]
fn a_restarted_sender_goes_on_being_useful() {
    let envelope = envelope(10_000, 6);
    let sender = Sender::new(&envelope, 446).unwrap();
    let half = u64::from(sender.source_frames()) / 2;
    let again = Sender::new(&envelope, 446).unwrap();
    let start = again.resumed_at(1_732_000_000);
    let texts = (0..half).map(|n| sender.frame(n)).chain((start..).map(|n| again.frame(n)).take(14));
    assert_eq!(receive(texts).unwrap().1, sender.source_frames() as usize);
}

#[test]
fn the_symbol_on_which_unguarded_arithmetic_overflows_is_made_and_decoded() {
    // K = K' = 989 has J = 691, and y of tuple(K', 3158229) is 2^32 - 1: y + 1 must wrap (RFC 6330, 5.3.5.1 and 5.3.5.4).
    let mut dice = Dice(7);
    let block = dice.octets(989 * 16);
    let encoder = code::Encoder::new(&block, 16).unwrap();
    let symbol = encoder.repair(3_158_229).unwrap();
    let mut received: Vec<(u32, Vec<u8>)> =
        block.chunks(16).enumerate().skip(1).map(|(esi, symbol)| (esi as u32, symbol.to_vec())).collect();
    received.push((3_158_229, symbol));
    received.extend((2_000..2_002).map(|esi| (esi, encoder.repair(esi).unwrap())));
    let received = received.iter().map(|(esi, symbol)| (*esi, symbol.as_slice()));
    assert_eq!(code::decode(989, 16, received), Some(block));
}

#[test]
fn another_size_of_symbols_is_another_transfer() {
    let envelope = envelope(3_000, 8);
    let ids: std::collections::BTreeSet<_> =
        [100, 101, 102, 500].map(|octets| Sender::new(&envelope, octets).unwrap().id()).into_iter().collect();
    assert_eq!(ids.len(), 4);
}

#[test]
fn a_foreign_frame_resets_nothing_and_both_transfers_end() {
    let (one, two) = (envelope(4_000, 9), envelope(4_000, 10));
    let senders = [&one, &two].map(|envelope| Sender::new(envelope, 200).unwrap());
    let mut receiver = Receiver::new();
    let mut got = Vec::new();
    for n in 0..30 {
        for sender in &senders {
            receiver.take(&sender.frame(n));
            got.extend(receiver.whole());
        }
    }
    assert_eq!(got, vec![one, two]);
}

#[test]
fn frames_of_two_transfers_in_any_mixture_never_give_anything_else() {
    let pairs = [(40, 60), (100, 100), (16, 16)];
    let (one, two) = (envelope(300, 11), envelope(300, 12));
    for seed in 0..super::sample(2_000, 100_000) {
        let mut dice = Dice(seed);
        let (first, second) = pairs[dice.below(3)];
        let senders = [Sender::new(&one, first).unwrap(), Sender::new(&two, second).unwrap()];
        let count = dice.below(36) as u64;
        let mut texts: Vec<String> =
            (0..count).flat_map(|n| [senders[0].frame(n * 2), senders[1].frame(n + 3)]).collect();
        dice.shuffle(&mut texts);
        let mut receiver = Receiver::new();
        let mut got = Vec::new();
        for text in texts {
            receiver.take(&text);
            got.extend(receiver.whole());
        }
        assert!(got.iter().all(|envelope| *envelope == one || *envelope == two));
        assert!(got.len() <= 2);
        assert!(count < 30 || got.len() == 2, "seed {seed}: {count} frames each gave {}", got.len());
    }
}

#[test]
fn progress_counts_rank_and_every_kind_of_frame() {
    let envelope = envelope(2_000, 13);
    let sender = Sender::new(&envelope, 200).unwrap();
    let other = Sender::new(&envelope, 100).unwrap();
    let mut receiver = Receiver::new();
    assert_eq!(receiver.progress(), Default::default());
    assert_eq!(receiver.take(&sender.frame(0)), Taken::New);
    assert_eq!(receiver.take(&sender.frame(0)), Taken::Again);
    assert_eq!(receiver.take(&format!(" {}\r\n", sender.frame(500))), Taken::New);
    assert_eq!(receiver.take(&other.frame(3)), Taken::OtherTransfer);
    assert_eq!(
        receiver.take("HTTPS://EXAMPLE.COM"),
        Taken::Unreadable(FrameError::Foreign("HTTPS://EXAM<7 more characters>".into()))
    );
    let progress = receiver.progress();
    assert_eq!((progress.id, progress.have, progress.need), (Some(sender.id()), 2, 11));
    assert_eq!((progress.new, progress.again, progress.other, progress.unreadable), (2, 1, 1, 1));
    for n in 1..9 {
        assert_eq!(receiver.take(&sender.frame(n)), Taken::New);
    }
    assert_eq!(receiver.take(&sender.frame(9)), Taken::Whole);
}

#[test]
fn a_single_code_is_taken_like_frames_and_only_once() {
    let envelope = envelope(300, 14);
    let text = sender::single(&envelope).unwrap();
    let mut receiver = Receiver::new();
    assert_eq!(receiver.take(&text), Taken::Whole);
    assert_eq!(receiver.take(&text), Taken::Again);
    assert_eq!(receiver.whole(), Some(envelope));
    assert_eq!(receiver.whole(), None);
}

#[test]
fn sizes_that_give_no_frames_are_refused_by_name() {
    let error = |octets, symbol| Sender::new(&envelope(octets, 15), symbol).map(|_| ()).unwrap_err();
    let most = sender::symbol_octets_of(40);
    assert_eq!(error(10, 15), SenderError::SymbolSize { most, found: 15 });
    assert_eq!(error(10, most + 1), SenderError::SymbolSize { most, found: most + 1 });
    assert!(matches!(error(200_000, 16), SenderError::Many { symbol_octets: 16, symbols } if symbols > 8_192));
    assert!(sender::symbol_octets_at(20, Level::Q) < sender::symbol_octets_at(20, Level::L));
}

#[test]
fn frames_of_a_finished_transfer_are_known() {
    let envelope = envelope(500, 16);
    let sender = Sender::new(&envelope, 100).unwrap();
    let mut receiver = Receiver::new();
    for n in 0..sender.source_frames() {
        receiver.take(&sender.frame(u64::from(n)));
    }
    assert_eq!(receiver.whole(), Some(envelope));
    for n in 0..50 {
        assert_eq!(receiver.take(&sender.frame(n)), Taken::Again);
    }
    assert_eq!(receiver.whole(), None);
}

#[test]
fn the_tests_read_frames_as_the_receiver_does() {
    let sender = Sender::new(&envelope(500, 17), 100).unwrap();
    assert_eq!(Frame::parse(&sender.frame(0)).unwrap().id(), sender.id());
    assert!(frame::parse_single(&sender.frame(0)).is_err());
}
