//! Ceremonies with people who mistype, refuse, pause, leave, open exceptions and come back, by chance: the machine never panics, never
//! comes to a signature before its quorum is proven and two people approved that very operation, and its record replays octet for octet.

use crate::program::{full, root, verify, verify_py};
use anchorite::basics::{Realm, Secret};
use anchorite::ceremony::event::{Answer, FrontEndWord};
use anchorite::ceremony::state::Finish;
use anchorite::ceremony::{Ask, Prompt, Sheet};
use anchorite::cli::earlier;
use anchorite::custody::share::Correction;
use anchorite::ledger::Ledger;
use anchorite::runner::front_end::{Ending, FrontEnd, Given, Incoming, Look, RevealedShare, Seen, View};
use anchorite::runner::recover::{Beginning, Settings, read_record};
use anchorite::runner::room::{Rehearsal, Room};
use anchorite::runner::strongrooms::Reach;
use anchorite::runner::{Folder, Run, closing, rehearsal};
use anchorite::transfer::envelope::Envelope;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Chance that is the same every time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

struct Unruly {
    chance: Chance,
    asked: u32,
}

impl FrontEnd for Unruly {
    fn word(&self) -> FrontEndWord {
        FrontEndWord::Auto
    }

    fn ask(&mut self, view: &View<'_>, prompt: &Prompt) -> Given {
        self.asked += 1;
        assert!(self.asked < 5_000, "the ceremony does not come to an end: {prompt:?}");
        let initials: Vec<String> = view.plan.people.iter().map(|p| p.initials.clone()).collect();
        let anybody = |chance: &mut Chance| initials[chance.below(initials.len() as u64) as usize].clone();
        let sheet = |chance: &mut Chance, by: Vec<String>| Sheet {
            expected: "as in the script".to_owned(),
            happened: "something else".to_owned(),
            decided: "go on".to_owned(),
            by,
            skip: chance.below(2) == 0,
        };
        if matches!(prompt.ask, Ask::Share { .. }) && self.chance.below(3) == 0 {
            return Given::Scan;
        }
        Given::Answer(match self.chance.below(24) {
            0 => Answer::No,
            1 => Answer::Initials { initials: anybody(&mut self.chance) },
            2 => {
                Answer::Typed { text: ["", "0000", "no such thing", "12:00"][self.chance.below(4) as usize].to_owned() }
            }
            3 => Answer::Chosen { key: ["r", "x", "again"][self.chance.below(3) as usize].to_owned() },
            4 => Answer::Pause {
                why: "lunch".to_owned(),
                staying: vec![anybody(&mut self.chance), anybody(&mut self.chance)],
            },
            5 | 9 => {
                let by = vec![anybody(&mut self.chance), anybody(&mut self.chance)];
                Answer::Exception { sheet: sheet(&mut self.chance, by) }
            }
            6 => Answer::SignOff {
                initials: anybody(&mut self.chance),
                agree: false,
                remark: "did not see it".to_owned(),
            },
            7 if self.chance.below(4) == 0 => Answer::Leave { why: "the bell".to_owned() },
            8 => Answer::Dice { rolls: 3 },
            _ => return Given::Simulate,
        })
    }

    fn reveal(&mut self, _: &View<'_>, _: &RevealedShare) -> Result<Seen, String> {
        if self.chance.below(6) == 0 { Err("the light went out".to_owned()) } else { Ok(Seen::Simulated) }
    }

    fn confirm_corrections(&mut self, _: &View<'_>, _: &str, _: &[Correction]) -> Result<bool, String> {
        Ok(false)
    }

    fn show_code(&mut self, _: &View<'_>, _: &Envelope) -> Result<(), String> {
        if self.chance.below(6) == 0 { Err("the light went out".to_owned()) } else { Ok(()) }
    }

    fn scan(&mut self, _: &View<'_>, look: &mut Look<'_>) -> Result<Option<Secret>, String> {
        match self.chance.below(4) {
            0 => Ok(None),
            1 => Err("the camera is gone".to_owned()),
            _ => look(),
        }
    }

    fn take_in(&mut self, _: &View<'_>, _: &mut dyn Incoming) -> Result<(), String> {
        Ok(())
    }

