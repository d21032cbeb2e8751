//! Ceremonies with people who mistype, refuse, pause, leave, open exceptions and come back, by chance: the machine never panics, never
//! comes to a signature before its quorum is proven and two people approved that very operation, and its record replays octet for octet.

use crate::program::{full, root, verify, verify_py};
use anchorite::basics::{Realm, Secret};
use anchorite::ceremony::event::{Answer, FrontEndWord};
use anchorite::ceremony::state::Finish;
use anchorite::ceremony::{Ask, Prompt, Sheet};
use anchorite::cli::script_files;
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

    fn confirm_corrections(&mut self, _: &View<'_>, _: &[Correction]) -> Result<bool, String> {
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
fn ceremony(script: &str, seed: u64, out: &Path) {
    let mut front = Unruly { chance: Chance(seed), asked: 0 };
    let read = || {
        script_files::read(&root().join("ceremony-scripts").join(script), Realm::Rehearsal).unwrap_or_else(|_| panic!())
    };
    let files = read();
    let folder = Folder::make(out).unwrap();
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
        binding: Vec::new(),
        vault: BTreeMap::new(),
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

/// Before every signature: every share of the quorum proven and found consistent since its key was made, and two people's agreement
/// to the operation by its digest.
fn signatures_are_earned(transcript: &Path) -> usize {
    let text = std::fs::read_to_string(transcript).unwrap();
    let (mut proven, mut consistent, mut approvals, mut signed) = (BTreeSet::new(), false, BTreeMap::new(), 0);
    let mut shown = BTreeMap::new();
    for line in text.lines().skip(1) {
        let line: Value = serde_json::from_str(line).unwrap();
        let (open, body) = (&line["open"], &line["body"]);
        let effect = &body["effect"];
        match (open["kind"].as_str().unwrap(), effect["effect"].as_str().unwrap_or_default()) {
            ("intent", "make-key") => {
                proven.clear();
                shown.clear();
                consistent = false;
            }
            ("intent", "show-share") => {
                shown.insert(effect["index"].as_u64().unwrap(), effect["count"].as_u64().unwrap());
            }
            ("intent", "sign") => {
                let count = *shown.values().next().expect("shares were shown");
                assert_eq!(proven.len() as u64, count, "every share proven before a signature");
                assert!(consistent, "the shares found consistent before a signature");
                let digest = effect["digest"].as_str().unwrap();
                let people: &BTreeSet<String> = approvals.get(digest).expect("the operation was approved");
                assert!(people.len() >= 2, "two people approved {digest}: {people:?}");
                signed += 1;
            }
            ("answer", _) if open["outcome"] == "agreed" => {
                let event = &body["event"]["answer"];
                if event["answer"] == "share" && event["verdict"]["verdict"] == "proven" {
                    proven.insert(event["verdict"]["index"].as_u64().unwrap());
                }
                let operation = open["operation"].as_str().unwrap();
                if !operation.is_empty() {
                    let who = body["asked"]["who"].as_str().unwrap().to_owned();
                    approvals.entry(operation.to_owned()).or_insert_with(BTreeSet::new).insert(who);
                }
            }
            ("outcome", _) if open["outcome"] == "done" && body["event"]["outcome"]["outcome"] == "consistent" => {
                consistent = true;
            }
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
            ceremony(script, seed + 1, &out);
            let evidence = out.join("evidence");
            signed += signatures_are_earned(&evidence.join("transcript.jsonl"));
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
