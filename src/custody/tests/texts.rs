//! The text of a share: what comes back, what is corrected and shown, what is refused and where.

use super::*;
use crate::custody::checksum::ShareCode;
use crate::custody::{Correction, ShareError, lines};
use bech32::Checksum;
use bech32::primitives::checksum::Engine;
use proptest::prelude::*;
use proptest::sample::subsequence;

const ALPHABET: &[u8; 32] = b"QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L";

fn text(seed: u64) -> String {
    dealt(seed, Realm::Production, 3, 5)[1].to_text().expose_text().to_owned()
}

fn refused(text: &str) -> String {
    why(Share::parse(text))
}

/// Replaces the character at each place by another of the alphabet.
fn substituted(text: &str, places: &[usize], by: &[u8]) -> String {
    let mut characters = text.as_bytes().to_vec();
    for (place, by) in places.iter().zip(by) {
        let now = ALPHABET.iter().position(|c| *c == characters[*place]).unwrap();
        characters[*place] = ALPHABET[(now + usize::from(by % 31) + 1) % 32];
    }
    String::from_utf8(characters).unwrap()
}

fn corrected(typed: &str) -> Option<(Share, Vec<Correction>)> {
    match Share::parse(typed) {
        Ok(Parsed::Corrected { share, corrections }) => Some((share, corrections)),
        Ok(Parsed::Exact(_)) => panic!("accepted without a word"),
        Err(ShareError::Damaged) => None,
        Err(error) => panic!("{error}"),
    }
}

/// The worked example of `media/README.md`.
#[test]
fn the_example_of_the_specification_is_what_we_write() {
    let id = quorum_id(Realm::Production, "root-2026", "age1example", 1);
    assert_eq!(id.hex(), "1eec4f9e");
    let head = QuorumHead { realm: Realm::Production, quorum_id: id, generation: 1, threshold: 3, count: 5 };
    let share = Share::new(head.header(2), Secret::take((0..32).collect()));
    assert_eq!(crate::basics::digest::hex_encode(&share.header().octets()), "01001eec4f9e01030502");
    assert_eq!(
        share.to_text().expose_text(),
        "KS1RMKYL8SPQVZSYQQPQGPSGPGXQUYQJZSTPSXSURCSZYFPX9Q4ZCT3SXG6RVWP68SLNM4XEH7Q02D6P"
    );
    assert_eq!(share.commitment().hex(), "fed1e14bb7df91f35a60d8652abaea9cae728af2d0c1c28231352dca9c4833ea");
    let specification = include_str!("../../../media/README.md");
    for line in lines(&share.to_text()) {
        assert!(specification.contains(line.expose_text()), "{}", line.expose_text());
    }
    assert!(specification.contains(&share.commitment().hex()) && specification.contains(&id.hex()));
    let rehearsed =
        Share::new(QuorumHead { realm: Realm::Rehearsal, ..head }.header(2), Secret::take((0..32).collect()));
    assert!(rehearsed.to_text().expose_text().starts_with("KR1"));
}

/// BIP-93, test vector 1: our constants are those of the standard.
#[test]
fn the_code_is_that_of_bip_93() {
    ShareCode::sanity_check();
    let vector = "MS10TESTSXXXXXXXXXXXXXXXXXXXXXXXXXX4NZVCA9CMCZLW";
    let mut engine = Engine::<ShareCode>::new();
    engine.input_hrp(bech32::Hrp::parse("ms").unwrap());
    vector[3..].chars().for_each(|c| engine.input_fe(bech32::Fe32::from_char(c).unwrap()));
    assert_eq!(*engine.residue(), ShareCode::TARGET_RESIDUE);
}

#[test]
fn a_share_is_four_numbered_lines_of_five_groups() {
    let text = text(1);
    assert_eq!(text.len(), 80);
    let shown = lines(&Secret::take_text(text.clone()));
    assert_eq!(shown.len(), 4);
    for (number, line) in shown.iter().enumerate() {
        let mut parts = line.expose_text().split_whitespace();
        assert_eq!(parts.next(), Some((number + 1).to_string().as_str()));
        assert_eq!(parts.collect::<Vec<_>>().concat(), text[number * 20..][..20]);
        assert_eq!(line.len(), 27);
    }
}