    fn busy(&mut self, _: &View<'_>, _: &str) {}

    fn ended(&mut self, _: &View<'_>, _: &Ending) {}
}

/// One ceremony to its close, resumed as often as its people leave.
fn ceremony(script: &str, after: Option<&Path>, seed: u64, out: &Path) {
    let mut front = Unruly { chance: Chance(seed), asked: 0 };
    let read = || {
        earlier::script_after(&root().join("ceremony-scripts").join(script), Realm::Rehearsal, after)
            .unwrap_or_else(|failure| panic!("{}", failure.message))
    };
    let files = read();
    let folder = Folder::make(out).unwrap();
    let vault = earlier::vault(&files.plan, after, None).unwrap_or_else(|failure| panic!("{}", failure.message));
    if let (Some(after), Some(standing)) = (after, &files.plan.standing) {
        rehearsal::bring_cards(&Folder::at(after), &folder, standing).unwrap();
    }
    let ledger = Ledger::init(&folder.ledger()).unwrap();
    let beginning = Beginning {
        signers: rehearsal::signers(&files.plan, seed).unwrap(),
        settings: Settings { realm: Realm::Rehearsal, seed: seed.to_string(), seeded: true },
        argv: Vec::new(),
        plan: files.plan,
        script: files.script,
        profiles: files.profiles,
        approval_digest: String::new(),
        governance_digest: String::new(),
        approval_files: BTreeMap::new(),
        incoming: BTreeMap::new(),
        incoming_files: BTreeMap::new(),
        binding: Vec::new(),
        vault,
        device_keys: None,
        reach: Reach::InProcess,
    };
    let mut run =
        Run::start(beginning, folder.clone(), Room::<Rehearsal>::rehearsal(seed, true), ledger, &mut front).unwrap();
    let mut finish = run.go().unwrap();
    loop {
        let record = read_record(&folder).unwrap();
        closing::close(&folder, &run.plan, &record, &run.state, run.room.seed()).unwrap();
        match finish {
            Finish::Closed => break,
            Finish::Left => {}
            Finish::Aborted => panic!("nobody aborts"),
        }
        drop(run);
        let ledger = Ledger::open(&folder.ledger()).unwrap();
        let room = |record: &anchorite::transcript::Record| {
            let last = record.opens().last().map_or(record.header.started, |open| open.time);
            Room::<Rehearsal>::resumed(seed, true, last)
        };
        run = Run::resume(read().plan, folder.clone(), room, ledger, Reach::InProcess, &mut front).unwrap();
        finish = run.go().unwrap();
    }
}

/// What a record says of one quorum.
#[derive(Default)]
struct Dealt {
    count: u64,
    proven: BTreeSet<u64>,
    consistent: bool,
}

/// What custodians gave towards opening a standing key, since the last thing that voids it.
#[derive(Default)]
struct Towards {
    shares: BTreeSet<u64>,
    lists: BTreeSet<String>,
    heads: BTreeSet<String>,
}

/// Before every signature two people's agreement to the operation by its digest; and every share of its quorum proven and found
/// consistent since its key was made, or, where it was made in an earlier ceremony, as many custodians as open it, each of whom
/// typed a share, approved a list with this operation on it and gave the last head, after the list was fixed.
fn signatures_are_earned(evidence: &Path) -> usize {
    let text = std::fs::read_to_string(evidence.join("transcript.jsonl")).unwrap();
    let standing: Value = std::fs::read(evidence.join("standing.json"))
        .map_or(Value::Null, |octets| serde_json::from_slice(&octets).unwrap());
    let (mut quorums, mut of, mut dealing) = (BTreeMap::<String, Dealt>::new(), BTreeMap::new(), String::new());
    let (mut approvals, mut signed) = (BTreeMap::<String, BTreeSet<String>>::new(), 0);
    let (mut given, mut unlocked, mut unlocking) = (Towards::default(), BTreeSet::new(), Vec::new());
    let mut checking = String::new();
    for line in text.lines().skip(1) {
        let line: Value = serde_json::from_str(line).unwrap();
        let (open, body) = (&line["open"], &line["body"]);
        let effect = &body["effect"];
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        match (open["kind"].as_str().unwrap(), effect["effect"].as_str().unwrap_or_default()) {
            ("intent", "make-key") => {
                dealing = word(&effect["quorum"]);
                of.insert(word(&effect["authority"]), dealing.clone());
                if effect["sealed_to"].is_null() {
                    let count = effect["count"].as_u64().unwrap();
                    quorums.insert(dealing.clone(), Dealt { count, ..Dealt::default() });
                }
            }
            ("intent", "show-share") => dealing = word(&effect["quorum"]),
            ("intent", "check-consistency") => checking = word(&effect["quorum"]),
            ("intent", "unlock") => {
                unlocking = effect["digests"].as_array().cloned().unwrap_or_default().iter().map(word).collect();
                if !unlocking.is_empty() {
                    let threshold =
                        standing["quorums"][word(&effect["quorum"])]["threshold"].as_u64().unwrap() as usize;
                    let least = given.shares.len().min(given.lists.len()).min(given.heads.len());
                    assert!(least >= threshold, "{threshold} custodians unlock {}", effect["authority"]);
                }
                given = Towards::default();
            }
            ("intent", "sign") => {
                let (operation, digest) = (&effect["operation"], word(&effect["digest"]));
                match of.get(&word(&operation["authority"])) {
                    Some(quorum) if quorums.contains_key(quorum) => {
                        let made = &quorums[quorum];
                        assert_eq!(made.proven.len() as u64, made.count, "every share proven before a signature");
                        assert!(made.consistent, "the shares found consistent before a signature");
                    }
                    Some(_) => {}
                    None => assert!(unlocked.contains(&digest), "{digest} is on a list that custodians unlocked for"),
                }
                let people = approvals.get(&digest).expect("the operation was approved");
                assert!(people.len() >= 2, "two people approved {digest}: {people:?}");
                signed += 1;
            }
            ("answer", _) if open["outcome"] == "agreed" => {
                let (event, who) = (&body["event"]["answer"], word(&body["asked"]["who"]));
                if event["answer"] == "share" && event["verdict"]["verdict"] == "proven" {
                    let index = event["verdict"]["index"].as_u64().unwrap();
                    given.shares.insert(index);
                    quorums.entry(dealing.clone()).or_default().proven.insert(index);
                }
                match body["asked"]["title"].as_str().unwrap_or_default() {
                    "Approve exactly this list" => drop(given.lists.insert(who.clone())),
                    "Give the last head of the chain" => drop(given.heads.insert(who.clone())),
                    _ => {}
                }
                let operation = open["operation"].as_str().unwrap();
                if !operation.is_empty() {
                    approvals.entry(operation.to_owned()).or_default().insert(who);
                }
            }
            ("outcome", _) if open["outcome"] == "done" => match body["event"]["outcome"]["outcome"].as_str() {
                Some("consistent") => quorums.entry(checking.clone()).or_default().consistent = true,
                Some("unlocked") => unlocked.extend(unlocking.drain(..)),
                _ => {}
            },
            ("resumed", _) => {
                unlocked.clear();
                given = Towards::default();
            }
            ("step", _) if open["outcome"] == "skipped" => given = Towards::default(),
            _ => {}
        }
    }
    signed
}

#[test]
fn whatever_people_do_nothing_is_signed_before_it_is_earned_and_the_record_replays() {
    let folder = tempfile::tempdir().unwrap();
    let (mut signed, mut exceptions, mut resumes) = (0, 0, 0);
    for seed in 0..if full() { 40 } else { 8 } {
        for script in if seed % 4 == 0 { ["small-root", "root-ca"].as_slice() } else { &["small-root"] } {
            let out = folder.path().join(format!("{script}-{seed}"));
            ceremony(script, None, seed + 1, &out);
            let evidence = out.join("evidence");
            signed += signatures_are_earned(&evidence);
            let (exit, said) = verify(&evidence, &[]);
            assert_eq!(exit, 8, "{script} {seed}: {said}");
            assert!(said["claims"].to_string().contains("octet for octet"), "{script} {seed}: {said}");
            assert_eq!(verify_py(&evidence, &[]).0, 8, "{script} {seed}");
            let text = std::fs::read_to_string(evidence.join("transcript.jsonl")).unwrap();
            exceptions += text.matches("\"kind\":\"exception\"").count();
            resumes += text.matches("\"kind\":\"resumed\"").count();
        }
    }
    assert!(
        signed >= 16 && exceptions > 15 && resumes > 5,
        "the walk went everywhere: {signed} {exceptions} {resumes}"
    );
}

#[test]
fn whatever_people_do_a_key_of_an_earlier_ceremony_signs_only_what_its_custodians_opened_it_for() {
    let folder = tempfile::tempdir().unwrap();
    // The ceremonies before, by people who do as they are told.
    crate::program::rehearse("crl", &folder.path().join("crl"));
    let first = folder.path().join("crl-after-intermediate-2026-after-root-ca-2026");
    let second = folder.path().join("crl-after-intermediate-2026");
    let (mut signed, mut resumes, mut skipped) = (0, 0, 0);
    for seed in 0..if full() { 8 } else { 4 } {
        for (script, after) in [("hierarchy", None), ("rollover", Some(&first)), ("crl", Some(&second))] {
            let out = folder.path().join(format!("{script}-{seed}"));
            ceremony(script, after.map(|path| path.as_path()), seed + 1, &out);
            let evidence = out.join("evidence");
            signed += signatures_are_earned(&evidence);
            let before: Vec<&str> = after.iter().flat_map(|path| ["--after", path.to_str().unwrap()]).collect();
            let (exit, said) = verify(&evidence, &before);
            assert_eq!(exit, 8, "{script} {seed}: {said}");
            assert!(said["claims"].to_string().contains("octet for octet"), "{script} {seed}: {said}");
            assert_eq!(verify_py(&evidence, &before).0, 8, "{script} {seed}");
            let text = std::fs::read_to_string(evidence.join("transcript.jsonl")).unwrap();
            resumes += text.matches("\"kind\":\"resumed\"").count();
            skipped += text.matches("\"outcome\":\"skipped\"").count();
        }
    }
    assert!(signed >= 16 && resumes > 3 && skipped > 3, "the walk went everywhere: {signed} {resumes} {skipped}");
}
