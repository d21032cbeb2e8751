//! Scanners on a pseudo terminal.

use super::*;
use portable_pty::{PtySize, native_pty_system};
use std::io::Write;

fn all(lines: &mut Lines) -> Vec<Result<String, String>> {
    std::iter::from_fn(|| lines.next_line()).collect()
}

#[test]
fn lines_end_with_any_suffix_or_a_pause() {
    let mut lines = Lines::default();
    lines.push(b"KC1ONE\r\nKC1TWO\rKC1THREE\n\nKC1FO");
    assert_eq!(all(&mut lines), ["KC1ONE", "KC1TWO", "KC1THREE"].map(|line| Ok(line.to_owned())));
    assert!(lines.has_part());
    lines.push(b"UR");
    lines.pause();
    assert_eq!(all(&mut lines), [Ok("KC1FOUR".to_owned())]);
}

#[test]
fn a_line_without_end_costs_no_memory_and_the_next_one_is_heard() {
    let mut lines = Lines::default();
    for _ in 0..100 {
        lines.push(&[b'A'; 4_096]);
    }
    assert!(lines.part.len() <= limits::SCANNER_LINE_OCTETS);
    lines.push(b"\rKC1\r\xff\xfe\r");
    let heard = all(&mut lines);
    assert!(heard[0].as_ref().is_err_and(|reason| reason.contains("found more")));
    assert_eq!(heard[1], Ok("KC1".to_owned()));
    assert!(heard[2].as_ref().is_err_and(|reason| reason.contains("found octets")));
}

#[test]
fn an_imager_on_a_serial_line_is_heard_raw_and_its_unplugging_is_named() {
    let pair = native_pty_system().openpty(PtySize::default()).unwrap();
    let path = pair.master.tty_name().unwrap();
    let mut imager = pair.master.take_writer().unwrap();
    let mut scanner = SerialScanner::open(&path).unwrap();
    // Ctrl-C, Ctrl-S and Ctrl-D would do something to a line that is not raw.
    imager.write_all(b"KC1ABC\x03\x13\x04\r").unwrap();
    imager.write_all(b"KC1WITHOUTSUFFIX").unwrap();
    let mut heard = Vec::new();
    for _ in 0..20 {
        if let Heard::Text(text) = scanner.hear(Duration::from_millis(300)).unwrap() {
            heard.push(text);
        }
        if heard.len() == 2 {
            break;
        }
    }
    assert_eq!(heard, ["KC1ABC\u{3}\u{13}\u{4}", "KC1WITHOUTSUFFIX"]);
    drop((imager, pair));
    let gone = (0..5).find_map(|_| scanner.hear(Duration::from_millis(100)).err()).expect("a pulled scanner is named");
    assert!(gone.hint.contains("nothing received is lost"), "{gone}");
}

#[test]
fn a_file_that_is_no_serial_device_is_refused() {
    let error = SerialScanner::open(Path::new("/dev/null")).err().unwrap();
    assert_eq!(error.to_string(), "/dev/null: expected a serial device, found another file");
    assert!(error.hint.contains("USB-CDC"));
}
