//! The dashboard at the smallest size and at a wide one, and what it says when the store is not to be trusted.

use super::{Stock, grouped, update, view};
use crate::basics::{Digest, Instant, Realm};
use crate::station::State;
use crate::station::status::{BundleStatus, LineStatus, Status, Today};
use crate::station::store::Bundle;
use crate::tui::input::{Input, Key};
use crate::tui::theme::Theme;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

const NOW: Instant = Instant(1_795_000_000_000);

fn line(number: u32) -> LineStatus {
    LineStatus {
        line: number,
        outstanding: u64::from(number),
        verified: 1_204,
        scrapped: 3,
        per_hour: if number == 3 { 0 } else { 182 },
        bars: if number == 3 { [0; 6] } else { [11, 24, 31, 33, 38, 45] },
        last_drawn: Some(NOW),
        last_verified: Some(Instant(NOW.0 - 70_000)),
        last_scrapped: (number == 3).then(|| (Instant(NOW.0 - 1_400_000), "flasher time-out \u{1b}[2J(7)".to_owned())),
    }
}

fn status() -> Status {
    let mut states: std::collections::BTreeMap<State, u64> = State::ALL.into_iter().map(|s| (s, 0)).collect();
    states.extend([(State::Released, 61_204), (State::Sealed, 20_000), (State::Reserved, 9), (State::Verified, 4_110)]);
    states.extend([(State::Reported, 14_653), (State::Scrapped, 24), (State::Lost, 2)]);
    let bundle = Bundle {
        bundle: "9f2c41d07ab35e6688c1d2f3a4b5c6d7".to_owned(),
        seq: 3,
        manifest: Digest::of(b"m"),
        order: Digest::of(b"o"),
        product: "lamp".to_owned(),
        sku: "LAMP-E27-W".to_owned(),
        recipient: "age1x".to_owned(),
        count: 100_000,
        expires: NOW.0 + 86_400_000 * 90,
        nonce: Digest::of(b"n"),
        by_device: false,
    };
    Status {
        realm: Realm::Production,
        factory: "lyon".to_owned(),
        store: "00".repeat(16),
        entries: 38_796,
        head: Digest::of(b"head").hex(),
        bundles: vec![BundleStatus { bundle, expired: false, states, outstanding: 9, receipt_due: 4_110 }],
        lines: [1, 2, 3].map(line).to_vec(),
        refusals: [("replay".to_owned(), 1), ("tampered".to_owned(), 2)].into(),
        today: Today { since: Instant(NOW.0 - NOW.0 % 86_400_000), drawn: 4_131, verified: 4_110, scrapped: 12 },
        problem: String::new(),
    }
}

fn drawn(stock: &Stock, theme: Theme) -> String {
    let mut terminal = Terminal::new(TestBackend::new(stock.width, stock.height)).unwrap();
    terminal.draw(|frame| view(stock, theme, frame)).unwrap();
    terminal.backend().to_string()
}

fn stock(seen: Result<Status, String>, (width, height): (u16, u16)) -> Stock {
    Stock { seen, now: NOW, scroll: 0, width, height }
}

#[test]
fn the_dashboard_at_its_smallest_and_wide() {
    insta::assert_snapshot!("stock_80x24", drawn(&stock(Ok(status()), (80, 24)), Theme::Bare));
    insta::assert_snapshot!("stock_200x60", drawn(&stock(Ok(status()), (200, 60)), Theme::Bare));
}

#[test]
fn a_store_that_was_put_back_is_said_first_and_themes_change_no_text() {
    let problem = crate::station::StationError::Restored { expected: 40, found: 31 }.to_string();
    let shown = stock(Ok(Status { problem, ..status() }), (80, 24));
    let text = drawn(&shown, Theme::Bare);
    assert!(text.contains("no line can draw"), "{text}");
    assert_eq!(text, drawn(&shown, Theme::Colour));
    let since = Today { since: Instant(NOW.0 - 3_600_000), ..status().today };
    let busy = drawn(&stock(Ok(Status { today: since, ..status() }), (80, 24)), Theme::Bare);
    assert!(busy.contains(" since ") && !busy.contains(" today "), "{busy}");
    let unread = drawn(&stock(Err("store: disk I/O error".to_owned()), (80, 24)), Theme::Bare);
    assert!(unread.contains("disk I/O error") && unread.contains("UTC"), "{unread}");
}

#[test]
fn many_lines_scroll_and_the_end_is_reached() {
    let many = Status { lines: (1..=60).map(line).collect(), ..status() };
    let mut shown = stock(Ok(many), (80, 24));
    assert!(drawn(&shown, Theme::Bare).contains("tampered"), "what was refused is on the first screen");
    assert!(!drawn(&shown, Theme::Bare).contains("\n\" 60 "));
    assert!(update(&mut shown, &Input::Key(Key::End)));
    assert!(drawn(&shown, Theme::Bare).contains("\n\" 60 "), "the last row is there");
    let at = shown.scroll;
    assert!(update(&mut shown, &Input::Key(Key::Down)));
    assert_eq!(shown.scroll, at, "and nothing after it");
    assert!(!update(&mut shown, &Input::Key(Key::Char('q'))));
}

#[test]
fn a_long_reason_takes_one_row_and_says_that_there_is_more() {
    let long = |n| LineStatus { last_scrapped: Some((NOW, "the pins of the jig ".repeat(9))), ..line(n) };
    let shown = drawn(&stock(Ok(Status { lines: (1..=8).map(long).collect(), ..status() }), (80, 24)), Theme::Bare);
    assert_eq!(
        shown.lines().filter(|row| row.contains("the pins of the jig") && row.contains('…')).count(),
        8,
        "{shown}"
    );
}

#[test]
fn every_size_draws() {
    for width in (1..=200).step_by(13) {
        for height in (1..=60).step_by(7) {
            drawn(&stock(Ok(status()), (width, height)), Theme::Bare);
        }
    }
    assert_eq!([0, 999, 1_000, 61_204, 1_000_000].map(grouped), ["0", "999", "1,000", "61,204", "1,000,000"]);
}
