//! Ceremonies that follow one another: what the next one takes up is exactly what the record before it leaves, whatever would break
//! the chain is refused by name, and no share, approval or head given for one list counts for another.

use crate::program::{anchorite, code, copy, root, said, verify, verify_py};
use anchorite::basics::{Realm, Secret};
use anchorite::ceremony::event::{Answer, FrontEndWord};
use anchorite::ceremony::state::Finish;
use anchorite::ceremony::{Ask, Prompt, Sheet};
use anchorite::cli::{earlier, script_files};
use anchorite::custody::share::Correction;
use anchorite::ledger::Ledger;
use anchorite::plan::Standing;
use anchorite::runner::front_end::{Ending, FrontEnd, Given, Incoming, Look, RevealedShare, Seen, View};
use anchorite::runner::recover::{Beginning, Settings, read_record};
use anchorite::runner::room::{Rehearsal, Room};
use anchorite::runner::strongrooms::Reach;
use anchorite::runner::{Folder, Run, closing, rehearsal};
use anchorite::transcript::sums;
use anchorite::transfer::envelope::Envelope;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The CRL ceremony with everything before it. Each test has its own, which goes when it ends: they are in processes of their own anyway.
struct Chain {
    _kept: tempfile::TempDir,
    folder: PathBuf,
}

/// Folders of the CRL ceremony, of the one that it follows, and of the first.
const LINKS: [&str; 3] = ["crl", "crl-after-intermediate-2026", "crl-after-intermediate-2026-after-root-ca-2026"];

fn chain() -> Chain {
    let kept = tempfile::tempdir().unwrap();
    let folder = kept.path().to_owned();
    crate::program::rehearse("crl", &folder.join("crl"));
    Chain { _kept: kept, folder }
}

impl Chain {
    fn link(&self, at: usize) -> PathBuf {
        self.folder.join(LINKS[at])
    }

    fn evidence(&self, at: usize) -> PathBuf {
        self.link(at).join("evidence")
    }
}

fn relist(folder: &Path) {
    let mut listed = BTreeMap::new();
    for path in crate::program::files(folder) {
        let name = path.strip_prefix(folder).unwrap().display().to_string();
        listed.insert(name, std::fs::read(path).unwrap());
    }
    listed.remove(sums::FILE_NAME);
    std::fs::write(folder.join(sums::FILE_NAME), sums::render(&listed)).unwrap();
}

fn claim(said: &serde_json::Value, name: &str) -> Vec<(String, String)> {
    let claims = said["claims"].as_array().unwrap().iter().filter(|claim| claim["claim"] == name);
    claims.map(|c| (c["status"].as_str().unwrap().to_owned(), c["detail"].as_str().unwrap().to_owned())).collect()
}

#[test]
fn what_stands_is_compared_link_by_link_with_the_records_before() {
    let chain = &chain();
    let before: Vec<String> = (1..3).map(|at| chain.link(at).display().to_string()).collect();
    let (exit, said) = verify(&chain.evidence(0), &[]);
    assert_eq!(exit, 8, "{said}");
    assert_eq!(claim(&said, "follows")[0].0, "recorded", "{said}");
    assert_eq!(claim(&said, "what stands").len(), 1, "{said}");
    assert_eq!(claim(&said, "what stands")[0].0, "unchecked", "{said}");
    let (exit, said) = verify(&chain.evidence(0), &["--after", &before[0], "--after", &before[1]]);
    assert_eq!(exit, 8, "{said}");
    let stands = claim(&said, "what stands");
    assert_eq!(stands.iter().map(|(status, _)| status.as_str()).collect::<Vec<_>>(), ["ok", "ok"], "{said}");
    assert!(stands[1].1.contains("root-ca-2026"), "{said}");
    let (exit, theirs) = verify_py(&chain.evidence(0), &["--after", &before[0], "--after", &before[1]]);
    assert_eq!(exit, 8, "{theirs}");
    assert!(claim(&theirs, "follows")[0].1.contains("as the one you brought"), "{theirs}");
    let stands = claim(&theirs, "what stands");
    assert_eq!(stands.iter().map(|(status, _)| status.as_str()).collect::<Vec<_>>(), ["ok", "ok"], "{theirs}");
    // Another record than the one it follows, and one that follows none.
    for (of, after) in [(0, 2), (2, 1)] {
        let after = chain.evidence(after);
        for verifier in [verify, verify_py] {
            let (exit, said) = verifier(&chain.evidence(of), &["--after", after.to_str().unwrap()]);
            assert_eq!((exit, &said["first_bad"]["where"]), (4, &"standing.json".into()), "{said}");
        }
    }
}

