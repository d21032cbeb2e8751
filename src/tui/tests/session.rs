//! The loop around the model, with scripted input instead of a terminal.

use super::room::*;
use crate::basics::Digest;
use crate::ceremony::event::Answer;
use crate::ceremony::{Line, Prompt};
use crate::devices::clock::SimulatedClock;
use crate::runner::front_end::{Given, Seen, View};
use crate::tui::input::{Input, InputSource, Key, Signal};
use crate::tui::session::Session;
use crate::tui::theme::Theme;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use std::collections::VecDeque;
use std::time::Duration;

/// Gives its inputs one by one, each only after a wait, as a person does.
struct Script(VecDeque<Input>);

impl InputSource for Script {
    fn next(&mut self, wait: Duration) -> Input {
        if wait.is_zero() {
            return Input::Tick;
        }
        // Slower than the type-ahead guard; a whole share is typed fast.
        if self.0.len() < 6 {
            std::thread::sleep(Duration::from_millis(320));
        }
        self.0.pop_front().unwrap_or(Input::Lost("the script is at its end".to_owned()))
    }
}

fn session(inputs: Vec<Input>) -> (Session<Script>, Terminal<TestBackend>) {
    (Session::new(Script(inputs.into()), Theme::Bare), Terminal::new(TestBackend::new(80, 24)).unwrap())
}

fn keys(keys: &[Key]) -> Vec<Input> {
    keys.iter().copied().map(Input::Key).collect()
}

fn seen_by<'a>(room: &'a Fixture, clock: &'a SimulatedClock) -> View<'a> {
    View {
        plan: &room.plan,
        plan_digest: Digest::of(b"plan"),
        state: &room.state,
        head: Digest::of(b"head"),
        entries: 3,
        clock,
        ways_in: &room.ways_in,
    }
}

#[test]
fn a_question_is_shown_and_its_answer_brought_back() {
    let (room, clock) = (Fixture::production(), SimulatedClock::starting_at(noon()));
    let (mut session, mut screen) = session(keys(&[Key::Char('a'), Key::Char('b'), Key::Enter]));
    let given = session.ask(&mut screen, &seen_by(&room, &clock), &initials());
    assert!(matches!(given, Given::Answer(Answer::Initials { initials }) if initials == "ab"));
    assert!(screen.backend().to_string().contains("PRODUCTION"));
}

#[test]
fn nothing_of_a_typed_share_stays_on_the_screen() {
    let (room, clock) = (Fixture::production(), SimulatedClock::starting_at(noon()));
    let (mut session, mut screen) = session(TEXT.chars().map(Key::Char).chain([Key::Enter]).map(Input::Key).collect());
    let given = session.ask(&mut screen, &seen_by(&room, &clock), &share_for("prove"));
    assert!(matches!(given, Given::Secret(secret) if secret.same_as(TEXT.as_bytes())));
    assert!(!screen.backend().to_string().contains("KR1Q"));
}

#[test]
fn a_share_is_revealed_and_wiped() {
    let (room, clock) = (Fixture::production(), SimulatedClock::starting_at(noon()));
    let (mut session, mut screen) = session(keys(&[Key::Char('r'), Key::Char('x'), Key::Char('w')]));
    let seen = session.reveal(&mut screen, &seen_by(&room, &clock), &revealed());
    assert_eq!(seen, Ok(Seen::Text));
    assert!(
        screen.backend().buffer().content.iter().all(|cell| cell.symbol() == " "),
        "something is left on the screen"
    );
}

#[test]
fn whoever_asks_after_a_signal_is_told_to_leave() {
    let (room, clock) = (Fixture::rehearsal(), SimulatedClock::starting_at(noon()));
    let (mut session, mut screen) = session(vec![Input::Signal(Signal::Terminate)]);
    let view = seen_by(&room, &clock);
    assert!(session.reveal(&mut screen, &view, &revealed()).is_err());
    let given = session.ask(&mut screen, &view, &initials());
    assert!(matches!(given, Given::Answer(Answer::Leave { why }) if why == Signal::Terminate.why()));
    let confirmed = session.confirm_corrections(&mut screen, &view, "cleo", &corrections());
    assert_eq!(confirmed, Err(Signal::Terminate.why().to_owned()), "nobody said that the card disagrees");
    session.busy(&mut screen, &view, "end the strongroom");
    session.ended(&mut screen, &view, &ending());
}

#[test]
fn a_terminal_that_is_gone_leaves_the_ceremony_resumable() {
    let (room, clock) = (Fixture::rehearsal(), SimulatedClock::starting_at(noon()));
    let (mut session, mut screen) = session(Vec::new());
    let given = session.ask(&mut screen, &seen_by(&room, &clock), &initials());
    assert!(matches!(given, Given::Answer(Answer::Leave { .. })));
}

