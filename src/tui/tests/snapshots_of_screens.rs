//! Every screen as it looks at 80x24 and at 120x40.

use super::room::*;
use crate::tui::input::Key;
use crate::tui::model::{Model, Stage};
use crate::tui::screens::corrections as correcting;

fn keep(name: &str, model: &Model<'_>) {
    insta::assert_snapshot!(format!("{name}_{}x{}", model.width, model.height), screen(model));
}

#[test]
fn every_question_looks_as_reviewed() {
    let room = Fixture::rehearsal();
    for (name, prompt) in questions() {
        for size in [SMALL, LARGE] {
            keep(name, &room.asking(&prompt, size));
        }
    }
}

#[test]
fn production_looks_as_reviewed() {
    let room = Fixture::production();
    for size in [SMALL, LARGE] {
        keep("production", &room.asking(&initials(), size));
    }
}

#[test]
fn what_did_not_come_in_is_said_above_the_field_also_where_there_are_many_ways() {
    let mut room = Fixture::rehearsal();
    for key in ["4", "5", "6", "7"] {
        let title = format!("another way in, the one numbered {key}");
        room.ways_in.push(crate::runner::front_end::WayIn { key: key.to_owned(), title, typed: None });
    }
    let refusal = "expected the certificate request of issuing-2026: a csr for rehearsal on the medium, found: letter.txt: \
                   expected the DER or PEM of a csr, found octets that begin 4465617220437573";
    let prompt = crate::ceremony::Prompt { refusal: Some(refusal.to_owned()), ..object() };
    for size in [SMALL, LARGE] {
        let model = room.asking(&prompt, size);
        assert!(screen(&model).contains("4465617220437573"), "{}", screen(&model));
        keep("object_refused", &model);
    }
}

#[test]
fn half_filled_questions_look_as_reviewed() {
    let room = Fixture::rehearsal();
    let half = [
        ("typed_share", share_for("prove"), "ks1x rk9d 2f7q 0lwe 8mtt zp5n36a"),
        ("typed_dice", dice(), "1234"),
        ("typed_sign_off", sign_off(), "d\nthe seal of bag A-000317 was not looked at\nA"),
        ("typed_text", text(), "14:0"),
    ];
    for (name, prompt, keys) in half {
        for size in [SMALL, LARGE] {
            keep(name, &typed(room.asking(&prompt, size), keys).0);
        }
    }
}

#[test]
fn everything_that_lies_over_a_question_looks_as_reviewed() {
    let room = Fixture::rehearsal();
    let prompt = initials();
    for size in [SMALL, LARGE] {
        for (name, key) in [
            ("help", Key::F(1)),
            ("exception", Key::Char('!')),
            ("pause", Key::F(8)),
            ("abort", Key::F(12)),
            ("leave", Key::Ctrl('c')),
        ] {
            keep(name, &press(room.asking(&prompt, size), key).0);
        }
    }
}

#[test]
fn the_showing_of_a_share_looks_as_reviewed() {
    let (room, share) = (Fixture::rehearsal(), revealed());
    for size in [SMALL, LARGE] {
        let model = room.model(Model::reveal(&share), size);
        keep("reveal_covered", &model);
        let (model, _) = press(model, Key::Char('r'));
        keep("reveal_text", &model);
        let (model, _) = press(model, Key::Tab);
        keep("reveal_code", &model);
        let (model, _) = press(model, Key::Char('x'));
        keep("reveal_hidden", &model);
    }
}

#[test]
fn the_other_screens_look_as_reviewed() {
    let room = Fixture::rehearsal();
    let (corrections, ending) = (corrections(), ending());
    for size in [SMALL, LARGE] {
        keep("corrections", &room.model(correcting::begin("cleo", &corrections), size));
        keep("busy", &room.model(Stage::Busy("make the key of root-2026"), size));
        keep("ended", &room.model(Stage::Ended(&ending), size));
    }
    keep("too_small", &room.model(Stage::Busy("wait"), (72, 20)));
}

#[test]
fn a_ceremony_with_long_names_keeps_them_whole() {
    let mut room = Fixture::rehearsal();
    room.plan.title =
        "The root certification authority of the measuring devices of the northern works, 2026".to_owned();
    room.plan.steps[2].title = "Make the identity of the quorum that protects it, generation one".to_owned();
    let prompt = initials();
    let shown = screen(&room.asking(&prompt, SMALL));
    for word in ["northern", "works,", "2026", "protects", "UTC", "plan "] {
        assert!(shown.contains(word), "{word} is missing in\n{shown}");
    }
    insta::assert_snapshot!("long_names_80x24", shown);
}