#[test]
fn what_was_taken_up_cannot_be_changed_removed_or_added() {
    let chain = &chain();
    let folder = tempfile::tempdir().unwrap();
    let edit = |text: String| {
        let crl = text.find("\"crl\":\"30").unwrap() + 7;
        format!("{}{}", &text[..crl], &text[text[crl..].find('"').unwrap() + crl..])
    };
    type Change<'c> = (&'static str, usize, Box<dyn Fn(&Path) + 'c>);
    let changes: [Change<'_>; 4] = [
        (
            "the last list taken out",
            0,
            Box::new(|path| {
                let text = std::fs::read_to_string(path).unwrap();
                std::fs::write(path, edit(text)).unwrap();
            }),
        ),
        ("removed", 0, Box::new(|path| std::fs::remove_file(path).unwrap())),
        ("no JSON", 0, Box::new(|path| std::fs::write(path, "x").unwrap())),
        (
            "that of the ceremony before",
            0,
            Box::new(|path| assert!(std::fs::copy(chain.evidence(1).join("standing.json"), path).is_ok())),
        ),
    ];
    for (what, of, change) in changes {
        let changed = folder.path().join(what);
        copy(&chain.evidence(of), &changed);
        change(&changed.join("standing.json"));
        relist(&changed);
        for verifier in [verify, verify_py] {
            let (exit, said) = verifier(&changed, &[]);
            assert_eq!((exit, &said["first_bad"]["where"]), (4, &"standing.json".into()), "{what}: {said}");
        }
    }
    // Beside a record that follows nothing it is a file that nothing binds; our plan is another with it.
    let added = folder.path().join("added");
    copy(&chain.evidence(2), &added);
    std::fs::copy(chain.evidence(1).join("standing.json"), added.join("standing.json")).unwrap();
    relist(&added);
    assert_eq!(verify(&added, &[]).0, 4);
    let (exit, said) = verify_py(&added, &[]);
    assert_eq!(exit, 8, "{said}");
    assert!(claim(&said, "not bound by the record")[0].1.contains("standing.json"), "{said}");
}

#[test]
fn copies_with_bodies_withheld_say_what_they_cannot_show() {
    let chain = &chain();
    let folder = tempfile::tempdir().unwrap();
    let public = |at: usize| {
        let out = folder.path().join(format!("public-{at}"));
        let from = chain.evidence(at);
        let output =
            anchorite(&["disclose", from.to_str().unwrap(), "--level", "public", "--out", out.to_str().unwrap()]);
        assert_eq!(code(&output), 0, "{}", said(&output));
        out
    };
    let (later, before) = (public(0), public(1));
    for verifier in [verify, verify_py] {
        let (exit, said) = verifier(&later, &[]);
        assert_eq!(exit, 8, "{said}");
        assert_eq!(claim(&said, "follows")[0].0, "unchecked", "{said}");
    }
    assert!(claim(&verify_py(&later, &[]).1, "not bound by the record")[0].1.contains("standing.json"));
    let (exit, with) = verify(&chain.evidence(0), &["--after", before.to_str().unwrap()]);
    assert_eq!(exit, 8, "{with}");
    assert!(claim(&with, "what stands")[0].1.contains("cannot be derived from a copy"), "{with}");
    // And nothing is built on such a copy.
    let output = anchorite(&["check", "ceremony-scripts/crl", "--after", before.to_str().unwrap()]);
    assert_eq!(code(&output), 1, "{}", said(&output));
    assert!(said(&output).contains("its body is withheld"), "{}", said(&output));
}

