//! The machine's clock is held against the ledger's last entry.

use super::*;

const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;

fn at(milliseconds: i64) -> Instant {
    Instant(NOW.0.checked_add_signed(milliseconds).unwrap())
}

#[test]
fn a_clock_that_was_set_back_or_far_ahead_changes_nothing_until_people_say_why() {
    let (mut factory, bundle) = Factory::stocked(9);
    let wanted = Wanted { line: 1, ..Wanted::default() };
    factory.station().release(&bundle, 99, false, NOW).unwrap();
    // Processes take the time before they take turns.
    factory.station().draw(&wanted, at(-4 * 60_000)).unwrap();
    factory.station().draw(&wanted, NOW).unwrap();
    let half_a_year = i64::try_from(180 * DAY).unwrap();
    for (wrong, says) in [(-6 * 60_000, "2026-11-18T11:00:40Z"), (half_a_year + 1, "2027-05-17T11:06:40Z")] {
        let refused = factory.station().release(&bundle, 1, false, at(wrong)).unwrap_err();
        assert!(matches!(refused, StationError::Clock { seq: 5, .. }), "{refused}");
        assert!(refused.to_string().contains(&format!("clock says {says}")), "{refused}");
        assert!(refused.hint().contains("reconcile"));
        assert!(factory.station().receipt(&bundle, at(wrong)).is_err());
        assert!(factory.station().status(at(wrong)).unwrap().problem.contains("clock says"));
    }
    assert!(matches!(factory.station().draw(&wanted, at(-6 * 60_000)), Err(StationError::Clock { .. })));
    assert_eq!(factory.station().check().unwrap().entries, 5, "nothing was written meanwhile");
    // It was a year ahead when somebody wrote something; it is right now.
    let ahead = at(i64::try_from(179 * DAY).unwrap());
    factory.station().say("D1-0", State::Scrapped, "the clock was ahead", ahead).unwrap();
    assert!(matches!(factory.station().draw(&wanted, NOW), Err(StationError::Clock { .. })));
    let done = Station::reconcile(&factory.path, "the clock was half a year ahead", None, NOW).unwrap();
    assert_eq!((done.behind, done.withdrawn), (0, 0), "no entry is missing for that");
    factory.reopen();
    assert_eq!(factory.draw(1).unwrap().0, "D1-2");
    assert!(Station::reconcile(&factory.path, "again", None, NOW).is_err(), "there is nothing left to reconcile");
    factory.station().check().unwrap();
}

#[test]
fn who_only_looks_lets_the_anchor_follow() {
    let (mut factory, bundle) = Factory::stocked(3);
    factory.station().release(&bundle, 9, false, NOW).unwrap();
    let anchor = factory.path.with_file_name("station.anchor");
    let before = std::fs::read(&anchor).unwrap();
    factory.draw(1).unwrap();
    // As another host's anchor is, or one whose last write a power cut took.
    std::fs::write(&anchor, before).unwrap();
    factory.reopen();
    assert_eq!(factory.station().is_current(NOW).unwrap().seq, 4);
    let saved = tempfile::tempdir().unwrap();
    copied(&factory.path, saved.path());
    factory.draw(1).unwrap();
    assert_eq!(factory.station().status(NOW).unwrap().problem, "");
    factory.close();
    put_back(saved.path(), &factory.path);
    factory.reopen();
    assert!(matches!(factory.draw(1), Err(StationError::Restored { expected: 5, found: 4 })));
}
