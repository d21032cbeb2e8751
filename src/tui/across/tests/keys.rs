//! What keys and time do.

use super::room::*;
use crate::tui::across::show::{Left, Shown, What};
use crate::tui::input::Key;

fn number(show: &crate::tui::across::show::Show) -> u64 {
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
    for key in [Key::Char('q'), Key::Esc, Key::Ctrl('c')] {
        assert_eq!(press(&mut many(settings(), (80, 24)), &[key]), Some(Left));
    }
    for key in ['+', '-', '<', '>', 'b', 's', 'w', 'i', 'x', '!'].map(Key::Char) {
        assert_eq!(press(&mut many(settings(), (80, 24)), &[key]), None);
    }
}
