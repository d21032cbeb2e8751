//! The screen of an object that comes in, without a source: looks from a list, keys from a list, a screen in memory.

use super::*;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use std::collections::VecDeque;

struct Fake {
    looks: VecDeque<Looked>,
    sight: Sight,
    preview: Option<Luma>,
    /// Lines that were typed, where it takes any.
    typed: Option<Vec<String>>,
}

impl Incoming for Fake {
    fn look(&mut self, _: Duration) -> Looked {
        self.looks.pop_front().unwrap_or(Looked::Nothing)
    }

    fn is_typed(&self) -> bool {
        self.typed.is_some()
    }

    fn typed(&mut self, line: &str) -> Looked {
        self.typed.get_or_insert_default().push(line.to_owned());
        if line == "LAST" { Looked::Ended } else { Looked::Heard }
    }

    fn sight(&mut self) -> Sight {
        self.sight.clone()
    }

    fn preview(&self) -> Option<&Luma> {
        self.preview.as_ref()
    }
}

struct Keys(VecDeque<Input>);

impl InputSource for Keys {
    fn next(&mut self, _: Duration) -> Input {
        self.0.pop_front().unwrap_or(Input::Tick)
    }
}

fn screen() -> Terminal<TestBackend> {
    Terminal::new(TestBackend::new(80, 24)).unwrap()
}

fn slope() -> Luma {
    Luma::new(160, 90, (0..160 * 90).map(|at| u8::try_from(at % 160).unwrap()).collect()).unwrap()
}

fn camera() -> Sight {
    Sight {
        source: "camera /dev/video0  1280x720".to_owned(),
        told: "Hold the code to the camera.",
        waiting_for: "a csr for production".to_owned(),
        looks: "too dark: turn the light on".to_owned(),
        rate: Some(12.0),
        progress: Progress { have: 61, need: 98, new: 61, again: 22, other: 3, unreadable: 9, ..Progress::default() },
        note: String::new(),
    }
}

fn pictures() -> Sight {
    Sight {
        source: "/srv/pictures".to_owned(),
        told: "Put pictures of the codes into the folder, in any order.",
        waiting_for: "the certificate request of issuing-2026: a csr for rehearsal".to_owned(),
        looks: "sees a code".to_owned(),
        rate: None,
        progress: Progress { have: 3, need: 7, new: 3, again: 1, other: 2, unreadable: 1, ..Progress::default() },
        note: "expected a csr for rehearsal, found a csr for production (issuing.csr): not taken".to_owned(),
    }
}

fn fake(looks: &[Looked]) -> Fake {
    Fake { looks: looks.to_vec().into(), sight: camera(), preview: Some(slope()), typed: None }
}

fn run_with(looks: &[Looked], keys: Vec<Input>) -> (Ending, Terminal<TestBackend>) {
    let mut screen = screen();
    let ending = run(&mut fake(looks), Place::Ceremony, Theme::Bare, &mut screen, &mut Keys(keys.into()));
    (ending, screen)
}

#[test]
fn it_ends_with_the_source_and_nothing_stays_on_the_screen() {
    let (ending, screen) = run_with(&[Looked::Nothing, Looked::Heard, Looked::Ended], Vec::new());
    assert!(matches!(ending, Ending::Ended));
    assert!(screen.backend().buffer().content.iter().all(|cell| cell.symbol() == " "));
}

#[test]
fn escape_goes_back_and_other_keys_do_nothing() {
    for key in [Key::Esc, Key::Char('q'), Key::Ctrl('c')] {
        let keys = vec![Input::Key(Key::Char('x')), Input::Paste("y".to_owned().into()), Input::Key(key)];
        assert!(matches!(run_with(&[], keys).0, Ending::Back), "{key:?}");
    }
    assert!(matches!(run_with(&[], vec![Input::Signal(Signal::Terminate)]).0, Ending::Signal(Signal::Terminate)));
    assert!(matches!(run_with(&[], vec![Input::Lost("gone".to_owned())]).0, Ending::Lost(why) if why == "gone"));
}

#[test]
fn a_scanner_that_types_gives_lines_and_its_letters_are_no_commands() {
    let mut scanner = Fake { typed: Some(Vec::new()), ..fake(&[]) };
    let key = |c| Input::Key(Key::Char(c));
    let mut keys: Vec<Input> = "AF1Q q".chars().map(key).collect();
    keys.extend([Input::Key(Key::Enter), Input::Key(Key::Enter), Input::Tick]);
    keys.extend("x".repeat(9_000).chars().map(key));
    keys.extend([Input::Key(Key::Enter), Input::Paste("AF1A\r\nLAST\nMORE".to_owned().into())]);
    let ending = run(&mut scanner, Place::Ceremony, Theme::Bare, &mut screen(), &mut Keys(keys.into()));
    assert!(matches!(ending, Ending::Ended));
    let lines = scanner.typed.unwrap();
    assert_eq!(
        (lines[0].as_str(), lines[1].len()),
        ("AF1Q q", 8_192),
        "an empty line is none, and a line ends somewhere"
    );
    assert_eq!(lines[2..], ["AF1A", "LAST"]);
}

#[test]
fn every_source_looks_as_reviewed() {
    let slope = slope();
    for (name, sight, place, preview) in [
        ("camera", camera(), Place::Alone, Some(&slope)),
        ("camera_without_picture", camera(), Place::Alone, None),
        ("camera_in_a_ceremony", camera(), Place::Ceremony, Some(&slope)),
        ("pictures", pictures(), Place::Ceremony, None),
    ] {
        let mut screen = screen();
        screen.draw(|frame| draw(&sight, place, preview, Theme::Bare, frame.buffer_mut())).unwrap();
        insta::assert_snapshot!(name, screen.backend().to_string());
    }
}

#[test]
fn the_screen_holds_at_every_size_and_shows_foreign_words_visible_only() {
    let slope = Luma::new(33, 17, vec![90; 33 * 17]).unwrap();
    let hostile = Sight { source: "camera \u{1b}[2J".to_owned(), note: "\u{202e}abc".to_owned(), ..camera() };
    for width in 0..100 {
        for height in 0..40 {
            let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
            draw(&hostile, Place::Ceremony, Some(&slope), Theme::Bare, &mut buffer);
            assert!(buffer.content.iter().all(|cell| !cell.symbol().contains(['\u{1b}', '\u{202e}'])));
        }
    }
}
