//! A theme is colours and attributes: it never changes a character.

use super::room::*;
use crate::tui::input::Key;
use crate::tui::model::Model;
use crate::tui::theme::{Theme, Tone};
use crate::tui::view::view;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier, Style};

const THEMES: [Theme; 3] = [Theme::Colour, Theme::Monochrome, Theme::Bare];

fn buffer(model: &Model<'_>, theme: Theme) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(model.width, model.height)).unwrap();
    terminal.draw(|frame| view(model, theme, frame)).unwrap();
    terminal.backend().buffer().clone()
}

#[test]
fn no_theme_changes_the_text_of_any_screen() {
    let share = revealed();
    for room in [Fixture::rehearsal(), Fixture::production()] {
        for (_, prompt) in questions() {
            for size in [SMALL, LARGE] {
                let model = room.asking(&prompt, size);
                assert_eq!(screen_in(&model, Theme::Colour), screen_in(&model, Theme::Bare));
                assert_eq!(screen_in(&model, Theme::Colour), screen_in(&model, Theme::Monochrome));
            }
        }
        let mut model = room.model(Model::reveal(&share), SMALL);
        for key in [Key::Char('r'), Key::Tab, Key::Char('x')] {
            model = press(model, key).0;
            assert_eq!(screen_in(&model, Theme::Colour), screen_in(&model, Theme::Bare));
        }
    }
}

#[test]
fn a_code_is_black_on_white_under_every_theme() {
    let (room, share) = (Fixture::production(), revealed());
    let mut model = room.model(Model::reveal(&share), SMALL);
    for key in [Key::Char('r'), Key::Tab] {
        model = press(model, key).0;
    }
    for theme in THEMES {
        let drawn = buffer(&model, theme);
        let painted = drawn.content.iter().filter(|cell| cell.bg == Color::Indexed(231)).count();
        assert!(painted > 400, "{theme:?} painted {painted} light cells");
        assert!(
            drawn.content.iter().all(|cell| !"█▀".contains(cell.symbol())),
            "full and upper blocks leave hairlines"
        );
    }
}

#[test]
fn without_colour_there_are_no_colours_and_the_realm_is_still_reversed() {
    let room = Fixture::production();
    let prompt = initials();
    let drawn = buffer(&room.asking(&prompt, SMALL), Theme::Monochrome);
    assert!(drawn.content.iter().all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset));
    assert!(drawn[(2, 0)].modifier.contains(Modifier::REVERSED));
    assert_eq!(drawn[(1, 0)].symbol(), "P");
}

#[test]
fn the_bare_theme_asks_for_nothing() {
    for tone in Tone::ALL {
        assert_eq!(Theme::Bare.style(tone), Style::new());
        assert_eq!(Theme::Monochrome.style(tone).fg, None);
    }
}
