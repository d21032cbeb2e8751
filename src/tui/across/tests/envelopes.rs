//! Real envelopes: what is on the screen is what a receiver needs.

use super::room::*;
use crate::basics::{Digest, Realm};
use crate::transfer::ur::{UrReceiver, UrTaken};
use crate::transfer::{Envelope, Kind, Receiver, Taken};
use crate::tui::across::fit::{Density, VERSIONS};
use crate::tui::across::frames::{Code, EnvelopeFrames, Frames, Subject, UrFrames};
use crate::tui::across::show::{Settings, Show, Shown, What};
use crate::tui::input::Key;

fn envelope(octets: usize) -> Envelope {
    let content = (0..octets).map(|n| u8::try_from(n * n % 251).unwrap()).collect();
    Envelope::new(Kind::Certificate, Realm::Rehearsal, "root.crt", content).unwrap()
}

fn showing(octets: usize, size: (u16, u16)) -> Show {
    let envelope = envelope(octets);
    sized(Show::new(Subject::of(&envelope), Box::new(EnvelopeFrames::of(envelope)), settings()), size)
}

fn text_up(show: &Show) -> String {
    match show.shown() {
        Shown::Following { code, .. } | Shown::Single { code, .. } => code.text.clone(),
        other => panic!("expected a code, found {other:?}"),
    }
}

#[test]
fn whoever_watches_one_round_has_the_whole_and_sees_the_same_words() {
    for size in [(80, 24), (120, 40), (200, 60)] {
        let mut show = showing(3000, size);
        let mut receiver = Receiver::new();
        let mut taken = receiver.take(&text_up(&show));
        let mut at = 0;
        for _ in 1..show.sources() {
            at += show.due_in(at);
            send(&mut show, at, What::Tick);
            taken = receiver.take(&text_up(&show));
        }
        assert_eq!(taken, Taken::Whole, "{size:?}");
        let whole = receiver.whole().unwrap();
        assert_eq!((whole.octets().len(), whole.digest()), (3000, show.subject.digest));
    }
}

#[test]
fn a_change_of_size_in_the_middle_loses_nothing_for_whoever_comes_later() {
    let mut show = showing(3000, (120, 40));
    let first = text_up(&show);
    press(&mut show, &[Key::Char('<'), Key::Char('<')]);
    assert_ne!(text_up(&show), first);
    press(&mut show, &[Key::Char('>'), Key::Char('>')]);
    assert_eq!(text_up(&show), first, "going back goes on where it was");
}

#[test]
fn what_fits_one_code_is_one_code_until_smaller_ones_are_asked_for() {
    let mut show = showing(150, (120, 40));
    let Shown::Single { code, .. } = show.shown() else { panic!("expected one code") };
    assert!(code.text.starts_with("AE1"));
    let mut receiver = Receiver::new();
    assert_eq!(receiver.take(&code.text), Taken::Whole);
    for _ in 0..20 {
        press(&mut show, &[Key::Char('<')]);
    }
    assert!(matches!(show.shown(), Shown::Following { code, .. } if code.version == 5));
    // On a terminal with no room for the one code there are several.
    assert!(matches!(showing(400, (80, 24)).shown(), Shown::Following { .. }));
}

#[test]
fn as_ur_the_octets_alone_cross_and_the_words_are_theirs() {
    let (subject, frames) = UrFrames::of(envelope(3000));
    assert_eq!(subject.digest, Digest::of(envelope(3000).octets()));
    let mut show = sized(Show::new(subject, Box::new(frames), settings()), (120, 40));
    let mut receiver = UrReceiver::new();
    let (mut at, mut taken) = (0, receiver.take(&text_up(&show)).unwrap());
    for _ in 1..show.sources() {
        at += show.due_in(at);
        send(&mut show, at, What::Tick);
        assert!(text_up(&show).starts_with("UR:BYTES/"));
        taken = receiver.take(&text_up(&show)).unwrap();
    }
    assert!(matches!(taken, UrTaken::Whole(octets) if octets == envelope(3000).octets()));
}

#[test]
fn every_version_has_frames_that_fill_it_and_no_more() {
    let mut frames = EnvelopeFrames::of(envelope(20_000));
    for version in VERSIONS {
        for number in [0, 1, u64::from(frames.sources(version)), 1_000_000] {
            let text = frames.text(version, number).unwrap();
            assert!(text.len() <= characters(version) && text.len() + 9 > characters(version), "{version}");
            assert!(Code::following(&text, version, number).is_ok());
        }
    }
}

#[test]
fn an_asked_for_size_keeps_half_of_its_quiet_zone_before_it_is_dropped() {
    let asked = Settings { density: Density::Asked(6), ..settings() };
    let up = |size| match many(asked, size).shown() {
        Shown::Following { code, quiet, .. } => (code.version, *quiet),
        other => panic!("{other:?}"),
    };
    assert_eq!([up((80, 26)), up((80, 24)), up((80, 23))], [(6, 4), (6, 2), (5, 2)]);
}
