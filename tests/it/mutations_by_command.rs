//! Mutations of a record through the two command lines, as a stranger would run them: `anchorite verify` and `verify.py` end with the
//! same exit code and name the same first bad place, whatever was done to the folder. Which mutations: seeded, a hundred and more.

use crate::program::{copy, full, rehearse, verify, verify_py};
use anchorite::basics::{Digest, Realm, canonical};
use anchorite::transcript::sums;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

/// SplitMix64: the same mutations on every machine.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % bound as u64).unwrap()
    }

    /// A line that is not the header.
    fn entry(&mut self, lines: &[String]) -> usize {
        1 + self.below(lines.len() - 1)
    }
}

type Mutation = (&'static str, fn(&mut Dice, &mut Vec<String>) -> String);

const MUTATIONS: [Mutation; 8] = [
    ("flip", |dice, lines| flip(dice, lines)),
    ("remove", |dice, lines| {
        let at = dice.below(lines.len());
        lines.remove(at);
        format!("line {at}")
    }),
    ("double", |dice, lines| {
        let at = dice.below(lines.len());
        lines.insert(at, lines[at].clone());
        format!("line {at}")
    }),
    ("swap", |dice, lines| {
        let (one, step) = (dice.below(lines.len()), 1 + dice.below(lines.len() - 1));
        let other = (one + step) % lines.len();
        lines.swap(one, other);
        format!("lines {one} and {other}")
    }),
    ("truncate after a line", |dice, lines| {
        let at = dice.entry(lines);
        lines.truncate(at);
        format!("{at} lines left")
    }),
    ("truncate inside a line", |dice, lines| {
        let at = dice.below(lines.len());
        let keep = dice.below(lines[at].len());
        lines.truncate(at + 1);
        lines[at].truncate(keep);
        format!("line {at}, {keep} octets of it left")
    }),
    ("withhold", |dice, lines| withhold(dice, lines)),
    ("rewrite", rewrite),
];

/// One bit of one octet; what is no text any more stays what it is.
fn flip(dice: &mut Dice, lines: &mut [String]) -> String {
    let at = dice.below(lines.len());
    let mut octets = std::mem::take(&mut lines[at]).into_bytes();
    let octet = dice.below(octets.len());
    // The highest bit would end a text; `agree.py` flips that one too.
    let bit = dice.below(7);
    octets[octet] ^= 1 << bit;
    lines[at] = String::from_utf8(octets).unwrap();
    format!("bit {bit} of octet {octet} of line {at}")
}

fn parsed(line: &str) -> Value {
    serde_json::from_str(line).unwrap()
}

fn written(line: &Value) -> String {
    String::from_utf8(canonical::to_octets(line).unwrap()).unwrap() + "\n"
}

fn leaf_of(line: &Value) -> Digest {
    let salt = Digest::parse(line["salt"].as_str().unwrap()).unwrap();
    Digest::tagged("leaf", Realm::Rehearsal, &[salt.octets(), &canonical::to_octets(&line["body"]).unwrap()])
}

/// A body withheld, properly: which is allowed, unless everybody may read it.
fn withhold(dice: &mut Dice, lines: &mut [String]) -> String {
    let at = dice.entry(lines);
    let line = parsed(&lines[at]);
    lines[at] = written(&json!({ "head": line["head"], "leaf": leaf_of(&line).hex(), "open": line["open"] }));
    format!("line {at}, of level {}", line["open"]["level"])
}

/// One line said otherwise, and every head from there on made again: the chain is whole, what was signed is not.
fn rewrite(dice: &mut Dice, lines: &mut Vec<String>) -> String {
    let at = dice.below(lines.len());
    let mut chained: Vec<Value> = lines.iter().map(|line| parsed(line)).collect();
    let line = &mut chained[at];
    let what = match (at, dice.below(4)) {
        (0, _) => std::mem::replace(&mut line["header"]["ceremony"], json!("small-root-2027")),
        (_, 0) => {
            let later = line["open"]["time"].as_u64().unwrap() + 1;
            std::mem::replace(&mut line["open"]["time"], json!(later))
        }
        (_, 1) => std::mem::replace(&mut line["open"]["role"], json!("witness-a")),
        (_, 2) => std::mem::replace(&mut line["salt"], json!(Digest::of(b"another salt").hex())),
        _ => std::mem::replace(&mut line["body"]["remark"], json!("all went well")),
    };
    let mut head = Digest::tagged("header", Realm::Rehearsal, &[&canonical::to_octets(&chained[0]["header"]).unwrap()]);
    for (number, line) in chained.iter_mut().enumerate() {
        if number > 0 {
            let (open, leaf) = (canonical::to_octets(&line["open"]).unwrap(), leaf_of(line));
            head = Digest::tagged("entry", Realm::Rehearsal, &[head.octets(), &open, leaf.octets()]);
        }
        line["head"] = json!(head.hex());
    }
    *lines = chained.iter().map(written).collect();
    format!("line {at}, instead of {what}")
}

fn relist(folder: &Path) {
    let mut listed = BTreeMap::new();
    for path in crate::program::files(folder) {
        listed.insert(path.strip_prefix(folder).unwrap().display().to_string(), std::fs::read(path).unwrap());
    }
    listed.remove(sums::FILE_NAME);
    std::fs::write(folder.join(sums::FILE_NAME), sums::render(&listed)).unwrap();
}

/// Runs some of the mutations on a script's evidence. Where nothing pins anything a whole folder is exit 8, else 0; a damaged one is
/// 4 for both.
fn both_command_lines_agree(script: &str, seed: u64, number: usize) {
    let folder = tempfile::tempdir().unwrap();
    rehearse(script, &folder.path().join("out"));
    let original = folder.path().join("out/evidence");
    let signers = original.join("allowed_signers");
    let record = std::fs::read_to_string(original.join("transcript.jsonl")).unwrap();
    let (mut dice, mut refuted) = (Dice(seed), 0);
    for round in 0..number {
        let (kind, mutation) = MUTATIONS[round % MUTATIONS.len()];
        let mut lines: Vec<String> = record.split_inclusive('\n').map(str::to_owned).collect();
        let detail = mutation(&mut dice, &mut lines);
        let what = format!("{script}, seed {seed}, {round}: {kind}, {detail}");
        assert_ne!(lines.concat(), record, "{what}");
        let damaged = folder.path().join(format!("damaged-{round}"));
        copy(&original, &damaged);
        std::fs::write(damaged.join("transcript.jsonl"), lines.concat()).unwrap();
        if kind == "withhold" {
            // A report shows what is withheld now; a copy has its own or none.
            std::fs::remove_file(damaged.join("report.html")).unwrap();
        }
        // Whoever changes a record lists it anew, unless they forget to.
        if dice.below(8) > 0 {
            relist(&damaged);
        }
        let pins: &[&str] = if round % 2 == 0 { &["--signers", signers.to_str().unwrap()] } else { &[] };
        let (rust, ours) = verify(&damaged, pins);
        let (python, theirs) = verify_py(&damaged, pins);
        assert_eq!(rust, python, "{what}\n{ours}\n{theirs}");
        assert_eq!(ours["first_bad"], theirs["first_bad"], "{what}\n{ours}\n{theirs}");
        let allowed = kind == "withhold" && ours["first_bad"].is_null();
        assert!(rust == 4 || allowed && [0, 8].contains(&rust), "{what}: {ours}");
        refuted += usize::from(rust == 4);
        std::fs::remove_dir_all(damaged).unwrap();
    }
    assert!(refuted >= number - number.div_ceil(MUTATIONS.len()), "only {refuted} of {number} were refuted");
}

/// Eight at a time is one of each kind; 112 in all where the tests are full, a dozen otherwise.
fn size() -> usize {
    if full() { 28 } else { 3 }
}

#[test]
fn both_command_lines_agree_on_mutations_of_a_small_record() {
    both_command_lines_agree("small-root", 1, size());
}

#[test]
fn both_command_lines_agree_on_more_mutations_of_a_small_record() {
    // From the other end of the kinds, so that a sample of three sees others.
    both_command_lines_agree("small-root", 2, size() + 4);
}

#[test]
fn both_command_lines_agree_on_mutations_of_a_large_record() {
    both_command_lines_agree("root-ca", 3, size());
}

#[test]
fn both_command_lines_agree_on_more_mutations_of_a_large_record() {
    both_command_lines_agree("root-ca", 4, size() + 4);
}
