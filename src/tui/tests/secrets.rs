//! Secret fields, and what is left of a share after it has been on the screen.

use super::room::*;
use crate::tui::input::Key;
use crate::tui::model::Model;
use crate::tui::terminal::wipe;
use crate::tui::theme::Theme;
use crate::tui::view::view;
use crate::tui::widgets::secret_field::{Alphabet, SecretField};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

fn filled(text: &str) -> SecretField {
    let mut field = SecretField::new(8, Alphabet::Share);
    for character in text.chars() {
        let _ = field.key(Key::Char(character));
    }
    field
}

#[test]
fn taking_a_secret_leaves_the_field_empty() {
    let mut field = filled("abcd");
    assert!(field.take().same_as(b"ABCD"));
    assert!(field.is_empty());
    assert_eq!(field.typed().expose(), b"");
}

#[test]
fn a_full_field_says_so_and_keeps_its_place_in_memory() {
    let mut field = filled("abcd");
    let place = field.typed().expose().as_ptr();
    for character in "efgh".chars() {
        field.key(Key::Char(character)).unwrap();
    }
    assert!(field.key(Key::Char('i')).is_err());
    assert_eq!(field.len(), 8);
    assert_eq!(field.typed().expose().as_ptr(), place, "a field that grows leaves a copy behind");
}

#[test]
fn a_secret_field_is_emptied_by_ctrl_u_and_shortened_by_backspace() {
    let mut field = filled("abcd");
    field.key(Key::Backspace).unwrap();
    assert!(field.typed().same_as(b"ABC"));
    field.key(Key::Ctrl('u')).unwrap();
    assert!(field.is_empty());
}

#[test]
fn notes_about_a_secret_never_repeat_it() {
    for (alphabet, foreign) in [(Alphabet::Dice, '9'), (Alphabet::Share, 'ß')] {
        let note = SecretField::new(4, alphabet).key(Key::Char(foreign)).unwrap_err();
        assert!(!note.contains(foreign), "{note}");
    }
}

#[test]
fn wiping_overwrites_the_screen_and_both_buffers() {
    let (room, share) = (Fixture::production(), revealed());
    let (model, _) = press(room.model(Model::reveal(&share), SMALL), Key::Char('r'));
    let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
    for _ in 0..2 {
        terminal.draw(|frame| view(&model, Theme::Bare, frame)).unwrap();
    }
    assert!(terminal.backend().to_string().contains("KR1Q"));
    wipe(&mut terminal).unwrap();
    assert!(!terminal.backend().to_string().contains("KR1Q"));
    for _ in 0..2 {
        let left: String = terminal.current_buffer_mut().content.iter().map(|cell| cell.symbol().to_owned()).collect();
        assert!(!left.contains("KR1Q"));
        terminal.swap_buffers();
    }
}
