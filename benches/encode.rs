//! How long a code takes from the object to the cells of the screen, beside what the crate `qrcode` takes for its modules alone.
//!
//! `cargo bench --bench encode` prints medians and their ratio, and fails where version 20 takes more than 3 ms or more than half of what
//! `qrcode` takes (media/README.md, "Measured").
#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, clippy::indexing_slicing)]

use anchorite::basics::Realm;
use anchorite::transfer::sender::symbol_octets_of;
use anchorite::transfer::{Envelope, Kind, Sender};
use anchorite::tui::across::frames::Code;
use anchorite::tui::widgets::qr_code::{self, Ink, Look, Shape};
use qrcode::bits::Bits;
use qrcode::{EcLevel, QrCode, Version};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::time::{Duration, Instant};

const FRAMES: u64 = 200;

/// The middle of many measurements, in milliseconds: one interrupted by something else does not count.
fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1000.0
}

fn measured(mut work: impl FnMut(u64)) -> f64 {
    median(
        (0..FRAMES)
            .map(|number| {
                let began = Instant::now();
                work(number);
                began.elapsed()
            })
            .collect(),
    )
}

fn main() {
    let content = (0..100_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let envelope = Envelope::new(Kind::Chain, Realm::Rehearsal, "chain.pem", content).unwrap();
    println!("version   object to cells   `qrcode` modules alone   ratio");
    for version in [5_u8, 10, 15, 20, 27] {
        let sender = Sender::new(&envelope, symbol_octets_of(version)).unwrap();
        let look = Look { shape: Shape::Halves, quiet: 4, ink: Ink::Exact(255) };
        let mut buffer = Buffer::empty(Rect::new(0, 0, 140, 70));
        let ours = measured(|number| {
            let code = Code::following(&sender.frame(number), version, number).unwrap();
            let area = buffer.area;
            qr_code::draw(&code, look, area, &mut buffer);
        });
        let peer = measured(|number| {
            let mut bits = Bits::new(Version::Normal(version.into()));
            bits.push_alphanumeric_data(sender.frame(number).as_bytes()).unwrap();
            bits.push_terminator(EcLevel::L).unwrap();
            assert!(QrCode::with_bits(bits, EcLevel::L).unwrap().width() > 0);
        });
        let ratio = ours / peer;
        println!("{version:>7}   {ours:>12.3} ms   {peer:>19.3} ms   {ratio:>5.2}");
        assert!(version != 20 || (ours <= 3.0 && ratio <= 0.5), "version 20 takes too long");
    }
}
