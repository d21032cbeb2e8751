//! Folders of pictures, whole and being written.

use super::*;
use crate::devices::picture_file::tests::png_of;
use crate::transfer::picture::tests::code;

fn picture(text: &str) -> Vec<u8> {
    let luma = code(text, 3);
    png_of(
        luma.width().try_into().unwrap(),
        luma.height().try_into().unwrap(),
        png::ColorType::Grayscale,
        luma.octets(),
    )
}

fn hear_all(source: &mut PictureFolder, rounds: usize) -> Vec<Heard> {
    let heard = (0..rounds).map(|_| source.hear(Duration::from_millis(600)).unwrap());
    heard.take_while(|heard| *heard != Heard::Ended).filter(|heard| *heard != Heard::Nothing).collect()
}

#[test]
fn a_folder_gives_its_pictures_in_order_and_names_those_that_give_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("b.PNG"), picture("AF1SECOND")).unwrap();
    std::fs::write(at("a.png"), picture("AF1FIRST")).unwrap();
    std::fs::write(at("c.jpg"), b"no picture").unwrap();
    std::fs::write(at("d.png"), &picture("AF1CUT")[..300]).unwrap();
    std::fs::write(at("notes.txt"), "AF1NOPICTURE").unwrap();
    std::os::unix::fs::symlink(at("a.png"), at("e.png")).unwrap();
    let mut source = PictureFolder::of_folder(folder.path(), PictureReader::in_process());
    let heard = hear_all(&mut source, 20);
    let refused =
        |name: &str, reason: &str| Heard::Refused { name: at(name).display().to_string(), reason: reason.to_owned() };
    assert_eq!(
        heard,
        [
            Heard::Text("AF1FIRST".to_owned()),
            Heard::Text("AF1SECOND".to_owned()),
            refused("c.jpg", "expected a PNG or JPEG picture, found something else"),
            refused("d.png", "the picture ends before it is complete"),
        ]
    );
}

#[test]
fn a_picture_that_is_still_being_written_is_read_when_it_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("phone.png");
    let whole = picture("AF1WHOLE");
    std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let mut source = PictureFolder::of_folder(folder.path(), PictureReader::in_process()).watching();
    assert_eq!(hear_all(&mut source, 3), []);
    std::fs::write(&path, &whole).unwrap();
    assert_eq!(hear_all(&mut source, 4), [Heard::Text("AF1WHOLE".to_owned())]);
    // And not again; one that comes later is.
    std::fs::write(folder.path().join("later.png"), picture("AF1LATER")).unwrap();
    assert_eq!(hear_all(&mut source, 4), [Heard::Text("AF1LATER".to_owned())]);
}

#[test]
fn a_picture_that_stays_incomplete_is_refused_once_it_has_settled() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("cut.png"), &picture("AF1CUT")[..200]).unwrap();
    let mut source = PictureFolder::of_folder(folder.path(), PictureReader::in_process()).watching();
    let heard = hear_all(&mut source, 9);
    assert!(matches!(heard.as_slice(), [Heard::Refused { reason, .. }] if reason.contains("ends before")), "{heard:?}");
}
