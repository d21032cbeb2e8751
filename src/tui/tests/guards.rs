//! Keys typed too early, pastes in the wrong place, answers before everything was read.

use super::room::*;
use crate::ceremony::Prompt;
use crate::ceremony::event::Answer;
use crate::tui::input::{Input, Key};
use crate::tui::model::{Happening, Model, TYPE_AHEAD_MILLISECONDS};

fn undrawn<'a>(room: &'a Fixture, prompt: &'a Prompt) -> Model<'a> {
    Model::new(room.room(), noon(), Model::ask(prompt), LARGE)
}

#[test]
fn keys_typed_before_a_grave_question_could_be_read_are_dropped_and_it_says_so() {
    let (room, prompt) = (Fixture::rehearsal(), phrase());
    let (model, _) = send(undrawn(&room, &prompt), 5, Happening::Input(Input::Key(Key::Char('u'))));
    assert!(screen(&model).contains("earlier keys were dropped"));
    let model = drawn(model, 1_000);
    let (model, _) = press_at(model, 1_000 + TYPE_AHEAD_MILLISECONDS - 1, Key::Char('m'));
    let (model, _) = press_at(model, 1_000 + TYPE_AHEAD_MILLISECONDS - 1, Key::Enter);
    assert!(screen(&model).contains("earlier keys were dropped"));
    let (model, _) = press_at(model, 1_000 + TYPE_AHEAD_MILLISECONDS, Key::Char('x'));
    assert!(!screen(&model).contains("earlier keys were dropped"));
    assert_eq!(answer(press(model, Key::Enter).1), Answer::Typed { text: "x".to_owned() });
}

#[test]
fn a_paste_is_no_way_round_the_guard() {
    let (room, prompt) = (Fixture::rehearsal(), Prompt { grave: true, ..text() });
    let (model, _) = send(undrawn(&room, &prompt), 5, Happening::Input(Input::Paste("the words".to_owned().into())));
    assert!(screen(&model).contains("earlier keys were dropped"));
    assert!(!screen(&model).contains("the words"));
}

#[test]
fn questions_that_can_be_undone_take_keys_typed_ahead() {
    let (room, prompt) = (Fixture::rehearsal(), initials());
    let (model, _) = press_at(drawn(undrawn(&room, &prompt), 5), 5, Key::Char('a'));
    assert!(screen(&model).contains("a▏"));
}

#[test]
fn what_cannot_be_undone_is_answered_only_after_its_end_was_on_the_screen() {
    let (room, prompt) = (Fixture::rehearsal(), long_phrase());
    let model = room.asking(&prompt, SMALL);
    assert!(!model.may_answer());
    assert!(screen(&model).contains("read to the end, then answer"));
    let (mut model, done) = typed(model, "umbrella talon crisp\n");
    assert!(done.is_none());
    assert!(screen(&model).contains("read to the end first"), "{}", screen(&model));
    assert!(press(room.asking(&prompt, SMALL), Key::F(5)).1.is_none(), "the simulated person reads too");
    for _ in 0..20 {
        model = press(model, Key::PageDown).0;
    }
    assert!(model.may_answer());
    assert!(screen(&model).contains("value 60"));
    let typed = answer(typed(model, "umbrella talon crisp\n").1);
    assert_eq!(typed, Answer::Typed { text: "umbrella talon crisp".to_owned() });
}

#[test]
fn nobody_agrees_to_what_has_not_been_on_the_screen() {
    let room = Fixture::rehearsal();
    let lines = long_phrase().lines;
    for (name, keys) in [("initials", "ab\n"), ("choice", "r"), ("sign_off", "a\nab\n"), ("sheet", "\n\n\nab\nbo\n")] {
        let asked = questions().into_iter().find(|(n, _)| *n == name).unwrap().1;
        let prompt = Prompt { lines: lines.clone(), ..asked };
        let (mut model, done) = typed(room.asking(&prompt, SMALL), keys);
        assert!(done.is_none(), "{name} was answered unread");
        assert!(screen(&model).contains("read to the end first (PgDn)"), "{}", screen(&model));
        assert!(press(room.asking(&prompt, SMALL), Key::F(5)).1.is_none(), "the simulated person reads too");
        for _ in 0..40 {
            model = press(model, Key::PageDown).0;
        }
        assert!(typed(model, keys).1.is_some(), "{name} cannot be answered");
    }
}