/// A script of this project in a folder of its own, with changes.
fn changed(name: &str, changes: &[(&str, &str)]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("script");
    copy(&root().join("ceremony-scripts/profiles"), &script.join("profiles"));
    let mut text = std::fs::read_to_string(root().join(format!("ceremony-scripts/{name}/script.toml"))).unwrap();
    for (from, to) in changes {
        assert!(text.contains(from), "{from}");
        text = text.replacen(from, to, 1);
    }
    std::fs::write(script.join("script.toml"), text).unwrap();
    (folder, script)
}

fn revoking(what: &str, reported: &str) -> String {
    format!(
        "[[revocation]]\nauthority = \"root-2026\"\n{what}\nreason = \"superseded\"\nreported_at = \"{reported}\"\n\n[[material]]"
    )
}

#[test]
fn a_script_that_does_not_fit_what_stands_is_refused_by_name() {
    let chain = &chain();
    let after = chain.link(1).display().to_string();
    let unknown = revoking("certificate = \"nobody\"", "2026-11-22T00:00:00Z");
    let now = "this_update = \"2026-11-2";
    let text = std::fs::read_to_string(root().join("ceremony-scripts/crl/script.toml")).unwrap();
    let update = &text[text.find(now).unwrap()..text.find("next_update").unwrap()];
    for (from, to, expected) in [
        ("threshold = 3", "threshold = 2", "the script says threshold 2, the record 3"),
        (
            "\"custodian-d\", \"custodian-e\"]\n\n[[authority]]",
            "\"custodian-e\", \"custodian-d\"]\n\n[[authority]]",
            "quorum root-2026: the script says",
        ),
        ("not_after = \"2051", "not_after = \"2050", "authority root-2026: not_after: the script says 2050"),
        ("Example Devices Root CA 2026", "Example Devices Root CA 2027", "authority root-2026: subject"),
        (
            "follows = \"intermediate-2026\"",
            "follows = \"root-ca-2026\"",
            "the script says root-ca-2026, what stands is of intermediate-2026",
        ),
        ("[[material]]", unknown.as_str(), "revocation of nobody: root-2026 issued no certificate of this name"),
        (update, "this_update = \"2026-11-21T00:00:00Z\"\n", "is before root-2026 becomes valid"),
    ] {
        let (_kept, script) = changed("crl", &[(from, to)]);
        let output = anchorite(&["check", script.to_str().unwrap(), "--after", &after]);
        assert_eq!(code(&output), 3, "{to}\n{}", said(&output));
        assert!(said(&output).contains(expected), "expected {expected} in\n{}", said(&output));
    }
}

