//! An object to show, and a screen to show it on.

use crate::basics::{Digest, Realm};
use crate::tui::across::frames::{Frames, Subject};
use crate::tui::across::show::{Left, Message, Settings, Show, What};
use crate::tui::across::view::view;
use crate::tui::input::Key;
use crate::tui::theme::Theme;
use crate::tui::widgets::qr_code::Ink;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::fmt::Write;

/// Frames of the right length that say which they are.
pub struct Numbered {
    pub octets: usize,
    pub single: Option<String>,
}

/// Alphanumeric characters at level L (ISO/IEC 18004, table 7).
pub const CHARACTERS: [(u8, usize); 23] = [
    (5, 154),
    (6, 195),
    (7, 224),
    (8, 279),
    (9, 335),
    (10, 395),
    (11, 468),
    (12, 535),
    (13, 619),
    (14, 667),
    (15, 758),
    (16, 854),
    (17, 938),
    (18, 1046),
    (19, 1153),
    (20, 1249),
    (21, 1352),
    (22, 1460),
    (23, 1588),
    (24, 1704),
    (25, 1853),
    (26, 1990),
    (27, 2132),
];

pub fn characters(version: u8) -> usize {
    CHARACTERS.iter().find(|(v, _)| *v == version).unwrap().1
}

impl Frames for Numbered {
    fn single(&self) -> Option<String> {
        self.single.clone()
    }

    fn octets(&self, version: u8) -> usize {
        characters(version) * 5 / 8 - 20
    }

    fn sources(&self, version: u8) -> u32 {
        u32::try_from(self.octets.div_ceil(self.octets(version))).unwrap()
    }

    fn text(&mut self, version: u8, number: u64) -> Result<String, String> {
        let mut text = format!("KC1N{number}V{version}X");
        let mut state = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        while text.len() < characters(version) {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            write!(text, "{}", char::from(b'A' + u8::try_from(state >> 33 & 0xff).unwrap() % 26)).unwrap();
        }
        text.truncate(characters(version));
        Ok(text)
    }
}

pub fn subject(octets: usize) -> Subject {
    Subject {
        realm: Realm::Rehearsal,
        kind: "certificate".to_owned(),
        name: "root-2026.crt.der".to_owned(),
        octets,
        digest: Digest::of(b"an envelope"),
    }
}

pub fn settings() -> Settings {
    Settings::usual(Ink::Exact(255))
}

/// 10 KB that need many codes, shown at a size.
pub fn many(settings: Settings, size: (u16, u16)) -> Show {
    sized(Show::new(subject(10_240), Box::new(Numbered { octets: 10_240, single: None }), settings), size)
}

pub fn one(size: (u16, u16)) -> Show {
    let text = format!("KC1{}", "ABCD2345".repeat(30));
    sized(Show::new(subject(150), Box::new(Numbered { octets: 150, single: Some(text) }), settings()), size)
}

pub fn sized(mut show: Show, (width, height): (u16, u16)) -> Show {
    send(&mut show, 0, What::Resize { width, height });
    show
}

pub fn send(show: &mut Show, at: u64, what: What) -> Option<Left> {
    show.update(Message { at, what })
}

pub fn press(show: &mut Show, keys: &[Key]) -> Option<Left> {
    keys.iter().fold(None, |_, key| send(show, 0, What::Key(*key)))
}

pub fn buffer(show: &Show, theme: Theme) -> Buffer {
    let mut buffer = Buffer::empty(Rect::new(0, 0, show.size.0, show.size.1));
    view(show, theme, &mut buffer);
    buffer
}

pub fn text(buffer: &Buffer) -> String {
    let mut all = String::new();
    for y in 0..buffer.area.height {
        for x in 0..buffer.area.width {
            all.push_str(buffer[(x, y)].symbol());
        }
        all.truncate(all.trim_end().len());
        all.push('\n');
    }
    all
}
