//! The camera's screen without a camera: frames from a list, keys from a list, a screen in memory.

use super::*;
use crate::basics::Realm;
use crate::devices::camera::pixel_format::PixelFormat;
use crate::devices::camera::{Lens, Shape};
use crate::devices::picture_reader::PictureReader;
use crate::transfer::intake::Expected;
use crate::transfer::picture::tests::code;
use crate::transfer::sender::{Sender, symbol_octets_of};
use crate::transfer::{Envelope, Kind};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use std::collections::VecDeque;

struct Film(VecDeque<Luma>, Shape);

impl Lens for Film {
    fn shape(&self) -> Shape {
        self.1
    }

    fn newest(&mut self, _: Duration) -> std::io::Result<Option<Vec<u8>>> {
        Ok(self.0.pop_front().map(|luma| luma.octets().to_vec()))
    }
}

struct Keys(VecDeque<Key>);

impl InputSource for Keys {
    fn next(&mut self, _: Duration) -> Input {
        self.0.pop_front().map_or(Input::Tick, Input::Key)
    }
}

fn camera(film: Vec<Luma>) -> Camera {
    let (width, height) = (film[0].width(), film[0].height());
    let shape = Shape { width, height, stride: width, format: PixelFormat::Grey };
    Camera::with_lens("/dev/video7".to_owned(), Box::new(Film(film.into(), shape)), PictureReader::in_process())
}

fn screen() -> Terminal<TestBackend> {
    Terminal::new(TestBackend::new(80, 24)).unwrap()
}

#[test]
fn an_object_held_to_the_camera_arrives_frame_by_frame() {
    let envelope = Envelope::new(Kind::Csr, Realm::Rehearsal, "a.csr", vec![7; 300]).unwrap();
    let sender = Sender::new(&envelope, symbol_octets_of(6)).unwrap();
    let film = (0..u64::from(sender.source_frames()) + 1).map(|n| code(&sender.frame(n), 4)).collect();
    let mut intake = Intake::new(Expected { kind: Some(Kind::Csr), realm: None });
    let mut screen = screen();
    let ending = run(&mut camera(film), &mut intake, "csr", Theme::Bare, &mut screen, &mut Keys(VecDeque::new()));
    assert!(matches!(ending, Ending::Object(Object::Envelope(arrived)) if arrived == envelope));
    assert!(screen.backend().buffer().content.iter().all(|cell| cell.symbol() == " "), "nothing stays on the screen");
}

#[test]
fn a_key_leaves_and_an_unexpected_object_is_named_and_not_taken() {
    let other = Envelope::new(Kind::Crl, Realm::Rehearsal, "a.crl", vec![7; 30]).unwrap();
    let film = vec![code(&crate::transfer::sender::single(&other).unwrap(), 4); 3];
    let mut intake = Intake::new(Expected { kind: Some(Kind::Csr), realm: None });
    let keys = [Key::Char('x'), Key::Char('x'), Key::Char('q')];
    let ending = run(&mut camera(film), &mut intake, "csr", Theme::Bare, &mut screen(), &mut Keys(keys.into()));
    assert!(matches!(ending, Ending::Left));
    let mut seen = Seen::default();
    note(&mut seen, Arrival::Unexpected { expected: "csr".to_owned(), found: "crl for rehearsal".to_owned() });
    assert_eq!(seen.note, "expected csr, found crl for rehearsal: not taken, going on");
}

fn seen() -> Seen {
    Seen {
        source: "camera /dev/video0  1280x720".to_owned(),
        waiting_for: "a csr for production".to_owned(),
        looks: "too dark: turn the light on".to_owned(),
        rate: 12.0,
        progress: Progress { have: 61, need: 98, new: 61, again: 22, other: 3, unreadable: 9, ..Progress::default() },
        note: String::new(),
    }
}

#[test]
fn the_screen_of_a_camera_looks_as_reviewed() {
    let slope = Luma::new(160, 90, (0..160 * 90).map(|at| u8::try_from(at % 160).unwrap()).collect()).unwrap();
    for (name, preview) in [("camera", Some(&slope)), ("camera_without_picture", None)] {
        let mut screen = screen();
        screen.draw(|frame| draw(&seen(), preview, Theme::Bare, frame.buffer_mut())).unwrap();
        insta::assert_snapshot!(name, screen.backend().to_string());
    }
}

#[test]
fn the_screen_holds_at_every_size_and_shows_foreign_words_visible_only() {
    let slope = Luma::new(33, 17, vec![90; 33 * 17]).unwrap();
    let hostile = Seen { source: "camera \u{1b}[2J".to_owned(), note: "\u{202e}abc".to_owned(), ..seen() };
    for width in 0..100 {
        for height in 0..40 {
            let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
            draw(&hostile, Some(&slope), Theme::Bare, &mut buffer);
            assert!(buffer.content.iter().all(|cell| !cell.symbol().contains(['\u{1b}', '\u{202e}'])));
        }
    }
}