#[test]
fn orders_in_which_a_key_is_opened_for_nothing_or_signs_too_late_are_refused() {
    let text = std::fs::read_to_string(root().join("ceremony-scripts/rollover/script.toml")).unwrap();
    let block = |id: &str| {
        let start = text.find(&format!("[[act.step]]\nid = \"{id}\"")).unwrap();
        let end = text[start + 1..].find("\n[[").map_or(text.len(), |at| start + 1 + at + 1);
        text[start..end].to_owned()
    };
    let moved = |what: &str, before: &str| {
        text.replace(&block(what), "").replace(&block(before), &(block(what) + &block(before)))
    };
    let check = |text: &str| {
        let (_kept, script) = changed("rollover", &[]);
        std::fs::write(script.join("script.toml"), text).unwrap();
        let output = anchorite(&["check", script.to_str().unwrap()]);
        assert_eq!(code(&output), 3, "{}", said(&output));
        said(&output)
    };
    let late = check(&moved("new-with-old", "unlock"));
    assert!(late.contains("step new-with-old comes before the key of root-2026 has been unlocked"), "{late}");
    assert!(
        late.contains("after step unlock the key of root-2026 has been unlocked, and no later step signs"),
        "{late}"
    );
    let reported = text.replacen("[[material]]", &revoking("serial = \"0a\"", "2027-01-01T00:00:00Z"), 1);
    assert!(check(&reported).contains("root-2026 revokes a certificate and issues no list"));
    // Between a key and the proof of its quorum nothing is signed: a lost share means that all of it is done again.
    let crl = block("crl").replace("root-2030", "root-2026").replace("id = \"crl\"", "id = \"old-crl\"");
    let between =
        text.replace(&block("unlock"), "").replace(&block("deal"), &(block("unlock") + &crl + &block("deal")));
    let between = check(&between);
    assert!(
        between.contains("step unlock signs while the shares of quorum root-2030, made in step key, are not proven"),
        "{between}"
    );
    assert!(between.contains("step old-crl signs while"), "{between}");
    let (_kept, script) = changed("crl", &[("[[material]]", &revoking("serial = \"0a\"", "2027-01-01T00:00:00Z"))]);
    let output = anchorite(&["check", script.to_str().unwrap()]);
    assert!(
        code(&output) == 3 && said(&output).contains("`reported_at` 2027-01-01T00:00:00Z is after the list begins"),
        "{}",
        said(&output)
    );
}

#[test]
fn nothing_is_built_on_evidence_or_a_vault_that_was_changed() {
    let chain = &chain();
    let folder = tempfile::tempdir().unwrap();
    let edited = |what: &str, change: &dyn Fn(&Path)| {
        let to = folder.path().join(what);
        copy(&chain.link(1), &to);
        change(&to);
        let out = folder.path().join(format!("out-{what}"));
        let (after, out) = (to.to_str().unwrap(), out.to_str().unwrap());
        let output =
            anchorite(&["rehearse", "ceremony-scripts/crl", "--plain", "--auto", "--after", after, "--out", out]);
        assert!(!Path::new(out).join("evidence/transcript.jsonl").exists(), "{what}: a record was begun");
        (code(&output), said(&output))
    };
    let key = "state/vault/root-2026.g1.key.age";
    let (exit, words) = edited("altered key", &|to| {
        let mut octets = std::fs::read(to.join(key)).unwrap();
        *octets.last_mut().unwrap() ^= 1;
        std::fs::write(to.join(key), octets).unwrap();
    });
    assert!(exit == 4 && words.contains("expected the sealed key of the record"), "{exit} {words}");
    let (exit, words) = edited("no key", &|to| std::fs::remove_file(to.join(key)).unwrap());
    assert!(exit == 7 && words.contains("the sealed key of root-2026"), "{exit} {words}");
    let (exit, words) = edited("edited record", &|to| {
        let path = to.join("evidence/transcript.jsonl");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replacen("\"outcome\":\"agreed\"", "\"outcome\":\"given\"", 1)).unwrap();
    });
    assert!(exit == 4 && words.contains("the evidence does not hold") && words.contains("at entry"), "{exit} {words}");
    let (exit, words) = edited("cut record", &|to| {
        let path = to.join("evidence/transcript.jsonl");
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        std::fs::write(&path, lines[..40].concat()).unwrap();
    });
    assert_eq!(exit, 4, "{words}");
}

/// Simulated people, but where `instead` says otherwise.
struct Led<'l> {
    instead: &'l mut dyn FnMut(&View<'_>, &Prompt) -> Option<Given>,
}

