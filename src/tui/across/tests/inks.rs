//! What a terminal is told to paint with.

use crate::tui::widgets::qr_code::{Ink, is_bare_console};
use ratatui::style::Color;

#[test]
fn a_terminal_is_told_exact_colours_unless_it_is_known_to_misread_them() {
    assert_eq!(Ink::of("xterm-256color", "", ""), Ink::Exact(255));
    assert_eq!(Ink::of("tmux-256color", "", ""), Ink::Exact(255));
    assert_eq!(Ink::of("screen-256color", "", ""), Ink::Cube(255));
    assert_eq!(Ink::of("screen-256color", "truecolor", ""), Ink::Exact(255));
    assert_eq!(Ink::of("xterm-256color", "", "Apple_Terminal"), Ink::Cube(255));
    for console in ["linux", "vt220", "dumb"] {
        assert_eq!(Ink::of(console, "truecolor", ""), Ink::Sixteen);
        assert!(is_bare_console(console));
    }
}

#[test]
fn the_levels_of_white_are_what_they_are_called() {
    let light = |ink: Ink, level| ink.with_white(level).light();
    assert_eq!([255, 200, 150].map(|l| light(Ink::Exact(0), l)), [255, 200, 150].map(|l| Color::Rgb(l, l, l)));
    // 231 is white, 251 is 198 and 246 is 148.
    assert_eq!([255, 200, 150].map(|l| light(Ink::Cube(0), l)), [231, 251, 246].map(Color::Indexed));
    assert_eq!([255, 200, 150].map(|l| light(Ink::Sixteen, l)), [Color::Gray; 3]);
}
