//! Sheets, pauses, aborts and sign-offs.

use super::room::*;
use crate::ceremony::event::Answer;
use crate::ceremony::exception::Sheet;
use crate::tui::input::Key;

fn sheet_of(expected: &str, happened: &str, decided: &str, skip: bool) -> Sheet {
    Sheet {
        expected: expected.to_owned(),
        happened: happened.to_owned(),
        decided: decided.to_owned(),
        by: vec!["ab".to_owned(), "bo".to_owned()],
        skip,
    }
}

#[test]
fn an_exception_is_answered_with_all_its_fields() {
    let (room, prompt) = (Fixture::rehearsal(), initials());
    let (_, done) = typed(room.asking(&prompt, SMALL), "!card printed\npaper jam\nwrite by hand\nk\nab\nbo\n");
    let sheet = sheet_of("card printed", "paper jam", "write by hand", false);
    assert_eq!(answer(done), Answer::Exception { sheet });
}

#[test]
fn skipping_has_no_default_and_is_offered_only_where_the_plan_allows_it() {
    let (mut room, prompt) = (Fixture::rehearsal(), initials());
    let (model, done) = typed(room.asking(&prompt, SMALL), "!a\nb\nc\n\tab\nbo\n");
    assert!(done.is_none());
    assert!(screen(&model).contains("still empty: skip this step?"));
    let (_, done) = typed(model, "s\n\n\n");
    assert_eq!(answer(done), Answer::Exception { sheet: sheet_of("a", "b", "c", true) });
    room.state.step = 3;
    let (model, _) = typed(room.asking(&prompt, SMALL), "!");
    assert!(screen(&model).contains("cannot be skipped"));
    let (_, done) = typed(model, "a\nb\nc\nab\nbo\n");
    assert_eq!(answer(done), Answer::Exception { sheet: sheet_of("a", "b", "c", false) });
}

#[test]
fn a_sheet_the_machine_would_refuse_stays_on_the_screen() {
    let (room, prompt) = (Fixture::rehearsal(), initials());
    let (model, done) = typed(room.asking(&prompt, SMALL), "!a\nb\nc\nk\nab\nab\n");
    assert!(done.is_none());
    assert!(screen(&model).contains("two people must initial an exception"));
    let (model, _) = press(press(model, Key::Ctrl('u')).0, Key::Esc);
    assert!(model.overlay.is_none(), "Esc goes back to the question");
}

#[test]
fn a_sheet_that_is_asked_for_begins_with_what_is_known() {
    let (room, prompt) = (Fixture::rehearsal(), sheet());
    let (_, done) = typed(room.asking(&prompt, SMALL), "\n\n, in bag 7\nab\nbo\n");
    let Answer::Exception { sheet } = answer(done) else { panic!("expected an exception") };
    assert_eq!(sheet.expected, "all shares of quorum root-2026, generation 1, proven");
    assert_eq!(sheet.decided, "cards of this generation destroyed; key and shares made again, in bag 7");
    assert!(!sheet.skip);
}

#[test]
fn a_pause_says_why_and_who_stays() {
    let (room, prompt) = (Fixture::rehearsal(), initials());
    let (model, done) = typed(room.asking(&prompt, SMALL), "plunch\nab\nab\n");
    assert!(done.is_none());
    assert!(screen(&model).contains("at least two people stay"));
    let (model, _) = press(model, Key::Ctrl('u'));
    let (_, done) = typed(model, "cm\n");
    let staying = vec!["ab".to_owned(), "cm".to_owned()];
    assert_eq!(answer(done), Answer::Pause { why: "lunch".to_owned(), staying });
}

#[test]
fn an_abort_needs_its_phrase_what_is_destroyed_and_what_remains() {
    let (room, prompt) = (Fixture::rehearsal(), initials());
    let open = || press(room.asking(&prompt, SMALL), Key::F(12)).0;
    let rest = "fire alarm\nthe three cards\nthe sealed file\nab\nbo\n";
    let (model, done) = typed(open(), &format!("abort\n{rest}"));
    assert!(done.is_none());
    assert!(screen(&model).contains("type exactly: abort this ceremony"));
    let (_, done) = typed(open(), &format!("abort this ceremony\n{rest}"));
    let Answer::Abort { sheet } = answer(done) else { panic!("expected an abort") };
    assert_eq!(sheet.happened, "fire alarm");
    assert_eq!(sheet.decided, "aborted; destroyed: the three cards; remains: the sealed file");
}

#[test]
fn a_sign_off_has_no_default_and_not_agreeing_says_why() {
    let (room, prompt) = (Fixture::rehearsal(), sign_off());
    let (model, done) = typed(room.asking(&prompt, SMALL), "\t\tab\n");
    assert!(done.is_none());
    assert!(screen(&model).contains("still empty: do you agree"));
    // Enter goes on to the initials, and what is typed next is not taken for a remark.
    let (_, done) = typed(room.asking(&prompt, SMALL), "a\nab\n");
    let agreed = Answer::SignOff { initials: "ab".to_owned(), agree: true, remark: String::new() };
    assert_eq!(answer(done), agreed);
    let (_, done) = typed(room.asking(&prompt, SMALL), "a\tone bag\nab\n");
    let remarked = Answer::SignOff { initials: "ab".to_owned(), agree: true, remark: "one bag".to_owned() };
    assert_eq!(answer(done), remarked);
    let (model, done) = typed(room.asking(&prompt, SMALL), "d\n\nab\n");
    assert!(done.is_none());
    assert!(screen(&model).contains("needs a remark"));
}

#[test]
fn a_form_longer_than_the_screen_keeps_the_cursor_in_sight() {
    let (room, prompt) = (Fixture::rehearsal(), initials());
    let long = "abcdefghi ".repeat(39);
    let (model, _) = typed(room.asking(&prompt, SMALL), &format!("!{long}\n{long}\n{long}\nk\nab\nBO"));
    assert!(screen(&model).contains("BO▏"), "{}", screen(&model));
}
