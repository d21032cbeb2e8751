//! How many frames a receiver needs, beside the peers, in one run on one machine: our frames, our UR decoder, the crate `ur`,
//! plain cycling and BBQr-like cycling. Prints Markdown tables; ends with 1 where an acceptance ratio is missed.
//!
//! `cargo bench --bench fountain` (1, 10, 100 KB), `-- --large` (1 MB too, minutes), `-- --quick` (few trials).
//!
//! Every trial draws which frames get lost. The erasure limit of a trial is the frame at which k frames have arrived, k
//! being the scheme's own number of source frames: no code can be done before. Ratios are sums over sums.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::disallowed_methods)]

use anchorite::basics::Realm;
use anchorite::transfer::ur::{UrTaken, fragment_octets_of};
use anchorite::transfer::{
    Envelope, Frame, Kind, Level, Receiver, Sender, Taken, TransferId, UrReceiver, UrSender, sender,
};
use std::cell::RefCell;
use std::time::{Duration, Instant};

const LOSSES: [u64; 4] = [0, 10, 30, 50];

struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    fn octets(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next() as u8).collect()
    }
}

/// Frames of a scheme, made once and kept.
struct Stream<'a> {
    source: usize,
    made: RefCell<Vec<String>>,
    make: Box<dyn Fn(usize) -> String + 'a>,
}

impl<'a> Stream<'a> {
    fn new(source: usize, make: impl Fn(usize) -> String + 'a) -> Self {
        Self { source, made: RefCell::default(), make: Box::new(make) }
    }

    fn with<T>(&self, n: usize, act: impl FnOnce(&str) -> T) -> T {
        while self.made.borrow().len() <= n {
            let next = (self.make)(self.made.borrow().len());
            self.made.borrow_mut().push(next);
        }
        act(&self.made.borrow()[n])
    }
}

/// Sums over trials.
#[derive(Clone, Copy, Default)]
struct Cell {
    shown: u64,
    limit: u64,
    trials: u64,
}

impl Cell {
    fn ratio(self) -> f64 {
        self.shown as f64 / self.limit as f64
    }

    fn add(&mut self, more: Self) {
        *self =
            Self { shown: self.shown + more.shown, limit: self.limit + more.limit, trials: self.trials + more.trials };
    }

    fn mean(self) -> f64 {
        self.shown as f64 / self.trials as f64
    }
}

/// Runs trials of one scheme: `begin` gives a decoder that says when it is done. A late receiver joins anywhere in the second
/// round, when every source frame has been shown.
fn measure<D>(
    stream: &Stream,
    loss: u64,
    late: bool,
    seed: u64,
    trials: u64,
    begin: impl Fn() -> D,
    take: impl Fn(&mut D, usize, &str) -> bool,
) -> Cell {
    let mut cell = Cell::default();
    let mut dice = Dice((seed << 32) + loss * 1_000 + u64::from(late));
    for _ in 0..trials {
        let source = stream.source as u64;
        let start = if late { source + dice.next() % source } else { 0 };
        let mut decoder = begin();
        let (mut arrived, mut limit) = (0, None);
        for shown in 1.. {
            if dice.next() % 100 < loss {
                continue;
            }
            arrived += 1;
            if arrived == stream.source {
                limit = Some(shown);
            }
            let n = usize::try_from(start + shown - 1).unwrap();
            if stream.with(n, |text| take(&mut decoder, n, text)) {
                cell.shown += shown;
                cell.limit += limit.unwrap_or(shown);
                cell.trials += 1;
                break;
            }
        }
    }
    cell
}

/// What one size and one size of frames gives for every scheme, loss and start.
struct Rows {
    frames: [[Cell; 2]; 4],
    our_ur: [[Cell; 2]; 4],
    crate_ur: [[Cell; 2]; 4],
    cycling: [[Cell; 2]; 4],
    source: usize,
}