#[test]
fn a_foreign_character_is_refused_with_its_place_and_a_suggestion() {
    let good = text(1);
    let with = |place: usize, foreign: &str| format!("{}{foreign}{}", &good[..place], &good[place + 1..]);
    let told = "line 2, group 3: 'B' is not in the share alphabet, did you mean 8";
    assert_eq!(refused(&with(28, "b")), told);
    assert_eq!(refused(&with(31, "B")), told);
    assert_eq!(refused(&with(3, "o")), "line 1, group 1: 'O' is not in the share alphabet, did you mean 0");
    assert_eq!(refused(&with(79, "1")), "line 4, group 5: '1' is not in the share alphabet, did you mean L");
    assert_eq!(refused(&with(40, "I")), "line 3, group 1: 'I' is not in the share alphabet, did you mean L");
    assert_eq!(refused(&with(40, "_")), "line 3, group 1: '_' is not in the share alphabet");
    assert_eq!(refused(&with(40, "\u{202e}")), "line 3, group 1: '<U+202E>' is not in the share alphabet");
    assert_eq!(refused(&with(40, "ſ")), "line 3, group 1: 'ſ' is not in the share alphabet");
}

#[test]
fn another_beginning_or_length_is_refused() {
    let good = text(1);
    let prefix = "line 1, group 1: expected a share to begin with KS1 (production) or KR1 (rehearsal)";
    for other in
        ["", "KS", "hello", "ſS1QQQQ", &good[1..], &good.replacen("KS1", "MS1", 1), &good.replacen("KS1", "K?1", 1)]
    {
        assert_eq!(refused(other), prefix, "{other}");
    }
    assert_eq!(refused(&good[..79]), "expected a share of 80 characters, found 79");
    assert_eq!(refused(&format!("{good}Q")), "expected a share of 80 characters, found 81");
    assert_eq!(refused(&format!("{good}{good}")), "expected a share of 80 characters, found 160");
    let lines = format!("{}\n{}\n\n{}\n{}\n", &good[..20], &good[20..39], &good[40..60], &good[60..]);
    assert_eq!(refused(&lines), "line 2: expected 20 characters, found 19");
    let unreadable = format!("{}?????????", &good[..71]);
    assert_eq!(refused(&unreadable), "expected at most 8 unreadable characters, found 9");
}

#[test]
fn a_share_of_one_realm_is_never_read_as_one_of_the_other() {
    for seed in 0..200 {
        let share = &dealt(seed, Realm::Production, 2, 2)[0];
        let text = share.to_text().expose_text().replacen("KS1", "KR1", 1);
        assert_eq!(refused(&text), ShareError::Damaged.to_string());
    }
}

#[test]
fn corrections_name_line_and_group_and_both_texts() {
    let good = text(1);
    let mut typed = good.clone().into_bytes();
    typed[30] = if typed[30] == b'V' { b'Y' } else { b'V' };
    typed[31] = b'?';
    typed[79] = b'?';
    let typed = String::from_utf8(typed).unwrap();
    let (share, corrections) = corrected(&typed).unwrap();
    assert_eq!(share.to_text().expose_text(), good);
    let shown: Vec<_> = corrections
        .iter()
        .map(|c| (c.position, c.place.to_string(), c.typed.expose_text(), c.should_be.expose_text()))
        .collect();
    let expected = vec![
        (31, "line 2, group 3".to_owned(), &typed[28..32], &good[28..32]),
        (80, "line 4, group 5".to_owned(), &typed[76..], &good[76..]),
    ];
    assert_eq!(shown, expected);
}

/// `Q` is zero, which also stands in for what cannot be read: the checksum holds, and still nothing is silent.
#[test]
fn an_unreadable_character_is_shown_even_where_zero_is_right() {
    let good = text(1);
    let place = good.find('Q').unwrap();
    let (share, corrections) = corrected(&format!("{}?{}", &good[..place], &good[place + 1..])).unwrap();
    assert_eq!(share.to_text().expose_text(), good);
    assert_eq!((corrections.len(), corrections[0].position), (1, place + 1));
}