#[test]
fn scrolling_past_the_end_unseen_does_not_count_as_reading() {
    let (room, prompt) = (Fixture::rehearsal(), long_phrase());
    let mut model = Model::new(room.room(), noon(), Model::ask(&prompt), SMALL);
    model = drawn(model, 0);
    for _ in 0..20 {
        (model, _) = send(model, LATER, Happening::Input(Input::Key(Key::PageDown)));
    }
    assert!(!model.may_answer(), "nothing was drawn since");
    assert!(drawn(model, LATER).may_answer());
}

#[test]
fn pastes_go_into_plain_text_only() {
    let room = Fixture::rehearsal();
    for (name, prompt) in questions() {
        let model = room.asking(&prompt, (160, 90));
        let takes = ["text", "object", "sheet"].contains(&name);
        let shown = screen(&pasted(model, "A-000317"));
        assert_eq!(shown.contains("A-000317"), takes, "{name}:\n{shown}");
        assert_eq!(shown.contains("pasting is not taken here"), !takes, "{name}:\n{shown}");
    }
}

#[test]
fn a_paste_is_taken_whole_on_one_line_or_not_at_all() {
    let (room, prompt) = (Fixture::rehearsal(), text());
    let model = pasted(room.asking(&prompt, SMALL), "bag\nA-000317\u{7}\n");
    assert_eq!(answer(press(model, Key::Enter).1), Answer::Typed { text: "bag A-000317".to_owned() });
    let model = pasted(room.asking(&prompt, SMALL), &"x".repeat(401));
    assert!(screen(&model).contains("nothing was pasted"));
}

#[test]
fn a_form_takes_pastes_in_its_texts_and_not_in_its_initials() {
    let (room, prompt) = (Fixture::rehearsal(), initials());
    let (model, _) = typed(room.asking(&prompt, SMALL), "!");
    let model = pasted(model, "pasted text");
    assert!(screen(&model).contains("pasted text"));
    let model = pasted(typed(model, "\t\t\t\t").0, "AB");
    assert!(screen(&model).contains("pasting is not taken here"));
}

#[test]
fn foreign_text_cannot_hide_or_turn_around() {
    let (room, prompt) = (Fixture::rehearsal(), Prompt { title: "pay\u{202e}eno".to_owned(), ..text() });
    let shown = screen(&typed(room.asking(&prompt, SMALL), "a\u{200b}b").0);
    assert!(shown.contains("pay<U+202E>eno") && shown.contains("a<U+200B>b"), "{shown}");
}

#[test]
fn a_terminal_that_is_too_small_takes_nothing_and_goes_on_when_it_is_larger() {
    let (room, prompt) = (Fixture::rehearsal(), initials());
    let (model, _) = typed(room.asking(&prompt, SMALL), "a");
    let small = Happening::Input(Input::Resize { width: 72, height: 20 });
    let (model, _) = send(model, LATER, small);
    assert!(screen(&model).contains("80x24 needed, this is 72x20"));
    let (model, done) = typed(model, "xyz\n");
    assert!(done.is_none());
    let (model, _) = send(model, LATER, Happening::Input(Input::Resize { width: 80, height: 24 }));
    assert!(screen(&model).contains("› a▏"));
}

#[test]
fn a_text_that_people_agree_to_is_on_the_screen_once() {
    let room = Fixture::rehearsal();
    let say = room.plan.steps[room.state.step].say.clone();
    let prompt = Prompt { lines: vec![crate::ceremony::Line::text(&say)], ..initials() };
    for size in [SMALL, LARGE] {
        let shown = screen(&room.asking(&prompt, size));
        assert_eq!(shown.matches("Nobody hurries anybody.").count(), 1, "{shown}");
        assert!(shown.contains("read aloud"), "{shown}");
    }
}

#[test]
fn what_does_not_fit_beside_the_agenda_gets_the_whole_width_of_a_small_screen() {
    let (room, short, long) = (Fixture::rehearsal(), initials(), long_phrase());
    let places = |prompt, size| crate::tui::layout::places(&room.asking(prompt, size)).agenda.is_some();
    assert!(places(&short, SMALL) && !places(&long, SMALL));
    assert!(places(&short, LARGE) && places(&long, LARGE));
}
