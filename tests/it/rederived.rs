//! What a record took from files is found again from them: requests, a receipt, a log. A record that says something else than the files do is
//! refuted at its entry; what was not brought is the ceremony's word.

use crate::program::{copy, rehearse, verify};
use anchorite::audit::{evidence, replay_seeing};
use anchorite::basics::Digest;
use anchorite::bundles::rederive::{Brought, FromFiles, Taken, rederive};
use anchorite::ceremony::{Event, Moment, Outcome, State, What, advance, steps};
use anchorite::devices::whole_folder;
use anchorite::factory::{Places, State as Became};
use anchorite::plan::Plan;
use anchorite::transcript::{Record, chain::Chain};
use std::path::{Path, PathBuf};

/// The record up to its finding, which is another one: everything in it follows, so nothing but the files speaks against it.
fn lied(folder: &Path, lie: &dyn Fn(&mut Outcome) -> bool) -> (Plan, Record) {
    let files = whole_folder::read(folder).unwrap();
    let record = Record::read(&files["transcript.jsonl"]).unwrap();
    let plan = evidence::plan_of(&files, &record, &steps::kinds()).unwrap();
    let mut events = Vec::new();
    replay_seeing(&plan, &record, &mut |_, entry, what| events.push((entry, what.clone()))).unwrap();
    let (mut chain, mut octets) = Chain::start(record.header.clone()).unwrap();
    let mut state = State::default();
    for (entry, mut what) in events {
        let changed = match &mut what {
            What::Done { outcome } => lie(outcome),
            _ => false,
        };
        let time = record.lines[entry as usize - 1].open().unwrap().time;
        let turn = advance(&plan, state, &Event { moment: Moment { time, head: chain.head }, what });
        for (n, entry) in turn.entries.iter().enumerate() {
            octets.extend(chain.append(entry, time, Digest::of(&[u8::try_from(n).unwrap()])).unwrap());
        }
        state = turn.state;
        if changed {
            return (plan, Record::read(&octets).unwrap());
        }
    }
    panic!("nothing was changed");
}

fn from_files(plan: &Plan, record: &Record, folders: &[PathBuf]) -> Vec<FromFiles> {
    rederive(plan, record, Some(&Brought::of(folders).unwrap())).unwrap()
}

/// The honest record, with files, without and with others; then the record that lies.
fn judged(out: &Path, what: &str, file: &str, lie: &dyn Fn(&mut Outcome) -> bool) {
    let evidence = out.join("evidence");
    let claim = |more: &[&str]| {
        let (exit, said) = verify(&evidence, more);
        let claims = said["claims"].as_array().unwrap().clone();
        let claim = claims.into_iter().find(|claim| claim["claim"] == "from files").unwrap();
        (exit, claim["status"].as_str().unwrap().to_owned(), claim["detail"].as_str().unwrap().to_owned())
    };
    let (exit, status, detail) = claim(&[]);
    assert_eq!((exit, status.as_str()), (8, "recorded"));
    assert!(
        detail.contains(&format!("re-derived 0 of 1; {what} (entry "))
            && detail.contains("word: no files were brought"),
        "{detail}"
    );
    let all = out.to_str().unwrap();
    assert_eq!(claim(&["--files", all]), (8, "ok".to_owned(), "re-derived 1 of 1".to_owned()));

    // Another file of that name is not the one, and says nothing about the record.
    let (other, path) = (out.join("other"), find(out, file));
    copy(path.parent().unwrap(), &other);
    let changed = other.join(path.file_name().unwrap());
    let mut octets = std::fs::read(&changed).unwrap();
    let last = octets.len() - 3;
    octets[last] ^= 1;
    std::fs::write(&changed, octets).unwrap();
    let (exit, status, detail) = claim(&["--files", other.to_str().unwrap()]);
    assert_eq!((exit, status.as_str()), (8, "recorded"), "{detail}");
    assert!(detail.contains("is the ceremony's word"), "{detail}");
    std::fs::remove_dir_all(&other).unwrap();

    let (plan, record) = lied(&evidence, lie);
    let told = from_files(&plan, &record, &[out.to_owned()]);
    assert_eq!(told.len(), 1);
    assert!(matches!(&told[0].taken, Taken::Otherwise(_)), "{told:?}");
    assert_eq!(told[0].what, what);
    assert!(matches!(&from_files(&plan, &record, &[evidence])[0].taken, Taken::Word(_)));
}

/// The file of which the record speaks.
fn find(folder: &Path, end: &str) -> PathBuf {
    let found = crate::program::files(folder).into_iter().find(|path| path.to_string_lossy().ends_with(end));
    found.unwrap_or_else(|| panic!("{}: no file *{end}", folder.display()))
}

#[test]
fn a_receipt_is_accounted_for_again() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("receipts");
    rehearse("receipts", &out);
    let kept = crate::program::files(&out.join("issued")).remove(0);
    let name = kept.file_name().unwrap().to_string_lossy().into_owned();
    // One device more is said to have proven its key.
    judged(&out, "receipt lamps-1", &name, &|outcome| match outcome {
        Outcome::Accounted { account: Some(account) } => {
            account.proven = Places::below(account.proven.count() + 1);
            assert!(account.records.contains_key(&Became::Verified));
            true
        }
        _ => false,
    });
}

#[test]
fn requests_are_judged_again() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("requests");
    rehearse("factory-csr", &out);
    // A request more is said to be attested.
    judged(&out, "requests meters-1-keys", "requests/meters-1-keys.cbor", &|outcome| match outcome {
        Outcome::RequestsJudged { found, .. } => {
            found.attested += 1;
            true
        }
        _ => false,
    });

    // The artefact that goes back to the factory said something else: the record has its first reasons only, the files all of them.
    let (plan, record) = lied(&out.join("evidence"), &|outcome| match outcome {
        Outcome::RequestsJudged { refusals, .. } => {
            refusals.sha256 = Digest::of(b"other reasons");
            true
        }
        _ => false,
    });
    assert!(matches!(&from_files(&plan, &record, &[out])[0].taken, Taken::Otherwise(_)));
}

#[test]
fn a_log_is_checked_again() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("log");
    rehearse("delegated-log", &out);
    // An incident is kept to oneself, or made up.
    judged(&out, "log ostrava-ca-1-log-1", ".log.pem", &|outcome| match outcome {
        Outcome::LogChecked { found, .. } => {
            found.incidents.insert("device-twice".to_owned(), 1);
            true
        }
        _ => false,
    });
}