#[test]
fn every_single_wrong_character_is_corrected_and_shown() {
    let good = text(9);
    for place in 3..80 {
        for by in 0..31 {
            let (share, corrections) = corrected(&substituted(&good, &[place], &[by])).unwrap();
            assert_eq!(share.to_text().expose_text(), good);
            assert_eq!((corrections.len(), corrections[0].position), (1, place + 1));
        }
    }
}

/// Why `correction.rs` exists. When this fails the crate has been mended, and its corrector may be tried again.
#[test]
fn the_corrector_of_the_bech32_crate_panics() {
    use bech32::primitives::correction::CorrectableError;
    use bech32::primitives::decode::UncheckedHrpstring;
    let good = text(1);
    std::panic::set_hook(Box::new(|_| ()));
    let panics = (0..400_usize).filter(|n| {
        let places: Vec<usize> = (0..6).map(|i| 3 + (n * 7 + i * 13) % 77).collect();
        let typed = substituted(&good, &places, &[*n as u8, 3, 9, 1, 4, (n / 31) as u8]);
        std::panic::catch_unwind(|| {
            let unchecked = UncheckedHrpstring::new(&typed).unwrap();
            let error = unchecked.validate_checksum::<ShareCode>().unwrap_err();
            error.correction_context::<ShareCode>().unwrap().bch_errors().map(|errors| errors.count())
        })
        .is_err()
    });
    let panics = panics.count();
    let _ = std::panic::take_hook();
    assert!(panics > 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_text_comes_back_however_it_is_laid_out(seed: u64, k in 2_u8..=255, index: u8, layout in prop::collection::vec(0_usize..6, 80)) {
        let header = ShareHeader { threshold: k, count: 255, ..head(Realm::Rehearsal, 2, 2).header(index) };
        let share = Share::new(header, identity(seed));
        let written = share.to_text();
        let typed: String = written.expose_text().chars().zip(layout).flat_map(|(c, n)| {
            [["", "", " ", "-", "\n", "\r\n\t"][n].to_owned(), if n == 1 { c.to_ascii_lowercase() } else { c }.to_string()]
        }).collect();
        let back = exact(&typed);
        prop_assert_eq!(back.header(), header);
        prop_assert!(back.value().same_as(share.value().expose()));
        prop_assert_eq!(back.commitment(), share.commitment());
    }

    #[test]
    fn up_to_four_wrong_characters_are_corrected(seed: u64, places in subsequence((3..80).collect::<Vec<_>>(), 1..=4), by: [u8; 4]) {
        let good = text(seed);
        let (share, corrections) = corrected(&substituted(&good, &places, &by)).unwrap();
        prop_assert!(share.to_text().same_as(good.as_bytes()));
        prop_assert!(!corrections.is_empty());
    }

    #[test]
    fn wrong_and_unreadable_characters_together_are_corrected_up_to_the_bound(
        seed: u64, by: [u8; 4], (wrong, places) in (0_usize..=4).prop_flat_map(|wrong| {
            let places = subsequence((3..80).collect::<Vec<_>>(), wrong.max(1)..=8 - wrong).prop_shuffle();
            (Just(wrong), places)
        }),
    ) {
        let good = text(seed);
        let mut typed = substituted(&good, &places[..wrong], &by).into_bytes();
        places[wrong..].iter().for_each(|place| typed[*place] = b'?');
        let (share, _) = corrected(&String::from_utf8(typed).unwrap()).unwrap();
        prop_assert!(share.to_text().same_as(good.as_bytes()));
    }

    #[test]
    fn five_to_eight_wrong_characters_are_never_accepted_silently(seed: u64, places in subsequence((3..80).collect::<Vec<_>>(), 5..=8), by: [u8; 8]) {
        let shares = dealt(seed, Realm::Production, 3, 5);
        let good = shares[1].to_text().expose_text().to_owned();
        // `corrected` panics where the text is taken as exact.
        if let Some((share, corrections)) = corrected(&substituted(&good, &places, &by)) {
            prop_assert!(!corrections.is_empty());
            prop_assert!(crate::custody::check(&share, &record(&shares), 2, &[]).is_err());
        }
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC{0,100}", tail in "(KS1|kr1)[qpzry9x8gf2tvdw0s3jn54khce6mua7l?]{77}") {
        let _ = Share::parse(&text);
        let read = Share::parse(&tail);
        prop_assert!(!matches!(read, Ok(Parsed::Exact(_))));
    }
}
