//! A slice of fuzzing with fixed seeds over what the authority side reads, as `transfer_fuzz.rs` for what crosses the gap. The corpora in
//! `tests/corpora` are the vectors, the goldens and the scripts of this project, as octets.

use crate::pki_judges::{certificate, crl, csr, profile, script};
use crate::program::{files, root};
use crate::transfer_judges::Dice;

type Judge = fn(&[u8]);

/// What is altered in each round: DER costs little, a whole script much.
const CORPORA: [(&str, Judge, u64); 5] = [
    ("csr", csr, 1_500),
    ("certificate", certificate, 3_000),
    ("crl", crl, 3_000),
    ("profile", profile, 2_000),
    ("script", script, 150),
];

fn corpus(which: &str) -> Vec<Vec<u8>> {
    files(&root().join("tests/corpora").join(which)).into_iter().map(|path| std::fs::read(path).unwrap()).collect()
}

#[test]
fn every_file_of_the_authority_s_corpora_is_judged() {
    for (which, judge, _) in CORPORA {
        let corpus = corpus(which);
        assert!(corpus.len() >= 6, "{which} has {} files", corpus.len());
        corpus.iter().for_each(|octets| judge(octets));
    }
}

/// Cuts, doubles, splices and changes octets; lengths of DER are changed as often as everything else together.
fn altered(octets: &[u8], other: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut octets = octets.to_vec();
    for _ in 0..=dice.below(3) {
        let at = dice.below(octets.len() + 1);
        match dice.below(8) {
            0 => octets.truncate(at),
            1 => octets.insert(at, dice.next() as u8),
            2 if at < octets.len() => octets[at] ^= 1 << dice.below(8),
            3 if at < octets.len() => octets[at] = b"\x00\x80\xff\x30\x31\xa0\x03\x02\"[]="[dice.below(12)],
            4 => octets.splice(at..at, other.iter().copied().skip(at).take(dice.below(60))).for_each(drop),
            5 if at + 1 < octets.len() => {
                octets.remove(at);
            }
            _ => {
                // A tag and its length: the length is one more or less.
                let tags: Vec<usize> =
                    (1..octets.len()).filter(|i| matches!(octets[i - 1], 0x30 | 0x31 | 2..=6)).collect();
                if let Some(place) = tags.get(dice.below(tags.len())) {
                    octets[*place] = octets[*place].wrapping_add(if dice.below(2) == 0 { 1 } else { 255 });
                }
            }
        }
    }
    octets
}

#[test]
fn what_grows_from_the_authority_s_corpora_is_judged() {
    let times = if std::env::var("ANCHORITE_TESTS").is_ok_and(|which| which == "full") { 8 } else { 1 };
    for (seed, (which, judge, rounds)) in (100..).zip(CORPORA) {
        let corpus = corpus(which);
        let mut dice = Dice(seed);
        for _ in 0..rounds * times {
            let [one, other] = [(); 2].map(|()| &corpus[dice.below(corpus.len())]);
            judge(&altered(one, other, &mut dice));
        }
    }
}
