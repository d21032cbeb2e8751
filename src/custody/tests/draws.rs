//! Entropy: every argument matters, nothing else does, and the values are what RFC 5869 says.

use super::*;
use crate::custody::DrawError;
use hmac::{KeyInit, Mac};
use rand_core::Rng;

type HmacSha512 = hmac::Hmac<sha2::Sha512>;

fn hmac(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut mac = HmacSha512::new_from_slice(key).unwrap();
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().to_vec()
}

fn lp(part: &[u8]) -> Vec<u8> {
    [&u32::try_from(part.len()).unwrap().to_be_bytes(), part].concat()
}

#[test]
fn a_draw_is_hkdf_written_out_with_hmac() {
    let plan = Digest::of(b"plan");
    let sources: [(&str, &[u8]); 2] = [("getrandom", &[7; 64]), ("dice", b"3152")];
    let draws = Draws::extract(Realm::Production, "c-1", &plan, &sources).unwrap();

    let salt = [lp(b"anchorite/draw/v1"), lp(b"production"), lp(b"c-1"), lp(plan.octets())].concat();
    let prk = hmac(&salt, &[&lp(b"getrandom"), &lp(&[7; 64]), &lp(b"dice"), &lp(b"3152")]);
    let info = [lp(b"anchorite/draw/v1"), lp(b"production"), lp(b"step-3"), lp(b"serial")].concat();
    let numbers = |block: u32| [5, 1, block].map(u32::to_be_bytes).concat();
    let blocks = [0, 1].map(|block| hmac(&prk, &[&info, &numbers(block), &[1]])).concat();

    assert_eq!(draws.expand("step-3", "serial", 5, 1, 100).expose(), &blocks[..100]);
    let mut filled = [0; 128];
    draws.rng("step-3", "serial", 5, 1).fill_bytes(&mut filled);
    assert_eq!(filled[..], blocks[..]);
    let first = u32::from_le_bytes(blocks[..4].try_into().unwrap());
    assert_eq!(draws.rng("step-3", "serial", 5, 1).next_u32(), first);
}

#[test]
fn every_argument_changes_the_draw() {
    let plan = Digest::of(b"plan");
    let long = [7_u8; 64];
    let of = |realm, ceremony, plan: &Digest, sources: &[(&str, &[u8])], step, purpose, index, attempt| {
        Draws::extract(realm, ceremony, plan, sources)
            .unwrap()
            .expand(step, purpose, index, attempt, 32)
            .expose()
            .to_vec()
    };
    let (p, r) = (Realm::Production, Realm::Rehearsal);
    let drawn = [
        of(p, "c", &plan, &[("a", &long)], "s", "p", 0, 0),
        of(r, "c", &plan, &[("a", &long)], "s", "p", 0, 0),
        of(p, "d", &plan, &[("a", &long)], "s", "p", 0, 0),
        of(p, "c", &Digest::of(b"other"), &[("a", &long)], "s", "p", 0, 0),
        of(p, "c", &plan, &[("b", &long)], "s", "p", 0, 0),
        of(p, "c", &plan, &[("a", &long), ("", b"")], "s", "p", 0, 0),
        of(p, "c", &plan, &[("a", &long)], "sp", "", 0, 0),
        of(p, "c", &plan, &[("a", &long)], "s", "q", 0, 0),
        of(p, "c", &plan, &[("a", &long)], "s", "p", 1, 0),
        of(p, "c", &plan, &[("a", &long)], "s", "p", 0, 1),
        Draws::rehearsal(1, "c", &plan).expand("s", "p", 0, 0, 32).expose().to_vec(),
        Draws::rehearsal(2, "c", &plan).expand("s", "p", 0, 0, 32).expose().to_vec(),
    ];
    for (place, one) in drawn.iter().enumerate() {
        assert!(!drawn[..place].contains(one), "draw {place} repeats");
    }
}

#[test]
fn a_draw_from_too_little_is_refused() {
    let refused = |sources: &[(&str, &[u8])]| Draws::extract(Realm::Production, "c", &Digest::of(b""), sources).err();
    assert_eq!(refused(&[]), Some(DrawError::TooLittle { longest: 0 }));
    let told = refused(&[("dice", &[1; 31]), ("tosses", &[1; 3])]).unwrap().to_string();
    assert_eq!(told, "expected at least one entropy source of 32 octets or more, found at most 31");
    assert_eq!(refused(&[("getrandom", &[1; 32])]), None);
}

#[test]
fn seeded_draws_are_of_the_rehearsal_realm() {
    assert_eq!(draws(1).realm(), Realm::Rehearsal);
}
