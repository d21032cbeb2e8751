//! What keys and time do.

use super::room::*;
use crate::tui::across::show::{Left, Show, Shown, What};
use crate::tui::across::{Ending, run};
use crate::tui::input::{Input, InputSource, Key, Signal};
use crate::tui::theme::Theme;
use crate::tui::widgets::qr_code::Shape;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use std::time::Duration;

fn number(show: &Show) -> u64 {
    match show.shown() {
        Shown::Following { number, .. } => *number,
        other => panic!("expected codes that follow each other, found {other:?}"),
    }
}

#[test]
fn at_six_a_second_six_codes_follow_each_other_in_a_second_and_none_is_skipped() {
    let mut show = many(settings(), (120, 40));
    let mut seen = vec![number(&show)];
    let mut at = 0;
    while at < 1000 {
        at += show.due_in(at).max(1);
        send(&mut show, at, What::Tick);
        if seen.last() != Some(&number(&show)) {
            seen.push(number(&show));
        }
    }
    assert_eq!(seen, (0..=6).collect::<Vec<_>>());
}

#[test]
fn after_a_long_silence_the_codes_go_on_one_by_one() {
    let mut show = many(settings(), (120, 40));
    send(&mut show, 60_000, What::Tick);
    assert_eq!(number(&show), 1);
    assert_eq!(show.due_in(60_000), 167);
    send(&mut show, 60_001, What::Tick);
    assert_eq!(number(&show), 1);
}

#[test]
fn q_esc_and_ctrl_c_leave_and_nothing_else_does() {
    for key in [Key::Char('q'), Key::Esc, Key::Ctrl('c'), Key::F(5)] {
        assert_eq!(press(&mut many(settings(), (80, 24)), &[key]), Some(Left));
    }
    for key in ['+', '-', '<', '>', 'b', 's', 'w', 'i', 'x', '!'].map(Key::Char) {
        assert_eq!(press(&mut many(settings(), (80, 24)), &[key]), None);
    }
}

fn version(show: &Show) -> u8 {
    match show.shown() {
        Shown::Following { code, .. } => code.version,
        other => panic!("expected codes that follow each other, found {other:?}"),
    }
}

#[test]
fn plus_and_minus_stay_between_two_and_ten_codes_a_second() {
    let mut show = many(settings(), (120, 40));
    press(&mut show, &[Key::Char('+'); 20]);
    assert_eq!((show.settings.rate, show.due_in(0)), (10, 100));
    press(&mut show, &[Key::Char('-'); 20]);
    assert_eq!(
        (show.settings.rate, show.due_in(0)),
        (2, 100),
        "a code that is up is not held up longer than it was to be"
    );
    send(&mut show, 100, What::Tick);
    assert_eq!(show.due_in(100), 500);
}

#[test]
fn a_key_does_not_put_the_next_code_off() {
    let mut show = many(settings(), (120, 40));
    for at in (0..1000).step_by(20) {
        send(&mut show, at, What::Key(Key::Char('+')));
        send(&mut show, at, What::Tick);
    }
    assert!(number(&show) >= 8, "only {} codes went by", number(&show));
}

#[test]
fn sizes_go_from_5_to_what_the_terminal_holds_and_no_further() {
    let mut show = many(settings(), (120, 40));
    assert_eq!(version(&show), 13);
    press(&mut show, &[Key::Char('>'); 30]);
    assert_eq!(version(&show), 14, "with half of its quiet zone");
    press(&mut show, &[Key::Char('<'); 30]);
    assert_eq!(version(&show), 5);
    // A larger terminal does not undo what somebody asked for.
    show = sized(show, (200, 60));
    assert_eq!(version(&show), 5);
    press(&mut show, &[Key::Char('>'); 30]);
    assert_eq!(version(&show), 24);
}

