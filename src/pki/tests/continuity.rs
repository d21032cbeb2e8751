//! Lists that follow each other, and everything that breaks the row.

use super::{at, crl_request, issue, issue_crl, key, request, two_revoked};
use crate::basics::{Instant, Realm};
use crate::keys::Algorithm;
use crate::pki::crl::{self, CertificateList, CrlRequest, Reason, Revoked};
use crate::pki::{Certificate, instants};
use proptest::prelude::*;
use std::collections::BTreeMap;

const ALGORITHM: Algorithm = Algorithm::Ed25519;

fn issuer() -> Certificate {
    issue(&request(Realm::Production, ALGORITHM), &key(ALGORITHM, 7))
}

fn first(issuer: &Certificate) -> CertificateList {
    issue_crl(&crl_request(issuer, two_revoked()), &key(ALGORITHM, 7))
}

fn second(issuer: &Certificate) -> CrlRequest<'_> {
    let this_update = at("2027-05-01T00:00:00Z");
    let mut revoked = two_revoked();
    revoked.push(Revoked { serial: vec![0x42; 20], date: at("2027-04-30T12:00:00Z"), reason: Reason::CaCompromise });
    CrlRequest { issuer, number: 2, this_update, next_update: instants::days_after(this_update, 365), revoked }
}

fn now() -> Instant {
    at("2027-05-01T08:00:00Z")
}

#[test]
fn a_sound_list_follows_and_a_first_one_begins() {
    let issuer = issuer();
    assert_eq!(crl::continuity(Some(&first(&issuer)), &second(&issuer), now()), Vec::<String>::new());
    assert_eq!(crl::continuity(None, &crl_request(&issuer, vec![]), now()), Vec::<String>::new());
    let refresh = CrlRequest { revoked: two_revoked(), ..second(&issuer) };
    assert_eq!(crl::continuity(Some(&first(&issuer)), &refresh, now()), Vec::<String>::new(), "nothing new");
}

