//! What each question takes and what it answers.

use super::room::*;
use crate::ceremony::Prompt;
use crate::ceremony::event::Answer;
use crate::runner::front_end::Given;
use crate::tui::input::{Input, Key, Signal};
use crate::tui::keymap::{self, Action};
use crate::tui::model::{Done, Happening, Model, Overlay};
use crate::tui::screens::corrections as correcting;

fn answered(prompt: &Prompt, keys: &str) -> Answer {
    let room = Fixture::rehearsal();
    answer(typed(room.asking(prompt, LARGE), keys).1)
}

fn chosen(key: &str) -> Answer {
    Answer::Chosen { key: key.to_owned() }
}

#[test]
fn initials_are_answered_as_typed() {
    assert_eq!(answered(&initials(), "ab\n"), Answer::Initials { initials: "ab".to_owned() });
}

#[test]
fn no_is_an_answer_to_a_request_for_initials_and_to_a_phrase() {
    assert_eq!(answered(&initials(), "no\n"), Answer::No);
    assert_eq!(answered(&initials(), "No\n"), Answer::No);
    assert_eq!(answered(&phrase(), "no\n"), Answer::No);
}

#[test]
fn somebody_with_the_initials_no_can_agree() {
    let mut room = Fixture::rehearsal();
    room.plan.people[0].initials = "NO".to_owned();
    let prompt = initials();
    let initials = Answer::Initials { initials: "NO".to_owned() };
    assert_eq!(answer(typed(room.asking(&prompt, SMALL), "NO\n").1), initials);
    assert_eq!(answer(typed(room.asking(&prompt, SMALL), "no\n").1), Answer::No);
    assert!(screen(&room.asking(&prompt, SMALL)).contains("small letters"));
}

#[test]
fn texts_and_phrases_are_answered_as_typed() {
    assert_eq!(answered(&text(), " 14:02 \n"), Answer::Typed { text: "14:02".to_owned() });
    assert_eq!(answered(&phrase(), "umbrella tin\n"), Answer::Typed { text: "umbrella tin".to_owned() });
}

#[test]
fn a_key_alone_chooses_and_a_longer_one_needs_enter() {
    assert_eq!(answered(&choice(), "r"), chosen("r"));
    assert_eq!(answered(&choice(), "go\n"), chosen("go"));
    let room = Fixture::rehearsal();
    let prompt = choice();
    assert!(typed(room.asking(&prompt, SMALL), "go").1.is_none());
    let (model, done) = typed(room.asking(&prompt, SMALL), "x\n");
    assert!(done.is_none());
    assert!(screen(&model).contains("expected one of r, go"));
}

#[test]
fn a_choice_that_cannot_be_undone_needs_enter() {
    let prompt = Prompt { grave: true, ..choice() };
    let room = Fixture::rehearsal();
    let (model, done) = typed(room.asking(&prompt, SMALL), "r");
    assert!(done.is_none());
    assert_eq!(answer(typed(model, "\n").1), chosen("r"));
}

#[test]
fn enter_on_an_empty_field_does_nothing() {
    let room = Fixture::rehearsal();
    for (name, prompt) in questions() {
        assert!(
            typed(room.asking(&prompt, LARGE), "\n\n\n\n\n\n\n\n").1.is_none(),
            "{name} was answered by Enter alone"
        );
    }
}

#[test]
fn a_mistyped_character_can_be_taken_back() {
    let room = Fixture::rehearsal();
    let prompt = initials();
    let (model, _) = typed(room.asking(&prompt, SMALL), "xab");
    let model = [Key::Home, Key::Delete, Key::End, Key::Backspace, Key::Char('B'), Key::Left, Key::Right]
        .into_iter()
        .fold(model, |model, key| press(model, key).0);
    assert_eq!(answer(press(model, Key::Enter).1), Answer::Initials { initials: "aB".to_owned() });
}

#[test]
fn dice_are_given_as_a_secret_and_never_shown() {
    let room = Fixture::rehearsal();
    let prompt = dice();
    let (model, done) = typed(room.asking(&prompt, SMALL), "12345\n");
    assert!(done.is_none());
    let shown = screen(&model);
    assert!(shown.contains("5 of at least 10 throws: throw on"), "{shown}");
    assert!(!shown.contains("12345"));
    let (model, _) = typed(model, "7 x");
    assert!(screen(&model).contains("expected digits 1 to 6"));
    assert_eq!(secret(typed(model, "66666\n").1).expose(), b"1234566666");
}

#[test]
fn a_share_is_given_in_capitals_without_its_spaces() {
    let room = Fixture::rehearsal();
    let prompt = share_for("prove");
    let keys = format!("{}\n", TEXT.to_lowercase());
    let (model, done) = typed(room.asking(&prompt, SMALL), &keys);
    assert_eq!(secret(done).expose(), TEXT.as_bytes());
    assert!(!screen(&model).contains("KR1Q"), "the share is still on the screen");
    let unread = format!("kr1q-xwle 5gp?{}\n", &TEXT[12..]);
    let (_, done) = typed(room.asking(&prompt, SMALL), &unread);
    assert_eq!(secret(done).expose(), format!("KR1QXWLE5GP?{}", &TEXT[12..]).as_bytes());
}