#[test]
fn a_still_code_is_stepped_and_the_details_hold_the_codes_back() {
    let mut show = many(settings(), (120, 40));
    press(&mut show, &[Key::Right]);
    assert_eq!(number(&show), 0, "the arrows step only what stands still");
    press(&mut show, &[Key::Char('s'), Key::Right, Key::Right, Key::Left]);
    send(&mut show, 5_000, What::Tick);
    assert_eq!(number(&show), 1);
    press(&mut show, &[Key::Left, Key::Left, Key::Left]);
    assert_eq!(number(&show), 0);
    send(&mut show, 5_000, What::Key(Key::Char('s')));
    send(&mut show, 5_000, What::Key(Key::Char('i')));
    send(&mut show, 9_000, What::Tick);
    assert_eq!(number(&show), 0, "nobody sees codes behind the details");
    send(&mut show, 9_000, What::Key(Key::Char('i')));
    send(&mut show, 9_200, What::Tick);
    assert_eq!(number(&show), 1);
}

#[test]
fn b_goes_round_three_whites_and_w_round_three_shapes() {
    let mut show = many(settings(), (200, 60));
    let whites = [0; 4].map(|_| {
        press(&mut show, &[Key::Char('b')]);
        show.white()
    });
    assert_eq!(whites, [200, 150, 255, 200]);
    for shape in [Shape::Uppers, Shape::Wide, Shape::Halves] {
        press(&mut show, &[Key::Char('w')]);
        assert_eq!(show.settings.shape, shape);
    }
}

#[test]
fn every_key_that_is_shown_does_something() {
    let (following, single) = (|| many(settings(), (120, 40)), || one((200, 60)));
    for make in [&following as &dyn Fn() -> Show, &single] {
        for stands in [false, true] {
            let begin = || {
                let mut show = make();
                if stands {
                    press(&mut show, &[Key::Char('s'), Key::Right]);
                }
                show
            };
            let status = text(&buffer(&begin(), Theme::Bare)).lines().last().unwrap().to_owned();
            let keys = [("+ -", "+"), ("< >", "<"), ("b ", "b"), (" s ", "s"), ("i ", "i"), ("w ", "w")];
            for (shown, key) in keys.into_iter().filter(|(shown, _)| status.contains(shown)) {
                let mut show = begin();
                press(&mut show, &[Key::Char(key.chars().next().unwrap())]);
                assert!(
                    text(&buffer(&show, Theme::Bare)) != text(&buffer(&begin(), Theme::Bare)),
                    "{shown} does nothing"
                );
            }
            assert_eq!(status.contains("←→ step"), stands && matches!(begin().shown(), Shown::Following { .. }));
        }
    }
}

struct Script(Vec<Input>);

impl InputSource for Script {
    fn next(&mut self, _: Duration) -> Input {
        self.0.remove(0)
    }
}

#[test]
fn the_loop_draws_and_ends_with_what_ended_it_and_leaves_an_empty_screen() {
    let loop_over = |inputs| {
        let mut screen = Terminal::new(TestBackend::new(80, 24)).unwrap();
        let ending = run(many(settings(), (0, 0)), Theme::Colour, &mut screen, &mut Script(inputs));
        (ending, text(screen.backend().buffer()))
    };
    let (ending, left) = loop_over(vec![Input::Tick, Input::Key(Key::Char('+')), Input::Key(Key::Char('q'))]);
    assert_eq!((ending, left.trim()), (Ending::Left, ""));
    let signal = vec![Input::Resize { width: 80, height: 24 }, Input::Tick, Input::Signal(Signal::HangUp)];
    let (ending, drawn) = loop_over(signal);
    assert_eq!(ending, Ending::Signal(Signal::HangUp));
    assert!(drawn.contains("10240 octets in 135 codes"));
    assert_eq!(loop_over(vec![Input::Lost("gone".to_owned())]).0, Ending::Lost("gone".to_owned()));
}

#[test]
fn in_a_ceremony_the_showing_is_done_and_nothing_is_left() {
    let shown = |settings| text(&buffer(&many(settings, (80, 24)), Theme::Colour));
    let place = crate::tui::take_in::Place::Ceremony;
    assert!(shown(settings()).contains("q leave"));
    let seen = shown(crate::tui::across::show::Settings { place, ..settings() });
    assert!(seen.contains("q done") && !seen.contains("leave"), "{seen}");
}
