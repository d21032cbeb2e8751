//! The Merkle tree against the inputs and roots that Certificate Transparency implementations share (public test values of RFC
//! 6962's reference log), and proofs against themselves; receipts on top.

use crate::basics::digest::hex_decode;
use crate::basics::{Digest, Instant, Realm, canonical};
use crate::factory::merkle::{Tree, included, leaf, proof, root};
use crate::factory::{BundleId, Class, Outcome, Receipt, State};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn leaves(count: u32) -> Vec<Digest> {
    (0..count).map(|n| leaf(&n.to_be_bytes())).collect()
}

#[test]
fn roots_are_those_of_certificate_transparency() {
    let inputs = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
    let roots = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let mut tree = Tree::default();
    assert_eq!(tree.root().hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    for (input, expected) in inputs.iter().zip(roots) {
        tree.push(leaf(&hex_decode(input).unwrap()));
        assert_eq!(tree.root().hex(), expected);
    }
    assert_eq!(tree.len(), 8);
}

#[test]
fn every_leaf_of_every_small_tree_is_proven_and_nothing_else_is() {
    for size in 1..=40_u32 {
        let leaves = leaves(size);
        let root = root(leaves.iter().copied());
        for index in 0..size {
            let at = u64::from(index);
            let path = proof(at, u64::from(size), leaves.iter().copied()).unwrap();
            let there = leaves[index as usize];
            assert!(included(&there, at, u64::from(size), &path, &root), "{index} of {size}");
            for other in (0..size).filter(|other| *other != index) {
                assert!(!included(&there, u64::from(other), u64::from(size), &path, &root), "{index} at {other}");
            }
            assert!(!included(&leaf(b"other"), at, u64::from(size), &path, &root));
            let mut longer = path.clone();
            longer.push(root);
            assert!(!included(&there, at, u64::from(size), &longer, &root));
        }
        assert!(proof(u64::from(size), u64::from(size), leaves.iter().copied()).is_none());
        assert!(proof(0, u64::from(size) + 1, leaves.iter().copied()).is_none(), "a leaf is missing");
    }
}

fn outcome(index: u32, state: State) -> Outcome {
    let changed = Instant::parse("2026-12-01T08:00:00Z").unwrap();
    Outcome { index, state, line: 3, changed, record: Digest::of(&index.to_be_bytes()), proof: vec![0x30; 70] }
}

fn receipt(outcomes: &[Outcome]) -> (Receipt, Vec<u8>) {
    let octets: Vec<u8> = outcomes.iter().flat_map(Outcome::to_octets).collect();
    let mut states: BTreeMap<State, u32> = State::ALL.into_iter().map(|state| (state, 0)).collect();
    outcomes.iter().for_each(|outcome| *states.entry(outcome.state).or_default() += 1);
    let receipt = Receipt {
        format: Receipt::format(),
        realm: Realm::Rehearsal,
        factory: "ostrava".to_owned(),
        bundle: BundleId::from_octets([1; 16]),
        manifest: Digest::of(b"manifest"),
        sequence: 1,
        made: Instant::parse("2026-12-02T08:00:00Z").unwrap(),
        count: outcomes.len() as u32,
        states,
        outcomes_root: root(outcomes.iter().map(Outcome::leaf)),
        outcomes_sha256: Digest::of(&octets),
        refusals: BTreeMap::from([("replay".to_owned(), 2)]),
        ledger_head: Digest::of(b"ledger"),
        ledger_entries: 7,
    };
    (receipt, octets)
}

#[test]
fn a_receipt_comes_back_and_does_not_fit_other_outcomes() {
    let outcomes = [outcome(0, State::Verified), outcome(1, State::Scrapped), outcome(2, State::Sealed)];
    let (good, octets) = receipt(&outcomes);
    let written = good.to_octets().unwrap();
    assert_eq!(Receipt::parse(&written).unwrap(), good);
    assert!(String::from_utf8_lossy(&written).contains("\"scrapped\":1"));
    assert_eq!(good.check_outcomes(&octets).unwrap(), outcomes);

    let class = |receipt: &Receipt, octets: &[u8]| receipt.check_outcomes(octets).unwrap_err().class;
    let (_, other) = receipt(&[outcome(0, State::Verified), outcome(1, State::Lost), outcome(2, State::Sealed)]);
    assert_eq!(class(&good, &other), Class::Tampered);
    let said = Receipt { outcomes_sha256: Digest::of(&other), ..good.clone() };
    assert_eq!(class(&said, &other), Class::Count, "other states than said");
    let said = Receipt { outcomes_root: Digest::of(b"other"), ..good.clone() };
    assert_eq!(class(&said, &octets), Class::Tampered);
    let mut wrong = good.clone();
    wrong.states.insert(State::Lost, 1);
    assert!(wrong.to_octets().is_err(), "more states than records");
    let wrong = canonical::to_octets(&wrong).unwrap();
    assert_eq!(Receipt::parse(&wrong).unwrap_err().class, Class::Count);
}

#[test]
fn times_that_cannot_be_written_are_malformed() {
    let at = |changed: Instant| Outcome { changed, ..outcome(0, State::Verified) };
    assert!(Outcome::read(&at(Instant::LAST).to_octets()).is_ok());
    let (good, _) = receipt(&[outcome(0, State::Verified)]);
    for number in [Instant::LAST.0 + 1, (1 << 53) - 1] {
        let octets = canonical::to_octets(&Receipt { made: Instant(number), ..good.clone() }).unwrap();
        assert_eq!(Receipt::parse(&octets).unwrap_err().class, Class::Malformed, "{number}");
    }
    for number in [Instant::LAST.0 + 1, u64::MAX / 2 + 1, u64::MAX] {
        let refused = Outcome::read(&at(Instant(number)).to_octets()).unwrap_err();
        assert!(refused.class == Class::Malformed && refused.to_string().contains("9999-12-31"), "{refused}");
    }
}

proptest! {
    #[test]
    fn a_proof_is_good_for_its_leaf_in_trees_of_any_size(size in 1..3_000_u32, at in any::<prop::sample::Index>()) {
        let leaves = leaves(size);
        let index = at.index(leaves.len());
        let path = proof(index as u64, u64::from(size), leaves.iter().copied()).unwrap();
        let root = root(leaves.iter().copied());
        prop_assert!(included(&leaves[index], index as u64, u64::from(size), &path, &root));
    }

    #[test]
    fn outcomes_come_back(index in any::<u32>(), state in 0..9_usize, line in any::<u32>(), proof in proptest::collection::vec(any::<u8>(), 0..80)) {
        let outcome = Outcome { index, line, proof, ..outcome(0, State::ALL[state]) };
        let octets = outcome.to_octets();
        prop_assert_eq!(Outcome::read(&octets).unwrap(), (outcome, octets.len()));
    }
}
