//! Every secret a rehearsal makes, in every spelling it could leak in. They are worked out from the seed and the cards, and each is
//! checked against something public that it must fit, so that nobody searches for what was never made.

use crate::program::files;
use anchorite::basics::{Digest, Realm, digest};
use anchorite::custody::card;
use anchorite::custody::draw::Draws;
use anchorite::keys::recipient::RecipientKind;
use anchorite::keys::ssh::SshSigningKey;
use anchorite::strongroom::sealing;
use anchorite::transcript::checkpoint::base64;
use serde_json::Value;
use std::collections::HashMap;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// What the example scripts' quorums are sealed to.
const KIND: RecipientKind = RecipientKind::MlKem768X25519;

/// A secret under one of its spellings.
pub struct Needle {
    pub name: String,
    pub octets: Vec<u8>,
}

/// Octets by which a needle is recognised; none is shorter.
const BEGINNING: usize = 8;

/// The needles of a rehearsal, and which of them begin how.
pub struct Needles {
    pub all: Vec<Needle>,
    beginnings: HashMap<[u8; BEGINNING], Vec<usize>>,
}

impl Needles {
    fn new(all: Vec<Needle>) -> Self {
        let mut beginnings: HashMap<_, Vec<usize>> = HashMap::new();
        for (index, needle) in all.iter().enumerate() {
            let beginning = needle.octets.first_chunk().unwrap_or_else(|| panic!("{} is too short", needle.name));
            beginnings.entry(*beginning).or_default().push(index);
        }
        Self { all, beginnings }
    }

    /// The first secret found, as it is written, or in a text broken into lines and groups.
    pub fn found_in(&self, octets: &[u8]) -> Option<&Needle> {
        let squeezed: Vec<u8> = octets.iter().copied().filter(|o| !o.is_ascii_whitespace()).collect();
        self.in_one_piece(octets).or_else(|| self.in_one_piece(&squeezed))
    }

    fn in_one_piece(&self, octets: &[u8]) -> Option<&Needle> {
        octets.windows(BEGINNING).enumerate().find_map(|(at, window)| {
            let candidates = self.beginnings.get(<&[u8; BEGINNING]>::try_from(window).unwrap())?;
            candidates.iter().map(|index| &self.all[*index]).find(|needle| octets[at..].starts_with(&needle.octets))
        })
    }
}

pub fn pipe(program: &str, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new(program).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap().stdout
}

/// Raw, hexadecimal, base64 and words.
fn spellings(name: &str, octets: &[u8]) -> Vec<Needle> {
    let hex = digest::hex_encode(octets);
    let mut all = vec![octets.to_vec(), hex.clone().into_bytes(), hex.to_uppercase().into_bytes()];
    // Hexadecimal as this tool and as others group it; squeezed texts have no spaces, but may have colons.
    all.push(digest::group(&hex, 4).into_bytes());
    all.push(octets.iter().map(|o| format!("{o:02x}")).collect::<Vec<_>>().join(":").into_bytes());
    // Base64 at each of the three alignments, without the ends that depend on what stands beside it.
    for skip in 0..3 {
        all.push(base64(&octets[skip..octets.len() - (octets.len() - skip) % 3]).into_bytes());
    }
    let words = Digest::from_octets(*octets.first_chunk().unwrap()).twelve_words();
    all.push(words.replace(' ', "").into_bytes());
    all.push(words.replace(' ', "-").into_bytes());
    all.push(words.into_bytes());
    all.into_iter().map(|octets| Needle { name: name.to_owned(), octets }).collect()
}

/// What one rehearsal was made from, and says of itself.
struct Rehearsed<'a> {
    out: &'a Path,
    header: Value,
    record: Vec<Value>,
    seed: u64,
    plan: Digest,
}

impl<'a> Rehearsed<'a> {
    fn read(out: &'a Path) -> Self {
        let text = std::fs::read_to_string(out.join("evidence/transcript.jsonl")).unwrap();
        let record: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let run: Value = serde_json::from_slice(&std::fs::read(out.join("state/run.json")).unwrap()).unwrap();
        let header = record[0]["header"].clone();
        let plan = Digest::parse(header["plan_digest"].as_str().unwrap()).unwrap();
        Self { out, seed: run["seed"].as_str().unwrap().parse().unwrap(), plan, header, record }
    }

    fn ceremony(&self) -> &str {
        self.header["ceremony"].as_str().unwrap()
    }