#[test]
fn a_terminal_lost_over_corrections_is_no_word_on_the_card() {
    let (room, clock) = (Fixture::rehearsal(), SimulatedClock::starting_at(noon()));
    let view = seen_by(&room, &clock);
    let (mut answered, mut screen) = session(keys(&[Key::Char('n'), Key::Char('o'), Key::Enter]));
    assert_eq!(answered.confirm_corrections(&mut screen, &view, "cleo", &corrections()), Ok(false));
    let (mut lost, mut screen) = session(Vec::new());
    assert!(lost.confirm_corrections(&mut screen, &view, "cleo", &corrections()).is_err());
    assert!(matches!(lost.ask(&mut screen, &view, &initials()), Given::Answer(Answer::Leave { .. })));
}

#[test]
fn the_ending_is_shown_to_people_who_left_and_not_to_a_lost_terminal() {
    let (room, clock) = (Fixture::rehearsal(), SimulatedClock::starting_at(noon()));
    let view = seen_by(&room, &clock);
    let leave = [Key::Ctrl('c')].into_iter().chain("leave".chars().map(Key::Char)).chain([Key::Enter, Key::Enter]);
    let (mut left, mut screen) = session(leave.map(Input::Key).collect());
    let _ = left.ask(&mut screen, &view, &initials());
    left.ended(&mut screen, &view, &ending());
    assert!(screen.backend().to_string().contains("The record is closed."));
    // A reason that only sounds like it.
    let (mut lost, mut screen) = session(vec![Input::Lost("Ctrl-C".to_owned())]);
    let _ = lost.ask(&mut screen, &view, &initials());
    lost.ended(&mut screen, &view, &ending());
    assert!(!screen.backend().to_string().contains("The record is closed."));
}

#[test]
fn a_question_that_fits_never_asks_to_be_read_to_its_end() {
    let (room, clock) = (Fixture::rehearsal(), SimulatedClock::starting_at(noon()));
    let (mut session, mut screen) = session(Vec::new());
    let _ = session.ask(&mut screen, &seen_by(&room, &clock), &initials());
    let shown = screen.backend().to_string();
    assert!(shown.contains("F5 simulated") && !shown.contains("read to the end"), "{shown}");
}

#[test]
fn what_was_read_to_its_end_is_not_to_be_read_again_after_a_refusal_and_another_question_is() {
    let (room, clock) = (Fixture::production(), SimulatedClock::starting_at(noon()));
    let long = |title: &str| Prompt {
        title: title.to_owned(),
        lines: (0..40).map(|n| Line::value("line", &n.to_string())).collect(),
        ..initials()
    };
    let read_and_answer = [[Key::PageDown; 6].as_slice(), &[Key::Char('x'), Key::Char('y'), Key::Enter]].concat();
    let answer_only = [Key::Char('a'), Key::Char('b'), Key::Enter];
    let all = [read_and_answer.as_slice(), &answer_only, &answer_only].concat();
    let (mut session, mut screen) = session(keys(&all));
    let view = seen_by(&room, &clock);
    let said = |given: Given| match given {
        Given::Answer(Answer::Initials { initials }) => initials,
        Given::Answer(Answer::Leave { why }) => why,
        _ => panic!(),
    };
    assert_eq!(said(session.ask(&mut screen, &view, &long("first"))), "xy");
    let again = Prompt { refusal: Some("those are not your initials".to_owned()), ..long("first") };
    assert_eq!(said(session.ask(&mut screen, &view, &again)), "ab", "the same page was read");
    assert_eq!(
        said(session.ask(&mut screen, &view, &long("second"))),
        "the script is at its end",
        "another page was not"
    );
}

#[test]
fn what_is_read_aloud_is_said_with_the_first_question_of_a_step_and_again_in_the_help() {
    let (room, clock) = (Fixture::production(), SimulatedClock::starting_at(noon()));
    let answer = [Key::Char('a'), Key::Char('b'), Key::Enter];
    let help = [Key::F(1), Key::PageDown, Key::PageDown, Key::PageDown];
    let (mut session, mut screen) = session(keys(&[answer.as_slice(), &answer, &help].concat()));
    let view = seen_by(&room, &clock);
    session.ask(&mut screen, &view, &initials());
    assert!(screen.backend().to_string().contains("Nobody hurries anybody."));
    session.ask(&mut screen, &view, &Prompt { who: "ben".to_owned(), ..initials() });
    assert!(!screen.backend().to_string().contains("Nobody hurries anybody."), "{}", screen.backend());
    session.ask(&mut screen, &view, &initials());
    let seen = screen.backend().to_string();
    assert!(seen.contains("Help"), "{seen}");
    let mut next = Fixture::production();
    next.state.step += 1;
    let (mut session, mut screen) = self::session(keys(&answer));
    session.ask(&mut screen, &seen_by(&next, &clock), &initials());
    assert!(screen.backend().to_string().contains("Nobody hurries anybody."), "another step has its own words");
}
