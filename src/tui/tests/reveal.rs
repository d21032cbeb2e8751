//! A share on the screen: covered, shown, covered again.

use super::room::*;
use crate::basics::Secret;
use crate::custody::qr::{self, Medium, QUIET};
use crate::runner::front_end::Seen;
use crate::tui::input::{Input, Key, Signal};
use crate::tui::model::{Done, Happening, Model, Phase, REVEAL_MILLISECONDS, Stage};
use crate::tui::theme::Theme;
use crate::tui::view::view;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::style::Color;

fn phase(model: &Model<'_>) -> Phase {
    match &model.stage {
        Stage::Reveal(revealing) => revealing.phase,
        _ => panic!("expected a reveal"),
    }
}

fn keys<'a>(model: Model<'a>, keys: &[Key]) -> (Model<'a>, Option<Done>) {
    keys.iter().fold((model, None), |(model, _), key| press(model, *key))
}

#[test]
fn nothing_of_a_share_is_shown_before_r_and_after_any_other_key() {
    let (room, share) = (Fixture::production(), revealed());
    let model = room.model(Model::reveal(&share), SMALL);
    assert!(!screen(&model).contains("KR1Q"));
    let (model, _) = press(model, Key::Char('r'));
    for group in TEXT.as_bytes().chunks(4) {
        assert!(screen(&model).contains(std::str::from_utf8(group).unwrap()));
    }
    for key in [Key::Char('w'), Key::Char(' '), Key::Enter, Key::Esc, Key::PageDown, Key::F(1), Key::Ctrl('c')] {
        let (shown, _) = keys(room.model(Model::reveal(&share), SMALL), &[Key::Char('r')]);
        let (hidden, done) = press(shown, key);
        assert!(done.is_none(), "{key:?}");
        assert_eq!(phase(&hidden), Phase::Hidden, "{key:?}");
        assert!(!screen(&hidden).contains("KR1Q"), "{key:?}");
    }
    let (model, done) = press(press(model, Key::Char('x')).0, Key::Char('w'));
    assert!(matches!(done, Some(Done::Seen(Seen::Text))));
    assert_eq!(phase(&model), Phase::Hidden);
}

#[test]
fn it_is_not_written_down_before_it_was_shown() {
    let (room, share) = (Fixture::production(), revealed());
    assert!(keys(room.model(Model::reveal(&share), SMALL), &[Key::Char('w'), Key::Enter]).1.is_none());
}

#[test]
fn what_was_seen_is_said() {
    let (room, share) = (Fixture::production(), revealed());
    let model = || room.model(Model::reveal(&share), SMALL);
    let (r, w, x) = (Key::Char('r'), Key::Char('w'), Key::Char('x'));
    assert!(matches!(keys(model(), &[r, Key::Tab, x, w]).1, Some(Done::Seen(Seen::Both))));
    assert!(matches!(keys(model(), &[r, x, r, x, w]).1, Some(Done::Seen(Seen::Text))));
}

#[test]
fn a_share_is_covered_after_a_minute_whichever_side_is_up() {
    let (room, share) = (Fixture::production(), revealed());
    let (model, _) = keys(room.model(Model::reveal(&share), SMALL), &[Key::Char('r')]);
    let (model, _) = press_at(model, LATER + 50_000, Key::Tab);
    let (model, _) = send(model, LATER + REVEAL_MILLISECONDS - 1, Happening::Input(Input::Tick));
    assert!(matches!(phase(&model), Phase::Code { .. }));
    let (model, _) = send(model, LATER + REVEAL_MILLISECONDS, Happening::Input(Input::Tick));
    assert_eq!(phase(&model), Phase::Hidden);
}

#[test]
fn a_smaller_terminal_or_a_signal_covers_the_share() {
    let (room, share) = (Fixture::production(), revealed());
    let shown = || keys(room.model(Model::reveal(&share), SMALL), &[Key::Char('r')]).0;
    let (model, _) = send(shown(), LATER, Happening::Input(Input::Resize { width: 40, height: 10 }));
    assert_eq!(phase(&model), Phase::Hidden);
    let (model, done) = send(shown(), LATER, Happening::Input(Input::Signal(Signal::Terminate)));
    assert_eq!(phase(&model), Phase::Hidden);
    assert!(matches!(done, Some(Done::Leave(_))));
}

#[test]
fn keys_typed_ahead_never_reveal_a_share() {
    let (room, share) = (Fixture::production(), revealed());
    let model = Model::new(room.room(), noon(), Model::reveal(&share), SMALL);
    let (model, _) = press_at(model, 3, Key::Char('r'));
    let (model, _) = press_at(model, 100, Key::Char('r'));
    assert_eq!(phase(&model), Phase::Covered);
    assert!(screen(&model).contains("earlier keys were dropped"));
}

#[test]
fn f5_is_the_simulated_custodian_of_a_rehearsal() {
    let (room, share) = (Fixture::rehearsal(), revealed());
    let done = keys(room.model(Model::reveal(&share), SMALL), &[Key::F(5)]).1;
    assert!(matches!(done, Some(Done::Seen(Seen::Simulated))));
}

/// The modules as drawn, two to a cell, read back from the colours.
#[test]
fn the_code_on_the_screen_is_the_code_with_its_quiet_zone() {
    let (room, share) = (Fixture::production(), revealed());
    let matrix = qr::modules(&Secret::take_text(TEXT.to_owned()), Medium::Screen).unwrap();
    let side = matrix.size() + 2 * QUIET;
    for size in [SMALL, LARGE, (160, 60)] {
        let (model, _) = keys(room.model(Model::reveal(&share), size), &[Key::Char('r'), Key::Tab]);
        let mut terminal = Terminal::new(TestBackend::new(size.0, size.1)).unwrap();
        terminal.draw(|frame| view(&model, Theme::Monochrome, frame)).unwrap();
        let buffer = terminal.backend().buffer();
        let painted = |x: u16, y: u16| matches!(buffer[(x, y)].bg, Color::Indexed(232 | 231));
        let (left, top) =
            (0..size.1).flat_map(|y| (0..size.0).map(move |x| (x, y))).find(|(x, y)| painted(*x, *y)).unwrap();
        for row in 0..side {
            for column in 0..side {
                let cell = &buffer[(left + u16::try_from(column).unwrap(), top + u16::try_from(row / 2).unwrap())];
                let lower = row % 2 == 1 && cell.symbol() == "▄";
                let colour = if lower { cell.fg } else { cell.bg };
                let wanted = match (column.checked_sub(QUIET), row.checked_sub(QUIET)) {
                    (Some(column), Some(row)) => matrix.is_dark(column, row),
                    _ => false,
                };
                assert_eq!(colour == Color::Indexed(232), wanted, "{size:?}: module {column}, {row}");
            }
        }
    }
}
