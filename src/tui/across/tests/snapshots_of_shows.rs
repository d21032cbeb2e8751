//! The showing as it looks at the sizes people have.

use super::room::*;
use crate::tui::across::show::Show;
use crate::tui::input::Key;
use crate::tui::theme::Theme;

fn keep(name: &str, show: &Show) {
    insta::assert_snapshot!(format!("{name}_{}x{}", show.size.0, show.size.1), text(&buffer(show, Theme::Colour)));
}

#[test]
fn codes_that_follow_each_other_look_as_reviewed() {
    for size in [(80, 24), (120, 40), (200, 60), (45, 24), (30, 10)] {
        keep("following", &many(settings(), size));
    }
}

#[test]
fn one_code_and_a_still_one_and_the_details_look_as_reviewed() {
    for size in [(80, 24), (120, 40)] {
        keep("one", &one(size));
        let mut show = many(settings(), size);
        press(&mut show, &[Key::Char('s'), Key::Right]);
        keep("still", &show);
        press(&mut show, &[Key::Char('i')]);
        keep("details", &show);
    }
}

#[test]
fn double_width_looks_as_reviewed() {
    for size in [(120, 40), (200, 60)] {
        let mut show = many(settings(), size);
        press(&mut show, &[Key::Char('w'), Key::Char('w')]);
        keep("double_width", &show);
    }
}
