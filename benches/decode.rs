//! Decode rates and times of pictures, for `tests/transfer/decode_rates.py`, and mutations.
//!
//! ```text
//! decode ours|rqrr < LIST         one JSON line a PGM picture: file, milliseconds of processor time, codes
//! decode mutate FROM TO           mutated pictures by seed: how many, read, panics caught; a panic that escapes ends it with a failure
//! ```
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::disallowed_methods)]

use anchorite::transfer::picture::{Luma, read_codes, read_with_rqrr_alone};
use data_encoding::HEXLOWER;
use std::time::{Duration, Instant};

#[path = "../tests/transfer/mutate.rs"]
mod mutate;

/// The deadline of a frame.
const DEADLINE: Duration = Duration::from_millis(250);

fn main() {
    // cargo adds `--bench`.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["ours"] => pictures(|luma| {
            let end = Instant::now() + DEADLINE;
            read_codes(luma, &mut || Instant::now() < end).codes
        }),
        ["rqrr"] => pictures(read_with_rqrr_alone),
        ["mutate", from, to] => mutations(from.parse().unwrap(), to.parse().unwrap()),
        _ => println!("decode ours|rqrr < LIST, or decode mutate FROM TO"),
    }
}

/// Milliseconds of processor time of this process.
fn milliseconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/schedstat").unwrap();
    stat.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e6
}

fn pgm(path: &str) -> Luma {
    let octets = std::fs::read(path).unwrap();
    let mut parts = octets.splitn(4, |octet| *octet == b'\n');
    assert_eq!(parts.next().unwrap(), b"P5");
    let shape = String::from_utf8(parts.next().unwrap().to_vec()).unwrap();
    assert_eq!(parts.next().unwrap(), b"255");
    let (width, height) = shape.split_once(' ').unwrap();
    Luma::new(width.parse().unwrap(), height.parse().unwrap(), parts.next().unwrap().to_vec()).unwrap()
}

fn pictures(read: impl Fn(&Luma) -> Vec<Vec<u8>>) {
    // A decoder's panic is caught and counted; its words would only hide the lines.
    std::panic::set_hook(Box::new(|_| {}));
    for path in std::io::stdin().lines() {
        let path = path.unwrap();
        let luma = pgm(&path);
        let (wall, before) = (Instant::now(), milliseconds());
        let codes: Vec<String> = read(&luma).iter().map(|octets| HEXLOWER.encode(octets)).collect();
        let (spent, wall) = (milliseconds() - before, wall.elapsed().as_secs_f64() * 1e3);
        println!("{}", serde_json::json!({ "file": path, "milliseconds": spent, "wall": wall, "codes": codes }));
    }
}

fn mutations(from: u64, to: u64) {
    std::panic::set_hook(Box::new(|_| {}));
    let text = "AF1ABCDEFGHIJK";
    let shapes = [(1, 4), (2, 5), (4, 4), (7, 3), (10, 3), (14, 3)];
    let bases: Vec<_> = shapes.map(|(version, scale)| mutate::drawn(text, version, scale)).into();
    let (mut read, mut wrong, mut caught, mut escaped, mut longest) = (0, 0, 0, 0, 0.0_f64);
    for seed in from..to {
        let base = &bases[(seed % 6) as usize];
        let picture = mutate::mutated(base, &mut mutate::Dice(seed));
        let luma = Luma::new(picture.width, picture.height, picture.octets).unwrap();
        let before = milliseconds();
        let end = Instant::now() + DEADLINE;
        let reading = std::panic::catch_unwind(|| read_codes(&luma, &mut || Instant::now() < end));
        longest = longest.max(milliseconds() - before);
        match reading {
            Err(_) => escaped += 1,
            Ok(reading) => {
                read += u32::from(!reading.codes.is_empty());
                wrong += u32::from(reading.codes.iter().any(|code| code != text.as_bytes()));
                caught += reading.panics;
            }
        }
    }
    let count = to - from;
    println!(
        "{}",
        serde_json::json!({ "pictures": count, "read": read, "wrong": wrong, "caught": caught, "escaped": escaped, "longest": longest })
    );
    assert_eq!(escaped, 0, "a panic escaped");
}