    fn seeded(&self) -> Draws {
        Draws::rehearsal(self.seed, self.ceremony(), &self.plan)
    }

    /// The machine's own randomness in each strongroom.
    fn machine(&self) -> Vec<u8> {
        self.seeded().expand("strongroom", "machine", 0, 0, 64).expose().to_vec()
    }

    fn draws(&self, dice: Option<&[u8]>) -> Draws {
        let machine = self.machine();
        let mut sources: Vec<(&str, &[u8])> = vec![("getrandom", &machine)];
        sources.extend(dice.map(|rolls| ("dice", rolls)));
        Draws::extract(Realm::Rehearsal, self.ceremony(), &self.plan, &sources).unwrap()
    }

    /// Outcomes of a kind in the record.
    fn outcomes<'b>(&'b self, kind: &'b str) -> impl Iterator<Item = &'b Value> {
        self.record.iter().map(|line| &line["body"]["event"]["outcome"]).filter(move |o| o["outcome"] == kind)
    }

    /// The dice that were thrown, by the recipe of the simulated people; none where the record tells of none.
    fn dice(&self) -> Option<Vec<u8>> {
        let thrown = self.record.iter().map(|l| &l["body"]["event"]["answer"]).find(|a| a["answer"] == "dice")?;
        let rolls = usize::try_from(thrown["rolls"].as_u64().unwrap()).unwrap();
        let octets = self.seeded().expand("room", "dice", 0, 0, rolls * 4);
        Some(octets.expose().iter().filter(|octet| **octet < 252).take(rolls).map(|octet| b'1' + octet % 6).collect())
    }
}

/// Every needle of a rehearsal with its dealt cards, `shares` of them, and one sealed key.
pub fn of(out: &Path, shares: usize) -> Needles {
    let rehearsed = Rehearsed::read(out);
    let mut all = keys_of_the_record(&rehearsed);
    let cards = cards(out);
    assert_eq!(cards.len(), shares, "the scan found the cards");
    for (name, text) in &cards {
        all.extend(of_share(&rehearsed, name, text));
    }
    let dice = rehearsed.dice();
    if let Some(rolls) = &dice {
        let text = String::from_utf8(rolls.clone()).unwrap();
        for typed in [text.clone(), digest::group(&text, 1), digest::group(&text, 5), text[10..30].to_owned()] {
            all.push(Needle { name: "dice, as typed".to_owned(), octets: typed.into_bytes() });
        }
    }
    all.extend(of_quorum(&rehearsed, &cards, dice.as_deref()));
    Needles::new(all)
}

/// Second line of each simulated card.
fn cards(out: &Path) -> Vec<(String, String)> {
    let card = |path: &Path| path.file_name().unwrap().to_str().unwrap().starts_with("card-");
    let found = files(&out.join("media")).into_iter().filter(|path| card(path));
    let text = |path: &Path| std::fs::read_to_string(path).unwrap().lines().nth(1).unwrap().to_owned();
    found.map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), text(&path))).collect()
}

fn of_share(rehearsed: &Rehearsed, card: &str, text: &str) -> Vec<Needle> {
    let groups = digest::group(text, 4);
    // The first sixteen characters name the quorum and are public; any three groups after them are a leak.
    let mut texts = vec![text.to_owned(), text.to_lowercase(), groups.clone(), text[30..50].to_owned()];
    texts.extend((5..=17).map(|group| text[group * 4..group * 4 + 12].to_owned()));
    texts.extend((5..=17).map(|group| groups[group * 5..group * 5 + 14].to_owned()));
    let mut all: Vec<Needle> = texts
        .into_iter()
        .map(|text| Needle { name: format!("share {card}, as text"), octets: text.into_bytes() })
        .collect();
    // KR1, then 64 symbols of 5 bits: a head of 8 octets and a value of 32.
    let symbols = text[3..67].bytes().map(|c| "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L".bytes().position(|a| a == c).unwrap());
    let (mut octets, mut bits, mut waiting) = (Vec::new(), 0_u32, 0_usize);
    for symbol in symbols {
        (bits, waiting) = (bits << 5 | u32::try_from(symbol).unwrap(), waiting + 5);
        if waiting >= 8 {
            waiting -= 8;
            octets.push(u8::try_from(bits >> waiting & 0xff).unwrap());
        }
    }
    let (head, value) = octets.split_at(8);
    let record = serde_json::to_string(&rehearsed.record).unwrap();
    // Version 1, rehearsal, and the head as the text has it.
    let commitment = Digest::tagged("share", Realm::Rehearsal, &[&[&[1, 1], head].concat(), value]);
    let fits = record.contains(&commitment.hex());
    assert!(fits, "the value of {card} is not one the record commits to");
    all.extend(spellings(&format!("share {card}, its value"), value));
    all
}

