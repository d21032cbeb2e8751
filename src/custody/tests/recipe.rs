//! The Python script on the back of a card, run: it and we agree both ways.

use super::*;
use crate::custody::{card::RECIPE, combine};
use std::io::Write;
use std::process::{Command, Stdio};

fn python(script: &str, input: &str) -> (bool, String, String) {
    let mut child = Command::new("python3")
        .args(["-I", "-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |octets: Vec<u8>| String::from_utf8(octets).unwrap().trim_end().to_owned();
    (output.status.success(), text(output.stdout), text(output.stderr))
}

fn on_paper(shares: &[&Share]) -> String {
    shares
        .iter()
        .flat_map(|share| crate::custody::lines(&share.to_text()))
        .map(|line| format!("{}\n", line.expose_text()[2..].to_lowercase()))
        .collect()
}

fn age_identity(secret: &[u8]) -> String {
    let hrp = bech32::Hrp::parse("age-secret-key-").unwrap();
    bech32::encode_upper::<bech32::Bech32>(hrp, secret).unwrap()
}

fn refused(input: &str) -> String {
    let (done, out, told) = python(RECIPE, input);
    assert!(!done && out.is_empty());
    told
}

#[test]
fn the_recipe_recovers_what_we_dealt() {
    for (seed, k, n) in [(1, 2, 2), (2, 3, 5), (3, 5, 9)] {
        let shares = dealt(seed, Realm::Production, k, n);
        let last: Vec<&Share> = shares.iter().rev().take(usize::from(k)).collect();
        let (done, out, told) = python(RECIPE, &on_paper(&last));
        assert!(done, "{told}");
        assert_eq!(out, age_identity(identity(seed).expose()));
        out.parse::<age::x25519::Identity>().unwrap();
        let all: Vec<&Share> = shares.iter().collect();
        assert_eq!(python(RECIPE, &on_paper(&all)).1, out);
    }
}

#[test]
fn the_recipe_of_a_post_quantum_quorum_writes_the_hybrid_identity() {
    let shares = dealt(2, Realm::Production, 3, 5);
    let last: Vec<&Share> = shares.iter().skip(2).collect();
    let (done, out, told) = python(&crate::custody::card::recipe("AGE-SECRET-KEY-PQ-"), &on_paper(&last));
    assert!(done, "{told}");
    let hrp = bech32::Hrp::parse("age-secret-key-pq-").unwrap();
    assert_eq!(out, bech32::encode_upper::<bech32::Bech32>(hrp, identity(2).expose()).unwrap());
}

/// The other way: Python deals with its own arithmetic and writes the texts, we combine.
#[test]
fn we_recover_what_a_script_dealt() {
    let functions = RECIPE.split("text = re.sub").next().unwrap();
    let deal = format!(
        "{functions}
secret, rows = bytes(range(100, 132)), {{x: b'' for x in (1, 2, 3, 4)}}
for i, s in enumerate(secret):
    for x in rows:
        rows[x] += bytes([s ^ times(x, (7 * i) % 256 ^ times(x, (31 * i + 5) % 256))])
for x in rows:
    octets = bytes([1, 2, 3, 4, 9, 3, 4, x]) + rows[x]
    bits = ''.join(format(o, '08b') for o in octets)
    symbols = [int(bits[i:i + 5], 2) for i in range(0, 320, 5)]
    end = checksum('KR', symbols + [0] * 13, BIP93, 13) ^ 0x10ce0795c2fd1e62a
    print('KR1' + ''.join(A[s] for s in symbols + [end >> 60 - 5 * i & 31 for i in range(13)]))
"
    );
    let (done, out, told) = python(&deal, "");
    assert!(done, "{told}");
    let shares: Vec<Share> = out.lines().map(exact).collect();
    assert_eq!((shares.len(), shares[2].header().generation, shares[2].header().index), (4, 9, 3));
    crate::custody::consistent(&shares, 3).unwrap();
    let expected: Vec<u8> = (100..132).collect();
    assert!(combine(&shares[1..]).unwrap().same_as(&expected));
}

#[test]
fn the_recipe_refuses_what_does_not_belong_together() {
    let shares = dealt(1, Realm::Production, 3, 5);
    let rehearsed = dealt(1, Realm::Rehearsal, 3, 5);
    let of = |shares: &[&Share]| refused(&on_paper(shares));
    assert_eq!(of(&[]), "too few shares: 0");
    assert_eq!(of(&[&shares[0], &shares[1]]), "too few shares: 2");
    assert_eq!(of(&[&shares[0], &shares[0], &shares[1]]), "share 2: index 1 is given twice or impossible");
    assert_eq!(of(&[&shares[0], &shares[1], &rehearsed[2]]), "share 3: from another set than share 1");
    let zero = remade(&shares[0], shares[0].header().head().header(0));
    assert_eq!(of(&[&zero, &shares[1], &shares[2]]), "share 1: index 0 is given twice or impossible");
    let mut damaged = on_paper(&[&shares[0], &shares[1], &shares[2]]);
    let other = if damaged.ends_with("q\n") { "p\n" } else { "q\n" };
    damaged.replace_range(damaged.len() - 2.., other);
    assert_eq!(refused(&damaged), "share 3: the checksum does not hold");
    assert_eq!(refused(&damaged.replacen('k', "b", 1)), "share 1: wrong length, prefix or character");
}