/// `messages` of random content with `trials` each: what a UR mixes depends on its content.
fn rows(octets: usize, symbol: usize, ur_fragment: usize, cycle: usize, messages: u64, trials: u64) -> Rows {
    let cells = Default::default;
    let mut rows = Rows { frames: cells(), our_ur: cells(), crate_ur: cells(), cycling: cells(), source: 0 };
    let cases = || LOSSES.into_iter().enumerate().flat_map(|(place, loss)| [(place, loss, 0), (place, loss, 1)]);
    for seed in 1..=messages {
        let content = Dice(seed).octets(octets);
        let envelope = Envelope::new(Kind::BundleManifest, Realm::Rehearsal, "x", content.clone()).unwrap();
        let sender = Sender::new(&envelope, symbol).unwrap();
        let frames = Stream::new(sender.source_frames() as usize, |n| sender.frame(n as u64));
        let ours = UrSender::new(&content, ur_fragment).unwrap();
        let parts = Stream::new(ours.source_parts() as usize, |n| ours.part(n as u32).to_lowercase());
        rows.source = frames.source;
        for (place, loss, column) in cases() {
            let late = column == 1;
            let take = |receiver: &mut Receiver, _, text: &str| match receiver.take(text) {
                Taken::Whole => receiver.whole().is_some_and(|whole| whole.octets() == content),
                Taken::Unreadable(error) => panic!("{error}"),
                _ => false,
            };
            rows.frames[place][column].add(measure(&frames, loss, late, seed, trials, Receiver::new, take));
            let take = |receiver: &mut UrReceiver, _, text: &str| matches!(receiver.take(text).unwrap(), UrTaken::Whole(whole) if whole == content);
            rows.our_ur[place][column].add(measure(&parts, loss, late, seed, trials, UrReceiver::new, take));
            let take = |decoder: &mut ur::Decoder, _, text: &str| {
                decoder.receive(text).unwrap();
                decoder.complete()
            };
            let slow = trials.min(10_000_000 / octets as u64 / messages).max(1);
            rows.crate_ur[place][column].add(measure(&parts, loss, late, seed, slow, ur::Decoder::default, take));
        }
    }
    let cycled = octets.div_ceil(cycle);
    let plain = Stream::new(cycled, |_| String::new());
    for (place, loss, column) in cases() {
        let empty = || (vec![false; cycled], cycled);
        let take = |(seen, missing): &mut (Vec<bool>, usize), n: usize, _: &str| {
            *missing -= usize::from(!std::mem::replace(&mut seen[n % cycled], true));
            *missing == 0
        };
        rows.cycling[place][column] = measure(&plain, loss, column == 1, 1, 2_000_000 / cycled as u64, empty, take);
    }
    rows
}

/// What must hold; counted, printed, never a panic in the middle of a table.
#[derive(Default)]
struct Judge {
    missed: u32,
}

impl Judge {
    fn most(&mut self, what: &str, found: f64, most: f64) {
        let word = if found <= most { "holds" } else { "MISSED" };
        self.missed += u32::from(found > most);
        println!("| {what} | {found:.3} | {most:.2} | {word} |");
    }
}

