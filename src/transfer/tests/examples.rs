//! The examples of `media/README.md` are what the program writes.

use crate::basics::Realm;
use crate::transfer::frame::single;
use crate::transfer::ur::single_within;
use crate::transfer::{Envelope, Kind, Level, Sender, UrSender};

const README: &str = include_str!("../../../media/README.md");

fn hello() -> Envelope {
    Envelope::new(Kind::Certificate, Realm::Production, "root.crt", b"hello".to_vec()).unwrap()
}

/// In lines of 120 characters.
fn folded(what: &str, text: &str) -> String {
    let lines: Vec<&str> = text.as_bytes().chunks(120).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("{what}\n{}\n", lines.join("\n"))
}

#[test]
fn the_example_of_frames_is_true() {
    let envelope = hello();
    let sender = Sender::new(&envelope, 32).unwrap();
    let example = [
        folded("digest", &envelope.digest().hex()),
        folded("words", &envelope.digest().twelve_words()),
        folded("single code", &single(&envelope)),
        folded("id", &sender.id().to_string()),
        folded("frame 0", &sender.frame(0)),
        folded("frame 3", &sender.frame(3)),
        folded(
            &format!("frame 4 (ESI {})", crate::transfer::Frame::parse(&sender.frame(4)).unwrap().esi()),
            &sender.frame(4),
        ),
    ]
    .concat();
    assert_eq!(sender.source_frames(), 4);
    assert!(README.contains(&example), "expected in media/README.md:\n{example}");
    assert!(README.contains(&String::from_utf8(envelope.to_octets()).unwrap()));
}

#[test]
fn the_example_of_ur_is_true() {
    let octets = hello().to_octets();
    let sender = UrSender::new(&octets, 30).unwrap();
    let example = [
        folded("one part", &single_within(&octets, 40, Level::L).unwrap()),
        folded("part 1", &sender.part(0)),
        folded("part 14", &sender.part(13)),
    ]
    .concat();
    assert!(README.contains(&example), "expected in media/README.md:\n{example}");
}