impl FrontEnd for Led<'_> {
    fn word(&self) -> FrontEndWord {
        FrontEndWord::Auto
    }
    fn ask(&mut self, view: &View<'_>, prompt: &Prompt) -> Given {
        (self.instead)(view, prompt).unwrap_or(Given::Simulate)
    }
    fn reveal(&mut self, _: &View<'_>, _: &RevealedShare) -> Result<Seen, String> {
        Ok(Seen::Simulated)
    }
    fn confirm_corrections(&mut self, _: &View<'_>, _: &str, _: &[Correction]) -> Result<bool, String> {
        Ok(false)
    }
    fn show_code(&mut self, _: &View<'_>, _: &Envelope) -> Result<(), String> {
        Ok(())
    }
    fn scan(&mut self, _: &View<'_>, look: &mut Look<'_>) -> Result<Option<Secret>, String> {
        look()
    }
    fn take_in(&mut self, _: &View<'_>, _: &mut dyn Incoming) -> Result<(), String> {
        Ok(())
    }
    fn busy(&mut self, _: &View<'_>, _: &str) {}
    fn ended(&mut self, _: &View<'_>, _: &Ending) {}
}

/// What a script that follows takes up; `change` may forge it.
fn beginning(script: &Path, after: &Path, change: &dyn Fn(&mut Standing)) -> Beginning {
    let files =
        earlier::script_after(script, Realm::Rehearsal, Some(after)).unwrap_or_else(|f| panic!("{}", f.message));
    let vault = earlier::vault(&files.plan, Some(after), None).unwrap_or_else(|f| panic!("{}", f.message));
    let mut standing = files.plan.standing.clone().unwrap();
    change(&mut standing);
    let files =
        script_files::read_after(script, Realm::Rehearsal, Some(standing)).unwrap_or_else(|f| panic!("{}", f.message));
    Beginning {
        signers: rehearsal::signers(&files.plan, 7).unwrap(),
        settings: Settings { realm: Realm::Rehearsal, seed: "7".to_owned(), seeded: true },
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
    }
}

/// A ceremony that follows `after`, to its close, resumed as often as its people leave.
fn led(
    script: &Path,
    after: &Path,
    out: &Path,
    change: &dyn Fn(&mut Standing),
    instead: &mut dyn FnMut(&View<'_>, &Prompt) -> Option<Given>,
) {
    let mut front = Led { instead };
    let beginning = beginning(script, after, change);
    let plan = beginning.plan.clone();
    let folder = Folder::make(out).unwrap();
    rehearsal::bring_cards(&Folder::at(after), &folder, plan.standing.as_ref().unwrap()).unwrap();
    let ledger = Ledger::init(&folder.ledger()).unwrap();
    let room = Room::<Rehearsal>::rehearsal(7, true);
    let mut run = Run::start(beginning, folder.clone(), room, ledger, &mut front).unwrap();
    let mut finish = run.go().unwrap();
    loop {
        let record = read_record(&folder).unwrap();
        closing::close(&folder, &run.plan, &record, &run.state, run.room.seed()).unwrap();
        if finish != Finish::Left {
            break;
        }
        drop(run);
        let ledger = Ledger::open(&folder.ledger()).unwrap();
        let room = |record: &anchorite::transcript::Record| {
            let last = record.opens().last().map_or(record.header.started, |open| open.time);
            Room::<Rehearsal>::resumed(7, true, last)
        };
        run = Run::resume(plan.clone(), folder.clone(), room, ledger, Reach::InProcess, &mut front).unwrap();
        finish = run.go().unwrap();
    }
}

#[test]
fn a_record_that_took_up_something_else_is_consistent_alone_and_refuted_by_the_record_before() {
    let chain = &chain();
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("forged");
    let script = root().join("ceremony-scripts/rollover");
    let first = chain.link(2);
    // Somebody who runs the ceremony forgets that the old root had certified the key before.
    led(&script, &first, &out, &|standing| standing.keys.clear(), &mut |_, _| None);
    let evidence = out.join("evidence");
    for verifier in [verify, verify_py] {
        let (exit, alone) = verifier(&evidence, &[]);
        assert_eq!(exit, 8, "{alone}");
        let (exit, said) = verifier(&evidence, &["--after", first.to_str().unwrap()]);
        assert_eq!((exit, &said["first_bad"]["where"]), (4, &"standing.json".into()), "{said}");
        assert!(
            said["problem"].as_str().unwrap().contains("expected exactly what the record of root-ca-2026 leaves"),
            "{said}"
        );
    }
    let honest = folder.path().join("honest");
    led(&script, &first, &honest, &|_| {}, &mut |_, _| None);
    for verifier in [verify, verify_py] {
        let (exit, said) = verifier(&honest.join("evidence"), &["--after", first.to_str().unwrap()]);
        assert_eq!(exit, 8, "{said}");
        assert_eq!(claim(&said, "what stands")[0].0, "ok", "{said}");
    }
}

/// Two authorities on one quorum, each issuing its next list; after the hierarchy that made them.
fn two_lists(folder: &Path) -> (PathBuf, PathBuf) {
    let hierarchy = folder.join("hierarchy");
    crate::program::rehearse("hierarchy", &hierarchy);
    let made = std::fs::read_to_string(root().join("ceremony-scripts/hierarchy/script.toml")).unwrap();
    let part = |from: &str, to: &str| {
        let start = made.find(from).unwrap();
        made[start..start + made[start..].find(to).unwrap()].to_owned()
    };
    let id = made.lines().find_map(|line| line.strip_prefix("id = ")).unwrap().to_owned();
    let quorum = part("[[quorum]]\nname = \"issuing-2026\"", "[[authority]]");
    let authorities = part("[[authority]]\nname = \"issuing-a\"", "[[certificate]]");
    let standing = (quorum + &authorities)
        .replace("\"\nthreshold", "\"\nstanding = true\nthreshold")
        .replace("\"\nprofile", "\"\nstanding = true\nprofile");
    let crl = std::fs::read_to_string(root().join("ceremony-scripts/crl/script.toml")).unwrap();
    let (before, rest) = crl.split_at(crl.find("[[quorum]]").unwrap());
    let after = &rest[rest.find("[[material]]").unwrap()..];
    let mut text = format!("{before}{standing}{after}");
    let follows = text.lines().find(|line| line.starts_with("follows")).unwrap().to_owned();
    text = text
        .replace(&follows, &format!("follows = {id}"))
        .replace("custodian-a", "custodian-e")
        .replace("custodian-b", "custodian-d");
    let issue = &after
        [after.find("[[act.step]]\nid = \"unlock\"").unwrap()..after.find("[[act]]\ntitle = \"Carry out\"").unwrap()];
    let issue = issue.replace("custodian-a", "custodian-e");
    let days = made.lines().filter(|line| line.starts_with("this_update") || line.starts_with("next_update")).count();
    assert!(days > 0);
    let of = |name: &str| {
        let mut issue = issue.replace("\"root-2026\"", &format!("\"{name}\""));
        issue = issue
            .replace("id = \"unlock\"", &format!("id = \"unlock-{name}\""))
            .replace("id = \"crl\"", &format!("id = \"crl-{name}\""));
        let next = issue.lines().find(|line| line.starts_with("next_update")).unwrap().to_owned();
        issue.replace(&next, "next_update = \"2026-12-20T00:00:00Z\"")
    };
    let both = of("issuing-a") + &of("issuing-b");
    text = text
        .replace(&issue, &both)
        .replace("authorities = [\"root-2026\"]", "authorities = [\"issuing-a\", \"issuing-b\"]");
    let script = folder.join("script");
    copy(&root().join("ceremony-scripts/profiles"), &script.join("profiles"));
    std::fs::write(script.join("script.toml"), text).unwrap();
    (script, hierarchy)
}

#[test]
fn a_share_given_for_one_list_does_not_count_for_another() {
    let folder = tempfile::tempdir().unwrap();
    let (script, hierarchy) = two_lists(folder.path());
    let out = folder.path().join("out");
    let (mut left, mut typed, mut asked) = (false, 0, Vec::new());
    led(&script, &hierarchy, &out, &|_| {}, &mut |view, prompt| {
        let step = view.plan.steps.get(view.state.step).map_or("", |step| step.id.as_str());
        if step == "crl-issuing-a" && !left {
            left = true;
            return Some(Given::Answer(Answer::Leave { why: "the bell".to_owned() }));
        }
        let share = matches!(prompt.ask, Ask::Share { .. });
        if step == "crl-issuing-a" && share {
            typed += 1;
            // One custodian has typed a share, approved the list and given the head; then the list is not issued.
            if typed == 2 {
                let by = view.plan.people.iter().take(2).map(|person| person.initials.clone()).collect();
                let text = || "the list of the other authority is not wanted today".to_owned();
                let sheet = Sheet { expected: text(), happened: text(), decided: text(), by, skip: true };
                return Some(Given::Answer(Answer::Exception { sheet }));
            }
        }
        if step == "unlock-issuing-b" {
            asked.push(prompt.title.clone());
        }
        None
    });
    let count = |title: &str| asked.iter().filter(|asked| *asked == title).count();
    for title in ["Unlock with a share", "Approve exactly this list", "Give the last head of the chain"] {
        assert_eq!(count(title), 2, "{title}: {asked:?}");
    }
    let (exit, said) = verify(&out.join("evidence"), &["--after", hierarchy.to_str().unwrap()]);
    assert_eq!(exit, 8, "{said}");
    assert!(out.join("evidence/artifacts/issuing-b.2.crl.pem").is_file(), "the second authority's list was issued");
    assert!(!out.join("evidence/artifacts/issuing-a.2.crl.pem").exists(), "the first one's was not");
}

#[test]
fn an_aborted_ceremony_is_followed_with_what_it_issued_before() {
    let chain = &chain();
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("aborted");
    let script = root().join("ceremony-scripts/crl");
    led(&script, &chain.link(1), &out, &|_| {}, &mut |view, _| {
        let step = view.plan.steps.get(view.state.step).map_or("", |step| step.id.as_str());
        (step == "seal").then(|| {
            let by = view.plan.people.iter().take(2).map(|person| person.initials.clone()).collect();
            let text = || "the building is on fire".to_owned();
            Given::Answer(Answer::Abort {
                sheet: Sheet { expected: text(), happened: text(), decided: text(), by, skip: false },
            })
        })
    });
    let id = std::fs::read_to_string(script.join("script.toml")).unwrap();
    let own = id.lines().find(|line| line.starts_with("id = ")).unwrap().trim_start_matches("id = ").to_owned();
    let (own_line, follows) =
        (format!("id = {own}"), id.lines().find(|line| line.starts_with("follows")).unwrap().to_owned());
    let revocations = id.find("[[revocation]]").map(|at| id[at..at + id[at..].find("\n\n").unwrap() + 2].to_owned());
    let mut changes = vec![(own_line.as_str(), "id = \"crl-again\""), (follows.as_str(), "")];
    let next = format!("follows = {own}");
    changes[1].1 = &next;
    if let Some(revocation) = &revocations {
        changes.push((revocation, ""));
    }
    let (_kept, again) = changed("crl", &changes);
    let last = folder.path().join("again");
    led(&again, &out, &last, &|_| {}, &mut |_, _| None);
    let names: Vec<String> = crate::program::files(&last.join("evidence/artifacts"))
        .iter()
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    assert_eq!(names, ["root-2026.3.crl.pem"], "the number that the aborted ceremony used is not used again");
    let (exit, said) = verify(&last.join("evidence"), &["--after", out.to_str().unwrap()]);
    assert_eq!(exit, 8, "{said}");
}