fn main() {
    let option = |name: &str| std::env::args().any(|argument| argument == name);
    let scale = if option("--quick") { 5 } else { 1 };
    let mut sizes = vec![(1_000, 100 / scale, 20), (10_000, 100 / scale, 10), (100_000, 50 / scale, 10)];
    if option("--large") {
        sizes.push((1_000_000, 3, 2));
    }
    println!("## Hostile headers\n");
    let hostile = hostile();

    println!("\n## Frames shown until done, over the erasure limit (300 octets a frame)\n");
    println!(
        "| octets | loss | k | cycling | `ur`, first | `ur`, late | our UR, first | our UR, late | frames, first | frames, late |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    let mut limits = Vec::new();
    for &(octets, messages, trials) in &sizes {
        let rows = rows(octets, 300, 300, 300, messages, trials);
        for (place, loss) in LOSSES.into_iter().enumerate() {
            let [ours, our_ur, theirs] =
                [rows.frames[place], rows.our_ur[place], rows.crate_ur[place]].map(|cells| cells.map(Cell::ratio));
            println!(
                "| {octets} | {loss} % | {} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} | **{:.3}** | **{:.3}** |",
                rows.source,
                rows.cycling[place][0].ratio(),
                theirs[0],
                theirs[1],
                our_ur[0],
                our_ur[1],
                ours[0],
                ours[1],
            );
        }
        limits.push((octets, rows));
    }

    let (symbol, fragment, bbqr) = (sender::symbol_octets_of(20), fragment_octets_of(20, Level::L), 775);
    println!(
        "\n## Frames shown until done at the same code, version 20-L (frames {symbol}, UR {fragment}, BBQr {bbqr} octets)\n"
    );
    println!(
        "| octets | loss | `ur`, first | `ur`, late | our UR, late | BBQr | frames, first | frames, late | over `ur` | over `ur`, late | over BBQr |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|");
    let mut same = None;
    for &(octets, messages, trials) in sizes.iter().filter(|(octets, ..)| *octets >= 10_000) {
        let rows = rows(octets, symbol, fragment, bbqr, messages, trials);
        for (place, loss) in LOSSES.into_iter().enumerate() {
            let [ours, our_ur, theirs, cycling] =
                [rows.frames[place], rows.our_ur[place], rows.crate_ur[place], rows.cycling[place]]
                    .map(|c| c.map(Cell::mean));
            let over = [ours[0] / theirs[0], ours[1] / theirs[1], ours[0] / cycling[0]];
            println!(
                "| {octets} | {loss} % | {:.0} | {:.0} | {:.0} | {:.0} | **{:.1}** | **{:.1}** | {:.2} | {:.2} | {:.2} |",
                theirs[0], theirs[1], our_ur[1], cycling[0], ours[0], ours[1], over[0], over[1], over[2],
            );
            if octets == 100_000 && loss == 10 {
                same = Some(over);
            }
        }
    }

    println!("\n## Time of this machine\n");
    times();

    println!("\n## Acceptance (TRANSFER section 8)\n");
    println!("| what | found | at most | |\n|---|---|---|---|");
    let mut judge = Judge::default();
    for (octets, rows) in &limits {
        let cells = rows.frames.iter().flatten().map(|cell| cell.ratio());
        let worst = cells.fold(0.0, f64::max);
        let most = if rows.source >= 30 { 1.02 } else { 1.05 };
        judge.most(&format!("1: {octets} octets, frames over the limit, worst mean"), worst, most);
    }
    let [over_ur, over_ur_late, over_bbqr] = same.unwrap();
    judge.most("2: 100,000 octets, 10 % loss, frames over `ur`", over_ur, 0.60);
    judge.most("2: the same over BBQr-like cycling", over_bbqr, 0.45);
    judge.most("2: the same over `ur`, late join", over_ur_late, 0.35);
    for (octets, rows) in limits.iter().filter(|(octets, _)| *octets >= 10_000) {
        for (place, loss) in LOSSES.into_iter().enumerate() {
            let found = rows.our_ur[place][1].mean() / rows.crate_ur[place][1].mean();
            judge.most(&format!("3: {octets} octets, {loss} % loss, our UR decoder over `ur`, late join"), found, 0.60);
        }
    }
    let (slowest, grown) = hostile;
    judge.most("7: hostile header refused, slowest mean, ms", slowest.as_secs_f64() * 1e3, 1.0);
    judge.most("7: memory grown by all hostile headers, MiB", grown / 1024.0, 1.0);
    if judge.missed > 0 {
        std::process::exit(1);
    }
}

/// Kilobytes of `/proc/self/status`.
fn resident(field: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(field)).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).unwrap_or(0.0)
}

