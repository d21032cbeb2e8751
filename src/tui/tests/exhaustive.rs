//! Every screen at every size; every screen under random keys.

use super::room::*;
use crate::tui::input::{Input, Key};
use crate::tui::model::{Happening, Model, Stage};
use crate::tui::screens::corrections as correcting;
use proptest::prelude::*;

/// Every stage there is, each with everything that can lie over it.
fn every_model(room: &Fixture, size: (u16, u16), look: &dyn Fn(&Model<'_>)) {
    let (share, corrections, ending) = (revealed(), corrections(), ending());
    for (_, prompt) in questions() {
        look(&room.asking(&prompt, size));
        for key in [Key::F(1), Key::F(10), Key::F(8), Key::F(12), Key::Ctrl('c')] {
            look(&press(room.asking(&prompt, size), key).0);
        }
    }
    let mut model = room.model(Model::reveal(&share), size);
    look(&model);
    for key in [Key::Char('r'), Key::Tab, Key::Char('x')] {
        model = press(model, key).0;
        look(&model);
    }
    look(&room.model(correcting::begin("cleo", &corrections), size));
    look(&room.model(Stage::Busy("make the key"), size));
    look(&room.model(Stage::Ended(&ending), size));
}

#[test]
fn every_screen_can_be_drawn_at_every_size() {
    let room = Fixture::rehearsal();
    for width in [0, 1, 40, 79, 80, 81, 100, 119, 120, 121, 160] {
        for height in [0, 1, 10, 23, 24, 25, 40, 60] {
            every_model(&room, (width, height), &|model| {
                let _ = screen(model);
            });
        }
    }
}

#[test]
fn the_header_is_on_every_screen_but_the_code() {
    let room = Fixture::rehearsal();
    for size in [SMALL, LARGE, (160, 60)] {
        every_model(&room, size, &|model| {
            let shown = screen(model);
            assert!(shown.contains("REHEARSAL"), "{shown}");
            if !crate::tui::layout::shows_code(model) {
                for part in ["Root CA 2026", "act 2 of 3", "step 3 of 7", "9 min left", "14:02 UTC", "head ", "plan "] {
                    assert!(shown.contains(part), "{part} is missing in\n{shown}");
                }
            }
        });
    }
}

/// Every word of every line of a prompt can be brought onto the screen.
#[test]
fn nothing_that_is_asked_is_ever_cut() {
    let room = Fixture::rehearsal();
    for (name, prompt) in questions() {
        let mut model = room.asking(&prompt, SMALL);
        let mut seen = String::new();
        for _ in 0..20 {
            seen.push_str(&screen(&model));
            model = press(model, Key::PageDown).0;
        }
        for line in &prompt.lines {
            for word in line.plain().split_whitespace() {
                assert!(seen.contains(word), "{word} of {name} cannot be seen");
            }
        }
    }
}

fn keys() -> impl Strategy<Value = Key> {
    prop_oneof![
        4 => any::<char>().prop_map(Key::Char),
        4 => prop::sample::select(vec!['a', 'b', 'o', 'r', 'w', 'y', '1', '?', '!', 'p', 'q', ' ']).prop_map(Key::Char),
        4 => prop::sample::select(vec![
            Key::Enter, Key::Esc, Key::Tab, Key::BackTab, Key::Backspace, Key::Delete, Key::Up, Key::Down, Key::Left,
            Key::Right, Key::PageUp, Key::PageDown, Key::Home, Key::End, Key::Ctrl('c'), Key::Ctrl('u'), Key::Ctrl('z'),
        ]),
        1 => (1_u8..=12).prop_map(Key::F),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn no_sequence_of_keys_breaks_a_screen(
        which in 0_usize..11,
        keys in prop::collection::vec(keys(), 0..40),
        width in 60_u16..140,
        height in 20_u16..50,
    ) {
        let (room, share, all) = (Fixture::production(), revealed(), questions());
        let mut model = match all.get(which) {
            Some((_, prompt)) => room.asking(prompt, (width, height)),
            None => room.model(Model::reveal(&share), (width, height)),
        };
        for (n, key) in keys.into_iter().enumerate() {
            let at = LATER + 1000 * u64::try_from(n).unwrap();
            let (next, done) = press_at(model, at, key);
            model = next;
            let _ = screen(&model);
            if done.is_some() {
                break;
            }
            if n == 20 {
                model = send(model, at, Happening::Input(Input::Resize { width: height, height: width })).0;
            }
        }
    }
}
