//! Every reason to refuse a share, each with its own words.

use super::*;
use crate::custody::{ShareFault, check};
use proptest::prelude::*;

fn refused(share: &Share, record: &QuorumRecord, expected: u8, already: &[u8]) -> String {
    why(check(share, record, expected, already))
}

fn edited(share: &Share, edit: impl FnOnce(&mut ShareHeader)) -> Share {
    let mut header = share.header();
    edit(&mut header);
    remade(share, header)
}

#[test]
fn the_share_that_was_dealt_is_proven() {
    let shares = dealt(1, Realm::Production, 3, 5);
    let proven = check(&shares[1], &record(&shares), 2, &[1, 3]).unwrap();
    assert_eq!((proven.index(), *proven.commitment()), (2, shares[1].commitment()));
}

#[test]
fn a_damaged_share_is_refused_with_the_place() {
    let fault = ShareFault::from(Share::parse("KS1B").map(|_| ()).unwrap_err());
    let told = "the share cannot be read: line 1, group 1: 'B' is not in the share alphabet, did you mean 8";
    assert_eq!(fault.to_string(), told);
}

#[test]
fn a_share_of_the_other_realm_is_refused() {
    let shares = dealt(1, Realm::Production, 3, 5);
    let rehearsed = dealt(1, Realm::Rehearsal, 3, 5);
    let told = "expected a share of the production realm, found one of the rehearsal realm";
    assert_eq!(refused(&rehearsed[1], &record(&shares), 2, &[]), told);
    let relabelled = edited(&shares[1], |header| header.realm = Realm::Rehearsal);
    assert_eq!(refused(&relabelled, &record(&shares), 2, &[]), told);
}

#[test]
fn a_share_of_a_retired_generation_is_refused_and_the_day_is_said() {
    let shares = dealt(1, Realm::Production, 3, 5);
    let old = edited(&shares[1], |header| {
        header.generation = 0;
        header.quorum_id = quorum_id(Realm::Production, NAME, RECIPIENT, 0);
    });
    let told = "expected a share of quorum root-2026 generation 1, found one of generation 0, retired 2025-11-22";
    assert_eq!(refused(&old, &record(&shares), 2, &[]), told);
}

#[test]
fn a_share_of_another_quorum_is_refused() {
    let shares = dealt(1, Realm::Production, 3, 5);
    let id = quorum_id(Realm::Production, "other", RECIPIENT, 1);
    let other = edited(&shares[1], |header| header.quorum_id = id);
    let ours = shares[0].header().quorum_id;
    let told = format!("expected a share of quorum root-2026 (id {ours}), found one of another quorum (id {id})");
    assert_eq!(refused(&other, &record(&shares), 2, &[]), told);
}

#[test]
fn a_share_that_says_another_generation_under_our_id_is_refused() {
    let shares = dealt(1, Realm::Production, 3, 5);
    let other = edited(&shares[1], |header| header.generation = 2);
    let told = "expected a share that says generation 1, as its quorum id does, found one that says 2";
    assert_eq!(refused(&other, &record(&shares), 2, &[]), told);
}

#[test]
fn a_share_with_another_threshold_is_refused() {
    let shares = dealt(1, Realm::Production, 3, 5);
    let told = "expected a share of 5 of which 3 are needed, found one that says";
    let fewer = edited(&shares[1], |header| header.threshold = 2);
    assert_eq!(refused(&fewer, &record(&shares), 2, &[]), format!("{told} 5 and 2"));
    let more = edited(&shares[1], |header| header.count = 6);
    assert_eq!(refused(&more, &record(&shares), 2, &[]), format!("{told} 6 and 3"));
}

#[test]
fn index_zero_and_an_index_beyond_the_count_are_refused() {
    let shares = dealt(1, Realm::Production, 3, 5);
    let zero = edited(&shares[1], |header| header.index = 0);
    let told = "expected an index from 1 to 5, found 0, which is the place of the secret itself";
    assert_eq!(refused(&zero, &record(&shares), 2, &[]), told);
    let six = edited(&shares[1], |header| header.index = 6);
    assert_eq!(refused(&six, &record(&shares), 2, &[]), "expected an index from 1 to 5, found 6");
}

#[test]
fn a_share_given_twice_is_refused() {
    let shares = dealt(1, Realm::Production, 3, 5);
    let mut record = record(&shares);
    let told = "share 2 (that of custodian B) has been given already";
    assert_eq!(refused(&shares[1], &record, 2, &[1, 2]), told);
    assert_eq!(refused(&shares[1], &record, 3, &[2]), told);
    record.holders.clear();
    assert_eq!(refused(&shares[1], &record, 3, &[2]), "share 2 has been given already");
}

#[test]
fn another_custodians_share_is_refused_and_whose_it_is_said() {
    let shares = dealt(1, Realm::Production, 3, 5);
    assert_eq!(refused(&shares[2], &record(&shares), 2, &[]), "expected share 2, found share 3 (that of custodian C)");
}

#[test]
fn a_share_of_a_swapped_set_is_refused() {
    let shares = dealt(1, Realm::Production, 3, 5);
    let again = dealt(2, Realm::Production, 3, 5);
    assert_eq!(shares[1].header(), again[1].header());
    let told = "share 2 of quorum root-2026 has the right header and another value than the one that was dealt: it is of another dealing, or was altered";
    assert_eq!(refused(&again[1], &record(&shares), 2, &[]), told);
    let relabelled = edited(&shares[2], |header| header.index = 2);
    assert_eq!(refused(&relabelled, &record(&shares), 2, &[]), told);
}

#[test]
fn a_record_without_all_commitments_proves_nothing() {
    let shares = dealt(1, Realm::Production, 3, 5);
    let mut record = record(&shares);
    record.commitments.pop();
    let told = "expected the record of quorum root-2026 to hold 5 commitments, found 4";
    assert_eq!(refused(&shares[1], &record, 2, &[]), told);
}

#[test]
fn every_single_bit_of_every_share_matters() {
    let shares = dealt(3, Realm::Production, 3, 5);
    let record = record(&shares);
    for share in &shares {
        let index = share.header().index;
        for bit in 0..256 {
            let flipped = with_value(share, |value| value[bit / 8] ^= 0x80 >> (bit % 8));
            assert!(matches!(check(&flipped, &record, index, &[]), Err(ShareFault::SwappedSet { .. })));
        }
        // The text of a flipped header, with a checksum made to fit: whatever the forger aims at, it is not proven.
        for bit in 0..64 {
            let header = share.header();
            let [a, b, c, d] = header.quorum_id.octets();
            let mut octets = [a, b, c, d, header.generation, header.threshold, header.count, header.index];
            octets[bit / 8] ^= 0x80 >> (bit % 8);
            let [a, b, c, d, generation, threshold, count, flipped] = octets;
            let quorum_id = crate::custody::QuorumId::from_octets([a, b, c, d]);
            let head = QuorumHead { realm: header.realm, quorum_id, generation, threshold, count };
            let text = remade(share, head.header(flipped)).to_text();
            let forged = exact(text.expose_text());
            assert_ne!(forged.header(), header);
            for expected in 1..=5 {
                assert!(check(&forged, &record, expected, &[]).is_err());
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn only_the_right_custodian_proves_a_share(seed: u64, who in 0_usize..5, expected in 0_u8..=255) {
        let shares = dealt(seed, Realm::Rehearsal, 3, 5);
        let proven = check(&shares[who], &record(&shares), expected, &[]);
        prop_assert_eq!(proven.is_ok(), usize::from(expected) == who + 1);
    }
}