/// The slowest mean time of a refusal, and by how many kilobytes the peak of memory grew.
fn hostile() -> (Duration, f64) {
    let part = |number: u32, count: u32, octets: u32| {
        let mut cbor = vec![0x85];
        for field in [number, count, octets, 9] {
            cbor.push(0x1a);
            cbor.extend(field.to_be_bytes());
        }
        cbor.extend([0x44, 1, 2, 3, 4]);
        format!("ur:bytes/{number}-{count}/{}", ur::bytewords::encode(&cbor, ur::bytewords::Style::Minimal))
    };
    let sealed = |symbols: u16, symbol: usize| {
        let mut octets = vec![7; 16];
        octets.extend(symbols.to_be_bytes());
        octets.extend(vec![255; 3 + symbol]);
        octets.extend(crc32c::crc32c(&octets).to_be_bytes());
        format!("AF1{}", data_encoding::BASE32_NOPAD.encode(&octets))
    };
    let cases = [
        ("`ur`, 1,000,000 fragments", part(1_000_001, 1_000_000, 1_000_000)),
        ("`ur`, 50,000,000 fragments", part(50_000_001, 50_000_000, 50_000_000)),
        ("`ur`, 400,000,000 fragments", part(400_000_001, 400_000_000, 400_000_000)),
        ("`ur`, 4,294,967,295 octets", part(8_193, 8_192, u32::MAX)),
        ("frame, 65,535 symbols", sealed(65_535, 2_600)),
        ("frame, 8,192 symbols of 2,600 octets", sealed(8_192, 2_600)),
        ("frame, no symbols", sealed(0, 100)),
        ("text of 1 MB", "AF1".to_owned() + &"A".repeat(1_000_000)),
        ("envelope of 99,999,999 octets", single("AE1 csr production a 99999999 ")),
    ];
    println!("| what | refused in |\n|---|---|");
    let mut receiver = Receiver::new();
    let _ = receiver.take(&cases[0].1);
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    let before = resident("VmHWM");
    let mut slowest = Duration::ZERO;
    for (what, text) in &cases {
        let start = Instant::now();
        for _ in 0..1_000 {
            assert!(matches!(receiver.take(text), Taken::Unreadable(_)), "{what}");
        }
        let mean = start.elapsed() / 1_000;
        slowest = slowest.max(mean);
        println!("| {what} | {:.2} us |", mean.as_secs_f64() * 1e6);
    }
    let grown = resident("VmHWM") - before;
    println!("| peak of memory grown by all of them | {grown:.0} KiB |");
    // The largest header that is within the bounds: what it costs before the second frame.
    let start = Instant::now();
    let largest = Frame::new(TransferId::from_octets([1; 16]), 8_192, 9, vec![1; 500]).unwrap().encode();
    assert_eq!(receiver.take(&largest), Taken::New);
    println!("| (accepted: 8,192 symbols of 500 octets) | {:.1} us |", start.elapsed().as_secs_f64() * 1e6);
    let start = Instant::now();
    let mut peer = ur::Decoder::default();
    let _ = peer.receive(&part(1_000_001, 1_000_000, 4_000_000));
    println!("| crate `ur`, 1,000,000 fragments, one part | {:.0} us |", start.elapsed().as_secs_f64() * 1e6);
    (slowest, grown)
}

fn single(header: &str) -> String {
    let mut octets = header.as_bytes().to_vec();
    octets.extend(crc32c::crc32c(&octets).to_be_bytes());
    format!("AE1{}", data_encoding::BASE32_NOPAD.encode(&octets))
}

fn times() {
    println!("| octets | symbols | set up | one repair frame | decode of repair frames only |\n|---|---|---|---|---|");
    for octets in [10_000, 100_000, 1_000_000, 4_000_000] {
        let symbol = sender::symbol_octets_of(20);
        let content = Dice(1).octets(octets);
        let envelope = Envelope::new(Kind::Crl, Realm::Rehearsal, "x", content).unwrap();
        let start = Instant::now();
        let sender = Sender::new(&envelope, symbol).unwrap();
        let set_up = start.elapsed();
        let source = u64::from(sender.source_frames());
        let start = Instant::now();
        let texts: Vec<String> = (source..2 * source + 5).map(|n| sender.frame(n)).collect();
        let each = start.elapsed() / u32::try_from(texts.len()).unwrap();
        let mut receiver = Receiver::new();
        let mut last = Duration::ZERO;
        for text in &texts {
            let start = Instant::now();
            let taken = receiver.take(text);
            last = start.elapsed();
            if taken == Taken::Whole {
                break;
            }
        }
        assert_eq!(receiver.whole(), Some(envelope));
        let us = |duration: Duration| duration.as_secs_f64() * 1e6;
        println!(
            "| {octets} | {source} | {:.1} ms | {:.1} us | {:.1} ms |",
            us(set_up) / 1e3,
            us(each),
            us(last) / 1e3
        );
    }
}