/// Keys of the run and of the people, and the machine's randomness.
fn keys_of_the_record(rehearsed: &Rehearsed) -> Vec<Needle> {
    let mut all = spellings("the machine's randomness", &rehearsed.machine());
    let seed_of = |draws: &Draws, step: &str, purpose: &str, index: u32| -> [u8; 32] {
        draws.expand(step, purpose, index, 0, 32).expose().try_into().unwrap()
    };
    let run = seed_of(&rehearsed.draws(None), "run", "checkpoint-key", 1);
    let public = SshSigningKey::from_seed(&run).unwrap().public().line().to_owned();
    assert_eq!(rehearsed.outcomes("run-key").next().unwrap()["public_key"], public, "the run key is another");
    all.extend(spellings("run key", &run));
    for (index, signer) in rehearsed.header["signers"].as_array().unwrap().iter().enumerate() {
        let seed = seed_of(&rehearsed.seeded(), "room", "participant", u32::try_from(index).unwrap());
        let public = SshSigningKey::from_seed(&seed).unwrap().public().line().to_owned();
        assert_eq!(signer["public_key"], public, "the key of {} is another", signer["person"]);
        all.extend(spellings(&format!("private key of {}", signer["person"]), &seed));
    }
    all
}

/// The identity that opens the vault, and the private key in it: by the recipe on the cards, and OpenSSL.
fn of_quorum(rehearsed: &Rehearsed, cards: &[(String, String)], dice: Option<&[u8]>) -> Vec<Needle> {
    let out = rehearsed.out;
    let texts: String = cards.iter().take(3).map(|(_, text)| format!("{text}\n")).collect();
    let script = rehearsed.out.with_extension("recipe.py");
    std::fs::write(&script, card::recipe(KIND.identity_prefix())).unwrap();
    let identity = pipe("python3", &[script.to_str().unwrap()], texts.as_bytes());
    let identity = String::from_utf8(identity).unwrap().trim().to_owned();
    assert!(identity.starts_with(KIND.identity_prefix()));
    let (_, scalar) = bech32::decode(&identity).unwrap();
    let drawn = rehearsed.draws(dice).expand("key", "quorum-identity", 0, 1, 32);
    assert_eq!(scalar, drawn.expose(), "the identity is drawn from machine and dice: {dice:?}");
    let mut all = spellings("identity", &scalar);
    let texts = [identity.clone(), identity.to_lowercase(), identity[20..60].to_owned()];
    all.extend(texts.map(|text| Needle { name: "identity, as text".to_owned(), octets: text.into_bytes() }));
    all.extend(spellings(
        "material of the private key",
        rehearsed.draws(dice).expand("key", "authority-key", 0, 1, 64).expose(),
    ));
    let vault = files(&out.join("state/vault"));
    assert_eq!(vault.len(), 1, "one sealed key: {vault:?}");
    // That the standard tools open it as well: tests/judge_recovery.
    let octets: &[u8; 32] = scalar.as_slice().try_into().unwrap();
    let pem = sealing::open(KIND, octets, &std::fs::read(&vault[0]).unwrap()).unwrap().expose().to_vec();
    assert!(pem.starts_with(b"-----BEGIN PRIVATE KEY-----"), "the vault opens");
    let der = pipe("openssl", &["pkey", "-outform", "DER"], &pem);
    let body: String = String::from_utf8(pem).unwrap().lines().filter(|l| !l.starts_with('-')).take(1).collect();
    all.push(Needle { name: "private key, PEM".to_owned(), octets: body.into_bytes() });
    // ECPrivateKey: version 1, then the scalar as an octet string of 32 octets (P-256) or 48 (P-384).
    let at = der.windows(4).position(|w| w == [2, 1, 1, 4]).expect("an elliptic curve key");
    let length = usize::from(der[at + 4]);
    assert!([32, 48].contains(&length), "{length}");
    all.extend(spellings(&format!("private key of {length} octets"), &der[at + 5..at + 5 + length]));
    all
}