#[test]
fn enter_ends_a_line_of_a_share_and_gives_it_only_when_it_is_complete() {
    let room = Fixture::rehearsal();
    for purpose in ["prove", "unlock"] {
        let prompt = share_for(purpose);
        let lines: Vec<&str> = (0..4).map(|line| &TEXT[20 * line..20 * line + 20]).collect();
        let (model, done) = typed(room.asking(&prompt, SMALL), "\n");
        assert!(done.is_none());
        assert!(screen(&model).contains("0 of 80 characters are in: line 1"), "{}", screen(&model));
        let (model, done) = typed(model, &format!("{}\n{}\n", lines[0], &lines[1][..13]));
        assert!(done.is_none(), "an incomplete share was given");
        let shown = screen(&model).replace('\n', "");
        assert!(shown.contains("line 2 has 13 of 20 characters: 7 missing"), "{}", screen(&model));
        assert!(shown.contains("KR1Q"), "what is typed is kept");
        let (model, done) = typed(model, &format!("{}\n{}\n{}", &lines[1][13..], lines[2], lines[3]));
        assert!(done.is_none());
        let (model, _) = press(model, Key::Backspace);
        let (model, done) = press(model, Key::Enter);
        assert!(done.is_none(), "one is missing again");
        assert_eq!(secret(typed(model, &format!("{}\n", &TEXT[79..])).1).expose(), TEXT.as_bytes());
    }
}

#[test]
fn again_shows_the_share_once_more_only_where_it_is_being_proven() {
    assert_eq!(answered(&share_for("prove"), "again\n"), chosen("again"));
    let (room, prompt) = (Fixture::rehearsal(), share_for("unlock"));
    assert!(typed(room.asking(&prompt, SMALL), "again\n").1.is_none());
}

#[test]
fn corrections_are_confirmed_or_denied_in_words() {
    let (room, corrections) = (Fixture::rehearsal(), corrections());
    assert_eq!(corrections.len(), 2);
    let model = || room.model(correcting::begin("cleo", &corrections), SMALL);
    assert!(matches!(typed(model(), "yes\n").1, Some(Done::Confirmed(true))));
    assert!(matches!(typed(model(), "no\n").1, Some(Done::Confirmed(false))));
    assert!(typed(model(), "\ny\n").1.is_none());
    assert!(screen(&model()).contains("line 2, group 3"));
}

#[test]
fn ctrl_c_asks_and_staying_brings_back_what_was_open() {
    let (room, prompt) = (Fixture::rehearsal(), initials());
    let (model, _) = typed(room.asking(&prompt, SMALL), "!paper jam");
    let (model, _) = press(model, Key::Ctrl('c'));
    assert!(screen(&model).contains("Leave now?"));
    let (model, done) = typed(model, "stay\n");
    assert!(done.is_none());
    assert!(screen(&model).contains("paper jam"));
    let (model, _) = press(model, Key::Ctrl('c'));
    assert!(matches!(typed(model, "leave\n").1, Some(Done::Leave(_))));
}

#[test]
fn signals_leave_at_once_and_say_why() {
    let (room, prompt) = (Fixture::rehearsal(), initials());
    for signal in [Signal::Terminate, Signal::HangUp] {
        let (_, done) = send(room.asking(&prompt, SMALL), LATER, Happening::Input(Input::Signal(signal)));
        assert!(matches!(done, Some(Done::Leave(why)) if why.why() == signal.why()));
    }
}

#[test]
fn ctrl_z_is_passed_over() {
    let (room, prompt) = (Fixture::rehearsal(), initials());
    let (model, done) = press(room.asking(&prompt, SMALL), Key::Ctrl('z'));
    assert!(done.is_none());
    assert_eq!(screen(&model), screen(&room.asking(&prompt, SMALL)));
}

#[test]
fn p_pauses_where_no_answer_can_begin_with_it() {
    let room = Fixture::rehearsal();
    for (prompt, pauses) in [(initials(), true), (choice(), false), (dice(), true), (text(), false)] {
        let (model, _) = typed(room.asking(&prompt, SMALL), "p");
        assert_eq!(matches!(model.overlay, Some(Overlay::Pause(_))), pauses, "{:?}", prompt.ask);
    }
    let mut room = Fixture::rehearsal();
    room.plan.people[2].initials = "PQ".to_owned();
    let prompt = initials();
    assert!(typed(room.asking(&prompt, SMALL), "p").0.overlay.is_none());
    let prompt = choice();
    let (model, done) = typed(room.asking(&prompt, SMALL), "please\n");
    assert!(done.is_none() && model.overlay.is_none());
    assert!(screen(&model).contains("expected one of r, go"));
}

#[test]
fn every_hint_shown_is_a_key_that_works() {
    let room = Fixture::rehearsal();
    for (name, prompt) in questions() {
        let model = room.asking(&prompt, SMALL);
        let bar = screen(&model);
        for binding in keymap::bindings(&model) {
            if let Some(hint) = &binding.hint {
                assert!(bar.contains(hint.does), "{name}: {} is not shown", hint.does);
            }
            for key in binding.keys {
                assert_eq!(keymap::action_for(&model, key), binding.action, "{name}: {key:?}");
            }
        }
    }
}

#[test]
fn a_rehearsal_offers_the_simulated_person_and_production_never_does() {
    let (rehearsal, production, share) = (Fixture::rehearsal(), Fixture::production(), revealed());
    for (_, prompt) in questions() {
        let model = production.asking(&prompt, LARGE);
        assert!(keymap::bindings(&model).iter().all(|binding| binding.action != Action::Simulate));
        assert!(!screen(&model).contains("simulated"));
        assert!(press(model, Key::F(5)).1.is_none());
        let model = rehearsal.asking(&prompt, (160, 90));
        assert!(screen(&model).contains("F5 simulated person answers"));
        assert!(matches!(press(model, Key::F(5)).1, Some(Done::Given(Given::Simulate))));
    }
    let mut model = production.model(Model::reveal(&share), LARGE);
    for key in [Key::F(5), Key::Char('r'), Key::F(5), Key::F(5)] {
        assert!(!screen(&model).contains("simulated"));
        let (next, done) = press(model, key);
        assert!(done.is_none());
        model = next;
    }
}