#[test]
fn each_break_is_named() {
    type Change = fn(&mut CrlRequest<'_>);
    let issuer = issuer();
    let cases: [(&str, Change); 12] = [
        ("number: expected 2, found 1, which does not rise", |r| r.number = 1),
        ("number: expected 2, found 0, which does not rise", |r| r.number = 0),
        ("number: expected 2, found 3: a gap", |r| r.number = 3),
        ("this update: expected one not before", |r| r.this_update = at("2026-11-22T13:59:59Z")),
        ("next update: expected one after now", |r| r.next_update = now()),
        ("expected it again, as its certificate has not ended", |r| drop(r.revoked.remove(0))),
        ("expected its date 2026-11-21T09:30:00Z again", |r| r.revoked[0].date = at("2026-11-21T09:30:01Z")),
        ("expected its date 2026-11-21T09:30:00Z again", |r| r.revoked[0].date = at("2026-11-21T09:29:59Z")),
        ("expected a date up to now", |r| r.revoked[2].date = at("2027-05-01T08:00:01Z")),
        ("expected reason superseded or key-compromise", |r| r.revoked[1].reason = Reason::CessationOfOperation),
        ("expected reason key-compromise or key-compromise", |r| r.revoked[0].reason = Reason::Superseded),
        ("expected it again", |r| r.revoked.clear()),
    ];
    for (says, change) in cases {
        let mut request = second(&issuer);
        change(&mut request);
        let problems = crl::continuity(Some(&first(&issuer)), &request, now());
        assert!(problems.iter().any(|problem| problem.contains(says)), "{says}: {problems:?}");
    }
    let mut worse = second(&issuer);
    worse.revoked[1].reason = Reason::KeyCompromise;
    assert_eq!(crl::continuity(Some(&first(&issuer)), &worse, now()), Vec::<String>::new());
}

#[test]
fn a_list_of_another_authority_or_a_second_first_one_does_not_follow() {
    let issuer = issuer();
    let mut other = request(Realm::Production, ALGORITHM);
    other.key = super::subject_key(ALGORITHM, 8);
    let other = issue(&other, &key(ALGORITHM, 8));
    let problems = crl::continuity(Some(&first(&issuer)), &second(&other), now());
    assert_eq!(problems, ["issuer: expected the authority of the list before, found another"]);
    let problems = crl::continuity(None, &second(&issuer), now());
    assert_eq!(problems, ["number: expected 1 for a first list, found 2; give the list before it"]);
    let mut all = second(&issuer);
    (all.number, all.next_update) = (7, now());
    all.revoked.clear();
    assert_eq!(crl::continuity(Some(&first(&issuer)), &all, now()).len(), 4, "all at once");
}

#[test]
fn an_entry_goes_once_it_was_listed_after_its_certificate_ended() {
    let issuer = issuer();
    let mut request = second(&issuer);
    let gone = request.revoked.remove(0).serial;
    let problems = |end: &str| {
        let ends = BTreeMap::from([(gone.clone(), at(end))]);
        crl::continuity_knowing(Some(&first(&issuer)), &request, now(), &ends).len()
    };
    assert_eq!(problems("2026-11-22T13:59:59Z"), 0, "ended before the last list");
    assert_eq!(problems("2026-11-22T14:00:00Z"), 1, "still valid when the last list was made");
    assert_eq!(problems("2040-01-01T00:00:00Z"), 1);
}

#[test]
fn people_are_shown_what_changes() {
    let issuer = issuer();
    let mut request = second(&issuer);
    request.revoked[1].reason = Reason::KeyCompromise;
    request.revoked.remove(0);
    let difference = crl::difference(Some(&first(&issuer)), &request);
    let lines: Vec<String> = difference.lines().into_iter().map(|(label, value)| format!("{label}: {value}")).collect();
    let serial = "42".repeat(20);
    let gone = "41".repeat(20);
    assert_eq!(
        lines,
        [
            "Number: 2, after 1".to_owned(),
            format!("Newly revoked: {serial} on 2027-04-30T12:00:00Z, ca-compromise"),
            "Changed: 008001 on 2026-11-22T14:00:00Z, key-compromise; before: on 2026-11-22T14:00:00Z, superseded"
                .to_owned(),
            format!("No longer listed: {gone} on 2026-11-21T09:30:00Z, key-compromise"),
            "Stays revoked: 0".to_owned(),
        ]
    );
    let refresh = CrlRequest { revoked: two_revoked(), ..second(&issuer) };
    let lines = crl::difference(Some(&first(&issuer)), &refresh).lines();
    assert_eq!(lines[1].1, "nothing");
    assert_eq!(lines[2].1, "2");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// A life of an authority: at each turn some days go by, some certificates are revoked, and a list is made. Whatever the
    /// life, each list follows the one before it, and no older one does.
    #[test]
    fn lists_of_any_life_keep_continuity(
        turns in proptest::collection::vec((0u32..200, proptest::collection::vec((any::<[u8; 8]>(), 0..7usize), 0..4)), 1..8),
    ) {
        let (issuer, signer) = (issuer(), key(ALGORITHM, 7));
        let mut today = at("2026-11-22T14:00:00Z");
        let mut revoked: Vec<Revoked> = Vec::new();
        let mut lists: Vec<CertificateList> = Vec::new();
        for (days, new) in turns {
            today = instants::days_after(today, days);
            for (serial, reason) in new {
                let serial = [&[0x40][..], &serial].concat();
                if revoked.iter().all(|entry| entry.serial != serial) {
                    revoked.push(Revoked { serial, date: today, reason: Reason::ALL[reason] });
                }
            }
            let request = CrlRequest {
                issuer: &issuer,
                number: lists.len() as u64 + 1,
                this_update: today,
                next_update: instants::days_after(today, 30),
                revoked: revoked.clone(),
            };
            prop_assert_eq!(crl::continuity(lists.last(), &request, today), Vec::<String>::new());
            let difference = crl::difference(lists.last(), &request);
            let before = lists.last().map_or(0, |list| list.revoked().len());
            prop_assert_eq!((difference.added.len(), difference.kept), (revoked.len() - before, before));
            if lists.len() > 1 {
                prop_assert!(!crl::continuity(lists.first(), &request, today).is_empty(), "not after an older one");
            }
            lists.push(issue_crl(&request, &signer));
        }
    }
}
